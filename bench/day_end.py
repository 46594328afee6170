"""How long the end of a business day takes, step by step, with so many demand accounts and so many entries that day."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from eastflow.customers import Channel, Party, PartyKind
from eastflow.customers.actions import register_party
from eastflow.deposits import Executed, Opening
from eastflow.deposits.actions import open_deposit
from eastflow.kernel import Asset, Refusal
from eastflow.ledger import Done, Entry, Posting, Side, trial_balance_at, verify
from eastflow.ledger.actions import Engine, define_asset, internal_account, new_id
from eastflow.operations import (
    STEPS,
    DayEnd,
    PartState,
    StepProgress,
    business_date,
    close_day,
    day_to_close,
    set_business_date,
)
from eastflow.products import Plan, Terms, terms_from
from eastflow.products.actions import approve_version, draft_version, launch_version, simulate_version
from eastflow.storage import Database, Keys, migrate

from . import harness
from .accounts import open_accounts, settle
from .harness import Bank, Report, percentile, progress, rounded, sized
from .rounds import post_all
from .workloads import ASSET, Uniform, build_batches

SUMMARY = "The end of a business day with many demand accounts, postings going on beside it."
PRODUCT = "bench-demand"
FIRST_ACCOUNT = 1_000
FUNDING_LEGS = 99
FUNDING_MINOR = 10**9
BATCH_ENTRIES = 5_000
BESIDE_PAUSE_SECONDS = 0.02


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--accounts", type=int, help="demand contracts")
    parser.add_argument("--entries", type=int, help="booked on the day that is ended")
    parser.add_argument(
        "--days-back", type=int, default=1, help="since when the books are: each day of a named data directory is a run"
    )
    parser.add_argument("--settling", action="store_true", help="interest settles on that day")
    parser.add_argument("--workers", type=int, default=4, help="partitions at once")
    parser.add_argument("--verify", action="store_true", help="prove the books at the end")


async def measure(bank: Bank, arguments: argparse.Namespace) -> Report:
    accounts = sized(arguments, "accounts", full=100_000, quick=500)
    entries = sized(arguments, "entries", full=100_000, quick=1_000)
    database = await Database.open(bank.url, keys=Keys.open(bank.data_dir / "bench.keys"))
    try:
        await migrate(database)
        day = await _open_day(database)
        if day is None:
            first = datetime.now(UTC).date() - timedelta(days=arguments.days_back)
            day = first + timedelta(days=1)
            await _prepare(database, bank.url, first, accounts, settles_on=_settles_on(day, arguments))
            progress(f"{accounts:,} contracts are there; ending the day before")
            await _close(database, first, arguments.workers)
        workload = Uniform(accounts, first=FIRST_ACCOUNT)
        batches = build_batches(workload, -(-entries // BATCH_ENTRIES), BATCH_ENTRIES, day)
        batches[-1] = batches[-1][: entries - BATCH_ENTRIES * (len(batches) - 1)]
        posted = await post_all(database, batches, lanes=2, clients=3)
        await settle(bank.url)
        progress(f"{entries:,} entries are booked; ending the day")
        latencies_ms: list[float] = []
        async with _postings_beside(database, latencies_ms):
            started = time.monotonic()
            ended = await _close(database, day, arguments.workers)
            seconds = time.monotonic() - started
        async with database.reading() as tx:
            balanced = (await trial_balance_at(tx, None)).balanced
            proved = (await verify(tx)).proved if arguments.verify or arguments.quick else None
    finally:
        await database.close()
    refused = sum(step.counts.get("refused", 0) for step in ended.steps)
    held = {
        "day_is_closed": ended.state is PartState.DONE,
        "trial_balance_is_zero": balanced,
        "none_refused": not refused,
    }
    held |= {"nothing_was_refused_before": not posted.refused} | (
        {} if proved is None else {"books_are_proved": proved}
    )
    conditions = {
        "accounts": accounts, "entries": entries, "settling": arguments.settling, "workers": arguments.workers,
        "seconds": rounded(seconds), "skew": "uniform on both sides",
        "clock": "from the first step to the last one's end, one process; p50 and p99 are of single entries posted "
        "beside it, one after the other",
    }  # fmt: skip
    return Report(
        seconds,
        "seconds",
        held,
        p50_ms=percentile(latencies_ms, 50),
        p99_ms=percentile(latencies_ms, 99),
        conditions=conditions,
        more={"steps": {step.name: _told(step) for step in ended.steps}},
    )


async def _open_day(database: Database) -> date | None:
    """The day to be ended, where the books are those of an earlier run."""
    async with database.reading() as tx:
        return await day_to_close(tx)


def _settles_on(day: date, arguments: argparse.Namespace) -> int:
    """The day of the month on which interest settles: this one, or one that is neither this nor the day before."""
    return day.day if arguments.settling else (day + timedelta(days=5)).day


def _told(step: StepProgress) -> dict[str, Any]:
    assert step.started_at is not None
    assert step.ended_at is not None
    return {"seconds": rounded((step.ended_at - step.started_at).total_seconds()), **step.counts}


async def _close(database: Database, day: date, workers: int) -> DayEnd:
    async with business_date(database) as today, Engine(database, today=today) as engine:
        ended = await close_day(engine, day, STEPS, workers=workers)
    assert isinstance(ended, DayEnd), ended
    assert ended.state is PartState.DONE, ended
    return ended


@asynccontextmanager
async def _postings_beside(database: Database, latencies_ms: list[float]) -> AsyncIterator[None]:
    """Customers go on paying each other, one entry at a time."""

    async def pay(engine: Engine) -> None:
        while True:
            legs = (Posting(FIRST_ACCOUNT, ASSET, -1), Posting(FIRST_ACCOUNT + 1, ASSET, 1))
            sent = time.monotonic()
            outcome = await engine.post(Entry(new_id(), "transfer", engine.today(), legs))
            latencies_ms.append((time.monotonic() - sent) * 1_000)
            assert isinstance(outcome, Done), outcome
            await asyncio.sleep(BESIDE_PAUSE_SECONDS)

    async with business_date(database) as today, Engine(database, today=today) as engine:
        paying = asyncio.create_task(pay(engine))
        yield
        paying.cancel()
        with suppress(asyncio.CancelledError):
            await paying


async def _prepare(database: Database, url: str, day: date, accounts: int, *, settles_on: int) -> None:
    """A product, one contract opened as they are, and the others after its likeness, all of them funded on this day."""
    begun = await database.run(lambda tx: set_business_date(tx, day))
    assert not isinstance(begun, Refusal), "the books are not empty: use another data directory"
    await database.run(lambda tx: define_asset(tx, Asset(ASSET, 2)))
    await _launch(database, day, settles_on)
    party = Party(uuid4(), PartyKind.PERSON, "Li Na", day, date(1990, 5, 1))
    await database.run(lambda tx: register_party(tx, party))
    opening = Opening(uuid4(), PRODUCT, party.id)
    opened = await database.run(lambda tx: open_deposit(tx, opening, today=day, channel=Channel.BRANCH, by="bench"))
    assert isinstance(opened, Executed), opened
    await open_accounts(url, accounts, first=FIRST_ACCOUNT, floor_minor=0, chart="liabilities:deposits:demand")
    await _copy_contracts(database, opened.deposit.account, accounts)
    await _fund(database, day, accounts)


async def _launch(database: Database, day: date, settles_on: int) -> None:
    told = {
        "code": PRODUCT, "name": "Demand", "kind": "demand", "currency": ASSET, "day_count": "ACT/360",
        "settlement": {"months": list(range(1, 13)), "day": settles_on},
        "rates": {"changes": [{"since": "2020-01-01", "tiers": [{"percent": "1.50"}]}]},
    }  # fmt: skip
    terms = terms_from(told)
    assert isinstance(terms, Terms), terms
    drafted = await database.run(lambda tx: draft_version(tx, uuid4(), terms, by="maker"))
    assert not isinstance(drafted, Refusal), drafted
    number = drafted.number
    await database.run(lambda tx: simulate_version(tx, PRODUCT, number, Plan(day, 1, FUNDING_MINOR)))
    await database.run(lambda tx: approve_version(tx, PRODUCT, number, by="checker"))
    live = await database.run(lambda tx: launch_version(tx, PRODUCT, number, live_from=day, by="checker", today=day))
    assert not isinstance(live, Refusal), live


async def _copy_contracts(database: Database, template: int, accounts: int) -> None:
    """By the tables themselves: opening millions one by one is another measurement."""
    contract = (
        "party_id, product, version, asset, kind, status, opened_on, terms_since, nominated_account_id, due_on, state"
    )
    accrual = "terms_number, status, settled_on, open_day, through, moved_on, sequence, balance, numerator"
    numbers = "generate_series($2::bigint, $3::bigint)"
    last = FIRST_ACCOUNT + accounts - 1
    for statement in (
        f"INSERT INTO deposits_contract (account_id, id, {contract}) SELECT n, gen_random_uuid(), {contract} "
        f"FROM deposits_contract, {numbers} n WHERE account_id = $1",
        f"INSERT INTO deposits_accrual (account_id, {accrual}) SELECT n, {accrual} "
        f"FROM deposits_accrual, {numbers} n WHERE account_id = $1",
    ):
        await database.run(lambda tx, text=statement: tx.execute(text, template, FIRST_ACCOUNT, last))  # type: ignore[misc]


async def _fund(database: Database, day: date, accounts: int) -> None:
    cash = await database.run(lambda tx: internal_account(tx, "assets:cash", ASSET, Side.DEBIT, today=lambda: day))
    assert isinstance(cash, int), cash
    entries = []
    for start in range(FIRST_ACCOUNT, FIRST_ACCOUNT + accounts, FUNDING_LEGS):
        numbers = range(start, min(start + FUNDING_LEGS, FIRST_ACCOUNT + accounts))
        legs = [Posting(number, ASSET, FUNDING_MINOR) for number in numbers]
        entries.append(Entry(new_id(), "opening", day, (*legs, Posting(cash, ASSET, -FUNDING_MINOR * len(numbers)))))
    async with Engine(database, today=lambda: day) as engine:
        for start in range(0, len(entries), 100):
            outcomes = await engine.post_batch(entries[start : start + 100])
            assert all(isinstance(outcome, Done) for outcome in outcomes), "an opening entry was refused"


if __name__ == "__main__":
    harness.main("day-end", SUMMARY, measure, options)
