"""Closing the books of a day: what stood at each place of the chart the day before, and what was booked since."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import TypeVar

import numpy as np

from eastflow.storage import Database, Transaction

from .netting import Int64s
from .reports import ClosedBooks, Position, miscounted, moved, trial_balance
from .store import closed_books as store
from .store.events import chain_numbers
from .store.reads import positions

BLOCKS_PER_READ = 10
ACCOUNTS_PER_READ = 50_000
READS_AT_ONCE = 4
_Read = TypeVar("_Read")


async def close_books(database: Database, day: date) -> ClosedBooks:
    """Keep the trial balance of a day, as booked when this began, unless something is wrong in it; postings go on
    beside. A day that is closed answers with what was kept.

    What was booked since the day before is added to what was kept then, and each account in it must stand where its
    last posting left it: so the cost follows what moved. On the first of a month, and where no day before was kept,
    all balances are counted, and must come to the same.
    """
    async with database.reading() as tx:
        done = await store.kept(tx, day)
        if done is not None:
            return ClosedBooks(trial_balance(None, done.positions, day))
        before, numbers = await store.kept_before(tx, day), await chain_numbers(tx)
        # In the snapshot of the numbers: these balances are those of these blocks.
        counted = await positions(tx) if before is None or day.day == 1 else None
    if before is None:
        assert counted is not None, "where nothing was kept, all is counted"
        leaves, astray = moved((), counted), list[int]()
    else:
        moves, astray = await _moved_between(database, before.numbers, numbers)
        leaves = moved(before.positions, moves)
    differing = {} if counted is None else miscounted(counted, leaves)
    found = ClosedBooks(trial_balance(None, leaves, day), tuple(sorted(astray)), differing)
    if found.sound:
        await database.run(lambda tx: store.keep(tx, day, store.Kept(numbers, leaves)))
    return found


async def _moved_between(
    database: Database, after: Mapping[int, int], through: Mapping[int, int]
) -> tuple[list[Position], list[int]]:
    """What the blocks that follow the numbers `after`, up to the numbers `through`, moved in each leaf of the chart (of
    which some are told of several times); and accounts in them that stand elsewhere than their last posting says."""
    legs = await _at_once(
        database,
        [
            partial(store.legs, chain=chain, after=start, through=min(start + BLOCKS_PER_READ, through[chain]))
            for chain in through
            for start in range(after.get(chain, 0), through[chain], BLOCKS_PER_READ)
        ],
    )
    if not legs:
        return [], []
    accounts, amounts_minor = (np.concatenate(column) for column in zip(*legs, strict=True))
    numbers, whose = np.unique(accounts, return_inverse=True)
    pages = (numbers[start : start + ACCOUNTS_PER_READ].tolist() for start in range(0, len(numbers), ACCOUNTS_PER_READ))
    found = await _at_once(database, [partial(store.places_of, accounts=page) for page in pages])
    places = [place for page in found for place in page]
    return _summed(places, numbers, whose, amounts_minor), [each.astray for each in places if each.astray is not None]


async def _at_once(database: Database, reads: Sequence[Callable[[Transaction], Awaitable[_Read]]]) -> list[_Read]:
    """Of the writers' connections, whose planner goes by the index, however many accounts there are."""
    free = asyncio.Semaphore(READS_AT_ONCE)

    async def read(one: Callable[[Transaction], Awaitable[_Read]]) -> _Read:
        async with free:
            return await database.run(one)

    return await asyncio.gather(*(read(one) for one in reads))


def _summed(places: Sequence[store.Place], numbers: Int64s, whose: Int64s, amounts_minor: Int64s) -> list[Position]:
    """Exact beyond 64 bits: halves are summed apart. What is in no place is left out, and so does not balance."""
    place = np.full(len(numbers), len(places))
    for at, each in enumerate(places):
        place[np.searchsorted(numbers, each.accounts)] = at
    high, low = np.zeros(len(places) + 1, dtype=np.int64), np.zeros(len(places) + 1, dtype=np.int64)
    np.add.at(high, place[whose], amounts_minor >> 32)
    np.add.at(low, place[whose], amounts_minor & 0xFFFF_FFFF)
    return [
        Position(each.chart, each.asset, (int(high[at]) << 32) + int(low[at]), None) for at, each in enumerate(places)
    ]
