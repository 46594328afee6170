"""The proof of the books: every balance recomputed from its postings, every posting held against its entry, every entry
against the hash that sealed it.

What it cannot see: books rewritten whole, hashes and all, by someone who may write the database. Keep the heads it
answers with somewhere else, and give them to the next proof as `anchors`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np

from eastflow.storage import Transaction

from .encoding import microseconds, moment
from .proof_rows import EntryRows, Legs, joined
from .seal import block_hash
from .store import proof as store

FINDINGS_PER_CODE_MAX = 100
"""So many of each code are kept and all are counted: a flood of one kind hides no other."""
ENTRIES_AT_ONCE = 20_000
BUCKET_BITS, BUCKETS_EXAMINED_MAX = 20, 1_000
Heads = Mapping[int, tuple[int, str]]
Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """`code` is stable; `place` says where: an account, a posting, an entry, a block, a chain."""

    code: str
    place: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proof:
    """The books are proved if there are no findings. At most 100 of each code are kept; `findings_count` says all."""

    entries: int
    postings: int
    accounts: int
    blocks: int
    findings: tuple[Finding, ...]
    findings_count: int
    heads: Heads

    @property
    def proved(self) -> bool:
        return self.findings_count == 0


async def verify(tx: Transaction, *, progress: Progress | None = None, anchors: Heads | None = None) -> Proof:
    """`tx` reads one snapshot. Memory grows with the number of accounts, not of entries.

    `anchors` are the heads of an earlier proof, kept where no writer of these books can reach them.
    """
    work = _Work(progress or (lambda _what, _count: None))
    await store.standings(tx, work.take_standings)
    work.join_standings()
    await store.postings(tx, work.take_postings)
    work.compare_balances()
    ranges = await store.block_ranges(tx, ENTRIES_AT_ONCE)
    for chain, first, last in ranges:
        blocks = await store.blocks(tx, chain, first, last)
        work.take_blocks(chain, blocks, await store.entry_rows(tx, chain, first, last))
    heads = await store.heads(tx)
    work.compare_heads(heads)
    for chain, (number, expected) in sorted((anchors or {}).items()):
        found = await store.hash_of_block(tx, chain, number)
        if number and (found or b"").hex() != expected:
            facts = {"expected": expected, "found": found and found.hex()}
            work.find("anchor_differs", f"chain {chain}, block {number}", **facts)
    if await store.count_entries(tx) != work.entries_in_blocks:
        for row in await store.entries_without_block(tx, FINDINGS_PER_CODE_MAX):
            work.find("entry_without_block", f"entry {row['id']}", chain=row["chain_id"], block=row["block_number"])
    if work.legs_differ():
        suspects = work.suspects()
        await store.postings(tx, suspects.take_postings)
        for chain, first, last in ranges:
            blocks = await store.blocks(tx, chain, first, last)
            suspects.take_blocks(blocks, EntryRows(await store.entry_rows(tx, chain, first, last)))
        suspects.compare(work.find)
    await _compare_registers(tx, work)
    return work.proof({row["id"]: (row["number"], row["hash"].hex()) for row in heads})


async def _compare_registers(tx: Transaction, work: _Work) -> None:
    """What the database can compare by itself: each account, hold and reversal with the record of how it came about."""
    limit = FINDINGS_PER_CODE_MAX
    for row in await store.account_differences(tx, limit):
        place = f"account {row['account_id']}"
        if row["asset"] is None or row["kept_side"] is None:
            work.find("account_missing", place, register="account" if row["asset"] is None else "balance")
        else:
            work.find("account_differs", place, **{name: row[name] for name in ("asset", "kept_asset", "side")})
    for row in await store.standing_differences(tx, limit):
        work.find("standing_differs", f"account {row['account_id']}", status=row["status"], floor_minor=row["floor"])
    for row in await store.held_differences(tx, limit):
        facts = {
            "held_minor": row["held"],
            "active_holds_minor": row["remaining"],
            "hold_changes_minor": row["changed"],
        }
        work.find("held_differs", f"account {row['account_id']}", **facts)
    for row in await store.hold_differences(tx, limit):
        facts = {"remaining_minor": row["remaining"], "hold_changes_minor": row["changed"], "status": row["status"]}
        work.find("hold_differs", f"account {row['account_id']}, hold {row['hold_id']}", **facts)
    for row in await store.capture_differences(tx, limit):
        work.find("capture_differs", f"entry {row['entry_id']}", account=row["account_id"], hold=str(row["hold_id"]))
    for row in await store.reversal_differences(tx, limit):
        work.find("reversal_differs", f"entry {row['entry_id']}", reversed_by=str(row["reversed_by"]))


class _Digests:
    """Legs summed into buckets by account and sequence: postings added, legs of entries subtracted.

    A bucket that is not zero at the end holds something that is on one side only.
    """

    def __init__(self) -> None:
        # Chosen anew for each proof, so that no forger can aim at a digest that stays the same.
        self._keys = [np.uint64(secrets.randbits(64) | 1) for _ in range(7)]
        self._place_keys = [np.uint64(secrets.randbits(64) | 1) for _ in range(2)]
        self._buckets = np.zeros(1 << BUCKET_BITS, dtype=np.uint64)

    def add(self, legs: Legs) -> None:
        np.add.at(self._buckets, self.bucket(legs), self.digest(legs))

    def subtract(self, legs: Legs) -> None:
        np.subtract.at(self._buckets, self.bucket(legs), self.digest(legs))

    def differing(self) -> Any:
        return np.flatnonzero(self._buckets)

    def digest(self, legs: Legs) -> Any:
        return _mixed(legs.columns(), self._keys)

    def bucket(self, legs: Legs) -> Any:
        return _mixed((legs.account, legs.sequence), self._place_keys) >> np.uint64(64 - BUCKET_BITS)


def _mixed(columns: tuple[Any, ...], keys: list[np.uint64]) -> Any:
    """64 bits for each row. It wraps around."""
    mixed = np.zeros(len(columns[0]), dtype=np.uint64)
    for key, column in zip(keys, columns, strict=True):
        mixed ^= column.astype(np.uint64)
        mixed *= key
        mixed ^= mixed >> np.uint64(29)
    return mixed


class _Work:
    """What is known so far. Accounts are sorted, and columns beside them hold what each must add up to."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._findings: dict[str, list[Finding]] = {}
        self._findings_count = 0
        self._counts = {"entries": 0, "postings": 0, "blocks": 0}
        self._parts: list[Any] = []
        self._previous_hash: dict[int, tuple[int, bytes]] = {}
        self._digests = _Digests()

    @property
    def entries_in_blocks(self) -> int:
        return self._counts["entries"]

    def find(self, code: str, place: str, **facts: object) -> None:
        self._findings_count += 1
        kept = self._findings.setdefault(code, [])
        if len(kept) < FINDINGS_PER_CODE_MAX:
            kept.append(Finding(code, place, facts))

    def find_each(self, code: str, wrong: Any, tell: Callable[[int], tuple[str, Mapping[str, object]]]) -> None:
        """`tell` gives place and facts of a row; it is asked only for those that are kept."""
        rows = np.flatnonzero(wrong)
        room = FINDINGS_PER_CODE_MAX - len(self._findings.get(code, ()))
        for row in rows[:room].tolist():
            place, facts = tell(row)
            self.find(code, place, **facts)
        self._findings_count += max(len(rows) - room, 0)

    def count(self, what: str, more: int) -> None:
        self._counts[what] += more
        self._progress(what, self._counts[what])

    def proof(self, heads: Heads) -> Proof:
        return Proof(
            accounts=len(self._accounts),
            findings=tuple(finding for kept in self._findings.values() for finding in kept),
            findings_count=self._findings_count,
            heads=heads,
            **self._counts,
        )

    def take_standings(self, rows: store.Rows) -> None:
        columns = ("account_id", "posted", "sequence", "side", "asset_number")
        self._parts.append([rows[name].astype(np.int64) for name in columns])

    def join_standings(self) -> None:
        joined_columns = [np.concatenate(column) for column in zip(*self._parts, strict=True)]
        self._accounts, self._posted, self._sequence, self._side, self._asset = joined_columns
        self._parts.clear()
        size = len(self._accounts)
        self._found_posted = np.zeros(size, dtype=np.int64)
        self._found_sequence = np.zeros(size, dtype=np.int64)
        self._last = (0, 0, 0, 0)
        for asset in np.unique(self._asset):
            own = self._asset == asset
            high, low = _halves(self._posted[own])
            total = _whole((self._side[own] * high).sum(), (self._side[own] * low).sum())
            if total:
                self.find("trial_balance_differs", f"asset number {asset}", difference_minor=total)

    def take_postings(self, rows: store.Rows) -> None:
        """Each against the one before it; the last of a chunk is remembered for the first of the next."""
        if not len(rows):
            return
        self.count("postings", len(rows))
        legs, balance = posting_legs(rows)
        account, sequence, booked_at = legs.account, legs.sequence, legs.booked_at
        before = [
            np.concatenate(([last], column[:-1]))
            for last, column in zip(self._last, (account, sequence, balance, booked_at), strict=True)
        ]
        self._last = (int(account[-1]), int(sequence[-1]), int(balance[-1]), int(booked_at[-1]))
        at, known = self._places(account)
        first = account != before[0]
        expected_sequence = np.where(first, 1, before[1] + 1)
        side = self._side[at] if len(self._side) else 0
        expected_balance = np.where(first, 0, before[2]) + side * legs.amount_minor
        in_sequence = sequence == expected_sequence

        def tell(row: int) -> tuple[str, Mapping[str, object]]:
            facts = {"expected_sequence": int(expected_sequence[row]), "balance_minor": int(balance[row]),
                     "expected_balance_minor": int(expected_balance[row])}  # fmt: skip
            return f"account {account[row]}, sequence {sequence[row]}", facts

        self.find_each("account_missing", ~known, tell)
        self.find_each("sequence_gap", ~in_sequence, tell)
        self.find_each("balance_after_differs", known & (balance != expected_balance) & in_sequence, tell)
        self.find_each("booked_out_of_order", ~first & (booked_at < before[3]), tell)
        last = np.concatenate((account[1:] != account[:-1], [True])) & known
        self._found_sequence[at[last]], self._found_posted[at[last]] = sequence[last], balance[last]
        self._digests.add(legs)

    def compare_balances(self) -> None:
        def tell(at: int) -> tuple[str, Mapping[str, object]]:
            return f"account {self._accounts[at]}", {
                "posted_minor": int(self._posted[at]),
                "expected_posted_minor": int(self._found_posted[at]),
                "sequence": int(self._sequence[at]),
                "expected_sequence": int(self._found_sequence[at]),
            }

        wrong = (self._found_posted != self._posted) | (self._found_sequence != self._sequence)
        self.find_each("balance_differs", wrong, tell)

    def take_blocks(self, chain: int, blocks: list[Any], data: bytes) -> None:
        rows = EntryRows(data)
        numbers = [block["number"] for block in blocks]
        begins, ends = (np.searchsorted(rows.blocks, numbers, side=side).tolist() for side in ("left", "right"))
        for block, begin, end in zip(blocks, begins, ends, strict=True):
            number, place = block["number"], f"chain {chain}, block {block['number']}"
            previous, previous_hash = self._previous_hash.get(chain, (0, b""))
            if number != previous + 1:
                self.find("block_missing", f"chain {chain}, block {previous + 1}", next_block=number)
            if not _is_sealed(block, previous_hash, chain, rows.between(begin, end)):
                shown = range(begin, min(end, begin + 20))
                self.find("block_hash_differs", place, entries=[_id(rows.ids_high[r], rows.ids_low[r]) for r in shown])
            if end - begin != block["entries"]:
                self.find("entry_count_differs", place, entries=end - begin, expected_entries=block["entries"])
            self._previous_hash[chain] = (number, block["hash"])
        self.count("blocks", len(blocks))
        self.count("entries", sum(ends) - sum(begins))
        legs, leg_rows, unreadable = entry_legs(blocks, rows)

        def tell(row: int) -> tuple[str, Mapping[str, object]]:
            place = f"entry {_id(rows.ids_high[row], rows.ids_low[row])}"
            return place, {"chain": chain, "block": int(rows.blocks[row])}

        self.find_each("entry_malformed", unreadable, tell)
        if len(leg_rows):
            self._digests.subtract(legs)
            self._balance_entries(legs, leg_rows)

    def _balance_entries(self, legs: Legs, row: Any) -> None:
        """Each entry sums to zero in each asset. Summed in halves, since forged amounts may pass 64 bits."""
        at, known = self._places(legs.account)

        def entry(leg: int) -> str:
            return f"entry {_id(legs.id_high[leg], legs.id_low[leg])}"

        self.find_each("account_missing", ~known, lambda leg: (entry(leg), {"account": int(legs.account[leg])}))
        if not len(self._asset):
            return
        key = row * (1 << 17) + self._asset[at]
        order = np.argsort(key, kind="stable")
        starts = np.flatnonzero(np.concatenate(([True], key[order][1:] != key[order][:-1])))
        high, low = (np.add.reduceat(half[order], starts) for half in _halves(legs.amount_minor))
        wrong = ((high << 32) + low != 0) | (high + (low >> 32) != 0)
        self.find_each(
            "entry_unbalanced",
            wrong,
            lambda group: (entry(order[starts[group]]), {"difference_minor": _whole(high[group], low[group])}),
        )

    def compare_heads(self, heads: list[Any]) -> None:
        for row in heads:
            if (row["number"], row["hash"]) != (row["last"] or 0, row["last_hash"] or b""):
                facts = {"number": row["number"], "last_block": row["last"]}
                self.find("chain_head_differs", f"chain {row['id']}", **facts)
        for chain in sorted(self._previous_hash.keys() - {row["id"] for row in heads}):
            self.find("chain_head_differs", f"chain {chain}")

    def legs_differ(self) -> bool:
        return bool(len(self._digests.differing()))

    def suspects(self) -> _Suspects:
        return _Suspects(self._digests)

    def _places(self, accounts: Any) -> tuple[Any, Any]:
        """Where each account stands in the columns, and whether it is there at all (if not, its place is any)."""
        if not len(self._accounts):
            return np.zeros(len(accounts), dtype=np.int64), np.zeros(len(accounts), dtype=np.bool_)
        at = np.minimum(np.searchsorted(self._accounts, accounts), len(self._accounts) - 1)
        return at, self._accounts[at] == accounts


