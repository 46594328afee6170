"""Entries and postings as the database's binary COPY rows: written as such, hashed as such, read back as such.

The bytes of an entry's row are what its block's hash covers, so this file is the definition of the seal. Numbers are
big-endian; times are microseconds and dates are days since 2000-01-01 (PostgreSQL's "binary COPY" and `*_send`).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from uuid import UUID

import numpy as np

from .model import Entry
from .netting import Int64s

ENTRY_COLUMNS = (
    "chain_id", "block_number", "first_leg",
    "id", "value_date", "kind", "memo", "details", "account_ids", "amounts",
    "reverses", "captured_account_id", "captured_hold_id", "capture_final",
)  # fmt: skip
POSTING_COLUMNS = ("account_id", "sequence", "entry_id", "amount", "balance", "booked_at", "value_date")

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(2000, 1, 1).toordinal()
_MICROSECOND = timedelta(microseconds=1)
_NULL = b"\xff\xff\xff\xff"
_NULLS_2, _NULLS_4 = _NULL * 2, _NULL * 4
_INT8_OID = 20
_TWO = struct.pack(">6i", 44, 1, 0, _INT8_OID, 2, 1)
_PLACE = struct.Struct(">hiqiqiq").pack
_TWO_LEGS = struct.Struct(">24siqiq24siqiq").pack
_UUID_SIZE = struct.pack(">i", 16)

_POSTING = np.dtype(
    [("fields", ">i2")]
    + [
        (name, kind)
        for column, kind in zip(POSTING_COLUMNS, (">i8", ">i8", "S16", ">i8", ">i8", ">i8", ">i4"), strict=True)
        for name, kind in ((f"{column}_size", ">i4"), (column, kind.replace("S16", "V16")))
    ]
)
POSTING_ROW = _POSTING
"""The fixed shape of a posting's row, so that whole columns are written and read at once."""


def microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def moment(microseconds_since_2000: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds_since_2000)


def days(day: date) -> int:
    return day.toordinal() - _EPOCH_DAY


def details_text(details: dict[str, str]) -> str:
    """One text for one content: keys sorted, no spaces."""
    return json.dumps(details, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def content_bytes(entry: Entry) -> bytes:
    """The fields the caller gave; its place in the books comes before them in the row."""
    legs = entry.postings
    if len(legs) == 2:
        one, other = legs
        arrays = _TWO_LEGS(
            _TWO, 8, one.account, 8, other.account, _TWO, 8, one.amount_minor, 8, other.amount_minor
        )  # fmt: skip
    else:
        arrays = _array([leg.account for leg in legs]) + _array([leg.amount_minor for leg in legs])
    texts = _NULLS_2 if entry.memo is None and not entry.details else _texts(entry)
    ties = _NULLS_4 if entry.reverses is None and entry.capture is None else _ties(entry)
    return b"".join((_UUID_SIZE, entry.id.bytes, _date_and_kind(entry.value_date, entry.kind), texts, arrays, ties))


def entry_rows(contents: Iterable[bytes], leg_counts: Iterable[int], chain: int, number: int) -> list[bytes]:
    """The complete rows of one block."""
    rows, first_leg, columns = [], 0, len(ENTRY_COLUMNS)
    for content, count in zip(contents, leg_counts, strict=True):
        rows.append(_PLACE(columns, 8, chain, 8, number, 8, first_leg) + content)
        first_leg += count
    return rows


def posting_rows(
    accounts: Int64s,
    sequences: Int64s,
    entry_ids: bytes,
    amounts: Int64s,
    balances: Int64s,
    booked_at: int,
    value_days: Int64s,
) -> bytes:
    """All postings of a batch at once, in the order of their key; `entry_ids` holds 16 bytes for each leg."""
    order = np.lexsort((sequences, accounts))
    rows = np.empty(len(accounts), dtype=_POSTING)
    rows["fields"] = len(POSTING_COLUMNS)
    by_leg = (accounts, sequences, np.frombuffer(entry_ids, dtype="V16"), amounts, balances)
    columns = (*(column[order] for column in by_leg), booked_at, value_days[order])
    for name, column in zip(POSTING_COLUMNS, columns, strict=True):
        rows[f"{name}_size"] = _POSTING[name].itemsize
        rows[name] = column
    return rows.tobytes()


@lru_cache(maxsize=16_384)
def _date_and_kind(value_date: date, kind: str) -> bytes:
    return struct.pack(">ii", 4, days(value_date)) + _text(kind)


def _texts(entry: Entry) -> bytes:
    memo = _NULL if entry.memo is None else _text(entry.memo)
    return memo + (_text(details_text(dict(entry.details))) if entry.details else _NULL)


def _ties(entry: Entry) -> bytes:
    reverses = _uuid(entry.reverses)
    if entry.capture is None:
        return reverses + _NULL * 3
    account = struct.pack(">iq", 8, entry.capture.account)
    return reverses + account + _uuid(entry.capture.hold) + struct.pack(">i?", 1, entry.capture.final)


def _uuid(value: UUID | None) -> bytes:
    return _NULL if value is None else _UUID_SIZE + value.bytes


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack(">i", len(encoded)) + encoded


def _array(numbers: list[int]) -> bytes:
    size = 20 + 12 * len(numbers)
    head = struct.pack(">6i", size, 1, 0, _INT8_OID, len(numbers), 1)
    return head + b"".join(struct.pack(">iq", 8, number) for number in numbers)
