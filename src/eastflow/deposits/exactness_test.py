"""Interest is exact to the minor unit: random histories of real postings against a clerk who counts day by day.

The histories hold backdated postings, a change of rates, tiers of both methods, several day counts, overdrafts up to
their limit, fees and bonuses, and new terms in the middle. The clerk knows all postings, reads the rates from the same
files and shares no code with the bank.
"""

from __future__ import annotations

import calendar
import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eastflow.kernel import Refusal
from eastflow.ledger import changes_valued_since
from eastflow.ledger.actions import Engine, define_asset
from eastflow.storage import Database

from . import actions
from .conftest import DEMAND, START, World, terms
from .store import corrections

TIERED = {
    **DEMAND, "code": "tiered", "name": "Tiered", "day_count": "ACT/ACT",
    "rates": {"method": "slice", "changes": [
        {"since": "2020-01-01", "tiers": [
            {"from_minor": 0, "percent": "0.35"}, {"from_minor": 900000, "percent": "1.10"},
            {"from_minor": 1050000, "percent": "2.0001"},
        ]},
        {"since": "2026-02-27", "tiers": [{"percent": "0.30"}, {"from_minor": 950_000, "percent": "3.15"}]},
    ]},
}  # fmt: skip
WHOLE = {
    **DEMAND, "code": "whole", "name": "Whole", "day_count": "30E/360", "settlement": {"months": [1, 2, 3], "day": 31},
    "rates": {"method": "whole", "changes": [
        {"since": "2020-01-01", "tiers": [{"percent": "0.20"}, {"from_minor": 1_000_000, "percent": "1.75"}]},
    ]},
}  # fmt: skip
OVERDRAWN = {
    **DEMAND, "code": "overdrawn", "name": "Overdrawn", "day_count": "ACT/365F",
    "overdraft": {"limit_minor": 25_000, "rates": {"method": "slice", "changes": [
        {"since": "2020-01-01", "tiers": [{"percent": "18"}, {"from_minor": 15_000, "percent": "24.5"}]},
        {"since": "2026-02-03", "tiers": [{"percent": "36"}]},
    ]}},
}  # fmt: skip
DEARER = {
    **OVERDRAWN, "settlement": {"months": [2], "day": 28}, "day_count": "ACT/360",
    "rates": {"changes": [{"since": "2020-01-01", "tiers": [{"percent": "5"}]}]},
    "overdraft": {"limit_minor": 20_000, "rates": {"changes": [{"since": "2020-01-01", "tiers": [{"percent": "48"}]}]}},
}  # fmt: skip
CHARGED = {
    **DEMAND,
    "fees": [
        {"name": "card", "event": "schedule", "amount_minor": 50, "schedule": {"months": [1, 2, 3], "day": 21}},
        {"name": "keeping", "event": "schedule", "amount_minor": 300, "schedule": {"months": [1, 2], "day": 10}},
    ],
    "hooks": [{"name": "loyalty_bonus", "parameters": {"bonus_minor": 7, "balance_min_minor": 1, "months_min": 1}}],
}  # fmt: skip
FIXED = {
    **DEMAND, "rate_day": "settlement", "settlement": {"months": [1, 3], "day": 1},
    "rates": {"changes": [
        {"since": "2020-01-01", "tiers": [{"percent": "0.35"}]}, {"since": "2026-02-20", "tiers": [{"percent": "4.1"}]},
        {"since": "2026-03-01", "tiers": [{"percent": "9"}]},
    ]},
}  # fmt: skip
LOWERED = {**FIXED, "rates": {"changes": [{"since": "2020-01-01", "tiers": [{"percent": "2.75"}]}]}}
Told = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """A product, and what its contracts are migrated to, if they are."""

    told: Told
    opening_minor: int = 1_000_000
    later: Told | None = None


CASES = (
    Case(DEMAND, later=TIERED),
    Case(WHOLE),
    Case(OVERDRAWN, 10_000),
    Case(OVERDRAWN, 10_000, DEARER),
    Case(CHARGED, later=TIERED),
    Case(TIERED, later=CHARGED),
    Case(FIXED),
    Case(FIXED, later=LOWERED),
    Case(LOWERED, later=DEMAND),
)
DAYS = 60
ALL = {"changes": [{"since": "2020-01-01", "tiers": [{"percent": "100"}]}]}
"""A rate of one, for days whose own rate comes later."""


