"""The years in advance are the sum of what the contract's own functions post, and figures worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from eastflow.kernel import Refusal

from .directives import customer_minor
from .model import AtMaturity, ProductKind, Terms
from .refusals import ProductsRefusal
from .shipped_terms import shipped
from .simulation import Plan, Simulation, simulate

START = date(2026, 1, 31)


def simulated(terms: Terms, plan: Plan) -> Simulation:
    found = simulate(terms, plan)
    assert not isinstance(found, Refusal), found
    return found


def test_a_term_of_one_year_over_two() -> None:
    found = simulated(shipped()["cny-term-1y"], Plan(START, 2, 1_000_000))
    # 0.95 % of 10,000.00, then of 10,095.00: 95.9025.
    assert [month.interest_minor for month in found.months if month.interest_minor] == [9_500, 9_590]
    assert (found.closed_on, found.total("paid_out_minor"), found.months[-1].balance_minor) == (
        date(2028, 1, 31), 1_019_090, 0,
    )  # fmt: skip
    assert found.months[11].accrued_minor == 9_500
    assert simulated(shipped()["cny-term-1y"], Plan(START, 2, 1_000_000, 0, AtMaturity.PAY_OUT)).months[-1].until == (
        date(2027, 2, 28)
    )


def test_a_call_deposit_is_closed_with_notice() -> None:
    found = simulated(shipped()["cny-call-7d"], Plan(START, 1, 10_000_000))
    # 365 days at 0.30 %.
    assert found.total("interest_minor") == 30_417


def test_a_call_deposit_without_money_takes_no_notice() -> None:
    found = simulated(shipped()["cny-call-7d"], Plan(START, 1, 0))
    assert (found.directives, len(found.months)) == ((), 12)


def test_money_goes_out_month_by_month() -> None:
    found = simulated(shipped()["czk-current-monthly"], Plan(START, 1, 1_200_000, -50_000))
    assert (found.total("paid_in_minor"), found.total("fees_minor")) == (1_200_000, 12 * 1_460)
    came = ("paid_in_minor", "interest_minor")
    went = ("paid_out_minor", "fees_minor", "overdraft_interest_minor")
    assert sum(map(found.total, came)) == sum(map(found.total, went))


def test_an_overdraft_shows_what_it_costs_and_is_paid_in_at_the_end() -> None:
    terms = replace(shipped()["cny-corporate-overdraft"], fees=())
    found = simulated(terms, Plan(date(2026, 3, 21), 1, 300_000, -300_000))
    # By June, 31 days of 3,000.00 overdrawn at 3.60 %.
    quarters = [month.overdraft_interest_minor for month in found.months if month.overdraft_interest_minor]
    assert (quarters[0], len(quarters)) == (930, 4)
    assert (found.closed_on, found.months[-1].balance_minor, found.months[-2].accrued_minor < 0) == (
        date(2027, 3, 21), 0, True,
    )  # fmt: skip
    came, went = ("paid_in_minor", "interest_minor"), ("paid_out_minor", "overdraft_interest_minor")
    assert sum(map(found.total, came)) == sum(map(found.total, went))


@pytest.mark.parametrize("code", sorted(shipped()))
def test_every_shipped_product_can_be_simulated(code: str) -> None:
    monthly = 10_000 if shipped()[code].kind is ProductKind.DEMAND else 0
    found = simulated(shipped()[code], Plan(START, 5, 10_000_000, monthly))
    assert customer_minor(found.directives) == 0
    assert len(found.months) == 60
    assert found.closed_on == date(2031, 1, 31)
    for name in ("paid_in_minor", "paid_out_minor", "interest_minor", "fees_minor"):
        assert all(getattr(month, name) >= 0 for month in found.months)


REFUSED = [
    (Plan(START, 1, 1), ProductsRefusal.AMOUNT_BELOW_MINIMUM),
    (Plan(START, 1, 10_000, 10_000), ProductsRefusal.OPERATION_NOT_OFFERED),
    (Plan(START, 1, 10_000, -20_000), ProductsRefusal.BALANCE_INSUFFICIENT),
]


@pytest.mark.parametrize(("plan", "code"), REFUSED, ids=str)
def test_a_plan_that_does_not_fit_is_refused(plan: Plan, code: ProductsRefusal) -> None:
    answer = simulate(shipped()["cny-term-1y"], plan)
    assert isinstance(answer, Refusal)
    assert answer.code is code
