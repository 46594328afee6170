"""A bank served on a real socket from a thread of its own, for the tests of this room."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit
from uuid import uuid4

import asyncpg
import httpx
import pytest
import uvicorn

from eastflow.channels.api import ApiSettings, Scope, create_app, keys
from eastflow.channels.api.server import server
from eastflow.ledger.actions import Engine
from eastflow.operations import Role
from eastflow.storage import Database, Keys, migrate

_Result = TypeVar("_Result")


class Served:
    """Where the bank is served, a key that may do everything, and a way to run work beside it."""

    def __init__(self, database_url: str, settings: ApiSettings) -> None:
        self.secret = ""
        self.url = ""
        self.database: Database
        self._database_url = database_url
        self._settings = settings
        self._uvicorn: uvicorn.Server
        self._loop: asyncio.AbstractEventLoop
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(60), "the bank did not start"
        assert self.url, "the bank did not start"

    def run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def key(self, *scopes: Scope) -> str:
        return self.run(self.database.run(lambda tx: keys.create_key(tx, "a test", scopes or tuple(Scope))))[1]

    def client(self, secret: str | None = None, **headers: str) -> httpx.Client:
        given = {"authorization": f"Bearer {secret or self.secret}", **headers}
        return httpx.Client(base_url=self.url, headers=given, timeout=30, trust_env=False)

    def stop(self) -> None:
        self._uvicorn.should_exit = True
        self._thread.join(30)

    async def _serve(self) -> None:
        try:
            self._loop = asyncio.get_running_loop()
            self.database = await Database.open(self._database_url, keys=Keys.random())
            await migrate(self.database)
            async with Engine(self.database) as engine:
                app = create_app(self.database, engine, settings=self._settings)
                everything: dict[str, Any] = {"scopes": tuple(Scope), "roles": tuple(Role)}
                self.secret = (await self.database.run(lambda tx: keys.create_key(tx, "all", **everything)))[1]
                self._uvicorn = server(app, port=0)
                serving = asyncio.create_task(self._uvicorn.serve())
                while not self._uvicorn.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
                    await asyncio.sleep(0.01)
                self.url = f"http://127.0.0.1:{self._uvicorn.servers[0].sockets[0].getsockname()[1]}"
                self._ready.set()
                await serving
            await self.database.close()
        finally:
            self._ready.set()


@contextmanager
def serving(server_url: str, **settings: Any) -> Iterator[Served]:
    """A bank of its own: a fresh database, an engine, a socket."""
    name = f"eastflow_api_{uuid4().hex}"

    async def administer(statement: str) -> None:
        connection = await asyncpg.connect(server_url)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(administer(f"CREATE DATABASE {name}"))
    parts = urlsplit(server_url)
    url = f"{parts.scheme}://{parts.netloc}/{quote(name)}" + (f"?{parts.query}" if parts.query else "")
    served = Served(url, ApiSettings(**settings))
    try:
        yield served
    finally:
        served.stop()
        asyncio.run(administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


@pytest.fixture(scope="module")
def bank(embedded_server: str) -> Iterator[Served]:
    """With two assets and six accounts: 1 to 3 hold crowns, 4 is frozen, 5 holds euros, 9 is the bank's own cash."""
    with serving(embedded_server) as served, served.client() as client:
        for code in ("CZK", "EUR"):
            assert client.put(f"/v1/assets/{code}", json={"scale": 2}).status_code == 200
        opened = [_account(1), _account(2), _account(3), _account(4), _account(5, asset="EUR")]
        opened.append(_account(9, side="debit", chart="assets:cash", floor_minor=None))
        answer = client.post("/v1/accounts/batch", json={"accounts": opened})
        assert [each["status"] for each in answer.json()["outcomes"]] == ["opened"] * 6
        assert client.post("/v1/entries", json=entry(9, 1, 1_000_000, kind="cash_deposit")).status_code == 201
        assert client.patch("/v1/accounts/4", json={"status": "frozen"}).status_code == 200
        yield served


def _account(number: int, **changes: object) -> dict[str, object]:
    told: dict[str, object] = {"id": number, "asset": "CZK", "side": "credit", "chart": "liabilities:deposits"}
    return told | {"opened_on": "2026-01-05"} | changes


def entry(debited: int, credited: int, amount: int, **changes: object) -> dict[str, object]:
    legs = [
        {"account": debited, "asset": "CZK", "amount_minor": -amount},
        {"account": credited, "asset": "CZK", "amount_minor": amount},
    ]
    told: dict[str, object] = {"id": str(uuid4()), "kind": "transfer", "value_date": "2026-01-05", "postings": legs}
    return told | changes
