"""Keys: who may call and for what. The secret is shown once, when the key is made, and only its hash is kept."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from eastflow.kernel import Refusal, unix_milliseconds, uuid7
from eastflow.operations import Role
from eastflow.storage import Clock, Database, Transaction, now

from . import store
from .refusals import ApiRefusal
from .roles import ROLE_SCOPES

SECRET_RANDOM_BYTES = 32
KNOWN_SECRETS_MAX = 100_000
_NANOSECONDS_PER_MILLISECOND = 1_000_000


class Scope(Enum):
    """What a key may do: read or write one kind of thing."""

    ASSETS_READ = "assets:read"
    ASSETS_WRITE = "assets:write"
    ACCOUNTS_READ = "accounts:read"
    ACCOUNTS_WRITE = "accounts:write"
    ENTRIES_READ = "entries:read"
    ENTRIES_WRITE = "entries:write"
    HOLDS_READ = "holds:read"
    HOLDS_WRITE = "holds:write"
    PARTIES_READ = "parties:read"
    PARTIES_WRITE = "parties:write"
    PARTIES_PERSONAL = "parties:personal"
    PARTIES_ERASE = "parties:erase"
    BRANCH_READ = "branch:read"
    BRANCH_WRITE = "branch:write"
    BRANCH_MANAGE = "branch:manage"
    FLOWS_READ = "flows:read"
    FLOWS_WRITE = "flows:write"
    DEPOSITS_READ = "deposits:read"
    DEPOSITS_WRITE = "deposits:write"
    DEPOSITS_FREEZE = "deposits:freeze"
    PRODUCTS_READ = "products:read"
    PRODUCTS_WRITE = "products:write"
    PRODUCTS_APPROVE = "products:approve"
    PAYMENTS_READ = "payments:read"
    PAYMENTS_WRITE = "payments:write"
    REPORTS_READ = "reports:read"
    EVENTS_READ = "events:read"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    OPERATIONS_READ = "operations:read"
    OPERATIONS_WRITE = "operations:write"
    APPROVALS_READ = "approvals:read"
    APPROVALS_WRITE = "approvals:write"
    APPROVALS_DECIDE = "approvals:decide"
    ISO20022_READ = "iso20022:read"
    ISO20022_WRITE = "iso20022:write"
    KEYS_WRITE = "keys:write"
    ROLES_GRANT = "roles:grant"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret. `scopes` are its own and those of its roles together."""

    id: UUID
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    revoked_at: datetime | None = None
    roles: frozenset[Role] = frozenset()
    held_by: str | None = None

    @property
    def actor(self) -> str:
        """Who acts when this key is used: two keys of one person are one actor."""
        return self.held_by or self.name


def scopes_of(roles: Collection[Role]) -> frozenset[Scope]:
    return frozenset(Scope(value) for role in roles for value in ROLE_SCOPES[role])


async def create_key(
    tx: Transaction,
    name: str,
    scopes: Collection[Scope],
    *,
    roles: Collection[Role] = (),
    held_by: str | None = None,
    clock: Clock = now,
) -> tuple[ApiKey, str]:
    """The new key and its secret, `ef_<id>_<random>`: this is the only time anyone sees it."""
    at = clock()
    id = uuid7(unix_milliseconds(at), secrets.token_bytes(10))
    key = ApiKey(id, name, frozenset(scopes) | scopes_of(roles), at, None, frozenset(roles), held_by)
    secret = f"ef_{key.id.hex}_{secrets.token_urlsafe(SECRET_RANDOM_BYTES)}"
    await store.insert_key(
        tx,
        id,
        name,
        _hash(secret.encode()),
        scopes=sorted({scope.value for scope in scopes}),
        roles=sorted({role.value for role in roles}),
        actor=held_by,
        created_at=at,
    )
    return key, secret


async def revoke_key(tx: Transaction, id: UUID, *, clock: Clock = now) -> ApiKey | Refusal:
    """Revoking again changes nothing."""
    if await store.revoke(tx, id, clock()) == 0:
        return Refusal(ApiRefusal.KEY_NOT_FOUND, {"id": id})
    return _key(await store.key(tx, id))


async def list_keys(tx: Transaction, *, after: UUID | None = None, limit: int = 100) -> list[ApiKey]:
    """In the order they were made, the revoked ones too."""
    return [_key(row) for row in await store.keys(tx, after=after, limit=limit)]


async def find_key(tx: Transaction, secret: bytes) -> ApiKey | None:
    """The key this secret opens, if it is not revoked."""
    id = _id_in(secret)
    row = id and await store.key(tx, id)
    if not row or row["revoked_at"] is not None or not hmac.compare_digest(row["secret_hash"], _hash(secret)):
        return None
    return _key(row)


class KeyRing:
    """Keys lately seen, each for a short time, so that not every request asks the database."""

    def __init__(self, database: Database, *, milliseconds: int) -> None:
        self._database = database
        self._nanoseconds = milliseconds * _NANOSECONDS_PER_MILLISECOND
        self._known: dict[bytes, tuple[ApiKey | None, int]] = {}
        self._asking: dict[bytes, asyncio.Task[ApiKey | None]] = {}
        self._changes = 0

    async def find(self, secret: bytes) -> ApiKey | None:
        """Errors: StorageFault."""
        digest = _hash(secret)
        known = self._known.get(digest)
        if known is not None and time.monotonic_ns() < known[1]:
            return known[0]
        if _id_in(secret) is None:
            return None
        # Callers who arrive while the key is being looked up wait for that one answer.
        task = self._asking.get(digest)
        if task is None:
            task = self._asking[digest] = asyncio.create_task(self._ask(secret, digest))
        return await asyncio.shield(task)

    def forget(self) -> None:
        """A key was made or revoked here: what is known may no longer be true."""
        self._changes += 1
        self._known.clear()
        self._asking.clear()

    async def _ask(self, secret: bytes, digest: bytes) -> ApiKey | None:
        changes, asked_at = self._changes, time.monotonic_ns()
        try:
            async with self._database.reading() as tx:
                key = await find_key(tx, secret)
        finally:
            if changes == self._changes:
                del self._asking[digest]
        if changes == self._changes:
            if len(self._known) >= KNOWN_SECRETS_MAX:
                self._known.clear()
            self._known[digest] = key, asked_at + self._nanoseconds
        return key


def _hash(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()


def _id_in(secret: bytes) -> UUID | None:
    parts = secret.split(b"_", 2)
    if len(parts) != 3 or parts[0] != b"ef" or len(parts[1]) != 32:
        return None
    try:
        return UUID(hex=parts[1].decode("ascii"))
    except ValueError:
        return None


def _key(row: Any) -> ApiKey:
    # A scope or a role that a newer program gave and this one does not know opens nothing here.
    known_scopes, known_roles = {scope.value for scope in Scope}, {role.value for role in Role}
    scopes = frozenset(Scope(value) for value in row["scopes"] if value in known_scopes)
    roles = frozenset(Role(value) for value in row["roles"] if value in known_roles)
    opened = scopes | scopes_of(roles)
    return ApiKey(row["id"], row["name"], opened, row["created_at"], row["revoked_at"], roles, row["actor"])
