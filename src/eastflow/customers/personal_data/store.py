"""Data keys of parties, and the blind indexes by which parties are found, in their tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from eastflow.storage import Keys, Transaction

DATA_KEY = "wrapping_key, wrapped"


def place_of_key(party: UUID) -> bytes:
    return f"data key {party}".encode()


def unwrapped(keys: Keys, party: UUID, row: Any) -> bytes:
    """The data key in a row that has the columns DATA_KEY."""
    return keys.unwrap(row["wrapping_key"], row["wrapped"], place_of_key(party))


async def insert_data_keys(tx: Transaction, new: Mapping[UUID, bytes], at: datetime) -> None:
    """Errors: UniqueViolation when a party has one."""
    await tx.records_in(
        "customers_data_key",
        ("party_id", "wrapping_key", "wrapped", "made_at"),
        [(party, *tx.keys.wrap(new[party], place_of_key(party)), at) for party in sorted(new)],
    )


async def locked_data_key(tx: Transaction, party: UUID) -> bytes | None:
    """The party's data key, None if there is no such party or it has been erased. Whoever is to seal something for the
    party waits here for others who do, so that no key is replaced meanwhile."""
    row = await tx.row(f"SELECT {DATA_KEY} FROM customers_data_key WHERE party_id = $1 FOR UPDATE", party)
    return None if row is None else unwrapped(tx.keys, party, row)


async def data_keys(tx: Transaction, parties: Sequence[UUID]) -> dict[UUID, bytes]:
    found = await tx.rows(
        f"SELECT party_id, {DATA_KEY} FROM customers_data_key WHERE party_id = ANY($1::uuid[])", list(parties)
    )
    return {row["party_id"]: unwrapped(tx.keys, row["party_id"], row) for row in found}


async def replace_data_key(tx: Transaction, party: UUID, data_key: bytes, at: datetime) -> None:
    number, wrapped = tx.keys.wrap(data_key, place_of_key(party))
    await tx.execute(
        "UPDATE customers_data_key SET wrapping_key = $2, wrapped = $3, made_at = $4 WHERE party_id = $1",
        party,
        number,
        wrapped,
        at,
    )


async def delete_data_key(tx: Transaction, party: UUID) -> None:
    await tx.execute("DELETE FROM customers_data_key WHERE party_id = $1", party)


async def wrapped_by_others(tx: Transaction, current: int, limit: int) -> list[tuple[UUID, int, bytes]]:
    """Data keys that the current wrapping key does not wrap: party, number, wrapped."""
    found = await tx.rows(
        f"SELECT party_id, {DATA_KEY} FROM customers_data_key WHERE wrapping_key < $1 ORDER BY wrapping_key, party_id "
        "LIMIT $2",
        current,
        limit,
    )
    return [(row["party_id"], row["wrapping_key"], row["wrapped"]) for row in found]


async def rewrap(tx: Transaction, current: int, wrapped: Sequence[tuple[UUID, bytes, bytes]]) -> None:
    """Each with what it was wrapped as before; one that has been replaced meanwhile is left as it is."""
    await tx.execute(
        "UPDATE customers_data_key AS kept SET wrapping_key = $1, wrapped = given.after "
        "FROM unnest($2::uuid[], $3::bytea[], $4::bytea[]) AS given(id, before, after) "
        "WHERE kept.party_id = given.id AND kept.wrapped = given.before",
        current,
        [party for party, _, _ in wrapped],
        [before for _, before, _ in wrapped],
        [after for _, _, after in wrapped],
    )


async def parties_of_older_keys(tx: Transaction, made_before: datetime, limit: int) -> list[UUID]:
    found = await tx.rows(
        "SELECT party_id FROM customers_data_key WHERE made_at < $1 ORDER BY made_at, party_id LIMIT $2",
        made_before,
        limit,
    )
    return sorted(row["party_id"] for row in found)


async def any_data_key(tx: Transaction) -> bytes | None:
    """One of them, to see whether the keys at hand are this bank's. Errors: KeyFault."""
    row = await tx.row(f"SELECT party_id, {DATA_KEY} FROM customers_data_key LIMIT 1")
    return None if row is None else unwrapped(tx.keys, row["party_id"], row)


async def has_sealed_data(tx: Transaction) -> bool:
    """Whether there is anything that only the bank's keys can read. It can be asked without them."""
    found: bool = await tx.value("SELECT EXISTS (SELECT 1 FROM customers_data_key)")
    return found


async def claimants(tx: Transaction, digests: Sequence[bytes]) -> dict[bytes, UUID]:
    """The party that has each of these, of which a party has one alone."""
    found = await tx.rows("SELECT digest, party_id FROM customers_claim WHERE digest = ANY($1::bytea[])", list(digests))
    return {row["digest"]: row["party_id"] for row in found}


async def insert_claims(tx: Transaction, claims: Iterable[tuple[bytes, UUID]]) -> None:
    """Errors: UniqueViolation when one is claimed already."""
    # In order of their keys, so that two writers of the same ones wait for each other and do not deadlock.
    await tx.records_in("customers_claim", ("digest", "party_id"), sorted(claims))


async def delete_claim(tx: Transaction, digest: bytes) -> None:
    await tx.execute("DELETE FROM customers_claim WHERE digest = $1", digest)


async def insert_traces(tx: Transaction, traces: Iterable[tuple[bytes, UUID]]) -> None:
    """What many may have. Nothing is to be there yet."""
    await tx.records_in("customers_trace", ("digest", "party_id"), sorted(set(traces)))


async def delete_trace(tx: Transaction, digest: bytes, party: UUID) -> None:
    await tx.execute("DELETE FROM customers_trace WHERE digest = $1 AND party_id = $2", digest, party)


async def traced(tx: Transaction, digest: bytes, after: UUID | None, limit: int) -> list[UUID]:
    """The parties that have this, by id, after `after`."""
    found = await tx.rows(
        "SELECT party_id FROM customers_trace WHERE digest = $1 AND ($2::uuid IS NULL OR party_id > $2) "
        "ORDER BY party_id LIMIT $3",
        digest,
        after,
        limit,
    )
    return [row["party_id"] for row in found]


async def forget(tx: Transaction, party: UUID) -> None:
    """Nothing leads to the party any more."""
    await tx.execute("DELETE FROM customers_claim WHERE party_id = $1", party)
    await tx.execute("DELETE FROM customers_trace WHERE party_id = $1", party)


async def held_parties(tx: Transaction, parties: Sequence[UUID]) -> frozenset[UUID]:
    """Those of them that are known and not erased; none of them can be erased until the transaction ends."""
    found = await tx.rows(
        "UPDATE customers_data_key AS kept SET made_at = kept.made_at FROM unnest($1::uuid[]) AS asked (party_id) "
        "WHERE kept.party_id = asked.party_id RETURNING kept.party_id",
        sorted(parties),
    )
    return frozenset(row["party_id"] for row in found)
