"""One round of posting: batches built beforehand, sent by a few clients, timed from the first to the last answer."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from eastflow.kernel import Refusal
from eastflow.ledger import Entry, actions, trial_balance_at
from eastflow.storage import Database

BUILT_BEFOREHAND = (
    "entries and their ids (version 7) are built before the clock starts; the clock covers validation, encoding, "
    "hashing and the durable commit"
)


@dataclass(slots=True)
class Round:
    """`started` and `ended` are of the system's one monotonic clock, so that processes can be compared."""

    entries: int
    started: float = 0.0
    ended: float = 0.0
    cpu_seconds: float = 0.0
    batches_ms: list[float] = field(default_factory=list)
    refused: int = 0

    @property
    def seconds(self) -> float:
        return self.ended - self.started

    @property
    def entries_per_second(self) -> float:
        return self.entries / self.seconds


async def post_all(database: Database, batches: Sequence[Sequence[Entry]], *, lanes: int, clients: int) -> Round:
    """Post the batches through an engine of so many lanes; each client waits for its answer before it sends again."""
    done = Round(sum(map(len, batches)))
    waiting = list(reversed(batches))

    async def client(engine: actions.Engine) -> None:
        while waiting:
            batch = waiting.pop()
            sent = time.monotonic()
            outcomes = await engine.post_batch(batch)
            done.batches_ms.append((time.monotonic() - sent) * 1_000)
            # The first tells of the batch; that each was booked is counted in the books at the end.
            done.refused += isinstance(outcomes[0], Refusal)

    # What was built beforehand is not looked through again and again while the clock runs.
    gc.collect()
    gc.freeze()
    try:
        async with actions.Engine(database, lanes=lanes) as engine:
            done.started, cpu = time.monotonic(), time.process_time()
            await asyncio.gather(*(client(engine) for _ in range(clients)))
            done.ended, done.cpu_seconds = time.monotonic(), time.process_time() - cpu
    finally:
        gc.unfreeze()
    return done


@dataclass(frozen=True, slots=True)
class Booked:
    """How much stands in the books."""

    entries: int
    postings: int


async def booked(database: Database) -> Booked:
    async with database.reading() as tx:
        entries = await tx.value("SELECT count(*) FROM ledger_entry")
        return Booked(entries, await tx.value("SELECT count(*) FROM ledger_posting"))


async def checks(database: Database, before: Booked, *, entries: int, postings_per_entry: int = 2) -> dict[str, bool]:
    """Is every entry in the books, once; and does every balance follow from its postings?"""
    after = await booked(database)
    async with database.reading() as tx:
        balanced = (await trial_balance_at(tx)).balanced
        wrong = await tx.value(
            "SELECT count(*) FROM ledger_balance b JOIN "
            "(SELECT account_id, sum(amount) AS amount, count(*) AS legs FROM ledger_posting GROUP BY account_id) p "
            "ON p.account_id = b.account_id WHERE b.posted <> b.side * p.amount OR b.sequence <> p.legs"
        )
        places = await tx.value("SELECT coalesce(sum(sequence), 0)::bigint FROM ledger_balance")
        sealed = await tx.value("SELECT coalesce(sum(entries), 0)::bigint FROM ledger_block")
    return {
        "trial_balance_is_zero": balanced,
        "every_entry_is_booked_once": after.entries - before.entries == entries,
        "every_posting_is_booked_once": after.postings - before.postings == entries * postings_per_entry,
        "every_balance_follows_from_its_postings": wrong == 0 and places == after.postings,
        "every_entry_is_sealed": sealed == after.entries,
    }