class _Suspects:
    """A second reading keeps the few legs that fall into the buckets that differ, however busy their accounts are."""

    def __init__(self, digests: _Digests) -> None:
        self._digests = digests
        self._suspect = np.zeros(1 << BUCKET_BITS, dtype=np.bool_)
        self._suspect[digests.differing()[:BUCKETS_EXAMINED_MAX]] = True
        none = np.empty(0, dtype=np.int64)
        self._posted, self._said = [Legs(*[none] * 7)], [Legs(*[none] * 7)]

    def take_postings(self, rows: store.Rows) -> None:
        self._keep(self._posted, posting_legs(rows)[0])

    def take_blocks(self, blocks: list[Any], rows: EntryRows) -> None:
        self._keep(self._said, entry_legs(blocks, rows)[0])

    def _keep(self, kept: list[Legs], legs: Legs) -> None:
        kept.append(legs.only(self._suspect[self._digests.bucket(legs)]))

    def compare(self, find: Callable[..., None]) -> None:
        posted, said = joined(self._posted), joined(self._said)
        posted_digest, said_digest = self._digests.digest(posted), self._digests.digest(said)
        _, first, times = np.unique(said_digest, return_index=True, return_counts=True)
        for leg, count in zip(first[times > 1].tolist(), times[times > 1].tolist(), strict=True):
            find("leg_repeated", _place(said, leg), entry=_id(said.id_high[leg], said.id_low[leg]), times=count)
        only_posted = posted.only(~np.isin(posted_digest, said_digest))
        only_said = said.only(~np.isin(said_digest, posted_digest))
        unmatched = {_place(only_posted, at): at for at in range(len(only_posted.account))}
        for leg in np.lexsort((only_said.sequence, only_said.account)).tolist():
            place, entry = _place(only_said, leg), _id(only_said.id_high[leg], only_said.id_low[leg])
            posting = unmatched.pop(place, None)
            if posting is None:
                find("posting_missing", place, entry=entry, amount_minor=int(only_said.amount_minor[leg]))
                continue
            one, other = _facts(only_said, leg), _facts(only_posted, posting)
            differing = {name: [one[name], other[name]] for name in one if one[name] != other[name]}
            find("posting_differs", place, entry=entry, entry_and_posting=differing)
        for place, at in unmatched.items():
            entry = _id(only_posted.id_high[at], only_posted.id_low[at])
            find("posting_without_entry", place, entry=entry, amount_minor=int(only_posted.amount_minor[at]))


