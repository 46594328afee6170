"""Every form a field may not have is refused with its reason, and the forms it may have are read exactly."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from . import fields
from .fields import FieldRefused
from .records import Sex, Symbol

SYMBOLS = fields.codes(Symbol)

REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: fields.unquoted(['"PRIJE']), "stray or unclosed quote"),
    (lambda: fields.unquoted(['a"b']), "stray or unclosed quote"),
    (lambda: fields.unquoted(['"']), "stray or unclosed quote"),
    (lambda: fields.unquoted(['"a"b"']), "stray or unclosed quote"),
    *((lambda text=text: fields.whole_number(text, "id"), "not a whole number") for text in ["", "-1", "+1", "1_0"]),
    *(
        (lambda text=text: fields.whole_number(text, "id"), "not a whole number")
        for text in [" 1", "1.0", "٣", "9" * 16]
    ),
    (lambda: fields.positive_number("0", "id"), "must be above zero"),
    *((lambda text=text: fields.hundredths(text, "x"), "at most 2 decimals") for text in ["", ".5", "1.", "1.234"]),
    *((lambda text=text: fields.hundredths(text, "x"), "at most 2 decimals") for text in ["1,5", "1e3", "--1", "nan"]),
    *((lambda text=text: fields.amount(text, "x"), "must be above zero") for text in ["0", "0.00", "-1.00"]),
    *(
        (lambda text=text: fields.day(text, "date"), "not a date")
        for text in ["", "93011", "930230", "9301011", "93O101"]
    ),
    (lambda: fields.day_at_midnight("931107", "issued"), "not a date YYMMDD 00:00:00"),
    (lambda: fields.day_at_midnight("931107 12:00:00", "issued"), "not a date YYMMDD 00:00:00"),
    (lambda: fields.birth("70621"), "not six digits"),
    (lambda: fields.birth("701313"), "not a date"),
    (lambda: fields.birth("706313"), "not a date"),
    (lambda: fields.code("urok", SYMBOLS, "k_symbol"), "unknown k_symbol 'urok'"),
    (lambda: fields.bank("ZZ", "bank"), "unknown bank 'ZZ'"),
    (lambda: fields.digits("12a", "account"), "not made of digits"),
    (lambda: fields.known(5, {4}, "account_id"), "unknown account_id 5"),
    (lambda: fields.name("  ", "A2"), "A2 is empty"),
]


@pytest.mark.parametrize(("read", "reason"), REFUSED)
def test_a_field_of_another_form_is_refused(read: Callable[[], object], reason: str) -> None:
    with pytest.raises(FieldRefused, match=reason):
        read()


@pytest.mark.parametrize(("text", "value"), [("0.29", 29), ("100.0", 10000), ("96396", 9639600), ("-1.05", -105)])
def test_decimals_are_read_to_the_hundredth(text: str, value: int) -> None:
    assert fields.hundredths(text, "x") == value


def test_other_forms_are_read() -> None:
    assert fields.unquoted(['"a"', "b", '""', '" "']) == ["a", "b", "", " "]
    assert fields.unless_unknown(fields.hundredths, "?", "A12") is None
    assert fields.birth("706213") == (date(1970, 12, 13), Sex.FEMALE)
    assert fields.birth("450204") == (date(1945, 2, 4), Sex.MALE)
    assert fields.day_at_midnight("931107 00:00:00", "issued") == date(1993, 11, 7)
    assert fields.digits("0871", "account") == "0871"
    assert fields.code(" ", SYMBOLS, "k_symbol") is Symbol.BLANK
