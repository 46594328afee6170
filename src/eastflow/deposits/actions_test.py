"""The verbs of deposits on a real database: stories of contracts, refusals in their order, and rivals."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from eastflow.customers import (
    AccountClass,
    Channel,
    ClassedAccount,
    CustomersRefusal,
    Party,
    PartyKind,
    class_of_account,
    roles_of_account,
)
from eastflow.customers.actions import assign_class, register_party
from eastflow.kernel import Refusal
from eastflow.ledger import LedgerRefusal, Status, accounts, balance, entry, verify
from eastflow.ledger.actions import Engine, change_status
from eastflow.products import AtMaturity, Migration, ProductsRefusal
from eastflow.products.actions import plan_migration
from eastflow.storage import Transaction

from . import DepositsRefusal as Why
from . import DepositStatus, Executed, Opening, Order, Share, actions, deposit, orders_of
from .conftest import CALL, DEMAND, START, TERM, World, terms

Verb = Callable[[Transaction], Awaitable[Any]]


@pytest.fixture
async def bank(world: World) -> World:
    await world.start(DEMAND, TERM, CALL)
    return world


class By:
    """The verbs as a teller asks for them."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def __call__(self, verb: Callable[..., Awaitable[Any]], *told: Any, **more: Any) -> Any:
        given = {"today": self.world.day, "by": "teller", "clock": self.world.clock} | more
        return await self.world.database.run(lambda tx: verb(tx, *told, **given))

    async def pay_in(self, account: int, amount: int, *, id: UUID | None = None) -> Any:
        return await self(actions.pay_in, id or uuid4(), account, amount, self.world.cash, channel=Channel.BRANCH)

    async def pay_out(self, account: int, amount: int, *, id: UUID | None = None) -> Any:
        return await self(actions.pay_out, id or uuid4(), account, amount, self.world.cash, channel=Channel.BRANCH)

    async def close(self, account: int, *, id: UUID | None = None, target: int | None = None) -> Any:
        target = target or self.world.cash
        return await self(actions.close, id or uuid4(), account, target, channel=Channel.BRANCH)

    async def place(self, account: int, amount: int | None, until: date, id: UUID | None = None) -> Any:
        order = Order(id or uuid4(), account, "Court of Pudong", amount, until, self.world.day)
        world = self.world
        return await world.database.run(lambda tx: actions.place_order(tx, order, today=world.day, clock=world.clock))


async def posted(world: World, account: int) -> int:
    async with world.database.reading() as tx:
        found = await balance(tx, account)
    assert found is not None
    return found.posted_minor


async def test_a_demand_contract_from_opening_to_close(bank: World) -> None:
    by = By(bank)
    opened = await bank.open(amount_minor=100_000)
    account = opened.deposit.account
    async with bank.database.reading() as tx:
        [role] = await roles_of_account(tx, account)
        [known] = (await accounts(tx, [account])).values()
    assert (role.party, known.chart) == (bank.party, "liabilities:deposits:demand")
    bank.day += timedelta(days=10)
    paid = await by.pay_in(account, 50_000)
    await bank.move(account, -30_000)
    taken = await by.pay_out(account, 20_000)
    assert (paid.deposit.contract.balance_minor, taken.deposit.contract.balance_minor) == (150_000, 100_000)
    bank.day += timedelta(days=3)
    closed = await by.close(account)
    # 100,000 fen at 1.5 % for 13 days of 360.
    assert closed.deposit.status is DepositStatus.CLOSED
    assert await posted(bank, account) == 0
    async with bank.database.reading() as tx:
        interest = await entry(tx, closed.entries[0])
        [role] = await roles_of_account(tx, account)
        assert (await verify(tx)).proved
    assert interest is not None
    assert max(interest.amounts_minor) == (100_000 * 13 * 150 + 1_800_000) // 3_600_000
    assert role.until == bank.day
    assert (await by.pay_in(account, 1)).code is Why.CONTRACT_CLOSED


