"""The verbs between banks: what was sent, what came of it, and what others send us."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from eastflow.customers import Channel
from eastflow.customers.actions import give_back_allowance
from eastflow.kernel import Refusal
from eastflow.ledger import LedgerRefusal
from eastflow.ledger.actions import INTERNAL_ACCOUNT_MIN, post
from eastflow.storage import Clock, Retry, Transaction, UniqueViolation, now

from .. import store
from ..decide import (
    as_sent,
    changed,
    check_amount,
    check_incoming,
    check_reason,
    check_text,
    conflict,
    decide_answer,
    further_id,
    incoming_id,
    own_account,
    payment_entry,
    reason_for,
)
from ..model import (
    BANK_CHARACTERS_MAX,
    Direction,
    Incoming,
    Origin,
    Outgoing,
    OutgoingKind,
    Payment,
    PaymentStatus,
    Recall,
    RecallStatus,
)
from ..refusals import PaymentsRefusal
from ..suspense.model import SuspenseItem, SuspenseKind
from ..suspense.store import put_on_suspense, take_off_suspense
from ..transfers.actions import CLEARING, SUSPENSE, Booking, book, movements, own

RETURNED_AS_ASKED = "FOCR"
"""Following a cancellation request. Recalled, not checked against ISO 20022's external list."""
_LIVE = (PaymentStatus.ACCEPTED, PaymentStatus.SENT, PaymentStatus.SETTLED)


async def mark_sent(
    tx: Transaction, id: UUID, message_id: str, *, today: date, clock: Clock = now
) -> Outgoing | Refusal:
    """What waits under this id left in the message `message_id`. A payment is `sent` now; the money of a return leaves
    suspense, but that of a refunded collection, which the payer has already. The same message again changes nothing;
    another one is a `status_conflict`."""
    if refusal := check_text("message_id", message_id, BANK_CHARACTERS_MAX):
        return refusal
    found = await store.outgoing(tx, id)
    if found is None:
        return Refusal(PaymentsRefusal.OUTGOING_NOT_FOUND, {"id": id})
    if found.message_id is not None:
        return found if found.message_id == message_id else conflict(found.payment)
    at = clock()
    if not await store.mark_sent(tx, id, message_id, at):
        raise Retry("it was sent in the same moment")
    payment = found.payment
    if found.kind in (OutgoingKind.CREDIT_TRANSFER, OutgoingKind.COLLECTION):
        payment = await change(tx, payment, changed(payment, PaymentStatus.SENT), at)
    elif found.kind is OutgoingKind.RETURN and payment.direction is Direction.INCOMING:
        moved = await move(tx, payment, SUSPENSE, CLEARING, "return_sent", today, clock)
        assert moved is None, "the bank's own accounts take every amount"
        if not await take_off_suspense(tx, payment.id, payment.amount_minor):
            raise Retry("it was moved in the same moment")
        payment = await change(tx, payment, changed(payment, PaymentStatus.RETURNED, found.reason), at)
    return replace(found, payment=payment, message_id=message_id)


async def hold_outgoing(tx: Transaction, id: UUID, reason: str) -> Outgoing | Refusal:
    """No message can carry what waits under this id: it waits for a person now, who finds it with what stands on
    suspense. Again, it changes nothing."""
    if refusal := check_reason(reason):
        return refusal
    found = await store.outgoing(tx, id)
    if found is None:
        return Refusal(PaymentsRefusal.OUTGOING_NOT_FOUND, {"id": id})
    if found.message_id is not None:
        return conflict(found.payment)
    if not await store.hold(tx, id, reason):
        raise Retry("it was sent in the same moment")
    return replace(found, held_for=reason)


async def apply_status(
    tx: Transaction, uetr: UUID, status: PaymentStatus, reason: str | None = None, *, today: date, clock: Clock = now
) -> Payment | Refusal:
    """What the other bank says of a payment of ours: `settled`; `rejected` for `reason`, and the payer has the money
    again; `sent`, which changes nothing. Saying the same again changes nothing."""
    assert status in (PaymentStatus.SENT, PaymentStatus.SETTLED, PaymentStatus.REJECTED), "no other is told"
    if refusal := check_reason(reason):
        return refusal
    payment = await _of_uetr(tx, uetr, Direction.OUTGOING)
    if isinstance(payment, Refusal) or payment.status is status:
        return payment
    if status is PaymentStatus.SENT:
        return payment
    if payment.status is not PaymentStatus.SENT:
        return conflict(payment)
    if status is PaymentStatus.SETTLED:
        return await change(tx, payment, changed(payment, status), clock())
    return await _give_back(tx, payment, changed(payment, status, reason), today, clock)