def posting_legs(rows: store.Rows) -> tuple[Legs, Any]:
    """The postings as legs, and the balance after each."""
    ids = np.ascontiguousarray(rows["entry_id"]).view(">u8").reshape(-1, 2).astype(np.uint64)
    account, sequence, amount, value_day, booked_at, balance = (
        rows[name].astype(np.int64)
        for name in ("account_id", "sequence", "amount", "value_date", "booked_at", "balance")
    )
    return Legs(account, sequence, amount, ids[:, 0], ids[:, 1], value_day, booked_at), balance


def entry_legs(blocks: list[Any], rows: EntryRows) -> tuple[Legs, Any, Any]:
    """The legs of the entries of these blocks, the row each belongs to, and which rows cannot be read.

    A leg's sequence and time are said by its block; an entry that points outside its block's sequences is unreadable.
    """
    numbers = np.array([block["number"] for block in blocks], dtype=np.int64)
    sizes = np.array([len(block["sequences"]) if _is_readable(block) else 0 for block in blocks], dtype=np.int64)
    times = np.array([microseconds(b["booked_at"]) if _is_readable(b) else 0 for b in blocks], dtype=np.int64)
    readable = [block["sequences"] for block in blocks if _is_readable(block)]
    sequences = np.array([sequence for own in readable for sequence in own], dtype=np.int64)
    block = np.minimum(np.searchsorted(numbers, rows.blocks), len(numbers) - 1)
    within = numbers[block] == rows.blocks
    fits = (rows.first_legs >= 0) & (rows.first_legs <= sizes[block] - rows.legs) & (rows.legs > 0)
    row, place, account, amount = rows.of_legs(np.where(within & fits, rows.legs, 0))
    own = block[row]
    legs = Legs(
        account,
        sequences[(np.cumsum(sizes) - sizes)[own] + rows.first_legs[row] + place],
        amount,
        rows.ids_high[row],
        rows.ids_low[row],
        rows.value_days[row],
        times[own],
    )
    return legs, row, within & ~fits


