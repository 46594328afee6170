"""Opening a bank: its database found or started, its tables brought up to date, its engine running."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from eastflow.ledger.actions import Engine
from eastflow.storage import Database, embedded, migrate


@dataclass(frozen=True, slots=True)
class Settings:
    """What an installation sets in its environment."""

    database_url: str | None = None
    data_dir: Path = Path("data")
    host: str = "127.0.0.1"
    port: int = 8080
    lanes: int = 2

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        usual = cls()
        return cls(
            database_url=environment.get("EASTFLOW_DATABASE_URL") or None,
            data_dir=Path(environment.get("EASTFLOW_DATA_DIR") or usual.data_dir),
            host=environment.get("EASTFLOW_HOST") or usual.host,
            port=int(environment.get("EASTFLOW_PORT") or usual.port),
            lanes=int(environment.get("EASTFLOW_LANES") or usual.lanes),
        )


@dataclass(frozen=True, slots=True)
class Bank:
    database: Database
    engine: Engine
    settings: Settings


@asynccontextmanager
async def open_bank(settings: Settings) -> AsyncIterator[Bank]:
    """An embedded server that had to be started for this is stopped again at the end; one that ran is left running.

    Errors: StorageFault, SchemaFault, EmbeddedServerFault.
    """
    started = settings.database_url is None and embedded.running(settings.data_dir) is None
    url = settings.database_url or (await asyncio.to_thread(embedded.start, settings.data_dir)).url
    try:
        database = await Database.open(url)
        try:
            await migrate(database)
            async with Engine(database, lanes=settings.lanes) as engine:
                yield Bank(database, engine, settings)
        finally:
            await database.close()
    finally:
        if started:
            await asyncio.to_thread(embedded.stop, settings.data_dir)
