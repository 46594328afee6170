"""The life of each kind of contract, worked out by hand: terms, call deposits, instalments, fees, new terms."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from eastflow.kernel import RATE_UNITS, Asset, DayCount, Refusal

from .accrual import interest_minor
from .contract import begin, end_of_day, migrate, next_due
from .directives import Step, customer_minor
from .lots import accrued_minor
from .model import (
    AtMaturity,
    Contract,
    Counting,
    Fee,
    FeeEvent,
    HookUse,
    Limits,
    Overdraft,
    ProductKind,
    RateChange,
    RateTable,
    Settlement,
    Terms,
    Tier,
    TierMethod,
)
from .movements import close, give_notice, pay_in, renew, withdraw
from .refusals import ProductsRefusal
from .state import contract_from, state_of

START = date(2024, 1, 31)
QUARTERS = Settlement((3, 6, 9, 12), 21)


def percent(*changes: tuple[date, int]) -> RateTable:
    """One rate in whole percent from each day on."""
    return RateTable(
        TierMethod.WHOLE, tuple(RateChange(since, (Tier(0, rate * RATE_UNITS // 100),)) for since, rate in changes)
    )


CONTRACT_RATES = percent((date(2020, 1, 1), 12), (date(2024, 6, 1), 6))
DEMAND_RATES = percent((date(2020, 1, 1), 2), (date(2024, 3, 1), 1))
DEMAND = Terms(
    "demand", "Demand", ProductKind.DEMAND, Asset("CNY", 2), DayCount.ACT_360, CONTRACT_RATES, settlement=QUARTERS
)
TERM = replace(
    DEMAND,
    kind=ProductKind.TERM,
    counting=Counting.MONTHS_AND_DAYS,
    demand_rates=DEMAND_RATES,
    settlement=None,
    term_months=6,
    at_maturity=tuple(AtMaturity),
    limits=Limits(partial_withdrawals_max=1),
)
CALL = replace(
    TERM,
    kind=ProductKind.CALL,
    counting=Counting.DAYS,
    term_months=None,
    at_maturity=(),
    notice_days=7,
    limits=Limits(),
)
INSTALMENT = replace(
    TERM, kind=ProductKind.INSTALMENT, term_months=3, at_maturity=(AtMaturity.HOLD, AtMaturity.PAY_OUT)
)


def done(step: Step | Refusal) -> Contract:
    assert not isinstance(step, Refusal), step
    return step[0]


def opened(terms: Terms, amount_minor: int, choice: AtMaturity | None = None, on: date = START) -> Contract:
    begun = begin(terms, on, choice)
    assert not isinstance(begun, Refusal)
    return done(pay_in(begun, amount_minor, on))


def kinds(step: Step | Refusal) -> list[tuple[str, int]]:
    """Each directive and what it adds to the customer's balance."""
    assert not isinstance(step, Refusal), step
    return [(directive.kind, customer_minor([directive])) for directive in step[1]]


def refused(step: Step | Contract | Refusal) -> ProductsRefusal:
    assert isinstance(step, Refusal), step
    assert isinstance(step.code, ProductsRefusal)
    return step.code


def test_a_term_matures_at_the_rate_of_its_first_day() -> None:
    # Six months at 12 % of 10,000.00, though the rate has been 6 % for two months by then.
    held = opened(TERM, 1_000_000, AtMaturity.HOLD)
    assert next_due(held) == date(2024, 7, 31)
    assert kinds(end_of_day(held, date(2024, 7, 31))) == []
    assert kinds(close(held, date(2024, 7, 31))) == [("interest", 60_000), ("withdrawal", -1_060_000)]


MATURITIES = [
    (AtMaturity.PAY_OUT, [("interest", 60_000), ("withdrawal", -1_060_000)], 0),
    (AtMaturity.HOLD, [], 1_000_000),
    (AtMaturity.RENEW_PRINCIPAL, [("interest", 60_000), ("withdrawal", -60_000)], 1_000_000),
    (AtMaturity.RENEW_ALL, [("interest", 60_000)], 1_060_000),
]


@pytest.mark.parametrize(("choice", "posted", "balance"), MATURITIES)
def test_what_happens_at_maturity(choice: AtMaturity, posted: list[tuple[str, int]], balance: int) -> None:
    ended = end_of_day(opened(TERM, 1_000_000, choice), date(2024, 8, 1))
    assert (kinds(ended), ended[0].balance_minor) == (posted, balance)
    assert (ended[0].closed_on is not None) is (choice is AtMaturity.PAY_OUT)
    assert end_of_day(ended[0], date(2024, 8, 1)) == (ended[0], ())


