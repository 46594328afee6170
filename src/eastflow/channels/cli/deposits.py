"""Deposits: open, pay in and out, close, freeze, pledge, print."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from eastflow import deposits
from eastflow.customers import Channel
from eastflow.deposits import DepositsRefusal, Executed, Ground, actions
from eastflow.kernel import EXACT_JSON_INTEGER_MAX, INT64_MAX, Refusal
from eastflow.ledger import balances
from eastflow.ledger.actions import new_id
from eastflow.operations import Bank
from eastflow.payments import remittances
from eastflow.products import AtMaturity
from eastflow.storage import Transaction

from .entries import Id
from .messages import say
from .options import Day, DayOrNone, Json, Limit, Number
from .output import accepted, fail, in_bank, print_json, show, show_rows
from .shapes import Data

deposits_app = typer.Typer(help="Deposits: open, pay in, pay out, close, freeze, pledge, print.", no_args_is_help=True)

BY = "command line"
_Sum = Annotated[int, typer.Argument(min=1, max=INT64_MAX, help="In whole minor units.")]
_Other = Annotated[int, typer.Argument(min=1, max=EXACT_JSON_INTEGER_MAX, help="The account on the other side.")]
_Account = Annotated[int | None, typer.Option(min=1, max=EXACT_JSON_INTEGER_MAX)]
_Heirs = Annotated[list[str], typer.Option("--heir", help="PARTY:ACCOUNT:WEIGHT, once for each heir.")]
_File = Annotated[Path, typer.Option("--output", dir_okay=False, help="The file to write.")]


@deposits_app.command("open")
def deposits_open(
    product: str,
    party: UUID,
    account: _Account = None,
    amount_minor: Annotated[int, typer.Option(min=0, max=INT64_MAX)] = 0,
    source: _Account = None,
    nominated: _Account = None,
    at_maturity: AtMaturity | None = None,
    channel: Channel = Channel.BRANCH,
    id: Id = None,
    as_json: Json = False,
) -> None:
    """Open a contract with the product's live version, with its first money if an amount is given."""
    asked = deposits.Opening(id or new_id(), product, party, account, amount_minor, source, nominated, at_maturity)
    _do(lambda tx, today: actions.open_deposit(tx, asked, today=today, channel=channel, by=BY), as_json)


@deposits_app.command("pay-in")
def deposits_pay_in(
    account: Number,
    amount_minor: _Sum,
    source: _Other,
    channel: Channel = Channel.BRANCH,
    id: Id = None,
    as_json: Json = False,
) -> None:
    """Pay in from cash, clearing, or another account."""
    request = id or new_id()
    _do(
        lambda tx, today: actions.pay_in(
            tx, request, account, amount_minor, source, today=today, channel=channel, by=BY
        ),
        as_json,
    )


@deposits_app.command("pay-out")
def deposits_pay_out(
    account: Number,
    amount_minor: _Sum,
    target: _Other,
    channel: Channel = Channel.BRANCH,
    id: Id = None,
    as_json: Json = False,
) -> None:
    """Pay out a part; of a term or call deposit with that part's interest."""
    request = id or new_id()
    _do(
        lambda tx, today: actions.pay_out(
            tx, request, account, amount_minor, target, today=today, channel=channel, by=BY
        ),
        as_json,
    )


@deposits_app.command("give-notice")
def deposits_give_notice(account: Number, amount_minor: _Sum, id: Id = None, as_json: Json = False) -> None:
    """Give notice of withdrawal from a call deposit."""
    request = id or new_id()
    _do(lambda tx, today: actions.give_notice(tx, request, account, amount_minor, today=today, by=BY), as_json)


@deposits_app.command("renew")
def deposits_renew(account: Number, id: Id = None, as_json: Json = False) -> None:
    """Renew a term that has matured and was held."""
    request = id or new_id()
    _do(lambda tx, today: actions.renew(tx, request, account, today=today, by=BY), as_json)


@deposits_app.command("close")
def deposits_close(
    account: Number, target: _Other, channel: Channel = Channel.BRANCH, id: Id = None, as_json: Json = False
) -> None:
    """Pay all out with its interest, at maturity or early, and close the account."""
    request = id or new_id()
    _do(lambda tx, today: actions.close(tx, request, account, target, today=today, channel=channel, by=BY), as_json)


