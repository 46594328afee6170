"""Months from day to day and at the ends of months, and business days against counting them one by one."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .calendar import BusinessCalendar, add_months, months_and_days

MONTHS = [
    (date(2024, 1, 31), 1, date(2024, 2, 29)),
    (date(2023, 1, 31), 1, date(2023, 2, 28)),
    (date(2024, 2, 29), 12, date(2025, 2, 28)),
    (date(2024, 2, 29), 48, date(2028, 2, 29)),
    (date(2024, 8, 31), -6, date(2024, 2, 29)),
    (date(2024, 12, 15), 1, date(2025, 1, 15)),
    (date(2024, 1, 15), -1, date(2023, 12, 15)),
    (date(2024, 5, 15), 0, date(2024, 5, 15)),
]


@pytest.mark.parametrize(("day", "months", "expected"), MONTHS, ids=str)
def test_the_same_day_some_months_later(day: date, months: int, expected: date) -> None:
    assert add_months(day, months) == expected


@pytest.mark.parametrize(("day", "months"), [(date(9999, 12, 1), 1), (date(1, 1, 1), -1), (date(2024, 1, 1), 10**9)])
def test_where_the_calendar_ends(day: date, months: int) -> None:
    with pytest.raises(OverflowError):
        add_months(day, months)


PERIODS = [
    (date(2024, 1, 31), date(2024, 2, 28), (0, 28)),
    (date(2024, 1, 31), date(2024, 2, 29), (1, 0)),
    (date(2024, 1, 31), date(2024, 3, 30), (1, 30)),
    (date(2024, 1, 31), date(2024, 3, 31), (2, 0)),
    (date(2024, 2, 29), date(2025, 2, 28), (12, 0)),
    (date(2024, 5, 20), date(2025, 7, 25), (14, 5)),
    (date(2024, 5, 20), date(2024, 5, 20), (0, 0)),
    (date(9999, 12, 1), date(9999, 12, 31), (0, 30)),
]


@pytest.mark.parametrize(("start", "end", "expected"), PERIODS, ids=str)
def test_whole_months_and_odd_days(start: date, end: date, expected: tuple[int, int]) -> None:
    assert months_and_days(start, end) == expected


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(0, 5_000))
def test_months_and_days_lead_back(start: date, days: int) -> None:
    end = start + timedelta(days=days)
    months, odd = months_and_days(start, end)
    assert add_months(start, months) + timedelta(days=odd) == end
    assert 0 <= odd <= 30


NEW_YEAR = frozenset({date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)})
WORKED = frozenset({date(2026, 1, 4), date(2026, 1, 5)})
CALENDAR = BusinessCalendar(NEW_YEAR, WORKED)


def test_holidays_and_worked_weekends() -> None:
    # Thursday and Friday are holidays, Saturday is free, Sunday is worked; that Monday is named changes nothing.
    working = [day for day in range(1, 8) if CALENDAR.is_business_day(date(2026, 1, day))]
    assert working == [4, 5, 6, 7]
    assert CALENDAR.next_business_day(date(2025, 12, 31)) == date(2026, 1, 4)
    assert CALENDAR.business_days_between(date(2025, 12, 31), date(2026, 1, 7)) == 4


SOME_DAYS = st.frozensets(st.dates(date(2024, 1, 1), date(2024, 3, 31)))


@given(SOME_DAYS, SOME_DAYS, st.dates(date(2023, 12, 1), date(2024, 4, 1)), st.integers(0, 120))
def test_business_days_are_counted_one_by_one(
    holidays: frozenset[date], worked: frozenset[date], start: date, days: int
) -> None:
    calendar = BusinessCalendar(holidays, worked)
    each = [start + timedelta(days=number) for number in range(days)]
    counted = sum(calendar.is_business_day(day) for day in each)
    assert calendar.business_days_between(start, start + timedelta(days=days)) == counted
    following = calendar.next_business_day(start)
    assert following > start
    assert calendar.is_business_day(following)
    assert calendar.business_days_between(start + timedelta(days=1), following) == 0
