"""Which rate a balance earns on a day."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, timedelta
from itertools import pairwise

from .model import RateChange, RateDay, RateTable, Terms, Tier, TierMethod

_ONE_UNIT = RateTable(TierMethod.WHOLE, (RateChange(date.min, (Tier(0, 1),)),))


def counting_rates(terms: Terms) -> RateTable:
    """The rates at which days are counted: of one unit where the rate is known only at the settlement."""
    return _ONE_UNIT if terms.rate_day is RateDay.SETTLEMENT else terms.rates


def settled_units(terms: Terms, through: date, closed_on: date | None = None) -> int:
    """What a numerator of the days before `through` is multiplied by when they are settled: the rate units of the last
    of them, or of the day on which the contract is closed. 1 where each day has been counted at its own rate."""
    if terms.rate_day is RateDay.EACH:
        return 1
    return rate_units_of(terms.rates, 0, closed_on or through - timedelta(days=1))


def tiers_on(table: RateTable, day: date) -> tuple[Tier, ...]:
    """Empty before the first change."""
    place = bisect_right(table.changes, day, key=lambda change: change.since)
    return table.changes[place - 1].tiers if place else ()


def changes_between(table: RateTable, start: date, end: date) -> list[date]:
    """The days after `start` and before `end` on which the rates change."""
    return [change.since for change in table.changes if start < change.since < end]


def rate_units_of(table: RateTable, balance_minor: int, day: date) -> int:
    """The rate of the tier that the balance has reached."""
    reached = [tier for tier in tiers_on(table, day) if tier.from_minor <= balance_minor]
    return reached[-1].rate_units if reached else 0


def units_of(table: RateTable, balance_minor: int, day: date) -> int:
    """The balance times its rate units: a year's interest, over `RATE_UNITS`. The balance is not negative."""
    if table.method is TierMethod.WHOLE:
        return balance_minor * rate_units_of(table, balance_minor, day)
    tiers = tiers_on(table, day)
    bounds = [*(tier.from_minor for tier in tiers), balance_minor]
    return sum(
        tier.rate_units * max(0, min(balance_minor, upper) - lower)
        for tier, (lower, upper) in zip(tiers, pairwise(bounds), strict=True)
    )
