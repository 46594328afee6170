"""Payments, standing orders, mandates and files of payments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Annotated, TypeVar
from uuid import UUID

import typer

from eastflow import payments
from eastflow.customers import Channel
from eastflow.kernel import EXACT_JSON_INTEGER_MAX, INT64_MAX, Refusal
from eastflow.ledger.actions import new_id
from eastflow.operations import Bank, OrdersImport, SourceRefused, import_berka_orders
from eastflow.payments import DEFAULT_SCHEME, REFUND_DAYS, Endpoint, Frequency, PaymentsRefusal, PaymentStatus, actions
from eastflow.storage import Transaction

from .entries import Id
from .messages import say
from .options import AmountOption, Day, DayOrNone, Json, Limit, Number
from .output import accepted, fail, in_bank, print_json, show, show_rows
from .shapes import Data

payments_app = typer.Typer(help="Payments: pay, show, list, recall, limits.", no_args_is_help=True)
orders_app = typer.Typer(help="Standing orders: set up, show, list, cancel, run.", no_args_is_help=True)
mandates_app = typer.Typer(help="Direct debits: mandates and collections.", no_args_is_help=True)
batches_app = typer.Typer(help="Files of payments: hand in, run, read.", no_args_is_help=True)

BY = "command line"
_Sum = Annotated[int, typer.Argument(min=1, max=INT64_MAX, help="In whole minor units.")]
_To = Annotated[str, typer.Argument(help="An account of this bank, or with --bank of another.", metavar="CREDITOR")]
_Bank = Annotated[str | None, typer.Option(help="The BIC or national code of another bank.")]
_Account = Annotated[int | None, typer.Option(min=1, max=EXACT_JSON_INTEGER_MAX)]
_Days = Annotated[int, typer.Option(min=0, max=400)]
_File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A .csv or .json file.")]
_Result = TypeVar("_Result")


@payments_app.command("pay")
def payments_pay(
    debtor: Number,
    creditor: _To,
    amount_minor: _Sum,
    asset: str,
    bank: _Bank = None,
    name: str = "",
    remittance: str = "",
    end_to_end_id: str | None = None,
    scheme: str = DEFAULT_SCHEME,
    channel: Channel = Channel.BRANCH,
    id: Id = None,
    duplicate_confirmed: bool = False,
    payee_confirmed: bool = False,
    as_json: Json = False,
) -> None:
    """Pay from an account to another, here or at another bank."""
    asked = payments.Transfer(
        id or new_id(),
        debtor,
        Endpoint(name, creditor, bank),
        amount_minor,
        asset,
        channel,
        remittance,
        end_to_end_id,
        scheme,
        duplicate_confirmed,
        payee_confirmed,
    )
    show(_done(lambda tx, today: actions.transfer(tx, asked, today=today, by=BY), as_json), as_json)


@payments_app.command("show")
def payments_show(id: UUID, as_json: Json = False) -> None:
    """A payment."""

    async def read(tx: Transaction) -> payments.Payment | Refusal:
        return await payments.payment(tx, id) or Refusal(PaymentsRefusal.PAYMENT_NOT_FOUND, {"id": id})

    show(accepted(_read(read), as_json), as_json)


@payments_app.command("list")
def payments_list(
    account: _Account = None,
    status: PaymentStatus | None = None,
    after: UUID | None = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """Payments by id; with an account, those that it pays or is paid by."""
    found = _read(lambda tx: payments.payments_page(tx, account=account, status=status, after=after, limit=limit))
    rows = [
        (each.id, each.status.value, each.debtor.account, each.creditor.account, each.amount_minor, each.asset)
        for each in found
    ]
    show_rows(("id", "status", "from", "to", "amount", "asset"), rows, found, as_json)
    _more(found, limit, as_json)


@payments_app.command("recall")
def payments_recall(id: UUID, reason: str = "CUST", as_json: Json = False) -> None:
    """Ask for a payment back; one that was not sent yet is taken back at once."""
    show(_done(lambda tx, today: actions.recall(tx, id, reason, today=today, by=BY), as_json), as_json)


@payments_app.command("answer-recall")
def payments_answer_recall(id: UUID, refused_for: str | None = None, as_json: Json = False) -> None:
    """Answer another bank that asks for a payment back: give it back, or refuse for a reason."""
    show(_done(lambda tx, today: actions.answer_recall(tx, id, refused_for, today=today), as_json), as_json)


@payments_app.command("confirm-payee")
def payments_confirm_payee(account: Number, name: str, as_json: Json = False) -> None:
    """Ask whether a name is that of an account's holder."""
    match = _done(lambda tx, _: actions.confirm_payee(tx, account, name), as_json)
    show({"match": match.value}, as_json)


