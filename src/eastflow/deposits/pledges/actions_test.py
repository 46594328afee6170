"""Money that is pledged stays: behind orders of a court, until it is released or its day comes."""

from __future__ import annotations

import asyncio
import io
import random
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from eastflow.customers import Channel
from eastflow.kernel import Refusal
from eastflow.ledger import LedgerRefusal, balance, verify
from eastflow.products import AtMaturity
from eastflow.storage import Database

from .. import (
    DepositsRefusal,
    DepositStatus,
    Executed,
    Ground,
    Order,
    Pledge,
    Share,
    actions,
    deposit,
    orders_of,
    pledges_of,
)
from ..conftest import DEMAND, TERM, World, terms
from ..exactness_test import fresh_world
from ..paper import statement_pdf

NEVER = date(2999, 1, 1)


@pytest.fixture
async def bank(world: World) -> World:
    await world.start(DEMAND, TERM)
    return world


async def placed(bank: World, account: int, amount_minor: int, **more: Any) -> Pledge | Refusal:
    told = {"pledgee": "Pudong Leasing"} | more
    id = told.pop("id", None) or uuid4()
    new = Pledge(id, account, told.pop("agreement", "P 1"), amount_minor, bank.day, "teller", **told)
    return await bank.database.run(lambda tx: actions.place_pledge(tx, new, today=bank.day, clock=bank.clock))


async def released(
    bank: World, account: int, id: UUID, ground: Ground = Ground.CONSENT, reason: str = "letter"
) -> Pledge | Refusal:
    return await bank.database.run(
        lambda tx: actions.release_pledge(
            tx, account, id, ground, reason, today=bank.day, by="supervisor", clock=bank.clock
        )
    )


async def ordered(bank: World, account: int, amount_minor: int | None, until: date = NEVER) -> Order:
    new = Order(uuid4(), account, "Court", amount_minor, until, bank.day)
    answer = await bank.database.run(lambda tx: actions.place_order(tx, new, today=bank.day, clock=bank.clock))
    assert isinstance(answer, Order), answer
    return answer


async def ended(bank: World, account: int, id: UUID) -> None:
    await bank.database.run(lambda tx: actions.end_order(tx, account, id, today=bank.day, clock=bank.clock))


async def paid_out(bank: World, account: int, amount_minor: int) -> Executed | Refusal:
    return await bank.database.run(
        lambda tx: actions.pay_out(
            tx, uuid4(), account, amount_minor, bank.cash,
            today=bank.day, channel=Channel.BRANCH, by="teller", clock=bank.clock,
        )
    )  # fmt: skip


async def closed(bank: World, account: int) -> Executed | Refusal:
    return await bank.database.run(
        lambda tx: actions.close(
            tx, uuid4(), account, bank.cash, today=bank.day, channel=Channel.BRANCH, by="teller", clock=bank.clock
        )
    )


async def kept(bank: World, account: int) -> tuple[list[int], list[int], DepositStatus]:
    """What orders have, what pledges have, and how the contract stands."""
    async with bank.database.reading() as tx:
        orders = [order.held_minor for order in await orders_of(tx, account) if order.ended_on is None]
        pledges = [pledge.held_minor for pledge in await pledges_of(tx, account) if pledge.ended_on is None]
        found, standing = await deposit(tx, account), await balance(tx, account)
    assert found is not None
    assert standing is not None
    assert standing.held_minor == sum(orders) + sum(pledges)
    return orders, pledges, found.status


def code(answer: object) -> object:
    return answer.code if isinstance(answer, Refusal) else answer


async def test_what_is_pledged_stays_and_what_is_above_it_may_go(bank: World) -> None:
    account = (await bank.open(amount_minor=100_000)).deposit.account
    first = await placed(bank, account, 60_000)
    assert isinstance(first, Pledge)
    assert (first.rank, first.held_minor, first.placed_on) == (1, 60_000, bank.day)
    assert code(await paid_out(bank, account, 40_001)) is DepositsRefusal.PLEDGED
    assert code(await closed(bank, account)) is DepositsRefusal.PLEDGED
    # By the ledger alone, as a transfer goes.
    assert code(await bank.move(account, -40_001)) is LedgerRefusal.INSUFFICIENT_FUNDS
    assert isinstance(await paid_out(bank, account, 40_000), Executed)
    again = await placed(bank, account, 60_000, id=first.id)
    assert again == first
    over = await released(bank, account, first.id, Ground.STAFF, "the loan was never paid out")
    assert isinstance(over, Pledge)
    assert (over.held_minor, over.ended_on, over.ground, over.released_by) == (0, bank.day, Ground.STAFF, "supervisor")
    assert await released(bank, account, first.id) == over
    assert isinstance(await closed(bank, account), Executed)
    async with bank.database.reading() as tx:
        assert (await verify(tx)).proved


