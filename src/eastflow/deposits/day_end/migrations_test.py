"""A contract under new terms: what they would have had fall due before is not due, and what was paid stays paid."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest

from eastflow.customers import Channel
from eastflow.ledger import LedgerRefusal, Status, entry
from eastflow.ledger.actions import change_status
from eastflow.products import AtMaturity

from .. import DepositStatus, Executed, actions, deposit
from ..conftest import DEMAND, TERM, World, credited

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


async def test_what_settles_on_the_day_of_new_terms_stays_in_the_balance(world: World) -> None:
    """With another floor each is done by itself, after the settlement of that day."""
    await world.start(DEMAND)
    account = (await world.open(amount_minor=10_000_000)).deposit.account
    await world.plan(date(2026, 1, 21), FLOOR)
    assert await world.end_day(date(2026, 1, 21)) == []
    first = 10_000_000 + credited((16, 10_000_000, 150))
    async with world.database.reading() as tx:
        found = await deposit(tx, account)
    assert found is not None
    assert found.version == 2
    assert found.contract.balance_minor == await world.posted(account) == first


async def test_what_was_refused_on_its_day_is_done_before_new_terms_hold(world: World) -> None:
    await world.start(TERM)
    account = (await world.open("term", 600_000, at_maturity=AtMaturity.RENEW_ALL)).deposit.account
    await world.database.run(lambda tx: change_status(tx, account, Status.FROZEN, clock=world.clock))
    await world.plan(date(2026, 4, 10), {**TERM, "term_months": 6})
    for day in (date(2026, 4, 5), date(2026, 4, 10)):
        assert {refusal.code for refusal in await world.end_day(day)} == {LedgerRefusal.ACCOUNT_FROZEN}
    await world.database.run(lambda tx: change_status(tx, account, Status.OPEN, clock=world.clock))
    assert await world.end_day(date(2026, 4, 11)) == []
    async with world.database.reading() as tx:
        found = await deposit(tx, account)
    assert found is not None
    assert found.contract.period is not None
    assert (found.version, found.contract.period.maturity) == (2, date(2026, 7, 5))


FIXED = {
    **QUARTERLY, "rate_day": "settlement",
    "rates": {"changes": [
        {"since": "2020-01-01", "tiers": [{"percent": "0.72"}]},
        {"since": "2026-03-20", "tiers": [{"percent": "1.44"}]},
        {"since": "2026-03-21", "tiers": [{"percent": "36"}]},
    ]},
}  # fmt: skip


@pytest.mark.parametrize("floor", [0, 1_000])
async def test_the_rate_of_the_settlement_date_holds_for_days_under_earlier_terms_too(world: World, floor: int) -> None:
    """The bank lists another rate in the middle of the quarter: by new terms, or by a date in those there are."""
    late = {**FIXED, "limits": {"floor_minor": floor, "opening_min_minor": floor}}
    await world.start({**FIXED, "rates": {"changes": FIXED["rates"]["changes"][:1]}})
    account = (await world.open(amount_minor=10_000_000)).deposit.account
    await world.plan(date(2026, 2, 10), late)
    assert await world.end_day(date(2026, 2, 10)) == []
    assert await world.posted(account) == 10_000_000
    world.day = date(2026, 2, 21)
    await world.move(account, 2_000_000)
    assert await world.end_day(date(2026, 3, 21)) == []
    # Counted to the 20th, at the rate of the 20th.
    first = credited((47, 10_000_000, 144), (28, 12_000_000, 144))
    assert await world.posted(account) == 12_000_000 + first
    # What is valued before the new terms corrects the settlement at its one rate.
    world.day = date(2026, 4, 1)
    await world.move(account, -4_000_000, date(2026, 1, 15))
    assert await world.end_day(date(2026, 4, 1)) == []
    assert await world.posted(account) == 8_000_000 + credited(
        (10, 10_000_000, 144), (37, 6_000_000, 144), (28, 8_000_000, 144)
    )
    # Closed, all days since earn the rate of that day.
    balance = await world.posted(account)
    world.day = date(2026, 4, 11)
    closed = await world.database.run(
        lambda tx: actions.close(
            tx, uuid4(), account, world.cash, today=world.day, channel=Channel.BRANCH, by="teller", clock=world.clock
        )
    )
    assert isinstance(closed, Executed), closed
    async with world.database.reading() as tx:
        paid = await entry(tx, closed.entries[0])
    assert paid is not None
    assert max(paid.amounts_minor) == credited((21, balance, 3_600))
