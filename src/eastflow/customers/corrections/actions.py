"""The verb of corrections."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from eastflow.kernel import Refusal
from eastflow.storage import Clock, Transaction, now

from .. import store as parties
from ..merging import store as merges
from ..model import Party
from ..personal_data import store as vault
from ..records import store as records
from ..records.model import Former, Record
from .decide import check_correction, decide_correction, first_said
from .model import Correction


async def correct_party(
    tx: Transaction, told: Correction, *, by: str, today: date, clock: Clock = now
) -> Party | Refusal:
    """A party is called otherwise from now on, or was born on another day: a mistake, a marriage. What was said before
    is kept among its records, and leads to it no more. The same again answers with the party as it is, and so does
    registering it with what was said at first."""
    if refusal := check_correction(told):
        return refusal
    data_key = await vault.locked_data_key(tx, told.party)
    known = (await parties.registered(tx, [told.party])).get(told.party)
    held = (await records.records(tx, [told.party])).get(told.party, [])
    is_merged = await merges.survivor(tx, told.party) != told.party
    after = decide_correction(told, known, _former(held), today, is_merged=is_merged)
    if isinstance(after, Refusal) or known is None or after == known:
        return after
    assert data_key is not None, "it is known and not erased"
    former = Former(told.id, known.name, known.born_on, told.reason)
    await records.insert(tx, told.party, data_key, [Record(len(held) + 1, former, clock(), by)])
    await parties.update_named(tx, data_key, known, after)
    return after


async def said_at_first(tx: Transaction, known: Sequence[Party]) -> dict[UUID, Party]:
    """Each as it was registered."""
    held = await records.records(tx, [party.id for party in known])
    return {party.id: first_said(party, _former(held.get(party.id, []))) for party in known}


def _former(held: Sequence[Record]) -> list[Former]:
    return [each.content for each in held if isinstance(each.content, Former)]
