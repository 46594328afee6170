"""How many durable entries a second the ledger engine books in batches: even, skewed, hot, and with floors to guard."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field

from eastflow.storage import Database, migrate

from . import floors, harness
from .accounts import fund, open_accounts, settle
from .harness import Bank, Report, median, percentile, progress, rounded, sized
from .rounds import BUILT_BEFOREHAND, Round, booked, checks, post_all
from .workloads import Hot, Uniform, Workload, Zipf, build_batches

SUMMARY = "Durable entries a second through the engine, in batches of two-posting entries."


@dataclass(slots=True)
class _Case:
    """A workload through so many lanes, and its rounds so far."""

    key: str
    workload: Workload
    lanes: int
    rounds: list[Round] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return median([each.entries_per_second for each in self.rounds])


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--accounts", type=int)
    parser.add_argument("--batch-entries", type=int)
    parser.add_argument("--batches", type=int, help="in one round")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--lanes", type=int, default=2)
    parser.add_argument("--clients", type=int, help="one more than there are lanes, unless said")
    parser.add_argument("--floor-seconds", type=int)


async def measure(bank: Bank, arguments: argparse.Namespace) -> Report:
    accounts = sized(arguments, "accounts", full=100_000, quick=1_000)
    batch_entries = sized(arguments, "batch_entries", full=8_000, quick=100)
    batches = sized(arguments, "batches", full=40, quick=4)
    rounds = sized(arguments, "rounds", full=5, quick=1)
    database = await Database.open(bank.url)
    try:
        await _prepare(database, accounts)
        cases = _cases(accounts, arguments.lanes)
        before = await booked(database)
        # Interleaved, so that growing tables and a machine that slows down meet every case alike.
        for number in range(rounds):
            for case in cases:
                built = build_batches(case.workload, batches, batch_entries)
                clients = arguments.clients or case.lanes + 1
                case.rounds.append(await post_all(database, built, lanes=case.lanes, clients=clients))
                done = case.rounds[-1]
                progress(f"round {number + 1} of {rounds}, {case.key}: {done.entries_per_second:,.0f} entries/s")
        held = await checks(database, before, entries=sum(each.entries for case in cases for each in case.rounds))
        held["nothing_was_refused"] = not any(each.refused for case in cases for each in case.rounds)
    finally:
        await database.close()
    seconds = sized(arguments, "floor_seconds", full=10, quick=1)
    beside = {"bare_copy": await floors.bare_copy(bank.url, entries=batches * batch_entries)}
    beside |= await floors.per_request_floors(bank.url, accounts=accounts, seconds=seconds)
    conditions = {
        "accounts": accounts, "batch_entries": batch_entries, "postings_per_entry": 2, "batches_per_round": batches,
        "rounds": rounds, "lanes": arguments.lanes, "clients": arguments.clients or arguments.lanes + 1,
        "seconds": rounded(sum(each.seconds for case in cases for each in case.rounds)),
        "skew": {case.key: case.workload.skew for case in cases},
        "account_floors": "none, but for `floors`: floor 0 on every account, each funded beforehand",
        "clock": BUILT_BEFOREHAND, "order": "rounds of all cases interleaved; medians of rounds",
    }  # fmt: skip
    return _report(cases, held, beside, conditions)


def _cases(accounts: int, lanes: int) -> list[_Case]:
    return [
        _Case("uniform", Uniform(accounts), lanes),
        _Case("zipf", Zipf(accounts), lanes),
        _Case("hot", Hot(accounts), lanes),
        _Case("floors", Uniform(accounts, first=accounts + 1, seed=2), lanes),
        _Case("uniform_one_lane", Uniform(accounts, seed=3), 1),
    ]


async def _prepare(database: Database, accounts: int) -> None:
    """`accounts` without a floor, as many with a floor of 0 and money on them, and the cash that money came from."""
    await migrate(database)
    progress(f"opening 2 × {accounts:,} accounts")
    await open_accounts(database.url, accounts)
    cash_account = 2 * accounts + 1
    await open_accounts(database.url, 1, first=cash_account, side=-1, chart="assets:cash")
    if await open_accounts(database.url, accounts, first=accounts + 1, floor_minor=0):
        await fund(database, accounts, first=accounts + 1, cash_account=cash_account)
    await settle(database.url)


def _report(
    cases: list[_Case], held: dict[str, bool], beside: dict[str, harness.Floor], conditions: dict[str, object]
) -> Report:
    uniform = cases[0]
    latencies = [each for done in uniform.rounds for each in done.batches_ms]
    found = {
        case.key: {
            "value": rounded(case.rate),
            "unit": "entries/s",
            "ratio_to_uniform": rounded(case.rate / uniform.rate),
            "rounds": [rounded(each.entries_per_second) for each in case.rounds],
            "lanes": case.lanes,
            "batch_p50_ms": rounded(percentile([ms for each in case.rounds for ms in each.batches_ms], 50)),
            "batch_p99_ms": rounded(percentile([ms for each in case.rounds for ms in each.batches_ms], 99)),
            "python_cpu_share": rounded(median([each.cpu_seconds / each.seconds for each in case.rounds])),
        }
        for case in cases
    }
    more = {"workloads": found, "single_lane": found["uniform_one_lane"]["value"], "latency_of": "one batch"}
    return Report(
        uniform.rate,
        "entries/s",
        held,
        p50_ms=percentile(latencies, 50),
        p99_ms=percentile(latencies, 99),
        conditions=conditions,
        floors=beside,
        more=more,
    )


if __name__ == "__main__":
    harness.main("ledger", SUMMARY, measure, options)
