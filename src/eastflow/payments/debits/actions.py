"""The verbs of direct debits: a mandate given and cancelled, a collection asked for, refused, run and refunded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from eastflow.kernel import Refusal
from eastflow.storage import Clock, Database, Retry, Transaction, UniqueViolation, now

from .. import store as payments
from ..decide import REASON_NOT_SPECIFIED, Day, changed, check_reason, further_id, own_account, payment_entry
from ..decide import conflict as payment_conflict
from ..interbank.actions import change, credit, give_allowance_back, move, queue
from ..model import Direction, Origin, OutgoingKind, Payment, PaymentStatus
from ..orders.decide import slots_of
from ..orders.model import Run
from ..refusals import PaymentsRefusal
from ..suspense.model import SuspenseItem, SuspenseKind
from ..suspense.store import put_on_suspense, take_off_suspense
from ..transfers.actions import CLEARING, SUSPENSE, Booking, book, check_customers, own, transfers
from . import store
from .decide import (
    BY_THE_PAYER,
    MANNER,
    asked_payment,
    check_collection,
    check_mandate,
    collected,
    collection_period,
    conflict,
    decide_collection,
    decide_incoming,
    decide_refund,
    payment_of,
    reason_of_refusal,
    refused,
    rejected_payment,
    transfer_of,
)
from .model import Collection, CollectionStatus, IncomingCollection, Mandate, MandateStatus

BATCH_COLLECTIONS = 500
REFUND_ASKED = "MD06"
"""Refund asked for by the payer. Recalled, not checked against ISO 20022's external list."""


async def give_mandate(tx: Transaction, mandate: Mandate, *, by: str, clock: Clock = now) -> Mandate | Refusal:
    """Let a payee collect. The same again answers with the mandate as it is now."""
    if refusal := check_mandate(mandate) or check_customers(mandate.debtor, mandate.creditor):
        return refusal
    known = await store.mandate(tx, mandate.id)
    if known is not None:
        return known if known == mandate else Refusal(PaymentsRefusal.ID_REUSED, {"id": mandate.id})
    if mandate.outside and (other := await store.mandate_of(tx, mandate.outside.creditor_id, mandate.reference)):
        return Refusal(PaymentsRefusal.ID_REUSED, {"id": other.id})
    fresh = replace(mandate, status=MandateStatus.ACTIVE)
    try:
        await store.insert_mandate(tx, fresh, by, clock())
    except UniqueViolation as rival:
        raise Retry("the mandate was given in the same moment") from rival
    return fresh


async def cancel_mandate(tx: Transaction, id: UUID, *, today: date, clock: Clock = now) -> Mandate | Refusal:
    """Let nothing more be collected: what waits for its day is refused then, and what has not left for another bank
    at once. Again, it changes nothing."""
    known = await store.mandate(tx, id)
    if known is None:
        return Refusal(PaymentsRefusal.MANDATE_NOT_FOUND, {"id": id})
    await store.cancel_mandate(tx, id)
    for each in await store.collections(tx, id):
        if each.status is CollectionStatus.ASKED:
            await _take_out(tx, each, today, clock())
    return replace(known, status=MandateStatus.CANCELLED)


async def collect(
    tx: Transaction, asked: Collection, *, today: date, by: str, clock: Clock = now
) -> Collection | Refusal:
    """Ask for a collection: it waits for its day, in the queue to other banks if the debtor is at one. The same again
    answers with it as it is now. A creditor at another bank collects by that bank: here, its mandate is not found."""
    mandate = await store.locked_mandate(tx, asked.mandate)
    return await _ask(tx, asked, None if mandate is None or mandate.creditor is None else mandate, today, by, clock)


