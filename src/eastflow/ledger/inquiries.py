"""Statements, searches and the trial balance, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from typing import Annotated

from msgspec import Meta, Struct, convert, structs

from eastflow.kernel import INT64_MAX, Refusal
from eastflow.storage import Transaction

from . import cursor as cursors
from .cursor import CursorMalformed
from .model import Account, BookedPosting
from .refusals import LedgerRefusal
from .reports import Basis, EntryFilter, EntryPage, Statement, TrialBalance, trial_balance
from .store import closed_books, reads, searches

PAGE_MAX = 1_000
_NEVER = 1 << 62

# A cursor comes back from outside: what the database could not take is refused where it is read.
_Number = Annotated[int, Meta(ge=0, le=INT64_MAX)]
_Text = Annotated[str, Meta(pattern=r"^[^\x00]*$")]
_Moment = Annotated[datetime, Meta(tz=True)]


class _StatementCursor(Struct, frozen=True, forbid_unknown_fields=True):
    """The page before ended with the posting `sequence` of `value_date`."""

    account: _Number
    basis: Basis
    since: date
    until: date
    sequence: _Number
    value_date: date


class _Wanted(Struct, frozen=True, forbid_unknown_fields=True):
    """An `EntryFilter` as a cursor keeps it."""

    account: _Number | None
    kind: _Text | None
    booked_from: _Moment | None
    booked_before: _Moment | None
    valued_from: date | None
    valued_through: date | None
    amount_minor_min: _Number | None
    amount_minor_max: _Number | None
    details: dict[_Text, _Text]


class _SearchCursor(Struct, frozen=True, forbid_unknown_fields=True):
    wanted: _Wanted
    sequence: _Number | None
    place: tuple[_Moment, _Number, _Number, _Number] | None


async def statement(
    tx: Transaction, account: Account, since: date, until: date, *, basis: Basis = Basis.BOOKED, limit: int = 100
) -> Statement:
    """The first page of the period, both days included (as booked: days of UTC)."""
    return await _statement_page(tx, account, _StatementCursor(account.id, basis, since, until, 0, since), limit)


async def statement_after(tx: Transaction, account: Account, cursor: str, *, limit: int = 100) -> Statement | None:
    """The page a cursor asks for; None if the cursor is of another account. Errors: CursorMalformed."""
    start = cursors.decode(cursor, _StatementCursor)
    _check_margins(start.since, start.until, start.value_date)
    return await _statement_page(tx, account, start, limit) if start.account == account.id else None


async def _statement_page(tx: Transaction, account: Account, start: _StatementCursor, limit: int) -> Statement:
    limit = min(limit, PAGE_MAX)
    if start.basis is Basis.VALUED:
        opening = await reads.balance_valued_on(tx, account.id, start.since - timedelta(days=1))
        closing = await reads.balance_valued_on(tx, account.id, start.until)
        # The balance is found anew and not carried along, so that no line's balance is one a caller has named.
        place = max((start.since, 0), (start.value_date, start.sequence))
        before = await reads.balance_valued_through(tx, account.id, *place)
        found = await reads.postings_valued(
            tx, account.id, since=start.since, until=start.until, after=place, limit=limit + 1
        )  # fmt: skip
        running = _running(account, before, found)
    else:
        first = await reads.sequence_booked_before(tx, account.id, _midnight(start.since))
        last = await reads.sequence_booked_before(tx, account.id, _midnight(start.until + timedelta(days=1)))
        opening = await reads.balance_after(tx, account.id, first)
        closing = await reads.balance_after(tx, account.id, last)
        after = max(first, start.sequence)
        found = await reads.postings(tx, account.id, after=after, through=last, limit=limit + 1)
        running = [posting.balance_minor for posting in found]
    page, balances = found[:limit], running[:limit]
    following = None
    if len(found) > limit:
        end = page[-1]
        following = cursors.encode(
            _StatementCursor(account.id, start.basis, start.since, start.until, end.sequence, end.value_date)
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
    return await _search_page(tx, wanted, None, None, min(limit, PAGE_MAX))


async def search_after(tx: Transaction, cursor: str, *, limit: int = 100) -> EntryPage:
    """Errors: CursorMalformed."""
    start = cursors.decode(cursor, _SearchCursor)
    asked = start.wanted
    _check_margins(asked.booked_from, asked.booked_before, asked.valued_from, asked.valued_through)
    _check_margins(start.place and start.place[0])
    wanted = EntryFilter(**structs.asdict(asked))
    return await _search_page(tx, wanted, start.sequence, start.place, min(limit, PAGE_MAX))


async def _search_page(
    tx: Transaction, wanted: EntryFilter, below: int | None, before: searches.Place | None, limit: int
) -> EntryPage:
    if wanted.account is not None:
        found, below = await searches.page_of_account(tx, wanted, _NEVER if below is None else below, limit)
        before = None
    else:
        placed = await searches.page_of_all(tx, wanted, before, limit + 1)
        found = [entry for entry, _ in placed[:limit]]
        below, before = None, placed[limit - 1][1] if len(placed) > limit else None
    following = None
    if below is not None or before is not None:
        following = cursors.encode(_SearchCursor(convert(wanted, _Wanted, from_attributes=True), below, before))
    return EntryPage(tuple(found), following)


async def trial_balance_at(tx: Transaction, at: datetime | None = None) -> TrialBalance:
    """By asset and place of the chart, now or as booked at a past moment; each asset's differences must be zero."""
    return trial_balance(at, await reads.positions(tx, at))


async def trial_balance_of(tx: Transaction, day: date) -> TrialBalance | Refusal:
    """As kept at the end of a day: what was booked by then, whatever its value date. Accounts are not counted."""
    kept = await closed_books.kept(tx, day)
    if kept is None:
        return Refusal(LedgerRefusal.DAY_NOT_CLOSED, {"date": day})
    return trial_balance(None, kept.positions, day)


def _check_margins(*days: date | None) -> None:
    """Datetimes are days too. In the first and the last year of the calendar there may be no day before or after.
    Errors: CursorMalformed."""
    if any(day is not None and day.year in (date.min.year, date.max.year) for day in days):
        raise CursorMalformed("not a cursor of this bank")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
