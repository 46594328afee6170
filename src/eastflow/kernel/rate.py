"""Rates of interest as whole numbers, and the one rounding that makes money of them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

RATE_UNITS = 10**8
"""A rate of 1.00, which is 100 %, in units: 0.000001 % is one unit."""
RATE_DIGITS_MAX = 20
"""Before the point; what is larger is no rate, and would only make numbers without end."""


def rate_units(rate: Decimal) -> int:
    """`Decimal("0.0035")`, 0.35 % a year, is 350,000 units. Errors: ValueError for more than 8 decimals, or no rate."""
    if not rate.is_finite() or not -RATE_DIGITS_MAX <= rate.adjusted() <= RATE_DIGITS_MAX:
        raise ValueError(f"not a rate: {rate}")
    units = Fraction(rate) * RATE_UNITS
    if units.denominator != 1:
        raise ValueError(f"a rate has at most 8 decimals: {rate}")
    return units.numerator


def round_half_up(numerator: int, denominator: int) -> int:
    """The whole number nearest to the fraction; a half goes away from zero (四舍五入). `denominator` is positive."""
    assert denominator > 0, "a positive denominator"
    rounded = (2 * abs(numerator) + denominator) // (2 * denominator)
    return rounded if numerator >= 0 else -rounded
