"""The steps of a day on contracts that are not plain: with fees, hooks, debts, and a day that has gone on already."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from eastflow.customers import Channel
from eastflow.ledger import EntryFilter, balance, search, verify
from eastflow.ledger.actions import Engine
from eastflow.products import ProductsRefusal

from .. import Executed, actions, deposit
from ..conftest import DEMAND, World
from . import store
from .runs import actions as runs

FEES: Mapping[str, Any] = {
    **DEMAND, "code": "fees", "name": "Fees",
    "fees": [
        {"name": "keeping", "event": "schedule", "amount_minor": 300, "schedule": {"months": [1, 2], "day": 10}},
        {"name": "card", "event": "schedule", "amount_minor": 50, "schedule": {"months": [1, 2], "day": 21}},
    ],
    "hooks": [
        {"name": "loyalty_bonus", "parameters": {"bonus_minor": 7, "balance_min_minor": 1, "months_min": 1}},
    ],
}  # fmt: skip


async def posted(world: World, account: int) -> int:
    async with world.database.reading() as tx:
        found = await balance(tx, account)
    assert found is not None
    return found.posted_minor


async def test_fees_and_hooks_are_done_one_by_one(world: World) -> None:
    await world.start(FEES)
    account = (await world.open("fees", 1_000_000)).deposit.account
    poor = (await world.open("fees", 100)).deposit.account
    async with Engine(world.database, clock=world.clock, today=lambda: world.day) as engine:
        while world.day < date(2026, 2, 22):
            for _ in range(2):
                await actions.accrue_moved(world.database, world.day, clock=world.clock)
                await actions.charge_fees(engine, world.day)
                await actions.settle_interest(engine, world.day)
            world.day += timedelta(days=1)
    # Interest of 5 days and 11 of 300 less; then 20 days at 1.5 %, 11 at 2.25 %; fees as far as there is money.
    first = (1_000_000 * 5 * 150 + 999_700 * 11 * 150 + 1_800_000) // 3_600_000
    left = 999_700 + first - 50
    second = (left * 20 * 150 + (left - 300) * 11 * 225 + 1_800_000) // 3_600_000
    assert await posted(world, account) == left - 300 + second - 50 + 7
    assert await posted(world, poor) == 0
    async with world.database.reading() as tx:
        found = await deposit(tx, account)
    assert found is not None
    assert found.contract.balance_minor == await posted(world, account)


async def test_what_cannot_be_taken_back_stays_owed(world: World) -> None:
    await world.start(DEMAND)
    account = (await world.open(amount_minor=100_000_000)).deposit.account
    async with Engine(world.database, clock=world.clock, today=lambda: world.day) as engine:
        world.day = date(2026, 1, 21)
        await actions.settle_interest(engine, world.day)
        assert await posted(world, account) == 100_066_667
        # It turns out that nearly all had left the day after it came.
        world.day = date(2026, 1, 22)
        await world.move(account, -100_066_667, date(2026, 1, 6))
        await actions.accrue_moved(world.database, world.day, clock=world.clock)
        async with world.database.reading() as tx:
            [owed] = await store.corrections_owed(tx, 0, 1, limit=10)
        assert owed.key == (account, date(2026, 1, 21), 1)
        assert await posted(world, account) == 0
        await world.move(account, 100_000)
        world.day = date(2026, 1, 23)
        await actions.accrue_moved(world.database, world.day, clock=world.clock)
        async with world.database.reading() as tx:
            assert await store.corrections_owed(tx, 0, 1, limit=10) == []
        assert await posted(world, account) == 100_000 + owed.amount_minor
        # The interest of one day stays paid.
        assert 66_667 + owed.amount_minor == 4_167


async def test_each_of_many_that_are_owed_is_tried_each_day(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "CONTRACTS_PER_PAGE", 2)
    await world.start(DEMAND)
    places = [(await world.open(amount_minor=100_000_000)).deposit.account for _ in range(5)]
    async with Engine(world.database, clock=world.clock, today=lambda: world.day) as engine:
        world.day = date(2026, 1, 21)
        await actions.settle_interest(engine, world.day)
        world.day = date(2026, 1, 22)
        for account in places:
            await world.move(account, -100_066_667, date(2026, 1, 6))
        await actions.accrue_moved(world.database, world.day, clock=world.clock)
    # Only the last one has money again: those before it, who have none, are not in its way.
    last = max(places)
    await world.move(last, 100_000)
    await actions.accrue_moved(world.database, date(2026, 1, 23), clock=world.clock)
    async with world.database.reading() as tx:
        owed = await store.corrections_owed(tx, 0, 1, limit=10)
    assert [one.account for one in owed] == sorted(set(places) - {last})


async def test_the_bank_goes_on_while_a_day_is_ended(world: World) -> None:
    await world.start(DEMAND)
    account = (await world.open(amount_minor=1_000_000)).deposit.account
    world.day = date(2026, 1, 22)
    await world.move(account, -400_000)
    async with Engine(world.database, clock=world.clock, today=lambda: world.day) as engine:
        for day in (date(2026, 1, 21), date(2026, 1, 22)):
            await actions.accrue_moved(world.database, day, clock=world.clock)
            assert (await actions.settle_interest(engine, day)).refused == ()
        world.day = date(2026, 2, 21)
        await actions.accrue_moved(world.database, world.day, clock=world.clock)
        await actions.settle_interest(engine, world.day)
        first = (1_000_000 * 16 * 150 + 1_800_000) // 3_600_000
        left = 600_000 + first
        second = ((1_000_000 + first) * 150 + left * 19 * 150 + left * 11 * 225 + 1_800_000) // 3_600_000
        assert await posted(world, account) == left + second
    async with world.database.reading() as tx:
        assert len((await search(tx, _interest(account), limit=10)).entries) == 2


def _interest(account: int) -> EntryFilter:
    return EntryFilter(account=account, kind="interest")


async def test_customers_come_while_interest_is_settled(world: World) -> None:
    """Verbs, transfers and the settlement meet on the same contracts; each is done, and each interest once."""
    await world.start(DEMAND)
    opened = [(await world.open(amount_minor=1_000_000)).deposit.account for _ in range(12)]
    world.day = date(2026, 1, 21)

    async def customer(account: int) -> None:
        done = await world.database.run(
            lambda tx: actions.pay_out(
                tx, uuid4(), account, 1_000, world.cash,
                today=world.day, channel=Channel.BRANCH, by="teller", clock=world.clock,
            )
        )  # fmt: skip
        # After the day's end the counter waits for the next date.
        assert isinstance(done, Executed) or done.code is ProductsRefusal.DAY_DONE
        await world.move(account, -500)

    async with Engine(world.database, clock=world.clock, today=lambda: world.day) as engine:
        steps = [actions.settle_interest(engine, world.day, part, 2) for part in range(2)]
        await asyncio.gather(*(customer(account) for account in opened), *steps)
        for part in range(2):
            assert (await actions.settle_interest(engine, world.day, part, 2)).refused == ()
    async with world.database.reading() as tx:
        for account in opened:
            [interest] = (await search(tx, _interest(account), limit=10)).entries
            assert max(interest.amounts_minor) == 667
            found = await deposit(tx, account)
            assert found is not None
            assert found.contract.open_day == date(2026, 1, 22)
        assert (await verify(tx)).proved
