"""The program: all floors put together, with the commands that need more than one channel."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from typing import Annotated
from uuid import UUID

import typer

from eastflow.channels.api import ApiSettings, Scope, create_app
from eastflow.channels.api.keys import create_key, list_keys, revoke_key
from eastflow.channels.api.server import serve, server
from eastflow.channels.cli import Json, fail, in_bank, make_app, show, show_rows
from eastflow.channels.cli.output import accepted
from eastflow.operations import Bank, Settings, fill_demo
from eastflow.storage import embedded

app = make_app()
keys_app = typer.Typer(help="API keys: create, list, revoke.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")
BENCHES = ("ledger", "http", "batch", "growth", "two-engines", "import")


@app.command()
def up() -> None:
    """Run the bank: set up what is missing, then answer over HTTP until told to end."""
    settings = Settings.from_environment()
    with socket.socket() as probe:
        # As the server itself binds, so that a connection still closing does not look like a running bank.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as problem:
            fail(f"cannot listen on {settings.host}:{settings.port}: {problem.strerror}. Does the bank run already?")
    in_bank(_run)


async def _run(bank: Bank) -> None:
    secret = await _first_key(bank)
    if secret is not None:
        await fill_demo(bank)
    application = create_app(bank.database, bank.engine, settings=ApiSettings())
    running = server(application, host=bank.settings.host, port=bank.settings.port)

    def end() -> None:
        running.should_exit = True

    # The server handles signals while it runs and raises them again when it has ended: they must not end the program
    # before the engine and the database are closed.
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end)
    _say_where(bank.settings, secret)
    await serve(running)


async def _first_key(bank: Bank) -> str | None:
    """A bank without any key is new: make the first one."""
    async with bank.database.reading() as tx:
        if await list_keys(tx, limit=1):
            return None
    _, secret = await bank.database.run(lambda tx: create_key(tx, "first key", frozenset(Scope)))
    return secret


def _say_where(settings: Settings, secret: str | None) -> None:
    url = f"http://{settings.host}:{settings.port}"
    typer.echo(f"Eastflow answers on {url}  (reference: {url}/docs, API: {url}/v1)")
    typer.echo(f"Books: {settings.database_url or settings.data_dir.resolve()}")
    if secret is not None:
        typer.echo(f"First API key, shown only now: {secret}")
        typer.echo("Try it:")
        typer.echo(f"  curl -H 'Authorization: Bearer {secret}' {url}/v1/accounts/2001/balance")
    sys.stdout.flush()


@app.command()
def down(as_json: Json = False) -> None:
    """Stop the embedded database of the data directory, if it runs."""
    show({"stopped": embedded.stop(Settings.from_environment().data_dir)}, as_json)


@keys_app.command("create")
def keys_create(
    name: str,
    scope: Annotated[list[Scope] | None, typer.Option("--scope", help="As often as needed; all if left out.")] = None,
    as_json: Json = False,
) -> None:
    """Make a key. Its secret is shown now and never again."""
    scopes = frozenset(scope or Scope)
    key, secret = accepted(
        in_bank(lambda bank: bank.database.run(lambda tx: create_key(tx, name, scopes))), as_json
    )  # fmt: skip
    show({"id": key.id, "name": key.name, "scopes": sorted(s.value for s in key.scopes), "secret": secret}, as_json)


@keys_app.command("list")
def keys_list(as_json: Json = False) -> None:
    async def work(bank: Bank) -> list[dict[str, object]]:
        async with bank.database.reading() as tx:
            found = await list_keys(tx, limit=1_000)
        return [
            {"id": key.id, "name": key.name, "scopes": sorted(s.value for s in key.scopes),
             "created_at": key.created_at, "revoked_at": key.revoked_at}
            for key in found
        ]  # fmt: skip

    found = in_bank(work)
    rows = [(key["id"], key["name"], key["created_at"], key["revoked_at"]) for key in found]
    show_rows(("id", "name", "created", "revoked"), rows, found, as_json)


@keys_app.command("revoke")
def keys_revoke(id: UUID, as_json: Json = False) -> None:
    """Take the key away: running processes obey within two seconds."""
    key = accepted(in_bank(lambda bank: bank.database.run(lambda tx: revoke_key(tx, id))), as_json)
    show({"id": key.id, "revoked_at": key.revoked_at}, as_json)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench(context: typer.Context, name: str) -> None:
    """Measure: ledger, http, batch, growth, two-engines or import. Further options go to the benchmark."""
    if name not in BENCHES:
        raise typer.BadParameter(f"one of {', '.join(BENCHES)}")
    command = [sys.executable, "-m", f"eastflow_bench.{name.replace('-', '_')}", *context.args]
    raise typer.Exit(subprocess.run(command, check=False).returncode)


def main() -> None:
    app()
