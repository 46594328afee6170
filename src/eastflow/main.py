"""The program: all floors put together, with the commands that need more than one channel."""

from __future__ import annotations

import asyncio
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import nullcontext, suppress
from importlib.util import find_spec
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer
import uvicorn

from eastflow.channels.api import ApiKey, ApiSettings, Scope, create_app, issuing
from eastflow.channels.api.issuing import KEY_KINDS, KeyGrant
from eastflow.channels.api.keys import GRACE_SECONDS_MAX, create_key, list_keys, read_key, revoke_key, rotate_key
from eastflow.channels.api.routes_iso20022 import iso20022_operations
from eastflow.channels.api.server import serve, server
from eastflow.channels.cli import Json, accepted, fail, in_bank, make_app, say, settings, show, show_rows
from eastflow.channels.cli.iso20022 import iso20022_app
from eastflow.channels.cli.options import DayOrNone
from eastflow.channels.iso20022 import Dispatcher as MessageDispatcher
from eastflow.channels.iso20022 import Iso20022Settings, MessageDesk
from eastflow.channels.iso20022.actions import seal_plain_messages
from eastflow.kernel import Refusal, is_text
from eastflow.ledger import accounts_page
from eastflow.ledger.actions import new_id
from eastflow.operations import (
    AlreadyServed,
    Bank,
    Proposal,
    Role,
    Settings,
    approve_proposal,
    fill_demo,
    keep_closing,
    refuse_proposal,
    served_at,
    serving,
)
from eastflow.storage import Transaction, embedded, now
from eastflow.webhooks import Dispatcher

app = make_app()
keys_app = typer.Typer(help="API keys: create, propose, approve, rotate, list, show, revoke.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")
app.add_typer(iso20022_app(lambda bank: _desk(bank)), name="iso20022")
BENCHES = ("ledger", "http", "batch", "growth", "two-engines", "import", "day-end", "onboarding", "settlement")
FIRST_ACCOUNT_SHOWN = 2_001
KEY_NAME_CHARACTERS_MAX = 100
LISTENING_POLL_MILLISECONDS = 20
Scopes = Annotated[list[Scope] | None, typer.Option("--scope", help="As often as needed.")]
Roles = Annotated[list[Role] | None, typer.Option("--role", help="As often as needed.")]
Secret = Annotated[
    str | None,
    typer.Option(
        "--key",
        envvar="EASTFLOW_KEY",
        help="The secret of one's own key. Others on the machine can see what a program is called with: set "
        "EASTFLOW_KEY instead.",
    ),
]
_Result = TypeVar("_Result")


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
        while await bank.database.run(seal_plain_messages):
            pass
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
    scope: Scopes = None,
    role: Roles = None,
    actor: Annotated[str | None, typer.Option(help="Whose key it is; without it, its name is who acts.")] = None,
    expires_on: DayOrNone = None,
    key: Secret = None,
    as_json: Json = False,
) -> None:
    """Make a key with scopes, roles or both; without any, with all scopes. Its secret is shown now and never again.
    Once two administrators have keys, one's own key is needed (--key), and a key for another is proposed."""
    if not all(1 <= len(each) <= KEY_NAME_CHARACTERS_MAX for each in (name, actor or name)):
        raise typer.BadParameter(say("key_name", characters_max=KEY_NAME_CHARACTERS_MAX))
    what: dict[str, Any] = {"roles": frozenset(role or ()), "actor": actor, "expires_on": expires_on}

    async def make(tx: Transaction, caller: ApiKey | None) -> tuple[ApiKey, str] | Refusal:
        every = caller.scopes if caller else Scope
        return await issuing.make_key(tx, caller, name, frozenset(scope or (() if role else every)), **what)

    _show_secret(_acting(key, Scope.KEYS_WRITE, make, as_json, alone=True), as_json)


@keys_app.command("propose")
def keys_propose(
    name: str,
    actor: Annotated[str, typer.Option(help="Whose key it is to be.")],
    reason: str,
    scope: Scopes = None,
    role: Roles = None,
    expires_on: DayOrNone = None,
    id: Annotated[UUID | None, typer.Option(help="Of the proposal, and then of the key.")] = None,
    key: Secret = None,
    as_json: Json = False,
) -> None:
    """Propose a key for somebody, which another administrator approves; then draw its secret by `rotate`."""
    grant, chosen = KeyGrant(name, actor, scope or [], role or [], expires_on), id or new_id()

    async def propose(tx: Transaction, caller: ApiKey | None) -> Proposal | Refusal:
        assert caller is not None, "nobody proposes alone"
        return await issuing.propose_key(tx, caller, chosen, grant, reason)

    show(_acting(key, Scope.ROLES_GRANT, propose, as_json), as_json)


