"""Webhooks: who is told of what is booked, and what became of the telling."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

import typer

from eastflow.kernel import INT64_MAX, Refusal
from eastflow.operations import Bank
from eastflow.storage import Transaction
from eastflow.webhooks import Delivery, DeliveryStatus, Endpoint, deliveries, endpoint, endpoints
from eastflow.webhooks.actions import (
    delete_endpoint,
    disable_endpoint,
    enable_endpoint,
    register_endpoint,
    replay,
    rotate_secret,
)

from .messages import say
from .options import Json, Limit
from .output import accepted, in_bank, show, show_rows
from .shapes import delivery_data, webhook_data

webhooks_app = typer.Typer(
    help="Webhooks: register, list, rotate, disable, enable, delete, replay, deliveries.", no_args_is_help=True
)
Verb = Callable[[Transaction], Awaitable[Endpoint | Refusal]]


@webhooks_app.command("register")
def webhooks_register(
    url: str,
    kind: Annotated[
        list[str] | None, typer.Option("--kind", help="Only entries of this kind; as often as needed.")
    ] = None,
    account: Annotated[list[int] | None, typer.Option("--account", help="Only entries on this account.")] = None,
    from_cursor: Annotated[str | None, typer.Option(help="Begin after a cursor that `events list` gave.")] = None,
    loopback: Annotated[bool, typer.Option("--loopback", help="Allow this machine, without TLS.")] = False,
    as_json: Json = False,
) -> None:
    """Tell URL of every entry booked from now on. The secret that signs is shown now and never again."""

    async def work(bank: Bank) -> tuple[Endpoint, str] | Refusal:
        return await bank.database.run(
            lambda tx: register_endpoint(
                tx, url, kinds=kind, accounts=account, from_cursor=from_cursor, loopback_allowed=loopback
            )
        )

    _show_secret(accepted(in_bank(work), as_json), as_json)


@webhooks_app.command("list")
def webhooks_list(after: UUID | None = None, limit: Limit = 100, as_json: Json = False) -> None:
    """All endpoints, the disabled ones too, without their secrets."""

    async def work(bank: Bank) -> list[Endpoint]:
        async with bank.database.reading() as tx:
            return await endpoints(tx, after=after, limit=limit)

    found = in_bank(work)
    rows = [(e.id, e.url, e.created_at, e.disabled_at) for e in found]
    show_rows(("id", "url", "created", "disabled"), rows, [webhook_data(e) for e in found], as_json)
    if len(found) == limit and not as_json:
        typer.echo(say("more_after", after=found[-1].id))


@webhooks_app.command("show")
def webhooks_show(id: UUID, as_json: Json = False) -> None:
    """One endpoint, without its secret."""

    async def work(bank: Bank) -> Endpoint | Refusal:
        async with bank.database.reading() as tx:
            return await endpoint(tx, id)

    show(webhook_data(accepted(in_bank(work), as_json)), as_json)


@webhooks_app.command("rotate")
def webhooks_rotate(id: UUID, as_json: Json = False) -> None:
    """A new secret; for 24 hours the old one signs too."""
    made = in_bank(lambda bank: bank.database.run(lambda tx: rotate_secret(tx, id)))
    _show_secret(accepted(made, as_json), as_json)


@webhooks_app.command("disable")
def webhooks_disable(id: UUID, as_json: Json = False) -> None:
    """Send nothing more to the endpoint until it is enabled."""
    _change(lambda tx: disable_endpoint(tx, id), as_json)


@webhooks_app.command("enable")
def webhooks_enable(id: UUID, as_json: Json = False) -> None:
    """Send to the endpoint again, what was booked in between too."""
    _change(lambda tx: enable_endpoint(tx, id), as_json)


@webhooks_app.command("delete")
def webhooks_delete(id: UUID, as_json: Json = False) -> None:
    """Remove the endpoint for good, with its secret and its deliveries."""
    _change(lambda tx: delete_endpoint(tx, id), as_json)


@webhooks_app.command("replay")
def webhooks_replay(id: UUID, cursor: str | None = None, as_json: Json = False) -> None:
    """Send again what was booked after CURSOR, or everything."""
    _change(lambda tx: replay(tx, id, cursor), as_json)


@webhooks_app.command("deliveries")
def webhooks_deliveries(
    id: UUID,
    status: DeliveryStatus | None = None,
    after: Annotated[int, typer.Option(min=0, max=INT64_MAX)] = 0,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """What was sent in the last 30 days, what waits, and what has failed."""

    async def work(bank: Bank) -> list[Delivery] | Refusal:
        async with bank.database.reading() as tx:
            told = await endpoint(tx, id)
            if isinstance(told, Refusal):
                return told
            return await deliveries(tx, id, after=after, limit=limit, status=status)

    found = accepted(in_bank(work), as_json)
    shown = [delivery_data(each) for each in found]
    columns = ("position", "event", "status", "attempts", "next_attempt_at", "last_status")
    show_rows(columns, [[each[name] for name in columns] for each in shown], shown, as_json)
    if len(found) == limit and not as_json:
        typer.echo(say("more_after", after=found[-1].position))


def _change(verb: Verb, as_json: bool) -> None:
    show(webhook_data(accepted(in_bank(lambda bank: bank.database.run(verb)), as_json)), as_json)


def _show_secret(made: tuple[Endpoint, str], as_json: bool) -> None:
    changed, secret = made
    show({"id": changed.id, "url": changed.url, "secret": secret}, as_json)
