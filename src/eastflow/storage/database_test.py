"""What a transaction promises: whole or not at all, again when the database says so; and readers write nothing."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from eastflow.storage import Database, Retry, StorageFault, Transaction, UniqueViolation, database

NOBODY_LISTENS = "postgresql://nobody@127.0.0.1:1/nothing"


@pytest.fixture
async def counters(database: Database) -> Database:
    """Two counters, 1 and 2, at zero."""

    async def work(tx: Transaction) -> None:
        await tx.execute("CREATE TABLE counter (id BIGINT PRIMARY KEY, value BIGINT NOT NULL)")
        await tx.execute("INSERT INTO counter VALUES (1, 0), (2, 0)")

    await database.run(work)
    return database


async def add(tx: Transaction, counter: int) -> None:
    await tx.execute("UPDATE counter SET value = value + 1 WHERE id = $1", counter)


async def values(database: Database) -> list[int]:
    async with database.reading() as tx:
        return [row["value"] for row in await tx.rows("SELECT value FROM counter ORDER BY id")]


async def test_what_is_undone_inside_leaves_the_transaction_as_it_was(counters: Database) -> None:
    async def work(tx: Transaction) -> None:
        await add(tx, 1)
        try:
            async with tx.savepoint():
                await add(tx, 2)
                await tx.execute("INSERT INTO counter VALUES (1, 0)")
        except UniqueViolation:
            async with tx.savepoint():
                await add(tx, 1)

    await counters.run(work)
    assert await values(counters) == [2, 0]


async def test_two_writers_that_lock_crosswise_are_both_done_whole(counters: Database) -> None:
    both_hold_one = asyncio.Barrier(2)
    attempts = 0

    async def work(tx: Transaction, first: int, second: int, started: list[int]) -> None:
        nonlocal attempts
        attempts += 1
        await add(tx, first)
        started.append(first)
        if len(started) == 1:
            await both_hold_one.wait()
        await add(tx, second)

    one: list[int] = []
    other: list[int] = []
    await asyncio.gather(
        counters.run(lambda tx: work(tx, 1, 2, one)), counters.run(lambda tx: work(tx, 2, 1, other))
    )  # fmt: skip
    assert await values(counters) == [2, 2]
    assert attempts == 3, "one of them was ended by the deadlock, and run again from the start"


async def test_a_snapshot_that_another_writer_overtook_is_taken_again(counters: Database) -> None:
    seen: list[int] = []

    async def work(tx: Transaction) -> None:
        await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        seen.append(await tx.value("SELECT value FROM counter WHERE id = 1"))
        if len(seen) == 1:
            await counters.run(lambda rival: add(rival, 1))
        await tx.execute("UPDATE counter SET value = $1 WHERE id = 1", seen[-1] + 10)

    await counters.run(work)
    assert seen == [0, 1]
    assert await values(counters) == [11, 0]


async def test_who_never_comes_first_is_told_so(counters: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "RETRIES_MAX", 2)
    attempts = 0

    async def work(tx: Transaction) -> None:
        nonlocal attempts
        attempts += 1
        await add(tx, 1)
        raise Retry("another was first")

    with pytest.raises(StorageFault, match="another was first"):
        await counters.run(work)
    assert attempts == 3
    assert await values(counters) == [0, 0]


async def end_connection_of(counters: Database, tx: Transaction) -> None:
    """From outside, while its transaction is open."""
    process = await tx.value("SELECT pg_backend_pid()")
    async with counters.reading() as other:
        assert await other.value("SELECT pg_terminate_backend($1, 10000)", process)


async def end_own_connection(_: Database, tx: Transaction) -> None:
    """In the middle of a query."""
    await tx.value("SELECT pg_terminate_backend(pg_backend_pid(), 10000)")


@pytest.mark.parametrize("end", [end_connection_of, end_own_connection])
async def test_a_lost_connection_is_replaced_and_the_work_done_again(
    counters: Database, end: Callable[[Database, Transaction], Awaitable[None]]
) -> None:
    attempts = 0

    async def work(tx: Transaction) -> None:
        nonlocal attempts
        attempts += 1
        await add(tx, 1)
        if attempts < 3:
            await end(counters, tx)
        await add(tx, 2)

    await counters.run(work)
    assert attempts == 3
    assert await values(counters) == [1, 1]


async def test_patience_ends(counters: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PATIENCE_SECONDS", 0)
    attempts = 0

    async def work(tx: Transaction) -> None:
        nonlocal attempts
        attempts += 1
        await end_connection_of(counters, tx)
        await add(tx, 1)

    with pytest.raises(StorageFault, match="out of reach"):
        await counters.run(work)
    assert attempts == 1
    monkeypatch.undo()
    await counters.run(lambda tx: add(tx, 1))
    assert await values(counters) == [1, 0]


async def test_a_reader_whose_connection_is_lost_is_told_so(counters: Database) -> None:
    async def read() -> None:
        async with counters.reading() as tx:
            await end_connection_of(counters, tx)
            await tx.value("SELECT 1")

    with pytest.raises(StorageFault, match="out of reach"):
        await read()
    assert await values(counters) == [0, 0]


@pytest.mark.parametrize(
    "raised", [KeyError("mine"), AssertionError("a bug"), ValueError("malformed"), asyncio.CancelledError()], ids=repr
)
async def test_what_the_work_itself_raises_ends_it_at_once(counters: Database, raised: BaseException) -> None:
    attempts = 0

    async def work(tx: Transaction) -> None:
        nonlocal attempts
        attempts += 1
        await add(tx, 1)
        raise raised

    with pytest.raises(type(raised)):
        await counters.run(work)
    assert attempts == 1
    assert await values(counters) == [0, 0]


async def test_an_argument_that_no_column_takes_is_a_bug_and_not_an_outage(counters: Database) -> None:
    attempts = 0

    async def work(tx: Transaction) -> None:
        nonlocal attempts
        attempts += 1
        await tx.value("SELECT value FROM counter WHERE id = $1", 1 << 70)

    async def read() -> None:
        async with counters.reading() as tx:
            await work(tx)

    with pytest.raises(asyncpg.DataError, match="out of int64 range"):
        await counters.run(work)
    with pytest.raises(asyncpg.DataError, match="out of int64 range"):
        await read()
    assert attempts == 2


async def two_queries_at_once(tx: Transaction) -> None:
    await asyncio.gather(tx.value("SELECT 1"), tx.value("SELECT 2"))


async def test_a_misuse_of_the_driver_is_told_at_once_and_leaves_no_connection_behind(counters: Database) -> None:
    attempts = 0

    async def work(tx: Transaction) -> None:
        nonlocal attempts
        attempts += 1
        await add(tx, 1)
        await two_queries_at_once(tx)

    async def read() -> None:
        async with counters.reading() as tx:
            await two_queries_at_once(tx)

    for misuse in (counters.run(work), read()):
        with pytest.raises(asyncpg.InterfaceError, match="another operation is in progress"):
            await misuse
    assert attempts == 1
    assert await values(counters) == [0, 0]


async def test_a_pool_that_was_closed_is_not_waited_for(counters: Database) -> None:
    closed = await Database.open(counters.url)
    await closed.close()
    with pytest.raises(asyncpg.InterfaceError, match="closed"):
        await closed.run(lambda tx: add(tx, 1))


async def test_a_reader_writes_nothing(counters: Database) -> None:
    async def write() -> None:
        async with counters.reading() as tx:
            await add(tx, 1)

    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await write()
    assert await values(counters) == [0, 0]


async def test_a_reader_sees_one_moment(counters: Database) -> None:
    async with counters.reading() as tx:
        before = await tx.value("SELECT sum(value) FROM counter")
        await counters.run(lambda rival: add(rival, 1))
        assert await tx.value("SELECT sum(value) FROM counter") == before
    assert await values(counters) == [1, 0]


async def test_a_key_written_twice_names_its_constraint_and_undoes_the_rest(counters: Database) -> None:
    async def work(tx: Transaction) -> None:
        await add(tx, 2)
        await tx.execute("INSERT INTO counter VALUES (1, 5)")

    with pytest.raises(UniqueViolation) as found:
        await counters.run(work)
    assert found.value.constraint == "counter_pkey"
    assert await values(counters) == [0, 0]


async def test_a_database_that_is_not_there_is_a_fault(database: Database) -> None:
    for url in (NOBODY_LISTENS, database.url.replace("/eastflow_", "/no_such_")):
        with pytest.raises(StorageFault, match="cannot open"):
            await Database.open(url)


COLUMNS = ("id", "key", "text", "at", "numbers", "details")
AT = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
RECORDS: list[tuple[Any, ...]] = [
    (1, UUID(int=7), "naïve 中文 \\ \t\n", AT, [1, -(1 << 63), (1 << 63) - 1], '{"a": [1, null]}'),
    (2, None, "", None, [], "null"),
    (3, None, None, None, None, None),
    (-(1 << 63), UUID(int=(1 << 128) - 1), "'; --", AT, [None], "{}"),
]


@pytest.fixture
async def kept(database: Database) -> Database:
    columns = "id BIGINT PRIMARY KEY, key UUID, text TEXT, at TIMESTAMPTZ, numbers BIGINT[], details JSONB"
    await database.run(lambda tx: tx.execute(f"CREATE TABLE kept ({columns})"))
    return database


async def read_back(database: Database) -> list[tuple[Any, ...]]:
    async with database.reading() as tx:
        return [tuple(row) for row in await tx.rows(f"SELECT {', '.join(COLUMNS)} FROM kept")]


async def test_many_rows_come_back_as_they_went_in(kept: Database) -> None:
    statement = f"INSERT INTO kept ({', '.join(COLUMNS)}) VALUES ($1, $2, $3, $4, $5, $6)"
    await kept.run(lambda tx: tx.execute_many(statement, RECORDS))
    assert sorted(await read_back(kept), key=str) == sorted(RECORDS, key=str)


async def test_records_come_back_as_they_went_in(kept: Database) -> None:
    await kept.run(lambda tx: tx.records_in("kept", COLUMNS, RECORDS))
    assert sorted(await read_back(kept), key=str) == sorted(RECORDS, key=str)


async def test_a_binary_copy_goes_out_and_in_again(kept: Database) -> None:
    await kept.run(lambda tx: tx.records_in("kept", COLUMNS, RECORDS))
    pieces: list[bytes] = []

    async def receive(piece: bytes) -> None:
        pieces.append(piece)

    async with kept.reading() as tx:
        await tx.copy_out(f"SELECT {', '.join(COLUMNS)} FROM kept", receive)
    rows = b"".join(pieces)[19:-2]
    await kept.run(lambda tx: tx.execute("DELETE FROM kept"))
    await kept.run(lambda tx: tx.copy_in("kept", COLUMNS, [rows]))
    assert sorted(await read_back(kept), key=str) == sorted(RECORDS, key=str)


async def test_rows_made_by_hand_are_copied_in_all_or_none(kept: Database) -> None:
    def row(id: int, text: str | None) -> bytes:
        number = struct.pack(">hiq", 2, 8, id)
        return number + (struct.pack(">i", -1) if text is None else struct.pack(">i", len(text)) + text.encode())

    rows: list[bytes | memoryview] = [row(1, "one"), memoryview(row(2, None)), row(3, "")]
    await kept.run(lambda tx: tx.copy_in("kept", ("id", "text"), rows))
    assert [found[0::2][:2] for found in await read_back(kept)] == [(1, "one"), (2, None), (3, "")]
    with pytest.raises(UniqueViolation) as found:
        await kept.run(lambda tx: tx.copy_in("kept", ("id", "text"), [row(4, "four"), row(2, "again")]))
    assert found.value.constraint == "kept_pkey"
    with pytest.raises(UniqueViolation):
        await kept.run(lambda tx: tx.records_in("kept", ("id", "text"), [(4, "four"), (1, "again")]))
    assert len(await read_back(kept)) == 3


async def test_touched_rows_are_counted(counters: Database) -> None:
    async def work(tx: Transaction) -> list[int]:
        return [
            await tx.execute("UPDATE counter SET value = 9"),
            await tx.execute("DELETE FROM counter WHERE id = 77"),
            await tx.execute("INSERT INTO counter VALUES (3, 0)"),
            await tx.execute("CREATE TABLE another (id BIGINT)"),
        ]

    assert await counters.run(work) == [2, 0, 1, 0]
