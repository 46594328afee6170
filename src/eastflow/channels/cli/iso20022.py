"""ISO 20022 in the terminal: messages taken from files, kept ones read, statements written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from eastflow.kernel import EXACT_JSON_INTEGER_MAX
from eastflow.operations import Bank

from ..desk import Desk, Kept
from .messages import say
from .options import Day, Json, Limit
from .output import fail, in_bank, printable, show, show_rows
from .parties import Personal

_Account = Annotated[int, typer.Argument(min=1, max=EXACT_JSON_INTEGER_MAX)]
_Page = Annotated[int, typer.Option(min=1, max=99_999, help="A thousand entries each.")]


def iso20022_app(desk_of: Callable[[Bank], Desk]) -> typer.Typer:
    """`desk_of` makes the desk of an opened bank."""
    app = typer.Typer(
        help="ISO 20022 messages: receive, list, show, status, again, statement, notification.", no_args_is_help=True
    )

    @app.command("receive")
    def receive(
        file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
        sender: Annotated[str, typer.Option(help="Whose message it is, as an API key would be named.")],
        as_json: Json = False,
    ) -> None:
        """Take the message in FILE, do what it says, and write the answer."""
        raw = file.read_bytes()
        taken = in_bank(lambda bank: desk_of(bank).receive(raw, sender=sender))
        if taken.unreadable is not None:
            fail(say("unreadable", reason=taken.unreadable))
        answer = None if taken.answer is None else taken.answer.decode()
        if as_json or answer is None:
            show({"id": taken.id, "replayed": taken.replayed, "answer": answer}, as_json)
        else:
            typer.echo(printable(answer))

    @app.command("list")
    def list_messages(after: UUID | None = None, limit: Limit = 100, as_json: Json = False) -> None:
        """Messages received and sent, in order."""
        found = in_bank(lambda bank: desk_of(bank).messages(after=after, limit=limit))
        shown = [_data(each) for each in found]
        columns = ("id", "direction", "counterparty", "kind", "message_id", "at", "status")
        show_rows(columns, [[each[name] for name in columns] for each in shown], shown, as_json)
        if len(found) == limit and not as_json:
            typer.echo(say("more_after", after=found[-1].id))

    @app.command("show")
    def show_message(id: UUID, personal: Personal = False, as_json: Json = False) -> None:
        """One message; with --personal its content too, as it is kept."""
        found = in_bank(lambda bank: desk_of(bank).message(id))
        if found is None:
            fail(say("no_message", id=id))
        content = found.content.decode(errors="replace") if personal else None
        show(_data(found) | {"content": content}, as_json)

    @app.command("status")
    def status(id: UUID) -> None:
        """What has become of the payments of a pain.001, as a pain.002."""
        content = in_bank(lambda bank: desk_of(bank).status_report(id))
        if content is None:
            fail(say("no_message", id=id))
        typer.echo(content.decode())

    @app.command("again")
    def again(id: UUID, as_json: Json = False) -> None:
        """Try a message again that was given up, under the same id."""
        found = in_bank(lambda bank: desk_of(bank).send_again(id))
        if found is None:
            fail(say("no_message", id=id))
        show(_data(found), as_json)

    @app.command("statement")
    def statement(account: _Account, day: Day, page: _Page = 1) -> None:
        """The camt.053 of a past day."""
        _write(in_bank(lambda bank: desk_of(bank).statement(account, day, page)), account, day)

    @app.command("notification")
    def notification(account: _Account, day: Day, page: _Page = 1) -> None:
        """The camt.054 of what was booked on a day so far."""
        _write(in_bank(lambda bank: desk_of(bank).notification(account, day, page)), account, day)

    return app


def _write(content: bytes | None, account: int, day: date) -> None:
    if content is None:
        fail(say("no_statement", account=account, day=day))
    typer.echo(content.decode())


def _data(found: Kept) -> dict[str, Any]:
    return {
        "id": found.id,
        "direction": found.direction.value,
        "counterparty": found.counterparty,
        "kind": found.kind,
        "message_id": found.message_id,
        "at": found.at,
        "status": found.status.value,
    }
