"""How many customers a second are taken on over HTTP: party, account and first deposit in one request."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from typing import Any

from eastflow.channels.api import Scope, keys
from eastflow.kernel import Asset, Refusal
from eastflow.ledger.actions import define_asset, new_id
from eastflow.products import Plan, shipped
from eastflow.products.actions import approve_version, draft_version, launch_version, simulate_version
from eastflow.storage import Database, Keys, Transaction, migrate

from . import floors, harness
from .harness import Bank, Report, median, rounded, sized
from .load import KEY_VARIABLE
from .rounds import booked, checks
from .served import serving

SUMMARY = "One new customer, account and first deposit a request over HTTP; the load generator on the same machine."
PRODUCT = "cny-demand"
_PACKAGE = __name__.rpartition(".")[0] or "eastflow_bench"


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--connections", type=int)
    parser.add_argument("--requests", type=int, help="in one round")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--floor-seconds", type=int)


async def measure(bank: Bank, arguments: argparse.Namespace) -> Report:
    connections = sized(arguments, "connections", full=32, quick=8)
    requests = sized(arguments, "requests", full=3_000, quick=100)
    rounds = sized(arguments, "rounds", full=3, quick=1)
    key_file = bank.data_dir / "bench.keys"
    database = await Database.open(bank.url, keys=Keys.open(key_file))
    try:
        await migrate(database)
        await database.run(_launch)
        _, secret = await database.run(
            lambda tx: keys.create_key(tx, "benchmark", [Scope.FLOWS_WRITE, Scope.FLOWS_FUND])
        )
        before = await booked(database)
        async with serving(bank.url, 2, key_file) as port:
            found = await _load(secret, port, connections, requests, rounds)
        held = await checks(database, before, entries=found["onboarded"])
        held["every_request_was_granted"] = found["failures"] == 0
        async with database.reading() as tx:
            parties = await tx.value("SELECT count(*) FROM customers_party")
            owners = await tx.value("SELECT count(*) FROM customers_role")
        held["every_customer_is_there_once_and_owns_one_account"] = parties == owners == found["onboarded"]
    finally:
        await database.close()
    rates = [each["requests"] / each["seconds"] for each in found["rounds"]]
    conditions = {
        "accounts": found["onboarded"], "skew": "every customer is new; all first deposits come by one account",
        "clients": connections, "requests_per_round": requests, "rounds": rounds, "product": PRODUCT,
        "seconds": rounded(sum(each["seconds"] for each in found["rounds"])),
        "clock": "requests are built before the clock starts; latency from sending to the whole answer",
        "load_generator": "one process on the same machine, keep-alive connections, no pipelining",
        "server": "one process: uvicorn, uvloop, httptools, no access log, every request with its key checked",
    }  # fmt: skip
    more = {
        "rounds": [
            {"value": rounded(rate), "p99_ms": rounded(each["p99_ms"])}
            for rate, each in zip(rates, found["rounds"], strict=True)
        ],
        "max_ms": rounded(found["max_ms"]),
        "first_failures": found["first_failures"],
        "latency_of": "one request",
    }
    seconds = sized(arguments, "floor_seconds", full=10, quick=1)
    simpler = {"hot_row": await floors.hot_row(bank.url, seconds=seconds)}
    return Report(median(rates), "customers/s", held, found["p50_ms"], found["p99_ms"], conditions, simpler, more)


async def _launch(tx: Transaction) -> None:
    today = datetime.now(UTC).date()
    done: list[object] = [
        await define_asset(tx, Asset("CNY", 2)),
        await draft_version(tx, new_id(), shipped()[PRODUCT], by="author"),
        await simulate_version(tx, PRODUCT, 1, Plan(today, 1, 100_000)),
        await approve_version(tx, PRODUCT, 1, by="checker"),
        await launch_version(tx, PRODUCT, 1, live_from=today, by="author", today=today),
    ]
    assert not [each for each in done if isinstance(each, Refusal)], "the product was not launched"


async def _load(secret: str, port: int, connections: int, requests: int, rounds: int) -> Any:
    told = {"port": port, "connections": connections, "requests": requests, "rounds": rounds}
    generator = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"{_PACKAGE}.onboarding_load", *(f"--{name}={value}" for name, value in told.items()),
        stdout=asyncio.subprocess.PIPE, env=os.environ | {KEY_VARIABLE: secret},
    )  # fmt: skip
    said, _ = await generator.communicate()
    assert generator.returncode == 0, "the load generator failed"
    return json.loads(said)


if __name__ == "__main__":
    harness.main("onboarding", SUMMARY, measure, options)
