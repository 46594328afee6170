"""Interest by balance-days against an oracle that walks day by day with fractions and rounds once."""

from __future__ import annotations

from calendar import isleap
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eastflow.kernel import RATE_UNITS, Asset, DayCount

from . import rates
from .accrual import advance, debit_interest_minor, interest_minor, settled
from .model import Accrual, Overdraft, ProductKind, RateChange, RateDay, RateTable, Settlement, Terms, Tier, TierMethod

START = date(2023, 11, 20)
ONE_DAY = timedelta(days=1)


def terms(table: RateTable, day_count: DayCount = DayCount.ACT_360, rounding_minor: int = 1) -> Terms:
    settlement = Settlement((3, 6, 9, 12), 21)
    return Terms(
        *("demand", "Demand", ProductKind.DEMAND, Asset("CNY", 2), day_count, table),
        rounding_minor=rounding_minor, settlement=settlement,
    )  # fmt: skip


def flat(percent_units: int, method: TierMethod = TierMethod.WHOLE) -> RateTable:
    return RateTable(method, (RateChange(date(2000, 1, 1), (Tier(0, percent_units),)),))


TIERED = (Tier(0, 1_000_000), Tier(10_000, 2_000_000), Tier(50_000, 4_000_000))
TIERS = [
    (TierMethod.SLICE, 0, 0),
    (TierMethod.SLICE, 9_999, 9_999 * 1_000_000),
    (TierMethod.SLICE, 10_001, 10_000 * 1_000_000 + 2_000_000),
    (TierMethod.SLICE, 60_000, 10_000 * 1_000_000 + 40_000 * 2_000_000 + 10_000 * 4_000_000),
    (TierMethod.WHOLE, 9_999, 9_999 * 1_000_000),
    (TierMethod.WHOLE, 10_000, 10_000 * 2_000_000),
    (TierMethod.WHOLE, 60_000, 60_000 * 4_000_000),
]


@pytest.mark.parametrize(("method", "balance", "units"), TIERS)
def test_what_a_balance_earns_in_a_year(method: TierMethod, balance: int, units: int) -> None:
    table = RateTable(method, (RateChange(date(2024, 1, 1), TIERED),))
    assert rates.units_of(table, balance, date(2024, 1, 1)) == units
    assert rates.units_of(table, balance, date(2023, 12, 31)) == 0


