"""What is counted, how it is numbered, and which texts can be kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import RFC_4122

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eastflow.kernel import (
    CURRENCY_SCALES,
    DETAILS_MAX,
    EXACT_JSON_INTEGER_MAX,
    INT64_MAX,
    SCALE_MAX,
    decimal_text,
    details_problem,
    is_asset,
    is_text,
    unix_milliseconds,
    uuid7,
)
from eastflow.kernel.text import DETAIL_KEY_CHARACTERS_MAX, DETAIL_VALUE_CHARACTERS_MAX

ASSETS = [
    ("CZK", 2, True),
    ("CZK", 0, False),
    ("CZK", 3, False),
    ("JPY", 0, True),
    ("JPY", 2, False),
    ("KWD", 3, True),
    ("KWD", 2, False),
    ("CLF", 4, True),
    ("XAUT", 6, True),
    ("XAUT", 0, True),
    ("XAUT", 9, True),
    ("XAUT", 10, False),
    ("XAUT", -1, False),
    ("QQQ", 5, True),
    ("A1B", 2, True),
    ("A" * 16, 2, True),
    ("A" * 17, 2, False),
    ("AB", 2, False),
    ("", 2, False),
    ("1AB", 2, False),
    ("eur", 2, False),
    ("EURé", 2, False),
    ("ＥＵＲ", 2, False),
    ("EUR\n", 2, False),
    ("EUR ", 2, False),
    ("EU\0R", 2, False),
]


@pytest.mark.parametrize(("code", "scale", "expected"), ASSETS)
def test_an_asset_has_its_scale(code: str, scale: int, expected: bool) -> None:
    assert is_asset(code, scale) is expected


def test_every_currency_has_one_scale() -> None:
    for code, scale in CURRENCY_SCALES.items():
        assert [given for given in range(-1, SCALE_MAX + 2) if is_asset(code, given)] == [scale], code
    assert len(CURRENCY_SCALES) > 150


AMOUNTS = [
    (0, 0, "0"),
    (0, 2, "0.00"),
    (-5, 2, "-0.05"),
    (5, 0, "5"),
    (100, 2, "1.00"),
    (-100_000, 3, "-100.000"),
    (1, 9, "0.000000001"),
    (INT64_MAX, 2, "92233720368547758.07"),
    (-INT64_MAX - 1, 9, "-9223372036.854775808"),
]


@pytest.mark.parametrize(("amount", "scale", "expected"), AMOUNTS)
def test_amounts_are_written_with_their_decimals(amount: int, scale: int, expected: str) -> None:
    assert decimal_text(amount, scale) == expected


@given(st.integers(-INT64_MAX, INT64_MAX), st.integers(0, SCALE_MAX))
def test_a_written_amount_is_read_back_exactly(amount: int, scale: int) -> None:
    assert (
        Decimal(decimal_text(amount, scale)).as_integer_ratio() == (Decimal(amount).scaleb(-scale)).as_integer_ratio()
    )


RANDOM = st.binary(min_size=10, max_size=10)
MILLISECONDS = st.integers(0, (1 << 48) - 1)


@given(MILLISECONDS, RANDOM)
def test_an_id_has_its_time_and_its_randomness(milliseconds: int, random: bytes) -> None:
    id = uuid7(milliseconds, random)
    assert (id.version, id.variant) == (7, RFC_4122)
    assert id.int >> 80 == milliseconds
    # 74 of the 80 bits are kept: 12 before the variant and 62 after it.
    drawn = int.from_bytes(random)
    assert id.int >> 64 & 0xFFF == drawn >> 68
    assert id.int & (1 << 62) - 1 == drawn & (1 << 62) - 1


@given(MILLISECONDS, MILLISECONDS, RANDOM, RANDOM)
def test_ids_are_in_the_order_of_their_time(one: int, other: int, random: bytes, more: bytes) -> None:
    first, second = uuid7(one, random), uuid7(other, more)
    if one != other:
        assert (first < second, str(first) < str(second), first.bytes < second.bytes) == (one < other,) * 3


@pytest.mark.parametrize(
    ("milliseconds", "random"), [(-1, bytes(10)), (1 << 48, bytes(10)), (0, bytes(9)), (0, bytes(11))], ids=str
)
def test_an_id_of_no_time_or_of_other_randomness_is_a_bug(milliseconds: int, random: bytes) -> None:
    with pytest.raises(AssertionError):
        uuid7(milliseconds, random)


MOMENTS = [
    (datetime(1970, 1, 1, tzinfo=UTC), 0),
    (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), -1),
    (datetime(2026, 1, 1, 0, 0, 0, 1_999, tzinfo=UTC), 1_767_225_600_001),
    (datetime(2026, 1, 1, 14, tzinfo=timezone(timedelta(hours=14))), 1_767_225_600_000),
    (datetime(2025, 12, 31, 12, tzinfo=timezone(timedelta(hours=-12))), 1_767_225_600_000),
    (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), 253_402_300_799_999),
]


@pytest.mark.parametrize(("at", "expected"), MOMENTS, ids=str)
def test_milliseconds_are_whole_and_exact(at: datetime, expected: int) -> None:
    assert unix_milliseconds(at) == expected


def test_limits() -> None:
    assert (INT64_MAX, EXACT_JSON_INTEGER_MAX) == (9_223_372_036_854_775_807, 9_007_199_254_740_991)


TEXTS = [
    ("", 0, True),
    ("a", 0, False),
    ("abc", 3, True),
    ("abcd", 3, False),
    ("中文字", 3, True),
    ("\U0001f3e6" * 3, 3, True),
    ("a\0b", 9, False),
    ("\0", 1, False),
    ("\ud800", 9, False),
    ("a\udfff", 9, False),
    ("\ud83c\udfe6", 9, False),
    ("\ud7ff\ue000", 9, True),
    ("\n\t\x7f", 9, True),
]


@pytest.mark.parametrize(("text", "characters_max", "expected"), TEXTS, ids=ascii)
def test_text_that_can_be_kept(text: str, characters_max: int, expected: bool) -> None:
    assert is_text(text, characters_max) is expected


@given(st.text(st.characters(), max_size=20))
def test_what_can_be_kept_can_be_encoded(text: str) -> None:
    def encodes() -> bool:
        try:
            text.encode()
        except UnicodeEncodeError:
            return False
        return True

    assert is_text(text, 20) is (encodes() and "\0" not in text)


MANY = {str(number): "" for number in range(DETAILS_MAX)}
DETAILS: list[tuple[dict[str, str], str | None]] = [
    ({}, None),
    ({"a": ""}, None),
    ({"": "a"}, "malformed"),
    ({"k" * DETAIL_KEY_CHARACTERS_MAX: "v" * DETAIL_VALUE_CHARACTERS_MAX}, None),
    ({"k" * (DETAIL_KEY_CHARACTERS_MAX + 1): ""}, "malformed"),
    ({"a": "v" * (DETAIL_VALUE_CHARACTERS_MAX + 1)}, "malformed"),
    ({"a\0": ""}, "malformed"),
    ({"a": "\0"}, "malformed"),
    ({"a": "\ud800"}, "malformed"),
    ({"\udfff": "a"}, "malformed"),
    ({"fine": "a", "bad": "\0"}, "malformed"),
    (MANY, None),
    (MANY | {"one": "more"}, "too_large"),
    (MANY | {"": "\0"}, "too_large"),
]


@pytest.mark.parametrize(("details", "expected"), DETAILS)
def test_details_that_can_be_kept(details: dict[str, str], expected: str | None) -> None:
    assert details_problem(details) == expected


@pytest.mark.parametrize("value", [5, None, b"a", ["a"], {"a": "b"}, True], ids=repr)
def test_what_is_no_text_is_a_bug_of_the_caller_and_is_not_kept(value: Any) -> None:
    with pytest.raises((TypeError, AttributeError)):
        details_problem({"a": value})
    with pytest.raises((TypeError, AttributeError)):
        is_text(value, 9)
