"""Backups of the embedded server: copies of its data directory, and with its write-ahead log any moment after them.

A backup directory holds `base/`, one folder for each copy, named by the moment it was complete, and `wal/`, the log as
the server keeps it when it was started with this backup directory.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from . import embedded
from .embedded import EmbeddedServerFault
from .manifest import damage, log_ranges

BASE_FOLDER = "base"
UNFINISHED = ".part"
LINES_TOLD_MAX = 20
_NAME = "%Y%m%dT%H%M%S.%fZ"
_FIRST_LOG = re.compile(r"\(file [0-9A-F]{8}([0-9A-F]{16})\)")
_LOG_FILE = re.compile(r"[0-9A-F]{8}([0-9A-F]{16})(?:\.|$)")
_LEFT_BEHIND = ("eastflow.log", "eastflow.log.1", "eastflow.served", "eastflow.started")


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy of the data directory, whole as of `completed_at`."""

    completed_at: datetime
    path: Path


def back_up(data_dir: Path, backup_dir: Path) -> Backup:
    """Copy the data directory of a running server, which goes on meanwhile, and check the copy.

    What an earlier run left unfinished is removed, so one runs at a time. Errors: EmbeddedServerFault.
    """
    data_dir = data_dir.resolve()
    if embedded.running(data_dir) is None:
        raise EmbeddedServerFault(f"No server runs in {data_dir}.")
    server = embedded.start(data_dir)
    account = embedded.server_account(data_dir)
    base = embedded.make_archive(backup_dir, data_dir, account).parent / BASE_FOLDER
    base.mkdir(exist_ok=True)
    if account is not None:
        os.chown(base, account.pw_uid, account.pw_gid)
    for unfinished in base.glob(f"*{UNFINISHED}"):
        shutil.rmtree(unfinished)
    copy = base / f"{datetime.now(UTC).strftime(_NAME)}{UNFINISHED}"
    where = (f"--host={server.socket_dir}", f"--port={embedded.PORT}", f"--username={embedded.SUPERUSER}")
    how = ("--wal-method=stream", "--checkpoint=fast", "--manifest-checksums=SHA256", "--no-password")
    embedded.run_program(data_dir, account, "pg_basebackup", *where, *how, f"--pgdata={copy}")
    completed_at = datetime.now(UTC)
    _check(copy)
    made = Backup(completed_at, base / completed_at.strftime(_NAME))
    copy.rename(made.path)
    _write_out(base)
    return made


def backups(backup_dir: Path) -> list[Backup]:
    """Those that are complete, the oldest first."""
    found = []
    for path in (backup_dir.resolve() / BASE_FOLDER).glob("*Z"):
        with suppress(ValueError):
            found.append(Backup(datetime.strptime(path.name, _NAME).replace(tzinfo=UTC), path))
    return sorted(found, key=lambda backup: backup.completed_at)


def verify_backup(backup: Backup) -> None:
    """Compare every file with the sums taken when the copy was made. Errors: EmbeddedServerFault."""
    _check(backup.path)


def drop_older_backups(backup_dir: Path, *, keep: int) -> list[Backup]:
    """Remove the copies that are older than the `keep` latest whole ones, and the log that only they need; which went.

    Every copy that is to stay is checked before any goes; with too few whole ones, none does. Errors:
    EmbeddedServerFault.
    """
    if keep < 1:
        raise EmbeddedServerFault("At least one backup is kept. Nothing was changed.")
    whole = []
    for backup in reversed(backups(backup_dir)):
        with suppress(EmbeddedServerFault):
            verify_backup(backup)
            whole.append(backup)
        if len(whole) == keep:
            break
    else:
        return []
    older = [backup for backup in backups(backup_dir) if backup.completed_at < whole[-1].completed_at]
    for backup in older:
        # Half removed it is none to begin a restore with, and the next backup removes the rest.
        shutil.rmtree(backup.path.rename(backup.path.with_name(f"{backup.path.name}{UNFINISHED}")))
    _drop_log_before(backup_dir.resolve() / embedded.ARCHIVE_FOLDER, min(map(_first_log, whole)))
    return older


