"""Opening a bank: its database found or started, its tables brought up to date, its engine running."""

from __future__ import annotations

import fcntl
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from eastflow.customers import has_sealed_data
from eastflow.customers.actions import check_keys, seal_plain_parties
from eastflow.ledger.actions import Engine
from eastflow.payments.actions import seal_plain_payments
from eastflow.storage import (
    Database,
    EmbeddedServerFault,
    KeyFault,
    Keys,
    StorageFault,
    check_month_keys,
    embedded,
    has_month_keys,
    migrate,
)

from .approvals.actions import seal_plain_proposals
from .business_day.calendar import business_date

LANES_MAX = 32
PORT_MAX = 65_535
KEY_FILE = "pgsql_tmp.eastflow.keys"
"""PostgreSQL leaves files whose names begin so out of a backup, and does not touch them in this place."""
STARTED_FILE = "eastflow.started"
SERVED_FILE = "eastflow.served"


class SettingsMalformed(ValueError):
    """A variable of the environment has a value that cannot be used; the message names it."""


class AlreadyServed(Exception):
    """Another process answers for this data directory; the message is where."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What an installation sets in its environment.

    `key_file` is in the data directory if nothing else is said, and made when the bank first opens. Without it personal
    data is lost: it is to be kept as well as the backups of the database are, and apart from them. A bank that
    `closes_days` closes each day by itself once the clock (UTC) has left it, as long as it is up.
    """

    database_url: str | None = None
    data_dir: Path = Path("data")
    host: str = "127.0.0.1"
    port: int = 8080
    lanes: int = 2
    key_file: Path | None = None
    backup_dir: Path | None = None
    closes_days: bool = True

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Errors: SettingsMalformed."""
        usual = cls()
        return cls(
            database_url=environment.get("EASTFLOW_DATABASE_URL") or None,
            data_dir=Path(environment.get("EASTFLOW_DATA_DIR") or usual.data_dir),
            host=environment.get("EASTFLOW_HOST") or usual.host,
            port=_number(environment, "EASTFLOW_PORT", usual.port, PORT_MAX),
            lanes=_number(environment, "EASTFLOW_LANES", usual.lanes, LANES_MAX),
            key_file=Path(told) if (told := environment.get("EASTFLOW_KEY_FILE")) else None,
            backup_dir=Path(told) if (told := environment.get("EASTFLOW_BACKUP_DIR")) else None,
            closes_days=_answer(environment, "EASTFLOW_CLOSES_DAYS", usual.closes_days),
        )


@dataclass(frozen=True, slots=True)
class Bank:
    database: Database
    engine: Engine
    settings: Settings


@asynccontextmanager
async def open_bank(settings: Settings) -> AsyncIterator[Bank]:
    """Errors: StorageFault, KeyFault, SchemaFault, EmbeddedServerFault."""
    if settings.database_url is not None:
        async with _opened(settings, settings.database_url) as bank:
            yield bank
        return
    # Start and stop hold up the loop on purpose: nothing else runs on it by then, and a signal that comes meanwhile is
    # acted on only when it is known whether there is a server to stop again.
    with _embedded_server(settings.data_dir, settings.backup_dir) as url:
        async with _opened(settings, url) as bank:
            yield bank


def served_at(data_dir: Path) -> str | None:
    """Where another process answers for the bank of this data directory, or None."""
    try:
        with (data_dir / SERVED_FILE).open() as file:
            return None if _locks(file.fileno(), fcntl.LOCK_SH) else file.read().strip()
    except OSError:
        return None


@contextmanager
def serving(data_dir: Path, address: str) -> Iterator[None]:
    """One process answers for a data directory at a time; a killed one leaves no trace that keeps the next out.

    The bank is open. Errors: AlreadyServed.
    """
    with (data_dir / SERVED_FILE).open("a+") as file:
        if not _locks(file.fileno(), fcntl.LOCK_EX):
            file.seek(0)
            raise AlreadyServed(file.read().strip())
        file.truncate(0)
        file.write(address + "\n")
        file.flush()
        yield
        file.truncate(0)


@asynccontextmanager
async def _opened(settings: Settings, url: str) -> AsyncIterator[Bank]:
    try:
        database = await Database.open(url)
    except ValueError as problem:
        raise StorageFault(f"not the URL of a PostgreSQL database: {problem}") from problem
    try:
        await migrate(database)
        database.keys = await _keys(database, settings.key_file or settings.data_dir / KEY_FILE)
        for check in (check_keys, check_month_keys):
            await database.run(check)
        for seal in (seal_plain_parties, seal_plain_payments, seal_plain_proposals):
            while await database.run(seal):
                pass
        async with (
            business_date(database) as today,
            Engine(database, lanes=settings.lanes, today=today) as engine,
        ):
            yield Bank(database, engine, settings)
    finally:
        await database.close()


async def _keys(database: Database, path: Path) -> Keys:
    """Made for a new bank. A bank that has sealed anything is not opened with a fresh file in place of a lost one."""
    async with database.reading() as tx:
        sealed = await has_sealed_data(tx) or await has_month_keys(tx)
    return _read_keys(path, may_be_made=not sealed)


def _read_keys(path: Path, *, may_be_made: bool) -> Keys:
    if not (may_be_made or path.exists()):
        raise KeyFault(f"{path} is not there, and what is sealed in this database can be read with it alone")
    return Keys.open(path)


@contextmanager
def _embedded_server(data_dir: Path, backup_dir: Path | None) -> Iterator[str]:
    """The server's URL. Whoever of the bank's processes is the last to leave stops a server that one of them started;
    a server that was started otherwise goes on.

    Each of them holds a shared lock on a file that is always there, so the last is the one who can have it alone.
    """
    try:
        url, lock = _join(data_dir, backup_dir)
    except OSError as problem:
        raise EmbeddedServerFault(f"{data_dir} cannot hold the bank's data: {problem}") from problem
    try:
        yield url
    finally:
        try:
            if _locks(lock, fcntl.LOCK_EX) and _started_here(data_dir):
                embedded.stop(data_dir)
                (data_dir / STARTED_FILE).unlink(missing_ok=True)
        finally:
            os.close(lock)


def _join(data_dir: Path, backup_dir: Path | None) -> tuple[str, int]:
    while True:
        was_running = embedded.running(data_dir) is not None
        server = embedded.start(data_dir, backup_dir=backup_dir)
        lock = os.open(data_dir / embedded.FINISHED_FILE, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_SH)
        # Before the lock was ours, the last of the others may have stopped what we had found.
        if embedded.running(data_dir) == server.pid:
            if not was_running:
                (data_dir / STARTED_FILE).write_text(f"{server.pid}\n")
            return server.url, lock
        os.close(lock)


def _started_here(data_dir: Path) -> bool:
    with suppress(OSError):
        return (data_dir / STARTED_FILE).read_text().strip() == str(embedded.running(data_dir))
    return False


def _locks(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _answer(environment: Mapping[str, str], name: str, usual: bool) -> bool:
    told = environment.get(name)
    if told not in (None, "", "yes", "no"):
        raise SettingsMalformed(f"{name} is {told!r}, which is neither yes nor no")
    return usual if not told else told == "yes"


def _number(environment: Mapping[str, str], name: str, usual: int, number_max: int) -> int:
    text = environment.get(name) or str(usual)
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= number_max):
        raise SettingsMalformed(f"{name} must be a number from 1 to {number_max:,}, not {text!r}")
    return int(text)