def test_a_renewed_term_has_the_rate_of_the_day_it_was_renewed() -> None:
    renewed, _ = end_of_day(opened(TERM, 1_000_000, AtMaturity.RENEW_ALL), date(2024, 7, 31))
    assert renewed.period is not None
    assert (renewed.period.number, renewed.period.maturity) == (2, date(2025, 1, 31))
    assert kinds(end_of_day(renewed, date(2025, 1, 31))) == [("interest", 31_800)]


def test_renewals_may_be_counted() -> None:
    once = opened(replace(TERM, renewals_max=1), 1_000_000, AtMaturity.RENEW_PRINCIPAL)
    ended, posted = end_of_day(once, date(2026, 7, 31))
    assert (len(posted), ended.period and ended.period.maturity) == (2, date(2025, 1, 31))


def test_a_broken_term_earns_the_demand_rate_of_that_day() -> None:
    # 61 days at 1 %, not at the 2 % there was when it began; the odd 1/360 of a year a day.
    assert kinds(close(opened(TERM, 1_000_000), date(2024, 4, 1)))[0] == ("interest", 1_694)


def test_part_of_a_term_is_broken_and_the_rest_goes_on() -> None:
    part = withdraw(opened(TERM, 1_000_000, AtMaturity.HOLD), 400_000, date(2024, 4, 1))
    assert kinds(part) == [("interest", 678), ("withdrawal", -400_678)]
    rest = done(part)
    assert refused(withdraw(rest, 1, date(2024, 4, 1))) is ProductsRefusal.PARTIAL_WITHDRAWALS_EXHAUSTED
    assert kinds(close(rest, date(2024, 7, 31)))[0] == ("interest", 36_000)
    again, _ = end_of_day(replace(rest, at_maturity=AtMaturity.RENEW_ALL), date(2024, 7, 31))
    assert kinds(withdraw(again, 1, date(2024, 8, 1))) == [("withdrawal", -1)]


def test_overdue_days_earn_the_demand_rate() -> None:
    held, _ = end_of_day(opened(TERM, 1_000_000, AtMaturity.HOLD), date(2024, 7, 31))
    # Six months at 12 % and 36 days at 1 %.
    assert kinds(close(held, date(2024, 9, 5)))[0] == ("interest", 61_000)
    assert kinds(renew(held, date(2024, 9, 5))) == [("interest", 61_000)]
    further = done(renew(held, date(2024, 9, 5)))
    assert further.period is not None
    assert (further.period.maturity, further.balance_minor) == (date(2025, 3, 5), 1_061_000)
    assert refused(renew(further, date(2024, 9, 5))) is ProductsRefusal.TERM_NOT_MATURED


def test_what_a_term_has_cost_so_far() -> None:
    held = opened(TERM, 1_000_000, AtMaturity.HOLD)
    costs = [accrued_minor(held, day) for day in (START, date(2024, 2, 29), date(2024, 3, 10), date(2024, 7, 31))]
    assert costs == [0, 10_000, 13_333, 60_000]


def test_a_call_deposit_earns_its_rate_with_notice_and_the_demand_rate_without() -> None:
    called = done(give_notice(opened(CALL, 1_000_000), 400_000, date(2024, 4, 3)))
    assert next_due(called) == date(2024, 4, 10)
    # 70 days: 400,000 at 12 %, and the 100,000 more than was told of at 1 %.
    assert kinds(withdraw(called, 400_000, date(2024, 4, 10)))[0] == ("interest", 9_333)
    assert kinds(withdraw(called, 500_000, date(2024, 4, 10)))[0] == ("interest", 9_528)
    assert kinds(withdraw(called, 400_000, date(2024, 4, 9)))[0] == ("interest", 767)


def test_notice_that_is_not_used_costs_its_days() -> None:
    called = done(give_notice(opened(CALL, 1_000_000), 400_000, date(2024, 4, 3)))
    lapsed, posted = end_of_day(called, date(2024, 4, 10))
    assert (posted, lapsed.notices, lapsed.idle_numerator) == ((), (), 2_800_000)
    again = done(give_notice(lapsed, 1_000_000, date(2024, 4, 12)))
    # 79 days of 1,000,000 at 12 %, less 7 days of 400,000.
    assert kinds(close(again, date(2024, 4, 19)))[0] == ("interest", 26_333 - 933)


