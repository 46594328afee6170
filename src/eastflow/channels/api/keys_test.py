"""Who made a key, until when it opens, when it was used, its new secrets; and that it takes two to make another's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from eastflow.channels.api import ApiKey, ApiRefusal, Scope, issuing, keys
from eastflow.channels.api.conftest import Served, serving
from eastflow.channels.api.keys import COMMAND_LINE, By
from eastflow.kernel import Refusal
from eastflow.operations import Role
from eastflow.storage import Database, migrate

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
TODAY = AT.date()
APPROVE = {"verdict": "approve", "reason": "known to me"}


@pytest.fixture(scope="module")
def bank(embedded_server: str) -> Iterator[Served]:
    with serving(embedded_server) as served:
        yield served


@pytest.fixture
async def books(database: Database) -> Database:
    await migrate(database)
    return database


async def opened(books: Database, secret: str, at: datetime = AT) -> ApiKey | None:
    async with books.reading() as tx:
        return await keys.find_key(tx, secret.encode(), clock=lambda: at)


async def made(books: Database, name: str = "ana", **changes: Any) -> tuple[ApiKey, str]:
    told: dict[str, Any] = {"scopes": [Scope.ASSETS_READ], "clock": lambda: AT} | changes
    return await books.run(lambda tx: keys.create_key(tx, name, **told))


async def rotated(
    books: Database, id: UUID, grace: int, at: datetime = AT, caller: ApiKey | None = None
) -> tuple[ApiKey, str] | Refusal:
    return await books.run(lambda tx: keys.rotate_key(tx, id, grace_seconds=grace, caller=caller, clock=lambda: at))


async def secret_of(*asked: Any, **more: Any) -> str:
    answer = await rotated(*asked, **more)
    assert not isinstance(answer, Refusal), answer
    return answer[1]


async def test_a_key_opens_to_the_end_of_its_last_day(books: Database) -> None:
    _, secret = await made(books, expires_on=TODAY)
    midnight = datetime(2026, 3, 3, tzinfo=UTC)
    assert await opened(books, secret, midnight - timedelta(microseconds=1))
    assert await opened(books, secret, midnight) is None


async def test_an_old_secret_opens_for_its_grace_and_no_longer(books: Database) -> None:
    key, first = await made(books)
    second = await secret_of(books, key.id, 60)
    end = AT + timedelta(seconds=60)
    assert all([await opened(books, each, end - timedelta(microseconds=1)) for each in (first, second)])
    assert await opened(books, first, end) is None
    assert await opened(books, second, end)


async def test_an_answer_that_was_lost_shuts_nobody_out(books: Database) -> None:
    key, first = await made(books)
    lost = await secret_of(books, key.id, 60)
    third = await secret_of(books, key.id, 30)
    assert [bool(await opened(books, each)) for each in (first, lost, third)] == [True, False, True]
    assert await opened(books, first, AT + timedelta(seconds=30)) is None
    fourth = await secret_of(books, key.id, 0, AT + timedelta(seconds=30))
    later = AT + timedelta(seconds=30)
    assert [bool(await opened(books, each, later)) for each in (first, third, fourth)] == [False, False, True]


async def test_rivals_leave_one_new_secret_and_the_old_one(books: Database) -> None:
    key, first = await made(books)
    found = await asyncio.gather(*(secret_of(books, key.id, 60) for _ in range(4)))
    assert await opened(books, first)
    assert sum([bool(await opened(books, each)) for each in found]) == 1


async def test_who_may_not_rotate_in_order(books: Database) -> None:
    key, _ = await made(books, held_by="ana", scopes=[Scope.ASSETS_READ, Scope.ENTRIES_READ])
    same, _ = await made(books, held_by="ana", scopes=[Scope.ASSETS_READ])
    other, _ = await made(books, "bo", scopes=Scope)
    own, _ = await made(books, held_by="ana", scopes=Scope)

    async def code(id: UUID, caller: ApiKey | None = None) -> object:
        answer = await rotated(books, id, 0, caller=caller)
        return answer.code if isinstance(answer, Refusal) else None

    assert await code(uuid4(), other) is ApiRefusal.KEY_NOT_FOUND
    assert await code(key.id, other) is ApiRefusal.KEY_NOT_YOURS
    assert await code(key.id, same) is ApiRefusal.KEY_NOT_YOURS, "it would open more than the caller's does"
    brief, _ = await made(books, held_by="ana", scopes=Scope, expires_on=TODAY)
    assert await code(key.id, brief) is ApiRefusal.KEY_NOT_YOURS, "it would open longer than the caller's does"
    assert await code(brief.id, brief) is None
    assert await code(key.id, own) is None
    assert await code(key.id) is None
    await books.run(lambda tx: keys.revoke_key(tx, key.id))
    assert await code(key.id, own) is ApiRefusal.KEY_ENDED
    late, _ = await made(books, expires_on=TODAY - timedelta(days=1))
    assert await code(late.id) is ApiRefusal.KEY_ENDED


async def test_the_first_revocation_is_the_one_kept(books: Database) -> None:
    key, secret = await made(books)
    assert key.made_by == COMMAND_LINE
    first = await books.run(lambda tx: keys.revoke_key(tx, key.id, by=By("bo", key.id), clock=lambda: AT))
    again = await books.run(lambda tx: keys.revoke_key(tx, key.id))
    assert first == again
    assert isinstance(first, ApiKey)
    assert (first.revoked_by, first.revoked_at) == (By("bo", key.id), AT)
    assert await opened(books, secret) is None


async def test_the_machine_makes_keys_until_there_are_two_administrators(books: Database) -> None:
    async def alone(name: str, *roles: Role, expires_on: date | None = None) -> object:
        answer = await books.run(
            lambda tx: issuing.make_key(
                tx, None, name, [Scope.ASSETS_READ], roles=roles, expires_on=expires_on, clock=lambda: AT
            )
        )
        return answer.code if isinstance(answer, Refusal) else answer[0].id

    yesterday = TODAY - timedelta(days=1)
    assert await alone("late", expires_on=yesterday) is ApiRefusal.EXPIRY_IN_PAST
    await made(books, "gone", roles=[Role.ADMINISTRATOR], expires_on=yesterday)
    for name in ("ana", "ana", "cy"):
        assert isinstance(await alone(name, *([Role.ADMINISTRATOR] if name == "ana" else [])), UUID)
    second = await alone("bo", Role.ADMINISTRATOR)
    assert isinstance(second, UUID)
    assert await alone("dan") is ApiRefusal.SECOND_PERSON_NEEDED
    await books.run(lambda tx: keys.revoke_key(tx, second))
    assert isinstance(await alone("dan"), UUID)


@pytest.mark.parametrize(("asked", "kept"), [(None, 5), (4, 4), (6, 5)])
async def test_what_a_key_makes_expires_no_later_than_itself(books: Database, asked: int | None, kept: int) -> None:
    caller, _ = await made(books, expires_on=TODAY + timedelta(days=5))
    expires_on = None if asked is None else TODAY + timedelta(days=asked)
    answer = await books.run(lambda tx: issuing.make_key(tx, caller, "x", [], expires_on=expires_on, clock=lambda: AT))
    assert not isinstance(answer, Refusal)
    assert answer[0].expires_on == TODAY + timedelta(days=kept)


async def test_a_secret_speaks_for_its_key_and_its_scopes(books: Database) -> None:
    key, secret = await made(books)

    async def caller(told: str | None, scope: Scope = Scope.ASSETS_READ) -> object:
        answer = await books.run(lambda tx: issuing.caller_of(tx, told, scope))
        return answer.code if isinstance(answer, Refusal) else answer.id

    assert await caller(None) is ApiRefusal.KEY_MISSING
    assert await caller(secret + "x") is ApiRefusal.KEY_UNKNOWN
    assert await caller(secret, Scope.ROLES_GRANT) is ApiRefusal.SCOPE_MISSING
    assert await caller(secret) == key.id


def keyed(bank: Served, name: str, *roles: Role) -> httpx.Client:
    return bank.client(bank.run(bank.database.run(lambda tx: keys.create_key(tx, name, (), roles=roles)))[1])


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_key_passes_on_what_it_holds_and_only_to_its_own_actor(bank: Served) -> None:
    with keyed(bank, "ana", Role.ADMINISTRATOR) as ana:
        own = {"name": "ana's phone", "roles": ["administrator"], "expires_on": "2999-12-31"}
        answer = ana.post("/v1/keys", json=own)
        assert answer.status_code == 201, answer.text
        shown = answer.json()["key"]
        assert (shown["actor"], shown["expires_on"], shown["last_used_on"]) == ("ana", "2999-12-31", None)
        assert shown["made_by"]["actor"] == "ana"
        maker = ana.get(f"/v1/keys/{shown['made_by']['key']}").json()
        assert maker["made_by"] == {"actor": "command line", "key": None}
        assert maker["last_used_on"] == datetime.now(UTC).date().isoformat()
        asked = {"name": "x", "scopes": ["assets:read"]}
        assert code(ana.post("/v1/keys", json={"name": "x"})) == (400, "api.body_malformed")
        assert code(ana.post("/v1/keys", json=asked | {"scopes": ["entries:write"]})) == (403, "api.scope_not_held")
        assert code(ana.post("/v1/keys", json=asked | {"roles": ["teller"]})) == (403, "api.role_not_held")
        assert code(ana.post("/v1/keys", json=asked | {"actor": "bo"})) == (409, "api.second_person_needed")
        assert code(ana.post("/v1/keys", json=asked | {"expires_on": "2020-01-01"})) == (422, "api.expiry_in_past")
        with bank.client(answer.json()["secret"]) as phone:
            gone = phone.delete(f"/v1/keys/{maker['id']}").json()
            assert gone["revoked_by"] == {"actor": "ana", "key": shown["id"]}


def proposal(actor: str = "gil", **changes: Any) -> dict[str, Any]:
    key = {"name": f"{actor}'s till", "actor": actor, "roles": ["teller"]} | changes
    return {"id": str(uuid4()), "key": key, "reason": "new at the counter"}


def test_a_key_for_another_takes_two_administrators(bank: Served) -> None:
    asked = proposal()
    decision, rotation = f"/v1/approvals/{asked['id']}/decision", f"/v1/keys/{asked['id']}/rotation"
    grace = {"grace_seconds": 0}
    with (
        keyed(bank, "ana", Role.ADMINISTRATOR) as ana,
        keyed(bank, "ana", Role.ADMINISTRATOR) as ana_again,
        keyed(bank, "bo", Role.ADMINISTRATOR) as bo,
        keyed(bank, "cy", Role.SUPERVISOR) as cy,
    ):
        assert code(cy.post("/v1/keys/proposals", json=asked)) == (403, "api.scope_missing")
        generic = {"id": asked["id"], "kind": "key_grant", "payload": asked["key"], "reason": "x"}
        assert code(cy.post("/v1/approvals", json=generic)) == (422, "operations.kind_unknown")
        assert code(ana.post("/v1/keys/proposals", json=proposal(roles=[]))) == (422, "operations.payload_malformed")
        late = proposal(expires_on="2020-01-01")
        assert code(ana.post("/v1/keys/proposals", json=late)) == (422, "api.expiry_in_past")
        assert ana.post("/v1/keys/proposals", json=asked).json()["status"] == "pending"
        assert code(ana_again.post(decision, json=APPROVE)) == (409, "operations.checker_is_maker")
        assert code(cy.post(decision, json=APPROVE)) == (403, "operations.role_missing")
        assert code(ana.post(rotation, json=grace)) == (404, "api.key_not_found")
        assert bo.post(decision, json=APPROVE).json()["result"] == {"key": asked["id"]}
        assert code(bo.post(rotation, json=grace)) == (409, "api.key_not_yours")
        drawn = ana.post(rotation, json=grace).json()
        assert drawn["key"]["made_by"] == {"actor": "ana", "key": None}
        assert (drawn["key"]["approved_by"], drawn["key"]["actor"]) == ("bo", "gil")
        assert code(ana.post(rotation, json=grace)) == (409, "api.key_not_yours")
        with bank.client(drawn["secret"]) as gil:
            changed = gil.post(rotation, json=grace).json()
            assert code(gil.get("/v1/assets")) == (401, "api.key_unknown"), "whoever drew the first knows it no more"
        with bank.client(changed["secret"]) as gil:
            assert gil.get("/v1/assets").status_code == 200


def test_a_grant_that_can_no_longer_be_is_not_made(bank: Served) -> None:
    with keyed(bank, "ana", Role.ADMINISTRATOR) as ana, keyed(bank, "bo", Role.ADMINISTRATOR) as bo:
        taken = bank.run(bank.database.run(lambda tx: keys.create_key(tx, "x", [Scope.ASSETS_READ])))[0]
        asked = proposal() | {"id": str(taken.id)}
        assert ana.post("/v1/keys/proposals", json=asked).status_code == 200
        refused = bo.post(f"/v1/approvals/{taken.id}/decision", json=APPROVE)
        assert code(refused) == (409, "operations.proposal_id_reused")