async def receive_incoming(
    tx: Transaction, incoming: Incoming, *, today: date, clock: Clock = now
) -> Payment | Refusal:
    """Another bank pays. The payment is `settled`, or `accepted` with the reason for which it waits to be returned.

    The same UETR with the same content answers with the payment as it is now.
    """
    if refusal := check_incoming(incoming):
        return refusal
    id, at = incoming_id(incoming.uetr), clock()
    known = await store.payment(tx, id)
    if known is not None:
        same = as_sent(known) == incoming
        return known if same else Refusal(PaymentsRefusal.UETR_REUSED, {"uetr": incoming.uetr})
    payment = Payment(
        id=id,
        direction=Direction.INCOMING,
        origin=Origin.OTHER_BANK,
        status=PaymentStatus.SETTLED,
        debtor=incoming.debtor,
        creditor=incoming.creditor,
        amount_minor=incoming.amount_minor,
        asset=incoming.asset,
        remittance=incoming.remittance,
        end_to_end_id=incoming.end_to_end_id,
        uetr=incoming.uetr,
        scheme=incoming.scheme,
        channel=Channel.SYSTEM,
        accepted_on=today,
        settlement_date=today,
        by=incoming.debtor.bank or "",
        accepted_at=at,
    )
    refused = await credit(tx, payment, today, clock)
    if refused is not None:
        stood = await move(tx, payment, CLEARING, SUSPENSE, "", today, clock)
        if stood is not None:
            return stood
        payment = changed(payment, PaymentStatus.ACCEPTED, reason_for(refused))
    try:
        await store.insert_payments(tx, [payment])
    except UniqueViolation as rival:
        raise Retry("the payment came in twice in the same moment") from rival
    if refused is not None:
        await put_on_suspense(tx, _item(payment, SuspenseKind.INCOMING, today))
        await queue(tx, OutgoingKind.RETURN, payment, payment.reason, today, at)
    return payment


async def receive_return(
    tx: Transaction,
    uetr: UUID,
    amount_minor: int,
    asset: str,
    reason: str,
    *,
    charges_minor: int = 0,
    today: date,
    clock: Clock = now,
) -> Payment | Refusal:
    """A payment of ours comes back: the payer has the money again, less what the other bank says that it kept as its
    charges; no other difference is taken. It is `recalled` if we had asked for it, otherwise `returned`. The same again
    changes nothing."""
    if refusal := check_reason(reason) or check_amount(amount_minor):
        return refusal
    payment = await _of_uetr(tx, uetr, Direction.OUTGOING)
    if isinstance(payment, Refusal):
        return payment
    if charges_minor < 0 or (amount_minor + charges_minor, asset) != (payment.amount_minor, payment.asset):
        facts = {"amount_minor": amount_minor, "asset": asset, "paid_minor": payment.amount_minor}
        return Refusal(PaymentsRefusal.AMOUNT_DIFFERS, facts)
    came_back = amount_minor if charges_minor else None
    known = (payment.reason, payment.returned_minor)
    if payment.status in (PaymentStatus.RETURNED, PaymentStatus.RECALLED) and known == (reason, came_back):
        return payment
    if payment.status not in (PaymentStatus.SENT, PaymentStatus.SETTLED):
        return conflict(payment)
    asked = await store.recall_of(tx, payment.id)
    status = PaymentStatus.RETURNED if asked is None else PaymentStatus.RECALLED
    at = clock()
    if asked is not None and asked.status is RecallStatus.OPEN:
        await _answer(tx, replace(asked, status=RecallStatus.ACCEPTED), at)
    after = replace(changed(payment, status, reason), returned_minor=came_back)
    return await _give_back(tx, payment, after, today, clock)


