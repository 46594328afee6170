"""A day's end is done once: by rival runners, by runners killed in every step, beside postings, after failures."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import NAMESPACE_OID, UUID, uuid4, uuid5

from eastflow.kernel import Asset, Refusal
from eastflow.ledger import (
    Account,
    Entry,
    EntryFilter,
    Posting,
    Side,
    TrialBalance,
    balances,
    search,
    trial_balance_at,
    trial_balance_of,
    verify,
)
from eastflow.ledger.actions import Engine, define_asset, open_accounts
from eastflow.storage import Database, Transaction

from ..business_day.actions import begin_business_day, set_business_date
from ..business_day.calendar import business_date
from ..business_day.model import DayState
from ..business_day.store import closing_day, open_day
from ..refusals import OperationsRefusal
from . import store
from .model import Counts, DayEnd, PartState
from .runner import begin_day_end, close_day, day_end, day_to_close
from .step import Step, StepFailed
from .steps import STEPS, done

DAY, NEXT = date(2026, 3, 2), date(2026, 3, 3)
ACCOUNTS = range(1, 33)
BANK = 9_000
LEASE_MILLISECONDS = 400
PARTITIONS = 4
Kill = Callable[[str, int, str], None]
PAID_MINOR = {"standing_orders": 5, "direct_debits": 7, "maturities": 11, "accrual": 13, "fees": 17, "settlement": 19}


def entry(name: str, account: int, amount_minor: int, day: date = DAY) -> Entry:
    """The same name and account make the same entry."""
    legs = (Posting(BANK, "CZK", -amount_minor), Posting(account, "CZK", amount_minor))
    return Entry(uuid5(NAMESPACE_OID, f"{day} {name} {account}"), "day_end", day, legs)


def paying(name: str, kill: Kill = lambda *_: None) -> Step:
    """A step that pays every account of its partition, in two batches."""

    async def work(_: Database, engine: Engine, day: date, partition: int, partitions: int) -> dict[str, int]:
        mine = [account for account in ACCOUNTS if account % partitions == partition]
        for half in (mine[::2], mine[1::2]):
            kill(name, partition, "before")
            for outcome in await engine.post_batch([entry(name, a, PAID_MINOR[name], day) for a in half]):
                done(outcome)
        kill(name, partition, "after")
        return {"paid": len(mine)}

    return Step(name, work, PARTITIONS)


def killing(step: Step, kill: Kill) -> Step:
    """The same step, asking before and after each part whether the process is to die."""

    async def work(database: Database, engine: Engine, day: date, partition: int, partitions: int) -> Counts:
        kill(step.name, partition, "before")
        counts = await step.work(database, engine, day, partition, partitions)
        kill(step.name, partition, "after")
        return counts

    return replace(step, work=work)


def steps(kill: Kill = lambda *_: None) -> tuple[Step, ...]:
    """The bank's own first and last steps, and between them some that pay."""
    own = {step.name: killing(step, kill) for step in STEPS}
    return own["cut_off"], *(paying(name, kill) for name in PAID_MINOR), own["trial_balance"], own["roll"]


async def make_bank(database: Database) -> None:
    async def work(tx: Transaction) -> None:
        await define_asset(tx, Asset("CZK", 2))
        bank = Account(BANK, "CZK", Side.DEBIT, "expenses:interest", DAY, None)
        await open_accounts(
            tx, [bank, *(Account(n, "CZK", Side.CREDIT, "liabilities:deposits", DAY) for n in ACCOUNTS)]
        )
        await set_business_date(tx, DAY)

    await database.run(work)


async def books(database: Database) -> dict[int, int]:
    async with database.reading() as tx:
        found = await balances(tx, [BANK, *ACCOUNTS])
        assert (await verify(tx)).proved
        assert (await trial_balance_at(tx, None)).balanced
    return {account: balance.posted_minor for account, balance in found.items()}


async def close(database: Database, plan: tuple[Step, ...], day: date = DAY) -> DayEnd | Refusal:
    async with business_date(database) as today, Engine(database, today=today) as engine:
        return await close_day(engine, day, plan, lease_milliseconds=LEASE_MILLISECONDS)


EXPECTED = {BANK: len(ACCOUNTS) * sum(PAID_MINOR.values())} | dict.fromkeys(ACCOUNTS, sum(PAID_MINOR.values()))


