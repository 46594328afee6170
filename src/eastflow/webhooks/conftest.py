"""Books, a receiver on a real socket and a clock that is told to go on, for the tests of this room."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import uvicorn

from eastflow.kernel import Asset, Refusal
from eastflow.ledger import Account, Done, Entry, Posting, Side
from eastflow.ledger.actions import Engine, define_asset, new_id, open_accounts
from eastflow.storage import Database
from eastflow.webhooks import Dispatcher, Endpoint, actions

DAY = date(2026, 1, 2)
ACCOUNTS = range(1, 9)


@dataclass
class Clock:
    """Time that passes only when told to."""

    at: datetime = datetime(2026, 1, 2, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **of: int) -> None:
        self.at += timedelta(**of)


@dataclass
class Receiver:
    """Keeps what it is told; `answer` says what it replies."""

    url: str = ""
    told: list[dict[str, Any]] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    answer: Callable[[dict[str, Any]], int] = lambda data: 200
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    hang: asyncio.Event | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        data = json.loads(body)["data"]
        self.heads.append({name.decode(): value.decode() for name, value in scope["headers"]})
        self.bodies.append(body)
        status = self.answer(data)
        if 200 <= status <= 299:
            self.told.append(data)
        self.arrived.set()
        if self.hang is not None:
            await self.hang.wait()
        place = [(b"location", b"/elsewhere")] if status == 302 else []
        await send({"type": "http.response.start", "status": status, "headers": place})
        await send({"type": "http.response.body", "body": b""})

    def ids(self) -> list[str]:
        return [data["id"] for data in self.told]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    told = Receiver()
    config = uvicorn.Config(told, port=0, lifespan="off", log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    told.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/hook"
    yield told
    if told.hang is not None:
        told.hang.set()
    server.should_exit = True
    await serving


@pytest.fixture
async def books(database: Database) -> Database:
    await database.run(lambda tx: define_asset(tx, Asset("EUR", 2)))
    accounts = [Account(n, "EUR", Side.CREDIT, "test:accounts", DAY, None) for n in ACCOUNTS]
    await database.run(lambda tx: open_accounts(tx, accounts))
    return database


def transfer(source: int, target: int, amount: int = 1, kind: str = "transfer") -> Entry:
    legs = (Posting(source, "EUR", -amount), Posting(target, "EUR", amount))
    return Entry(new_id(), kind, DAY, legs, memo="für 猫", details={"order": "1"})


async def book(database: Database, *entries: Entry) -> list[str]:
    """Each in a commit of its own, over several chains."""
    async with Engine(database, lanes=4) as engine:
        for entry in entries:
            assert isinstance(await engine.post(entry), Done)
    return [str(entry.id) for entry in entries]


async def register(database: Database, url: str, **how: Any) -> tuple[Endpoint, str]:
    made = await database.run(lambda tx: actions.register_endpoint(tx, url, loopback_allowed=True, **how))
    assert not isinstance(made, Refusal)
    return made


async def drain(dispatcher: Dispatcher, id: UUID) -> None:
    while await dispatcher.step(id):
        pass
