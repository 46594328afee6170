"""The restore drill: a bank posts, is backed up, posts on, is lost, and is restored to a moment that was noted."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from eastflow.kernel import Asset
from eastflow.ledger import Account, Done, Entry, Posting, Proof, Side, balances, entry, trial_balance_at, verify
from eastflow.ledger.actions import define_asset, new_id, open_accounts
from eastflow.storage import Transaction, back_up, embedded, restore

from .bank import Bank, Settings, open_bank

MEMORY_BYTES = 512 << 20
ENTRIES = 20


@pytest.fixture
def room() -> Iterator[Path]:
    # Not pytest's own folder: the server's user may not be allowed in there.
    made = Path(tempfile.mkdtemp(prefix="eastflow-drill-"))
    yield made
    for name in ("bank", "restored"):
        embedded.stop(made / name)
    shutil.rmtree(made, ignore_errors=True)


async def make(bank: Bank) -> None:
    async def work(tx: Transaction) -> None:
        await define_asset(tx, Asset("CZK", 2))
        day = bank.engine.today()
        await open_accounts(tx, [Account(number, "CZK", Side.CREDIT, "x", day, None) for number in (1, 2)])

    await bank.database.run(work)


async def post(bank: Bank) -> Entry:
    """Several, of which the last one is answered."""
    for _ in range(ENTRIES):
        last = Entry(new_id(), "transfer", bank.engine.today(), (Posting(1, "CZK", -1), Posting(2, "CZK", 1)))
        assert isinstance(await bank.engine.post(last), Done)
    return last


async def prove(bank: Bank, anchors: Proof | None = None) -> Proof:
    async with bank.database.reading() as tx:
        proof = await verify(tx, anchors=None if anchors is None else anchors.heads)
        assert (await trial_balance_at(tx, None)).balanced
    assert proof.proved
    return proof


async def test_the_books_are_restored_to_a_moment(room: Path) -> None:
    settings = Settings(data_dir=room / "bank", backup_dir=room / "safe", key_file=room / "keys")
    embedded.start(settings.data_dir, memory_bytes=MEMORY_BYTES, backup_dir=settings.backup_dir)
    async with open_bank(settings) as bank:
        await make(bank)
        await post(bank)
        back_up(settings.data_dir, room / "safe")
        noted = await post(bank)
        moment, proof = datetime.now(UTC), await prove(bank)
        lost = await post(bank)
        assert await prove(bank, proof) != proof
    embedded.stop(settings.data_dir)

    began = time.monotonic()
    restore(room / "safe", room / "restored", to=moment, memory_bytes=MEMORY_BYTES)
    embedded.start(room / "restored", memory_bytes=MEMORY_BYTES)
    async with open_bank(Settings(data_dir=room / "restored", key_file=room / "keys")) as restored:
        assert (await prove(restored, proof)).heads == proof.heads
        async with restored.database.reading() as tx:
            assert await entry(tx, noted.id) is not None
            assert await entry(tx, lost.id) is None
            assert {n: b.posted_minor for n, b in (await balances(tx, [1, 2])).items()} == {
                1: -2 * ENTRIES, 2: 2 * ENTRIES,
            }  # fmt: skip
        await post(restored)
        print(f"recovery time: {time.monotonic() - began:.1f} s from the loss to new entries")
        await prove(restored, proof)


async def test_a_lost_machine_takes_only_its_last_minute_with_it(room: Path) -> None:
    settings = Settings(data_dir=room / "bank", backup_dir=room / "safe", key_file=room / "keys")
    embedded.start(settings.data_dir, memory_bytes=MEMORY_BYTES, backup_dir=settings.backup_dir)
    async with open_bank(settings) as bank:
        await make(bank)
        kept = await post(bank)
        kept_at = datetime.now(UTC)
        back_up(settings.data_dir, room / "safe")
        lost = await post(bank)
        lost_at = datetime.now(UTC)
        server = embedded.running(settings.data_dir)
        assert server is not None
        os.kill(server, signal.SIGKILL)
    restore(room / "safe", room / "restored", memory_bytes=MEMORY_BYTES)
    embedded.start(room / "restored", memory_bytes=MEMORY_BYTES)
    async with open_bank(Settings(data_dir=room / "restored", key_file=room / "keys")) as restored:
        async with restored.database.reading() as tx:
            assert await entry(tx, kept.id) is not None
            found = await entry(tx, lost.id)
        gone = timedelta(0) if found else lost_at - kept_at
        print(f"recovery point: {gone.total_seconds():.1f} s before the loss")
        assert gone < timedelta(seconds=embedded.ARCHIVE_SECONDS_MAX)
        await prove(restored)
