"""Webhooks and events over HTTP: registered, told, disabled, enabled, replayed, deleted; and the same events pulled."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from eastflow.channels.api import Scope
from eastflow.channels.api.conftest import Served, entry
from eastflow.kernel import Refusal
from eastflow.webhooks import Dispatcher
from eastflow.webhooks.actions import register_endpoint

URL = "https://books.example/hook"
LARGE_PAGE = 1_000


class Receiver:
    """On a socket of its own, from threads of its own; keeps what it is told and answers with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.ids: list[str] = []
        self.bodies: list[Any] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.ids.append(self.headers["webhook-id"])
                receiver.bodies.append(json.loads(body))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def client(bank: Served) -> Iterator[httpx.Client]:
    with bank.client() as opened:
        yield opened


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code")


def register(bank: Served, url: str) -> str:
    """This machine is no address that HTTP would take: the operator's verb is."""
    made = bank.run(bank.database.run(lambda tx: register_endpoint(tx, url, loopback_allowed=True)))
    assert not isinstance(made, Refusal)
    return str(made[0].id)


def drain(bank: Served, id: str, *, seconds_later: int = 0) -> None:
    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=seconds_later)

    async def work() -> None:
        async with Dispatcher(bank.database, clock=clock) as dispatcher:
            while await dispatcher.step(UUID(id)):
                pass

    bank.run(work())


def read_on(client: httpx.Client, cursor: str | None, limit: int) -> tuple[list[Any], str]:
    """Every event after the cursor, page by page, and the cursor at the end."""
    events: list[Any] = []
    while True:
        asked = {"limit": str(limit)} | ({} if cursor is None else {"cursor": cursor})
        page = client.get("/v1/events", params=asked).json()
        assert len(page["events"]) <= limit
        cursor = page["cursor"]
        assert isinstance(cursor, str)
        if not page["events"]:
            return events, cursor
        events += page["events"]


def book(client: httpx.Client, count: int = 1) -> list[str]:
    sent = [entry(1, 2, 1) for _ in range(count)]
    answer = client.post("/v1/entries/batch", json={"entries": sent})
    assert {each["status"] for each in answer.json()["outcomes"]} == {"posted"}
    return [str(each["id"]) for each in sent]


def test_a_webhook_from_its_first_day_to_its_last(client: httpx.Client) -> None:
    made = client.post("/v1/webhooks", json={"url": URL, "kinds": ["transfer", "fee"], "accounts": [2, 1]})
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    told, secret = made.json()["webhook"], made.json()["secret"]
    assert secret.startswith("whsec_")
    assert (told["url"], told["kinds"], told["accounts"]) == (URL, ["fee", "transfer"], [1, 2])
    path = f"/v1/webhooks/{told['id']}"
    assert client.get(path).json() == told | {"disabled_at": None}
    assert told in client.get("/v1/webhooks").json()["webhooks"]
    rotated = client.post(f"{path}/secret")
    assert (rotated.status_code, rotated.headers["cache-control"]) == (200, "no-store")
    assert rotated.json()["secret"] not in ("", secret)
    assert secret not in client.get(path).text + client.get("/v1/webhooks").text
    disabled = client.patch(path, json={"disabled": True}).json()
    assert disabled["disabled_at"] is not None
    assert client.patch(path, json={"disabled": True}).json() == disabled
    assert code(client.post(f"{path}/secret")) == (409, "webhooks.endpoint_disabled")
    assert code(client.post(f"{path}/replay", json={"cursor": None})) == (409, "webhooks.endpoint_disabled")
    assert client.patch(path, json={"disabled": False}).json() == told
    assert client.post(f"{path}/replay", json={"cursor": None}).json() == told
    assert client.delete(path).json() == told
    assert told["id"] not in client.get("/v1/webhooks").text
    for answer in (client.get(path), client.delete(path), client.get(f"{path}/deliveries")):
        assert code(answer) == (404, "webhooks.endpoint_not_found")


def test_what_is_pulled_is_what_is_sent_in_its_order(bank: Served, client: httpx.Client, receiver: Receiver) -> None:
    _, before = read_on(client, None, LARGE_PAGE)
    id = register(bank, receiver.url)
    booked = [each for _ in range(4) for each in book(client, 3)]
    drain(bank, id)
    pulled, cursor = read_on(client, before, 5)
    assert [each.pop("id") for each in pulled] == receiver.ids
    assert pulled == receiver.bodies
    assert sorted(receiver.ids) == sorted(booked)
    again, same = read_on(client, before, 1)
    assert ([each["data"]["id"] for each in again], same) == (receiver.ids, cursor)
    assert read_on(client, cursor, 5) == ([], cursor), "asked again, there is nothing new"
    fresh = book(client)
    assert [each["id"] for each in read_on(client, cursor, 5)[0]] == fresh
    everything = [each["id"] for each in read_on(client, None, LARGE_PAGE)[0]]
    assert set(booked) < set(everything)
    assert len(everything) == len(set(everything))


