"""Parties and roles over HTTP: registering, replaying, refusing, paging."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from eastflow.channels.api import Scope
from eastflow.channels.api.conftest import Served


@pytest.fixture(scope="module")
def client(bank: Served) -> Iterator[httpx.Client]:
    with bank.client() as opened:
        yield opened


def party(**changes: object) -> dict[str, object]:
    told: dict[str, object] = {"id": str(uuid4()), "kind": "person", "name": "Li Na", "opened_on": "2026-01-05"}
    return told | changes


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code")


def test_a_party_is_registered_once_and_owns_an_account(client: httpx.Client) -> None:
    sent = party(reference="crm:1", born_on="1990-05-01")
    assert client.post("/v1/parties", json=sent).status_code == 200
    assert client.post("/v1/parties", json=sent).json()["name"] == "Li Na"
    role = {"party": sent["id"], "account": 1, "kind": "owner", "since": "2026-01-05"}
    assert client.post("/v1/roles", json=role).json() == role | {"until": None}
    read = client.get(f"/v1/parties/{sent['id']}").json()
    assert (read["party"]["reference"], [each["account"] for each in read["roles"]]) == ("crm:1", [1])


def test_refusals_have_their_status(client: httpx.Client) -> None:
    known = party(reference="crm:2")
    client.post("/v1/parties", json=known)
    refused = {
        (409, "customers.party_id_reused"): known | {"name": "Other"},
        (409, "customers.reference_taken"): party(reference="crm:2"),
        (422, "customers.born_in_future"): party(born_on="2999-01-01"),
        (422, "customers.opened_in_future"): party(opened_on="2999-01-01"),
        (422, "customers.text_malformed"): party(name="a\0b"),
        (400, "api.body_malformed"): party(kind="robot"),
    }
    for expected, body in refused.items():
        assert code(client.post("/v1/parties", json=body)) == expected
    assert code(client.get(f"/v1/parties/{uuid4()}")) == (404, "customers.party_not_found")
    role = {"party": known["id"], "account": 404, "kind": "owner", "since": "2026-01-05"}
    assert code(client.post("/v1/roles", json=role)) == (404, "ledger.account_not_found")
    reversed_period = role | {"account": 1, "until": "2026-01-04"}
    assert code(client.post("/v1/roles", json=reversed_period)) == (422, "customers.period_reversed")


def test_pages_keep_their_filter(client: httpx.Client) -> None:
    for number in range(3):
        client.post("/v1/parties", json=party(name=f"Zoe {number}"))
    client.post("/v1/parties", json=party(name="Adam"))
    first = client.get("/v1/parties", params={"name_prefix": "Zoe", "limit": 2}).json()
    second = client.get("/v1/parties", params={"cursor": first["cursor"], "limit": 2}).json()
    assert [each["name"] for each in (*first["parties"], *second["parties"])] == ["Zoe 0", "Zoe 1", "Zoe 2"]
    assert second["cursor"] is None


def test_reading_parties_needs_its_own_scope(bank: Served) -> None:
    with bank.client(bank.key(Scope.ENTRIES_READ)) as other:
        assert code(other.get("/v1/parties")) == (403, "api.scope_missing")
