"""Verifications in their table, sealed, and the accounts at other banks that they bind."""

from __future__ import annotations

import json
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from eastflow.storage import Keys, Transaction, seal, unseal

from ..decide import is_account
from ..personal_data import store as vault
from ..personal_data.normal import normal_number
from . import decide
from .model import Element, ElementResult, Elements, Verification, VerificationStatus

_VERIFICATION = (
    "v.id, v.account_id, v.party_id, v.sealed, v.status, v.asked_on, v.expires_on, v.asked_by, v.message_id, "
    "v.results, v.answered_on, v.answered_by"
)
_VERIFICATIONS = (
    f"SELECT {_VERIFICATION}, k.wrapping_key, k.wrapped FROM customers_verification AS v "
    "JOIN customers_data_key AS k ON k.party_id = v.party_id"
)


async def verification(tx: Transaction, id: UUID, *, today: date) -> Verification | None:
    row = await tx.row(f"{_VERIFICATIONS} WHERE v.id = $1", id)
    return None if row is None else decide.as_of(_verification(tx.keys, row), today)


async def locked(tx: Transaction, id: UUID, *, today: date) -> Verification | None:
    """Rivals for it wait here until this transaction has ended."""
    held = await tx.value("SELECT id FROM customers_verification WHERE id = $1 FOR UPDATE", id)
    return None if held is None else await verification(tx, id, today=today)


async def verifications_of_account(tx: Transaction, account: int, *, today: date) -> list[Verification]:
    """All that were asked for it, by id."""
    if not is_account(account):
        return []
    found = await tx.rows(f"{_VERIFICATIONS} WHERE v.account_id = $1 ORDER BY v.id", account)
    return [decide.as_of(_verification(tx.keys, row), today) for row in found]


async def verifications_to_send(
    tx: Transaction, *, today: date, after: UUID | None = None, limit: int
) -> list[Verification]:
    """Those that no bank was told of yet and that have not expired, by id, after `after`."""
    found = await tx.rows(
        f"{_VERIFICATIONS} WHERE v.status = 'asked' AND v.message_id IS NULL AND v.expires_on >= $1 "
        "AND ($2::uuid IS NULL OR v.id > $2) ORDER BY v.id LIMIT $3",
        today,
        after,
        limit,
    )
    return [_verification(tx.keys, row) for row in found]


async def is_bound(tx: Transaction, account: int, bank: str, other_account: str) -> bool:
    """Whether the account at the other bank is bound to this one."""
    found: bool = await tx.value(
        "SELECT EXISTS (SELECT 1 FROM customers_verification "
        "WHERE account_id = $1 AND digest = $2 AND status = 'confirmed')",
        account,
        _digest(tx.keys, bank, other_account),
    )
    return found


async def has_bound(tx: Transaction, account: int) -> bool:
    """Whether an account at any other bank is bound to this one."""
    found: bool = await tx.value(
        "SELECT EXISTS (SELECT 1 FROM customers_verification WHERE account_id = $1 AND status = 'confirmed')", account
    )
    return found


async def insert(tx: Transaction, data_key: bytes, new: Verification) -> None:
    """The party's data key is locked. Errors: UniqueViolation when the id was used in the same moment."""
    await tx.execute(
        "INSERT INTO customers_verification (id, account_id, party_id, digest, sealed, status, asked_on, expires_on, "
        "asked_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        new.id,
        new.account,
        new.party,
        _digest(tx.keys, new.elements.bank, new.elements.account),
        seal(data_key, msgspec.json.encode(new.elements), _place(new.id)),
        new.status.value,
        new.asked_on,
        new.expires_on,
        new.asked_by,
    )


async def update(tx: Transaction, changed: Verification) -> None:
    """It is locked."""
    results = changed.results
    await tx.execute(
        "UPDATE customers_verification SET status = $2, message_id = $3, results = $4, answered_on = $5, "
        "answered_by = $6 WHERE id = $1",
        changed.id,
        changed.status.value,
        changed.message_id,
        None if results is None else json.dumps({each.value: result.value for each, result in results.items()}),
        changed.answered_on,
        changed.answered_by,
    )


async def end_all(tx: Transaction, account: int) -> None:
    """Nothing at another bank is bound to the account any more, or is to be."""
    await tx.execute(
        "UPDATE customers_verification SET status = 'ended' WHERE account_id = $1 AND status IN ('asked', 'confirmed')",
        account,
    )


async def reseal(tx: Transaction, party: UUID, before: bytes, after: bytes) -> None:
    """All of the party's with another data key; the one before is locked."""
    found = await tx.rows("SELECT id, sealed FROM customers_verification WHERE party_id = $1", party)
    await tx.execute_many(
        "UPDATE customers_verification SET sealed = $2 WHERE id = $1",
        [
            (row["id"], seal(after, unseal(before, row["sealed"], place), place))
            for row in found
            for place in [_place(row["id"])]
        ],
    )


async def delete(tx: Transaction, party: UUID) -> None:
    await tx.execute("DELETE FROM customers_verification WHERE party_id = $1", party)


def _digest(keys: Keys, bank: str, account: str) -> bytes:
    return keys.digest("bound account", "\0".join((normal_number(bank), normal_number(account))))


def _verification(keys: Keys, row: Any) -> Verification:
    plain = unseal(vault.unwrapped(keys, row["party_id"], row), row["sealed"], _place(row["id"]))
    told = None if row["results"] is None else json.loads(row["results"])
    return Verification(
        id=row["id"],
        account=row["account_id"],
        party=row["party_id"],
        elements=msgspec.json.decode(plain, type=Elements),
        status=VerificationStatus(row["status"]),
        asked_on=row["asked_on"],
        expires_on=row["expires_on"],
        asked_by=row["asked_by"],
        message_id=row["message_id"],
        results=told and {Element(each): ElementResult(result) for each, result in told.items()},
        answered_on=row["answered_on"],
        answered_by=row["answered_by"],
    )


def _place(id: UUID) -> bytes:
    return f"verification {id}".encode()
