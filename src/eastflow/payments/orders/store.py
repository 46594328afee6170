"""Standing orders and what became of them in their tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from eastflow.customers import Channel
from eastflow.storage import Transaction

from ..model import Endpoint
from ..personal_data.store import ORDER, Text, open_texts, seal_texts
from .decide import slot_of
from .model import Frequency, Occurrence, OccurrenceOutcome, OrderStatus, StandingOrder

_COLUMNS = (
    *("id", "slot", "status", "debtor", "creditor_bank"),
    *("amount_minor", "asset", "scheme", "first_on", "frequency", "until", "retry_days"),
    *("made_by", "number", "due_on", "attempt_on", "made_at", "sealed", "channel", "uetr"),
)
_ORDER = ", ".join(_COLUMNS)


async def standing_order(tx: Transaction, id: UUID) -> StandingOrder | None:
    return (await standing_orders(tx, [id])).get(id)


async def standing_orders(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, StandingOrder]:
    found = await tx.rows(f"SELECT {_ORDER} FROM payments_order WHERE id = ANY($1::uuid[])", list(ids))
    return {order.id: order for order in await _orders(tx, found)}


async def standing_orders_page(
    tx: Transaction, *, debtor: int | None = None, after: UUID | None = None, limit: int
) -> list[StandingOrder]:
    """By id, after `after`."""
    found = await tx.rows(
        f"SELECT {_ORDER} FROM payments_order WHERE ($2::uuid IS NULL OR id > $2) "
        "AND ($3::bigint IS NULL OR debtor = $3) ORDER BY id LIMIT $1",
        limit,
        after,
        debtor,
    )
    return await _orders(tx, found)


async def occurrences(tx: Transaction, order: UUID) -> list[Occurrence]:
    """What became of each time so far, by the day it was due."""
    found = await tx.rows(
        "SELECT order_id, due_on, outcome, payment_id, reason, done_on FROM payments_occurrence "
        "WHERE order_id = $1 ORDER BY due_on",
        order,
    )
    return [
        Occurrence(
            row["order_id"],
            row["due_on"],
            OccurrenceOutcome(row["outcome"]),
            row["done_on"],
            row["payment_id"],
            row["reason"],
        )
        for row in found
    ]


async def due(tx: Transaction, slots: Sequence[int], on: date, limit: int) -> list[StandingOrder]:
    """What is to be tried on this day or was to be before, the longest waiting first."""
    found = await tx.rows(
        f"SELECT {_ORDER} FROM payments_order WHERE slot = ANY($1::bigint[]) AND attempt_on <= $2 "
        "ORDER BY attempt_on, id LIMIT $3",
        list(slots),
        on,
        limit,
    )
    return await _orders(tx, found)


async def insert_orders(tx: Transaction, new: Sequence[StandingOrder], by: str, at: datetime) -> None:
    """Errors: UniqueViolation when one of the ids is taken."""
    new = sorted(new, key=lambda each: each.id)
    texts = [
        ((each.id,), (each.creditor.name, each.creditor.account, each.remittance, each.end_to_end_id)) for each in new
    ]
    sealed = await seal_texts(tx, ORDER, at.date(), texts)
    await tx.records_in(
        "payments_order",
        _COLUMNS,
        [
            (
                each.id,
                slot_of(each.id),
                each.status.value,
                each.debtor,
                each.creditor.bank,
                each.amount_minor,
                each.asset,
                each.scheme,
                each.first_on,
                each.frequency.value,
                each.until,
                each.retry_days,
                by,
                each.number,
                each.due_on,
                each.attempt_on,
                at,
                kept,
                each.channel.value,
                each.uetr,
            )
            for each, kept in zip(new, sealed, strict=True)
        ],
    )


async def change_orders(tx: Transaction, changes: Sequence[tuple[StandingOrder, StandingOrder]]) -> bool:
    """Each as it was before and is now, by id. False when one of them is no longer as it was."""
    changes = sorted(changes, key=lambda change: change[0].id)
    touched = await tx.execute(
        "UPDATE payments_order o SET status = n.status, number = n.number, due_on = n.due_on, "
        "attempt_on = n.attempt_on FROM unnest($1::uuid[], $2::bigint[], $3::date[], $4::text[], $5::bigint[], "
        "$6::date[], $7::date[]) AS n (id, old_number, old_attempt_on, status, number, due_on, attempt_on) "
        "WHERE o.id = n.id AND o.number = n.old_number AND o.attempt_on = n.old_attempt_on",
        [before.id for before, _ in changes],
        [before.number for before, _ in changes],
        [before.attempt_on for before, _ in changes],
        [after.status.value for _, after in changes],
        [after.number for _, after in changes],
        [after.due_on for _, after in changes],
        [after.attempt_on for _, after in changes],
    )
    return touched == len(changes)


async def insert_occurrences(tx: Transaction, done: Sequence[Occurrence]) -> None:
    """Errors: UniqueViolation when another run was there in the same moment."""
    await tx.records_in(
        "payments_occurrence",
        ("order_id", "due_on", "outcome", "payment_id", "reason", "done_on"),
        [(each.order, each.due_on, each.outcome.value, each.payment, each.reason, each.done_on) for each in done],
    )


async def _orders(tx: Transaction, found: Sequence[Any]) -> list[StandingOrder]:
    return [_order(row, texts) for row, texts in zip(found, await open_texts(tx, ORDER, found), strict=True)]


def _order(row: Any, texts: Sequence[Text]) -> StandingOrder:
    name, account, remittance, end_to_end_id = texts
    return StandingOrder(
        id=row["id"],
        debtor=row["debtor"],
        creditor=Endpoint(name or "", account or "", row["creditor_bank"]),
        amount_minor=row["amount_minor"],
        asset=row["asset"],
        first_on=row["first_on"],
        frequency=Frequency(row["frequency"]),
        until=row["until"],
        retry_days=row["retry_days"],
        remittance=remittance or "",
        scheme=row["scheme"],
        channel=Channel(row["channel"]),
        end_to_end_id=end_to_end_id,
        uetr=row["uetr"],
        status=OrderStatus(row["status"]),
        number=row["number"],
        due_on=row["due_on"],
        attempt_on=row["attempt_on"],
    )
