"""Serves the bank's API for a benchmark, in a process of its own, as it is served in earnest."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import uvloop

from eastflow.channels.api import ApiSettings, create_app, serve, server
from eastflow.ledger.actions import Engine
from eastflow.storage import Database, Keys


async def _serve(url: str, port: int, lanes: int, key_file: Path | None) -> None:
    database = await Database.open(url, keys=Keys.open(key_file) if key_file else None)
    try:
        async with Engine(database, lanes=lanes) as engine:
            await serve(server(create_app(database, engine, settings=ApiSettings()), port=port))
    finally:
        await database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--lanes", type=int, required=True)
    parser.add_argument("--key-file", type=Path, help="of the keys that personal data is sealed with")
    arguments = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(arguments.url, arguments.port, arguments.lanes, arguments.key_file))


if __name__ == "__main__":
    main()
