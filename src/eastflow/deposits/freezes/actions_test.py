"""An order of a court, dormancy and a freeze by somebody else stand side by side: none lifts another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import product
from uuid import UUID, uuid4

import pytest

from eastflow.kernel import Refusal
from eastflow.ledger import LedgerRefusal, Status, accounts
from eastflow.ledger.actions import change_status

from .. import DepositsRefusal, DepositStatus, Executed, Order, Share, actions, deposit
from ..conftest import DEMAND, World
from ..decide import account_status, decide_beneath
from ..model import Beneath

COURTS_DAY = date(2026, 3, 1)


@pytest.fixture
async def bank(world: World) -> World:
    await world.start(DEMAND)
    return world


async def opened(world: World) -> int:
    return (await world.open(amount_minor=100_000)).deposit.account


async def left(world: World, account: int, status: Status) -> None:
    """By somebody who gives no order here."""
    await world.database.run(lambda tx: change_status(tx, account, status, clock=world.clock))


async def slept(world: World) -> None:
    assert (await actions.mark_dormant(world.database, date(2027, 1, 5), clock=world.clock)).refused == ()


async def placed(world: World, account: int, amount_minor: int | None, until: date = COURTS_DAY) -> UUID:
    order = Order(uuid4(), account, "Court of Pudong", amount_minor, until, world.day)
    answer = await world.database.run(lambda tx: actions.place_order(tx, order, today=world.day, clock=world.clock))
    assert isinstance(answer, Order)
    return order.id


async def ended(world: World, account: int, order: UUID) -> None:
    answer = await world.database.run(
        lambda tx: actions.end_order(tx, account, order, today=world.day, clock=world.clock)
    )
    assert isinstance(answer, Order)


async def standing(world: World, account: int) -> tuple[DepositStatus, Status]:
    async with world.database.reading() as tx:
        found, known = await deposit(tx, account), await accounts(tx, [account])
    assert found is not None
    return found.status, known[account].status


@pytest.mark.parametrize("frozen", [Status.FROZEN, Status.DEBITS_FROZEN])
@pytest.mark.parametrize("amounts", [(1_000,), (None,), (200_000,), (None, 1_000), (1_000, None, 500_000)])
async def test_an_order_lifts_no_freeze_of_others(bank: World, frozen: Status, amounts: Sequence[int | None]) -> None:
    account = await opened(bank)
    await left(bank, account, frozen)
    orders = [await placed(bank, account, amount) for amount in amounts]
    assert (await standing(bank, account))[1] is frozen
    refused = await bank.move(account, -50_000)
    assert isinstance(refused, Refusal)
    assert refused.code is LedgerRefusal.ACCOUNT_FROZEN
    for order in orders[1:]:
        await ended(bank, account, order)
    assert (await actions.expire_orders(bank.database, COURTS_DAY, clock=bank.clock)).accounts == 1
    assert await standing(bank, account) == (DepositStatus.OPEN, frozen)
    await left(bank, account, Status.OPEN)
    assert not isinstance(await bank.move(account, -50_000), Refusal)


async def test_what_others_do_while_an_order_stands_is_kept(bank: World) -> None:
    account = await opened(bank)
    order = await placed(bank, account, None)
    await left(bank, account, Status.FROZEN)
    second = await placed(bank, account, 5)
    await ended(bank, account, order)
    assert await standing(bank, account) == (DepositStatus.OPEN, Status.FROZEN)
    await left(bank, account, Status.OPEN)
    await ended(bank, account, second)
    assert await standing(bank, account) == (DepositStatus.OPEN, Status.OPEN)


@pytest.mark.parametrize("amount_minor", [None, 1_000, 200_000])
async def test_a_dormant_contract_sleeps_on_after_an_order(bank: World, amount_minor: int | None) -> None:
    account = await opened(bank)
    await slept(bank)
    order = await placed(bank, account, amount_minor)
    await placed(bank, account, None)
    assert await standing(bank, account) == (DepositStatus.FROZEN, Status.DEBITS_FROZEN)
    await ended(bank, account, order)
    await actions.expire_orders(bank.database, COURTS_DAY, clock=bank.clock)
    assert await standing(bank, account) == (DepositStatus.DORMANT, Status.DEBITS_FROZEN)
    assert isinstance(await woken(bank, account), Executed)
    assert await standing(bank, account) == (DepositStatus.OPEN, Status.OPEN)


@pytest.mark.parametrize("frozen", [Status.FROZEN, Status.DEBITS_FROZEN])
async def test_a_contract_that_wakes_keeps_the_freeze_of_others(bank: World, frozen: Status) -> None:
    account = await opened(bank)
    await left(bank, account, frozen)
    await slept(bank)
    assert await standing(bank, account) == (DepositStatus.DORMANT, frozen)
    heirs = [Share(bank.party, await opened(bank), 1)]
    told = {"today": bank.day, "by": "teller", "clock": bank.clock}
    inherited = await bank.database.run(lambda tx: actions.inherit(tx, uuid4(), account, "No. 7", heirs, **told))  # type: ignore[arg-type]
    assert isinstance(inherited, Refusal)
    assert inherited.code is LedgerRefusal.ACCOUNT_FROZEN
    assert await standing(bank, account) == (DepositStatus.DORMANT, frozen)
    assert isinstance(await woken(bank, account), Executed)
    assert await standing(bank, account) == (DepositStatus.OPEN, frozen)


async def test_under_an_order_nobody_wakes_it(bank: World) -> None:
    account = await opened(bank)
    await slept(bank)
    await placed(bank, account, None)
    refused = await woken(bank, account)
    assert isinstance(refused, Refusal)
    assert refused.code is DepositsRefusal.NOT_DORMANT


async def woken(world: World, account: int) -> Executed | Refusal:
    return await world.database.run(
        lambda tx: actions.reactivate(tx, uuid4(), account, today=world.day, by="teller", clock=world.clock)
    )


@pytest.mark.parametrize(
    ("others", "asleep", "ordered", "then"),
    list(product((Status.OPEN, Status.DEBITS_FROZEN, Status.FROZEN), (False, True), (False, True), Status)),
)
def test_what_others_do_next_is_told_from_what_this_room_did(
    others: Status, asleep: bool, ordered: bool, then: Status
) -> None:
    if then is Status.CLOSED or not (asleep or ordered):
        return
    under = Beneath(asleep, others)
    put = account_status(under, ordered=ordered)
    found = decide_beneath(DepositStatus.FROZEN, then, under)
    assert found == (under if then is put else Beneath(asleep, then))


@pytest.mark.parametrize(
    ("status", "known", "under"),
    [
        (DepositStatus.OPEN, Status.DEBITS_FROZEN, Beneath(False, Status.DEBITS_FROZEN)),
        (DepositStatus.DORMANT, Status.DEBITS_FROZEN, Beneath(True, Status.OPEN)),
        (DepositStatus.DORMANT, Status.FROZEN, Beneath(True, Status.FROZEN)),
        (DepositStatus.FROZEN, Status.DEBITS_FROZEN, Beneath(False, Status.OPEN)),
    ],
)
def test_of_those_frozen_before_it_was_kept(status: DepositStatus, known: Status, under: Beneath) -> None:
    assert decide_beneath(status, known, None) == under
