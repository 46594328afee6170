"""The rows of entries as the database sends them, taken apart into columns without a loop over their legs."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from .netting import Int64s

_NULLS_2, _NULLS_4 = b"\xff" * 8, b"\xff" * 16
_BLOCK_AT, _FIRST_LEG_AT, _ID_AT, _DAY_AT, _KIND_AT = 18, 30, 42, 62, 66
_ARRAY_HEAD_BYTES, _ELEMENT_BYTES = 24, 12
_size_at = struct.Struct(">i").unpack_from


@dataclass(frozen=True, slots=True)
class Legs:
    """Legs in columns, whether entries or postings say them; an entry's id as two halves of 64 bits."""

    account: Any
    sequence: Any
    amount_minor: Any
    id_high: Any
    id_low: Any
    value_day: Any
    booked_at: Any

    def columns(self) -> tuple[Any, ...]:
        return (
            self.account, self.sequence, self.amount_minor, self.id_high, self.id_low, self.value_day, self.booked_at
        )  # fmt: skip

    def only(self, which: Any) -> Legs:
        return Legs(*(column[which] for column in self.columns()))


def joined(parts: list[Legs]) -> Legs:
    return Legs(*(np.concatenate(columns) for columns in zip(*(part.columns() for part in parts), strict=True)))


class EntryRows:
    """One element of each column for each entry; `legs` is -1 where its arrays of legs cannot be read as such."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        starts, accounts_at, amounts_at = (np.array(found, dtype=np.int64) for found in _walk(data))
        self.starts = starts
        rows = starts[:-1]
        self._at_4, self._at_8 = _every(data, ">i4"), _every(data, ">i8")
        self._arrays_at = accounts_at, amounts_at
        self.blocks = self._at_8[rows + _BLOCK_AT].astype(np.int64)
        self.first_legs = self._at_8[rows + _FIRST_LEG_AT].astype(np.int64)
        self.ids_high = self._at_8[rows + _ID_AT].astype(np.uint64)
        self.ids_low = self._at_8[rows + _ID_AT + 8].astype(np.uint64)
        self.value_days = self._at_4[rows + _DAY_AT].astype(np.int64)
        self.legs = self._count_legs()

    def __len__(self) -> int:
        return len(self.blocks)

    def between(self, first: int, last: int) -> bytes:
        """The rows from `first` up to, not including, `last`."""
        return self.data[self.starts[first] : self.starts[last]]

    def of_legs(self, counts: Int64s) -> tuple[Int64s, Int64s, Int64s, Int64s]:
        """For the first `counts` legs of each entry: the row of the entry, the place in it, the account, the amount."""
        row = np.repeat(np.arange(len(counts)), counts)
        place = np.arange(len(row)) - (np.cumsum(counts) - counts)[row]
        account, amount = (
            self._at_8[at[row] + _ARRAY_HEAD_BYTES + 4 + _ELEMENT_BYTES * place].astype(np.int64)
            for at in self._arrays_at
        )
        return row, place, account, amount

    def _count_legs(self) -> Int64s:
        """Both arrays have one dimension, no nulls, and the same length."""
        accounts_at, amounts_at = self._arrays_at
        counts = self._at_4[accounts_at + 16].astype(np.int64)
        readable = counts > 0
        for at in (accounts_at, amounts_at):
            readable &= (self._at_4[at + 4] == 1) & (self._at_4[at + 8] == 0) & (self._at_4[at + 16] == counts)
            readable &= self._at_4[at] == _ARRAY_HEAD_BYTES - 4 + _ELEMENT_BYTES * counts
        return np.where(readable, counts, -1)


def _walk(data: bytes) -> tuple[list[int], list[int], list[int]]:
    """Where each row begins (and the last one ends), and where its two arrays of legs do."""
    starts, accounts_at, amounts_at = [0], [], []
    at, end, size_at = 0, len(data), _size_at
    while at < end:
        at += _KIND_AT
        at += 4 + size_at(data, at)[0]
        if data[at : at + 8] == _NULLS_2:
            at += 8
        else:
            at = _skip(data, _skip(data, at))
        accounts_at.append(at)
        at += 4 + size_at(data, at)[0]
        amounts_at.append(at)
        at += 4 + size_at(data, at)[0]
        if data[at : at + 16] == _NULLS_4:
            at += 16
        else:
            for _ in range(4):
                at = _skip(data, at)
        starts.append(at)
    return starts, accounts_at, amounts_at


def _skip(data: bytes, at: int) -> int:
    size: int = _size_at(data, at)[0]
    return at + 4 + max(size, 0)


def _every(data: bytes, kind: str) -> Any:
    """The number that begins at each byte, so that numbers anywhere are read by indexing."""
    size = np.dtype(kind).itemsize
    return np.ndarray((max(len(data) - size + 1, 0),), dtype=kind, buffer=data, strides=(1,))
