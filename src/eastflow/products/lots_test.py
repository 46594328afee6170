"""Call deposits and instalments against oracles of their own, which know neither lots nor notices."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from eastflow.kernel import RATE_UNITS, Refusal, add_months

from .contract import begin, end_of_day
from .directives import customer_minor
from .model import AtMaturity, Contract, Limits, RateTable, Terms
from .movements import close, give_notice, pay_in, withdraw
from .shipped_terms import shipped

START = date(2024, 12, 31)
ONE_DAY = timedelta(days=1)
PLAN_MONTHS = 12


def rate(table: RateTable | None, day: date) -> Fraction:
    """The shipped tables have one tier."""
    assert table is not None
    return [Fraction(change.tiers[0].rate_units, RATE_UNITS) for change in table.changes if change.since <= day][-1]


def half_up(amount: Fraction) -> int:
    return int(2 * amount + 1) // 2


def opened(terms: Terms, amount: int, choice: AtMaturity | None = None) -> Contract:
    begun = begin(terms, START, choice)
    assert not isinstance(begun, Refusal)
    paid = pay_in(begun, amount, START)
    assert not isinstance(paid, Refusal)
    return paid[0]


def paid_on_closing(contract: Contract, day: date) -> int:
    closed = close(contract, day)
    assert not isinstance(closed, Refusal)
    return customer_minor([each for each in closed[1] if each.kind == "interest"])


def months_as_days(start: date, end: date) -> int:
    """Whole months as thirty days each, found by trying one after the other, and the days left over."""
    months = 0
    while add_months(start, months + 1) <= end:
        months += 1
    return 30 * months + (end - add_months(start, months)).days


@settings(max_examples=150, deadline=None)
@given(
    amount=st.integers(500, 10**9),
    gaps=st.lists(st.integers(0, 45), max_size=30),
    days=st.integers(0, 600),
)
def test_instalments_agree_with_the_oracle(amount: int, gaps: list[int], days: int) -> None:
    terms = shipped()["cny-instalment-1y"]
    contract, end = opened(terms, amount, AtMaturity.HOLD), START + days * ONE_DAY
    maturity = add_months(START, PLAN_MONTHS)
    paid, day = [(START, True)], START
    kept = True
    for gap in gaps:
        day += gap * ONE_DAY
        if day > end:
            break
        due = next(month for month in range(1, 100) if add_months(START, month) > day)
        taken = day < maturity and len(paid) < due
        kept = kept and len(paid) >= due - 2
        contract, _ = end_of_day(contract, day - ONE_DAY)
        answer = pay_in(contract, amount, day)
        assert isinstance(answer, Refusal) is not taken
        if not isinstance(answer, Refusal):
            contract = answer[0]
            paid.append((day, kept))
    earned = Fraction(0)
    for since, on_plan in paid:
        if end >= maturity and on_plan:
            earned += amount * rate(terms.rates, START) * Fraction(months_as_days(since, maturity), 360)
            since = maturity
        earned += amount * rate(terms.demand_rates, end) * Fraction((end - since).days, 360)
    contract, _ = end_of_day(contract, end - ONE_DAY)
    assert paid_on_closing(contract, end) == half_up(earned)


@settings(max_examples=150, deadline=None)
@given(
    amount=st.integers(10, 10**9),
    notices=st.lists(st.tuples(st.integers(1, 60), st.integers(1, 10**8), st.integers(0, 10**8)), max_size=5),
    days=st.integers(0, 100),
    told=st.booleans(),
)
def test_call_deposits_agree_with_the_oracle(
    amount: int, notices: list[tuple[int, int, int]], days: int, told: bool
) -> None:
    """Each notice is given some days after the last one's day, and more, less or nothing is taken on its day."""
    terms = replace(shipped()["cny-call-7d"], limits=Limits())
    contract, balance, day, idle = opened(terms, amount), amount, START, 0
    for gap, noticed, wanted in notices:
        day += gap * ONE_DAY
        contract, _ = end_of_day(contract, day - ONE_DAY)
        given = give_notice(contract, noticed, day)
        assert isinstance(given, Refusal) is (noticed > balance)
        if isinstance(given, Refusal):
            continue
        contract, day = given[0], day + 7 * ONE_DAY
        contract, _ = end_of_day(contract, day - ONE_DAY)
        left = noticed
        if 0 < wanted < balance:
            called = min(wanted, noticed)
            years = Fraction((day - START).days, 360)
            earned = (called * rate(terms.rates, day) + (wanted - called) * rate(terms.demand_rates, day)) * years
            earned -= idle * rate(terms.rates, day) / 360
            answer = withdraw(contract, wanted, day)
            assert not isinstance(answer, Refusal)
            contract, balance, left, idle = answer[0], balance - wanted, noticed - called, 0
            assert customer_minor([each for each in answer[1] if each.kind == "interest"]) == half_up(
                max(earned, Fraction(0))
            )
        contract, _ = end_of_day(contract, day)
        idle += min(left, balance) * 7
        day += ONE_DAY
    end = day + (7 + days) * ONE_DAY
    if told:
        contract, _ = end_of_day(contract, end - 8 * ONE_DAY)
        noticed_all = give_notice(contract, balance, end - 7 * ONE_DAY)
        assert not isinstance(noticed_all, Refusal)
        contract = noticed_all[0]
    contract, _ = end_of_day(contract, end - ONE_DAY)
    earned_rate = rate(terms.rates if told else terms.demand_rates, end)
    earned = (balance * (end - START).days - idle) * earned_rate / 360
    assert paid_on_closing(contract, end) == half_up(max(earned, Fraction(0)))
