"""The trail of merges in its table, and where merged parties lead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from eastflow.storage import Transaction

from .model import Merge

_MERGE = "party_id, number, into_id, reason, merged_at, merged_by, unmerged_at, unmerged_by"


async def survivors(tx: Transaction, parties: Sequence[UUID]) -> dict[UUID, UUID]:
    """For each of the parties the one it leads to: itself, unless it has been merged."""
    leads_to = {party: party for party in parties}
    while True:
        found = await tx.rows(
            "SELECT id, merged_into FROM customers_party WHERE id = ANY($1::uuid[]) AND merged_into IS NOT NULL",
            sorted(set(leads_to.values())),
        )
        if not found:
            return leads_to
        further = {row["id"]: row["merged_into"] for row in found}
        leads_to = {party: further.get(place, place) for party, place in leads_to.items()}


async def survivor(tx: Transaction, party: UUID) -> UUID:
    return (await survivors(tx, [party]))[party]


async def family(tx: Transaction, party: UUID) -> list[UUID]:
    """The one that the party leads to, and all that lead there."""
    members = fresh = [await survivor(tx, party)]
    while fresh:
        found = await tx.rows("SELECT id FROM customers_party WHERE merged_into = ANY($1::uuid[]) ORDER BY id", fresh)
        fresh = [row["id"] for row in found]
        members = members + fresh
    return members


async def merges_of_party(tx: Transaction, party: UUID) -> list[Merge]:
    """In which it was one of the two, by time, undone ones too."""
    found = await tx.rows(
        f"SELECT {_MERGE} FROM customers_merge WHERE party_id = $1 OR into_id = $1 ORDER BY merged_at, party_id", party
    )
    return [_merge(row) for row in found]


async def standing(tx: Transaction, party: UUID) -> Merge | None:
    row = await tx.row(f"SELECT {_MERGE} FROM customers_merge WHERE party_id = $1 AND unmerged_at IS NULL", party)
    return None if row is None else _merge(row)


async def insert(tx: Transaction, merge: Merge) -> None:
    """Both parties are locked."""
    number = await tx.value("SELECT count(*) + 1 FROM customers_merge WHERE party_id = $1", merge.party)
    await tx.execute(
        "INSERT INTO customers_merge (party_id, number, into_id, reason, merged_at, merged_by) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        merge.party,
        number,
        merge.into,
        merge.reason,
        merge.merged_at,
        merge.merged_by,
    )
    await tx.execute("UPDATE customers_party SET merged_into = $2 WHERE id = $1", merge.party, merge.into)


async def end(tx: Transaction, merge: Merge) -> None:
    """The party is locked."""
    await tx.execute(
        "UPDATE customers_merge SET unmerged_at = $2, unmerged_by = $3 WHERE party_id = $1 AND unmerged_at IS NULL",
        merge.party,
        merge.unmerged_at,
        merge.unmerged_by,
    )
    await tx.execute("UPDATE customers_party SET merged_into = NULL WHERE id = $1", merge.party)


def _merge(row: Any) -> Merge:
    return Merge(
        party=row["party_id"],
        into=row["into_id"],
        reason=row["reason"],
        merged_at=row["merged_at"],
        merged_by=row["merged_by"],
        unmerged_at=row["unmerged_at"],
        unmerged_by=row["unmerged_by"],
    )
