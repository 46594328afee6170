"""The verbs of standing orders: set up, cancelled, and run through on a business date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from eastflow.kernel import Refusal
from eastflow.storage import Clock, Database, Retry, Transaction, UniqueViolation, now

from ..decide import Manner, check_limit, limits_for, own_account, with_default
from ..model import Limit, Origin, Transfer
from ..refusals import PaymentsRefusal
from ..store import limits, schemes
from ..transfers.actions import check_customers, check_payee, check_payer, payers_of, taken_uetr, transfers
from . import store
from .decide import begun, check_day, check_order, order_of, paid, refused, slots_of, transfer_of
from .model import Occurrence, OccurrenceOutcome, OrderStatus, Run, StandingOrder

BATCH_ORDERS = 500


async def set_up_order(
    tx: Transaction, order: StandingOrder, *, today: date, by: str, clock: Clock = now
) -> StandingOrder | Refusal:
    """Have the bank pay again and again, from today on at the earliest. The same again answers with the order."""
    [answer] = await set_up_orders(tx, [order], today=today, by=by, clock=clock)
    return answer


async def schedule_transfer(
    tx: Transaction, asked: Transfer, on: date, *, today: date, by: str, clock: Clock = now
) -> StandingOrder | Refusal:
    """Pay on a day to come, by an order of one time: it can be cancelled until then, is held against the payer's limits
    now, and is paid at the end of its day if the money is there. The same again answers with the order as it is now."""
    if refusal := check_day(on, today):
        return refusal
    order = order_of(asked, on)
    known = await store.standing_order(tx, order.id)
    if known is None and (refusal := check_order(order) or await check_payer(tx, asked) or await taken_uetr(tx, asked)):
        return refusal
    if known is None and not asked.payee_confirmed and (refusal := await check_payee(tx, asked.creditor)):
        return refusal
    return await set_up_order(tx, order, today=today, by=by, clock=clock)


async def set_up_orders(
    tx: Transaction, orders: Sequence[StandingOrder], *, today: date, by: str, clock: Clock = now
) -> list[StandingOrder | Refusal]:
    """Thousands at once, each by itself; their ids differ. One that is more than its payer may pay away in a day is
    refused here: once it is set up, it is paid by itself."""
    known = await store.standing_orders(tx, [order.id for order in orders])
    ways, bounds = with_default(await schemes(tx)), await limits(tx)
    debtors = {order.debtor for order in orders if order.id not in known and check_order(order) is None}
    payers = await payers_of(tx, debtors, today) if bounds else {}
    answers: list[StandingOrder | Refusal] = []
    fresh: list[StandingOrder] = []
    for order in orders:
        answer = (
            check_order(order)
            or check_customers(order.debtor, own_account(order.creditor))
            or _known(order, known.get(order.id))
        )
        if answer is None and order.creditor.bank is not None and order.scheme not in ways:
            answer = Refusal(PaymentsRefusal.SCHEME_NOT_FOUND, {"scheme": order.scheme})
        if answer is None and order.first_on < today:
            answer = Refusal(PaymentsRefusal.SCHEDULE_MALFORMED, {"field": "first_on"})
        if answer is None and bounds:
            answer = _over_limit(order, payers[order.debtor], bounds)
        if answer is None:
            answer = begun(order)
            fresh.append(answer)
        answers.append(answer)
    try:
        await store.insert_orders(tx, fresh, by, clock())
    except UniqueViolation as rival:
        raise Retry("an order was set up in the same moment") from rival
    return answers


async def cancel_order(tx: Transaction, id: UUID) -> StandingOrder | Refusal:
    """Pay no more of it. Cancelling again, or what has ended, changes nothing."""
    order = await store.standing_order(tx, id)
    if order is None:
        return Refusal(PaymentsRefusal.ORDER_NOT_FOUND, {"id": id})
    if order.status is not OrderStatus.ACTIVE:
        return order
    cancelled = replace(order, status=OrderStatus.CANCELLED, due_on=None, attempt_on=None)
    if not await store.change_orders(tx, [(order, cancelled)]):
        raise Retry("the order was paid in the same moment")
    return cancelled


async def run_standing_orders(
    database: Database,
    business_date: date,
    *,
    partition: int = 0,
    partitions: int = 1,
    batch: int = BATCH_ORDERS,
    clock: Clock = now,
) -> Run:
    """Pay what is due on a business date or was due before. Partitions may run at once.

    Each batch is whole or absent, and an order's next day moves on with the payment: stopped at any point, run it
    again; run again, it pays nothing twice.
    """
    slots, total = slots_of(partition, partitions), Run()
    while True:
        done = await database.run(lambda tx: _pay_due(tx, slots, business_date, batch, clock))
        if done is None:
            return total
        total += done


async def _pay_due(tx: Transaction, slots: Sequence[int], today: date, batch: int, clock: Clock) -> Run | None:
    """None when nothing is due."""
    due = await store.due(tx, slots, today, batch)
    if not due:
        return None
    manner = Manner(Origin.STANDING_ORDER, "standing orders")
    asked = [transfer_of(order) for order in due]
    answers = await transfers(tx, asked, today=today, manner=manner, clock=clock)
    changes: list[tuple[StandingOrder, StandingOrder]] = []
    done: list[Occurrence] = []
    for order, answer in zip(due, answers, strict=True):
        after, occurrence = refused(order, answer, today) if isinstance(answer, Refusal) else paid(order, today)
        changes.append((order, after))
        if occurrence is not None:
            done.append(occurrence)
    try:
        await store.insert_occurrences(tx, done)
    except UniqueViolation as rival:
        raise Retry("the orders were run in the same moment") from rival
    if not await store.change_orders(tx, changes):
        raise Retry("an order changed in the same moment")
    paid_count = sum(each.outcome is OccurrenceOutcome.PAID for each in done)
    return Run(paid_count, len(due) - len(done), len(done) - paid_count)


def _over_limit(order: StandingOrder, payer: str, bounds: Sequence[Limit]) -> Refusal | None:
    for _, limit in limits_for(bounds, payer, order.asset, order.channel.value):
        if refusal := check_limit(limit, order.amount_minor, 0):
            return refusal
    return None


def _known(order: StandingOrder, known: StandingOrder | None) -> StandingOrder | Refusal | None:
    if known is None:
        return None
    return known if known == order else Refusal(PaymentsRefusal.ID_REUSED, {"id": order.id})
