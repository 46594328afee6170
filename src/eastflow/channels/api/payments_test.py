"""Payments, orders, mandates and files over HTTP: paid once, refused with their status, paged."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest

from eastflow.channels.api import Scope
from eastflow.channels.api.conftest import Served
from eastflow.payments import Endpoint, Incoming
from eastflow.payments.actions import receive_incoming, run_direct_debits, run_standing_orders

OTHER = {"name": "Jan", "account": "87144583", "bank": "YZ"}


@pytest.fixture(scope="module")
def client(bank: Served) -> Iterator[httpx.Client]:
    with bank.client() as opened:
        yield opened


def payment(creditor: int | dict[str, Any] = 2, **changes: object) -> dict[str, object]:
    end = creditor if isinstance(creditor, dict) else {"name": "", "account": str(creditor)}
    told: dict[str, object] = {"id": str(uuid4()), "debtor": 1, "creditor": end, "amount_minor": 100, "asset": "CZK"}
    return told | {"remittance": str(uuid4())} | changes


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code")


def posted(client: httpx.Client, account: int) -> int:
    return int(client.get(f"/v1/accounts/{account}/balance").json()["posted_minor"])


def test_a_payment_is_made_once(client: httpx.Client) -> None:
    before = posted(client, 2)
    sent = payment()
    answers = [client.post("/v1/payments", json=sent) for _ in range(2)]
    assert [answer.json()["status"] for answer in answers] == ["settled"] * 2
    assert posted(client, 2) == before + 100
    assert client.get(f"/v1/payments/{sent['id']}").json() == answers[0].json()
    assert code(client.post("/v1/payments", json=sent | {"amount_minor": 1})) == (409, "payments.id_reused")


def test_refusals_have_their_status(client: httpx.Client) -> None:
    known = payment()
    client.post("/v1/payments", json=known)
    refused: dict[tuple[int, str], dict[str, object]] = {
        (422, "payments.text_malformed"): payment(remittance="a\0"),
        (422, "payments.amount_out_of_range"): payment(amount_minor=0),
        (422, "payments.account_malformed"): payment(OTHER | {"bank": None, "account": "x"}),
        (422, "payments.same_account"): payment(1),
        (404, "payments.scheme_not_found"): payment(OTHER, scheme="nowhere"),
        (409, "payments.duplicate"): known | {"id": str(uuid4())},
        (404, "ledger.account_not_found"): payment(4711),
        (409, "ledger.account_frozen"): payment(4),
        (422, "ledger.insufficient_funds"): payment(debtor=3),
        (400, "api.body_malformed"): payment(amount_minor="much"),
    }
    for expected, body in refused.items():
        assert code(client.post("/v1/payments", json=body)) == expected
    nobody = str(uuid4())
    assert code(client.get(f"/v1/payments/{nobody}")) == (404, "payments.payment_not_found")
    asked = client.post(f"/v1/payments/{nobody}/recall", json={"reason": "CUST"})
    assert code(asked) == (404, "payments.payment_not_found")
    answered = client.post(f"/v1/payments/{known['id']}/recall-answer", json={"refused_for": "CUST"})
    assert code(answered) == (404, "payments.payment_not_found")


def test_a_payment_to_another_bank_is_recalled_before_it_is_sent(client: httpx.Client) -> None:
    before = posted(client, 1)
    sent = payment(OTHER)
    assert client.post("/v1/payments", json=sent).json()["status"] == "accepted"
    outcome = client.post(f"/v1/payments/{sent['id']}/recall", json={"reason": "CUST"}).json()
    assert (outcome["payment"]["status"], outcome["payment"]["reason"], outcome["recall"]) == ("recalled", "CUST", None)
    assert posted(client, 1) == before


def test_payments_are_paged_with_their_filter(client: httpx.Client) -> None:
    for _ in range(5):
        client.post("/v1/payments", json=payment(3))
    found, cursor = [], None
    while True:
        asked: dict[str, Any] = {"account": 3, "status": "settled", "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/payments", params=asked).json()
        found += page["payments"]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert len({each["id"] for each in found}) == len(found) >= 5
    assert code(client.get("/v1/payments", params={"cursor": "x"})) == (400, "api.cursor_malformed")


def test_limits_and_schemes_are_set_and_listed(client: httpx.Client) -> None:
    limit = {"channel": "wallet", "party": None, "asset": "CZK", "per_payment_minor": 10, "per_day_minor": 15}
    assert client.put("/v1/payment-limits", json=limit).json() == limit
    assert limit in client.get("/v1/payment-limits").json()["limits"]
    many = payment(channel="wallet", amount_minor=11)
    assert code(client.post("/v1/payments", json=many)) == (422, "payments.payment_limit_exceeded")
    assert client.post("/v1/payments", json=payment(channel="wallet", amount_minor=10)).status_code == 200
    more = payment(channel="wallet", amount_minor=6)
    assert code(client.post("/v1/payments", json=more)) == (422, "payments.day_limit_exceeded")
    scheme = {"code": "certis", "cut_off": "16:00:00", "utc_offset_minutes": 60, "holidays": ["2026-12-24"]}
    assert client.put("/v1/payment-schemes", json=scheme).json() == scheme | {"working_weekends": []}
    assert [each["code"] for each in client.get("/v1/payment-schemes").json()["schemes"]] == ["certis"]
    assert code(client.put("/v1/payment-schemes", json=scheme | {"holidays": ["0001-01-01"]}))[0] == 400


def test_the_payee_is_asked_about_by_name(client: httpx.Client) -> None:
    asked = client.post("/v1/payee-confirmations", json={"account": 3, "name": "Nobody Known"})
    assert asked.json() == {"match": "unknown"}
    assert code(client.post("/v1/payee-confirmations", json={"account": 0, "name": "x"})) == (
        422,
        "payments.account_malformed",
    )


def test_a_standing_order_is_paid_and_cancelled(bank: Served, client: httpx.Client) -> None:
    today = date.today()
    new = payment(3, first_on=today.isoformat(), frequency="monthly", retry_days=2)
    assert client.post("/v1/standing-orders", json=new).json()["status"] == "active"
    assert code(client.post("/v1/standing-orders", json=new | {"retry_days": 99})) == (
        422,
        "payments.schedule_malformed",
    )
    bank.run(run_standing_orders(bank.database, today))
    read = client.get(f"/v1/standing-orders/{new['id']}").json()
    assert [each["outcome"] for each in read["occurrences"]] == ["paid"]
    paid = client.get(f"/v1/payments/{read['occurrences'][0]['payment']}").json()
    assert (paid["origin"], paid["status"]) == ("standing_order", "settled")
    assert client.post(f"/v1/standing-orders/{new['id']}/cancel").json()["status"] == "cancelled"
    listed = client.get("/v1/standing-orders", params={"debtor": 1}).json()["orders"]
    assert [each["id"] for each in listed] == [new["id"]]
    assert code(client.get(f"/v1/standing-orders/{uuid4()}")) == (404, "payments.order_not_found")


def test_a_collection_is_taken_and_refunded(bank: Served, client: httpx.Client) -> None:
    today = date.today()
    new = {
        "id": str(uuid4()), "debtor": 1, "creditor": 3, "creditor_name": "City Power", "amount_max_minor": 500,
        "asset": "CZK", "first_on": today.isoformat(), "frequency": "weekly",
    }  # fmt: skip
    assert client.post("/v1/mandates", json=new).json()["status"] == "active"
    path = f"/v1/mandates/{new['id']}/collections"
    asked = {"id": str(uuid4()), "amount_minor": 400, "due_on": today.isoformat()}
    assert client.post(path, json=asked).json()["status"] == "requested"
    refused: dict[tuple[int, str], dict[str, object]] = {
        (422, "payments.collection_exceeds_mandate"): {"amount_minor": 501},
        (409, "payments.collection_too_soon"): {},
        (422, "payments.schedule_malformed"): {"due_on": (today - timedelta(days=1)).isoformat()},
    }
    for expected, changes in refused.items():
        assert code(client.post(path, json=asked | {"id": str(uuid4())} | changes)) == expected
    bank.run(run_direct_debits(bank.database, today))
    assert client.post(f"{path}/{asked['id']}/refund").json()["status"] == "refunded"
    assert code(client.post(f"{path}/{asked['id']}/refuse")) == (409, "payments.status_conflict")
    assert code(client.post(f"{path}/{uuid4()}/refuse")) == (404, "payments.collection_not_found")
    assert client.post(f"/v1/mandates/{new['id']}/cancel").json()["status"] == "cancelled"
    read = client.get(f"/v1/mandates/{new['id']}").json()
    assert (read["mandate"]["status"], len(read["collections"])) == ("cancelled", 1)
    assert [each["id"] for each in client.get("/v1/mandates").json()["mandates"]] == [new["id"]]
    assert code(client.get(f"/v1/mandates/{uuid4()}")) == (404, "payments.mandate_not_found")


def test_a_mandate_for_another_bank_is_given_and_masked(bank: Served, client: httpx.Client) -> None:
    outside = {"account": "CZ65secret399", "bank": "GIBACZPX", "creditor_id": "secret-17", "signed_on": "2026-01-02"}
    outside |= {"debtor_name": "Jan"}
    new = {
        "id": str(uuid4()), "debtor": 1, "creditor": None, "creditor_name": "Jan", "amount_max_minor": 500,
        "asset": "CZK", "first_on": "2999-01-31", "frequency": "weekly", "reference": "secret-18", "outside": outside,
    }  # fmt: skip
    assert client.post("/v1/mandates", json=new).json()["outside"] == outside
    assert code(client.post("/v1/mandates", json=new | {"id": str(uuid4())})) == (409, "payments.id_reused")
    assert code(client.post("/v1/mandates", json=new | {"creditor": 2})) == (422, "payments.account_malformed")
    asked = {"id": str(uuid4()), "amount_minor": 400, "due_on": "2999-01-31"}
    answer = client.post(f"/v1/mandates/{new['id']}/collections", json=asked)
    assert code(answer) == (404, "payments.mandate_not_found")
    ours = new | {"id": str(uuid4()), "debtor": None, "creditor": 3, "creditor_name": "", "reference": "secret-19"}
    assert client.post("/v1/mandates", json=ours).json()["debtor"] is None
    assert client.post(f"/v1/mandates/{ours['id']}/collections", json=asked).json()["status"] == "asked"
    refusal = client.post(f"/v1/mandates/{ours['id']}/collections/{asked['id']}/refuse")
    assert code(refusal) == (409, "payments.status_conflict")
    with bank.client(bank.key(Scope.PAYMENTS_READ)) as masked:
        assert_masked(masked.get(f"/v1/mandates/{new['id']}"))
        assert_masked(masked.get("/v1/mandates"))


def test_a_file_is_handed_in_run_and_read(client: httpx.Client) -> None:
    header = "creditor_name,creditor_account,creditor_bank,amount_minor,remittance\n"
    new = {
        "id": str(uuid4()), "debtor": 1, "asset": "CZK", "one_debit": True,
        "csv": header + "Ann,3,,70,wages\nBob,4711,,80,wages\nCyd,87144583,YZ,90,wages\n",
    }  # fmt: skip
    before = posted(client, 1)
    assert client.post("/v1/payment-batches", json=new).json()["status"] == "received"
    again = client.post("/v1/payment-batches", json=new | {"id": str(uuid4())})
    assert code(again) == (409, "payments.duplicate")
    assert client.post(f"/v1/payment-batches/{new['id']}/run").json()["status"] == "done"
    assert posted(client, 1) == before - 160
    first = client.get(f"/v1/payment-batches/{new['id']}/lines", params={"limit": 2}).json()
    rest = client.get(f"/v1/payment-batches/{new['id']}/lines", params={"cursor": first["cursor"]}).json()
    lines = first["lines"] + rest["lines"]
    assert [line["status"] for line in lines] == ["paid", "refused", "paid"]
    assert lines[1]["reason"] == "ledger.account_not_found"
    assert client.get(f"/v1/payment-batches/{new['id']}").json()["total_minor"] == 240
    assert len(client.get("/v1/payment-batches", params={"debtor": 1}).json()["batches"]) == 1
    line = {"creditor": {"name": "", "account": "3"}, "amount_minor": 5}
    given = new | {"id": str(uuid4()), "csv": None, "lines": [line], "whole": True}
    assert client.post("/v1/payment-batches", json=given).json()["lines"] == 1
    assert code(client.post("/v1/payment-batches", json=new | {"csv": "?"})) == (422, "payments.file_malformed")
    assert code(client.post(f"/v1/payment-batches/{uuid4()}/run")) == (404, "payments.batch_not_found")
    assert code(client.get(f"/v1/payment-batches/{uuid4()}")) == (404, "payments.batch_not_found")


def test_names_and_texts_are_masked_for_keys_that_need_not_know(bank: Served, client: httpx.Client) -> None:
    day, new = "2999-01-31", payment(OTHER, remittance="secret")
    order = {name: new[name] for name in ("debtor", "creditor", "amount_minor", "asset", "remittance")}
    order |= {"id": str(uuid4()), "first_on": day, "frequency": "yearly"}
    mandate = {
        "id": str(uuid4()), "debtor": 1, "creditor": 2, "creditor_name": "Jan", "reference": "secret", "asset": "CZK",
        "amount_max_minor": 9, "first_on": day, "frequency": "yearly",
    }  # fmt: skip
    file = {
        "id": str(uuid4()),
        "debtor": 1,
        "asset": "CZK",
        "lines": [{"creditor": OTHER, "amount_minor": 5, "remittance": "secret"}],
    }
    sent = (("payments", new), ("standing-orders", order), ("mandates", mandate), ("payment-batches", file))
    collection = {"id": str(uuid4()), "amount_minor": 5, "due_on": day, "remittance": "secret"}
    with bank.client(bank.key(Scope.PAYMENTS_READ, Scope.PAYMENTS_WRITE)) as masked:
        for path, body in sent:
            assert_masked(masked.post(f"/v1/{path}", json=body))
        assert_masked(masked.post(f"/v1/mandates/{mandate['id']}/collections", json=collection))
        paths = [f"/v1/{path}/{body['id']}" for path, body in sent]
        paths = [*paths, f"{paths[-1]}/lines", *(f"/v1/{path}?limit=1000" for path, _ in sent[:3])]
        for path in paths:
            assert_masked(masked.get(path))
        shown = masked.get(paths[0]).json()
        assert (shown["creditor"], shown["remittance"]) == (
            {"name": "J**", "account": "****4583", "bank": "YZ"},
            "****",
        )
    assert client.get(paths[0]).json()["creditor"] == OTHER
    assert client.get(paths[1]).json()["order"]["remittance"] == "secret"
    today = date.today()
    period = {"since": str(today - timedelta(days=1)), "until": str(today + timedelta(days=1)), "limit": "1000"}
    with bank.client(bank.key(Scope.ACCOUNTS_READ)) as masked:
        shown, said = (each.get("/v1/accounts/1/statement", params=period).json() for each in (masked, client))
    assert {line["memo"] for line in shown["lines"]} == {None}
    assert [line["memo"] for line in said["lines"] if line["entry"] == new["id"]] == ["secret"]
    assert client.get(paths[2]).json()["mandate"]["reference"] == "secret"
    assert client.get(paths[4]).json()["lines"][0]["creditor"] == OTHER


def assert_masked(answer: httpx.Response) -> None:
    assert answer.status_code == 200, answer.text
    assert not any(text in answer.text for text in ("secret", '"Jan"', OTHER["account"]))


def test_a_payment_waits_for_its_day_and_is_cancelled(client: httpx.Client) -> None:
    today = date.today()
    new = payment(OTHER, end_to_end_id="E1")
    told = {"on": (today + timedelta(days=366)).isoformat(), "payment": new}
    made = client.post("/v1/scheduled-payments", json=told).json()
    assert (made["id"], made["frequency"], made["status"], made["channel"]) == (new["id"], "once", "active", "api")
    assert client.post("/v1/scheduled-payments", json=told).json() == made
    cancelled = client.post(f"/v1/standing-orders/{new['id']}/cancel").json()
    assert cancelled["status"] == "cancelled"
    refused: list[tuple[int, dict[str, object], tuple[int, str]]] = [
        (0, {}, (422, "payments.schedule_malformed")),
        (367, {}, (422, "payments.schedule_malformed")),
        (9, {"debtor": 4711}, (404, "ledger.account_not_found")),
        (9, {"asset": "EUR"}, (422, "ledger.asset_differs")),
    ]
    for days, changes, expected in refused:
        body = {"on": (today + timedelta(days=days)).isoformat(), "payment": payment(OTHER, **changes)}
        assert code(client.post("/v1/scheduled-payments", json=body)) == expected


def test_what_stands_on_suspense_is_listed_with_its_age(bank: Served, client: httpx.Client) -> None:
    today = date.today()
    for amount in (70, 71):
        sent = Incoming(uuid4(), Endpoint("Jan", "87144583", "YZ"), Endpoint("", "4711"), amount, "CZK")
        bank.run(bank.database.run(partial(receive_incoming, incoming=sent, today=today - timedelta(days=3))))
    page = client.get("/v1/payment-suspense", params={"limit": 1}).json()
    rest = client.get("/v1/payment-suspense", params={"cursor": page["cursor"]}).json()
    items = [*page["items"], *rest["items"]]
    assert sorted(each["amount_minor"] for each in items) == [70, 71]
    assert {(each["kind"], each["days"], each["held_for"]) for each in items} == {("incoming", 3, None)}
    assert (len(page["items"]), rest["cursor"]) == (1, None)
    malformed = client.get("/v1/payment-suspense", params={"cursor": "x"})
    assert code(malformed) == (400, "api.cursor_malformed")
    with bank.client(bank.key(Scope.PAYMENTS_READ)) as reader:
        assert code(reader.get("/v1/payment-suspense")) == (403, "api.scope_missing")


def test_each_operation_needs_its_scope(bank: Served) -> None:
    with bank.client(bank.key(Scope.PAYMENTS_READ)) as reader:
        assert reader.get("/v1/payments").status_code == 200
        assert code(reader.post("/v1/payments", json=payment())) == (403, "api.scope_missing")
