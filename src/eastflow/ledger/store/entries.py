"""Entries as booked: what the caller said, together with what its block says of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from eastflow.storage import Transaction

from ..model import BookedEntry
from . import rows


async def entries(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, BookedEntry]:
    """Those of the ids that are in the books."""
    return await booked(tx, await tx.rows(f"SELECT {rows.ENTRY} FROM ledger_entry WHERE id = ANY($1::uuid[])", ids))


async def entry(tx: Transaction, id: UUID) -> BookedEntry | None:
    return (await entries(tx, [id])).get(id)


async def booked(tx: Transaction, entry_rows: Sequence[Any]) -> dict[UUID, BookedEntry]:
    """Rows of `ledger_entry` as entries, in their order. Two queries and no join: entries and blocks are distributed
    by different keys."""
    if not entry_rows:
        return {}
    found = await tx.rows(
        "SELECT d.id, b.booked_at, b.sequences[d.first_leg + 1 : d.first_leg + d.legs] AS sequences "
        "FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::int[], $5::int[]) "
        "AS d (id, chain_id, number, first_leg, legs) "
        "JOIN ledger_block b ON b.chain_id = d.chain_id AND b.number = d.number",
        [row["id"] for row in entry_rows],
        [row["chain_id"] for row in entry_rows],
        [row["block_number"] for row in entry_rows],
        [row["first_leg"] for row in entry_rows],
        [len(row["account_ids"]) for row in entry_rows],
    )
    blocks = {row["id"]: row for row in found}
    return {
        row["id"]: rows.entry(row, blocks[row["id"]]["booked_at"], blocks[row["id"]]["sequences"]) for row in entry_rows
    }
