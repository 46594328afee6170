"""How many demand contracts a second have their interest settled, and what counting a day's interest costs before."""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import time
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from typing import Any
from uuid import uuid4

import asyncpg
import msgspec
import numpy as np
import numpy.typing as npt

from eastflow.deposits import actions as deposits
from eastflow.kernel import Refusal
from eastflow.ledger import Done, Entry, Posting, Side, verify
from eastflow.ledger.actions import Engine, internal_account, new_id
from eastflow.products import Migration, Plan, RateChange, Terms, begin, state_of, terms_from
from eastflow.products.actions import (
    approve_version,
    draft_version,
    launch_version,
    plan_migration,
    simulate_version,
)
from eastflow.storage import Database, migrate

from . import floors, harness
from .accounts import CHUNK_ACCOUNTS, copy_rows, open_accounts, settle
from .harness import Bank, Report, percentile, progress, rounded, sized
from .workloads import ASSET, Uniform, build_entries

SUMMARY = "Interest settlement of many demand contracts, each credited by an entry of its own."
CODE = "bench-settlement"
OPENED_ON, MOVED_ON, SETTLED_ON = date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 21)
MIGRATED_ON = date(2026, 1, 22)
OPENING_MINOR = 1_000_000
FUNDING_LEGS = 99
BATCH_ENTRIES = 5_000
CHECKED = 1_000
COPIED_ENTRIES_MAX = 200_000
TERMS: dict[str, Any] = {
    "code": CODE, "name": "Demand", "kind": "demand", "currency": ASSET, "day_count": "ACT/360",
    "settlement": {"months": list(range(1, 13)), "day": SETTLED_ON.day},
    "rates": {"changes": [{"since": "2020-01-01", "tiers": [
        {"percent": "0.35"}, {"from_minor": 2_000_000, "percent": "0.45"},
    ]}]},
}  # fmt: skip
FEE: dict[str, Any] = {
    "name": "keeping", "event": "schedule", "amount_minor": 100,
    "schedule": {"months": list(range(1, 13)), "day": SETTLED_ON.day},
}  # fmt: skip
_EPOCH = date(2000, 1, 1)


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--accounts", type=int, help="demand contracts")
    parser.add_argument("--entries", type=int, help="booked on the day whose interest is counted")
    parser.add_argument("--parts", type=int, default=2, help="parts of the accounts, at work at once")
    parser.add_argument("--fee", action="store_true", help="a fee is due too: each contract is asked by itself")
    parser.add_argument("--migrate", action="store_true", help="put all under new terms on the next day")
    parser.add_argument("--verify", action="store_true", help="prove the books at the end")


async def measure(bank: Bank, arguments: argparse.Namespace) -> Report:
    accounts = sized(arguments, "accounts", full=100_000, quick=2_000)
    entries = sized(arguments, "entries", full=100_000, quick=1_000)
    parts: int = arguments.parts
    database = await Database.open(bank.url)
    try:
        await migrate(database)
        made = _terms(fee=arguments.fee)
        await _launch(database, made, 1)
        number = await _number(database)
        await _open(database, bank.url, accounts, made, number)
        await _fund(database, accounts)
        await settle(bank.url)
        first_seconds = await _timed("counting the day all were paid into", _accrue(database, OPENED_ON, 1))
        await _post_day(database, accounts, entries)
        await settle(bank.url)
        counted_seconds = await _timed("counting the day", _accrue(database, MOVED_ON, parts))
        await _accrue(database, SETTLED_ON, parts)
        await settle(bank.url)
        latencies_ms: list[float] = []
        settled_seconds = await _timed("settling", _settle(database, parts, latencies_ms))
        checks = await _checks(database, accounts)
        if arguments.fee:
            async with database.reading() as tx:
                charged = await tx.value("SELECT count(*) FROM ledger_entry WHERE kind = 'fee.keeping'")
            checks["all_charged"] = charged == accounts
        migrated_seconds = None
        if arguments.migrate:
            await _plan(database, made)
            migrated_seconds = await _timed("migrating", _migrate(database, parts))
            checks["all_migrated"] = await _all_migrated(database)
        if arguments.verify or arguments.quick:
            async with database.reading() as tx:
                checks["proved"] = (await verify(tx)).proved
    finally:
        await database.close()
    copied = await floors.bare_copy(bank.url, entries=min(accounts, COPIED_ENTRIES_MAX))
    return Report(
        value=accounts / settled_seconds,
        unit="accounts/s",
        checks=checks,
        p50_ms=percentile(latencies_ms, 50),
        p99_ms=percentile(latencies_ms, 99),
        conditions={
            "accounts": accounts, "entries_of_the_day": entries, "parts": parts, "lanes": 2,
            "skew": "uniform on both sides", "clock": "each batch, from its submission until it is durable",
            "fee_on_the_day": arguments.fee, "seconds": rounded(settled_seconds),
        },
        floors={"bare_copy": copied},
        more={
            "settlement_seconds": rounded(settled_seconds),
            "accrual_of_the_day_seconds": rounded(counted_seconds),
            "entries_counted_per_second": rounded(entries / counted_seconds),
            "accounts_first_counted_per_second": rounded(accounts / first_seconds),
            "accounts_migrated_per_second": migrated_seconds and rounded(accounts / migrated_seconds),
        },
    )  # fmt: skip