async def recall(
    tx: Transaction, payment: UUID, reason: str, *, today: date, by: str, clock: Clock = now
) -> Payment | Recall | Refusal:
    """Ask for a payment of ours back. One that was not sent is taken out of the queue: the payer has the money
    again, and the payment is the answer. For one that was sent, a recall waits in the queue and is the answer."""
    if refusal := check_reason(reason):
        return refusal
    found = await store.locked_payment(tx, payment)
    if found is None:
        return Refusal(PaymentsRefusal.PAYMENT_NOT_FOUND, {"id": payment})
    asked, at = await store.recall_of(tx, payment), clock()
    if asked is not None:
        return asked
    if found.status is PaymentStatus.RECALLED and found.reason == reason:
        return found
    is_ours = found.direction is Direction.OUTGOING and found.origin is not Origin.DIRECT_DEBIT
    if not is_ours or found.status not in _LIVE:
        return conflict(found)
    if found.status is PaymentStatus.ACCEPTED:
        if not await store.take_out(tx, payment):
            raise Retry("the payment was sent in the same moment")
        return await _give_back(tx, found, changed(found, PaymentStatus.RECALLED, reason), today, clock)
    asked = Recall(payment, reason, RecallStatus.OPEN, today, by)
    await _insert_recall(tx, asked, at)
    await queue(tx, OutgoingKind.RECALL, found, reason, today, at)
    return asked


async def receive_recall_answer(
    tx: Transaction, uetr: UUID, reason: str | None, *, clock: Clock = now
) -> Recall | Refusal:
    """The other bank's answer to our recall: accepted where `reason` is None, and the money comes by a return."""
    if refusal := check_reason(reason):
        return refusal
    payment = await _of_uetr(tx, uetr, Direction.OUTGOING)
    if isinstance(payment, Refusal):
        return payment
    asked = await store.recall_of(tx, payment.id)
    answered = decide_answer(asked, reason)
    if isinstance(answered, Recall) and answered != asked:
        await _answer(tx, answered, clock())
    return answered


async def receive_recall(
    tx: Transaction, uetr: UUID, reason: str, *, today: date, clock: Clock = now
) -> Recall | Refusal:
    """Another bank asks back what it sent us: the recall is open until someone answers it. One whose money is on its
    way back is accepted at once. The same again answers with the recall as it is now."""
    if refusal := check_reason(reason):
        return refusal
    known = await _of_uetr(tx, uetr, Direction.INCOMING)
    if isinstance(known, Refusal):
        return known
    # Whoever clears its suspense in the same moment is seen here, or sees the recall.
    payment = await store.locked_payment(tx, known.id)
    assert payment is not None, "a payment is never removed"
    asked = await store.recall_of(tx, payment.id)
    if asked is not None:
        return asked
    status = RecallStatus.OPEN if payment.status is PaymentStatus.SETTLED else RecallStatus.ACCEPTED
    asked = Recall(payment.id, reason, status, today, payment.by)
    await _insert_recall(tx, asked, clock())
    return asked


async def answer_recall(
    tx: Transaction, payment: UUID, refused_for: str | None, *, today: date, clock: Clock = now
) -> Recall | Refusal:
    """Our answer to another bank's recall. Accepted (`refused_for` is None), the payee's account is debited and a
    return waits in the queue; what the ledger refuses is told. Refused, the answer waits there with its reason."""
    if refusal := check_reason(refused_for):
        return refusal
    found = await store.payment(tx, payment)
    if found is None or found.direction is not Direction.INCOMING:
        return Refusal(PaymentsRefusal.PAYMENT_NOT_FOUND, {"id": payment})
    asked, at = await store.recall_of(tx, payment), clock()
    answered = decide_answer(asked, refused_for)
    if isinstance(answered, Refusal) or answered == asked:
        return answered
    if refused_for is not None:
        await queue(tx, OutgoingKind.RECALL_ANSWER, found, refused_for, today, at)
    elif refusal := await _take_from_payee(tx, found, today, clock):
        return refusal
    await _answer(tx, answered, at)
    return answered


async def _take_from_payee(tx: Transaction, payment: Payment, today: date, clock: Clock) -> Refusal | None:
    account = payment.cleared_to or own_account(payment.creditor)
    suspense = await own(tx, SUSPENSE, payment.asset, today)
    assert account is not None, "a settled payment has an account of this bank"
    if isinstance(suspense, Refusal):
        return suspense
    moved = await movements(
        tx, account, None, payment.amount_minor, payment.asset, Channel.SYSTEM, elsewhere=payment.debtor
    )
    entry = payment_entry(payment, account, suspense, today, step="recalled")
    refused = await book(tx, [Booking(entry, moved)], today=today, clock=clock)
    if entry.id in refused:
        return refused[entry.id]
    at = clock()
    await change(tx, payment, changed(payment, PaymentStatus.ACCEPTED, RETURNED_AS_ASKED), at)
    await put_on_suspense(tx, _item(payment, SuspenseKind.INCOMING, today))
    await queue(tx, OutgoingKind.RETURN, payment, RETURNED_AS_ASKED, today, at)
    return None


