"""Against numbers whose check digit is published, and the two faults the formula is made to find."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .check_digit import has_check_digit, with_check_digit


@pytest.mark.parametrize("number", [79927398713, 4111111111111111, 5500000000000004])
def test_published_numbers_have_theirs(number: int) -> None:
    assert has_check_digit(number)
    assert with_check_digit(number // 10) == number


@given(st.integers(1, 10**14), st.integers(0, 14), st.integers(1, 9))
def test_a_single_wrong_digit_is_found(number: int, place: int, by: int) -> None:
    digits = [int(digit) for digit in str(with_check_digit(number))]
    place %= len(digits)
    digits[place] = (digits[place] + by) % 10
    assert not has_check_digit(int("".join(map(str, digits))))
