"""What waits in payments' queue, written into messages: one of each kind, in the transaction that marks it as sent."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from eastflow import customers, ledger, payments
from eastflow.kernel import Refusal
from eastflow.ledger.actions import new_id
from eastflow.payments import Endpoint, Outgoing, OutgoingKind, Payment, PaymentStatus
from eastflow.payments.actions import apply_collection_status, apply_status, hold_outgoing, mark_sent
from eastflow.storage import Clock, Retry, Transaction, now

from . import amounts, store, write
from .model import (
    Amount,
    Collection,
    DeliveryStatus,
    Direction,
    Header,
    Kind,
    Message,
    Party,
    Reason,
    RecallLine,
    RecallStatus,
    ReturnLine,
    StatusLine,
    TransactionStatus,
    Transfer,
)
from .reasons import NOT_SPECIFIED
from .settings import Iso20022Settings

AT_ONCE_MAX = 200
NOT_PROVIDED = "NOTPROVIDED"
CURRENCY_NOT_FOR_MESSAGES = "AM03"
_KINDS = {
    OutgoingKind.CREDIT_TRANSFER: Kind.TRANSFER,
    OutgoingKind.RETURN: Kind.RETURN,
    OutgoingKind.RECALL: Kind.RECALL,
    OutgoingKind.RECALL_ANSWER: Kind.RECALL_ANSWER,
    OutgoingKind.COLLECTION: Kind.COLLECTION,
    OutgoingKind.COLLECTION_ANSWER: Kind.STATUS,
}
_LOG = logging.getLogger(__name__)


async def write_waiting(tx: Transaction, *, settings: Iso20022Settings, today: date, clock: Clock = now) -> int:
    """Make messages of the first that wait, ready to be delivered; how many of them there were.

    The message is kept and its payments are marked in one transaction: ended before it, all wait as they did; after it,
    the message is delivered, again and again under the same id, until the other side has answered.
    """
    waiting = await payments.outgoing_page(tx, on=today, limit=AT_ONCE_MAX)
    done = 0
    for kind in OutgoingKind:
        ready = [each for each in waiting if each.kind is kind and await _may_go(tx, each, settings)]
        sendable = [each for each in ready if await _fits(tx, each.payment)]
        for each in ready:
            if each not in sendable:
                await _refuse(tx, each, today, clock)
        if sendable:
            await _send(tx, kind, sendable, settings, today, clock)
        done += len(ready)
    return done


async def _may_go(tx: Transaction, waiting: Outgoing, settings: Iso20022Settings) -> bool:
    """A recall waits until the payment has arrived: overtaking it, it would ask for what nobody knows of."""
    if waiting.kind is not OutgoingKind.RECALL:
        return True
    of = await payments.outgoing(tx, waiting.payment.id)
    carrier = None if of is None or of.message_id is None else await store.sent(tx, settings.clearing, of.message_id)
    return carrier is None or carrier.status is not DeliveryStatus.PENDING


async def _send(
    tx: Transaction, kind: OutgoingKind, sent: Sequence[Outgoing], settings: Iso20022Settings, today: date, clock: Clock
) -> None:
    at = clock()
    header = Header(new_id(at).hex, write.moment(at))
    content = await _written(tx, kind, header, sent, settings)
    for each in sent:
        if isinstance(await mark_sent(tx, each.id, header.message_id, today=today, clock=clock), Refusal):
            raise Retry("another program sent it in the same moment")
    await keep(tx, _KINDS[kind], header, content, settings, at)


async def keep(
    tx: Transaction, kind: Kind, header: Header, content: bytes, settings: Iso20022Settings, at: datetime
) -> None:
    """A message of ours for the clearing, beside a header if the settings ask for one, ready to be delivered."""
    if settings.clearing_header:
        content = write.with_header(content, sender=settings.bank, receiver=settings.clearing_bank)
    message = Message(
        new_id(at), Direction.SENT, settings.clearing, kind.value, header.message_id, content, at,
        status=DeliveryStatus.PENDING,
    )  # fmt: skip
    await store.insert(tx, message)


async def _written(
    tx: Transaction, kind: OutgoingKind, header: Header, sent: Sequence[Outgoing], settings: Iso20022Settings
) -> bytes:
    ends = {"sender": settings.bank, "receiver": settings.clearing_bank}
    match kind:
        case OutgoingKind.CREDIT_TRANSFER:
            return write.transfers(header, [await _transfer(tx, each, settings) for each in sent], **ends)
        case OutgoingKind.RETURN:
            return write.returns(header, [await _return(tx, each) for each in sent])
        case OutgoingKind.RECALL:
            return write.recalls(header, [await _recall(tx, each) for each in sent], **ends)
        case OutgoingKind.RECALL_ANSWER:
            return write.recall_answers(header, [_answer(each) for each in sent], original_id=None, **ends)
        case OutgoingKind.COLLECTION:
            return write.collections(header, [await _collection(tx, each, settings) for each in sent], **ends)
        case OutgoingKind.COLLECTION_ANSWER:
            return write.later_statuses(header, [_collected(each) for each in sent])


async def _transfer(tx: Transaction, sent: Outgoing, settings: Iso20022Settings) -> Transfer:
    payment = sent.payment
    debtor = await _named(tx, payment.debtor, payment.accepted_on)
    return Transfer(
        payment.end_to_end_id or NOT_PROVIDED,
        payment.uetr,
        await _amount(tx, payment),
        Party(debtor.name, debtor.account, settings.bank),
        Party(payment.creditor.name, payment.creditor.account, payment.creditor.bank),
        sent.due_on,
        payment.remittance or None,
        transaction_id=payment.id.hex,
    )


async def _named(tx: Transaction, debtor: Endpoint, on: date) -> Endpoint:
    """The payer with the name of the account's owner, as the other bank is to know who pays."""
    roles = [] if debtor.name else await customers.roles_of_account(tx, int(debtor.account))
    for role in roles:
        if role.kind is customers.RoleKind.OWNER and role.stands_on(on):
            owner = await customers.party(tx, role.party)
            return debtor if owner is None else replace(debtor, name=owner.name)
    return debtor


