"""The steps of a day's end, in order: what the day still owes is booked, the books are checked, the day is closed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import date
from typing import Protocol

from eastflow.deposits import actions as deposits
from eastflow.kernel import Refusal
from eastflow.ledger.actions import Engine, close_books
from eastflow.payments import actions as payments
from eastflow.storage import Database, Transaction

from ..business_day.actions import cut_off_day, roll_day
from ..business_day.calendar import CACHE_MILLISECONDS
from ..business_day.model import BusinessDay
from .model import Counts
from .step import Step, StepFailed


class ContractsDone(Protocol):
    """What a step over contracts came to: how many were done, and which were refused."""

    @property
    def accounts(self) -> int: ...

    @property
    def refused(self) -> Sequence[tuple[int, Refusal]]: ...


_log = logging.getLogger(__name__)


async def cut_off(database: Database, engine: Engine, day: date, _partition: int, _partitions: int) -> Counts:
    """The bank's date becomes the following one, and payments to other banks settle later than this day; when this
    ends, every process knows."""

    async def work(tx: Transaction) -> BusinessDay | Refusal:
        moved = await cut_off_day(tx, day, clock=engine.clock)
        if isinstance(moved, BusinessDay):
            await payments.cut_off(tx, day, clock=engine.clock)
        return moved

    done(await database.run(work))
    await asyncio.sleep(CACHE_MILLISECONDS / 1000)
    return {"days": 1}


async def standing_orders(database: Database, engine: Engine, day: date, partition: int, partitions: int) -> Counts:
    run = await payments.run_standing_orders(
        database, day, partition=partition, partitions=partitions, clock=engine.clock
    )
    return {"paid": run.paid, "put_off": run.put_off, "refused": run.refused}


async def direct_debits(database: Database, engine: Engine, day: date, partition: int, partitions: int) -> Counts:
    run = await payments.run_direct_debits(
        database, day, partition=partition, partitions=partitions, clock=engine.clock
    )
    return {"paid": run.paid, "put_off": run.put_off, "refused": run.refused}


async def expired_orders(database: Database, engine: Engine, day: date, _partition: int, _partitions: int) -> Counts:
    """Orders of courts and authorities end on their day, and have what has come in for them."""
    return contracts(await deposits.expire_orders(database, day, clock=engine.clock))


async def maturities(database: Database, engine: Engine, day: date, partition: int, partitions: int) -> Counts:
    return contracts(await deposits.run_maturities(database, day, partition, partitions, clock=engine.clock))


async def accrual(database: Database, engine: Engine, day: date, partition: int, partitions: int) -> Counts:
    return contracts(await deposits.accrue_moved(database, day, partition, partitions, clock=engine.clock))


async def fees(database: Database, engine: Engine, day: date, partition: int, partitions: int) -> Counts:
    return contracts(await deposits.charge_fees(engine, day, partition, partitions))


async def settlement(_: Database, engine: Engine, day: date, partition: int, partitions: int) -> Counts:
    return contracts(await deposits.settle_interest(engine, day, partition, partitions))


async def migrations(database: Database, engine: Engine, day: date, partition: int, partitions: int) -> Counts:
    """Contracts go over to another version of their product, where its day has come."""
    return contracts(await deposits.migrate_contracts(engine, day, partition, partitions))


async def dormancy(database: Database, engine: Engine, day: date, partition: int, partitions: int) -> Counts:
    """On the first of a month, contracts in which nothing has moved for long are put to sleep."""
    if day.day != 1:
        return {}
    return contracts(await deposits.mark_dormant(database, day, partition, partitions, clock=engine.clock))


async def trial_balance(database: Database, _engine: Engine, day: date, _partition: int, _partitions: int) -> Counts:
    """Debits and credits cancel out in every asset, and the balances are those of what was booked, or the day is not
    closed."""
    found = await close_books(database, day)
    if not found.trial.balanced:
        raise StepFailed(f"the books do not balance: {dict(found.trial.differences_minor)}")
    if found.astray:
        raise StepFailed(f"accounts do not stand where their last posting left them: {list(found.astray)}")
    if found.miscounted_minor:
        raise StepFailed(f"the balances are not what was booked: {dict(found.miscounted_minor)}")
    return {"positions": len(found.trial.positions)}


async def roll(database: Database, engine: Engine, day: date, _partition: int, _partitions: int) -> Counts:
    done(await database.run(lambda tx: roll_day(tx, day, clock=engine.clock)))
    return {"days": 1}


def contracts(done: ContractsDone) -> Counts:
    """What is refused stays due and is tried again at the next day's end; why is in the log."""
    for account, refusal in done.refused:
        _log.warning("account %d: %s %s", account, refusal.code.value, dict(refusal.facts))
    return {"done": done.accounts, "refused": len(done.refused)}


def done(answer: object) -> None:
    """Errors: StepFailed, with the refusal's code."""
    if isinstance(answer, Refusal):
        raise StepFailed(f"{answer.code.value} {dict(answer.facts)}")


STEPS = (
    Step("cut_off", cut_off, partitions=1),
    Step("standing_orders", standing_orders),
    Step("direct_debits", direct_debits),
    Step("expired_orders", expired_orders, partitions=1),
    Step("maturities", maturities),
    # It reads all that moved on the day, whatever its part, and keeps its own place: one part reads it once.
    Step("accrual", accrual, partitions=1),
    Step("fees", fees),
    Step("settlement", settlement),
    Step("migrations", migrations),
    Step("dormancy", dormancy),
    Step("trial_balance", trial_balance, partitions=1),
    Step("roll", roll, partitions=1),
)
