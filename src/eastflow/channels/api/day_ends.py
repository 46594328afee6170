"""Day-ends that this process runs in the background, begun by a request and ended with the process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import date

from eastflow.kernel import Refusal
from eastflow.ledger.actions import Engine
from eastflow.operations import STEPS, DayEnd, PartState, Step, begin_business_day, begin_day_end, close_day

_log = logging.getLogger(__name__)


class DayEnds:
    def __init__(self, engine: Engine, steps: Sequence[Step] = STEPS) -> None:
        self._engine = engine
        self._steps = steps
        self._running: dict[date, asyncio.Task[None]] = {}

    async def start(self, day: date) -> DayEnd | Refusal:
        """Begin the end of this day, or go on with it, and answer at once. Errors: StorageFault."""
        database, clock = self._engine.database, self._engine.clock
        await database.run(lambda tx: begin_business_day(tx, clock=clock))
        begun = await database.run(lambda tx: begin_day_end(tx, day, self._steps, clock=clock))
        if isinstance(begun, DayEnd) and begun.state is not PartState.DONE and day not in self._running:
            task = self._running[day] = asyncio.create_task(self._run(day))
            task.add_done_callback(lambda _: self._running.pop(day, None))
        return begun

    async def stop(self) -> None:
        """What is under way is left as it is: the next run takes it up."""
        for task in list(self._running.values()):
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _run(self, day: date) -> None:
        try:
            await close_day(self._engine, day, self._steps, clock=self._engine.clock)
        except Exception:
            _log.exception("the end of %s was cut short", day)
