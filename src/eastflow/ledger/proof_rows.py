"""The database's binary COPY stream read back: chunks of whole rows, and from each chunk whole columns at once."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .encoding import POSTING_ROW
from .netting import Int64s

CHUNK_BYTES = 1 << 20
_HEADER_BYTES = 19
_TRAILER = b"\xff\xff"
_NULLS_2, _NULLS_4 = b"\xff" * 8, b"\xff" * 16
_SEQUENCES_AT = 2 + 4 * 12
"""Where the first array of an entry's row begins: after the count of fields and four numbers with their sizes."""
_size_at = struct.Struct(">i").unpack_from

UInt64s = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]


class Stream:
    """`take` is given bytes that begin with a row and answers how many of them it used: whole rows only."""

    def __init__(self, take: Callable[[bytes], int]) -> None:
        self._take = take
        self._parts: list[bytes] = []
        self._size_bytes = -_HEADER_BYTES
        self._begun = False

    async def receive(self, data: bytes) -> None:
        self._parts.append(data)
        self._size_bytes += len(data)
        if self._size_bytes >= CHUNK_BYTES:
            self._pass_on()

    def finish(self) -> None:
        self._pass_on()
        assert self._parts == [_TRAILER], "the stream ends with its trailer"

    def _pass_on(self) -> None:
        data = b"".join(self._parts)
        if not self._begun:
            data, self._begun = data[_HEADER_BYTES:], True
        rest = data[self._take(data) :]
        self._parts, self._size_bytes = [rest], len(rest)


@dataclass(frozen=True, slots=True)
class Legs:
    """Legs in columns, whether from entries or from postings; an entry's id as two halves of 64 bits."""

    accounts: Int64s
    sequences: Int64s
    ids_high: UInt64s
    ids_low: UInt64s
    amounts_minor: Int64s
    booked_at: Int64s
    value_days: Int64s

    def columns(self) -> tuple[Any, ...]:
        return (
            self.accounts, self.sequences, self.ids_high, self.ids_low, self.amounts_minor, self.booked_at,
            self.value_days,
        )  # fmt: skip

    def only(self, which: Any) -> Legs:
        return Legs(*(column[which] for column in self.columns()))


def joined(parts: list[Legs]) -> Legs:
    return Legs(*(np.concatenate(columns) for columns in zip(*(part.columns() for part in parts), strict=True)))


def posting_columns(data: bytes) -> tuple[Legs, Int64s, int]:
    """The legs in as many whole rows as there are, the balance after each, and the bytes used."""
    count = len(data) // POSTING_ROW.itemsize
    rows = np.frombuffer(data, dtype=POSTING_ROW, count=count)
    ids = np.ascontiguousarray(rows["entry_id"]).view(">u8").reshape(count, 2).astype(np.uint64)
    legs = Legs(
        accounts=_native(rows["account_id"]),
        sequences=_native(rows["sequence"]),
        ids_high=ids[:, 0],
        ids_low=ids[:, 1],
        amounts_minor=_native(rows["amount"]),
        booked_at=_native(rows["booked_at"]),
        value_days=_native(rows["value_date"]),
    )
    return legs, _native(rows["balance"]), count * POSTING_ROW.itemsize


@dataclass(frozen=True, slots=True)
class EntryRows:
    """The rows of a chunk in columns: entries, and among them the heads of blocks, which have no legs.

    `starts` has one more element than there are rows. `leg_rows` tells for each leg the row it belongs to.
    """

    data: bytes
    starts: Int64s
    is_block: Flags
    is_malformed: Flags
    chains: Int64s
    numbers: Int64s
    positions: Int64s
    booked_at: Int64s
    ids_high: UInt64s
    ids_low: UInt64s
    legs: Legs
    leg_rows: Int64s
    ties_at: Int64s

    def block_head(self, row: int) -> tuple[int, bytes]:
        """How many entries the block counts, and its hash."""
        at = int(self.starts[row]) + _SEQUENCES_AT
        (size,) = _size_at(self.data, at)
        entries = int.from_bytes(self.data[at + size - 4 : at + 4 + size])
        at += 4 + size + 20 + 8
        (size,) = _size_at(self.data, at)
        return entries, bytes.fromhex(self.data[at + 4 : at + 4 + size].decode())


