"""Parties called otherwise: found by what is said now, with a trail of what was said before, and nothing plain."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

import pytest

from eastflow.kernel import Refusal
from eastflow.storage import Database, Transaction

from .. import Former, masked_record, parties_page, party, records_of_party
from ..actions import (
    correct_party,
    end_record,
    erase_party,
    merge_parties,
    register_or_find,
    register_parties,
    reseal_parties,
)
from ..model import Channel, Party, PartyKind
from ..records.model import Document, DocumentKind
from ..refusals import CustomersRefusal as Why
from .decide import decide_correction
from .model import Correction

TODAY = date(2026, 3, 1)
ANN = Party(UUID(int=1), PartyKind.PERSON, "Ann Lee", TODAY, date(1990, 5, 1), "crm:1")
TOLD = Correction(UUID(int=9), ANN.id, "married", "Ann Novak")
MADE = [Former(TOLD.id, "Ann Lee", ANN.born_on, "married")]
AFTER = replace(ANN, name="Ann Novak")
LATER = replace(TOLD, born_on=date(2026, 3, 2))
ERASED = replace(ANN, erased=True)

# Each row also breaks the rules of every row below it.
TABLE = [
    (lambda: decide_correction(replace(LATER, reason=" "), AFTER, MADE, TODAY, is_merged=True), Why.TEXT_MALFORMED),
    (lambda: decide_correction(replace(LATER, name="\0"), AFTER, MADE, TODAY, is_merged=True), Why.TEXT_MALFORMED),
    (lambda: decide_correction(LATER, AFTER, MADE, TODAY, is_merged=True), Why.CORRECTION_ID_REUSED),
    (lambda: decide_correction(LATER, None, [], TODAY, is_merged=True), Why.BORN_IN_FUTURE),
    (lambda: decide_correction(TOLD, None, [], TODAY, is_merged=True), Why.PARTY_NOT_FOUND),
    (lambda: decide_correction(TOLD, ERASED, [], TODAY, is_merged=True), Why.PARTY_ERASED),
    (lambda: decide_correction(TOLD, AFTER, [], TODAY, is_merged=True), Why.PARTY_MERGED),
    (lambda: decide_correction(TOLD, AFTER, [], TODAY, is_merged=False), Why.CORRECTION_EMPTY),
    (lambda: decide_correction(replace(TOLD, name=None), ANN, [], TODAY, is_merged=False), Why.CORRECTION_EMPTY),
    (lambda: decide_correction(TOLD, ANN, [], TODAY, is_merged=False), AFTER),
    (lambda: decide_correction(TOLD, AFTER, MADE, TODAY, is_merged=False), AFTER),
]


@pytest.mark.parametrize(("decision", "expected"), TABLE)
def test_decisions(decision: object, expected: object) -> None:
    got = decision()  # type: ignore[operator]
    assert (got.code if isinstance(got, Refusal) else got) == expected


async def correct(database: Database, told: Correction) -> Party | Refusal:
    return await database.run(lambda tx: correct_party(tx, told, by="teller", today=TODAY))


async def register(database: Database, *new: Party) -> list[Party | Refusal]:
    return await database.run(lambda tx: register_parties(tx, new, today=lambda: TODAY))


async def named(database: Database, name: str) -> list[UUID]:
    async with database.reading() as tx:
        return [each.id for each in await parties_page(tx, limit=9, name=name)]


async def former(database: Database, id: UUID) -> list[Former]:
    async with database.reading() as tx:
        held = await records_of_party(tx, id)
    return [each.content for each in held if isinstance(each.content, Former)]


async def test_a_party_is_found_by_what_is_said_now_and_what_was_said_is_kept(database: Database) -> None:
    await register(database, ANN)
    birth = Correction(uuid4(), ANN.id, "as the card says", born_on=date(1990, 6, 1))
    born = replace(AFTER, born_on=birth.born_on)
    assert [await correct(database, each) for each in (TOLD, birth)] == [AFTER, born]
    # Again, each is what was done, and the party is as it is now.
    assert [await correct(database, each) for each in (TOLD, birth)] == [born, born]
    assert await named(database, "ANN NOVAK") == [ANN.id]
    assert await named(database, "Ann Lee") == []
    assert await former(database, ANN.id) == [*MADE, Former(birth.id, "Ann Novak", ANN.born_on, birth.reason)]
    # What was registered first is still the same, and so is what is said now; what was said in between is not.
    [first, now, between] = await register(database, ANN, born, AFTER)
    assert (first, now) == (born, born)
    assert isinstance(between, Refusal)
    assert between.code is Why.PARTY_ID_REUSED


async def test_who_married_opens_at_the_counter_with_the_new_card(database: Database) -> None:
    await register(database, ANN)
    card = Document(DocumentKind.IDENTITY_CARD, "11010119900501123X", "CN")

    async def shown(name: str) -> Party | Refusal:
        new = replace(ANN, id=uuid4(), name=name, reference=None)
        return await database.run(lambda tx: register_or_find(tx, new, card, Channel.BRANCH, by="t", today=TODAY))

    opened = await shown("Ann Lee")
    assert isinstance(opened, Party)
    refused = await shown("Ann Novak")
    assert isinstance(refused, Refusal)
    assert refused.code is Why.DOCUMENT_NAME_DIFFERS
    await correct(database, replace(TOLD, party=opened.id))
    assert await shown("Ann Novak") == replace(opened, name="Ann Novak")


async def test_the_trail_is_sealed_masked_never_taken_back_and_goes_with_the_party(database: Database) -> None:
    old = replace(ANN, opened_on=date(2010, 1, 1), name="Secret Lee")
    await register(database, old)
    await correct(database, replace(TOLD, reason="secret wedding"))
    async with database.reading() as tx:
        rows = [*await tx.rows("SELECT * FROM customers_record"), *await tx.rows("SELECT * FROM customers_party")]
        [record] = await records_of_party(tx, ANN.id)
    assert "ecret" not in str([dict(row) for row in rows])
    assert masked_record(record).content == Former(TOLD.id, "S**", None, "****")
    taken = await database.run(lambda tx: end_record(tx, ANN.id, record.number, by="t"))
    assert isinstance(taken, Refusal)
    assert taken.code is Why.RECORD_NOT_FOUND
    await database.run(lambda tx: reseal_parties(tx, made_before=record.added_at.replace(year=2100)))
    assert await former(database, ANN.id) == [record.content]
    await database.run(lambda tx: erase_party(tx, ANN.id, today=TODAY))
    assert await former(database, ANN.id) == []


async def test_of_rivals_each_is_done_and_each_is_in_the_trail(database: Database) -> None:
    await register(database, ANN)
    told = [replace(TOLD, id=uuid4(), name=f"Ann {number}") for number in range(5)]
    answers = await asyncio.gather(*(correct(database, each) for each in told), correct(database, told[0]))
    assert all(isinstance(answer, Party) for answer in answers)
    trail = await former(database, ANN.id)
    assert {each.correction for each in trail} == {each.id for each in told}
    async with database.reading() as tx:
        now = await party(tx, ANN.id)
    assert now is not None
    assert sorted([*(each.name for each in trail), now.name]) == sorted(["Ann Lee", *(f"Ann {n}" for n in range(5))])
    assert await named(database, now.name) == [ANN.id]


async def test_a_merged_party_is_corrected_where_it_leads(database: Database) -> None:
    double = replace(ANN, id=uuid4(), reference=None)
    await register(database, ANN, double)

    async def merge(tx: Transaction) -> object:
        return await merge_parties(tx, double.id, ANN.id, reason="one person", by="t")

    await database.run(merge)
    refused = await correct(database, replace(TOLD, party=double.id))
    assert isinstance(refused, Refusal)
    assert refused.code is Why.PARTY_MERGED
    assert await correct(database, TOLD) == AFTER
