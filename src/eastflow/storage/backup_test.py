"""A drill: books are posted to, backed up, posted to again, and restored to a moment in between."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from . import backup, embedded
from .backup import Backup, back_up, backups, drop_older_backups, restore, verify_backup
from .embedded import EmbeddedServerFault

MEMORY_BYTES = 512 << 20


@pytest.fixture
def room() -> Iterator[Path]:
    # Not pytest's own folder: the server's user may not be allowed in there.
    made = Path(tempfile.mkdtemp(prefix="eastflow-backup-"))
    yield made
    for name in ("bank", "restored", "later"):
        embedded.stop(made / name)
    shutil.rmtree(made, ignore_errors=True)


async def write(url: str, text: str) -> datetime:
    """The moment after it was committed."""
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE IF NOT EXISTS note (text TEXT)")
    await connection.execute("INSERT INTO note VALUES ($1)", text)
    at: datetime = await connection.fetchval("SELECT clock_timestamp()")
    await connection.close()
    return at


async def notes(data_dir: Path) -> list[str]:
    connection = await asyncpg.connect(embedded.start(data_dir, memory_bytes=MEMORY_BYTES).url)
    found = [row["text"] for row in await connection.fetch("SELECT text FROM note")]
    await connection.close()
    embedded.stop(data_dir)
    return found


async def test_any_moment_after_a_backup_is_restored(room: Path) -> None:
    bank, safe = room / "bank", room / "safe"
    server = embedded.start(bank, memory_bytes=MEMORY_BYTES, backup_dir=safe)
    before = await write(server.url, "before")
    made = back_up(bank, safe)
    assert backups(safe) == [made]
    verify_backup(made)
    moment = await write(server.url, "between")
    await write(server.url, "after")
    embedded.stop(bank)

    assert restore(safe, room / "restored", to=moment, memory_bytes=MEMORY_BYTES) == made
    assert await notes(room / "restored") == ["before", "between"]
    assert restore(safe, room / "later", memory_bytes=MEMORY_BYTES) == made
    assert await notes(room / "later") == ["before", "between", "after"]
    assert await notes(bank) == ["before", "between", "after"], "what was backed up is as it was"

    with pytest.raises(EmbeddedServerFault, match="not empty"):
        restore(safe, room / "restored", to=moment)
    with pytest.raises(EmbeddedServerFault, match="no backup"):
        restore(safe, room / "elsewhere", to=before)
    assert not (room / "elsewhere").exists()
    with pytest.raises(EmbeddedServerFault, match="recovery ended before"):
        restore(safe, room / "elsewhere", to=datetime.now(UTC) + timedelta(days=1), memory_bytes=MEMORY_BYTES)
    assert not (room / "elsewhere").exists()


def disk_full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def half_a_copy(_: object, to: Path, **__: object) -> None:
    to.mkdir()
    append(to / "half")
    disk_full()


async def test_of_a_backup_or_restore_that_fails_nothing_is_left(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bank, safe, fresh = room / "bank", room / "safe", room / "restored"
    embedded.start(bank, memory_bytes=MEMORY_BYTES)
    with monkeypatch.context() as damaged:
        damaged.setattr(backup, "damage", lambda _: ["PG_VERSION has been changed"])
        with pytest.raises(EmbeddedServerFault, match="is damaged"):
            back_up(bank, safe)
    made = back_up(bank, safe)
    assert list((safe / "base").iterdir()) == [made.path], "what the first run left is gone"
    for place, name, fails in ((shutil, "copytree", half_a_copy), (Path, "write_text", disk_full)):
        with monkeypatch.context() as full:
            full.setattr(place, name, fails)
            with pytest.raises(EmbeddedServerFault, match="No space left on device"):
                restore(safe, fresh, memory_bytes=MEMORY_BYTES)
        assert not fresh.exists()
    with monkeypatch.context() as read_only:
        read_only.setattr(Path, "chmod", disk_full)
        verify_backup(made)
    append(made.path / "PG_VERSION")
    with pytest.raises(EmbeddedServerFault, match="PG_VERSION has been changed"):
        restore(safe, fresh, memory_bytes=MEMORY_BYTES)
    assert not fresh.exists()


async def test_older_backups_go_and_the_log_that_only_they_need(room: Path) -> None:
    bank, safe = room / "bank", room / "safe"
    server = embedded.start(bank, memory_bytes=MEMORY_BYTES, backup_dir=safe)
    made: list[Backup] = []
    moments: list[datetime] = []
    for text in ("first", "second", "third"):
        await write(server.url, text)
        made.append(back_up(bank, safe))
        moments.append(await write(server.url, f"after the {text}"))
    first_log = sorted(path.name for path in (safe / "wal").iterdir())[0]
    assert drop_older_backups(safe, keep=3) == []
    # One that is damaged is none of those to keep.
    append(made[1].path / "PG_VERSION")
    assert drop_older_backups(safe, keep=2) == []
    assert backups(safe) == made
    (made[1].path / "PG_VERSION").write_bytes((made[0].path / "PG_VERSION").read_bytes())
    assert drop_older_backups(safe, keep=2) == made[:1]
    assert backups(safe) == made[1:]
    assert not (safe / "wal" / first_log).exists()
    embedded.stop(bank)
    with pytest.raises(EmbeddedServerFault, match="no backup"):
        restore(safe, room / "restored", to=moments[0])
    restore(safe, room / "restored", to=moments[1], memory_bytes=MEMORY_BYTES)
    assert await notes(room / "restored") == ["first", "after the first", "second", "after the second"]
    with pytest.raises(EmbeddedServerFault, match="At least one"):
        drop_older_backups(safe, keep=0)


async def test_what_was_restored_is_kept_and_restored_again(room: Path) -> None:
    bank, safe, second = room / "bank", room / "safe", room / "restored"
    server = embedded.start(bank, memory_bytes=MEMORY_BYTES, backup_dir=safe)
    await write(server.url, "before")
    back_up(bank, safe)
    embedded.stop(bank)
    restore(safe, second, memory_bytes=MEMORY_BYTES)
    server = embedded.start(second, memory_bytes=MEMORY_BYTES, backup_dir=safe)
    await write(server.url, "after the restore")
    embedded.stop(second)
    restore(safe, room / "later", memory_bytes=MEMORY_BYTES)
    assert await notes(room / "later") == ["before", "after the restore"]


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b" ")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "PG_VERSION has been changed": lambda copy: append(copy / "PG_VERSION"),
    "pg_hba.conf cannot be read": lambda copy: (copy / "pg_hba.conf").unlink(),
    "stranger is not in the manifest": lambda copy: append(copy / "stranger"),
    "backup_manifest cannot be read": lambda copy: (copy / "backup_manifest").write_text("{}"),
    "pg_waldump failed": lambda copy: shutil.rmtree(copy / "pg_wal"),
}


async def test_a_damaged_backup_is_told(room: Path) -> None:
    embedded.start(room / "bank", memory_bytes=MEMORY_BYTES)
    made = back_up(room / "bank", room / "safe")
    for told, harm in DAMAGES.items():
        copy = room / "safe" / "base" / "copy"
        shutil.copytree(made.path, copy)
        harm(copy)
        with pytest.raises(EmbeddedServerFault, match=told):
            verify_backup(Backup(made.completed_at, copy))
        shutil.rmtree(copy)
    verify_backup(made)


def test_what_cannot_be_backed_up(room: Path) -> None:
    with pytest.raises(EmbeddedServerFault, match="No server runs"):
        back_up(room / "bank", room / "safe")
    with pytest.raises(EmbeddedServerFault, match="a shell would not take"):
        embedded.start(room / "bank", memory_bytes=MEMORY_BYTES, backup_dir=room / "a'safe")
    with pytest.raises(EmbeddedServerFault, match="must not hold itself"):
        embedded.start(room / "bank", memory_bytes=MEMORY_BYTES, backup_dir=room / "bank" / "safe")
    assert backups(room / "nothing") == []
