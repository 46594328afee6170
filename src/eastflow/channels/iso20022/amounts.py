"""Amounts between a message's decimal text and whole minor units, exactly or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal, localcontext

from eastflow.kernel import INT64_MAX, Asset, decimal_text

from .model import Reason

TOO_MANY_DECIMALS = Reason("CH20", "more decimals than the currency has")
ZERO = Reason("AM01", "the amount is zero")
INVALID = Reason("AM12", "not an amount")
TOO_LARGE = Reason("AM02", "the amount is too large")
WIDTH_MAX = 200
"""`xs:decimal` may have any number of zeros around it; more than this is nobody's amount."""
MESSAGE_DIGITS_MAX, MESSAGE_DECIMALS_MAX = 18, 5
"""An amount in a message has 18 digits at most, 5 of them decimals."""
_CURRENCY = re.compile("[A-Z]{3}")
_DECIMAL = re.compile(r"\+?([0-9]*)(?:\.([0-9]*))?")


def minor(text: str, scale: int) -> int | Reason:
    """`minor("12.50", 2)` is 1250. Zeros that say nothing are no decimals: `12.500` is 1250 too."""
    found = _DECIMAL.fullmatch(text.strip()) if len(text) <= WIDTH_MAX else None
    if found is None or not (found[1] or found[2]):
        return INVALID
    decimals = (found[2] or "").rstrip("0")
    if len(decimals) > scale:
        return TOO_MANY_DECIMALS
    amount = int((found[1] or "0") + decimals.ljust(scale, "0"))
    if amount > INT64_MAX:
        return TOO_LARGE
    return amount or ZERO


def text(amount_minor: int, scale: int) -> str:
    """The decimal text of an amount without sign: the message says which way it goes."""
    return decimal_text(abs(amount_minor), scale)


def fits(amount_minor: int, asset: Asset) -> bool:
    """Whether a message can carry it: digits and decimals are bounded there."""
    digits = text(amount_minor, asset.scale).replace(".", "").lstrip("0")
    return is_currency(asset) and len(digits) <= MESSAGE_DIGITS_MAX


def is_currency(asset: Asset) -> bool:
    """Whether a message can name it and carry its decimals."""
    return _CURRENCY.fullmatch(asset.code) is not None and asset.scale <= MESSAGE_DECIMALS_MAX


def sums_to(parts: Iterable[str], control_sum: str) -> bool:
    """The control sum is the sum of the decimal texts, whatever their currencies."""
    with localcontext() as exact:
        exact.prec = 2 * WIDTH_MAX
        return sum((Decimal(part.strip()) for part in parts), Decimal(0)) == Decimal(control_sum.strip())
