"""Payments, standing orders and mandates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
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
from .options import AmountOption, Day, DayOrNone, Json, Limit, Number
from .output import accepted, fail, in_bank, print_json, show, show_rows
from .parties import Personal
from .payment_verbs import BY, done, more, read, show_masked, shown, shown_page

payments_app = typer.Typer(help="Payments: pay, show, list, recall, limits.", no_args_is_help=True)
orders_app = typer.Typer(help="Standing orders: set up, show, list, cancel, run.", no_args_is_help=True)
mandates_app = typer.Typer(help="Direct debits: mandates and collections.", no_args_is_help=True)

_Sum = Annotated[int, typer.Argument(min=1, max=INT64_MAX, help="In whole minor units.")]
_To = Annotated[str, typer.Argument(help="An account of this bank, or with --bank of another.", metavar="CREDITOR")]
_Bank = Annotated[str | None, typer.Option(help="The BIC or national code of another bank.")]
_End = Annotated[int, typer.Argument(min=0, max=EXACT_JSON_INTEGER_MAX, help="0: it is at another bank.")]
_Account = Annotated[int | None, typer.Option(min=1, max=EXACT_JSON_INTEGER_MAX)]
_Days = Annotated[int, typer.Option(min=0, max=400)]


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
    on: DayOrNone = None,
    personal: Personal = False,
    as_json: Json = False,
) -> None:
    """Pay from an account to another, here or at another bank; with --on, on a day to come, as a standing order."""
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
    if on is None:
        show_masked(done(lambda tx, today: actions.transfer(tx, asked, today=today, by=BY), as_json), personal, as_json)
    else:
        order = done(lambda tx, today: actions.schedule_transfer(tx, asked, on, today=today, by=BY), as_json)
        show_masked(order, personal, as_json)


@payments_app.command("show")
def payments_show(id: UUID, personal: Personal = False, as_json: Json = False) -> None:
    """A payment."""

    async def work(tx: Transaction) -> payments.Payment | Refusal:
        return await payments.payment(tx, id) or Refusal(PaymentsRefusal.PAYMENT_NOT_FOUND, {"id": id})

    show_masked(accepted(read(work), as_json), personal, as_json)


@payments_app.command("list")
def payments_list(
    account: _Account = None,
    status: PaymentStatus | None = None,
    after: UUID | None = None,
    limit: Limit = 100,
    personal: Personal = False,
    as_json: Json = False,
) -> None:
    """Payments by id; with an account, those that it pays or is paid by."""
    found = shown_page(
        lambda tx: payments.payments_page(tx, account=account, status=status, after=after, limit=limit), personal
    )
    rows = [
        (each.id, each.status.value, each.debtor.account, each.creditor.account, each.amount_minor, each.asset)
        for each in found
    ]
    show_rows(("id", "status", "from", "to", "amount", "asset"), rows, found, as_json)
    more(found, limit, as_json)


@payments_app.command("suspense")
def payments_suspense(after: UUID | None = None, limit: Limit = 100, as_json: Json = False) -> None:
    """What stands on suspense. It is moved by a proposal of the kind suspense_clearing."""
    found = read(lambda tx: payments.suspense_page(tx, after=after, limit=limit))
    rows = [(each.id, each.kind.value, each.amount_minor, each.asset, each.since, each.held_for) for each in found]
    show_rows(("id", "kind", "amount", "asset", "since", "held for"), rows, found, as_json)
    more(found, limit, as_json)


@payments_app.command("recall")
def payments_recall(id: UUID, reason: str = "CUST", personal: Personal = False, as_json: Json = False) -> None:
    """Ask for a payment back; one that was not sent yet is taken back at once."""
    show_masked(done(lambda tx, today: actions.recall(tx, id, reason, today=today, by=BY), as_json), personal, as_json)


@payments_app.command("answer-recall")
def payments_answer_recall(id: UUID, refused_for: str | None = None, as_json: Json = False) -> None:
    """Answer another bank that asks for a payment back: give it back, or refuse for a reason."""
    show(done(lambda tx, today: actions.answer_recall(tx, id, refused_for, today=today), as_json), as_json)


@payments_app.command("confirm-payee")
def payments_confirm_payee(account: Number, name: str, as_json: Json = False) -> None:
    """Ask whether a name is that of an account's holder."""
    match = done(lambda tx, _: actions.confirm_payee(tx, account, name), as_json)
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
    show(done(lambda tx, _: actions.set_limit(tx, limit), as_json), as_json)


@payments_app.command("limits")
def payments_limits(as_json: Json = False) -> None:
    """The limits."""
    found = read(payments.limits)
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
    personal: Personal = False,
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
    show_masked(done(lambda tx, today: actions.set_up_order(tx, order, today=today, by=BY), as_json), personal, as_json)


@orders_app.command("show")
def orders_show(id: UUID, personal: Personal = False, as_json: Json = False) -> None:
    """A standing order and what became of it so far."""

    async def work(tx: Transaction) -> tuple[payments.StandingOrder, list[payments.Occurrence]] | Refusal:
        found = await payments.standing_order(tx, id)
        if found is None:
            return Refusal(PaymentsRefusal.ORDER_NOT_FOUND, {"id": id})
        return found, await payments.occurrences(tx, id)

    order, done = accepted(read(work), as_json)
    order = shown(order, personal)
    if as_json:
        print_json({"order": order, "occurrences": done})
        return
    show(order, False)
    rows = [(each.due_on, each.outcome.value, each.done_on, each.payment, each.reason) for each in done]
    show_rows(("due", "outcome", "done", "payment", "reason"), rows, None, False)


