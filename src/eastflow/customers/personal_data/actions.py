"""The verbs of personal data: seal what was kept plain, renew the keys, erase a party.

What concerns many parties is done in steps, each in a transaction of its own: the caller repeats a step until it
answers that nothing was left to do. A step that was cut short has changed nothing, and the next one goes on.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from eastflow.kernel import Refusal
from eastflow.storage import Clock, Retry, Transaction, UniqueViolation, new_data_key, now

from .. import store as parties
from ..merging import store as merges
from ..model import Party
from ..records import store as records
from ..verification import store as verifications
from . import store
from .decide import decide_erasure

STEP_PARTIES = 1_000


async def check_keys(tx: Transaction) -> None:
    """Errors: KeyFault when the keys at hand are not those this bank's data is sealed with."""
    await store.any_data_key(tx)


async def seal_plain_parties(tx: Transaction, *, limit: int = STEP_PARTIES, clock: Clock = now) -> int:
    """Seal parties that were registered before personal data was sealed; the answer is how many."""
    plain = await parties.plain_parties(tx, limit)
    if not plain:
        return 0
    data_keys = {party.id: new_data_key() for party in plain}
    references = [party.reference for party in plain if party.reference is not None]
    try:
        await store.insert_data_keys(tx, data_keys, clock())
        await parties.insert_indexes(tx, plain)
    except UniqueViolation as rival:
        raise Retry("another process seals them in the same moment") from rival
    await parties.update_sealed(tx, {party.id: parties.sealed_party(data_keys[party.id], party) for party in plain})
    await parties.delete_plain_references(tx, references)
    return len(plain)


async def rewrap_data_keys(tx: Transaction, *, limit: int = STEP_PARTIES) -> int:
    """Wrap data keys by the current wrapping key that are still wrapped by another; the answer is how many.

    What is sealed stays as it is. When nothing is left, `drop_older_wrapping_keys` can drop the others.
    """
    current = tx.keys.current
    found = await store.wrapped_by_others(tx, current, limit)
    changed = []
    for party, number, wrapped in found:
        place = store.place_of_key(party)
        data_key = tx.keys.unwrap(number, wrapped, place)
        by, after = tx.keys.wrap(data_key, place)
        if by != current:
            raise Retry("a wrapping key was added in the same moment")
        changed.append((party, wrapped, after))
    await store.rewrap(tx, current, changed)
    return len(found)


async def reseal_parties(
    tx: Transaction, *, made_before: datetime, limit: int = STEP_PARTIES, clock: Clock = now
) -> int:
    """Seal anew, with new data keys, what is sealed with keys made before a moment; the answer is how many parties."""
    found = await store.parties_of_older_keys(tx, made_before, limit)
    for id in found:
        data_key = await store.locked_data_key(tx, id)
        if data_key is None:
            continue
        fresh = new_data_key()
        # Read only now: nobody can write for this party any more.
        party = (await parties.registered(tx, [id]))[id]
        await parties.update_sealed(tx, {id: parties.sealed_party(fresh, party)})
        await records.reseal(tx, id, data_key, fresh)
        await verifications.reseal(tx, id, data_key, fresh)
        await store.replace_data_key(tx, id, fresh, clock())
    return len(found)


async def erase_party(tx: Transaction, id: UUID, *, today: date) -> Party | Refusal:
    """Shred what is known of a party, where law allows: its data key is deleted, and with it the meaning of what was
    sealed; nothing leads to it any more. Its number stays, so that books that name it stay sound. Parties merged with
    it are the same person and go with it. Erasing again changes nothing."""
    members = await merges.family(tx, id)
    for member in sorted(members):
        await store.locked_data_key(tx, member)
    party = await parties.party(tx, id)
    if refusal := decide_erasure(party, id, await parties.roles_of_party(tx, id), today):
        return refusal
    for member in members:
        await store.forget(tx, member)
        await store.delete_data_key(tx, member)
        await records.delete(tx, member)
        await verifications.delete(tx, member)
    erased = await parties.party(tx, id)
    assert erased is not None, "its number stays"
    return erased
