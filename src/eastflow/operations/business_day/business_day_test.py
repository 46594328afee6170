"""The business date: begun once, moved by the cut-off alone, known to every process within a second."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from eastflow.kernel import Asset, Refusal
from eastflow.ledger import Account, Entry, LedgerRefusal, Posting, Side
from eastflow.ledger.actions import Engine, define_asset, new_id, open_accounts
from eastflow.storage import Database, Transaction

from ..refusals import OperationsRefusal
from . import store
from .actions import begin_business_day, cut_off_day, roll_day, set_business_date
from .calendar import CACHE_MILLISECONDS, business_date
from .model import BusinessDay, DayState

AT = datetime(2026, 3, 2, 21, 30, tzinfo=UTC)
DAY, NEXT = date(2026, 3, 2), date(2026, 3, 3)


def clock() -> datetime:
    return AT


async def begin(tx: Transaction) -> BusinessDay:
    return await begin_business_day(tx, clock=clock)


async def cut(database: Database, day: date) -> BusinessDay | Refusal:
    return await database.run(lambda tx: cut_off_day(tx, day, clock=clock))


async def test_a_bank_begins_on_the_clocks_date_once(database: Database) -> None:
    begun = await asyncio.gather(*(database.run(begin) for _ in range(8)))
    assert set(begun) == {BusinessDay(DAY, DayState.OPEN, AT)}


async def test_a_day_is_cut_off_and_rolled(database: Database) -> None:
    await database.run(begin)
    answers = await asyncio.gather(*(cut(database, DAY) for _ in range(4)))
    assert {answer.state for answer in answers if isinstance(answer, BusinessDay)} == {DayState.CLOSING}
    assert (await database.run(begin)).date == NEXT
    for _ in range(2):
        rolled = await database.run(lambda tx: roll_day(tx, DAY, clock=clock))
        assert rolled == BusinessDay(DAY, DayState.CLOSED, AT, AT)
    assert isinstance(await cut(database, DAY), BusinessDay), "what is closed stays closed"


async def test_what_is_refused_in_order(database: Database) -> None:
    await database.run(begin)

    async def refused(answer: BusinessDay | Refusal) -> OperationsRefusal:
        assert isinstance(answer, Refusal)
        assert isinstance(answer.code, OperationsRefusal)
        return answer.code

    assert await refused(await cut(database, NEXT)) is OperationsRefusal.DAY_NOT_OPEN
    unrolled = await database.run(lambda tx: roll_day(tx, DAY))
    assert await refused(unrolled) is OperationsRefusal.DAY_NOT_OPEN
    ahead = await database.run(lambda tx: set_business_date(tx, NEXT + timedelta(days=1), clock=clock))
    assert await refused(ahead) is OperationsRefusal.DAY_AHEAD_OF_CLOCK
    await cut(database, DAY)
    assert await refused(await cut(database, NEXT)) is OperationsRefusal.DAY_STILL_CLOSING
    await database.run(lambda tx: roll_day(tx, DAY, clock=clock))
    assert await refused(await cut(database, NEXT)) is OperationsRefusal.DAY_AHEAD_OF_CLOCK
    other = await database.run(lambda tx: set_business_date(tx, DAY, clock=clock))
    assert await refused(other) is OperationsRefusal.BOOKS_NOT_EMPTY


@pytest.mark.parametrize("day", [date(2025, 1, 1), DAY, NEXT])
async def test_an_empty_bank_may_begin_on_another_date(database: Database, day: date) -> None:
    for _ in range(2):
        begun = await database.run(lambda tx: set_business_date(tx, day, clock=clock))
        assert begun == BusinessDay(day, DayState.OPEN, AT)
    async with database.reading() as tx:
        assert await store.open_day(tx) == begun


async def test_every_engine_judges_value_dates_by_the_business_date(database: Database) -> None:
    async def accounts(tx: Transaction) -> None:
        await define_asset(tx, Asset("CZK", 2))
        await open_accounts(tx, [Account(n, "CZK", Side.CREDIT, "x", DAY, None) for n in (1, 2)])

    def entry(day: date) -> Entry:
        return Entry(new_id(), "transfer", day, (Posting(1, "CZK", -1), Posting(2, "CZK", 1)))

    await database.run(accounts)
    await database.run(lambda tx: set_business_date(tx, date(2026, 2, 27), clock=clock))
    async with business_date(database) as today, Engine(database, today=today) as engine:
        assert engine.today() == date(2026, 2, 27)
        refused = await engine.post(entry(date(2026, 2, 28)))
        assert isinstance(refused, Refusal)
        assert refused.code is LedgerRefusal.VALUE_DATE_IN_FUTURE
        await cut(database, date(2026, 2, 27))
        await asyncio.sleep(CACHE_MILLISECONDS / 1000)
        assert engine.today() == date(2026, 2, 28)
        assert not isinstance(await engine.post(entry(date(2026, 2, 28))), Refusal)
    moved = await database.run(lambda tx: set_business_date(tx, DAY, clock=clock))
    assert isinstance(moved, Refusal), "something is in the books"
