"""Records of parties in their table, sealed, and the parties they lead to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from eastflow.storage import Keys, Transaction, seal, unseal

from ..personal_data import store as vault
from .decide import Key, is_claimed, is_traced, key_of
from .model import ChannelIdentity, Consent, ContactPoint, Content, Document, Former, Identification, Record, Risk

KINDS: dict[str, type[Content]] = {
    "document": Document,
    "contact": ContactPoint,
    "identity": ChannelIdentity,
    "consent": Consent,
    "identification": Identification,
    "risk": Risk,
    "former": Former,
}
_KIND_OF = {kind: name for name, kind in KINDS.items()}
_RECORD = "r.party_id, r.number, r.kind, r.sealed, r.added_at, r.added_by, r.ended_at, r.ended_by"
_RECORDS = (
    f"SELECT {_RECORD}, k.wrapping_key, k.wrapped FROM customers_record AS r "
    "JOIN customers_data_key AS k ON k.party_id = r.party_id"
)


def kind_of(content: Content) -> str:
    return _KIND_OF[type(content)]


def digest(keys: Keys, key: Key) -> bytes:
    return keys.digest(key[0], "\0".join(key[1:]))


async def records(tx: Transaction, parties: Sequence[UUID]) -> dict[UUID, list[Record]]:
    """All that are held and were held, by number. Of one that has been erased there is nothing."""
    found = await tx.rows(f"{_RECORDS} WHERE r.party_id = ANY($1::uuid[]) ORDER BY r.party_id, r.number", list(parties))
    held: dict[UUID, list[Record]] = {}
    for row in found:
        held.setdefault(row["party_id"], []).append(_record(tx.keys, row))
    return held


async def claimants(tx: Transaction, contents: Sequence[Content]) -> dict[Key, UUID]:
    """Who has what one party alone may have."""
    keys = {digest(tx.keys, key): key for key in map(key_of, filter(is_claimed, contents))}
    found = await vault.claimants(tx, list(keys)) if keys else {}
    return {keys[claimed]: party for claimed, party in found.items()}


async def insert(tx: Transaction, party: UUID, data_key: bytes, new: Sequence[Record]) -> None:
    """The party's data key is locked."""
    await tx.records_in(
        "customers_record",
        ("party_id", "number", "kind", "sealed", "added_at", "added_by"),
        [
            (party, each.number, kind_of(each.content), _sealed(data_key, party, each), each.added_at, each.added_by)
            for each in new
        ],
    )


async def end(tx: Transaction, party: UUID, ended: Record) -> None:
    await tx.execute(
        "UPDATE customers_record SET ended_at = $3, ended_by = $4 WHERE party_id = $1 AND number = $2",
        party,
        ended.number,
        ended.ended_at,
        ended.ended_by,
    )


async def insert_indexes(tx: Transaction, party: UUID, contents: Sequence[Content]) -> None:
    """Errors: UniqueViolation when one party alone may have one of them and another got it in the same moment."""
    claims = [digest(tx.keys, key_of(content)) for content in contents if is_claimed(content)]
    traces = [digest(tx.keys, key_of(content)) for content in contents if is_traced(content)]
    if claims:
        await vault.insert_claims(tx, [(each, party) for each in claims])
    if traces:
        await vault.insert_traces(tx, [(each, party) for each in traces])


async def delete_index(tx: Transaction, party: UUID, content: Content) -> None:
    found = digest(tx.keys, key_of(content))
    if is_claimed(content):
        await vault.delete_claim(tx, found)
    if is_traced(content):
        await vault.delete_trace(tx, found, party)


async def reseal(tx: Transaction, party: UUID, before: bytes, after: bytes) -> None:
    """All records of the party with another data key; the one before is locked."""
    found = await tx.rows("SELECT number, sealed FROM customers_record WHERE party_id = $1", party)
    await tx.execute_many(
        "UPDATE customers_record SET sealed = $3 WHERE party_id = $1 AND number = $2",
        [
            (party, row["number"], seal(after, unseal(before, row["sealed"], place), place))
            for row in found
            for place in [_place(party, row["number"])]
        ],
    )


async def delete(tx: Transaction, party: UUID) -> None:
    await tx.execute("DELETE FROM customers_record WHERE party_id = $1", party)


def _sealed(data_key: bytes, party: UUID, record: Record) -> bytes:
    return seal(data_key, msgspec.json.encode(record.content), _place(party, record.number))


def _record(keys: Keys, row: Any) -> Record:
    party, number = row["party_id"], row["number"]
    plain = unseal(vault.unwrapped(keys, party, row), row["sealed"], _place(party, number))
    content: Content = msgspec.json.decode(plain, type=KINDS[row["kind"]])
    return Record(number, content, row["added_at"], row["added_by"], row["ended_at"], row["ended_by"])


def _place(party: UUID, number: int) -> bytes:
    return f"record {party} {number}".encode()
