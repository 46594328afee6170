"""Parties and roles in their tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from eastflow.kernel import is_text
from eastflow.storage import Transaction

from .decide import RoleKey, RoleRecord, is_account, is_reference, role_key
from .model import NAME_CHARACTERS_MAX, Party, PartyKind, Role, RoleKind

_PARTY = "id, kind, name, opened_on, born_on, reference, details"
_ROLE = "account_id, party_id, kind, number, since, until, until_granted"
_LAST_CHARACTER = "\U0010ffff"


async def party(tx: Transaction, id: UUID) -> Party | None:
    return (await parties(tx, [id])).get(id)


async def parties(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, Party]:
    found = await tx.rows(f"SELECT {_PARTY} FROM customers_party WHERE id = ANY($1::uuid[])", list(ids))
    return {row["id"]: _party(row) for row in found}


async def party_by_reference(tx: Transaction, reference: str) -> Party | None:
    if not is_reference(reference):
        return None
    holder = (await holders(tx, [reference])).get(reference)
    return None if holder is None else await party(tx, holder)


async def parties_page(
    tx: Transaction, *, after: UUID | None = None, limit: int, name_prefix: str | None = None
) -> list[Party]:
    """By id, after `after`; with a prefix, those whose name begins with it, by name and then id, after the party
    `after` (none, if it is no party)."""
    if name_prefix:
        return await _named(tx, name_prefix, after, limit)
    found = await tx.rows(
        f"SELECT {_PARTY} FROM customers_party WHERE {'true' if after is None else 'id > $2'} ORDER BY id LIMIT $1",
        limit,
        *([] if after is None else [after]),
    )
    return [_party(row) for row in found]


async def roles_of_account(tx: Transaction, account: int) -> list[Role]:
    """Those that stand, have stood or will stand, by party, kind and time."""
    if not is_account(account):
        return []
    found = await tx.rows(
        f"SELECT {_ROLE} FROM customers_role WHERE account_id = $1 ORDER BY party_id, kind, since", account
    )
    return [_record(row).role for row in found]


async def roles_of_party(tx: Transaction, party: UUID) -> list[Role]:
    """Those that stand, have stood or will stand, by account, kind and time."""
    found = await tx.rows(
        f"SELECT {_ROLE} FROM customers_role WHERE party_id = $1 ORDER BY account_id, kind, since", party
    )
    return [_record(row).role for row in found]


async def holders(tx: Transaction, references: Sequence[str]) -> dict[str, UUID]:
    """The party that has each reference."""
    found = await tx.rows(
        "SELECT reference, party_id FROM customers_reference WHERE reference = ANY($1::text[])", list(references)
    )
    return {row["reference"]: row["party_id"] for row in found}


async def insert_parties(tx: Transaction, new: Sequence[Party], at: datetime) -> None:
    """Errors: UniqueViolation when an id or a reference is taken."""
    # In order of their keys, so that two writers of the same ones wait for each other and do not deadlock.
    held = sorted((party.reference, party.id) for party in new if party.reference is not None)
    await tx.records_in("customers_reference", ("reference", "party_id"), held)
    await tx.records_in(
        "customers_party",
        ("id", "kind", "name", "opened_on", "born_on", "reference", "details", "registered_at"),
        [
            (
                party.id,
                party.kind.value,
                party.name,
                party.opened_on,
                party.born_on,
                party.reference,
                json.dumps(dict(party.details)) if party.details else None,
                at,
            )
            for party in sorted(new, key=lambda party: party.id)
        ],
    )


async def role_records(tx: Transaction, keys: Sequence[RoleKey]) -> dict[RoleKey, list[RoleRecord]]:
    """What each party has had on each account, by number; other pairs of these accounts and parties may come along."""
    found = await tx.rows(
        f"SELECT {_ROLE} FROM customers_role WHERE account_id = ANY($1::bigint[]) AND party_id = ANY($2::uuid[]) "
        "ORDER BY account_id, party_id, kind, number",
        sorted({account for account, _, _ in keys}),
        sorted({party for _, party, _ in keys}),
    )
    records: dict[RoleKey, list[RoleRecord]] = {}
    for row in found:
        record = _record(row)
        records.setdefault(role_key(record.role), []).append(record)
    return records


async def insert_roles(tx: Transaction, new: Sequence[RoleRecord], at: datetime) -> None:
    """Errors: UniqueViolation when another role was granted to one of the parties in the same moment."""
    await tx.records_in(
        "customers_role",
        ("account_id", "party_id", "kind", "number", "since", "until", "until_granted", "granted_at"),
        [
            (r.role.account, r.role.party, r.role.kind.value, r.number, r.role.since, r.role.until, r.until_granted, at)
            for r in sorted(new, key=lambda r: (r.role.account, r.role.party, r.role.kind.value, r.number))
        ],
    )


async def end_role(tx: Transaction, before: RoleRecord, ended: RoleRecord, at: datetime) -> bool:
    """False when the role is no longer as it was `before`."""
    role = ended.role
    touched = await tx.execute(
        "UPDATE customers_role SET until = $5, ended_at = $6 WHERE account_id = $1 AND party_id = $2 AND kind = $3 "
        "AND number = $4 AND until IS NOT DISTINCT FROM $7",
        role.account,
        role.party,
        role.kind.value,
        ended.number,
        role.until,
        at,
        before.role.until,
    )
    return touched == 1


async def _named(tx: Transaction, prefix: str, after: UUID | None, limit: int) -> list[Party]:
    if not is_text(prefix, NAME_CHARACTERS_MAX):
        return []
    # Bounded on both sides, so that the index is read only where the names are. No name is longer than the bound.
    place, start, ids = 'name COLLATE "C" >= $1', prefix, []
    if after is not None:
        last = await party(tx, after)
        if last is None:
            return []
        place, start, ids = '(name COLLATE "C", id) > ($1, $4)', last.name, [last.id]
    found = await tx.rows(
        f'SELECT {_PARTY} FROM customers_party WHERE {place} AND name COLLATE "C" <= $2 '
        'ORDER BY name COLLATE "C", id LIMIT $3',
        start,
        prefix + _LAST_CHARACTER * NAME_CHARACTERS_MAX,
        limit,
        *ids,
    )
    return [_party(row) for row in found]


def _party(row: Any) -> Party:
    return Party(
        id=row["id"],
        kind=PartyKind(row["kind"]),
        name=row["name"],
        opened_on=row["opened_on"],
        born_on=row["born_on"],
        reference=row["reference"],
        details=json.loads(row["details"]) if row["details"] else {},
    )


def _record(row: Any) -> RoleRecord:
    role = Role(row["party_id"], row["account_id"], RoleKind(row["kind"]), row["since"], row["until"])
    return RoleRecord(role, row["number"], row["until_granted"])
