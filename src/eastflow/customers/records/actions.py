"""The verbs of records: add and end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from eastflow.kernel import Refusal
from eastflow.storage import Clock, Retry, Transaction, UniqueViolation, now

from .. import store as parties
from ..merging import store as merges
from ..personal_data import store as vault
from ..refusals import CustomersRefusal
from . import store
from .decide import Held, add, check_content, decide_end, key_of
from .model import Content, Record


async def add_record(
    tx: Transaction, party: UUID, content: Content, *, by: str, today: date, clock: Clock = now
) -> Record | Refusal:
    """Record something of a party. What stood in its place (the same document, telephone or purpose; the former level
    or risk class) ends with it and is kept. Recording what is held already answers with the record."""
    [answer] = await add_records(tx, party, [content], by=by, today=today, clock=clock)
    return answer


async def add_records(
    tx: Transaction, party: UUID, contents: Sequence[Content], *, by: str, today: date, clock: Clock = now
) -> list[Record | Refusal]:
    """Several at once, each by itself: one that is refused does not keep the others from being recorded."""
    sound = [content for content in contents if check_content(content) is None]
    data_key = await vault.locked_data_key(tx, party) if sound else None
    absent = await _absence(tx, party, data_key) if sound else None
    if absent is not None:
        return [check_content(content) or absent for content in contents]
    held = Held(party, (await store.records(tx, [party])).get(party, []), await store.claimants(tx, sound))
    before = {key_of(each.content) for each in held.records if each.ended_at is None}
    answers = add(held, contents, today, by=by, at=clock())
    if held.fresh:
        assert data_key is not None, "what is fresh was sound"
        await store.insert(tx, party, data_key, held.fresh)
        for ended in held.ended:
            await store.end(tx, party, ended)
        new = {key_of(each.content): each.content for each in held.fresh if key_of(each.content) not in before}
        try:
            await store.insert_indexes(tx, party, list(new.values()))
        except UniqueViolation as rival:
            raise Retry("it was recorded for another party in the same moment") from rival
    return answers


async def end_record(tx: Transaction, party: UUID, number: int, *, by: str, clock: Clock = now) -> Record | Refusal:
    """Withdraw a consent, take back a document or a contact point. Ending it again changes nothing."""
    if absent := await _absence(tx, party, await vault.locked_data_key(tx, party)):
        return absent
    record = decide_end((await store.records(tx, [party])).get(party, []), number)
    if isinstance(record, Refusal) or record.ended_at is not None:
        return record
    ended = replace(record, ended_at=clock(), ended_by=by)
    await store.end(tx, party, ended)
    await store.delete_index(tx, party, record.content)
    return ended


async def _absence(tx: Transaction, party: UUID, data_key: bytes | None) -> Refusal | None:
    """Why there is nothing to record of the party, or None."""
    if data_key is None:
        erased = await parties.registered(tx, [party])
        code = CustomersRefusal.PARTY_ERASED if erased else CustomersRefusal.PARTY_NOT_FOUND
        return Refusal(code, {"id": str(party)})
    if await merges.survivor(tx, party) != party:
        return Refusal(CustomersRefusal.PARTY_MERGED, {"id": str(party)})
    return None
