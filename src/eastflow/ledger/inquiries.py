"""Statements, searches and the trial balance, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate

from eastflow.storage import Transaction

from . import cursor as cursors
from .model import Account, BookedPosting
from .reports import Basis, EntryFilter, EntryPage, Statement, TrialBalance, trial_balance
from .store import reads, searches

PAGE_MAX = 1_000
_NEVER = 1 << 62


@dataclass(frozen=True, slots=True)
class _StatementCursor:
    account: int
    basis: Basis
    since: date
    until: date
    sequence: int
    value_date: date
    balance_minor: int


@dataclass(frozen=True, slots=True)
class _SearchCursor:
    wanted: EntryFilter
    sequence: int | None
    place: tuple[datetime, int, int] | None


async def statement(
    tx: Transaction, account: Account, since: date, until: date, *, basis: Basis = Basis.BOOKED, limit: int = 100
) -> Statement:
    """The first page of the period, both days included (as booked: days of UTC)."""
    before = since - timedelta(days=1)
    if basis is Basis.VALUED:
        opening = await reads.balance_valued_on(tx, account.id, before)
        start = _StatementCursor(account.id, basis, since, until, 0, since, opening)
    else:
        sequence = await reads.sequence_booked_before(tx, account.id, _midnight(since))
        opening = await reads.balance_after(tx, account.id, sequence)
        start = _StatementCursor(account.id, basis, since, until, sequence, since, opening)
    return await _statement_page(tx, account, start, limit)


async def statement_after(tx: Transaction, account: Account, cursor: str, *, limit: int = 100) -> Statement | None:
    """The page a cursor asks for; None if the cursor is of another account. Errors: CursorMalformed."""
    start = cursors.decode(cursor, _StatementCursor)
    return await _statement_page(tx, account, start, limit) if start.account == account.id else None


async def _statement_page(tx: Transaction, account: Account, start: _StatementCursor, limit: int) -> Statement:
    limit = min(limit, PAGE_MAX)
    if start.basis is Basis.VALUED:
        opening = await reads.balance_valued_on(tx, account.id, start.since - timedelta(days=1))
        closing = await reads.balance_valued_on(tx, account.id, start.until)
        found = await reads.postings_valued(
            tx, account.id, since=start.since, until=start.until, after=(start.value_date, start.sequence),
            limit=limit + 1,
        )  # fmt: skip
        running = _running(account, start.balance_minor, found)
    else:
        first = await reads.sequence_booked_before(tx, account.id, _midnight(start.since))
        last = await reads.sequence_booked_before(tx, account.id, _midnight(start.until + timedelta(days=1)))
        opening = await reads.balance_after(tx, account.id, first)
        closing = await reads.balance_after(tx, account.id, last)
        found = await reads.postings(tx, account.id, after=start.sequence, through=last, limit=limit + 1)
        running = [posting.balance_minor for posting in found]
    page, balances = found[:limit], running[:limit]
    following = None
    if len(found) > limit:
        end = page[-1]
        following = cursors.encode(
            _StatementCursor(
                account.id, start.basis, start.since, start.until, end.sequence, end.value_date, balances[-1]
            )
        )
    lines = await reads.lines(tx, page, balances)
    return Statement(
        account.id, start.basis, start.since, start.until, opening, closing, tuple(lines), following
    )  # fmt: skip


def _running(account: Account, before_minor: int, found: Sequence[BookedPosting]) -> list[int]:
    moves = (account.side.sign * posting.amount_minor for posting in found)
    return list(accumulate(moves, initial=before_minor))[1:]


async def search(tx: Transaction, wanted: EntryFilter, *, limit: int = 100) -> EntryPage:
    """Entries that fit, newest first; the cursor keeps the filter."""
    return await _search_page(tx, _SearchCursor(wanted, None, None), min(limit, PAGE_MAX))


async def search_after(tx: Transaction, cursor: str, *, limit: int = 100) -> EntryPage:
    """Errors: CursorMalformed."""
    return await _search_page(tx, cursors.decode(cursor, _SearchCursor), min(limit, PAGE_MAX))


async def _search_page(tx: Transaction, start: _SearchCursor, limit: int) -> EntryPage:
    if start.wanted.account is not None:
        before = _NEVER if start.sequence is None else start.sequence
        found, below = await searches.page_of_account(tx, start.wanted, before, limit)
        following = None if below is None else _SearchCursor(start.wanted, below, None)
    else:
        placed = await searches.page_of_all(tx, start.wanted, start.place, limit + 1)
        found = [entry for entry, _ in placed[:limit]]
        following = _SearchCursor(start.wanted, None, placed[limit - 1][1]) if len(placed) > limit else None
    return EntryPage(tuple(found), cursors.encode(following) if following else None)


async def trial_balance_at(tx: Transaction, at: datetime | None = None) -> TrialBalance:
    """By asset and place of the chart, now or as booked at a past moment; each asset's differences must be zero."""
    return trial_balance(at, await reads.positions(tx, at))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
