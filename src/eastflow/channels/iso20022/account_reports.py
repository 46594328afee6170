"""Statements and notifications of an account's day, as messages: what the ledger has, and nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from eastflow import ledger
from eastflow.kernel import Asset
from eastflow.ledger import Account, Statement
from eastflow.payments import with_remittances
from eastflow.storage import Clock, Transaction, now

from . import amounts, write
from .model import Header
from .settings import Iso20022Settings

ENTRIES_PER_PAGE = 1_000


async def statement(
    tx: Transaction, account: int, day: date, *, page: int = 1, settings: Iso20022Settings, clock: Clock = now
) -> bytes | None:
    """A `camt.053` of one past day (of UTC), a thousand entries a page; None where there is no such account or page.

    Its balances are those at the beginning and the end of the day, on every page. A day that goes on has no closing
    balance: its statement is None too, and so is one with an amount that no message can carry.
    """
    if not is_over(day, clock()):
        return None
    found = await _page(tx, account, day, page)
    if found is None:
        return None
    of, asset, entries = found
    ended = datetime.combine(day + timedelta(days=1), time(), UTC)
    header = Header(_id("S", account, day, page), write.moment(ended))
    return write.statement(header, of, asset, entries, page, servicer=settings.bank)


async def notification(
    tx: Transaction, account: int, day: date, *, page: int = 1, settings: Iso20022Settings, clock: Clock = now
) -> bytes | None:
    """A `camt.054`: what was booked on a day (of UTC) so far; None where there is no such account or page."""
    found = await _page(tx, account, day, page)
    if found is None:
        return None
    of, asset, entries = found
    header = Header(_id("N", account, day, page), write.moment(clock()))
    return write.notification(header, of, asset, entries, page, servicer=settings.bank)


def is_over(day: date, at: datetime) -> bool:
    return day < at.astimezone(UTC).date()


async def _page(tx: Transaction, account: int, day: date, number: int) -> tuple[Account, Asset, Statement] | None:
    of = (await ledger.accounts(tx, [account])).get(account)
    asset = None if of is None else await ledger.asset(tx, of.asset)
    if of is None or asset is None:
        return None
    page: Statement | None = await ledger.statement(tx, of, day, day, limit=ENTRIES_PER_PAGE)
    for _ in range(1, number):
        if page is None or page.cursor is None:
            return None
        page = await ledger.statement_after(tx, of, page.cursor, limit=ENTRIES_PER_PAGE)
    return (of, asset, await with_remittances(tx, page)) if page is not None and _fits(page, asset) else None


def _fits(page: Statement, asset: Asset) -> bool:
    """Whether a message can tell all of its amounts."""
    told = (page.opening_minor, page.closing_minor, *(line.posting.amount_minor for line in page.lines))
    return all(amounts.fits(amount, asset) for amount in told)


def _id(letter: str, account: int, day: date, page: int) -> str:
    """The same each time it is asked for."""
    return f"{letter}{account}-{day:%Y%m%d}-{page}"
