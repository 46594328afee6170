"""No wrapping key is dropped while a transaction is open that may have wrapped by it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from eastflow.storage import Database, KeyFault, Keys, StorageFault, Transaction, wrapping
from eastflow.storage.month_keys import month_sealer, month_unsealed, rewrap_month_keys
from eastflow.storage.wrapping import drop_older_wrapping_keys

DAY, PLACE = date(2026, 3, 31), b"here"


@pytest.fixture
async def bank(database_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(database_url, keys=Keys.open(tmp_path / "keys"))
    yield opened
    await opened.close()


async def drop(bank: Database) -> tuple[int, int]:
    return await drop_older_wrapping_keys(bank, lambda: bank.run(rewrap_month_keys))


class Rival:
    """Another process of the bank, in the middle of sealing."""

    def __init__(self, database_url: str, key_file: Path) -> None:
        self._url, self._keys = database_url, Keys.open(key_file)
        self.has_wrapped, self.may_commit = asyncio.Event(), asyncio.Event()

    async def seal(self) -> bytes:
        database = await Database.open(self._url, keys=self._keys)

        async def work(tx: Transaction) -> bytes:
            sealed = (await month_sealer(tx, "tests", DAY)).seal(b"Ann", PLACE)
            self.has_wrapped.set()
            await self.may_commit.wait()
            return sealed

        sealed = await database.run(work)
        await database.close()
        return sealed


async def test_a_key_wrapped_while_older_ones_are_dropped_is_not_lost(bank: Database, tmp_path: Path) -> None:
    rival = Rival(bank.url, tmp_path / "keys")
    sealing = asyncio.create_task(rival.seal())
    await rival.has_wrapped.wait()
    assert bank.keys is not None
    assert bank.keys.add_wrapping_key() == 2
    dropping = asyncio.create_task(drop(bank))
    await asyncio.sleep(0.3)
    assert not dropping.done()
    rival.may_commit.set()
    sealed = await sealing
    assert await dropping == (2, 1)
    again = await Database.open(bank.url, keys=Keys.open(tmp_path / "keys"))
    async with again.reading() as tx:
        assert await month_unsealed(tx, "tests", [(sealed, PLACE)]) == [b"Ann"]
    await again.close()


async def test_no_key_is_dropped_when_a_transaction_stays_open(
    bank: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wrapping, "PATIENCE_SECONDS", 0)
    rival = Rival(bank.url, tmp_path / "keys")
    sealing = asyncio.create_task(rival.seal())
    await rival.has_wrapped.wait()
    assert bank.keys is not None
    bank.keys.add_wrapping_key()
    with pytest.raises(StorageFault, match="still open"):
        await drop(bank)
    rival.may_commit.set()
    await sealing
    monkeypatch.undo()
    assert await drop(bank) == (2, 1)


async def test_no_key_is_dropped_when_one_is_added_meanwhile(bank: Database, tmp_path: Path) -> None:
    async def rewrap() -> int:
        Keys.open(tmp_path / "keys").add_wrapping_key()
        return await bank.run(rewrap_month_keys)

    with pytest.raises(KeyFault, match="in the same moment"):
        await drop_older_wrapping_keys(bank, rewrap)
    assert await drop(bank) == (2, 0)


async def test_without_keys_none_can_be_dropped(bank: Database) -> None:
    keyless = await Database.open(bank.url)
    with pytest.raises(KeyFault):
        await drop(keyless)
    await keyless.close()
