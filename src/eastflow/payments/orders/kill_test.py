"""The run of a day's orders, killed for real: whatever it was at, run again it pays each time that is due once."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from eastflow.ledger import verify
from eastflow.payments import (
    Endpoint,
    Frequency,
    OccurrenceOutcome,
    OrderStatus,
    Run,
    StandingOrder,
    occurrences,
    outgoing_page,
    payments_page,
    standing_order,
)
from eastflow.payments.actions import run_standing_orders, set_up_orders
from eastflow.storage import Database, Keys, Transaction

from ..conftest import ANN, AT, POOR, SHOP, TODAY, Bank
from ..transfers.actions import CLEARING

DAYS = [TODAY + timedelta(days=7 * number) for number in range(3)]
BATCH_ORDERS = 5
AMOUNT_MINOR = 100
KILLS = 10
CALLS_MAX = 60
"""About how often a run that is not killed asks the database: it is killed before, within and after its work."""


def orders() -> list[StandingOrder]:
    """Weekly, three times. Every fourth has no funds, every third of the others pays another bank."""
    draw, made = random.Random(1), []
    for number in range(24):
        payee = Endpoint("Jan", "87144583", "YZ") if number % 3 == 0 else Endpoint("", str(SHOP))
        debtor = POOR if number % 4 == 0 else ANN
        id = UUID(int=draw.getrandbits(128))
        made.append(StandingOrder(id, debtor, payee, AMOUNT_MINOR, "CZK", TODAY, Frequency.WEEKLY, DAYS[-1]))
    return made


async def run_killed(database_url: str, key_file: Path, calls: int) -> bool:
    """Whether a process of its own that runs the orders was killed at this call to the database, or came to an end."""
    command = [sys.executable, "-m", "eastflow.payments.orders.kill_test", database_url, str(key_file), str(calls)]
    process = await asyncio.create_subprocess_exec(*command)
    code = await asyncio.wait_for(process.wait(), 60)
    assert code in (0, -signal.SIGKILL)
    return code != 0


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_run_killed_anywhere_pays_each_time_that_is_due_once(
    bank: Bank, database_url: str, key_file: Path, seed: int
) -> None:
    told = orders()
    await bank.call(set_up_orders, told, today=TODAY, by="a test")
    draw, killed = random.Random(seed), 0
    for _ in range(KILLS):
        killed += await run_killed(database_url, key_file, draw.randint(1, CALLS_MAX))
    assert killed > KILLS // 2, "most runs are cut short"
    await run_standing_orders(bank.database, DAYS[-1], clock=bank.clock)
    rich = [each for each in told if each.debtor == ANN]
    async with bank.database.reading() as tx:
        for each in told:
            done = await occurrences(tx, each.id)
            assert [time.due_on for time in done] == DAYS
            assert {time.outcome for time in done} == {_outcome(each)}
            after = await standing_order(tx, each.id)
            assert after is not None
            assert after.status is OrderStatus.ENDED
        paid = await payments_page(tx, account=ANN, limit=1_000)
        waiting = await outgoing_page(tx, on=DAYS[-1] + timedelta(days=9), limit=1_000)
        assert (await verify(tx)).proved
    assert len(paid) == len(rich) * len(DAYS)
    abroad = [each for each in paid if each.creditor.bank is not None]
    assert {each.payment.id for each in waiting} == {each.id for each in abroad}
    assert len(waiting) == len(abroad)
    here_minor, away_minor = AMOUNT_MINOR * (len(paid) - len(abroad)), AMOUNT_MINOR * len(abroad)
    expected = [1_000_000 - here_minor - away_minor, 200_000 + here_minor, 0, -away_minor]
    assert await bank.balances(ANN, SHOP, POOR, CLEARING) == expected
    assert await run_standing_orders(bank.database, DAYS[-1], clock=bank.clock) == Run()


def _outcome(order: StandingOrder) -> OccurrenceOutcome:
    return OccurrenceOutcome.PAID if order.debtor == ANN else OccurrenceOutcome.SKIPPED


async def _run_until_killed(url: str, key_file: str, calls: int) -> None:
    asked = 0
    guarded = Transaction._guarded

    async def counted(tx: Transaction, call: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked == calls:
            os.kill(os.getpid(), signal.SIGKILL)
        return await guarded(tx, call)

    Transaction._guarded = counted  # type: ignore[method-assign, assignment]
    database = await Database.open(url, keys=Keys.open(Path(key_file)))
    await run_standing_orders(database, DAYS[-1], batch=BATCH_ORDERS, clock=lambda: AT)
    await database.close()


if __name__ == "__main__":
    asyncio.run(_run_until_killed(sys.argv[1], sys.argv[2], int(sys.argv[3])))