@orders_app.command("list")
def orders_list(
    debtor: _Account = None,
    after: UUID | None = None,
    limit: Limit = 100,
    personal: Personal = False,
    as_json: Json = False,
) -> None:
    """Standing orders by id."""
    found = shown_page(lambda tx: payments.standing_orders_page(tx, debtor=debtor, after=after, limit=limit), personal)
    rows = [
        (each.id, each.status.value, each.debtor, each.creditor.account, each.amount_minor, each.asset, each.due_on)
        for each in found
    ]
    show_rows(("id", "status", "from", "to", "amount", "asset", "due"), rows, found, as_json)
    more(found, limit, as_json)


@orders_app.command("cancel")
def orders_cancel(id: UUID, personal: Personal = False, as_json: Json = False) -> None:
    """Pay no more of it."""
    show_masked(done(lambda tx, _: actions.cancel_order(tx, id), as_json), personal, as_json)


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
    debtor: _End,
    creditor: _End,
    creditor_name: str,
    amount_max_minor: _Sum,
    asset: str,
    first_on: Day,
    frequency: Frequency = Frequency.MONTHLY,
    until: DayOrNone = None,
    refund_days: _Days = REFUND_DAYS,
    reference: str = "",
    account: Annotated[str, typer.Option(help="Of the end at another bank.")] = "",
    bank: Annotated[str, typer.Option(help="That bank: a BIC or a national code.")] = "",
    creditor_id: Annotated[str, typer.Option(help="By which its scheme knows that creditor.")] = "",
    signed_on: DayOrNone = None,
    debtor_name: Annotated[str, typer.Option(help="Of a debtor at another bank.")] = "",
    id: Id = None,
    personal: Personal = False,
    as_json: Json = False,
) -> None:
    """Let a payee collect. With --bank, one of the two is there. Unless told, it was signed on the first day."""
    outside = payments.Outside(account, bank, creditor_id, signed_on or first_on, debtor_name) if bank else None
    mandate = payments.Mandate(
        id or new_id(),
        debtor or None,
        creditor or None,
        creditor_name,
        amount_max_minor,
        asset,
        first_on,
        frequency,
        until,
        refund_days,
        reference,
        outside,
    )
    show_masked(done(lambda tx, _: actions.give_mandate(tx, mandate, by=BY), as_json), personal, as_json)


@mandates_app.command("show")
def mandates_show(id: UUID, personal: Personal = False, as_json: Json = False) -> None:
    """A mandate and its collections."""

    async def work(tx: Transaction) -> tuple[payments.Mandate, list[payments.Collection]] | Refusal:
        found = await payments.mandate(tx, id)
        if found is None:
            return Refusal(PaymentsRefusal.MANDATE_NOT_FOUND, {"id": id})
        return found, await payments.collections(tx, id)

    mandate, collected = accepted(read(work), as_json)
    mandate, collected = shown(mandate, personal), [shown(each, personal) for each in collected]
    if as_json:
        print_json({"mandate": mandate, "collections": collected})
        return
    show(mandate, False)
    rows = [(each.id, each.due_on, each.amount_minor, each.status.value, each.reason) for each in collected]
    show_rows(("id", "due", "amount", "status", "reason"), rows, None, False)


@mandates_app.command("list")
def mandates_list(
    debtor: _Account = None,
    after: UUID | None = None,
    limit: Limit = 100,
    personal: Personal = False,
    as_json: Json = False,
) -> None:
    """Mandates by id."""
    found = shown_page(lambda tx: payments.mandates_page(tx, debtor=debtor, after=after, limit=limit), personal)
    rows = [
        (each.id, each.status.value, each.debtor_end.account, each.creditor_end.account, each.amount_max_minor)
        for each in found
    ]
    show_rows(("id", "status", "from", "to", "at most"), rows, found, as_json)
    more(found, limit, as_json)


@mandates_app.command("cancel")
def mandates_cancel(id: UUID, personal: Personal = False, as_json: Json = False) -> None:
    """Let nothing more be collected."""
    show_masked(done(lambda tx, today: actions.cancel_mandate(tx, id, today=today), as_json), personal, as_json)


@mandates_app.command("collect")
def mandates_collect(
    mandate: UUID,
    amount_minor: _Sum,
    due_on: Day,
    remittance: str = "",
    id: Id = None,
    personal: Personal = False,
    as_json: Json = False,
) -> None:
    """Ask for a collection; it waits for its day."""
    asked = payments.Collection(id or new_id(), mandate, amount_minor, due_on, remittance)
    show_masked(done(lambda tx, today: actions.collect(tx, asked, today=today, by=BY), as_json), personal, as_json)


@mandates_app.command("refuse")
def mandates_refuse(mandate: UUID, collection: UUID, personal: Personal = False, as_json: Json = False) -> None:
    """The payer will not have it collected."""
    show_masked(
        done(lambda tx, today: actions.refuse_collection(tx, mandate, collection, today=today), as_json),
        personal,
        as_json,
    )


@mandates_app.command("refund")
def mandates_refund(mandate: UUID, collection: UUID, personal: Personal = False, as_json: Json = False) -> None:
    """The payer has a collection back."""
    show_masked(
        done(lambda tx, today: actions.refund_collection(tx, mandate, collection, today=today), as_json),
        personal,
        as_json,
    )


@mandates_app.command("run")
def mandates_run(business_date: DayOrNone = None, as_json: Json = False) -> None:
    """Collect what is due on the bank's date; the day's end does it too."""
    show(in_bank(lambda bank: actions.run_direct_debits(bank.database, business_date or bank.engine.today())), as_json)
