"""What callers are told when the world fails, and when we do."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import httpx

from eastflow.channels.api import Answer, ApiRefusal, Call, Operation, Scope, create_app, keys
from eastflow.kernel import Refusal
from eastflow.ledger.actions import Engine
from eastflow.storage import Database, embedded, migrate


async def fail(_: Call) -> Answer | Refusal:
    raise LookupError("a bug")


BROKEN = Operation("GET", "/v1/broken", "broken", "Test", Scope.REPORTS_READ, "Fail", fail, {200: list[int]})


async def test_a_bug_is_told_as_such_and_a_lost_database_as_a_fault_to_try_again() -> None:
    room = Path(tempfile.mkdtemp(prefix="eastflow-api-"))
    database = await Database.open(embedded.start(room / "bank", memory_bytes=512 << 20).url)
    try:
        await migrate(database)
        _, secret = await database.run(lambda tx: keys.create_key(tx, "a test", tuple(Scope)))
        async with Engine(database) as engine:
            app = create_app(database, engine, operations=(BROKEN,))
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            headers = {"authorization": f"Bearer {secret}"}
            async with httpx.AsyncClient(transport=transport, base_url="http://bank", headers=headers) as client:
                assert (await client.get("/v1/assets")).json() == []
                broken = await client.get("/v1/broken")
                assert (broken.status_code, broken.json()["code"]) == (500, ApiRefusal.INTERNAL_ERROR.value)
                embedded.stop(room / "bank")
                lost = await client.get("/v1/assets")
                assert (lost.status_code, lost.json()["code"]) == (503, ApiRefusal.UNAVAILABLE.value)
                assert lost.headers["retry-after"] == "1"
    finally:
        await database.close()
        embedded.stop(room / "bank")
        shutil.rmtree(room, ignore_errors=True)
