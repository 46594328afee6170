"""Months as contracts count them, and the days on which a bank is at work."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

ONE_DAY = timedelta(days=1)
_SATURDAY = 5


def add_months(day: date, months: int) -> date:
    """The same day `months` later (or earlier), or the last of that month where it has no such day (对年对月对日).

    Errors: OverflowError where the calendar ends (years 1 to 9999).
    """
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    if not date.min.year <= year <= date.max.year:
        raise OverflowError("the calendar has no such year")
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def months_and_days(start: date, end: date) -> tuple[int, int]:
    """The whole months from `start` that `end` has reached, and the odd days after them. `end` is not before `start`.

    Months are counted from `start` each time, so the 31st of January is one month before the last of February and two
    before the 31st of March.
    """
    assert start <= end, "a period does not end before it begins"
    months = (end.year - start.year) * 12 + end.month - start.month
    if add_months(start, months) > end:
        months -= 1
    return months, (end - add_months(start, months)).days


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """Monday to Friday but for `holidays`, and the Saturdays and Sundays in `working_weekends` (调休上班)."""

    holidays: frozenset[date] = frozenset()
    working_weekends: frozenset[date] = frozenset()

    def is_business_day(self, day: date) -> bool:
        if day.weekday() >= _SATURDAY:
            return day in self.working_weekends
        return day not in self.holidays

    def next_business_day(self, day: date) -> date:
        """The first business day after `day`. Errors: OverflowError where the calendar ends."""
        day += ONE_DAY
        while not self.is_business_day(day):
            day += ONE_DAY
        return day

    def business_days_between(self, start: date, end: date) -> int:
        """How many of the days `start` <= day < `end` are business days. `end` is not before `start`."""
        assert start <= end, "a period does not end before it begins"
        days = (end - start).days
        weeks, rest = divmod(days, 7)
        weekdays = 5 * weeks + sum((start.weekday() + offset) % 7 < _SATURDAY for offset in range(rest))
        lost = sum(start <= day < end and day.weekday() < _SATURDAY for day in self.holidays)
        won = sum(start <= day < end and day.weekday() >= _SATURDAY for day in self.working_weekends)
        return weekdays - lost + won
