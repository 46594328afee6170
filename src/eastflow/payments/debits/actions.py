"""The verbs of direct debits: a mandate given and cancelled, a collection asked for, refused, run and refunded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from eastflow.kernel import Refusal
from eastflow.storage import Clock, Database, Retry, Transaction, UniqueViolation, now

from .. import store as payments
from ..decide import Manner, changed, payment_entry
from ..model import Origin, PaymentStatus
from ..orders.decide import slots_of
from ..orders.model import Run
from ..refusals import PaymentsRefusal
from ..transfers.actions import Booking, book, transfers
from . import store
from .decide import (
    BY_THE_PAYER,
    check_collection,
    check_mandate,
    collected,
    collection_period,
    conflict,
    decide_collection,
    decide_refund,
    payment_of,
    refused,
    transfer_of,
)
from .model import Collection, CollectionStatus, Mandate, MandateStatus

BATCH_COLLECTIONS = 500
REFUND_ASKED = "MD06"
"""Refund asked for by the payer. Recalled, not checked against ISO 20022's external list."""


async def give_mandate(tx: Transaction, mandate: Mandate, *, by: str, clock: Clock = now) -> Mandate | Refusal:
    """Let a payee collect. The same again answers with the mandate as it is now."""
    if refusal := check_mandate(mandate):
        return refusal
    known = await store.mandate(tx, mandate.id)
    if known is not None:
        return known if known == mandate else Refusal(PaymentsRefusal.ID_REUSED, {"id": mandate.id})
    fresh = replace(mandate, status=MandateStatus.ACTIVE)
    try:
        await store.insert_mandate(tx, fresh, by, clock())
    except UniqueViolation as rival:
        raise Retry("the mandate was given in the same moment") from rival
    return fresh


async def cancel_mandate(tx: Transaction, id: UUID) -> Mandate | Refusal:
    """Let nothing more be collected; what waits for its day is refused then. Again, it changes nothing."""
    known = await store.mandate(tx, id)
    if known is None:
        return Refusal(PaymentsRefusal.MANDATE_NOT_FOUND, {"id": id})
    await store.cancel_mandate(tx, id)
    return replace(known, status=MandateStatus.CANCELLED)


async def collect(tx: Transaction, asked: Collection, *, today: date, by: str) -> Collection | Refusal:
    """Ask for a collection: it waits for its day. The same again answers with it as it is now."""
    if refusal := check_collection(asked):
        return refusal
    mandate = await store.mandate(tx, asked.mandate)
    others = await store.collections(tx, asked.mandate)
    decided = decide_collection(asked, mandate, others, today)
    if isinstance(decided, Refusal) or any(known.id == asked.id for known in others):
        return decided
    assert mandate is not None, "nothing is decided without one"
    fresh = replace(decided, status=CollectionStatus.REQUESTED, reason=None, done_on=None)
    try:
        await store.insert_collection(tx, fresh, collection_period(mandate, fresh), by)
    except UniqueViolation as rival:
        raise Retry("a collection was asked for in the same moment") from rival
    return fresh


async def refuse_collection(tx: Transaction, mandate: UUID, id: UUID, *, today: date) -> Collection | Refusal:
    """The payer will not have it collected: possible until its day is run. Again, it changes nothing."""
    known = await store.collection(tx, mandate, id)
    if known is None:
        return Refusal(PaymentsRefusal.COLLECTION_NOT_FOUND, {"id": id})
    if known.status is CollectionStatus.REFUSED:
        return known
    if known.status is not CollectionStatus.REQUESTED:
        return conflict(known)
    after = refused(known, BY_THE_PAYER, today)
    await _change(tx, known, after)
    return after


async def refund_collection(
    tx: Transaction, mandate: UUID, id: UUID, *, today: date, clock: Clock = now
) -> Collection | Refusal:
    """The payer has a collection back: taken from the creditor's account, so that what the ledger refuses is told.
    Again, it changes nothing."""
    given, known = await store.mandate(tx, mandate), await store.collection(tx, mandate, id)
    if given is None or known is None:
        return Refusal(PaymentsRefusal.COLLECTION_NOT_FOUND, {"id": id})
    after = decide_refund(given, known, today)
    if isinstance(after, Refusal) or after.status is known.status:
        return after
    paid = await payments.payment(tx, payment_of(known))
    assert paid is not None, "what was collected has a payment"
    entry = payment_entry(paid, given.creditor, given.debtor, today, step="refunded")
    # The payer's money comes back, which is no new movement: no allowance is asked for it.
    refusals = await book(tx, [Booking(entry)], today=today, clock=clock)
    if entry.id in refusals:
        return refusals[entry.id]
    if not await payments.change_payment(tx, paid, changed(paid, PaymentStatus.RETURNED, REFUND_ASKED), clock()):
        raise Retry("the payment changed in the same moment")
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
    standing = [each for each in due if given[each.mandate].status is MandateStatus.ACTIVE]
    manner = Manner(Origin.DIRECT_DEBIT, "direct debits")
    asked = [transfer_of(given[each.mandate], each) for each in standing]
    answers = {
        answer_to.id: answer
        for answer_to, answer in zip(
            standing, await transfers(tx, asked, today=today, manner=manner, clock=clock), strict=True
        )
    }
    cancelled = Refusal(PaymentsRefusal.MANDATE_CANCELLED)
    paid = 0
    for each in due:
        answer = answers.get(each.id, cancelled)
        declined = isinstance(answer, Refusal)
        after = refused(each, str(answer.code.value), today) if isinstance(answer, Refusal) else collected(each, today)
        await _change(tx, each, after)
        paid += not declined
    return Run(paid=paid, refused=len(due) - paid)


async def _change(tx: Transaction, before: Collection, after: Collection) -> None:
    if not await store.change_collection(tx, before, after):
        raise Retry("the collection changed in the same moment")
