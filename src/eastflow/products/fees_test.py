"""What a term, a call deposit and instalments cost, worked out by hand: fees wait for what is paid next."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from .contract import end_of_day, migrate
from .contract_test import CALL, INSTALMENT, START, TERM, done, kinds, opened
from .model import AtMaturity, Charge, Contract, Fee, FeeEvent, HookUse, Settlement, Terms
from .movements import close, give_notice, pay_in, renew, withdraw
from .simulation import Plan, Simulation, simulate
from .state import contract_from, state_of

MATURITY = date(2024, 7, 31)
ONE_DAY = timedelta(days=1)
KEEPING = Fee("keeping", FeeEvent.SCHEDULE, 40_000, Settlement((3, 7), 31))
OPENING = Fee("opening", FeeEvent.OPENING, 500, waived_from_minor=2_000_000)
PART = Fee("part", FeeEvent.WITHDRAWAL, 70)
EARLY = Fee("early", FeeEvent.EARLY, 900)
MISSED = Fee("missed", FeeEvent.MISSED, 200)
BONUS = HookUse("loyalty_bonus", {"bonus_minor": 5_000, "balance_min_minor": 1, "months_min": 0})


def charges(contract: Contract) -> list[tuple[str, int]]:
    return [(charge.name, charge.amount_minor) for charge in contract.charges]


def ended(contract: Contract, day: date) -> Contract:
    return end_of_day(contract, day)[0]


# Six months at 12 % of 10,000.00 are 600.00; 400.00 fall due in March, and 400.00 on the day it matures.
MATURITIES = [
    (AtMaturity.PAY_OUT, [("interest", 60_000), ("fee:keeping", -80_000), ("withdrawal", -980_000)], 0, []),
    (AtMaturity.RENEW_ALL, [("interest", 60_000), ("fee:keeping", -60_000)], 1_000_000, [("keeping", 20_000)]),
    (AtMaturity.RENEW_PRINCIPAL, [("interest", 60_000), ("fee:keeping", -60_000)], 1_000_000, [("keeping", 20_000)]),
    (AtMaturity.HOLD, [], 1_000_000, [("keeping", 80_000)]),
]


@pytest.mark.parametrize(("choice", "posted", "balance", "left"), MATURITIES)
def test_what_waits_is_taken_out_of_what_a_maturity_pays(
    choice: AtMaturity, posted: list[tuple[str, int]], balance: int, left: list[tuple[str, int]]
) -> None:
    waiting = ended(opened(replace(TERM, fees=(KEEPING,)), 1_000_000, choice), MATURITY - ONE_DAY)
    assert (waiting.balance_minor, charges(waiting)) == (1_000_000, [("keeping", 40_000)])
    matured = end_of_day(waiting, MATURITY)
    assert kinds(matured) == posted
    assert (matured[0].balance_minor, charges(matured[0])) == (balance, left)


def test_a_bonus_is_paid_with_the_interest_of_a_term_and_bears_its_fees() -> None:
    terms = replace(TERM, fees=(KEEPING,), hooks=(BONUS,))
    paid = end_of_day(opened(terms, 1_000_000, AtMaturity.RENEW_PRINCIPAL), MATURITY)
    assert kinds(paid) == [("interest", 60_000), ("bonus:loyalty_bonus", 5_000), ("fee:keeping", -65_000)]
    held = ended(opened(replace(terms, fees=()), 1_000_000, AtMaturity.HOLD), MATURITY)
    assert kinds(renew(held, MATURITY + ONE_DAY))[1] == ("bonus:loyalty_bonus", 5_000)
    assert kinds(close(held, MATURITY + ONE_DAY))[1] == ("bonus:loyalty_bonus", 5_000)
    assert done(renew(held, MATURITY + ONE_DAY)).acted_on == MATURITY + ONE_DAY
    # What is broken is given none.
    assert "bonus:loyalty_bonus" not in dict(kinds(close(opened(terms, 1_000_000), START)))


def test_a_fee_for_opening_comes_out_of_the_first_money_and_the_term_is_of_the_rest() -> None:
    for terms in (TERM, CALL, INSTALMENT):
        poor, rich = (opened(replace(terms, fees=(OPENING,)), amount) for amount in (600, 2_000_000))
        assert (poor.balance_minor, rich.balance_minor) == (100, 2_000_000)
    second = pay_in(opened(replace(INSTALMENT, fees=(OPENING,)), 600), 600, date(2024, 3, 1))
    assert kinds(second) == [("deposit", 600)]
    assert done(second).balance_minor == 700


def test_a_part_pays_what_waits_and_its_own_fees_and_what_it_does_not_cover_waits_on() -> None:
    terms = replace(TERM, fees=(KEEPING, PART, EARLY))
    waiting = ended(opened(terms, 1_000_000, AtMaturity.HOLD), date(2024, 3, 31))
    on = date(2024, 4, 1)
    # 61 days at 1 % of 410.00.
    some = withdraw(waiting, 41_000, on)
    assert kinds(some) == [
        *(("interest", 69), ("fee:keeping", -40_000), ("fee:early", -900), ("fee:part", -70)),
        ("withdrawal", -99),
    ]
    assert charges(done(some)) == []
    little = done(withdraw(waiting, 1_000, on))
    assert (little.balance_minor, charges(little)) == (999_000, [("keeping", 38_998), ("early", 900), ("part", 70)])
    # Closed, it pays no fee for a part; a second one for leaving early.
    last = [("fee:keeping", -38_998), ("fee:early", -1_800), ("fee:part", -70)]
    assert kinds(close(little, on))[1:-1] == last
    assert done(close(little, on)).charges == ()


def test_of_what_is_closed_the_fees_take_no_more_than_there_is() -> None:
    closed = close(ended(opened(replace(TERM, fees=(KEEPING, EARLY)), 40_100), date(2024, 3, 31)), date(2024, 4, 1))
    assert kinds(closed) == [("interest", 68), ("fee:keeping", -40_000), ("fee:early", -168)]
    assert (done(closed).balance_minor, done(closed).charges) == (0, ())


def test_a_fee_is_waived_by_the_balance_of_the_day_it_comes_due() -> None:
    waived = replace(KEEPING, waived_from_minor=1_000_000)
    assert ended(opened(replace(TERM, fees=(waived,)), 1_000_000), date(2024, 3, 31)).charges == ()
    assert ended(opened(replace(TERM, fees=(waived,)), 999_999), date(2024, 3, 31)).charges != ()


def test_notice_that_is_not_used_has_its_fee() -> None:
    given = date(2024, 4, 3)
    called = done(give_notice(opened(replace(CALL, fees=(MISSED,)), 1_000_000), 400_000, given))
    used = done(withdraw(called, 400_000, date(2024, 4, 10)))
    assert ended(used, date(2024, 4, 10)).charges == ()
    part = done(withdraw(called, 300_000, date(2024, 4, 10)))
    for contract in (called, part):
        lapsed = ended(contract, date(2024, 4, 10))
        assert (lapsed.notices, charges(lapsed)) == ((), [("missed", 200)])
        assert ("fee:missed", -200) in kinds(close(lapsed, date(2024, 4, 11)))


SIX = replace(INSTALMENT, term_months=6, fees=(MISSED,))


@pytest.mark.parametrize(
    ("paid_in", "missed"),
    [
        # Months end on the 14th.
        ([(1, 15), (3, 14), (4, 14), (5, 14), (6, 14), (7, 14)], 0),
        # One that is made up in the month after was missed once.
        ([(1, 15), (3, 15), (3, 15), (4, 15), (5, 15), (6, 15)], 1),
        # Still one behind at the end of March.
        ([(1, 15), (3, 15), (4, 15), (4, 15), (5, 15), (6, 15)], 2),
        # Two break the plan: after that none is missed.
        ([(1, 15)], 2),
        ([(1, 15), (4, 15), (5, 15)], 2),
        # The last month's.
        ([(1, 15), (2, 15), (3, 15), (4, 15), (5, 15)], 1),
        ([(1, 15), (2, 15), (3, 15), (4, 15), (5, 15), (6, 15)], 0),
    ],
    ids=str,
)
def test_an_instalment_that_does_not_come_in_its_month_has_its_fee(paid_in: list[tuple[int, int]], missed: int) -> None:
    [first, *later] = [date(2024, month, day) for month, day in paid_in]
    saved = opened(SIX, 100_000, AtMaturity.HOLD, on=first)
    for day in later:
        saved = done(pay_in(ended(saved, day - ONE_DAY) if saved.open_day < day else saved, 100_000, day))
    saved = ended(saved, date(2024, 7, 15))
    assert charges(saved) == [("missed", 200 * missed)] * bool(missed)
    assert contract_from(SIX, state_of(saved)) == saved
    assert ("fee:missed" in dict(kinds(close(saved, date(2024, 7, 16))))) is bool(missed)


@pytest.mark.parametrize("terms", [TERM, CALL, INSTALMENT], ids=lambda terms: terms.kind.value)
def test_without_money_nothing_is_charged_and_no_more_than_may_be_counted_waits(terms: Terms) -> None:
    most = replace(KEEPING, amount_minor=2**63 - 1)
    waiting = ended(opened(replace(terms, fees=(most,)), 100), date(2024, 8, 31))
    assert waiting.charges in ((Charge("keeping", 2**63 - 1),), ())
    assert waiting.charges or waiting.closed_on


def test_new_terms_charge_from_their_first_day_and_what_waits_stays() -> None:
    plain = opened(TERM, 1_000_000, AtMaturity.HOLD)
    assert ended(migrate(plain, replace(TERM, fees=(KEEPING,)), date(2024, 4, 1))[0], date(2024, 7, 30)).charges == ()
    waiting = ended(opened(replace(TERM, fees=(KEEPING,)), 1_000_000, AtMaturity.HOLD), date(2024, 3, 31))
    moved, posted = migrate(waiting, TERM, date(2024, 4, 1))
    assert (charges(moved), posted) == ([("keeping", 40_000)], ())
    assert ("fee:keeping", -40_000) in kinds(close(ended(moved, MATURITY), MATURITY + ONE_DAY))


def test_a_maturity_that_was_not_done_is_not_lost_to_new_terms() -> None:
    late = opened(TERM, 1_000_000, AtMaturity.PAY_OUT)
    moved, _ = migrate(late, replace(TERM, fees=(KEEPING,)), MATURITY + ONE_DAY)
    assert ended(moved, MATURITY + ONE_DAY).closed_on == MATURITY


def test_a_simulation_shows_the_fees_of_a_term() -> None:
    told = simulate(replace(TERM, fees=(OPENING, KEEPING)), Plan(START, 1, 1_000_000, at_maturity=AtMaturity.PAY_OUT))
    assert isinstance(told, Simulation)
    assert (told.total("fees_minor"), told.closed_on) == (80_500, MATURITY)
    assert told.total("paid_out_minor") == 1_000_000 - 80_500 + told.total("interest_minor")