@payments_app.command("limit")
def payments_limit(
    asset: str,
    channel: Channel | None = None,
    party: UUID | None = None,
    per_payment_minor: AmountOption = None,
    per_day_minor: AmountOption = None,
    as_json: Json = False,
) -> None:
    """Limit what each customer, or one, may pay away: by one channel, or in all."""
    limit = payments.Limit(channel, party, asset, per_payment_minor, per_day_minor)
    show(_done(lambda tx, _: actions.set_limit(tx, limit), as_json), as_json)


@payments_app.command("limits")
def payments_limits(as_json: Json = False) -> None:
    """The limits."""
    found = _read(payments.limits)
    rows = [
        (each.channel and each.channel.value, each.party, each.asset, each.per_payment_minor, each.per_day_minor)
        for each in found
    ]
    show_rows(("channel", "party", "asset", "per payment", "per day"), rows, found, as_json)


@orders_app.command("set-up")
def orders_set_up(
    debtor: Number,
    creditor: _To,
    amount_minor: _Sum,
    asset: str,
    first_on: Day,
    frequency: Frequency = Frequency.MONTHLY,
    until: DayOrNone = None,
    retry_days: _Days = 0,
    bank: _Bank = None,
    name: str = "",
    remittance: str = "",
    scheme: str = DEFAULT_SCHEME,
    id: Id = None,
    as_json: Json = False,
) -> None:
    """Pay the same again and again."""
    order = payments.StandingOrder(
        id or new_id(),
        debtor,
        Endpoint(name, creditor, bank),
        amount_minor,
        asset,
        first_on,
        frequency,
        until,
        retry_days,
        remittance,
        scheme,
    )
    show(_done(lambda tx, today: actions.set_up_order(tx, order, today=today, by=BY), as_json), as_json)


@orders_app.command("show")
def orders_show(id: UUID, as_json: Json = False) -> None:
    """A standing order and what became of it so far."""

    async def read(tx: Transaction) -> tuple[payments.StandingOrder, list[payments.Occurrence]] | Refusal:
        found = await payments.standing_order(tx, id)
        if found is None:
            return Refusal(PaymentsRefusal.ORDER_NOT_FOUND, {"id": id})
        return found, await payments.occurrences(tx, id)

    order, done = accepted(_read(read), as_json)
    if as_json:
        print_json({"order": order, "occurrences": done})
        return
    show(order, False)
    rows = [(each.due_on, each.outcome.value, each.done_on, each.payment, each.reason) for each in done]
    show_rows(("due", "outcome", "done", "payment", "reason"), rows, None, False)


@orders_app.command("list")
def orders_list(debtor: _Account = None, after: UUID | None = None, limit: Limit = 100, as_json: Json = False) -> None:
    """Standing orders by id."""
    found = _read(lambda tx: payments.standing_orders_page(tx, debtor=debtor, after=after, limit=limit))
    rows = [
        (each.id, each.status.value, each.debtor, each.creditor.account, each.amount_minor, each.asset, each.due_on)
        for each in found
    ]
    show_rows(("id", "status", "from", "to", "amount", "asset", "due"), rows, found, as_json)
    _more(found, limit, as_json)


