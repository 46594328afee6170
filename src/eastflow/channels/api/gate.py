"""Before any route: no request without a key, none above the key's rate, none with a body too large."""

from __future__ import annotations

import time
from collections.abc import Mapping
from uuid import UUID

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eastflow.kernel import Refusal
from eastflow.storage import StorageFault

from .keys import ApiKey, KeyRing
from .operation import KEY_IN_SCOPE, BodyTooLarge, send_refusal, unavailable
from .refusals import ApiRefusal
from .settings import ApiSettings

OPEN_PATHS = frozenset({"/healthz", "/docs", "/openapi.json"})
_NANOSECONDS_PER_SECOND = 1_000_000_000
_SCHEME = b"bearer "


class Gate:
    """A pure ASGI middleware: it looks at the headers once and wraps nothing it need not wrap.

    Paths in `at_once` go straight to their operation: most requests do, and the router would cost as much as they.
    """

    def __init__(
        self, app: ASGIApp, *, ring: KeyRing, settings: ApiSettings, at_once: Mapping[str, ASGIApp] | None = None
    ) -> None:
        self._app = app
        self._at_once = at_once or {}
        self._ring = ring
        self._settings = settings
        self._rates = _Rates(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        secret, length, chunked = None, b"", False
        for name, value in scope["headers"]:
            if name == b"authorization":
                secret = value[len(_SCHEME) :] if value[: len(_SCHEME)].lower() == _SCHEME else None
            elif name == b"content-length":
                length = value
            elif name == b"transfer-encoding":
                chunked = True
        refusal = None if scope["path"] in OPEN_PATHS else await self._admit(scope, secret)
        bytes_max = self._settings.body_bytes_max
        if refusal is None and length.isdigit() and int(length) > bytes_max:
            refusal = Refusal(ApiRefusal.BODY_TOO_LARGE, {"bytes_max": bytes_max})
        if refusal is not None:
            await send_refusal(refusal, scope, send)
            return
        # A body whose length was told cannot be longer: the server reads no further.
        app = self._at_once.get(scope["path"], self._app)
        await app(scope, _Counted(receive, bytes_max) if chunked else receive, send)

    async def _admit(self, scope: Scope, secret: bytes | None) -> Refusal | None:
        if not secret:
            return Refusal(ApiRefusal.KEY_MISSING)
        try:
            key = await self._ring.find(secret)
        except StorageFault:
            return unavailable(self._settings)
        if key is None:
            return Refusal(ApiRefusal.KEY_UNKNOWN)
        scope[KEY_IN_SCOPE] = key
        return self._rates.take(key)


class _Rates:
    """A token bucket per key, kept as one number: the moment at which the bucket will be full again."""

    def __init__(self, settings: ApiSettings) -> None:
        self._settings = settings
        self._interval = _NANOSECONDS_PER_SECOND // settings.requests_per_second_max
        self._depth = self._interval * settings.requests_burst
        self._full_at: dict[UUID, int] = {}

    def take(self, key: ApiKey) -> Refusal | None:
        now = time.monotonic_ns()
        full_at = max(self._full_at.get(key.id, 0), now) + self._interval
        if full_at - now > self._depth:
            wait = -(-(full_at - now - self._depth) // _NANOSECONDS_PER_SECOND)
            facts = {
                "requests_per_second_max": self._settings.requests_per_second_max,
                "retry_after_seconds": wait,
            }
            return Refusal(ApiRefusal.RATE_EXCEEDED, facts)
        self._full_at[key.id] = full_at
        return None


class _Counted:
    """`receive`, counting the bytes of a body that did not tell its length."""

    def __init__(self, receive: Receive, bytes_max: int) -> None:
        self._receive = receive
        self._left = bytes_max

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise BodyTooLarge
        return message
