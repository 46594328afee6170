"""The life of a contract that time brings about: it begins, its dates come due, and it goes on under new terms."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from eastflow.kernel import Refusal, add_months

from . import fees, lots, overdrafts
from .accrual import advance, debit_interest_minor, interest_minor, settled
from .calendar_dates import first_from, next_day
from .directives import OVERDRAFT_INTEREST, Step, customer_minor, emptied, interest_paid, joined, withdrawn
from .hooks import bonuses, bonuses_of_term
from .model import Accrual, AtMaturity, Contract, Directive, Lot, Period, ProductKind, RateDay, Terms
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
    found = [fees.next_due(contract, day), *(notice.due_on for notice in contract.notices)]
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
    """The contract under other terms of the same kind and asset, from `on`: interest until then is paid under the old,
    unless it goes on being counted (`counts_on`).

    A term that runs keeps the rate it was given; what else the new terms say holds at once.
    """
    assert (terms.kind, terms.asset) == (contract.terms.kind, contract.terms.asset), "plans are decided with this"
    posted: tuple[Directive, ...] = ()
    if contract.accrual is not None and not counts_on(contract.terms, terms):
        contract, posted = _settle(contract, on)
    if contract.accrual is not None or (next_due(contract) or date.max) > on:
        # What the new terms would have had fall due before is not due. A maturity that is late still is.
        contract = replace(contract, open_day=max(contract.open_day, next_day(on)))
    chosen = contract.at_maturity if contract.at_maturity in terms.at_maturity else next(iter(terms.at_maturity), None)
    return replace(contract, terms=terms, at_maturity=chosen), posted


def counts_on(before: Terms, after: Terms) -> bool:
    """Whether a period under `before` is settled with the days after it: the rate of its settlement date holds for all
    of them, and nothing else of how they are counted changes."""
    both = before.rate_day is after.rate_day is RateDay.SETTLEMENT
    return both and (before.day_count, before.overdraft) == (after.day_count, after.overdraft)


def new_period(terms: Terms, start: date, balance_minor: int, number: int) -> Period:
    """A term of `balance_minor` from `start`, at the rate of that day."""
    assert terms.term_months is not None, "terms_from sees to it"
    rate = rate_units_of(terms.rates, balance_minor, start)
    return Period(start, add_months(start, terms.term_months), rate, number)


def _due(contract: Contract, day: date) -> Step:
    if contract.accrual is None:
        return _due_of_lots(contract, day)
    settlement = contract.terms.settlement
    settles = settlement is not None and first_from(settlement, day) == day
    step: Step = (contract, ())
    if settles:
        step = joined(step, _settle(step[0], day))
    elif contract.owed_minor:
        step = joined(step, overdrafts.take_owed(contract, day))
    step = joined(step, fees.charge_scheduled(step[0], day))
    if settles:
        step = joined(step, bonuses(step[0], day))
    return step


def _due_of_lots(contract: Contract, day: date) -> Step:
    """Fees are noted first: what matures on that day pays them."""
    noted = lots.lapse_notices(fees.note_due(contract, day), day)
    matures = noted.period is not None and noted.period.maturity == day
    return _mature(noted, day) if matures else (noted, ())


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
    if rule is AtMaturity.PAY_OUT:
        return ended(contract, day)
    if renewals_max is not None and period.number > renewals_max:
        return contract, ()
    return renewed(contract, day, pays_interest=rule is AtMaturity.RENEW_PRINCIPAL)


def ended(contract: Contract, day: date) -> Step:
    """All lots are paid out with what they have earned, less the fees that wait."""
    earned = _earned(contract, day)
    _, charges = fees.taken(contract, contract.balance_minor + customer_minor(earned), day)
    return emptied(contract, day, earned + charges)


def renewed(contract: Contract, day: date, *, pays_interest: bool) -> Step:
    """A further term from `day`. What was earned, less the fees that wait, is paid out or added to it."""
    assert contract.period is not None, "only what has a term is renewed"
    earned = _earned(contract, day)
    left, charges = fees.taken(contract, customer_minor(earned), day)
    posted = earned + charges
    if pays_interest:
        posted += withdrawn(day, customer_minor(posted))
    balance = contract.balance_minor + customer_minor(posted)
    period = new_period(contract.terms, day, balance, contract.period.number + 1)
    return replace(left, lots=(Lot(balance, day),), period=period, partial_withdrawals=0), posted


def _earned(contract: Contract, day: date) -> tuple[Directive, ...]:
    return interest_paid(day, lots.interest_minor(contract, day)) + bonuses_of_term(contract, day)
