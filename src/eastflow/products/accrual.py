"""Interest of a balance that comes and goes: counted day by day in whole numbers, rounded once when it is paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise

from eastflow.kernel import RATE_UNITS, round_half_up

from .model import Accrual, Terms
from .rates import changes_between, units_of


def advance(terms: Terms, accrual: Accrual, through: date, changes: Sequence[tuple[date, int]] = ()) -> Accrual:
    """The accrual with the days before `through` counted too.

    `changes` are the value-dated movements of the balance, in order, each on a day `accrual.through` <= day <
    `through`. A day earns by its closing balance: money earns from the day it comes, and not on the day it goes
    (算头不算尾). A negative balance earns nothing. Advancing in one step or in many comes to the same.
    """
    day, balance, numerator = accrual.through, accrual.balance_minor, accrual.numerator
    assert day <= through, "an accrual goes forward only"
    for moved_on, amount in changes:
        assert day <= moved_on < through, "changes are in order, and within the days that are counted"
        if moved_on > day:
            numerator += _numerator(terms, balance, day, moved_on)
            day = moved_on
        balance += amount
    return Accrual(through, balance, numerator + _numerator(terms, balance, day, through))


def interest_minor(terms: Terms, accrual: Accrual) -> int:
    """The period's interest in whole multiples of the terms' rounding, half up."""
    return money(terms, accrual.numerator)


def settled(accrual: Accrual, interest: int) -> Accrual:
    """A new period begins on `through`, with the interest in the balance."""
    return replace(accrual, balance_minor=accrual.balance_minor + interest, numerator=0)


def money(terms: Terms, numerator: int) -> int:
    """Minor units of a numerator over `RATE_UNITS * day_count.denominator`. The one place where interest is rounded."""
    step = terms.rounding_minor
    return step * round_half_up(numerator, RATE_UNITS * terms.day_count.denominator * step)


def _numerator(terms: Terms, balance: int, start: date, end: date) -> int:
    if balance <= 0:
        return 0
    cuts = [start, *changes_between(terms.rates, start, end), end]
    return sum(
        units_of(terms.rates, balance, since) * terms.day_count.weight(since, until) for since, until in pairwise(cuts)
    )
