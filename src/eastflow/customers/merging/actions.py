"""The verbs of merging."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from eastflow.kernel import Refusal
from eastflow.storage import Clock, Transaction, now

from .. import store as parties
from ..personal_data import store as vault
from . import store
from .decide import decide_merge, decide_unmerge
from .model import Merge


async def merge_parties(
    tx: Transaction, party: UUID, into: UUID, *, reason: str, by: str, clock: Clock = now
) -> Merge | Refusal:
    """`party` turned out to be `into`: from now on reads answer with `into`, and with what both have.

    Nothing of either is changed, so that unmerging restores both exactly. Merging again changes nothing.
    """
    for id in sorted({party, into}):
        await vault.locked_data_key(tx, id)
    known = await parties.registered(tx, [party, into])
    into_is_merged = await store.survivor(tx, into) != into
    decided = decide_merge(party, into, reason, known, await store.standing(tx, party), into_is_merged=into_is_merged)
    if decided is not None:
        return decided
    merge = Merge(party, into, reason, clock(), by)
    await store.insert(tx, merge)
    return merge


async def unmerge_party(tx: Transaction, party: UUID, *, by: str, clock: Clock = now) -> Merge | Refusal:
    """The party stands by itself again, with all that it had; the trail keeps that it was merged."""
    await vault.locked_data_key(tx, party)
    standing = decide_unmerge(party, await store.standing(tx, party))
    if isinstance(standing, Refusal):
        return standing
    ended = replace(standing, unmerged_at=clock(), unmerged_by=by)
    await store.end(tx, ended)
    return ended
