"""The same desk behind HTTP and the command line: what they carry, and what they keep out."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from typer.testing import CliRunner

from eastflow.channels.api import Scope, create_app
from eastflow.channels.api.keys import create_key
from eastflow.channels.api.routes_iso20022 import iso20022_operations
from eastflow.channels.iso20022 import MessageDesk
from eastflow.channels.iso20022.conftest import (
    NOW,
    SETTINGS,
    START_MINOR,
    TODAY,
    Bank,
    Paid,
    pacs002,
    pain001,
    texts,
    valid,
)
from eastflow.ledger.actions import Engine
from eastflow.main import app

MESSAGES = "/v1/iso20022/messages"


class Caller:
    def __init__(self, bank: Bank, client: httpx.AsyncClient) -> None:
        self._bank = bank
        self.client = client

    async def key(self, name: str, *scopes: Scope) -> dict[str, str]:
        _, secret = await self._bank.database.run(lambda tx: create_key(tx, name, scopes))
        return {"authorization": f"Bearer {secret}"}


@pytest.fixture
async def caller(bank: Bank) -> AsyncIterator[Caller]:
    desk = MessageDesk(bank.database, SETTINGS, today=lambda: TODAY, clock=lambda: NOW + timedelta(days=1))
    async with Engine(bank.database) as engine:
        asgi = httpx.ASGITransport(create_app(bank.database, engine, operations=iso20022_operations(desk)))
        async with httpx.AsyncClient(transport=asgi, base_url="http://bank") as client:
            yield Caller(bank, client)


async def test_a_message_is_answered_and_kept(caller: Caller, bank: Bank) -> None:
    key = await caller.key("company", Scope.ISO20022_READ, Scope.ISO20022_WRITE)
    trusted = await caller.key("trusted", Scope.ISO20022_READ, Scope.PARTIES_PERSONAL)
    operator = await caller.key("operator", Scope.OPERATIONS_WRITE)
    sent = pain001([Paid()]).encode()
    first = await caller.client.post(MESSAGES, content=sent, headers=key)
    again = await caller.client.post(MESSAGES, content=sent, headers=key)
    assert (first.status_code, first.headers["content-type"]) == (200, "application/xml")
    assert texts(valid(first.content), "TxSts") == ["ACSC"]
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    id = first.headers["eastflow-message"]
    assert (await caller.client.post(f"{MESSAGES}/{id}/delivery", headers=key)).status_code == 403
    assert (await caller.client.post(MESSAGES, content=sent, headers=operator)).status_code == 403
    untouched = await caller.client.post(f"{MESSAGES}/{id}/delivery", headers=operator)
    assert (untouched.status_code, untouched.json()["status"]) == (200, "done")
    assert (await caller.client.post(f"{MESSAGES}/{uuid4()}/delivery", headers=operator)).status_code == 404
    kept = (await caller.client.get(f"{MESSAGES}/{id}", headers=key)).json()
    assert kept["content"] is None, "it names payers and payees"
    open_to_them = (await caller.client.get(f"{MESSAGES}/{id}", headers=trusted)).json()
    assert base64.b64decode(open_to_them["content"]) == sent
    assert (kept["message"]["counterparty"], kept["message"]["kind"]) == ("company", "pain.001.001.10")
    page: Any = (await caller.client.get(MESSAGES, params={"limit": 1}, headers=key)).json()
    rest = (await caller.client.get(MESSAGES, params={"cursor": page["cursor"]}, headers=key)).json()
    found = [*page["messages"], *rest["messages"]]
    assert {each["direction"]: each["answers"] for each in found} == {"received": None, "sent": id}
    assert rest["cursor"] is None
    assert await bank.posted(1) == START_MINOR - 1_000


async def test_who_asked_for_payments_asks_what_has_become_of_them(caller: Caller) -> None:
    key = await caller.key("company", Scope.ISO20022_READ, Scope.ISO20022_WRITE)
    other = await caller.key("other", Scope.ISO20022_READ)
    trusted = await caller.key("trusted", Scope.ISO20022_READ, Scope.PARTIES_PERSONAL)
    sent = await caller.client.post(MESSAGES, content=pain001([Paid()], day="2026-02-01"), headers=key)
    path = f"{MESSAGES}/{sent.headers['eastflow-message']}/status-report"
    for allowed in (key, trusted):
        told = await caller.client.get(path, headers=allowed)
        assert (told.status_code, told.headers["content-type"]) == (200, "application/xml")
        assert texts(valid(told.content), "TxSts") == ["ACCP"]
    refused = await caller.client.get(path, headers=other)
    assert (refused.status_code, refused.json()["code"]) == (403, "api.scope_missing")
    assert (await caller.client.get(f"{MESSAGES}/{uuid4()}/status-report", headers=key)).status_code == 404


async def test_what_is_no_message_or_not_permitted_is_a_problem(caller: Caller) -> None:
    writes, reads = await caller.key("company", Scope.ISO20022_WRITE), await caller.key("x", Scope.ISO20022_READ)
    for content in (b"", b"{}", b"<!DOCTYPE a><a/>", pacs002(uuid4(), "ACSC").encode()):
        answer = await caller.client.post(MESSAGES, content=content, headers=writes)
        assert (answer.status_code, answer.json()["code"]) == (400, "api.body_malformed")
    assert (await caller.client.post(MESSAGES, content=b"<a/>", headers=reads)).status_code == 403
    assert (await caller.client.get(MESSAGES, headers=writes)).status_code == 403
    assert (await caller.client.get(f"{MESSAGES}/{uuid4()}", headers=reads)).status_code == 404


async def test_an_answer_is_taken_without_one(caller: Caller) -> None:
    key = await caller.key("clearing", Scope.ISO20022_WRITE)
    answer = await caller.client.post(MESSAGES, content=pacs002(uuid4(), "ACSC").encode(), headers=key)
    assert (answer.status_code, answer.content) == (202, b"")


async def test_statements_are_read_by_account_and_day(caller: Caller) -> None:
    key = await caller.key("company", Scope.ISO20022_READ)
    for name, root in (("statements", "Stmt"), ("notifications", "Ntfctn")):
        answer = await caller.client.get(f"/v1/iso20022/{name}/1/{TODAY}", headers=key)
        assert texts(valid(answer.content), root) != []
        for missing in (f"1/{TODAY}?page=2", f"77/{TODAY}"):
            assert (await caller.client.get(f"/v1/iso20022/{name}/{missing}", headers=key)).status_code == 404
        for malformed in ("1/today", "x/2026-01-05", f"1/{TODAY}?page=0", "1/0001-01-01", "1/9999-12-31"):
            assert (await caller.client.get(f"/v1/iso20022/{name}/{malformed}", headers=key)).status_code == 400
    ahead = await caller.client.get(f"/v1/iso20022/statements/1/{TODAY + timedelta(days=1)}", headers=key)
    assert ahead.status_code == 404, "the day goes on"


async def test_the_reference_shows_messages(caller: Caller) -> None:
    document = (await caller.client.get("/openapi.json")).json()
    body = document["paths"][MESSAGES]["post"]["requestBody"]["content"]
    assert list(body) == ["application/xml"]
    assert MESSAGES in (await caller.client.get("/docs")).text


def test_the_command_line_takes_a_file(bank: Bank, tmp_path: Path) -> None:
    environment = {"EASTFLOW_DATABASE_URL": bank.database.url, "EASTFLOW_KEY_FILE": str(tmp_path / "keys")}

    def run(*words: str, status: int = 0) -> str:
        result = CliRunner().invoke(app, ["iso20022", *words], env=environment)
        assert result.exit_code == status, (words, result.output, result.exception)
        return result.stdout or result.stderr

    file = tmp_path / "message.xml"
    file.write_text(pain001([Paid()]))
    answer = run("receive", str(file), "--sender", "company")
    assert texts(valid(answer.strip().encode()), "TxSts") == ["ACSC"]
    taken = json.loads(run("receive", str(file), "--sender", "company", "--json"))
    assert taken["replayed"] is True
    listed = json.loads(run("list", "--json"))
    assert sorted(each["direction"] for each in listed) == ["received", "sent"]
    assert json.loads(run("show", taken["id"], "--personal", "--json"))["content"] == file.read_text()
    assert json.loads(run("again", taken["id"], "--json"))["status"] == "done"
    assert "no message" in run("again", str(uuid4()), status=1)
    assert texts(valid(run("status", taken["id"]).strip().encode()), "TxSts") == ["ACSC"]
    assert "no message" in run("status", str(uuid4()), status=1)
    assert "Ntfctn" in run("notification", "1", "--day", str(TODAY))
    assert "Stmt" in run("statement", "1", "--day", str(TODAY))
    file.write_text("<a/>")
    assert "not a message" in run("receive", str(file), "--sender", "company", status=1)
    assert "no message" in run("show", str(uuid4()), status=1)
    assert "no statement" in run("statement", "77", "--day", str(TODAY), status=1)
