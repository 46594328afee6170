"""A day's end that is killed at any point and begun again books each interest once, and the right one."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from datetime import date, timedelta

from eastflow.ledger import balances, verify
from eastflow.storage import Database

from .. import actions
from ..conftest import DEMAND, START, World
from . import store

ACCOUNTS, DRAWN = 40, 12
SETTLED_ON = date(2026, 1, 21)
# 36 % a year of 10,000.00 is 10.00 a day: after 16 days the limit is reached, and there is no room to take it twice.
OVERDRAFT = {
    **DEMAND, "code": "overdraft",
    "overdraft": {
        "limit_minor": 1_016_000, "rates": {"changes": [{"since": "2020-01-01", "tiers": [{"percent": "36"}]}]},
    },
}  # fmt: skip
CHARGED = {
    **DEMAND, "code": "charged",
    "fees": [
        {"name": "card", "event": "schedule", "amount_minor": 50, "waived_from_minor": 1_000_100,
         "schedule": {"months": [1], "day": SETTLED_ON.day}},
        {"name": "keeping", "event": "schedule", "amount_minor": 100,
         "schedule": {"months": [1], "day": SETTLED_ON.day}},
    ],
}  # fmt: skip
POINTS = (
    *("write_moved:2", "write_step:2", "post_batch:2", "write_ended:1", "write_ended:3", "write_step:2"),
    *("post_batch:3", "write_ended:4", "write_ended:2", "none:0"),
)
"""Where each run of the program is killed: as it comes to a function of the store or the engine for the nth time."""
PROGRAM = """
import asyncio, os, signal, sys
from datetime import UTC, date, datetime, time
from eastflow.deposits import actions
from eastflow.deposits.day_end import store
from eastflow.deposits.day_end.runs import actions as runs
from eastflow.ledger.actions import Engine
from eastflow.storage import Database

url, point, day = sys.argv[1], sys.argv[2].split(":"), date.fromisoformat(sys.argv[3])
runs.ACCOUNTS_PER_BATCH = 7
left = int(point[1])

def guarded(owner, name):
    before = getattr(owner, name, None)
    if before is None:
        return
    async def counted(*given, **more):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return await before(*given, **more)
    setattr(owner, name, counted)

guarded(store, point[0])
guarded(Engine, point[0])

async def main():
    database = await Database.open(url)
    clock = lambda: datetime.combine(day, time(20), UTC)
    async with Engine(database, clock=clock, today=lambda: day) as engine:
        for part in range(2):
            await actions.accrue_moved(database, day, part, 2, clock=clock)
        for part in range(2):
            await actions.settle_interest(engine, day, part, 2)
    await database.close()

asyncio.run(main())
"""


async def test_interest_is_booked_once_however_often_the_program_is_killed(world: World, database_url: str) -> None:
    await world.start(DEMAND, OVERDRAFT, CHARGED)
    drawn = [(await world.open("overdraft")).deposit.account for _ in range(DRAWN)]
    for account in drawn:
        await world.move(account, -1_000_000)
    plain = {(await world.open(amount_minor=1_000_000 + n)).deposit.account: 1_000_000 + n for n in range(ACCOUNTS)}
    charged = {(await world.open("charged", 1_000_000 + n)).deposit.account: 1_000_000 + n for n in range(ACCOUNTS)}
    opened = plain | charged
    world.day = SETTLED_ON
    for account in opened:
        await world.move(account, -500)
    ended = [await asyncio.to_thread(_run, database_url, point) for point in POINTS]
    assert ended == [-signal.SIGKILL] * (len(POINTS) - 1) + [0]
    nights = (SETTLED_ON - START).days
    async with world.database.reading() as tx:
        found = await balances(tx, sorted([*opened, *drawn]))
        steps = await store.steps_of(tx, SETTLED_ON)
        assert (await verify(tx)).proved
        assert await store.corrections_owed(tx, 0, 1, limit=1) == []
    assert {found[account].posted_minor for account in drawn} == {-1_016_000}
    for account, minor in opened.items():
        interest = (minor * nights * 150 + 1_800_000) // 3_600_000
        # With its interest it is above what the first fee is waived from; without, or less the second, below it.
        fees = 100 if account in charged else 0
        assert found[account].posted_minor == minor - 500 + interest - fees
    assert {(each.step, each.part, each.done) for each in steps} == {
        (step, part, True) for step in ("accrue", "settle") for part in (0, 1)
    }
    await _nothing_more_is_owed(world.database, sorted([*opened, *drawn]))


async def _nothing_more_is_owed(database: Database, opened: list[int]) -> None:
    day = SETTLED_ON + timedelta(days=1)
    assert (await actions.accrue_moved(database, day)).accounts == 0
    async with database.reading() as tx:
        rows = await store.accruals_of(tx, opened)
        found = await balances(tx, opened)
    assert rows.balances_minor.tolist() == [found[account].posted_minor for account in opened]
    assert set(rows.numerators.tolist()) | set(rows.debit_numerators.tolist()) == {0}


def _run(url: str, point: str) -> int:
    command = [sys.executable, "-c", PROGRAM, url, point, SETTLED_ON.isoformat()]
    return subprocess.run(command, check=False, env=dict(os.environ), timeout=60).returncode
