"""The verbs: receive a message and answer it, and write what waits to be sent. Each in the caller's one transaction."""

from __future__ import annotations

import logging
from datetime import date, datetime
from typing import Any
from uuid import UUID

from eastflow.customers import Channel
from eastflow.kernel import Refusal
from eastflow.ledger.actions import new_id
from eastflow.payments import DAYS_AHEAD_MAX, Endpoint, Incoming, PaymentsRefusal, PaymentStatus
from eastflow.payments import Transfer as AskedTransfer
from eastflow.payments.actions import (
    apply_collection_status,
    apply_status,
    receive_incoming,
    receive_recall,
    receive_recall_answer,
    receive_return,
    return_collection,
    schedule_transfer,
    transfer,
)
from eastflow.storage import Clock, Retry, Transaction, UniqueViolation, now

from . import amounts, debits, decide, store, write
from .model import (
    Collections,
    Content,
    Direction,
    GroupStatus,
    Header,
    Initiation,
    Kind,
    Malformed,
    Message,
    Questions,
    Reason,
    RecallAnswers,
    RecallLine,
    Recalls,
    RecallStatus,
    Received,
    ReturnLine,
    Returns,
    Statuses,
    StatusLine,
    TransactionStatus,
    Transfer,
    Transfers,
    Unreadable,
    VerificationReports,
)
from .read import read
from .reasons import NOT_SPECIFIED, reason_of
from .settings import Iso20022Settings
from .status_reports import standing
from .verification import actions as verification
from .work import Work, minor, refused

NO_ACCOUNT_TOLD = "NOTPROVIDED"
STEP_MESSAGES = 20
_LOG = logging.getLogger(__name__)


async def receive(
    tx: Transaction, raw: bytes, *, sender: str, settings: Iso20022Settings, today: date, clock: Clock = now
) -> Received | Unreadable:
    """Take a message, do what it says, and answer it: every refusal is a status report with a reason.

    The same bytes under the same id again are answered as before, without effect; other content is refused.
    """
    found = read(raw)
    if isinstance(found, Unreadable):
        return found
    work = Work(tx, sender, settings, today, clock)
    if isinstance(found, Malformed):
        return _not_taken(work, found.kind, found.message_id, found.reason)
    kind, content = found
    message_id = content.header.message_id
    if reason := decide.check_sender(kind, is_clearing=sender == settings.clearing):
        return _not_taken(work, kind, message_id, reason)
    if reason := decide.check_header(kind, content.header, settings.bank):
        return _not_taken(work, kind, message_id, reason)
    if before := await store.received(tx, sender, message_id):
        return await _again(work, kind, raw, *before)
    at = clock()
    message = Message(new_id(at), Direction.RECEIVED, sender, kind.value, message_id, raw, at)
    await _keep(tx, message)
    header = _header(at)
    answer = await _answer(work, kind, content, header)
    written = None
    if answer is not None:
        answer_kind, written = answer[0], _headed(work, answer[1])
        await _keep(
            tx,
            Message(
                new_id(at), Direction.SENT, sender, answer_kind.value, header.message_id, written, at,
                answers=message.id,
            ),
        )  # fmt: skip
    return Received(kind, message_id, message.id, written)


async def send_again(tx: Transaction, id: UUID, *, clock: Clock = now) -> Message | None:
    """Try a message again that was given up, under the same id. One that waits or has arrived stays as it is."""
    await store.send_again(tx, id, clock())
    return await store.message(tx, id)


async def seal_plain_messages(tx: Transaction, *, limit: int = STEP_MESSAGES) -> int:
    """Seal messages that were kept before contents were sealed; the answer is how many. Repeat until it is none."""
    return await store.seal_plain(tx, limit)


async def _again(work: Work, kind: Kind, raw: bytes, before: Message, content_hash: bytes) -> Received | Unreadable:
    if content_hash not in (store.keyed_hash(work.tx, raw), store.plain_hash(raw)):
        return _not_taken(work, kind, before.message_id, decide.MESSAGE_ID_REUSED)
    answer = await store.answer_to(work.tx, before)
    return Received(kind, before.message_id, before.id, None if answer is None else answer.content, replayed=True)


