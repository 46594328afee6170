"""The proof of the books: every balance recomputed from its postings, every posting held against its entry, every entry
against the hash that sealed it.

What it cannot see: books rewritten whole, hashes and all, by someone who may write the database. Keep the heads it
answers with somewhere else, and compare them.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from uuid import UUID

import numpy as np

from eastflow.storage import Transaction

from .encoding import microseconds
from .seal import block_hash
from .store import proof as store

FINDINGS_MAX = 1_000
ACCOUNTS_EXAMINED_MAX = 20
ENTRIES_AT_ONCE = 20_000
Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """`code` is stable; `place` says where: an account, a posting, an entry, a block, a chain."""

    code: str
    place: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proof:
    """The books are proved if there are no findings. At most 1,000 are kept; `findings_count` has them all."""

    entries: int
    postings: int
    accounts: int
    blocks: int
    findings: tuple[Finding, ...]
    findings_count: int
    heads: Mapping[int, tuple[int, str]]

    @property
    def proved(self) -> bool:
        return self.findings_count == 0


async def verify(tx: Transaction, *, progress: Progress | None = None) -> Proof:
    """`tx` reads one snapshot. Memory grows with the number of accounts, not of entries."""
    work = _Work(progress or (lambda _what, _count: None))
    await store.standings(tx, work.take_standings)
    work.join_standings()
    await store.postings(tx, work.take_postings)
    work.compare_balances()
    for chain, first, last in await store.block_ranges(tx, ENTRIES_AT_ONCE):
        blocks = await store.blocks(tx, chain, first, last)
        work.take_blocks(chain, blocks, await store.entry_rows(tx, chain, first, last))
    heads = await store.heads(tx)
    work.compare_heads(heads)
    for row in await store.entries_without_block(tx, FINDINGS_MAX):
        work.find("entry_without_block", f"entry {row['id']}", chain=row["chain_id"], block=row["block_number"])
    for account in work.accounts_that_differ():
        work.compare_legs(
            account, await store.legs_of_account(tx, account), await store.postings_of_account(tx, account)
        )
    for row in await store.held_differences(tx, FINDINGS_MAX):
        facts = {
            "held_minor": row["held"],
            "active_holds_minor": row["remaining"],
            "hold_changes_minor": row["changed"],
        }
        work.find("held_differs", f"account {row['account_id']}", **facts)
    for row in await store.reversal_differences(tx, FINDINGS_MAX):
        work.find("reversal_differs", f"entry {row['entry_id']}", reversed_by=str(row["reversed_by"]))
    return work.proof({row["id"]: (row["number"], row["hash"].hex()) for row in heads})


class _Work:
    """What is known so far. Accounts are sorted, and columns beside them hold what each must add up to."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._findings: list[Finding] = []
        self._findings_count = 0
        self._counts = {"entries": 0, "postings": 0, "blocks": 0}
        self._parts: list[Any] = []
        self._previous_hash: dict[int, tuple[int, bytes]] = {}
        # Chosen anew for each proof, so that no forger can aim at a digest that stays the same.
        self._keys = [np.uint64(secrets.randbits(64) | 1) for _ in range(6)]

    def find(self, code: str, place: str, **facts: object) -> None:
        self._findings_count += 1
        if len(self._findings) < FINDINGS_MAX:
            self._findings.append(Finding(code, place, facts))

    def count(self, what: str, more: int) -> None:
        self._counts[what] += more
        self._progress(what, self._counts[what])

    def proof(self, heads: Mapping[int, tuple[int, str]]) -> Proof:
        return Proof(
            accounts=len(self._accounts),
            findings=tuple(self._findings),
            findings_count=self._findings_count,
            heads=heads,
            **self._counts,
        )

    def take_standings(self, rows: store.Rows) -> None:
        columns = ("account_id", "posted", "sequence", "side", "asset_number")
        self._parts.append([rows[name].astype(np.int64) for name in columns])

    def join_standings(self) -> None:
        joined = [np.concatenate(column) for column in zip(*self._parts, strict=True)]
        self._accounts, self._posted, self._sequence, self._side, self._asset = joined
        self._parts.clear()
        size = len(self._accounts)
        self._found_posted = np.zeros(size, dtype=np.int64)
        self._found_sequence = np.zeros(size, dtype=np.int64)
        self._posting_digest = np.zeros(size, dtype=np.uint64)
        self._entry_digest = np.zeros(size, dtype=np.uint64)
        self._last = (0, 0, 0, 0)
        for asset in np.unique(self._asset):
            own = self._asset == asset
            total = sum((self._side[own] * self._posted[own]).tolist())
            if total:
                self.find("trial_balance_differs", f"asset number {asset}", difference_minor=total)

    def take_postings(self, rows: store.Rows) -> None:
        """Each against the one before it; the last of a chunk is remembered for the first of the next."""
        if not len(rows):
            return
        self.count("postings", len(rows))
        account, sequence, amount, balance, booked_at = (
            rows[name].astype(np.int64) for name in ("account_id", "sequence", "amount", "balance", "booked_at")
        )
        before = [
            np.concatenate(([last], column[:-1]))
            for last, column in zip(self._last, (account, sequence, balance, booked_at), strict=True)
        ]
        self._last = (int(account[-1]), int(sequence[-1]), int(balance[-1]), int(booked_at[-1]))
        at, known = self._places(account)
        first = account != before[0]
        expected_sequence = np.where(first, 1, before[1] + 1)
        expected_balance = np.where(first, 0, before[2]) + self._side[at] * amount
        checks = (
            ("account_missing", ~known),
            ("sequence_gap", sequence != expected_sequence),
            ("balance_after_differs", known & (balance != expected_balance) & (sequence == expected_sequence)),
            ("booked_out_of_order", ~first & (booked_at < before[3])),
        )
        for code, wrong in checks:
            for row in np.flatnonzero(wrong).tolist():
                facts = {"expected_sequence": int(expected_sequence[row]), "balance_minor": int(balance[row]),
                         "expected_balance_minor": int(expected_balance[row])}  # fmt: skip
                self.find(code, f"account {account[row]}, sequence {sequence[row]}", **facts)
        last = np.concatenate((account[1:] != account[:-1], [True])) & known
        self._found_sequence[at[last]], self._found_posted[at[last]] = sequence[last], balance[last]
        ids = np.ascontiguousarray(rows["entry_id"]).view(">u8").reshape(-1, 2).astype(np.uint64)
        value_days = rows["value_date"].astype(np.int64)
        digest = self._digest(sequence, amount, ids[:, 0], ids[:, 1], value_days, booked_at)
        np.add.at(self._posting_digest, at[known], digest[known])

    def compare_balances(self) -> None:
        wrong = (self._found_posted != self._posted) | (self._found_sequence != self._sequence)
        for at in np.flatnonzero(wrong).tolist():
            self.find(
                "balance_differs",
                f"account {self._accounts[at]}",
                posted_minor=int(self._posted[at]),
                expected_posted_minor=int(self._found_posted[at]),
                sequence=int(self._sequence[at]),
                expected_sequence=int(self._found_sequence[at]),
            )

    def take_blocks(self, chain: int, blocks: list[Any], rows: bytes) -> None:
        by_block = _rows_by_block(rows)
        legs = _Columns()
        for block in blocks:
            number, place = block["number"], f"chain {chain}, block {block['number']}"
            previous, previous_hash = self._previous_hash.get(chain, (0, b""))
            if number != previous + 1:
                self.find("block_missing", f"chain {chain}, block {previous + 1}", next_block=number)
            own = by_block.pop(number, [])
            at = microseconds(block["booked_at"])
            sequences = np.array(block["sequences"], dtype=">i8").tobytes()
            if block_hash(previous_hash, chain, number, at, sequences, own) != block["hash"]:
                self.find("block_hash_differs", place, entries=[str(_id(row)) for row in own[:20]])
            if len(own) != block["entries"]:
                self.find("entry_count_differs", place, entries=len(own), expected_entries=block["entries"])
            self._previous_hash[chain] = (number, block["hash"])
            for row in own:
                legs.take(row, block["sequences"], at)
        self.count("blocks", len(blocks))
        self.count("entries", len(legs.ids))
        if legs.accounts:
            self._take_legs(legs)

    def _take_legs(self, legs: _Columns) -> None:
        account = np.array(legs.accounts, dtype=np.int64)
        amount = np.array(legs.amounts, dtype=np.int64)
        owner = np.array(legs.owners, dtype=np.int64)
        at, known = self._places(account)
        ids = np.frombuffer(b"".join(legs.ids), dtype=">u8").reshape(-1, 2).astype(np.uint64)[owner]
        sequence, day, booked_at = (
            np.array(column, dtype=np.int64) for column in (legs.sequences, legs.value_days, legs.booked_at)
        )
        digest = self._digest(sequence, amount, ids[:, 0], ids[:, 1], day[owner], booked_at[owner])
        np.add.at(self._entry_digest, at[known], digest[known])
        for leg in np.flatnonzero(~known).tolist():
            self.find("account_missing", f"entry {UUID(bytes=legs.ids[legs.owners[leg]])}", account=legs.accounts[leg])
        key = owner * (1 << 16) + self._asset[at]
        order = np.argsort(key, kind="stable")
        starts = np.flatnonzero(np.concatenate(([True], key[order][1:] != key[order][:-1])))
        sums = np.add.reduceat(amount[order], starts)
        for group in np.flatnonzero(sums).tolist():
            entry = UUID(bytes=legs.ids[int(owner[order][starts[group]])])
            self.find("entry_unbalanced", f"entry {entry}", difference_minor=int(sums[group]))

    def compare_heads(self, heads: list[Any]) -> None:
        for row in heads:
            if (row["number"], row["hash"]) != (row["last"] or 0, row["last_hash"] or b""):
                facts = {"number": row["number"], "last_block": row["last"]}
                self.find("chain_head_differs", f"chain {row['id']}", **facts)
        for chain in self._previous_hash.keys() - {row["id"] for row in heads}:
            self.find("chain_head_differs", f"chain {chain}")

    def accounts_that_differ(self) -> list[int]:
        differ = np.flatnonzero(self._posting_digest != self._entry_digest)
        for at in differ[ACCOUNTS_EXAMINED_MAX:].tolist():
            self.find("postings_differ", f"account {self._accounts[at]}")
        return [int(account) for account in self._accounts[differ[:ACCOUNTS_EXAMINED_MAX]]]

    def compare_legs(self, account: int, legs: list[Any], postings: list[Any]) -> None:
        said, posted = _by_sequence(legs), _by_sequence(postings)
        for sequence in sorted(said.keys() | posted.keys()):
            place = f"account {account}, sequence {sequence}"
            if sequence not in posted:
                self.find("posting_missing", place, entry=str(said[sequence][0]))
            elif sequence not in said:
                self.find("posting_without_entry", place, entry=str(posted[sequence][0]))
            elif said[sequence] != posted[sequence]:
                names = ("entry", "amount_minor", "value_date", "booked_at")
                pairs = zip(names, said[sequence], posted[sequence], strict=True)
                differing = {name: [str(one), str(other)] for name, one, other in pairs if one != other}
                self.find("posting_differs", place, entry=str(said[sequence][0]), entry_and_posting=differing)

    def _places(self, accounts: Any) -> tuple[Any, Any]:
        """Where each account stands in the columns, and whether it is there at all (if not, its place is any)."""
        at = np.minimum(np.searchsorted(self._accounts, accounts), len(self._accounts) - 1)
        return at, self._accounts[at] == accounts

    def _digest(self, *columns: Any) -> Any:
        """A keyed 64-bit digest of each leg; digests are added up, so the order does not matter. It wraps around."""
        mixed = np.zeros(len(columns[0]), dtype=np.uint64)
        for key, column in zip(self._keys, columns, strict=True):
            mixed ^= column.astype(np.uint64)
            mixed *= key
            mixed ^= mixed >> np.uint64(29)
        return mixed


