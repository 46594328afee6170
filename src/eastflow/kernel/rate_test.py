"""Rates become whole numbers exactly or not at all, and one rounding is half up."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .rate import RATE_UNITS, rate_units, round_half_up

RATES = [("0", 0), ("1", RATE_UNITS), ("0.0035", 350_000), ("-0.0035", -350_000), ("0.00000001", 1), ("1E-8", 1)]


@pytest.mark.parametrize(("rate", "units"), RATES)
def test_a_rate_in_units(rate: str, units: int) -> None:
    assert rate_units(Decimal(rate)) == units


@pytest.mark.parametrize("rate", ["0.000000001", "NaN", "Infinity", "1E+999999", "1E-999999", "0." + "3" * 60])
def test_what_is_no_rate(rate: str) -> None:
    with pytest.raises(ValueError, match="rate"):
        rate_units(Decimal(rate))


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [(0, 7, 0), (1, 2, 1), (-1, 2, -1), (3, 2, 2), (-3, 2, -2), (49, 100, 0), (-49, 100, 0), (7, 7, 1), (5, 10, 1)],
)
def test_a_half_goes_away_from_zero(numerator: int, denominator: int, rounded: int) -> None:
    assert round_half_up(numerator, denominator) == rounded


@given(st.integers(-(10**12), 10**12))
def test_rounding_is_the_decimal_librarys(thousandths: int) -> None:
    expected = Decimal(thousandths).scaleb(-3).quantize(Decimal(1), ROUND_HALF_UP)
    assert round_half_up(thousandths, 1_000) == expected
