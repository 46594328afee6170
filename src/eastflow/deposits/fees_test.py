"""What terms, call deposits and instalments are charged: whole lives in the bank against a clerk who walks day by day.

The clerk reads the same files and shares no code with the bank. What a customer is refused, the clerk is not told of.
"""

from __future__ import annotations

import calendar
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eastflow.kernel import Refusal
from eastflow.ledger import Basis, Status, accounts, statement, verify
from eastflow.ledger.actions import change_status
from eastflow.products import AtMaturity
from eastflow.storage import Database

from . import deposit
from .conftest import CALL, START, TERM, World, terms
from .exactness_test import fresh_world
from .lives_test import INSTALMENT, Customer
from .paper.words import kind_word

ONE_DAY = timedelta(days=1)
Told = Mapping[str, Any]
KEEPING = {"name": "keeping", "event": "schedule", "amount_minor": 1_700, "schedule": {"months": [2, 4, 6], "day": 5}}
FEES = [
    KEEPING,
    {"name": "opening", "event": "opening", "amount_minor": 300},
    {"name": "early", "event": "early", "amount_minor": 2_500, "waived_from_minor": 900_000},
]
PART = {"name": "part", "event": "withdrawal", "amount_minor": 60}
MISSED = {"name": "missed", "event": "missed", "amount_minor": 90}
BONUS = {"name": "loyalty_bonus", "parameters": {"bonus_minor": 800, "balance_min_minor": 300_000, "months_min": 0}}
LIMITS = {"limits": {"opening_min_minor": 5_000}}
CHARGED_TERM = {**TERM, "fees": [*FEES, PART], "hooks": [BONUS]}
CHARGED_CALL = {**CALL, "fees": [*FEES, PART, MISSED]}
CHARGED_INSTALMENT = {**INSTALMENT, **LIMITS, "fees": [*FEES, MISSED], "hooks": [BONUS]}
CHARGED = (CHARGED_TERM, CHARGED_CALL, CHARGED_INSTALMENT)
MONTHLY = 100_000
CHOICES = {
    "term": (AtMaturity.RENEW_ALL, AtMaturity.RENEW_PRINCIPAL, AtMaturity.PAY_OUT, AtMaturity.HOLD),
    "instalment": (AtMaturity.HOLD, AtMaturity.PAY_OUT),
    "call": (None,),
}