@deposits_app.command("reactivate")
def deposits_reactivate(account: Number, id: Id = None, as_json: Json = False) -> None:
    """Wake a dormant deposit: its customer has come."""
    request = id or new_id()
    _do(lambda tx, today: actions.reactivate(tx, request, account, today=today, by=BY), as_json)


@deposits_app.command("inherit")
def deposits_inherit(account: Number, certificate: str, heirs: _Heirs, id: Id = None, as_json: Json = False) -> None:
    """Close the deposit and pay it to the owner's heirs, under a certificate of inheritance."""
    request, shares = id or new_id(), [_share(text) for text in heirs]
    _do(lambda tx, today: actions.inherit(tx, request, account, certificate, shares, today=today, by=BY), as_json)


@deposits_app.command("freeze")
def deposits_freeze(
    account: Number,
    authority: str,
    until: Day,
    amount_minor: Annotated[int | None, typer.Option(min=1, max=INT64_MAX, help="Without: the whole account.")] = None,
    id: Id = None,
    as_json: Json = False,
) -> None:
    """Freeze by order of a court, an amount or the whole account, up to a day (excluded)."""
    order = id or new_id()

    async def work(bank: Bank) -> deposits.Order | Refusal:
        today = bank.engine.today()
        new = deposits.Order(order, account, authority, amount_minor, until, today)
        return await bank.database.run(lambda tx: actions.place_order(tx, new, today=today))

    show(accepted(in_bank(work), as_json), as_json)


@deposits_app.command("unfreeze")
def deposits_unfreeze(account: Number, order: UUID, as_json: Json = False) -> None:
    """End an order before its day."""

    async def work(bank: Bank) -> deposits.Order | Refusal:
        today = bank.engine.today()
        return await bank.database.run(lambda tx: actions.end_order(tx, account, order, today=today))

    show(accepted(in_bank(work), as_json), as_json)


@deposits_app.command("pledge")
def deposits_pledge(
    account: Number,
    amount_minor: _Sum,
    agreement: str,
    pledgee: Annotated[str | None, typer.Option(help="An organisation's name.")] = None,
    party: Annotated[UUID | None, typer.Option(help="A party of the bank, instead of a name.")] = None,
    until: DayOrNone = None,
    id: Id = None,
    as_json: Json = False,
) -> None:
    """Pledge an amount by agreement of its owner, until it is released or up to a day (excluded)."""
    pledge = id or new_id()

    async def work(bank: Bank) -> deposits.Pledge | Refusal:
        today = bank.engine.today()
        new = deposits.Pledge(pledge, account, agreement, amount_minor, today, BY, pledgee, party, until)
        return await bank.database.run(lambda tx: actions.place_pledge(tx, new, today=today))

    show(accepted(in_bank(work), as_json), as_json)


@deposits_app.command("release")
def deposits_release(
    account: Number,
    pledge: UUID,
    reason: str,
    consent: Annotated[bool, typer.Option("--consent", help="The pledgee has let go.")] = False,
    as_json: Json = False,
) -> None:
    """Release a pledge, by consent of its pledgee or by the bank with a reason."""
    ground = Ground.CONSENT if consent else Ground.STAFF

    async def work(bank: Bank) -> deposits.Pledge | Refusal:
        today = bank.engine.today()
        return await bank.database.run(
            lambda tx: actions.release_pledge(tx, account, pledge, ground, reason, today=today, by=BY)
        )

    show(accepted(in_bank(work), as_json), as_json)


@deposits_app.command("show")
def deposits_show(account: Number, as_json: Json = False) -> None:
    """A deposit, and the orders and pledges on it."""

    async def work(bank: Bank) -> tuple[Data, list[deposits.Order], list[deposits.Pledge]] | Refusal:
        async with bank.database.reading() as tx:
            found = await deposits.deposit(tx, account)
            if found is None:
                return _missing(account)
            [balance] = (await balances(tx, [account])).values()
            orders, pledges = await deposits.orders_of(tx, account), await deposits.pledges_of(tx, account)
            return _data(found, balance.posted_minor), orders, pledges

    found, orders, pledges = accepted(in_bank(work), as_json)
    if as_json:
        print_json({"deposit": found, "orders": orders, "pledges": pledges})
        return
    show(found, False)
    rows = [(each.rank, each.id, each.authority, each.amount_minor, each.expires_on, each.ended_on) for each in orders]
    show_rows(("rank", "order", "authority", "amount", "expires", "ended"), rows, None, False)
    kept = [(p.rank, p.id, p.pledgee or p.party, p.amount_minor, p.expires_on, p.ended_on) for p in pledges]
    show_rows(("rank", "pledge", "pledgee", "amount", "expires", "ended"), kept, None, False)