async def receive_collection(
    tx: Transaction, told: IncomingCollection, *, today: date, clock: Clock = now
) -> Collection | Refusal:
    """Another bank collects for its customer. What is due today is taken at once, or refused; what is due later waits
    for its day, and its creditor's bank is told then what became of it. The same again answers with it as it is now."""
    mandate = await store.mandate_of(tx, told.creditor_id, told.reference)
    asked = decide_incoming(told, mandate)
    if isinstance(asked, Refusal):
        return asked
    assert mandate is not None, "nothing is decided without one"
    mandate = await store.locked_mandate(tx, mandate.id)
    assert mandate is not None, "a mandate is never removed"
    waiting = await _ask(tx, asked, mandate, today, told.creditor.bank or "", clock)
    if isinstance(waiting, Refusal) or waiting.status is not CollectionStatus.REQUESTED or waiting.due_on > today:
        return waiting
    [done] = await _take(tx, [waiting], {mandate.id: mandate}, today, clock)
    return done


async def _ask(
    tx: Transaction, asked: Collection, mandate: Mandate | None, today: date, by: str, clock: Clock
) -> Collection | Refusal:
    if refusal := check_collection(asked):
        return refusal
    others = await store.collections(tx, asked.mandate)
    decided = decide_collection(asked, mandate, others, today)
    if isinstance(decided, Refusal) or any(known.id == asked.id for known in others):
        return decided
    assert mandate is not None, "nothing is decided without one"
    status = CollectionStatus.ASKED if mandate.debtor is None else CollectionStatus.REQUESTED
    fresh = replace(decided, status=status, reason=None, done_on=None)
    period, at = collection_period(mandate, fresh), clock()
    try:
        if mandate.debtor is not None:
            await store.insert_collection(tx, fresh, period, by)
            return fresh
        payment = asked_payment(mandate, fresh, Day(today, at))
        await store.insert_collection(tx, fresh, period, by, payment=payment.id)
        await payments.insert_payments(tx, [payment])
    except UniqueViolation as rival:
        raise Retry("a collection was asked for in the same moment") from rival
    await queue(tx, OutgoingKind.COLLECTION, payment, None, fresh.due_on, at)
    return fresh


async def refuse_collection(
    tx: Transaction, mandate: UUID, id: UUID, *, today: date, clock: Clock = now
) -> Collection | Refusal:
    """The payer will not have it collected: possible until its day is run. Again, it changes nothing."""
    given, known = await store.mandate(tx, mandate), await store.collection(tx, mandate, id)
    if given is None or known is None:
        return Refusal(PaymentsRefusal.COLLECTION_NOT_FOUND, {"id": id})
    if known.status is CollectionStatus.REFUSED:
        return known
    if known.status is not CollectionStatus.REQUESTED:
        return conflict(known)
    after = refused(known, BY_THE_PAYER, today)
    await _change(tx, known, after)
    await _tell(tx, given, after, today, clock)
    return after


async def refund_collection(
    tx: Transaction, mandate: UUID, id: UUID, *, today: date, clock: Clock = now
) -> Collection | Refusal:
    """The payer has a collection back, taken from the creditor's account; of a creditor elsewhere from clearing, and a
    return waits in the queue. What the ledger refuses is told. Again, it changes nothing."""
    given, known = await store.mandate(tx, mandate), await store.collection(tx, mandate, id)
    if given is None or known is None or given.debtor is None:
        # A debtor elsewhere has it back by the bank that it has.
        return Refusal(PaymentsRefusal.COLLECTION_NOT_FOUND, {"id": id})
    after = decide_refund(given, known, today)
    if isinstance(after, Refusal) or after.status is known.status:
        return after
    paid = await _paid(tx, known)
    source = given.creditor or await own(tx, CLEARING, given.asset, today)
    if isinstance(source, Refusal):
        return source
    entry = payment_entry(paid, source, given.debtor, today, step="refunded")
    # The payer's money comes back, which is no new movement: no allowance is asked for it.
    refusals = await book(tx, [Booking(entry)], today=today, clock=clock)
    if entry.id in refusals:
        return refusals[entry.id]
    returned, at = changed(paid, PaymentStatus.RETURNED, REFUND_ASKED), clock()
    if not await payments.change_payment(tx, paid, returned, at):
        raise Retry("the payment changed in the same moment")
    await give_allowance_back(tx, given.debtor, returned)
    if given.creditor is None:
        await queue(tx, OutgoingKind.RETURN, returned, REFUND_ASKED, today, at)
    await _change(tx, known, after)
    return after


