"""Versions and plans in a real database: from a file to live, rivals at once, what is asked for by nobody's name."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from eastflow.kernel import Refusal
from eastflow.storage import Database

from . import actions
from .model import Migration, Terms, Version, VersionStatus
from .refusals import ProductsRefusal
from .shipped_terms import shipped
from .simulation import Plan
from .store import (
    migrations,
    migrations_due,
    products_page,
    update_version,
    version,
    version_live_on,
    versions,
)

TODAY = date(2026, 1, 5)
AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
TERMS = shipped()["cny-term-1y"]
PLAN = Plan(TODAY, 2, 1_000_000)


async def drafted(database: Database, terms: Terms = TERMS, id: UUID | None = None) -> Version:
    key = id or uuid4()
    found = await database.run(lambda tx: actions.draft_version(tx, key, terms, by="ann", clock=lambda: AT))
    assert isinstance(found, Version)
    return found


async def launched(database: Database, terms: Terms = TERMS, live_from: date = TODAY) -> Version:
    number = (await drafted(database, terms)).number
    simulated = await database.run(lambda tx: actions.simulate_version(tx, terms.code, number, PLAN))
    assert not isinstance(simulated, Refusal)
    await database.run(lambda tx: actions.approve_version(tx, terms.code, number, by="bo"))
    live = await database.run(
        lambda tx: actions.launch_version(tx, terms.code, number, live_from=live_from, by="cy", today=TODAY)
    )
    assert isinstance(live, Version), live
    return live


async def test_from_draft_to_live_to_withdrawn(database: Database) -> None:
    live = await launched(database)
    assert (live.status, live.live_from, live.approved_by, live.launched_by) == (VersionStatus.LIVE, TODAY, "bo", "cy")
    async with database.reading() as tx:
        assert await version_live_on(tx, TERMS.code, TODAY) == live
        assert await version_live_on(tx, TERMS.code, TODAY - timedelta(days=1)) is None
    gone = await database.run(
        lambda tx: actions.withdraw_version(tx, TERMS.code, 1, on=date(2026, 3, 1), by="cy", today=TODAY)
    )
    assert isinstance(gone, Version)
    async with database.reading() as tx:
        assert await version(tx, TERMS.code, 1) == gone
        assert await version_live_on(tx, TERMS.code, date(2026, 2, 28)) == gone
        assert await version_live_on(tx, TERMS.code, date(2026, 3, 1)) is None


async def test_a_live_version_is_never_edited(database: Database) -> None:
    live = await launched(database)
    dearer = replace(TERMS, name="Other")
    refusal = await database.run(lambda tx: actions.draft_version(tx, live.id, dearer, by="ann"))
    assert isinstance(refusal, Refusal)
    assert refusal.code is ProductsRefusal.VERSION_ID_REUSED
    assert (await drafted(database, dearer)).number == 2
    assert await drafted(database, TERMS, live.id) == live


async def test_what_was_changed_in_the_meantime_is_not_overwritten(database: Database) -> None:
    draft = await drafted(database)
    simulated = replace(draft, status=VersionStatus.SIMULATED, simulated_at=AT)
    written = [await database.run(lambda tx: update_version(tx, draft, simulated)) for _ in range(2)]
    assert written == [True, False]


async def test_every_shipped_product_goes_into_the_database_and_comes_back(database: Database) -> None:
    for terms in shipped().values():
        await drafted(database, terms)
    async with database.reading() as tx:
        first = await products_page(tx, limit=5)
        rest = await products_page(tx, after=first[-1].code, limit=100)
    assert {each.code: each.terms for each in [*first, *rest]} == shipped()


async def test_rivals_draft_versions_of_their_own(database: Database) -> None:
    found = await asyncio.gather(*(drafted(database) for _ in range(6)))
    assert sorted(each.number for each in found) == [1, 2, 3, 4, 5, 6]
    id = uuid4()
    same = await asyncio.gather(*(drafted(database, TERMS, id) for _ in range(6)))
    assert {each.number for each in same} == {7}


async def test_of_rivals_one_is_live_on_a_day(database: Database) -> None:
    for _ in range(4):
        number = (await drafted(database)).number
        await database.run(lambda tx, n=number: actions.simulate_version(tx, TERMS.code, n, PLAN))  # type: ignore[misc]
        await database.run(lambda tx, n=number: actions.approve_version(tx, TERMS.code, n, by="bo"))  # type: ignore[misc]
    answers = await asyncio.gather(
        *(
            database.run(
                lambda tx, n=number: actions.launch_version(  # type: ignore[misc]
                    tx, TERMS.code, n, live_from=TODAY, by="cy", today=TODAY
                )
            )
            for number in (1, 2, 3, 4)
        )
    )
    assert sum(isinstance(answer, Version) for answer in answers) == 1
    assert {answer.code for answer in answers if isinstance(answer, Refusal)} == {ProductsRefusal.DAY_TAKEN}


async def test_a_plan_comes_due_and_is_completed_once(database: Database) -> None:
    await launched(database)
    later = date(2026, 2, 1)
    await launched(database, replace(TERMS, name="Newer"), later)
    plan = Migration(uuid4(), TERMS.code, 1, 2, later, "ann")
    for _ in range(2):
        assert await database.run(lambda tx: actions.plan_migration(tx, plan, today=TODAY)) == plan
    second = await database.run(lambda tx: actions.plan_migration(tx, replace(plan, id=uuid4()), today=TODAY))
    assert isinstance(second, Refusal)
    async with database.reading() as tx:
        assert await migrations_due(tx, later - timedelta(days=1)) == []
        assert await migrations_due(tx, date(2026, 3, 1)) == [plan]
    done = [await database.run(lambda tx: actions.complete_migration(tx, plan.id)) for _ in range(2)]
    assert done[0] == done[1]
    async with database.reading() as tx:
        assert await migrations_due(tx, date(2026, 3, 1)) == []
        assert await migrations(tx, TERMS.code) == [done[0]]


@pytest.mark.parametrize(("code", "number"), [("nothing", 1), ("a\0", 1), ("\ud800", 1), (TERMS.code, 2**70)])
async def test_what_there_is_not(database: Database, code: str, number: int) -> None:
    answers = [
        await database.run(lambda tx: actions.simulate_version(tx, code, number, PLAN)),
        await database.run(lambda tx: actions.approve_version(tx, code, number, by="bo")),
        await database.run(lambda tx: actions.launch_version(tx, code, number, live_from=TODAY, by="bo", today=TODAY)),
        await database.run(lambda tx: actions.withdraw_version(tx, code, number, on=TODAY, by="bo", today=TODAY)),
    ]
    assert [isinstance(each, Refusal) and each.code for each in answers] == [ProductsRefusal.VERSION_NOT_FOUND] * 4
    missing = await database.run(lambda tx: actions.complete_migration(tx, uuid4()))
    assert isinstance(missing, Refusal)
    assert missing.code is ProductsRefusal.MIGRATION_NOT_FOUND
    async with database.reading() as tx:
        assert await versions(tx, code) == []


async def test_a_simulation_that_does_not_fit_leaves_a_draft(database: Database) -> None:
    await drafted(database)
    answer = await database.run(lambda tx: actions.simulate_version(tx, TERMS.code, 1, replace(PLAN, deposit_minor=1)))
    assert isinstance(answer, Refusal)
    assert answer.code is ProductsRefusal.AMOUNT_BELOW_MINIMUM
    async with database.reading() as tx:
        found = await version(tx, TERMS.code, 1)
    assert found is not None
    assert found.status is VersionStatus.DRAFT
