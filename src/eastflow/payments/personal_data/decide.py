"""Until when must payments be kept? Pure: no clock, no database."""

from __future__ import annotations

from datetime import date

from eastflow.rules import retention_on


def kept_since(today: date) -> date | None:
    """The first day of the months that are to be kept: what is before it need not be. None: the law says nothing."""
    rule = retention_on(today)
    if rule is None or today.year - rule.years < date.min.year:
        return None
    return date(today.year - rule.years, today.month, 1)
