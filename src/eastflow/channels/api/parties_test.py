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
        client.post("/v1/parties", json=party(name="Zoe Lee", reference=f"zoe:{number}"))
    client.post("/v1/parties", json=party(name="Zoe"))
    first = client.get("/v1/parties", params={"name": "zoe  LEE", "limit": 2}).json()
    second = client.get("/v1/parties", params={"cursor": first["cursor"], "limit": 2}).json()
    found = [each["reference"] for each in (*first["parties"], *second["parties"])]
    assert sorted(found) == ["zoe:0", "zoe:1", "zoe:2"]
    assert second["cursor"] is None


def test_a_role_ends(client: httpx.Client) -> None:
    sent = party()
    client.post("/v1/parties", json=sent)
    role = {"party": sent["id"], "account": 2, "kind": "disponent", "since": "2026-01-05"}
    client.post("/v1/roles", json=role)
    for _ in range(2):
        ended = client.post("/v1/roles/end", json=role | {"until": "2026-02-01"})
        assert ended.json() == role | {"until": "2026-02-01"}
    assert code(client.post("/v1/roles/end", json=role | {"until": "2026-03-01"})) == (409, "customers.role_ended")


def test_personal_data_is_masked_but_for_its_scope(bank: Served) -> None:
    sent = party(name="Wang Fang", reference="crm:99887766", born_on="1990-05-01", details={"sex": "female"})
    with bank.client(bank.key(Scope.PARTIES_READ, Scope.PARTIES_WRITE)) as teller:
        registered = teller.post("/v1/parties", json=sent).json()
        read = teller.get(f"/v1/parties/{sent['id']}").json()["party"]
        listed = teller.get("/v1/parties", params={"name": "Wang Fang"}).json()["parties"]
    assert registered == read == listed[0] == {
        "id": sent["id"], "kind": "person", "name": "W**", "opened_on": "2026-01-05", "born_on": None,
        "reference": "****7766", "details": {"sex": "****"}, "masked": True, "erased": False,
    }  # fmt: skip
    with bank.client(bank.key(Scope.PARTIES_READ, Scope.PARTIES_PERSONAL)) as officer:
        assert officer.get(f"/v1/parties/{sent['id']}").json()["party"] == sent | {"masked": False, "erased": False}


def test_reading_parties_needs_its_own_scope(bank: Served) -> None:
    with bank.client(bank.key(Scope.ENTRIES_READ)) as other:
        assert code(other.get("/v1/parties")) == (403, "api.scope_missing")
