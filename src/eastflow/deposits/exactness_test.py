"""Interest is exact to the minor unit: random histories of real postings against a clerk who counts day by day.

The histories hold backdated postings, a change of rates, tiers of both methods and several day counts. The clerk knows
all postings, reads the rates from the same file and shares no code with the bank.
"""

from __future__ import annotations

import calendar
import random
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eastflow.ledger import changes_valued_since
from eastflow.ledger.actions import Engine
from eastflow.products import version
from eastflow.storage import Database

from . import actions
from .conftest import DEMAND, START, World

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
PRODUCTS = (DEMAND, TIERED, WHOLE)
OPENING_MINOR = 1_000_000
DAYS = 60


@settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(seed=st.integers(0, 2**32))
async def test_what_is_credited_is_what_a_clerk_counts(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    world = await fresh_world(database)
    accounts = {(await world.open(each["code"], OPENING_MINOR)).deposit.account: each for each in PRODUCTS}
    moved: dict[int, list[tuple[date, int]]] = {account: [(START, OPENING_MINOR)] for account in accounts}
    async with Engine(database, clock=world.clock, today=lambda: world.day) as engine:
        for _ in range(DAYS):
            await trade(world, chance, moved)
            closing = world.day
            world.day += timedelta(days=1)
            if chance.random() < 0.5:
                # The bank's date has gone on already when the day's end begins.
                await trade(world, chance, moved)
            await close_day(world, engine, closing, parts=chance.choice((1, 2)))
        await close_day(world, engine, world.day)
        await close_day(world, engine, world.day + timedelta(days=1))
    for account, told in accounts.items():
        should = clerk(told, moved[account], world.day + timedelta(days=1))
        assert any(should.values())
        async with database.reading() as tx:
            _, changes = await changes_valued_since(tx, account, START)
        plain: dict[date, int] = defaultdict(int)
        for valued, amount in moved[account]:
            plain[valued] += amount
        credited = {day: net - plain[day] for day, net in changes if net != plain[day]}
        assert credited == {day: amount for day, amount in should.items() if amount}, told["code"]


async def fresh_world(database: Database) -> World:
    """One database serves all examples. Of those before, this room knows nothing any more."""
    world = World(database)
    async with database.reading() as tx:
        begun = await version(tx, PRODUCTS[0]["code"], 1) is not None
        tables = await tx.rows("SELECT tablename FROM pg_tables WHERE tablename LIKE 'deposits%'")
    await world.start(*(() if begun else PRODUCTS))
    names = ", ".join(row["tablename"] for row in tables)
    await database.run(lambda tx: tx.execute(f"TRUNCATE {names}"))
    return world


async def trade(world: World, chance: random.Random, moved: dict[int, list[tuple[date, int]]]) -> None:
    for account, known in moved.items():
        for _ in range(chance.choice((0, 0, 0, 1, 1, 2))):
            back = chance.choice((0, 0, 0, 1, 9, 40))
            valued = max(START, world.day - timedelta(days=back))
            amount = chance.choice((-1, 1)) * chance.randint(1, 9_999)
            await world.move(account, amount, valued)
            known.append((valued, amount))


async def close_day(world: World, engine: Engine, day: date, parts: int = 1) -> None:
    for part in range(parts):
        await actions.accrue_moved(world.database, day, part, parts, clock=world.clock)
    for part in range(parts):
        done = await actions.settle_interest(engine, day, part, parts)
        assert done.refused == ()


def clerk(told: Mapping[str, Any], moved: list[tuple[date, int]], until: date) -> dict[date, int]:
    """The interest of each settlement date before `until`, all that is `moved` being known."""
    known, credited, earned, day = list(moved), {}, Fraction(0), START
    while day < until:
        if is_settlement(told, day):
            amount = int(earned + Fraction(1, 2))
            credited[day], earned = amount, Fraction(0)
            known.append((day, amount))
        earned += one_day(told, sum(amount for valued, amount in known if valued <= day), day)
        day += timedelta(days=1)
    return credited


def is_settlement(told: Mapping[str, Any], day: date) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    return day.month in told["settlement"]["months"] and day.day == min(told["settlement"]["day"], last)


def one_day(told: Mapping[str, Any], balance_minor: int, day: date) -> Fraction:
    [*_, change] = [each for each in told["rates"]["changes"] if date.fromisoformat(each["since"]) <= day]
    tiers = [(tier.get("from_minor", 0), Fraction(tier["percent"]) / 100) for tier in change["tiers"]]
    year = Fraction(0)
    if told["rates"].get("method") == "whole":
        year = balance_minor * [rate for start, rate in tiers if start <= balance_minor][-1]
    else:
        for place, (start, rate) in enumerate(tiers):
            end = tiers[place + 1][0] if place + 1 < len(tiers) else balance_minor
            year += rate * max(0, min(end, balance_minor) - start)
    if told["day_count"] == "ACT/360":
        return year / 360
    if told["day_count"] == "ACT/ACT":
        return year / (366 if calendar.isleap(day.year) else 365)
    # Thirty days a month: the 31st is no day, and the last of February is as many as are missing.
    following = day + timedelta(days=1)
    return year * (30 * (following.month - day.month) % 360 + min(following.day, 30) - min(day.day, 30)) / 360
