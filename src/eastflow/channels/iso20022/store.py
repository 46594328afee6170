"""The SQL of this room."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from eastflow.storage import Transaction

from .model import DeliveryStatus, Direction, Message

DIRECTIONS = (Direction.RECEIVED, Direction.SENT)
DIRECTION_NUMBERS = {direction: number for number, direction in enumerate(DIRECTIONS)}
STATUSES = (DeliveryStatus.PENDING, DeliveryStatus.DONE, DeliveryStatus.FAILED)
STATUS_NUMBERS = {status: number for number, status in enumerate(STATUSES)}
_MESSAGE = "id, direction, counterparty, kind, message_id, content, at, status, answers, attempts, last_status"


async def insert(tx: Transaction, message: Message) -> None:
    """Errors: UniqueViolation where the counterparty has used the id before."""
    await tx.execute(
        "INSERT INTO iso20022_message (counterparty, direction, message_id, id, kind, content, content_hash, answers, "
        "at, status, attempts, next_attempt_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $9)",
        message.counterparty,
        DIRECTION_NUMBERS[message.direction],
        message.message_id,
        message.id,
        message.kind,
        message.content,
        content_hash(message.content),
        message.answers,
        message.at,
        STATUS_NUMBERS[message.status],
    )


async def received(tx: Transaction, counterparty: str, message_id: str) -> tuple[Message, bytes] | None:
    """What this sender sent under this id before, and its hash."""
    row = await tx.row(
        f"SELECT {_MESSAGE}, content_hash FROM iso20022_message "
        "WHERE counterparty = $1 AND direction = 0 AND message_id = $2",
        counterparty,
        message_id,
    )
    return None if row is None else (_message(row), row["content_hash"])


async def sent(tx: Transaction, counterparty: str, message_id: str) -> Message | None:
    row = await tx.row(
        f"SELECT {_MESSAGE} FROM iso20022_message WHERE counterparty = $1 AND direction = 1 AND message_id = $2",
        counterparty,
        message_id,
    )
    return None if row is None else _message(row)


async def answer_to(tx: Transaction, message: Message) -> Message | None:
    row = await tx.row(
        f"SELECT {_MESSAGE} FROM iso20022_message WHERE counterparty = $1 AND answers = $2",
        message.counterparty,
        message.id,
    )
    return None if row is None else _message(row)


async def message(tx: Transaction, id: UUID) -> Message | None:
    row = await tx.row(f"SELECT {_MESSAGE} FROM iso20022_message WHERE id = $1", id)
    return None if row is None else _message(row)


async def messages(
    tx: Transaction, *, after: UUID | None = None, limit: int = 100, direction: Direction | None = None
) -> list[Message]:
    """In the order they were kept, a page at a time."""
    found = await tx.rows(
        f"SELECT {_MESSAGE} FROM iso20022_message WHERE ($1::uuid IS NULL OR id > $1) "
        "AND ($2::smallint IS NULL OR direction = $2) ORDER BY id LIMIT $3",
        after,
        None if direction is None else DIRECTION_NUMBERS[direction],
        limit,
    )
    return [_message(row) for row in found]


async def claim(tx: Transaction, counterparty: str, at: datetime, until: datetime, limit: int) -> list[Message]:
    """The first of what is due, in order; the attempt counts from here, whether or not its end is ever written."""
    due = await tx.rows(
        "SELECT message_id FROM iso20022_message WHERE counterparty = $1 AND status = 0 AND next_attempt_at <= $2 "
        "ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED",
        counterparty,
        at,
        limit,
    )
    found = await tx.rows(
        "UPDATE iso20022_message SET attempts = attempts + 1, next_attempt_at = $3 "
        f"WHERE counterparty = $1 AND direction = 1 AND message_id = ANY($2::text[]) RETURNING {_MESSAGE}",
        counterparty,
        [row["message_id"] for row in due],
        until,
    )
    return sorted((_message(row) for row in found), key=lambda message: message.id)


async def finish(
    tx: Transaction, sent: Message, status: DeliveryStatus, next_attempt_at: datetime, last_status: int | None
) -> bool:
    """False, and nothing is changed, if the attempt was taken for lost and another has begun."""
    changed = await tx.execute(
        "UPDATE iso20022_message SET status = $4, next_attempt_at = $5, last_status = $6 "
        "WHERE counterparty = $1 AND direction = 1 AND message_id = $2 AND attempts = $3 AND status = 0",
        sent.counterparty,
        sent.message_id,
        sent.attempts,
        STATUS_NUMBERS[status],
        next_attempt_at,
        last_status,
    )
    return changed == 1


async def send_again(tx: Transaction, id: UUID, at: datetime) -> None:
    """Due at once and counted anew, if it had failed."""
    await tx.execute(
        "UPDATE iso20022_message SET status = 0, attempts = 0, next_attempt_at = $2 WHERE id = $1 AND status = 2",
        id,
        at,
    )


def content_hash(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _message(row: Any) -> Message:
    return Message(
        row["id"],
        DIRECTIONS[row["direction"]],
        row["counterparty"],
        row["kind"],
        row["message_id"],
        row["content"],
        row["at"],
        STATUSES[row["status"]],
        row["answers"],
        row["attempts"],
        row["last_status"],
    )
