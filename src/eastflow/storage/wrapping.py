"""Dropping wrapping keys: only once nothing is wrapped by them, nor can be by a transaction that is still open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime

from .database import Database
from .faults import KeyFault, StorageFault
from .transaction import Transaction

PATIENCE_SECONDS = 60
POLL_MILLISECONDS = 50


async def drop_older_wrapping_keys(database: Database, rewrap: Callable[[], Awaitable[int]]) -> tuple[int, int]:
    """The number of the one wrapping key left, and how many data keys `rewrap` has wrapped by it before.

    A transaction that began before the last key was added may have wrapped by the one before it: `rewrap` sees that
    only when it is committed. So whatever is open now is waited for; what begins later wraps by the last key.
    Errors: KeyFault when a key is added meanwhile; StorageFault when a transaction stays open. Then none is dropped.
    """
    if database.keys is None:
        raise KeyFault("the database was opened without the keys that personal data is sealed with")
    last = database.keys.current
    await _wait_for_open_transactions(database)
    wrapped = await rewrap()
    database.keys.drop_wrapping_keys(last)
    return last, wrapped


async def _wait_for_open_transactions(database: Database) -> None:
    started = time.monotonic()
    async with database.reading() as tx:
        waited_for = await _open_transactions(tx)
    while waited_for:
        if time.monotonic() - started > PATIENCE_SECONDS:
            processes = ", ".join(sorted(str(process) for process, _ in waited_for))
            raise StorageFault(f"a transaction of before is still open (server process {processes})")
        await asyncio.sleep(POLL_MILLISECONDS / 1000)
        async with database.reading() as tx:
            waited_for &= await _open_transactions(tx)


async def _open_transactions(tx: Transaction) -> set[tuple[int, datetime]]:
    """Those of others in this database, by process and beginning."""
    found = await tx.rows(
        "SELECT pid, xact_start FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend' AND xact_start IS NOT NULL"
    )
    return {(row["pid"], row["xact_start"]) for row in found}
