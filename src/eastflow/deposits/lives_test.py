"""Whole lives of contracts, worked out by hand: instalments (零存整取) and call deposits (通知存款)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from eastflow.customers import Channel
from eastflow.kernel import Refusal
from eastflow.ledger import entry, verify
from eastflow.products import AtMaturity, ProductsRefusal

from . import DepositStatus, Executed, actions, deposit
from .conftest import CALL, DEMAND, World

# 1,000 a month and 10 a day on 100,000: easily counted.
INSTALMENT: Mapping[str, Any] = {
    "code": "instalment", "name": "Instalment", "kind": "instalment", "currency": "CNY", "day_count": "ACT/360",
    "counting": "months_and_days", "term_months": 6, "at_maturity": ["hold", "pay_out"],
    "rates": {"changes": [{"since": "2020-01-01", "tiers": [{"percent": "12.00"}]}]},
    "demand_rates": {"changes": [{"since": "2020-01-01", "tiers": [{"percent": "3.60"}]}]},
}  # fmt: skip


class Customer:
    """Who comes on a day: the days before it are ended first, as far as anything falls due on them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.account = 0

    async def opens(self, product: str, amount_minor: int, **more: Any) -> int:
        self.account = (await self.world.open(product, amount_minor, **more)).deposit.account
        return self.account

    async def comes(self, day: date) -> None:
        assert await self.world.end_day(date.fromordinal(day.toordinal() - 1)) == []
        self.world.day = day

    async def pays(self, amount_minor: int) -> Executed | Refusal:
        return await self._does(actions.pay_in, amount_minor, self.world.cash, channel=Channel.BRANCH)

    async def takes(self, amount_minor: int) -> Executed | Refusal:
        return await self._does(actions.pay_out, amount_minor, self.world.cash, channel=Channel.BRANCH)

    async def notices(self, amount_minor: int) -> Executed | Refusal:
        return await self._does(actions.give_notice, amount_minor)

    async def closes(self) -> Executed | Refusal:
        return await self._does(actions.close, self.world.cash, channel=Channel.BRANCH)

    async def _does(self, verb: Callable[..., Awaitable[Any]], *told: Any, **more: Any) -> Executed | Refusal:
        given = {"today": self.world.day, "by": "teller", "clock": self.world.clock} | more
        answer: Executed | Refusal = await self.world.database.run(
            lambda tx: verb(tx, uuid4(), self.account, *told, **given)
        )
        return answer


@pytest.fixture
async def li(world: World) -> Customer:
    await world.start(DEMAND, INSTALMENT, CALL)
    return Customer(world)


def refused(answer: Executed | Refusal) -> object:
    return answer.code if isinstance(answer, Refusal) else None


async def interest(world: World, done: Executed | Refusal) -> int:
    """What the first entry of a request paid."""
    assert isinstance(done, Executed)
    async with world.database.reading() as tx:
        found = await entry(tx, done.entries[0])
    assert found is not None
    assert found.kind == "interest"
    return max(found.amounts_minor)


async def test_instalments_are_paid_each_month_one_is_made_up_and_all_is_paid_out(li: Customer) -> None:
    world = li.world
    nominated = await li.opens("demand", 0)
    account = await li.opens("instalment", 100_000, at_maturity=AtMaturity.PAY_OUT, nominated=nominated)
    assert refused(await li.pays(100_000)) is ProductsRefusal.INSTALMENT_NOT_DUE
    await li.comes(date(2026, 2, 5))
    assert refused(await li.pays(90_000)) is ProductsRefusal.INSTALMENT_AMOUNT_CHANGED
    assert isinstance(await li.pays(100_000), Executed)
    assert refused(await li.takes(50_000)) is ProductsRefusal.OPERATION_NOT_OFFERED
    # Nothing in March: that is made up in April.
    await li.comes(date(2026, 4, 5))
    assert [refused(await li.pays(100_000)) for _ in range(3)] == [None, None, ProductsRefusal.INSTALMENT_NOT_DUE]
    for day in (date(2026, 5, 5), date(2026, 6, 5)):
        await li.comes(day)
        assert isinstance(await li.pays(100_000), Executed)
    assert await world.posted(account) == 600_000
    await li.comes(date(2026, 7, 6))
    # 6, 5, twice 3, 2 and 1 months of 1,000 each.
    assert (await world.posted(account), await world.posted(nominated)) == (0, 620_000)
    assert refused(await li.pays(100_000)) is not None
    async with world.database.reading() as tx:
        found = await deposit(tx, account)
        assert found is not None
        assert (found.status, found.contract.closed_on) == (DepositStatus.CLOSED, date(2026, 7, 5))
        assert (await verify(tx)).proved


