"""Contracts opened together: as if each were opened by itself, in as many statements as one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eastflow.customers import Channel, roles_of_account
from eastflow.kernel import Refusal
from eastflow.ledger import LedgerRefusal, verify
from eastflow.products import ProductsRefusal
from eastflow.storage import Transaction

from .. import DepositsRefusal as Why
from .. import Executed, Opening, actions, deposit
from ..conftest import DEMAND, TERM, World
from ..decide import apart


@pytest.fixture
async def bank(world: World) -> World:
    await world.start(DEMAND, TERM)
    return world


async def opened(world: World, openings: Sequence[Opening]) -> list[Executed | Refusal]:
    return await world.database.run(
        lambda tx: actions.open_deposits(
            tx, openings, today=world.day, channel=Channel.APP, by="app", clock=world.clock
        )
    )


def told(answers: Sequence[Executed | Refusal]) -> list[object]:
    return [
        answer.code if isinstance(answer, Refusal) else (answer.deposit.contract.balance_minor, answer.replayed)
        for answer in answers
    ]


def mixed(bank: World, first_account: int) -> list[Opening]:
    """Everything that may be met: other products, money, refusals early and late, ids and accounts met again."""
    party, cash, id = bank.party, bank.cash, uuid4()
    return [
        Opening(id, "demand", party),
        Opening(uuid4(), "term", party, amount_minor=6_000, source=cash),
        Opening(uuid4(), "demand", party, account=first_account),
        Opening(uuid4(), "none", party),
        Opening(id, "demand", party),
        Opening(id, "term", party),
        Opening(uuid4(), "demand", uuid4()),
        Opening(uuid4(), "demand", party, account=first_account),
        Opening(uuid4(), "term", party, account=first_account + 1, amount_minor=10, source=cash),
        Opening(uuid4(), "demand", party, account=first_account + 1, amount_minor=7, source=cash),
        Opening(uuid4(), "demand", party, amount_minor=7, source=first_account + 9),
        Opening(uuid4(), "demand", party, amount_minor=-1),
        Opening(uuid4(), "demand", party, account=cash),
    ]


async def test_a_list_is_answered_as_its_openings_one_after_the_other(bank: World) -> None:
    together = await opened(bank, mixed(bank, 100))
    one_by_one = [answer for one in mixed(bank, 200) for answer in await opened(bank, [one])]
    assert told(together) == told(one_by_one)
    assert told(together) == [
        (0, False), (6_000, False), (0, False), Why.PRODUCT_NOT_FOUND, (0, True), Why.REQUEST_ID_REUSED,
        Why.PARTY_NOT_FOUND, Why.ACCOUNT_TAKEN, ProductsRefusal.AMOUNT_BELOW_MINIMUM, (7, False),
        LedgerRefusal.ACCOUNT_NOT_FOUND, Why.AMOUNT_OUT_OF_RANGE, LedgerRefusal.ACCOUNT_ID_REUSED,
    ]  # fmt: skip
    async with bank.database.reading() as tx:
        assert await tx.value("SELECT count(*) FROM deposits_contract") == 2 * 4
        # Of those refused late there is nothing either: no role, no account.
        assert await tx.value("SELECT count(*) FROM customers_role") == 2 * 4
        assert await tx.value("SELECT count(*) FROM ledger_account WHERE chart LIKE 'liabilities:%'") == 2 * 4
        assert [role.party for role in await roles_of_account(tx, 101)] == [bank.party]
        found = await deposit(tx, 101)
        assert found is not None
        assert (found.product, (await verify(tx)).findings) == ("demand", ())


async def test_a_hundred_take_as_many_statements_as_one(bank: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    guarded = Transaction._guarded

    async def counted(tx: Transaction, call: Any) -> Any:
        asked.append(call)
        return await guarded(tx, call)

    monkeypatch.setattr(Transaction, "_guarded", counted)
    counts = []
    for count in (1, 1, 100):
        asked.clear()
        answers = await opened(bank, [Opening(uuid4(), "demand", bank.party) for _ in range(count)])
        assert told(answers) == [(0, False)] * count
        counts.append(len(asked))
    # The first of all gives the product's terms their number too.
    assert counts[0] > counts[1] == counts[2]


async def test_rivals_with_the_same_list_open_it_once(bank: World) -> None:
    many = [Opening(uuid4(), "demand", bank.party, account=500 + place) for place in range(20)]
    lists = await asyncio.gather(*(opened(bank, some) for some in (many, many[::-1], many[5:])))
    replayed = [answer.replayed for answers in lists for answer in answers if isinstance(answer, Executed)]
    assert (len(replayed), replayed.count(False)) == (55, 20)
    async with bank.database.reading() as tx:
        assert await tx.value("SELECT count(*) FROM deposits_contract") == 20


@given(st.lists(st.tuples(st.integers(1, 4), st.none() | st.integers(1, 4))))
def test_groups_are_apart_and_in_order(pairs: list[tuple[int, int | None]]) -> None:
    openings = [Opening(UUID(int=id), "demand", UUID(int=0), account=account) for id, account in pairs]
    groups = list(apart(openings))
    assert sorted(place for group in groups for place in group) == list(range(len(pairs)))
    where = {place: number for number, group in enumerate(groups) for place in group}
    for later, (id, account) in enumerate(pairs):
        for earlier in range(later):
            if pairs[earlier][0] == id or (account is not None and pairs[earlier][1] == account):
                assert where[earlier] < where[later]