async def apply_collection_status(
    tx: Transaction, uetr: UUID, status: PaymentStatus, reason: str | None = None, *, today: date, clock: Clock = now
) -> Collection | Refusal:
    """What the debtor's bank says of a collection of ours: `settled`, and the creditor has the money, or suspense if
    its account does not take it; `rejected` for `reason`; `sent`, which changes nothing. Again, it changes nothing."""
    if refusal := check_reason(reason):
        return refusal
    found = await _of_uetr(tx, uetr)
    if isinstance(found, Refusal):
        return found
    paid, known = found
    if status in (PaymentStatus.SENT, paid.status):
        return known
    if paid.status is not PaymentStatus.SENT:
        return payment_conflict(paid)
    if status is PaymentStatus.REJECTED:
        after = refused(known, reason or REASON_NOT_SPECIFIED, today)
        await change(tx, paid, changed(paid, status, after.reason), clock())
    else:
        after = collected(known, today)
        in_suspense = await credit(tx, paid, today, clock) is not None
        if in_suspense:
            if stood := await move(tx, paid, CLEARING, SUSPENSE, "", today, clock):
                return stood
            await put_on_suspense(tx, _item(paid, today))
        await change(tx, paid, replace(changed(paid, status), in_suspense=in_suspense), clock())
    await _change(tx, known, after)
    return after


async def return_collection(
    tx: Transaction, uetr: UUID, amount_minor: int, asset: str, reason: str, *, today: date, clock: Clock = now
) -> Collection | Refusal:
    """The debtor's bank has back what we collected: from the creditor's account, so that what the ledger refuses is
    told, or from suspense if it stands there; nothing moves if we were not told yet that it is settled. Again, it
    changes nothing."""
    if refusal := check_reason(reason):
        return refusal
    found = await _of_uetr(tx, uetr)
    if isinstance(found, Refusal):
        return found
    paid, known = found
    if (amount_minor, asset) != (paid.amount_minor, paid.asset):
        facts = {"amount_minor": amount_minor, "asset": asset, "paid_minor": paid.amount_minor}
        return Refusal(PaymentsRefusal.AMOUNT_DIFFERS, facts)
    if (paid.status, paid.reason) == (PaymentStatus.RETURNED, reason):
        return known
    if paid.status not in (PaymentStatus.SENT, PaymentStatus.SETTLED):
        return payment_conflict(paid)
    if paid.status is PaymentStatus.SETTLED and (refusal := await _take_back(tx, paid, today, clock)):
        return refusal
    returned = replace(changed(paid, PaymentStatus.RETURNED, reason), in_suspense=False)
    await change(tx, paid, returned, clock())
    after = replace(known, status=CollectionStatus.REFUNDED, done_on=today)
    await _change(tx, known, after)
    return after


async def run_direct_debits(
    database: Database,
    business_date: date,
    *,
    partition: int = 0,
    partitions: int = 1,
    batch: int = BATCH_COLLECTIONS,
    clock: Clock = now,
) -> Run:
    """Collect what is due on a business date or was due before. Partitions may run at once.

    Each batch is whole or absent: stopped at any point, run it again; run again, it collects nothing twice.
    """
    slots, total = slots_of(partition, partitions), Run()
    while True:
        done = await database.run(lambda tx: _collect_due(tx, slots, business_date, batch, clock))
        if done is None:
            return total
        total += done


async def _collect_due(tx: Transaction, slots: Sequence[int], today: date, batch: int, clock: Clock) -> Run | None:
    """None when nothing is due."""
    due = await store.due(tx, slots, today, batch)
    if not due:
        return None
    given = await store.mandates(tx, [each.mandate for each in due])
    done = await _take(tx, due, given, today, clock)
    for each in done:
        await _tell(tx, given[each.mandate], each, today, clock)
    paid = sum(each.status is CollectionStatus.COLLECTED for each in done)
    return Run(paid=paid, refused=len(due) - paid)


