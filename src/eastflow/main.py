"""The program: all floors put together, with the commands that need more than one channel."""

from __future__ import annotations

import asyncio
import shlex
import signal
import socket
import subprocess
import sys
from contextlib import nullcontext, suppress
from importlib.util import find_spec
from typing import Annotated
from uuid import UUID

import typer
import uvicorn

from eastflow.channels.api import ApiKey, ApiSettings, Scope, create_app
from eastflow.channels.api.keys import create_key, list_keys, revoke_key
from eastflow.channels.api.routes_iso20022 import iso20022_operations
from eastflow.channels.api.server import serve, server
from eastflow.channels.cli import Json, accepted, fail, in_bank, make_app, say, settings, show, show_rows
from eastflow.channels.cli.iso20022 import iso20022_app
from eastflow.channels.iso20022 import Dispatcher as MessageDispatcher
from eastflow.channels.iso20022 import Iso20022Settings, MessageDesk
from eastflow.kernel import is_text
from eastflow.ledger import accounts_page
from eastflow.operations import AlreadyServed, Bank, Role, Settings, fill_demo, keep_closing, served_at, serving
from eastflow.storage import embedded
from eastflow.webhooks import Dispatcher

app = make_app()
keys_app = typer.Typer(help="API keys: create, list, revoke.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")
app.add_typer(iso20022_app(lambda bank: _desk(bank)), name="iso20022")
BENCHES = ("ledger", "http", "batch", "growth", "two-engines", "import", "day-end", "onboarding", "settlement")
FIRST_ACCOUNT_SHOWN = 2_001
KEY_NAME_CHARACTERS_MAX = 100
LISTENING_POLL_MILLISECONDS = 20


@app.command()
def up() -> None:
    """Run the bank: set up what is missing, then answer over HTTP until told to end."""
    told = settings()
    if told.database_url is None and (address := served_at(told.data_dir)):
        fail(say("runs_already", address=address, data_dir=told.data_dir))
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(told.host, told.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # As the server itself binds, so that a connection still closing does not look like a running bank.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as problem:
        fail(say("cannot_listen", host=told.host, port=told.port, reason=problem.strerror))
    try:
        in_bank(_run)
    except AlreadyServed as rival:
        fail(say("runs_already", address=rival, data_dir=told.data_dir))


async def _run(bank: Bank) -> None:
    told = bank.settings
    with serving(told.data_dir, _url(told)) if told.database_url is None else nullcontext():
        secret = await _first_start(bank)
        operations = iso20022_operations(_desk(bank))
        application = create_app(bank.database, bank.engine, settings=ApiSettings(), operations=operations)
        running = server(application, host=told.host, port=told.port)

        def end() -> None:
            running.should_exit = True

        # The server handles signals while it runs and raises them again when it has ended: they must not end the
        # program before the engine and the database are closed.
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, end)
        saying = asyncio.create_task(_say_where(running, bank, secret))
        async with (
            Dispatcher(bank.database) as telling,
            MessageDispatcher(bank.database, Iso20022Settings.from_environment(), today=bank.engine.today) as messaging,
        ):
            closing = [keep_closing(bank.engine)] if told.closes_days else []
            beside = asyncio.gather(telling.run(), messaging.run(), *closing)
            await serve(running)
            beside.cancel()
            with suppress(asyncio.CancelledError):
                await beside
        await saying


def _desk(bank: Bank) -> MessageDesk:
    """ISO 20022, for the channels that may not know it."""
    return MessageDesk(bank.database, Iso20022Settings.from_environment(), today=bank.engine.today)


async def _first_start(bank: Bank) -> str | None:
    """A bank without any key is new: make the first one, and show it something to look at if it has no accounts."""
    async with bank.database.reading() as tx:
        if await list_keys(tx, limit=1):
            return None
        empty = not await accounts_page(tx, after=0, limit=1, chart=None, owner=None)
    if empty:
        filled = await fill_demo(bank)
        typer.echo(say("demo_filled", accounts=filled.accounts, parties=filled.parties, entries=filled.entries))
    _, secret = await bank.database.run(lambda tx: create_key(tx, "first key", frozenset(Scope), roles=frozenset(Role)))
    return secret