async def test_each_verb_answers_again_as_before_and_refuses_other_content(bank: World) -> None:
    by, id = By(bank), uuid4()
    account = (await bank.open(amount_minor=100_000)).deposit.account
    first = await by.pay_in(account, 700, id=id)
    again = await by.pay_in(account, 700, id=id)
    assert (again.replayed, again.entries, await posted(bank, account)) == (True, first.entries, 100_700)
    assert (await by.pay_in(account, 701, id=id)).code is Why.REQUEST_ID_REUSED
    assert (await by.pay_out(account, 700, id=id)).code is Why.REQUEST_ID_REUSED


async def test_rivals_with_one_id_do_it_once(bank: World) -> None:
    by, id = By(bank), uuid4()
    account = (await bank.open(amount_minor=100_000)).deposit.account
    done = await asyncio.gather(*(by.pay_in(account, 700, id=id) for _ in range(4)))
    assert sorted(each.replayed for each in done) == [False, True, True, True]
    await asyncio.gather(*(by.pay_out(account, 50_000) for _ in range(4)), *(bank.move(account, 5) for _ in range(4)))
    assert await posted(bank, account) == 720


async def test_a_refusal_leaves_nothing(bank: World) -> None:
    by = By(bank)
    told = Opening(uuid4(), "term", bank.party, amount_minor=10, source=bank.cash, account=55)
    refused = await by(actions.open_deposit, told, channel=Channel.APP)
    assert refused.code is ProductsRefusal.AMOUNT_BELOW_MINIMUM
    async with bank.database.reading() as tx:
        assert await deposit(tx, 55) is None
        assert await accounts(tx, [55]) == {}


async def test_a_term_renews_itself_and_is_paid_early_at_the_demand_rate(bank: World) -> None:
    by = By(bank)
    account = (await bank.open("term", 1_000_000)).deposit.account
    bank.day = date(2026, 4, 5)
    assert (await by.close(account)).deposit.status is DepositStatus.CLOSED
    account = (await bank.open("term", 1_000_000)).deposit.account
    bank.day = date(2026, 7, 5)
    done = await actions.run_maturities(bank.database, bank.day, clock=bank.clock)
    assert (done.accounts, done.refused) == (1, ())
    assert (await actions.run_maturities(bank.database, bank.day, clock=bank.clock)).accounts == 0
    assert await posted(bank, account) == 1_003_000
    bank.day = date(2026, 7, 15)
    closed = await by.close(account)
    assert [each.value for each in (closed.deposit.status,)] == ["closed"]
    async with bank.database.reading() as tx:
        out = await entry(tx, closed.entries[-1])
    # Ten days at 0.36 % of 1,003,000.
    assert out is not None
    assert max(out.amounts_minor) == 1_003_000 + 100


async def test_a_term_is_paid_out_to_the_nominated_account(bank: World) -> None:
    nominated = (await bank.open()).deposit.account
    account = (await bank.open("term", 600_000, at_maturity=AtMaturity.PAY_OUT, nominated=nominated)).deposit.account
    assert await bank.end_day(date(2026, 4, 6)) == []
    async with bank.database.reading() as tx:
        found = await deposit(tx, account)
    assert found is not None
    assert found.status is DepositStatus.CLOSED
    assert await posted(bank, nominated) == 601_800