async def _take(
    tx: Transaction, due: Sequence[Collection], given: Mapping[UUID, Mandate], today: date, clock: Clock
) -> list[Collection]:
    """What becomes of each on its day. `given` are their mandates."""
    standing = [each for each in due if given[each.mandate].status is MandateStatus.ACTIVE]
    asked = [transfer_of(given[each.mandate], each) for each in standing]
    answers = {
        answer_to.id: answer
        for answer_to, answer in zip(
            standing, await transfers(tx, asked, today=today, manner=MANNER, clock=clock), strict=True
        )
    }
    cancelled = Refusal(PaymentsRefusal.MANDATE_CANCELLED)
    done = []
    for each in due:
        answer = answers.get(each.id, cancelled)
        after = refused(each, str(answer.code.value), today) if isinstance(answer, Refusal) else collected(each, today)
        await _change(tx, each, after)
        done.append(after)
    return done


async def _tell(tx: Transaction, given: Mandate, done: Collection, today: date, clock: Clock) -> None:
    """The creditor's bank, where it is another, what became of a collection that it was told waits."""
    if given.creditor is not None:
        return
    at = clock()
    if done.status is CollectionStatus.REFUSED:
        paid = rejected_payment(given, done, Day(today, at))
        try:
            await payments.insert_payments(tx, [paid])
        except UniqueViolation as rival:
            raise Retry("the collection was refused in the same moment") from rival
    else:
        paid = await _paid(tx, done)
    await queue(tx, OutgoingKind.COLLECTION_ANSWER, paid, paid.reason, today, at)


async def _paid(tx: Transaction, done: Collection) -> Payment:
    found = await payments.payment(tx, payment_of(done))
    assert found is not None, "what was collected has a payment"
    return found


async def _change(tx: Transaction, before: Collection, after: Collection) -> None:
    if not await store.change_collection(tx, before, after):
        raise Retry("the collection changed in the same moment")


async def _of_uetr(tx: Transaction, uetr: UUID) -> tuple[Payment, Collection] | Refusal:
    """What we collect of a debtor elsewhere."""
    for paid in await payments.payments_of_uetr(tx, uetr):
        if (paid.direction, paid.origin) == (Direction.INCOMING, Origin.DIRECT_DEBIT):
            known = await store.collection_of(tx, paid.id)
            assert known is not None, "it was made with its collection"
            return paid, known
    return Refusal(PaymentsRefusal.PAYMENT_NOT_FOUND, {"uetr": uetr})


async def _take_back(tx: Transaction, paid: Payment, today: date, clock: Clock) -> Refusal | None:
    account = paid.cleared_to or own_account(paid.creditor)
    assert account is not None, "the creditor of what we collect is a customer of this bank"
    # It is no new movement: no allowance is asked for it.
    source = SUSPENSE if paid.in_suspense else account
    refusal = await move(tx, paid, source, CLEARING, "returned", today, clock)
    if refusal is None and paid.in_suspense and not await take_off_suspense(tx, paid.id, paid.amount_minor):
        raise Retry("it was moved in the same moment")
    return refusal


async def _take_out(tx: Transaction, asked: Collection, today: date, at: datetime) -> None:
    """Of the queue to other banks, unless it was sent."""
    paid = await _paid(tx, asked)
    if not await payments.take_out(tx, further_id(paid.id, OutgoingKind.COLLECTION.value)):
        return
    after = refused(asked, PaymentsRefusal.MANDATE_CANCELLED.value, today)
    await change(tx, paid, changed(paid, PaymentStatus.REJECTED, reason_of_refusal(after)), at)
    await _change(tx, asked, after)


def _item(paid: Payment, today: date) -> SuspenseItem:
    return SuspenseItem(paid.id, SuspenseKind.COLLECTED, paid.amount_minor, paid.asset, today)
