"""A business day: open until the cut-off, closing while its end is worked through, then closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum

DAYS_AHEAD_OF_CLOCK_MAX = 1
"""The books find a past balance by value date with one day's margin between value date and booking, in UTC."""


class DayState(Enum):
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class BusinessDay:
    date: date
    state: DayState
    opened_at: datetime
    closed_at: datetime | None = None


def may_begin(day: date, clock_date: date) -> bool:
    """Whether `day` may be the bank's date while the clock (UTC) shows `clock_date`."""
    return day - clock_date <= timedelta(days=DAYS_AHEAD_OF_CLOCK_MAX)


def following(day: date) -> date:
    """Every day of the calendar is a business day of the books: interest runs on Sundays too."""
    return day + timedelta(days=1)
