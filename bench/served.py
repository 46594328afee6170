"""A bank served over HTTP by one process and put under load by another; what `http` and `batch` have in common."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from eastflow.channels.api import Scope, keys
from eastflow.storage import Database, migrate

from .accounts import open_accounts, settle
from .harness import Bank, Floor, Report, median, progress, rounded, sized
from .load import KEY_VARIABLE
from .rounds import booked, checks

START_WAIT_SECONDS = 60
STOP_WAIT_SECONDS = 30
_PACKAGE = __name__.rpartition(".")[0]


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--accounts", type=int)
    parser.add_argument("--connections", type=int)
    parser.add_argument("--requests", type=int, help="in one round")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--lanes", type=int, default=2)
    parser.add_argument("--floor-seconds", type=int)


async def measure(
    bank: Bank, arguments: argparse.Namespace, *, connections: int, requests: int, batch_entries: int
) -> Report:
    """The report without its floors; each bench adds those that fit."""
    accounts = sized(arguments, "accounts", full=100_000, quick=1_000)
    rounds = sized(arguments, "rounds", full=3, quick=1)
    database = await Database.open(bank.url)
    try:
        await migrate(database)
        await open_accounts(bank.url, accounts)
        await settle(bank.url)
        _, secret = await database.run(lambda tx: keys.create_key(tx, "benchmark", [Scope.ENTRIES_WRITE]))
        before = await booked(database)
        told = {
            "connections": connections, "requests": requests, "warm_up": max(connections, requests // 10),
            "rounds": rounds, "batch_entries": batch_entries, "accounts": accounts,
        }  # fmt: skip
        async with serving(bank.url, arguments.lanes) as port:
            found = await _load({**told, "port": port}, secret)
        held = await checks(database, before, entries=found["entries"])
        held["every_request_was_granted"] = found["failures"] == 0
    finally:
        await database.close()
    rates = [each["requests"] * batch_entries / each["seconds"] for each in found["rounds"]]
    conditions = {
        "accounts": accounts, "skew": "uniform on both sides", "account_floors": "none", "clients": connections,
        "batch_entries": batch_entries, "requests_per_round": requests, "rounds": rounds, "lanes": arguments.lanes,
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
    return Report(median(rates), "entries/s", held, found["p50_ms"], found["p99_ms"], conditions, {}, more)


def with_floors(report: Report, floors: Mapping[str, Floor]) -> Report:
    report.floors = floors
    return report


@asynccontextmanager
async def serving(url: str, lanes: int, key_file: Path | None = None) -> AsyncIterator[int]:
    """The port of the bank, served by a process of its own until the block ends."""
    port = _free_port()
    keys_named = [] if key_file is None else [f"--key-file={key_file}"]
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"{_PACKAGE}.server", f"--url={url}", f"--port={port}", f"--lanes={lanes}",
        *keys_named, stdout=sys.stderr,
    )  # fmt: skip
    try:
        await asyncio.wait_for(_reachable(server, port), START_WAIT_SECONDS)
        progress(f"the bank is served on port {port}")
        yield port
    finally:
        if server.returncode is None:
            server.send_signal(signal.SIGINT)
            try:
                await asyncio.wait_for(server.wait(), STOP_WAIT_SECONDS)
            except TimeoutError:
                server.kill()
                await server.wait()


async def _reachable(server: asyncio.subprocess.Process, port: int) -> None:
    while True:
        assert server.returncode is None, "the server ended before it served"
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


async def _load(told: Mapping[str, int], secret: str) -> Any:
    words: Sequence[str] = [f"--{name.replace('_', '-')}={value}" for name, value in told.items()]
    generator = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"{_PACKAGE}.load", *words,
        stdout=asyncio.subprocess.PIPE, env=os.environ | {KEY_VARIABLE: secret},
    )  # fmt: skip
    said, _ = await generator.communicate()
    assert generator.returncode == 0, "the load generator failed"
    return json.loads(said)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
