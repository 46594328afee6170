"""Proposals and what was decided on them, in their table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from eastflow.storage import Transaction

from .model import Proposal, ProposalStatus

_PROPOSAL = (
    "id, kind, payload, maker, reason, made_at, expires_at, status, decided_by, decided_at, decision_reason, result"
)


async def proposal(tx: Transaction, id: UUID, *, at: datetime) -> Proposal | None:
    """As it stands at this moment."""
    return _found(await tx.row(f"SELECT {_PROPOSAL} FROM operations_proposal WHERE id = $1", id), at)


async def locked_proposal(tx: Transaction, id: UUID, *, at: datetime) -> Proposal | None:
    return _found(await tx.row(f"SELECT {_PROPOSAL} FROM operations_proposal WHERE id = $1 FOR UPDATE", id), at)


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
    return [proposal for row in found if (proposal := _found(row, at)) is not None]


async def insert(tx: Transaction, new: Proposal) -> None:
    """Errors: UniqueViolation."""
    await tx.execute(
        "INSERT INTO operations_proposal (id, kind, payload, maker, reason, made_at, expires_at, status) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending')",
        new.id,
        new.kind,
        json.dumps(dict(new.payload)),
        new.maker,
        new.reason,
        new.made_at,
        new.expires_at,
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
        "UPDATE operations_proposal SET status = $2, decided_by = $3, decision_reason = $4, decided_at = $5, "
        "result = $6 WHERE id = $1",
        id,
        status.value,
        by,
        reason,
        at,
        None if result is None else json.dumps(dict(result)),
    )


def _found(row: Any, at: datetime) -> Proposal | None:
    if row is None:
        return None
    status = ProposalStatus(row["status"])
    if status is ProposalStatus.PENDING and row["expires_at"] <= at:
        status = ProposalStatus.EXPIRED
    return Proposal(
        row["id"],
        row["kind"],
        json.loads(row["payload"]),
        row["maker"],
        row["reason"],
        row["made_at"],
        row["expires_at"],
        status,
        row["decided_by"],
        row["decided_at"],
        row["decision_reason"],
        row["result"] and json.loads(row["result"]),
    )
