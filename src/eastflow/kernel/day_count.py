"""How days become a part of a year: the day counts under which interest is agreed."""

from __future__ import annotations

from calendar import isleap
from datetime import date
from enum import Enum


class DayCount(Enum):
    """The fraction of a year from `start` to `end` is `weight(start, end)` over `denominator`, both whole.

    `ACT/360`, `ACT/365F` (fixed), `30E/360` and `ACT/ACT` as the 2006 ISDA Definitions, section 4.16, (e), (d), (g)
    and (b), name them; recalled, not checked against their text. Of ICMA's family none is here: a rate per coupon
    period has no meaning for a balance that changes from day to day.
    """

    ACT_360 = "ACT/360"
    ACT_365 = "ACT/365F"
    THIRTY_E_360 = "30E/360"
    ACT_ACT = "ACT/ACT"

    @property
    def denominator(self) -> int:
        return _DENOMINATORS[self]

    def weight(self, start: date, end: date) -> int:
        """Of the days `start` <= day < `end`. Weights add up: of a to b and b to c it is that of a to c."""
        return self._index(end) - self._index(start)

    def _index(self, day: date) -> int:
        """The weight of all days before `day`, since a day long ago."""
        if self is DayCount.THIRTY_E_360:
            # The 31st counts as the 30th, and no month is shorter than thirty days.
            return 360 * day.year + 30 * day.month + min(day.day, 30)
        if self is DayCount.ACT_ACT:
            days = day.toordinal()
            leap_days = _days_in_leap_years(day)
            return leap_days * 365 + (days - leap_days) * 366
        return day.toordinal()


_DENOMINATORS = {
    DayCount.ACT_360: 360,
    DayCount.ACT_365: 365,
    DayCount.THIRTY_E_360: 360,
    # A day of a leap year is 1/366, another 1/365: over the common denominator they are 365 and 366 of it.
    DayCount.ACT_ACT: 365 * 366,
}


def _days_in_leap_years(day: date) -> int:
    """How many of the days before `day`, since the year 1, lie in leap years."""
    before = day.year - 1
    leap_years = before // 4 - before // 100 + before // 400
    in_this_year = day.toordinal() - date(day.year, 1, 1).toordinal()
    return 366 * leap_years + (in_this_year if isleap(day.year) else 0)
