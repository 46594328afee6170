"""Tables are brought forward, whole versions at a time, by one of many; what does not fit is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest

from eastflow.storage import Database, SchemaFault, Transaction, migrate, migrations
from eastflow.storage.migrations import Migration, known_migrations

FIRST = Migration("shelf", 1, "CREATE TABLE shelf_book (id BIGINT PRIMARY KEY, title TEXT NOT NULL)")
SECOND = Migration("shelf", 2, "ALTER TABLE shelf_book ADD COLUMN year BIGINT; UPDATE shelf_book SET year = 1900")
BROKEN = Migration("shelf", 3, "CREATE TABLE shelf_loan (id BIGINT); ALTER TABLE shelf_missing ADD COLUMN x TEXT")
LOCK = 4711
WAITS_FOR_THE_TEST = Migration("slow", 1, f"SELECT pg_advisory_xact_lock({LOCK}); CREATE TABLE slow_table (id BIGINT)")


@pytest.fixture
async def empty_url(server_url: str) -> AsyncIterator[str]:
    """A database in which nothing has ever been made."""
    name = f"eastflow_empty_{uuid4().hex}"
    connection = await asyncpg.connect(server_url)
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    parts = urlsplit(server_url)
    yield f"{parts.scheme}://{parts.netloc}{urlunsplit(('', '', f'/{name}', parts.query, ''))}"
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture
async def empty(empty_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(empty_url)
    yield opened
    await opened.close()


async def register(database: Database) -> list[tuple[str, int]]:
    async with database.reading() as tx:
        rows = await tx.rows("SELECT room, version FROM storage_migration ORDER BY room, version")
    return [(row["room"], row["version"]) for row in rows]


async def tables(database: Database) -> set[str]:
    async with database.reading() as tx:
        rows = await tx.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {row["tablename"] for row in rows} - {"storage_migration"}


async def test_an_older_database_is_brought_forward_with_what_is_in_it(empty: Database) -> None:
    assert await migrate(empty, [FIRST]) == 1
    await empty.run(lambda tx: tx.execute("INSERT INTO shelf_book VALUES (1, 'Faust')"))
    assert await migrate(empty, [FIRST, SECOND]) == 1
    async with empty.reading() as tx:
        assert tuple(await tx.row("SELECT id, title, year FROM shelf_book")) == (1, "Faust", 1900)
    assert await migrate(empty, [FIRST, SECOND]) == 0
    assert await register(empty) == [("shelf", 1), ("shelf", 2)]


async def test_the_whole_house_is_set_up_once(empty: Database) -> None:
    known = known_migrations()
    assert len(known) >= 3
    assert await migrate(empty) == len(known)
    assert await migrate(empty) == 0
    assert await register(empty) == sorted((each.room, each.version) for each in known)


async def test_an_older_program_refuses_a_newer_database(empty: Database) -> None:
    await migrate(empty, [FIRST, SECOND])
    before = await tables(empty), await register(empty)
    for older in ([FIRST], [], [Migration("other", 1, "CREATE TABLE other_table (id BIGINT)"), FIRST]):
        with pytest.raises(SchemaFault, match=r"version \d of shelf, which this program does not know"):
            await migrate(empty, older)
    assert (await tables(empty), await register(empty)) == before


async def test_an_edited_version_is_refused_before_anything_is_applied(empty: Database) -> None:
    await migrate(empty, [FIRST])
    edited = Migration("shelf", 1, FIRST.sql + " ")
    with pytest.raises(SchemaFault, match="version 1 of shelf has been edited"):
        await migrate(empty, [edited, SECOND])
    assert await register(empty) == [("shelf", 1)]


async def test_a_version_that_fails_leaves_nothing_half_done(empty: Database) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        await migrate(empty, [FIRST, SECOND, BROKEN])
    assert await tables(empty) == {"shelf_book"}
    assert await register(empty) == [("shelf", 1), ("shelf", 2)]
    mended = Migration("shelf", 3, "CREATE TABLE shelf_loan (id BIGINT)")
    assert await migrate(empty, [FIRST, SECOND, mended]) == 1
    assert await tables(empty) == {"shelf_book", "shelf_loan"}


async def test_a_unique_key_broken_by_a_version_is_not_taken_for_a_rival(empty: Database) -> None:
    doubled = Migration("shelf", 2, "INSERT INTO shelf_book VALUES (1, 'a'), (1, 'b')")
    with pytest.raises(Exception, match="shelf_book_pkey"):
        await migrate(empty, [FIRST, doubled])
    assert await register(empty) == [("shelf", 1)]


@asynccontextmanager
async def starters(url: str, count: int) -> AsyncIterator[list[Database]]:
    opened = [await Database.open(url) for _ in range(count)]
    yield opened
    for each in opened:
        await each.close()


async def until_waiting(connection: asyncpg.Connection, count: int) -> None:
    """Until so many others wait for a lock in this database."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(30):
        while await connection.fetchval(query) < count:
            await asyncio.sleep(0.01)


async def test_of_two_that_start_at_once_one_applies_and_both_go_on(empty_url: str) -> None:
    holder = await asyncpg.connect(empty_url)
    async with starters(empty_url, 2) as both:
        await migrate(both[0], [FIRST])
        await holder.execute(f"SELECT pg_advisory_lock({LOCK})")
        starting = [asyncio.create_task(migrate(each, [FIRST, WAITS_FOR_THE_TEST])) for each in both]
        await until_waiting(holder, 2)
        await holder.execute(f"SELECT pg_advisory_unlock({LOCK})")
        assert sorted(await asyncio.gather(*starting)) == [0, 1]
        assert await tables(both[0]) == {"shelf_book", "slow_table"}
        assert await register(both[1]) == [("shelf", 1), ("slow", 1)]
    await holder.close()


