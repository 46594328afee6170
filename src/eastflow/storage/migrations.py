"""The rooms' tables, brought forward to what this program knows; an older program refuses a newer database."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from .database import Database
from .faults import SchemaFault
from .transaction import Transaction, UniqueViolation

_VERSION = re.compile(r"^-- version (\d+)\b.*$", re.MULTILINE)
_DISTRIBUTE = re.compile(r"^-- distribute (\w+) by (\w+)$", re.MULTILINE)
_REFERENCE = re.compile(r"^-- reference (\w+)$", re.MULTILINE)
_FILLFACTOR = re.compile(r"^-- fillfactor (\w+) (\d+)$", re.MULTILINE)
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Migration:
    """One version of one room's tables. Once released it is never edited: a further version follows it."""

    room: str
    version: int
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def known_migrations(root: Path = ROOT) -> list[Migration]:
    """Every room's `schema.sql`, cut at its `-- version N` lines; rooms from the ground up by name."""
    found = []
    for path in sorted(root.rglob("schema.sql")):
        room = path.parent.name
        pieces = _VERSION.split(path.read_text(encoding="utf-8"))[1:]
        versions = [int(number) for number in pieces[::2]]
        assert versions == list(range(1, len(versions) + 1)), f"{path}: versions must count up from 1"
        found += [Migration(room, version, sql.strip()) for version, sql in zip(versions, pieces[1::2], strict=True)]
    return found


async def migrate(database: Database, migrations: list[Migration] | None = None) -> int:
    """Apply what is missing, each version in its own transaction, and return how many were applied.

    Errors: SchemaFault. Several programs may start at once: the key of `storage_migration` lets one of them through.
    """
    known = known_migrations() if migrations is None else migrations
    await database.run(_create_register)
    async with database.reading() as tx:
        rows = await tx.rows("SELECT room, version, checksum FROM storage_migration")
    applied = {(row["room"], row["version"]): row["checksum"] for row in rows}
    check(applied, known)
    missing = [migration for migration in known if (migration.room, migration.version) not in applied]
    return sum([await _apply(database, migration) for migration in missing])


def check(applied: Mapping[tuple[str, int], str], known: list[Migration]) -> None:
    checksums = {(migration.room, migration.version): migration.checksum for migration in known}
    for (room, version), checksum in sorted(applied.items()):
        if (room, version) not in checksums:
            raise SchemaFault(f"the database has version {version} of {room}, which this program does not know")
        if checksums[room, version] != checksum:
            raise SchemaFault(f"version {version} of {room} has been edited since it was applied")


async def _create_register(tx: Transaction) -> None:
    # IF NOT EXISTS can still collide when two programs start in the same moment; the loser finds it made.
    if await tx.value("SELECT to_regclass('storage_migration')") is not None:
        return
    try:
        await tx.execute(
            "CREATE TABLE IF NOT EXISTS storage_migration (room TEXT NOT NULL, version BIGINT NOT NULL, "
            "checksum TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL, PRIMARY KEY (room, version))"
        )
    except (UniqueViolation, asyncpg.DuplicateObjectError, asyncpg.DuplicateTableError):
        return


async def _apply(database: Database, migration: Migration) -> bool:
    """False when another program was first."""

    async def work(tx: Transaction) -> None:
        await tx.execute(
            "INSERT INTO storage_migration (room, version, checksum, applied_at) VALUES ($1, $2, $3, $4)",
            migration.room,
            migration.version,
            migration.checksum,
            datetime.now(UTC),
        )
        await tx.execute(migration.sql)
        for table, percent in _FILLFACTOR.findall(migration.sql):
            await tx.execute(f"ALTER TABLE {table} SET (fillfactor = {percent})")
        if await tx.value("SELECT count(*) FROM pg_extension WHERE extname = 'citus'"):
            await _distribute(tx, migration.sql)

    try:
        await database.run(work)
    except UniqueViolation as rival:
        if not rival.constraint.startswith("storage_migration"):
            raise
        return False
    return True


async def _distribute(tx: Transaction, sql: str) -> None:
    for table in _REFERENCE.findall(sql):
        await tx.execute("SELECT create_reference_table($1)", table)
    for table, column in _DISTRIBUTE.findall(sql):
        await tx.execute("SELECT create_distributed_table($1, $2)", table, column)