def test_registering_and_replaying_begin_at_a_cursor(bank: Served, client: httpx.Client, receiver: Receiver) -> None:
    _, cursor = read_on(client, None, LARGE_PAGE)
    booked = book(client, 2)
    id = register(bank, receiver.url)
    drain(bank, id)
    assert receiver.ids == []
    for _ in range(2):
        assert client.post(f"/v1/webhooks/{id}/replay", json={"cursor": cursor}).status_code == 200
        drain(bank, id)
    assert receiver.ids == booked * 2
    late = client.post("/v1/webhooks", json={"url": URL, "from_cursor": cursor}).json()["webhook"]["id"]

    async def read_into_deliveries() -> None:
        async with Dispatcher(bank.database) as dispatcher:
            await dispatcher.fan_out(UUID(late))

    bank.run(read_into_deliveries())
    waiting = client.get(f"/v1/webhooks/{late}/deliveries").json()["deliveries"]
    assert [each["event"] for each in waiting] == booked
    client.delete(f"/v1/webhooks/{late}")


def test_deliveries_are_listed_by_what_became_of_them(bank: Served, client: httpx.Client, receiver: Receiver) -> None:
    id = register(bank, receiver.url)
    good = book(client)
    drain(bank, id)
    receiver.status = 410
    bad = book(client)
    drain(bank, id)
    path = f"/v1/webhooks/{id}/deliveries"
    first, second = client.get(path).json()["deliveries"]
    assert ([first["event"]], first["status"], first["last_status"]) == (good, "delivered", 200)
    assert ([second["event"]], second["status"], second["last_status"]) == (bad, "pending", 410)
    assert first["next_attempt_at"] is None
    assert second["next_attempt_at"] is not None
    assert (second["attempts"], second["accounts"], second["type"]) == (1, [1, 2], "ledger.entry_booked")
    assert client.get(path, params={"status": "pending"}).json()["deliveries"] == [second]
    assert client.get(path, params={"status": "failed"}).json() == {"deliveries": [], "cursor": None}
    assert client.get(f"/v1/webhooks/{id}").json()["disabled_at"] is not None, "410 means: no more"
    receiver.status = 200
    assert client.patch(f"/v1/webhooks/{id}", json={"disabled": False}).status_code == 200
    drain(bank, id, seconds_later=10)
    assert receiver.ids == [*good, *bad, *bad]


def test_pages_of_the_largest_size_go_on(bank: Served, client: httpx.Client, receiver: Receiver) -> None:
    id = register(bank, receiver.url)
    _, cursor = read_on(client, None, LARGE_PAGE)
    booked = book(client, LARGE_PAGE + 1)

    async def read_into_deliveries() -> None:
        async with Dispatcher(bank.database) as dispatcher:
            while await dispatcher.fan_out(UUID(id)):
                pass

    bank.run(read_into_deliveries())
    path = f"/v1/webhooks/{id}/deliveries"
    page = client.get(path, params={"limit": LARGE_PAGE, "status": "pending"}).json()
    rest = client.get(path, params={"limit": LARGE_PAGE, "cursor": page["cursor"]}).json()
    assert [each["event"] for each in (*page["deliveries"], *rest["deliveries"])] == booked
    assert rest["cursor"] is None
    assert [each["id"] for each in read_on(client, cursor, LARGE_PAGE)[0]] == booked
    client.delete(f"/v1/webhooks/{id}")


