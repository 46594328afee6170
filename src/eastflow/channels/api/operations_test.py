"""The business date, the day's end and approvals over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from eastflow.channels.api import keys
from eastflow.channels.api.conftest import Served, serving
from eastflow.operations import Role

WAIT_SECONDS = 20


@pytest.fixture(scope="module")
def bank(embedded_server: str) -> Iterator[Served]:
    with serving(embedded_server) as served, served.client() as client:
        client.put("/v1/assets/CZK", json={"scale": 2}).raise_for_status()
        account = {"id": 1, "asset": "CZK", "side": "credit", "chart": "x", "opened_on": "2026-01-05"}
        client.post("/v1/accounts", json=account).raise_for_status()
        yield served


def keyed(bank: Served, name: str, *roles: Role, held_by: str | None = None) -> httpx.Client:
    made = bank.run(bank.database.run(lambda tx: keys.create_key(tx, name, (), roles=roles, held_by=held_by)))
    return bank.client(made[1])


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_day_is_ended_in_the_background_and_followed(bank: Served) -> None:
    today = datetime.now(UTC).date()
    days = {"date": today.isoformat()}
    with keyed(bank, "operator", Role.OPERATOR) as client:
        late = client.post("/v1/day-end", json={"date": (today + timedelta(days=9)).isoformat()})
        assert code(late) == (409, "operations.day_not_open")
        assert code(client.get(f"/v1/day-end/{today}")) == (404, "operations.day_end_not_found")
        assert code(client.get("/v1/day-end/9999-12-31")) == (400, "api.parameter_malformed")
        assert code(client.post("/v1/day-end", json={"date": "9999-12-31"})) == (400, "api.parameter_malformed")
        assert client.post("/v1/day-end", json=days).json()["steps"][0]["name"] == "cut_off"
        assert client.post("/v1/day-end", json=days).status_code == 200
        ended = time.monotonic() + WAIT_SECONDS
        while (shown := client.get(f"/v1/day-end/{today}").json())["state"] != "done":
            assert shown["state"] in ("waiting", "running"), shown
            assert time.monotonic() < ended, shown
            time.sleep(0.05)
        assert client.post("/v1/day-end", json=days).json() == shown
        following = client.post("/v1/day-end", json={"date": (today + timedelta(days=1)).isoformat()})
        assert code(following) == (409, "operations.day_ahead_of_clock")
        assert client.get("/v1/business-date").json() == {"date": today.isoformat(), "closing": None}
    with bank.client() as client:
        kept = client.get(f"/v1/trial-balance?business_date={today}").json()
        assert (kept["business_date"], kept["at"], kept["balanced"]) == (today.isoformat(), None, True)
        assert kept["positions"] == [{"chart": "x", "asset": "CZK", "signed_minor": 0, "accounts": None}]
        open_day = client.get(f"/v1/trial-balance?business_date={today + timedelta(days=1)}")
        assert code(open_day) == (404, "ledger.day_not_closed")


def proposal(**changes: Any) -> dict[str, Any]:
    told = {"id": str(uuid4()), "kind": "account_floor", "payload": {"account": 1, "floor_minor": -500}, "reason": "x"}
    return told | changes


APPROVE = {"verdict": "approve", "reason": "seen"}
REFUSE = {"verdict": "refuse", "reason": "no"}


def test_one_proposes_another_approves(bank: Served) -> None:
    with (
        keyed(bank, "ana's till", Role.TELLER, held_by="ana") as maker,
        keyed(bank, "ana at home", Role.SUPERVISOR, held_by="ana") as same_person,
        keyed(bank, "bo", Role.SUPERVISOR) as checker,
        keyed(bank, "cy", Role.COMPLIANCE) as other_role,
    ):
        asked = proposal()
        path = f"/v1/approvals/{asked['id']}"
        assert code(checker.post(f"{path}/decision", json=APPROVE)) == (404, "operations.proposal_not_found")
        assert code(maker.get(path)) == (404, "operations.proposal_not_found")
        made = maker.post("/v1/approvals", json=asked).json()
        assert (made["maker"], made["status"], made["payload"]) == ("ana", "pending", asked["payload"])
        assert maker.get(path).json() == made
        assert code(maker.post(f"{path}/decision", json=APPROVE)) == (403, "api.scope_missing")
        assert code(same_person.post(f"{path}/decision", json=APPROVE)) == (409, "operations.checker_is_maker")
        assert code(other_role.post(f"{path}/decision", json=APPROVE)) == (403, "operations.role_missing")
        assert code(checker.post(f"{path}/withdrawal", json={"reason": "x"})) == (403, "operations.not_the_maker")
        done = checker.post(f"{path}/decision", json=APPROVE).json()
        assert (done["status"], done["decided_by"], done["result"]) == ("executed", "bo", {"floor_minor": -500})
        assert checker.post(f"{path}/decision", json=APPROVE).json() == done
        assert code(checker.post(f"{path}/decision", json=REFUSE)) == (409, "operations.proposal_decided")
        with bank.client() as client:
            assert client.get("/v1/accounts/1").json()["floor_minor"] == -500


def test_proposals_are_refused_withdrawn_and_listed(bank: Served) -> None:
    with keyed(bank, "dan", Role.TELLER) as maker, keyed(bank, "eve", Role.SUPERVISOR) as checker:
        first, second, third = proposal(), proposal(), proposal()
        for each in (first, second, third):
            assert maker.post("/v1/approvals", json=each).status_code == 200
        refused = checker.post(f"/v1/approvals/{first['id']}/decision", json=REFUSE).json()
        assert (refused["status"], refused["decision_reason"], refused["result"]) == ("refused", "no", None)
        taken = maker.post(f"/v1/approvals/{second['id']}/withdrawal", json={"reason": "not needed"}).json()
        assert taken["status"] == "withdrawn"
        found: list[str] = []
        page: dict[str, Any] = {"cursor": None}
        while not found or page["cursor"]:
            asked = {"limit": "1", "pending": "true"} | ({"cursor": page["cursor"]} if page["cursor"] else {})
            page = maker.get("/v1/approvals", params=asked).json()
            found += [each["id"] for each in page["proposals"]]
        assert found == [third["id"]]
        everything = maker.get("/v1/approvals").json()["proposals"]
        assert {each["id"] for each in everything} >= {first["id"], second["id"], third["id"]}
        assert code(maker.get("/v1/approvals?cursor=bm90")) == (400, "api.cursor_malformed")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"kind": "gift"}, "operations.kind_unknown"),
        ({"payload": {"account": 1}}, "operations.payload_malformed"),
        ({"payload": {"account": 1, "floor_minor": 1 << 70}}, "operations.payload_malformed"),
        ({"reason": "a\0b"}, "operations.text_malformed"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "operations.expiry_out_of_range"),
    ],
)
def test_what_cannot_be_proposed(bank: Served, changes: dict[str, Any], expected: str) -> None:
    with keyed(bank, "fay", Role.TELLER) as maker:
        assert code(maker.post("/v1/approvals", json=proposal(**changes))) == (422, expected)
