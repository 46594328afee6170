"""When an order is due, against a slow oracle that walks the calendar day by day."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from .decide import day_of, period_of, slots_of
from .model import SLOTS, Frequency

MONTHS = {Frequency.MONTHLY: 1, Frequency.QUARTERLY: 3, Frequency.YEARLY: 12}
days = st.dates(date(1990, 1, 1), date(2090, 12, 31))


def falls_on(first_on: date, frequency: Frequency, day: date) -> bool:
    """Whether an order that began on `first_on` is due on `day`."""
    if day < first_on:
        return False
    if frequency is Frequency.ONCE:
        return day == first_on
    if frequency in MONTHS:
        apart = (day.year - first_on.year) * 12 + day.month - first_on.month
        last = monthrange(day.year, day.month)[1]
        return apart % MONTHS[frequency] == 0 and day.day == min(first_on.day, last)
    return frequency is Frequency.DAILY or (day - first_on).days % 7 == 0


@given(days, st.sampled_from(Frequency))
def test_the_days_of_an_order_are_those_of_the_calendar(first_on: date, frequency: Frequency) -> None:
    span = [first_on + timedelta(days=number) for number in range(800)]
    expected = [day for day in span if falls_on(first_on, frequency, day)]
    assert [day_of(first_on, frequency, number) for number in range(len(expected))] == expected
    for number, day in enumerate(expected[:20]):
        assert period_of(first_on, frequency, day) == number
        assert period_of(first_on, frequency, day - timedelta(days=1)) == number - 1


@given(st.sampled_from(Frequency), st.integers(0, 1 << 62))
def test_beyond_the_calendar_there_is_no_day(frequency: Frequency, number: int) -> None:
    day = day_of(date(2990, 1, 31), frequency, number)
    assert day is None or day.year < 3000


def test_every_slot_is_in_one_partition() -> None:
    for partitions in (1, 2, 3, 7, 64):
        slots = [slot for partition in range(partitions) for slot in slots_of(partition, partitions)]
        assert sorted(slots) == list(range(SLOTS))
