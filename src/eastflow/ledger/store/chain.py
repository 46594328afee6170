"""The heads of the chains, and the blocks that hang from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from eastflow.storage import Transaction

CHAINS = 16


@dataclass(frozen=True, slots=True)
class Head:
    """The last block of a chain; number 0 and an empty hash before the first."""

    chain: int
    number: int
    hash: bytes


async def head(tx: Transaction, chain: int, *, lock: bool) -> Head:
    """With `lock`, no other writer seals into this chain until the transaction ends."""
    query = "SELECT number, hash FROM ledger_chain WHERE id = $1" + (" FOR UPDATE" if lock else "")
    row = await tx.row(query, chain)
    if row is None:
        await tx.execute(
            "INSERT INTO ledger_chain (id, number, hash) VALUES ($1, 0, $2) ON CONFLICT (id) DO NOTHING", chain, b""
        )
        row = await tx.row(query, chain)
    return Head(chain, row["number"], row["hash"])


async def seal(
    tx: Transaction, before: Head, after: Head, booked_at: datetime, entries: int, sequences: list[int]
) -> bool:
    """False if another writer sealed into this chain since `before` was read; then the transaction must end."""
    written = await tx.execute(
        "WITH advanced AS (UPDATE ledger_chain SET number = $2, hash = $3 WHERE id = $1 AND number = $7 RETURNING id) "
        "INSERT INTO ledger_block (chain_id, number, booked_at, entries, sequences, hash) "
        "SELECT id, $2, $4, $5, $6, $3 FROM advanced",
        after.chain,
        after.number,
        after.hash,
        booked_at,
        entries,
        sequences,
        before.number,
    )
    return written == 1


async def last_booking(tx: Transaction) -> datetime | None:
    found: datetime | None = await tx.value("SELECT max(booked_at) FROM ledger_block")
    return found
