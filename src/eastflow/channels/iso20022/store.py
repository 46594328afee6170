"""Messages in their table: their contents sealed under the keys of payments, so that both are shredded together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from eastflow.payments import PURPOSE_OF_PAYMENTS
from eastflow.storage import Transaction, month_sealer, month_unsealed

from .model import DeliveryStatus, Direction, Message

DIRECTIONS = (Direction.RECEIVED, Direction.SENT)
DIRECTION_NUMBERS = {direction: number for number, direction in enumerate(DIRECTIONS)}
STATUSES = (DeliveryStatus.PENDING, DeliveryStatus.DONE, DeliveryStatus.FAILED)
STATUS_NUMBERS = {status: number for number, status in enumerate(STATUSES)}
_MESSAGE = "id, direction, counterparty, kind, message_id, content, sealed, at, status, answers, attempts, last_status"


async def insert(tx: Transaction, message: Message) -> None:
    """Errors: UniqueViolation where the counterparty has used the id before."""
    await tx.execute(
        "INSERT INTO iso20022_message (counterparty, direction, message_id, id, kind, sealed, content_hash, answers, "
        "at, status, attempts, next_attempt_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $9)",
        message.counterparty,
        DIRECTION_NUMBERS[message.direction],
        message.message_id,
        message.id,
        message.kind,
        await _sealed(tx, message.id, message.at, message.content),
        keyed_hash(tx, message.content),
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
    return None if row is None else ((await _messages(tx, [row]))[0], row["content_hash"])


async def sent(tx: Transaction, counterparty: str, message_id: str) -> Message | None:
    row = await tx.row(
        f"SELECT {_MESSAGE} FROM iso20022_message WHERE counterparty = $1 AND direction = 1 AND message_id = $2",
        counterparty,
        message_id,
    )
    return None if row is None else (await _messages(tx, [row]))[0]


async def answer_to(tx: Transaction, message: Message) -> Message | None:
    row = await tx.row(
        f"SELECT {_MESSAGE} FROM iso20022_message WHERE counterparty = $1 AND answers = $2",
        message.counterparty,
        message.id,
    )
    return None if row is None else (await _messages(tx, [row]))[0]


async def message(tx: Transaction, id: UUID) -> Message | None:
    row = await tx.row(f"SELECT {_MESSAGE} FROM iso20022_message WHERE id = $1", id)
    return None if row is None else (await _messages(tx, [row]))[0]


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
    return await _messages(tx, found)


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
    return sorted(await _messages(tx, found), key=lambda message: message.id)


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


async def seal_plain(tx: Transaction, limit: int) -> int:
    """Seal messages that were kept before contents were sealed; the answer is how many."""
    found = await tx.rows(
        "SELECT id, counterparty, direction, message_id, at, content FROM iso20022_message WHERE sealed IS NULL "
        "ORDER BY id LIMIT $1",
        limit,
    )
    for row in found:
        await tx.execute(
            "UPDATE iso20022_message SET sealed = $4, content_hash = $5, content = NULL "
            "WHERE counterparty = $1 AND direction = $2 AND message_id = $3 AND sealed IS NULL",
            row["counterparty"],
            row["direction"],
            row["message_id"],
            await _sealed(tx, row["id"], row["at"], row["content"]),
            keyed_hash(tx, row["content"]),
        )
    return len(found)


def plain_hash(content: bytes) -> bytes:
    """Of a message that is not sealed yet."""
    return hashlib.sha256(content).digest()


def keyed_hash(tx: Transaction, content: bytes) -> bytes:
    return tx.keys.digest("message", plain_hash(content).hex())


async def _sealed(tx: Transaction, id: UUID, at: datetime, content: bytes) -> bytes:
    return (await month_sealer(tx, PURPOSE_OF_PAYMENTS, at.date())).seal(content, _place(id))


async def _messages(tx: Transaction, found: Sequence[Any]) -> list[Message]:
    """One that was shredded has no content."""
    sealed = [(row["sealed"], _place(row["id"])) for row in found if row["sealed"] is not None]
    opened = iter(await month_unsealed(tx, PURPOSE_OF_PAYMENTS, sealed))
    return [_message(row, row["content"] if row["sealed"] is None else next(opened) or b"") for row in found]


def _place(id: UUID) -> bytes:
    return f"iso20022_message content {id}".encode()


def _message(row: Any, content: bytes) -> Message:
    return Message(
        row["id"],
        DIRECTIONS[row["direction"]],
        row["counterparty"],
        row["kind"],
        row["message_id"],
        content,
        row["at"],
        STATUSES[row["status"]],
        row["answers"],
        row["attempts"],
        row["last_status"],
    )
