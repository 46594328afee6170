"""The database: pools of connections, and transactions that run whole or not at all, again when it says so."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg

from .faults import StorageFault
from .keys import KeptDataKeys, Keys
from .transaction import Transaction

RETRIES_MAX = 40
PATIENCE_SECONDS = 30
_LOST = (
    asyncpg.PostgresConnectionError,
    # Raised when a server dies in the middle of a COPY.
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    OSError,
)
_READER_SETTINGS = {"timezone": "UTC"}
_WRITER_SETTINGS = _READER_SETTINGS | {
    # Rows are locked in the order they are named: with nested loops over a sorted list, two writers cannot deadlock.
    # (They still may under another database's planner; then the transaction is run again.)
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_bitmapscan": "off",
    "enable_seqscan": "off",
    "enable_material": "off",
}
_Result = TypeVar("_Result")


class Retry(Exception):
    """Raised by a room's work to be run again from the start, in a new transaction."""


class Database:
    """Open with `Database.open(url)`; close when done.

    `run(work)` gives `work` a transaction and commits it. `work` is run again from the start after a deadlock, a
    serialisation failure or a lost connection, so it must have no effect outside its transaction.
    """

    def __init__(self, writers: asyncpg.Pool, readers: asyncpg.Pool, url: str, keys: Keys | None = None) -> None:
        self._writers = writers
        self._readers = readers
        self.url = url
        self.keys = keys
        self._data_keys = KeptDataKeys()

    @classmethod
    async def open(cls, url: str, *, connections_max: int = 8, keys: Keys | None = None) -> Database:
        """Two pools, since writing asks the planner for an order of locks that reading has no use for. `keys` are what
        personal data is sealed with; without them it can be neither written nor read."""
        try:
            writers = await _pool(url, connections_max, _WRITER_SETTINGS)
            readers = await _pool(url, connections_max, _READER_SETTINGS)
        except (*_LOST, asyncpg.InterfaceError, asyncpg.PostgresError) as problem:
            raise StorageFault(f"cannot open the database: {problem}") from problem
        return cls(writers, readers, url, keys)

    async def close(self) -> None:
        for pool in (self._writers, self._readers):
            try:
                await asyncio.wait_for(pool.close(), timeout=10)
            except (TimeoutError, asyncpg.InterfaceError, *_LOST):
                pool.terminate()

    async def run(self, work: Callable[[Transaction], Awaitable[_Result]]) -> _Result:
        """Errors: StorageFault when the database stays out of reach for PATIENCE_SECONDS."""
        started, attempt = time.monotonic(), 0
        while True:
            try:
                return await self._once(work)
            except (Retry, asyncpg.SerializationError, asyncpg.DeadlockDetectedError) as rival:
                if attempt >= RETRIES_MAX:
                    raise StorageFault(f"other writers are always first: {rival}") from rival
            except _LOST as problem:
                if time.monotonic() - started > PATIENCE_SECONDS:
                    raise StorageFault(f"the database is out of reach: {problem}") from problem
            await asyncio.sleep(_pause_seconds(attempt))
            attempt += 1

    async def _once(self, work: Callable[[Transaction], Awaitable[_Result]]) -> _Result:
        async with _lent(self._writers) as connection, connection.transaction():
            return await work(Transaction(connection, self.keys, self._data_keys))

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """One snapshot for several reads; writes nothing."""
        try:
            async with (
                _lent(self._readers) as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                yield Transaction(connection, self.keys, self._data_keys)
        except _LOST as problem:
            raise StorageFault(f"the database is out of reach: {problem}") from problem


@asynccontextmanager
async def _lent(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """Errors: those of _LOST; InterfaceError where the driver was used wrongly, which no further try mends."""
    async with pool.acquire() as connection:
        try:
            yield connection
        except (asyncpg.InterfaceError, *_LOST) as problem:
            # The driver says InterfaceError of its misuse, of a connection that has been lost, and when it cannot undo
            # what was begun on one: then the error before it tells.
            is_gone = _is_gone(connection)
            if not is_gone:
                # Whatever state it is in, nobody is to have it again.
                connection.terminate()
            if is_gone or isinstance(problem, _LOST) or isinstance(problem.__context__, _LOST):
                raise asyncpg.ConnectionDoesNotExistError(str(problem)) from problem
            raise


def _is_gone(connection: asyncpg.Connection) -> bool:
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        return True  # The pool took it back before we gave it, as it does when it is lost.


def _pause_seconds(attempt: int) -> Any:
    """From a few milliseconds to a quarter of a second, with jitter so that rivals do not meet again."""
    return random.randint(1, min(250, 5 << min(attempt, 6))) / 1000


async def _pool(url: str, connections_max: int, settings: dict[str, str]) -> asyncpg.Pool:
    return await asyncpg.create_pool(
        url, min_size=1, max_size=connections_max, server_settings=settings, reset=_keep_as_is
    )


async def _keep_as_is(connection: asyncpg.Connection) -> None:
    """Nothing in this house changes a connection's settings, so nothing need be reset between two uses."""