def _is_readable(block: Any) -> bool:
    """A forged block may be dated at infinity, which comes without a time zone, or hold nulls or rows of numbers."""
    return block["booked_at"].tzinfo is not None and all(type(number) is int for number in block["sequences"])


def _is_sealed(block: Any, previous_hash: bytes, chain: int, rows: bytes) -> bool:
    if not _is_readable(block):
        return False
    sequences = np.array(block["sequences"], dtype=">i8").tobytes()
    at = microseconds(block["booked_at"])
    return bool(block_hash(previous_hash, chain, block["number"], at, sequences, [rows]) == block["hash"])


def _halves(amounts: Any) -> tuple[Any, Any]:
    return amounts >> 32, amounts & 0xFFFF_FFFF


def _whole(high: Any, low: Any) -> int:
    return (int(high) << 32) + int(low)


def _id(high: Any, low: Any) -> str:
    return str(UUID(int=int(high) << 64 | int(low)))


def _place(legs: Legs, at: int) -> str:
    return f"account {legs.account[at]}, sequence {legs.sequence[at]}"


def _facts(legs: Legs, at: int) -> dict[str, object]:
    return {
        "entry": _id(legs.id_high[at], legs.id_low[at]),
        "amount_minor": int(legs.amount_minor[at]),
        "value_date": _said_in(timedelta(days=1), legs.value_day[at])[:10],
        "booked_at": _said_in(timedelta(microseconds=1), legs.booked_at[at]),
    }


def _said_in(unit: timedelta, count: Any) -> str:
    try:
        return str(moment(0) + unit * int(count))
    except OverflowError:
        return "infinity"
