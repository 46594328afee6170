"""The load generator of `onboarding`: new customers built beforehand, sent over many connections kept open."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import sys
import time
from datetime import UTC, datetime

import msgspec
import uvloop

from eastflow.ledger.actions import new_id

from .harness import percentile, progress
from .load import KEY_VARIABLE, Connection, Run

_NANOSECONDS_PER_MILLISECOND = 1_000_000


def build_requests(count: int, port: int) -> list[bytes]:
    """Whole requests, head and body, each of a customer of its own."""
    key, today = os.environ[KEY_VARIABLE], datetime.now(UTC).date()
    head = (
        f"POST /v1/onboarding HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nauthorization: Bearer {key}\r\n"
        "content-type: application/json\r\ncontent-length: "
    ).encode()
    built = []
    for number in range(count):
        party = {"id": new_id(), "kind": "person", "name": f"Customer {number}", "opened_on": today}
        party |= {"born_on": "1990-05-01"}
        body = msgspec.json.encode(
            {"id": new_id(), "party": party, "product": "cny-demand", "amount_minor": 10_000, "channel": "app"}
        )
        built.append(head + str(len(body)).encode() + b"\r\n\r\n" + body)
    return built


async def run(port: int, connections: int, requests: int, rounds: int) -> dict[str, object]:
    loop = asyncio.get_running_loop()
    opened = [(await loop.create_connection(Connection, "127.0.0.1", port))[1] for _ in range(connections)]
    measured: list[dict[str, float]] = []
    latencies_ms: list[float] = []
    failures: list[str] = []
    onboarded = 0
    for number in range(-1, rounds):
        count = max(connections, requests // 10) if number < 0 else requests
        done, seconds = await _round(opened, build_requests(count, port))
        failures += done.failures
        onboarded += count
        name = "warm-up" if number < 0 else f"round {number + 1} of {rounds}"
        progress(f"{name}: {count / seconds:,.0f} customers/s")
        if number >= 0:
            ms = [each / _NANOSECONDS_PER_MILLISECOND for each in done.latencies_ns]
            latencies_ms += ms
            measured.append({"requests": count, "seconds": seconds, "p99_ms": percentile(ms, 99)})
    for connection in opened:
        connection.close()
    return {
        "rounds": measured,
        "p50_ms": percentile(latencies_ms, 50),
        "p99_ms": percentile(latencies_ms, 99),
        "max_ms": max(latencies_ms),
        "failures": len(failures),
        "first_failures": failures[:3],
        "onboarded": onboarded,
    }


async def _round(opened: list[Connection], requests: list[bytes]) -> tuple[Run, float]:
    done = Run(requests, status=b"201", posted_each=1)
    gc.collect()
    gc.freeze()
    started = time.monotonic()
    for connection in opened:
        connection.run = done
        connection.send_next()
    await done.finished
    seconds = time.monotonic() - started
    gc.unfreeze()
    return done, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("port", "connections", "requests", "rounds"):
        parser.add_argument(f"--{name}", type=int, required=True)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        json.dump(runner.run(run(**vars(parser.parse_args()))), sys.stdout)


if __name__ == "__main__":
    main()
