"""The plan of a day's end and its progress, in their table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from eastflow.storage import Transaction

from .model import Counts, Part, PartState
from .step import Step

_PART = "step, partition, state, counts, reason, started_at, ended_at"


async def plan(tx: Transaction, day: date, steps: Sequence[Step]) -> None:
    """Every part that is not planned yet."""
    planned = [
        (day, position, step.name, partition)
        for position, step in enumerate(steps)
        for partition in range(step.partitions)
    ]
    await tx.execute_many(
        "INSERT INTO operations_day_end_part (date, position, step, partition, state, attempts) "
        "VALUES ($1, $2, $3, $4, 'waiting', 0) ON CONFLICT DO NOTHING",
        planned,
    )


async def parts(tx: Transaction, day: date) -> list[Part]:
    """In the order of the steps."""
    found = await tx.rows(
        f"SELECT {_PART} FROM operations_day_end_part WHERE date = $1 ORDER BY position, step, partition", day
    )
    return [_part(row) for row in found]


async def retry_failed(tx: Transaction, day: date) -> None:
    await tx.execute(
        "UPDATE operations_day_end_part SET state = 'waiting', reason = NULL WHERE date = $1 AND state = 'failed'", day
    )


async def claim(tx: Transaction, day: date, step: str, runner: UUID, at: datetime, lease_until: datetime) -> int | None:
    """The partition that is this runner's until then: one that waits, or whose runner has let its lease run out."""
    found: int | None = await tx.value(
        "UPDATE operations_day_end_part SET state = 'running', runner = $3, lease_until = $5, "
        "started_at = coalesce(started_at, $4), attempts = attempts + 1 "
        "WHERE date = $1 AND step = $2 AND partition = ("
        "SELECT partition FROM operations_day_end_part WHERE date = $1 AND step = $2 "
        "AND (state = 'waiting' OR (state = 'running' AND lease_until < $4)) "
        "ORDER BY partition LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING partition",
        day,
        step,
        runner,
        at,
        lease_until,
    )
    return found


async def renew(tx: Transaction, day: date, runner: UUID, lease_until: datetime) -> None:
    await tx.execute(
        "UPDATE operations_day_end_part SET lease_until = $3 WHERE date = $1 AND runner = $2 AND state = 'running'",
        day,
        runner,
        lease_until,
    )


async def finish(
    tx: Transaction,
    day: date,
    step: str,
    partition: int,
    *,
    counts: Counts | None,
    reason: str | None,
    runner: UUID,
    at: datetime,
) -> None:
    """Done or failed. What another runner has found done stays done; that it failed is said by who has it now."""
    await tx.execute(
        "UPDATE operations_day_end_part SET state = $4, counts = $5, reason = $6, ended_at = $7 "
        "WHERE date = $1 AND step = $2 AND partition = $3 AND state = 'running' "
        "AND (runner = $8 OR $6::text IS NULL)",
        day,
        step,
        partition,
        (PartState.DONE if reason is None else PartState.FAILED).value,
        None if counts is None else json.dumps(dict(counts)),
        reason,
        at,
        runner,
    )


def _part(row: Any) -> Part:
    return Part(
        row["step"],
        row["partition"],
        PartState(row["state"]),
        json.loads(row["counts"]) if row["counts"] else {},
        row["reason"],
        row["started_at"],
        row["ended_at"],
    )
