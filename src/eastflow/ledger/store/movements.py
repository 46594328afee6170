"""What moved, account by account: the legs of a range of blocks in columns, and an account's changes by value date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from eastflow.kernel import INT64_MAX
from eastflow.storage import Transaction

from ..netting import Int64s
from .events import chain_numbers
from .reads import balance_after, sequence_booked_before

BLOCKS_PER_READ = 200


@dataclass(frozen=True, slots=True)
class Movements:
    """Legs in columns, by account and, within it, by sequence. Amounts are signed: positive credits the account."""

    accounts: Int64s
    sequences: Int64s
    value_ordinals: Int64s
    """The value dates as `date.toordinal()` counts them."""
    amounts_minor: Int64s

    def __len__(self) -> int:
        return len(self.accounts)


async def moved_between(
    tx: Transaction, after: Mapping[int, int], through: Mapping[int, int] | None = None, *, without_kind: str = ""
) -> Movements:
    """The legs of the blocks that follow the numbers `after`, up to the numbers `through` (all there are, if None), but
    of no entry of the kind `without_kind`.

    A chain that `after` does not name is read from its start; one that `through` does not name is not read.
    """
    ends = await chain_numbers(tx) if through is None else through
    pieces = []
    for chain in sorted(ends):
        for start in range(after.get(chain, 0), ends[chain], BLOCKS_PER_READ):
            pieces.append(await _legs(tx, chain, start, min(start + BLOCKS_PER_READ, ends[chain]), without_kind))
    columns = [np.concatenate([_NONE, *column]) for column in zip(*pieces, strict=True)] or [_NONE] * 4
    order = np.lexsort((columns[1], columns[0]))
    return Movements(*(column[order] for column in columns))


async def changes_valued_since(
    tx: Transaction, account: int, since: date, *, sequence: int = INT64_MAX
) -> tuple[int, list[tuple[date, int]]]:
    """The balance valued before `since`, and the net change of each value date from then on, in their order: of the
    account's postings up to `sequence`, and on its own side. An account that is not there has a balance of 0."""
    standing = await tx.row("SELECT side, sequence FROM ledger_balance WHERE account_id = $1", account)
    if standing is None:
        return 0, []
    last = min(sequence, standing["sequence"])
    # No value date is after the day of the booking, and the bank's calendar may be up to a day away from UTC.
    booked_from = datetime.combine(since - timedelta(days=1), time(), UTC)
    found = await tx.rows(
        "SELECT value_date, sum(amount)::bigint AS net FROM ledger_posting "
        "WHERE account_id = $1 AND sequence > $2 AND sequence <= $3 AND value_date >= $4 "
        "GROUP BY value_date ORDER BY value_date",
        account,
        await sequence_booked_before(tx, account, booked_from),
        last,
        since,
    )
    changes = [(row["value_date"], standing["side"] * row["net"]) for row in found]
    return await balance_after(tx, account, last) - sum(net for _, net in changes), changes


async def changes_booked_after(tx: Transaction, account: int, after: int, through: int) -> list[tuple[date, int]]:
    """The net change of each value date, in their order and on the account's own side: of the postings after the
    sequence `after`, up to `through`."""
    found = await tx.rows(
        "SELECT p.value_date, sum(p.amount)::bigint * b.side AS net FROM ledger_posting p "
        "JOIN ledger_balance b ON b.account_id = p.account_id "
        "WHERE p.account_id = $1 AND p.sequence > $2 AND p.sequence <= $3 "
        "GROUP BY p.value_date, b.side ORDER BY p.value_date",
        account,
        after,
        through,
    )
    return [(row["value_date"], row["net"]) for row in found]


async def last_sequence_valued_by(tx: Transaction, account: int, day: date) -> int:
    """The account's last posting before the first one that is valued after `day`."""
    booked_from = datetime.combine(day - timedelta(days=1), time(), UTC)
    first: int | None = await tx.value(
        "SELECT min(sequence) FROM ledger_posting WHERE account_id = $1 AND sequence > $2 AND value_date > $3",
        account,
        await sequence_booked_before(tx, account, booked_from),
        day,
    )
    if first is not None:
        return first - 1
    return int(await tx.value("SELECT sequence FROM ledger_balance WHERE account_id = $1", account) or 0)


async def standings_of(tx: Transaction, accounts: Sequence[int]) -> tuple[list[int], list[int], list[int]]:
    """In columns, of those that are there, by number: account, posted balance (on its own side) and sequence."""
    row = await tx.row(
        "SELECT array_agg(account_id), array_agg(posted), array_agg(sequence) FROM "
        "(SELECT account_id, posted, sequence FROM ledger_balance WHERE account_id = ANY($1::bigint[]) "
        "ORDER BY account_id) AS b",
        list(accounts),
    )
    return row[0] or [], row[1] or [], row[2] or []


_NONE: Int64s = np.empty(0, dtype=np.int64)


async def _legs(tx: Transaction, chain: int, after: int, through: int, without_kind: str) -> tuple[Int64s, ...]:
    """Accounts, sequences, value dates and amounts. The places of a block's legs are kept by the block, in the order of
    its legs: they are read apart and found by the first leg of each entry."""
    entries = await tx.rows(
        "SELECT block_number, first_leg, account_ids, amounts, value_date FROM ledger_entry "
        "WHERE chain_id = $1 AND block_number > $2 AND block_number <= $3 AND kind <> $4 "
        "ORDER BY block_number, first_leg",
        chain,
        after,
        through,
        without_kind,
    )
    blocks = sorted({row["block_number"] for row in entries})
    placed = await tx.rows(
        "SELECT number, sequences FROM ledger_block WHERE chain_id = $1 AND number = ANY($2::bigint[])", chain, blocks
    )
    places = {row["number"]: row["sequences"] for row in placed}
    sequences: list[int] = []
    for row in entries:
        first = row["first_leg"]
        sequences += places[row["block_number"]][first : first + len(row["amounts"])]
    days = np.array([row["value_date"].toordinal() for row in entries], dtype=np.int64)
    counts = np.array([len(row["amounts"]) for row in entries], dtype=np.int64)
    accounts, amounts = (_flat([row[name] for row in entries]) for name in ("account_ids", "amounts"))
    return accounts, np.array(sequences, dtype=np.int64), np.repeat(days, counts), amounts


def _flat(lists: list[list[int]]) -> Int64s:
    return np.array([each for part in lists for each in part], dtype=np.int64)
