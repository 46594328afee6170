"""Holds: reserving an amount, paying out of it, giving it back."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from eastflow.kernel import Refusal
from eastflow.ledger import Capture, HeldAmount, Hold, Release, holds
from eastflow.ledger.actions import expire_holds, new_id
from eastflow.operations import Bank

from .accounts import known_account
from .entries import Id, Legs, new_entry, post_one
from .messages import say
from .options import Amount, DayOrNone, Json, Limit, Moment, Number
from .output import accepted, in_bank, show, show_rows
from .shapes import done_data

holds_app = typer.Typer(help="Holds: place, capture, release, list, expire.", no_args_is_help=True)


@holds_app.command("place")
def holds_place(
    account: Number, asset: str, amount: Amount, id: Id = None, expires_at: Moment = None, as_json: Json = False
) -> None:
    """Reserve AMOUNT of ACCOUNT, until it is captured, released or expired."""
    hold = Hold(id or new_id(), account, asset, amount, expires_at)
    show(done_data(accepted(in_bank(lambda bank: bank.engine.post(hold)), as_json)), as_json)


@holds_app.command("capture")
def holds_capture(
    account: Number,
    hold: UUID,
    kind: str,
    asset: str,
    leg: Legs,
    id: Id = None,
    value_date: DayOrNone = None,
    memo: str | None = None,
    keep_rest: Annotated[bool, typer.Option("--keep-rest", help="Leave what is left of the hold held.")] = False,
    as_json: Json = False,
) -> None:
    """Post an entry of KIND in ASSET out of HOLD on ACCOUNT."""
    capture = Capture(account, hold, final=not keep_rest)
    post_one(lambda today: new_entry(kind, asset, leg, id, value_date or today, memo=memo, capture=capture), as_json)


@holds_app.command("release")
def holds_release(account: Number, hold: UUID, as_json: Json = False) -> None:
    """Give back what is left of HOLD on ACCOUNT."""
    show(done_data(accepted(in_bank(lambda bank: bank.engine.post(Release(account, hold))), as_json)), as_json)


@holds_app.command("list")
def holds_list(account: Number, after: UUID | None = None, limit: Limit = 100, as_json: Json = False) -> None:
    """The holds of ACCOUNT by id, those that have ended too."""

    async def work(bank: Bank) -> list[HeldAmount] | Refusal:
        known = await known_account(bank, account)
        if isinstance(known, Refusal):
            return known
        async with bank.database.reading() as tx:
            return await holds(tx, account, after=after, limit=limit)

    found = accepted(in_bank(work), as_json)
    rows = [(h.id, h.amount_minor, h.remaining_minor, h.status.value, h.placed_at, h.expires_at) for h in found]
    show_rows(("id", "amount", "remaining", "status", "placed", "expires"), rows, found, as_json)
    if len(found) == limit and not as_json:
        typer.echo(say("more_after", after=found[-1].id))


@holds_app.command("expire")
def holds_expire(as_json: Json = False) -> None:
    """Give back all holds whose time has passed."""

    async def work(bank: Bank) -> int:
        total = 0
        while expired := await expire_holds(bank.engine):
            total += expired
        return total

    show({"expired": in_bank(work)}, as_json)
