"""Records on a real database: history, one party for one document whatever the way in, and rivals for both."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

from eastflow.kernel import Refusal
from eastflow.storage import Database, Transaction

from .. import (
    NameMatch,
    has_consent,
    identification_level,
    name_match,
    parties_by_contact,
    parties_page,
    party_by_document,
    party_by_identity,
    records_of_party,
    risk_class,
)
from ..actions import add_record, add_records, end_record, grant_role, register_or_find, register_party
from ..model import Channel, Party, PartyKind, Role, RoleKind
from ..refusals import CustomersRefusal as Why
from .model import (
    ChannelIdentity,
    Consent,
    ContactKind,
    ContactPoint,
    Content,
    Document,
    DocumentKind,
    Identification,
    IdentificationLevel,
    Record,
    Risk,
    RiskClass,
)

TODAY = date(2026, 3, 1)
CARD = Document(DocumentKind.IDENTITY_CARD, "110101199001011234", "CN", date(2030, 1, 1))
PASSPORT = Document(DocumentKind.PASSPORT, "E1234567", "CN")
PHONE = ContactPoint(ContactKind.PHONE, "+86 139 1234 5678")
LOGIN = ChannelIdentity(Channel.APP, "Ann")


def person(name: str = "Ann Lee") -> Party:
    return Party(uuid4(), PartyKind.PERSON, name, TODAY)


async def registered(database: Database, party: Party | None = None) -> Party:
    answer = await database.run(lambda tx: register_party(tx, party or person(), today=lambda: TODAY))
    assert isinstance(answer, Party)
    return answer


def add(database: Database, party: UUID, content: Content) -> Awaitable[Record | Refusal]:
    return database.run(lambda tx: add_record(tx, party, content, by="a teller", today=TODAY))


def meet(database: Database, party: Party, document: Document, channel: Channel) -> Awaitable[Party | Refusal]:
    return database.run(lambda tx: register_or_find(tx, party, document, channel, by="a teller", today=TODAY))


def code(answer: object) -> object:
    return answer.code if isinstance(answer, Refusal) else None


async def test_what_is_recorded_leads_to_the_party(database: Database) -> None:
    ann, bob = await registered(database), await registered(database, person("Bob"))
    contents: list[Content] = [CARD, PHONE, LOGIN, Consent("marketing", TODAY), Risk(RiskClass.LOW)]
    for content in contents:
        first, again = await add(database, ann.id, content), await add(database, ann.id, content)
        assert isinstance(first, Record)
        assert first == again
    await add(database, bob.id, PHONE)
    async with database.reading() as tx:
        assert [record.content for record in await records_of_party(tx, ann.id)] == contents
        assert await party_by_document(tx, CARD.kind, "110101 19900101-1234", "CN") == ann
        assert await party_by_document(tx, CARD.kind, CARD.number, "KR") is None
        assert await party_by_document(tx, CARD.kind, "\0", "CN") is None
        assert await party_by_identity(tx, Channel.APP, "Ann") == ann
        assert await party_by_identity(tx, Channel.APP, "ann") is None
        found = await parties_by_contact(tx, ContactKind.PHONE, "+8613912345678")
        assert {party.id for party in found} == {ann.id, bob.id}
        assert await parties_by_contact(tx, ContactKind.ADDRESS, "here") == []
        assert await has_consent(tx, ann.id, "marketing", on=TODAY)
        assert (await risk_class(tx, ann.id), await risk_class(tx, bob.id)) == (RiskClass.LOW, None)


async def test_what_is_another_partys_is_refused(database: Database) -> None:
    ann, bob = await registered(database), await registered(database)
    for content, refused in ((CARD, Why.DOCUMENT_TAKEN), (LOGIN, Why.IDENTITY_TAKEN)):
        assert code(await add(database, ann.id, content)) is None
        assert code(await add(database, bob.id, content)) is refused
    assert code(await add(database, uuid4(), PASSPORT)) is Why.PARTY_NOT_FOUND


async def test_of_rivals_one_gets_the_document(database: Database) -> None:
    parties = [await registered(database) for _ in range(5)]
    answers = await asyncio.gather(*(add(database, party.id, CARD) for party in parties))
    assert sorted(map(str, map(code, answers))) == [str(Why.DOCUMENT_TAKEN)] * 4 + ["None"]


async def test_a_change_ends_what_stood_and_keeps_it(database: Database) -> None:
    ann = await registered(database)
    await add(database, ann.id, Risk(RiskClass.LOW))
    await add(database, ann.id, Risk(RiskClass.HIGH, "politically exposed"))
    renewed = replace(CARD, expires_on=date(2040, 1, 1), verified=True)
    await add(database, ann.id, CARD)
    await add(database, ann.id, renewed)
    async with database.reading() as tx:
        records = await records_of_party(tx, ann.id)
        assert await risk_class(tx, ann.id) is RiskClass.HIGH
    ended = [(record.content, record.ended_by) for record in records]
    assert ended == [
        (Risk(RiskClass.LOW), "a teller"),
        (Risk(RiskClass.HIGH, "politically exposed"), None),
        (CARD, "a teller"),
        (renewed, None),
    ]


async def test_what_is_taken_back_leads_nowhere_and_may_be_anothers(database: Database) -> None:
    ann, bob = await registered(database), await registered(database)
    for content in (CARD, PHONE, Consent("marketing", TODAY)):
        await add(database, ann.id, content)

    async def end(number: int) -> Record | Refusal:
        return await database.run(lambda tx: end_record(tx, ann.id, number, by="a teller"))

    answers = [await end(number) for number in (1, 2, 3, 4)]
    assert [code(answer) for answer in answers] == [None, None, None, Why.RECORD_NOT_FOUND]
    assert await end(1) == answers[0]
    assert code(await database.run(lambda tx: end_record(tx, uuid4(), 1, by="x"))) is Why.PARTY_NOT_FOUND
    async with database.reading() as tx:
        assert await party_by_document(tx, CARD.kind, CARD.number, CARD.country) is None
        assert await parties_by_contact(tx, ContactKind.PHONE, PHONE.value) == []
        assert not await has_consent(tx, ann.id, "marketing", on=TODAY)
    assert code(await add(database, bob.id, CARD)) is None


async def test_who_opened_in_the_app_is_found_at_the_branch(database: Database) -> None:
    ann = person()
    remote = replace(CARD, verified=True)
    assert await meet(database, ann, remote, Channel.APP) == ann
    async with database.reading() as tx:
        assert await identification_level(tx, ann.id) is IdentificationLevel.REMOTE
    assert await meet(database, person("ANN LEE"), CARD, Channel.BRANCH) == ann
    async with database.reading() as tx:
        assert await identification_level(tx, ann.id) is IdentificationLevel.FACE_TO_FACE
        assert remote in [each.content for each in await records_of_party(tx, ann.id) if each.ended_at is None]
        assert await parties_page(tx, limit=9) == [ann]
    assert code(await meet(database, person("Bob"), CARD, Channel.BRANCH)) is Why.DOCUMENT_NAME_DIFFERS
    expired = replace(PASSPORT, expires_on=date(2020, 1, 1))
    assert code(await meet(database, person("Bob"), expired, Channel.BRANCH)) is Why.DOCUMENT_EXPIRED
    assert code(await meet(database, person(" "), CARD, Channel.BRANCH)) is Why.TEXT_MALFORMED
    async with database.reading() as tx:
        assert await parties_page(tx, limit=9) == [ann]


async def test_who_was_seen_before_showing_a_document_stays_seen(database: Database) -> None:
    ann = await registered(database)
    await add(database, ann.id, Identification(IdentificationLevel.FACE_TO_FACE))
    assert await meet(database, ann, CARD, Channel.APP) == ann
    async with database.reading() as tx:
        assert await identification_level(tx, ann.id) is IdentificationLevel.FACE_TO_FACE


async def test_of_a_list_each_is_judged_by_itself(database: Database) -> None:
    ann = await registered(database)
    await add(database, ann.id, Risk(RiskClass.LOW))
    contents: list[Content] = [PHONE, replace(PHONE, value="\0"), Risk(RiskClass.HIGH), Risk(RiskClass.LOW), PHONE]
    answers = await database.run(lambda tx: add_records(tx, ann.id, contents, by="a teller", today=TODAY))
    assert [code(answer) for answer in answers] == [None, Why.TEXT_MALFORMED, None, None, None]
    assert answers[0] == answers[4]
    async with database.reading() as tx:
        records = await records_of_party(tx, ann.id)
        assert [each.number for each in records] == [1, 2, 3, 4]
        assert [each.content for each in records if each.ended_at is None] == [PHONE, Risk(RiskClass.LOW)]
    absent = await database.run(lambda tx: add_records(tx, uuid4(), contents, by="a teller", today=TODAY))
    assert [code(answer) for answer in absent[:2]] == [Why.PARTY_NOT_FOUND, Why.TEXT_MALFORMED]


async def test_of_rivals_with_one_document_one_is_registered_and_all_are_it(database: Database) -> None:
    answers = await asyncio.gather(*(meet(database, person(), CARD, Channel.APP) for _ in range(8)))
    assert len({answer.id for answer in answers if isinstance(answer, Party)}) == 1
    assert not any(isinstance(answer, Refusal) for answer in answers)
    async with database.reading() as tx:
        assert len(await parties_page(tx, limit=9)) == 1


async def test_a_payee_is_confirmed_by_name(database: Database) -> None:
    ann = await registered(database)
    await database.run(lambda tx: grant_role(tx, Role(ann.id, 7, RoleKind.OWNER, TODAY)))

    async def work(tx: Transaction) -> list[NameMatch]:
        return [await name_match(tx, account, name) for account, name in ((7, "ann lee"), (7, "Bob"), (8, "Ann"))]

    assert await database.run(work) == [NameMatch.MATCH, NameMatch.NO_MATCH, NameMatch.UNKNOWN]
    async with database.reading() as tx:
        assert await name_match(tx, 7, "Ann Lee", on=date(2020, 1, 1)) is NameMatch.UNKNOWN
