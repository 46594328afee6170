"""What an entry costs in a bank of 25 million accounts against one of a hundred thousand, on the same server."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field

import asyncpg

from eastflow.storage import Database, migrate

from . import floors, harness
from .accounts import open_accounts, settle
from .harness import Bank, Report, median, percentile, progress, rounded, sized, url_of
from .rounds import BUILT_BEFOREHAND, Booked, Round, booked, checks, post_all
from .workloads import Uniform, Workload, Zipf, build_batches

SUMMARY = "The cost of an entry as accounts grow: many accounts against few, uniform and zipf 1.0."
MANY_DATABASE = "eastflow_many"


@dataclass(slots=True)
class _Size:
    """One of the two banks; `rounds` by the name of the workload."""

    database: Database
    accounts: int
    workloads: list[Workload]
    before: Booked
    rounds: dict[str, list[Round]] = field(default_factory=dict)

    def rate(self, workload: str) -> float:
        return median([each.entries_per_second for each in self.rounds[workload]])


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--accounts", type=int, help="of the large bank; 25,000,000 unless said")
    parser.add_argument("--accounts-few", type=int, help="of the small bank; 100,000 unless said")
    parser.add_argument("--batch-entries", type=int)
    parser.add_argument("--batches", type=int, help="in one round")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--lanes", type=int, default=2)
    parser.add_argument(
        "--checkpoint-each-round",
        action="store_true",
        help="so that every round pays for the first touch of each page; otherwise only the first after loading does",
    )


async def measure(bank: Bank, arguments: argparse.Namespace) -> Report:
    many = sized(arguments, "accounts", full=25_000_000, quick=20_000)
    few = sized(arguments, "accounts_few", full=100_000, quick=1_000)
    batch_entries = sized(arguments, "batch_entries", full=8_000, quick=100)
    batches = sized(arguments, "batches", full=20, quick=3)
    rounds = sized(arguments, "rounds", full=8, quick=2)
    await _create_database(bank.url, MANY_DATABASE)
    sizes = [await _open(bank.url, few), await _open(url_of(bank.url, MANY_DATABASE), many)]
    try:
        for number in range(rounds):
            for place in range(len(sizes[0].workloads)):
                for size in sizes:
                    if arguments.checkpoint_each_round:
                        await _checkpoint(bank.url)
                    await _round(size, size.workloads[place], batches, batch_entries, arguments.lanes)
            progress(f"round {number + 1} of {rounds}: {_told(sizes)}")
        held: dict[str, bool] = {}
        for name, size in zip(("few", "many"), sizes, strict=True):
            entries = sum(each.entries for done in size.rounds.values() for each in done)
            found = await checks(size.database, size.before, entries=entries)
            held |= {f"{name}_{check}": answer for check, answer in found.items()}
    finally:
        for size in sizes:
            await size.database.close()
    copied = await floors.bare_copy(bank.url, entries=batches * batch_entries)
    conditions = {
        "accounts": many, "accounts_few": few, "batch_entries": batch_entries, "postings_per_entry": 2,
        "batches_per_round": batches, "rounds": rounds, "lanes": arguments.lanes, "clients": arguments.lanes + 1,
        "seconds": rounded(sum(each.seconds for size in sizes for done in size.rounds.values() for each in done)),
        "skew": {workload.name: workload.skew for workload in sizes[0].workloads}, "account_floors": "none",
        "checkpoint": "before every round" if arguments.checkpoint_each_round else "once, after VACUUM ANALYZE",
        "rounds_are": "from the checkpoint on: the first touch of a page costs most, so the first round does",
        "clock": BUILT_BEFOREHAND, "order": "the two banks alternate, round by round; medians of rounds",
    }  # fmt: skip
    return _report(sizes, held, conditions, copied)


def _report(sizes: list[_Size], held: dict[str, bool], conditions: dict[str, object], copied: harness.Floor) -> Report:
    few, many = sizes
    ratios = {workload: few.rate(workload) / many.rate(workload) for workload in few.rounds}
    first, last = ({workload: _cost_ratio(few, many, workload, at) for workload in few.rounds} for at in (0, -1))
    latencies = [each for done in many.rounds["uniform"] for each in done.batches_ms]
    copy_rate = {"value": rounded(copied.value), "unit": copied.unit, "note": copied.note}
    more = {
        "cost_ratios": {workload: rounded(ratio) for workload, ratio in ratios.items()},
        "cost_ratios_of_first_round": first,
        "cost_ratios_of_last_round": last,
        "rates": {name: _rates(size) for name, size in (("few", few), ("many", many))},
        # A ratio has no floor; the rates have one, and it is told apart so that no ratio is formed with it.
        "bare_copy_of_few": copy_rate,
        "latency_of": "one uniform batch in the large bank",
    }
    return Report(
        ratios["uniform"],
        "× the cost of an entry, uniform",
        held,
        p50_ms=percentile(latencies, 50),
        p99_ms=percentile(latencies, 99),
        conditions=conditions,
        more=more,
    )


def _cost_ratio(few: _Size, many: _Size, workload: str, round: int) -> float:
    one, other = few.rounds[workload][round], many.rounds[workload][round]
    return rounded(one.entries_per_second / other.entries_per_second)


def _rates(size: _Size) -> dict[str, object]:
    return {
        workload: {
            "value": rounded(size.rate(workload)),
            "unit": "entries/s",
            "rounds": [rounded(each.entries_per_second) for each in done],
        }
        for workload, done in size.rounds.items()
    }


def _told(sizes: list[_Size]) -> str:
    return "; ".join(
        f"{size.accounts:,} accounts, {workload}: {done[-1].entries_per_second:,.0f} entries/s"
        for size in sizes
        for workload, done in size.rounds.items()
    )


async def _open(url: str, accounts: int) -> _Size:
    database = await Database.open(url)
    await migrate(database)
    await open_accounts(url, accounts)
    progress(f"{accounts:,} accounts: cleaning and writing out")
    await settle(url)
    workloads: list[Workload] = [Uniform(accounts), Zipf(accounts)]
    return _Size(database, accounts, workloads, await booked(database))


async def _round(size: _Size, workload: Workload, batches: int, batch_entries: int, lanes: int) -> None:
    built = build_batches(workload, batches, batch_entries)
    done = await post_all(size.database, built, lanes=lanes, clients=lanes + 1)
    assert not done.refused, "an entry was refused"
    size.rounds.setdefault(workload.name, []).append(done)


async def _create_database(url: str, name: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        if not await connection.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", name):
            await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()


async def _checkpoint(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CHECKPOINT", timeout=3_600)
    finally:
        await connection.close()


if __name__ == "__main__":
    harness.main("growth", SUMMARY, measure, options)
