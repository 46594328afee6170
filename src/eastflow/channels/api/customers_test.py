"""Documents, merging, erasing and account classes over HTTP: one customer whatever the way in."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from eastflow.channels.api import Scope
from eastflow.channels.api.conftest import Served

OPENED = "2010-01-05"


@pytest.fixture(scope="module")
def client(bank: Served) -> Iterator[httpx.Client]:
    with bank.client() as opened:
        yield opened


def party(**changes: object) -> dict[str, object]:
    return {"id": str(uuid4()), "kind": "person", "name": "Li Na", "opened_on": OPENED} | changes


def card(number: str, **changes: object) -> dict[str, object]:
    told: dict[str, object] = {"kind": "identity_card", "number": number, "country": "CN", "expires_on": None}
    return told | {"verified": False} | changes


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code")


def registered(client: httpx.Client, **changes: object) -> str:
    sent = party(**changes)
    assert client.post("/v1/parties", json=sent).status_code == 200
    return str(sent["id"])


def test_who_opened_in_the_app_is_found_at_the_branch(client: httpx.Client) -> None:
    first = {"party": party(), "document": card("11010119900501123X", verified=True), "channel": "app"}
    opened = client.post("/v1/parties/identified", json=first).json()
    at_branch = {"party": party(name="LI NA"), "document": card("110101 19900501 123x"), "channel": "branch"}
    assert client.post("/v1/parties/identified", json=at_branch).json() == opened
    records = client.get(f"/v1/parties/{opened['id']}/records").json()["records"]
    standing = [each["content"] for each in records if each["ended_at"] is None]
    assert {"identification": {"level": "face_to_face"}} in standing
    assert first["document"] in [each.get("document") for each in standing]
    other = at_branch | {"party": party(name="Wang Wei")}
    assert code(client.post("/v1/parties/identified", json=other)) == (409, "customers.document_name_differs")
    late = at_branch | {"party": party(), "document": card("X1", expires_on="2020-01-01")}
    assert code(client.post("/v1/parties/identified", json=late)) == (422, "customers.document_expired")


def test_a_name_is_corrected_and_duplicates_are_listed(client: httpx.Client, bank: Served) -> None:
    id, other = registered(client, name="Zhang Xiao", born_on="1990-05-01"), registered(client, name="Zhang  xiao")
    duplicates = client.get(f"/v1/parties/{id}/duplicates").json()["duplicates"]
    assert [(each["party"]["id"], each["reasons"]) for each in duplicates] == [(other, ["name"])]
    told = {"id": str(uuid4()), "name": "Zhang Xiaoming", "reason": "misspelt"}
    for _ in range(2):
        corrected = client.post(f"/v1/parties/{id}/corrections", json=told)
        assert (corrected.status_code, corrected.json()["name"]) == (200, "Zhang Xiaoming")
    [kept] = client.get(f"/v1/parties/{id}/records").json()["records"]
    former = {"correction": told["id"], "name": "Zhang Xiao", "born_on": "1990-05-01", "reason": "misspelt"}
    assert kept["content"] == {"former": former}
    with bank.client(bank.key(Scope.PARTIES_READ)) as reader:
        [masked] = reader.get(f"/v1/parties/{id}/records").json()["records"]
        assert masked["content"]["former"] == former | {"name": "Z**", "born_on": None, "reason": "****"}
        assert reader.post(f"/v1/parties/{id}/corrections", json=told).status_code == 403
    assert client.get(f"/v1/parties/{id}/duplicates").json()["duplicates"] == []
    refused = [
        (id, told | {"name": "Zhang"}, (409, "customers.correction_id_reused")),
        (id, told | {"id": str(uuid4())}, (422, "customers.correction_empty")),
        (str(uuid4()), told, (404, "customers.party_not_found")),
        (id, told | {"id": str(uuid4()), "born_on": "2999-01-01"}, (422, "customers.born_in_future")),
    ]
    for party_id, body, expected in refused:
        assert code(client.post(f"/v1/parties/{party_id}/corrections", json=body)) == expected
    assert code(client.get(f"/v1/parties/{uuid4()}/duplicates")) == (404, "customers.party_not_found")
    by_hand = client.post(f"/v1/parties/{id}/records", json={"former": former})
    assert by_hand.status_code == 400


def test_what_is_recorded_is_found_changed_and_taken_back(client: httpx.Client) -> None:
    id, other = registered(client), registered(client)
    told: list[dict[str, object]] = [
        {"document": card("E7654321", kind="passport")},
        {"contact": {"kind": "phone", "value": "+86 139 8765 4321", "verified": False}},
        {"identity": {"channel": "app", "identifier": "lina"}},
        {"consent": {"purpose": "marketing", "granted_on": "2026-01-05", "until": None}},
        {"risk": {"risk_class": "low", "reason": "known for long"}},
    ]
    for content in told:
        answer = client.post(f"/v1/parties/{id}/records", json=content)
        assert (answer.status_code, answer.json()["ended_at"]) == (200, None)
        assert client.post(f"/v1/parties/{id}/records", json=content).json() == answer.json()
    for name in ("document", "contact", "identity"):
        [content] = [each for each in told if name in each]
        found = client.post("/v1/parties/search", json=content).json()["parties"]
        assert [each["id"] for each in found] == [id]
    reversed_consent = {"purpose": "x", "granted_on": "2026-01-05", "until": OPENED}
    refused = [
        ({"document": told[0]["document"]}, (409, "customers.document_taken")),
        ({"identity": told[2]["identity"]}, (409, "customers.identity_taken")),
        ({"consent": {"purpose": "x", "granted_on": "2999-01-01"}}, (422, "customers.granted_in_future")),
        (
            {"consent": reversed_consent},
            (422, "customers.period_reversed"),
        ),
        ({"contact": {"kind": "email", "value": "a\0b"}}, (422, "customers.text_malformed")),
        ({}, (400, "api.body_malformed")),
        (told[0] | told[1], (400, "api.body_malformed")),
    ]
    for body, expected in refused:
        assert code(client.post(f"/v1/parties/{other}/records", json=body)) == expected
    assert code(client.post(f"/v1/parties/{uuid4()}/records", json=told[0])) == (404, "customers.party_not_found")
    assert client.post(f"/v1/parties/{id}/records/4/end").json()["ended_by"] == "all"
    assert code(client.post(f"/v1/parties/{id}/records/9/end")) == (404, "customers.record_not_found")
    assert client.post("/v1/parties/search", json={"reference": "nobody's"}).json() == {"parties": []}


def test_records_are_masked_but_for_the_scope(bank: Served, client: httpx.Client) -> None:
    id = registered(client)
    told = [{"document": card("E99887766")}, {"contact": {"kind": "email", "value": "lina@example.com"}}]
    for content in told:
        client.post(f"/v1/parties/{id}/records", json=content)
    with bank.client(bank.key(Scope.PARTIES_READ)) as reader:
        shown = [each["content"] for each in reader.get(f"/v1/parties/{id}/records").json()["records"]]
    assert [shown[0]["document"]["number"], shown[1]["contact"]["value"]] == ["****7766", "l**@example.com"]


def test_duplicates_are_merged_and_unmerged(client: httpx.Client) -> None:
    id, double = registered(client, reference="m:1"), registered(client, name="Na Li", reference="m:2")
    assert code(client.post(f"/v1/parties/{double}/merge", json={"into": double, "reason": "x"})) == (
        422,
        "customers.merge_unsuitable",
    )
    merged = client.post(f"/v1/parties/{double}/merge", json={"into": id, "reason": "one person"}).json()
    assert client.get(f"/v1/parties/{double}").json()["party"]["id"] == id
    into_merged = {"into": double, "reason": "x"}
    assert code(client.post(f"/v1/parties/{registered(client)}/merge", json=into_merged)) == (
        409,
        "customers.party_merged",
    )
    undone = client.post(f"/v1/parties/{double}/unmerge").json()
    assert undone == merged | {"unmerged_at": undone["unmerged_at"], "unmerged_by": "all"}
    assert client.get(f"/v1/parties/{double}").json()["party"]["name"] == "Na Li"
    assert code(client.post(f"/v1/parties/{double}/unmerge")) == (404, "customers.merge_not_found")
    assert client.get(f"/v1/parties/{id}/merges").json()["merges"] == [undone]


def test_a_party_is_erased_where_law_allows_by_whom_it_is_allowed(bank: Served, client: httpx.Client) -> None:
    id, young, owner = registered(client), registered(client, opened_on="2026-01-05"), registered(client)
    client.post("/v1/roles", json={"party": owner, "account": 3, "kind": "owner", "since": OPENED})
    with bank.client(bank.key(Scope.PARTIES_WRITE)) as teller:
        assert code(teller.post(f"/v1/parties/{id}/erase")) == (403, "api.scope_missing")
    assert code(client.post(f"/v1/parties/{young}/erase")) == (409, "customers.retention_runs")
    assert code(client.post(f"/v1/parties/{owner}/erase")) == (409, "customers.role_stands")
    erased = client.post(f"/v1/parties/{id}/erase").json()
    assert (erased["erased"], erased["name"]) == (True, "")
    assert client.get(f"/v1/parties/{id}").json()["party"] == erased
    assert code(client.post(f"/v1/parties/{id}/records", json={"document": card("1")})) == (
        409,
        "customers.party_erased",
    )


def test_account_classes(client: httpx.Client) -> None:
    owner, shop = registered(client), registered(client, kind="organisation")
    for account in (1, 2):
        role = {"party": owner, "account": account, "kind": "owner", "since": OPENED}
        assert client.post("/v1/roles", json=role).status_code == 200
    first: dict[str, object] = {"party": owner, "account_class": "I", "since": OPENED, "opened_by": "branch"}
    second = first | {"account_class": "II", "opened_by": "app", "bound": [1]}
    refused = [
        (1, first, (422, "customers.face_to_face_missing")),
        (1, first | {"party": shop}, (422, "customers.class_needs_person")),
        (3, first, (422, "customers.not_owner")),
        (1, first | {"party": str(uuid4())}, (404, "customers.party_not_found")),
        (2, second, (422, "customers.bound_account_unsuitable")),
        (2, second | {"bound": [1 << 60]}, (422, "customers.account_malformed")),
        (2, second | {"since": "2999-01-01"}, (422, "customers.opened_in_future")),
    ]
    for account, body, expected in refused:
        assert code(client.post(f"/v1/accounts/{account}/class", json=body)) == expected
    assert code(client.get("/v1/accounts/2/class")) == (404, "customers.class_not_found")
    assert client.post("/v1/accounts/1/class", json=first | {"face_to_face": True}).status_code == 200
    classed = client.post("/v1/accounts/2/class", json=second).json()
    assert classed == second | {"account": 2, "face_to_face": False, "until": None}
    assert code(client.post("/v1/accounts/2/class", json=first)) == (409, "customers.class_assigned")
    read = client.get("/v1/accounts/2/class").json()
    assert (read["limits"]["day_minor_max"], read["used_out"]) == (1_000_000, {"day_minor": 0, "year_minor": 0})
    assert client.get("/v1/accounts/1/class").json()["limits"] is None
    assert client.post("/v1/accounts/2/class/face-to-face").json()["face_to_face"]
    assert client.post("/v1/accounts/2/class/bind", json={"account": 1}).json()["bound"] == [1]
    assert client.post("/v1/accounts/2/class/end", json={"until": "2026-01-05"}).json()["until"] == "2026-01-05"
    again = client.post("/v1/accounts/2/class", json=first | {"face_to_face": True})
    assert code(again) == (409, "customers.class_full")


def test_an_account_at_another_bank_is_verified_and_bound(client: httpx.Client) -> None:
    owner = registered(client)
    role = {"party": owner, "account": 2, "kind": "owner", "since": OPENED}
    assert client.post("/v1/roles", json=role).status_code == 200
    body = {"party": owner, "account_class": "II", "since": OPENED, "opened_by": "app"}
    asked = {"id": str(uuid4()), "account": 2, "bank": "ICBKCNBJ", "other_account": "6222000011112222", "phone": "138"}

    def ask(**changes: object) -> httpx.Response:
        return client.post("/v1/verifications", json=asked | changes)

    assert code(ask()) == (404, "customers.class_not_found")
    assert client.post("/v1/accounts/2/class", json=body).status_code == 200
    assert code(ask()) == (409, "customers.document_missing")
    document = {"kind": "passport", "number": f"P{uuid4().hex}", "country": "CN"}
    assert client.post(f"/v1/parties/{owner}/records", json={"document": document}).status_code == 200
    found = ask().json()
    assert (found["status"], found["elements"]["account"]) == ("asked", "6222000011112222")
    assert ask().json() == found
    assert code(ask(phone="139")) == (409, "customers.verification_id_reused")
    assert code(ask(phone=" ", id=str(uuid4()))) == (422, "customers.text_malformed")
    assert code(ask(account=1 << 60, id=str(uuid4()))) == (422, "customers.account_malformed")
    assert found in client.get("/v1/verifications").json()["verifications"]
    one = f"/v1/verifications/{asked['id']}"
    assert client.post(f"{one}/sent", json={"message_id": "m-1"}).json()["message_id"] == "m-1"
    assert code(client.post(f"{one}/sent", json={"message_id": "m-2"})) == (409, "customers.verification_closed")
    matches = dict.fromkeys(("name", "document", "phone", "account", "class_one"), "matches")
    assert client.post(f"{one}/answer", json=matches).json()["status"] == "confirmed"
    assert code(client.post(f"{one}/answer", json={})) == (409, "customers.verification_closed")
    [kept] = client.get("/v1/accounts/2/verifications").json()["verifications"]
    assert kept["results"] == matches
    assert client.post(f"{one}/end").json()["status"] == "ended"
    unknown = client.post(f"/v1/verifications/{uuid4()}/end")
    assert code(unknown) == (404, "customers.verification_not_found")
    told = client.post("/v1/accounts/2/verify-elements", json={"name": "x", "document": document, "phone": "138"})
    assert told.json() == {
        "name": "differs", "document": "matches", "phone": "unknown", "account": "matches", "class_one": "differs",
    }  # fmt: skip
