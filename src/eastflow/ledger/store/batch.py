"""What a batch reads and writes: balances first, then entries, postings and the block that seals them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np

from eastflow.storage import Transaction

from ..decide import HoldChange, Standing
from ..encoding import ENTRY_COLUMNS, POSTING_COLUMNS
from ..model import Balance, BookedEntry, HeldAmount
from ..netting import Int64s, Nets
from . import rows

# The bound keeps every sum below in 64 bits: |posted|, held, floor and the batch's own sums are each within it.
# The guard is one CASE because a planner without statistics takes plain comparisons for rare, and then reads the
# whole table for each account.
_MOVE = """
WITH moved AS (
    UPDATE ledger_balance AS a
    SET posted = a.posted + a.side * (d.credit - d.debit), sequence = a.sequence + d.legs
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS d (account_id, credit, debit, legs)
    WHERE a.account_id = d.account_id
      AND CASE
            WHEN a.status <> 0 OR a.posted NOT BETWEEN -2305843009213693952 AND 2305843009213693952 THEN FALSE
            WHEN a.floor IS NULL THEN TRUE
            ELSE a.posted - a.held - CASE a.side WHEN 1 THEN d.debit ELSE d.credit END >= a.floor
          END
    RETURNING a.account_id, a.posted, a.sequence, a.side * a.asset_number::bigint AS signed_asset, a.held, a.floor
)
SELECT array_agg(account_id), array_agg(posted), array_agg(sequence), array_agg(signed_asset),
       array_agg(account_id) FILTER (WHERE held <> 0 OR floor IS NOT NULL),
       array_agg(held) FILTER (WHERE held <> 0 OR floor IS NOT NULL),
       array_agg(floor) FILTER (WHERE held <> 0 OR floor IS NOT NULL)
