"""Assets and accounts: what they are, and each change of their standing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from eastflow.kernel import Asset
from eastflow.storage import Transaction

from ..model import Account, Status
from . import rows


async def asset(tx: Transaction, code: str) -> Asset | None:
    row = await tx.row("SELECT code, scale FROM ledger_asset WHERE code = $1", code)
    return row and Asset(row["code"], row["scale"])


async def assets(tx: Transaction) -> list[Asset]:
    return [
        Asset(row["code"], row["scale"]) for row in await tx.rows("SELECT code, scale FROM ledger_asset ORDER BY code")
    ]


async def insert_asset(tx: Transaction, new: Asset) -> None:
    """Errors: UniqueViolation when another asset was defined in the same moment."""
    last = await tx.value("SELECT coalesce(max(number), 0) FROM ledger_asset")
    await tx.execute(
        "INSERT INTO ledger_asset (code, number, scale) VALUES ($1, $2, $3)", new.code, last + 1, new.scale
    )


async def accounts(tx: Transaction, ids: Sequence[int]) -> dict[int, Account]:
    found = await tx.rows(
        f"SELECT {rows.ACCOUNT} FROM ledger_account a JOIN ledger_balance b ON b.account_id = a.id "
        "WHERE a.id = ANY($1::bigint[])",
        list(ids),
    )
    return {row["id"]: rows.account(row) for row in found}


async def accounts_page(
    tx: Transaction, *, after: int, limit: int, chart: str | None, owner: str | None
) -> list[Account]:
    """By account number, after `after`; `chart` takes the accounts at and below that place of the chart."""
    found = await tx.rows(
        f"SELECT {rows.ACCOUNT} FROM ledger_account a JOIN ledger_balance b ON b.account_id = a.id "
        "WHERE a.id > $1 AND ($2::text IS NULL OR a.owner = $2) "
        "AND ($3::text IS NULL OR a.chart = $3 OR starts_with(a.chart, $3 || ':')) ORDER BY a.id LIMIT $4",
        after,
        owner,
        chart,
        limit,
    )
    return [rows.account(row) for row in found]


async def insert_accounts(
    tx: Transaction, new: Sequence[tuple[Account, UUID]], asset_numbers: dict[str, int], at: datetime
) -> None:
    """Each account with the id of the change that opens it. Errors: UniqueViolation when a number is taken."""
    await tx.records_in(
        "ledger_account",
        ("id", "asset", "side", "chart", "opened_on", "owner", "details"),
        [
            (
                a.id,
                a.asset,
                a.side.sign,
                a.chart,
                a.opened_on,
                a.owner,
                json.dumps(dict(a.details)) if a.details else None,
            )
            for a, _ in new
        ],
    )
    await tx.records_in(
        "ledger_balance",
        ("account_id", "posted", "held", "sequence", "floor", "side", "asset_number", "status"),
        [
            (a.id, 0, 0, 0, a.floor_minor, a.side.sign, asset_numbers[a.asset], rows.STATUS_NUMBERS[a.status])
            for a, _ in new
        ],
    )
    await tx.records_in(
        "ledger_account_change",
        ("account_id", "changed_at", "id", "status", "floor"),
        [(a.id, at, change, a.status.value, a.floor_minor) for a, change in new],
    )


async def change_standing(
    tx: Transaction, account: int, *, status: Status, floor_minor: int | None, at: datetime, change: UUID
) -> None:
    """The account is locked by the caller."""
    await tx.execute(
        "UPDATE ledger_balance SET status = $2, floor = $3 WHERE account_id = $1",
        account,
        rows.STATUS_NUMBERS[status],
        floor_minor,
    )
    await tx.execute(
        "INSERT INTO ledger_account_change (account_id, changed_at, id, status, floor) VALUES ($1, $2, $3, $4, $5)",
        account,
        at,
        change,
        status.value,
        floor_minor,
    )


async def last_change(tx: Transaction, account: int) -> tuple[datetime, UUID] | None:
    """When it was, and its id."""
    row = await tx.row(
        "SELECT changed_at, id FROM ledger_account_change WHERE account_id = $1 "
        "ORDER BY changed_at DESC, id DESC LIMIT 1",
        account,
    )
    return row and (row["changed_at"], row["id"])


async def internal_account(tx: Transaction, chart: str, asset: str) -> int | None:
    found: int | None = await tx.value(
        "SELECT account_id FROM ledger_internal_account WHERE chart = $1 AND asset = $2", chart, asset
    )
    return found


async def last_internal_account(tx: Transaction, before_first: int) -> int:
    found: int = await tx.value("SELECT coalesce(max(account_id), $1) FROM ledger_internal_account", before_first)
    return found


async def insert_internal_account(tx: Transaction, chart: str, asset: str, account: int) -> None:
    """Errors: UniqueViolation when another was opened in the same moment."""
    await tx.execute(
        "INSERT INTO ledger_internal_account (chart, asset, account_id) VALUES ($1, $2, $3)", chart, asset, account
    )
