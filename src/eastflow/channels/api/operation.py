"""One operation of the API: its contract and its handler, declared together so that they cannot drift apart."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from eastflow.kernel import Refusal, RefusalCode, is_own_id
from eastflow.ledger import CursorMalformed
from eastflow.ledger.actions import Engine
from eastflow.storage import Database, Retry, StorageFault

from . import messages
from .day_ends import DayEnds
from .keys import ApiKey, KeyRing, Scope
from .problems import MEDIA_TYPE, Problem, problem
from .refusals import ApiRefusal
from .settings import ApiSettings

JSON_TYPE = b"application/json"
XML_TYPE = b"application/xml"
KEY_IN_SCOPE = "eastflow.key"
Headers = Sequence[tuple[bytes, bytes]]
REPLAYED: Headers = ((b"idempotent-replayed", b"true"),)

_log = logging.getLogger(__name__)
_encoder = msgspec.json.Encoder()
_PATH_NAME = re.compile(r"{(\w+)}")
_DETAIL = re.compile(r"details(?:\.(.+)|\[(.+)\])", re.DOTALL)


class BodyTooLarge(Exception):
    """More bytes have come than a body may have; raised while it is read."""


@dataclass(frozen=True, slots=True)
class Services:
    """What the handlers work with."""

    database: Database
    engine: Engine
    ring: KeyRing
    settings: ApiSettings
    day_ends: DayEnds


@dataclass(slots=True)
class Call:
    """One request, read and checked against its operation's contract."""

    services: Services
    key: ApiKey
    parameters: Any
    body: Any
    language: str

    @property
    def engine(self) -> Engine:
        return self.services.engine

    @property
    def database(self) -> Database:
        return self.services.database

    @property
    def actor(self) -> str:
        """Who asks, as it is written beside what they do."""
        return self.key.actor

    @property
    def today(self) -> date:
        """The bank's business date."""
        return self.services.engine.today()


@dataclass(frozen=True, slots=True)
class Answer:
    """`content` is encoded as JSON; where it is of another media type, it is the bytes themselves."""

    content: object
    status: int = 200
    headers: Headers = ()
    media_type: bytes = JSON_TYPE


Handler = Callable[[Call], Awaitable[Answer | Refusal]]


@dataclass(frozen=True, slots=True)
class Operation:
    """`parameters` names those of the path and of the query; `answers` gives the shape of the body by status.

    Where `media_type` is not JSON, the handler is given the body's bytes as they came, and answers with bytes.
    """

    method: str
    path: str
    name: str
    tag: str
    scope: Scope
    summary: str
    handler: Handler
    answers: Mapping[int, Any]
    parameters: type[msgspec.Struct] | None = None
    body: type[msgspec.Struct] | type[str] | None = None
    refusals: Sequence[RefusalCode] = ()
    description: str = ""
    body_example: object = None
    answer_example: object = None
    path_example: Mapping[str, object] = field(default_factory=dict)
    takes_details: bool = False
    media_type: bytes = JSON_TYPE

    @property
    def path_names(self) -> list[str]:
        return _PATH_NAME.findall(self.path)

    @property
    def every_refusal(self) -> list[RefusalCode]:
        """Those of the channel that may meet this operation, then its own."""
        common: list[RefusalCode] = [ApiRefusal.KEY_MISSING, ApiRefusal.KEY_UNKNOWN, ApiRefusal.RATE_EXCEEDED]
        common += [ApiRefusal.SCOPE_MISSING, ApiRefusal.PARAMETER_MALFORMED]
        common += [ApiRefusal.BODY_TOO_LARGE] + ([ApiRefusal.BODY_MALFORMED] if self.body else [])
        return [*common, *self.refusals, ApiRefusal.UNAVAILABLE]


