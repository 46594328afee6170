"""What cannot be done at a day's end keeps nothing from the days after it."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

from eastflow.ledger import LedgerRefusal, Status
from eastflow.ledger.actions import change_status

from .. import Order, actions
from ..conftest import DEMAND, World, credited

MONTHLY = {"months": list(range(1, 13)), "day": 1}
YEARLY = {"months": [12], "day": 21}


async def test_a_fee_that_an_order_leaves_no_money_for_stops_no_later_fee(world: World) -> None:
    fee = {"name": "monthly", "event": "schedule", "amount_minor": 500, "schedule": MONTHLY}
    await world.start({**DEMAND, "fees": [fee], "settlement": YEARLY})
    account = (await world.open(amount_minor=100_000)).deposit.account
    order = Order(uuid4(), account, "Court of Pudong", 100_000, date(2027, 1, 1), world.day)
    await world.database.run(lambda tx: actions.place_order(tx, order, today=world.day, clock=world.clock))
    assert await world.end_day(date(2026, 2, 1)) == []
    world.day = date(2026, 2, 10)
    await world.move(account, 1_000)
    assert await world.end_day(date(2026, 2, 10)) == []
    assert await world.posted(account) == 101_000
    assert await world.end_day(date(2026, 3, 1)) == []
    assert await world.posted(account) == 100_500


async def test_interest_that_a_freeze_kept_out_is_credited_with_the_next(world: World) -> None:
    await world.start(DEMAND)
    account = (await world.open(amount_minor=10_000_000)).deposit.account

    async def become(status: Status) -> None:
        await world.database.run(lambda tx: change_status(tx, account, status, clock=world.clock))

    await become(Status.FROZEN)
    assert [each.code for each in await world.end_day(date(2026, 1, 21))] == [LedgerRefusal.ACCOUNT_FROZEN]
    await become(Status.OPEN)
    world.day = date(2026, 2, 1)
    await world.move(account, 1_000)
    for day in (date(2026, 2, 1), date(2026, 2, 21), date(2026, 3, 21)):
        assert await world.end_day(day) == []
    first = 10_000_000 + credited((16, 10_000_000, 150))
    second = first + 1_000 + credited((11, first, 150), (9, first + 1_000, 150), (11, first + 1_000, 225))
    assert await world.posted(account) == second + credited((28, second, 225))
