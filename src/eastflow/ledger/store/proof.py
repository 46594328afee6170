"""What a proof of the books reads: whole tables, streamed in the order of their keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from eastflow.storage import Transaction

from ..encoding import ENTRY_COLUMNS, POSTING_COLUMNS, POSTING_ROW

_HEADER_BYTES, _TRAILER_BYTES = 19, 2
_STANDING_COLUMNS = ("account_id", "posted", "held", "sequence", "side", "asset_number")
_STANDING_ROW = np.dtype(
    [("fields", ">i2")] + [part for name in _STANDING_COLUMNS for part in ((f"{name}_size", ">i4"), (name, ">i8"))]
)
Rows = npt.NDArray[Any]


async def standings(tx: Transaction, take: Callable[[Rows], None]) -> None:
    query = (
        "SELECT account_id, posted, held, sequence, side::bigint, asset_number::bigint "
        "FROM ledger_balance ORDER BY account_id"
    )
    await _stream_fixed(tx, query, _STANDING_ROW, take)


async def postings(tx: Transaction, take: Callable[[Rows], None]) -> None:
    """In the order of account and sequence."""
    query = f"SELECT {', '.join(POSTING_COLUMNS)} FROM ledger_posting ORDER BY account_id, sequence"
    await _stream_fixed(tx, query, POSTING_ROW, take)


async def _stream_fixed(tx: Transaction, query: str, shape: np.dtype[Any], take: Callable[[Rows], None]) -> None:
    rest, skip = b"", _HEADER_BYTES

    async def receive(data: bytes) -> None:
        nonlocal rest, skip
        rest += data
        if len(rest) < (1 << 20):
            return
        pass_on()

    def pass_on() -> None:
        nonlocal rest, skip
        whole = (len(rest) - skip) // shape.itemsize * shape.itemsize
        take(np.frombuffer(rest, dtype=shape, count=whole // shape.itemsize, offset=skip))
        rest, skip = rest[skip + whole :], 0

    await tx.copy_out(query, receive)
    pass_on()
    assert len(rest) == _TRAILER_BYTES, "the stream holds whole rows and its trailer"


async def block_ranges(tx: Transaction, entries_at_once: int) -> list[tuple[int, int, int]]:
    """Runs of blocks of one chain, (chain, first, last), each with about so many entries or as many blocks."""
    found = await tx.rows(
        "SELECT chain_id, run, min(number) AS first, max(number) AS last FROM (SELECT chain_id, number, "
        "div(sum(entries) OVER (PARTITION BY chain_id ORDER BY number) + number, $1::numeric) AS run "
        "FROM ledger_block) AS numbered GROUP BY chain_id, run ORDER BY chain_id, first",
        entries_at_once,
    )
    return [(row["chain_id"], row["first"], row["last"]) for row in found]


async def blocks(tx: Transaction, chain: int, first: int, last: int) -> list[Any]:
    return await tx.rows(
        "SELECT number, booked_at, entries, sequences, hash FROM ledger_block "
        "WHERE chain_id = $1 AND number BETWEEN $2 AND $3 ORDER BY number",
        chain,
        first,
        last,
    )


async def entry_rows(tx: Transaction, chain: int, first: int, last: int) -> bytes:
    """The rows of these blocks' entries as they are hashed, one after the other."""
    parts: list[bytes] = []

    async def receive(data: bytes) -> None:
        parts.append(data)

    assert all(type(number) is int for number in (chain, first, last)), "COPY takes no parameters"
    await tx.copy_out(
        f"SELECT {', '.join(ENTRY_COLUMNS)} FROM ledger_entry WHERE chain_id = {chain} "
        f"AND block_number BETWEEN {first} AND {last} ORDER BY block_number, first_leg",
        receive,
    )
    return b"".join(parts)[_HEADER_BYTES:-_TRAILER_BYTES]


async def heads(tx: Transaction) -> list[Any]:
    return await tx.rows(
        "SELECT c.id, c.number, c.hash, b.number AS last, b.hash AS last_hash FROM ledger_chain c "
        "LEFT JOIN (SELECT DISTINCT ON (chain_id) chain_id, number, hash "
        "FROM ledger_block ORDER BY chain_id, number DESC) b ON b.chain_id = c.id ORDER BY c.id"
    )


async def entries_without_block(tx: Transaction, limit: int) -> list[Any]:
    return await tx.rows(
        "SELECT e.id, e.chain_id, e.block_number FROM ledger_entry e "
        "LEFT JOIN ledger_block b ON b.chain_id = e.chain_id AND b.number = e.block_number "
        "WHERE b.number IS NULL ORDER BY e.id LIMIT $1",
        limit,
    )


async def legs_of_account(tx: Transaction, account: int) -> list[Any]:
    """What the entries say of an account's postings: an exact look at few accounts, over all entries."""
    return await tx.rows(
        "SELECT e.id, e.value_date, b.booked_at, l.amount, b.sequences[e.first_leg + l.leg] AS sequence "
        "FROM ledger_entry e JOIN ledger_block b ON b.chain_id = e.chain_id AND b.number = e.block_number, "
        "unnest(e.account_ids, e.amounts) WITH ORDINALITY AS l (account_id, amount, leg) "
        "WHERE l.account_id = $1",
        account,
    )


async def postings_of_account(tx: Transaction, account: int) -> list[Any]:
    return await tx.rows(
        "SELECT entry_id AS id, value_date, booked_at, amount, sequence FROM ledger_posting WHERE account_id = $1",
        account,
    )


async def held_differences(tx: Transaction, limit: int) -> list[Any]:
    """Accounts whose held amount is not the sum of their active holds, or not that of their hold changes."""
    return await tx.rows(
        "SELECT b.account_id, b.held, coalesce(h.remaining, 0)::bigint AS remaining, "
        "coalesce(c.changed, 0)::bigint AS changed FROM ledger_balance b "
        "LEFT JOIN (SELECT account_id, sum(remaining) AS remaining FROM ledger_hold WHERE status = 0 "
        "GROUP BY account_id) h ON h.account_id = b.account_id "
        "LEFT JOIN (SELECT account_id, sum(amount) AS changed FROM ledger_hold_change GROUP BY account_id) c "
        "ON c.account_id = b.account_id "
        "WHERE b.held <> coalesce(h.remaining, 0) OR b.held <> coalesce(c.changed, 0) ORDER BY b.account_id LIMIT $1",
        limit,
    )


async def reversal_differences(tx: Transaction, limit: int) -> list[Any]:
    """Reversals in the register that no entry makes, and entries that reverse what the register does not know."""
    return await tx.rows(
        "SELECT coalesce(r.entry_id, e.reverses) AS entry_id, coalesce(r.reversed_by, e.id) AS reversed_by "
        "FROM ledger_reversal r FULL JOIN (SELECT id, reverses FROM ledger_entry WHERE reverses IS NOT NULL) e "
        "ON e.id = r.reversed_by AND e.reverses = r.entry_id "
        "WHERE r.entry_id IS NULL OR e.id IS NULL ORDER BY 1 LIMIT $1",
        limit,
    )
