"""All commands of the command line under one name."""

from __future__ import annotations

from importlib.metadata import version

import typer

from .accounts import accounts_app, balances_app, statements_app
from .assets import assets_app
from .books import demo_command, import_app, trial_balance_command, verify_command
from .branch import branch_app
from .customers import classes_app, personal_app
from .deposits import deposits_app
from .entries import entries_app
from .events import events_app
from .flows import flows_app
from .holds import holds_app
from .operations import (
    approvals_app,
    backup_command,
    backups_command,
    business_date_command,
    close_day_command,
    restore_command,
)
from .options import Json
from .output import print_json
from .parties import parties_app
from .payment_batches import batches_app
from .payments import mandates_app, orders_app, payments_app
from .products import product_app
from .verifications import verifications_app
from .webhooks import webhooks_app


def make_app() -> typer.Typer:
    """The commands that need other channels are added by the program's composition root."""
    app = typer.Typer(help="Eastflow, a core bank.", no_args_is_help=True, pretty_exceptions_enable=False)
    app.add_typer(assets_app, name="assets")
    app.add_typer(accounts_app, name="accounts")
    app.add_typer(entries_app, name="entries")
    app.add_typer(holds_app, name="holds")
    app.add_typer(balances_app, name="balances")
    app.add_typer(statements_app, name="statements")
    app.add_typer(parties_app, name="parties")
    app.add_typer(classes_app, name="classes")
    app.add_typer(verifications_app, name="verifications")
    app.add_typer(personal_app, name="personal-data")
    app.add_typer(product_app, name="product")
    app.add_typer(deposits_app, name="deposits")
    app.add_typer(payments_app, name="payments")
    app.add_typer(orders_app, name="standing-orders")
    app.add_typer(mandates_app, name="mandates")
    app.add_typer(batches_app, name="payment-batches")
    app.add_typer(branch_app, name="branch")
    app.add_typer(flows_app, name="flows")
    app.add_typer(events_app, name="events")
    app.add_typer(webhooks_app, name="webhooks")
    app.add_typer(import_app, name="import")
    app.add_typer(approvals_app, name="approvals")
    app.command("business-date")(business_date_command)
    app.command("close-day")(close_day_command)
    app.command("backup")(backup_command)
    app.command("backups")(backups_command)
    app.command("restore")(restore_command)
    app.command("trial-balance")(trial_balance_command)
    app.command("verify")(verify_command)
    app.command("demo")(demo_command)
    app.command("version")(version_command)
    return app


def version_command(as_json: Json = False) -> None:
    """Print the version."""
    if as_json:
        print_json({"version": version("eastflow")})
    else:
        typer.echo(version("eastflow"))
