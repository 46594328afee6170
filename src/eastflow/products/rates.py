"""Which rate a balance earns on a day."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from itertools import pairwise

from .model import RateTable, Tier, TierMethod


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
