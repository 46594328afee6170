"""The floor everything stands on: assets, identifiers, refusals. Pure; standard library only."""

from .asset import CURRENCY_SCALES, SCALE_MAX, Asset, decimal_text, is_asset
from .check_digit import has_check_digit, with_check_digit
from .ids import unix_milliseconds, uuid7
from .limits import EXACT_JSON_INTEGER_MAX, INT64_MAX
from .refusal import Refusal, RefusalCode
from .text import DETAILS_MAX, details_problem, is_text

__all__ = [
    "CURRENCY_SCALES",
    "DETAILS_MAX",
    "EXACT_JSON_INTEGER_MAX",
    "INT64_MAX",
    "SCALE_MAX",
    "Asset",
    "Refusal",
    "RefusalCode",
    "decimal_text",
    "details_problem",
    "has_check_digit",
    "is_asset",
    "is_text",
    "unix_milliseconds",
    "uuid7",
    "with_check_digit",
]
