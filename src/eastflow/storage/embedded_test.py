"""The embedded server starts, is found again, survives a kill and never loses a committed row."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from eastflow.storage import embedded
from eastflow.storage.embedded import EmbeddedServer, EmbeddedServerFault, running, settings, start, stop

MEMORY_BYTES = 512 * 1024**2
GIBIBYTE = 1024**3


@pytest.fixture
def room() -> Iterator[Path]:
    """A folder of our own: pytest closes its own to the server's user again at each run."""
    folder = Path(tempfile.mkdtemp(prefix="eastflow-test-"))
    yield folder
    for data_dir in [folder / "bank", *folder.glob("**/deep")]:
        stop(data_dir)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A data directory made once and stopped; tests that do not ask about the making copy it."""
    folder = Path(tempfile.mkdtemp(prefix="eastflow-test-"))
    start(folder / "bank", memory_bytes=MEMORY_BYTES)
    stop(folder / "bank")
    yield folder / "bank"
    shutil.rmtree(folder)


@pytest.fixture
def bank(made: Path, room: Path) -> Path:
    # As an administrator restores it: as root every file then belongs to root.
    return Path(shutil.copytree(made, room / "bank"))


def start_light(data_dir: Path) -> EmbeddedServer:
    return start(data_dir, memory_bytes=MEMORY_BYTES)


def start_elsewhere(data_dir: Path) -> subprocess.Popen[str]:
    code = (
        "import sys, pathlib, eastflow.storage.embedded as e;"
        f"print(e.start(pathlib.Path(sys.argv[1]), memory_bytes={MEMORY_BYTES}).pid)"
    )
    return subprocess.Popen([sys.executable, "-c", code, str(data_dir)], stdout=subprocess.PIPE, text=True)


def lives(pid: int) -> bool:
    """Whether a process is there and is more than an entry not yet waited for."""
    return Path(f"/proc/{pid}/exe").exists()


def kill_a_starter_in_the_middle_of_initdb(data_dir: Path) -> None:
    starter = start_elsewhere(data_dir)
    while not (data_dir / "base" / "1").exists():
        time.sleep(0.01)
    starter.kill()
    starter.communicate()


async def run(server: EmbeddedServer, statement: str) -> object:
    connection = await asyncpg.connect(server.url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_a_new_directory_becomes_a_private_server_that_sorts_by_code_point(room: Path) -> None:
    server = start_light(room / "new" / "bank")
    try:
        assert await run(server, "SELECT current_database()") == "eastflow"
        assert await run(server, "SHOW server_encoding") == "UTF8"
        assert (
            await run(server, "SELECT string_agg(w, '' ORDER BY w) FROM unnest('{b,é,A,a,京}'::text[]) w") == "Aabé京"
        )
        assert await run(server, "SELECT upper('é')") == "É"
        assert await run(server, "SHOW listen_addresses") == ""
        assert await run(server, "SHOW shared_buffers") == "128MB"
        assert await run(server, "SHOW fsync") == "on"
        assert await run(server, "SELECT count(*) FROM pg_file_settings WHERE error IS NOT NULL") == 0
        assert (room / "new" / "bank").stat().st_mode & 0o777 == 0o700
        if os.geteuid() == 0:
            assert (room / "new" / "bank").owner() == "pgserver"
    finally:
        assert stop(room / "new" / "bank")


async def test_data_outlives_a_stop_and_start_is_idempotent(bank: Path) -> None:
    assert running(bank) is None
    first = start_light(bank)
    assert start_light(bank) == first
    assert running(bank) == first.pid
    await run(first, "CREATE TABLE kept AS SELECT 7 AS n")
    assert stop(bank)
    assert running(bank) is None
    assert not stop(bank)
    second = start_light(bank)
    assert second.pid != first.pid
    assert await run(second, "SELECT n FROM kept") == 7


async def test_processes_that_start_at_once_get_one_server_that_outlives_them(room: Path) -> None:
    starters = [start_elsewhere(room / "bank") for _ in range(3)]
    pids = {int(starter.communicate(timeout=60)[0]) for starter in starters}
    assert pids == {running(room / "bank")}
    assert os.getsid(pids.pop()) not in {os.getsid(0), *(starter.pid for starter in starters)}


async def test_a_committed_row_survives_the_kill_of_the_server(bank: Path) -> None:
    server = start_light(bank)
    await run(server, "CREATE TABLE kept AS SELECT 7 AS n")
    busy = await asyncpg.connect(server.url)
    orphan = busy.get_server_pid()
    query = asyncio.create_task(busy.execute("SELECT count(*) FROM generate_series(1, 100000000000)"))
    await asyncio.sleep(0.2)
    os.kill(server.pid, signal.SIGKILL)
    await asyncio.sleep(0.1)
    assert running(bank) is None
    assert lives(orphan), "the busy backend has outlived its postmaster"
    again = start_light(bank)
    assert not lives(orphan)
    with pytest.raises((asyncpg.PostgresError, OSError)):
        await query
    busy.terminate()
    assert again.pid != server.pid
    assert await run(again, "SELECT n FROM kept") == 7


async def test_a_pid_that_now_belongs_to_a_stranger_does_not_keep_the_server_down(bank: Path) -> None:
    server = start_light(bank)
    pid_file = (bank / "postmaster.pid").read_text()
    stop(bank)
    (bank / "postmaster.pid").write_text(pid_file.replace(str(server.pid), str(os.getpid()), 1))
    assert running(bank) is None
    assert await run(start_light(bank), "SELECT 1") == 1


async def test_a_half_done_directory_is_made_again(room: Path) -> None:
    kill_a_starter_in_the_middle_of_initdb(room / "bank")
    assert not (room / "bank" / embedded.FINISHED_FILE).exists()
    assert await run(start_light(room / "bank"), "SELECT current_database()") == "eastflow"


def test_a_directory_with_other_files_is_refused_and_left_alone(room: Path) -> None:
    (room / "bank").mkdir()
    (room / "bank" / "thesis.txt").write_text("years of work")
    with pytest.raises(EmbeddedServerFault, match=r"thesis\.txt"):
        start_light(room / "bank")
    assert (room / "bank" / "thesis.txt").read_text() == "years of work"


async def test_a_path_too_long_for_a_socket_gets_a_short_private_one(made: Path, room: Path) -> None:
    data_dir = Path(shutil.copytree(made, room / ("long" * 30) / "it's, deep" / "deep"))
    server = start_light(data_dir)
    assert server.socket_dir.parent == Path("/tmp")
    assert server.socket_dir.stat().st_mode & 0o777 == 0o700
    assert await run(server, "SELECT 1") == 1
    stop(data_dir)
    server.socket_dir.rmdir()


def test_a_fault_carries_what_the_server_said(bank: Path) -> None:
    (bank / "postgresql.auto.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(EmbeddedServerFault, match="no_such_setting"):
        start_light(bank)


def test_stopping_what_never_was_says_so(room: Path) -> None:
    assert not stop(room / "bank")
    assert not (room / "bank").exists()


@pytest.mark.parametrize(
    ("memory_gib", "disk_gib", "shared_buffers", "cache", "wal_buffers", "max_wal", "min_wal"),
    [
        (0, 0, "128MB", "256MB", "16MB", "256MB", "64MB"),
        (1, 4, "256MB", "768MB", "32MB", "512MB", "128MB"),
        (24, 80, "6144MB", "18432MB", "64MB", "8192MB", "2048MB"),
        (256, 4096, "8192MB", "196608MB", "64MB", "8192MB", "2048MB"),
    ],
)
def test_settings_fit_the_machine(
    memory_gib: int, disk_gib: int, shared_buffers: str, cache: str, wal_buffers: str, max_wal: str, min_wal: str
) -> None:
    chosen = settings(memory_gib * GIBIBYTE, disk_gib * GIBIBYTE, wal_compression="lz4")
    assert chosen["shared_buffers"] == shared_buffers
    assert chosen["effective_cache_size"] == cache
    assert chosen["wal_buffers"] == wal_buffers
    assert chosen["max_wal_size"] == max_wal
    assert chosen["min_wal_size"] == min_wal
    assert chosen["wal_compression"] == "lz4"
    assert chosen["fsync"] == "on"


def test_memory_is_known() -> None:
    assert 0 < embedded.machine_memory_bytes() <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_a_foreign_directory_keeps_its_owner_and_mode(room: Path) -> None:
    foreign = room / "foreign"
    foreign.mkdir(mode=0o755)
    (foreign / "letters.txt").write_text("somebody else's")
    before = [(path.stat().st_uid, path.stat().st_mode) for path in (foreign, foreign / "letters.txt")]
    with pytest.raises(EmbeddedServerFault, match="not a data directory"):
        embedded.start(foreign)
    assert [(path.stat().st_uid, path.stat().st_mode) for path in (foreign, foreign / "letters.txt")] == before
