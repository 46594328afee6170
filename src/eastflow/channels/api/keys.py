"""Keys: who may call and for what. A secret is shown once, when it is made, and only its hash is kept."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
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
GRACE_SECONDS_MAX = 30 * 86_400
_NANOSECONDS_PER_MILLISECOND = 1_000_000
_NO_SECRET = b""


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
    FLOWS_FUND = "flows:fund"
    DEPOSITS_READ = "deposits:read"
    DEPOSITS_WRITE = "deposits:write"
    DEPOSITS_FREEZE = "deposits:freeze"
    DEPOSITS_PLEDGE = "deposits:pledge"
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
    KEYS_ROTATE = "keys:rotate"
    ROLES_GRANT = "roles:grant"


@dataclass(frozen=True, slots=True)
class By:
    """Who did something to a key, and with which key; without one, on the bank's own machine or through a proposal."""

    actor: str
    key: UUID | None = None

    def __str__(self) -> str:
        return self.actor if self.key is None else f"{self.actor} ({self.key})"


COMMAND_LINE = By("command line")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret. `scopes` are its own and those of its roles together; days are those of UTC.

    It opens to the end of `expires_on`, and an old secret opens it until `old_secret_until`. `approved_by` is the
    second of the two people whose proposal made it; such a key has no secret until its maker draws the first.
    """

    id: UUID
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    revoked_at: datetime | None = None
    roles: frozenset[Role] = frozenset()
    held_by: str | None = None
    made_by: By | None = None
    approved_by: str | None = None
    revoked_by: By | None = None
    expires_on: date | None = None
    last_used_on: date | None = None
    has_secret: bool = True
    old_secret_until: datetime | None = None

    @property
    def actor(self) -> str:
        """Who acts when this key is used: two keys of one person are one actor."""
        return self.held_by or self.name

    def outlives(self, other: ApiKey) -> bool:
        return other.expires_on is not None and (self.expires_on is None or self.expires_on > other.expires_on)

    def is_ended(self, at: datetime) -> bool:
        return self.revoked_at is not None or (self.expires_on is not None and self.expires_on < at.date())


def scopes_of(roles: Collection[Role]) -> frozenset[Scope]:
    return frozenset(Scope(value) for role in roles for value in ROLE_SCOPES[role])


async def create_key(
    tx: Transaction,
    name: str,
    scopes: Collection[Scope],
    *,
    roles: Collection[Role] = (),
    held_by: str | None = None,
    expires_on: date | None = None,
    by: By = COMMAND_LINE,
    clock: Clock = now,
) -> tuple[ApiKey, str]:
    """The new key and its secret, `ef_<id>_<random>`: this is the only time anyone sees it."""
    at = clock()
    id = uuid7(unix_milliseconds(at), secrets.token_bytes(10))
    secret = _new_secret(id)
    key = ApiKey(
        id, name, frozenset(scopes) | scopes_of(roles), at, None, frozenset(roles), held_by, by, None, None, expires_on
    )
    await store.insert_key(tx, key, own_scopes=scopes, secret_hash=_hash(secret.encode()))
    return key, secret


async def grant_key(tx: Transaction, key: ApiKey, own_scopes: Collection[Scope]) -> None:
    """Keep a key that has no secret yet: `rotate_key` gives it one. Errors: UniqueViolation."""
    await store.insert_key(tx, key, own_scopes=own_scopes, secret_hash=_NO_SECRET)


async def rotate_key(
    tx: Transaction, id: UUID, *, grace_seconds: int, caller: ApiKey | None = None, clock: Clock = now
) -> tuple[ApiKey, str] | Refusal:
    """The key and its new secret. The old one goes on opening it for so many seconds from now, none at all for 0.

    While an old secret still opens, rotating again replaces the newest, so that an answer that was lost shuts nobody
    out. Without a `caller` anyone at the machine is allowed to; else see `may_rotate`.
    """
    row = await store.locked_key(tx, id)
    if row is None:
        return Refusal(ApiRefusal.KEY_NOT_FOUND, {"id": id})
    key, at = _key(row), clock()
    if caller is not None and not may_rotate(key, caller):
        return Refusal(ApiRefusal.KEY_NOT_YOURS, {"id": id})
    if key.is_ended(at):
        return Refusal(ApiRefusal.KEY_ENDED, {"id": id})
    secret, until = _new_secret(id), at + timedelta(seconds=grace_seconds)
    still_open = key.old_secret_until is not None and at < key.old_secret_until
    old = row["old_secret_hash"] if still_open else row["secret_hash"]
    await store.rotate(tx, id, _hash(secret.encode()), old, until)
    return replace(key, has_secret=True, old_secret_until=until), secret


def may_rotate(key: ApiKey, caller: ApiKey) -> bool:
    """One's own key that opens no more than the caller's does and no longer, or the first secret of a key that one has
    proposed."""
    if not key.has_secret and key.made_by is not None and key.made_by.actor == caller.actor:
        return True
    is_within = key.scopes <= caller.scopes and key.roles <= caller.roles and not key.outlives(caller)
    return key.actor == caller.actor and is_within


async def revoke_key(tx: Transaction, id: UUID, *, by: By = COMMAND_LINE, clock: Clock = now) -> ApiKey | Refusal:
    """Revoking again changes nothing."""
    if await store.revoke(tx, id, by, clock()) == 0:
        return Refusal(ApiRefusal.KEY_NOT_FOUND, {"id": id})
    return _key(await store.key(tx, id))


async def read_key(tx: Transaction, id: UUID) -> ApiKey | Refusal:
    row = await store.key(tx, id)
    return Refusal(ApiRefusal.KEY_NOT_FOUND, {"id": id}) if row is None else _key(row)


async def list_keys(tx: Transaction, *, after: UUID | None = None, limit: int = 100) -> list[ApiKey]:
    """In the order they were made, the revoked ones too."""
    return [_key(row) for row in await store.keys(tx, after=after, limit=limit)]


async def find_key(tx: Transaction, secret: bytes, *, clock: Clock = now) -> ApiKey | None:
    """The key this secret opens, if it is neither revoked nor expired."""
    id = _id_in(secret)
    row = id and await store.key(tx, id)
    if not row:
        return None
    key, at, digest = _key(row), clock(), _hash(secret)
    is_new = hmac.compare_digest(row["secret_hash"], digest)
    is_old = hmac.compare_digest(row["old_secret_hash"] or _NO_SECRET, digest)
    opens = is_new or (is_old and key.old_secret_until is not None and at < key.old_secret_until)
    return key if opens and not key.is_ended(at) else None


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
            if key is not None and key.last_used_on != (today := now().date()):
                # Once a day for each key: the day is all that is kept.
                await self._database.run(lambda tx: store.use(tx, key.id, today))
        finally:
            if changes == self._changes:
                del self._asking[digest]
        if changes == self._changes:
            if len(self._known) >= KNOWN_SECRETS_MAX:
                self._known.clear()
            self._known[digest] = key, asked_at + self._nanoseconds
        return key


def _new_secret(id: UUID) -> str:
    return f"ef_{id.hex}_{secrets.token_urlsafe(SECRET_RANDOM_BYTES)}"


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
    return ApiKey(
        row["id"], row["name"], opened, row["created_at"], row["revoked_at"], roles, row["actor"],
        _by(row["made_by"], row["made_with"]), row["approved_by"], _by(row["revoked_by"], row["revoked_with"]),
        row["expires_on"], row["last_used_on"], row["secret_hash"] != _NO_SECRET, row["old_secret_until"],
    )  # fmt: skip


def _by(actor: str | None, key: UUID | None) -> By | None:
    return None if actor is None else By(actor, key)
