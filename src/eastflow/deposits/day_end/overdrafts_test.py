"""What overdrafts cost, at the day's end: in columns, by themselves where there is no room, under orders of a court."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from eastflow.customers import Channel
from eastflow.kernel import Refusal
from eastflow.ledger import EntryFilter, LedgerRefusal, Side, search, verify
from eastflow.ledger.actions import internal_account
from eastflow.products import ProductsRefusal
from eastflow.storage import Transaction

from .. import Executed, Order, actions
from ..conftest import DEMAND, World, credited
from ..store import corrections
from . import actions as day_end
from .runs import actions as runs

SETTLED_ON = date(2026, 1, 21)
# 36 % a year of 10,000.00 is 10.00 a day.
OVERDRAFT: Mapping[str, Any] = {
    **DEMAND, "code": "overdraft", "name": "Overdraft",
    "overdraft": {
        "limit_minor": 1_000_000, "rates": {"changes": [{"since": "2020-01-01", "tiers": [{"percent": "36"}]}]},
    },
}  # fmt: skip


async def taken(world: World, account: int) -> list[int]:
    """What was taken for overdrafts at once, and in later corrections."""
    async with world.database.reading() as tx:
        found = [
            entry
            for kind in ("overdraft_interest", "overdraft_interest_correction")
            for entry in (await search(tx, EntryFilter(account=account, kind=kind), limit=20)).entries
        ]
    return [entry.amounts_minor[entry.accounts.index(account)] for entry in found]


async def owed(world: World, account: int) -> list[int]:
    async with world.database.reading() as tx:
        return [one.amount_minor for one in await corrections(tx, account) if not one.booked]


async def test_many_are_settled_in_columns(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """In credit, overdrawn and both, with other accounts beside them; none is looked at by itself."""
    await world.start(OVERDRAFT, DEMAND)
    rich = (await world.open("overdraft", 1_000_000)).deposit.account
    plain = (await world.open("demand", 1_000_000)).deposit.account
    drawn, both = [(await world.open("overdraft")).deposit.account for _ in range(2)]
    await world.move(drawn, -900_000)
    world.day = date(2026, 1, 11)
    await world.move(both, -100_000, date(2026, 1, 9))
    await world.move(both, 300_000)

    async def nobody(*_: object, **__: object) -> None:
        raise AssertionError("one by one")

    monkeypatch.setattr(day_end, "due", nobody)
    monkeypatch.setattr(runs, "ACCOUNTS_PER_BATCH", 3)
    assert await world.end_day(date(2026, 1, 11)) == []
    assert await world.end_day(SETTLED_ON) == []
    earned = credited((16, 1_000_000, 150))
    assert [await world.posted(account) for account in (rich, plain)] == [1_000_000 + earned] * 2
    # 16 days of 9.00; 2 days of 1.00, then 10 of 2,000.00 in credit at 1.5 %.
    assert (await world.posted(drawn), await taken(world, drawn)) == (-914_400, [-14_400])
    assert (await world.posted(both), await taken(world, both)) == (200_000 + 83 - 200, [-200])
    income = await world.database.run(
        lambda tx: internal_account(tx, "income:overdraft_interest", "CNY", Side.CREDIT, today=lambda: world.day)
    )
    assert isinstance(income, int)
    assert await world.posted(income) == 14_600
    async with world.database.reading() as tx:
        assert (await verify(tx)).proved


async def test_what_has_no_room_is_owed_and_taken_as_soon_as_there_is_money(world: World) -> None:
    await world.start(OVERDRAFT)
    account = (await world.open("overdraft")).deposit.account
    await world.move(account, -990_000)
    assert await world.end_day(SETTLED_ON) == []
    # 16 days of 9.90; there was room for 100.00.
    assert (await world.posted(account), await owed(world, account)) == (-1_000_000, [-5_840])
    assert await world.end_day(date(2026, 1, 22)) == []
    await world.move(account, 5_839)
    assert await world.end_day(date(2026, 1, 23)) == []
    assert (await world.posted(account), await owed(world, account)) == (-994_161, [-5_840])
    await world.move(account, 1)
    assert await world.end_day(date(2026, 1, 24)) == []
    assert (await world.posted(account), await owed(world, account)) == (-1_000_000, [])
    assert sorted(await taken(world, account)) == [-10_000, -5_840]
    # It is valued on the settlement date, and the days since cost what they would have cost.
    await world.move(account, 1_000_000)
    assert await world.end_day(date(2026, 2, 21)) == []
    # 2 days of 1,005,840, one of 1,000,001 and one of 1,000,000.
    assert await world.posted(account) == -4_012


async def test_an_order_holds_no_overdraft_and_what_it_freezes_pays_later(world: World) -> None:
    await world.start(OVERDRAFT)
    account = (await world.open("overdraft", 500)).deposit.account
    await world.move(account, -600_500)
    order = Order(uuid4(), account, "Court", 1_000, date(2026, 3, 1), world.day)
    placed = await world.database.run(lambda tx: actions.place_order(tx, order, today=world.day, clock=world.clock))
    assert isinstance(placed, Order), placed
    assert placed.held_minor == 0
    assert await world.end_day(SETTLED_ON) == []
    assert (await world.posted(account), await owed(world, account)) == (-600_000, [-9_600])
    await world.database.run(lambda tx: actions.end_order(tx, account, order.id, today=world.day, clock=world.clock))
    assert await world.end_day(date(2026, 1, 22)) == []
    assert (await world.posted(account), await owed(world, account)) == (-609_600, [])


async def close(world: World, account: int) -> Executed | Refusal:
    return await world.database.run(
        lambda tx: actions.close(
            tx, uuid4(), account, world.cash, today=world.day, channel=Channel.BRANCH, by="teller", clock=world.clock
        )
    )


async def test_nothing_is_closed_while_something_is_owed(world: World) -> None:
    await world.start(OVERDRAFT)
    account = (await world.open("overdraft")).deposit.account
    await world.move(account, -1_000_000)
    assert await world.end_day(SETTLED_ON) == []
    assert await owed(world, account) == [-16_000]
    # Of the last day, 10.16 are to be paid too.
    for paid_minor in (1, 999_999, 16_000):
        await world.move(account, paid_minor)
        refused = await close(world, account)
        assert isinstance(refused, Refusal)
        assert refused.code is ProductsRefusal.BALANCE_INSUFFICIENT
        assert await owed(world, account) == [-16_000]
    await world.move(account, 1_016 + 7)
    closed = await close(world, account)
    assert isinstance(closed, Executed), closed
    assert (await world.posted(account), await owed(world, account)) == (0, [])
    assert sorted(await taken(world, account)) == [-16_000, -1_016]


async def test_money_goes_out_to_the_limit_and_no_further(world: World) -> None:
    await world.start(OVERDRAFT)
    account = (await world.open("overdraft", 1_000)).deposit.account

    async def out(tx: Transaction, amount_minor: int) -> Executed | Refusal:
        return await actions.pay_out(
            tx, uuid4(), account, amount_minor, world.cash,
            today=world.day, channel=Channel.BRANCH, by="teller", clock=world.clock,
        )  # fmt: skip

    refused = await world.database.run(lambda tx: out(tx, 1_001_001))
    assert isinstance(refused, Refusal)
    assert refused.code is ProductsRefusal.BALANCE_INSUFFICIENT
    assert isinstance(await world.database.run(lambda tx: out(tx, 1_001_000)), Executed)
    below = await world.move(account, -1)
    assert isinstance(below, Refusal)
    assert below.code is LedgerRefusal.INSUFFICIENT_FUNDS


async def test_a_smaller_limit_comes_with_new_terms_and_the_old_ones_are_paid_for(world: World) -> None:
    await world.start(OVERDRAFT)
    account = (await world.open("overdraft")).deposit.account
    await world.move(account, -1_000_000)
    smaller = {**OVERDRAFT, "overdraft": {**OVERDRAFT["overdraft"], "limit_minor": 500_000}}
    await world.plan(date(2026, 1, 10), smaller)
    assert await world.end_day(date(2026, 1, 10)) == []
    # 5 days; the floor of that moment was the old one, which left no room.
    assert (await world.posted(account), await owed(world, account)) == (-1_000_000, [-5_000])
    await world.move(account, 600_000)
    assert isinstance(await world.move(account, -200_000), Refusal)
    assert await world.end_day(date(2026, 1, 11)) == []
    assert (await world.posted(account), await owed(world, account)) == (-405_000, [])
    # And a posting valued before the new terms is reckoned under those that held then: 2 days of 4.00 less.
    await world.move(account, 400_000, date(2026, 1, 8))
    assert await world.end_day(date(2026, 1, 12)) == []
    assert await world.posted(account) == -405_000 + 400_000 + 800
