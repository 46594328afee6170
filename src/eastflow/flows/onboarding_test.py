"""Customers onboarded: whole or not at all, once, many in one commit, a refused one not in the way of the others."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from eastflow.customers import Channel, CustomersRefusal, party, roles_of_account
from eastflow.deposits import DepositsRefusal, deposit
from eastflow.kernel import Refusal
from eastflow.ledger import balance, verify
from eastflow.products import ProductsRefusal
from eastflow.storage import Database, Transaction

from . import FlowsRefusal, Onboarded, Onboarding
from .conftest import PRODUCT, TERM, TODAY, person
from .onboarding import TOGETHER_MAX, Reception, onboard


def onboarding(amount_minor: int = 10_000, **changes: object) -> Onboarding:
    new = Onboarding(uuid4(), person(), PRODUCT, amount_minor, Channel.APP, "the app")
    return replace(new, **changes)  # type: ignore[arg-type]


def code(answer: object) -> object:
    return answer.code if isinstance(answer, Refusal) else None


async def test_a_customer_has_an_account_and_the_first_money_at_once(bank: Database) -> None:
    new = onboarding(12_345)
    reception = Reception(bank, lambda: TODAY)
    done = await reception.onboard(new)
    assert isinstance(done, Onboarded)
    assert (done.asset, done.amount_minor, done.replayed) == ("CNY", 12_345, False)
    again = await reception.onboard(new)
    assert again == replace(done, replayed=True)
    async with bank.reading() as tx:
        assert await party(tx, new.party.id) == new.party
        assert [each.party for each in await roles_of_account(tx, done.account)] == [new.party.id]
        posted = await balance(tx, done.account)
        assert (await verify(tx)).findings == ()
    assert posted is not None
    assert posted.posted_minor == 12_345
    for amount_minor in (1, 0):
        other = await reception.onboard(replace(new, amount_minor=amount_minor))
        assert code(other) is FlowsRefusal.ONBOARDING_ID_REUSED
    product = await reception.onboard(replace(new, product="other"))
    assert code(product) is DepositsRefusal.REQUEST_ID_REUSED
    renamed = await reception.onboard(replace(new, party=replace(new.party, name="Other")))
    assert code(renamed) is CustomersRefusal.PARTY_ID_REUSED


async def test_without_money_an_account_is_empty(bank: Database) -> None:
    done = await Reception(bank, lambda: TODAY).onboard(onboarding(0))
    assert isinstance(done, Onboarded)
    async with bank.reading() as tx:
        posted = await balance(tx, done.account)
    assert posted is not None
    assert posted.posted_minor == 0


async def test_the_money_of_a_term_goes_by_its_contract(bank: Database) -> None:
    new = onboarding(500_000, product=TERM)
    reception = Reception(bank, lambda: TODAY)
    done, again = await reception.onboard(new), await reception.onboard(new)
    assert isinstance(done, Onboarded)
    assert again == replace(done, replayed=True)
    async with bank.reading() as tx:
        posted, held = await balance(tx, done.account), await deposit(tx, done.account)
    assert posted is not None
    assert held is not None
    assert posted.posted_minor == sum(lot.amount_minor for lot in held.contract.lots) == 500_000
    empty = onboarding(0, product=TERM)
    assert isinstance(await reception.onboard(empty), Onboarded)
    for before, amount_minor in ((new, 0), (new, 600_000), (empty, 500_000)):
        other = await reception.onboard(replace(before, amount_minor=amount_minor))
        assert code(other) is FlowsRefusal.ONBOARDING_ID_REUSED
    small = onboarding(1, product=TERM)
    assert code(await reception.onboard(small)) is ProductsRefusal.AMOUNT_BELOW_MINIMUM
    async with bank.reading() as tx:
        assert await party(tx, small.party.id) is None


async def test_the_same_customers_at_two_desks_at_once_are_taken_on_once(bank: Database) -> None:
    many = [onboarding() for _ in range(40)]
    desks = [Reception(bank, lambda: TODAY) for _ in range(2)]
    one, other = await asyncio.gather(
        asyncio.gather(*map(desks[0].onboard, many)), asyncio.gather(*map(desks[1].onboard, reversed(many)))
    )
    assert {answer.account for answer in one} == {answer.account for answer in other}  # type: ignore[union-attr]
    async with bank.reading() as tx:
        assert await tx.value("SELECT count(*) FROM ledger_entry") == len(many)
        assert (await verify(tx)).findings == ()


async def test_those_refused_leave_nothing_and_do_not_hold_up_the_others(bank: Database) -> None:
    reception = Reception(bank, lambda: TODAY)
    good = [onboarding() for _ in range(TOGETHER_MAX + 20)]
    bad = {
        DepositsRefusal.PRODUCT_NOT_FOUND: onboarding(product="none"),
        FlowsRefusal.TEXT_MALFORMED: onboarding(product="\0"),
        FlowsRefusal.AMOUNT_MALFORMED: onboarding(-1),
        CustomersRefusal.TEXT_MALFORMED: onboarding(party=person("\0")),
    }
    mixed = [*good[:10], *bad.values(), *good[10:], good[0]]
    answers = await asyncio.gather(*map(reception.onboard, mixed))
    assert [code(answer) for answer in answers if isinstance(answer, Refusal)] == list(bad)
    accounts = {answer.account for answer in answers if isinstance(answer, Onboarded)}
    assert len(accounts) == len(good)
    async with bank.reading() as tx:
        assert [await party(tx, each.party.id) for each in bad.values()] == [None] * len(bad)
        assert (await verify(tx)).findings == ()


async def test_a_group_takes_as_many_statements_as_one(bank: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    guarded = Transaction._guarded

    async def counted(tx: Transaction, call: Any) -> Any:
        asked.append(call)
        return await guarded(tx, call)

    async def statements(count: int) -> int:
        asked.clear()
        many = [onboarding() for _ in range(count)]
        done = await bank.run(lambda tx: onboard(tx, many, today=TODAY))
        assert len({each.account for each in done}) == count
        return len(asked)

    monkeypatch.setattr(Transaction, "_guarded", counted)
    # All on one chain. The first of all begins it, gives the product's terms their number, and opens the account that
    # money comes by.
    monkeypatch.setattr("random.randrange", lambda _: 7)
    first, one, many = [await statements(count) for count in (1, 1, TOGETHER_MAX)]
    assert first > one == many


async def test_a_fault_is_told_to_those_it_hit_and_the_next_are_served(bank: Database) -> None:
    faults = [ZeroDivisionError("the calendar broke")]

    def today() -> object:
        if faults:
            raise faults.pop()
        return TODAY

    reception = Reception(bank, today)  # type: ignore[arg-type]
    first = asyncio.create_task(reception.onboard(onboarding()))
    assert isinstance((await asyncio.gather(first, return_exceptions=True))[0], ZeroDivisionError)
    assert isinstance(await reception.onboard(onboarding()), Onboarded)


async def test_a_caller_who_has_gone_away_harms_nobody(bank: Database) -> None:
    reception = Reception(bank, lambda: TODAY)
    gone = asyncio.create_task(reception.onboard(onboarding()))
    others = [asyncio.create_task(reception.onboard(onboarding())) for _ in range(5)]
    await asyncio.sleep(0)
    gone.cancel()
    assert all(isinstance(answer, Onboarded) for answer in await asyncio.gather(*others))
