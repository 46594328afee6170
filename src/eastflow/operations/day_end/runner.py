"""Running a day's end: parts are claimed with a lease, done and marked; whoever dies, another takes up what is left."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID

from eastflow.kernel import Refusal
from eastflow.ledger.actions import Engine, new_id
from eastflow.storage import Clock, Database, Transaction, now

from ..business_day import store as days
from ..business_day.model import DayState, following, may_begin
from ..refusals import OperationsRefusal
from . import store
from .model import DayEnd, PartState, progress
from .step import Step, StepFailed

WORKERS = 4
LEASE_MILLISECONDS = 10_000
POLL_MILLISECONDS = 50
REASON_CHARACTERS_MAX = 500
Tell = Callable[[DayEnd], None]
_log = logging.getLogger(__name__)


async def day_end(tx: Transaction, day: date) -> DayEnd | None:
    """How far the end of this day has come; None if it was never begun."""
    found = await store.parts(tx, day)
    return progress(day, found) if found else None


async def day_to_close(tx: Transaction) -> date | None:
    """The day whose end is not complete, or else the open one."""
    found = await days.closing_day(tx) or await days.open_day(tx)
    return None if found is None else found.date


async def begin_day_end(tx: Transaction, day: date, steps: Sequence[Step], *, clock: Clock = now) -> DayEnd | Refusal:
    """Plan the parts of this day's end; what failed before waits again. A day that is closed stays as it is."""
    found = await days.locked_day(tx, day)
    if found is None:
        return Refusal(OperationsRefusal.DAY_NOT_OPEN, {"date": day})
    if found.state is DayState.OPEN:
        if (other := await days.closing_day(tx)) is not None:
            return Refusal(OperationsRefusal.DAY_STILL_CLOSING, {"date": other.date})
        if not may_begin(following(day), clock().date()):
            return Refusal(OperationsRefusal.DAY_AHEAD_OF_CLOCK, {"date": following(day), "clock": clock().date()})
    if found.state is not DayState.CLOSED:
        await store.plan(tx, day, steps)
        await store.retry_failed(tx, day)
    return progress(day, await store.parts(tx, day))


async def close_day(
    engine: Engine,
    day: date,
    steps: Sequence[Step],
    *,
    workers: int = WORKERS,
    lease_milliseconds: int = LEASE_MILLISECONDS,
    clock: Clock = now,
    tell: Tell | None = None,
) -> DayEnd | Refusal:
    """Do what is left of this day's end, step by step, and say how far it came. Postings go on meanwhile.

    Several runners may be at it at once, and any of them may be killed: the next one takes up what is left. A step
    that fails ends the run with its reason; running again tries it again. `tell` hears of each part.
    """
    begun = await engine.database.run(lambda tx: begin_day_end(tx, day, steps, clock=clock))
    if isinstance(begun, Refusal) or begun.state is PartState.DONE:
        return begun
    run = _Run(engine, day, new_id(), lease_milliseconds, clock, tell)
    async with run.renewing():
        for step in steps:
            ended = await asyncio.gather(*(run.work_on(step) for _ in range(workers)), return_exceptions=True)
            for each in ended:
                if isinstance(each, BaseException):
                    raise each
            standing = next(each for each in (await run.read()).steps if each.name == step.name)
            if standing.state is not PartState.DONE:
                break  # it failed, though another runner may have it wait again by now
    return await run.read()


@dataclass(slots=True)
class _Run:
    engine: Engine
    day: date
    id: UUID
    lease_milliseconds: int
    clock: Clock
    tell: Tell | None

    @property
    def database(self) -> Database:
        return self.engine.database

    async def read(self) -> DayEnd:
        async with self.database.reading() as tx:
            return progress(self.day, await store.parts(tx, self.day))

    async def work_on(self, step: Step) -> None:
        """One part after the other, until all are done, by whomever, or one has failed."""
        while True:
            found = await self.read()
            if self.tell is not None:
                self.tell(found)
            standing = next(each for each in found.steps if each.name == step.name)
            if standing.state in (PartState.DONE, PartState.FAILED):
                return
            partition = await self._claim(step)
            if partition is None:
                await asyncio.sleep(POLL_MILLISECONDS / 1000)  # the rest is with other workers or runners
            else:
                await self._do(step, partition)

    async def _claim(self, step: Step) -> int | None:
        async def work(tx: Transaction) -> int | None:
            at = self.clock()
            return await store.claim(tx, self.day, step.name, self.id, at, self._lease_until(at))

        return await self.database.run(work)

    async def _do(self, step: Step, partition: int) -> None:
        counts, reason = None, None
        try:
            counts = await step.work(self.database, self.engine, self.day, partition, step.partitions)
        except StepFailed as failed:
            reason = str(failed)
        except Exception as problem:
            _log.exception("%s of %s, partition %d, failed", step.name, self.day, partition)
            reason = f"{type(problem).__name__}: {problem}"
        if reason is not None:
            reason = reason.replace("\0", "")[:REASON_CHARACTERS_MAX] or "no reason was given"

        async def work(tx: Transaction) -> None:
            at = self.clock()
            await store.finish(tx, self.day, step.name, partition, counts=counts, reason=reason, runner=self.id, at=at)

        await self.database.run(work)

    def _lease_until(self, at: datetime) -> datetime:
        return at + timedelta(milliseconds=self.lease_milliseconds)

    @asynccontextmanager
    async def renewing(self) -> AsyncIterator[None]:
        """As long as this process lives, nobody else takes over what it has claimed."""
        task = asyncio.create_task(self._renew())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self.lease_milliseconds // 3 / 1000)
            try:
                until = self._lease_until(self.clock())
                await self.database.run(partial(store.renew, day=self.day, runner=self.id, lease_until=until))
            except Exception:
                # Then another runner may do the same parts again, which has no further effect.
                _log.exception("the leases of %s could not be renewed", self.day)
