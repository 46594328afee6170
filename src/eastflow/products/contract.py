"""The life of a contract that time brings about: it begins, its dates come due, and it goes on under new terms."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from eastflow.kernel import Refusal, add_months

from . import fees, lots, overdrafts
from .accrual import advance, debit_interest_minor, interest_minor, settled
from .calendar_dates import first_from, next_day
from .directives import OVERDRAFT_INTEREST, Step, emptied, interest_paid, joined, withdrawn
from .hooks import bonuses
from .model import Accrual, AtMaturity, Contract, Directive, Lot, Period, ProductKind, Terms
from .rates import rate_units_of
from .refusals import ProductsRefusal


def begin(terms: Terms, opened_on: date, at_maturity: AtMaturity | None = None) -> Contract | Refusal:
    """A contract without money yet: `pay_in` brings the first, and with it a term begins.

    `at_maturity` is the customer's choice among those of the terms; the first of them unless chosen.
    Refusals: MATURITY_CHOICE_UNKNOWN.
    """
    if at_maturity is not None and at_maturity not in terms.at_maturity:
        return Refusal(ProductsRefusal.MATURITY_CHOICE_UNKNOWN, {"at_maturity": at_maturity.value})
    chosen = at_maturity or next(iter(terms.at_maturity), None)
    accrual = Accrual(opened_on) if terms.kind is ProductKind.DEMAND else None
    return Contract(terms, opened_on, opened_on, opened_on, chosen, accrual=accrual)


def next_due(contract: Contract) -> date | None:
    """The first day, from `open_day` on, whose end has something to do; None when there is no such day.

    Days before it need no `end_of_day` of their own.
    """
    if contract.closed_on is not None:
        return None
    day, terms = contract.open_day, contract.terms
    found = [fees.next_scheduled(terms, day), *(notice.due_on for notice in contract.notices)]
    if terms.settlement is not None:
        found.append(first_from(terms.settlement, day))
    if contract.period is not None:
        found.append(contract.period.maturity)
    if contract.owed_minor:
        found.append(day)
    return min((due for due in found if due is not None and due >= day), default=None)


def end_of_day(contract: Contract, day: date) -> Step:
    """All that falls due up to the end of `day`, each on its own day and in order: interest, maturity, fees, bonuses.

    Asked again for a day that is done, it does nothing. What moves on a day comes before its end: a movement is
    refused once the day is done, and while an earlier day is still due.
    """
    posted: list[Directive] = []
    while (due := next_due(contract)) is not None and due <= day:
        contract, directives = _due(contract, due)
        posted += directives
        contract = replace(contract, open_day=next_day(due))
    if contract.closed_on is None and contract.open_day <= day:
        contract = replace(contract, open_day=next_day(day))
    return contract, tuple(posted)


def due_kinds(terms: Terms) -> tuple[str, ...]:
    """The kinds of what `end_of_day` and `migrate` direct of a demand contract; of each at most one on a day."""
    scheduled = [f"fee:{fee.name}" for fee in terms.fees if fee.schedule is not None]
    return "interest", OVERDRAFT_INTEREST, *scheduled, *(f"bonus:{use.name}" for use in terms.hooks)


def migrate(contract: Contract, terms: Terms, on: date) -> Step:
    """The contract under other terms of the same kind and asset, from `on`: interest until then is paid under the old.

    A term that runs keeps the rate it was given; what else the new terms say holds at once.
    """
    assert (terms.kind, terms.asset) == (contract.terms.kind, contract.terms.asset), "plans are decided with this"
    posted: tuple[Directive, ...] = ()
    if contract.accrual is not None:
        contract, posted = _settle(contract, on)
        # What the new terms would have had fall due before is not due.
        contract = replace(contract, open_day=max(contract.open_day, next_day(on)))
    chosen = contract.at_maturity if contract.at_maturity in terms.at_maturity else next(iter(terms.at_maturity), None)
    return replace(contract, terms=terms, at_maturity=chosen), posted


def new_period(terms: Terms, start: date, balance_minor: int, number: int) -> Period:
    """A term of `balance_minor` from `start`, at the rate of that day."""
    assert terms.term_months is not None, "terms_from sees to it"
    rate = rate_units_of(terms.rates, balance_minor, start)
    return Period(start, add_months(start, terms.term_months), rate, number)


def _due(contract: Contract, day: date) -> Step:
    settlement = contract.terms.settlement
    settles = settlement is not None and first_from(settlement, day) == day
    step: Step = (contract, ())
    if settles:
        step = joined(step, _settle(step[0], day))
    elif contract.owed_minor:
        step = joined(step, overdrafts.take_owed(contract, day))
    if contract.notices:
        step = joined(step, (lots.lapse_notices(step[0], day), ()))
    if contract.period is not None and contract.period.maturity == day:
        step = joined(step, _mature(step[0], day))
    if step[0].closed_on is None:
        step = joined(step, fees.charge_scheduled(step[0], day))
    if settles:
        step = joined(step, bonuses(step[0], day))
    return step


def _settle(contract: Contract, day: date) -> Step:
    assert contract.accrual is not None, "terms_from gives a settlement to demand terms alone"
    accrual = advance(contract.terms, contract.accrual, day)
    interest = interest_minor(contract.terms, accrual)
    owed = contract.owed_minor + debit_interest_minor(contract.terms, accrual)
    credited = replace(contract, accrual=settled(accrual, interest), owed_minor=owed)
    return joined((credited, interest_paid(day, interest)), overdrafts.take_owed(credited, day))


def _mature(contract: Contract, day: date) -> Step:
    period, rule = contract.period, contract.at_maturity
    assert period is not None, "only what has a term matures"
    renewals_max = contract.terms.renewals_max
    if rule is AtMaturity.HOLD or not contract.lots:
        return contract, ()
    interest = lots.interest_minor(contract, day)
    if rule is AtMaturity.PAY_OUT:
        return emptied(contract, day, interest)
    if renewals_max is not None and period.number > renewals_max:
        return contract, ()
    kept = interest if rule is AtMaturity.RENEW_ALL else 0
    posted = interest_paid(day, interest) + withdrawn(day, interest - kept)
    return renewed(contract, day, kept), posted


def renewed(contract: Contract, day: date, added_minor: int) -> Contract:
    """The contract with a further term from `day`, of what it had and `added_minor`."""
    assert contract.period is not None, "only what has a term is renewed"
    balance = contract.balance_minor + added_minor
    period = new_period(contract.terms, day, balance, contract.period.number + 1)
    return replace(contract, lots=(Lot(balance, day),), period=period, partial_withdrawals=0)