def test_part_of_a_notice_is_used_and_the_rest_lapses() -> None:
    called = done(give_notice(opened(CALL, 1_000_000), 400_000, date(2024, 4, 3)))
    left = done(withdraw(called, 300_000, date(2024, 4, 10)))
    assert [notice.amount_minor for notice in left.notices] == [100_000]
    assert end_of_day(left, date(2024, 4, 10))[0].idle_numerator == 700_000


def test_instalments_earn_from_their_own_days() -> None:
    saved = opened(INSTALMENT, 100_000, on=date(2024, 1, 15))
    for day in (date(2024, 2, 20), date(2024, 3, 15)):
        saved = done(pay_in(saved, 100_000, day))
    # 3 months; 1 month and 26 days; 1 month: at 12 %.
    assert kinds(close(saved, date(2024, 4, 15)))[0] == ("interest", 3_000 + 1_867 + 1_000)
    assert kinds(close(saved, date(2024, 4, 14)))[0] == ("interest", 250 + 150 + 83)


def test_a_missed_instalment_is_made_up_in_the_next_month_and_two_break_the_plan() -> None:
    six = replace(INSTALMENT, term_months=6)
    saved = opened(six, 100_000, on=date(2024, 1, 15))
    made_up = done(pay_in(done(pay_in(saved, 100_000, date(2024, 3, 15))), 100_000, date(2024, 3, 15)))
    assert all(lot.kept for lot in made_up.lots)
    assert refused(pay_in(made_up, 100_000, date(2024, 3, 16))) is ProductsRefusal.INSTALMENT_NOT_DUE
    broken = done(pay_in(saved, 100_000, date(2024, 4, 15)))
    assert [lot.kept for lot in broken.lots] == [True, False]
    # 6 months at 12 %, and 91 days at 1 %.
    assert kinds(close(broken, date(2024, 7, 15)))[0] == ("interest", 6_000 + 253)
    assert refused(pay_in(broken, 90_000, date(2024, 4, 15))) is ProductsRefusal.INSTALMENT_AMOUNT_CHANGED


def test_a_demand_contract_settles_on_its_dates_and_pays_its_fees_after() -> None:
    fees = (
        Fee("small", FeeEvent.SCHEDULE, 3_000, QUARTERS, waived_from_minor=50_000),
        Fee("out", FeeEvent.WITHDRAWAL, 100, waived_from_minor=500_000),
    )
    rich = opened(replace(DEMAND, fees=fees), 600_000)
    assert next_due(rich) == date(2024, 3, 21)
    settled, posted = end_of_day(rich, date(2024, 3, 21))
    # 50 days at 12 %.
    assert [(each.kind, each.value_date) for each in posted] == [("interest", date(2024, 3, 21))]
    assert settled.balance_minor == 610_000
    poor = done(withdraw(settled, 608_000, date(2024, 3, 22)))
    assert refused(withdraw(poor, 1_901, date(2024, 3, 22))) is ProductsRefusal.BALANCE_INSUFFICIENT
    left = withdraw(poor, 100, date(2024, 3, 22))
    assert kinds(left) == [("withdrawal", -100), ("fee:out", -100)]
    # A day of 610,000 and 71 of 1,800 at 12 %, then 20 days at 6 %: 251.93. The fee takes all there is.
    ended = end_of_day(done(left), date(2024, 6, 21))
    assert kinds(ended) == [("interest", 252), ("fee:small", -2_052)]
    assert ended[0].balance_minor == 0


EARLY = (
    Fee("early", FeeEvent.EARLY, 5_000),
    Fee("small", FeeEvent.EARLY, 300, waived_from_minor=1_000_000),
)


@pytest.mark.parametrize(
    ("terms", "amount", "on", "posted"),
    [
        # 31 days and 29 at 1 % of the day it leaves, of months of 30 days; then nothing is early.
        (TERM, 1_000_000, date(2024, 3, 31), [("interest", 1_667), ("fee:early", -5_000), ("withdrawal", -996_667)]),
        (TERM, 1_000_000, date(2024, 7, 31), [("interest", 60_000), ("withdrawal", -1_060_000)]),
        (TERM, 6_000, START, [("fee:early", -5_000), ("fee:small", -300), ("withdrawal", -700)]),
        # As far as there is any.
        (TERM, 5_100, START, [("fee:early", -5_000), ("fee:small", -100)]),
        (TERM, 4_000, START, [("fee:early", -4_000)]),
        (INSTALMENT, 6_000, START, [("fee:early", -5_000), ("fee:small", -300), ("withdrawal", -700)]),
        (CALL, 6_000, START, [("fee:early", -5_000), ("fee:small", -300), ("withdrawal", -700)]),
    ],
)
def test_what_leaves_early_bears_the_fees_for_it(
    terms: Terms, amount: int, on: date, posted: list[tuple[str, int]]
) -> None:
    contract = opened(replace(terms, fees=EARLY), amount, AtMaturity.HOLD if terms.at_maturity else None)
    closed = close(contract, on)
    assert kinds(closed) == posted
    assert (done(closed).balance_minor, done(closed).closed_on) == (0, on)


