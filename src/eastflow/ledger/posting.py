"""A batch in one transaction, in one of two ways that answer alike.

The quick way moves all balances in one guarded statement and needs every account to agree. If one does not, or the
batch holds anything that must be judged in order, the transaction is begun anew and the accounts are locked, read,
judged by `decide.judge` and written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

import numpy as np

from eastflow.kernel import unix_milliseconds, uuid7
from eastflow.storage import Clock, Retry, Transaction, UniqueViolation, now

from . import encoding
from .decide import Books, Moment, judge, touched_accounts, touched_hold
from .model import Balance, BookedEntry, Command, Done, Entry, Outcome
from .netting import Int64s, running
from .prepare import Prepared
from .seal import block_hash
from .store import batch as store
from .store import chain as chain_store
from .store.chain import Head
from .store.entries import entries

Calendar = Callable[[], date]


@dataclass(frozen=True, slots=True)
class Written:
    """What became of each command, in their order, and the head of the chain after the block."""

    outcomes: Sequence[Outcome]
    head: Head


class Contested(Exception):
    """The quick way does not apply; the transaction must end and the batch be judged."""


def new_id(at: datetime | None = None) -> UUID:
    """A fresh time-ordered id (UUID version 7), for what its caller brings no id of its own for."""
    return uuid7(unix_milliseconds(at or now()), os.urandom(10))


async def post_quickly(tx: Transaction, prepared: Prepared, head: Head, clock: Clock = now) -> Written:
    """Errors: Contested."""
    if not prepared.accounts:
        return Written(PostedAll(prepared, None, None, None, clock()), head)
    assert prepared.nets is not None, "only plain batches come this way"
    nets = prepared.nets
    # Entries first: they need no lock on an account, so another writer may work on the same accounts meanwhile.
    block = _Block(head, prepared.contents, prepared.leg_counts)
    try:
        await store.write_entries(tx, block.rows)
    except UniqueViolation as known:
        raise Contested from known
    moved = await store.move(tx, nets)
    if moved is None:
        raise Contested
    expected = np.array(prepared.asset_numbers, dtype=np.int64)
    if not np.array_equal(expected[nets.order], np.repeat(moved.asset_numbers, nets.legs)):
        raise Contested
    sequences, balances = running(nets, moved.posted_minor, moved.sequences, moved.signs)
    # The accounts are locked: every booking before this one has its time already, so ours is not before theirs.
    booked_at = clock()
    legs = _Legs(
        np.array(prepared.accounts, dtype=np.int64),
        np.array(prepared.amounts_minor, dtype=np.int64),
        sequences,
        balances,
        b"".join(prepared.entry_ids),
        np.array(prepared.value_days, dtype=np.int64),
    )
    after = await _seal(tx, block, legs, booked_at)
    return Written(PostedAll(prepared, moved, sequences, balances, booked_at), after)


async def post_judged(
    tx: Transaction, commands: Sequence[Command], head: Head, clock: Clock = now, today: Calendar | None = None
) -> Written:
    """Errors: Retry when another writer used one of the ids in the same moment."""
    books = await _load_books(tx, commands)
    booked_at = clock()
    standings = dict(books.standings)
    held = dict(books.holds)
    outcomes = judge(books, commands, Moment(booked_at, today() if today else booked_at.date()))
    changed = {account: after for account, after in books.standings.items() if after is not standings[account]}
    if changed:
        await store.write_standings(tx, changed)
    if books.hold_changes:
        fresh = [after for key, after in books.holds.items() if after is not held.get(key)]
        await store.write_holds(tx, fresh, [(change, new_id(booked_at)) for change in books.hold_changes], booked_at)
    after = head
    if books.booked:
        reversed_by = [(b.entry.reverses, b.entry.id) for b in books.booked if b.entry.reverses]
        try:
            if reversed_by:
                await store.write_reversals(tx, reversed_by)
            contents = [encoding.content_bytes(b.entry) for b in books.booked]
            block = _Block(head, contents, [len(b.entry.postings) for b in books.booked])
            await store.write_entries(tx, block.rows)
        except UniqueViolation as rival:
            raise Retry("an id was used by another writer in the same moment") from rival
        after = await _seal(tx, block, _legs_of(books), booked_at)
    return Written(await _with_replayed_balances(tx, books, outcomes), after)


class _Block:
    """The entries of one commit as rows, in their place behind the head of a chain."""

    def __init__(self, head: Head, contents: Sequence[bytes], leg_counts: Sequence[int]) -> None:
        self.head = head
        self.number = head.number + 1
        self.rows = encoding.entry_rows(contents, leg_counts, head.chain, self.number)


@dataclass(frozen=True, slots=True)
class _Legs:
    """The legs of a block in columns, in the order of its entries; `entry_ids` has 16 bytes for each."""

    accounts: Int64s
    amounts_minor: Int64s
    sequences: Int64s
    balances_minor: Int64s
    entry_ids: bytes
    value_days: Int64s


async def _seal(tx: Transaction, block: _Block, legs: _Legs, booked_at: datetime) -> Head:
    head, at = block.head, encoding.microseconds(booked_at)
    postings = encoding.posting_rows(
        legs.accounts, legs.sequences, legs.entry_ids, legs.amounts_minor, legs.balances_minor, at, legs.value_days
    )
    await store.write_postings(tx, postings)
    sequences = legs.sequences.astype(">i8").tobytes()
    after = Head(
        head.chain,
        block.number,
        block_hash(head.hash, head.chain, block.number, at, sequences, block.rows),
    )
    if not await chain_store.seal(tx, head, after, booked_at, len(block.rows), legs.sequences.tolist()):
        raise Retry("another writer sealed into this chain")
    return after


async def _load_books(tx: Transaction, commands: Sequence[Command]) -> Books:
    asset_numbers = await store.asset_numbers(tx)
    accounts = {account for command in commands for account in touched_accounts(command) if 0 < account < 1 << 53}
    codes = {number: code for code, number in asset_numbers.items()}
    standings = await store.lock_standings(tx, list(accounts), codes)
    books = Books(frozenset(asset_numbers), standings)
    ids = {command.id for command in commands if isinstance(command, Entry)}
    reversing = {command.reverses for command in commands if isinstance(command, Entry) and command.reverses}
    if ids or reversing:
        books.entries = await entries(tx, list(ids | reversing))
    if reversing:
        books.reversals = await store.reversals(tx, list(reversing))
    keys = {key for command in commands if (key := touched_hold(command)) and key[0] in standings}
    if keys:
        books.holds = await store.holds(tx, list(keys))
    return books


def _legs_of(books: Books) -> _Legs:
    booked = books.booked
    postings = [posting for b in booked for posting in b.entry.postings]
    return _Legs(
        np.array([posting.account for posting in postings], dtype=np.int64),
        np.array([posting.amount_minor for posting in postings], dtype=np.int64),
        np.array([sequence for b in booked for sequence in b.sequences], dtype=np.int64),
        np.array([balance for b in booked for balance in b.balances_minor], dtype=np.int64),
        b"".join(b.entry.id.bytes * len(b.entry.postings) for b in booked),
        np.array([encoding.days(b.entry.value_date) for b in booked for _ in b.entry.postings], dtype=np.int64),
    )


async def _with_replayed_balances(tx: Transaction, books: Books, outcomes: list[Outcome]) -> list[Outcome]:
    """An entry booked before this batch is answered with the balances it left behind then."""
    replayed: dict[UUID, BookedEntry] = {
        outcome.id: books.entries[outcome.id]
        for outcome in outcomes
        if isinstance(outcome, Done) and not outcome.balances
    }
    if not replayed:
        return outcomes
    left = await store.left_behind(tx, replayed.values())
    return [
        replace(outcome, balances=left[outcome.id]) if isinstance(outcome, Done) and outcome.id in replayed else outcome
        for outcome in outcomes
    ]


class PostedAll(Sequence[Outcome]):
    """The outcomes of a batch that went the quick way, made when asked for: a large batch's caller may ask for few."""

    def __init__(
        self,
        prepared: Prepared,
        moved: store.Moved | None,
        sequences: Int64s | None,
        balances: Int64s | None,
        booked_at: datetime,
    ) -> None:
        self._prepared = prepared
        self._moved = moved
        self._sequences = sequences
        self._balances = balances
        self._booked_at = booked_at
        self._entry_at = dict(zip(prepared.places, range(len(prepared.places)), strict=True))
        self._leg_at = np.cumsum([0, *prepared.leg_counts]).tolist()

    def __len__(self) -> int:
        return len(self._prepared.commands)

    def __getitem__(self, place: int) -> Outcome:  # type: ignore[override]
        if place in self._prepared.refused:
            return self._prepared.refused[place]
        command = self._prepared.commands[place]
        assert isinstance(command, Entry), "only plain entries go the quick way"
        return Done(command.id, self._booked_at, tuple(self._left_by(self._entry_at[place])))

    def __iter__(self) -> Iterator[Outcome]:
        return (self[place] for place in range(len(self)))

    def _left_by(self, entry: int) -> Iterator[Balance]:
        assert self._moved is not None
        assert self._sequences is not None
        assert self._balances is not None
        accounts = self._prepared.accounts
        last_legs = {accounts[leg]: leg for leg in range(self._leg_at[entry], self._leg_at[entry + 1])}
        for account, leg in last_legs.items():
            held, floor = self._moved.held_and_floor_minor(account)
            yield Balance(account, int(self._balances[leg]), held, floor, int(self._sequences[leg]))
