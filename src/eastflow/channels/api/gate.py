"""Before any route: no request without a key, none above the key's rate, none with a body too large."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eastflow.kernel import Refusal
from eastflow.storage import StorageFault

from .buckets import NANOSECONDS_PER_SECOND, Buckets
from .keys import KeyRing
from .operation import KEY_IN_SCOPE, BodyTooLarge, send_refusal, unavailable
from .refusals import ApiRefusal
from .settings import ApiSettings

OPEN_PATHS = frozenset({"/healthz", "/docs", "/openapi.json"})
IPV6_NETWORK_BITS = 64
"""What one caller commonly has: all its addresses count as one."""
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
        self._requests = Buckets(NANOSECONDS_PER_SECOND // settings.requests_per_second_max, settings.requests_burst)
        self._wrong_keys = Buckets(settings.wrong_key_seconds * NANOSECONDS_PER_SECOND, settings.wrong_keys_burst)

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
            # Only here, so that a right key is never held up by the wrong ones of its neighbours.
            if seconds := self._wrong_keys.take(_caller(scope)):
                return Refusal(ApiRefusal.TOO_MANY_ATTEMPTS, {"retry_after_seconds": seconds})
            return Refusal(ApiRefusal.KEY_UNKNOWN)
        scope[KEY_IN_SCOPE] = key
        if seconds := self._requests.take(key.id):
            facts = {
                "requests_per_second_max": self._settings.requests_per_second_max,
                "retry_after_seconds": seconds,
            }
            return Refusal(ApiRefusal.RATE_EXCEEDED, facts)
        return None


def _caller(scope: Scope) -> str:
    """The address a request came from: the last proxy's, where there is one. Of IPv6, the network."""
    host: str = (scope.get("client") or ("",))[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 4:
        return host
    return str(ipaddress.ip_network((address, IPV6_NETWORK_BITS), strict=False))


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