def test_a_part_that_leaves_early_bears_the_fees_for_it_out_of_what_is_paid() -> None:
    left = withdraw(opened(replace(TERM, fees=EARLY), 900_000), 100_000, date(2024, 3, 31))
    assert kinds(left) == [("interest", 167), ("fee:early", -5_000), ("fee:small", -300), ("withdrawal", -94_867)]
    assert done(left).balance_minor == 800_000


def test_what_leaves_a_call_deposit_under_notice_is_not_early() -> None:
    called = done(give_notice(opened(replace(CALL, fees=EARLY), 1_000_000), 400_000, START))
    on = date(2024, 2, 7)
    assert [kind for kind, _ in kinds(withdraw(called, 400_000, on))] == ["interest", "withdrawal"]
    assert [kind for kind, _ in kinds(withdraw(called, 400_001, on))] == ["interest", "fee:early", "withdrawal"]
    assert "fee:early" in [kind for kind, _ in kinds(close(called, on))]


def test_closing_pays_the_days_since_the_last_settlement() -> None:
    settled, _ = end_of_day(opened(DEMAND, 600_000), date(2024, 3, 21))
    closed = close(settled, date(2024, 4, 1))
    # 11 days of 610,000 at 12 %: 2,236.67.
    assert kinds(closed) == [("interest", 2_237), ("withdrawal", -612_237)]
    assert done(closed).balance_minor == 0
    assert refused(pay_in(done(closed), 1, date(2024, 4, 1))) is ProductsRefusal.CONTRACT_CLOSED


def test_a_bonus_is_paid_after_interest_and_fees() -> None:
    use = HookUse("loyalty_bonus", {"bonus_minor": 500, "balance_min_minor": 1, "months_min": 3})
    loyal = opened(replace(DEMAND, hooks=(use,)), 600_000)
    ended = end_of_day(loyal, date(2024, 6, 21))
    assert [kind for kind, _ in kinds(ended)] == ["interest", "interest", "bonus:loyalty_bonus"]
    assert ended[0].balance_minor == 600_000 + sum(amount for _, amount in kinds(ended))


def test_other_terms_from_a_day_on() -> None:
    moved = migrate(opened(DEMAND, 600_000), replace(DEMAND, day_count=DayCount.ACT_365), date(2024, 3, 1))
    assert kinds(moved) == [("interest", 6_000)]
    assert moved[0].accrual is not None
    assert (moved[0].accrual.numerator, interest_minor(moved[0].terms, moved[0].accrual)) == (0, 0)
    term = opened(TERM, 1_000_000, AtMaturity.RENEW_ALL)
    held, posted = migrate(term, replace(TERM, at_maturity=(AtMaturity.HOLD,), rates=DEMAND_RATES), date(2024, 3, 1))
    assert (held.at_maturity, held.period, posted) == (AtMaturity.HOLD, term.period, ())


