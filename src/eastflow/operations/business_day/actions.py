"""The verbs of the business date: it is begun once, cut off and rolled at each day's end."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from eastflow.kernel import Refusal
from eastflow.ledger import EntryFilter, search
from eastflow.storage import Clock, Retry, Transaction, UniqueViolation, now

from ..refusals import OperationsRefusal
from . import store
from .model import BusinessDay, DayState, following, may_begin


async def begin_business_day(tx: Transaction, *, clock: Clock = now) -> BusinessDay:
    """The open day. A bank that has none yet begins on the clock's date (UTC)."""
    found = await store.open_day(tx)
    if found is not None:
        return found
    at = clock()
    return await _open(tx, at.date(), at)


async def set_business_date(tx: Transaction, day: date, *, clock: Clock = now) -> BusinessDay | Refusal:
    """Begin on another date than the clock's: only as long as nothing is in the books and no day was ever closed."""
    current = await begin_business_day(tx, clock=clock)
    if current.date == day:
        return current
    if await store.any_closed(tx) or (await search(tx, EntryFilter(), limit=1)).entries:
        return Refusal(OperationsRefusal.BOOKS_NOT_EMPTY, {"date": current.date})
    if not may_begin(day, clock().date()):
        return Refusal(OperationsRefusal.DAY_AHEAD_OF_CLOCK, {"date": day, "clock": clock().date()})
    await store.move_open_day(tx, day)
    return replace(current, date=day)


async def cut_off_day(tx: Transaction, day: date, *, clock: Clock = now) -> BusinessDay | Refusal:
    """From now on the bank's date is the following one; `day` is closing. Doing it again changes nothing."""
    found = await store.locked_day(tx, day)
    if found is None:
        return Refusal(OperationsRefusal.DAY_NOT_OPEN, {"date": day})
    if found.state is not DayState.OPEN:
        return found
    if (other := await store.closing_day(tx)) is not None:
        return Refusal(OperationsRefusal.DAY_STILL_CLOSING, {"date": other.date})
    at = clock()
    if not may_begin(following(day), at.date()):
        return Refusal(OperationsRefusal.DAY_AHEAD_OF_CLOCK, {"date": following(day), "clock": at.date()})
    await store.change_state(tx, day, DayState.CLOSING)
    await _open(tx, following(day), at)
    return replace(found, state=DayState.CLOSING)


async def roll_day(tx: Transaction, day: date, *, clock: Clock = now) -> BusinessDay | Refusal:
    """A closing day is closed for good. Doing it again changes nothing."""
    found = await store.locked_day(tx, day)
    if found is None or found.state is DayState.OPEN:
        return Refusal(OperationsRefusal.DAY_NOT_OPEN, {"date": day})
    if found.state is DayState.CLOSED:
        return found
    closed_at = clock()
    await store.change_state(tx, day, DayState.CLOSED, closed_at)
    return replace(found, state=DayState.CLOSED, closed_at=closed_at)


async def _open(tx: Transaction, day: date, at: datetime) -> BusinessDay:
    opened = BusinessDay(day, DayState.OPEN, at)
    try:
        await store.insert_day(tx, opened)
    except UniqueViolation as rival:
        raise Retry("a business day was opened in the same moment") from rival
    return opened
