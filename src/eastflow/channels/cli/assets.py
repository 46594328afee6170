"""Assets: what is counted."""

from __future__ import annotations

import typer

from eastflow.kernel import Asset
from eastflow.ledger import assets
from eastflow.ledger.actions import define_asset
from eastflow.operations import Bank

from .options import Json
from .output import accepted, in_bank, show, show_rows

assets_app = typer.Typer(help="What is counted: currencies and named tokens.", no_args_is_help=True)


@assets_app.command("define")
def assets_define(code: str, scale: int, as_json: Json = False) -> None:
    """Define CODE with SCALE decimals."""
    outcome = in_bank(lambda bank: bank.database.run(lambda tx: define_asset(tx, Asset(code, scale))))
    show(accepted(outcome, as_json), as_json)


@assets_app.command("list")
def assets_list(as_json: Json = False) -> None:
    """All assets, by code."""

    async def work(bank: Bank) -> list[Asset]:
        async with bank.database.reading() as tx:
            return await assets(tx)

    found = in_bank(work)
    show_rows(("code", "scale"), [(a.code, a.scale) for a in found], found, as_json)
