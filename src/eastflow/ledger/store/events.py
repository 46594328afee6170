"""What the books have added, block by block: the ledger's blocks are its outbox, written with the entries they seal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from eastflow.storage import Transaction

from ..model import BookedEntry
from . import rows


@dataclass(frozen=True, slots=True)
class BookedBlock:
    """One commit. The numbers of a chain have no gap and become visible in their order."""

    chain: int
    number: int
    booked_at: datetime
    entries: tuple[BookedEntry, ...]


async def chain_numbers(tx: Transaction) -> dict[int, int]:
    """The number of the last block of each chain."""
    return {row["id"]: row["number"] for row in await tx.rows("SELECT id, number FROM ledger_chain")}


async def blocks_after(
    tx: Transaction, numbers: Mapping[int, int], *, blocks_max: int, entries_max: int
) -> list[BookedBlock]:
    """The blocks that follow these numbers, of each chain at most `blocks_max` and about `entries_max` entries, but
    at least one. A chain that is not named is read from its start."""
    last = await chain_numbers(tx)
    behind = sorted(chain for chain, number in last.items() if number > numbers.get(chain, 0))
    if not behind:
        return []
    found = await tx.rows(
        "SELECT b.chain_id, b.number, b.booked_at, b.entries, b.sequences "
        "FROM unnest($1::bigint[], $2::bigint[]) AS d (chain_id, number) "
        "JOIN ledger_block b ON b.chain_id = d.chain_id AND b.number > d.number AND b.number <= d.number + $3 "
        "ORDER BY b.chain_id, b.number",
        behind,
        [numbers.get(chain, 0) for chain in behind],
        blocks_max,
    )
    taken: dict[int, int] = {}
    blocks = []
    for row in found:
        before = taken.get(row["chain_id"])
        taken[row["chain_id"]] = (before or 0) + row["entries"]
        if before is None or taken[row["chain_id"]] <= entries_max:
            blocks.append(row)
    entry_rows = await tx.rows(
        f"SELECT {', '.join(f'e.{column}' for column in rows.ENTRY.split(', '))} "
        "FROM unnest($1::bigint[], $2::bigint[]) AS d (chain_id, number) "
        "JOIN ledger_entry e ON e.chain_id = d.chain_id AND e.block_number = d.number "
        "ORDER BY e.chain_id, e.block_number, e.first_leg",
        [row["chain_id"] for row in blocks],
        [row["number"] for row in blocks],
    )
    by_block: dict[tuple[int, int], list[BookedEntry]] = {(row["chain_id"], row["number"]): [] for row in blocks}
    of_block = {(row["chain_id"], row["number"]): row for row in blocks}
    for row in entry_rows:
        key = row["chain_id"], row["block_number"]
        first, legs = row["first_leg"], len(row["account_ids"])
        sequences = of_block[key]["sequences"][first : first + legs]
        by_block[key].append(rows.entry(row, of_block[key]["booked_at"], sequences))
    return [
        BookedBlock(row["chain_id"], row["number"], row["booked_at"], tuple(by_block[row["chain_id"], row["number"]]))
        for row in blocks
    ]


async def blocks_of_postings(
    tx: Transaction, places: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], tuple[int, int]]:
    """For each (account, sequence), the (chain, number) of the block that sealed it. Two queries and no join: postings
    and entries are distributed by different keys."""
    if not places:
        return {}
    postings = await tx.rows(
        "SELECT p.account_id, p.sequence, p.entry_id "
        "FROM unnest($1::bigint[], $2::bigint[]) AS d (account_id, sequence) "
        "JOIN ledger_posting p ON p.account_id = d.account_id AND p.sequence = d.sequence",
        [account for account, _ in places],
        [sequence for _, sequence in places],
    )
    found = await tx.rows(
        "SELECT id, chain_id, block_number FROM ledger_entry WHERE id = ANY($1::uuid[])",
        list({row["entry_id"] for row in postings}),
    )
    blocks = {row["id"]: (row["chain_id"], row["block_number"]) for row in found}
    return {(row["account_id"], row["sequence"]): blocks[row["entry_id"]] for row in postings}