@pytest.mark.parametrize("nominated", [None, 424_242, "term"])
async def test_what_matures_with_nowhere_to_be_paid_to_stays_for_its_customer(
    bank: World, nominated: int | str | None
) -> None:
    """None is named, there is none, or it is one that money does not simply come into."""
    by = By(bank)
    if isinstance(nominated, str):
        nominated = (await bank.open("term", 50_000)).deposit.account
    opened = {
        choice: (await bank.open("term", 600_000, at_maturity=choice, nominated=nominated)).deposit.account
        for choice in (AtMaturity.PAY_OUT, AtMaturity.RENEW_PRINCIPAL)
    }
    for _ in range(2):
        assert await bank.end_day(date(2026, 4, 5)) == []
    assert await posted(bank, opened[AtMaturity.PAY_OUT]) == 600_000
    # Interest that has nowhere to go is renewed with the rest.
    assert await posted(bank, opened[AtMaturity.RENEW_PRINCIPAL]) == 601_800
    async with bank.database.reading() as tx:
        for choice, account in opened.items():
            found = await deposit(tx, account)
            assert found is not None
            assert (found.status, found.contract.at_maturity) == (DepositStatus.OPEN, choice)
    bank.day = date(2026, 4, 15)
    closed = await by.close(opened[AtMaturity.PAY_OUT])
    async with bank.database.reading() as tx:
        out = await entry(tx, closed.entries[-1])
    # Ten days at 0.36 % of 600,000 after the term.
    assert out is not None
    assert max(out.amounts_minor) == 601_800 + 60


async def test_nothing_is_inherited_into_a_term(bank: World) -> None:
    by = By(bank)
    account, term = [(await bank.open(kind, 50_000)).deposit.account for kind in ("demand", "term")]
    for unfit in (term, account):
        refused = await by(actions.inherit, uuid4(), account, "C 1", [Share(bank.party, unfit, 1)])
        assert refused.code is Why.OTHER_ACCOUNT_UNFIT
    assert await posted(bank, term) == 50_000


async def test_who_was_refused_on_a_settlement_day_has_it_done_when_the_customer_comes(bank: World) -> None:
    by = By(bank)
    account = (await bank.open(amount_minor=1_000_000)).deposit.account
    await bank.database.run(lambda tx: change_status(tx, account, Status.FROZEN, clock=bank.clock))
    assert [refusal.code for refusal in await bank.end_day(date(2026, 1, 21))] == [LedgerRefusal.ACCOUNT_FROZEN]
    bank.day = date(2026, 1, 25)
    assert (await by.pay_out(account, 1)).code is LedgerRefusal.ACCOUNT_FROZEN
    await bank.database.run(lambda tx: change_status(tx, account, Status.OPEN, clock=bank.clock))
    assert isinstance(await by.pay_out(account, 1_000), Executed)
    first = 1_000_000 + 667
    assert await posted(bank, account) == first - 1_000
    for day in (date(2026, 1, 25), date(2026, 2, 21)):
        assert await bank.end_day(day) == []
    # Four days of the whole, then what is left, at 1.5 % and from 10 February 2.25 %.
    second = (first * 4 * 150 + (first - 1_000) * (16 * 150 + 11 * 225) + 1_800_000) // 3_600_000
    assert await posted(bank, account) == first - 1_000 + second


async def test_what_comes_in_is_held_for_an_order_that_had_less(bank: World) -> None:
    account = (await bank.open(amount_minor=5_000)).deposit.account
    order = Order(uuid4(), account, "Court", 10_000, date(2027, 1, 1), bank.day)
    await bank.database.run(lambda tx: actions.place_order(tx, order, today=bank.day, clock=bank.clock))
    await bank.move(account, 100_000)
    assert (await actions.expire_orders(bank.database, bank.day, clock=bank.clock)).accounts == 1
    async with bank.database.reading() as tx:
        [held] = await orders_of(tx, account)
        known = (await accounts(tx, [account]))[account]
    assert (held.held_minor, known.status) == (10_000, Status.OPEN)
    assert (await actions.expire_orders(bank.database, bank.day, clock=bank.clock)).accounts == 0


async def test_an_order_on_an_account_that_others_closed_keeps_no_day_open(bank: World) -> None:
    account = (await bank.open()).deposit.account
    order = Order(uuid4(), account, "Court", None, date(2026, 2, 1), bank.day)
    await bank.database.run(lambda tx: actions.place_order(tx, order, today=bank.day, clock=bank.clock))
    await bank.database.run(lambda tx: change_status(tx, account, Status.CLOSED, clock=bank.clock))
    done = await actions.expire_orders(bank.database, date(2026, 2, 1), clock=bank.clock)
    assert (done.accounts, done.refused) == (1, ())
    async with bank.database.reading() as tx:
        [ended] = await orders_of(tx, account)
    assert ended.ended_on == date(2026, 2, 1)


