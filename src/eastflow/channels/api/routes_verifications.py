"""`/v1/verifications`: accounts of class I at other banks, verified before they are bound; our answers to others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct, convert

from eastflow import customers
from eastflow.customers import CustomersRefusal, Element, ElementResult, VerificationStatus, actions
from eastflow.kernel import Refusal
from eastflow.storage import Transaction

from . import wire
from .keys import Scope
from .operation import Answer, Call, Operation
from .routes_accounts import OneAccount
from .routes_customers import Document
from .routes_parties import ID, may_see

_Phone = Annotated[str, Meta(min_length=1, max_length=500)]


class NewVerification(Struct, frozen=True, forbid_unknown_fields=True):
    """`account` has a class here. `other_account` is at `bank` (its BIC or national code), `phone` is known there. `id`
    makes asking idempotent."""

    id: UUID
    account: wire.AccountNumber
    bank: Annotated[str, Meta(min_length=1, max_length=35)]
    other_account: Annotated[str, Meta(min_length=1, max_length=34)]
    phone: _Phone


class Results(Struct, frozen=True, forbid_unknown_fields=True):
    """For each of the five elements; what the other bank does not tell is `unknown`."""

    name: ElementResult = ElementResult.UNKNOWN
    document: ElementResult = ElementResult.UNKNOWN
    phone: ElementResult = ElementResult.UNKNOWN
    account: ElementResult = ElementResult.UNKNOWN
    class_one: ElementResult = ElementResult.UNKNOWN


class SentIn(Struct, frozen=True, forbid_unknown_fields=True):
    message_id: Annotated[str, Meta(min_length=1, max_length=35)]


class AskedElements(Struct, frozen=True):
    name: str
    document: Document
    phone: str
    bank: str
    account: str


class Verification(Struct, frozen=True):
    """The elements are masked but for those with the scope `parties:personal`."""

    id: UUID
    account: int
    party: UUID
    elements: AskedElements
    status: VerificationStatus
    asked_on: date
    expires_on: date
    asked_by: str
    message_id: str | None
    results: Results | None
    answered_on: date | None
    answered_by: str | None


class VerificationList(Struct, frozen=True):
    verifications: list[Verification]


class VerificationPage(Struct, frozen=True):
    verifications: list[Verification]
    cursor: str | None


class OneVerification(Struct, frozen=True, forbid_unknown_fields=True):
    verification: UUID


class WaitingList(Struct, frozen=True, forbid_unknown_fields=True):
    limit: wire.Limit = 100
    cursor: wire.Cursor | None = None


class ComparedElements(Struct, frozen=True, forbid_unknown_fields=True):
    """What another bank asks of an account here."""

    name: Annotated[str, Meta(min_length=1, max_length=customers.NAME_CHARACTERS_MAX)]
    document: Document
    phone: _Phone


class _Place(Struct, frozen=True):
    after: UUID


async def ask(call: Call) -> Answer | Refusal:
    asked: NewVerification = call.body
    return await _changed(
        call,
        lambda tx: actions.ask_verification(
            tx,
            asked.id,
            asked.account,
            bank=asked.bank,
            other_account=asked.other_account,
            phone=asked.phone,
            by=call.actor,
            today=call.today,
        ),
    )


async def list_of_account(call: Call) -> Answer | Refusal:
    async with call.database.reading() as tx:
        found = await customers.verifications_of_account(tx, call.parameters.account, today=call.today)
    return Answer(VerificationList([_shown(each, call) for each in found]))


async def list_to_send(call: Call) -> Answer | Refusal:
    asked: WaitingList = call.parameters
    after = None if asked.cursor is None else wire.read_cursor(asked.cursor, _Place).after
    async with call.database.reading() as tx:
        found = await customers.verifications_to_send(tx, today=call.today, after=after, limit=asked.limit + 1)
    shown = found[: asked.limit]
    following = wire.cursor_of(_Place(shown[-1].id)) if len(found) > asked.limit else None
    return Answer(VerificationPage([_shown(each, call) for each in shown], following))


async def sent(call: Call) -> Answer | Refusal:
    id, message = call.parameters.verification, call.body.message_id
    return await _changed(call, lambda tx: actions.verification_sent(tx, id, message, today=call.today))


async def answer(call: Call) -> Answer | Refusal:
    id = call.parameters.verification
    told = {element: getattr(call.body, element.value) for element in Element}
    return await _changed(call, lambda tx: actions.answer_verification(tx, id, told, by=call.actor, today=call.today))


async def end(call: Call) -> Answer | Refusal:
    id = call.parameters.verification
    return await _changed(call, lambda tx: actions.end_verification(tx, id, today=call.today))


async def compare(call: Call) -> Answer | Refusal:
    asked: ComparedElements = call.body
    document = convert(asked.document, customers.Document, from_attributes=True)
    async with call.database.reading() as tx:
        told = await actions.verify_elements(
            tx, call.parameters.account, name=asked.name, document=document, phone=asked.phone
        )
    return told if isinstance(told, Refusal) else Answer(_results(told))


async def _changed(
    call: Call, work: Callable[[Transaction], Awaitable[customers.Verification | Refusal]]
) -> Answer | Refusal:
    found = await call.database.run(work)
    return found if isinstance(found, Refusal) else Answer(_shown(found, call))


def _shown(found: customers.Verification, call: Call) -> Verification:
    shown = found if may_see(call) else customers.masked_verification(found)
    return Verification(
        shown.id,
        shown.account,
        shown.party,
        convert(shown.elements, AskedElements, from_attributes=True),
        shown.status,
        shown.asked_on,
        shown.expires_on,
        shown.asked_by,
        shown.message_id,
        None if shown.results is None else _results(shown.results),
        shown.answered_on,
        shown.answered_by,
    )


def _results(told: customers.Results) -> Results:
    return Results(**{element.value: told[element] for element in Element})


_DOCUMENT_EXAMPLE = {
    "kind": "identity_card", "number": "110101199005011234", "country": "CN", "expires_on": "2036-05-01",
    "verified": True,
}  # fmt: skip
_NEW_EXAMPLE = {
    "id": "019b8f2e-7c00-7000-8000-0000000000d1", "account": 1002, "bank": "ICBKCNBJ",
    "other_account": "6222000011112222", "phone": "+8613800138000",
}  # fmt: skip
_RESULTS_EXAMPLE = dict.fromkeys(("name", "document", "phone", "account", "class_one"), "matches")
_EXAMPLE = {
    "id": _NEW_EXAMPLE["id"], "account": 1002, "party": ID,
    "elements": {
        "name": "Li Na", "document": _DOCUMENT_EXAMPLE, "phone": "+8613800138000", "bank": "ICBKCNBJ",
        "account": "6222000011112222",
    },
    "status": "asked", "asked_on": "2026-03-01", "expires_on": "2026-03-31", "asked_by": "app", "message_id": None,
    "results": None, "answered_on": None, "answered_by": None,
}  # fmt: skip
_CONFIRMED_EXAMPLE = _EXAMPLE | {
    "status": "confirmed", "results": _RESULTS_EXAMPLE, "answered_on": "2026-03-02", "answered_by": "operator",
}  # fmt: skip
_PATH = {"verification": _NEW_EXAMPLE["id"]}
_TAG = "Account classes"
_OF_ONE = (CustomersRefusal.VERIFICATION_NOT_FOUND, CustomersRefusal.VERIFICATION_CLOSED)
OPERATIONS = (
    Operation(
        "POST", "/v1/verifications", "ask_verification", _TAG, Scope.PARTIES_WRITE,
        "Ask another bank whether an account there is of class I and of the same person", ask, {200: Verification},
        body=NewVerification,
        refusals=(
            CustomersRefusal.TEXT_MALFORMED, CustomersRefusal.ACCOUNT_MALFORMED,
            CustomersRefusal.VERIFICATION_ID_REUSED, CustomersRefusal.PARTY_ERASED, CustomersRefusal.CLASS_NOT_FOUND,
            CustomersRefusal.DOCUMENT_MISSING,
        ),
        description="It waits until it is sent and answered; no network is spoken to here. When all five elements "
        "match, the other account is bound.",
        body_example=_NEW_EXAMPLE, answer_example=_EXAMPLE,
    ),
    Operation(
        "GET", "/v1/verifications", "list_verifications_to_send", _TAG, Scope.OPERATIONS_READ,
        "List what other banks are still to be asked", list_to_send, {200: VerificationPage}, parameters=WaitingList,
        answer_example={"verifications": [_EXAMPLE], "cursor": None},
    ),
    Operation(
        "GET", "/v1/accounts/{account}/verifications", "list_verifications", _TAG, Scope.PARTIES_READ,
        "List the verifications asked for an account", list_of_account, {200: VerificationList},
        parameters=OneAccount, answer_example={"verifications": [_CONFIRMED_EXAMPLE]}, path_example={"account": 1002},
    ),
    Operation(
        "POST", "/v1/verifications/{verification}/sent", "mark_verification_sent", _TAG, Scope.OPERATIONS_WRITE,
        "Say in which message it was sent", sent, {200: Verification}, parameters=OneVerification, body=SentIn,
        refusals=(CustomersRefusal.TEXT_MALFORMED, *_OF_ONE), body_example={"message_id": "M-1"},
        answer_example=_EXAMPLE | {"message_id": "M-1"}, path_example=_PATH,
    ),
    Operation(
        "POST", "/v1/verifications/{verification}/answer", "answer_verification", _TAG, Scope.OPERATIONS_WRITE,
        "Enter the other bank's answer, element by element", answer, {200: Verification}, parameters=OneVerification,
        body=Results, refusals=_OF_ONE, body_example=_RESULTS_EXAMPLE, answer_example=_CONFIRMED_EXAMPLE,
        path_example=_PATH,
    ),
    Operation(
        "POST", "/v1/verifications/{verification}/end", "end_verification", _TAG, Scope.PARTIES_WRITE,
        "Bind the other bank's account no more", end, {200: Verification}, parameters=OneVerification,
        refusals=_OF_ONE, answer_example=_CONFIRMED_EXAMPLE | {"status": "ended"}, path_example=_PATH,
    ),
    Operation(
        "POST", "/v1/accounts/{account}/verify-elements", "verify_elements", _TAG, Scope.PARTIES_PERSONAL,
        "Compare what another bank asks of an account here, element by element", compare, {200: Results},
        parameters=OneAccount, body=ComparedElements, refusals=(CustomersRefusal.TEXT_MALFORMED,),
        body_example={"name": "Li Na", "document": _DOCUMENT_EXAMPLE, "phone": "+8613800138000"},
        answer_example=_RESULTS_EXAMPLE, path_example={"account": 1001},
    ),
)  # fmt: skip