async def test_two_runners_at_once_do_it_once(database: Database) -> None:
    await make_bank(database)
    calls: list[tuple[str, int, str]] = []
    plan = steps(lambda *call: calls.append(call))
    ended = await asyncio.gather(close(database, plan), close(database, plan))
    assert all(isinstance(each, DayEnd) and each.state is PartState.DONE for each in ended)
    assert len([call for call in calls if call[2] == "after"]) == 3 + len(PAID_MINOR) * PARTITIONS
    assert await books(database) == EXPECTED
    assert await close(database, plan) == ended[0], "a closed day answers as before"
    async with database.reading() as tx:
        closed, opened = await state_of_day(tx), await open_day(tx)
        assert opened is not None
        assert (closed, opened.date, await closing_day(tx)) == (DayState.CLOSED, NEXT, None)
        assert await day_end(tx, DAY) == ended[0]
        assert await day_end(tx, NEXT) is None
        assert await day_to_close(tx) == NEXT
    assert isinstance(ended[0], DayEnd)
    paid = [step for step in ended[0].steps if step.name in PAID_MINOR]
    assert {(step.parts, step.counts["paid"]) for step in paid} == {(PARTITIONS, len(ACCOUNTS))}


async def state_of_day(tx: Transaction) -> DayState | None:
    row = await tx.row("SELECT state FROM operations_business_day WHERE date = $1", DAY)
    return row and DayState(row["state"])


async def run_killed(database_url: str, point: str, day: date = DAY) -> int:
    """A process of its own that ends the day until it kills itself at this point. Other days have the bank's steps."""
    command = [sys.executable, "-m", "eastflow.operations.day_end.runner_test", database_url, point, day.isoformat()]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    return await asyncio.wait_for(process.wait(), 60)


async def test_a_runner_killed_in_every_step_leaves_the_books_of_an_undisturbed_day(
    database: Database, database_url: str
) -> None:
    await make_bank(database)
    points = [f"{step.name} {'after' if place % 2 else 'before'}" for place, step in enumerate(steps())]
    posted = 0
    stop = asyncio.Event()

    async def customers() -> None:
        """Postings go on all the while, on whatever the bank's date is."""
        nonlocal posted
        async with business_date(database) as today, Engine(database, today=today) as engine:
            while not stop.is_set():
                account = ACCOUNTS[posted % len(ACCOUNTS)]
                done(await engine.post(entry(f"customer {posted}", account, 1, today())))
                posted += 1
                await asyncio.sleep(0.01)

    busy = asyncio.create_task(customers())
    for point in points:
        assert await run_killed(database_url, point) == -signal.SIGKILL, point
    ended = await close(database, steps())
    stop.set()
    await busy
    assert isinstance(ended, DayEnd)
    assert ended.state is PartState.DONE
    assert posted > len(points)
    expected = dict(EXPECTED)
    expected[BANK] += posted
    for number in range(posted):
        expected[ACCOUNTS[number % len(ACCOUNTS)]] += 1
    assert await books(database) == expected
    assert {step.counts.get("paid") for step in ended.steps} == {None, len(ACCOUNTS)}
    async with database.reading() as tx:
        kept = await trial_balance_of(tx, DAY)
        assert isinstance(kept, TrialBalance)
        assert kept.balanced
        stood = {position.chart: position.signed_minor for position in kept.positions}
        assert 0 <= stood["liabilities"] - len(ACCOUNTS) * sum(PAID_MINOR.values()) <= posted
        assert (await search(tx, EntryFilter(valued_from=NEXT), limit=1)).entries, "what came later is of the next day"


async def test_a_failing_step_stops_the_day_and_is_tried_again(database: Database) -> None:
    await make_bank(database)
    broken = [StepFailed("no rate is agreed"), KeyError("nothing\0here")]

    async def work(*_: object) -> dict[str, int]:
        if broken:
            raise broken.pop(0)
        return {"paid": 1}

    plan = (STEPS[0], Step("fees", work, 1), *steps()[-2:])
    for reason in ("no rate is agreed", "KeyError: 'nothing\\x00here'"):
        stopped = await close(database, plan)
        assert isinstance(stopped, DayEnd)
        assert stopped.state is PartState.FAILED
        assert [step.state for step in stopped.steps[1:]] == [PartState.FAILED, PartState.WAITING, PartState.WAITING]
        assert stopped.steps[1].reason == reason
        async with database.reading() as tx:
            assert await day_to_close(tx) == DAY
    ended = await close(database, plan)
    assert isinstance(ended, DayEnd)
    assert ended.state is PartState.DONE


