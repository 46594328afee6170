"""The law as dated, cited data. Pure: facts in, thresholds out."""

from .personal_accounts import LIMITED_ASSET, AccountClass, AccountCount, Limits, account_count_on, limits_on
from .record_keeping import Retention, retention_on

__all__ = [
    "LIMITED_ASSET",
    "AccountClass",
    "AccountCount",
    "Limits",
    "Retention",
    "account_count_on",
    "limits_on",
    "retention_on",
]