async def test_a_held_term_is_renewed_when_the_customer_comes(bank: World) -> None:
    by = By(bank)
    account = (await bank.open("term", 1_000_000, at_maturity=AtMaturity.HOLD)).deposit.account
    assert (await by(actions.renew, uuid4(), account)).code is ProductsRefusal.TERM_NOT_MATURED
    bank.day = date(2026, 4, 5)
    await actions.run_maturities(bank.database, bank.day, clock=bank.clock)
    bank.day = date(2026, 4, 15)
    assert (await by(actions.renew, uuid4(), account)).deposit.contract.balance_minor == 1_003_100


async def test_a_call_deposit_is_taken_after_notice(bank: World) -> None:
    by = By(bank)
    account = (await bank.open("call", 1_000_000)).deposit.account
    bank.day += timedelta(days=13)
    noticed = await by(actions.give_notice, uuid4(), account, 400_000)
    assert noticed.deposit.contract.notices[0].due_on == date(2026, 1, 25)
    bank.day = date(2026, 1, 25)
    taken = await by.pay_out(account, 400_000)
    assert await posted(bank, account) == 600_000
    async with bank.database.reading() as tx:
        interest = await entry(tx, taken.entries[0])
    assert interest is not None
    assert max(interest.amounts_minor) == 160


async def test_orders_of_a_court_in_their_rank(bank: World) -> None:
    by, id = By(bank), uuid4()
    account = (await bank.open(amount_minor=100_000)).deposit.account
    first = await by.place(account, 60_000, date(2026, 3, 1), id)
    assert (first.rank, first.held_minor) == (1, 60_000)
    assert await by.place(account, 60_000, date(2026, 3, 1), id) == first
    assert (await by.place(account, 60_001, date(2026, 3, 1), id)).code is Why.REQUEST_ID_REUSED
    assert (await by.pay_out(account, 40_001)).code is LedgerRefusal.INSUFFICIENT_FUNDS
    # The second asks for more than is left: what is left is held, and nothing leaves the account.
    second = await by.place(account, 70_000, date(2026, 6, 1))
    assert (second.rank, second.held_minor, second.short_minor) == (2, 40_000, 30_000)
    assert (await by.pay_out(account, 1)).code is Why.CONTRACT_FROZEN
    assert (await bank.move(account, -1)).code is LedgerRefusal.ACCOUNT_FROZEN  # type: ignore[union-attr]
    # The first expires by itself, and the second takes what it leaves.
    bank.day = date(2026, 1, 21)
    assert (await actions.expire_orders(bank.database, date(2026, 3, 1), clock=bank.clock)).accounts == 1
    assert (await actions.expire_orders(bank.database, date(2026, 3, 1), clock=bank.clock)).accounts == 0
    async with bank.database.reading() as tx:
        [one, two] = await orders_of(tx, account)
    assert (one.ended_on, two.held_minor) == (date(2026, 3, 1), 70_000)
    assert isinstance(await by.pay_out(account, 30_000), Executed)
    world = bank

    async def end(order: UUID) -> Any:
        return await world.database.run(
            lambda tx: actions.end_order(tx, account, order, today=world.day, clock=world.clock)
        )

    assert (await end(uuid4())).code is Why.ORDER_NOT_FOUND
    assert (await end(two.id)).ended_on == world.day
    assert (await end(two.id)).ended_on == world.day
    assert isinstance(await by.close(account), Executed)


