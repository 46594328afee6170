"""The load generator: requests built beforehand, sent over many connections kept open, each after the last's answer."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import msgspec
import uvloop

from eastflow.ledger import Entry

from .harness import percentile, progress
from .workloads import Uniform, build_entries

KEY_VARIABLE = "EASTFLOW_BENCH_KEY"
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length: "
_NANOSECONDS_PER_MILLISECOND = 1_000_000


@dataclass(slots=True)
class Told:
    """What is asked for on the command line."""

    port: int
    connections: int
    requests: int
    warm_up: int
    rounds: int
    batch_entries: int
    accounts: int


class Run:
    """One round: the requests still to send, and what came of those sent."""

    def __init__(self, requests: list[bytes], *, status: bytes, posted_each: int) -> None:
        self.status, self.posted_each = status, posted_each
        self.latencies_ns: list[int] = []
        self.failures: list[str] = []
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests: Iterator[bytes] = iter(requests)
        self._missing = len(requests)

    def next(self) -> bytes | None:
        return next(self._requests, None)

    def answered(self, elapsed_ns: int, answer: bytearray) -> None:
        self.latencies_ns.append(elapsed_ns)
        refused = answer[9:12] != self.status
        if refused or (self.posted_each > 1 and answer.count(b'"posted"') != self.posted_each):
            self.failures.append(bytes(answer[-300:]).decode(errors="replace"))
        self._missing -= 1
        if self._missing == 0:
            self.finished.set_result(None)

    def broken(self, problem: Exception | None) -> None:
        if not self.finished.done():
            self.finished.set_exception(problem or ConnectionError("the server closed a connection"))


class Connection(asyncio.Protocol):
    """One connection: sends, reads the answer by its length, sends the next."""

    def __init__(self) -> None:
        self.run: Run | None = None
        self._transport: asyncio.Transport
        self._answer = bytearray()
        self._answer_bytes = 0
        self._sent_ns = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not asked for its class: uvloop's transports are none of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, problem: Exception | None) -> None:
        if self.run is not None:
            self.run.broken(problem)

    def send_next(self) -> None:
        assert self.run is not None
        request = self.run.next()
        if request is not None:
            self._answer_bytes = 0
            self._answer.clear()
            self._sent_ns = time.perf_counter_ns()
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        answer = self._answer
        answer += data
        if not self._answer_bytes:
            head_bytes = answer.find(_HEAD_END)
            if head_bytes < 0:
                return
            at = answer.index(_LENGTH, 0, head_bytes) + len(_LENGTH)
            length_end = answer.index(b"\r", at)
            self._answer_bytes = head_bytes + len(_HEAD_END) + int(answer[at:length_end])
        if len(answer) >= self._answer_bytes:
            assert self.run is not None
            self.run.answered(time.perf_counter_ns() - self._sent_ns, answer)
            self.send_next()

    def close(self) -> None:
        self.run = None
        self._transport.close()


def build_requests(workload: Uniform, requests: int, batch_entries: int, port: int) -> list[bytes]:
    """Whole requests, head and body, one entry each or `batch_entries` in one."""
    key = os.environ[KEY_VARIABLE]
    path = "/v1/entries" if batch_entries == 1 else "/v1/entries/batch"
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nauthorization: Bearer {key}\r\n"
        "content-type: application/json\r\ncontent-length: "
    ).encode()
    built = []
    for start in range(0, requests, 1_000):
        count = min(1_000, requests - start)
        bodies = [_body(entry) for entry in build_entries(workload, count * batch_entries)]
        for place in range(count):
            part = bodies[place * batch_entries : (place + 1) * batch_entries]
            body = part[0] if batch_entries == 1 else b'{"entries":[' + b",".join(part) + b"]}"
            built.append(head + str(len(body)).encode() + _HEAD_END + body)
    return built


def _body(entry: Entry) -> bytes:
    legs = [
        {"account": leg.account, "asset": leg.asset, "amount_minor": leg.amount_minor} for leg in entry.postings
    ]  # fmt: skip
    return msgspec.json.encode(
        {"id": entry.id, "kind": entry.kind, "value_date": entry.value_date, "postings": legs}
    )  # fmt: skip


async def run(told: Told) -> dict[str, object]:
    loop = asyncio.get_running_loop()
    workload = Uniform(told.accounts)
    opened = []
    for _ in range(told.connections):
        _, connection = await loop.create_connection(Connection, "127.0.0.1", told.port)
        opened.append(connection)
    rounds: list[dict[str, float]] = []
    latencies_ms: list[float] = []
    failures: list[str] = []
    for number in range(-1, told.rounds):
        count = told.warm_up if number < 0 else told.requests
        requests = build_requests(workload, count, told.batch_entries, told.port)
        done, seconds = await _round(opened, requests, told.batch_entries)
        failures += done.failures
        name = "warm-up" if number < 0 else f"round {number + 1} of {told.rounds}"
        progress(f"{name}: {count * told.batch_entries / seconds:,.0f} entries/s")
        if number >= 0:
            ms = [each / _NANOSECONDS_PER_MILLISECOND for each in done.latencies_ns]
            latencies_ms += ms
            rounds.append({"requests": count, "seconds": seconds, "p99_ms": percentile(ms, 99)})
    for connection in opened:
        connection.close()
    return {
        "rounds": rounds,
        "p50_ms": percentile(latencies_ms, 50),
        "p99_ms": percentile(latencies_ms, 99),
        "max_ms": max(latencies_ms),
        "failures": len(failures),
        "first_failures": failures[:3],
        "entries": (told.warm_up + told.requests * told.rounds) * told.batch_entries,
    }


async def _round(opened: list[Connection], requests: list[bytes], batch_entries: int) -> tuple[Run, float]:
    done = Run(requests, status=b"201" if batch_entries == 1 else b"200", posted_each=batch_entries)
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
    for name in Told.__annotations__:
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, required=True)
    told = Told(**vars(parser.parse_args()))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        json.dump(runner.run(run(told)), sys.stdout)


if __name__ == "__main__":
    main()
