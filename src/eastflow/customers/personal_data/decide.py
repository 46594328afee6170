"""May a party be erased? Pure: no clock, no database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from eastflow.kernel import Refusal
from eastflow.rules import retention_on

from ..model import Party, Role
from ..refusals import CustomersRefusal


def decide_erasure(party: Party | None, id: object, roles: Sequence[Role], today: date) -> Refusal | None:
    """None: it may. Refused while the party has anything to do with an account, and while the law has it kept.

    The relationship ended with the party's last role, or never went beyond the day it became known.
    """
    if party is None:
        return Refusal(CustomersRefusal.PARTY_NOT_FOUND, {"id": str(id)})
    open_roles = [role for role in roles if role.until is None or role.until > today]
    if open_roles:
        return Refusal(CustomersRefusal.ROLE_STANDS, {"account": open_roles[0].account})
    ended_on = max([party.opened_on, *(role.until for role in roles if role.until is not None)])
    rule = retention_on(today)
    if rule is not None and (kept_until := _years_later(ended_on, rule.years)) > today:
        facts = {"ended_on": ended_on, "kept_until": kept_until, "verified": rule.verified}
        return Refusal(CustomersRefusal.RETENTION_RUNS, facts)
    return None


def _years_later(day: date, years: int) -> date:
    """The same day of the year, 1 March for 29 February; the last day there is, where there is none."""
    year = day.year + years
    if year > date.max.year:
        return date.max
    leap_day = day.month == 2 and day.day == 29
    return date(year, 3, 1) if leap_day else day.replace(year=year)
