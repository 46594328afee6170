"""A branch and an application over HTTP: two keys are two people, and what began online ends at the counter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from eastflow.channels.api import Scope, keys
from eastflow.channels.api.conftest import Served
from eastflow.operations import Role
from eastflow.products import Plan, shipped
from eastflow.products.actions import approve_version, draft_version, launch_version, simulate_version
from eastflow.storage import Transaction

PRODUCT = "cny-demand"


@pytest.fixture(scope="module")
def offering(bank: Served) -> Served:
    """The bank, with a product that customers can have from today on."""
    with bank.client() as client:
        assert client.put("/v1/assets/CNY", json={"scale": 2}).status_code == 200
    today = datetime.now(UTC).date()

    async def launch(tx: Transaction) -> None:
        await draft_version(tx, uuid4(), shipped()[PRODUCT], by="author")
        await simulate_version(tx, PRODUCT, 1, Plan(today, 1, 100_000))
        await approve_version(tx, PRODUCT, 1, by="checker")
        await launch_version(tx, PRODUCT, 1, live_from=today, by="author", today=today)

    bank.run(bank.database.run(launch))
    return bank


@pytest.fixture(scope="module")
def people(offering: Served) -> Iterator[dict[str, httpx.Client]]:
    """A teller and two supervisors of the north branch, each with a key of their own."""
    clients: dict[str, httpx.Client] = {}
    with offering.client() as chief:
        assert chief.post("/v1/branches", json={"code": "north", "name": "North street"}).status_code == 200
        limit = chief.post("/v1/branches/north/limits", json={"asset": "CNY", "above_minor": 100_000})
        assert limit.json() == {"branch": "north", "above_minor": {"CNY": 100_000}}
        for code, role in (("ann", "teller"), ("sue", "supervisor"), ("tom", "supervisor")):
            teller = {"code": code, "branch": "north", "name": code, "role": role, "actor": f"key {code}"}
            assert chief.post("/v1/tellers", json=teller).json() == teller
            _, secret = offering.run(
                offering.database.run(lambda tx, code=code: keys.create_key(tx, f"key {code}", tuple(Scope)))  # type: ignore[misc]
            )
            clients[code] = offering.client(secret)
            session = clients[code].post("/v1/teller-sessions", json={"id": str(uuid4()), "teller": code}).json()
            clients[code].headers["x-session"] = session["id"]
        listed = chief.get("/v1/tellers", params={"branch": "north", "limit": 2}).json()
        assert [each["code"] for each in listed["tellers"]] == ["ann", "sue"]
        rest = chief.get("/v1/tellers", params={"branch": "north", "cursor": listed["cursor"]}).json()
        assert [each["code"] for each in rest["tellers"]] == ["tom"]
    yield clients
    for client in clients.values():
        client.close()


def session(client: httpx.Client) -> str:
    return client.headers["x-session"]


def cash(hundreds: int) -> dict[str, object]:
    return {"asset": "CNY", "pieces": [{"form": "note", "value_minor": 10_000, "count": hundreds}]}


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code")


def send(client: httpx.Client, path: str, **body: Any) -> httpx.Response:
    return client.post(path, json={"session": session(client), **body})


def customer(**changes: object) -> dict[str, object]:
    day = str(datetime.now(UTC).date())
    party = {"id": str(uuid4()), "kind": "person", "name": "Li Na", "opened_on": day, "born_on": "1990-05-01"}
    return {"id": str(uuid4()), "party": party, "product": PRODUCT, "amount_minor": 10_000, "channel": "app"} | changes


def test_a_day_at_the_branch(offering: Served, people: dict[str, httpx.Client]) -> None:
    ann, sue, tom = people["ann"], people["sue"], people["tom"]
    account = ann.post("/v1/onboarding", json=customer()).json()["account"]
    shipped_in = send(sue, "/v1/cash-shipments", id=str(uuid4()), cash=cash(100)).json()
    assert shipped_in["status"] == "pending"
    assert send(tom, f"/v1/vouchers/{shipped_in['id']}/confirm").json()["status"] == "booked"
    vault, drawer = {"kind": "vault", "code": "north"}, {"kind": "drawer", "code": "ann"}
    issued = send(sue, "/v1/cash-transfers", id=str(uuid4()), sender=vault, receiver=drawer, cash=cash(20)).json()
    assert [each["id"] for each in ann.get("/v1/cash-transfers").json()["transfers"]] == [issued["id"]]
    assert send(ann, f"/v1/cash-transfers/{issued['id']}/receive", cash=cash(20)).json()["status"] == "received"
    paid = send(ann, "/v1/cash", id=str(uuid4()), account=account, cash=cash(5))
    assert (paid.status_code, paid.json()["status"], paid.json()["change_minor"]) == (200, "booked", 50_000)
    large = send(ann, "/v1/cash", id=str(uuid4()), account=account, cash=cash(11)).json()
    assert (large["status"], large["ended_by"]) == ("pending", None)
    assert code(send(ann, f"/v1/vouchers/{large['id']}/confirm")) == (422, "branch.same_person")
    assert send(sue, f"/v1/vouchers/{large['id']}/decline").json()["status"] == "declined"
    out = send(ann, "/v1/cash", id=str(uuid4()), account=account, cash=cash(1), out=True)
    assert out.json()["change_minor"] == -10_000
    wrong = send(ann, "/v1/cash", id=str(uuid4()), account=account, cash=cash(2)).json()
    reversal = send(ann, f"/v1/vouchers/{wrong['id']}/reverse", id=str(uuid4())).json()
    assert (reversal["kind"], reversal["status"], reversal["reverses"]) == ("reversal", "pending", wrong["id"])
    assert send(sue, f"/v1/vouchers/{reversal['id']}/confirm").json()["status"] == "booked"
    assert ann.get(f"/v1/vouchers/{wrong['id']}").json()["reversed_by"] == reversal["id"]
    twice = send(ann, f"/v1/vouchers/{wrong['id']}/reverse", id=str(uuid4()))
    assert code(twice) == (409, "branch.voucher_reversed")
    of_reversal = send(ann, f"/v1/vouchers/{reversal['id']}/reverse", id=str(uuid4()))
    assert code(of_reversal) == (409, "branch.voucher_not_reversible")
    stock = ann.get("/v1/places/drawer/ann/cash").json()["stocks"][0]
    assert (stock["amount_minor"], stock["counted"]) == (240_000, False)
    assert code(ann.post(f"/v1/teller-sessions/{session(ann)}/sign-off")) == (409, "branch.drawer_not_counted")
    counted = send(ann, "/v1/cash-counts", id=str(uuid4()), place=drawer, cash=cash(24)).json()
    assert (counted["status"], counted["change_minor"]) == ("booked", 0)
    told = ann.get(f"/v1/teller-sessions/{session(ann)}/journal").json()
    assert [(each["what"], each["change_minor"]) for each in told["totals"]] == [
        ("cash_in", 70_000),
        ("cash_out", -10_000),
        ("reversal", -20_000),
        ("count", 0),
        ("receive", 200_000),
    ]
    assert (told["opening"], told["closing"]) == ([], [cash(24)])
    assert code(ann.get(f"/v1/teller-sessions/{uuid4()}/journal")) == (404, "branch.session_not_found")
    page = ann.get("/v1/vouchers", params={"session": session(ann), "limit": 2}).json()
    assert len(page["vouchers"]) == 2
    assert page["cursor"]
    assert code(sue.post(f"/v1/teller-sessions/{session(ann)}/sign-off")) == (422, "branch.not_this_teller")
    path = f"/v1/teller-sessions/{session(ann)}/close-for-absent"
    assert code(send(ann, path, id=str(uuid4()), cash=cash(24))) == (422, "branch.same_person")
    closing = send(sue, path, id=str(uuid4()), cash=cash(24)).json()
    assert (closing["kind"], closing["status"], closing["closes"]) == ("close", "pending", session(ann))
    assert send(tom, f"/v1/vouchers/{closing['id']}/confirm").json()["status"] == "booked"
    assert ann.get(f"/v1/teller-sessions/{session(ann)}").json()["signed_off_at"] is not None
    assert ann.get("/v1/places/vault/north/cash").json()["stocks"][0]["amount_minor"] == 1_040_000
    assert ann.post(f"/v1/teller-sessions/{session(ann)}/sign-off").json()["signed_off_at"] is not None
    fresh = ann.post("/v1/teller-sessions", json={"id": str(uuid4()), "teller": "ann"}).json()
    ann.headers["x-session"] = fresh["id"]


def test_an_application_begun_online_is_finished_at_the_counter(people: dict[str, httpx.Client]) -> None:
    ann = people["ann"]
    day = str(datetime.now(UTC).date())
    party = {"id": str(uuid4()), "kind": "person", "name": "Wang Fang", "opened_on": day, "born_on": "1991-05-01"}
    assert ann.post("/v1/parties", json=party).status_code == 200
    id = str(uuid4())
    begun = ann.post("/v1/applications", json={"id": id, "channel": "app", "parts": {"product": PRODUCT}}).json()
    assert (begun["status"], begun["missing"]) == ("open", ["party"])
    [found] = ann.post("/v1/applications/find", json={"reference": begun["reference"]}).json()["applications"]
    assert found == begun
    early = ann.post(f"/v1/applications/{id}/complete", json={"channel": "branch"})
    assert code(early) == (422, "flows.parts_missing")
    parts = {"party": party["id"], "branch": "north"}
    more = ann.post(f"/v1/applications/{id}/parts", json={"channel": "branch", "parts": parts}).json()
    assert more["missing"] == []
    told = {"voucher": str(uuid4()), "cash": cash(3)}
    for _ in range(2):
        done = send(ann, f"/v1/applications/{id}/finish-at-counter", **told).json()
        assert (done["application"]["status"], done["voucher"]["status"]) == ("completed", "booked")
    balance = ann.get(f"/v1/accounts/{done['application']['account']}/balance").json()
    assert balance["posted_minor"] == 30_000
    steps = ann.get(f"/v1/applications/{id}").json()["steps"]
    assert [(each["kind"], each["channel"]) for each in steps] == [
        ("begun", "app"),
        ("supplied", "branch"),
        ("completed", "branch"),
    ]
    assert code(ann.post(f"/v1/applications/{id}/withdraw", json={"channel": "app"})) == (
        409,
        "flows.application_ended",
    )
    [mine] = ann.post("/v1/applications/find", json={"party": party["id"]}).json()["applications"]
    assert mine["account"] == done["application"]["account"]


def test_a_tellers_word_brings_no_money(offering: Served, people: dict[str, httpx.Client]) -> None:
    """A teller takes customers on without money, and pays their cash into the drawer; a program may say that money has
    come, if its key says so."""
    ann = people["ann"]

    def made(name: str, *scopes: Scope, roles: Sequence[Role] = ()) -> httpx.Client:
        _, secret = offering.run(offering.database.run(lambda tx: keys.create_key(tx, name, scopes, roles=roles)))
        return offering.client(secret)

    with (
        made("counter", roles=[Role.TELLER, Role.SUPERVISOR]) as teller,
        made("app without", Scope.FLOWS_WRITE) as without,
        made("app", Scope.FLOWS_WRITE, Scope.FLOWS_FUND) as program,
    ):
        new = customer(channel="branch")
        for client in (teller, without):
            refused = client.post("/v1/onboarding", json=new)
            assert code(refused) == (403, "api.scope_missing")
            assert refused.json()["facts"] == {"scope": "flows:fund"}
        assert ann.get(f"/v1/parties/{new['party']['id']}").status_code == 404  # type: ignore[index]
        empty = teller.post("/v1/onboarding", json=new | {"amount_minor": 0})
        assert (empty.status_code, empty.json()["amount_minor"]) == (201, 0)
        account = empty.json()["account"]
        seen = {"account": account, "cash": cash(3), "identification_seen": True}
        assert send(ann, "/v1/cash", id=str(uuid4()), **seen).json()["status"] == "booked"
        assert ann.get(f"/v1/accounts/{account}/balance").json()["posted_minor"] == 30_000
        assert program.post("/v1/onboarding", json=customer()).status_code == 201


def test_onboarding_is_whole_or_nothing_and_once(people: dict[str, httpx.Client]) -> None:
    ann, new = people["ann"], customer()
    first, again = (ann.post("/v1/onboarding", json=new) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    refused = customer(product="none")
    assert code(ann.post("/v1/onboarding", json=refused))[1] == "deposits.product_not_found"
    assert ann.get(f"/v1/parties/{refused['party']['id']}").status_code == 404  # type: ignore[index]
    assert code(ann.post("/v1/onboarding", json=customer(channel="pigeon"))) == (400, "api.body_malformed")
