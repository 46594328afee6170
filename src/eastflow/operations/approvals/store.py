"""Proposals and what was decided on them, in their table: what may name persons is sealed, row by row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from eastflow.storage import Transaction, month_sealer, month_unsealed

from .model import Proposal, ProposalStatus

PURPOSE_OF_PROPOSALS = "proposals"
ASKED, DECIDED = "sealed", "sealed_decision"
"""The columns in which a payload with its reason is sealed, and the reason of a decision with its result."""
_PROPOSAL = f"id, kind, maker, made_at, expires_at, status, decided_by, decided_at, {ASKED}, {DECIDED}"


async def proposal(tx: Transaction, id: UUID, *, at: datetime) -> Proposal | None:
    """As it stands at this moment."""
    return await _first(tx, await tx.rows(f"SELECT {_PROPOSAL} FROM operations_proposal WHERE id = $1", id), at)


async def locked_proposal(tx: Transaction, id: UUID, *, at: datetime) -> Proposal | None:
    found = await tx.rows(f"SELECT {_PROPOSAL} FROM operations_proposal WHERE id = $1 FOR UPDATE", id)
    return await _first(tx, found, at)


async def proposals_page(
    tx: Transaction, *, at: datetime, after: UUID | None, limit: int, pending: bool = False
) -> list[Proposal]:
    """By id, after `after`; only those that can still be decided on, if asked for."""
    only = "AND status = 'pending' AND expires_at > $3" if pending else ""
    found = await tx.rows(
        f"SELECT {_PROPOSAL} FROM operations_proposal WHERE ($1::uuid IS NULL OR id > $1) {only} ORDER BY id LIMIT $2",
        after,
        limit,
        *([at] if pending else []),
    )
    return await _proposals(tx, found, at)


async def insert(tx: Transaction, new: Proposal) -> None:
    """Errors: UniqueViolation."""
    await tx.execute(
        f"INSERT INTO operations_proposal (id, kind, maker, made_at, expires_at, status, {ASKED}) "
        "VALUES ($1, $2, $3, $4, $5, 'pending', $6)",
        new.id,
        new.kind,
        new.maker,
        new.made_at,
        new.expires_at,
        await _sealed(tx, ASKED, new.id, new.made_at, new.payload, new.reason),
    )


async def decide(
    tx: Transaction,
    id: UUID,
    status: ProposalStatus,
    by: str,
    reason: str,
    at: datetime,
    result: Mapping[str, Any] | None,
) -> None:
    await tx.execute(
        f"UPDATE operations_proposal SET status = $2, decided_by = $3, decided_at = $4, {DECIDED} = $5 WHERE id = $1",
        id,
        status.value,
        by,
        at,
        await _sealed(tx, DECIDED, id, at, reason, result),
    )


async def seal_plain(tx: Transaction, limit: int) -> int:
    """Seal proposals that were kept before they were sealed; the answer is how many."""
    found = await tx.rows(
        "SELECT id, payload, reason, made_at, decision_reason, result, decided_at FROM operations_proposal "
        f"WHERE {ASKED} IS NULL ORDER BY id LIMIT $1",
        limit,
    )
    for row in found:
        payload, result = json.loads(row["payload"]), row["result"] and json.loads(row["result"])
        decided = None
        if row["decided_at"] is not None:
            decided = await _sealed(tx, DECIDED, row["id"], row["decided_at"], row["decision_reason"], result)
        await tx.execute(
            f"UPDATE operations_proposal SET {ASKED} = $2, {DECIDED} = $3, payload = NULL, reason = NULL, "
            f"decision_reason = NULL, result = NULL WHERE id = $1 AND {ASKED} IS NULL",
            row["id"],
            await _sealed(tx, ASKED, row["id"], row["made_at"], payload, row["reason"]),
            decided,
        )
    return len(found)


async def _sealed(
    tx: Transaction, column: str, id: UUID, at: datetime, *values: str | Mapping[str, Any] | None
) -> bytes:
    sealer = await month_sealer(tx, PURPOSE_OF_PROPOSALS, at.date())
    return sealer.seal(json.dumps(values, default=dict).encode(), _place(column, id))


async def _opened(tx: Transaction, rows: Sequence[Any], column: str) -> dict[UUID, list[Any]]:
    """What each row has sealed in this column, if anything, and if its month was not shredded."""
    sealed = {row["id"]: row[column] for row in rows if row[column] is not None}
    plain = await month_unsealed(tx, PURPOSE_OF_PROPOSALS, [(each, _place(column, id)) for id, each in sealed.items()])
    return {id: json.loads(each) for id, each in zip(sealed, plain, strict=True) if each is not None}


def _place(column: str, id: UUID) -> bytes:
    return f"operations_proposal {column} {id}".encode()


async def _first(tx: Transaction, rows: Sequence[Any], at: datetime) -> Proposal | None:
    return next(iter(await _proposals(tx, rows, at)), None)


async def _proposals(tx: Transaction, rows: Sequence[Any], at: datetime) -> list[Proposal]:
    asked, decided = await _opened(tx, rows, ASKED), await _opened(tx, rows, DECIDED)
    return [_proposal(row, asked.get(row["id"], ({}, "")), decided.get(row["id"], (None, None)), at) for row in rows]


def _proposal(row: Any, asked: Sequence[Any], decided: Sequence[Any], at: datetime) -> Proposal:
    status = ProposalStatus(row["status"])
    if status is ProposalStatus.PENDING and row["expires_at"] <= at:
        status = ProposalStatus.EXPIRED
    (payload, reason), (decision_reason, result) = asked, decided
    return Proposal(
        row["id"],
        row["kind"],
        payload,
        row["maker"],
        reason,
        row["made_at"],
        row["expires_at"],
        status,
        row["decided_by"],
        row["decided_at"],
        decision_reason,
        result,
    )
