"""Assets and accounts: what is counted, and where."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from eastflow.kernel import Asset, Refusal
from eastflow.ledger import (
    Account,
    Balance,
    Basis,
    LedgerRefusal,
    Side,
    Status,
    accounts,
    accounts_page,
    assets,
    balance,
    balance_booked_at,
    balance_valued_on,
    statement,
    statement_after,
)
from eastflow.ledger.actions import change_floor, change_status, define_asset, open_accounts
from eastflow.operations import Bank
from eastflow.storage import Transaction

from .output import Json, accepted, in_bank, show, show_rows

assets_app = typer.Typer(help="What is counted: currencies and named tokens.", no_args_is_help=True)
accounts_app = typer.Typer(help="Accounts: open, show, freeze, close.", no_args_is_help=True)
balances_app = typer.Typer(help="Balances now, as booked at a moment, or as valued on a day.", no_args_is_help=True)
statements_app = typer.Typer(help="Statements with opening, closing and running balance.", no_args_is_help=True)
Day = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"])]


@assets_app.command("define")
def assets_define(code: str, scale: int, as_json: Json = False) -> None:
    """Define CODE with SCALE decimals."""
    outcome = in_bank(lambda bank: bank.database.run(lambda tx: define_asset(tx, Asset(code, scale))))
    show(accepted(outcome, as_json), as_json)


@assets_app.command("list")
def assets_list(as_json: Json = False) -> None:
    async def work(bank: Bank) -> list[Asset]:
        async with bank.database.reading() as tx:
            return await assets(tx)

    found = in_bank(work)
    show_rows(("code", "scale"), [(a.code, a.scale) for a in found], found, as_json)


@accounts_app.command("open")
def accounts_open(
    number: int,
    asset: str,
    side: Side,
    chart: str,
    floor: Annotated[int, typer.Option(help="Lowest balance, whole minor units.")] = 0,
    no_floor: Annotated[bool, typer.Option("--no-floor", help="No lowest balance.")] = False,
    owner: str | None = None,
    opened_on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])] = None,
    as_json: Json = False,
) -> None:
    """Open account NUMBER in ASSET, on SIDE (debit or credit), at CHART in the chart of accounts."""
    day = opened_on.date() if opened_on else datetime.now(UTC).date()
    account = Account(number, asset, side, chart, day, None if no_floor else floor, owner)
    (outcome,) = in_bank(lambda bank: bank.database.run(lambda tx: open_accounts(tx, [account])))
    show(accepted(outcome, as_json), as_json)


@accounts_app.command("show")
def accounts_show(number: int, as_json: Json = False) -> None:
    show(accepted(in_bank(lambda bank: _account(bank, number)), as_json), as_json)


@accounts_app.command("list")
def accounts_list(
    after: int = 0, limit: int = 100, chart: str | None = None, owner: str | None = None, as_json: Json = False
) -> None:
    """Accounts by number, after AFTER."""

    async def work(bank: Bank) -> list[Account]:
        async with bank.database.reading() as tx:
            return await accounts_page(tx, after=after, limit=limit, chart=chart, owner=owner)

    found = in_bank(work)
    rows = [(a.id, a.asset, a.side.value, a.chart, a.floor_minor, a.status.value) for a in found]
    show_rows(("number", "asset", "side", "chart", "floor", "status"), rows, found, as_json)


def _set_status(number: int, status: Status, as_json: bool) -> None:
    outcome = in_bank(lambda bank: bank.database.run(lambda tx: change_status(tx, number, status)))
    show(accepted(outcome, as_json), as_json)


@accounts_app.command("freeze")
def accounts_freeze(
    number: int, debits_only: Annotated[bool, typer.Option("--debits-only")] = False, as_json: Json = False
) -> None:
    """Let nothing in or out; with --debits-only, let nothing out."""
    _set_status(number, Status.DEBITS_FROZEN if debits_only else Status.FROZEN, as_json)


@accounts_app.command("unfreeze")
def accounts_unfreeze(number: int, as_json: Json = False) -> None:
    _set_status(number, Status.OPEN, as_json)


@accounts_app.command("close")
def accounts_close(number: int, as_json: Json = False) -> None:
    """Close an empty account, for good."""
    _set_status(number, Status.CLOSED, as_json)


@accounts_app.command("floor")
def accounts_floor(number: int, floor: Annotated[int | None, typer.Argument()] = None, as_json: Json = False) -> None:
    """Set the lowest balance to FLOOR minor units, or without FLOOR take it away."""
    outcome = in_bank(lambda bank: bank.database.run(lambda tx: change_floor(tx, number, floor)))
    show(accepted(outcome, as_json), as_json)


@balances_app.command("show")
def balances_show(
    number: int,
    at: Annotated[datetime | None, typer.Option(help="As booked at this moment (UTC).")] = None,
    valued_on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="As valued on this day.")] = None,
    as_json: Json = False,
) -> None:
    async def work(bank: Bank) -> Balance | dict[str, object] | Refusal:
        known = await _account(bank, number)
        if isinstance(known, Refusal):
            return known
        async with bank.database.reading() as tx:
            if valued_on:
                day = valued_on.date()
                return {"account": number, "valued_on": day, "posted_minor": await balance_valued_on(tx, number, day)}
            found = await balance_booked_at(tx, number, at.replace(tzinfo=UTC)) if at else await balance(tx, number)
        return found or Refusal(LedgerRefusal.ACCOUNT_NOT_FOUND, {"account": number})

    found = accepted(in_bank(work), as_json)
    show(_with_available(found) if isinstance(found, Balance) else found, as_json)


@statements_app.command("show")
def statements_show(
    number: int,
    since: Day,
    until: Day,
    basis: Basis = Basis.BOOKED,
    limit: int = 100,
    cursor: str | None = None,
    as_json: Json = False,
) -> None:
    """The statement of SINCE to UNTIL, both days included."""

    async def work(bank: Bank) -> object:
        known = await _account(bank, number)
        if isinstance(known, Refusal):
            return known
        async with bank.database.reading() as tx:
            if cursor:
                return await statement_after(tx, known, cursor, limit=limit)
            return await statement(tx, known, since.date(), until.date(), basis=basis, limit=limit)

    page: object = accepted(in_bank(work), as_json)
    if as_json:
        show(page, True)
        return
    assert hasattr(page, "lines"), "a statement"
    rows = [
        (line.posting.value_date, line.posting.booked_at, line.kind, line.posting.amount_minor, line.balance_minor)
        for line in page.lines
    ]
    rows = [("", "", "opening", "", page.opening_minor), *rows, ("", "", "closing", "", page.closing_minor)]  # type: ignore[attr-defined]
    show_rows(("value date", "booked", "kind", "amount", "balance"), rows, page, False)


async def _account(bank: Bank, number: int) -> Account | Refusal:
    async def find(tx: Transaction) -> Account | Refusal:
        if not 0 < number < 1 << 53:
            return Refusal(LedgerRefusal.ACCOUNT_NOT_FOUND, {"account": number})
        found = await accounts(tx, [number])
        return found.get(number) or Refusal(LedgerRefusal.ACCOUNT_NOT_FOUND, {"account": number})

    async with bank.database.reading() as tx:
        return await find(tx)


def _with_available(found: Balance) -> dict[str, int | None]:
    return {
        "account": found.account,
        "posted_minor": found.posted_minor,
        "held_minor": found.held_minor,
        "available_minor": found.available_minor,
        "floor_minor": found.floor_minor,
        "sequence": found.sequence,
    }
