"""One field of the source at a time: read exactly or refused with a reason a clerk can act on."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Sequence
from datetime import date
from enum import Enum
from functools import lru_cache
from typing import TypeVar

from .records import BANKS, Sex

_HUNDREDTHS = re.compile(r"(-?)(\d{1,15})(?:\.(\d{1,2}))?")
_Code = TypeVar("_Code", bound=Enum)


class FieldRefused(ValueError):
    """The row cannot be used; the message is the reason shown to people."""


def unquoted(fields: Sequence[str]) -> list[str]:
    """A field is plain, or wholly inside quotes; a quote anywhere else means that the row is damaged."""
    plain = []
    for field in fields:
        if '"' in field:
            if len(field) < 2 or field[0] != '"' or field[-1] != '"' or '"' in field[1:-1]:
                raise FieldRefused(f"stray or unclosed quote in {field!r}")
            field = field[1:-1]
        plain.append(field)
    return plain


def whole_number(text: str, name: str) -> int:
    # Python's int() also takes signs, spaces and underscores, none of which belong here.
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise FieldRefused(f"{name} {text!r} is not a whole number")
    return int(text)


def positive_number(text: str, name: str) -> int:
    if (number := whole_number(text, name)) == 0:
        raise FieldRefused(f"{name} must be above zero")
    return number


def hundredths(text: str, name: str) -> int:
    """A decimal with at most two places, as whole hundredths: haléř of a koruna, basis points of a per cent."""
    found = _HUNDREDTHS.fullmatch(text)
    if found is None:
        raise FieldRefused(f"{name} {text!r} is not a number with at most 2 decimals")
    sign, whole, decimals = found.groups()
    value = int(whole) * 100 + int((decimals or "").ljust(2, "0"))
    return -value if sign else value


def amount(text: str, name: str) -> int:
    if (value := hundredths(text, name)) <= 0:
        raise FieldRefused(f"{name} {text!r} must be above zero")
    return value


def unless_unknown(read: Callable[[str, str], int], text: str, name: str) -> int | None:
    """The source writes a question mark for a figure it does not have."""
    return None if text == "?" else read(text, name)


@lru_cache(maxsize=4096)
def day(text: str, name: str) -> date:
    """YYMMDD, always of the 1900s: the source ends in 1998. Cached, since a day comes back on many rows."""
    if len(text) != 6 or not (text.isascii() and text.isdigit()):
        raise FieldRefused(f"{name} {text!r} is not a date YYMMDD")
    try:
        return date(1900 + int(text[:2]), int(text[2:4]), int(text[4:]))
    except ValueError as problem:
        raise FieldRefused(f"{name} {text!r} is not a date: {problem}") from None


def day_at_midnight(text: str, name: str) -> date:
    """The card file writes a time behind its dates, and it is always midnight."""
    if not text.endswith(" 00:00:00"):
        raise FieldRefused(f"{name} {text!r} is not a date YYMMDD 00:00:00")
    return day(text.removesuffix(" 00:00:00"), name)


def birth(text: str) -> tuple[date, Sex]:
    """The day and sex a birth number tells: a woman's month has 50 added."""
    if len(text) != 6 or not (text.isascii() and text.isdigit()):
        raise FieldRefused(f"birth_number {text!r} is not six digits")
    month = int(text[2:4])
    sex = Sex.FEMALE if month > 50 else Sex.MALE
    month_of_year = month - 50 if sex is Sex.FEMALE else month
    return day(f"{text[:2]}{month_of_year:02}{text[4:]}", "birth_number"), sex


def codes(kind: type[_Code]) -> dict[str, _Code]:
    return {member.value: member for member in kind}


def code(text: str, known: dict[str, _Code], name: str) -> _Code:
    found = known.get(text)
    if found is None:
        raise FieldRefused(f"unknown {name} {text!r}")
    return found


def bank(text: str, name: str) -> str:
    """Empty where the source names no bank."""
    if text and text not in BANKS:
        raise FieldRefused(f"unknown {name} {text!r}")
    return text


def digits(text: str, name: str) -> str:
    """An account at another bank is a name made of digits, not a number: leading zeros count. May be empty."""
    if text and not (text.isascii() and text.isdigit()):
        raise FieldRefused(f"{name} {text!r} is not made of digits")
    return text


def known(number: int, among: Container[int], name: str) -> int:
    """A reference to a row of another file, which must have been read before."""
    if number not in among:
        raise FieldRefused(f"unknown {name} {number}")
    return number


def name(text: str, what: str) -> str:
    if not text.strip():
        raise FieldRefused(f"{what} is empty")
    return text
