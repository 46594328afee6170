"""Mandates and collections in their tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from eastflow.storage import Transaction

from ..orders.decide import slot_of
from ..orders.model import Frequency
from .model import Collection, CollectionStatus, Mandate, MandateStatus

_MANDATE = (
    "id, status, debtor, creditor, creditor_name, reference, amount_max, asset, first_on, frequency, until, refund_days"
)
_COLLECTION = "mandate_id, id, status, amount_minor, due_on, remittance, reason, done_on"


async def mandate(tx: Transaction, id: UUID) -> Mandate | None:
    return (await mandates(tx, [id])).get(id)


async def mandates(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, Mandate]:
    found = await tx.rows(f"SELECT {_MANDATE} FROM payments_mandate WHERE id = ANY($1::uuid[])", list(ids))
    return {row["id"]: _mandate(row) for row in found}


async def mandates_page(
    tx: Transaction, *, debtor: int | None = None, after: UUID | None = None, limit: int
) -> list[Mandate]:
    """By id, after `after`."""
    found = await tx.rows(
        f"SELECT {_MANDATE} FROM payments_mandate WHERE ($2::uuid IS NULL OR id > $2) "
        "AND ($3::bigint IS NULL OR debtor = $3) ORDER BY id LIMIT $1",
        limit,
        after,
        debtor,
    )
    return [_mandate(row) for row in found]


async def collections(tx: Transaction, mandate: UUID) -> list[Collection]:
    """All under a mandate, by the day they were due."""
    found = await tx.rows(
        f"SELECT {_COLLECTION} FROM payments_collection WHERE mandate_id = $1 ORDER BY due_on, id", mandate
    )
    return [_collection(row) for row in found]


async def collection(tx: Transaction, mandate: UUID, id: UUID) -> Collection | None:
    row = await tx.row(f"SELECT {_COLLECTION} FROM payments_collection WHERE mandate_id = $1 AND id = $2", mandate, id)
    return None if row is None else _collection(row)


async def due(tx: Transaction, slots: Sequence[int], on: date, limit: int) -> list[Collection]:
    """What waits and is due on this day or was before, the longest waiting first."""
    found = await tx.rows(
        f"SELECT {_COLLECTION} FROM payments_collection WHERE slot = ANY($1::bigint[]) AND status = 'requested' "
        "AND due_on <= $2 ORDER BY due_on, id LIMIT $3",
        list(slots),
        on,
        limit,
    )
    return [_collection(row) for row in found]


async def insert_mandate(tx: Transaction, new: Mandate, by: str, at: datetime) -> None:
    """Errors: UniqueViolation when the id is taken."""
    await tx.execute(
        f"INSERT INTO payments_mandate ({_MANDATE}, slot, made_by, made_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        new.id,
        new.status.value,
        new.debtor,
        new.creditor,
        new.creditor_name,
        new.reference,
        new.amount_max_minor,
        new.asset,
        new.first_on,
        new.frequency.value,
        new.until,
        new.refund_days,
        slot_of(new.id),
        by,
        at,
    )


async def cancel_mandate(tx: Transaction, id: UUID) -> None:
    await tx.execute("UPDATE payments_mandate SET status = 'cancelled' WHERE id = $1", id)


async def insert_collection(tx: Transaction, new: Collection, period: int, by: str) -> None:
    """Errors: UniqueViolation when the id is taken, or the period has another collection."""
    await tx.execute(
        f"INSERT INTO payments_collection ({_COLLECTION}, slot, period, made_by) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        new.mandate,
        new.id,
        new.status.value,
        new.amount_minor,
        new.due_on,
        new.remittance,
        new.reason,
        new.done_on,
        slot_of(new.mandate),
        period,
        by,
    )


async def change_collection(tx: Transaction, before: Collection, after: Collection) -> bool:
    """False when it is no longer as it was `before`."""
    touched = await tx.execute(
        "UPDATE payments_collection SET status = $3, reason = $4, done_on = $5 "
        "WHERE mandate_id = $1 AND id = $2 AND status = $6",
        after.mandate,
        after.id,
        after.status.value,
        after.reason,
        after.done_on,
        before.status.value,
    )
    return touched == 1


def _mandate(row: Any) -> Mandate:
    return Mandate(
        id=row["id"],
        debtor=row["debtor"],
        creditor=row["creditor"],
        creditor_name=row["creditor_name"],
        amount_max_minor=row["amount_max"],
        asset=row["asset"],
        first_on=row["first_on"],
        frequency=Frequency(row["frequency"]),
        until=row["until"],
        refund_days=row["refund_days"],
        reference=row["reference"],
        status=MandateStatus(row["status"]),
    )


def _collection(row: Any) -> Collection:
    return Collection(
        id=row["id"],
        mandate=row["mandate_id"],
        amount_minor=row["amount_minor"],
        due_on=row["due_on"],
        remittance=row["remittance"],
        status=CollectionStatus(row["status"]),
        reason=row["reason"],
        done_on=row["done_on"],
    )
