"""Opens accounts by the million: the rows are laid out in columns and written in the database's binary COPY format."""

from __future__ import annotations

import asyncio
import io
import os
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime

import asyncpg
import numpy as np
import numpy.typing as npt

from eastflow.kernel import Asset, Refusal
from eastflow.ledger import Done, Entry, Posting, actions
from eastflow.storage import Database

from .harness import progress
from .workloads import ASSET

CHUNK_ACCOUNTS = 250_000
OPENED_ON = date(2026, 1, 1)
FUNDING_LEGS = 99
OPENING_MINOR = 10**12
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"

Column = npt.NDArray[np.generic] | bytes | int | None
"""An array (one value a row), or the same for every row: bytes as they are, a 2-byte number, or null."""


async def open_accounts(
    url: str, count: int, *, first: int = 1, floor_minor: int | None = None, side: int = 1, chart: str = "liabilities"
) -> int:
    """Open the accounts from `first` on; those that are there already are left. Returns how many were opened."""
    database = await Database.open(url)
    try:
        asset = await database.run(lambda tx: actions.define_asset(tx, Asset(ASSET, 2)))
        assert not isinstance(asset, Refusal), asset
        async with database.reading() as tx:
            number = await tx.value("SELECT number FROM ledger_asset WHERE code = $1", ASSET)
            there = await tx.value(
                "SELECT count(*) FROM ledger_account WHERE id >= $1 AND id < $2", first, first + count
            )
    finally:
        await database.close()
    if there == count:
        return 0
    assert there == 0, f"{there:,} of the {count:,} accounts are there already: use another data directory"
    started = time.monotonic()
    for start in range(0, count, CHUNK_ACCOUNTS):
        ids = np.arange(first + start, first + min(start + CHUNK_ACCOUNTS, count), dtype=">i8")
        await _write(url, ids, number, floor_minor, side, chart.encode())
        if count > CHUNK_ACCOUNTS:
            progress(f"opened {start + len(ids):,} of {count:,} accounts in {time.monotonic() - started:.0f} s")
    return count


async def fund(database: Database, count: int, *, first: int, cash_account: int) -> None:
    """Credit each account with a sum no benchmark can use up, by entries like any other."""
    day = datetime.now(UTC).date()
    entries = []
    for start in range(0, count, FUNDING_LEGS):
        numbers = range(first + start, first + min(start + FUNDING_LEGS, count))
        legs = [Posting(number, ASSET, OPENING_MINOR) for number in numbers]
        cash = Posting(cash_account, ASSET, -OPENING_MINOR * len(numbers))
        entries.append(Entry(actions.new_id(), "opening", day, (*legs, cash)))
    async with actions.Engine(database, lanes=1) as engine:
        for start in range(0, len(entries), 100):
            outcomes = await engine.post_batch(entries[start : start + 100])
            assert all(isinstance(outcome, Done) for outcome in outcomes), "an opening entry was refused"


async def settle(url: str) -> None:
    """Clean, gather statistics and write everything out, so that no round pays for what came before it."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("VACUUM ANALYZE", timeout=3_600)
        await connection.execute("CHECKPOINT", timeout=3_600)
    finally:
        await connection.close()


def copy_rows(count: int, columns: Sequence[Column]) -> bytes:
    """Rows in the binary COPY format, header and trailer included."""
    shape: list[tuple[str, str]] = [("fields", ">i2")]
    fills: list[tuple[str, Column]] = []
    for place, column in enumerate(columns):
        shape.append((f"size_{place}", ">i4"))
        if column is not None:
            kind = f"V{len(column)}" if isinstance(column, bytes) else ">i2"
            shape.append((f"value_{place}", column.dtype.str if isinstance(column, np.ndarray) else kind))
            fills.append((f"value_{place}", np.void(column) if isinstance(column, bytes) else column))  # type: ignore[arg-type]
    rows = np.empty(count, dtype=shape)
    rows["fields"] = len(columns)
    for place, column in enumerate(columns):
        rows[f"size_{place}"] = -1 if column is None else rows.dtype[f"value_{place}"].itemsize
    for name, column in fills:
        rows[name] = column
    return b"".join((_HEADER, rows.tobytes(), _TRAILER))


async def _write(
    url: str, ids: npt.NDArray[np.generic], asset_number: int, floor_minor: int | None, side: int, chart: bytes
) -> None:
    count = len(ids)
    zero = np.zeros(count, dtype=">i8")
    floor = None if floor_minor is None else np.full(count, floor_minor, dtype=">i8")
    opened_on = np.full(count, (OPENED_ON - _EPOCH.date()).days, dtype=">i4")
    now = np.full(count, int((datetime.now(UTC) - _EPOCH).total_seconds() * 1_000_000), dtype=">i8")
    await asyncio.gather(
        _copy(
            url,
            "ledger_account",
            ("id", "asset", "side", "chart", "opened_on", "owner", "details"),
            copy_rows(count, (ids, ASSET.encode(), side, chart, opened_on, None, None)),
        ),
        _copy(
            url,
            "ledger_balance",
            ("account_id", "posted", "held", "sequence", "floor", "side", "asset_number", "status"),
            copy_rows(count, (ids, zero, zero, zero, floor, side, asset_number, 0)),
        ),
        _copy(
            url,
            "ledger_account_change",
            ("account_id", "changed_at", "id", "status", "floor"),
            copy_rows(count, (ids, now, _change_ids(count), b"open", floor)),
        ),
    )


async def _copy(url: str, table: str, columns: Sequence[str], rows: bytes) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.copy_to_table(table, source=io.BytesIO(rows), columns=list(columns), format="binary")
    finally:
        await connection.close()


def _change_ids(count: int) -> npt.NDArray[np.generic]:
    """Version 7 ids, of one moment."""
    digits = np.frombuffer(os.urandom(16 * count), dtype=np.uint8).reshape(count, 16).copy()
    digits[:, :6] = np.frombuffer((time.time_ns() // 1_000_000).to_bytes(6), dtype=np.uint8)
    digits[:, 6] = digits[:, 6] & 0x0F | 0x70
    digits[:, 8] = digits[:, 8] & 0x3F | 0x80
    return np.frombuffer(digits.tobytes(), dtype="V16")
