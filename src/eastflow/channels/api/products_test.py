"""A product over HTTP: drafted, simulated, approved by another person, launched, superseded, withdrawn."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from eastflow.channels.api import Scope, keys
from eastflow.channels.api.conftest import Served
from eastflow.products import shipped, terms_to

TERMS = terms_to(shipped()["cny-term-1y"]) | {"code": "http-term"}
ONE = "/v1/products/http-term/versions/1"
PLAN = {"start": "2026-01-05", "years": 2, "deposit_minor": 1_000_000}
TODAY = datetime.now(UTC).date()
TOMORROW = (TODAY + timedelta(days=1)).isoformat()


@pytest.fixture(scope="module")
def client(bank: Served) -> Iterator[httpx.Client]:
    with bank.client() as opened:
        yield opened


@pytest.fixture(scope="module")
def second(bank: Served) -> Iterator[httpx.Client]:
    """Another person: the key has another name."""
    secret = bank.run(bank.database.run(lambda tx: keys.create_key(tx, "second", tuple(Scope))))[1]
    with bank.client(secret) as opened:
        yield opened


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code")


def test_from_a_draft_to_the_day_it_is_withdrawn(client: httpx.Client, second: httpx.Client) -> None:
    sent = {"id": str(uuid4()), "terms": TERMS}
    drafted = client.post("/v1/products", json=sent).json()
    assert (drafted["number"], drafted["status"], drafted["terms"]) == (1, "draft", TERMS)
    assert client.post("/v1/products", json=sent).json() == drafted
    assert code(client.post("/v1/products", json=sent | {"terms": TERMS | {"name": "Other"}})) == (
        409, "products.version_id_reused",
    )  # fmt: skip
    assert code(second.post(f"{ONE}/approval")) == (409, "products.status_unfit")
    simulated = client.post(f"{ONE}/simulation", json=PLAN).json()
    assert (simulated["version"]["status"], len(simulated["months"])) == ("simulated", 24)
    assert code(client.post(f"{ONE}/approval")) == (409, "products.approved_by_author")
    assert second.post(f"{ONE}/approval").json()["approved_by"] == "second"
    assert code(client.get("/v1/products/http-term/live")) == (404, "products.version_not_found")
    assert client.post(f"{ONE}/launch", json={"live_from": TODAY.isoformat()}).json()["status"] == "live"
    assert client.get("/v1/products/http-term/live").json()["number"] == 1
    assert client.post(f"{ONE}/withdrawal", json={"on": TOMORROW}).json()["withdrawn_from"] == TOMORROW
    assert code(client.get("/v1/products/http-term/live", params={"day": TOMORROW})) == (
        404, "products.version_not_found",
    )  # fmt: skip
    assert [each["number"] for each in client.get("/v1/products/http-term").json()["versions"]] == [1]


def test_contracts_go_over_by_a_plan(client: httpx.Client, second: httpx.Client) -> None:
    for number, day in ((1, TODAY.isoformat()), (2, TOMORROW)):
        terms = TERMS | {"code": "http-plan", "name": f"Version {number}"}
        client.post("/v1/products", json={"id": str(uuid4()), "terms": terms})
        path = f"/v1/products/http-plan/versions/{number}"
        client.post(f"{path}/simulation", json=PLAN)
        second.post(f"{path}/approval")
        assert client.post(f"{path}/launch", json={"live_from": day}).status_code == 200
    plan = {"id": str(uuid4()), "source": 1, "target": 2, "on": TOMORROW}
    planned = client.post("/v1/products/http-plan/migrations", json=plan).json()
    assert client.post("/v1/products/http-plan/migrations", json=plan).json() == planned
    assert client.get("/v1/products/http-plan/migrations").json() == {"migrations": [planned]}
    again = plan | {"id": str(uuid4())}
    assert code(client.post("/v1/products/http-plan/migrations", json=again)) == (422, "products.migration_unfit")


def test_refusals_have_their_status_and_the_languages_of_their_readers(bank: Served, client: httpx.Client) -> None:
    def sent(**changes: object) -> dict[str, object]:
        return {"id": str(uuid4()), "terms": TERMS | {"code": "http-refused"} | changes}

    malformed = client.post("/v1/products", json=sent(colour="red"), headers={"accept-language": "zh"})
    assert code(malformed) == (422, "products.terms_malformed")
    assert "colour" in malformed.json()["detail"]
    assert client.post("/v1/products", json=sent()).status_code == 200
    another_kind = terms_to(shipped()["cny-call-1d"]) | {"code": "http-refused"}
    assert code(client.post("/v1/products", json={"id": str(uuid4()), "terms": another_kind})) == (
        409, "products.kind_changed",
    )  # fmt: skip
    path = "/v1/products/http-refused/versions"
    assert code(client.post(f"{path}/1/simulation", json=PLAN | {"deposit_minor": 1})) == (
        422, "products.amount_below_minimum",
    )  # fmt: skip
    assert code(client.post(f"{path}/1/simulation", json=PLAN | {"years": 51})) == (400, "api.body_malformed")
    assert code(client.post(f"{path}/2/simulation", json=PLAN)) == (404, "products.version_not_found")
    assert code(client.get("/v1/products/nothing")) == (404, "products.version_not_found")
    with bank.client(bank.key(Scope.PRODUCTS_READ)) as reader:
        assert code(reader.post(f"{path}/1/approval")) == (403, "api.scope_missing")
        assert reader.get(path.removesuffix("/versions")).status_code == 200


def test_pages(client: httpx.Client) -> None:
    for number in range(3):
        client.post("/v1/products", json={"id": str(uuid4()), "terms": TERMS | {"code": f"page-{number}"}})
    found, cursor = [], None
    while True:
        page = client.get("/v1/products", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        found += [each["code"] for each in page["products"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert found == sorted(found)
    assert {"page-0", "page-1", "page-2"} <= set(found)
