"""Interest of a balance that comes and goes: counted day by day in whole numbers, rounded once when it is paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise

from eastflow.kernel import RATE_UNITS, round_half_up

from .model import Accrual, RateTable, Terms
from .rates import changes_between, counting_rates, settled_units, units_of


def advance(terms: Terms, accrual: Accrual, through: date, changes: Sequence[tuple[date, int]] = ()) -> Accrual:
    """The accrual with the days before `through` counted too.

    `changes` are the value-dated movements of the balance, in order, each on a day `accrual.through` <= day <
    `through`. A day earns by its closing balance: money earns from the day it comes, and not on the day it goes
    (算头不算尾). An overdrawn balance earns nothing, and costs what the terms say. Advancing in one step or in many
    comes to the same.
    """
    assert accrual.through <= through, "an accrual goes forward only"
    for moved_on, amount in changes:
        assert accrual.through <= moved_on < through, "changes are in order, and within the days that are counted"
        there = _at_rest(terms, accrual, moved_on)
        accrual = replace(there, balance_minor=there.balance_minor + amount)
    return _at_rest(terms, accrual, through)


def interest_minor(terms: Terms, accrual: Accrual, closed_on: date | None = None) -> int:
    """The period's interest in whole multiples of the terms' rounding, half up, if it is settled as it stands; or if
    the contract is closed on `closed_on`."""
    if not accrual.numerator:
        return 0
    return money(terms, accrual.numerator * settled_units(terms, accrual.through, closed_on))


def debit_interest_minor(terms: Terms, accrual: Accrual) -> int:
    """What the period's overdraft costs, rounded likewise. Not negative: the customer is to pay it."""
    return money(terms, accrual.debit_numerator)


def settled(accrual: Accrual, interest: int) -> Accrual:
    """A new period begins on `through`, with the interest in the balance."""
    return Accrual(accrual.through, accrual.balance_minor + interest)


def money(terms: Terms, numerator: int) -> int:
    """Minor units of a numerator over `RATE_UNITS * day_count.denominator`. The one place where interest is rounded."""
    step = terms.rounding_minor
    return step * round_half_up(numerator, RATE_UNITS * terms.day_count.denominator * step)


def _at_rest(terms: Terms, accrual: Accrual, until: date) -> Accrual:
    """The accrual with the days before `until` counted, on which nothing moved."""
    balance, since = accrual.balance_minor, accrual.through
    earned, cost = accrual.numerator, accrual.debit_numerator
    if balance > 0:
        earned += _numerator(terms, counting_rates(terms), balance, since, until)
    elif balance < 0 and terms.overdraft is not None:
        cost += _numerator(terms, terms.overdraft.rates, -balance, since, until)
    return Accrual(until, balance, earned, cost)


def _numerator(terms: Terms, table: RateTable, amount: int, start: date, end: date) -> int:
    cuts = [start, *changes_between(table, start, end), end]
    return sum(units_of(table, amount, since) * terms.day_count.weight(since, until) for since, until in pairwise(cuts))
