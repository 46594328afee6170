"""Endpoints, cursors and deliveries in the database, the only SQL of this room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from eastflow.storage import Transaction

from .model import Claimed, Delivery, DeliveryStatus, Endpoint, Event, Waiting

STATUSES = (DeliveryStatus.PENDING, DeliveryStatus.DELIVERED, DeliveryStatus.FAILED)
STATUS_NUMBERS = {status: number for number, status in enumerate(STATUSES)}
_ENDPOINT = "id, url, secret, old_secret, old_secret_until, kinds, accounts, last_position, created_at, disabled_at"
_DELIVERY = "endpoint_id, position, event_id, event_type, accounts, status, attempts, next_attempt_at, last_status"


async def insert_endpoint(tx: Transaction, endpoint: Endpoint, secret: str) -> None:
    await tx.execute(
        "INSERT INTO webhooks_endpoint (id, url, secret, kinds, accounts, last_position, created_at) "
        "VALUES ($1, $2, $3, $4, $5, 0, $6)",
        endpoint.id,
        endpoint.url,
        secret,
        None if endpoint.kinds is None else sorted(endpoint.kinds),
        None if endpoint.accounts is None else sorted(endpoint.accounts),
        endpoint.created_at,
    )


def endpoint(row: Any) -> Endpoint:
    return Endpoint(
        row["id"],
        row["url"],
        None if row["kinds"] is None else frozenset(row["kinds"]),
        None if row["accounts"] is None else frozenset(row["accounts"]),
        row["created_at"],
        row["disabled_at"],
    )


async def endpoint_row(tx: Transaction, id: UUID) -> Any:
    return await tx.row(f"SELECT {_ENDPOINT} FROM webhooks_endpoint WHERE id = $1 AND deleted_at IS NULL", id)


async def locked_endpoint_row(tx: Transaction, id: UUID) -> Any:
    """Held until the transaction ends, so that one writer at a time reads on for this endpoint."""
    return await tx.row(
        f"SELECT {_ENDPOINT} FROM webhooks_endpoint WHERE id = $1 AND deleted_at IS NULL FOR UPDATE", id
    )


async def free_endpoint_row(tx: Transaction, id: UUID) -> Any:
    """The same, but None if it is disabled or another dispatcher is at it: that one does the work."""
    return await tx.row(
        f"SELECT {_ENDPOINT} FROM webhooks_endpoint WHERE id = $1 AND disabled_at IS NULL FOR UPDATE SKIP LOCKED", id
    )


async def endpoint_rows(tx: Transaction, *, after: UUID | None, limit: int) -> list[Any]:
    return await tx.rows(
        f"SELECT {_ENDPOINT} FROM webhooks_endpoint WHERE deleted_at IS NULL AND ($1::uuid IS NULL OR id > $1) "
        "ORDER BY id LIMIT $2",
        after,
        limit,
    )


async def active_endpoints(tx: Transaction) -> list[UUID]:
    found = await tx.rows("SELECT id FROM webhooks_endpoint WHERE disabled_at IS NULL ORDER BY id")
    return [row["id"] for row in found]


async def change_secret(tx: Transaction, id: UUID, secret: str, old: str, old_until: datetime) -> None:
    await tx.execute(
        "UPDATE webhooks_endpoint SET secret = $2, old_secret = $3, old_secret_until = $4 WHERE id = $1",
        id,
        secret,
        old,
        old_until,
    )


async def disable(tx: Transaction, id: UUID, at: datetime) -> int:
    """One disabled before keeps its first time."""
    return await tx.execute(
        "UPDATE webhooks_endpoint SET disabled_at = coalesce(disabled_at, $2) WHERE id = $1 AND deleted_at IS NULL",
        id,
        at,
    )


async def enable(tx: Transaction, id: UUID, at: datetime, put_off_after: datetime) -> None:
    """The endpoint is locked. What is put off beyond `put_off_after`, and so is not being sent now, is due at once."""
    await tx.execute("UPDATE webhooks_endpoint SET disabled_at = NULL WHERE id = $1", id)
    await tx.execute(
        "UPDATE webhooks_delivery SET next_attempt_at = $2 "
        "WHERE endpoint_id = $1 AND status = 0 AND next_attempt_at > $3",
        id,
        at,
        put_off_after,
    )


async def delete(tx: Transaction, id: UUID, at: datetime) -> None:
    """Out of sight and without a secret; `prune_deleted` takes the rest away."""
    await tx.execute(
        "UPDATE webhooks_endpoint SET deleted_at = $2, disabled_at = coalesce(disabled_at, $2), secret = '', "
        "old_secret = NULL, old_secret_until = NULL WHERE id = $1",
        id,
        at,
    )


async def numbers(tx: Transaction, endpoint: UUID) -> dict[int, int]:
    found = await tx.rows("SELECT chain_id, number FROM webhooks_cursor WHERE endpoint_id = $1", endpoint)
    return {row["chain_id"]: row["number"] for row in found}


async def write_numbers(tx: Transaction, endpoint: UUID, numbers: Mapping[int, int]) -> None:
    await tx.execute_many(
        "INSERT INTO webhooks_cursor (endpoint_id, chain_id, number) VALUES ($1, $2, $3) "
        "ON CONFLICT (endpoint_id, chain_id) DO UPDATE SET number = excluded.number",
        [(endpoint, chain, number) for chain, number in sorted(numbers.items())],
    )


async def insert_deliveries(
    tx: Transaction, endpoint: UUID, after: int, events: Sequence[tuple[Event, frozenset[int]]], at: datetime
) -> None:
    """The endpoint is locked, and `after` is the last position it gave."""
    columns = (
        "endpoint_id", "position", "event_id", "event_type", "accounts", "payload", "status", "attempts",
        "next_attempt_at",
    )  # fmt: skip
    records = [
        (endpoint, position, event.id, event.type, sorted(accounts), event.payload, 0, 0, at)
        for position, (event, accounts) in enumerate(events, start=after + 1)
    ]
    await tx.records_in("webhooks_delivery", columns, records)
    await tx.execute("UPDATE webhooks_endpoint SET last_position = $2 WHERE id = $1", endpoint, after + len(events))


async def pending(tx: Transaction, endpoint: UUID, *, after: int, limit: int) -> list[Waiting]:
    found = await tx.rows(
        "SELECT position, accounts, next_attempt_at FROM webhooks_delivery "
        "WHERE endpoint_id = $1 AND status = 0 AND position > $2 ORDER BY position LIMIT $3",
        endpoint,
        after,
        limit,
    )
    return [Waiting(row["position"], frozenset(row["accounts"]), row["next_attempt_at"]) for row in found]


async def has_pending(tx: Transaction, endpoint: UUID, count: int) -> bool:
    """Whether at least so many wait."""
    query = (
        "SELECT true FROM webhooks_delivery WHERE endpoint_id = $1 AND status = 0 ORDER BY position LIMIT 1 OFFSET $2"
    )
    return bool(await tx.value(query, endpoint, count - 1))


async def claim(tx: Transaction, endpoint: UUID, positions: Sequence[int], until: datetime) -> list[Claimed]:
    """The endpoint is locked; the attempt counts from here, whether or not its end is ever written."""
    found = await tx.rows(
        "UPDATE webhooks_delivery SET attempts = attempts + 1, next_attempt_at = $3 "
        "WHERE endpoint_id = $1 AND position = ANY($2::bigint[]) AND status = 0 "
        "RETURNING position, event_id, payload, attempts",
        endpoint,
        positions,
        until,
    )
    assert len(found) == len(positions), "what was chosen under the lock is still pending"
    return [Claimed(row["position"], row["event_id"], row["payload"], row["attempts"]) for row in found]


async def finish(
    tx: Transaction,
    endpoint: UUID,
    sent: Claimed,
    status: DeliveryStatus,
    next_attempt_at: datetime,
    last_status: int | None,
) -> None:
    """Changes nothing if the attempt was taken for lost and another has begun."""
    await tx.execute(
        "UPDATE webhooks_delivery SET status = $4, next_attempt_at = $5, last_status = $6 "
        "WHERE endpoint_id = $1 AND position = $2 AND attempts = $3 AND status = 0",
        endpoint,
        sent.position,
        sent.attempts,
        STATUS_NUMBERS[status],
        next_attempt_at,
        last_status,
    )


async def deliveries(
    tx: Transaction, endpoint: UUID, *, after: int, limit: int, status: DeliveryStatus | None
) -> list[Delivery]:
    found = await tx.rows(
        f"SELECT {_DELIVERY} FROM webhooks_delivery WHERE endpoint_id = $1 AND position > $2 "
        "AND ($3::smallint IS NULL OR status = $3) ORDER BY position LIMIT $4",
        endpoint,
        after,
        None if status is None else STATUS_NUMBERS[status],
        limit,
    )
    return [
        Delivery(
            row["endpoint_id"],
            row["position"],
            row["event_id"],
            row["event_type"],
            frozenset(row["accounts"]),
            STATUSES[row["status"]],
            row["attempts"],
            row["next_attempt_at"],
            row["last_status"],
        )
        for row in found
    ]


async def endpoints_to_prune(tx: Transaction) -> list[tuple[UUID, bool]]:
    """Every endpoint, the disabled ones too, and whether it was deleted."""
    found = await tx.rows("SELECT id, deleted_at IS NOT NULL AS deleted FROM webhooks_endpoint ORDER BY id")
    return [(row["id"], row["deleted"]) for row in found]


async def prune_delivered(tx: Transaction, endpoint: UUID, before: datetime, limit: int) -> int:
    """Remove what was delivered before a moment, the oldest first; the number removed."""
    found = await tx.rows(
        "SELECT position FROM webhooks_delivery WHERE endpoint_id = $1 AND status = 1 AND next_attempt_at < $2 "
        "ORDER BY next_attempt_at LIMIT $3",
        endpoint,
        before,
        limit,
    )
    return await _remove_deliveries(tx, endpoint, [row["position"] for row in found])


async def prune_deleted(tx: Transaction, endpoint: UUID, limit: int) -> int:
    """Remove deliveries of a deleted endpoint, and with the last of them the endpoint; the number of deliveries.
    Does nothing while another transaction is at work for the endpoint."""
    if not await tx.value("SELECT true FROM webhooks_endpoint WHERE id = $1 FOR UPDATE SKIP LOCKED", endpoint):
        return 0
    found = await tx.rows(
        "SELECT position FROM webhooks_delivery WHERE endpoint_id = $1 ORDER BY position LIMIT $2", endpoint, limit
    )
    if len(found) < limit:
        await tx.execute("DELETE FROM webhooks_cursor WHERE endpoint_id = $1", endpoint)
        await tx.execute("DELETE FROM webhooks_endpoint WHERE id = $1", endpoint)
    return await _remove_deliveries(tx, endpoint, [row["position"] for row in found])


async def _remove_deliveries(tx: Transaction, endpoint: UUID, positions: Sequence[int]) -> int:
    if not positions:
        return 0
    return await tx.execute(
        "DELETE FROM webhooks_delivery WHERE endpoint_id = $1 AND position = ANY($2::bigint[])", endpoint, positions
    )