LARGE_CALLS = replace(CALL, limits=Limits(withdrawal_min_minor=50))
REFUSED = [
    (
        begin(replace(TERM, at_maturity=(AtMaturity.HOLD,)), START, AtMaturity.PAY_OUT),
        ProductsRefusal.MATURITY_CHOICE_UNKNOWN,
    ),
    (pay_in(opened(DEMAND, 100), 1, START - timedelta(days=1)), ProductsRefusal.DAY_DONE),
    (pay_in(end_of_day(opened(DEMAND, 100), START)[0], 1, START), ProductsRefusal.DAY_DONE),
    (pay_in(opened(DEMAND, 100), 1, date(2024, 3, 22)), ProductsRefusal.DAYS_LEFT_OUT),
    (pay_in(opened(TERM, 100), 1, START), ProductsRefusal.OPERATION_NOT_OFFERED),
    (withdraw(opened(INSTALMENT, 100), 1, START), ProductsRefusal.OPERATION_NOT_OFFERED),
    (give_notice(opened(DEMAND, 100), 1, START), ProductsRefusal.OPERATION_NOT_OFFERED),
    (renew(opened(DEMAND, 100), START), ProductsRefusal.OPERATION_NOT_OFFERED),
    (pay_in(opened(DEMAND, 100), 0, START), ProductsRefusal.AMOUNT_BELOW_MINIMUM),
    (pay_in(opened(DEMAND, 100), -1, START), ProductsRefusal.AMOUNT_BELOW_MINIMUM),
    (withdraw(opened(DEMAND, 100), -1, START), ProductsRefusal.AMOUNT_BELOW_MINIMUM),
    (
        give_notice(opened(LARGE_CALLS, 100), 49, START),
        ProductsRefusal.AMOUNT_BELOW_MINIMUM,
    ),
    (
        pay_in(opened(replace(DEMAND, limits=Limits(balance_max_minor=150)), 100), 51, START),
        ProductsRefusal.BALANCE_ABOVE_MAXIMUM,
    ),
    (withdraw(opened(DEMAND, 100), 101, START), ProductsRefusal.BALANCE_INSUFFICIENT),
    (give_notice(opened(CALL, 100), 101, START), ProductsRefusal.BALANCE_INSUFFICIENT),
    (
        withdraw(opened(replace(DEMAND, limits=Limits(floor_minor=50)), 100), 51, START),
        ProductsRefusal.BALANCE_BELOW_FLOOR,
    ),
    (withdraw(opened(TERM, 100), 100, START), ProductsRefusal.BALANCE_BELOW_FLOOR),
    (pay_in(opened(INSTALMENT, 100), 100, date(2024, 2, 1)), ProductsRefusal.INSTALMENT_NOT_DUE),
    (
        pay_in(end_of_day(opened(INSTALMENT, 100), date(2024, 4, 30))[0], 100, date(2024, 5, 1)),
        ProductsRefusal.INSTALMENT_NOT_DUE,
    ),
]


@pytest.mark.parametrize(("answer", "code"), REFUSED, ids=[code.name for _, code in REFUSED])
def test_why_a_contract_says_no(answer: Step | Contract | Refusal, code: ProductsRefusal) -> None:
    assert refused(answer) is code


@pytest.mark.parametrize("terms", [DEMAND, TERM, CALL, INSTALMENT], ids=lambda terms: terms.kind.value)
def test_a_contract_without_money_earns_nothing_and_can_be_closed(terms: Terms) -> None:
    begun = begin(terms, START)
    assert isinstance(begun, Contract)
    day = date(2025, 1, 31)
    waiting, posted = end_of_day(begun, day - timedelta(days=1))
    assert (posted, accrued_minor(waiting, day), kinds(close(waiting, day))) == ((), 0, [])
    assert isinstance(withdraw(waiting, 1, day), Refusal)
    assert isinstance(renew(waiting, day), Refusal)
    assert isinstance(give_notice(waiting, 1, day), Refusal)


# 36 % a year of 10,000.00 is 10.00 a day.
OVERDRAWN = replace(DEMAND, overdraft=Overdraft(1_010_000, percent((date(2020, 1, 1), 36))))
SETTLED = date(2024, 3, 21)


def overdrawn(terms: Terms = OVERDRAWN, amount_minor: int = 1_000_000) -> Contract:
    """So much out of nothing, 50 days before interest settles."""
    begun = begin(terms, START)
    assert not isinstance(begun, Refusal)
    return done(withdraw(begun, amount_minor, START))


def test_an_overdraft_costs_interest_and_what_would_go_below_the_floor_stays_owed() -> None:
    settled, posted = end_of_day(overdrawn(), SETTLED)
    assert kinds((settled, posted)) == [("overdraft_interest", -10_000)]
    assert (settled.balance_minor, settled.owed_minor) == (-1_010_000, 40_000)
    # Day by day it is tried: nothing on the days without money, then as far as there is, then the rest.
    waiting, posted = end_of_day(settled, date(2024, 3, 25))
    assert (posted, waiting.owed_minor) == ((), 40_000)
    some = end_of_day(done(pay_in(waiting, 15_000, date(2024, 3, 26))), date(2024, 3, 26))
    assert kinds(some) == [("overdraft_interest", -15_000)]
    rest = end_of_day(done(pay_in(some[0], 1_100_000, date(2024, 3, 27))), date(2024, 3, 27))
    assert kinds(rest) == [("overdraft_interest", -25_000)]
    assert (rest[0].balance_minor, rest[0].owed_minor) == (65_000, 0)
    # Four days of 1,010,000, one of 995,000 and one of 1,010,000 again; at 36 %.
    assert accrued_minor(rest[0], date(2024, 3, 27)) == -(6 * 1_010)


