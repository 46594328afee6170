"""The thresholds on each side of the day on which they changed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from .personal_accounts import ACCOUNT_COUNTS, LIMITS, AccountClass, account_count_on, limits_on

FIRST = date(2016, 12, 1)
CHANGED = date(2018, 1, 12)
BEFORE = timedelta(days=1)


@pytest.mark.parametrize(
    ("account_class", "day", "expected"),
    [
        (AccountClass.I, date.max, None),
        (AccountClass.II, FIRST - BEFORE, None),
        (AccountClass.II, FIRST, (1_000_000, 20_000_000, None)),
        (AccountClass.II, date.max, (1_000_000, 20_000_000, None)),
        (AccountClass.III, CHANGED - BEFORE, (500_000, 10_000_000, 100_000)),
        (AccountClass.III, CHANGED, (200_000, 5_000_000, 200_000)),
    ],
)
def test_limits(account_class: AccountClass, day: date, expected: tuple[int, int, int | None] | None) -> None:
    found = limits_on(account_class, day)
    assert (found and (found.day_minor_max, found.year_minor_max, found.balance_minor_max)) == expected


def test_a_person_has_one_account_of_class_one_and_five_of_the_others() -> None:
    counts = [account_count_on(each, FIRST) for each in AccountClass]
    assert [count and count.accounts_max for count in counts] == [1, 5, 5]
    assert account_count_on(AccountClass.I, FIRST - BEFORE) is None


def test_what_is_recalled_is_marked() -> None:
    assert [(rule.account_class.value, rule.since) for rule in LIMITS if not rule.verified] == [("III", FIRST)]
    assert [rule.account_class.value for rule in ACCOUNT_COUNTS if not rule.verified] == ["II", "III"]
