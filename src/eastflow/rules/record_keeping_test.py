"""Five years, and ten since 2025; all of it recalled."""

from __future__ import annotations

from datetime import date

from .record_keeping import RETENTIONS, retention_on


def test_the_law_grew_longer() -> None:
    days = [date(2007, 7, 31), date(2007, 8, 1), date(2024, 12, 31), date(2025, 1, 1)]
    assert [(found := retention_on(day)) and found.years for day in days] == [None, 5, 5, 10]


def test_nothing_of_it_was_checked() -> None:
    assert not any(rule.verified for rule in RETENTIONS)