def _not_taken(work: Work, kind: Kind, message_id: str, reason: Reason) -> Received | Unreadable:
    """The whole message is refused, and leaves no trace: once it is mended, its id is free. What is itself an answer
    is not answered."""
    if kind in (Kind.STATUS, Kind.RECALL_ANSWER, Kind.VERIFICATION_REPORT):
        return Unreadable(reason.text)
    refusal = _refusal(_header(work.clock()), kind, message_id, reason)
    return Received(kind, message_id, None, _headed(work, refusal))


def _headed(work: Work, written: bytes) -> bytes:
    """The clearing is answered with a header if the settings ask for one, a customer's program never."""
    settings = work.settings
    if not settings.clearing_header or work.sender != settings.clearing:
        return written
    return write.with_header(written, sender=settings.bank, receiver=settings.clearing_bank)


def _refusal(header: Header, kind: Kind, message_id: str, reason: Reason) -> bytes:
    if kind is Kind.INITIATION:
        return write.initiation_statuses(header, message_id, GroupStatus.REFUSED, reason, [])
    return write.statuses(header, kind, message_id, GroupStatus.REFUSED, reason, [])


async def _keep(tx: Transaction, message: Message) -> None:
    try:
        await store.insert(tx, message)
    except UniqueViolation as rival:
        raise Retry("the same message came in the same moment") from rival


async def _answer(work: Work, kind: Kind, content: Content, header: Header) -> tuple[Kind, bytes] | None:
    message_id = content.header.message_id
    if reason := decide.check_message(content):
        of = Kind.INITIATION_STATUS if kind is Kind.INITIATION else Kind.STATUS
        return of, _refusal(header, kind, message_id, reason)
    match content:
        case Initiation():
            blocks = [
                (
                    block.id,
                    [await _pay(work, message_id, block.id, place, each) for place, each in enumerate(block.transfers)],
                )
                for block in content.blocks
            ]
            group = write.group_status([line for _, lines in blocks for line in lines])
            return Kind.INITIATION_STATUS, write.initiation_statuses(header, message_id, group, None, blocks)
        case Transfers():
            lines = [await _take_in(work, each) for each in content.transfers]
        case Collections():
            lines = [await debits.collect(work, each) for each in content.collections]
        case Returns():
            lines = [await _take_back(work, each) for each in content.lines]
        case Recalls():
            recalled = [await _recalled(work, each) for each in content.lines]
            return Kind.RECALL_ANSWER, write.recall_answers(
                header,
                recalled,
                original_id=message_id,
                sender=work.settings.bank,
                receiver=work.settings.clearing_bank,
            )
        case Statuses():
            await _told(work, content)
            return None
        case RecallAnswers():
            for line in content.lines:
                await _recall_answered(work, line)
            return None
        case Questions():
            told = await verification.answer(work.tx, content, header, settings=work.settings)
            return Kind.VERIFICATION_REPORT, told
        case VerificationReports():
            await verification.take_report(work.tx, content, by=work.sender, today=work.today)
            return None
    return Kind.STATUS, write.statuses(header, kind, message_id, write.group_status(lines), None, lines)


