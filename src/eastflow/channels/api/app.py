"""The application: the operations as routes behind the gate, with their contract and its reference page."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from eastflow.kernel import Refusal
from eastflow.ledger import actions
from eastflow.ledger.actions import Engine
from eastflow.storage import Database, Retry, StorageFault

from . import (
    contract,
    messages,
    reference,
    routes_account_classes,
    routes_accounts,
    routes_approvals,
    routes_assets,
    routes_branch,
    routes_customers,
    routes_deposits,
    routes_deposits_orders,
    routes_deposits_pledges,
    routes_entries,
    routes_events,
    routes_flows,
    routes_holds,
    routes_keys,
    routes_operations,
    routes_parties,
    routes_payments,
    routes_payments_batches,
    routes_payments_orders,
    routes_products,
    routes_reports,
    routes_verifications,
    routes_webhooks,
    store,
)
from .day_ends import DayEnds
from .gate import Gate
from .keys import KeyRing
from .operation import BodyTooLarge, Operation, PathEndpoint, Services, unavailable
from .problems import MEDIA_TYPE, problem
from .refusals import ApiRefusal
from .settings import ApiSettings

# The entries first: routes are tried in order, and they are asked for most.
OPERATIONS: tuple[Operation, ...] = (
    *routes_entries.OPERATIONS,
    *routes_holds.OPERATIONS,
    *routes_accounts.OPERATIONS,
    *routes_assets.OPERATIONS,
    *routes_reports.OPERATIONS,
    *routes_parties.OPERATIONS,
    *routes_payments.OPERATIONS,
    *routes_payments_orders.OPERATIONS,
    *routes_payments_batches.OPERATIONS,
    *routes_products.OPERATIONS,
    *routes_customers.OPERATIONS,
    *routes_deposits.OPERATIONS,
    *routes_deposits_orders.OPERATIONS,
    *routes_deposits_pledges.OPERATIONS,
    *routes_account_classes.OPERATIONS,
    *routes_verifications.OPERATIONS,
    *routes_branch.OPERATIONS,
    *routes_flows.OPERATIONS,
    *routes_events.OPERATIONS,
    *routes_webhooks.OPERATIONS,
    *routes_operations.OPERATIONS,
    *routes_approvals.OPERATIONS,
    *routes_keys.OPERATIONS,
)
_log = logging.getLogger(__name__)


def create_app(
    database: Database,
    engine: Engine,
    *,
    settings: ApiSettings | None = None,
    operations: Sequence[Operation] = (),
) -> FastAPI:
    """`operations` are those of further rooms. The engine runs already and is closed by whoever opened it."""
    settings = settings or ApiSettings()
    ring = KeyRing(database, milliseconds=settings.key_cache_milliseconds)
    services = Services(database, engine, ring, settings, DayEnds(engine))
    every = (*OPERATIONS, *operations)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        sweeper = asyncio.create_task(_sweep(engine, settings.sweep_milliseconds))
        yield
        await services.day_ends.stop()
        sweeper.cancel()
        with suppress(asyncio.CancelledError):
            await sweeper

    app = _Bank(
        title="Eastflow", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=lifespan
    )
    routes = _routes(every, services)
    app.router.routes.extend(routes)
    document = contract.document(every)
    _add_open_routes(app, services, document)
    _add_handlers(app, settings)
    at_once = {route.path: route.app for route in routes if "{" not in route.path}
    app.gate = Gate(app.answer, ring=ring, settings=settings, at_once=at_once)
    return app


class _Bank(FastAPI):
    """FastAPI behind the gate. The gate is outermost, so that what it answers by itself costs nothing further."""

    gate: Gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.gate(scope, receive, send)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().__call__(scope, receive, send)


def _routes(operations: Sequence[Operation], services: Services) -> list[Route]:
    """One route for each path; a path without braces goes before one that would take its last part for a value."""
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in operations:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    fixed_first = sorted(by_path, key=lambda path: path.count("{"))
    return [Route(path, PathEndpoint(by_path[path], services)) for path in fixed_first]


def _add_open_routes(app: FastAPI, services: Services, document: dict[str, Any]) -> None:
    encoded = msgspec.json.encode(document)
    page = reference.page(document)
    app.openapi = lambda: document  # type: ignore[method-assign]

    async def health(_: Request) -> Response:
        async with services.database.reading() as tx:
            await store.is_alive(tx)
        return Response(b'{"status":"ok"}', media_type="application/json", headers={"cache-control": "no-store"})

    async def openapi(_: Request) -> Response:
        return Response(encoded, media_type="application/json")

    async def docs(_: Request) -> Response:
        headers = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return Response(page, media_type="text/html; charset=utf-8", headers=headers)

    app.add_route("/healthz", health)
    app.add_route("/openapi.json", openapi)
    app.add_route("/docs", docs)


def _add_handlers(app: FastAPI, settings: ApiSettings) -> None:
    """What is raised outside of an operation is answered in the same form."""

    def answer(request: Request, refusal: Refusal) -> Response:
        language = messages.language_for(request.headers.get("accept-language", "").encode("latin-1"))
        stated = problem(refusal, language)
        headers = {"content-language": language, "vary": "accept-language"}
        if (seconds := refusal.facts.get("retry_after_seconds")) is not None:
            headers["retry-after"] = str(seconds)
        if (allowed := refusal.facts.get("allowed")) is not None:
            headers["allow"] = str(allowed)
        return Response(msgspec.json.encode(stated), stated.status, headers, MEDIA_TYPE.decode())

    async def on_http(request: Request, raised: Exception) -> Response:
        path = request.url.path
        if isinstance(raised, HTTPException) and raised.status_code == 405:
            allowed = (raised.headers or {}).get("Allow", "GET")
            facts = {"path": path, "method": request.method, "allowed": allowed}
            return answer(request, Refusal(ApiRefusal.METHOD_NOT_ALLOWED, facts))
        return answer(request, Refusal(ApiRefusal.NOT_FOUND, {"path": path}))

    async def on_fault(request: Request, _: Exception) -> Response:
        return answer(request, unavailable(settings))

    async def on_large(request: Request, _: Exception) -> Response:
        return answer(request, Refusal(ApiRefusal.BODY_TOO_LARGE, {"bytes_max": settings.body_bytes_max}))

    async def on_bug(request: Request, _: Exception) -> Response:
        # The exception is raised again after this answer, so that the server records it.
        return answer(request, Refusal(ApiRefusal.INTERNAL_ERROR))

    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(StorageFault, on_fault)
    app.add_exception_handler(Retry, on_fault)
    app.add_exception_handler(BodyTooLarge, on_large)
    app.add_exception_handler(Exception, on_bug)


async def _sweep(engine: Engine, pause_milliseconds: int) -> None:
    """Give back the holds whose time has passed, again and again."""
    while True:
        await asyncio.sleep(pause_milliseconds / 1000)
        try:
            await actions.expire_holds(engine)
        except Exception:
            # Whatever it was this time, the next round may succeed, and no caller waits for this one.
            _log.exception("expired holds could not be given back")
