"""Two engines, each a process of its own, posting at once to the same accounts; against one engine alone."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import traceback
from dataclasses import asdict, dataclass
from typing import Any

import asyncpg

from eastflow.storage import Database, migrate

from . import floors, harness
from .accounts import open_accounts, settle
from .harness import Bank, Report, median, percentile, progress, rounded, sized
from .rounds import BUILT_BEFOREHAND, booked, checks, post_all
from .workloads import Uniform, build_batches

SUMMARY = "Two processes posting to overlapping accounts at once: correct, and not slower than one."
ANSWER_BYTES_MAX = 1 << 24
_MODULE = f"{__package__}.two_engines"


@dataclass(slots=True)
class _Told:
    """What a worker process is told on its command line."""

    url: str
    seed: int
    accounts: int
    batches: int
    batch_entries: int
    lanes: int


class _Worker:
    """One engine in a process of its own; it builds when told, and posts when told."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, told: _Told) -> _Worker:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", _MODULE, "--worker", json.dumps(asdict(told)),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=ANSWER_BYTES_MAX,
        )  # fmt: skip
        return cls(process)

    async def ask(self, command: str) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{command}\n".encode())
        await self._process.stdin.drain()
        answer = await self._process.stdout.readline()
        assert answer, "a worker ended before it answered"
        return json.loads(answer)

    async def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--accounts", type=int)
    parser.add_argument("--batch-entries", type=int)
    parser.add_argument("--batches", type=int, help="of each engine in one round")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--lanes", type=int, default=2, help="of each engine")


async def measure(bank: Bank, arguments: argparse.Namespace) -> Report:
    accounts = sized(arguments, "accounts", full=100_000, quick=500)
    batch_entries = sized(arguments, "batch_entries", full=8_000, quick=100)
    batches = sized(arguments, "batches", full=30, quick=5)
    rounds = sized(arguments, "rounds", full=5, quick=2)
    database = await Database.open(bank.url)
    try:
        await migrate(database)
        await open_accounts(bank.url, accounts)
        await settle(bank.url)
        before, deadlocks = await booked(database), await _deadlocks(bank.url)
        told = [_Told(bank.url, seed, accounts, batches, batch_entries, arguments.lanes) for seed in (1, 2)]
        ones, twos = await _alternate(told, rounds)
        answers = [answer for done in (*ones, *twos) for answer in done]
        held = await checks(database, before, entries=sum(answer["entries"] for answer in answers))
        held["no_fault_reached_a_caller"] = not any(answer["fault"] for answer in answers)
        held["nothing_was_refused"] = not any(answer["refused"] for answer in answers)
        deadlocks = await _deadlocks(bank.url) - deadlocks
    finally:
        await database.close()
    copied = await floors.bare_copy(bank.url, entries=batches * batch_entries)
    one, two = median([_rate(done) for done in ones]), median([_rate(done) for done in twos])
    latencies = [each for done in twos for answer in done for each in answer["batches_ms"]]
    conditions = {
        "accounts": accounts, "skew": "uniform on both sides, the same accounts for both engines",
        "account_floors": "none", "batch_entries": batch_entries, "postings_per_entry": 2,
        "batches_per_round_and_engine": batches, "rounds": rounds, "engines": 2, "lanes": arguments.lanes,
        "clients": arguments.lanes + 1, "clock": BUILT_BEFOREHAND,
        "seconds": rounded(sum(_seconds(done) for done in (*ones, *twos))),
        "order": "one engine, then both, alternating; medians of rounds; from the first start to the last end",
    }  # fmt: skip
    more = {
        "one_engine": {"value": rounded(one), "rounds": [rounded(_rate(done)) for done in ones]},
        "two_engines": {"value": rounded(two), "rounds": [rounded(_rate(done)) for done in twos]},
        "ratio_to_one_engine": rounded(two / one),
        "deadlocks_in_the_database": deadlocks,
        "faults": [answer["fault"] for answer in answers if answer["fault"]][:3],
        "latency_of": "one batch while both engines post",
    }
    return Report(
        two, "entries/s", held, percentile(latencies, 50), percentile(latencies, 99), conditions,
        {"bare_copy": copied}, more,
    )  # fmt: skip


async def _alternate(told: list[_Told], rounds: int) -> tuple[list[Any], list[Any]]:
    """The answers of the rounds of one engine, and of those of both."""
    workers = [await _Worker.start(each) for each in told]
    ones, twos = [], []
    try:
        for number in range(rounds):
            await workers[0].ask("build")
            ones.append([await workers[0].ask("post")])
            for worker in workers:
                await worker.ask("build")
            twos.append(await asyncio.gather(*(worker.ask("post") for worker in workers)))
            progress(
                f"round {number + 1} of {rounds}: one engine {_rate(ones[-1]):,.0f} entries/s, "
                f"two engines {_rate(twos[-1]):,.0f} entries/s"
            )
    finally:
        for worker in workers:
            await worker.end()
    return ones, twos


def _seconds(answers: list[Any]) -> float:
    ended: float = max(answer["ended"] for answer in answers)
    started: float = min(answer["started"] for answer in answers)
    return ended - started


def _rate(answers: list[Any]) -> float:
    entries: int = sum(answer["entries"] for answer in answers)
    seconds = _seconds(answers)
    return entries / seconds if seconds > 0 else 0.0


async def _deadlocks(url: str) -> int:
    """Those the database has ended, whether or not a further try then went through."""
    connection = await asyncpg.connect(url)
    try:
        count: int = await connection.fetchval(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
        return count
    finally:
        await connection.close()


async def _work(told: _Told) -> None:
    """A worker: one command a line on standard input, one JSON object a line on standard output."""
    database = await Database.open(told.url)
    workload = Uniform(told.accounts, seed=told.seed)
    built = build_batches(workload, 0, told.batch_entries)
    while command := (await asyncio.to_thread(sys.stdin.readline)).strip():
        if command == "build":
            built = build_batches(workload, told.batches, told.batch_entries)
            print("{}", flush=True)
            continue
        try:
            done = await post_all(database, built, lanes=told.lanes, clients=told.lanes + 1)
        except Exception:
            # Whatever it was, it reached a caller: the benchmark fails with it.
            lost = {"entries": 0, "started": 0.0, "ended": 0.0, "batches_ms": [], "refused": 0}
            print(json.dumps({**lost, "fault": traceback.format_exc()}), flush=True)
        else:
            print(json.dumps({**asdict(done), "fault": None}), flush=True)
    await database.close()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        asyncio.run(_work(_Told(**json.loads(sys.argv[2]))))
    else:
        harness.main("two-engines", SUMMARY, measure, options)
