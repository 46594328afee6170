"""What a proof of the books reads: whole tables, streamed in the order of their keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from eastflow.storage import Transaction

from ..encoding import ENTRY_COLUMNS, POSTING_COLUMNS, POSTING_ROW
from . import rows

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


async def hash_of_block(tx: Transaction, chain: int, number: int) -> bytes | None:
    found: bytes | None = await tx.value(
        "SELECT hash FROM ledger_block WHERE chain_id = $1 AND number = $2", chain, number
    )
    return found


async def count_entries(tx: Transaction) -> int:
    found: int = await tx.value("SELECT count(*) FROM ledger_entry")
    return found


async def entries_without_block(tx: Transaction, limit: int) -> list[Any]:
    return await tx.rows(
        "SELECT e.id, e.chain_id, e.block_number FROM ledger_entry e "
        "LEFT JOIN ledger_block b ON b.chain_id = e.chain_id AND b.number = e.block_number "
        "WHERE b.number IS NULL ORDER BY e.id LIMIT $1",
        limit,
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
        "WITH r AS (SELECT entry_id, reversed_by FROM ledger_reversal), "
        "e AS (SELECT id, reverses FROM ledger_entry WHERE reverses IS NOT NULL) "
        "SELECT coalesce(r.entry_id, e.reverses) AS entry_id, coalesce(r.reversed_by, e.id) AS reversed_by "
        "FROM r FULL JOIN e ON e.id = r.reversed_by AND e.reverses = r.entry_id "
        "WHERE r.entry_id IS NULL OR e.id IS NULL ORDER BY 1 LIMIT $1",
        limit,
    )


async def capture_differences(tx: Transaction, limit: int) -> list[Any]:
    """Entries paid out of a hold without a change of that hold, and changes of holds that name no such entry."""
    return await tx.rows(
        "WITH c AS (SELECT entry_id, account_id, hold_id FROM ledger_hold_change "
        "WHERE entry_id IS NOT NULL), "
        "e AS (SELECT id, captured_account_id AS account_id, captured_hold_id AS hold_id "
        "FROM ledger_entry WHERE captured_hold_id IS NOT NULL) "
        "SELECT coalesce(c.entry_id, e.id) AS entry_id, coalesce(c.account_id, e.account_id) AS account_id, "
        "coalesce(c.hold_id, e.hold_id) AS hold_id "
        "FROM c FULL JOIN e ON e.id = c.entry_id AND e.account_id = c.account_id AND e.hold_id = c.hold_id "
        "WHERE c.entry_id IS NULL OR e.id IS NULL ORDER BY 1 LIMIT $1",
        limit,
    )


async def hold_differences(tx: Transaction, limit: int) -> list[Any]:
    """Holds that are not what their changes made of them. A hold is active as long as something remains of it."""
    return await tx.rows(
        "SELECT coalesce(h.account_id, c.account_id) AS account_id, coalesce(h.id, c.hold_id) AS hold_id, "
        "h.remaining, h.status, c.changed::bigint AS changed FROM ledger_hold h FULL JOIN "
        "(SELECT account_id, hold_id, sum(amount) AS changed, sum(greatest(amount, 0)) AS placed "
        "FROM ledger_hold_change GROUP BY account_id, hold_id) c "
        "ON c.account_id = h.account_id AND c.hold_id = h.id "
        "WHERE h.id IS NULL OR c.hold_id IS NULL OR h.amount <> c.placed OR h.remaining <> c.changed "
        "OR (h.status = 0) <> (h.remaining > 0) ORDER BY 1, 2 LIMIT $1",
        limit,
    )


async def account_differences(tx: Transaction, limit: int) -> list[Any]:
    """Accounts without a balance, balances without an account, and pairs that disagree on side or asset."""
    return await tx.rows(
        "SELECT coalesce(a.id, b.account_id) AS account_id, a.asset, a.side, b.side AS kept_side, s.code AS kept_asset "
        "FROM ledger_account a FULL JOIN ledger_balance b ON b.account_id = a.id "
        "LEFT JOIN ledger_asset s ON s.number = b.asset_number "
        "WHERE a.id IS NULL OR b.account_id IS NULL OR a.side <> b.side OR (a.asset = s.code) IS NOT TRUE "
        "ORDER BY 1 LIMIT $1",
        limit,
    )


async def standing_differences(tx: Transaction, limit: int) -> list[Any]:
    """Accounts whose status and floor are not those of their last change (any of them, if several have its time)."""
    return await tx.rows(
        "SELECT b.account_id, ($2::text[])[b.status + 1] AS status, b.floor FROM ledger_balance b "
        "LEFT JOIN (SELECT account_id, max(changed_at) AS at FROM ledger_account_change GROUP BY account_id) last "
        "ON last.account_id = b.account_id "
        "LEFT JOIN ledger_account_change c ON c.account_id = b.account_id AND c.changed_at = last.at "
        "AND c.status = ($2::text[])[b.status + 1] "
        "AND (c.floor = b.floor OR (c.floor IS NULL AND b.floor IS NULL)) "
        "WHERE c.account_id IS NULL ORDER BY b.account_id LIMIT $1",
        limit,
        [status.value for status in rows.STATUSES],
    )