class PathEndpoint:
    """The ASGI application of one path: reads the request, asks the operation's handler, writes the answer."""

    def __init__(self, operations: Mapping[str, Operation], services: Services) -> None:
        self._services = services
        self._allowed = ", ".join(sorted(operations))
        self._operations = {
            method: (operation, msgspec.json.Decoder(operation.body or str)) for method, operation in operations.items()
        }

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(scope, receive)
        except BodyTooLarge:
            answer = Refusal(ApiRefusal.BODY_TOO_LARGE, {"bytes_max": self._services.settings.body_bytes_max})
        except CursorMalformed:
            answer = Refusal(ApiRefusal.CURSOR_MALFORMED)
        except (StorageFault, Retry):
            answer = unavailable(self._services.settings)
        except Exception:
            # A bug of ours: the caller is told so in the usual form, and the log has the rest.
            _log.exception("%s %s failed", scope["method"], scope["path"])
            answer = Refusal(ApiRefusal.INTERNAL_ERROR)
        if isinstance(answer, Refusal):
            await send_refusal(answer, scope, send)
        elif answer is not None:
            content = answer.content if isinstance(answer.content, bytes) else _encoder.encode(answer.content)
            await send_answer(send, answer.status, content, answer.media_type, answer.headers)

    async def _answer(self, scope: AsgiScope, receive: Receive) -> Answer | Refusal | None:
        """None when the caller has gone away."""
        found = self._operations.get(scope["method"])
        if found is None:
            facts = {"path": scope["path"], "method": scope["method"], "allowed": self._allowed}
            return Refusal(ApiRefusal.METHOD_NOT_ALLOWED, facts)
        operation, decoder = found
        key: ApiKey = scope[KEY_IN_SCOPE]
        if operation.scope not in key.scopes:
            return Refusal(ApiRefusal.SCOPE_MISSING, {"scope": operation.scope.value})
        parameters = None
        if operation.parameters is not None:
            parameters = _parameters(operation, scope)
            if isinstance(parameters, Refusal):
                return parameters
        elif scope["query_string"]:
            return Refusal(ApiRefusal.PARAMETER_MALFORMED, {"reason": "no parameters are taken here"})
        body: Any = None
        if operation.body is not None:
            body = await _read_body(receive)
            if body is None:
                return None
        if operation.body is not None and operation.media_type == JSON_TYPE:
            try:
                body = decoder.decode(body)
            except (msgspec.MsgspecError, ValueError, RecursionError) as malformed:
                return Refusal(ApiRefusal.BODY_MALFORMED, {"reason": str(malformed)})
            if any(map(is_own_id, _chosen(body))):
                return Refusal(ApiRefusal.BODY_MALFORMED, {"reason": "ids of version 8 are the bank's own"})
        return await operation.handler(Call(self._services, key, parameters, body, language_of(scope)))


def _chosen(body: object) -> Iterator[UUID]:
    """The ids that the caller chose for what is to be done, of each in a list, and the holds that are to be ended."""
    for name in getattr(body, "__struct_fields__", ()):
        value = getattr(body, name)
        if name in ("id", "hold") and isinstance(value, UUID):
            yield value
        elif name == "capture":
            yield from _chosen(value)
        elif isinstance(value, list) and value and hasattr(value[0], "id"):
            for each in value:
                yield from _chosen(each)


def unavailable(settings: ApiSettings) -> Refusal:
    return Refusal(ApiRefusal.UNAVAILABLE, {"retry_after_seconds": settings.unavailable_retry_seconds})


def language_of(scope: AsgiScope) -> str:
    for name, value in scope["headers"]:
        if name == b"accept-language":
            return messages.language_for(value)
    return messages.DEFAULT


async def send_refusal(refusal: Refusal, scope: AsgiScope, send: Send) -> None:
    language = language_of(scope)
    stated: Problem = problem(refusal, language)
    headers = [(b"content-language", language.encode()), (b"vary", b"accept-language")]
    if stated.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if (seconds := refusal.facts.get("retry_after_seconds")) is not None:
        headers.append((b"retry-after", str(seconds).encode()))
    if (allowed := refusal.facts.get("allowed")) is not None:
        headers.append((b"allow", str(allowed).encode()))
    await send_answer(send, stated.status, _encoder.encode(stated), MEDIA_TYPE, headers)


async def send_answer(send: Send, status: int, body: bytes, media_type: bytes, headers: Headers = ()) -> None:
    length = str(len(body)).encode()
    start = [(b"content-type", media_type), (b"content-length", length), *headers]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": body})


async def _read_body(receive: Receive) -> bytes | None:
    """The gate before us counts the bytes. Errors: BodyTooLarge."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        return bytes(message.get("body", b""))
    pieces: list[bytes] = []
    while message["type"] == "http.request":
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)
        message = await receive()
    return None


def _parameters(operation: Operation, scope: AsgiScope) -> Any:
    raw: dict[str, object] = {}
    details: dict[str, str] = {}
    if scope["query_string"]:
        pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        for name, value in pairs:
            detail = _DETAIL.fullmatch(name) if operation.takes_details else None
            name = (detail[1] or detail[2]) if detail else name
            kept: dict[str, Any] = details if detail else raw
            if name in kept:
                return Refusal(ApiRefusal.PARAMETER_MALFORMED, {"reason": f"{name} is given twice"})
            kept[name] = value
        if "details" in raw or raw.keys() & scope.get("path_params", {}).keys():
            return Refusal(ApiRefusal.PARAMETER_MALFORMED, {"reason": "a parameter is not one of the query"})
    if details:
        raw["details"] = details
    raw.update(scope.get("path_params", {}))
    assert operation.parameters is not None
    try:
        return msgspec.convert(raw, type=operation.parameters, strict=False)
    except (msgspec.ValidationError, ValueError) as malformed:
        return Refusal(ApiRefusal.PARAMETER_MALFORMED, {"reason": str(malformed)})
