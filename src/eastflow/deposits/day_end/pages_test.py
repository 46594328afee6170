"""Contracts with fees, hooks and new terms go by in pages; one that a customer meets on its way is done by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest

from eastflow.ledger import EntryFilter, search, verify
from eastflow.ledger.actions import Engine

from .. import deposit
from ..conftest import DEMAND, World, credited, terms
from .runs import actions as runs

FEE_DAY, SETTLED_ON = date(2026, 1, 10), date(2026, 1, 21)
BONUS = {"name": "loyalty_bonus", "parameters": {"bonus_minor": 7, "balance_min_minor": 100, "months_min": 0}}
# The first is waived while there is as much as the second leaves less of.
CHARGED: Mapping[str, Any] = {
    **DEMAND, "code": "charged", "name": "Charged", "hooks": [BONUS],
    "fees": [
        {"name": "small", "event": "schedule", "amount_minor": 30, "waived_from_minor": 1_000,
         "schedule": {"months": [1], "day": 10}},
        {"name": "keeping", "event": "schedule", "amount_minor": 300, "schedule": {"months": [1], "day": 10}},
        {"name": "card", "event": "schedule", "amount_minor": 50, "schedule": {"months": [1], "day": 21}},
    ],
}  # fmt: skip
BALANCES = (1_000_000, 1_000, 999, 200, 100, 20, 0)
# What the fees of the 10th leave of each, then the interest of 5 and 11 days, the fee of the 21st, and the bonus.
LEFT = (999_700, 700, 669, 0, 0, 0, 0)
SETTLED = (999_700 + credited((5, 1_000_000, 150), (11, 999_700, 150)) - 50 + 7, 700 + 1 - 43, 669 + 1 - 43, 0, 0, 0, 0)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The accounts that are done one by one."""
    done, before = list[int](), runs.one_by_one

    async def noted(database: Any, accounts: Sequence[int], work: Any) -> Any:
        done.extend(accounts)
        return await before(database, accounts, work)

    monkeypatch.setattr(runs, "one_by_one", noted)
    return done


async def opened(world: World) -> list[int]:
    return [(await world.open("charged", minor)).deposit.account for minor in BALANCES]


async def posted(world: World, accounts: Sequence[int]) -> tuple[int, ...]:
    return tuple([await world.posted(account) for account in accounts])


@pytest.mark.parametrize("per_page", [3, 8_000])
async def test_fees_and_hooks_go_by_in_pages(
    world: World, alone: list[int], per_page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "ACCOUNTS_PER_BATCH", per_page)
    await world.start(CHARGED)
    accounts = await opened(world)
    for day, left in ((FEE_DAY, LEFT), (FEE_DAY, LEFT), (SETTLED_ON, SETTLED), (SETTLED_ON, SETTLED)):
        assert await world.end_day(day) == []
        assert await posted(world, accounts) == left
    assert alone == []
    async with world.database.reading() as tx:
        assert (await verify(tx)).proved
        kinds = [entry.kind for entry in (await search(tx, EntryFilter(account=accounts[0]), limit=9)).entries]
    assert sorted(kinds) == ["bonus.loyalty_bonus", "deposit", "fee.card", "fee.keeping", "interest"]


@pytest.mark.parametrize("takes", [1, 300, 658], ids="{} minor".format)
async def test_who_is_met_by_a_customer_is_charged_once(
    world: World, alone: list[int], takes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the customer takes on the next day, once the fees are booked and before the contract is written."""
    await world.start(CHARGED)
    accounts = await opened(world)
    before = Engine.post_batch

    async def met(self: Engine, commands: Any) -> Any:
        outcomes = await before(self, commands)
        if commands:
            monkeypatch.setattr(Engine, "post_batch", before)
            await world.move(accounts[1], -takes)
        return outcomes

    monkeypatch.setattr(Engine, "post_batch", met)
    assert await world.end_day(FEE_DAY) == []
    assert alone == accounts[1:2]
    assert await posted(world, accounts) == (LEFT[0], LEFT[1] - takes, *LEFT[2:])
    monkeypatch.setattr(Engine, "post_batch", met)
    await world.move(accounts[1], takes)
    assert await world.end_day(SETTLED_ON) == []
    assert await posted(world, accounts) == (SETTLED[0], SETTLED[1] - takes, *SETTLED[2:])
    async with world.database.reading() as tx:
        for account, balance in zip(accounts, await posted(world, accounts), strict=True):
            found = await deposit(tx, account)
            assert found is not None
            assert (found.contract.open_day, found.contract.balance_minor) in (
                (date(2026, 1, 22), balance), (date(2026, 1, 22), balance + takes)
            )  # fmt: skip
        assert (await verify(tx)).proved


async def test_many_go_under_new_terms_in_pages(world: World, alone: list[int]) -> None:
    """The page's contracts, and one that a customer meets on its way, have the same terms and interest then."""
    await world.start(DEMAND)
    accounts = [(await world.open(amount_minor=minor)).deposit.account for minor in (1_000_000, 40_000, 0)]
    target = await world.plan(FEE_DAY, {**DEMAND, **{key: CHARGED[key] for key in ("fees", "hooks")}})
    await world.end_day(FEE_DAY)
    assert alone == []
    async with world.database.reading() as tx:
        for account in accounts:
            found = await deposit(tx, account)
            assert found is not None
            assert (found.version, found.terms_since) == (target, FEE_DAY)
            assert found.contract.terms == terms({**DEMAND, **{key: CHARGED[key] for key in ("fees", "hooks")}})
    first = 1_000_000 + credited((5, 1_000_000, 150))
    assert await posted(world, accounts) == (first, 40_008, 0)
    assert await world.end_day(SETTLED_ON) == []
    assert await posted(world, accounts) == (first + credited((11, first, 150)) - 50 + 7, 40_008 + 18 - 50 + 7, 0)
