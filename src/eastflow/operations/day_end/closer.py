"""The bank's own hand on its calendar: while it runs, each day that has passed is closed, one after the other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from eastflow.kernel import Refusal
from eastflow.ledger.actions import Engine

from ..business_day.actions import begin_business_day
from .model import DayEnd, PartState
from .runner import close_day, day_to_close
from .step import Step
from .steps import STEPS

LOOKS_EVERY_SECONDS = 5
FAILED_PAUSE_SECONDS = 60
_log = logging.getLogger(__name__)


async def close_passed_days(engine: Engine, steps: Sequence[Step] = STEPS) -> list[DayEnd]:
    """Close the days before the clock's (UTC) that are not closed yet, the earliest first, and tell how each came out.
    One that fails, or that may not be closed, is the last. Errors: StorageFault."""
    ended: list[DayEnd] = []
    await engine.database.run(lambda tx: begin_business_day(tx, clock=engine.clock))
    while True:
        async with engine.database.reading() as tx:
            day = await day_to_close(tx)
        if day is None or day >= engine.clock().date():
            return ended
        found = await close_day(engine, day, steps, clock=engine.clock)
        if isinstance(found, Refusal):
            _log.warning("%s cannot be closed: %s", day, found.code.value)
            return ended
        ended.append(found)
        if found.state is not PartState.DONE:
            return ended


async def keep_closing(engine: Engine, steps: Sequence[Step] = STEPS) -> None:
    """Until cancelled. What is cut short is taken up by the next look, in whichever process."""
    while True:
        pause_seconds = LOOKS_EVERY_SECONDS
        try:
            for ended in await close_passed_days(engine, steps):
                if ended.state is PartState.DONE:
                    _log.info("%s is closed", ended.date)
                else:
                    _log.error("the end of %s stopped: %s", ended.date, ended.state.value)
                    pause_seconds = FAILED_PAUSE_SECONDS
        except Exception:
            # Whatever it was this time, the next look may succeed, and no caller waits for this one.
            _log.exception("the day could not be closed")
        await asyncio.sleep(pause_seconds)