class _Columns:
    """The legs of many entries; `owners` says which entry each belongs to."""

    def __init__(self) -> None:
        self.ids: list[bytes] = []
        self.value_days: list[int] = []
        self.booked_at: list[int] = []
        self.owners: list[int] = []
        self.accounts: list[int] = []
        self.amounts: list[int] = []
        self.sequences: list[int] = []

    def take(self, row: bytes, block_sequences: list[int], booked_at: int) -> None:
        first_leg, accounts, amounts, value_day = _legs(row)
        self.owners += [len(self.ids)] * len(accounts)
        self.ids.append(row[_ID_AT : _ID_AT + 16])
        self.value_days.append(value_day)
        self.booked_at.append(booked_at)
        self.accounts += accounts
        self.amounts += amounts
        own = block_sequences[first_leg : first_leg + len(accounts)]
        self.sequences += own + [0] * (len(accounts) - len(own))


_BLOCK_AT, _FIRST_LEG_AT, _ID_AT, _DAY_AT, _KIND_AT = 18, 30, 42, 62, 66
_integer = struct.Struct(">i").unpack_from
_long = struct.Struct(">q").unpack_from
_FIELDS_BEFORE_LEGS, _FIELDS_AFTER_LEGS = 3, 4


def _rows_by_block(rows: bytes) -> dict[int, list[bytes]]:
    found: dict[int, list[bytes]] = {}
    start = 0
    while start < len(rows):
        end = _skip(rows, start + _KIND_AT, _FIELDS_BEFORE_LEGS + 2 + _FIELDS_AFTER_LEGS)
        found.setdefault(_long(rows, start + _BLOCK_AT)[0], []).append(rows[start:end])
        start = end
    return found


def _legs(row: bytes) -> tuple[int, list[int], list[int], int]:
    accounts_at = _skip(row, _KIND_AT, _FIELDS_BEFORE_LEGS)
    amounts_at = _skip(row, accounts_at, 1)
    end = _skip(row, amounts_at, 1)
    arrays = [
        [_long(row, at)[0] for at in range(start + 28, stop, 12)]
        for start, stop in pairwise((accounts_at, amounts_at, end))
    ]
    return _long(row, _FIRST_LEG_AT)[0], arrays[0], arrays[1], _integer(row, _DAY_AT)[0]


def _skip(row: bytes, at: int, fields: int) -> int:
    for _ in range(fields):
        at += 4 + max(_integer(row, at)[0], 0)
    return at


def _id(row: bytes) -> UUID:
    return UUID(bytes=row[_ID_AT : _ID_AT + 16])


def _by_sequence(rows: list[Any]) -> dict[int, tuple[Any, ...]]:
    return {row["sequence"]: (row["id"], row["amount"], row["value_date"], row["booked_at"]) for row in rows}
