"""Every bad request gets a refusal of its own: the status, the code, the problem document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from eastflow.channels.api import Scope, messages, problems
from eastflow.channels.api.conftest import Served, entry, serving
from eastflow.kernel import Refusal, RefusalCode, own_id

Ask = Callable[[httpx.Client], httpx.Response]


def posting(**changes: Any) -> Ask:
    return lambda client: client.post("/v1/entries", json=entry(1, 2, 100, **changes))


def moving(debited: int, credited: int, amount: int, **changes: Any) -> Ask:
    return lambda client: client.post("/v1/entries", json=entry(debited, credited, amount, **changes))


def holding(amount: int, **changes: Any) -> Ask:
    told = {"id": str(uuid4()), "account": 1, "asset": "CZK", "amount_minor": amount} | changes
    return lambda client: client.post("/v1/holds", json=told)


def getting(path: str) -> Ask:
    return lambda client: client.get(path)


def sending(content: bytes) -> Ask:
    return lambda client: client.post("/v1/entries", content=content)


def reused(client: httpx.Client) -> httpx.Response:
    first = entry(1, 2, 100)
    assert client.post("/v1/entries", json=first).status_code == 201
    return client.post("/v1/entries", json=first | {"memo": "another"})


def without(field: str) -> Ask:
    told = {name: value for name, value in entry(1, 2, 100).items() if name != field}
    return lambda client: client.post("/v1/entries", json=told)


LEG = {"account": 1, "asset": "CZK", "amount_minor": 5}
HUGE = 1 << 70
BOTH = "at=2026-01-01T00:00:00Z&business_date=2026-01-05"
OWN = str(own_id(b"what the bank does"[:16]))
OWN_HOLD = {"account": 1, "hold": OWN}
BAD: list[tuple[str, Ask, int, str]] = [
    ("an id of the bank's own", posting(id=OWN), 400, "api.body_malformed"),
    (
        "one of them in a list",
        lambda c: c.post("/v1/entries/batch", json={"entries": [entry(1, 2, 1, id=OWN)]}),
        400,
        "api.body_malformed",
    ),
    ("its hold", holding(5, id=OWN), 400, "api.body_malformed"),
    ("ended by another", lambda c: c.post("/v1/holds/release", json=OWN_HOLD), 400, "api.body_malformed"),
    ("captured by another", posting(capture=OWN_HOLD), 400, "api.body_malformed"),
    ("zero", moving(1, 2, 0), 422, "ledger.amount_is_zero"),
    ("zero hold", holding(0), 422, "ledger.amount_is_zero"),
    ("negative hold", holding(-5), 422, "ledger.amount_is_negative"),
    ("huge amount", moving(1, 2, HUGE), 422, "ledger.amount_out_of_range"),
    ("huge hold", holding(HUGE), 422, "ledger.amount_out_of_range"),
    ("one leg", posting(postings=[LEG]), 422, "ledger.too_few_postings"),
    ("too many legs", posting(postings=[LEG] * 101), 422, "ledger.too_many_postings"),
    ("unbalanced", posting(postings=[LEG, LEG]), 422, "ledger.does_not_balance"),
    ("linked to nothing", posting(linked=True), 422, "ledger.linked_group_open"),
    ("bad kind", posting(kind="No Kind"), 422, "ledger.text_malformed"),
    ("NUL in the memo", posting(memo="a\0b"), 422, "ledger.text_malformed"),
    ("too many details", posting(details={str(n): "" for n in range(51)}), 422, "ledger.details_too_large"),
    ("wrong asset", moving(1, 5, 100), 422, "ledger.asset_differs"),
    ("unknown account", moving(1, 777, 100), 404, "ledger.account_not_found"),
    ("account below 1", moving(1, -7, 100), 404, "ledger.account_not_found"),
    ("account above what is exact", moving(1, HUGE, 100), 404, "ledger.account_not_found"),
    ("unknown asset", holding(5, asset="XYZ"), 404, "ledger.asset_not_found"),
    ("frozen account", moving(1, 4, 100), 409, "ledger.account_frozen"),
    ("future value date", posting(value_date="2999-01-01"), 422, "ledger.value_date_in_future"),
    ("past expiry", holding(5, expires_at="2020-01-01T00:00:00Z"), 422, "ledger.hold_expiry_in_past"),
    ("earliest expiry", holding(5, expires_at="0001-01-01T00:00:00+14:00"), 422, "ledger.hold_expiry_in_past"),
    ("latest expiry", holding(5, expires_at="9999-12-31T23:59:59-14:00"), 400, "api.body_malformed"),
    ("expiry without a zone", holding(5, expires_at="2030-01-01T00:00:00"), 400, "api.body_malformed"),
    ("no funds", moving(3, 2, 100), 422, "ledger.insufficient_funds"),
    ("id reused", reused, 409, "ledger.entry_id_reused"),
    ("reverses nothing", posting(reverses=str(uuid4())), 404, "ledger.entry_not_found"),
    ("captures nothing", posting(capture={"account": 1, "hold": str(uuid4())}), 404, "ledger.hold_not_found"),
    ("not JSON", sending(b"{"), 400, "api.body_malformed"),
    ("empty", sending(b""), 400, "api.body_malformed"),
    ("not UTF-8", sending(b'{"id":"\xff"}'), 400, "api.body_malformed"),
    ("deeply nested", sending(b"[" * 100_000), 400, "api.body_malformed"),
    ("no id", without("id"), 400, "api.body_malformed"),
    ("unknown field", posting(colour="red"), 400, "api.body_malformed"),
    ("unknown field of a leg", posting(postings=[LEG | {"x": 1}]), 400, "api.body_malformed"),
    ("amount as text", posting(postings=[LEG | {"amount_minor": "5"}]), 400, "api.body_malformed"),
    ("amount with a fraction", posting(postings=[LEG | {"amount_minor": 5.5}]), 400, "api.body_malformed"),
    ("no such path", getting("/v1/nothing"), 404, "api.not_found"),
    ("method", lambda client: client.delete("/v1/entries"), 405, "api.method_not_allowed"),
    ("entry not a UUID", getting("/v1/entries/x"), 400, "api.parameter_malformed"),
    ("no such entry", getting(f"/v1/entries/{uuid4()}"), 404, "ledger.entry_not_found"),
    ("no such account", getting("/v1/accounts/777"), 404, "ledger.account_not_found"),
    ("no balance of it", getting("/v1/accounts/777/balance"), 404, "ledger.account_not_found"),
    ("no hold of it", getting(f"/v1/accounts/1/holds/{uuid4()}"), 404, "ledger.hold_not_found"),
    ("huge account", getting(f"/v1/accounts/{HUGE}"), 400, "api.parameter_malformed"),
    ("unknown parameter", getting("/v1/entries?colour=red"), 400, "api.parameter_malformed"),
    ("parameter twice", getting("/v1/entries?limit=1&limit=2"), 400, "api.parameter_malformed"),
    ("parameter where none is", getting("/v1/assets?x=1"), 400, "api.parameter_malformed"),
    ("limit", getting("/v1/entries?limit=1001"), 400, "api.parameter_malformed"),
    ("moment without a zone", getting("/v1/trial-balance?at=2026-01-01T00:00:00"), 400, "api.parameter_malformed"),
    ("day that is open", getting("/v1/trial-balance?business_date=2026-01-05"), 404, "ledger.day_not_closed"),
    ("last day of all", getting("/v1/trial-balance?business_date=9999-12-31"), 400, "api.parameter_malformed"),
    ("moment and day", getting(f"/v1/trial-balance?{BOTH}"), 400, "api.parameter_malformed"),
    ("last day", getting("/v1/accounts/1/statement?since=0001-01-01&until=9999-12-31"), 400, "api.parameter_malformed"),
    ("NUL in a filter", getting("/v1/accounts?owner=%00"), 400, "api.parameter_malformed"),
    ("cursor", getting("/v1/entries?cursor=x"), 400, "api.cursor_malformed"),
    ("accounts' cursor", getting("/v1/accounts?cursor=bm90"), 400, "api.cursor_malformed"),
    ("holds' cursor", getting("/v1/accounts/1/holds?cursor=bm90"), 400, "api.cursor_malformed"),
    ("asset", lambda client: client.put("/v1/assets/x", json={"scale": 2}), 422, "ledger.asset_malformed"),
    ("scale", lambda client: client.put("/v1/assets/CZK", json={"scale": 3}), 422, "ledger.asset_malformed"),
    ("huge floor", lambda c: c.patch("/v1/accounts/1", json={"floor_minor": HUGE}), 422, "ledger.floor_out_of_range"),
    ("close", lambda c: c.patch("/v1/accounts/1", json={"status": "closed"}), 409, "ledger.account_not_empty"),
]


@pytest.fixture(scope="module")
def client(bank: Served) -> Iterator[httpx.Client]:
    with bank.client() as opened:
        yield opened


@pytest.mark.parametrize(("ask", "status", "code"), [each[1:] for each in BAD], ids=[each[0] for each in BAD])
def test_a_bad_request_is_refused_with_its_own_code(client: httpx.Client, ask: Ask, status: int, code: str) -> None:
    answer = ask(client)
    told = answer.json()
    assert (answer.status_code, told["code"]) == (status, code), told
    assert answer.headers["content-type"] == "application/problem+json"
    assert told["status"] == status
    assert told["type"] == f"/docs#{code}"
    assert "—" not in told["detail"], told


def test_a_batch_names_each_outcome_in_order(client: httpx.Client) -> None:
    first = entry(1, 2, 100)
    sent = [first, entry(1, 777, 100), first, entry(3, 2, 100)]
    outcomes = client.post("/v1/entries/batch", json={"entries": sent}).json()["outcomes"]
    assert [each["status"] for each in outcomes] == ["posted", "refused", "replayed", "refused"]
    assert [each["id"] for each in outcomes] == [each["id"] for each in sent]
    codes = [each["problem"]["code"] for each in outcomes if "problem" in each]
    assert codes == ["ledger.account_not_found", "ledger.insufficient_funds"]


def test_a_batch_of_more_than_ten_thousand_is_refused_whole(client: httpx.Client) -> None:
    answer = client.post("/v1/entries/batch", json={"entries": [entry(1, 2, 1)] * 10_001})
    assert (answer.status_code, answer.json()["code"]) == (413, "ledger.batch_too_large")


def test_a_change_that_is_refused_in_part_changes_nothing(client: httpx.Client) -> None:
    answer = client.patch("/v1/accounts/1", json={"floor_minor": -100, "status": "closed"})
    assert answer.json()["code"] == "ledger.account_not_empty"
    assert client.get("/v1/accounts/1").json()["floor_minor"] == 0


def test_titles_follow_the_language_asked_for(client: httpx.Client) -> None:
    titles = {}
    for asked in ("zh-CN,zh;q=0.9", "ko-KR", "de, en;q=0.5", "xx"):
        answer = client.get("/v1/accounts/777", headers={"accept-language": asked})
        titles[answer.headers["content-language"]] = answer.json()["title"]
    assert titles == {"zh-Hans": "账户不存在", "ko": "계좌 없음", "en": "No such account"}


def test_every_refusal_has_one_status_and_every_language() -> None:
    rooms = [kind for kind in RefusalCode.__subclasses__() if kind.__module__.endswith(".refusals")]
    codes = [code for kind in rooms for code in kind]
    assert set(problems.STATUSES) == set(codes)
    for language, catalogue in messages.LANGUAGES.items():
        assert catalogue.keys() == {code.value for code in codes}, language
        for code in codes:
            stated = problems.problem(Refusal(code), language)
            assert stated.title
            assert stated.detail
    # The same facts are named in every language.
    fields = messages.LANGUAGES
    for code in codes:
        named = {_fields(catalogue[code.value][1]) for catalogue in fields.values()}
        assert len(named) == 1, code


def _fields(template: str) -> frozenset[str]:
    return frozenset(piece.split("}")[0] for piece in template.split("{")[1:])


def test_a_body_above_the_limit_is_refused_told_or_not(embedded_server: str) -> None:
    with serving(embedded_server, body_bytes_max=1_000) as served, served.client() as client:
        told = client.post("/v1/entries", content=b" " * 1_001)
        untold = client.post("/v1/entries", content=iter([b" " * 600] * 2))
        within = client.post("/v1/entries", content=iter([b" " * 400] * 2))
        answers = [(each.status_code, each.json()["code"]) for each in (told, untold, within)]
        assert answers == [(413, "api.body_too_large")] * 2 + [(400, "api.body_malformed")]


def test_a_key_above_its_rate_is_told_when_to_come_back(embedded_server: str) -> None:
    with serving(embedded_server, requests_per_second_max=1, requests_burst=3) as served:
        other = served.key(Scope.ASSETS_READ)
        with served.client() as client, served.client(other) as patient:
            answers = [client.get("/v1/assets") for _ in range(5)]
            assert [each.status_code for each in answers] == [200, 200, 200, 429, 429]
            assert answers[3].json()["code"] == "api.rate_exceeded"
            assert answers[3].headers["retry-after"] == "1"
            assert patient.get("/v1/assets").status_code == 200


def test_an_address_with_too_many_wrong_keys_is_told_to_wait_and_a_right_key_is_not(embedded_server: str) -> None:
    with (
        serving(embedded_server, wrong_keys_burst=3, wrong_key_seconds=600) as served,
        served.client("wrong") as stranger,
        served.client() as client,
    ):
        answers = [stranger.get("/v1/assets") for _ in range(4)]
        assert [each.json()["code"] for each in answers] == ["api.key_unknown"] * 3 + ["api.too_many_attempts"]
        told = answers[3]
        assert (told.status_code, told.headers["content-type"]) == (429, "application/problem+json")
        assert 1 <= int(told.headers["retry-after"]) <= 600
        titles = {
            stranger.get("/v1/assets", headers={"accept-language": language}).json()["title"]
            for language in ("zh-CN", "ko", "en")
        }
        assert titles == {"无效密钥尝试过多", "잘못된 키 시도가 너무 많음", "Too many wrong keys"}
        assert stranger.get("/healthz").status_code == 200
        assert client.get("/v1/assets").status_code == 200