async def test_of_two_at_once_one_has_the_money(bank: World) -> None:
    account = (await bank.open(amount_minor=100_000)).deposit.account
    answers = await asyncio.gather(*(placed(bank, account, 60_000) for _ in range(2)), paid_out(bank, account, 40_000))
    assert sorted(isinstance(answer, Refusal) for answer in answers[:2]) in ([False, True], [True, True])
    assert (await kept(bank, account))[1] == [60_000] * [isinstance(a, Pledge) for a in answers].count(True)
    left = 100_000 - 40_000 * isinstance(answers[2], Executed)
    assert await bank.posted(account) == left >= 60_000


async def test_an_order_of_a_court_goes_before_pledges(bank: World) -> None:
    account = (await bank.open(amount_minor=100_000)).deposit.account
    pledges = [await placed(bank, account, amount) for amount in (50_000, 30_000)]
    order = await ordered(bank, account, 90_000, date(2026, 2, 1))
    assert await kept(bank, account) == ([90_000], [10_000, 0], DepositStatus.FROZEN)
    assert code(await placed(bank, account, 1)) is DepositsRefusal.CONTRACT_FROZEN
    # What comes in is held for the pledges in their rank.
    await bank.move(account, 45_000)
    assert (await actions.expire_orders(bank.database, bank.day, clock=bank.clock)).accounts == 1
    assert await kept(bank, account) == ([90_000], [50_000, 5_000], DepositStatus.FROZEN)
    assert (await actions.expire_orders(bank.database, date(2026, 2, 1), clock=bank.clock)).accounts == 1
    assert await kept(bank, account) == ([], [50_000, 30_000], DepositStatus.OPEN)
    assert isinstance(order, Order)
    for pledge in pledges:
        assert isinstance(pledge, Pledge)
        await released(bank, account, pledge.id)
    assert await kept(bank, account) == ([], [], DepositStatus.OPEN)


async def test_a_pledge_ends_on_its_day(bank: World) -> None:
    account = (await bank.open(amount_minor=100_000)).deposit.account
    pledge = await placed(bank, account, 100_000, expires_on=date(2026, 3, 1))
    assert (await actions.expire_orders(bank.database, date(2026, 2, 28), clock=bank.clock)).accounts == 0
    assert (await actions.expire_orders(bank.database, date(2026, 3, 2), clock=bank.clock)).accounts == 1
    async with bank.database.reading() as tx:
        [over] = await pledges_of(tx, account)
    assert isinstance(pledge, Pledge)
    assert (over.id, over.ended_on, over.ground, over.reason) == (pledge.id, date(2026, 3, 1), Ground.EXPIRED, None)
    assert isinstance(await paid_out(bank, account, 99_999), Executed)


@pytest.mark.parametrize("choice", [AtMaturity.PAY_OUT, AtMaturity.RENEW_PRINCIPAL])
async def test_what_matures_and_is_pledged_is_not_paid_out(bank: World, choice: AtMaturity) -> None:
    nominated = (await bank.open()).deposit.account
    account = (await bank.open("term", 600_000, at_maturity=choice, nominated=nominated)).deposit.account
    pledge = await placed(bank, account, 600_000)
    assert await bank.end_day(date(2026, 4, 5)) == []
    earned = 1_800 if choice is AtMaturity.RENEW_PRINCIPAL else 0
    assert (await bank.posted(account), await bank.posted(nominated)) == (600_000 + earned, 0)
    bank.day = date(2026, 4, 10)
    assert code(await closed(bank, account)) is DepositsRefusal.PLEDGED
    assert isinstance(pledge, Pledge)
    await released(bank, account, pledge.id)
    assert isinstance(await closed(bank, account), Executed)


async def test_what_is_pledged_is_not_inherited(bank: World) -> None:
    account, heir = [(await bank.open(amount_minor=amount)).deposit.account for amount in (1_000, 0)]
    await placed(bank, account, 1)
    refused = await bank.database.run(
        lambda tx: actions.inherit(
            tx, uuid4(), account, "C 1", [Share(bank.party, heir, 1)], today=bank.day, by="teller", clock=bank.clock
        )
    )
    assert code(refused) is DepositsRefusal.PLEDGED


