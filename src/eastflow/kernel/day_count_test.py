"""Day counts against figures worked out by hand from their definitions, and against counting day by day."""

from __future__ import annotations

from calendar import isleap
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .day_count import DayCount

LEAP_DAY = date(2024, 2, 29)
TABLE = [
    # ACT/360 and ACT/365F: the days there are, over a year that has always as many.
    (DayCount.ACT_360, date(2025, 1, 1), date(2026, 1, 1), Fraction(365, 360)),
    (DayCount.ACT_360, date(2024, 1, 1), date(2025, 1, 1), Fraction(366, 360)),
    (DayCount.ACT_365, date(2025, 1, 1), date(2026, 1, 1), Fraction(1)),
    (DayCount.ACT_365, date(2024, 1, 1), date(2025, 1, 1), Fraction(366, 365)),
    (DayCount.ACT_365, LEAP_DAY, date(2024, 3, 1), Fraction(1, 365)),
    # 30E/360: twelve months of thirty days, the 31st is the 30th, February is no exception.
    (DayCount.THIRTY_E_360, date(2024, 1, 31), date(2024, 2, 29), Fraction(29, 360)),
    (DayCount.THIRTY_E_360, date(2024, 1, 30), date(2024, 1, 31), Fraction(0)),
    (DayCount.THIRTY_E_360, date(2023, 2, 28), date(2023, 3, 31), Fraction(32, 360)),
    (DayCount.THIRTY_E_360, date(2023, 2, 28), date(2023, 3, 1), Fraction(3, 360)),
    (DayCount.THIRTY_E_360, LEAP_DAY, date(2024, 3, 1), Fraction(2, 360)),
    (DayCount.THIRTY_E_360, date(2023, 12, 31), date(2024, 12, 31), Fraction(1)),
    # ACT/ACT (ISDA): days of leap years over 366, others over 365.
    (DayCount.ACT_ACT, date(2023, 1, 1), date(2024, 1, 1), Fraction(1)),
    (DayCount.ACT_ACT, date(2024, 1, 1), date(2025, 1, 1), Fraction(1)),
    (DayCount.ACT_ACT, date(2003, 11, 1), date(2004, 5, 1), Fraction(61, 365) + Fraction(121, 366)),
    (DayCount.ACT_ACT, date(1999, 12, 31), date(2001, 1, 2), Fraction(1, 365) + 1 + Fraction(1, 365)),
    (DayCount.ACT_ACT, date(1900, 2, 28), date(1900, 3, 1), Fraction(1, 365)),
    (DayCount.ACT_ACT, date(2000, 2, 28), date(2000, 3, 1), Fraction(2, 366)),
]


@pytest.mark.parametrize(("count", "start", "end", "years"), TABLE, ids=str)
def test_the_part_of_a_year(count: DayCount, start: date, end: date, years: Fraction) -> None:
    assert Fraction(count.weight(start, end), count.denominator) == years


DAYS = st.dates(date(1, 1, 1), date(9999, 12, 31))


@given(st.sampled_from(DayCount), DAYS, DAYS, DAYS)
def test_weights_add_up(count: DayCount, one: date, two: date, three: date) -> None:
    assert count.weight(one, two) + count.weight(two, three) == count.weight(one, three)
    assert count.weight(min(one, two), max(one, two)) >= 0


@given(st.dates(date(1895, 1, 1), date(2105, 1, 1)), st.integers(0, 1_000))
def test_actual_days_are_counted_one_by_one(start: date, days: int) -> None:
    each = [start + timedelta(days=number) for number in range(days)]
    end = start + timedelta(days=days)
    assert DayCount.ACT_360.weight(start, end) == DayCount.ACT_365.weight(start, end) == days
    by_year = sum((Fraction(1, 366 if isleap(day.year) else 365) for day in each), Fraction(0))
    assert Fraction(DayCount.ACT_ACT.weight(start, end), DayCount.ACT_ACT.denominator) == by_year
