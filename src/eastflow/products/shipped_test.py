"""Every shipped product lives five random years: nothing below the floor, no interest below zero, every leg balanced.
So does each that has a term or notice with every fee and hook that it may have, and each demand product of one rate
with that of its settlement date.

What it pays is compared with an oracle of its own, which walks through the days with fractions and knows no contract.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eastflow.kernel import RATE_UNITS, Refusal, add_months

from .contract import begin, end_of_day, next_due
from .directives import Step, customer_minor
from .lots import accrued_minor
from .model import (
    AccountRole,
    AtMaturity,
    Contract,
    Directive,
    Fee,
    FeeEvent,
    HookUse,
    ProductKind,
    RateDay,
    RateTable,
    Settlement,
    Terms,
)
from .movements import close, give_notice, pay_in, renew, withdraw
from .shipped_terms import FOLDER, shipped
from .terms_file import content_hash, terms_from, terms_to

START = date(2023, 12, 31)
DAYS = 5 * 366
ONE_DAY = timedelta(days=1)
CODES = sorted(shipped())
FEES = {
    "opening": Fee("opening", FeeEvent.OPENING, 700),
    "keeping": Fee("keeping", FeeEvent.SCHEDULE, 30_000, Settlement((3, 6, 9, 12), 21)),
    "early": Fee("early", FeeEvent.EARLY, 2_500, waived_from_minor=20_000_000),
    "part": Fee("part", FeeEvent.WITHDRAWAL, 90),
    "missed": Fee("missed", FeeEvent.MISSED, 400),
}
BONUS = HookUse("loyalty_bonus", {"bonus_minor": 900, "balance_min_minor": 10_000, "months_min": 1})
CHARGED = {
    ProductKind.TERM: ("opening", "keeping", "early", "part"),
    ProductKind.CALL: ("opening", "keeping", "early", "part", "missed"),
    ProductKind.INSTALMENT: ("opening", "keeping", "early", "missed"),
}


def charged(terms: Terms) -> Terms:
    limits = replace(terms.limits, opening_min_minor=max(terms.limits.opening_min_minor, terms.floor_minor) + 701)
    fees = tuple(FEES[name] for name in CHARGED[terms.kind])
    hooks = () if terms.kind is ProductKind.CALL else (BONUS,)
    return replace(terms, limits=limits, fees=fees, hooks=hooks)


def has_one_rate(terms: Terms) -> bool:
    return terms.kind is ProductKind.DEMAND and all(len(change.tiers) == 1 for change in terms.rates.changes)


AT_SETTLEMENT = {
    f"{code}+settlement": replace(each, rate_day=RateDay.SETTLEMENT)
    for code, each in shipped().items()
    if has_one_rate(each)
}
LIVES = {
    **shipped(),
    **AT_SETTLEMENT,
    **{f"{code}+fees": charged(each) for code, each in shipped().items() if each.kind in CHARGED},
}
Act = Callable[[Contract, int, date], Step | Refusal]
ACTS: tuple[Act, ...] = (
    pay_in,
    withdraw,
    give_notice,
    lambda contract, _, day: renew(contract, day),
    lambda contract, amount, day: close(contract, day) if amount % 7 == 0 else (contract, ()),
)
MOVES = st.lists(st.tuples(st.integers(0, DAYS - 1), st.integers(0, 4), st.integers(1, 30_000_000)), max_size=30)
OPENINGS = st.integers(0, 30_000_000)


def test_the_shipped_products() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(CODES)
    assert {terms.kind for terms in shipped().values()} == set(ProductKind)
    assert len({content_hash(terms) for terms in shipped().values()}) == len(CODES)
    for terms in LIVES.values():
        assert terms_from(terms_to(terms)) == terms


def check_directives(contract: Contract, before_minor: int, posted: tuple[Directive, ...], day: date) -> None:
    for directive in posted:
        assert sum(leg.amount_minor for leg in directive.legs) == 0
        assert all(leg.amount_minor for leg in directive.legs)
        assert directive.value_date == day
        paid = sum(leg.amount_minor for leg in directive.legs if leg.role is AccountRole.INTEREST_EXPENSE)
        assert paid <= 0, "interest is never negative"
        for income in (AccountRole.FEE_INCOME, AccountRole.OVERDRAFT_INTEREST_INCOME):
            assert sum(leg.amount_minor for leg in directive.legs if leg.role is income) >= 0
    assert contract.balance_minor == before_minor + customer_minor(posted)


@pytest.mark.parametrize("code", sorted(LIVES))
@settings(max_examples=10, deadline=None)
@given(data=st.data(), opening=OPENINGS, moves=MOVES)
def test_a_random_life_of_five_years(
    code: str, data: st.DataObject, opening: int, moves: list[tuple[int, int, int]]
) -> None:
    terms = LIVES[code]
    choice = data.draw(st.sampled_from(terms.at_maturity)) if terms.at_maturity else None
    contract = begin(terms, START, choice)
    assert isinstance(contract, Contract)
    acts = [(START, pay_in, opening)] + [(START + n * ONE_DAY, ACTS[which], amount) for n, which, amount in moves]
    acts.sort(key=lambda act: act[0])
    for offset in range(DAYS):
        day = START + offset * ONE_DAY
        while acts and acts[0][0] == day:
            _, act, amount = acts.pop(0)
            amount = contract.instalment_minor or amount if act is pay_in else amount
            before = contract.balance_minor
            answer = act(contract, amount, day)
            if not isinstance(answer, Refusal):
                contract, posted = answer
                check_directives(contract, before, posted, day)
        due, before = next_due(contract), contract.balance_minor
        contract, posted = end_of_day(contract, day)
        check_directives(contract, before, posted, day)
        if contract.accrual is None and contract.closed_on is None:
            assert contract.balance_minor >= before, "the principal stays whole"
        assert not posted or due == day, "nothing is posted on a day on which nothing was due"
        assert contract.balance_minor >= (terms.floor_minor if contract.balance_minor else 0)
        assert not contract.owed_minor or contract.balance_minor == terms.floor_minor, "owed is taken when it can be"
        assert contract.closed_on is None or contract.balance_minor == 0
    accrued = accrued_minor(contract, START + DAYS * ONE_DAY)
    assert contract.closed_on is not None or terms.overdraft is not None or accrued >= 0


@pytest.mark.parametrize("code", sorted(LIVES))
@settings(max_examples=10, deadline=None)
@given(data=st.data(), opening=OPENINGS, days=st.integers(0, DAYS))
def test_days_done_at_once_are_days_done_one_by_one(code: str, data: st.DataObject, opening: int, days: int) -> None:
    terms = LIVES[code]
    choice = data.draw(st.sampled_from(terms.at_maturity)) if terms.at_maturity else None
    begun = begin(terms, START, choice)
    assert isinstance(begun, Contract)
    paid = pay_in(begun, opening, START)
    if isinstance(paid, Refusal):
        return
    at_once = end_of_day(paid[0], START + days * ONE_DAY)
    one_by_one, posted = paid[0], tuple[Directive, ...]()
    for offset in range(days + 1):
        one_by_one, more = end_of_day(one_by_one, START + offset * ONE_DAY)
        posted += more
    assert at_once == (one_by_one, posted)


@dataclass
class Oracle:
    """A demand contract by its daily closing balances, kept as a list of days."""

    terms: Terms
    balance: int = 0
    earned: Fraction = field(default_factory=Fraction)
    cost: Fraction = field(default_factory=Fraction)
    owed: int = 0

    def settles(self, settlement: Settlement | None, day: date) -> bool:
        if settlement is None or day.month not in settlement.months:
            return False
        last = (day.replace(day=1) + timedelta(days=32)).replace(day=1) - ONE_DAY
        return day.day == min(settlement.day, last.day)

    def end(self, day: date) -> None:
        """Interest of the days before, then fees; then the day's own closing balance earns or costs."""
        overdraft = self.terms.overdraft
        if self.settles(self.terms.settlement, day):
            self.earned *= self.last_rate(day - ONE_DAY)
            self.balance += self.rounded(self.earned)
            self.owed += self.rounded(self.cost)
            self.earned = self.cost = Fraction(0)
        lowest = -overdraft.limit_minor if overdraft else 0
        taken = max(0, min(self.owed, self.balance - lowest))
        self.balance, self.owed = self.balance - taken, self.owed - taken
        for fee in self.terms.fees:
            waived = fee.waived_from_minor is not None and self.balance >= fee.waived_from_minor
            if fee.schedule is not None and self.settles(fee.schedule, day) and not waived:
                least = lowest if overdraft and overdraft.covers_fees else 0
                self.balance -= max(0, min(fee.amount_minor, self.balance - least))
        part = Fraction(self.terms.day_count.weight(day, day + ONE_DAY), self.terms.day_count.denominator)
        if self.balance > 0 and self.at_settlement:
            self.earned += self.balance * part
        elif self.balance > 0:
            self.earned += year_of(self.terms.rates, self.balance, day) * part
        elif overdraft:
            self.cost += year_of(overdraft.rates, -self.balance, day) * part

    @property
    def at_settlement(self) -> bool:
        return self.terms.rate_day is RateDay.SETTLEMENT

    def last_rate(self, day: date) -> Fraction:
        """What is left to be multiplied by when days are settled."""
        return year_of(self.terms.rates, 1, day) if self.at_settlement else Fraction(1)

    def rounded(self, amount: Fraction) -> int:
        steps = amount / self.terms.rounding_minor
        return int(2 * steps + 1) // 2 * self.terms.rounding_minor