@keys_app.command("approve")
def keys_approve(id: UUID, reason: str, key: Secret = None, as_json: Json = False) -> None:
    """Approve a key that another administrator proposed."""

    async def approve(tx: Transaction, caller: ApiKey | None) -> Proposal | Refusal:
        return await approve_proposal(tx, id, today=now().date(), kinds=KEY_KINDS, **_checker(caller, reason))

    show(_acting(key, Scope.APPROVALS_DECIDE, approve, as_json), as_json)


@keys_app.command("refuse")
def keys_refuse(id: UUID, reason: str, key: Secret = None, as_json: Json = False) -> None:
    """Refuse a key that another administrator proposed. (`approvals withdraw` takes back one's own proposal.)"""

    async def refuse(tx: Transaction, caller: ApiKey | None) -> Proposal | Refusal:
        return await refuse_proposal(tx, id, kinds=KEY_KINDS, **_checker(caller, reason))

    show(_acting(key, Scope.APPROVALS_DECIDE, refuse, as_json), as_json)


def _checker(caller: ApiKey | None, reason: str) -> dict[str, Any]:
    assert caller is not None, "nobody decides without a key"
    return {"checker": caller.actor, "roles": caller.roles, "reason": reason}


@keys_app.command("rotate")
def keys_rotate(
    id: UUID,
    grace_seconds: Annotated[
        int, typer.Option(min=0, max=GRACE_SECONDS_MAX, help="How long the old secret still opens the key.")
    ] = 0,
    key: Secret = None,
    as_json: Json = False,
) -> None:
    """Give a key a new secret: one's own, or the first of a key that one has proposed. It is shown now and never
    again. Without --key only while there are not two administrators."""

    async def rotate(tx: Transaction, caller: ApiKey | None) -> tuple[ApiKey, str] | Refusal:
        if caller is None and (refusal := await issuing.check_alone(tx)):
            return refusal
        return await rotate_key(tx, id, grace_seconds=grace_seconds, caller=caller)

    _show_secret(_acting(key, Scope.KEYS_ROTATE, rotate, as_json, alone=True), as_json)


def _acting(
    secret: str | None,
    scope: Scope,
    work: Callable[[Transaction, ApiKey | None], Awaitable[_Result | Refusal]],
    as_json: bool,
    *,
    alone: bool = False,
) -> _Result:
    """What this work answers to whose key this is. Where it may be done `alone`, none is needed."""

    async def deed(tx: Transaction) -> _Result | Refusal:
        if secret is None and alone:
            return await work(tx, None)
        caller = await issuing.caller_of(tx, secret, scope)
        return caller if isinstance(caller, Refusal) else await work(tx, caller)

    return accepted(in_bank(lambda bank: bank.database.run(deed)), as_json)


def _show_secret(made: tuple[ApiKey, str], as_json: bool) -> None:
    key, secret = made
    show({**_key_data(key), "secret": secret}, as_json)


@keys_app.command("list")
def keys_list(as_json: Json = False) -> None:
    """All keys, the revoked ones too, without their secrets."""

    async def work(bank: Bank) -> list[dict[str, object]]:
        async with bank.database.reading() as tx:
            found = await list_keys(tx, limit=1_000)
        return [_key_data(key) for key in found]

    found = in_bank(work)
    columns = ("id", "name", "actor", "roles", "created_at", "made_by", "expires_on", "last_used_on", "revoked_at")
    rows = [[key[column] for column in columns] for key in found]
    show_rows([column.replace("_", " ") for column in columns], rows, found, as_json)


@keys_app.command("show")
def keys_show(id: UUID, as_json: Json = False) -> None:
    """One key, without its secret: who made, approved and revoked it, and when it was used."""

    async def work(bank: Bank) -> ApiKey | Refusal:
        async with bank.database.reading() as tx:
            return await read_key(tx, id)

    show(_key_data(accepted(in_bank(work), as_json)), as_json)


def _key_data(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "actor": key.actor,
        "roles": sorted(role.value for role in key.roles),
        "scopes": sorted(scope.value for scope in key.scopes),
        "created_at": key.created_at,
        "made_by": key.made_by,
        "approved_by": key.approved_by,
        "expires_on": key.expires_on,
        "last_used_on": key.last_used_on,
        "old_secret_until": key.old_secret_until,
        "revoked_at": key.revoked_at,
        "revoked_by": key.revoked_by,
    }


@keys_app.command("revoke")
def keys_revoke(id: UUID, as_json: Json = False) -> None:
    """Take the key away: running processes obey within two seconds."""
    key = accepted(in_bank(lambda bank: bank.database.run(lambda tx: revoke_key(tx, id))), as_json)
    show(_key_data(key), as_json)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench(context: typer.Context, name: str) -> None:
    """Measure: ledger, http, batch, growth, two-engines, import, day-end, settlement or onboarding.

    Further options go to the benchmark.
    """
    if name not in BENCHES:
        raise typer.BadParameter(say("one_of", choices=", ".join(BENCHES)))
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
