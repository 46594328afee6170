"""What the routes answer when all is well: opening, posting, replaying, holding, reading, paging."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest

from eastflow.channels.api import ApiKey, Scope, keys
from eastflow.channels.api.conftest import Served, entry
from eastflow.kernel import Refusal


@pytest.fixture(scope="module")
def client(bank: Served) -> Iterator[httpx.Client]:
    with bank.client() as opened:
        yield opened


def test_a_replayed_entry_is_answered_as_before_and_marked(client: httpx.Client) -> None:
    sent = entry(1, 2, 300)
    first, again = client.post("/v1/entries", json=sent), client.post("/v1/entries", json=sent)
    assert (first.status_code, again.status_code) == (201, 200)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert first.json()["balances"] == again.json()["balances"]
    balance = client.get("/v1/accounts/1/balance").json()
    assert balance == first.json()["balances"][0] | {"valued_on": None}
    assert balance["available_minor"] == balance["posted_minor"]


def test_an_account_opened_again_is_marked(client: httpx.Client) -> None:
    sent = {"id": 50, "asset": "CZK", "side": "credit", "chart": "x:y", "opened_on": "2026-01-05", "owner": "party-1"}
    assert client.post("/v1/accounts", json=sent).status_code == 201
    again = client.post("/v1/accounts", json=sent)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true")
    assert again.json() == client.get("/v1/accounts/50").json()
    assert client.post("/v1/accounts", json=sent | {"owner": "party-2"}).json()["code"] == "ledger.account_id_reused"


def test_holding_capturing_releasing(client: httpx.Client) -> None:
    hold = {"id": str(uuid4()), "account": 1, "asset": "CZK", "amount_minor": 700}
    assert client.post("/v1/holds", json=hold).status_code == 201
    assert client.post("/v1/holds", json=hold).headers["idempotent-replayed"] == "true"
    capture = {"account": 1, "hold": hold["id"], "final": False}
    assert client.post("/v1/entries", json=entry(1, 2, 200, capture=capture)).status_code == 201
    path = f"/v1/accounts/1/holds/{hold['id']}"
    assert client.get(path).json()["remaining_minor"] == 500
    released = client.post("/v1/holds/release", json={"account": 1, "hold": hold["id"]})
    assert released.status_code == 200
    assert client.get(path).json()["status"] == "released"


def test_a_reversal_undoes_once(client: httpx.Client) -> None:
    sent = entry(1, 2, 900, memo="twice")
    client.post("/v1/entries", json=sent)
    asked = {"id": str(uuid4()), "memo": "undone"}
    assert client.post(f"/v1/entries/{sent['id']}/reversal", json=asked).status_code == 201
    assert client.post(f"/v1/entries/{sent['id']}/reversal", json=asked).status_code == 200
    second = client.post(f"/v1/entries/{sent['id']}/reversal", json={"id": str(uuid4())})
    assert second.json()["code"] == "ledger.entry_already_reversed"
    booked = client.get(f"/v1/entries/{asked['id']}").json()
    assert booked["reverses"] == sent["id"]
    assert [leg["amount_minor"] for leg in booked["postings"]] == [900, -900]


def test_pages_of_a_search_keep_its_filters(client: httpx.Client) -> None:
    mine = [entry(1, 2, 10 + n, kind="fee", details={"till": "3"}) for n in range(5)]
    for each in mine:
        assert client.post("/v1/entries", json=each).status_code == 201
    client.post("/v1/entries", json=entry(1, 2, 99, kind="fee", details={"till": "4"}))
    for start in ("kind=fee&details.till=3", "kind=fee&details[till]=3&account=2", "details.till=3&amount_max=14"):
        found, path = [], f"/v1/entries?{start}&limit=2"
        for _ in range(10):
            page = client.get(path).json()
            found += [each["id"] for each in page["entries"]]
            if page["cursor"] is None:
                break
            path = f"/v1/entries?limit=2&cursor={page['cursor']}"
        assert found == [each["id"] for each in reversed(mine)], start


def test_pages_of_accounts_and_holds(client: httpx.Client) -> None:
    found, path = [], "/v1/accounts?chart=liabilities&limit=2"
    while path:
        page = client.get(path).json()
        found += [each["id"] for each in page["accounts"]]
        path = page["cursor"] and f"/v1/accounts?limit=2&cursor={page['cursor']}"
    assert found == [1, 2, 3, 4, 5]
    ids = set()
    for _ in range(3):
        hold = {"id": str(uuid4()), "account": 2, "asset": "CZK", "amount_minor": 1}
        assert client.post("/v1/holds", json=hold).status_code == 201
        ids.add(hold["id"])
    first = client.get("/v1/accounts/2/holds?limit=2").json()
    second = client.get(f"/v1/accounts/2/holds?limit=2&cursor={first['cursor']}").json()
    assert {each["id"] for each in first["holds"] + second["holds"]} == ids
    assert second["cursor"] is None


def test_statement_and_balances_of_the_past(client: httpx.Client) -> None:
    today = datetime.now(UTC).date().isoformat()
    for amount in (10, 20):
        assert client.post("/v1/entries", json=entry(1, 2, amount)).status_code == 201
    whole = client.get(f"/v1/accounts/1/statement?since=2026-01-01&until={today}&limit=1000").json()
    page = client.get(f"/v1/accounts/1/statement?since=2026-01-01&until={today}&limit=1").json()
    after = client.get(f"/v1/accounts/1/statement?cursor={page['cursor']}&limit=999").json()
    assert page["lines"] + after["lines"] == whole["lines"]
    assert whole["opening_minor"] + sum(line["amount_minor"] for line in whole["lines"]) == whole["closing_minor"]
    valued = client.get(f"/v1/accounts/1/statement?since=2026-01-01&until={today}&basis=valued").json()
    assert valued["closing_minor"] == whole["closing_minor"]
    assert client.get("/v1/accounts/1/balance?valued_on=2026-01-04").json()["posted_minor"] == 0
    moment = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    assert client.get(f"/v1/accounts/1/balance?at={moment}").json()["posted_minor"] == whole["closing_minor"]
    assert client.get("/v1/accounts/1/balance?at=2020-01-01T00:00:00Z").status_code == 404
    assert client.get(f"/v1/accounts/2/statement?cursor={page['cursor']}").json()["code"] == "api.cursor_malformed"
    assert client.get("/v1/trial-balance").json()["balanced"]


def test_no_request_without_a_key(bank: Served) -> None:
    with httpx.Client(base_url=bank.url, trust_env=False) as stranger:
        for path in ("/v1/assets", "/v1/nothing", "/"):
            missing = stranger.get(path)
            assert (missing.status_code, missing.json()["code"]) == (401, "api.key_missing")
            assert missing.headers["www-authenticate"] == "Bearer"
        for secret in ("x", f"ef_{uuid4().hex}_x", bank.secret + "x", bank.secret[:-1]):
            unknown = stranger.get("/v1/assets", headers={"authorization": f"Bearer {secret}"})
            assert (unknown.status_code, unknown.json()["code"]) == (401, "api.key_unknown")
        assert stranger.get("/healthz").json() == {"status": "ok"}


def test_a_key_does_what_its_scopes_say(bank: Served) -> None:
    with bank.client(bank.key(Scope.ENTRIES_READ, Scope.KEYS_WRITE)) as reader:
        assert reader.get("/v1/entries").status_code == 200
        refused = reader.post("/v1/entries", json=entry(1, 2, 1))
        assert (refused.status_code, refused.json()["facts"]) == (403, {"scope": "entries:write"})
        more = reader.post("/v1/keys", json={"name": "more", "scopes": ["entries:read", "entries:write"]})
        assert (more.status_code, more.json()["code"]) == (403, "api.scope_not_held")


def test_a_revoked_key_opens_nothing(bank: Served, client: httpx.Client) -> None:
    made = client.post("/v1/keys", json={"name": "till 3", "scopes": ["assets:read"]})
    secret, id = made.json()["secret"], made.json()["key"]["id"]
    assert secret.startswith(f"ef_{id.replace('-', '')}_")
    with bank.client(secret) as till:
        assert till.get("/v1/assets").status_code == 200
        assert client.delete(f"/v1/keys/{id}").json()["revoked_at"]
        assert till.get("/v1/assets").json()["code"] == "api.key_unknown"
    listed = {each["id"]: each for each in client.get("/v1/keys").json()["keys"]}
    assert listed[id]["revoked_at"]
    assert secret not in str(listed)
    assert client.delete(f"/v1/keys/{uuid4()}").json()["code"] == "api.key_not_found"


def test_a_key_revoked_elsewhere_is_known_within_two_seconds(bank: Served) -> None:
    import time

    secret = bank.key(Scope.ASSETS_READ)
    with bank.client(secret) as till:
        assert till.get("/v1/assets").status_code == 200

        async def revoke() -> ApiKey | Refusal:
            async with bank.database.reading() as tx:
                key = await keys.find_key(tx, secret.encode())
            assert key is not None
            return await bank.database.run(lambda tx: keys.revoke_key(tx, key.id))

        bank.run(revoke())
        time.sleep(2.1)
        assert till.get("/v1/assets").status_code == 401


def test_only_the_hash_of_a_secret_is_kept(bank: Served) -> None:
    async def kept() -> str:
        async with bank.database.reading() as tx:
            return str([tuple(row.values()) for row in await tx.rows("SELECT * FROM api_key")])

    assert bank.secret.split("_", 2)[2] not in bank.run(kept())


def test_the_sweeper_gives_expired_holds_back(bank: Served, client: httpx.Client) -> None:
    import time
    from datetime import timedelta

    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    hold = {"id": str(uuid4()), "account": 1, "asset": "CZK", "amount_minor": 5, "expires_at": soon}
    assert client.post("/v1/holds", json=hold).status_code == 201
    for _ in range(60):
        time.sleep(0.1)
        if client.get(f"/v1/accounts/1/holds/{hold['id']}").json()["status"] == "expired":
            return
    pytest.fail("the hold was not given back")
