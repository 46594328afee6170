"""The engine: callers at work at once are gathered into group commits, written by a few lanes."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from eastflow.kernel import Refusal
from eastflow.storage import Clock, Database, Transaction, go_on_from, now

from .model import BATCH_COMMANDS_MAX, Command, Outcome
from .posting import Calendar, Contested, Written, post_judged, post_quickly
from .prepare import Prepared, extend, finish
from .refusals import LedgerRefusal
from .store import batch as store
from .store import chain as chain_store
from .store.chain import CHAINS, Head

SLICE_COMMANDS = 500
LANE_COMMANDS_MIN = 1_000
GATHERING_MILLISECONDS = 1
QUICK_TRIES_SKIPPED_MAX = 16


@dataclass(slots=True)
class _Submission:
    commands: Sequence[Command]
    answer: asyncio.Future[Sequence[Outcome]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Engine:
    """`async with Engine(database) as engine: outcome = await engine.post(entry)`.

    Each lane has a connection and a chain of its own; what waits when a lane is free goes into its next commit.
    Batches sent one after the other by a caller who waits for the answers are booked in that order.
    """

    def __init__(
        self, database: Database, *, lanes: int = 2, clock: Clock = now, today: Calendar | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._today = today
        self._waiting: deque[_Submission] = deque()
        self._waiting_commands = 0
        self._last_group = 0
        self._busy_lanes = 0
        self._changed = asyncio.Event()
        self._closing = False
        self._asset_numbers: dict[str, int] = {}
        self._lanes = [_Lane(self, chain) for chain in random.sample(range(CHAINS), lanes)]
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Engine:
        """Errors: StorageFault."""
        async with self._database.reading() as tx:
            if (booked := await chain_store.last_booking(tx)) is not None and self._clock is now:
                go_on_from(booked)
        self._tasks = [asyncio.create_task(lane.run()) for lane in self._lanes]
        for task in self._tasks:
            task.add_done_callback(self._lane_ended)
        return self

    async def __aexit__(self, *_: object) -> None:
        """What was submitted is still written; nothing new is taken."""
        self._closing = True
        self._changed.set()
        await asyncio.gather(*self._tasks)

    async def post(self, command: Command) -> Outcome:
        """One command, answered when it is durable. Errors: StorageFault; then send it again with the same id."""
        return (await self.post_batch((command,)))[0]

    async def post_batch(self, commands: Sequence[Command]) -> Sequence[Outcome]:
        """At most 10,000 commands, judged in order: one outcome for each. Errors: StorageFault."""
        assert not self._closing, "the engine is closing"
        if len(commands) > BATCH_COMMANDS_MAX:
            facts = {"commands": len(commands), "commands_max": BATCH_COMMANDS_MAX}
            return [Refusal(LedgerRefusal.BATCH_TOO_LARGE, facts)] * len(commands)
        if not commands:
            return []
        submission = _Submission(commands)
        self._waiting.append(submission)
        self._waiting_commands += len(commands)
        self._changed.set()
        return await submission.answer

    @property
    def clock(self) -> Clock:
        return self._clock

    @property
    def database(self) -> Database:
        return self._database

    def today(self) -> date:
        return self._today() if self._today else self._clock().date()

    async def gather(self) -> list[_Submission]:
        """What waits, up to a full batch; nothing when the engine is closing."""
        while not self._may_start():
            self._changed.clear()
            await self._changed.wait()
        self._busy_lanes += 1
        if 2 * len(self._waiting) < self._last_group:
            # Most callers of the last commit are on their way back: wait a moment and commit for them too.
            await asyncio.sleep(GATHERING_MILLISECONDS / 1000)
        gathered: list[_Submission] = []
        room = BATCH_COMMANDS_MAX
        while self._waiting and len(self._waiting[0].commands) <= room:
            gathered.append(self._waiting.popleft())
            room -= len(gathered[-1].commands)
            if gathered[-1].commands[-1].linked:
                break  # An open group must not be closed by another caller's command.
        self._waiting_commands -= BATCH_COMMANDS_MAX - room
        self._last_group = len(gathered)
        return gathered

    def _lane_ended(self, lane: asyncio.Task[None]) -> None:
        """A lane ends when the engine closes. Should it ever end otherwise, nobody must wait for it."""
        if not lane.cancelled() and lane.exception() is None:
            return
        self._closing = True
        while self._waiting:
            self._waiting.popleft().answer.cancel()

    def finished(self) -> None:
        """A lane is done with what it gathered."""
        self._busy_lanes -= 1
        self._changed.set()

    def _may_start(self) -> bool:
        """A second lane sets out only with a load of its own: two small commits cost nearly twice one of their sum."""
        if not self._waiting:
            return self._closing
        return self._busy_lanes == 0 or self._waiting_commands >= LANE_COMMANDS_MIN

    async def prepare(self, commands: Sequence[Command]) -> Prepared:
        if not self._asset_numbers:
            async with self._database.reading() as tx:
                self._asset_numbers = await store.asset_numbers(tx)
        prepared = Prepared(commands)
        for start in range(0, len(commands), SLICE_COMMANDS):
            extend(prepared, start, min(start + SLICE_COMMANDS, len(commands)), self._asset_numbers, self.today())
            if not prepared.plain:
                return prepared
            if len(commands) > SLICE_COMMANDS:
                await asyncio.sleep(0)
        if -1 in prepared.asset_numbers:
            self._asset_numbers = {}  # The asset may have been defined since they were read.
        return finish(prepared)


class _Lane:
    """One writer: a batch at a time, in a transaction of its own, sealed into its chain."""

    def __init__(self, engine: Engine, chain: int) -> None:
        self._engine = engine
        self._chain = chain
        self._head: Head | None = None
        self._contested_in_a_row = 0
        self._quick_tries_to_skip = 0

    async def run(self) -> None:
        while submissions := await self._engine.gather():
            commands = [command for each in submissions for command in each.commands]
            try:
                outcomes = await self._write(commands)
            except BaseException as problem:
                # The callers are told, whatever it was; the lane lives on unless it is being cancelled.
                for each in submissions:
                    if not each.answer.done():
                        each.answer.set_exception(problem)
                if not isinstance(problem, Exception):
                    raise
                continue
            finally:
                self._engine.finished()
            start = 0
            for each in submissions:
                stop = start + len(each.commands)
                if not each.answer.done():
                    each.answer.set_result(outcomes if len(submissions) == 1 else _Part(outcomes, start, stop))
                start = stop

    async def _write(self, commands: Sequence[Command]) -> Sequence[Outcome]:
        if self._quick_tries_to_skip:
            self._quick_tries_to_skip -= 1
        else:
            prepared = await self._engine.prepare(commands)
            if prepared.plain and (written := await self._try_quickly(prepared)):
                return written.outcomes
        return (await self._in_transaction(self._judged(commands))).outcomes

    async def _try_quickly(self, prepared: Prepared) -> Written | None:
        async def quickly(tx: Transaction, head: Head) -> Written:
            return await post_quickly(tx, prepared, head, self._engine.clock)

        try:
            written = await self._in_transaction(quickly)
        except Contested:
            # Where accounts are often near their floor, the quick try is wasted work: try it less and less often.
            self._contested_in_a_row += 1
            self._quick_tries_to_skip = min(1 << self._contested_in_a_row, QUICK_TRIES_SKIPPED_MAX) - 2
            return None
        self._contested_in_a_row = 0
        return written

    def _judged(self, commands: Sequence[Command]) -> Callable[[Transaction, Head], Awaitable[Written]]:
        async def judged(tx: Transaction, head: Head) -> Written:
            return await post_judged(tx, commands, head, self._engine.clock, self._engine.today)

        return judged

    async def _in_transaction(self, write: Callable[[Transaction, Head], Awaitable[Written]]) -> Written:
        async def work(tx: Transaction) -> Written:
            # After a failure the head in hand may be stale, so each further try reads it.
            head, self._head = self._head or await chain_store.head(tx, self._chain, lock=False), None
            return await write(tx, head)

        written = await self._engine.database.run(work)
        self._head = written.head
        return written


class _Part(Sequence[Outcome]):
    """One submission's share of a group commit."""

    def __init__(self, outcomes: Sequence[Outcome], start: int, stop: int) -> None:
        self._outcomes, self._start, self._stop = outcomes, start, stop

    def __len__(self) -> int:
        return self._stop - self._start

    def __getitem__(self, place: int) -> Outcome:  # type: ignore[override]
        if not 0 <= place < len(self):
            raise IndexError(place)
        return self._outcomes[self._start + place]
