"""An account of class II whose bound account is at another bank: asked, answered, bound, paid to and from."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from eastflow.kernel import Refusal
from eastflow.rules import AccountClass
from eastflow.storage import Database, Transaction

from .. import is_bound, verification, verifications_of_account, verifications_to_send
from ..actions import (
    add_record,
    answer_verification,
    ask_verification,
    assign_class,
    confirm_face_to_face,
    end_class,
    end_verification,
    erase_party,
    grant_roles,
    register_party,
    reseal_parties,
    use_allowance,
    verification_sent,
    verify_elements,
)
from ..classes.model import ClassedAccount, Direction, Movement
from ..model import Channel, Party, PartyKind, Role, RoleKind
from ..records.model import ContactKind, ContactPoint, Document, DocumentKind
from ..refusals import CustomersRefusal as Why
from .model import VERIFICATION_DAYS, Element, ElementResult, Verification, VerificationStatus

TODAY = date(2026, 3, 1)
LAST_DAY = TODAY + timedelta(days=VERIFICATION_DAYS)
CARD = Document(DocumentKind.IDENTITY_CARD, "110101199001011234", "CN")
PHONE = "+86 138-0013-8000"
BANK, OTHER = "ICBKCNBJ", "6222 0000 1111 2222"
ALL_MATCH = dict.fromkeys(Element, ElementResult.MATCHES)
OUT = Movement(Direction.OUT, 100, "CNY", Channel.APP)
DIFFERS = {**ALL_MATCH, Element.PHONE: ElementResult.DIFFERS}


@pytest.fixture
async def ann(database: Database) -> UUID:
    """A person with a document and a telephone; account 2 is of class II, opened in the app, nothing bound to it."""
    party = Party(uuid4(), PartyKind.PERSON, "Ann Lee", TODAY)

    async def work(tx: Transaction) -> None:
        await register_party(tx, party, today=lambda: TODAY)
        await grant_roles(tx, [Role(party.id, account, RoleKind.OWNER, TODAY) for account in (1, 2)])
        for content in (CARD, ContactPoint(ContactKind.PHONE, PHONE)):
            await add_record(tx, party.id, content, by="ann", today=TODAY)
        second = ClassedAccount(2, party.id, AccountClass.II, TODAY, Channel.APP)
        assert await assign_class(tx, second, today=TODAY) == second

    await database.run(work)
    return party.id


async def ask(
    database: Database, id: UUID, account: int = 2, *, bank: str = BANK, other: str = OTHER, phone: str = PHONE
) -> Verification | Refusal:
    return await database.run(
        lambda tx: ask_verification(tx, id, account, bank=bank, other_account=other, phone=phone, by="app", today=TODAY)
    )


async def answer(
    database: Database, id: UUID, results: Mapping[Element, ElementResult] = ALL_MATCH, day: date = TODAY
) -> Verification | Refusal:
    return await database.run(lambda tx: answer_verification(tx, id, results, by="bo", today=day))


async def use(database: Database) -> Refusal | None:
    return await database.run(lambda tx: use_allowance(tx, 2, OUT, today=TODAY))


async def bound(database: Database, bank: str = BANK, other: str = OTHER) -> bool:
    async with database.reading() as tx:
        return await is_bound(tx, 2, bank, other)


def code(answer: object) -> object:
    return answer.code if isinstance(answer, Refusal) else None


def status(answer: object) -> object:
    return answer.status if isinstance(answer, Verification) else answer


async def test_nothing_moves_until_all_five_match(database: Database, ann: UUID) -> None:
    id = uuid4()
    asked = await ask(database, id)
    assert isinstance(asked, Verification)
    shown = (asked.elements.name, asked.elements.document, asked.elements.phone, asked.elements.account)
    assert shown == ("Ann Lee", CARD, PHONE, OTHER)
    assert code(await use(database)) is Why.BOUND_ACCOUNT_MISSING
    assert not await bound(database)
    for _ in range(2):
        confirmed = await answer(database, id)
        assert status(confirmed) is VerificationStatus.CONFIRMED
        assert await ask(database, id) == confirmed
    assert await use(database) is None
    assert await bound(database, "icbk cnbj", "6222-0000-1111-2222")
    assert not await bound(database, other="6222000011112223")


@pytest.mark.parametrize("element", Element)
@pytest.mark.parametrize("result", [ElementResult.DIFFERS, ElementResult.UNKNOWN, None])
async def test_one_that_does_not_match_denies(
    database: Database, ann: UUID, element: Element, result: ElementResult | None
) -> None:
    id = uuid4()
    await ask(database, id)
    told = {each: kept for each, kept in (ALL_MATCH | {element: result}).items() if kept is not None}
    denied = await answer(database, id, told)
    assert isinstance(denied, Verification)
    assert denied.status is VerificationStatus.DENIED
    assert denied.results == ALL_MATCH | {element: result or ElementResult.UNKNOWN}
    assert code(await use(database)) is Why.BOUND_ACCOUNT_MISSING
    assert not await bound(database)


async def test_who_was_seen_at_the_counter_needs_no_bound_account(database: Database, ann: UUID) -> None:
    await database.run(lambda tx: confirm_face_to_face(tx, 2))
    assert await use(database) is None


async def test_refusals_in_order(database: Database, ann: UUID) -> None:
    used, answered, id = uuid4(), uuid4(), uuid4()
    await ask(database, used)
    await ask(database, answered)
    await answer(database, answered, DIFFERS)

    async def ended(id: UUID) -> Verification | Refusal:
        return await database.run(lambda tx: end_verification(tx, id, today=TODAY))

    async def sent(id: UUID, message: str) -> Verification | Refusal:
        return await database.run(lambda tx: verification_sent(tx, id, message, today=TODAY))

    assert status(await sent(used, "m-1")) is VerificationStatus.ASKED
    found = [
        await ask(database, used, bank=" "),
        await ask(database, used, other="6\0"),
        await ask(database, used, phone="\ud800"),
        await sent(used, ""),
        await ask(database, used, 1 << 80),
        await ask(database, used, phone="1"),
        await ask(database, id, 1),
        await ended(id),
        await answer(database, id),
        await sent(used, "m-2"),
        await sent(answered, "m-1"),
        await answer(database, answered),
        await answer(database, used, day=LAST_DAY + timedelta(days=1)),
        await ended(answered),
    ]
    assert [code(each) for each in found] == [
        *[Why.TEXT_MALFORMED] * 4,
        Why.ACCOUNT_MALFORMED,
        Why.VERIFICATION_ID_REUSED,
        Why.CLASS_NOT_FOUND,
        *[Why.VERIFICATION_NOT_FOUND] * 2,
        *[Why.VERIFICATION_CLOSED] * 5,
    ]


async def test_only_a_document_good_today_is_shown(database: Database) -> None:
    party = Party(uuid4(), PartyKind.PERSON, "Cy", TODAY)
    old = replace(CARD, expires_on=TODAY - timedelta(days=1))

    async def work(tx: Transaction) -> Verification | Refusal:
        await register_party(tx, party, today=lambda: TODAY)
        await grant_roles(tx, [Role(party.id, 2, RoleKind.OWNER, TODAY)])
        await add_record(tx, party.id, old, by="cy", today=TODAY - timedelta(days=1))
        await assign_class(tx, ClassedAccount(2, party.id, AccountClass.II, TODAY, Channel.APP), today=TODAY)
        return await ask_verification(
            tx, uuid4(), 2, bank=BANK, other_account=OTHER, phone=PHONE, by="app", today=TODAY
        )

    assert code(await database.run(work)) is Why.DOCUMENT_MISSING


async def test_what_waits_to_be_sent_is_read_in_pages_and_expires(database: Database, ann: UUID) -> None:
    ids = sorted(uuid4() for _ in range(3))
    for id in ids:
        await ask(database, id)

    async def waiting(day: date = TODAY) -> list[UUID]:
        async with database.reading() as tx:
            first = await verifications_to_send(tx, today=day, limit=2)
            rest = await verifications_to_send(tx, today=day, after=first[-1].id, limit=2) if first else []
        return [each.id for each in first + rest]

    assert await waiting() == ids
    for _ in range(2):
        await database.run(lambda tx: verification_sent(tx, ids[1], "m-1", today=TODAY))
    assert await waiting(LAST_DAY) == [ids[0], ids[2]]
    assert await waiting(LAST_DAY + timedelta(days=1)) == []
    async with database.reading() as tx:
        expired = await verification(tx, ids[0], today=LAST_DAY + timedelta(days=1))
    assert status(expired) is VerificationStatus.EXPIRED


async def test_of_rival_answers_one_stands(database: Database, ann: UUID) -> None:
    id = uuid4()
    asked = await asyncio.gather(*(ask(database, id) for _ in range(4)))
    assert {status(each) for each in asked} == {VerificationStatus.ASKED}
    answers = await asyncio.gather(*(answer(database, id, told) for told in (ALL_MATCH, DIFFERS) * 3))
    assert sorted(code(each) is Why.VERIFICATION_CLOSED for each in answers) == [False] * 3 + [True] * 3


async def test_what_is_bound_ends_by_itself_with_the_class_and_with_the_person(database: Database, ann: UUID) -> None:
    first, second = uuid4(), uuid4()
    await ask(database, first)
    await answer(database, first)
    await database.run(lambda tx: end_verification(tx, first, today=TODAY))
    assert not await bound(database)
    assert code(await use(database)) is Why.BOUND_ACCOUNT_MISSING
    await ask(database, second)
    await answer(database, second)
    await database.run(lambda tx: reseal_parties(tx, made_before=datetime(2999, 1, 1, tzinfo=UTC)))
    async with database.reading() as tx:
        held = await verifications_of_account(tx, 2, today=TODAY)
    assert {each.elements.phone for each in held} == {PHONE}
    await database.run(lambda tx: end_class(tx, 2, until=TODAY, today=TODAY))
    assert not await bound(database)


async def test_erasing_the_person_leaves_nothing_of_it(database: Database) -> None:
    party = Party(uuid4(), PartyKind.PERSON, "Di", date(2000, 1, 1))

    async def work(tx: Transaction) -> None:
        await register_party(tx, party, today=lambda: TODAY)
        await grant_roles(tx, [Role(party.id, 2, RoleKind.OWNER, date(2000, 1, 1), date(2001, 1, 1))])
        await add_record(tx, party.id, CARD, by="di", today=date(2000, 1, 1))
        new = ClassedAccount(2, party.id, AccountClass.II, date(2000, 1, 1), Channel.APP)
        assert await assign_class(tx, new, today=date(2000, 6, 1)) == new

    await database.run(work)
    id = uuid4()
    await ask(database, id)
    await answer(database, id)
    erased = await database.run(lambda tx: erase_party(tx, party.id, today=TODAY))
    assert isinstance(erased, Party)
    assert not await bound(database)
    assert code(await answer(database, id)) is Why.VERIFICATION_NOT_FOUND
    assert code(await ask(database, uuid4())) is Why.PARTY_ERASED


async def test_another_bank_is_answered_element_by_element(database: Database, ann: UUID) -> None:
    first = ClassedAccount(1, ann, AccountClass.I, TODAY, Channel.BRANCH, face_to_face=True)
    await database.run(lambda tx: assign_class(tx, first, today=TODAY))

    async def told(account: int, name: str, document: Document, phone: str) -> object:
        found = await database.run(lambda tx: verify_elements(tx, account, name=name, document=document, phone=phone))
        return [each.value for each in found.values()] if not isinstance(found, Refusal) else found.code

    other = replace(CARD, number="1")
    nobody = ["unknown", "unknown", "unknown", "differs", "unknown"]
    assert await told(1, "ann  LEE", CARD, "+8613800138000") == ["matches"] * 5
    assert await told(1, "Bo", other, "1") == ["differs", "differs", "differs", "matches", "matches"]
    assert await told(2, "Ann Lee", CARD, PHONE) == ["matches"] * 4 + ["differs"]
    assert await told(3, "Ann Lee", CARD, PHONE) == nobody
    assert await told(1 << 80, "Ann Lee", CARD, PHONE) == nobody
    assert await told(1, "\0", CARD, PHONE) is Why.TEXT_MALFORMED
    assert await told(1, "Ann", replace(CARD, country="cn"), PHONE) is Why.TEXT_MALFORMED
    assert await told(1, "Ann", CARD, " ") is Why.TEXT_MALFORMED