async def test_a_runner_whose_lease_ran_out_fails_no_part_of_anothers(database: Database) -> None:
    late, next_one, at = uuid4(), uuid4(), datetime(2026, 3, 3, tzinfo=UTC)
    second = timedelta(seconds=1)

    async def finished(runner: UUID, reason: str | None) -> list[tuple[PartState, str | None]]:
        counts = {"days": 1} if reason is None else None
        await database.run(
            lambda tx: store.finish(tx, DAY, "roll", 0, counts=counts, reason=reason, runner=runner, at=at)
        )
        async with database.reading() as tx:
            return [(each.state, each.reason) for each in await store.parts(tx, DAY) if each.step == "roll"]

    await database.run(lambda tx: store.plan(tx, DAY, STEPS))
    assert await database.run(lambda tx: store.claim(tx, DAY, "roll", late, at, at + second)) == 0
    taken_over = at + 2 * second
    assert await database.run(lambda tx: store.claim(tx, DAY, "roll", next_one, taken_over, at + 9 * second)) == 0
    assert await finished(late, "its connection was lost") == [(PartState.RUNNING, None)]
    assert await finished(next_one, None) == [(PartState.DONE, None)]


async def test_books_that_do_not_balance_stop_the_day(database: Database) -> None:
    await make_bank(database)
    async with Engine(database, today=lambda: DAY) as engine:
        done(await engine.post(entry("one", 1, 100)))
    await database.run(lambda tx: tx.execute("UPDATE ledger_balance SET posted = posted + 1 WHERE account_id = 1"))
    stopped = await close(database, STEPS)
    assert isinstance(stopped, DayEnd)
    by_name = {step.name: step for step in stopped.steps}
    assert by_name["trial_balance"].reason == "the books do not balance: {'CZK': 1}"
    assert by_name["roll"].state is PartState.WAITING
    await database.run(lambda tx: tx.execute("UPDATE ledger_balance SET posted = posted - 1 WHERE account_id = 1"))
    mended = await close(database, STEPS)
    assert isinstance(mended, DayEnd)
    assert mended.state is PartState.DONE


async def test_a_balance_that_is_not_its_last_posting_s_stops_the_next_day(database: Database) -> None:
    await make_bank(database)
    assert isinstance(await close(database, STEPS), DayEnd)
    async with Engine(database, today=lambda: NEXT) as engine:
        done(await engine.post(entry("one", 1, 100, NEXT)))
    forged = "UPDATE ledger_balance SET posted = posted + {} WHERE account_id IN (1, 2)"
    await database.run(lambda tx: tx.execute(forged.format(1)))
    stopped = await close(database, STEPS, NEXT)
    assert isinstance(stopped, DayEnd)
    by_name = {step.name: step for step in stopped.steps}
    assert by_name["trial_balance"].reason == "accounts do not stand where their last posting left them: [1]"
    await database.run(lambda tx: tx.execute(forged.format(-1)))
    mended = await close(database, STEPS, NEXT)
    assert isinstance(mended, DayEnd)
    assert mended.state is PartState.DONE


async def test_which_days_can_be_closed(database: Database) -> None:
    at = datetime(2026, 3, 2, 21, 30, tzinfo=UTC)
    await database.run(lambda tx: begin_business_day(tx, clock=lambda: at))

    async def begin(day: date) -> DayEnd | Refusal:
        return await database.run(lambda tx: begin_day_end(tx, day, STEPS, clock=lambda: at))

    async def code(day: date) -> object:
        answer = await begin(day)
        return answer.code if isinstance(answer, Refusal) else answer.state

    assert await code(NEXT) is OperationsRefusal.DAY_NOT_OPEN
    assert await code(DAY) is PartState.WAITING
    async with Engine(database, today=lambda: DAY, clock=lambda: at) as engine:
        done(await STEPS[0].work(database, engine, DAY, 0, 1))
        assert await code(NEXT) is OperationsRefusal.DAY_STILL_CLOSING
        assert await code(DAY) is PartState.WAITING
        await close_day(engine, DAY, STEPS, clock=lambda: at)
    assert await code(NEXT) is OperationsRefusal.DAY_AHEAD_OF_CLOCK
    assert await code(DAY) is PartState.DONE


async def _end_until_killed(url: str, point: str, day: date) -> None:
    def kill(step: str, partition: int, place: str) -> None:
        if f"{step} {place}" == point and partition in (0, 2):
            os.kill(os.getpid(), signal.SIGKILL)

    plan = steps(kill) if day == DAY else [killing(step, kill) for step in STEPS]
    database = await Database.open(url)
    async with business_date(database) as today, Engine(database, today=today) as engine:
        await close_day(engine, day, plan, lease_milliseconds=LEASE_MILLISECONDS)


if __name__ == "__main__":
    asyncio.run(_end_until_killed(sys.argv[1], sys.argv[2], date.fromisoformat(sys.argv[3])))