def _terms(*, fee: bool) -> Terms:
    made = terms_from({**TERMS, "fees": [FEE] if fee else []})
    assert not isinstance(made, Refusal), made
    return made


async def _launch(database: Database, made: Terms, number: int) -> None:
    """That version of the product, live."""
    plan = Plan(OPENED_ON, 1, OPENING_MINOR)
    await database.run(lambda tx: draft_version(tx, uuid4(), made, by="maker"))
    await database.run(lambda tx: simulate_version(tx, CODE, number, plan))
    await database.run(lambda tx: approve_version(tx, CODE, number, by="checker"))
    day = OPENED_ON if number == 1 else MIGRATED_ON
    live = await database.run(lambda tx: launch_version(tx, CODE, number, live_from=day, by="checker", today=day))
    assert not isinstance(live, Refusal), live


async def _number(database: Database) -> int:
    """The small number that accruals know the first version's terms by."""
    await database.run(
        lambda tx: tx.execute("INSERT INTO deposits_terms (product, version, number) VALUES ($1, 1, 1)", CODE)
    )
    return 1


async def _plan(database: Database, made: Terms) -> None:
    """That all go under another version, with higher rates."""
    change = made.rates.changes[-1]
    tiers = tuple(replace(tier, rate_units=2 * tier.rate_units) for tier in change.tiers)
    dearer = replace(made, rates=replace(made.rates, changes=(*made.rates.changes, RateChange(MIGRATED_ON, tiers))))
    await _launch(database, dearer, 2)
    plan = Migration(uuid4(), CODE, 1, 2, MIGRATED_ON, "planner")
    planned = await database.run(lambda tx: plan_migration(tx, plan, today=MIGRATED_ON))
    assert not isinstance(planned, Refusal), planned


async def _migrate(database: Database, parts: int) -> None:
    async with _engine(database, MIGRATED_ON) as engine:
        await asyncio.gather(*(deposits.migrate_contracts(engine, MIGRATED_ON, part, parts) for part in range(parts)))


async def _all_migrated(database: Database) -> bool:
    async with database.reading() as tx:
        left: int = await tx.value("SELECT count(*) FROM deposits_contract WHERE version <> 2")
    return left == 0


async def _open(database: Database, url: str, count: int, made: Terms, terms_number: int) -> None:
    """The accounts, and a contract on each, in columns; an owner's role is not what is measured here."""
    await open_accounts(url, count, floor_minor=0, chart="liabilities:deposits:demand")
    begun = begin(made, OPENED_ON)
    assert not isinstance(begun, Refusal)
    state = b"\x01" + msgspec.json.encode(state_of(begun))
    for start in range(0, count, CHUNK_ACCOUNTS):
        numbers = np.arange(1 + start, 1 + min(start + CHUNK_ACCOUNTS, count), dtype=">i8")
        rows = len(numbers)
        day = np.full(rows, (OPENED_ON - _EPOCH).days, dtype=">i4")
        zero = np.zeros(rows, dtype=">i8")
        one, terms = np.full(rows, 1, dtype=">i8"), np.full(rows, terms_number, dtype=">i8")
        ids = _random_ids(rows)
        await _copy(
            url,
            "deposits_contract",
            "account_id id party_id product version asset kind status opened_on terms_since state",
            copy_rows(
                rows, (numbers, ids, ids, CODE.encode(), one, ASSET.encode(), b"demand", b"open", day, day, state)
            ),
        )
        await _copy(
            url,
            "deposits_accrual",
            "account_id terms_number status settled_on open_day through moved_on sequence balance numerator",
            # A numeric of nothing is eight empty bytes.
            copy_rows(rows, (numbers, terms, 0, day, day, day, day, zero, zero, bytes(8))),
        )
        progress(f"{start + rows:,} contracts")


