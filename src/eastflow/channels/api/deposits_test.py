"""Deposits over HTTP: opened, paid in and out of, frozen, printed, closed; and refused in three languages."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from uuid import uuid4

import httpx
import pytest
from pypdf import PdfReader

from eastflow.channels.api import Scope, keys
from eastflow.channels.api.conftest import Served
from eastflow.deposits import Correction, DepositsRefusal
from eastflow.deposits.store import insert_correction
from eastflow.ledger.actions import INTERNAL_ACCOUNT_MIN
from eastflow.products import shipped, terms_to

from .messages import LANGUAGES

TODAY = datetime.now(UTC).date().isoformat()
PARTY = str(uuid4())
CASH = 9
TERMS = terms_to(shipped()["cny-demand"]) | {"code": "http-demand", "currency": "CZK", "eligibility": {}}


@pytest.fixture(scope="module")
def client(bank: Served) -> Iterator[httpx.Client]:
    secret = bank.run(bank.database.run(lambda tx: keys.create_key(tx, "checker", tuple(Scope))))[1]
    one = "/v1/products/http-demand/versions/1"
    with bank.client() as opened, bank.client(secret) as checker:
        person = {"id": PARTY, "kind": "person", "name": "李娜", "opened_on": "2026-01-05"}
        assert opened.post("/v1/parties", json=person).is_success
        assert opened.post("/v1/products", json={"id": str(uuid4()), "terms": TERMS}).is_success
        plan = {"start": "2026-01-05", "years": 1, "deposit_minor": 1_000}
        assert opened.post(f"{one}/simulation", json=plan).is_success
        assert checker.post(f"{one}/approval").is_success
        assert opened.post(f"{one}/launch", json={"live_from": TODAY}).is_success
        yield opened


def opened(client: httpx.Client, amount_minor: int) -> int:
    told = {"id": str(uuid4()), "product": "http-demand", "party": PARTY, "amount_minor": amount_minor, "source": CASH}
    answer = client.post("/v1/deposits", json=told)
    assert answer.status_code == 200, answer.text
    assert client.post("/v1/deposits", json=told).headers["idempotent-replayed"] == "true"
    account: int = answer.json()["deposit"]["account"]
    return account


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code")


def test_a_deposit_from_opening_to_closing(client: httpx.Client) -> None:
    account = opened(client, 100_000)
    one = f"/v1/deposits/{account}"
    came = client.post(f"{one}/payments-in", json={"id": str(uuid4()), "amount_minor": 500, "source": CASH}).json()
    assert came["deposit"]["balance_minor"] == 100_500
    away = {"id": str(uuid4()), "amount_minor": 300, "target": CASH}
    assert client.post(f"{one}/payments-out", json=away).json()["deposit"]["balance_minor"] == 100_200
    assert client.get(one).json()["status"] == "open"
    assert code(client.post(f"{one}/notices", json={"id": str(uuid4()), "amount_minor": 5})) == (
        422, "products.operation_not_offered",
    )  # fmt: skip
    assert code(client.post(f"{one}/renewal", json={"id": str(uuid4())})) == (422, "products.operation_not_offered")
    assert code(client.post(f"{one}/reactivation", json={"id": str(uuid4())})) == (409, "deposits.not_dormant")
    page = client.get("/v1/deposits", params={"party": PARTY, "limit": 1}).json()
    assert len(page["deposits"]) == 1
    closed = client.post(f"{one}/closing", json={"id": str(uuid4()), "target": CASH}).json()
    assert closed["deposit"]["status"] == "closed"
    assert client.get(f"/v1/balances/{account}").json().get("posted_minor", 0) == 0


def test_what_is_owed_is_listed(bank: Served, client: httpx.Client) -> None:
    account = opened(client, 100)
    one = f"/v1/deposits/{account}/corrections"
    assert client.get(one).json() == {"corrections": []}
    owed = Correction(account, date(2026, 6, 21), 1, "overdraft_interest", -1_250)
    bank.run(bank.database.run(lambda tx: insert_correction(tx, owed)))
    assert client.get(one).json()["corrections"] == [
        {"settled_on": "2026-06-21", "number": 1, "kind": "overdraft_interest", "amount_minor": -1_250, "booked": False}
    ]
    assert code(client.get("/v1/deposits/999999/corrections")) == (404, "deposits.contract_not_found")


def test_an_order_of_a_court(client: httpx.Client) -> None:
    one = f"/v1/deposits/{opened(client, 1_000)}"
    order = {"id": str(uuid4()), "authority": "浦东法院", "amount_minor": 2_000, "expires_on": "2999-01-01"}
    placed = client.post(f"{one}/orders", json=order).json()
    assert (placed["rank"], placed["held_minor"]) == (1, 1_000)
    assert client.get(f"{one}/orders").json()["orders"] == [placed]
    away = {"id": str(uuid4()), "amount_minor": 1, "target": CASH}
    assert code(client.post(f"{one}/payments-out", json=away)) == (409, "deposits.contract_frozen")
    assert client.post(f"{one}/orders/{order['id']}/end").json()["ended_on"] is not None
    assert client.post(f"{one}/payments-out", json=away).status_code == 200


def test_a_pledge(client: httpx.Client) -> None:
    one = f"/v1/deposits/{opened(client, 1_000)}"
    pledge = {"id": str(uuid4()), "agreement": "P 2026/17", "amount_minor": 600, "party": PARTY}
    placed = client.post(f"{one}/pledges", json=pledge).json()
    assert (placed["held_minor"], placed["pledgee"], placed["expires_on"]) == (600, None, None)
    assert client.get(f"{one}/pledges").json()["pledges"] == [placed]
    assert code(client.post(f"{one}/pledges", json=pledge | {"id": str(uuid4())})) == (422, "deposits.pledge_uncovered")
    away = {"id": str(uuid4()), "amount_minor": 401, "target": CASH}
    assert code(client.post(f"{one}/payments-out", json=away)) == (409, "deposits.pledged")
    release = f"{one}/pledges/{pledge['id']}/release"
    assert client.post(release, json={"ground": "expired", "reason": "late"}).status_code == 400
    over = client.post(release, json={"ground": "consent", "reason": "Letter of 3 March"}).json()
    assert (over["held_minor"], over["ended_on"]) == (0, TODAY)
    assert client.post(f"{one}/payments-out", json=away).status_code == 200
    assert code(client.post(f"{one}/pledges/{uuid4()}/release", json={"ground": "staff", "reason": "none"})) == (
        404, "deposits.pledge_not_found",
    )  # fmt: skip


def test_a_statement_is_printed(client: httpx.Client) -> None:
    account = opened(client, 123_456)
    asked = {"since": TODAY, "until": TODAY, "language": "zh-Hans"}
    answer = client.get(f"/v1/deposits/{account}/statement", params=asked)
    assert answer.headers["content-type"] == "application/pdf"
    text = PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()
    assert "账户对账单" in text
    assert "李娜" in text
    assert code(client.get("/v1/deposits/77/statement", params=asked)) == (404, "deposits.contract_not_found")


def test_a_statement_names_nobody_to_eyes_that_may_not_see(bank: Served, client: httpx.Client) -> None:
    account = opened(client, 123_456)
    asked = {"since": TODAY, "until": TODAY, "language": "zh-Hans"}
    with bank.client(bank.key(Scope.DEPOSITS_READ)) as auditor:
        answer = auditor.get(f"/v1/deposits/{account}/statement", params=asked)
    assert "李娜" not in PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()


def test_heirs_must_own_their_accounts(client: httpx.Client) -> None:
    one = f"/v1/deposits/{opened(client, 1_000)}"
    shares = [{"party": PARTY, "account": 1, "weight": 1}]
    told = {"id": str(uuid4()), "certificate": "No. 7", "shares": shares}
    assert code(client.post(f"{one}/inheritance", json=told)) == (422, "deposits.heir_not_owner")
    shares[0]["account"] = opened(client, 5)
    assert client.post(f"{one}/inheritance", json=told).json()["deposit"]["status"] == "closed"


@pytest.mark.parametrize("why", list(DepositsRefusal), ids=lambda why: why.name)
def test_every_refusal_is_told_in_every_language(why: DepositsRefusal) -> None:
    for language, texts in LANGUAGES.items():
        title, detail = texts[why.value]
        assert title, language
        assert detail, language


def test_the_banks_own_accounts_are_moved_by_whoever_may_post_entries(bank: Served, client: httpx.Client) -> None:
    one, own = f"/v1/deposits/{opened(client, 100)}", INTERNAL_ACCOUNT_MIN + 1
    opening = {"product": "http-demand", "party": PARTY, "amount_minor": 5, "source": own}
    asked: tuple[tuple[str, dict[str, object]], ...] = (
        ("/v1/deposits", opening),
        (f"{one}/payments-in", {"amount_minor": 5, "source": own}),
        (f"{one}/payments-out", {"amount_minor": 5, "target": own}),
        (f"{one}/closing", {"target": own}),
    )
    with bank.client(bank.key(Scope.DEPOSITS_WRITE)) as teller:
        for path, told in asked:
            refused = teller.post(path, json={"id": str(uuid4())} | told)
            assert code(refused) == (403, "api.scope_missing")
            assert refused.json()["facts"] == {"scope": "entries:write"}
        away = {"id": str(uuid4()), "amount_minor": 5, "target": CASH}
        assert teller.post(f"{one}/payments-out", json=away).is_success