async def _pay(work: Work, message_id: str, block: str, place: int, asked: Transfer) -> StatusLine:
    """A customer's payment. Payments decides whether it is made; here it is only put into the bank's own terms."""
    debtor = decide.account_number(asked.debtor)
    if asked.debtor.agent not in (None, work.settings.bank) or debtor is None:
        return refused(asked, decide.DEBTOR_MISSING)
    if (asked.day - work.today).days > DAYS_AHEAD_MAX:
        return refused(asked, decide.DATE_IN_FUTURE)
    if not asked.creditor.account:
        return refused(asked, decide.CREDITOR_MISSING)
    amount_minor = await minor(work.tx, asked.amount)
    if isinstance(amount_minor, Reason):
        return refused(asked, amount_minor)
    bank = None if asked.creditor.agent == work.settings.bank else asked.creditor.agent
    told = AskedTransfer(
        decide.payment_id(work.sender, message_id, block, place, asked),
        debtor,
        Endpoint(asked.creditor.name or "", asked.creditor.account, bank),
        amount_minor,
        asked.amount.currency,
        Channel.API,
        asked.remittance or "",
        asked.end_to_end_id,
        # The ids of the message and its UETRs tell whether it is meant twice; there is nobody to ask.
        duplicate_confirmed=True,
        uetr=asked.uetr,
    )
    if asked.day > work.today:
        return await _schedule(work, asked, told)
    made = await transfer(work.tx, told, today=work.today, by=work.sender, clock=work.clock)
    if isinstance(made, Refusal):
        return refused(asked, reason_of(made))
    status, reason = decide.status_of(made)
    return StatusLine(asked.uetr, asked.end_to_end_id, status.value, reason, asked.instruction_id)


async def _schedule(work: Work, asked: Transfer, told: AskedTransfer) -> StatusLine:
    """A payment on a day to come waits as an order of one time."""
    order = await schedule_transfer(work.tx, told, asked.day, today=work.today, by=work.sender, clock=work.clock)
    if isinstance(order, Refusal):
        return refused(asked, reason_of(order))
    # It may be a repeated one, whose day has come.
    status, reason = await standing(work.tx, order.id)
    return StatusLine(asked.uetr, asked.end_to_end_id, status.value, reason, asked.instruction_id)


async def _take_in(work: Work, sent: Transfer) -> StatusLine:
    """Another bank pays one of our customers."""
    if sent.uetr is None:
        return refused(sent, decide.UETR_MISSING, interbank=True)
    if sent.creditor.agent not in (None, work.settings.bank):
        return refused(sent, decide.BANK_MISSING, interbank=True)
    if sent.day > work.today:
        return refused(sent, decide.DATE_IN_FUTURE, interbank=True)
    if not sent.creditor.account:
        return refused(sent, decide.CREDITOR_MISSING, interbank=True)
    amount_minor = await minor(work.tx, sent.amount)
    if isinstance(amount_minor, Reason):
        return refused(sent, amount_minor, interbank=True)
    debtor = sent.debtor
    incoming = Incoming(
        sent.uetr,
        Endpoint(debtor.name or "", debtor.account or NO_ACCOUNT_TOLD, debtor.agent or work.settings.clearing_bank),
        Endpoint(sent.creditor.name or "", sent.creditor.account),
        amount_minor,
        sent.amount.currency,
        sent.remittance or "",
        sent.end_to_end_id,
    )
    made = await receive_incoming(work.tx, incoming, today=work.today, clock=work.clock)
    if isinstance(made, Refusal):
        return refused(sent, reason_of(made), interbank=True)
    status, reason = decide.status_of(made)
    return StatusLine(sent.uetr, sent.end_to_end_id, status.value, reason, sent.transaction_id)


async def _take_back(work: Work, line: ReturnLine) -> StatusLine:
    """A payment of ours comes back, or what we collected goes back."""
    if line.uetr is None:
        return refused(line, decide.UETR_MISSING)
    amount_minor = await minor(work.tx, line.amount)
    if isinstance(amount_minor, Reason):
        return refused(line, amount_minor)
    charges_minor = await _charges_minor(work.tx, line)
    if isinstance(charges_minor, Reason):
        return refused(line, charges_minor)
    told = line.uetr, amount_minor, line.amount.currency, line.reason.code
    made: object = await receive_return(work.tx, *told, charges_minor=charges_minor, today=work.today, clock=work.clock)
    if _is_unknown(made):
        made = await return_collection(work.tx, *told, today=work.today, clock=work.clock)
    if isinstance(made, Refusal):
        return refused(line, reason_of(made))
    return StatusLine(line.uetr, line.end_to_end_id, TransactionStatus.SETTLED.value)