def test_money_earns_from_the_day_it_comes_until_the_day_before_it_goes() -> None:
    # 360 % a year of 1.00 is 0.01 a day.
    fast = terms(flat(36 * RATE_UNITS // 10))
    changes = [(START + 2 * ONE_DAY, 100), (START + 5 * ONE_DAY, -100)]
    ended = advance(fast, Accrual(START), START + 9 * ONE_DAY, changes)
    assert (interest_minor(fast, ended), ended.balance_minor) == (3, 0)


def test_an_overdrawn_balance_earns_nothing_and_costs_what_the_terms_say() -> None:
    plain, rates = terms(flat(RATE_UNITS)), flat(RATE_UNITS // 10)
    ended = advance(plain, Accrual(START, -10_000), START + 360 * ONE_DAY)
    assert (ended.numerator, ended.debit_numerator) == (0, 0)
    overdrawn = replace(plain, overdraft=Overdraft(20_000, rates))
    changes = [(START + 180 * ONE_DAY, 20_000)]
    ended = advance(overdrawn, Accrual(START, -10_000), START + 360 * ONE_DAY, changes)
    assert (interest_minor(overdrawn, ended), debit_interest_minor(overdrawn, ended)) == (5_000, 500)
    assert settled(ended, 4_500) == Accrual(START + 360 * ONE_DAY, 14_500)


def test_interest_is_a_multiple_of_its_rounding_and_compounds_when_settled() -> None:
    yearly = terms(flat(RATE_UNITS // 10), DayCount.ACT_365, 10)
    earned = advance(yearly, Accrual(date(2025, 1, 1), 1_049), date(2026, 1, 1))
    assert interest_minor(yearly, earned) == 100
    further = settled(earned, 100)
    assert further == Accrual(date(2026, 1, 1), 1_149)
    assert interest_minor(yearly, advance(yearly, further, date(2027, 1, 1))) == 110


def test_changes_out_of_order_are_a_bug() -> None:
    for changes in ([(START, 1)], [(START + 2 * ONE_DAY, 1), (START + ONE_DAY, 1)], [(START + 9 * ONE_DAY, 1)]):
        with pytest.raises(AssertionError):
            advance(terms(flat(1)), Accrual(START + ONE_DAY), START + 9 * ONE_DAY, changes)


def year_part(day_count: DayCount, day: date) -> Fraction:
    """One day as a part of a year, from the definitions and not from the kernel."""
    if day_count is DayCount.ACT_360:
        return Fraction(1, 360)
    if day_count is DayCount.ACT_365:
        return Fraction(1, 365)
    if day_count is DayCount.ACT_ACT:
        return Fraction(1, 366 if isleap(day.year) else 365)
    following = day + ONE_DAY
    months = (following.year - day.year) * 12 + following.month - day.month
    return Fraction(30 * months + min(following.day, 30) - min(day.day, 30), 360)


def oracle_rate(table: RateTable, balance: int, day: date) -> Fraction:
    """What a balance earns in a year: each unit of a slice by itself, or all by the last tier that is reached."""
    tiers: tuple[Tier, ...] = ()
    for change in table.changes:
        if change.since <= day:
            tiers = change.tiers
    if table.method is TierMethod.WHOLE:
        rate = 0
        for tier in tiers:
            if balance >= tier.from_minor:
                rate = tier.rate_units
        return Fraction(balance * rate, RATE_UNITS)
    total = Fraction(0)
    for tier, lower in zip(reversed(tiers), reversed([tier.from_minor for tier in tiers]), strict=True):
        if balance > lower:
            total += Fraction((balance - lower) * tier.rate_units, RATE_UNITS)
            balance = lower
    return total


def oracle(told: Terms, opening: int, changes: list[tuple[date, int]], start: date, end: date) -> tuple[int, int]:
    """What is earned, and what the overdraft costs."""
    earned, cost, balance, day = Fraction(0), Fraction(0), opening, start
    while day < end:
        balance += sum(amount for moved_on, amount in changes if moved_on == day)
        if balance > 0:
            earned += oracle_rate(told.rates, balance, day) * year_part(told.day_count, day)
        if balance < 0 and told.overdraft:
            cost += oracle_rate(told.overdraft.rates, -balance, day) * year_part(told.day_count, day)
        day += ONE_DAY
    return half_up(earned, told.rounding_minor), half_up(cost, told.rounding_minor)


def half_up(amount: Fraction, step: int) -> int:
    steps = amount / step
    return int((2 * steps.numerator + steps.denominator) // (2 * steps.denominator)) * step


@st.composite
def rate_tables(draw: st.DrawFn) -> RateTable:
    days = draw(st.lists(st.integers(-30, 200), min_size=1, max_size=4, unique=True))
    changes = []
    for offset in sorted(days):
        bounds = sorted({0, *draw(st.lists(st.integers(1, 200_000), max_size=3))})
        tiers = tuple(Tier(bound, draw(st.integers(0, RATE_UNITS // 10))) for bound in bounds)
        changes.append(RateChange(START + offset * ONE_DAY, tiers))
    return RateTable(draw(st.sampled_from(TierMethod)), tuple(changes))


MOVES = st.lists(st.tuples(st.integers(0, 179), st.integers(-150_000, 250_000)), max_size=25).map(sorted)


@settings(max_examples=150, deadline=None)
@given(
    *(rate_tables(), st.none() | st.builds(Overdraft, st.just(1), rate_tables()), st.sampled_from(DayCount)),
    *(st.sampled_from([1, 10]), st.integers(-100_000, 300_000), MOVES),
)
def test_advance_agrees_with_the_oracle_to_the_minor_unit(
    table: RateTable,
    dear: Overdraft | None,
    day_count: DayCount,
    rounding: int,
    opening: int,
    moves: list[tuple[int, int]],
) -> None:
    told = replace(terms(table, day_count, rounding), overdraft=dear)
    end = START + 180 * ONE_DAY
    changes = [(START + offset * ONE_DAY, amount) for offset, amount in moves]
    ended = advance(told, Accrual(START, opening), end, changes)
    counted = interest_minor(told, ended), debit_interest_minor(told, ended)
    assert counted == oracle(told, opening, changes, START, end)
    assert ended.balance_minor == list(accumulate([opening, *(amount for _, amount in moves)]))[-1]


def flat_of(table: RateTable) -> RateTable:
    return RateTable(TierMethod.WHOLE, tuple(replace(change, tiers=change.tiers[:1]) for change in table.changes))


@settings(max_examples=100, deadline=None)
@given(
    *(rate_tables().map(flat_of), st.sampled_from(DayCount), st.integers(-100_000, 300_000), MOVES),
    *(st.integers(1, 180), st.booleans()),
)
def test_the_rate_of_the_settlement_date_holds_for_all_days(
    table: RateTable, day_count: DayCount, opening: int, moves: list[tuple[int, int]], length: int, closes: bool
) -> None:
    told = replace(terms(table, day_count), rate_day=RateDay.SETTLEMENT)
    end = START + length * ONE_DAY
    changes = [(START + offset * ONE_DAY, amount) for offset, amount in moves if offset < length]
    ended = advance(told, Accrual(START, opening), end, changes)
    # Had the last day's rate, or that of the closing, always been the rate.
    listed = oracle_rate(table, RATE_UNITS, end if closes else end - ONE_DAY)
    always = RateTable(TierMethod.WHOLE, (RateChange(START, (Tier(0, int(listed)),)),))
    counted = interest_minor(told, ended, closed_on=end if closes else None)
    assert counted == oracle(replace(told, rates=always), opening, changes, START, end)[0]


@settings(max_examples=100, deadline=None)
@given(rate_tables(), st.sampled_from(DayCount), st.integers(-100_000, 300_000), MOVES, st.sets(st.integers(1, 179)))
def test_advancing_in_many_steps_comes_to_the_same(
    table: RateTable, day_count: DayCount, opening: int, moves: list[tuple[int, int]], stops: set[int]
) -> None:
    told = replace(terms(table, day_count), overdraft=Overdraft(1, flat(7_654_321)))
    end = START + 180 * ONE_DAY
    changes = [(START + offset * ONE_DAY, amount) for offset, amount in moves]
    stepped = Accrual(START, opening)
    for stop in [*(START + offset * ONE_DAY for offset in sorted(stops)), end]:
        between = [change for change in changes if stepped.through <= change[0] < stop]
        stepped = advance(told, stepped, stop, between)
    assert stepped == advance(told, Accrual(START, opening), end, changes)
