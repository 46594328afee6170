"""How many durable entries a second come in over HTTP when each request brings a thousand."""

from __future__ import annotations

import argparse

from . import floors, harness, served
from .harness import Bank, Report, sized

SUMMARY = "Batches of entries over HTTP, the load generator on the same machine."


def options(parser: argparse.ArgumentParser) -> None:
    served.options(parser)
    parser.add_argument("--batch-entries", type=int)


async def measure(bank: Bank, arguments: argparse.Namespace) -> Report:
    batch_entries = sized(arguments, "batch_entries", full=1_000, quick=50)
    requests = sized(arguments, "requests", full=300, quick=12)
    report = await served.measure(
        bank,
        arguments,
        connections=sized(arguments, "connections", full=8, quick=2),
        requests=requests,
        batch_entries=batch_entries,
    )
    accounts = sized(arguments, "accounts", full=100_000, quick=1_000)
    seconds = sized(arguments, "floor_seconds", full=10, quick=1)
    copied = await floors.bare_copy(bank.url, entries=requests * batch_entries)
    beside = await floors.per_request_floors(bank.url, accounts=accounts, seconds=seconds)
    return served.with_floors(report, {"bare_copy": copied, **beside})


if __name__ == "__main__":
    harness.main("batch", SUMMARY, measure, options)