async def _say_where(running: uvicorn.Server, bank: Bank, secret: str | None) -> None:
    """Once it answers, so that what is shown can be tried at once."""
    while not running.started:
        if running.should_exit:
            return
        await asyncio.sleep(LISTENING_POLL_MILLISECONDS / 1000)
    url = _url(bank.settings)
    books = bank.settings.data_dir.resolve() if bank.settings.database_url is None else "EASTFLOW_DATABASE_URL"
    typer.echo(say("answers", url=url))
    typer.echo(say("where", url=url, books=books))
    if (today := bank.engine.today()) < bank.engine.clock().date():
        typer.echo(say("days_closed_by_itself" if bank.settings.closes_days else "day_behind", date=today))
    if secret is None:
        typer.echo(say("no_key"))
    else:
        async with bank.database.reading() as tx:
            shown = await accounts_page(tx, after=FIRST_ACCOUNT_SHOWN - 1, limit=1, chart=None, owner=None)
        path = f"/v1/accounts/{shown[0].id}/balance" if shown else "/v1/assets"
        command = shlex.join(["curl", "-H", f"Authorization: Bearer {secret}", url + path])
        typer.echo(say("key", secret=secret, command=command))
    sys.stdout.flush()


def _url(told: Settings) -> str:
    host = f"[{told.host}]" if ":" in told.host else told.host
    return f"http://{host}:{told.port}"


@app.command()
def down(as_json: Json = False) -> None:
    """Stop the embedded database of the data directory, if it runs. Refused while `eastflow up` answers for it."""
    told = settings()
    if address := served_at(told.data_dir):
        fail(say("serving", address=address))
    try:
        show({"stopped": embedded.stop(told.data_dir)}, as_json)
    except embedded.EmbeddedServerFault as fault:
        fail(str(fault))


@keys_app.command("create")
def keys_create(
    name: str,
    scope: Annotated[list[Scope] | None, typer.Option("--scope", help="As often as needed.")] = None,
    role: Annotated[list[Role] | None, typer.Option("--role", help="As often as needed.")] = None,
    actor: Annotated[str | None, typer.Option(help="Whose key it is; without it, its name is who acts.")] = None,
    as_json: Json = False,
) -> None:
    """Make a key with scopes, roles or both; without any, with all scopes. Its secret is shown now and never again."""
    if not all(1 <= len(each) <= KEY_NAME_CHARACTERS_MAX for each in (name, actor or name)):
        raise typer.BadParameter(say("key_name", characters_max=KEY_NAME_CHARACTERS_MAX))
    scopes = frozenset(scope or (() if role else Scope))
    roles = frozenset(role or ())
    key, secret = in_bank(
        lambda bank: bank.database.run(lambda tx: create_key(tx, name, scopes, roles=roles, held_by=actor))
    )
    show({"id": key.id, **_key_data(key), "scopes": sorted(s.value for s in key.scopes), "secret": secret}, as_json)


@keys_app.command("list")
def keys_list(as_json: Json = False) -> None:
    """All keys, the revoked ones too, without their secrets."""

    async def work(bank: Bank) -> list[dict[str, object]]:
        async with bank.database.reading() as tx:
            found = await list_keys(tx, limit=1_000)
        return [
            {"id": key.id, **_key_data(key), "scopes": sorted(s.value for s in key.scopes),
             "created_at": key.created_at, "revoked_at": key.revoked_at}
            for key in found
        ]  # fmt: skip

    found = in_bank(work)
    rows = [(key["id"], key["name"], key["actor"], key["roles"], key["created_at"], key["revoked_at"]) for key in found]
    show_rows(("id", "name", "actor", "roles", "created", "revoked"), rows, found, as_json)


def _key_data(key: ApiKey) -> dict[str, object]:
    return {"name": key.name, "actor": key.actor, "roles": sorted(role.value for role in key.roles)}


@keys_app.command("revoke")
def keys_revoke(id: UUID, as_json: Json = False) -> None:
    """Take the key away: running processes obey within two seconds."""
    key = accepted(in_bank(lambda bank: bank.database.run(lambda tx: revoke_key(tx, id))), as_json)
    show({"id": key.id, "revoked_at": key.revoked_at}, as_json)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench(context: typer.Context, name: str) -> None:
    """Measure: ledger, http, batch, growth, two-engines, import, day-end, settlement or onboarding.

    Further options go to the benchmark.
    """
    if name not in BENCHES:
        raise typer.BadParameter(f"one of {', '.join(BENCHES)}")
    if find_spec("eastflow_bench") is None:
        fail(say("no_benchmarks"))
    command = [sys.executable, "-m", f"eastflow_bench.{name.replace('-', '_')}", *context.args]
    raise typer.Exit(subprocess.run(command, check=False).returncode)


def main() -> None:
    # Bytes that are no UTF-8 come as halves of surrogate pairs, which no database could keep.
    if not all(is_text(word, len(word)) for word in sys.argv):
        typer.echo(say("not_text"), err=True)
        raise SystemExit(2)
    app(prog_name="eastflow")