A_FEW = settings(
    max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
SEEDS = st.integers(0, 2**32)


@A_FEW
@given(seed=SEEDS)
async def test_what_is_booked_is_what_a_clerk_counts(database: Database, seed: int) -> None:
    await is_what_a_clerk_counts(database, seed)


@pytest.mark.soak
@settings(A_FEW, max_examples=100)
@given(seed=SEEDS)
async def test_what_is_booked_is_what_a_clerk_counts_for_long(database: Database, seed: int) -> None:
    await is_what_a_clerk_counts(database, seed)


async def is_what_a_clerk_counts(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    world = await fresh_world(database)
    migrates = START + timedelta(days=chance.randint(10, 45))
    lives = [await begun(world, case, migrates) for case in CASES]
    moved = {life.account: life.moved for life in lives}
    async with Engine(database, clock=world.clock, today=lambda: world.day) as engine:
        for back in range((world.day - START).days, 0, -1):
            await close_day(world, engine, world.day - timedelta(days=back))
        for _ in range(DAYS):
            await trade(world, chance, moved)
            closing = world.day
            world.day += timedelta(days=1)
            if chance.random() < 0.5:
                # The bank's date has gone on already when the day's end begins.
                await trade(world, chance, moved)
            await close_day(world, engine, closing, parts=chance.choice((1, 2)))
        # What is still owed can be taken now.
        for life in lives:
            await move(world, life.account, 1_000_000, world.day, life.moved)
        for later in range(4):
            await close_day(world, engine, world.day + timedelta(days=later))
    for life in lives:
        should = clerk(life.terms, life.moved, world.day + timedelta(days=1))
        assert any(should.values())
        async with database.reading() as tx:
            _, changes = await changes_valued_since(tx, life.account, START)
            assert [one for one in await corrections(tx, life.account) if not one.booked] == []
        plain: dict[date, int] = defaultdict(int)
        for valued, amount in life.moved:
            plain[valued] += amount
        booked = {day: net - plain[day] for day, net in changes if net != plain[day]}
        assert booked == {day: amount for day, amount in should.items() if amount}, life.terms


@dataclass(frozen=True)
class Life:
    """A contract: its terms, each from a day on, and what moved."""

    account: int
    terms: list[tuple[date, Told]]
    moved: list[tuple[date, int]]


async def fresh_world(database: Database) -> World:
    """One database serves all examples. Of those before, this room knows nothing any more."""
    world = World(database)
    await database.run(lambda tx: define_asset(tx, terms(DEMAND).asset))
    await world.start()
    async with database.reading() as tx:
        tables = await tx.rows("SELECT tablename FROM pg_tables WHERE tablename LIKE 'deposits%'")
    names = ", ".join(row["tablename"] for row in tables)
    await database.run(lambda tx: tx.execute(f"TRUNCATE {names}"))
    return world


async def begun(world: World, case: Case, migrates: date) -> Life:
    code = uuid4().hex
    told = {**case.told, "code": code}
    day, world.day = world.day, START
    await world.launch(terms(told))
    account = (await world.open(code, case.opening_minor)).deposit.account
    world.day = day
    life = Life(account, [(START, told)], [(START, case.opening_minor)])
    if case.later is not None:
        await world.plan(migrates, {**case.later, "code": code})
        life.terms.append((migrates, case.later))
    return life


async def trade(world: World, chance: random.Random, moved: dict[int, list[tuple[date, int]]]) -> None:
    for account, known in moved.items():
        for _ in range(chance.choice((0, 0, 0, 1, 1, 2))):
            back = chance.choice((0, 0, 0, 1, 9, 40))
            valued = max(START, world.day - timedelta(days=back))
            amount = chance.choice((-1, 1)) * chance.randint(1, 9_999)
            await move(world, account, amount, valued, known)


async def move(world: World, account: int, amount: int, valued: date, known: list[tuple[date, int]]) -> None:
    """What would go below the floor is refused."""
    if not isinstance(await world.move(account, amount, valued), Refusal):
        known.append((valued, amount))


async def close_day(world: World, engine: Engine, day: date, parts: int = 1) -> None:
    for part in range(parts):
        await actions.accrue_moved(world.database, day, part, parts, clock=world.clock)
    for part in range(parts):
        assert (await actions.charge_fees(engine, day, part, parts)).refused == ()
    for part in range(parts):
        done = await actions.settle_interest(engine, day, part, parts)
        assert done.refused == ()
    for part in range(parts):
        done = await actions.migrate_contracts(engine, day, part, parts)
        assert done.refused == ()


def clerk(terms: list[tuple[date, Told]], moved: list[tuple[date, int]], until: date) -> dict[date, int]:
    """What is booked on each date before `until` on which interest is settled, all that is `moved` being known."""
    known, booked, day = list(moved), {}, START
    earned, cost = Fraction(0), Fraction(0)
    [(_, told), *later] = terms
    while day < until:
        migrates = bool(later) and later[0][0] == day
        # Where the settlement's rate holds for all days, those before new terms wait for it too.
        goes_on = migrates and all("rate_day" in each for each in (told, later[0][1]))
        if (migrates and not goes_on) or is_settlement(told, day):
            if "rate_day" in told:
                earned *= rate_on(told["rates"], day - timedelta(days=1))
            amount = int(earned + Fraction(1, 2)) - int(cost + Fraction(1, 2))
            booked[day], earned, cost = amount, Fraction(0), Fraction(0)
        if charged := charges(told, day):
            booked[day] = booked.get(day, 0) + charged
        known.append((day, booked.get(day, 0)))
        if migrates:
            _, told = later.pop(0)
        balance = sum(amount for valued, amount in known if valued <= day)
        if balance > 0 and "rate_day" in told:
            earned += one_day(told, ALL, balance, day)
        elif balance > 0:
            earned += one_day(told, told["rates"], balance, day)
        elif "overdraft" in told:
            cost += one_day(told, told["overdraft"]["rates"], -balance, day)
        day += timedelta(days=1)
    return booked


def charges(told: Told, day: date) -> int:
    """The fees of the day, for an account that has them, and the bonuses of one opened a month ago."""
    fees = [-fee["amount_minor"] for fee in told.get("fees", ()) if is_due(fee["schedule"], day)]
    bonus = is_settlement(told, day) and day >= START.replace(month=START.month + 1)
    return sum([*fees, *(hook["parameters"]["bonus_minor"] for hook in told.get("hooks", ()) if bonus)])


def rate_on(rates: Told, day: date) -> Fraction:
    [*_, change] = [each for each in rates["changes"] if date.fromisoformat(each["since"]) <= day]
    return Fraction(change["tiers"][0]["percent"]) / 100


def is_settlement(told: Told, day: date) -> bool:
    return is_due(told["settlement"], day)


def is_due(schedule: Told, day: date) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    return day.month in schedule["months"] and day.day == min(schedule["day"], last)


def one_day(told: Told, rates: Told, balance_minor: int, day: date) -> Fraction:
    [*_, change] = [each for each in rates["changes"] if date.fromisoformat(each["since"]) <= day]
    tiers = [(tier.get("from_minor", 0), Fraction(tier["percent"]) / 100) for tier in change["tiers"]]
    year = Fraction(0)
    if rates.get("method", "whole") == "whole":
        year = balance_minor * [rate for start, rate in tiers if start <= balance_minor][-1]
    else:
        for place, (start, rate) in enumerate(tiers):
            end = tiers[place + 1][0] if place + 1 < len(tiers) else balance_minor
            year += rate * max(0, min(end, balance_minor) - start)
    if told["day_count"] in ("ACT/360", "ACT/365F"):
        return year / int(told["day_count"][4:7])
    if told["day_count"] == "ACT/ACT":
        return year / (366 if calendar.isleap(day.year) else 365)
    # Thirty days a month: the 31st is no day, and the last of February is as many as are missing.
    following = day + timedelta(days=1)
    return year * (30 * (following.month - day.month) % 360 + min(following.day, 30) - min(day.day, 30)) / 360
