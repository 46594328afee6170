"""One transaction on one connection: the only thing through which a room reads or writes its tables."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg

Row = asyncpg.Record


class UniqueViolation(Exception):
    """A key was written that exists already; `constraint` names it. The transaction is over."""

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint


class Transaction:
    """Parameters are $1, $2, …; a lost connection, a deadlock or a broken rule is raised and ends the transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

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
