"""Duplicates merged and unmerged on a real database: reads follow, and what is undone is as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest

from eastflow.kernel import Refusal
from eastflow.rules import AccountClass
from eastflow.storage import Database, Transaction

from .. import (
    Record,
    merges_of_party,
    parties_page,
    party,
    party_by_document,
    party_by_reference,
    records_of_party,
    roles_of_account,
    roles_of_party,
)
from ..actions import (
    add_record,
    assign_class,
    erase_party,
    grant_role,
    merge_parties,
    register_or_find,
    register_parties,
    register_party,
    unmerge_party,
)
from ..classes.model import ClassedAccount
from ..model import Channel, Party, PartyKind, Role, RoleKind
from ..records.model import Consent, Document, DocumentKind
from ..refusals import CustomersRefusal as Why
from .decide import decide_merge, decide_unmerge
from .model import Merge

TODAY = date(2026, 3, 1)
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN, BOB = UUID(int=1), UUID(int=2)
KNOWN = {id: Party(id, PartyKind.PERSON, "Ann", TODAY) for id in (ANN, BOB)}
SHOP = {BOB: replace(KNOWN[BOB], kind=PartyKind.ORGANISATION)}
ERASED = {ANN: replace(KNOWN[ANN], erased=True)}
MERGE = Merge(ANN, BOB, "one person", AT, "a test")
ELSEWHERE = replace(MERGE, into=uuid4())

# Each row also breaks the rules of every row below it.
TABLE = [
    (lambda: decide_merge(ANN, BOB, " ", {}, ELSEWHERE, into_is_merged=True), Why.TEXT_MALFORMED),
    (lambda: decide_merge(ANN, BOB, "x", {}, ELSEWHERE, into_is_merged=True), Why.PARTY_NOT_FOUND),
    (lambda: decide_merge(ANN, BOB, "x", SHOP | ERASED, ELSEWHERE, into_is_merged=True), Why.PARTY_ERASED),
    (lambda: decide_merge(ANN, BOB, "x", KNOWN | SHOP, ELSEWHERE, into_is_merged=True), Why.PARTY_MERGED),
    (lambda: decide_merge(ANN, BOB, "x", KNOWN | SHOP, None, into_is_merged=True), Why.PARTY_MERGED),
    (lambda: decide_merge(ANN, BOB, "x", KNOWN | SHOP, None, into_is_merged=False), Why.MERGE_UNSUITABLE),
    (lambda: decide_merge(ANN, ANN, "x", KNOWN, None, into_is_merged=False), Why.MERGE_UNSUITABLE),
    (lambda: decide_unmerge(ANN, None), Why.MERGE_NOT_FOUND),
    (lambda: decide_merge(ANN, BOB, "other words", KNOWN, MERGE, into_is_merged=False), MERGE),
    (lambda: decide_merge(ANN, BOB, "x", KNOWN, None, into_is_merged=False), None),
    (lambda: decide_unmerge(ANN, MERGE), MERGE),
]


@pytest.mark.parametrize(("decision", "expected"), TABLE)
def test_decisions(decision: object, expected: object) -> None:
    got = decision()  # type: ignore[operator]
    assert (got.code if isinstance(got, Refusal) else got) == expected


@dataclass(frozen=True)
class Seen:
    """All that reads answer of a party."""

    party: Party | None
    roles: list[Role]
    records: list[Record]


def document(number: int) -> Document:
    return Document(DocumentKind.PASSPORT, f"E{number}", "CN")


async def customer(database: Database, number: int) -> Party:
    """With a role on the account of this number, a document and a consent."""
    new = Party(uuid4(), PartyKind.PERSON, f"Ann {number}", date(2010, 1, 1), reference=f"crm:{number}")

    async def work(tx: Transaction) -> None:
        await register_party(tx, new, today=lambda: TODAY)
        await grant_role(tx, Role(new.id, number, RoleKind.OWNER, TODAY))
        for content in (document(number), Consent(f"purpose {number}", TODAY)):
            await add_record(tx, new.id, content, by="a test", today=TODAY)

    await database.run(work)
    return new


async def seen(database: Database, id: UUID) -> Seen:
    async with database.reading() as tx:
        return Seen(await party(tx, id), await roles_of_party(tx, id), await records_of_party(tx, id))


def merge(database: Database, party: Party, into: Party) -> Awaitable[Merge | Refusal]:
    return database.run(
        lambda tx: merge_parties(tx, party.id, into.id, reason="one person", by="ann", clock=lambda: AT)
    )


def unmerge(database: Database, party: Party) -> Awaitable[Merge | Refusal]:
    return database.run(lambda tx: unmerge_party(tx, party.id, by="bob", clock=lambda: AT))


def code(answer: object) -> object:
    return answer.code if isinstance(answer, Refusal) else None


async def test_reads_follow_and_what_is_undone_is_as_it_was(database: Database) -> None:
    ann, double, third = [await customer(database, number) for number in (1, 2, 3)]
    before = [await seen(database, each.id) for each in (ann, double, third)]
    for _ in range(2):
        assert await merge(database, double, ann) == Merge(double.id, ann.id, "one person", AT, "ann")
    assert code(await merge(database, third, double)) is Why.PARTY_MERGED
    assert code(await merge(database, double, third)) is Why.PARTY_MERGED
    assert code(await merge(database, ann, third)) is None
    one = await seen(database, double.id)
    assert one == await seen(database, ann.id) == await seen(database, third.id)
    assert one.party == third
    assert {(role.party, role.account) for role in one.roles} == {(third.id, account) for account in (1, 2, 3)}
    assert len(one.records) == 6
    async with database.reading() as tx:
        assert [role.party for role in await roles_of_account(tx, 2)] == [third.id]
        assert await party_by_document(tx, DocumentKind.PASSPORT, "E2", "CN") == third
        assert await party_by_reference(tx, "crm:1") == third
        assert await parties_page(tx, limit=9) == [third]
        assert await parties_page(tx, limit=9, name="Ann 1") == []
        assert await parties_page(tx, limit=9, name="Ann 3") == [third]
    assert isinstance(await unmerge(database, double), Merge)
    assert isinstance(await unmerge(database, ann), Merge)
    assert code(await unmerge(database, ann)) is Why.MERGE_NOT_FOUND
    assert [await seen(database, each.id) for each in (ann, double, third)] == before
    async with database.reading() as tx:
        trail = await merges_of_party(tx, ann.id)
    assert {(each.party, each.into, each.unmerged_by) for each in trail} == {
        (double.id, ann.id, "bob"),
        (ann.id, third.id, "bob"),
    }


async def test_of_rivals_that_merge_two_into_each_other_one_does(database: Database) -> None:
    ann, bob = [await customer(database, number) for number in (1, 2)]
    answers = await asyncio.gather(merge(database, ann, bob), merge(database, bob, ann))
    assert sorted(map(str, map(code, answers))) == sorted([str(Why.PARTY_MERGED), "None"])
    assert (await seen(database, ann.id)).party == (await seen(database, bob.id)).party


async def test_a_merged_party_takes_no_more_and_its_document_leads_to_the_other(database: Database) -> None:
    ann, double = [await customer(database, number) for number in (1, 2)]
    await merge(database, double, ann)
    added = await database.run(lambda tx: add_record(tx, double.id, document(9), by="a test", today=TODAY))
    assert code(added) is Why.PARTY_MERGED
    shown = replace(ann, id=uuid4(), reference=None)
    found = await database.run(
        lambda tx: register_or_find(tx, shown, document(2), Channel.BRANCH, by="a test", today=TODAY)
    )
    assert found == ann


async def test_the_accounts_of_merged_parties_are_counted_together(database: Database) -> None:
    ann, double = [await customer(database, number) for number in (1, 2)]

    async def assign(owner: Party, account: int) -> object:
        new = ClassedAccount(account, owner.id, AccountClass.I, TODAY, Channel.BRANCH, face_to_face=True)
        return code(await database.run(lambda tx: assign_class(tx, new, today=TODAY)))

    assert await assign(double, 2) is None
    await merge(database, double, ann)
    assert await assign(ann, 1) is Why.CLASS_FULL


async def test_who_was_merged_is_erased_together(database: Database) -> None:
    old = [Party(uuid4(), PartyKind.PERSON, name, date(2010, 1, 1)) for name in ("Ann", "Anne")]
    await database.run(lambda tx: register_parties(tx, old, today=lambda: TODAY))
    await merge(database, old[1], old[0])
    await database.run(lambda tx: erase_party(tx, old[1].id, today=TODAY))
    for each in old:
        assert (await seen(database, each.id)).party == Party(
            old[0].id, PartyKind.PERSON, "", date(2010, 1, 1), erased=True
        )
    async with database.reading() as tx:
        assert await tx.value("SELECT count(*) FROM customers_data_key") == 0
