"""Who may be the same: by name and birth, telephone and e-mail, against a clerk who compares every two."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eastflow.storage import Database

from ..actions import add_records, end_record, erase_party, merge_parties, register_parties
from ..model import Party, PartyKind
from ..records.model import ContactKind, ContactPoint
from . import inquiries
from .inquiries import possible_duplicates
from .model import LikenessReason as Likes

TODAY = date(2026, 3, 1)
ANN = Party(UUID(int=1), PartyKind.PERSON, "Ann Lee", date(2010, 1, 1), date(1990, 5, 1))
PHONE, MAIL = ContactPoint(ContactKind.PHONE, "+86 139 8765 4321"), ContactPoint(ContactKind.EMAIL, "ann@example.com")


async def found(database: Database, id: UUID) -> list[tuple[UUID, list[Likes]]]:
    async with database.reading() as tx:
        return [(each.party.id, each.ranked) for each in await possible_duplicates(tx, id)]


async def register(database: Database, *new: Party) -> None:
    answers = await database.run(lambda tx: register_parties(tx, new, today=lambda: TODAY))
    assert answers == list(new)


async def reached(database: Database, party: Party, *contacts: ContactPoint) -> None:
    await database.run(lambda tx: add_records(tx, party.id, contacts, by="t", today=TODAY))


async def test_the_likeliest_come_first_and_others_not_at_all(database: Database) -> None:
    twice = replace(ANN, id=uuid4(), name="ANN  lee")
    unborn = replace(ANN, id=uuid4(), born_on=None)
    reachable = replace(ANN, id=uuid4(), name="A. Lee", born_on=None)
    other = replace(ANN, id=uuid4(), born_on=date(1960, 1, 1))
    shop = replace(ANN, id=uuid4(), kind=PartyKind.ORGANISATION)
    moved = replace(ANN, id=uuid4(), name="Bob")
    await register(database, ANN, twice, unborn, reachable, other, shop, moved)
    await reached(database, ANN, PHONE, MAIL)
    await reached(database, twice, replace(PHONE, value="+8613987654321"))
    await reached(database, reachable, MAIL)
    await reached(database, shop, PHONE)
    await reached(database, moved, PHONE)
    await database.run(lambda tx: end_record(tx, moved.id, 1, by="t"))
    assert await found(database, ANN.id) == [
        (twice.id, [Likes.NAME_AND_BIRTH, Likes.PHONE]), (reachable.id, [Likes.EMAIL]), (unborn.id, [Likes.NAME]),
    ]  # fmt: skip
    assert await found(database, moved.id) == []
    await database.run(lambda tx: merge_parties(tx, twice.id, ANN.id, reason="one", by="t"))
    # What was merged is no duplicate any more, and is asked about as the one it is now.
    assert [id for id, _ in await found(database, twice.id)] == [reachable.id, unborn.id]
    assert {id for id, _ in await found(database, reachable.id)} == {ANN.id}
    await database.run(lambda tx: erase_party(tx, ANN.id, today=TODAY))
    for id in (ANN.id, reachable.id, uuid4()):
        assert await found(database, id) == []


async def test_of_namesakes_so_many_are_looked_at(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inquiries, "NAMESAKES_PAGE", 2)
    monkeypatch.setattr(inquiries, "NAMESAKES_MAX", 4)
    same = [replace(ANN, id=UUID(int=number)) for number in range(1, 8)]
    await register(database, *same)
    assert [id for id, _ in await found(database, same[6].id)] == [each.id for each in same[:4]]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
async def test_it_is_what_comparing_every_two_finds(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    mark = uuid4().hex
    born = [None, date(1990, 1, 1), date(1991, 1, 1)]
    people = [
        replace(ANN, id=uuid4(), name=f"{chance.choice('ab')} {mark}", born_on=chance.choice(born)) for _ in range(6)
    ]
    phones = {each.id: chance.choice((None, f"1{mark}", f"2{mark}")) for each in people}
    await register(database, *people)
    for each in people:
        if phone := phones[each.id]:
            await reached(database, each, replace(PHONE, value=phone))
    for one in people:
        should = {}
        for other in people:
            likes = []
            if other.name == one.name and (other.born_on == one.born_on or None in (other.born_on, one.born_on)):
                known = other.born_on is not None and one.born_on is not None
                likes.append(Likes.NAME_AND_BIRTH if known else Likes.NAME)
            if phones[one.id] and phones[one.id] == phones[other.id]:
                likes.append(Likes.PHONE)
            if likes and other != one:
                should[other.id] = set(likes)
        assert {id: set(likes) for id, likes in await found(database, one.id)} == should