async def credit(tx: Transaction, payment: Payment, today: date, clock: Clock) -> Refusal | None:
    """Give an incoming payment to its payee, or say why not."""
    account, clearing = own_account(payment.creditor), await own(tx, CLEARING, payment.asset, today)
    if account is None or account >= INTERNAL_ACCOUNT_MIN:
        return Refusal(LedgerRefusal.ACCOUNT_NOT_FOUND, {"account": payment.creditor.account})
    if isinstance(clearing, Refusal):
        return clearing
    moved = await movements(
        tx, None, account, payment.amount_minor, payment.asset, payment.channel, elsewhere=payment.debtor
    )
    entry = payment_entry(payment, clearing, account, today)
    return (await book(tx, [Booking(entry, moved)], today=today, clock=clock)).get(entry.id)


async def _give_back(tx: Transaction, before: Payment, after: Payment, today: date, clock: Clock) -> Payment | Refusal:
    """The payer has the money again; what its account does not take stands on suspense. It is no new movement, so no
    allowance is asked for it."""
    account = own_account(before.debtor)
    assert account is not None, "the payer of a payment of ours is a customer of this bank"
    in_suspense = await move(tx, after, CLEARING, account, "given_back", today, clock) is not None
    if in_suspense and (refused := await move(tx, after, CLEARING, SUSPENSE, "given_back", today, clock)):
        return refused
    changed_to = await change(tx, before, replace(after, in_suspense=in_suspense), clock())
    await give_allowance_back(tx, account, after)
    if in_suspense:
        await put_on_suspense(tx, _item(after, SuspenseKind.GIVEN_BACK, today))
    return changed_to


async def give_allowance_back(tx: Transaction, account: int, payment: Payment) -> None:
    """As much as has come back, to the day it was used on. Of a batch nothing: its one debit was counted whole."""
    await give_back_allowance(tx, account, payment.id, payment.moved_minor)


async def move(
    tx: Transaction, payment: Payment, debited: str | int, credited: str | int, step: str, today: date, clock: Clock
) -> Refusal | None:
    """Book the payment's amount between two accounts, those of the bank named by their place in the chart."""
    numbers = []
    for account in (debited, credited):
        number = await own(tx, account, payment.asset, today) if isinstance(account, str) else account
        if isinstance(number, Refusal):
            return number
        numbers.append(number)
    entry = payment_entry(payment, numbers[0], numbers[1], today, step=step)
    [outcome] = await post(tx, [entry], clock=clock, today=lambda: today)
    return outcome if isinstance(outcome, Refusal) else None


def _item(payment: Payment, kind: SuspenseKind, today: date) -> SuspenseItem:
    return SuspenseItem(payment.id, kind, payment.moved_minor, payment.asset, today)


async def _of_uetr(tx: Transaction, uetr: UUID, direction: Direction) -> Payment | Refusal:
    """What was collected has its own way back, within the days of its mandate."""
    known = await store.payments_of_uetr(tx, uetr)
    found = [each for each in known if each.direction is direction and each.origin is not Origin.DIRECT_DEBIT]
    return found[0] if found else Refusal(PaymentsRefusal.PAYMENT_NOT_FOUND, {"uetr": uetr})


async def change(tx: Transaction, before: Payment, after: Payment, at: datetime) -> Payment:
    if not await store.change_payment(tx, before, after, at):
        raise Retry("the payment changed in the same moment")
    return after


async def queue(
    tx: Transaction, kind: OutgoingKind, payment: Payment, reason: str | None, due_on: date, at: datetime
) -> None:
    waiting = Outgoing(further_id(payment.id, kind.value), kind, payment, due_on, reason)
    try:
        await store.queue(tx, [waiting], at)
    except UniqueViolation as rival:
        raise Retry("it was queued in the same moment") from rival


async def _insert_recall(tx: Transaction, new: Recall, at: datetime) -> None:
    try:
        await store.insert_recall(tx, new, at)
    except UniqueViolation as rival:
        raise Retry("the payment was recalled in the same moment") from rival


async def _answer(tx: Transaction, answered: Recall, at: datetime) -> None:
    if not await store.answer_recall(tx, answered, at):
        raise Retry("the recall was answered in the same moment")