@dataclass
class Clerk:
    """A contract in a book of its own: `lines` are what its account shows, as day, kind and amount."""

    told: Told
    choice: AtMaturity | None
    start: date
    lots: list[tuple[int, date, bool]] = field(default_factory=list)
    waiting: dict[str, int] = field(default_factory=dict)
    notices: list[tuple[date, date, int]] = field(default_factory=list)
    idle: int = 0
    lines: list[tuple[date, str, int]] = field(default_factory=list)

    @property
    def balance(self) -> int:
        return sum(amount for amount, _, _ in self.lots)

    @property
    def maturity(self) -> date | None:
        return later(self.start, self.told["term_months"]) if "term_months" in self.told else None

    def percent(self, table: str) -> Fraction:
        return Fraction(self.told[table]["changes"][0]["tiers"][0]["percent"]) / 100

    def wait(self, event: str) -> None:
        for fee in self.told["fees"]:
            if fee["event"] == event and self.balance < fee.get("waived_from_minor", 10**12):
                self.waiting[fee["name"]] = self.waiting.get(fee["name"], 0) + fee["amount_minor"]

    def write(self, day: date, kind: str, amount: int) -> None:
        if amount:
            self.lines.append((day, kind, amount))

    def pay_in(self, day: date, amount: int) -> None:
        self.write(day, "deposit", amount)
        months = (day.year - self.start.year) * 12 + day.month - self.start.month - (day.day < self.start.day)
        kept = months - len(self.lots) <= 1 and all(kept for *_, kept in self.lots)
        if not self.lots:
            self.write(day, "fee.opening", -300)
            amount -= 300
        self.lots.append((amount, day, kept))

    def called(self, day: date) -> int:
        return sum(amount for _, due, amount in self.notices if due == day)

    def interest(self, day: date, amount: int) -> int:
        demand, rate = self.percent("demand_rates"), self.percent("rates")
        if "notice_days" in self.told:
            [(_, since, _)] = self.lots
            called = min(amount, self.called(day))
            earned = Fraction((day - since).days) * (called * rate + (amount - called) * demand)
            return rounded(max(Fraction(0), earned - self.idle * (rate if called else demand)) / 360)
        earned = Fraction(0)
        for lot, since, kept in self.lots if amount == self.balance else [(amount, self.start, True)]:
            assert self.maturity is not None
            if day < self.maturity or not kept:
                earned += lot * demand * (day - since).days
            else:
                earned += lot * (rate * days_of_360(since, self.maturity) + demand * (day - self.maturity).days)
        return rounded(earned / 360)

    def bonus(self, day: date) -> int:
        due = self.maturity is not None and day >= self.maturity and self.balance >= 300_000
        return 800 if due else 0

    def earn(self, day: date, amount: int, bonus: int = 0) -> int:
        interest = self.interest(day, amount)
        self.write(day, "interest", interest)
        self.write(day, "bonus.loyalty_bonus", bonus)
        return interest + bonus

    def charge(self, day: date, left: int) -> int:
        """What is left of it after the fees that wait."""
        for name, wanted in self.waiting.items():
            taken = min(left, wanted)
            self.write(day, f"fee.{name}", -taken)
            self.waiting[name] -= taken
            left -= taken
        self.waiting = {name: wanted for name, wanted in self.waiting.items() if wanted}
        return left

    def wait_if_early(self, day: date, amount: int) -> None:
        early = self.called(day) < amount if self.maturity is None else day < self.maturity
        if early:
            self.wait("early")

    def take_part(self, day: date, amount: int) -> None:
        self.wait_if_early(day, amount)
        self.wait("withdrawal")
        self.write(day, "withdrawal", -self.charge(day, amount + self.earn(day, amount)))
        called, self.idle = min(amount, self.called(day)), 0
        self.lots = [(lot - amount, since, kept) for lot, since, kept in self.lots]
        left = []
        for since, due, noticed in self.notices:
            used = min(called, noticed) if due == day else 0
            called -= used
            left += [(since, due, noticed - used)] if noticed > used else []
        self.notices = left

    def close(self, day: date) -> None:
        self.wait_if_early(day, self.balance)
        earned = self.earn(day, self.balance, self.bonus(day))
        self.write(day, "withdrawal", -self.charge(day, self.balance + earned))
        self.lots, self.notices = [], []

    def end(self, day: date) -> None:
        if not self.lots:
            return
        if day.month in (2, 4, 6) and day.day == 5:
            self.wait("schedule")
        if self.called(day) or self.misses(day):
            self.wait("missed")
        for since, due, amount in self.notices:
            if due == day:
                self.idle += min(amount, self.balance) * (due - since).days
        self.notices = [notice for notice in self.notices if notice[1] != day]
        if day == self.maturity and self.choice is AtMaturity.PAY_OUT:
            self.close(day)
        elif day == self.maturity and self.choice in (AtMaturity.RENEW_ALL, AtMaturity.RENEW_PRINCIPAL):
            left = self.charge(day, self.earn(day, self.balance, self.bonus(day)))
            if self.choice is AtMaturity.RENEW_PRINCIPAL:
                self.write(day, "withdrawal", -left)
                left = 0
            self.lots, self.start = [(self.balance + left, day, True)], day

    def misses(self, day: date) -> bool:
        if self.told["kind"] != "instalment" or (day + ONE_DAY).day != self.start.day:
            return False
        months = (day.year - self.start.year) * 12 + day.month - self.start.month
        return months <= 6 and 0 < months - len(self.lots) <= 2 and all(kept for *_, kept in self.lots)


def later(day: date, months: int) -> date:
    year, month = day.year + (day.month - 1 + months) // 12, (day.month - 1 + months) % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def days_of_360(since: date, until: date) -> int:
    """Whole months of thirty days, and odd days as they are."""
    months = 0
    while later(since, months + 1) <= until:
        months += 1
    return 30 * months + (until - later(since, months)).days


def rounded(amount: Fraction) -> int:
    return int(amount + Fraction(1, 2))


async def begun(world: World, told: Told, choice: AtMaturity | None, amount: int) -> tuple[Clerk, Customer]:
    code = uuid4().hex
    await world.launch(terms({**told, "code": code}))
    customer, clerk = Customer(world), Clerk(told, choice, START)
    # What is paid out at maturity needs somewhere to go, or it stays.
    more: dict[str, Any] = {} if choice is None else {"at_maturity": choice, "nominated": world.cash}
    amount = MONTHLY if told["kind"] == "instalment" else amount
    await customer.opens(code, amount, **more)
    clerk.pay_in(START, amount)
    return clerk, customer