@orders_app.command("cancel")
def orders_cancel(id: UUID, as_json: Json = False) -> None:
    """Pay no more of it."""
    show(_done(lambda tx, _: actions.cancel_order(tx, id), as_json), as_json)


@orders_app.command("run")
def orders_run(business_date: DayOrNone = None, as_json: Json = False) -> None:
    """Pay what is due on the bank's date; the day's end does it too."""
    show(
        in_bank(lambda bank: actions.run_standing_orders(bank.database, business_date or bank.engine.today())), as_json
    )


@orders_app.command("import-berka")
def orders_import_berka(
    directory: Annotated[Path, typer.Argument(exists=True, file_okay=False)], first_on: Day, as_json: Json = False
) -> None:
    """The permanent orders of the Czech bank's files, monthly from a day on. Its accounts are imported already."""

    async def work(bank: Bank) -> OrdersImport:
        return await import_berka_orders(bank.database, directory, first_on=first_on, today=bank.engine.today())

    try:
        done = in_bank(work)
    except SourceRefused as problem:
        fail(str(problem))
    show(done, as_json)


@mandates_app.command("give")
def mandates_give(
    debtor: Number,
    creditor: Number,
    creditor_name: str,
    amount_max_minor: _Sum,
    asset: str,
    first_on: Day,
    frequency: Frequency = Frequency.MONTHLY,
    until: DayOrNone = None,
    refund_days: _Days = REFUND_DAYS,
    reference: str = "",
    id: Id = None,
    as_json: Json = False,
) -> None:
    """Let a payee collect."""
    mandate = payments.Mandate(
        id or new_id(),
        debtor,
        creditor,
        creditor_name,
        amount_max_minor,
        asset,
        first_on,
        frequency,
        until,
        refund_days,
        reference,
    )
    show(_done(lambda tx, _: actions.give_mandate(tx, mandate, by=BY), as_json), as_json)


@mandates_app.command("show")
def mandates_show(id: UUID, as_json: Json = False) -> None:
    """A mandate and its collections."""

    async def read(tx: Transaction) -> tuple[payments.Mandate, list[payments.Collection]] | Refusal:
        found = await payments.mandate(tx, id)
        if found is None:
            return Refusal(PaymentsRefusal.MANDATE_NOT_FOUND, {"id": id})
        return found, await payments.collections(tx, id)

    mandate, collected = accepted(_read(read), as_json)
    if as_json:
        print_json({"mandate": mandate, "collections": collected})
        return
    show(mandate, False)
    rows = [(each.id, each.due_on, each.amount_minor, each.status.value, each.reason) for each in collected]
    show_rows(("id", "due", "amount", "status", "reason"), rows, None, False)


@mandates_app.command("list")
def mandates_list(
    debtor: _Account = None, after: UUID | None = None, limit: Limit = 100, as_json: Json = False
) -> None:
    """Mandates by id."""
    found = _read(lambda tx: payments.mandates_page(tx, debtor=debtor, after=after, limit=limit))
    rows = [(each.id, each.status.value, each.debtor, each.creditor, each.amount_max_minor) for each in found]
    show_rows(("id", "status", "from", "to", "at most"), rows, found, as_json)
    _more(found, limit, as_json)


@mandates_app.command("cancel")
def mandates_cancel(id: UUID, as_json: Json = False) -> None:
    """Let nothing more be collected."""
    show(_done(lambda tx, _: actions.cancel_mandate(tx, id), as_json), as_json)


@mandates_app.command("collect")
def mandates_collect(
    mandate: UUID, amount_minor: _Sum, due_on: Day, remittance: str = "", id: Id = None, as_json: Json = False
) -> None:
    """Ask for a collection; it waits for its day."""
    asked = payments.Collection(id or new_id(), mandate, amount_minor, due_on, remittance)
    show(_done(lambda tx, today: actions.collect(tx, asked, today=today, by=BY), as_json), as_json)


@mandates_app.command("refuse")
def mandates_refuse(mandate: UUID, collection: UUID, as_json: Json = False) -> None:
    """The payer will not have it collected."""
    show(_done(lambda tx, today: actions.refuse_collection(tx, mandate, collection, today=today), as_json), as_json)


