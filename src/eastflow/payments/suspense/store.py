"""What stands on suspense in its table: a row comes and goes with the money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from eastflow.storage import Transaction

from ..decide import further_id
from ..model import OutgoingKind
from .model import SuspenseItem, SuspenseKind

_ITEM = "id, kind, amount_minor, asset, since"


async def suspense_page(tx: Transaction, *, after: UUID | None = None, limit: int) -> list[SuspenseItem]:
    """By id, after `after`: together they are the balance of `liabilities:suspense`."""
    found = await tx.rows(
        f"SELECT {_ITEM} FROM payments_suspense WHERE ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2", after, limit
    )
    return await _items(tx, found)


async def suspense_item(tx: Transaction, id: UUID) -> SuspenseItem | None:
    found = await tx.rows(f"SELECT {_ITEM} FROM payments_suspense WHERE id = $1", id)
    return next(iter(await _items(tx, found)), None)


async def put_on_suspense(tx: Transaction, new: SuspenseItem) -> None:
    """Errors: UniqueViolation when it stands there already."""
    await tx.execute(
        f"INSERT INTO payments_suspense ({_ITEM}) VALUES ($1, $2, $3, $4, $5)",
        new.id,
        new.kind.value,
        new.amount_minor,
        new.asset,
        new.since,
    )


async def take_off_suspense(tx: Transaction, id: UUID, amount_minor: int) -> bool:
    """All of it, or a part. False when so much does not stand there any more."""
    reduced = await tx.execute(
        "UPDATE payments_suspense SET amount_minor = amount_minor - $2 WHERE id = $1 AND amount_minor > $2",
        id,
        amount_minor,
    )
    return bool(
        reduced
        or await tx.execute("DELETE FROM payments_suspense WHERE id = $1 AND amount_minor = $2", id, amount_minor)
    )


async def _items(tx: Transaction, found: Sequence[Any]) -> list[SuspenseItem]:
    items = [
        SuspenseItem(row["id"], SuspenseKind(row["kind"]), row["amount_minor"], row["asset"], row["since"])
        for row in found
    ]
    returns = {further_id(item.id, OutgoingKind.RETURN.value): item.id for item in items}
    held = await tx.rows(
        "SELECT id, held_for FROM payments_outgoing WHERE id = ANY($1::uuid[]) AND held_for IS NOT NULL", list(returns)
    )
    held_for = {returns[row["id"]]: row["held_for"] for row in held}
    return [replace(item, held_for=held_for.get(item.id)) for item in items]
