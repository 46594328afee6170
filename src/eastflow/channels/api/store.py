"""Keys in the database, the only SQL of this room."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from eastflow.storage import Transaction

if TYPE_CHECKING:
    from .keys import ApiKey, By, Scope

_KEY = (
    "id, name, scopes, roles, actor, created_at, made_by, made_with, approved_by, revoked_at, revoked_by, "
    "revoked_with, expires_on, last_used_on, secret_hash, old_secret_hash, old_secret_until"
)


async def insert_key(tx: Transaction, key: ApiKey, *, own_scopes: Collection[Scope], secret_hash: bytes) -> None:
    """`own_scopes` without those of its roles, which the program knows. Errors: UniqueViolation."""
    await tx.execute(
        "INSERT INTO api_key (id, name, secret_hash, scopes, roles, actor, created_at, made_by, made_with, "
        "approved_by, expires_on) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        key.id,
        key.name,
        secret_hash,
        sorted({scope.value for scope in own_scopes}),
        sorted(role.value for role in key.roles),
        key.held_by,
        key.created_at,
        key.made_by and key.made_by.actor,
        key.made_by and key.made_by.key,
        key.approved_by,
        key.expires_on,
    )


async def key(tx: Transaction, id: UUID) -> Any:
    return await tx.row(f"SELECT {_KEY} FROM api_key WHERE id = $1", id)


async def locked_key(tx: Transaction, id: UUID) -> Any:
    return await tx.row(f"SELECT {_KEY} FROM api_key WHERE id = $1 FOR UPDATE", id)


async def keys(tx: Transaction, *, after: UUID | None, limit: int) -> list[Any]:
    return await tx.rows(
        f"SELECT {_KEY} FROM api_key WHERE ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2", after, limit
    )


async def holders_of(tx: Transaction, role: str, today: date) -> int:
    """How many actors have a key with this role that opens today."""
    return int(
        await tx.value(
            "SELECT count(DISTINCT coalesce(actor, name)) FROM api_key WHERE $1 = ANY(roles) AND revoked_at IS NULL "
            "AND (expires_on IS NULL OR expires_on >= $2)",
            role,
            today,
        )
    )


async def rotate(tx: Transaction, id: UUID, secret_hash: bytes, old_hash: bytes, old_until: datetime) -> None:
    await tx.execute(
        "UPDATE api_key SET secret_hash = $2, old_secret_hash = $3, old_secret_until = $4 WHERE id = $1",
        id,
        secret_hash,
        old_hash,
        old_until,
    )


async def use(tx: Transaction, id: UUID, today: date) -> None:
    await tx.execute(
        "UPDATE api_key SET last_used_on = $2 WHERE id = $1 AND (last_used_on IS NULL OR last_used_on < $2)", id, today
    )


async def revoke(tx: Transaction, id: UUID, by: By, at: datetime) -> int:
    """A key revoked before keeps its first time, and by whom."""
    return await tx.execute(
        "UPDATE api_key SET revoked_at = coalesce(revoked_at, $2), "
        "revoked_by = CASE WHEN revoked_at IS NULL THEN $3 ELSE revoked_by END, "
        "revoked_with = CASE WHEN revoked_at IS NULL THEN $4 ELSE revoked_with END WHERE id = $1",
        id,
        at,
        by.actor,
        by.key,
    )


async def is_alive(tx: Transaction) -> bool:
    return bool(await tx.value("SELECT true"))
