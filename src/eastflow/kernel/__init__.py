"""The floor everything stands on: assets, identifiers, refusals. Pure; standard library only."""

from .asset import CURRENCY_SCALES, SCALE_MAX, Asset, decimal_text, is_asset
from .calendar import BusinessCalendar, add_months, months_and_days
from .check_digit import has_check_digit, with_check_digit
from .day_count import DayCount
from .ids import is_own_id, own_id, unix_milliseconds, uuid7
from .limits import EXACT_JSON_INTEGER_MAX, INT64_MAX
from .rate import RATE_UNITS, rate_units, round_half_up
from .refusal import Refusal, RefusalCode
from .text import DETAILS_MAX, details_problem, is_text

__all__ = [
    "CURRENCY_SCALES",
    "DETAILS_MAX",
    "EXACT_JSON_INTEGER_MAX",
    "INT64_MAX",
    "RATE_UNITS",
    "SCALE_MAX",
    "Asset",
    "BusinessCalendar",
    "DayCount",
    "Refusal",
    "RefusalCode",
    "add_months",
    "decimal_text",
    "details_problem",
    "has_check_digit",
    "is_asset",
    "is_own_id",
    "is_text",
    "months_and_days",
    "own_id",
    "rate_units",
    "round_half_up",
    "unix_milliseconds",
    "uuid7",
    "with_check_digit",
]
