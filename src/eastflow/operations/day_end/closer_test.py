"""Days that have passed are closed without being asked, the earliest first, and each once."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from eastflow.ledger.actions import Engine
from eastflow.storage import Database

from ..business_day.actions import set_business_date
from ..business_day.calendar import business_date
from . import closer
from .closer import close_passed_days, keep_closing
from .model import PartState
from .runner import day_to_close
from .step import Step, StepFailed
from .steps import STEPS

FIRST = date(2026, 3, 2)
PLAN = tuple(step for step in STEPS if step.name in ("cut_off", "trial_balance", "roll"))


async def begin(database: Database) -> None:
    await database.run(lambda tx: set_business_date(tx, FIRST))


async def test_the_days_before_the_clocks_are_closed_in_their_order(database: Database) -> None:
    await begin(database)
    clock = lambda: datetime(2026, 3, 5, 0, 1, tzinfo=UTC)  # noqa: E731
    async with business_date(database) as today, Engine(database, today=today, clock=clock) as engine:
        ended = await close_passed_days(engine, PLAN)
        assert [(each.date, each.state) for each in ended] == [
            (FIRST + timedelta(days=passed), PartState.DONE) for passed in range(3)
        ]
        assert engine.today() == date(2026, 3, 5)
        assert await close_passed_days(engine, PLAN) == []


async def test_a_day_that_fails_keeps_the_next_open_and_is_taken_up_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closer, "LOOKS_EVERY_SECONDS", 0)
    monkeypatch.setattr(closer, "FAILED_PAUSE_SECONDS", 0)
    await begin(database)
    clock = lambda: datetime(2026, 3, 4, 12, tzinfo=UTC)  # noqa: E731
    tried = 0

    async def fails_twice(*_: object) -> dict[str, int]:
        nonlocal tried
        tried += 1
        if tried <= 2:
            raise StepFailed("not yet")
        return {}

    plan: tuple[Step, ...] = (PLAN[0], replace(PLAN[1], name="accrual", work=fails_twice), *PLAN[1:])
    async with business_date(database) as today, Engine(database, today=today, clock=clock) as engine:
        [stopped] = await close_passed_days(engine, plan)
        assert (stopped.date, stopped.state) == (FIRST, PartState.FAILED)
        keeping = asyncio.create_task(keep_closing(engine, plan))
        async with asyncio.timeout(30):
            while await _to_close(database) != date(2026, 3, 4):
                await asyncio.sleep(0)
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
    assert tried == 4  # twice failed and once done for the first day, once for the second


async def _to_close(database: Database) -> date | None:
    async with database.reading() as tx:
        return await day_to_close(tx)
