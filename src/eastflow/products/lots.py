"""Interest of sums that are paid in once and count from their day: terms, call deposits and instalments."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from eastflow.kernel import add_months, months_and_days

from .accrual import advance, money
from .accrual import interest_minor as demand_interest_minor
from .calendar_dates import next_day
from .model import Contract, Counting, Lot, Period, ProductKind, Terms
from .rates import rate_units_of

MISSED_MAX = 1
"""Instalments that may be behind, to be made up in the month after (漏存次月补齐: recalled, not checked)."""


def interest_minor(contract: Contract, on: date) -> int:
    """What the contract's lots have earned if all is paid on `on`: the term's rate only once it has matured."""
    if not contract.lots:
        return 0
    called = min(contract.balance_minor, called_minor(contract, on))
    return part_interest_minor(contract, contract.balance_minor, called, on)


def part_interest_minor(contract: Contract, amount_minor: int, called: int, on: date) -> int:
    """Of `amount_minor` withdrawn on `on`, of which `called` was under notice for that day. Of many lots all is taken.

    Idle time under notice takes off as much as it would have earned, and not more than there is.
    """
    if contract.terms.kind is not ProductKind.CALL:
        lots = contract.lots if amount_minor == contract.balance_minor else _of_one_lot(contract, amount_minor)
        return money(contract.terms, sum(_numerator(contract, lot, on) for lot in lots))
    [lot] = contract.lots
    rate = rate_units_of(contract.terms.rates, contract.balance_minor, on)
    numerator = called * rate * _weight(contract.terms, lot.since, on)
    numerator += _at_demand(contract, amount_minor - called, lot.since, on)
    idle_rate = rate if called else _demand_rate_units(contract, on)
    return money(contract.terms, max(0, numerator - contract.idle_numerator * idle_rate))


def accrued_minor(contract: Contract, on: date) -> int:
    """What the contract has earned by `on`, from its last payment of interest, if it runs as agreed.

    This is the bank's cost so far, to be booked as payable; what a broken term is paid is less. Where an overdraft has
    cost more than was earned, it is negative.
    """
    terms, period = contract.terms, contract.period
    if contract.accrual is not None:
        accrual = advance(terms, contract.accrual, on)
        return demand_interest_minor(terms, accrual) - money(terms, accrual.debit_numerator) - contract.owed_minor
    numerator = 0
    for lot in contract.lots:
        if period is not None and (on >= period.maturity or not lot.kept):
            numerator += _numerator(contract, lot, on)
        else:
            rate = period.rate_units if period else rate_units_of(terms.rates, contract.balance_minor, on)
            numerator += lot.amount_minor * rate * _weight(terms, lot.since, on)
    return money(terms, numerator)


def called_minor(contract: Contract, on: date) -> int:
    """The sum under notice for exactly that day."""
    return sum(notice.amount_minor for notice in contract.notices if notice.due_on == on)


def leaves_early(contract: Contract, amount_minor: int, on: date) -> bool:
    """Whether so much leaves before its term is over, or without notice of all of it."""
    if contract.period is not None:
        return on < contract.period.maturity
    return contract.terms.kind is ProductKind.CALL and called_minor(contract, on) < amount_minor


def lapse_notices(contract: Contract, day: date) -> Contract:
    """At the end of the day they were for, what was not taken of them has stood idle since notice was given."""
    balance, idle = contract.balance_minor, contract.idle_numerator
    for notice in contract.notices:
        if notice.due_on == day:
            weight = contract.terms.day_count.weight(notice.given_on, notice.due_on)
            idle += min(balance, notice.amount_minor) * weight
    waiting = tuple(notice for notice in contract.notices if notice.due_on != day)
    return replace(contract, notices=waiting, idle_numerator=idle)


def instalments_behind(contract: Contract, on: date) -> int:
    """How many were missed before the one of this month; negative when this month's has been paid."""
    if contract.period is None:
        return 0
    return months_and_days(contract.period.start, on)[0] - len(contract.lots)


def month_end_from(period: Period, day: date) -> date | None:
    """The first last day of a month of the plan on or after `day`; None once it has matured."""
    if day >= period.maturity:
        return None
    months, _ = months_and_days(period.start, max(day, period.start))
    return add_months(period.start, months + 1) - timedelta(days=1)


def has_missed(contract: Contract, day: date) -> bool:
    """Whether at the end of `day` an instalment or the use of a notice is missed. A broken plan has none to miss."""
    period = contract.period
    if contract.terms.kind is not ProductKind.INSTALMENT or period is None:
        return called_minor(contract, day) > 0
    if month_end_from(period, day) != day:
        return False
    unpaid = instalments_behind(contract, next_day(day))
    return 1 <= unpaid <= MISSED_MAX + 1 and all(lot.kept for lot in contract.lots)


def _of_one_lot(contract: Contract, amount_minor: int) -> tuple[Lot, ...]:
    [lot] = contract.lots
    return (replace(lot, amount_minor=amount_minor),)


def _numerator(contract: Contract, lot: Lot, on: date) -> int:
    """What a lot of a term or of instalments has earned if it is paid on `on`."""
    period = contract.period
    if period is None or on < period.maturity or not lot.kept:
        return _at_demand(contract, lot.amount_minor, lot.since, on)
    in_term = lot.amount_minor * period.rate_units * _weight(contract.terms, lot.since, period.maturity)
    return in_term + _at_demand(contract, lot.amount_minor, period.maturity, on)


def _at_demand(contract: Contract, amount_minor: int, since: date, on: date) -> int:
    return amount_minor * _demand_rate_units(contract, on) * contract.terms.day_count.weight(since, on)


def _demand_rate_units(contract: Contract, on: date) -> int:
    table = contract.terms.demand_rates
    return rate_units_of(table, contract.balance_minor, on) if table else 0


def _weight(terms: Terms, start: date, end: date) -> int:
    """Over the day count's denominator, which is 360 where months are counted."""
    if terms.counting is Counting.DAYS:
        return terms.day_count.weight(start, end)
    months, days = months_and_days(start, end)
    return 30 * months + days