def year_of(table: RateTable, balance: int, day: date) -> Fraction:
    tiers = [change.tiers for change in table.changes if change.since <= day][-1]
    total = Fraction(0)
    for tier in reversed(tiers):
        if table.method.value == "whole" and balance >= tier.from_minor:
            return Fraction(balance * tier.rate_units, RATE_UNITS)
        if balance > tier.from_minor:
            total += Fraction((balance - tier.from_minor) * tier.rate_units, RATE_UNITS)
            balance = tier.from_minor
    return total


@pytest.mark.parametrize("code", [code for code in LIVES if LIVES[code].kind is ProductKind.DEMAND])
@settings(max_examples=10, deadline=None)
@given(opening=st.integers(1, 300_000_000), moves=MOVES)
def test_a_demand_contract_agrees_with_the_oracle(code: str, opening: int, moves: list[tuple[int, int, int]]) -> None:
    terms = LIVES[code]
    oracle, contract = Oracle(terms), begin(terms, START)
    assert isinstance(contract, Contract)
    wanted = {START: opening} | {START + n * ONE_DAY: amount if which else -amount for n, which, amount in moves}
    for offset in range(DAYS):
        day = START + offset * ONE_DAY
        amount = wanted.get(day, 0)
        if amount:
            moved = pay_in(contract, amount, day) if amount > 0 else withdraw(contract, -amount, day)
            if not isinstance(moved, Refusal):
                contract = moved[0]
                oracle.balance += customer_minor(moved[1])
        contract, _ = end_of_day(contract, day)
        oracle.end(day)
        assert contract.balance_minor == oracle.balance
    oracle.earned *= oracle.last_rate(START + DAYS * ONE_DAY)
    due = oracle.rounded(oracle.earned) - oracle.rounded(oracle.cost) - oracle.owed
    closed = close(contract, START + DAYS * ONE_DAY)
    assert isinstance(closed, Refusal) is (oracle.balance + due < 0)
    if not isinstance(closed, Refusal):
        assert customer_minor([each for each in closed[1] if each.kind != "withdrawal"]) == due


