"""Events: what the books have added, for those who rather ask than be told."""

from __future__ import annotations

import typer

from eastflow.kernel import Refusal
from eastflow.operations import Bank
from eastflow.webhooks import EventPage, events_after

from .messages import say
from .options import Json, Limit
from .output import accepted, in_bank, print_json, show_rows
from .shapes import event_data

events_app = typer.Typer(help="Events: what was booked, in the order webhooks tell it.", no_args_is_help=True)


@events_app.callback()
def events() -> None:
    """Events: what was booked, in the order webhooks tell it."""


@events_app.command("list")
def events_list(limit: Limit = 100, cursor: str | None = None, as_json: Json = False) -> None:
    """What was booked after CURSOR, or from the beginning; each account's events in the order of its sequence."""

    async def work(bank: Bank) -> EventPage | Refusal:
        async with bank.database.reading() as tx:
            return await events_after(tx, cursor, limit=limit)

    page = accepted(in_bank(work), as_json)
    if as_json:
        print_json({"events": [event_data(each) for each in page.events], "cursor": page.cursor})
        return
    rows = [(each.id, each.type, each.kind, sorted(each.accounts)) for each in page.events]
    show_rows(("id", "type", "kind", "accounts"), rows, None, False)
    typer.echo(say("more", cursor=page.cursor))
