"""Batches and their lines in their tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from eastflow.customers import Channel
from eastflow.storage import Transaction

from ..model import Endpoint
from ..personal_data.store import LINE, Text, open_texts, seal_texts
from .decide import line_payment
from .model import Batch, BatchLine, BatchStatus, Line, LineStatus

_BATCH = (
    "id, status, debtor, asset, channel, scheme, whole, one_debit, lines, total_minor, keyed_hash, submitted_on, "
    "made_by, reason"
)
_LINE = "batch_id, number, creditor_bank, amount_minor, status, reason, sealed"


async def batch(tx: Transaction, id: UUID) -> Batch | None:
    row = await tx.row(f"SELECT {_BATCH} FROM payments_batch WHERE id = $1", id)
    return None if row is None else _batch(row)


async def batches_page(
    tx: Transaction, *, debtor: int | None = None, after: UUID | None = None, limit: int
) -> list[Batch]:
    """By id, after `after`."""
    found = await tx.rows(
        f"SELECT {_BATCH} FROM payments_batch WHERE ($2::uuid IS NULL OR id > $2) "
        "AND ($3::bigint IS NULL OR debtor = $3) ORDER BY id LIMIT $1",
        limit,
        after,
        debtor,
    )
    return [_batch(row) for row in found]


async def same_content(tx: Transaction, debtor: int, keyed_hash: bytes) -> UUID | None:
    """A file of this payer that asked for the same and was not refused."""
    found: UUID | None = await tx.value(
        "SELECT id FROM payments_batch WHERE debtor = $1 AND keyed_hash = $2 AND status <> 'refused' "
        "ORDER BY id LIMIT 1",
        debtor,
        keyed_hash,
    )
    return found


async def batch_lines(
    tx: Transaction, batch: UUID, *, after: int = 0, status: LineStatus | None = None, limit: int
) -> list[BatchLine]:
    """By number, after `after`."""
    found = await tx.rows(
        f"SELECT {_LINE} FROM payments_line WHERE batch_id = $1 AND number > $2 "
        "AND ($4::text IS NULL OR status = $4) ORDER BY number LIMIT $3",
        batch,
        after,
        limit,
        None if status is None else status.value,
    )
    return [_line(row, texts) for row, texts in zip(found, await open_texts(tx, LINE, found), strict=True)]


async def paid_minor(tx: Transaction, batch: UUID) -> int:
    found = await tx.value(
        "SELECT COALESCE(sum(amount_minor), 0) FROM payments_line WHERE batch_id = $1 AND status = 'paid'", batch
    )
    return int(found)


async def insert_batch(tx: Transaction, new: Batch, lines: Sequence[BatchLine], at: datetime) -> None:
    """Errors: UniqueViolation when the id is taken."""
    await tx.execute(
        f"INSERT INTO payments_batch ({_BATCH}, made_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        new.id,
        new.status.value,
        new.debtor,
        new.asset,
        new.channel.value,
        new.scheme,
        new.whole,
        new.one_debit,
        new.lines,
        new.total_minor,
        new.keyed_hash,
        new.submitted_on,
        new.by,
        new.reason,
        at,
    )
    texts = [((each.batch, each.number), _texts(each.line)) for each in lines]
    sealed = await seal_texts(tx, LINE, new.submitted_on, texts)
    await tx.records_in(
        "payments_line",
        _LINE.split(", "),
        [
            (
                each.batch,
                each.number,
                each.line.creditor.bank,
                each.line.amount_minor,
                each.status.value,
                each.reason,
                kept,
            )
            for each, kept in zip(lines, sealed, strict=True)
        ],
    )


async def change_batch(tx: Transaction, before: Batch, status: BatchStatus, reason: str | None = None) -> bool:
    """False when it is no longer as it was `before`. Its row is locked until the transaction ends."""
    touched = await tx.execute(
        "UPDATE payments_batch SET status = $2, reason = $3 WHERE id = $1 AND status = $4",
        before.id,
        status.value,
        reason,
        before.status.value,
    )
    return touched == 1


async def change_lines(tx: Transaction, changed: Sequence[BatchLine]) -> bool:
    """False when one of them is no longer pending."""
    if not changed:
        return True
    touched = await tx.execute(
        "UPDATE payments_line l SET status = n.status, reason = n.reason "
        "FROM unnest($2::bigint[], $3::text[], $4::text[]) AS n (number, status, reason) "
        "WHERE l.batch_id = $1 AND l.number = n.number AND l.status = 'pending'",
        changed[0].batch,
        [each.number for each in changed],
        [each.status.value for each in changed],
        [each.reason for each in changed],
    )
    return touched == len(changed)


def _batch(row: Any) -> Batch:
    return Batch(
        id=row["id"],
        status=BatchStatus(row["status"]),
        debtor=row["debtor"],
        asset=row["asset"],
        channel=Channel(row["channel"]),
        scheme=row["scheme"],
        whole=row["whole"],
        one_debit=row["one_debit"],
        lines=row["lines"],
        total_minor=row["total_minor"],
        keyed_hash=row["keyed_hash"],
        submitted_on=row["submitted_on"],
        by=row["made_by"],
        reason=row["reason"],
    )


def _texts(line: Line) -> tuple[Text, ...]:
    return line.creditor.name, line.creditor.account, line.remittance, line.end_to_end_id


def _line(row: Any, texts: Sequence[Text]) -> BatchLine:
    name, account, remittance, end_to_end_id = texts
    creditor = Endpoint(name or "", account or "", row["creditor_bank"])
    line = Line(creditor, row["amount_minor"], remittance or "", end_to_end_id)
    payment = line_payment(row["batch_id"], row["number"])
    return BatchLine(row["batch_id"], row["number"], line, LineStatus(row["status"]), payment, row["reason"])
