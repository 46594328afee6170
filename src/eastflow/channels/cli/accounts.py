"""Accounts, their balances and their statements."""

from __future__ import annotations

from typing import Annotated

import typer

from eastflow.kernel import INT64_MAX, Refusal
from eastflow.ledger import (
    Account,
    Basis,
    CursorMalformed,
    LedgerRefusal,
    Side,
    Statement,
    Status,
    accounts,
    accounts_page,
    balance,
    balance_booked_at,
    balance_valued_on,
    statement,
    statement_after,
)
from eastflow.ledger.actions import change_floor, change_status, open_accounts
from eastflow.operations import Bank
from eastflow.payments import with_remittances

from .messages import say
from .options import Day, DayOrNone, Json, Limit, Moment, Number
from .output import accepted, fail, in_bank, print_json, show, show_rows
from .parties import Personal
from .shapes import Data, balance_data, statement_data

accounts_app = typer.Typer(help="Accounts: open, show, freeze, close.", no_args_is_help=True)
balances_app = typer.Typer(help="Balances now, as booked at a moment, or as valued on a day.", no_args_is_help=True)
statements_app = typer.Typer(help="Statements with opening, closing and running balance.", no_args_is_help=True)


@accounts_app.command("open")
def accounts_open(
    number: Number,
    asset: str,
    side: Side,
    chart: str,
    floor: Annotated[
        int, typer.Option(min=-INT64_MAX, max=INT64_MAX, help="Lowest balance, in whole minor units.")
    ] = 0,
    no_floor: Annotated[bool, typer.Option("--no-floor", help="No lowest balance.")] = False,
    owner: str | None = None,
    opened_on: DayOrNone = None,
    as_json: Json = False,
) -> None:
    """Open ACCOUNT in ASSET, on SIDE (debit or credit), at CHART in the chart of accounts."""

    async def work(bank: Bank) -> Account | Refusal:
        day = opened_on or bank.engine.today()
        account = Account(number, asset, side, chart, day, None if no_floor else floor, owner)
        [outcome] = await bank.database.run(lambda tx: open_accounts(tx, [account]))
        return outcome

    show(accepted(in_bank(work), as_json), as_json)


@accounts_app.command("show")
def accounts_show(number: Number, as_json: Json = False) -> None:
    """What the account is."""
    show(accepted(in_bank(lambda bank: known_account(bank, number)), as_json), as_json)


@accounts_app.command("list")
def accounts_list(
    after: Annotated[int, typer.Option(min=0, max=INT64_MAX)] = 0,
    limit: Limit = 100,
    chart: str | None = None,
    owner: str | None = None,
    as_json: Json = False,
) -> None:
    """Accounts by number, after AFTER."""

    async def work(bank: Bank) -> list[Account]:
        async with bank.database.reading() as tx:
            return await accounts_page(tx, after=after, limit=limit, chart=chart, owner=owner)

    found = in_bank(work)
    rows = [(a.id, a.asset, a.side.value, a.chart, a.floor_minor, a.status.value, a.owner) for a in found]
    show_rows(("account", "asset", "side", "chart", "floor", "status", "owner"), rows, found, as_json)
    if len(found) == limit and not as_json:
        typer.echo(say("more_after", after=found[-1].id))


@accounts_app.command("freeze")
def accounts_freeze(
    number: Number, debits_only: Annotated[bool, typer.Option("--debits-only")] = False, as_json: Json = False
) -> None:
    """Let nothing in or out; with --debits-only, let nothing out."""
    _set_status(number, Status.DEBITS_FROZEN if debits_only else Status.FROZEN, as_json)


@accounts_app.command("unfreeze")
def accounts_unfreeze(number: Number, as_json: Json = False) -> None:
    """Let money in and out again."""
    _set_status(number, Status.OPEN, as_json)


@accounts_app.command("close")
def accounts_close(number: Number, as_json: Json = False) -> None:
    """Close an empty account, for good."""
    _set_status(number, Status.CLOSED, as_json)


# A floor is often negative, which otherwise would be taken for an option.
@accounts_app.command("floor", context_settings={"ignore_unknown_options": True})
def accounts_floor(
    number: Number,
    floor: Annotated[
        int | None,
        typer.Argument(min=-INT64_MAX, max=INT64_MAX, help="Minor units; -5000 is an overdraft."),
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="No lowest balance any more.")] = False,
    as_json: Json = False,
) -> None:
    """Set the lowest balance the account may be left with, or with --none take it away."""
    if (floor is None) is not none:
        raise typer.BadParameter(say("floor_missing"))
    outcome = in_bank(lambda bank: bank.database.run(lambda tx: change_floor(tx, number, floor)))
    show(accepted(outcome, as_json), as_json)


@balances_app.command("show")
def balances_show(number: Number, at: Moment = None, valued_on: DayOrNone = None, as_json: Json = False) -> None:
    """The balance now, as booked --at a moment, or as --valued-on a day."""
    if at and valued_on:
        raise typer.BadParameter(say("one_of_both"))

    async def work(bank: Bank) -> Data | Refusal:
        async with bank.database.reading() as tx:
            # What the account was opened with is asked for first: of none there is no balance on any day.
            if number not in await accounts(tx, [number]):
                return _not_found(number)
            if valued_on:
                posted_minor = await balance_valued_on(tx, number, valued_on)
                return {"account": number, "valued_on": valued_on, "posted_minor": posted_minor}
            found = await (balance_booked_at(tx, number, at) if at else balance(tx, number))
        return balance_data(found) if found else _not_found(number)

    show(accepted(in_bank(work), as_json), as_json)


@statements_app.command("show")
def statements_show(
    number: Number,
    since: Day,
    until: Day,
    basis: Basis = Basis.BOOKED,
    limit: Limit = 100,
    cursor: str | None = None,
    personal: Personal = False,
    as_json: Json = False,
) -> None:
    """The statement of SINCE to UNTIL, both days included (as booked: days of UTC)."""

    async def work(bank: Bank) -> Statement | Refusal | None:
        known = await known_account(bank, number)
        if isinstance(known, Refusal):
            return known
        async with bank.database.reading() as tx:
            page: Statement | None
            if cursor:
                page = await statement_after(tx, known, cursor, limit=limit)
            else:
                page = await statement(tx, known, since, until, basis=basis, limit=limit)
            return page if page is None or not personal else await with_remittances(tx, page)

    try:
        page = accepted(in_bank(work), as_json)
    except CursorMalformed as problem:
        fail(str(problem))
    if page is None:
        fail(say("other_account"))
    if as_json:
        print_json(statement_data(page))
        return
    rows: list[tuple[object, ...]] = [("", "", "opening", "", page.opening_minor, "")]
    for line in page.lines:
        booked = line.posting
        rows.append(
            (booked.value_date, booked.booked_at, line.kind, booked.amount_minor, line.balance_minor, line.memo)
        )
    rows.append(("", "", "closing", "", page.closing_minor, ""))
    show_rows(("value date", "booked", "kind", "amount", "balance", "memo"), rows, None, False)
    if page.cursor:
        typer.echo(say("more", cursor=page.cursor))


async def known_account(bank: Bank, number: int) -> Account | Refusal:
    async with bank.database.reading() as tx:
        return (await accounts(tx, [number])).get(number) or _not_found(number)


def _set_status(number: int, status: Status, as_json: bool) -> None:
    outcome = in_bank(lambda bank: bank.database.run(lambda tx: change_status(tx, number, status)))
    show(accepted(outcome, as_json), as_json)


def _not_found(number: int) -> Refusal:
    return Refusal(LedgerRefusal.ACCOUNT_NOT_FOUND, {"account": number})