async def test_a_whole_account_is_frozen_and_still_earns(bank: World) -> None:
    by = By(bank)
    account = (await bank.open(amount_minor=100_000)).deposit.account
    whole = await by.place(account, None, date(2026, 2, 1))
    assert whole.short_minor == 0
    assert (await by.close(account)).code is Why.CONTRACT_FROZEN
    assert isinstance(await by.pay_in(account, 5), Executed)
    bank.day = date(2026, 2, 1)
    await actions.expire_orders(bank.database, bank.day, clock=bank.clock)
    async with bank.database.reading() as tx:
        found = await deposit(tx, account)
    assert found is not None
    assert found.status is DepositStatus.OPEN


async def test_heirs_share_what_there_is(bank: World) -> None:
    by, heir = By(bank), uuid4()
    account = (await bank.open(amount_minor=100_001)).deposit.account
    mine = (await bank.open()).deposit.account
    await bank.database.run(
        lambda tx: register_party(tx, Party(heir, PartyKind.PERSON, "Li Min", START), clock=bank.clock)
    )
    owner, bank.party = bank.party, heir
    theirs = (await bank.open()).deposit.account
    shares = [Share(owner, mine, 2), Share(heir, theirs, 1)]
    wrong = [Share(heir, mine, 1)]
    assert (await by(actions.inherit, uuid4(), account, "No. 7", wrong)).code is Why.HEIR_NOT_OWNER
    assert (await by(actions.inherit, uuid4(), account, "No. 7", [])).code is Why.SHARES_MALFORMED
    done = await by(actions.inherit, uuid4(), account, "No. 7", shares)
    assert done.deposit.status is DepositStatus.CLOSED
    assert [await posted(bank, each) for each in (account, mine, theirs)] == [0, 66_668, 33_333]


async def test_heirs_have_what_lies_under_the_floor_too(bank: World) -> None:
    await bank.launch(terms({**DEMAND, "code": "kept", "limits": {"floor_minor": 1_000, "opening_min_minor": 1_000}}))
    account = (await bank.open("kept", 100_000)).deposit.account
    mine = (await bank.open()).deposit.account
    done = await By(bank)(actions.inherit, uuid4(), account, "No. 9", [Share(bank.party, mine, 1)])
    assert (done.deposit.status, await posted(bank, mine)) == (DepositStatus.CLOSED, 100_000)


async def test_a_contract_sleeps_and_is_woken(bank: World) -> None:
    by = By(bank)
    account = (await bank.open(amount_minor=100_000)).deposit.account
    assert (await by(actions.reactivate, uuid4(), account)).code is Why.NOT_DORMANT
    bank.day = date(2026, 1, 20)
    assert (await actions.mark_dormant(bank.database, date(2027, 1, 4), clock=bank.clock)).accounts == 0
    assert (await actions.mark_dormant(bank.database, date(2027, 1, 5), clock=bank.clock)).accounts == 1
    assert (await by.pay_out(account, 1)).code is Why.CONTRACT_DORMANT
    async with bank.database.reading() as tx:
        [known] = (await accounts(tx, [account])).values()
    assert known.status is Status.DEBITS_FROZEN
    woken = await by(actions.reactivate, uuid4(), account)
    assert woken.deposit.status is DepositStatus.OPEN
    assert isinstance(await by.pay_out(account, 1), Executed)


async def test_contracts_go_on_under_another_version(bank: World) -> None:
    account = (await bank.open(amount_minor=1_000_000)).deposit.account
    dear = {**DEMAND, "rates": {"changes": [{"since": "2020-01-01", "tiers": [{"percent": "3.60"}]}]}}
    bank.day = date(2026, 1, 10)
    target = await bank.launch(terms(dear))
    plan = Migration(uuid4(), "demand", 1, target, date(2026, 1, 15), "planner")
    planned = await bank.database.run(lambda tx: plan_migration(tx, plan, today=bank.day, clock=bank.clock))
    assert not isinstance(planned, Refusal)
    bank.day = date(2026, 1, 15)
    async with Engine(bank.database, clock=bank.clock, today=lambda: bank.day) as engine:
        for _ in range(2):
            await actions.accrue_moved(bank.database, bank.day, clock=bank.clock)
            await actions.migrate_contracts(engine, bank.day)
    async with bank.database.reading() as tx:
        found = await deposit(tx, account)
    assert found is not None
    assert (found.version, found.terms_since) == (target, bank.day)
    # Ten days at 1.5 %, and from then on 3.6 %.
    assert await posted(bank, account) == 1_000_000 + 417


