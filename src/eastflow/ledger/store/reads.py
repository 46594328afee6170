"""Balances, statements and the trial balance: what the books say, now and at any past moment.

As booked, an account's postings are in the order of their sequence and of their booking time, so a moment is found by
bisecting the sequence. As valued, a posting counts from its value date, which is never after the day it was booked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from eastflow.kernel import INT64_MAX
from eastflow.storage import Transaction

from ..model import Balance, BookedPosting, HeldAmount
from ..reports import Position, StatementLine
from . import rows


async def balance(tx: Transaction, account: int) -> Balance | None:
    return (await balances(tx, [account])).get(account)


async def balances(tx: Transaction, accounts: Sequence[int]) -> dict[int, Balance]:
    found = await tx.rows(
        f"SELECT {rows.BALANCE} FROM ledger_balance WHERE account_id = ANY($1::bigint[])", list(accounts)
    )
    return {row["account_id"]: rows.balance(row) for row in found}


async def balance_booked_at(tx: Transaction, account: int, at: datetime) -> Balance | None:
    """Posted, held and floor as they stood at `at`, that moment included; None if the account was not open yet."""
    change = await tx.row(
        "SELECT floor FROM ledger_account_change WHERE account_id = $1 AND changed_at <= $2 "
        "ORDER BY changed_at DESC, id DESC LIMIT 1",
        account,
        at,
    )
    if change is None:
        return None
    sequence = await sequence_booked_before(tx, account, at + timedelta(microseconds=1))
    held: int = await tx.value(
        "SELECT coalesce(sum(amount), 0)::bigint FROM ledger_hold_change WHERE account_id = $1 AND changed_at <= $2",
        account,
        at,
    )
    return Balance(account, await balance_after(tx, account, sequence), held, change["floor"], sequence)


async def balance_valued_on(tx: Transaction, account: int, day: date) -> int:
    """The posted balance counting what has a value date up to `day`, that day included."""
    return await balance_valued_through(tx, account, day, INT64_MAX)


async def balance_valued_through(tx: Transaction, account: int, day: date, sequence: int) -> int:
    """The same, but of that day counting only the postings up to `sequence`."""
    start = await _sequence_valued_by(tx, account, day)
    moved: int = await tx.value(
        "SELECT coalesce(sum(p.amount), 0)::bigint FROM ledger_posting p "
        "WHERE p.account_id = $1 AND p.sequence > $2 AND (p.value_date, p.sequence) <= ($3, $4)",
        account,
        start,
        day,
        sequence,
    )
    sign: int = await tx.value("SELECT side FROM ledger_balance WHERE account_id = $1", account)
    return await balance_after(tx, account, start) + sign * moved


async def sequence_booked_before(tx: Transaction, account: int, at: datetime) -> int:
    """The last sequence number booked before `at`; 0 if there is none."""
    low, high = 0, int(await tx.value("SELECT sequence FROM ledger_balance WHERE account_id = $1", account) or 0)
    while low < high:
        middle = (low + high + 1) // 2
        booked_at = await tx.value(
            "SELECT booked_at FROM ledger_posting WHERE account_id = $1 AND sequence = $2", account, middle
        )
        low, high = (middle, high) if booked_at is not None and booked_at < at else (low, middle - 1)
    return low


async def balance_after(tx: Transaction, account: int, sequence: int) -> int:
    if sequence == 0:
        return 0
    found: int = await tx.value(
        "SELECT balance FROM ledger_posting WHERE account_id = $1 AND sequence = $2", account, sequence
    )
    return found


async def _sequence_valued_by(tx: Transaction, account: int, day: date) -> int:
    # A day's margin: the bank's calendar may be up to a day away from UTC.
    return await sequence_booked_before(tx, account, datetime.combine(day - timedelta(days=1), time(), UTC))


async def postings(tx: Transaction, account: int, *, after: int, through: int, limit: int) -> list[BookedPosting]:
    found = await tx.rows(
        f"SELECT {rows.POSTING} FROM ledger_posting WHERE account_id = $1 AND sequence > $2 AND sequence <= $3 "
        "ORDER BY sequence LIMIT $4",
        account,
        after,
        through,
        limit,
    )
    return [rows.posting(row) for row in found]


async def postings_valued(
    tx: Transaction, account: int, *, since: date, until: date, after: tuple[date, int], limit: int
) -> list[BookedPosting]:
    """Postings with a value date from `since` to `until`, both included, in the order of value date and sequence."""
    start = await _sequence_valued_by(tx, account, since)
    found = await tx.rows(
        f"SELECT {rows.POSTING} FROM ledger_posting WHERE account_id = $1 AND sequence > $2 "
        "AND value_date BETWEEN $3 AND $4 AND (value_date, sequence) > ($5, $6) "
        "ORDER BY value_date, sequence LIMIT $7",
        account,
        start,
        since,
        until,
        *after,
        limit,
    )
    return [rows.posting(row) for row in found]


async def lines(tx: Transaction, found: Sequence[BookedPosting], running: Sequence[int]) -> list[StatementLine]:
    ids = list({posting.entry for posting in found})
    by_id = {
        row["id"]: row
        for row in await tx.rows("SELECT id, kind, memo FROM ledger_entry WHERE id = ANY($1::uuid[])", ids)
    }
    return [
        StatementLine(posting, balance, by_id[posting.entry]["kind"], by_id[posting.entry]["memo"])
        for posting, balance in zip(found, running, strict=True)
    ]


async def hold(tx: Transaction, account: int, id: UUID) -> HeldAmount | None:
    row = await tx.row(f"SELECT {rows.HOLD} FROM ledger_hold WHERE account_id = $1 AND id = $2", account, id)
    return row and rows.hold(row)


async def holds(tx: Transaction, account: int, *, after: UUID | None, limit: int) -> list[HeldAmount]:
    found = await tx.rows(
        f"SELECT {rows.HOLD} FROM ledger_hold WHERE account_id = $1 AND ($2::uuid IS NULL OR id > $2) "
        "ORDER BY id LIMIT $3",
        account,
        after,
        limit,
    )
    return [rows.hold(row) for row in found]


async def expired_holds(tx: Transaction, at: datetime, limit: int) -> list[tuple[int, UUID]]:
    found = await tx.rows(
        "SELECT account_id, id FROM ledger_hold WHERE status = 0 AND expires_at <= $1 ORDER BY expires_at LIMIT $2",
        at,
        limit,
    )
    return [(row["account_id"], row["id"]) for row in found]


async def positions(tx: Transaction, at: datetime | None = None) -> list[Position]:
    """The balance of each asset at each place of the chart, now or as booked at a past moment."""
    found = await tx.rows(
        """
        WITH later AS (
            SELECT l.account_id, sum(l.amount) AS amount
            FROM ledger_block b
            JOIN ledger_entry e ON e.chain_id = b.chain_id AND e.block_number = b.number,
                unnest(e.account_ids, e.amounts) AS l (account_id, amount)
            WHERE $1::timestamptz IS NOT NULL AND b.booked_at > $1
            GROUP BY l.account_id
        )
        SELECT a.chart, a.asset, count(*) AS accounts,
            sum(b.side * b.posted - coalesce(later.amount, 0))::numeric AS signed
        FROM ledger_account a
        JOIN ledger_balance b ON b.account_id = a.id
        LEFT JOIN later ON later.account_id = a.id
        GROUP BY a.chart, a.asset
        ORDER BY a.asset, a.chart
        """,
        at,
    )
    return [Position(row["chart"], row["asset"], int(row["signed"]), row["accounts"]) for row in found]
