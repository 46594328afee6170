"""Takes the Czech bank's permanent orders over as standing orders of ours, to be paid month by month.

The source tells neither when an order began nor on which day of the month it is paid, so both are the caller's to say.
An order's id is made of the source's alone: taking over again answers with the orders as they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from uuid import UUID, uuid5

from eastflow.kernel import Refusal
from eastflow.payments import Endpoint, Frequency, StandingOrder
from eastflow.payments.actions import set_up_orders
from eastflow.storage import Database, Transaction

from .importer import CROWN, NO_LINE, customer_account
from .read import Source, read
from .records import PermanentOrder, Refused, Symbol

BATCH_ORDERS = 3_000
BY = "berka"
_ORDERS = UUID("0d0e3f57-5f1c-4a67-9a63-6d1b1f0f6f0e")
"""Drawn once. With an order's number it makes the same id on each run."""
_PURPOSES = {
    Symbol.HOUSEHOLD: "household",
    Symbol.INSURANCE: "insurance",
    Symbol.LOAN: "loan",
    Symbol.LEASING: "leasing",
}


@dataclass(frozen=True, slots=True)
class OrdersImport:
    """How many orders there are now, what they come to in a month, and which were refused."""

    orders: int
    monthly_minor: int
    refused: tuple[Refused, ...]


def order_id(source_id: int) -> UUID:
    return uuid5(_ORDERS, f"berka:order:{source_id}")


def standing_order(order: PermanentOrder, first_on: date) -> StandingOrder:
    """Without a retry: the source's accounts have no floor, so that money is never missing."""
    return StandingOrder(
        id=order_id(order.order_id),
        debtor=customer_account(order.account_id),
        creditor=Endpoint("", order.other_account, order.other_bank),
        amount_minor=order.amount_minor,
        asset=CROWN.code,
        first_on=first_on,
        frequency=Frequency.MONTHLY,
        remittance=_PURPOSES.get(order.symbol, ""),
    )


async def import_berka_orders(database: Database, directory: Path, *, first_on: date, today: date) -> OrdersImport:
    """From the bank's files. Errors: SourceRefused when a file cannot be used; StorageFault."""
    source = await asyncio.to_thread(read, directory)
    return await import_orders(database, source, first_on=first_on, today=today)


async def import_orders(database: Database, source: Source, *, first_on: date, today: date) -> OrdersImport:
    """Its accounts are open already. Errors: StorageFault, after which import again."""
    orders = list(source.orders.values())
    refused: list[Refused] = []
    monthly_minor = 0
    for start in range(0, len(orders), BATCH_ORDERS):
        part = orders[start : start + BATCH_ORDERS]
        wanted = [standing_order(order, first_on) for order in part]
        answers = await database.run(partial(_set_up, wanted, today))
        for order, answer in zip(part, answers, strict=True):
            if isinstance(answer, Refusal):
                refused.append(Refused("order.asc", NO_LINE, f"order_id {order.order_id}: {answer.code.value}"))
            else:
                monthly_minor += order.amount_minor
    return OrdersImport(len(orders) - len(refused), monthly_minor, tuple(refused))


async def _set_up(wanted: Sequence[StandingOrder], today: date, tx: Transaction) -> Sequence[StandingOrder | Refusal]:
    return await set_up_orders(tx, wanted, today=today, by=BY)
