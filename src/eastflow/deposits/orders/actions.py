"""The verbs of orders: place, and end before its day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

from eastflow.kernel import Refusal
from eastflow.storage import Clock, Retry, Transaction, UniqueViolation, now

from .. import store
from ..books.actions import current
from ..claims.actions import keep_claims, let_go
from ..decide import check_account, check_order, check_standing
from ..model import Deposit, Order
from ..refusals import DepositsRefusal


async def place_order(tx: Transaction, new: Order, *, today: date, clock: Clock = now) -> Order | Refusal:
    """Freeze an amount or the whole account, ranked after the orders that stand. `id` is chosen by the caller: the same
    order again answers with it as it is now. `rank`, `placed_on` and what is held are given by the bank."""
    if refusal := check_order(new, today):
        return refusal
    found = await current(tx, new.account, today, clock=clock)
    if refusal := check_standing(found, new.account, leaves=False):
        return refusal
    assert found is not None, "checked"
    orders = await store.orders_of(tx, new.account)
    if existing := next((order for order in orders if order.id == new.id), None):
        same = _told(existing) == _told(new)
        return existing if same else Refusal(DepositsRefusal.REQUEST_ID_REUSED, {"id": new.id})
    ranked = replace(new, rank=len(orders) + 1, placed_on=today, held_minor=0, holds=(), ended_on=None)
    try:
        await store.insert_order(tx, ranked)
    except UniqueViolation as rival:
        raise Retry("another order was placed in the same moment") from rival
    return await _answered(tx, found, new.id, today, clock)


async def end_order(tx: Transaction, account: int, id: UUID, *, today: date, clock: Clock = now) -> Order | Refusal:
    """The court lets go. Ending it again changes nothing; later orders then have what it leaves."""
    if refusal := check_account(account):
        return refusal
    found = await current(tx, account, today, clock=clock)
    orders = await store.orders_of(tx, account)
    order = next((order for order in orders if order.id == id), None)
    if found is None or order is None:
        return Refusal(DepositsRefusal.ORDER_NOT_FOUND, {"account": account, "id": id})
    if order.ended_on is not None:
        return order
    await let_go(tx, replace(order, ended_on=today), clock)
    return await _answered(tx, found, id, today, clock)


async def _answered(tx: Transaction, deposit: Deposit, id: UUID, today: date, clock: Clock) -> Order:
    await keep_claims(tx, deposit, today, clock)
    return next(order for order in await store.orders_of(tx, deposit.account) if order.id == id)


def _told(order: Order) -> tuple[object, ...]:
    return order.account, order.authority, order.amount_minor, order.expires_on
