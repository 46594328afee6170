"""`/v1/keys`: who may call. A key passes on only what it holds itself, but for roles, which some may grant."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from eastflow.kernel import Refusal
from eastflow.operations import Role
from eastflow.storage import Transaction

from . import keys, wire
from .keys import ApiKey, Scope
from .operation import Answer, Call, Operation
from .refusals import ApiRefusal

KEY_ID = "019b8f2e-7c00-7000-8000-0000000000bb"


KeyName = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]


class NewKey(Struct, frozen=True, forbid_unknown_fields=True):
    """Scopes, roles, or both. `actor` is whose key it is; without it, its name is who acts."""

    name: KeyName
    scopes: list[Scope] = []
    roles: list[Role] = []
    actor: KeyName | None = None


class Key(Struct, frozen=True):
    """`scopes` are its own and those of its roles together."""

    id: UUID
    name: str
    actor: str
    roles: list[Role]
    scopes: list[Scope]
    created_at: datetime
    revoked_at: datetime | None


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
        return Refusal(ApiRefusal.BODY_MALFORMED, {"reason": "a key needs a scope or a role"})
    if extra := set(asked.scopes) - call.key.scopes:
        names = ", ".join(sorted(scope.value for scope in extra))
        return Refusal(ApiRefusal.SCOPE_NOT_HELD, {"scopes": names})
    if (beyond := set(asked.roles) - call.key.roles) and Scope.ROLES_GRANT not in call.key.scopes:
        names = ", ".join(sorted(role.value for role in beyond))
        return Refusal(ApiRefusal.ROLE_NOT_HELD, {"roles": names})

    actor = asked.actor
    if Scope.ROLES_GRANT not in call.key.scopes:
        # Whoever may not grant roles may not be two people either.
        if actor not in (None, call.actor):
            return Refusal(ApiRefusal.ROLE_NOT_HELD, {"roles": Scope.ROLES_GRANT.value})
        actor = call.actor

    async def work(tx: Transaction) -> tuple[ApiKey, str]:
        return await keys.create_key(tx, asked.name, asked.scopes, roles=asked.roles, held_by=actor)

    key, secret = await call.database.run(work)
    call.services.ring.forget()
    return Answer(KeyWithSecret(_shown(key), secret), 201, ((b"cache-control", b"no-store"),))


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
        return await keys.revoke_key(tx, id)

    revoked = await call.database.run(work)
    call.services.ring.forget()
    return revoked if isinstance(revoked, Refusal) else Answer(_shown(revoked))


def _shown(key: ApiKey) -> Key:
    scopes = sorted(key.scopes, key=lambda scope: scope.value)
    roles = sorted(key.roles, key=lambda role: role.value)
    return Key(key.id, key.name, key.actor, roles, scopes, key.created_at, key.revoked_at)


def _operations() -> tuple[Operation, ...]:
    shown = {
        "id": KEY_ID, "name": "till 3", "actor": "till 3", "roles": [], "scopes": ["entries:write"],
        "created_at": "2026-01-05T09:30:00Z", "revoked_at": None,
    }  # fmt: skip
    return (
        Operation(
            "POST", "/v1/keys", "create_key", "Keys", Scope.KEYS_WRITE, "Make a key", create, {201: KeyWithSecret},
            body=NewKey, refusals=(ApiRefusal.SCOPE_NOT_HELD, ApiRefusal.ROLE_NOT_HELD),
            description="The secret is in this answer and never again: the bank keeps only its hash. A key passes on "
            "scopes and roles it holds; with the scope `roles:grant`, any role.",
            body_example={"name": "till 3", "scopes": ["entries:write"]},
            answer_example={"key": shown, "secret": f"ef_{KEY_ID.replace('-', '')}_…"},
        ),
        Operation(
            "GET", "/v1/keys", "list_keys", "Keys", Scope.KEYS_WRITE, "List the keys, the revoked ones too", list_page,
            {200: KeyPage}, parameters=KeyList, refusals=(ApiRefusal.CURSOR_MALFORMED,),
            answer_example={"keys": [shown], "cursor": None},
        ),
        Operation(
            "DELETE", "/v1/keys/{id}", "revoke_key", "Keys", Scope.KEYS_WRITE, "Revoke a key", revoke, {200: Key},
            parameters=OneKey, refusals=(ApiRefusal.KEY_NOT_FOUND,),
            description="At once in this process, within two seconds in every other.",
            answer_example={**shown, "revoked_at": "2026-02-01T12:00:00Z"}, path_example={"id": KEY_ID},
        ),
    )  # fmt: skip


OPERATIONS = _operations()