def test_webhooks_are_listed_page_by_page(client: httpx.Client) -> None:
    made = [client.post("/v1/webhooks", json={"url": f"{URL}/{n}"}).json()["webhook"]["id"] for n in range(3)]
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = client.get("/v1/webhooks", params={"limit": "2"} | ({"cursor": cursor} if cursor else {})).json()
        found += [each["id"] for each in page["webhooks"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert [id for id in found if id in made] == made
    assert len(found) == len(set(found))


NONE = f"/v1/webhooks/{uuid4()}"
Ask = Callable[[httpx.Client], httpx.Response]


def registering(**told: object) -> Ask:
    return lambda client: client.post("/v1/webhooks", json={"url": URL} | told)


BAD: list[tuple[str, Ask, int, str]] = [
    ("no address", registering(url="x"), 422, "webhooks.url_malformed"),
    ("a password in it", registering(url="https://me:secret@books.example/"), 422, "webhooks.url_malformed"),
    ("not https", registering(url="http://books.example/"), 422, "webhooks.url_not_https"),
    ("this machine", registering(url="http://127.0.0.1:8080/"), 422, "webhooks.url_not_https"),
    ("this machine by https", registering(url="https://localhost/"), 422, "webhooks.url_not_public"),
    ("a private address", registering(url="https://169.254.169.254/"), 422, "webhooks.url_not_public"),
    ("no kinds", registering(kinds=[]), 422, "webhooks.filter_malformed"),
    ("no account", registering(accounts=[0]), 422, "webhooks.filter_malformed"),
    ("a made-up cursor", registering(from_cursor="x"), 400, "webhooks.cursor_malformed"),
    ("unknown field", registering(colour="red"), 400, "api.body_malformed"),
    ("events' cursor", lambda c: c.get("/v1/events?cursor=x"), 400, "webhooks.cursor_malformed"),
    ("webhooks' cursor", lambda c: c.get("/v1/webhooks?cursor=x"), 400, "api.cursor_malformed"),
    ("deliveries' cursor", lambda c: c.get(f"{NONE}/deliveries?cursor=x"), 400, "api.cursor_malformed"),
    ("unknown status", lambda c: c.get(f"{NONE}/deliveries?status=lost"), 400, "api.parameter_malformed"),
    ("reading none", lambda c: c.get(NONE), 404, "webhooks.endpoint_not_found"),
    ("changing none", lambda c: c.patch(NONE, json={"disabled": False}), 404, "webhooks.endpoint_not_found"),
    ("deleting none", lambda c: c.delete(NONE), 404, "webhooks.endpoint_not_found"),
    ("a secret for none", lambda c: c.post(f"{NONE}/secret"), 404, "webhooks.endpoint_not_found"),
    ("replaying none", lambda c: c.post(f"{NONE}/replay", json={"cursor": None}), 404, "webhooks.endpoint_not_found"),
    ("replaying from nowhere", lambda c: c.post(f"{NONE}/replay", json={}), 400, "api.body_malformed"),
    ("deliveries of none", lambda c: c.get(f"{NONE}/deliveries"), 404, "webhooks.endpoint_not_found"),
]


@pytest.mark.parametrize(("ask", "status", "refused"), [each[1:] for each in BAD], ids=[each[0] for each in BAD])
def test_a_bad_request_is_refused_with_its_own_code(client: httpx.Client, ask: Ask, status: int, refused: str) -> None:
    answer = ask(client)
    assert code(answer) == (status, refused), answer.text
    assert "—" not in answer.json()["detail"]


def test_a_malformed_cursor_of_a_replay_is_refused_in_the_callers_language(bank: Served, client: httpx.Client) -> None:
    id = register(bank, "http://127.0.0.1:9/")
    answer = client.post(f"/v1/webhooks/{id}/replay", json={"cursor": "x"}, headers={"accept-language": "zh"})
    assert code(answer) == (400, "webhooks.cursor_malformed")
    assert answer.json()["title"] == "事件游标错误"
    client.delete(f"/v1/webhooks/{id}")


def test_reading_telling_and_listening_are_scopes_of_their_own(bank: Served) -> None:
    def statuses(scope: Scope) -> list[int]:
        with bank.client(bank.key(scope)) as other:
            asked = [
                other.get("/v1/events"),
                other.get("/v1/webhooks"),
                other.get(NONE),
                other.get(f"{NONE}/deliveries"),
                other.post("/v1/webhooks", json={"url": "x"}),
                other.patch(NONE, json={"disabled": True}),
                other.delete(NONE),
                other.post(f"{NONE}/secret"),
                other.post(f"{NONE}/replay", json={"cursor": None}),
            ]
            return [each.status_code for each in asked]

    assert statuses(Scope.EVENTS_READ) == [200] + [403] * 8
    assert statuses(Scope.WEBHOOKS_READ) == [403, 200, 404, 404] + [403] * 5
    assert statuses(Scope.WEBHOOKS_WRITE) == [403] * 4 + [422] + [404] * 4
    assert statuses(Scope.ENTRIES_READ) == [403] * 9
