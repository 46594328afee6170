"""A contract under new terms: what they would have had fall due before is not due, and what was paid stays paid."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

from eastflow.customers import Channel

from .. import DepositStatus, Executed, actions
from ..conftest import DEMAND, World, credited

YEARLY = {**DEMAND, "settlement": {"months": [12], "day": 21}}
QUARTERLY = {**DEMAND, "settlement": {"months": [3, 6, 9, 12], "day": 21}}
FLOOR = {**DEMAND, "limits": {"floor_minor": 1_000, "opening_min_minor": 1_000}}


async def test_a_shorter_cycle_of_settlements_begins_with_the_new_terms(world: World) -> None:
    await world.start(YEARLY)
    account = (await world.open(amount_minor=10_000_000)).deposit.account
    await world.plan(date(2026, 5, 25), DEMAND)
    assert await world.end_day(date(2026, 5, 25)) == []
    paid = await world.database.run(
        lambda tx: actions.pay_in(
            tx, uuid4(), account, 100, world.cash,
            today=world.day, channel=Channel.BRANCH, by="teller", clock=world.clock,
        )
    )  # fmt: skip
    assert isinstance(paid, Executed), paid
    assert await world.end_day(date(2026, 6, 21)) == []
    first = 10_000_000 + credited((36, 10_000_000, 150), (104, 10_000_000, 225))
    assert await world.posted(account) == first + 100 + credited((1, first, 225), (26, first + 100, 225))


async def test_a_floor_that_the_new_terms_leave_out_keeps_no_money_back(world: World) -> None:
    await world.start(FLOOR)
    account = (await world.open(amount_minor=100_000)).deposit.account
    await world.plan(date(2026, 1, 10), DEMAND)
    assert await world.end_day(date(2026, 1, 10)) == []
    closed = await world.database.run(
        lambda tx: actions.close(
            tx, uuid4(), account, world.cash, today=world.day, channel=Channel.BRANCH, by="teller", clock=world.clock
        )
    )
    assert isinstance(closed, Executed), closed
    assert (closed.deposit.status, await world.posted(account)) == (DepositStatus.CLOSED, 0)


async def test_interest_paid_on_the_day_of_new_terms_is_not_taken_back(world: World) -> None:
    """A backdated posting has the settlements since then looked at again: that one was the old terms' last."""
    await world.start(QUARTERLY)
    account = (await world.open(amount_minor=10_000_000)).deposit.account
    await world.plan(date(2026, 3, 21), {**QUARTERLY, "name": "Demand again"})
    assert await world.end_day(date(2026, 3, 21)) == []
    assert await world.end_day(date(2026, 6, 21)) == []
    world.day = date(2026, 6, 25)
    await world.move(account, 1_000_000, date(2026, 6, 10))
    assert await world.end_day(date(2026, 6, 25)) == []
    first = 10_000_000 + credited((36, 10_000_000, 150), (39, 10_000_000, 225))
    second = credited((92, first, 225), (11, 1_000_000, 225))
    assert await world.posted(account) == first + 1_000_000 + second


async def test_each_settlement_is_corrected_under_the_terms_that_held_then(world: World) -> None:
    """A year's interest, then quarters', then months' at another rate: what is valued long ago corrects all of them."""
    dear = {**DEMAND, "rates": {"changes": [{"since": "2020-01-01", "tiers": [{"percent": "36"}]}]}}
    await world.start(YEARLY)
    account = (await world.open(amount_minor=10_000_000)).deposit.account
    await world.plan(date(2026, 2, 20), QUARTERLY)
    assert await world.end_day(date(2026, 2, 20)) == []
    await world.plan(date(2026, 4, 1), dear, source=2)
    assert await world.end_day(date(2026, 3, 21)) == []
    assert await world.end_day(date(2026, 4, 1)) == []
    assert await world.end_day(date(2026, 4, 21)) == []
    world.day = date(2026, 4, 25)
    await world.move(account, -4_000_000, date(2026, 1, 15))
    assert await world.end_day(date(2026, 4, 25)) == []
    first = credited((10, 10_000_000, 150), (26, 6_000_000, 150), (10, 6_000_000, 225))
    second = credited((29, 6_000_000 + first, 225))
    third = credited((11, 6_000_000 + first + second, 225))
    fourth = credited((20, 6_000_000 + first + second + third, 3_600))
    assert await world.posted(account) == 6_000_000 + first + second + third + fourth


async def test_where_earlier_terms_were_not_kept_corrections_go_back_to_the_present_ones(world: World) -> None:
    """Contracts that were migrated before the terms they left were written down."""
    await world.start(QUARTERLY)
    account = (await world.open(amount_minor=10_000_000)).deposit.account
    await world.plan(date(2026, 3, 21), {**QUARTERLY, "name": "Demand again"})
    assert await world.end_day(date(2026, 3, 21)) == []
    await world.database.run(lambda tx: tx.execute("DELETE FROM deposits_terms_held"))
    assert await world.end_day(date(2026, 6, 21)) == []
    world.day = date(2026, 6, 25)
    await world.move(account, 1_000_000, date(2026, 3, 1))
    assert await world.end_day(date(2026, 6, 25)) == []
    first = 10_000_000 + credited((36, 10_000_000, 150), (39, 10_000_000, 225))
    assert await world.posted(account) == first + 1_000_000 + credited((92, first + 1_000_000, 225))
