"""`/v1/keys`: who may call. A key passes on only what it holds itself; a key for anybody else takes two people."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from eastflow import operations
from eastflow.kernel import Refusal
from eastflow.operations import OperationsRefusal, Role
from eastflow.storage import Transaction

from . import issuing, keys, wire
from .issuing import KeyGrant, KeyName
from .keys import GRACE_SECONDS_MAX, ApiKey, By, Scope
from .operation import Answer, Call, Operation
from .refusals import ApiRefusal
from .routes_approvals import Proposal, shown_or_refused

KEY_ID = "019b8f2e-7c00-7000-8000-0000000000bb"


class NewKey(Struct, frozen=True, forbid_unknown_fields=True):
    """Scopes, roles, or both. The key belongs to the caller's actor, who may be named. It opens to the end of
    `expires_on` (UTC)."""

    name: KeyName
    scopes: list[Scope] = []
    roles: list[Role] = []
    actor: KeyName | None = None
    expires_on: date | None = None


class NewKeyProposal(Struct, frozen=True, forbid_unknown_fields=True):
    """`id` is the proposal's, and then the key's."""

    id: UUID
    key: KeyGrant
    reason: str


class Rotation(Struct, frozen=True, forbid_unknown_fields=True):
    """The old secret goes on opening the key for so many seconds; 0: not at all."""

    grace_seconds: Annotated[int, Meta(ge=0, le=GRACE_SECONDS_MAX)]


class Key(Struct, frozen=True):
    """`scopes` are its own and those of its roles together. Who made and revoked it is null where that is not known;
    without a `key` they did so on the bank's machine or through a proposal. Days are those of UTC."""

    id: UUID
    name: str
    actor: str
    roles: list[Role]
    scopes: list[Scope]
    created_at: datetime
    made_by: By | None
    approved_by: str | None
    expires_on: date | None
    last_used_on: date | None
    old_secret_until: datetime | None
    revoked_at: datetime | None
    revoked_by: By | None


class KeyWithSecret(Struct, frozen=True):
    """`secret` is shown this once."""

    key: Key
    secret: str


class KeyPage(Struct, frozen=True):
    keys: list[Key]
    cursor: str | None


class OneKey(Struct, frozen=True, forbid_unknown_fields=True):
    id: UUID


class KeyList(Struct, frozen=True, forbid_unknown_fields=True):
    limit: wire.Limit = 100
    cursor: wire.Cursor | None = None


async def create(call: Call) -> Answer | Refusal:
    asked: NewKey = call.body
    if not asked.scopes and not asked.roles:
        return Refusal(ApiRefusal.BODY_MALFORMED, {"reason": issuing.POWERLESS})
    what: dict[str, Any] = {"roles": asked.roles, "actor": asked.actor, "expires_on": asked.expires_on}

    async def work(tx: Transaction) -> tuple[ApiKey, str] | Refusal:
        return await issuing.make_key(tx, call.key, asked.name, asked.scopes, **what)

    return _with_secret(call, await call.database.run(work), 201)


async def propose(call: Call) -> Answer | Refusal:
    asked: NewKeyProposal = call.body

    async def work(tx: Transaction) -> operations.Proposal | Refusal:
        return await issuing.propose_key(tx, call.key, asked.id, asked.key, asked.reason, clock=call.engine.clock)

    return shown_or_refused(await call.database.run(work))


async def rotate(call: Call) -> Answer | Refusal:
    id: UUID = call.parameters.id
    grace_seconds: int = call.body.grace_seconds

    async def work(tx: Transaction) -> tuple[ApiKey, str] | Refusal:
        return await keys.rotate_key(tx, id, grace_seconds=grace_seconds, caller=call.key)

    return _with_secret(call, await call.database.run(work), 200)


async def read_one(call: Call) -> Answer | Refusal:
    async with call.database.reading() as tx:
        found = await keys.read_key(tx, call.parameters.id)
    return found if isinstance(found, Refusal) else Answer(_shown(found))


async def list_page(call: Call) -> Answer | Refusal:
    asked: KeyList = call.parameters
    after = None if asked.cursor is None else wire.read_cursor(asked.cursor, UUID)
    async with call.database.reading() as tx:
        found = await keys.list_keys(tx, after=after, limit=asked.limit + 1)
    shown = found[: asked.limit]
    following = wire.cursor_of(shown[-1].id) if len(found) > asked.limit else None
    return Answer(KeyPage([_shown(key) for key in shown], following))


async def revoke(call: Call) -> Answer | Refusal:
    id: UUID = call.parameters.id

    async def work(tx: Transaction) -> ApiKey | Refusal:
        return await keys.revoke_key(tx, id, by=By(call.actor, call.key.id))

    revoked = await call.database.run(work)
    call.services.ring.forget()
    return revoked if isinstance(revoked, Refusal) else Answer(_shown(revoked))


def _with_secret(call: Call, made: tuple[ApiKey, str] | Refusal, status: int) -> Answer | Refusal:
    if isinstance(made, Refusal):
        return made
    call.services.ring.forget()
    key, secret = made
    return Answer(KeyWithSecret(_shown(key), secret), status, ((b"cache-control", b"no-store"),))


