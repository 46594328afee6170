"""The check digit of printed numbers (ISO/IEC 7812-1, annex B: the Luhn formula)."""

from __future__ import annotations


def with_check_digit(number: int) -> int:
    """The number with its check digit behind it."""
    return number * 10 + -_luhn_sum(number * 10) % 10


def has_check_digit(number: int) -> bool:
    return _luhn_sum(number) % 10 == 0


def _luhn_sum(number: int) -> int:
    total, doubled = 0, False
    while number:
        number, digit = divmod(number, 10)
        total += sum(divmod(2 * digit, 10)) if doubled else digit
        doubled = not doubled
    return total
