"""Customers and courts come on the next day while a day is being ended; each day has what is its own."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

from eastflow.customers import Channel

from .. import Executed, Order, actions, deposit
from ..conftest import DEMAND, World, credited


async def test_what_is_paid_in_on_the_next_day_keeps_no_contract_from_its_new_terms(world: World) -> None:
    await world.start(DEMAND)
    account = (await world.open(amount_minor=1_000_000)).deposit.account
    target = await world.plan(date(2026, 1, 10), {**DEMAND, "rates": _flat("3.60")})
    world.day = date(2026, 1, 11)
    paid = await world.database.run(
        lambda tx: actions.pay_in(
            tx, uuid4(), account, 100, world.cash,
            today=world.day, channel=Channel.BRANCH, by="teller", clock=world.clock,
        )
    )  # fmt: skip
    assert isinstance(paid, Executed)
    assert await world.end_day(date(2026, 1, 10)) == []
    async with world.database.reading() as tx:
        found = await deposit(tx, account)
    assert found is not None
    assert found.version == target
    assert await world.end_day(date(2026, 1, 21)) == []
    first = 1_000_000 + credited((5, 1_000_000, 150))
    assert await world.posted(account) == first + 100 + credited((1, first, 360), (10, first + 100, 360))


async def test_an_order_of_the_next_day_leaves_the_interest_right(world: World) -> None:
    await world.start(DEMAND)
    account = (await world.open(amount_minor=1_000_000)).deposit.account
    world.day = date(2026, 1, 22)
    await world.move(account, 5_000)
    order = Order(uuid4(), account, "Court of Pudong", 1_000, date(2027, 1, 1), world.day)
    await world.database.run(lambda tx: actions.place_order(tx, order, today=world.day, clock=world.clock))
    for day in (date(2026, 1, 21), date(2026, 1, 21), date(2026, 1, 22), date(2026, 2, 21)):
        assert await world.end_day(day) == []
    first = 1_000_000 + credited((16, 1_000_000, 150))
    later = first + 5_000
    assert await world.posted(account) == later + credited((1, first, 150), (19, later, 150), (11, later, 225))


def _flat(percent: str) -> dict[str, object]:
    return {"changes": [{"since": "2020-01-01", "tiers": [{"percent": percent}]}]}
