"""What every benchmark shares: a bank of its own, the conditions it ran under, and the printing of what it found."""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import platform
import shutil
import signal
import statistics
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from rich.console import Console
from rich.table import Table

from eastflow.storage import embedded

QUICK_MEMORY_BYTES = 512 << 20
_SETTINGS = (
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_sync_method",
    "wal_compression",
    "shared_buffers",
    "max_wal_size",
    "checkpoint_timeout",
)


@dataclass(frozen=True, slots=True)
class Bank:
    """A database server of the benchmark's own."""

    url: str
    data_dir: Path


@dataclass(frozen=True, slots=True)
class Floor:
    """The same work done by something simpler, for comparison."""

    value: float
    unit: str
    note: str


@dataclass(slots=True)
class Report:
    """What was measured. `checks` are about correctness: one that fails makes the benchmark fail."""

    value: float
    unit: str
    checks: Mapping[str, bool]
    p50_ms: float | None = None
    p99_ms: float | None = None
    conditions: Mapping[str, Any] = field(default_factory=dict)
    floors: Mapping[str, Floor] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)


Measure = Callable[[Bank, argparse.Namespace], Coroutine[Any, Any, Report]]
Options = Callable[[argparse.ArgumentParser], None]


def main(name: str, summary: str, measure: Measure, options: Options | None = None) -> None:
    """Run one benchmark from the command line; exit status 0 only if every check held."""
    parser = argparse.ArgumentParser(prog=f"eastflow bench {name}", description=summary)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it works; not for measuring")
    parser.add_argument("--data-dir", type=Path, help="a data directory to use again; otherwise a temporary one")
    if options is not None:
        options(parser)
    arguments = parser.parse_args()
    # Being told to end is like Ctrl-C: the server is stopped and the temporary directory goes.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Before anything of ours runs: what else the machine was doing.
    load_average = round(os.getloadavg()[0], 2)
    with bank(arguments.data_dir, quick=arguments.quick) as opened:
        database = asyncio.run(_settings(opened.url))
        report = asyncio.run(measure(opened, arguments))
        conditions = {
            "machine": _machine(),
            "load_average_at_start": load_average,
            "database": database,
            "data_filesystem": _filesystem(opened.data_dir),
            "quick": arguments.quick,
            **report.conditions,
        }
    result = _result(name, report, conditions)
    if arguments.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        _print_table(result)
    if not all(report.checks.values()):
        failed = [check for check, held in report.checks.items() if not held]
        progress(f"failed: {', '.join(failed)}")
        raise SystemExit(1)


def sized(arguments: argparse.Namespace, name: str, *, full: int, quick: int) -> int:
    """The option's value if it was given, otherwise the size that goes with the run."""
    given: int | None = getattr(arguments, name)
    return given if given is not None else quick if arguments.quick else full


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of them do not pass."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def rounded(value: float) -> float:
    """Four significant digits say all that a benchmark can know."""
    return float(f"{value:.4g}") if abs(value) < 1_000 else round(value)


@contextmanager
def bank(data_dir: Path | None, *, quick: bool) -> Iterator[Bank]:
    """A temporary directory goes when the benchmark ends; a named one stays. Its server is stopped either way."""
    # One level down: the server's user must be let into the directory, and its parent stays ours.
    room = Path(tempfile.mkdtemp(prefix="eastflow-bench-")) if data_dir is None else None
    place = room / "bank" if room is not None else data_dir
    assert place is not None
    try:
        server = embedded.start(place, memory_bytes=QUICK_MEMORY_BYTES if quick else None)
        yield Bank(server.url, server.data_dir)
    finally:
        embedded.stop(place)
        if room is not None:
            shutil.rmtree(room, ignore_errors=True)


def url_of(url: str, database: str) -> str:
    """The URL of another database on the same server."""
    parts = urlsplit(url)
    # urlunsplit drops the empty host of a socket's URL, which the driver needs to see.
    rest = urlunsplit(("", "", f"/{database}", parts.query, ""))
    return f"{parts.scheme}://{parts.netloc}{rest}"


async def _settings(url: str) -> dict[str, str]:
    connection = await asyncpg.connect(url)
    try:
        found = {name: await connection.fetchval(f"SHOW {name}") for name in _SETTINGS}
    finally:
        await connection.close()
    return {"name": "PostgreSQL", **found}


def _machine() -> dict[str, Any]:
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(embedded.machine_memory_bytes() / (1 << 30), 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())


def _filesystem(path: Path) -> str:
    """The kind of file system: in one that lives in memory, making durable costs nothing."""
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return "unknown"
    above = [(len(mount[1]), mount[2]) for mount in mounts if path.is_relative_to(mount[1])]
    return max(above)[1] if above else "unknown"


def _result(name: str, report: Report, conditions: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {"name": name, "value": rounded(report.value), "unit": report.unit}
    for key in ("p50_ms", "p99_ms"):
        if (milliseconds := getattr(report, key)) is not None:
            result[key] = rounded(milliseconds)
    floors = {
        key: {
            "value": rounded(floor.value),
            "unit": floor.unit,
            "ratio": rounded(report.value / floor.value),
            "note": floor.note,
        }
        for key, floor in report.floors.items()
    }
    return {**result, "conditions": conditions, "floors": floors, "checks": dict(report.checks), **report.more}


def _print_table(result: Mapping[str, Any]) -> None:
    table = Table(title=f"{result['name']}: {result['value']:,} {result['unit']}", show_header=False)
    for key, value in _flat({key: value for key, value in result.items() if key not in ("name", "value", "unit")}):
        table.add_row(key, f"{value:,}" if isinstance(value, int | float) else str(value))
    Console().print(table)


def _flat(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key} · ")
        else:
            yield f"{above}{key}", value