async def act(chance: random.Random, clerk: Clerk, customer: Customer, day: date) -> None:
    """What is refused leaves nothing, and the clerk does not hear of it."""
    kind, dice = clerk.told["kind"], chance.random()
    if not clerk.lots:
        return
    if kind == "instalment" and dice < 0.7:
        if not isinstance(await customer.pays(MONTHLY), Refusal):
            clerk.pay_in(day, MONTHLY)
    elif kind == "call" and dice < 0.4:
        amount = chance.randint(1, clerk.balance)
        if not isinstance(await customer.notices(amount), Refusal):
            clerk.notices.append((day, day + timedelta(days=7), amount))
    elif dice < 0.8:
        amount = clerk.called(day) or chance.randint(1, clerk.balance // 2)
        if not isinstance(await customer.takes(amount), Refusal):
            clerk.take_part(day, amount)
    elif dice > 0.95 and not isinstance(await customer.closes(), Refusal):
        clerk.close(day)


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(seed=st.integers(0, 2**32))
async def test_what_is_booked_is_what_a_clerk_writes_down(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    world = await fresh_world(database)
    world.day = START
    kinds = [(told, choice) for told in CHARGED for choice in CHOICES[told["kind"]]]
    lives = [await begun(world, told, choice, chance.randint(290_000, 1_000_000)) for told, choice in kinds]
    day = START
    while day < date(2026, 8, 20):
        # In a bank's night all that has come due since the last one is done at once.
        following = day + timedelta(days=chance.choice((1, 3, 7, 7, 20, 31)))
        for clerk, _ in lives:
            for offset in range((following - day).days):
                clerk.end(day + timedelta(days=offset))
        day = following
        assert await world.end_day(day - ONE_DAY) == []
        for clerk, customer in lives:
            await act(chance, clerk, customer, day)
    for clerk, customer in lives:
        async with database.reading() as tx:
            found = await deposit(tx, customer.account)
            [account] = (await accounts(tx, [customer.account])).values()
            shown = await statement(tx, account, START, day, basis=Basis.VALUED, limit=500)
        assert found is not None
        lines = [(line.posting.value_date, line.kind, line.posting.amount_minor) for line in shown.lines]
        assert sorted(lines) == sorted(clerk.lines), (clerk.told["kind"], clerk.choice)
        waiting = {charge.name: charge.amount_minor for charge in found.contract.charges}
        assert waiting == (clerk.waiting if clerk.lots else {})
        assert shown.closing_minor == found.contract.balance_minor == clerk.balance


async def test_a_frozen_term_pays_no_fee_and_what_waited_waits_on(world: World) -> None:
    await world.start({**TERM, "fees": [KEEPING]})
    account = (await world.open("term", 600_000, at_maturity=AtMaturity.RENEW_ALL)).deposit.account
    assert await world.end_day(date(2026, 2, 5)) == []
    await world.database.run(lambda tx: change_status(tx, account, Status.DEBITS_FROZEN, clock=world.clock))
    assert await world.end_day(date(2026, 4, 5)) == []
    async with world.database.reading() as tx:
        found = await deposit(tx, account)
        assert (await verify(tx)).proved
    assert found is not None
    # Three months at 1.2 %. The fee of April came due while it was frozen.
    assert await world.posted(account) == found.contract.balance_minor == 601_800
    assert [(charge.name, charge.amount_minor) for charge in found.contract.charges] == [("keeping", 1_700)]
    assert found.contract.terms.fees
    await world.database.run(lambda tx: change_status(tx, account, Status.OPEN, clock=world.clock))
    assert await world.end_day(date(2026, 7, 5)) == []
    # 1,805 less the fees of February and June.
    assert await world.posted(account) == 601_800


async def test_terms_with_other_fees_charge_from_the_day_of_the_plan(world: World) -> None:
    await world.start(TERM)
    account = (await world.open("term", 600_000, at_maturity=AtMaturity.RENEW_ALL)).deposit.account
    await world.plan(date(2026, 3, 1), {**TERM, "fees": [KEEPING]})
    for day in (date(2026, 3, 1), date(2026, 4, 5)):
        assert await world.end_day(day) == []
    assert await world.posted(account) == 601_800 - 1_700


async def test_a_statement_names_the_fees_as_the_terms_do() -> None:
    told = [kind_word("fee.keeping", language) for language in ("en", "zh-Hans", "ko")]
    assert told == ["Fee keeping", "手续费 keeping", "수수료 keeping"]
    assert (kind_word("interest", "en"), kind_word("salary", "en")) == ("Interest", "salary")