def test_what_was_earned_is_paid_before_what_the_overdraft_cost() -> None:
    # 9 days of 30.00 in credit at 12 %, 41 days of 5.00 at 36 %.
    contract = done(withdraw(opened(OVERDRAWN, 3_000_000), 3_500_000, date(2024, 2, 9)))
    assert kinds(end_of_day(contract, SETTLED)) == [("interest", 9_000), ("overdraft_interest", -20_500)]


def test_what_is_overdrawn_is_paid_in_before_a_contract_is_closed() -> None:
    day = date(2024, 2, 10)
    contract = overdrawn()
    assert refused(close(contract, day)) is ProductsRefusal.BALANCE_INSUFFICIENT
    contract = done(pay_in(contract, 1_009_999, day))
    assert refused(close(contract, day)) is ProductsRefusal.BALANCE_INSUFFICIENT
    contract = done(pay_in(contract, 2, day))
    assert kinds(close(contract, day)) == [("overdraft_interest", -10_000), ("withdrawal", -1)]
    assert done(close(contract, day)).balance_minor == 0
    # What is owed of an earlier settlement is paid too: 400.00, and 4 days of 10.10.
    owing = done(pay_in(end_of_day(overdrawn(), date(2024, 3, 24))[0], 1_100_000, date(2024, 3, 25)))
    assert kinds(close(owing, date(2024, 3, 25))) == [("overdraft_interest", -44_040), ("withdrawal", -45_960)]


@pytest.mark.parametrize(("covers", "taken"), [(False, 0), (True, 70)], ids=str)
def test_a_scheduled_fee_comes_out_of_an_overdraft_only_where_the_terms_say_so(covers: bool, taken: int) -> None:
    keeping = Fee("keeping", FeeEvent.SCHEDULE, 70, Settlement((2,), 1))
    terms = replace(OVERDRAWN, overdraft=Overdraft(1_010_000, DEMAND_RATES, covers), fees=(keeping,))
    ended, _ = end_of_day(overdrawn(terms), date(2024, 2, 1))
    assert ended.balance_minor == -1_000_000 - taken
    # Of its own money the customer pays it either way, as far as there is any.
    poor, _ = end_of_day(opened(terms, 50), date(2024, 2, 1))
    assert poor.balance_minor == (-20 if covers else 0)


def test_a_withdrawal_and_its_fee_may_go_to_the_limit() -> None:
    fee = Fee("each", FeeEvent.WITHDRAWAL, 70)
    begun = begin(replace(OVERDRAWN, fees=(fee,)), START)
    assert not isinstance(begun, Refusal)
    assert refused(withdraw(begun, 1_009_931, START)) is ProductsRefusal.BALANCE_INSUFFICIENT
    assert done(withdraw(begun, 1_009_930, START)).balance_minor == -1_010_000


def test_under_terms_without_an_overdraft_what_is_overdrawn_costs_nothing_more() -> None:
    # 10 days at 36 % are taken under the old terms.
    moved = migrate(end_of_day(overdrawn(), date(2024, 2, 9))[0], DEMAND, date(2024, 2, 10))
    assert kinds(moved) == [("overdraft_interest", -10_000)]
    assert kinds(end_of_day(moved[0], SETTLED)) == []
    assert refused(withdraw(moved[0], 1, date(2024, 2, 11))) is ProductsRefusal.BALANCE_INSUFFICIENT


@pytest.mark.parametrize("terms", [DEMAND, TERM, CALL, INSTALMENT], ids=lambda terms: terms.kind.value)
def test_a_contract_is_kept_as_its_state(terms: Terms) -> None:
    contract = opened(terms, 1_000_000)
    if terms is CALL:
        contract = done(give_notice(contract, 5, START))
    for kept in (contract, end_of_day(contract, date(2030, 1, 1))[0], done(close(contract, START))):
        assert contract_from(terms, state_of(kept)) == kept
        assert "owed_minor" not in state_of(kept)


def test_what_is_overdrawn_and_owed_is_kept_too() -> None:
    owing = end_of_day(overdrawn(), SETTLED)[0]
    later = done(pay_in(owing, 1, date(2024, 3, 22)))
    assert later.accrual is not None
    assert later.accrual.debit_numerator > 0
    for kept in (overdrawn(), owing, later):
        assert contract_from(OVERDRAWN, state_of(kept)) == kept