def entry_columns(data: bytes) -> EntryRows:
    starts_found, accounts_found, amounts_found, ties_found = _walk(data)
    starts, accounts_at, amounts_at, ties_at = (
        np.array(found, dtype=np.int64) for found in (starts_found, accounts_found, amounts_found, ties_found)
    )
    rows = starts[:-1]
    at_4, at_8 = _every(data, ">i4"), _every(data, ">i8")
    arrays_at = (rows + _SEQUENCES_AT, accounts_at, amounts_at)
    ids_at = arrays_at[0] + 4 + at_4[arrays_at[0]] + 4
    is_block = at_4[accounts_at] == -1
    counts = at_4[arrays_at[0] + 16].astype(np.int64)
    well_formed = ~is_block
    for at in arrays_at:
        # One dimension, no nulls, and as long as the other two.
        well_formed &= (at_4[at + 4] == 1) & (at_4[at + 8] == 0) & (at_4[at + 16] == counts)
        well_formed &= at_4[at] == 20 + 12 * counts
    leg_rows, place = _spread(np.where(well_formed, counts, 0))
    sequences, accounts, amounts = (_native(at_8[at[leg_rows] + 28 + 12 * place]) for at in arrays_at)
    booked_at = _native(at_8[rows + 42])
    ids_high, ids_low = at_8[ids_at].astype(np.uint64), at_8[ids_at + 8].astype(np.uint64)
    value_days = _native(at_4[ids_at + 20])
    return EntryRows(
        data=data,
        starts=starts,
        is_block=is_block,
        is_malformed=~(well_formed | is_block),
        chains=_native(at_8[rows + 6]),
        numbers=_native(at_8[rows + 18]),
        positions=_native(at_8[rows + 30]),
        booked_at=booked_at,
        ids_high=ids_high,
        ids_low=ids_low,
        legs=Legs(
            accounts, sequences, ids_high[leg_rows], ids_low[leg_rows], amounts, booked_at[leg_rows],
            value_days[leg_rows],
        ),
        leg_rows=leg_rows,
        ties_at=ties_at,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Captures:
    """Which entry was paid out of which hold, in columns."""

    columns: tuple[Any, Any, Any, Any, Any]


def ties(rows: EntryRows) -> tuple[int, Captures]:
    """How many of the entries reverse another, and those that were paid out of a hold."""
    at_4, at_8 = _every(rows.data, ">i4"), _every(rows.data, ">u8")
    reversing = at_4[rows.ties_at] == 16
    account_at = rows.ties_at + np.where(reversing, 20, 4)
    found = np.flatnonzero((at_4[account_at] == 8) & ~rows.is_block)
    # An account without a hold is not a capture; no tie is then read beyond the row it stands in.
    found = found[at_4[account_at[found] + 12] == 16]
    at = account_at[found]
    columns = (
        rows.ids_high[found], rows.ids_low[found], at_8[at + 4].astype(np.uint64), at_8[at + 16].astype(np.uint64),
        at_8[at + 24].astype(np.uint64),
    )  # fmt: skip
    return int(np.count_nonzero(reversing & ~rows.is_block)), Captures(columns)


def _walk(data: bytes) -> tuple[list[int], list[int], list[int], list[int]]:
    """Where each whole row begins (and the last one ends), its two arrays of legs, and its ties."""
    starts, accounts_at, amounts_at, ties_at = [0], [], [], []
    at, end, size_at = 0, len(data), _size_at
    try:
        while True:
            at += _SEQUENCES_AT
            at += size_at(data, at)[0] + 4 + 20 + 8
            at += size_at(data, at)[0] + 4
            if data[at : at + 8] == _NULLS_2:
                at += 8
            else:
                at += max(size_at(data, at)[0], 0) + 4
                at += max(size_at(data, at)[0], 0) + 4
            accounts = at
            at += max(size_at(data, at)[0], 0) + 4
            amounts = at
            at += max(size_at(data, at)[0], 0) + 4
            tied = at
            if data[at : at + 16] == _NULLS_4:
                at += 16
            else:
                for _ in range(4):
                    at += max(size_at(data, at)[0], 0) + 4
            if at > end:
                break
            starts.append(at)
            accounts_at.append(accounts)
            amounts_at.append(amounts)
            ties_at.append(tied)
    except struct.error:
        pass  # The row goes on in the next chunk.
    return starts, accounts_at, amounts_at, ties_at


def _every(data: bytes, kind: str) -> Any:
    """The number that begins at each byte, so that numbers anywhere are read by indexing."""
    size = np.dtype(kind).itemsize
    return np.ndarray((max(len(data) - size + 1, 0),), dtype=kind, buffer=data, strides=(1,))


def _spread(counts: Int64s) -> tuple[Int64s, Int64s]:
    """For each leg its row, and its place in it."""
    leg_rows = np.repeat(np.arange(len(counts)), counts)
    begins = np.cumsum(counts) - counts
    return leg_rows, np.arange(len(leg_rows)) - begins[leg_rows]


def _native(column: Any) -> Int64s:
    return np.asarray(column, dtype=np.int64)
