"""A court's order and a freeze by somebody else stand side by side: neither lifts the other."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest

from eastflow.kernel import Refusal
from eastflow.ledger import LedgerRefusal, Status, accounts
from eastflow.ledger.actions import change_status

from .. import Order, actions
from ..conftest import DEMAND, World


@pytest.mark.parametrize("frozen", [Status.FROZEN, Status.DEBITS_FROZEN])
async def test_an_order_lifts_no_freeze_of_others(world: World, frozen: Status) -> None:
    await world.start(DEMAND)
    account = (await world.open(amount_minor=100_000)).deposit.account
    await world.database.run(lambda tx: change_status(tx, account, frozen, clock=world.clock))
    order = Order(uuid4(), account, "Court of Pudong", 1_000, date(2026, 3, 1), world.day)
    placed = await world.database.run(lambda tx: actions.place_order(tx, order, today=world.day, clock=world.clock))
    assert isinstance(placed, Order)
    assert placed.held_minor == 1_000
    assert await status(world, account) is frozen
    refused = await world.move(account, -50_000)
    assert isinstance(refused, Refusal)
    assert refused.code is LedgerRefusal.ACCOUNT_FROZEN
    assert await actions.expire_orders(world.database, date(2026, 3, 1), clock=world.clock) == 1
    assert await status(world, account) is frozen


async def status(world: World, account: int) -> Status:
    async with world.database.reading() as tx:
        return (await accounts(tx, [account]))[account].status
