"""Whatever cursor or date a caller makes up, the bank answers with a refusal and never with a fault of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from eastflow.channels.api.conftest import Served, entry
from eastflow.ledger.cursor_test import (
    FORGED_SEARCHES,
    FORGED_STATEMENTS,
    NO_NUMBERS,
    NO_TEXTS,
    NOT_EVEN_CONTENT,
    forged,
)

PATHS = [
    "/v1/entries", "/v1/accounts/1/statement", "/v1/accounts", "/v1/accounts/1/holds", "/v1/parties", "/v1/keys",
]  # fmt: skip
STATEMENT_PATH = "/v1/accounts/2/statement"


@pytest.fixture(scope="module")
def client(bank: Served) -> Iterator[httpx.Client]:
    """With two of everything that is given out in pages."""
    with bank.client() as opened:
        for _ in range(2):
            assert opened.post("/v1/entries", json=entry(1, 2, 100)).status_code == 201
            hold = {"id": str(uuid4()), "account": 1, "asset": "CZK", "amount_minor": 1}
            assert opened.post("/v1/holds", json=hold).status_code == 201
            party = {"id": str(uuid4()), "kind": "person", "name": "Li Na", "opened_on": "2026-01-05"}
            assert opened.post("/v1/parties", json=party).status_code == 200
        assert opened.post("/v1/keys", json={"name": "another", "scopes": ["assets:read"]}).status_code == 201
        yield opened


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code")


REFUSED = (400, "api.cursor_malformed")
TOO_LONG = 4_000


def test_forged_searches_and_statements_are_refused(client: httpx.Client) -> None:
    for path, contents in (("/v1/entries", FORGED_SEARCHES), (STATEMENT_PATH, FORGED_STATEMENTS)):
        for content in contents:
            assert code(client.get(path, params={"cursor": forged(content)})) == REFUSED, (path, content)


ACCOUNTS: dict[str, Any] = {"after": 1, "chart": None, "owner": None}
PARTIES: dict[str, Any] = {"after": str(uuid4()), "name": None}
FORGED_PAGES: list[tuple[str, Any]] = [
    *(("/v1/accounts", ACCOUNTS | {"after": number}) for number in [*NO_NUMBERS, 0, None]),
    *(("/v1/accounts", ACCOUNTS | {name: text}) for name in ("chart", "owner") for text in [*NO_TEXTS, "", "x" * 201]),
    ("/v1/accounts", ACCOUNTS | {"more": 1}),
    *(("/v1/parties", PARTIES | {"after": id}) for id in (*NO_NUMBERS, "x", None)),
    *(("/v1/parties", PARTIES | {"name": text}) for text in NO_TEXTS[2:]),
    *(("/v1/accounts/1/holds", {"account": 1, "after_hold": id}) for id in (*NO_NUMBERS, "x", None)),
    *(("/v1/accounts/1/holds", {"account": number, "after_hold": str(uuid4())}) for number in [*NO_NUMBERS, 2, None]),
    *(("/v1/keys", id) for id in (*NO_NUMBERS, "x", None)),
]


def test_forged_pages_are_refused(client: httpx.Client) -> None:
    for path, content in FORGED_PAGES:
        assert code(client.get(path, params={"cursor": forged(content)})) == REFUSED, (path, content)
    for path in PATHS:
        for cursor in NOT_EVEN_CONTENT:
            if cursor and cursor != "\ud800":
                expected = REFUSED if len(cursor) <= TOO_LONG else (400, "api.parameter_malformed")
                assert code(client.get(path, params={"cursor": cursor})) == expected, (path, cursor[:80])


def test_a_name_that_cannot_be_is_found_nowhere(client: httpx.Client) -> None:
    for prefix in ("a\0b", "x" * 2_000):
        answer = client.get("/v1/parties", params={"cursor": forged(PARTIES | {"name": prefix})})
        assert (answer.status_code, answer.json()["parties"]) == (200, []), prefix[:10]


def test_a_cursor_is_for_the_list_that_gave_it(client: httpx.Client) -> None:
    """Its own list goes on with it; every other one refuses it, that of another account too."""
    today = datetime.now(UTC).date().isoformat()
    given = {}
    for path in PATHS:
        period = {"since": "2026-01-01", "until": today} if path.endswith("statement") else {}
        given[path] = client.get(path, params={"limit": 1, **period}).json()["cursor"]
    assert all(given.values())
    for source, cursor in given.items():
        for path in (*PATHS, "/v1/accounts/2/statement", "/v1/accounts/2/holds"):
            answer = client.get(path, params={"cursor": cursor})
            if path == source:
                assert answer.status_code == 200, path
            else:
                assert code(answer) == REFUSED, (source, path)


DAYS = ["0001-01-01", "0001-01-02", "1899-12-31", "3000-01-01", "9999-12-30", "9999-12-31"]
MOMENTS = [
    "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00-12:00", "0001-01-01T00:00:00Z", "1899-12-31T23:59:59.999999Z",
    "3000-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-12:00",
    "9999-12-31T23:59:59+14:00",
]  # fmt: skip
NEAR_DAYS = ["1900-01-01", "2999-12-31"]
NEAR_MOMENTS = [
    "1900-01-01T00:00:00+14:00", "1900-01-01T00:00:00-12:00", "2999-12-31T23:59:59.999999+14:00",
    "2999-12-31T23:59:59.999999-12:00",
]  # fmt: skip


def asked(days: list[str], moments: list[str]) -> list[tuple[str, dict[str, str]]]:
    """Each parameter that is a date or a moment, at each of these."""
    found: list[tuple[str, dict[str, str]]] = []
    for day in days:
        found += [("/v1/entries", {name: day}) for name in ("valued_from", "valued_through")]
        found.append(("/v1/accounts/1/balance", {"valued_on": day}))
        for basis in ("booked", "valued"):
            found.append((STATEMENT_PATH, {"since": day, "until": "2026-01-05", "basis": basis}))
            found.append((STATEMENT_PATH, {"since": "2026-01-05", "until": day, "basis": basis}))
            found.append((STATEMENT_PATH, {"since": day, "until": day, "basis": basis}))
    for moment in moments:
        found += [("/v1/entries", {name: moment}) for name in ("booked_from", "booked_before")]
        found.append(("/v1/accounts/1/balance", {"at": moment}))
        found.append(("/v1/trial-balance", {"at": moment}))
    return found


def test_dates_at_the_ends_of_the_calendar_are_refused(client: httpx.Client) -> None:
    for path, parameters in asked(DAYS, MOMENTS):
        assert code(client.get(path, params=parameters)) == (400, "api.parameter_malformed"), (path, parameters)


def test_dates_at_the_ends_of_what_is_taken_are_answered(client: httpx.Client) -> None:
    for path, parameters in asked(NEAR_DAYS, NEAR_MOMENTS):
        answer = client.get(path, params=parameters | ({} if "balance" in path else {"limit": "1"}))
        early = "balance" in path and parameters.get("at", "").startswith("1900") and path.startswith("/v1/accounts")
        assert answer.status_code == (404 if early else 200), (path, parameters, answer.text)
        cursor = answer.json().get("cursor")
        if cursor:
            assert client.get(path, params={"cursor": cursor}).status_code == 200, (path, parameters)


def test_value_dates_at_the_ends_of_the_calendar(client: httpx.Client) -> None:
    """What has been booked with a very early value date is read back, stated and searched like any other."""
    late = client.post("/v1/entries", json=entry(1, 2, 1, value_date="9999-12-31"))
    assert code(late) == (422, "ledger.value_date_in_future")
    early = entry(1, 2, 7, value_date="0001-01-01", kind="early")
    posted = client.post("/v1/entries", json=early)
    assert posted.status_code == 201, posted.text
    assert client.get(f"/v1/entries/{early['id']}").json()["value_date"] == "0001-01-01"
    found = client.get("/v1/entries", params={"kind": "early", "valued_through": "1900-01-01"}).json()["entries"]
    assert [each["id"] for each in found] == [early["id"]]
    assert client.get("/v1/accounts/2/balance", params={"valued_on": "1900-01-01"}).json()["posted_minor"] == 7
    period = {"since": "1900-01-01", "until": "2999-12-31", "basis": "valued"}
    assert client.get(STATEMENT_PATH, params=period).json()["opening_minor"] == 7
    undone = client.post(f"/v1/entries/{early['id']}/reversal", json={"id": str(uuid4())})
    assert undone.status_code == 201, undone.text


BODIES: list[tuple[str, dict[str, Any]]] = [
    ("/v1/accounts", {"id": 71, "asset": "CZK", "side": "credit", "chart": "x", "opened_on": "0001-01-01"}),
    ("/v1/accounts", {"id": 72, "asset": "CZK", "side": "credit", "chart": "x", "opened_on": "9999-12-31"}),
    ("/v1/parties", {"kind": "person", "name": "A", "opened_on": "0001-01-01"}),
    ("/v1/parties", {"kind": "person", "name": "A", "opened_on": "9999-12-31"}),
    ("/v1/parties", {"kind": "person", "name": "A", "opened_on": "2026-01-05", "born_on": "0001-01-01"}),
    ("/v1/parties", {"kind": "person", "name": "A", "opened_on": "2026-01-05", "born_on": "9999-12-31"}),
]


def test_bodies_with_dates_at_the_ends_of_the_calendar(client: httpx.Client) -> None:
    party = {"id": str(uuid4()), "kind": "person", "name": "Li Na", "opened_on": "2026-01-05"}
    assert client.post("/v1/parties", json=party).status_code == 200
    ends = ("0001-01-01", "9999-12-31")
    roles = [
        ("/v1/roles", {"party": party["id"], "account": 1, "kind": "owner", "since": since, "until": until})
        for since in ends
        for until in (None, *ends)
    ]
    for path, body in [*BODIES, *roles]:
        sent = {"id": str(uuid4())} | body if path == "/v1/parties" else body
        first = client.post(path, json=sent)
        assert first.status_code < 500, (path, body, first.text)
        if first.status_code < 300:
            again = client.post(path, json=sent)
            assert again.status_code == 200, (path, body, again.text)
            differing = {key: value for key, value in again.json().items() if key in sent and sent[key] != value}
            assert not differing, json.dumps(differing)
    assert client.get(f"/v1/parties/{party['id']}").status_code == 200