async def _return(tx: Transaction, sent: Outgoing) -> ReturnLine:
    payment = sent.payment
    reason = Reason(sent.reason or NOT_SPECIFIED)
    return ReturnLine(payment.uetr, payment.end_to_end_id, await _amount(tx, payment), reason, sent.id.hex)


async def _recall(tx: Transaction, sent: Outgoing) -> RecallLine:
    payment = sent.payment
    reason = Reason(sent.reason or NOT_SPECIFIED)
    return RecallLine(payment.uetr, payment.end_to_end_id, await _amount(tx, payment), reason, sent.id.hex)


def _answer(sent: Outgoing) -> StatusLine:
    status = RecallStatus.ACCEPTED if sent.reason is None else RecallStatus.REFUSED
    reason = None if sent.reason is None else Reason(sent.reason)
    return StatusLine(sent.payment.uetr, sent.payment.end_to_end_id, status.value, reason)


async def _collection(tx: Transaction, sent: Outgoing, settings: Iso20022Settings) -> Collection:
    payment = sent.payment
    asked = await payments.collection_of(tx, payment.id)
    mandate = None if asked is None else await payments.mandate(tx, asked.mandate)
    assert mandate is not None, "what is collected elsewhere has a mandate"
    assert mandate.outside is not None, "its debtor is elsewhere"
    transfer = Transfer(
        payment.end_to_end_id or NOT_PROVIDED,
        payment.uetr,
        await _amount(tx, payment),
        Party(payment.debtor.name, payment.debtor.account, payment.debtor.bank),
        Party(payment.creditor.name, payment.creditor.account, settings.bank),
        sent.due_on,
        payment.remittance or None,
        transaction_id=payment.id.hex,
    )
    return Collection(transfer, mandate.reference, mandate.outside.creditor_id, mandate.outside.signed_on)


def _collected(sent: Outgoing) -> StatusLine:
    """What became of a collection on its day, whatever became of it since."""
    status = TransactionStatus.SETTLED if sent.reason is None else TransactionStatus.REFUSED
    reason = None if sent.reason is None else Reason(sent.reason)
    return StatusLine(sent.payment.uetr, sent.payment.end_to_end_id, status.value, reason)


async def _amount(tx: Transaction, payment: Payment) -> Amount:
    asset = await ledger.asset(tx, payment.asset)
    assert asset is not None, "money of it was moved"
    return Amount(asset.code, amounts.text(payment.amount_minor, asset.scale))


async def _fits(tx: Transaction, payment: Payment) -> bool:
    asset = await ledger.asset(tx, payment.asset)
    assert asset is not None, "money of it was moved"
    return amounts.fits(payment.amount_minor, asset)


async def _refuse(tx: Transaction, waiting: Outgoing, today: date, clock: Clock) -> None:
    """No message can carry it: a payment leaves the queue, and the payer has the money again; a collection is refused.
    Anything else is held for a person, who finds a return with what stands on suspense."""
    if waiting.kind not in (OutgoingKind.CREDIT_TRANSFER, OutgoingKind.COLLECTION):
        _LOG.warning("%s of %s fits no message and waits for a person", waiting.kind.value, waiting.payment.id)
        await hold_outgoing(tx, waiting.id, CURRENCY_NOT_FOR_MESSAGES)
        return
    await mark_sent(tx, waiting.id, f"-{waiting.id.hex}", today=today, clock=clock)
    apply = apply_status if waiting.kind is OutgoingKind.CREDIT_TRANSFER else apply_collection_status
    outcome = await apply(
        tx, waiting.payment.uetr, PaymentStatus.REJECTED, CURRENCY_NOT_FOR_MESSAGES, today=today, clock=clock
    )
    if isinstance(outcome, Refusal):
        _LOG.warning("%s of %s cannot be sent: %s", waiting.kind.value, waiting.payment.id, outcome.code.value)
