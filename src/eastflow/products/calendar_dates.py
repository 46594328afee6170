"""The dates on which something of a contract comes round."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

from .model import Settlement


def first_from(settlement: Settlement, day: date) -> date | None:
    """The first of its dates on or after `day`; None where the calendar ends."""
    for year in range(day.year, min(day.year + 1, date.max.year) + 1):
        for month in settlement.months:
            found = date(year, month, min(settlement.day, monthrange(year, month)[1]))
            if found >= day:
                return found
    return None


def next_day(day: date) -> date:
    return day + timedelta(days=1)