@mandates_app.command("refund")
def mandates_refund(mandate: UUID, collection: UUID, as_json: Json = False) -> None:
    """The payer has a collection back."""
    show(_done(lambda tx, today: actions.refund_collection(tx, mandate, collection, today=today), as_json), as_json)


@mandates_app.command("run")
def mandates_run(business_date: DayOrNone = None, as_json: Json = False) -> None:
    """Collect what is due on the bank's date; the day's end does it too."""
    show(in_bank(lambda bank: actions.run_direct_debits(bank.database, business_date or bank.engine.today())), as_json)


@batches_app.command("submit")
def batches_submit(
    debtor: Number,
    asset: str,
    file: _File,
    whole: Annotated[bool, typer.Option(help="All lines or none.")] = False,
    one_debit: Annotated[bool, typer.Option(help="One amount on the payer's account.")] = False,
    scheme: str = DEFAULT_SCHEME,
    channel: Channel = Channel.BRANCH,
    id: Id = None,
    duplicate_confirmed: bool = False,
    as_json: Json = False,
) -> None:
    """Hand in a file of payments; nothing is paid until it is run."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        fail(say("cannot_read", file=file, reason=problem))
    reader = payments.read_json if file.suffix == ".json" else payments.read_csv
    lines = accepted(reader(text), as_json)
    handed = payments.BatchFile(
        id or new_id(), debtor, asset, lines, channel, scheme, whole, one_debit, duplicate_confirmed
    )
    batch = _done(lambda tx, today: actions.submit_batch(tx, handed, today=today, by=BY), as_json)
    show(_batch_data(batch), as_json)


@batches_app.command("run")
def batches_run(id: UUID, as_json: Json = False) -> None:
    """Pay a file's lines; again, it goes on where it was stopped."""
    answer = in_bank(lambda bank: actions.run_batch(bank.database, id, today=bank.engine.today()))
    show(_batch_data(accepted(answer, as_json)), as_json)


@batches_app.command("lines")
def batches_lines(
    id: UUID, after: Annotated[int, typer.Option(min=0)] = 0, limit: Limit = 100, as_json: Json = False
) -> None:
    """What became of each line."""

    async def read(tx: Transaction) -> list[payments.BatchLine] | Refusal:
        if await payments.batch(tx, id) is None:
            return Refusal(PaymentsRefusal.BATCH_NOT_FOUND, {"id": id})
        return await payments.batch_lines(tx, id, after=after, limit=limit)

    found = accepted(_read(read), as_json)
    rows = [
        (each.number, each.line.creditor.account, each.line.amount_minor, each.status.value, each.reason)
        for each in found
    ]
    show_rows(("line", "to", "amount", "status", "reason"), rows, found, as_json)
    if len(found) == limit and not as_json:
        typer.echo(say("more_after", after=found[-1].number))


def _done(verb: Callable[[Transaction, date], Awaitable[_Result | Refusal]], as_json: bool) -> _Result:
    """What a verb did in a transaction of its own on the bank's date."""

    async def work(bank: Bank) -> _Result | Refusal:
        return await bank.database.run(lambda tx: verb(tx, bank.engine.today()))

    return accepted(in_bank(work), as_json)


def _read(read: Callable[[Transaction], Awaitable[_Result]]) -> _Result:
    async def work(bank: Bank) -> _Result:
        async with bank.database.reading() as tx:
            return await read(tx)

    return in_bank(work)


def _batch_data(batch: payments.Batch) -> Data:
    """Its content's hash is of no use to people."""
    return {each.name: getattr(batch, each.name) for each in fields(batch) if each.name != "content_hash"}


def _more(
    found: list[payments.Payment] | list[payments.StandingOrder] | list[payments.Mandate], limit: int, as_json: bool
) -> None:
    if len(found) == limit and not as_json:
        typer.echo(say("more_after", after=found[-1].id))
