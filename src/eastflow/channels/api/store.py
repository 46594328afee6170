"""Keys in the database, the only SQL of this room."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from eastflow.storage import Transaction

_KEY = "id, name, scopes, roles, actor, created_at, revoked_at, secret_hash"


async def insert_key(
    tx: Transaction,
    id: UUID,
    name: str,
    secret_hash: bytes,
    *,
    scopes: Sequence[str],
    roles: Sequence[str],
    actor: str | None,
    created_at: datetime,
) -> None:
    await tx.execute(
        "INSERT INTO api_key (id, name, secret_hash, scopes, roles, actor, created_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)",
        id,
        name,
        secret_hash,
        list(scopes),
        list(roles),
        actor,
        created_at,
    )


async def key(tx: Transaction, id: UUID) -> Any:
    return await tx.row(f"SELECT {_KEY} FROM api_key WHERE id = $1", id)


async def keys(tx: Transaction, *, after: UUID | None, limit: int) -> list[Any]:
    return await tx.rows(
        f"SELECT {_KEY} FROM api_key WHERE ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2", after, limit
    )


async def revoke(tx: Transaction, id: UUID, at: datetime) -> int:
    """A key revoked before keeps its first time."""
    return await tx.execute("UPDATE api_key SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1", id, at)


async def is_alive(tx: Transaction) -> bool:
    return bool(await tx.value("SELECT true"))
