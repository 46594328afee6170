"""How many durable entries a second come in over HTTP, one entry a request, and how long each caller waits."""

from __future__ import annotations

import argparse

from . import floors, harness, served
from .harness import Bank, Report, sized

SUMMARY = "One durable entry a request over HTTP, many connections, the load generator on the same machine."


async def measure(bank: Bank, arguments: argparse.Namespace) -> Report:
    report = await served.measure(
        bank,
        arguments,
        connections=sized(arguments, "connections", full=64, quick=8),
        requests=sized(arguments, "requests", full=60_000, quick=400),
        batch_entries=1,
    )
    accounts = sized(arguments, "accounts", full=100_000, quick=1_000)
    seconds = sized(arguments, "floor_seconds", full=10, quick=1)
    return served.with_floors(report, await floors.per_request_floors(bank.url, accounts=accounts, seconds=seconds))


if __name__ == "__main__":
    harness.main("http", SUMMARY, measure, served.options)
