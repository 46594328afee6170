"""The verbs of batches: a file handed in, and its lines paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from eastflow.customers.actions import give_back_allowance
from eastflow.kernel import Refusal
from eastflow.ledger import Entry, Posting
from eastflow.storage import Clock, Database, Retry, Transaction, UniqueViolation, now

from .. import store as payments
from ..decide import Manner, further_id
from ..model import Origin, Payment
from ..personal_data.store import keyed
from ..refusals import PaymentsRefusal
from ..suspense.model import SuspenseItem, SuspenseKind
from ..suspense.store import put_on_suspense, take_off_suspense
from ..transfers.actions import SUSPENSE, Booking, Counted, book, check_customers, movements, own, payers_of, transfers
from . import store
from .decide import begun, check_file, check_total, content_hash, first_refused, same_request, transfer_of
from .model import LINES_MAX, Batch, BatchFile, BatchLine, BatchStatus, LineStatus

CHUNK_LINES = 500
FUNDED = "funded"


class _Undo(Exception):
    """One line of a batch whose lines stand or fall together was refused."""


async def submit_batch(
    tx: Transaction, file: BatchFile, *, today: date, by: str, clock: Clock = now
) -> Batch | Refusal:
    """Hand in a file; nothing is paid yet. The same again answers with the batch as it is now; the same lines under
    another id are a `duplicate`, unless they are meant."""
    if refusal := check_file(file) or check_customers(file.debtor):
        return refusal
    known, keyed_hash = await store.batch(tx, file.id), keyed(tx, content_hash(file))
    if known is not None:
        return known if same_request(file, keyed_hash, known) else Refusal(PaymentsRefusal.ID_REUSED, {"id": file.id})
    batch, lines = begun(file, keyed_hash, today, by)
    if refusal := check_total(batch):
        return refusal
    # Files of one payer wait for each other here, so that each sees the one before it.
    payer = (await payers_of(tx, {file.debtor}, today))[file.debtor]
    await payments.lock_usage(tx, [(payer, today, file.asset, "")])
    rival = await store.same_content(tx, file.debtor, keyed_hash)
    if rival is not None and rival != file.id and not file.duplicate_confirmed:
        return Refusal(PaymentsRefusal.DUPLICATE, {"id": rival, "accepted_at": None})
    try:
        await store.insert_batch(tx, batch, lines, clock())
    except UniqueViolation as taken:
        raise Retry("the file was handed in twice in the same moment") from taken
    return batch


async def run_batch(
    database: Database, id: UUID, *, today: date, chunk: int = CHUNK_LINES, clock: Clock = now
) -> Batch | Refusal:
    """Pay a batch's lines. Stopped at any point, run it again; a batch that is done stays as it is."""
    while True:
        batch = await database.run(lambda tx: _step(tx, id, today, chunk, clock))
        if isinstance(batch, Refusal) or batch.status in (BatchStatus.DONE, BatchStatus.REFUSED):
            return batch


async def _step(tx: Transaction, id: UUID, today: date, chunk: int, clock: Clock) -> Batch | Refusal:
    """The next part of the work in one transaction, and the batch after it."""
    batch = await store.batch(tx, id)
    if batch is None:
        return Refusal(PaymentsRefusal.BATCH_NOT_FOUND, {"id": id})
    if batch.status in (BatchStatus.DONE, BatchStatus.REFUSED):
        return batch
    # The row is locked first: of two that run the same batch, one waits and then begins anew.
    await _change(tx, batch, batch.status)
    if batch.whole:
        return await _pay_whole(tx, batch, today, clock)
    if batch.one_debit and batch.status is BatchStatus.RECEIVED:
        refusal = await _fund(tx, batch, today, clock)
        return await _refuse(tx, batch, refusal) if refusal else await _change(tx, batch, BatchStatus.FUNDED)
    pending = await store.batch_lines(tx, id, status=LineStatus.PENDING, limit=chunk)
    if pending:
        await _write(tx, await _pay(tx, batch, pending, today, clock))
        return batch
    if batch.one_debit:
        await _give_back(tx, batch, today, clock)
    return await _change(tx, batch, BatchStatus.DONE)