def term_oracle(terms: Terms, amount: int, start: date, end: date) -> int:
    """A term renewed with its interest until `end`, on which it is closed: months and days are walked."""
    assert terms.term_months is not None
    pending = Fraction(0)
    while True:
        rate = year_of(terms.rates, RATE_UNITS, start)
        maturity = add_months(start, terms.term_months)
        if maturity > end:
            demand = year_of(terms.demand_rates or terms.rates, RATE_UNITS, end)
            pending = amount * demand / RATE_UNITS * (end - start).days / 360
            return amount + int(2 * pending + 1) // 2
        amount += int(2 * amount * rate / RATE_UNITS * terms.term_months / 12 + 1) // 2
        start = maturity


@pytest.mark.parametrize("code", [code for code in CODES if shipped()[code].kind is ProductKind.TERM])
@settings(max_examples=30, deadline=None)
@given(amount=st.integers(5_000, 10**12), first=st.integers(0, 400), days=st.integers(0, DAYS))
def test_a_term_agrees_with_the_oracle(code: str, amount: int, first: int, days: int) -> None:
    terms, start = shipped()[code], START + first * ONE_DAY
    begun = begin(terms, start, AtMaturity.RENEW_ALL)
    assert isinstance(begun, Contract)
    paid = pay_in(begun, amount, start)
    assert not isinstance(paid, Refusal)
    end = start + days * ONE_DAY
    # Up to the end of the day before: on a maturity the closing itself then pays the whole term.
    lived, _ = end_of_day(paid[0], end - ONE_DAY)
    closed = close(lived, end)
    assert not isinstance(closed, Refusal)
    assert -customer_minor([each for each in closed[1] if each.kind == "withdrawal"]) == term_oracle(
        terms, amount, start, end
    )
