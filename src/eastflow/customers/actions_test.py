"""The verbs on a real database: thousands at once, the same again, and rivals in the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eastflow.kernel import Refusal
from eastflow.storage import Database, Keys, Transaction

from . import (
    CustomersRefusal,
    Party,
    PartyKind,
    Role,
    RoleKind,
    parties,
    parties_page,
    party,
    party_by_reference,
    roles_of_account,
    roles_of_party,
    store,
)
from .actions import end_role, grant_role, grant_roles, register_parties, register_party
from .decide import RoleRecord

TODAY = date(2026, 3, 1)
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
JANUARY, FEBRUARY, MARCH = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)


def person(number: int = 1, *, id: UUID | None = None, name: str = "Ann") -> Party:
    born_on = date(1950, 1, 1) + timedelta(days=number)
    return Party(id or uuid4(), PartyKind.PERSON, name, MARCH, born_on, f"crm:{number}", {"sex": "female"})


def codes(answers: Sequence[object]) -> list[object]:
    return [answer.code if isinstance(answer, Refusal) else None for answer in answers]


async def register(database: Database, *new: Party) -> list[Party | Refusal]:
    return await database.run(lambda tx: register_parties(tx, new, clock=lambda: AT))


async def grant(database: Database, *roles: Role) -> list[Role | Refusal]:
    return await database.run(lambda tx: grant_roles(tx, roles))


async def test_what_is_registered_is_read_again(database: Database) -> None:
    ann = person(name="Ann Nováková 京\U0001f600")
    shop = Party(uuid4(), PartyKind.ORGANISATION, "Corner Shop", MARCH)
    assert await register(database, ann, shop) == [ann, shop]
    async with database.reading() as tx:
        assert await party(tx, ann.id) == ann
        assert await party(tx, uuid4()) is None
        assert await parties(tx, [shop.id, ann.id, uuid4()]) == {ann.id: ann, shop.id: shop}
        assert await party_by_reference(tx, "crm:1") == ann
        assert await party_by_reference(tx, "crm:2") is None
        assert await party_by_reference(tx, "\0") is None


async def test_thousands_are_registered_at_once_and_once(database: Database) -> None:
    many = [person(number) for number in range(5_000)]
    assert await register(database, *many) == many
    more = [*many, person(5_000), replace(many[3], name="Bob"), replace(many[4], id=uuid4())]
    answers = await register(database, *more)
    assert answers[:5_001] == more[:5_001]
    assert codes(answers[5_001:]) == [CustomersRefusal.PARTY_ID_REUSED, CustomersRefusal.REFERENCE_TAKEN]
    async with database.reading() as tx:
        assert await tx.value("SELECT count(*) FROM customers_party") == 5_001
        assert await tx.value("SELECT count(*) FROM customers_claim") == 5_001


async def test_one_that_is_refused_does_not_keep_the_others_out(database: Database) -> None:
    ann, bob = person(1), person(2)
    new = [
        ann,
        ann,
        replace(ann, name="Bob"),
        replace(bob, reference="crm:1"),
        replace(bob, name="\0"),
        replace(bob, reference="\ud800"),
        replace(bob, born_on=TODAY + timedelta(days=1)),
        bob,
    ]
    assert codes(await register(database, *new)) == [
        None,
        None,
        CustomersRefusal.PARTY_ID_REUSED,
        CustomersRefusal.REFERENCE_TAKEN,
        CustomersRefusal.TEXT_MALFORMED,
        CustomersRefusal.TEXT_MALFORMED,
        CustomersRefusal.BORN_IN_FUTURE,
        None,
    ]
    async with database.reading() as tx:
        assert await parties_page(tx, limit=9) == sorted([ann, bob], key=lambda party: party.id)


async def test_the_banks_own_date_decides_what_is_the_future(database: Database) -> None:
    late = replace(person(), opened_on=TODAY + timedelta(days=1))

    async def work(tx: Transaction) -> list[Party | Refusal]:
        first = await register_party(tx, late, clock=lambda: AT)
        return [first, await register_party(tx, late, clock=lambda: AT, today=lambda: late.opened_on)]

    assert codes(await database.run(work)) == [CustomersRefusal.OPENED_IN_FUTURE, None]


async def test_of_rivals_for_one_reference_one_is_registered(database: Database) -> None:
    rivals = [person(1) for _ in range(6)]
    answers = [answer for [answer] in await asyncio.gather(*(register(database, rival) for rival in rivals))]
    assert sorted(codes(answers), key=str) == [CustomersRefusal.REFERENCE_TAKEN] * 5 + [None]
    [winner] = [answer for answer in answers if isinstance(answer, Party)]
    async with database.reading() as tx:
        assert await party_by_reference(tx, "crm:1") == winner
        assert await parties_page(tx, limit=9) == [winner]


async def test_the_same_lists_in_two_orders_at_once_register_everyone_once(database: Database) -> None:
    many = [person(number) for number in range(300)]
    one, other = await asyncio.gather(register(database, *many), register(database, *reversed(many)))
    assert one == many
    assert other == many[::-1]
    async with database.reading() as tx:
        assert await tx.value("SELECT count(*) FROM customers_party") == 300


async def test_parties_are_paged_by_id_and_by_name(database: Database) -> None:
    names = ["Ann Lee", "ann  lee", "\uff21nn\u3000Lee ", "ANN LEE", "Ann", "Ann Le", "Anné Lee"]
    everyone = [person(number, name=name) for number, name in enumerate(names)]
    everyone.append(person(len(names), name="Ann Lee", id=UUID(int=0)))
    await register(database, *everyone)
    by_id = sorted(everyone, key=lambda party: party.id)
    assert await pages(database, None) == by_id
    assert await pages(database, "Ann Lee") == [p for p in by_id if p in [*everyone[:4], everyone[-1]]]
    async with database.reading() as tx:
        assert await parties_page(tx, limit=9, name="Ann Lee", after=UUID(int=(1 << 128) - 1)) == []
        assert await parties_page(tx, limit=9, name="A\0") == []
        assert await parties_page(tx, limit=9, name="\ud800") == []
        assert await parties_page(tx, limit=9, name="%") == []


async def pages(database: Database, name: str | None) -> list[Party]:
    """All of them, three at a time."""
    found: list[Party] = []
    async with database.reading() as tx:
        while True:
            after = found[-1].id if found else None
            page = await parties_page(tx, after=after, limit=3, name=name)
            if not page:
                return found
            found += page


async def test_roles_are_granted_in_bulk_once_and_read_from_both_sides(database: Database) -> None:
    ann, bob = person(1), person(2)
    await register(database, ann, bob)
    owned = [Role(ann.id, account, RoleKind.OWNER, JANUARY) for account in range(1, 3_001)]
    lent = [Role(bob.id, 7, RoleKind.DISPONENT, FEBRUARY), Role(bob.id, 7, RoleKind.GUARDIAN, JANUARY, MARCH)]
    for _ in range(2):
        assert await grant(database, *owned, *lent, owned[0]) == [*owned, *lent, owned[0]]
    async with database.reading() as tx:
        assert await roles_of_party(tx, ann.id) == owned
        assert await roles_of_party(tx, bob.id) == lent
        assert set(await roles_of_account(tx, 7)) == {owned[6], *lent}
        assert await roles_of_account(tx, 1 << 80) == []


async def test_a_role_needs_a_party_and_an_account_number(database: Database) -> None:
    ann = person()
    await register(database, ann)
    role = Role(ann.id, 7, RoleKind.OWNER, FEBRUARY)
    answers = await grant(
        database, replace(role, account=1 << 80), replace(role, until=JANUARY), replace(role, party=uuid4()), role
    )
    assert codes(answers) == [
        CustomersRefusal.ACCOUNT_MALFORMED,
        CustomersRefusal.PERIOD_REVERSED,
        CustomersRefusal.PARTY_NOT_FOUND,
        None,
    ]


async def test_a_party_and_its_role_come_in_one_transaction(database: Database) -> None:
    ann = person()
    role = Role(ann.id, 7, RoleKind.OWNER, MARCH)

    async def work(tx: Transaction) -> Role | Refusal:
        await register_party(tx, ann, clock=lambda: AT)
        return await grant_role(tx, role)

    assert await database.run(work) == role


async def test_a_role_ends_once_and_may_be_granted_again_afterwards(database: Database) -> None:
    ann = person()
    await register(database, ann)
    role = Role(ann.id, 7, RoleKind.DISPONENT, JANUARY)
    ended = replace(role, until=FEBRUARY)
    again = replace(role, since=FEBRUARY)
    await grant(database, role)
    assert codes(await grant(database, again)) == [CustomersRefusal.ROLE_EXISTS]

    async def end(since: date, until: date, account: int = 7) -> Role | Refusal:
        return await database.run(
            lambda tx: end_role(tx, ann.id, account, RoleKind.DISPONENT, since=since, until=until)
        )

    assert [await end(JANUARY, FEBRUARY) for _ in range(2)] == [ended, ended]
    assert await grant(database, again, role) == [again, ended]
    refused = [await end(JANUARY, MARCH), await end(MARCH, MARCH), await end(JANUARY, FEBRUARY, account=1 << 80)]
    assert codes(refused) == [
        CustomersRefusal.ROLE_ENDED,
        CustomersRefusal.ROLE_NOT_FOUND,
        CustomersRefusal.ACCOUNT_MALFORMED,
    ]
    async with database.reading() as tx:
        assert await roles_of_party(tx, ann.id) == [ended, again]


async def test_of_rival_grants_that_overlap_one_stands(database: Database) -> None:
    ann = person()
    await register(database, ann)
    rivals = [Role(ann.id, 7, RoleKind.OWNER, JANUARY + timedelta(days=day), MARCH) for day in range(5)]
    answers = [answer for [answer] in await asyncio.gather(*(grant(database, rival) for rival in rivals))]
    assert sorted(codes(answers), key=str) == [CustomersRefusal.ROLE_EXISTS] * 4 + [None]
    async with database.reading() as tx:
        assert len(await roles_of_party(tx, ann.id)) == 1


async def test_of_rivals_that_end_a_role_the_earliest_day_holds(database: Database) -> None:
    ann = person()
    await register(database, ann)
    await grant(database, Role(ann.id, 7, RoleKind.OWNER, JANUARY))
    days = [JANUARY + timedelta(days=day) for day in range(6)]

    async def end(until: date) -> Role | Refusal:
        return await database.run(lambda tx: end_role(tx, ann.id, 7, RoleKind.OWNER, since=JANUARY, until=until))

    assert isinstance((await asyncio.gather(*map(end, days)))[0], Role)
    async with database.reading() as tx:
        assert [role.until for role in await roles_of_party(tx, ann.id)] == [JANUARY]


async def test_a_role_that_was_ended_meanwhile_is_left_as_it_is(database: Database) -> None:
    ann = person()
    await register(database, ann)
    role = Role(ann.id, 7, RoleKind.OWNER, JANUARY)
    await grant(database, role)
    stale = RoleRecord(role, 1, None)

    def end(until: date) -> Awaitable[bool]:
        return database.run(lambda tx: store.end_role(tx, stale, replace(stale, role=replace(role, until=until)), AT))

    assert [await end(FEBRUARY), await end(MARCH)] == [True, False]
    async with database.reading() as tx:
        assert await roles_of_account(tx, 7) == [replace(role, until=FEBRUARY)]


characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
any_party = st.builds(
    Party,
    id=st.uuids(),
    kind=st.sampled_from(PartyKind),
    name=st.text(characters, min_size=1, max_size=200).filter(str.strip),
    opened_on=st.dates(max_value=TODAY),
    born_on=st.none() | st.dates(max_value=TODAY),
    reference=st.none() | st.text(characters, min_size=1, max_size=100).filter(str.strip),
    details=st.dictionaries(
        st.text(characters, min_size=1, max_size=64), st.text(characters, max_size=500), max_size=3
    ),
)


class Undo(Exception):
    """Ends an example's transaction, so that the next one finds the database empty."""


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(new=st.lists(any_party, max_size=5, unique_by=lambda party: party.id))
def test_every_sound_party_is_kept_to_the_letter(database_url: str, keys: Keys, new: list[Party]) -> None:
    async def work(tx: Transaction) -> None:
        for answer in await register_parties(tx, new, clock=lambda: AT):
            if isinstance(answer, Party):
                assert await party(tx, answer.id) == answer
                assert answer.reference is None or await party_by_reference(tx, answer.reference) == answer
                assert answer in await parties_page(tx, limit=9, name=answer.name)
            else:
                assert answer.code is CustomersRefusal.REFERENCE_TAKEN
        everyone = await parties_page(tx, limit=9)
        assert everyone == sorted(everyone, key=lambda party: party.id)
        raise Undo

    async def run() -> None:
        database = await Database.open(database_url, connections_max=1, keys=keys)
        try:
            with pytest.raises(Undo):
                await database.run(work)
        finally:
            await database.close()

    asyncio.run(run())
