"""What the commands of payments do alike: a verb done, a page read, personal data masked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

import typer

from eastflow import payments
from eastflow.kernel import Refusal
from eastflow.operations import Bank
from eastflow.storage import Transaction

from .messages import say
from .output import accepted, in_bank, show

BY = "command line"
_Result = TypeVar("_Result")
_MASKS: Mapping[type, Callable[[Any], Any]] = {
    payments.Payment: payments.masked_payment,
    payments.StandingOrder: payments.masked_order,
    payments.Mandate: payments.masked_mandate,
    payments.Collection: payments.masked_collection,
    payments.BatchLine: payments.masked_line,
}


def done(verb: Callable[[Transaction, date], Awaitable[_Result | Refusal]], as_json: bool) -> _Result:
    """What a verb did in a transaction of its own on the bank's date."""

    async def work(bank: Bank) -> _Result | Refusal:
        return await bank.database.run(lambda tx: verb(tx, bank.engine.today()))

    return accepted(in_bank(work), as_json)


def read(inquiry: Callable[[Transaction], Awaitable[_Result]]) -> _Result:
    async def work(bank: Bank) -> _Result:
        async with bank.database.reading() as tx:
            return await inquiry(tx)

    return in_bank(work)


def shown(found: _Result, personal: bool) -> _Result:
    """A recall says nothing of persons, and is shown as it is."""
    mask = None if personal else _MASKS.get(type(found))
    return found if mask is None else mask(found)


def shown_page(inquiry: Callable[[Transaction], Awaitable[list[_Result]]], personal: bool) -> list[_Result]:
    return [shown(each, personal) for each in read(inquiry)]


def show_masked(found: object, personal: bool, as_json: bool) -> None:
    show(shown(found, personal), as_json)


def more(
    found: Sequence[payments.Payment | payments.StandingOrder | payments.Mandate | payments.SuspenseItem],
    limit: int,
    as_json: bool,
) -> None:
    if len(found) == limit and not as_json:
        typer.echo(say("more_after", after=found[-1].id))