FROM moved
"""
_FREE = (0, None)


@dataclass(frozen=True, slots=True)
class Moved:
    """The accounts a batch moved, after it: columns in the order of the account numbers.

    `bounds` are what is held and the floor, in minor units, of the accounts that have either: most have neither, and
    while they are locked nothing is carried for them that says so.
    """

    posted_minor: Int64s
    sequences: Int64s
    signs: Int64s
    asset_numbers: Int64s
    bounds: Mapping[int, tuple[int, int | None]]

    def held_and_floor_minor(self, account: int) -> tuple[int, int | None]:
        return self.bounds.get(account, _FREE)


async def move(tx: Transaction, nets: Nets) -> Moved | None:
    """Move every balance of the batch in one statement, or None (and the transaction must end) if any account objects:
    it does not exist, is not open, might fall below its floor on the way, or is near the ends of 64 bits."""
    given = (nets.accounts, nets.credits_minor, nets.debits_minor, nets.legs)
    row = await tx.row(_MOVE, *(column.tolist() for column in given))
    if row[0] is None or len(row[0]) != len(nets.accounts):
        return None
    *columns, bound_accounts, held, floors = row
    accounts, posted, sequences, signed_assets = (np.array(column, dtype=np.int64) for column in columns)
    order = np.argsort(accounts, kind="stable")
    signed_assets = signed_assets[order]
    bounds = dict(zip(bound_accounts or (), zip(held or (), floors or (), strict=True), strict=True))
    return Moved(posted[order], sequences[order], np.sign(signed_assets), np.abs(signed_assets), bounds)


async def lock_standings(tx: Transaction, accounts: Sequence[int], asset_codes: dict[int, str]) -> dict[int, Standing]:
    """Lock the accounts in the order of their numbers and read where they stand. Those not there are left out."""
    found = await tx.rows(
        "UPDATE ledger_balance AS a SET held = a.held FROM unnest($1::bigint[]) AS d (account_id) "
        "WHERE a.account_id = d.account_id "
        "RETURNING a.account_id, a.posted, a.held, a.sequence, a.floor, a.side, a.asset_number, a.status",
        sorted(accounts),
    )
    return {row["account_id"]: rows.standing(row, asset_codes) for row in found}


async def write_standings(tx: Transaction, standings: Mapping[int, Standing]) -> None:
    """The accounts are locked, so what was decided is written as it is."""
    ordered = sorted(standings.items())
    count = await tx.execute(
        "UPDATE ledger_balance AS a SET posted = d.posted, held = d.held, sequence = d.sequence "
        "FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS d (account_id, posted, held, sequence) "
        "WHERE a.account_id = d.account_id",
        [account for account, _ in ordered],
        [standing.posted_minor for _, standing in ordered],
        [standing.held_minor for _, standing in ordered],
        [standing.sequence for _, standing in ordered],
    )
    assert count == len(ordered), "each locked account is written once"


async def reversals(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, UUID]:
    found = await tx.rows("SELECT entry_id, reversed_by FROM ledger_reversal WHERE entry_id = ANY($1::uuid[])", ids)
    return {row["entry_id"]: row["reversed_by"] for row in found}


async def holds(tx: Transaction, keys: Sequence[tuple[int, UUID]]) -> dict[tuple[int, UUID], HeldAmount]:
    found = await tx.rows(
        f"SELECT {rows.HOLD} FROM ledger_hold WHERE account_id = ANY($1::bigint[]) AND id = ANY($2::uuid[])",
        [account for account, _ in keys],
        [hold for _, hold in keys],
    )
    return {(row["account_id"], row["id"]): rows.hold(row) for row in found}


async def left_behind(tx: Transaction, booked: Iterable[BookedEntry]) -> dict[UUID, tuple[Balance, ...]]:
    """The balances each entry left behind when it was booked."""
    wanted = [
        (entry.id, account, sequence, entry.booked_at)
        for entry in booked
        for account, sequence in dict(zip(entry.accounts, entry.sequences, strict=True)).items()
    ]
    found = await tx.rows(
        """
        SELECT p.entry_id, p.account_id, p.balance, p.sequence,
            (SELECT coalesce(sum(h.amount), 0)::bigint FROM ledger_hold_change h
             WHERE h.account_id = p.account_id AND h.changed_at <= d.booked_at) AS held,
            (SELECT c.floor FROM ledger_account_change c
             WHERE c.account_id = p.account_id AND c.changed_at <= d.booked_at
             ORDER BY c.changed_at DESC, c.id DESC LIMIT 1) AS floor
        FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[]) AS d (account_id, sequence, booked_at)
        JOIN ledger_posting p ON p.account_id = d.account_id AND p.sequence = d.sequence
        """,
        [account for _, account, _, _ in wanted],
        [sequence for _, _, sequence, _ in wanted],
        [at for _, _, _, at in wanted],
    )
    by_leg = {
        (row["entry_id"], row["account_id"]): Balance(
            row["account_id"], row["balance"], row["held"], row["floor"], row["sequence"]
        )
        for row in found
    }
    left: dict[UUID, tuple[Balance, ...]] = {}
    for entry, account, _, _ in wanted:
        left[entry] = (*left.get(entry, ()), by_leg[entry, account])
    return left


async def write_entries(tx: Transaction, entry_rows: list[bytes]) -> None:
    """Errors: UniqueViolation when one of the ids is in the books."""
    await tx.copy_in("ledger_entry", ENTRY_COLUMNS, entry_rows)


async def write_postings(tx: Transaction, posting_rows: bytes) -> None:
    await tx.copy_in("ledger_posting", POSTING_COLUMNS, [posting_rows])


async def write_reversals(tx: Transaction, reversed_by: Iterable[tuple[UUID, UUID]]) -> None:
    await tx.records_in("ledger_reversal", ("entry_id", "reversed_by"), reversed_by)


async def write_holds(
    tx: Transaction, held: Iterable[HeldAmount], changes: Sequence[tuple[HoldChange, UUID]], at: datetime
) -> None:
    """Each change with an id of its own."""
    await tx.execute_many(
        "INSERT INTO ledger_hold (account_id, id, amount, remaining, status, placed_at, expires_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7) "
        "ON CONFLICT (account_id, id) DO UPDATE SET remaining = excluded.remaining, status = excluded.status",
        [
            (h.account, h.id, h.amount_minor, h.remaining_minor, rows.HOLD_STATUS_NUMBERS[h.status], h.placed_at,
             h.expires_at)
            for h in held
        ],
    )  # fmt: skip
    records: list[tuple[Any, ...]] = [
        (change.account, at, id, change.hold, change.amount_minor, change.entry) for change, id in changes
    ]
    columns = ("account_id", "changed_at", "id", "hold_id", "amount", "entry_id")
    await tx.records_in("ledger_hold_change", columns, records)


async def asset_numbers(tx: Transaction) -> dict[str, int]:
    return {row["code"]: row["number"] for row in await tx.rows("SELECT code, number FROM ledger_asset")}
