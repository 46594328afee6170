"""Month keys: one for a purpose and month, however many begin at once; kept only if committed; rewrapped; shredded."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest

from .database import Database
from .faults import KeyFault
from .keys import KEPT_MAX, KEPT_SECONDS, KeptDataKeys, Keys
from .month_keys import (
    check_month_keys,
    has_month_keys,
    month_sealer,
    month_unsealed,
    rewrap_month_keys,
    shred_months,
)
from .transaction import Transaction

DAY, NEXT = date(2026, 3, 31), date(2026, 4, 1)
PLACE = b"here 1"


async def sealed(database: Database, plain: bytes, day: date = DAY, purpose: str = "tests") -> bytes:
    async def work(tx: Transaction) -> bytes:
        return (await month_sealer(tx, purpose, day)).seal(plain, PLACE)

    return await database.run(work)


async def read(database: Database, *given: bytes, place: bytes = PLACE, purpose: str = "tests") -> list[bytes | None]:
    async with database.reading() as tx:
        return await month_unsealed(tx, purpose, [(each, place) for each in given])


async def test_a_month_has_one_key_for_each_purpose(database: Database) -> None:
    many = await asyncio.gather(*(sealed(database, b"Ann %d" % number) for number in range(6)))
    other = await sealed(database, b"Bob", NEXT)
    assert await read(database, *many, other) == [*(b"Ann %d" % number for number in range(6)), b"Bob"]
    await sealed(database, b"Ann", purpose="others")
    async with database.reading() as tx:
        rows = await tx.rows("SELECT purpose, month FROM storage_data_key ORDER BY purpose, month")
    assert [tuple(row) for row in rows] == [
        ("others", date(2026, 3, 1)),
        ("tests", date(2026, 3, 1)),
        ("tests", date(2026, 4, 1)),
    ]
    for place, wrong in ((b"there", many[0]), (PLACE, many[0][:9]), (PLACE, bytes(9)), (PLACE, b"")):
        with pytest.raises(KeyFault):
            await read(database, wrong, place=place)
    assert await read(database, many[0], purpose="unknown") == [None]


async def test_a_key_that_was_undone_seals_nothing_later(database: Database) -> None:
    """Kept in the process before it was committed, it would seal what nobody can read."""

    async def undone(tx: Transaction) -> None:
        with suppress(ZeroDivisionError):
            async with tx.savepoint():
                await month_sealer(tx, "tests", DAY)
                await month_sealer(tx, "tests", DAY)
                raise ZeroDivisionError
        assert (await month_sealer(tx, "tests", NEXT)).month == NEXT
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.run(undone)
    async with database.reading() as tx:
        assert not await has_month_keys(tx)
    assert await read(database, await sealed(database, b"Ann"), await sealed(database, b"Bob", NEXT)) == [
        b"Ann",
        b"Bob",
    ]


async def test_keys_are_rewrapped_and_shredded(database_url: str, tmp_path: Path) -> None:
    keys = Keys.open(tmp_path / "keys")
    database = await Database.open(database_url, keys=keys)
    texts = [await sealed(database, b"Ann", date(2026, month, 15)) for month in range(1, 6)]
    keys.add_wrapping_key()
    assert [await database.run(lambda tx: rewrap_month_keys(tx, limit=3)) for _ in range(3)] == [3, 2, 0]
    keys.drop_wrapping_keys(2)
    await database.close()
    again = await Database.open(database_url, keys=Keys.open(tmp_path / "keys"))
    await again.run(check_month_keys)
    assert await read(again, *texts) == [b"Ann"] * 5
    assert await again.run(lambda tx: shred_months(tx, "tests", date(2026, 4, 30))) == 3
    await again.close()
    later = await Database.open(database_url, keys=Keys.open(tmp_path / "keys"))
    assert await read(later, *texts) == [None, None, None, b"Ann", b"Ann"]
    await later.close()
    strange = await Database.open(database_url, keys=Keys.random())
    with pytest.raises(KeyFault):
        await strange.run(check_month_keys)
    await strange.close()


async def test_a_key_that_a_rival_has_wrapped_meanwhile_is_left_as_it_is(database_url: str, tmp_path: Path) -> None:
    """Whoever wrote over it could put back a wrapping key that the rival is about to drop."""
    keys = Keys.open(tmp_path / "keys")
    database = await Database.open(database_url, keys=keys)
    text = await sealed(database, b"Ann")
    keys.add_wrapping_key()

    async def first(tx: Transaction) -> tuple[object, asyncio.Task[int]]:
        assert await rewrap_month_keys(tx) == 1
        second = asyncio.create_task(database.run(rewrap_month_keys))
        await until_one_waits(database)
        return await tx.row("SELECT wrapping_key, wrapped FROM storage_data_key"), second

    wrapped, second = await database.run(first)
    assert await second == 1, "it had found one to wrap"
    async with database.reading() as tx:
        assert await tx.row("SELECT wrapping_key, wrapped FROM storage_data_key") == wrapped
    assert await read(database, text) == [b"Ann"]
    await database.close()


async def until_one_waits(database: Database) -> None:
    """For a row that another transaction has changed."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(30):
        while True:
            async with database.reading() as tx:
                if await tx.value(query):
                    return
            await asyncio.sleep(0.01)


def test_keys_are_kept_for_a_minute_and_few_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    at = 0
    monkeypatch.setattr("time.monotonic_ns", lambda: at)
    kept = KeptDataKeys()
    kept.keep("first", b"key")
    at = KEPT_SECONDS * 10**9 - 1
    assert kept.get("first") == b"key"
    at += 1
    assert kept.get("first") is None
    for number in range(KEPT_MAX):
        kept.keep(number, b"key")
    assert (kept.get("first"), kept.get(KEPT_MAX - 1)) == (None, b"key")