async def _fund(database: Database, count: int) -> None:
    """Each account is paid into, by entries like any other."""
    cash = await database.run(
        lambda tx: internal_account(tx, "assets:cash", ASSET, Side.DEBIT, today=lambda: OPENED_ON)
    )
    assert not isinstance(cash, Refusal)
    async with _engine(database, OPENED_ON) as engine:
        for chunk in range(1, count + 1, 100 * FUNDING_LEGS):
            last = min(chunk + 100 * FUNDING_LEGS, count + 1)
            entries = []
            for start in range(chunk, last, FUNDING_LEGS):
                paid = range(start, min(start + FUNDING_LEGS, last))
                legs = [Posting(number, ASSET, OPENING_MINOR) for number in paid]
                given = Posting(cash, ASSET, -OPENING_MINOR * len(paid))
                entries.append(Entry(new_id(), "opening", OPENED_ON, (*legs, given)))
            outcomes = await engine.post_batch(entries)
            assert all(isinstance(outcome, Done) for outcome in outcomes), "an opening entry was refused"


async def _post_day(database: Database, accounts: int, entries: int) -> None:
    workload = Uniform(accounts)
    async with _engine(database, MOVED_ON) as engine:
        for start in range(0, entries, BATCH_ENTRIES):
            await engine.post_batch(build_entries(workload, min(BATCH_ENTRIES, entries - start), MOVED_ON))


def _engine(database: Database, day: date) -> Engine:
    return Engine(database, clock=lambda: datetime.combine(day, time_of_day(20), UTC), today=lambda: day)


async def _accrue(database: Database, day: date, parts: int) -> None:
    await asyncio.gather(*(deposits.accrue_moved(database, day, part, parts) for part in range(parts)))


async def _settle(database: Database, parts: int, latencies_ms: list[float]) -> None:
    class Timed(Engine):
        async def post_batch(self, commands: Sequence[Any]) -> Any:
            started = time.monotonic()
            answer = await super().post_batch(commands)
            latencies_ms.append((time.monotonic() - started) * 1_000)
            return answer

    engine = Timed(database, clock=lambda: datetime.combine(SETTLED_ON, time_of_day(20), UTC), today=lambda: SETTLED_ON)
    async with engine:
        await asyncio.gather(*(deposits.settle_interest(engine, SETTLED_ON, part, parts) for part in range(parts)))


async def _timed(what: str, work: Awaitable[None]) -> float:
    progress(what)
    started = time.monotonic()
    await work
    seconds = time.monotonic() - started
    progress(f"{what}: {seconds:.1f} s")
    return seconds


async def _checks(database: Database, accounts: int) -> dict[str, bool]:
    """Some accounts are counted by hand, all are counted."""
    async with database.reading() as tx:
        undone = await tx.value("SELECT count(*) FROM deposits_accrual WHERE settled_on < $1", SETTLED_ON)
        apart = await tx.value(
            "SELECT count(*) FROM deposits_accrual a JOIN ledger_balance b USING (account_id) "
            "WHERE a.balance <> b.posted OR a.sequence <> b.sequence"
        )
        credited = await tx.rows(
            "SELECT account_ids[2] AS account, amounts[2] AS amount FROM ledger_entry WHERE kind = 'interest' "
            "AND account_ids[2] <= $1",
            min(CHECKED, accounts),
        )
        moved = await tx.rows(
            "SELECT account_id, amount FROM ledger_posting WHERE account_id <= $1 AND value_date = $2",
            min(CHECKED, accounts),
            MOVED_ON,
        )
    balances = dict.fromkeys(range(1, min(CHECKED, accounts) + 1), OPENING_MINOR)
    for row in moved:
        balances[row["account_id"]] += row["amount"]
    found = {row["account"]: row["amount"] for row in credited}
    # One day at the opening balance, the others at what it has come to, at 0.35 % of 360 days.
    nights = (SETTLED_ON - MOVED_ON).days
    right = {n: ((OPENING_MINOR + b * nights) * 35 + 1_800_000) // 3_600_000 for n, b in balances.items()}
    return {"all_settled": undone == 0, "accruals_are_the_ledgers": apart == 0, "interest_is_right": found == right}


def _random_ids(count: int) -> npt.NDArray[np.generic]:
    return np.frombuffer(os.urandom(16 * count), dtype="V16")


async def _copy(url: str, table: str, columns: str, rows: bytes) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.copy_to_table(table, source=io.BytesIO(rows), columns=columns.split(), format="binary")
    finally:
        await connection.close()


if __name__ == "__main__":
    harness.main("settlement", SUMMARY, measure, options)