async def test_the_limits_of_an_accounts_class_are_used_up(bank: World) -> None:
    by = By(bank)
    account = (await bank.open(amount_minor=5_000_000)).deposit.account
    classed = ClassedAccount(account, bank.party, AccountClass.II, bank.day, Channel.BRANCH, face_to_face=True)
    answer = await bank.database.run(lambda tx: assign_class(tx, classed, today=bank.day, clock=bank.clock))
    assert answer == classed
    # A class II account pays out 10,000 yuan a day.
    assert isinstance(await by.pay_out(account, 900_000), Executed)
    assert (await by.pay_out(account, 100_001)).code is CustomersRefusal.DAY_LIMIT_EXCEEDED
    assert isinstance(await by.pay_out(account, 100_000), Executed)
    bank.day += timedelta(days=1)
    own = (await bank.open("term", 5_000)).deposit.account
    assert (await by.pay_in(own, 5)).code is ProductsRefusal.OPERATION_NOT_OFFERED
    assert isinstance(await by.close(own, target=account), Executed)
    heir = (await bank.open()).deposit.account
    assert isinstance(await by(actions.inherit, uuid4(), account, "No. 8", [Share(bank.party, heir, 1)]), Executed)
    async with bank.database.reading() as tx:
        ended = await class_of_account(tx, account)
    assert ended is None or ended.until == bank.day


async def test_refusals_come_in_their_order(bank: World) -> None:
    by, cash = By(bank), bank.cash
    nobody, day = uuid4(), bank.day
    opened = (await bank.open(amount_minor=100_000)).deposit.account

    async def opening(**changes: Any) -> Any:
        told: dict[str, Any] = {"id": uuid4(), "product": "demand", "party": bank.party} | changes
        return await by(actions.open_deposit, Opening(**told), channel=Channel.APP)

    assert (await opening(product="a\0", amount_minor=-1)).code is Why.TEXT_MALFORMED
    assert (await opening(product="\ud800")).code is Why.TEXT_MALFORMED
    assert (await opening(amount_minor=-1, account=0)).code is Why.AMOUNT_OUT_OF_RANGE
    assert (await opening(amount_minor=1 << 80)).code is Why.AMOUNT_OUT_OF_RANGE
    assert (await opening(account=1 << 70, amount_minor=5)).code is Why.ACCOUNT_MALFORMED
    assert (await opening(amount_minor=5, party=nobody)).code is Why.SOURCE_MISSING
    assert (await by.place(opened, None, day)).code is Why.EXPIRY_IN_PAST
    assert (await opening(party=nobody, product="none")).code is Why.PARTY_NOT_FOUND
    assert (await opening(product="none", account=opened)).code is Why.PRODUCT_NOT_FOUND
    assert (await opening(account=opened)).code is Why.ACCOUNT_TAKEN
    assert (await by.pay_in(77, 1)).code is Why.CONTRACT_NOT_FOUND
    term = (await bank.open("term", 5_000)).deposit.account
    away = await by(actions.pay_out, uuid4(), opened, 1, term, channel=Channel.APP)
    assert away.code is Why.OTHER_ACCOUNT_UNFIT
    assert (await by.place(77, None, date.max)).code is Why.CONTRACT_NOT_FOUND
    assert (await by(actions.inherit, uuid4(), opened, " ", [Share(nobody, 0, 1)])).code is Why.TEXT_MALFORMED
    assert (await opening(amount_minor=5, source=cash + 1)).code is LedgerRefusal.ACCOUNT_NOT_FOUND
