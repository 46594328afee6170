"""The ledger's blocks are read by the day they hold, and those valued later once more; never all of them again."""

from __future__ import annotations

from datetime import timedelta

from .. import actions
from ..conftest import DEMAND, START, World
from . import store


async def test_a_bank_that_never_rests_reads_only_the_last_days_blocks_again(world: World) -> None:
    await world.start({**DEMAND, "settlement": {"months": [12], "day": 21}})
    account = (await world.open(amount_minor=100_000)).deposit.account
    days = [START + timedelta(days=number) for number in range(5)]
    for day in days:
        # Each day is ended when the next has business already.
        world.day = day + timedelta(days=1)
        await world.move(account, 10)
        await actions.accrue_moved(world.database, day, clock=world.clock)
    async with world.database.reading() as tx:
        fixed = [each for day in days if (each := await store.blocks_of_day(tx, day)) is not None]
    afters, throughs = ([sum(blocks.values()) for blocks in column] for column in zip(*fixed, strict=True))
    assert throughs == [throughs[0] + number for number in range(len(days))]
    assert afters == [0, 0, *throughs[:-2]]