@deposits_app.command("list")
def deposits_list(
    party: UUID,
    after: Annotated[int, typer.Option(min=0, max=EXACT_JSON_INTEGER_MAX)] = 0,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """A party's deposits, by account."""

    async def work(bank: Bank) -> list[Data]:
        async with bank.database.reading() as tx:
            found = await deposits.deposits_of_party(tx, party, after=after, limit=limit)
            now = await balances(tx, [each.account for each in found])
            return [_data(each, now[each.account].posted_minor) for each in found]

    found = in_bank(work)
    columns = ("account", "product", "status", "balance_minor", "asset")
    show_rows(columns, [[each[name] for name in columns] for each in found], found, as_json)
    if len(found) == limit and not as_json:
        typer.echo(say("more_after", after=found[-1]["account"]))


@deposits_app.command("corrections")
def deposits_corrections(account: Number, as_json: Json = False) -> None:
    """What settlements of interest fell short by, booked or still owed."""

    async def work(bank: Bank) -> list[Data] | Refusal:
        async with bank.database.reading() as tx:
            if await deposits.deposit(tx, account) is None:
                return _missing(account)
            return [_correction(each) for each in await deposits.corrections(tx, account)]

    found = accepted(in_bank(work), as_json)
    columns = ("settled_on", "number", "kind", "amount_minor", "booked")
    show_rows(columns, [[each[name] for name in columns] for each in found], found, as_json)


@deposits_app.command("print")
def deposits_print(
    account: Number,
    since: Day,
    until: Day,
    output: _File,
    language: str = "en",
    as_json: Json = False,
) -> None:
    """Write a statement as PDF, in English (en), Chinese (zh-Hans) or Korean (ko)."""
    if language not in deposits.LANGUAGES:
        raise typer.BadParameter(say("one_of", choices=", ".join(deposits.LANGUAGES)))

    async def work(bank: Bank) -> bytes | Refusal:
        async with bank.database.reading() as tx:
            made = await deposits.statement_pdf(
                tx, account, since, until, language=language, printed_on=bank.engine.today(), texts=remittances
            )
        return _missing(account) if made is None else made

    made = accepted(in_bank(work), as_json)
    try:
        output.write_bytes(made)
    except OSError as problem:
        fail(say("cannot_write", file=output, reason=problem.strerror))
    show({"file": str(output), "bytes": len(made)}, as_json)


def _do(verb: Callable[[Transaction, date], Awaitable[Executed | Refusal]], as_json: bool) -> None:
    done = accepted(in_bank(lambda bank: bank.database.run(lambda tx: verb(tx, bank.engine.today()))), as_json)
    show(
        {
            **_data(done.deposit, done.deposit.contract.balance_minor),
            "entries": done.entries,
            "replayed": done.replayed,
        },
        as_json,
    )


def _share(text: str) -> deposits.Share:
    try:
        party, account, weight = text.split(":")
        return deposits.Share(UUID(party), int(account), int(weight))
    except ValueError:
        raise typer.BadParameter(say("not_a_share", text=text)) from None


def _missing(account: int) -> Refusal:
    return Refusal(DepositsRefusal.CONTRACT_NOT_FOUND, {"account": account})


def _correction(found: deposits.Correction) -> Data:
    return {
        "settled_on": found.settled_on,
        "number": found.number,
        "kind": found.kind,
        "amount_minor": found.amount_minor,
        "booked": found.booked,
    }


def _data(found: deposits.Deposit, balance_minor: int) -> Data:
    contract = found.contract
    told: dict[str, Any] = {
        "id": found.id,
        "account": found.account,
        "party": found.party,
        "product": found.product,
        "version": found.version,
        "asset": found.asset,
        "kind": found.kind.value,
        "status": found.status.value,
        "opened_on": found.opened_on,
        "balance_minor": balance_minor,
        "nominated": found.nominated,
        "maturity": None if contract.period is None else contract.period.maturity,
        "closed_on": contract.closed_on,
        "fees_waiting_minor": sum(charge.amount_minor for charge in contract.charges),
    }
    return told
