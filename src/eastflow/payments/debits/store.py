"""Mandates and collections in their tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from eastflow.storage import Transaction

from ..orders.decide import slot_of
from ..orders.model import Frequency
from ..personal_data.store import COLLECTION, MANDATE, Text, open_texts, seal_texts
from .model import Collection, CollectionStatus, Mandate, MandateStatus, Outside

_MANDATE = (
    "id, status, debtor, creditor, amount_max, asset, first_on, frequency, until, refund_days, outside_bank, "
    "signed_on, sealed"
)
_COLLECTION = "mandate_id, id, status, amount_minor, due_on, reason, done_on, sealed"


async def mandate(tx: Transaction, id: UUID) -> Mandate | None:
    return (await mandates(tx, [id])).get(id)


async def mandates(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, Mandate]:
    found = await tx.rows(f"SELECT {_MANDATE} FROM payments_mandate WHERE id = ANY($1::uuid[])", list(ids))
    return {mandate.id: mandate for mandate in await _mandates(tx, found)}


async def mandate_of(tx: Transaction, creditor_id: str, reference: str) -> Mandate | None:
    """The mandate that other banks name so."""
    id = await tx.value(
        "SELECT mandate_id FROM payments_mandate_name WHERE keyed_name = $1", _keyed(tx, creditor_id, reference)
    )
    return None if id is None else await mandate(tx, id)


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
    return await _mandates(tx, found)


async def collections(tx: Transaction, mandate: UUID) -> list[Collection]:
    """All under a mandate, by the day they were due."""
    found = await tx.rows(
        f"SELECT {_COLLECTION} FROM payments_collection WHERE mandate_id = $1 ORDER BY due_on, id", mandate
    )
    return await _collections(tx, found)


async def collection(tx: Transaction, mandate: UUID, id: UUID) -> Collection | None:
    row = await tx.row(f"SELECT {_COLLECTION} FROM payments_collection WHERE mandate_id = $1 AND id = $2", mandate, id)
    return None if row is None else (await _collections(tx, [row]))[0]


async def collection_of(tx: Transaction, payment: UUID) -> Collection | None:
    """The collection of a debtor elsewhere whose payment this is."""
    row = await tx.row(f"SELECT {_COLLECTION} FROM payments_collection WHERE payment_id = $1", payment)
    return None if row is None else (await _collections(tx, [row]))[0]


async def due(tx: Transaction, slots: Sequence[int], on: date, limit: int) -> list[Collection]:
    """What waits and is due on this day or was before, the longest waiting first."""
    found = await tx.rows(
        f"SELECT {_COLLECTION} FROM payments_collection WHERE slot = ANY($1::bigint[]) AND status = 'requested' "
        "AND due_on <= $2 ORDER BY due_on, id LIMIT $3",
        list(slots),
        on,
        limit,
    )
    return await _collections(tx, found)


async def insert_mandate(tx: Transaction, new: Mandate, by: str, at: datetime) -> None:
    """Errors: UniqueViolation when the id is taken, or its name between banks."""
    outside = new.outside
    texts: tuple[Text, ...] = new.creditor_name, new.reference
    if outside is not None:
        texts = *texts, outside.account, outside.creditor_id, outside.debtor_name
    [sealed] = await seal_texts(tx, MANDATE, at.date(), [((new.id,), texts)])
    if outside is not None:
        await tx.execute(
            "INSERT INTO payments_mandate_name (keyed_name, mandate_id) VALUES ($1, $2)",
            _keyed(tx, outside.creditor_id, new.reference),
            new.id,
        )
    await tx.execute(
        f"INSERT INTO payments_mandate ({_MANDATE}, slot, made_by, made_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        new.id,
        new.status.value,
        new.debtor,
        new.creditor,
        new.amount_max_minor,
        new.asset,
        new.first_on,
        new.frequency.value,
        new.until,
        new.refund_days,
        None if outside is None else outside.bank,
        None if outside is None else outside.signed_on,
        sealed,
        slot_of(new.id),
        by,
        at,
    )


async def locked_mandate(tx: Transaction, id: UUID) -> Mandate | None:
    """The same as `mandate`; who cancels it waits until this transaction ends."""
    await tx.execute("UPDATE payments_mandate SET status = status WHERE id = $1", id)
    return await mandate(tx, id)


async def cancel_mandate(tx: Transaction, id: UUID) -> None:
    await tx.execute("UPDATE payments_mandate SET status = 'cancelled' WHERE id = $1", id)


async def insert_collection(
    tx: Transaction, new: Collection, period: int, by: str, *, payment: UUID | None = None
) -> None:
    """`payment` is that of a debtor elsewhere. Errors: UniqueViolation when the id is taken, or the period has another
    collection."""
    texts = new.remittance, new.end_to_end_id
    [sealed] = await seal_texts(tx, COLLECTION, new.due_on, [((new.mandate, new.id), texts)])
    await tx.execute(
        f"INSERT INTO payments_collection ({_COLLECTION}, slot, period, made_by, payment_id) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        new.mandate,
        new.id,
        new.status.value,
        new.amount_minor,
        new.due_on,
        new.reason,
        new.done_on,
        sealed,
        slot_of(new.mandate),
        period,
        by,
        payment,
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


async def _mandates(tx: Transaction, found: Sequence[Any]) -> list[Mandate]:
    return [_mandate(row, texts) for row, texts in zip(found, await open_texts(tx, MANDATE, found), strict=True)]


async def _collections(tx: Transaction, found: Sequence[Any]) -> list[Collection]:
    texts = await open_texts(tx, COLLECTION, found)
    return [_collection(row, *each) for row, each in zip(found, texts, strict=True)]


def _mandate(row: Any, texts: Sequence[Text]) -> Mandate:
    creditor_name, reference, *more = texts
    outside = None
    if row["outside_bank"] is not None:
        account, creditor_id, debtor_name = (each or "" for each in more)
        outside = Outside(account, row["outside_bank"], creditor_id, row["signed_on"], debtor_name)
    return Mandate(
        id=row["id"],
        debtor=row["debtor"],
        creditor=row["creditor"],
        creditor_name=creditor_name or "",
        amount_max_minor=row["amount_max"],
        asset=row["asset"],
        first_on=row["first_on"],
        frequency=Frequency(row["frequency"]),
        until=row["until"],
        refund_days=row["refund_days"],
        reference=reference or "",
        outside=outside,
        status=MandateStatus(row["status"]),
    )


def _collection(row: Any, remittance: Text, end_to_end_id: Text = None) -> Collection:
    return Collection(
        id=row["id"],
        mandate=row["mandate_id"],
        amount_minor=row["amount_minor"],
        due_on=row["due_on"],
        remittance=remittance or "",
        end_to_end_id=end_to_end_id,
        status=CollectionStatus(row["status"]),
        reason=row["reason"],
        done_on=row["done_on"],
    )


def _keyed(tx: Transaction, creditor_id: str, reference: str) -> bytes:
    return tx.keys.digest("mandate", f"{creditor_id}\n{reference}")
