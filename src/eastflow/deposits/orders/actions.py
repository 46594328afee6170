"""The verbs of orders: place, end, and expire those whose day has come."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import partial
from uuid import UUID

from eastflow import ledger
from eastflow.kernel import Refusal
from eastflow.ledger import Hold, Release, Status
from eastflow.ledger.actions import change_status, post
from eastflow.storage import Clock, Database, Retry, Transaction, UniqueViolation, now

from .. import store
from ..books.actions import current, must
from ..day_end.runs.actions import Done, every
from ..decide import check_account, check_order, check_standing, derived_id, freezes_whole, to_hold
from ..freezes.actions import beneath, freeze
from ..model import Deposit, DepositStatus, Order
from ..refusals import DepositsRefusal

ACCOUNTS_PER_RUN = 1_000


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
    await _end(tx, order, today, clock)
    return await _answered(tx, found, id, today, clock)


async def expire_orders(database: Database, business_date: date, *, clock: Clock = now) -> Done:
    """End the orders whose day has come, and hold for those that have less than they ask for what has come in since.
    Each account is a transaction of its own, so it may be ended at any point and run again."""

    async def page(tx: Transaction, after: int) -> list[int]:
        return await store.orders_to_see_to(tx, business_date, after=after, limit=ACCOUNTS_PER_RUN)

    return await every(database, page, partial(_see_to, today=business_date, clock=clock))


async def _see_to(tx: Transaction, account: int, today: date, clock: Clock) -> None:
    found = await current(tx, account, today, clock=clock)
    assert found is not None, "an order stands on a contract"
    for order in await store.orders_of(tx, account):
        if order.ended_on is None and order.expires_on <= today:
            await _end(tx, order, order.expires_on, clock)
    await _apply(tx, found, today, clock)


async def _end(tx: Transaction, order: Order, on: date, clock: Clock) -> None:
    await post(tx, [Release(order.account, hold) for hold in order.holds], clock=clock)
    await store.update_order(tx, replace(order, held_minor=0, ended_on=on))


async def _answered(tx: Transaction, deposit: Deposit, id: UUID, today: date, clock: Clock) -> Order:
    await _apply(tx, deposit, today, clock)
    return next(order for order in await store.orders_of(tx, deposit.account) if order.id == id)


async def _apply(tx: Transaction, deposit: Deposit, today: date, clock: Clock) -> None:
    """Hold what can be held for the orders that stand, in their rank, and freeze the account where that is less than
    they ask for."""
    [known] = (await ledger.accounts(tx, [deposit.account])).values()
    if deposit.status is DepositStatus.CLOSED or known.status is Status.CLOSED:
        return
    under = await beneath(tx, deposit)
    # A frozen account takes no hold; it is open but for this transaction.
    await must(change_status(tx, deposit.account, Status.OPEN, clock=clock))
    standing = [order for order in await store.orders_of(tx, deposit.account) if order.ended_on is None]
    balance = await ledger.balance(tx, deposit.account)
    assert balance is not None, "a contract stands on an account"
    # What an overdraft would lend is not the customer's money.
    own = balance.posted_minor - balance.held_minor - max(0, balance.floor_minor or 0)
    for order, more in to_hold(standing, own):
        hold = derived_id(order.id.bytes, f"hold:{len(order.holds)}", today)
        [outcome] = await post(tx, [Hold(hold, order.account, deposit.asset, more)], clock=clock)
        if isinstance(outcome, Refusal):
            raise Retry("money left in the same moment")
        held = replace(order, held_minor=order.held_minor + more, holds=(*order.holds, hold))
        await store.update_order(tx, held)
        standing[standing.index(order)] = held
    await freeze(tx, deposit.account, under, ordered=freezes_whole(standing), clock=clock)


def _told(order: Order) -> tuple[object, ...]:
    return order.account, order.authority, order.amount_minor, order.expires_on
