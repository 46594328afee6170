"""Files of payments: handed in, run, read line by line."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from eastflow import payments
from eastflow.customers import Channel
from eastflow.kernel import Refusal
from eastflow.ledger.actions import new_id
from eastflow.payments import DEFAULT_SCHEME, PaymentsRefusal, actions
from eastflow.storage import Transaction

from .entries import Id
from .messages import say
from .options import Json, Limit, Number
from .output import accepted, fail, in_bank, show, show_rows
from .parties import Personal
from .payment_verbs import BY, done, read, shown
from .shapes import Data

batches_app = typer.Typer(help="Files of payments: hand in, run, read.", no_args_is_help=True)
_File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A .csv or .json file.")]


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
    batch = done(lambda tx, today: actions.submit_batch(tx, handed, today=today, by=BY), as_json)
    show(_batch_data(batch), as_json)


@batches_app.command("run")
def batches_run(id: UUID, as_json: Json = False) -> None:
    """Pay a file's lines; again, it goes on where it was stopped."""
    answer = in_bank(lambda bank: actions.run_batch(bank.database, id, today=bank.engine.today()))
    show(_batch_data(accepted(answer, as_json)), as_json)


@batches_app.command("lines")
def batches_lines(
    id: UUID,
    after: Annotated[int, typer.Option(min=0)] = 0,
    limit: Limit = 100,
    personal: Personal = False,
    as_json: Json = False,
) -> None:
    """What became of each line."""

    async def work(tx: Transaction) -> list[payments.BatchLine] | Refusal:
        if await payments.batch(tx, id) is None:
            return Refusal(PaymentsRefusal.BATCH_NOT_FOUND, {"id": id})
        return await payments.batch_lines(tx, id, after=after, limit=limit)

    found = [shown(each, personal) for each in accepted(read(work), as_json)]
    rows = [
        (each.number, each.line.creditor.account, each.line.amount_minor, each.status.value, each.reason)
        for each in found
    ]
    show_rows(("line", "to", "amount", "status", "reason"), rows, found, as_json)
    if len(found) == limit and not as_json:
        typer.echo(say("more_after", after=found[-1].number))


def _batch_data(batch: payments.Batch) -> Data:
    """Its content's hash is of no use to people."""
    return {each.name: getattr(batch, each.name) for each in fields(batch) if each.name != "keyed_hash"}