async def _charges_minor(tx: Transaction, line: ReturnLine) -> int | Reason:
    """What the other bank says that it kept, in the payment's currency."""
    total = 0
    for each in line.charges:
        found = await minor(tx, each)
        if isinstance(found, Reason) and found is not amounts.ZERO:
            return found
        if each.currency != line.amount.currency:
            return decide.CHARGES_IN_ANOTHER_CURRENCY
        total += found if isinstance(found, int) else 0
    return total


async def _recalled(work: Work, line: RecallLine) -> StatusLine:
    """Another bank asks for a payment back that it sent."""
    found: Any = None
    if line.uetr is not None:
        found = await receive_recall(work.tx, line.uetr, line.reason.code, today=work.today, clock=work.clock)
    status, reason = decide.recall_status(found) if found else (RecallStatus.REFUSED, decide.UETR_MISSING)
    return StatusLine(line.uetr, line.end_to_end_id, status.value, reason)


async def _told(work: Work, statuses: Statuses) -> None:
    """The other side's word on what we sent. What it says of one payment goes before what it says of all."""
    if statuses.original_kind in (None, Kind.TRANSFER.value, Kind.COLLECTION.value):
        for line in (*statuses.lines, *await _unnamed(work, statuses)):
            await _apply(work, line)
    elif statuses.original_kind == Kind.RECALL.value:
        for line in statuses.lines:
            if decide.told_status(line.status) is PaymentStatus.REJECTED:
                await _recall_answered(work, line)
    elif statuses.group_status == GroupStatus.REFUSED.value:
        # A return or an answer of ours was not taken: nothing is undone by a program, a person has to look.
        _LOG.warning("%s %s was refused by the clearing", statuses.original_kind, statuses.original_message_id)


async def _unnamed(work: Work, statuses: Statuses) -> list[StatusLine]:
    """The payments of the message that a status of the whole group speaks of, and no line of their own; none where a
    line does not say which payment it is of."""
    named = {line.uetr for line in statuses.lines}
    if None in named:
        return []
    id, code = statuses.original_message_id, statuses.group_status
    sent = None if id is None else await store.sent(work.tx, work.sender, id)
    found = None if sent is None else read(sent.content)
    if code is None or not isinstance(found, tuple):
        return []
    return [
        StatusLine(each.uetr, each.end_to_end_id, code, statuses.reason)
        for each in decide.transfers_of(found[1])
        if each.uetr not in named
    ]


async def _apply(work: Work, line: StatusLine) -> None:
    status = decide.told_status(line.status)
    if line.uetr is None or status is None:
        return
    reason = None
    if status is PaymentStatus.REJECTED:
        reason = line.reason.code if line.reason else NOT_SPECIFIED
    told = line.uetr, status, reason
    outcome: object = await apply_status(work.tx, *told, today=work.today, clock=work.clock)
    if _is_unknown(outcome):
        outcome = await apply_collection_status(work.tx, *told, today=work.today, clock=work.clock)
    _note(line, outcome)


def _is_unknown(outcome: object) -> bool:
    """No payment that we sent: what we collect of others has verbs of its own."""
    return isinstance(outcome, Refusal) and outcome.code is PaymentsRefusal.PAYMENT_NOT_FOUND


async def _recall_answered(work: Work, line: StatusLine) -> None:
    refused = line.status in (RecallStatus.REFUSED.value, TransactionStatus.REFUSED.value)
    if line.uetr is None or not (refused or line.status == RecallStatus.ACCEPTED.value):
        return
    reason = None
    if refused:
        reason = line.reason.code if line.reason else NOT_SPECIFIED
    _note(line, await receive_recall_answer(work.tx, line.uetr, reason, clock=work.clock))


def _note(line: StatusLine, outcome: object) -> None:
    """An answer is not answered: one that does not fit the books is kept, and told to whoever reads the log."""
    if isinstance(outcome, Refusal):
        _LOG.warning("the status %s of %s was not taken: %s", line.status, line.uetr, outcome.code.value)


def _header(at: datetime) -> Header:
    return Header(new_id(at).hex, write.moment(at))
