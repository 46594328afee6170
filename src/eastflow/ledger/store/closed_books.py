"""The books of closed days: the trial balance of each, kept, and what the blocks booked since then move in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from eastflow.storage import Transaction

from ..netting import Int64s
from ..reports import Position

# One statement is one snapshot: an account that is posted to meanwhile is seen with its last posting.
_PLACES = """
SELECT a.chart, a.asset, array_agg(a.id) AS accounts,
    min(a.id) FILTER (WHERE ROW(b.side, b.sequence, b.posted)
                            IS DISTINCT FROM ROW(a.side, last.sequence, last.balance)) AS astray
FROM ledger_account a
JOIN ledger_balance b ON b.account_id = a.id
LEFT JOIN LATERAL (
    SELECT p.sequence, p.balance FROM ledger_posting p WHERE p.account_id = a.id ORDER BY p.sequence DESC LIMIT 1
) AS last ON TRUE
WHERE a.id = ANY($1::bigint[])
GROUP BY a.chart, a.asset
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """Leaves of the chart, as booked up to the numbers of the chains."""

    numbers: Mapping[int, int]
    positions: Sequence[Position]


@dataclass(frozen=True, slots=True)
class Place:
    """Accounts of one leaf of the chart, and the first of them that does not stand where its last posting left it."""

    chart: str
    asset: str
    accounts: Int64s
    astray: int | None


async def kept(tx: Transaction, day: date) -> Kept | None:
    row = await tx.row("SELECT chains, numbers FROM ledger_closed_books WHERE day = $1", day)
    if row is None:
        return None
    found = await tx.rows(
        "SELECT chart, asset, signed FROM ledger_closed_position WHERE day = $1 ORDER BY asset, chart", day
    )
    positions = [Position(each["chart"], each["asset"], int(each["signed"]), None) for each in found]
    return Kept(dict(zip(row["chains"], row["numbers"], strict=True)), positions)


async def kept_before(tx: Transaction, day: date) -> Kept | None:
    """Of the last day before this one that was closed."""
    last: date | None = await tx.value("SELECT max(day) FROM ledger_closed_books WHERE day < $1", day)
    return None if last is None else await kept(tx, last)


async def keep(tx: Transaction, day: date, books: Kept) -> None:
    """What a rival has kept of the same day stays."""
    written = await tx.execute(
        "INSERT INTO ledger_closed_books (day, chains, numbers) VALUES ($1, $2, $3) ON CONFLICT (day) DO NOTHING",
        day,
        list(books.numbers),
        list(books.numbers.values()),
    )
    if written:
        await tx.records_in(
            "ledger_closed_position",
            ("day", "chart", "asset", "signed"),
            [(day, each.chart, each.asset, each.signed_minor) for each in books.positions],
        )


async def legs(tx: Transaction, chain: int, after: int, through: int) -> tuple[Int64s, Int64s]:
    """Accounts and signed amounts of what these blocks of a chain booked."""
    row = await tx.row(
        "SELECT array_agg(l.account_id), array_agg(l.amount) "
        "FROM ledger_entry e, unnest(e.account_ids, e.amounts) AS l (account_id, amount) "
        "WHERE e.chain_id = $1 AND e.block_number > $2 AND e.block_number <= $3",
        chain,
        after,
        through,
    )
    return np.array(row[0] or [], dtype=np.int64), np.array(row[1] or [], dtype=np.int64)


async def places_of(tx: Transaction, accounts: Sequence[int]) -> list[Place]:
    """Where these accounts, in the order of their numbers, are counted. Those not in the books are left out."""
    found = await tx.rows(_PLACES, accounts)
    return [Place(row["chart"], row["asset"], np.array(row["accounts"]), row["astray"]) for row in found]
