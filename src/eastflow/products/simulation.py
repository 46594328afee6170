"""A contract's years in advance: the very functions that run the bank's contracts, over a calendar of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from eastflow.kernel import INT64_MAX, Refusal, add_months

from .contract import begin, end_of_day
from .directives import Step, joined
from .lots import accrued_minor
from .model import AccountRole, AtMaturity, Contract, Directive, ProductKind, Terms
from .movements import close, give_notice, pay_in, withdraw
from .refusals import ProductsRefusal

YEARS_MAX = 50


@dataclass(frozen=True, slots=True)
class Plan:
    """`deposit_minor` on `start`, then `monthly_minor` on the same day of each month: in, or out where it is negative.

    Of an instalment product the deposit is the instalment and is paid each month by itself. The contract is closed
    after `years` (1 to `YEARS_MAX`), a call deposit with notice, and what is overdrawn is paid in then.
    """

    start: date
    years: int
    deposit_minor: int
    monthly_minor: int = 0
    at_maturity: AtMaturity | None = None


@dataclass(frozen=True, slots=True)
class Month:
    """What happened up to `until` (excluded) since the month before, and how things stand then.

    `accrued_minor`: earned, and not paid yet, less what an overdraft has cost, and was not taken yet. Of the balance,
    paid out is what went to the customer, fees are apart.
    """

    until: date
    paid_in_minor: int
    paid_out_minor: int
    interest_minor: int
    overdraft_interest_minor: int
    fees_minor: int
    balance_minor: int
    accrued_minor: int


@dataclass(frozen=True, slots=True)
class Simulation:
    """Months in their order; the closing is in the last. `directives` are all that would be posted."""

    months: tuple[Month, ...]
    directives: tuple[Directive, ...]
    closed_on: date | None

    def total(self, name: str) -> int:
        """Over all months: `paid_in_minor`, `paid_out_minor`, `interest_minor`, `overdraft_interest_minor` or
        `fees_minor`."""
        return sum(getattr(month, name) for month in self.months)


def simulate(terms: Terms, plan: Plan) -> Simulation | Refusal:
    """Refusals: those of the contract's own life, where the plan does not fit the terms."""
    assert 1 <= plan.years <= YEARS_MAX, "whoever asks has checked the years"
    begun = begin(terms, plan.start, plan.at_maturity)
    if isinstance(begun, Refusal):
        return begun
    contract, months, posted = begun, list[Month](), list[Directive]()
    for number in range(12 * plan.years):
        start, until = (add_months(plan.start, number + further) for further in (0, 1))
        last = number == 12 * plan.years - 1
        lived = _month(contract, plan, number, start, until, last)
        if isinstance(lived, Refusal):
            return lived
        contract, directives = lived
        if contract.balance_minor > INT64_MAX:
            return Refusal(ProductsRefusal.BALANCE_ABOVE_MAXIMUM, {"maximum_minor": INT64_MAX})
        months.append(_summed(contract, until, directives))
        posted += directives
        if contract.closed_on is not None:
            break
    return Simulation(tuple(months), tuple(posted), contract.closed_on)


def _month(contract: Contract, plan: Plan, number: int, start: date, until: date, last: bool) -> Step | Refusal:
    """From `start` to `until` (excluded), but for the last, in which the contract is closed on `until`."""
    moved = _move(contract, plan, number, start)
    if isinstance(moved, Refusal):
        return moved
    contract, posted = moved
    notice_days = contract.terms.notice_days
    if last and contract.funded and notice_days is not None and (until - start).days > notice_days:
        noticed = give_notice(contract, contract.balance_minor, until - timedelta(days=notice_days))
        assert not isinstance(noticed, Refusal), "a call deposit takes notice of all it has"
        contract, _ = noticed
    contract, due = end_of_day(contract, until - timedelta(days=1))
    posted += due
    if not last or contract.closed_on is not None:
        return contract, posted
    closed = _closed(contract, until)
    return closed if isinstance(closed, Refusal) else joined((contract, posted), closed)


def _closed(contract: Contract, day: date) -> Step | Refusal:
    """What is overdrawn is paid in first."""
    short = -(contract.balance_minor + accrued_minor(contract, day))
    paid = pay_in(contract, short, day) if short > 0 else (contract, ())
    if isinstance(paid, Refusal):
        return paid
    closed = close(paid[0], day)
    return closed if isinstance(closed, Refusal) else joined(paid, closed)


def _move(contract: Contract, plan: Plan, number: int, day: date) -> Step | Refusal:
    amount = plan.monthly_minor
    if number == 0 or _instalment_due(contract, day):
        amount = plan.deposit_minor
    if amount > 0:
        return pay_in(contract, amount, day)
    return withdraw(contract, -amount, day) if amount else (contract, ())


def _instalment_due(contract: Contract, day: date) -> bool:
    is_instalment = contract.terms.kind is ProductKind.INSTALMENT
    return is_instalment and contract.period is not None and day < contract.period.maturity


def _summed(contract: Contract, until: date, directives: Sequence[Directive]) -> Month:
    into = dict.fromkeys(AccountRole, 0)
    paid_in = 0
    for directive in directives:
        for leg in directive.legs:
            into[leg.role] += leg.amount_minor
            if leg.role is AccountRole.NOMINATED and leg.amount_minor < 0:
                paid_in -= leg.amount_minor
    assert sum(into.values()) == 0, "every directive balances"
    return Month(
        until,
        paid_in,
        into[AccountRole.NOMINATED] + paid_in,
        -into[AccountRole.INTEREST_EXPENSE] - into[AccountRole.INTEREST_PAYABLE],
        into[AccountRole.OVERDRAFT_INTEREST_INCOME],
        into[AccountRole.FEE_INCOME],
        contract.balance_minor,
        0 if contract.closed_on is not None else accrued_minor(contract, until),
    )
