"""One transaction on one connection: the only thing through which a room reads or writes its tables."""

from __future__ import annotations

import io
import random
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from .faults import KeyFault
from .keys import KeptDataKeys, Keys

Row = asyncpg.Record


class UniqueViolation(Exception):
    """A key was written that exists already; `constraint` names it. The transaction is over."""

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint


class Transaction:
    """Parameters are $1, $2, …; a lost connection, a deadlock or a broken rule is raised and ends the transaction."""

    __slots__ = ("_connection", "_keys", "data_keys", "lot")

    def __init__(
        self, connection: asyncpg.Connection, keys: Keys | None = None, data_keys: KeptDataKeys | None = None
    ) -> None:
        self._connection = connection
        self._keys = keys
        self.data_keys = data_keys
        """What the process has unwrapped; None: this transaction may neither use nor keep any."""
        self.lot = random.randrange(1 << 16)
        """A number drawn for this transaction, so that all it does keeps to one of several places of the same kind."""

    @property
    def keys(self) -> Keys:
        """Errors: KeyFault when the database was opened without keys."""
        if self._keys is None:
            raise KeyFault("the database was opened without the keys that personal data is sealed with")
        return self._keys

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """What is written inside is undone when it raises; the transaction itself goes on."""
        async with self._connection.transaction():
            yield

    async def rows(self, query: str, *arguments: object) -> list[Any]:
        return await self._guarded(self._connection.fetch(query, *arguments))  # type: ignore[no-any-return]

    async def row(self, query: str, *arguments: object) -> Any:
        """The first row, or None."""
        return await self._guarded(self._connection.fetchrow(query, *arguments))

    async def value(self, query: str, *arguments: object) -> Any:
        return await self._guarded(self._connection.fetchval(query, *arguments))

    async def execute(self, query: str, *arguments: object) -> int:
        """The number of rows it touched."""
        status: str = await self._guarded(self._connection.execute(query, *arguments))
        last = status.rpartition(" ")[2]
        return int(last) if last.isdigit() else 0

    async def execute_many(self, query: str, arguments: Iterable[Sequence[object]]) -> None:
        await self._guarded(self._connection.executemany(query, arguments))

    async def copy_in(self, table: str, columns: Sequence[str], rows: Sequence[bytes | memoryview]) -> None:
        """Write rows already in PostgreSQL's binary COPY format (without its header and trailer)."""
        source = io.BytesIO(b"".join((_HEADER, *rows, _TRAILER)))
        await self._guarded(
            self._connection.copy_to_table(table, source=source, columns=list(columns), format="binary")
        )

    async def copy_out(self, query: str, receive: Any) -> None:
        """Stream the answer in the binary COPY format, header and trailer included, to `await receive(bytes)`."""
        await self._guarded(self._connection.copy_from_query(query, output=receive, format="binary"))

    async def records_in(self, table: str, columns: Sequence[str], records: Iterable[Sequence[object]]) -> None:
        await self._guarded(self._connection.copy_records_to_table(table, columns=list(columns), records=records))

    async def _guarded(self, call: Any) -> Any:
        try:
            return await call
        except asyncpg.UniqueViolationError as problem:
            raise UniqueViolation(problem.constraint_name or "") from problem


_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"
