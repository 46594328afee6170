"""Personal bank accounts of class I, II and III: how many a person may have, and what they may hold and move.

Texts: 银发〔2015〕392号, 银发〔2016〕261号, 银发〔2016〕302号, 银发〔2018〕16号 (only the last number was found, the
others are recalled). Where `verified` is false, the figure or its first day is recalled and is to be checked against
the official text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import TypeVar

YUAN = 100
"""In fen, the minor unit of CNY."""
LIMITED_ASSET = "CNY"


class AccountClass(Enum):
    """`I` does everything. `II` saves and pays within limits. `III` holds and pays small amounts."""

    I = "I"  # noqa: E741 - the law's own names
    II = "II"
    III = "III"


@dataclass(frozen=True, slots=True)
class Limits:
    """What an account of a class may hold and move from `since` on, in fen; inward and outward each by itself.

    Only what comes from or goes to accounts that are not bound counts. That a year is the calendar year, and that the
    two directions count apart in class III, is recalled.
    """

    account_class: AccountClass
    since: date
    day_minor_max: int
    year_minor_max: int
    balance_minor_max: int | None
    text: str
    verified: bool


@dataclass(frozen=True, slots=True)
class AccountCount:
    """How many accounts of a class one person may have in one bank from `since` on."""

    account_class: AccountClass
    since: date
    accounts_max: int
    text: str
    verified: bool


_TEXT_2016, _TEXT_2018 = "银发〔2016〕302号", "银发〔2018〕16号"
_SINCE_2016, _SINCE_2018 = date(2016, 12, 1), date(2018, 1, 12)
LIMITS = (
    Limits(AccountClass.II, _SINCE_2016, 10_000 * YUAN, 200_000 * YUAN, None, _TEXT_2016, True),
    Limits(AccountClass.III, _SINCE_2016, 5_000 * YUAN, 100_000 * YUAN, 1_000 * YUAN, _TEXT_2016, False),
    Limits(AccountClass.III, _SINCE_2018, 2_000 * YUAN, 50_000 * YUAN, 2_000 * YUAN, _TEXT_2018, True),
)
ACCOUNT_COUNTS = (
    AccountCount(AccountClass.I, _SINCE_2016, 1, "银发〔2016〕261号", True),
    AccountCount(AccountClass.II, _SINCE_2016, 5, _TEXT_2016, False),
    AccountCount(AccountClass.III, _SINCE_2016, 5, _TEXT_2016, False),
)
_Rule = TypeVar("_Rule", Limits, AccountCount)


def limits_on(account_class: AccountClass, day: date) -> Limits | None:
    """None where the class is not limited on that day."""
    return _latest(LIMITS, account_class, day)


def account_count_on(account_class: AccountClass, day: date) -> AccountCount | None:
    """None where there is no bound on that day."""
    return _latest(ACCOUNT_COUNTS, account_class, day)


def _latest(rules: Iterable[_Rule], account_class: AccountClass, day: date) -> _Rule | None:
    standing = [rule for rule in rules if rule.account_class is account_class and rule.since <= day]
    return max(standing, key=lambda rule: rule.since, default=None)
