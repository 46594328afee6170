"""Pieces and value move together: the stock of a place, and the entry beside it."""

from __future__ import annotations

from datetime import date

from eastflow.kernel import Refusal
from eastflow.ledger import Entry, LedgerRefusal, Side
from eastflow.ledger.actions import internal_account, post
from eastflow.storage import Retry, Transaction, UniqueViolation

from .. import store
from ..model import Cash, Place, Stock


async def stock_of(tx: Transaction, place: Place, asset: str, today: date) -> Stock | Refusal:
    """What is in the place; of an asset that was never there, nothing, at version 0."""
    found = await store.stock(tx, place, asset)
    if found is not None:
        return found
    account = await own_account(tx, place.chart, asset, Side.DEBIT, today)
    return account if isinstance(account, Refusal) else Stock(place, account, Cash(asset), counted=False, version=0)


async def write_stock(tx: Transaction, before: Stock, after: Stock) -> None:
    try:
        if before.version == 0:
            await store.insert_stock(tx, after)
        elif not await store.update_stock(tx, before, after):
            raise Retry("the cash was moved in the same moment")
    except UniqueViolation as rival:
        raise Retry("the cash was moved in the same moment") from rival


async def own_account(tx: Transaction, chart: str, asset: str, side: Side, today: date) -> int | Refusal:
    found = await internal_account(tx, chart, asset, side, today=lambda: today)
    if isinstance(found, Refusal) and found.code is LedgerRefusal.ACCOUNT_ID_REUSED:
        raise Retry("another of the bank's own accounts was opened in the same moment")
    return found


async def post_entry(tx: Transaction, moved: Entry, today: date) -> Refusal | None:
    [outcome] = await post(tx, [moved], today=lambda: today)
    return outcome if isinstance(outcome, Refusal) else None
