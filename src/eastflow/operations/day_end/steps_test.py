"""The bank's own day's end: deposits earn their interest once, whoever is killed on the way."""

from __future__ import annotations

import signal
from datetime import date, timedelta

from eastflow.deposits.conftest import DEMAND, World
from eastflow.ledger import balances, trial_balance_at, verify
from eastflow.ledger.actions import Engine
from eastflow.storage import Database

from ..business_day.actions import set_business_date
from ..business_day.calendar import business_date
from .model import DayEnd, PartState
from .runner import close_day
from .runner_test import LEASE_MILLISECONDS, run_killed
from .steps import STEPS

OPENED, SETTLED = date(2026, 1, 19), date(2026, 1, 21)
AMOUNT_MINOR = 100_000_000
INTEREST_MINOR = 8_333
"""1.5 % of the amount for two days of 360: 8,333.33, rounded half up."""
CONTRACTS = 5


async def close(database: Database, day: date) -> DayEnd:
    async with business_date(database) as today, Engine(database, today=today) as engine:
        ended = await close_day(engine, day, STEPS, lease_milliseconds=LEASE_MILLISECONDS)
    assert isinstance(ended, DayEnd)
    assert ended.state is PartState.DONE, ended
    return ended


async def test_interest_is_earned_once_whoever_is_killed(database: Database, database_url: str) -> None:
    await database.run(lambda tx: set_business_date(tx, OPENED))
    world = World(database, OPENED)
    await world.start(DEMAND)
    accounts = [(await world.open(amount_minor=AMOUNT_MINOR)).deposit.account for _ in range(CONTRACTS)]
    for day in (OPENED, OPENED + timedelta(days=1)):
        await close(database, day)
    for point in ("cut_off after", "maturities after", "accrual before", "settlement after", "roll after"):
        assert await run_killed(database_url, point, SETTLED) == -signal.SIGKILL, point
    ended = await close(database, SETTLED)
    counts = {step.name: step.counts for step in ended.steps}
    assert counts["settlement"]["refused"] == 0
    assert await close(database, SETTLED) == ended
    async with database.reading() as tx:
        found = await balances(tx, accounts)
        assert {balance.posted_minor for balance in found.values()} == {AMOUNT_MINOR + INTEREST_MINOR}
        assert (await trial_balance_at(tx, None)).balanced
        assert (await verify(tx)).proved
