"""The Czech bank's 6,471 permanent orders, paid month by month: each month comes to the file's sums, and once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from eastflow.ledger import balance, trial_balance_at, verify
from eastflow.ledger.actions import Engine
from eastflow.payments import Run, occurrences, payment, payments_page, standing_order
from eastflow.payments.actions import cancel_order, run_standing_orders
from eastflow.storage import Database

from . import importer
from .importer import customer_account
from .read import Source, read
from .sample import write_files
from .standing_orders import OrdersImport, import_orders, order_id

JANUARY, FEBRUARY, MARCH = date(1999, 1, 31), date(1999, 2, 28), date(1999, 3, 31)
ORDERS = 6_471


async def set_up(database: Database, source: Source) -> None:
    """The accounts, without their past."""
    async with Engine(database) as engine:
        await importer._set_up(engine, source, lambda step, done, total: None)


async def clearing_minor(database: Database) -> int:
    async with database.reading() as tx:
        found = await trial_balance_at(tx, None)
    return sum(place.signed_minor for place in found.positions if place.chart == "assets:clearing")


async def test_an_order_is_taken_over_once_and_paid(database: Database, tmp_path: Path) -> None:
    source = read(write_files(tmp_path))
    await set_up(database, source)
    for _ in range(2):
        taken = await import_orders(database, source, first_on=JANUARY, today=JANUARY)
        assert taken == OrdersImport(1, 245_200, ())
    assert await run_standing_orders(database, MARCH) == Run(paid=3)
    async with database.reading() as tx:
        [first, *_] = await occurrences(tx, order_id(21))
        assert first.payment is not None
        paid = await payment(tx, first.payment)
    assert paid is not None
    assert (paid.creditor.account, paid.creditor.bank, paid.remittance) == ("087144583", "YZ", "household")
    await database.run(lambda tx: cancel_order(tx, order_id(21)))
    assert (await import_orders(database, source, first_on=JANUARY, today=JANUARY)).orders == 1
    other = replace(source.orders[21], amount_minor=1)
    refused = await import_orders(database, replace(source, orders={21: other}), first_on=JANUARY, today=JANUARY)
    assert [each.reason for each in refused.refused] == ["order_id 21: payments.id_reused"]


@pytest.mark.parametrize("partitions", [2])
async def test_the_real_orders_come_to_the_files_sums_each_month(
    database: Database, berka: Source, partitions: int
) -> None:
    assert len(berka.orders) == ORDERS
    monthly_minor = sum(order.amount_minor for order in berka.orders.values())
    by_account = Counter[int]()
    for order in berka.orders.values():
        by_account[order.account_id] += order.amount_minor
    await set_up(database, berka)
    taken = await import_orders(database, berka, first_on=JANUARY, today=JANUARY)
    assert taken == OrdersImport(ORDERS, monthly_minor, ())

    for month, day in enumerate((JANUARY, FEBRUARY, MARCH), 1):
        for again in (False, True):
            runs = [
                await run_standing_orders(database, day, partition=part, partitions=partitions)
                for part in range(partitions)
            ]
            assert sum(runs, Run()) == (Run() if again else Run(paid=ORDERS))
        # A credit of clearing is owed to the other banks.
        assert await clearing_minor(database) == month * monthly_minor
        async with database.reading() as tx:
            for account in sorted(by_account)[::97]:
                standing = await balance(tx, customer_account(account))
                assert standing is not None
                assert standing.posted_minor == -month * by_account[account]
    async with database.reading() as tx:
        following = await standing_order(tx, order_id(29_401))
        paid = await payments_page(tx, account=customer_account(1), limit=9)
        proof = await verify(tx)
    assert following is not None
    assert following.due_on == date(1999, 4, 30)
    assert sorted(each.settlement_date for each in paid) == [date(1999, 2, 1), date(1999, 3, 1), date(1999, 3, 31)]
    assert (proof.proved, proof.entries) == (True, 3 * ORDERS)
