"""Interest of sums that are paid in once and count from their day: terms, call deposits and instalments."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from eastflow.kernel import months_and_days

from .accrual import advance, money
from .model import Contract, Counting, Lot, ProductKind, Terms
from .rates import rate_units_of


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
        return money(terms, accrual.numerator) - money(terms, accrual.debit_numerator) - contract.owed_minor
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