async def test_why_a_pledge_is_refused(bank: World) -> None:
    account = (await bank.open(amount_minor=1_000)).deposit.account
    gone = (await bank.open()).deposit.account
    assert isinstance(await closed(bank, gone), Executed)
    of_party = {"pledgee": None, "party": bank.party}
    mine = await placed(bank, account, 400, **of_party)
    assert isinstance(mine, Pledge)
    cases = [
        (await placed(bank, account, 1, agreement=" "), DepositsRefusal.TEXT_MALFORMED),
        (await placed(bank, account, 1, pledgee="a\0"), DepositsRefusal.TEXT_MALFORMED),
        (await placed(bank, account, 1, pledgee=None), DepositsRefusal.TEXT_MALFORMED),
        (await placed(bank, account, 1, party=bank.party), DepositsRefusal.TEXT_MALFORMED),
        (await placed(bank, account, 2**62), DepositsRefusal.AMOUNT_OUT_OF_RANGE),
        (await placed(bank, -1, 1), DepositsRefusal.ACCOUNT_MALFORMED),
        (await placed(bank, account, 1, expires_on=bank.day), DepositsRefusal.EXPIRY_IN_PAST),
        (
            await placed(bank, account, 401, **of_party, id=mine.id),
            DepositsRefusal.REQUEST_ID_REUSED,
        ),
        (await placed(bank, account, 1, pledgee=None, party=uuid4()), DepositsRefusal.PARTY_NOT_FOUND),
        (await placed(bank, 424_242, 1), DepositsRefusal.CONTRACT_NOT_FOUND),
        (await placed(bank, gone, 1), DepositsRefusal.CONTRACT_CLOSED),
        (await placed(bank, account, 601), DepositsRefusal.PLEDGE_UNCOVERED),
        (await released(bank, account, mine.id, reason="\ud800"), DepositsRefusal.TEXT_MALFORMED),
        (await released(bank, account, uuid4()), DepositsRefusal.PLEDGE_NOT_FOUND),
        (await released(bank, 424_242, mine.id), DepositsRefusal.PLEDGE_NOT_FOUND),
    ]
    assert [code(answer) for answer, _ in cases] == [wanted for _, wanted in cases]
    assert (await kept(bank, account))[1] == [400]


async def test_a_statement_says_what_is_pledged(bank: World) -> None:
    account = (await bank.open(amount_minor=100_000)).deposit.account

    async def text() -> str:
        async with bank.database.reading() as tx:
            made = await statement_pdf(tx, account, bank.day, bank.day, language="en", printed_on=bank.day)
        assert made is not None
        return PdfReader(io.BytesIO(made)).pages[0].extract_text()

    assert "pledged" not in await text()
    await placed(bank, account, 60_000)
    assert "Of which pledged: 600.00 CNY" in await text()


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(seed=st.integers(0, 2**32))
async def test_claims_have_what_a_clerk_would_give_them(database: Database, seed: int) -> None:
    """Orders first, pledges after them, each in its rank, of what is there."""
    chance, bank = random.Random(seed), await fresh_world(database)
    code_of = uuid4().hex
    await bank.launch(terms({**DEMAND, "code": code_of}))
    account = (await bank.open(code_of, 100_000)).deposit.account
    orders, pledges = list[tuple[UUID, int]](), list[tuple[UUID, int]]()
    money = 100_000
    for _ in range(25):
        amount, dice = chance.randint(1, 60_000), chance.random()
        if dice < 0.2:
            orders.append(((await ordered(bank, account, amount)).id, amount))
        elif dice < 0.5:
            answer = await placed(bank, account, amount)
            free = money - sum(wanted for _, wanted in [*orders, *pledges])
            assert isinstance(answer, Pledge) is (amount <= free)
            pledges += [(answer.id, amount)] if isinstance(answer, Pledge) else []
        elif dice < 0.6 and orders:
            id, _ = orders.pop(chance.randrange(len(orders)))
            await ended(bank, account, id)
        elif dice < 0.7 and pledges:
            id, _ = pledges.pop(chance.randrange(len(pledges)))
            await released(bank, account, id)
        elif dice < 0.85:
            await bank.move(account, amount)
            money += amount
            await actions.expire_orders(bank.database, bank.day, clock=bank.clock)
        elif not isinstance(await bank.move(account, -amount), Refusal):
            money -= amount
        left, should = money, list[int]()
        for _, wanted in [*orders, *pledges]:
            should.append(min(left, wanted))
            left -= should[-1]
        held = await kept(bank, account)
        assert [*held[0], *held[1]] == should
        short = sum(should) < sum(wanted for _, wanted in [*orders, *pledges])
        assert held[2] is (DepositStatus.FROZEN if short else DepositStatus.OPEN)
        bank.day += timedelta(days=chance.choice((0, 1)))