async def test_two_missed_break_the_plan_and_what_comes_after_earns_the_demand_rate(li: Customer) -> None:
    account = await li.opens("instalment", 100_000, at_maturity=AtMaturity.HOLD)
    await li.comes(date(2026, 4, 5))
    paid = await li.pays(100_000)
    assert isinstance(paid, Executed)
    assert [lot.kept for lot in paid.deposit.contract.lots] == [True, False]
    await li.comes(date(2026, 7, 6))
    assert await li.world.posted(account) == 200_000
    # 6 months of 1,000; 91 days of 10; and of both the day that they were held beyond the end.
    assert await interest(li.world, await li.closes()) == 6_000 + 910 + 20
    assert await li.world.posted(account) == 0


async def test_instalments_closed_early_earn_the_demand_rate(li: Customer) -> None:
    account = await li.opens("instalment", 100_000)
    await li.comes(date(2026, 2, 5))
    assert isinstance(await li.pays(100_000), Executed)
    await li.comes(date(2026, 3, 5))
    closed = await li.closes()
    # 59 and 28 days of 10.
    assert await interest(li.world, closed) == 590 + 280
    assert await li.world.posted(account) == 0
    assert await li.world.end_day(date(2026, 7, 5)) == []


async def test_a_fee_for_closing_early_comes_out_of_what_is_paid(world: World) -> None:
    fees = [{"name": "early", "event": "early", "amount_minor": 2_500}]
    await world.start(DEMAND, {**INSTALMENT, "fees": fees})
    li = Customer(world)
    account = await li.opens("instalment", 100_000)
    await li.comes(date(2026, 2, 4))
    closed = await li.closes()
    # 30 days at 3.6 %: 300.
    assert await interest(world, closed) == 300
    assert isinstance(closed, Executed)
    async with world.database.reading() as tx:
        booked = [await entry(tx, id) for id in closed.entries]
        assert (await verify(tx)).proved
    moved = [(each.kind, each.amounts_minor[each.accounts.index(account)]) for each in booked if each is not None]
    assert moved == [("interest", 300), ("fee.early", -2_500), ("withdrawal", -97_800)]


async def test_a_call_deposit_is_taken_with_notice_left_after_notice_and_closed_with_notice(li: Customer) -> None:
    world = li.world
    # 20 a day on 1,000,000.
    account = await li.opens("call", 1_000_000)
    await li.comes(date(2026, 1, 18))
    assert isinstance(await li.notices(400_000), Executed)
    assert refused(await li.notices(600_001)) is ProductsRefusal.BALANCE_INSUFFICIENT
    await li.comes(date(2026, 1, 25))
    # 20 days of 400,000.
    assert await interest(world, await li.takes(400_000)) == 160
    await li.comes(date(2026, 2, 1))
    assert isinstance(await li.notices(200_000), Executed)
    # It is not come for on the 8th: the notice lapses, and for its days that money earns nothing.
    await li.comes(date(2026, 2, 20))
    async with world.database.reading() as tx:
        found = await deposit(tx, account)
    assert found is not None
    assert found.contract.notices == ()
    assert isinstance(await li.notices(600_000), Executed)
    await li.comes(date(2026, 2, 27))
    # 53 days of 600,000, less 7 of 200,000.
    assert await interest(world, await li.closes()) == 636 - 28
    assert await world.posted(account) == 0
    async with world.database.reading() as tx:
        assert (await verify(tx)).proved