async def test_the_second_goes_on_when_the_first_fails(empty_url: str) -> None:
    holder = await asyncpg.connect(empty_url)
    async with starters(empty_url, 2) as both:
        await migrate(both[0], [FIRST])
        await holder.execute(f"SELECT pg_advisory_lock({LOCK})")
        starting = [asyncio.create_task(migrate(both[0], [FIRST, WAITS_FOR_THE_TEST]))]
        await until_waiting(holder, 1)
        starting.append(asyncio.create_task(migrate(both[1], [FIRST, WAITS_FOR_THE_TEST])))
        await until_waiting(holder, 2)
        starting[0].cancel()
        await asyncio.wait(starting[:1])
        await holder.execute(f"SELECT pg_advisory_unlock({LOCK})")
        assert await starting[1] == 1
        assert await register(both[1]) == [("shelf", 1), ("slow", 1)]
    await holder.close()


async def test_two_that_make_the_register_at_once_both_go_on(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    execute = Transaction.execute

    async def noted(self: Transaction, query: str, *arguments: object) -> int:
        made.append(query)
        return await execute(self, query, *arguments)

    rival = await asyncpg.connect(empty_url)
    async with starters(empty_url, 2) as both:
        monkeypatch.setattr(Transaction, "execute", noted)
        # The rival has made the register and not committed yet: the starters do not see it, and wait for its name.
        transaction = rival.transaction()
        await transaction.start()
        await rival.execute(
            "CREATE TABLE storage_migration (room TEXT NOT NULL, version BIGINT NOT NULL, checksum TEXT NOT NULL, "
            "applied_at TIMESTAMPTZ NOT NULL, PRIMARY KEY (room, version))"
        )
        starting = [asyncio.create_task(migrate(each, [FIRST, SECOND])) for each in both]
        await until_waiting(rival, 2)
        await transaction.commit()
        assert sum(await asyncio.gather(*starting)) == 2
        assert await register(both[0]) == [("shelf", 1), ("shelf", 2)]
    assert sum("CREATE TABLE IF NOT EXISTS storage_migration" in query for query in made) == 2
    await rival.close()


async def test_many_start_at_once_on_an_empty_database(empty_url: str) -> None:
    known = known_migrations()
    async with starters(empty_url, 4) as many:
        assert sum(await asyncio.gather(*(migrate(each) for each in many))) == len(known)
        assert await register(many[0]) == sorted((each.room, each.version) for each in known)


def write(root: Path, room: str, text: str) -> None:
    (root / room).mkdir()
    (root / room / "schema.sql").write_text(text, encoding="utf-8")


def test_a_schema_is_cut_at_its_versions(tmp_path: Path) -> None:
    write(tmp_path, "b", "-- version 1: the first\nONE;\n-- version of nothing\n\n-- version 2\nTWO;\n")
    write(tmp_path, "a", "-- what this is\n-- version 1\nZERO;")
    assert known_migrations(tmp_path) == [
        Migration("a", 1, "ZERO;"),
        Migration("b", 1, "ONE;\n-- version of nothing"),
        Migration("b", 2, "TWO;"),
    ]


@pytest.mark.parametrize("numbers", [(2,), (1, 3), (1, 1), (2, 1)], ids=str)
def test_versions_count_up_from_one(tmp_path: Path, numbers: tuple[int, ...]) -> None:
    write(tmp_path, "a", "".join(f"-- version {number}\nX;\n" for number in numbers))
    with pytest.raises(AssertionError, match="count up from 1"):
        known_migrations(tmp_path)


DIRECTED = """
CREATE TABLE shelf_kind (id BIGINT PRIMARY KEY);
-- reference shelf_kind
CREATE TABLE shelf_book (id BIGINT PRIMARY KEY);
-- distribute shelf_book by id
-- fillfactor shelf_book 70
-- Here we distribute shelf_kind by id, which is prose; so is reference shelf_book.
--  reference shelf_book
"""


async def test_tables_are_filled_as_the_schema_says(empty: Database) -> None:
    await migrate(empty, [Migration("shelf", 1, DIRECTED)])
    async with empty.reading() as tx:
        rows = await tx.rows("SELECT relname, reloptions FROM pg_class WHERE relname IN ('shelf_kind', 'shelf_book')")
    assert {row["relname"]: row["reloptions"] for row in rows} == {"shelf_kind": None, "shelf_book": ["fillfactor=70"]}


async def test_tables_are_distributed_as_the_schema_says() -> None:
    class Citus:
        """Takes down what it is asked."""

        def __init__(self) -> None:
            self.asked: list[tuple[Any, ...]] = []

        async def execute(self, *asked: Any) -> int:
            self.asked.append(asked)
            return 0

    citus = Citus()
    await migrations._distribute(cast(Transaction, citus), DIRECTED)
    assert citus.asked == [
        ("SELECT create_reference_table($1)", "shelf_kind"),
        ("SELECT create_distributed_table($1, $2)", "shelf_book", "id"),
    ]


def test_every_table_of_the_house_says_where_it_lies() -> None:
    """A table forgotten here would stay on one node of a cluster, and joins with it would fail there."""
    for known in known_migrations():
        made = {line.split()[2] for line in known.sql.splitlines() if line.startswith("CREATE TABLE ")}
        placed = migrations._REFERENCE.findall(known.sql) + [t for t, _ in migrations._DISTRIBUTE.findall(known.sql)]
        assert sorted(placed) == sorted(made), known.room
