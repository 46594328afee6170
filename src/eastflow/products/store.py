"""Versions and plans in their tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from eastflow.kernel import Refusal
from eastflow.storage import Transaction

from .decide import NUMBER_MAX, live_on
from .model import Migration, Terms, Version, VersionStatus
from .terms_check import is_code
from .terms_file import terms_from, terms_to

_VERSION = (
    "id, number, terms, content_hash, author, drafted_at, status, simulated_at, approved_by, approved_at, live_from, "
    "launched_by, withdrawn_from, withdrawn_by"
)
_MIGRATION = "id, code, source, target, on_day, planned_by, completed_at"


async def version_by_id(tx: Transaction, id: UUID) -> Version | None:
    row = await tx.row(f"SELECT {_VERSION} FROM products_version WHERE id = $1", id)
    return None if row is None else _version(row)


async def version(tx: Transaction, code: str, number: int) -> Version | None:
    if not (is_code(code) and 1 <= number <= NUMBER_MAX):
        return None
    row = await tx.row(f"SELECT {_VERSION} FROM products_version WHERE code = $1 AND number = $2", code, number)
    return None if row is None else _version(row)


async def versions(tx: Transaction, code: str) -> list[Version]:
    """Of one product, from the first."""
    if not is_code(code):
        return []
    rows = await tx.rows(f"SELECT {_VERSION} FROM products_version WHERE code = $1 ORDER BY number", code)
    return [_version(row) for row in rows]


async def version_live_on(tx: Transaction, code: str, day: date) -> Version | None:
    """The version under which a contract may be opened on `day`."""
    return live_on(await versions(tx, code), day)


async def products_page(tx: Transaction, *, after: str | None = None, limit: int) -> list[Version]:
    """The latest version of each product, in the order of their codes."""
    rows = await tx.rows(
        f"SELECT {_VERSION} FROM products_version AS each WHERE code > $1 AND number = "
        "(SELECT max(number) FROM products_version WHERE code = each.code) ORDER BY code LIMIT $2",
        after if after is not None and is_code(after) else "",
        limit,
    )
    return [_version(row) for row in rows]


async def migration(tx: Transaction, id: UUID) -> Migration | None:
    row = await tx.row(f"SELECT {_MIGRATION} FROM products_migration WHERE id = $1", id)
    return None if row is None else _migration(row)


async def migrations(tx: Transaction, code: str) -> list[Migration]:
    if not is_code(code):
        return []
    rows = await tx.rows(f"SELECT {_MIGRATION} FROM products_migration WHERE code = $1 ORDER BY on_day, source", code)
    return [_migration(row) for row in rows]


async def migrations_due(tx: Transaction, day: date) -> list[Migration]:
    """The plans whose day has come and which are not completed, the earliest first."""
    rows = await tx.rows(
        f"SELECT {_MIGRATION} FROM products_migration WHERE completed_at IS NULL AND on_day <= $1 "
        "ORDER BY on_day, code, source",
        day,
    )
    return [_migration(row) for row in rows]


async def insert_version(tx: Transaction, new: Version) -> None:
    await tx.execute(
        "INSERT INTO products_version (code, number, id, terms, content_hash, author, drafted_at, status) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        *(new.code, new.number, new.id, _written(new.terms), new.content_hash, new.author, new.drafted_at),
        new.status.value,
    )


async def update_version(tx: Transaction, before: Version, after: Version) -> bool:
    """Its standing; its terms never. False when it is no longer as it was before."""
    changed = await tx.execute(
        "UPDATE products_version SET status = $4, simulated_at = $5, approved_by = $6, approved_at = $7, "
        "live_from = $8, launched_by = $9, withdrawn_from = $10, withdrawn_by = $11 "
        "WHERE code = $1 AND number = $2 AND status = $3",
        *(before.code, before.number, before.status.value, after.status.value, after.simulated_at),
        *(after.approved_by, after.approved_at, after.live_from, after.launched_by),
        *(after.withdrawn_from, after.withdrawn_by),
    )
    return changed == 1


async def insert_migration(tx: Transaction, new: Migration, at: datetime) -> None:
    await tx.execute(
        "INSERT INTO products_migration (id, code, source, target, on_day, planned_by, planned_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)",
        *(new.id, new.code, new.source, new.target, new.on, new.planned_by, at),
    )


async def complete_migration(tx: Transaction, plan: Migration, at: datetime) -> Migration:
    await tx.execute(
        "UPDATE products_migration SET completed_at = $2 WHERE id = $1 AND completed_at IS NULL", plan.id, at
    )
    return replace(plan, completed_at=at)


def _written(terms: Terms) -> str:
    return json.dumps(terms_to(terms), ensure_ascii=False)


@lru_cache(maxsize=1_000)
def _read(text: str) -> Terms:
    terms = terms_from(json.loads(text))
    assert not isinstance(terms, Refusal), f"terms were written that cannot be read: {terms.facts}"
    return terms


def _version(row: Any) -> Version:
    fields: Sequence[str] = _VERSION.split(", ")
    known = {name: row[name] for name in fields}
    return Version(**known | {"terms": _read(row["terms"]), "status": VersionStatus(row["status"])})


def _migration(row: Any) -> Migration:
    return Migration(*(row[name] for name in _MIGRATION.split(", ")))
