"""Sealed, sealed anew and shredded on a real database: nothing personal is readable in any table."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from eastflow.kernel import Refusal
from eastflow.storage import Database, KeyFault, Keys, Transaction

from .. import parties_page, party, party_by_document, party_by_reference, records_of_party
from ..actions import (
    add_record,
    check_keys,
    end_role,
    erase_party,
    grant_role,
    register_parties,
    register_party,
    reseal_parties,
    rewrap_data_keys,
    seal_plain_parties,
)
from ..model import Party, PartyKind, Role, RoleKind
from ..records.model import ContactKind, ContactPoint, Document, DocumentKind
from ..refusals import CustomersRefusal as Why

TODAY = date(2026, 3, 1)
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
CARD = Document(DocumentKind.IDENTITY_CARD, "110101199001011234", "CN")
PHONE = ContactPoint(ContactKind.PHONE, "+86 139 1234 5678")


def person(number: int = 1) -> Party:
    return Party(
        uuid4(), PartyKind.PERSON, f"Ann Secret {number}", date(2010, 1, 1), date(1990, 5, 17), f"crm:{number}",
        {"sex": "female-secret"},
    )  # fmt: skip


async def known(database: Database, ann: Party) -> None:
    async def work(tx: Transaction) -> None:
        await register_party(tx, ann, clock=lambda: AT, today=lambda: TODAY)
        for content in (CARD, PHONE):
            assert not isinstance(
                await add_record(tx, ann.id, content, by="a test", today=TODAY, clock=lambda: AT), Refusal
            )

    await database.run(work)


async def everything(database: Database) -> str:
    """All tables of this room as text."""
    async with database.reading() as tx:
        names = await tx.rows("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'customers\\_%'")
        assert len(names) >= 9
        return "\n".join([
            str(await tx.value(f"SELECT string_agg(t::text, ' ') FROM {row['relname']} AS t")) for row in names
        ])  # fmt: skip


async def test_nothing_personal_is_readable_in_any_table(database: Database) -> None:
    ann = person()
    await known(database, ann)
    text = await everything(database)
    assert str(ann.id) in text
    for secret in (ann.name, "1990-05-17", "crm:1", "female-secret", CARD.number, PHONE.value, "13912345678"):
        assert secret not in text
        assert secret.encode().hex() not in text


async def test_a_bank_that_was_kept_plain_is_sealed_in_steps(database: Database) -> None:
    plain = [person(number) for number in range(25)]

    async def as_before(tx: Transaction) -> None:
        for each in plain:
            await tx.execute(
                "INSERT INTO customers_party (id, kind, name, opened_on, born_on, reference, details, registered_at) "
                "VALUES ($1, 'person', $2, $3, $4, $5, $6, $7)",
                each.id, each.name, each.opened_on, each.born_on, each.reference, '{"sex": "female-secret"}', AT,
            )  # fmt: skip
            await tx.execute("INSERT INTO customers_reference VALUES ($1, $2)", each.reference, each.id)

    await database.run(as_before)

    async def step() -> int:
        return await database.run(lambda tx: seal_plain_parties(tx, limit=10))

    rivals = await asyncio.gather(step(), step())
    assert max(rivals) == 10
    while await step():
        pass
    assert "ecret" not in await everything(database)
    async with database.reading() as tx:
        assert await parties_page(tx, limit=99) == sorted(plain, key=lambda each: each.id)
        assert await party_by_reference(tx, "crm:7") == plain[7]
        assert await parties_page(tx, limit=9, name="ann secret 3") == [plain[3]]
    again = await database.run(lambda tx: register_parties(tx, plain, today=lambda: TODAY))
    assert again == plain


async def test_the_wrapping_key_is_renewed_in_steps(database_url: str, tmp_path: Path) -> None:
    keys = Keys.open(tmp_path / "keys")
    database = await Database.open(database_url, keys=keys)
    many = [person(number) for number in range(25)]
    await database.run(lambda tx: register_parties(tx, many, today=lambda: TODAY))
    assert await database.run(rewrap_data_keys) == 0
    keys.add_wrapping_key()
    counts = [await database.run(lambda tx: rewrap_data_keys(tx, limit=10)) for _ in range(4)]
    assert counts == [10, 10, 5, 0]
    keys.drop_wrapping_keys(2)
    await database.run(check_keys)
    async with database.reading() as tx:
        assert await parties_page(tx, limit=99) == sorted(many, key=lambda each: each.id)
    await database.close()


async def test_what_is_sealed_is_sealed_anew_in_steps(database: Database) -> None:
    ann, others = person(), [person(number) for number in range(2, 14)]
    await known(database, ann)
    await database.run(lambda tx: register_parties(tx, others, clock=lambda: AT, today=lambda: TODAY))

    async def sealed() -> set[bytes]:
        async with database.reading() as tx:
            rows = await tx.rows("SELECT sealed FROM customers_party UNION ALL SELECT sealed FROM customers_record")
        return {row["sealed"] for row in rows}

    async def step(tx: Transaction) -> int:
        later = AT + timedelta(days=1)
        return await reseal_parties(tx, made_before=later, limit=5, clock=lambda: later)

    before = await sealed()
    assert [await database.run(step) for _ in range(4)] == [5, 5, 3, 0]
    after = await sealed()
    assert len(after) == len(before) == 15
    assert not after & before
    async with database.reading() as tx:
        assert await party(tx, ann.id) == ann
        assert [record.content for record in await records_of_party(tx, ann.id)] == [CARD, PHONE]


async def test_records_added_while_all_is_sealed_anew_stay_readable(database: Database) -> None:
    ann = person()
    await known(database, ann)

    async def add(number: int) -> None:
        contact = ContactPoint(ContactKind.EMAIL, f"ann{number}@example.com")
        await database.run(lambda tx: add_record(tx, ann.id, contact, by="a test", today=TODAY))

    async def renew() -> None:
        await database.run(lambda tx: reseal_parties(tx, made_before=datetime.now(UTC)))

    await asyncio.gather(*(work for number in range(6) for work in (add(number), renew())))
    async with database.reading() as tx:
        records = await records_of_party(tx, ann.id)
    assert sorted(record.number for record in records) == list(range(1, 9))


async def test_a_party_is_shredded_when_law_allows(database: Database) -> None:
    ann = person()
    await known(database, ann)
    role = Role(ann.id, 7, RoleKind.OWNER, ann.opened_on)
    await database.run(lambda tx: grant_role(tx, role))

    async def erase(today: date) -> Party | Refusal:
        return await database.run(lambda tx: erase_party(tx, ann.id, today=today))

    standing = await erase(TODAY)
    until = date(2016, 3, 2)
    await database.run(lambda tx: end_role(tx, ann.id, 7, RoleKind.OWNER, since=role.since, until=until))
    running, erased = await erase(TODAY), await erase(date(2026, 3, 2))
    assert [r.code for r in (standing, running) if isinstance(r, Refusal)] == [Why.ROLE_STANDS, Why.RETENTION_RUNS]
    assert erased == Party(ann.id, PartyKind.PERSON, "", ann.opened_on, erased=True)
    assert await erase(date(2026, 3, 2)) == erased
    async with database.reading() as tx:
        assert await party(tx, ann.id) == erased
        assert await party_by_reference(tx, "crm:1") is None
        assert await party_by_document(tx, CARD.kind, CARD.number, CARD.country) is None
        assert await parties_page(tx, limit=9, name=ann.name) == []
        assert await records_of_party(tx, ann.id) == []
        assert await tx.value("SELECT count(*) FROM customers_data_key") == 0
    again = await database.run(lambda tx: register_party(tx, ann, today=lambda: TODAY))
    late = await database.run(lambda tx: add_record(tx, ann.id, CARD, by="a test", today=TODAY))
    none = await database.run(lambda tx: erase_party(tx, uuid4(), today=TODAY))
    owner = await database.run(lambda tx: grant_role(tx, replace(role, account=8)))
    codes = [answer.code for answer in (again, late, none, owner) if isinstance(answer, Refusal)]
    assert codes == [Why.PARTY_ID_REUSED, Why.PARTY_ERASED, Why.PARTY_NOT_FOUND, Why.PARTY_NOT_FOUND]


async def test_other_keys_are_found_out_at_once(database: Database, database_url: str) -> None:
    await known(database, person())
    stranger = await Database.open(database_url, keys=Keys.random())
    with pytest.raises(KeyFault, match="cannot be unsealed"):
        await stranger.run(check_keys)
    await stranger.close()
    keyless = await Database.open(database_url)
    with pytest.raises(KeyFault, match="opened without"):
        await keyless.run(lambda tx: register_party(tx, person(2)))
    await keyless.close()


async def test_what_is_sealed_for_one_party_is_not_read_as_anothers(database: Database) -> None:
    ann, bob = person(1), person(2)
    await database.run(lambda tx: register_parties(tx, [ann, bob], today=lambda: TODAY))
    await database.run(
        lambda tx: tx.execute(
            "UPDATE customers_party SET sealed = (SELECT sealed FROM customers_party WHERE id = $1) WHERE id = $2",
            ann.id,
            bob.id,
        )
    )
    async with database.reading() as tx:
        assert await party(tx, ann.id) == ann
        with pytest.raises(KeyFault):
            await party(tx, bob.id)