def _shown(key: ApiKey) -> Key:
    return Key(
        key.id,
        key.name,
        key.actor,
        sorted(key.roles, key=lambda role: role.value),
        sorted(key.scopes, key=lambda scope: scope.value),
        key.created_at,
        key.made_by,
        key.approved_by,
        key.expires_on,
        key.last_used_on,
        key.old_secret_until,
        key.revoked_at,
        key.revoked_by,
    )


def _operations() -> tuple[Operation, ...]:
    by = {"actor": "li", "key": "019b8f2e-7c00-7000-8000-0000000000aa"}
    shown = {
        "id": KEY_ID, "name": "till 3", "actor": "li", "roles": [], "scopes": ["entries:write"],
        "created_at": "2026-01-05T09:30:00Z", "made_by": by, "approved_by": None, "expires_on": "2026-12-31",
        "last_used_on": "2026-01-07", "old_secret_until": None, "revoked_at": None, "revoked_by": None,
    }  # fmt: skip
    secret = f"ef_{KEY_ID.replace('-', '')}_…"
    grant = {"name": "till 4", "actor": "kim", "scopes": [], "roles": ["teller"], "expires_on": "2026-12-31"}
    return (
        Operation(
            "POST", "/v1/keys", "create_key", "Keys", Scope.KEYS_WRITE, "Make a key for oneself", create,
            {201: KeyWithSecret}, body=NewKey,
            refusals=(
                ApiRefusal.SCOPE_NOT_HELD, ApiRefusal.ROLE_NOT_HELD, ApiRefusal.SECOND_PERSON_NEEDED,
                ApiRefusal.EXPIRY_IN_PAST,
            ),
            description="The secret is in this answer and never again: the bank keeps only its hash. A key passes on "
            "scopes and roles it holds, to its own actor, and for no longer than it opens itself; anything else is "
            "proposed at `/v1/keys/proposals`.",
            body_example={"name": "till 3", "scopes": ["entries:write"]},
            answer_example={"key": shown, "secret": secret},
        ),
        Operation(
            "POST", "/v1/keys/proposals", "propose_key", "Keys", Scope.ROLES_GRANT, "Propose a key for somebody",
            propose, {200: Proposal}, body=NewKeyProposal,
            refusals=(
                ApiRefusal.EXPIRY_IN_PAST, OperationsRefusal.TEXT_MALFORMED, OperationsRefusal.PAYLOAD_MALFORMED,
                OperationsRefusal.PROPOSAL_ID_REUSED,
            ),
            description="With any scopes and roles, for any actor. Another administrator approves it at "
            "`/v1/approvals/{id}/decision`; then the proposer draws its first secret at `/v1/keys/{id}/rotation`.",
            body_example={"id": KEY_ID, "key": grant, "reason": "new at the counter"},
            answer_example={
                "id": KEY_ID, "kind": issuing.KEY_GRANT.name, "payload": grant, "maker": "li",
                "reason": "new at the counter", "made_at": "2026-01-05T09:30:00Z",
                "expires_at": "2026-01-08T09:30:00Z", "status": "pending", "decided_by": None, "decided_at": None,
                "decision_reason": None, "result": None,
            },
        ),
        Operation(
            "GET", "/v1/keys", "list_keys", "Keys", Scope.KEYS_WRITE, "List the keys, the revoked ones too", list_page,
            {200: KeyPage}, parameters=KeyList, refusals=(ApiRefusal.CURSOR_MALFORMED,),
            answer_example={"keys": [shown], "cursor": None},
        ),
        Operation(
            "GET", "/v1/keys/{id}", "read_key", "Keys", Scope.KEYS_WRITE, "Read a key", read_one, {200: Key},
            parameters=OneKey, refusals=(ApiRefusal.KEY_NOT_FOUND,), answer_example=shown, path_example={"id": KEY_ID},
        ),
        Operation(
            "POST", "/v1/keys/{id}/rotation", "rotate_key", "Keys", Scope.KEYS_ROTATE, "Give a key a new secret",
            rotate, {200: KeyWithSecret}, parameters=OneKey, body=Rotation,
            refusals=(ApiRefusal.KEY_NOT_FOUND, ApiRefusal.KEY_NOT_YOURS, ApiRefusal.KEY_ENDED),
            description="For one's own keys, with no more rights than the calling key has; and the first secret of a "
            "key that one has proposed. While an old secret still opens, rotating again replaces the newest one: an "
            "answer that was lost shuts nobody out.",
            body_example={"grace_seconds": 3600},
            answer_example={"key": {**shown, "old_secret_until": "2026-02-01T13:00:00Z"}, "secret": secret},
            path_example={"id": KEY_ID},
        ),
        Operation(
            "DELETE", "/v1/keys/{id}", "revoke_key", "Keys", Scope.KEYS_WRITE, "Revoke a key", revoke, {200: Key},
            parameters=OneKey, refusals=(ApiRefusal.KEY_NOT_FOUND,),
            description="At once in this process, within two seconds in every other.",
            answer_example={**shown, "revoked_at": "2026-02-01T12:00:00Z", "revoked_by": by},
            path_example={"id": KEY_ID},
        ),
    )  # fmt: skip


OPERATIONS = _operations()
