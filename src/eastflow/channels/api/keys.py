"""Keys: who may call and for what. The secret is shown once, when the key is made, and only its hash is kept."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from eastflow.kernel import Refusal, unix_milliseconds, uuid7
from eastflow.storage import Database, Transaction

from . import store
from .refusals import ApiRefusal

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
    REPORTS_READ = "reports:read"
    EVENTS_READ = "events:read"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    KEYS_WRITE = "keys:write"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret."""

    id: UUID
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    revoked_at: datetime | None = None


def _now() -> datetime:
    return datetime.now(UTC)


async def create_key(
    tx: Transaction, name: str, scopes: Collection[Scope], *, clock: Callable[[], datetime] = _now
) -> tuple[ApiKey, str]:
    """The new key and its secret, `ef_<id>_<random>`: this is the only time anyone sees it."""
    at = clock()
    key = ApiKey(uuid7(unix_milliseconds(at), secrets.token_bytes(10)), name, frozenset(scopes), at)
    secret = f"ef_{key.id.hex}_{secrets.token_urlsafe(SECRET_RANDOM_BYTES)}"
    await store.insert_key(tx, key.id, name, _hash(secret.encode()), sorted(scope.value for scope in key.scopes), at)
    return key, secret


async def revoke_key(tx: Transaction, id: UUID, *, clock: Callable[[], datetime] = _now) -> ApiKey | Refusal:
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
    # A scope that a newer program gave and this one does not know opens nothing here.
    known = {scope.value for scope in Scope}
    scopes = frozenset(Scope(value) for value in row["scopes"] if value in known)
    return ApiKey(row["id"], row["name"], scopes, row["created_at"], row["revoked_at"])
