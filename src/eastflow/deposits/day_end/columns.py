"""Interest of many accounts at once, in columns of whole numbers: the same as `products.advance` gives for each.

What might not fit 64 bits is not counted here but marked, and the caller counts it one by one.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from eastflow.kernel import RATE_UNITS, DayCount
from eastflow.products import RateTable, Terms, Tier, TierMethod, counting_rates, settled_units

Int64s = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
SAFE = 1 << 60
"""Numerators within it can be added to one another."""


def advanced(
    terms: Terms, through: Int64s, balances: Int64s, numerators: Int64s, debit_numerators: Int64s, to: date
) -> tuple[Int64s, Int64s, Flags]:
    """Both numerators with the days from each `through` (an ordinal) before `to` counted, and which rows are exact.
    None of `through` is after `to`."""
    earned, exact = _counted(counting_rates(terms), terms.day_count, through, balances, numerators, to)
    if terms.overdraft is None:
        return earned, debit_numerators, exact
    cost, fits = _counted(terms.overdraft.rates, terms.day_count, through, -balances, debit_numerators, to)
    return earned, cost, exact & fits


def _counted(
    table: RateTable, day_count: DayCount, through: Int64s, amounts: Int64s, numerators: Int64s, to: date
) -> tuple[Int64s, Flags]:
    """By what of the amounts is above zero."""
    counted = numerators.copy()
    exact = np.abs(numerators) <= SAFE
    for start in np.unique(through).tolist():
        here = through == start
        pieces = _pieces(table, day_count, date.fromordinal(start), to)
        most = sum(max((abs(tier.rate_units) for tier in tiers), default=0) * weight for tiers, weight in pieces)
        exact[here] &= amounts[here] <= SAFE // max(most, 1)
        counting = np.where(exact & here, np.maximum(amounts, 0), 0)[here]
        for tiers, weight in pieces:
            counted[here] += _units(table.method, tiers, counting) * weight
    return counted, exact


def settled(terms: Terms, numerators: Int64s, day: date) -> tuple[Int64s, Flags]:
    """What was earned as it is to be rounded on `day`, a settlement date: at the rate of the last day counted, where
    that holds for all of them; and which rows are exact."""
    units = settled_units(terms, day)
    if units == 1:
        return numerators, np.ones(len(numerators), dtype=bool)
    exact = numerators <= SAFE // max(units, 1)
    return np.where(exact, numerators, 0) * units, exact


def rounded(terms: Terms, numerators: Int64s) -> Int64s | None:
    """Whole minor units, half up, as `products.interest_minor` rounds; None where the divisor is too large for it."""
    step = terms.rounding_minor
    divisor = RATE_UNITS * terms.day_count.denominator * step
    if divisor > SAFE:
        return None
    whole, rest = np.divmod(numerators, divisor)
    return (whole + (2 * rest >= divisor)) * step


def _pieces(table: RateTable, day_count: DayCount, start: date, end: date) -> list[tuple[tuple[Tier, ...], int]]:
    """The tiers in force from `start` to `end`, with the weight of the days of each."""
    changes = table.changes
    cuts = [start, *(change.since for change in changes if start < change.since < end), end]
    found = []
    for since, until in pairwise(cuts):
        tiers = next((change.tiers for change in reversed(changes) if change.since <= since), ())
        found.append((tiers, day_count.weight(since, until)))
    return found


def _units(method: TierMethod, tiers: tuple[Tier, ...], balances: Int64s) -> Int64s:
    """Each balance times its rate units."""
    if not tiers:
        return np.zeros_like(balances)
    starts = [tier.from_minor for tier in tiers]
    if method is TierMethod.WHOLE:
        rates = np.array([0, *(tier.rate_units for tier in tiers)], dtype=np.int64)
        return balances * rates[np.searchsorted(np.array(starts, dtype=np.int64), balances, side="right")]
    units = np.zeros_like(balances)
    for tier, (lower, upper) in zip(tiers, pairwise([*starts, SAFE]), strict=True):
        units += tier.rate_units * np.maximum(np.minimum(balances, upper) - lower, 0)
    return units