def restore(backup_dir: Path, data_dir: Path, *, to: datetime | None = None, memory_bytes: int | None = None) -> Backup:
    """Make a new data directory whose books are as they were committed at `to`, or as late as the log was kept.

    Returns the copy it began with. The server is stopped again at the end. Errors: EmbeddedServerFault; then nothing is
    left of the new directory.
    """
    data_dir = data_dir.resolve()
    if data_dir.exists() and any(data_dir.iterdir()):
        raise EmbeddedServerFault(f"{data_dir} is not empty. Nothing was changed; name another directory.")
    chosen = _latest_before(backups(backup_dir), to)
    archive = backup_dir.resolve() / embedded.ARCHIVE_FOLDER
    if embedded.UNSAFE_IN_SHELL & set(str(archive)):
        raise EmbeddedServerFault(f"The path {backup_dir} has a character that a shell would not take as it is.")
    verify_backup(chosen)
    try:
        shutil.copytree(chosen.path, data_dir, symlinks=True, dirs_exist_ok=True)
        _recover(data_dir, archive, to, memory_bytes)
    except (EmbeddedServerFault, OSError) as problem:
        embedded.stop(data_dir)
        shutil.rmtree(data_dir, ignore_errors=True)
        if isinstance(problem, EmbeddedServerFault):
            raise
        raise EmbeddedServerFault(f"{data_dir} could not be made: {problem}. Nothing of it is left.") from problem
    return chosen


def _recover(data_dir: Path, archive: Path, to: datetime | None, memory_bytes: int | None) -> None:
    """Run the copy up to the moment, on the log that was kept, and stop it there."""
    for name in _LEFT_BEHIND:
        (data_dir / name).unlink(missing_ok=True)
    # Read after every other file of settings; as it was, when the moment is reached.
    overriding = data_dir / "postgresql.auto.conf"
    as_it_was = overriding.read_text()
    # Nobody may read on the way there: so the server is ready only when it has arrived.
    lines = [f'restore_command = \'cp "{archive}/%f" "%p"\'', "archive_mode = 'off'", "hot_standby = 'off'"]
    if to is not None:
        moment = to.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00")
        lines += [f"recovery_target_time = '{moment}'", "recovery_target_action = 'promote'"]
    overriding.write_text(as_it_was + "\n".join(lines) + "\n")
    (data_dir / "recovery.signal").touch()
    embedded.start(data_dir, memory_bytes=memory_bytes)
    overriding.write_text(as_it_was)
    embedded.stop(data_dir)
    _announce_history(data_dir)


def _announce_history(data_dir: Path) -> None:
    """The first start that keeps the log again is to keep where this time line began: it was begun while nothing was
    kept, and without it no later restore would find what is committed on it."""
    log = data_dir / "pg_wal"
    owner = log.stat()
    for history in log.glob("*.history"):
        ready = log / "archive_status" / f"{history.name}.ready"
        ready.touch()
        os.chown(ready, owner.st_uid, owner.st_gid)


def _first_log(backup: Backup) -> str:
    """Where the copy's need of the log begins: the segment's number, without its time line."""
    found = _FIRST_LOG.search((backup.path / "backup_label").read_text())
    if found is None:
        raise EmbeddedServerFault(f"{backup.path} does not say where its log begins.")
    return found[1]


def _drop_log_before(archive: Path, first: str) -> None:
    """Of every time line. Where each of them began is told by files with other names, which stay."""
    for path in archive.glob("*"):
        kept = _LOG_FILE.match(path.name)
        if kept and kept[1] < first:
            path.unlink(missing_ok=True)


def _write_out(folder: Path) -> None:
    """What was made or renamed in the folder is there after a crash too."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _latest_before(found: Sequence[Backup], to: datetime | None) -> Backup:
    fitting = [backup for backup in found if to is None or backup.completed_at <= to]
    if not fitting:
        raise EmbeddedServerFault("There is no backup that was complete by then. Nothing was changed.")
    return fitting[-1]


def _check(copy: Path) -> None:
    found = list(damage(copy))
    if found:
        raise EmbeddedServerFault("\n".join([f"{copy} is damaged.", *found[:LINES_TOLD_MAX]]))
    account = embedded.server_account(copy)
    for log in log_ranges(copy):
        place = (f"--path={copy / 'pg_wal'}", f"--timeline={log.timeline}", f"--start={log.start}", f"--end={log.end}")
        embedded.run_program(copy, account, "pg_waldump", "--quiet", *place)
