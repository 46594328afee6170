"""Accounts of class I at other banks: ask, answer by hand, bind no more; and what we answer other banks."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
import typer

from eastflow import customers
from eastflow.customers import Document, DocumentKind, Element, ElementResult, Verification, actions
from eastflow.ledger.actions import new_id
from eastflow.operations import Bank

from .customers import Country, operator, written
from .entries import Id
from .options import Json, Limit, Number
from .output import in_bank, show, show_rows
from .parties import Personal
from .shapes import Data

verifications_app = typer.Typer(
    help="Accounts of class I at other banks: ask, list, sent, answer, end, compare.", no_args_is_help=True
)
_Result = Annotated[ElementResult, typer.Option()]


@verifications_app.command("ask")
def verifications_ask(
    account: Number,
    bank: str,
    other_account: str,
    phone: str,
    id: Id = None,
    personal: Personal = False,
    as_json: Json = False,
) -> None:
    """Ask another bank whether an account there is of class I and of the same person. It waits to be sent."""
    asked = written(
        lambda tx, today: actions.ask_verification(
            tx,
            id or new_id(),
            account,
            bank=bank,
            other_account=other_account,
            phone=phone,
            by=operator(),
            today=today,
        ),
        as_json,
    )
    show(_data(asked, personal), as_json)


@verifications_app.command("list")
def verifications_list(
    account: Annotated[int | None, typer.Option(help="All of this account, not only what is to be sent.")] = None,
    limit: Limit = 100,
    personal: Personal = False,
    as_json: Json = False,
) -> None:
    """What other banks are still to be asked."""

    async def work(bank: Bank) -> list[Verification]:
        today = bank.engine.today()
        async with bank.database.reading() as tx:
            if account is not None:
                return await customers.verifications_of_account(tx, account, today=today)
            return await customers.verifications_to_send(tx, today=today, limit=limit)

    found = [_data(each, personal) for each in in_bank(work)]
    columns = ("id", "account", "status", "asked_on", "expires_on", "message_id")
    show_rows(columns, [[each[name] for name in columns] for each in found], found, as_json)


@verifications_app.command("sent")
def verifications_sent(id: UUID, message_id: str, as_json: Json = False) -> None:
    """It went out in this message, and is not to be sent again."""
    found = written(lambda tx, today: actions.verification_sent(tx, id, message_id, today=today), as_json)
    show(_data(found, personal=False), as_json)


@verifications_app.command("answer")
def verifications_answer(
    id: UUID,
    name: _Result = ElementResult.UNKNOWN,
    document: _Result = ElementResult.UNKNOWN,
    phone: _Result = ElementResult.UNKNOWN,
    account: _Result = ElementResult.UNKNOWN,
    class_one: _Result = ElementResult.UNKNOWN,
    as_json: Json = False,
) -> None:
    """Enter the other bank's answer, element by element: if all five match, its account is bound."""
    told = dict(zip(Element, (name, document, phone, account, class_one), strict=True))
    found = written(lambda tx, today: actions.answer_verification(tx, id, told, by=operator(), today=today), as_json)
    show(_data(found, personal=False), as_json)


@verifications_app.command("end")
def verifications_end(id: UUID, as_json: Json = False) -> None:
    """The other bank's account is bound no more."""
    found = written(lambda tx, today: actions.end_verification(tx, id, today=today), as_json)
    show(_data(found, personal=False), as_json)


@verifications_app.command("compare")
def verifications_compare(
    account: Number,
    name: str,
    kind: DocumentKind,
    number: str,
    phone: str,
    country: Country = "CN",
    as_json: Json = False,
) -> None:
    """What another bank asks of an account here, element by element."""
    document = Document(kind, number, country)
    told = written(
        lambda tx, _: actions.verify_elements(tx, account, name=name, document=document, phone=phone), as_json
    )
    show({element.value: result.value for element, result in told.items()}, as_json)


def _data(found: Verification, personal: bool) -> Data:
    data: Data = msgspec.to_builtins(found if personal else customers.masked_verification(found), str_keys=True)
    return data
