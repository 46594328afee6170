"""Amounts: a table, and every decimal text against the standard library's own arithmetic."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eastflow.channels.iso20022 import amounts
from eastflow.channels.iso20022.model import Reason
from eastflow.kernel import INT64_MAX, Asset


@pytest.mark.parametrize(
    ("text", "scale", "minor"),
    [
        ("12.50", 2, 1_250),
        ("12.5", 2, 1_250),
        ("12.500", 2, 1_250),
        ("12", 2, 1_200),
        ("012.", 2, 1_200),
        (".05", 2, 5),
        ("+1", 0, 1),
        (" 1 ", 0, 1),
        ("7", 3, 7_000),
        ("92233720368547758.07", 2, INT64_MAX),
        ("92233720368547758.08", 2, amounts.TOO_LARGE),
        ("12.501", 2, amounts.TOO_MANY_DECIMALS),
        ("0.5", 0, amounts.TOO_MANY_DECIMALS),
        ("0", 2, amounts.ZERO),
        ("0.00", 2, amounts.ZERO),
        ("", 2, amounts.INVALID),
        (".", 2, amounts.INVALID),
        ("-1", 2, amounts.INVALID),
        ("1e3", 2, amounts.INVALID),
        ("١", 2, amounts.INVALID),
        ("1" * 201, 2, amounts.INVALID),
    ],
)
def test_a_decimal_text_is_read_exactly_or_refused(text: str, scale: int, minor: int | Reason) -> None:
    assert amounts.minor(text, scale) == minor


@given(st.integers(1, INT64_MAX), st.integers(0, 5))
def test_what_is_written_is_read_again(amount_minor: int, scale: int) -> None:
    assert amounts.minor(amounts.text(amount_minor, scale), scale) == amount_minor


@given(st.decimals(min_value=0, max_value=10**13, allow_nan=False, places=5), st.integers(0, 5))
def test_reading_agrees_with_decimal(value: Decimal, scale: int) -> None:
    shifted = value.scaleb(scale)
    exact = shifted == shifted.to_integral_value()
    found = amounts.minor(f"{value:f}", scale)
    assert found == (int(shifted) or amounts.ZERO) if exact else found == amounts.TOO_MANY_DECIMALS


def test_a_control_sum_is_the_sum() -> None:
    assert amounts.sums_to(["0.1", "0.2"], "0.30")
    assert not amounts.sums_to(["0.1", "0.2"], "0.31")
    assert amounts.sums_to([f"{10**17}.00001"] * 1_000, f"{10**20}.01")


def test_a_message_bounds_digits_and_decimals() -> None:
    assert amounts.fits(10**18 - 1, Asset("CZK", 2))
    assert not amounts.fits(10**18, Asset("CZK", 2))
    assert amounts.fits(1, Asset("XAU", 5))
    assert not amounts.fits(1, Asset("XAU", 6))
    assert not amounts.fits(1, Asset("GOLD", 2))
