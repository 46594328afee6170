"""Searching the entries, newest first, a page at a time."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

from eastflow.storage import Transaction

from ..model import BookedEntry
from ..reports import EntryFilter
from . import rows
from .entries import booked

POSTINGS_READ_AT_ONCE = 500
READS_MAX = 20
"""A page of a search that matches little ends after this many reads: it may be short, and still have a next page."""
Place = tuple[datetime, int, int, int]
"""When an entry was booked, its chain, its block there, and its first leg in the block: no other entry has the same."""

_POSTING_MATCHES = """
  AND ($3::timestamptz IS NULL OR booked_at >= $3) AND ($4::timestamptz IS NULL OR booked_at < $4)
  AND ($5::date IS NULL OR value_date >= $5) AND ($6::date IS NULL OR value_date <= $6)
  AND ($7::bigint IS NULL OR abs(amount) >= $7) AND ($8::bigint IS NULL OR abs(amount) <= $8)
"""


async def page_of_account(
    tx: Transaction, wanted: EntryFilter, before: int, limit: int
) -> tuple[list[BookedEntry], int | None]:
    """Entries of one account below the sequence number `before`, and the number to go on below (None at the end)."""
    assert wanted.account is not None
    found: list[BookedEntry] = []
    for _ in range(READS_MAX):
        legs = await tx.rows(
            "SELECT sequence, entry_id FROM ledger_posting WHERE account_id = $1 AND sequence < $2"
            f"{_POSTING_MATCHES} ORDER BY sequence DESC LIMIT $9",
            wanted.account,
            before,
            *_period_and_amount(wanted),
            POSTINGS_READ_AT_ONCE,
        )
        matching = await _entries(tx, [row["entry_id"] for row in legs], wanted)
        for row in legs:
            if row["sequence"] >= before:
                continue  # Another leg of an entry already given.
            before = row["sequence"]
            entry = matching.get(row["entry_id"])
            if entry is not None:
                found.append(entry)
                pairs = zip(entry.accounts, entry.sequences, strict=True)
                before = min(sequence for account, sequence in pairs if account == wanted.account)
            if len(found) == limit:
                return found, before
        if len(legs) < POSTINGS_READ_AT_ONCE:
            return found, None
    return found, before


async def page_of_all(
    tx: Transaction, wanted: EntryFilter, before: Place | None, limit: int
) -> list[tuple[BookedEntry, Place]]:
    """Entries with their place: block by block, newest first (on Citus this join repartitions)."""
    at, chain, number, leg = before or (None, None, None, None)
    columns = ", ".join(f"e.{column}" for column in rows.ENTRY.split(", "))
    found = await tx.rows(
        f"""
        SELECT {columns}, b.booked_at
        FROM ledger_block b JOIN ledger_entry e ON e.chain_id = b.chain_id AND e.block_number = b.number
        WHERE ($1::timestamptz IS NULL
               OR (b.booked_at, b.chain_id, b.number, e.first_leg) < ($1, $2::bigint, $11::bigint, $12::bigint))
          AND ($1::timestamptz IS NULL OR b.booked_at <= $1)
          AND ($3::timestamptz IS NULL OR b.booked_at >= $3) AND ($4::timestamptz IS NULL OR b.booked_at < $4)
          AND ($5::date IS NULL OR e.value_date >= $5) AND ($6::date IS NULL OR e.value_date <= $6)
          AND (($7::bigint IS NULL AND $8::bigint IS NULL) OR EXISTS (
                SELECT 1 FROM unnest(e.amounts) AS x (amount)
                WHERE ($7 IS NULL OR abs(x.amount) >= $7) AND ($8 IS NULL OR abs(x.amount) <= $8)))
          AND ($9::text IS NULL OR e.kind = $9)
          {"AND e.details IS NOT NULL AND e.details::jsonb @> $13::jsonb" if wanted.details else ""}
        ORDER BY b.booked_at DESC, b.chain_id DESC, b.number DESC, e.first_leg DESC LIMIT $10
        """,
        at,
        chain,
        *_period_and_amount(wanted),
        wanted.kind,
        limit,
        number,
        leg,
        *([json.dumps(dict(wanted.details))] if wanted.details else []),
    )
    entries = (await booked(tx, found)).values()
    places = [(row["booked_at"], row["chain_id"], row["block_number"], row["first_leg"]) for row in found]
    return list(zip(entries, places, strict=True))


async def _entries(tx: Transaction, ids: list[UUID], wanted: EntryFilter) -> dict[UUID, BookedEntry]:
    found = await tx.rows(
        f"SELECT {rows.ENTRY} FROM ledger_entry WHERE id = ANY($1::uuid[]) AND ($2::text IS NULL OR kind = $2)",
        ids,
        wanted.kind,
    )
    entries = await booked(tx, found)
    return {id: entry for id, entry in entries.items() if wanted.details.items() <= entry.details.items()}


def _period_and_amount(wanted: EntryFilter) -> tuple[object, ...]:
    return (
        wanted.booked_from,
        wanted.booked_before,
        wanted.valued_from,
        wanted.valued_through,
        wanted.amount_minor_min,
        wanted.amount_minor_max,
    )
