"""`/v1/webhooks`: who is told of what is booked, and what became of the telling."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from eastflow import webhooks
from eastflow.kernel import INT64_MAX, Refusal
from eastflow.storage import Transaction
from eastflow.webhooks import DeliveryStatus, WebhooksRefusal, actions

from . import wire
from .keys import Scope
from .operation import Answer, Call, Operation
from .refusals import ApiRefusal

ID = "019b8f2e-7c00-7000-8000-0000000000ff"
EXAMPLE = {
    "id": ID, "url": "https://books.example/hook", "kinds": ["transfer"], "accounts": None,
    "created_at": "2026-01-05T09:30:00Z", "disabled_at": None,
}  # fmt: skip
DELIVERY_EXAMPLE = {
    "position": 1, "event": "019b8f2e-7c00-7000-8000-0000000000ee", "type": webhooks.ENTRY_BOOKED,
    "accounts": [1001, 1002], "status": "pending", "attempts": 2, "next_attempt_at": "2026-01-05T09:35:05Z",
    "last_status": 503,
}  # fmt: skip
SECRET_EXAMPLE = {"webhook": EXAMPLE, "secret": "whsec_…"}
NO_STORE = ((b"cache-control", b"no-store"),)


class NewWebhook(Struct, frozen=True, forbid_unknown_fields=True):
    """`kinds` and `accounts` narrow what is told; left out or null is everything. `from_cursor`, one that
    `/v1/events` gave, begins with what follows it; left out or null is what is booked from now on."""

    url: Annotated[str, Meta(extra_json_schema={"format": "uri"})]
    kinds: list[str] | None = None
    accounts: list[int] | None = None
    from_cursor: wire.Cursor | None = None


class WebhookChange(Struct, frozen=True, forbid_unknown_fields=True):
    """Enabled again, it is sent what was booked in between too; what was to wait more than a minute for its next
    attempt is tried at once."""

    disabled: bool


class Replay(Struct, frozen=True, forbid_unknown_fields=True):
    """`cursor` is one that `/v1/events` gave; null is the beginning of the books."""

    cursor: wire.Cursor | None


class Webhook(Struct, frozen=True):
    id: UUID
    url: str
    kinds: list[str] | None
    accounts: list[int] | None
    created_at: datetime
    disabled_at: datetime | None


class WebhookWithSecret(Struct, frozen=True):
    """`secret` is shown this once."""

    webhook: Webhook
    secret: str


class WebhookPage(Struct, frozen=True):
    webhooks: list[Webhook]
    cursor: str | None


class Delivery(Struct, frozen=True):
    """One event for one webhook. `next_attempt_at` is null once it is delivered or has failed for good; `last_status`
    is the HTTP status of the last answer, null where none came."""

    position: int
    event: UUID
    type: str
    accounts: list[int]
    status: DeliveryStatus
    attempts: int
    next_attempt_at: datetime | None
    last_status: int | None


class DeliveryPage(Struct, frozen=True):
    deliveries: list[Delivery]
    cursor: str | None


class OneWebhook(Struct, frozen=True, forbid_unknown_fields=True):
    id: UUID


class WebhookList(Struct, frozen=True, forbid_unknown_fields=True):
    limit: wire.Limit = 100
    cursor: wire.Cursor | None = None


class DeliveryList(Struct, frozen=True, forbid_unknown_fields=True):
    """A cursor keeps the filter of its first page."""

    id: UUID
    status: DeliveryStatus | None = None
    limit: wire.Limit = 100
    cursor: wire.Cursor | None = None


class _Place(Struct, frozen=True):
    after: Annotated[int, Meta(ge=0, le=INT64_MAX)]
    status: DeliveryStatus | None


async def register(call: Call) -> Answer | Refusal:
    asked: NewWebhook = call.body

    async def work(tx: Transaction) -> tuple[webhooks.Endpoint, str] | Refusal:
        return await actions.register_endpoint(
            tx, asked.url, kinds=asked.kinds, accounts=asked.accounts, from_cursor=asked.from_cursor
        )

    return _with_secret(await call.database.run(work), 201)


async def list_page(call: Call) -> Answer | Refusal:
    asked: WebhookList = call.parameters
    after = None if asked.cursor is None else wire.read_cursor(asked.cursor, UUID)
    async with call.database.reading() as tx:
        found = await webhooks.endpoints(tx, after=after, limit=asked.limit + 1)
    shown = found[: asked.limit]
    following = wire.cursor_of(shown[-1].id) if len(found) > asked.limit else None
    return Answer(WebhookPage([_webhook(each) for each in shown], following))


async def read_one(call: Call) -> Answer | Refusal:
    async with call.database.reading() as tx:
        return _shown(await webhooks.endpoint(tx, call.parameters.id))


async def change(call: Call) -> Answer | Refusal:
    asked: WebhookChange = call.body
    return await _changed(call, actions.disable_endpoint if asked.disabled else actions.enable_endpoint)


async def delete(call: Call) -> Answer | Refusal:
    return await _changed(call, actions.delete_endpoint)


async def rotate(call: Call) -> Answer | Refusal:
    id: UUID = call.parameters.id

    async def work(tx: Transaction) -> tuple[webhooks.Endpoint, str] | Refusal:
        return await actions.rotate_secret(tx, id)

    return _with_secret(await call.database.run(work), 200)


async def replay(call: Call) -> Answer | Refusal:
    asked: Replay = call.body

    async def again(tx: Transaction, id: UUID) -> webhooks.Endpoint | Refusal:
        return await actions.replay(tx, id, asked.cursor)

    return await _changed(call, again)


async def list_deliveries(call: Call) -> Answer | Refusal:
    asked: DeliveryList = call.parameters
    place = _Place(0, asked.status) if asked.cursor is None else wire.read_cursor(asked.cursor, _Place)
    async with call.database.reading() as tx:
        told = await webhooks.endpoint(tx, asked.id)
        if isinstance(told, Refusal):
            return told
        found = await webhooks.deliveries(tx, asked.id, after=place.after, limit=asked.limit + 1, status=place.status)
    shown = found[: asked.limit]
    following = wire.cursor_of(_Place(shown[-1].position, place.status)) if len(found) > asked.limit else None
    return Answer(DeliveryPage([_delivery(each) for each in shown], following))


async def _changed(
    call: Call, verb: Callable[[Transaction, UUID], Awaitable[webhooks.Endpoint | Refusal]]
) -> Answer | Refusal:
    id: UUID = call.parameters.id

    async def work(tx: Transaction) -> webhooks.Endpoint | Refusal:
        return await verb(tx, id)

    return _shown(await call.database.run(work))


def _shown(found: webhooks.Endpoint | Refusal) -> Answer | Refusal:
    return found if isinstance(found, Refusal) else Answer(_webhook(found))


def _with_secret(made: tuple[webhooks.Endpoint, str] | Refusal, status: int) -> Answer | Refusal:
    if isinstance(made, Refusal):
        return made
    return Answer(WebhookWithSecret(_webhook(made[0]), made[1]), status, NO_STORE)


def _webhook(found: webhooks.Endpoint) -> Webhook:
    kinds = None if found.kinds is None else sorted(found.kinds)
    accounts = None if found.accounts is None else sorted(found.accounts)
    return Webhook(found.id, found.url, kinds, accounts, found.created_at, found.disabled_at)


def _delivery(found: webhooks.Delivery) -> Delivery:
    due = found.next_attempt_at if found.status is DeliveryStatus.PENDING else None
    return Delivery(
        found.position,
        found.event,
        found.event_type,
        sorted(found.accounts),
        found.status,
        found.attempts,
        due,
        found.last_status,
    )


def _operations() -> tuple[Operation, ...]:
    none, disabled = WebhooksRefusal.ENDPOINT_NOT_FOUND, WebhooksRefusal.ENDPOINT_DISABLED
    id = {"id": ID}
    return (
        Operation(
            "POST", "/v1/webhooks", "register_webhook", "Webhooks", Scope.WEBHOOKS_WRITE,
            "Have events sent to an address", register, {201: WebhookWithSecret}, body=NewWebhook,
            refusals=(
                WebhooksRefusal.URL_MALFORMED, WebhooksRefusal.URL_NOT_HTTPS, WebhooksRefusal.URL_NOT_PUBLIC,
                WebhooksRefusal.FILTER_MALFORMED, WebhooksRefusal.CURSOR_MALFORMED,
            ),
            description="What is booked is sent, signed as Standard Webhooks has it. The secret that signs is in this "
            "answer and never again. Each request registers anew.",
            body_example={"url": "https://books.example/hook", "kinds": ["transfer"]}, answer_example=SECRET_EXAMPLE,
        ),
        Operation(
            "GET", "/v1/webhooks", "list_webhooks", "Webhooks", Scope.WEBHOOKS_READ,
            "List the webhooks, the disabled ones too", list_page, {200: WebhookPage}, parameters=WebhookList,
            refusals=(ApiRefusal.CURSOR_MALFORMED,), answer_example={"webhooks": [EXAMPLE], "cursor": None},
        ),
        Operation(
            "GET", "/v1/webhooks/{id}", "read_webhook", "Webhooks", Scope.WEBHOOKS_READ, "Read a webhook", read_one,
            {200: Webhook}, refusals=(none,), answer_example=EXAMPLE, parameters=OneWebhook, path_example=id,
        ),
        Operation(
            "PATCH", "/v1/webhooks/{id}", "change_webhook", "Webhooks", Scope.WEBHOOKS_WRITE,
            "Disable a webhook, or enable it again", change, {200: Webhook}, body=WebhookChange, refusals=(none,),
            body_example={"disabled": False}, answer_example=EXAMPLE, parameters=OneWebhook, path_example=id,
        ),
        Operation(
            "DELETE", "/v1/webhooks/{id}", "delete_webhook", "Webhooks", Scope.WEBHOOKS_WRITE, "Delete a webhook",
            delete, {200: Webhook}, refusals=(none,), answer_example=EXAMPLE,
            description="For good, with its secret and its deliveries.", parameters=OneWebhook, path_example=id,
        ),
        Operation(
            "POST", "/v1/webhooks/{id}/secret", "rotate_webhook_secret", "Webhooks", Scope.WEBHOOKS_WRITE,
            "Give a webhook a new secret", rotate, {200: WebhookWithSecret}, refusals=(none, disabled),
            description="It is in this answer and never again. For 24 hours the old one signs too.",
            answer_example=SECRET_EXAMPLE, parameters=OneWebhook, path_example=id,
        ),
        Operation(
            "POST", "/v1/webhooks/{id}/replay", "replay_webhook", "Webhooks", Scope.WEBHOOKS_WRITE,
            "Send again what followed a cursor", replay, {200: Webhook}, body=Replay,
            refusals=(none, disabled, WebhooksRefusal.CURSOR_MALFORMED),
            description="The same events with the same ids, after what still waits.",
            body_example={"cursor": None}, answer_example=EXAMPLE, parameters=OneWebhook, path_example=id,
        ),
        Operation(
            "GET", "/v1/webhooks/{id}/deliveries", "list_deliveries", "Webhooks", Scope.WEBHOOKS_READ,
            "List what was sent, waits or has failed", list_deliveries, {200: DeliveryPage}, parameters=DeliveryList,
            refusals=(ApiRefusal.CURSOR_MALFORMED, none),
            description="What was delivered is kept for 30 days.",
            answer_example={"deliveries": [DELIVERY_EXAMPLE], "cursor": None}, path_example=id,
        ),
    )  # fmt: skip


OPERATIONS = _operations()
