"""Kill -9 under load: every answered entry is in the books, none is there twice, and the proof holds.

The database server, a process with an engine, and the HTTP process are killed for real. The soak does it twenty times.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from eastflow.channels.api import Scope
from eastflow.channels.api.keys import create_key
from eastflow.kernel import Asset
from eastflow.ledger import Account, Done, Entry, Posting, Side, trial_balance_at, verify
from eastflow.ledger.actions import Engine, define_asset, new_id, open_accounts
from eastflow.storage import Database, embedded, migrate

DAY = date(2026, 1, 2)
ACCOUNTS = 50
KILLS, SOAK_KILLS = 3, 20
MEMORY_BYTES = 512 << 20


@pytest.fixture
def data_dir() -> Iterator[Path]:
    room = Path(tempfile.mkdtemp(prefix="eastflow-faults-"))
    yield room / "bank"
    embedded.stop(room / "bank")
    shutil.rmtree(room, ignore_errors=True)


async def open_books(url: str) -> Database:
    database = await Database.open(url)
    await migrate(database)
    await database.run(lambda tx: define_asset(tx, Asset("EUR", 2)))
    accounts = [Account(n, "EUR", Side.CREDIT, "test:accounts", DAY, None) for n in range(1, ACCOUNTS + 1)]
    await database.run(lambda tx: open_accounts(tx, accounts))
    return database


def transfer(number: int) -> Entry:
    source, target = 1 + number % ACCOUNTS, 1 + (number * 7 + 3) % ACCOUNTS
    target = target if target != source else 1 + source % ACCOUNTS
    return Entry(new_id(), "transfer", DAY, (Posting(source, "EUR", -1), Posting(target, "EUR", 1)))


async def check_books(database: Database, answered: set[UUID]) -> None:
    async with database.reading() as tx:
        ids = [row["id"] for row in await tx.rows("SELECT id FROM ledger_entry")]
        assert (await trial_balance_at(tx)).balanced
        assert (await verify(tx)).findings == ()
    assert answered
    assert len(ids) == len(set(ids))
    assert answered <= set(ids)


async def server_is_killed(data_dir: Path, kills: int) -> None:
    database = await open_books(embedded.start(data_dir, memory_bytes=MEMORY_BYTES).url)
    answered: set[UUID] = set()
    working = True

    async def caller(start: int) -> None:
        number = start
        while working:
            number += 100
            outcome = await engine.post(transfer(number))
            assert isinstance(outcome, Done)
            answered.add(outcome.id)

    async with Engine(database) as engine:
        callers = [asyncio.create_task(caller(start)) for start in range(20)]
        for _ in range(kills):
            await asyncio.sleep(0.4)
            before = len(answered)
            pid = embedded.running(data_dir)
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            # A signal takes its moment; a start in that moment would find the server alive and leave it at that.
            while embedded.running(data_dir) == pid:
                await asyncio.sleep(0.001)
            await asyncio.to_thread(embedded.start, data_dir, memory_bytes=MEMORY_BYTES)
            async with asyncio.timeout(90):
                while len(answered) == before:
                    await asyncio.sleep(0.05)
        working = False
        await asyncio.gather(*callers)
    await check_books(database, answered)
    await database.close()


POSTER = textwrap.dedent(
    """
    import asyncio, sys
    from eastflow.ledger.actions import Engine
    from eastflow.storage import Database
    sys.path.insert(0, sys.argv[2])
    from tests.faults_test import transfer

    async def main():
        database = await Database.open(sys.argv[1])
        async with Engine(database) as engine:
            async def caller(number):
                while True:
                    number += 100
                    outcome = await engine.post(transfer(number))
                    sys.stdout.write(f"{outcome.id}\\n")
                    sys.stdout.flush()
            await asyncio.gather(*(caller(start) for start in range(20)))

    asyncio.run(main())
    """
)


async def engine_is_killed(data_dir: Path, kills: int) -> None:
    server = embedded.start(data_dir, memory_bytes=MEMORY_BYTES)
    database = await open_books(server.url)
    answered: set[UUID] = set()
    for _ in range(kills):
        command = [sys.executable, "-c", POSTER, server.url, str(Path(__file__).parents[1])]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        first = process.stdout.readline()
        await asyncio.sleep(0.3)
        process.kill()
        rest, _ = process.communicate()
        # The last line may be cut off by the kill.
        lines = [first, *rest.splitlines(keepends=True)]
        answered |= {UUID(line.strip()) for line in lines if line.endswith("\n")}
    await check_books(database, answered)
    await database.close()


async def http_is_killed(data_dir: Path, kills: int) -> None:
    """The whole program, `eastflow up`, dies under the load of twenty clients, and comes up again."""
    server = embedded.start(data_dir, memory_bytes=MEMORY_BYTES)
    database = await open_books(server.url)
    _, secret = await database.run(lambda tx: create_key(tx, "a test", tuple(Scope)))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"EASTFLOW_DATABASE_URL": server.url, "EASTFLOW_PORT": str(port)}
    answered: set[UUID] = set()

    async def caller(client: httpx.AsyncClient, start: int) -> None:
        for number in itertools.count(start, 100):
            entry = transfer(number)
            legs = [{"account": p.account, "asset": p.asset, "amount_minor": p.amount_minor} for p in entry.postings]
            body = {"id": str(entry.id), "kind": entry.kind, "value_date": str(entry.value_date), "postings": legs}
            try:
                answer = await client.post("/v1/entries", json=body)
            except httpx.TransportError:
                return
            assert answer.status_code == 201, answer.text
            answered.add(entry.id)

    for _ in range(kills):
        program = subprocess.Popen(
            [sys.executable, "-c", "from eastflow.main import main; main()", "up"],
            env=environment, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        headers = {"authorization": f"Bearer {secret}"}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False) as client:
            await until_up(client)
            before = len(answered)
            callers = [asyncio.create_task(caller(client, start)) for start in range(20)]
            async with asyncio.timeout(60):
                while len(answered) < before + 200:
                    await asyncio.sleep(0.02)
            program.kill()
            program.wait()
            await asyncio.gather(*callers)
    await check_books(database, answered)
    await database.close()


async def until_up(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get("/healthz")).status_code == 200:
                    return
            await asyncio.sleep(0.1)


def test_the_http_process_is_killed(data_dir: Path) -> None:
    asyncio.run(http_is_killed(data_dir, KILLS))


@pytest.mark.soak
def test_the_http_process_is_killed_often(data_dir: Path) -> None:
    asyncio.run(http_is_killed(data_dir, SOAK_KILLS))


def test_the_database_server_is_killed(data_dir: Path) -> None:
    asyncio.run(server_is_killed(data_dir, KILLS))


def test_the_engine_is_killed(data_dir: Path) -> None:
    asyncio.run(engine_is_killed(data_dir, KILLS))


@pytest.mark.soak
def test_the_database_server_is_killed_often(data_dir: Path) -> None:
    asyncio.run(server_is_killed(data_dir, SOAK_KILLS))


@pytest.mark.soak
def test_the_engine_is_killed_often(data_dir: Path) -> None:
    asyncio.run(engine_is_killed(data_dir, SOAK_KILLS))