async def _pay_whole(tx: Transaction, batch: Batch, today: date, clock: Clock) -> Batch:
    lines = await store.batch_lines(tx, batch.id, limit=LINES_MAX)
    refused = first_refused(lines)
    if refused is None:
        try:
            async with tx.savepoint():
                if batch.one_debit and (refusal := await _fund(tx, batch, today, clock)):
                    return await _refuse(tx, batch, refusal)
                lines = await _pay(tx, batch, lines, today, clock)
                refused = first_refused(lines)
                if refused is not None:
                    raise _Undo
                await _write(tx, lines)
                return await _change(tx, batch, BatchStatus.DONE)
        except _Undo:
            await _write(tx, [line for line in lines if line.status is LineStatus.REFUSED])
    assert refused is not None, "otherwise the batch is done"
    return await _refuse(tx, batch, Refusal(PaymentsRefusal.LINE_REFUSED, {"line": refused.number}))


async def _pay(tx: Transaction, batch: Batch, lines: Sequence[BatchLine], today: date, clock: Clock) -> list[BatchLine]:
    """The lines as they are then."""
    answers = await transfers(
        tx,
        [transfer_of(batch, line) for line in lines],
        today=today,
        manner=Manner(Origin.BATCH, batch.by),
        clock=clock,
        paid_out_of=SUSPENSE if batch.one_debit else None,
    )
    paid_minor = sum(answer.amount_minor for answer in answers if isinstance(answer, Payment))
    if batch.one_debit and paid_minor and not await take_off_suspense(tx, batch.id, paid_minor):
        raise Retry("the batch was run in the same moment")
    return [_answered(line, answer) for line, answer in zip(lines, answers, strict=True)]


async def _fund(tx: Transaction, batch: Batch, today: date, clock: Clock) -> Refusal | None:
    """The one debit: the whole amount leaves the payer's account for suspense, counted and allowed as one."""
    suspense = await own(tx, SUSPENSE, batch.asset, today)
    if isinstance(suspense, Refusal) or batch.total_minor == 0:
        return suspense if isinstance(suspense, Refusal) else None
    payer = (await payers_of(tx, {batch.debtor}, today))[batch.debtor]
    booking = Booking(
        _entry(batch, batch.debtor, suspense, batch.total_minor, today, FUNDED),
        await movements(tx, batch.debtor, None, batch.total_minor, batch.asset, batch.channel),
        Counted(payer, batch.asset, batch.channel, batch.total_minor),
    )
    refused = (await book(tx, [booking], today=today, clock=clock)).get(booking.entry.id)
    if refused is None:
        item = SuspenseItem(batch.id, SuspenseKind.BATCH, batch.total_minor, batch.asset, today)
        await put_on_suspense(tx, item)
    return refused


async def _give_back(tx: Transaction, batch: Batch, today: date, clock: Clock) -> None:
    """What was not paid comes back to the payer as one amount; what the account does not take stays on suspense."""
    left = batch.total_minor - await store.paid_minor(tx, batch.id)
    suspense = await own(tx, SUSPENSE, batch.asset, today)
    assert not isinstance(suspense, Refusal), "the one debit stands on it"
    if left > 0:
        entry = _entry(batch, suspense, batch.debtor, left, today, "left")
        if entry.id not in await book(tx, [Booking(entry)], today=today, clock=clock):
            await take_off_suspense(tx, batch.id, left)
            await give_back_allowance(tx, batch.debtor, further_id(batch.id, FUNDED), left)


def _entry(batch: Batch, debited: int, credited: int, amount_minor: int, today: date, step: str) -> Entry:
    legs = (Posting(debited, batch.asset, -amount_minor), Posting(credited, batch.asset, amount_minor))
    return Entry(further_id(batch.id, step), f"payment.batch_{step}", today, legs, details={"batch": str(batch.id)})


def _answered(line: BatchLine, answer: Payment | Refusal) -> BatchLine:
    if isinstance(answer, Refusal):
        return replace(line, status=LineStatus.REFUSED, reason=str(answer.code.value))
    return replace(line, status=LineStatus.PAID)


async def _refuse(tx: Transaction, batch: Batch, refusal: Refusal) -> Batch:
    return await _change(tx, batch, BatchStatus.REFUSED, str(refusal.code.value))


async def _change(tx: Transaction, batch: Batch, status: BatchStatus, reason: str | None = None) -> Batch:
    if not await store.change_batch(tx, batch, status, reason):
        raise Retry("the batch was run in the same moment")
    return replace(batch, status=status, reason=reason)


async def _write(tx: Transaction, lines: Sequence[BatchLine]) -> None:
    if not await store.change_lines(tx, lines):
        raise Retry("the lines were paid in the same moment")
