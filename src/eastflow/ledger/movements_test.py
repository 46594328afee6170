"""What moved, in columns and by value date, is what the postings say one by one."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4

import pytest

from eastflow.kernel import Asset
from eastflow.storage import Database

from . import (
    Account,
    Entry,
    Posting,
    Side,
    chain_numbers,
    changes_booked_after,
    changes_valued_since,
    last_sequence_valued_by,
    moved_between,
    standings_of,
)
from .actions import Engine, define_asset, open_accounts
from .store.reads import postings

START = date(2026, 1, 5)
ACCOUNTS = (1, 2, 3)


@pytest.fixture
async def heads(database: Database) -> list[dict[int, int]]:
    """Six days of bookings, many of them backdated; the chains' numbers after each."""
    chance, day = random.Random(7), START
    await database.run(lambda tx: define_asset(tx, Asset("CZK", 2)))
    sides = {1: Side.DEBIT, 2: Side.CREDIT, 3: Side.CREDIT}
    opened = [Account(n, "CZK", side, "x", START, floor_minor=None) for n, side in sides.items()]
    await database.run(lambda tx: open_accounts(tx, opened))
    found = []
    clock = lambda: datetime.combine(day, time(9), UTC)  # noqa: E731 - it reads the day as it goes on
    async with Engine(database, clock=clock, today=lambda: day) as engine:
        for _ in range(6):
            for _ in range(3):
                await engine.post_batch([_entry(chance, day) for _ in range(4)])
            async with database.reading() as tx:
                found.append(await chain_numbers(tx))
            day += timedelta(days=1)
    return found


def _entry(chance: random.Random, day: date) -> Entry:
    payer, payee = chance.sample(ACCOUNTS, 2)
    amount = chance.randint(1, 100)
    valued = max(START, day - timedelta(days=chance.choice((0, 0, 1, 3))))
    legs = (Posting(payer, "CZK", -amount), Posting(payee, "CZK", amount))
    return Entry(uuid4(), chance.choice(("transfer", "interest")), valued, legs)


async def test_legs_of_a_range_of_blocks(database: Database, heads: list[dict[int, int]]) -> None:
    async with database.reading() as tx:
        every = [each for n in ACCOUNTS for each in await postings(tx, n, after=0, through=1_000, limit=1_000)]
        kinds = {row["id"]: row["kind"] for row in await tx.rows("SELECT id, kind FROM ledger_entry")}
        some = await moved_between(tx, heads[1], heads[3], without_kind="interest")
        rest = await moved_between(tx, heads[5])
        whole = await moved_between(tx, {})
    days = [START + timedelta(days=2), START + timedelta(days=3)]
    expected = [p for p in every if p.booked_at.date() in days and kinds[p.entry] != "interest"]
    for legs, wanted in ((some, expected), (whole, every)):
        assert legs.accounts.tolist() == [p.account for p in wanted]
        assert legs.sequences.tolist() == [p.sequence for p in wanted]
        assert legs.value_ordinals.tolist() == [p.value_date.toordinal() for p in wanted]
        assert legs.amounts_minor.tolist() == [p.amount_minor for p in wanted]
    assert len(rest) == 0


@pytest.mark.usefixtures("heads")
async def test_changes_by_value_date(database: Database) -> None:
    async with database.reading() as tx:
        for account in ACCOUNTS:
            every = await postings(tx, account, after=0, through=1_000, limit=1_000)
            sign = -1 if account == 1 else 1
            for last in (0, len(every) // 2, len(every)):
                for since in (START, START + timedelta(days=2), START + timedelta(days=9)):
                    before, by_day = 0, defaultdict[date, int](int)
                    for p in every[:last]:
                        if p.value_date < since:
                            before += sign * p.amount_minor
                        else:
                            by_day[p.value_date] += sign * p.amount_minor
                    told = await changes_valued_since(tx, account, since, sequence=last)
                    assert told == (before, sorted(by_day.items()))
            late = defaultdict[date, int](int)
            for p in every[3:]:
                late[p.value_date] += sign * p.amount_minor
            assert await changes_booked_after(tx, account, 3, len(every)) == sorted(late.items())
            for day in (START - timedelta(days=1), START + timedelta(days=2), START + timedelta(days=9)):
                first = next((p.sequence for p in every if p.value_date > day), len(every) + 1)
                assert await last_sequence_valued_by(tx, account, day) == first - 1
        numbers, posted, sequences = await standings_of(tx, [3, 77, 2])
        assert numbers == [2, 3]
        assert (len(posted), len(sequences)) == (2, 2)
        assert await changes_valued_since(tx, 77, START) == (0, [])
        assert (await standings_of(tx, [77])) == ([], [], [])
