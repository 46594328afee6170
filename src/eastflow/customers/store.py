"""Parties and roles in their tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from eastflow.kernel import is_text
from eastflow.storage import Keys, Transaction, new_data_key, seal, unseal

from .decide import RoleKey, RoleRecord, is_account, is_reference, role_key
from .merging import store as merges
from .model import NAME_CHARACTERS_MAX, Party, PartyKind, Role, RoleKind
from .personal_data import store as vault
from .personal_data.normal import normal_name

_PARTY = "p.id, p.kind, p.opened_on, p.sealed, k.wrapping_key, k.wrapped"
_PARTIES = f"SELECT {_PARTY} FROM customers_party AS p LEFT JOIN customers_data_key AS k ON k.party_id = p.id"
_ROLE = "account_id, party_id, kind, number, since, until, until_granted"


async def party(tx: Transaction, id: UUID) -> Party | None:
    return (await parties(tx, [id])).get(id)


async def parties(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, Party]:
    """By the ids asked for; a party that has been merged is answered with the one it was merged into."""
    leads_to = await merges.survivors(tx, ids)
    found = await registered(tx, sorted(set(leads_to.values())))
    return {id: found[place] for id, place in leads_to.items() if place in found}


async def registered(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, Party]:
    """As they were registered, merged or not."""
    found = await tx.rows(f"{_PARTIES} WHERE p.id = ANY($1::uuid[])", list(ids))
    return {row["id"]: _party(tx.keys, row) for row in found}


async def party_by_reference(tx: Transaction, reference: str) -> Party | None:
    if not is_reference(reference):
        return None
    holder = (await holders(tx, [reference])).get(reference)
    return None if holder is None else await party(tx, holder)


async def parties_page(
    tx: Transaction, *, after: UUID | None = None, limit: int, name: str | None = None
) -> list[Party]:
    """By id, after `after`; with a name, those who have it, but for case and spaces. Merged ones are left out."""
    if name is not None:
        return await _named(tx, name, after, limit)
    found = await tx.rows(
        f"{_PARTIES} WHERE p.merged_into IS NULL AND {'true' if after is None else 'p.id > $2'} ORDER BY p.id LIMIT $1",
        limit,
        *([] if after is None else [after]),
    )
    return [_party(tx.keys, row) for row in found]


async def roles_of_account(tx: Transaction, account: int) -> list[Role]:
    """Those that stand, have stood or will stand, by party, kind and time. Of a merged party they are those of the one
    it was merged into."""
    if not is_account(account):
        return []
    found = await tx.rows(
        f"SELECT {_ROLE} FROM customers_role WHERE account_id = $1 ORDER BY party_id, kind, since", account
    )
    return await _followed(tx, found)


async def roles_of_party(tx: Transaction, party: UUID) -> list[Role]:
    """Those that stand, have stood or will stand, by account, kind and time, with those of parties merged into it."""
    found = await tx.rows(
        f"SELECT {_ROLE} FROM customers_role WHERE party_id = ANY($1::uuid[]) ORDER BY account_id, kind, since",
        await merges.family(tx, party),
    )
    return await _followed(tx, found)


async def holders(tx: Transaction, references: Sequence[str]) -> dict[str, UUID]:
    """The party that has each reference."""
    if not references:
        return {}
    digests = {tx.keys.digest("reference", reference): reference for reference in references}
    found = await vault.claimants(tx, list(digests))
    return {digests[digest]: party for digest, party in found.items()}


async def insert_parties(tx: Transaction, new: Sequence[Party], at: datetime) -> None:
    """Errors: UniqueViolation when an id or a reference is taken."""
    data_keys = {party.id: new_data_key() for party in new}
    await insert_indexes(tx, new)
    await tx.records_in(
        "customers_party",
        ("id", "kind", "opened_on", "sealed", "registered_at"),
        [
            (party.id, party.kind.value, party.opened_on, sealed_party(data_keys[party.id], party), at)
            for party in sorted(new, key=lambda party: party.id)
        ],
    )
    await vault.insert_data_keys(tx, data_keys, at)


async def insert_indexes(tx: Transaction, new: Sequence[Party]) -> None:
    """So that they are found by reference and name. Errors: UniqueViolation when a reference is taken."""
    keys = tx.keys
    held = [(keys.digest("reference", party.reference), party.id) for party in new if party.reference is not None]
    if held:
        await vault.insert_claims(tx, held)
    await vault.insert_traces(tx, [(name_digest(keys, party.name), party.id) for party in new])


async def update_sealed(tx: Transaction, sealed: Mapping[UUID, bytes]) -> None:
    """What is sealed for these parties, as it is from now on; nothing of it is kept plain."""
    await tx.execute(
        "UPDATE customers_party AS kept SET sealed = given.sealed, name = NULL, born_on = NULL, reference = NULL, "
        "details = NULL FROM unnest($1::uuid[], $2::bytea[]) AS given(id, sealed) WHERE kept.id = given.id",
        list(sealed),
        list(sealed.values()),
    )


async def update_named(tx: Transaction, data_key: bytes, before: Party, after: Party) -> None:
    """The party as it is from now on, found by its name; its data key is locked."""
    await update_sealed(tx, {after.id: sealed_party(data_key, after)})
    if (old := name_digest(tx.keys, before.name)) != (new := name_digest(tx.keys, after.name)):
        await vault.delete_trace(tx, old, after.id)
        await vault.insert_traces(tx, [(new, after.id)])


async def plain_parties(tx: Transaction, limit: int) -> list[Party]:
    """Parties as they were kept before personal data was sealed."""
    found = await tx.rows(
        "SELECT id, kind, opened_on, name, born_on, reference, details FROM customers_party "
        "WHERE name IS NOT NULL ORDER BY id LIMIT $1",
        limit,
    )
    return [
        Party(
            id=row["id"],
            kind=PartyKind(row["kind"]),
            name=row["name"],
            opened_on=row["opened_on"],
            born_on=row["born_on"],
            reference=row["reference"],
            details=json.loads(row["details"]) if row["details"] else {},
        )
        for row in found
    ]


async def delete_plain_references(tx: Transaction, references: Sequence[str]) -> None:
    await tx.execute("DELETE FROM customers_reference WHERE reference = ANY($1::text[])", list(references))


def name_digest(keys: Keys, name: str) -> bytes:
    return keys.digest("name", normal_name(name))


def sealed_party(data_key: bytes, party: Party) -> bytes:
    born_on = None if party.born_on is None else party.born_on.isoformat()
    plain = json.dumps([party.name, born_on, party.reference, dict(party.details)], ensure_ascii=False)
    return seal(data_key, plain.encode(), _place(party.id))


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


async def _named(tx: Transaction, name: str, after: UUID | None, limit: int) -> list[Party]:
    if not is_text(name, NAME_CHARACTERS_MAX):
        return []
    found: list[Party] = []
    while len(found) < limit:
        ids = await vault.traced(tx, name_digest(tx.keys, name), after, limit)
        if not ids:
            break
        after = ids[-1]
        rows = await tx.rows(f"{_PARTIES} WHERE p.id = ANY($1::uuid[]) AND p.merged_into IS NULL ORDER BY p.id", ids)
        found += [_party(tx.keys, row) for row in rows]
    return found[:limit]


async def _followed(tx: Transaction, rows: Sequence[Any]) -> list[Role]:
    leads_to = await merges.survivors(tx, sorted({row["party_id"] for row in rows}))
    roles = [_record(row).role for row in rows]
    return [replace(role, party=leads_to[role.party]) for role in roles]


def _party(keys: Keys, row: Any) -> Party:
    """Without a data key it has been erased: what was sealed is lost on purpose."""
    party = Party(row["id"], PartyKind(row["kind"]), "", row["opened_on"], erased=True)
    if row["wrapped"] is None:
        return party
    plain = unseal(vault.unwrapped(keys, party.id, row), row["sealed"], _place(party.id))
    name, born_on, reference, details = json.loads(plain)
    return Party(
        id=party.id,
        kind=party.kind,
        name=name,
        opened_on=party.opened_on,
        born_on=None if born_on is None else date.fromisoformat(born_on),
        reference=reference,
        details=details,
    )


def _place(party: UUID) -> bytes:
    return f"party {party}".encode()


def _record(row: Any) -> RoleRecord:
    role = Role(row["party_id"], row["account_id"], RoleKind(row["kind"]), row["since"], row["until"])
    return RoleRecord(role, row["number"], row["until_granted"])
