"""`/v1/accounts/{account}/class`: classes I, II and III of the real-name rules, and what is used of their limits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from uuid import UUID

from msgspec import Struct, convert

from eastflow import customers
from eastflow.customers import AccountClass, Channel, CustomersRefusal, actions
from eastflow.kernel import Refusal
from eastflow.rules import limits_on
from eastflow.storage import Transaction

from . import wire
from .keys import Scope
from .operation import Answer, Call, Operation
from .routes_accounts import OneAccount
from .routes_parties import ID


class NewClass(Struct, frozen=True, forbid_unknown_fields=True):
    """`party` owns the account. `bound` are its owner's accounts of class I; nothing moves on an account of class II
    opened elsewhere than at a branch until one here or at another bank is bound, or staff have seen the owner."""

    party: UUID
    account_class: AccountClass
    since: date
    opened_by: Channel
    face_to_face: bool = False
    bound: list[wire.AccountNumber] = []


class NewBinding(Struct, frozen=True, forbid_unknown_fields=True):
    account: wire.AccountNumber


class ClassEnd(Struct, frozen=True, forbid_unknown_fields=True):
    """`until` is the first day without the class."""

    until: date


class Classed(Struct, frozen=True):
    account: int
    party: UUID
    account_class: AccountClass
    since: date
    opened_by: Channel
    face_to_face: bool
    bound: list[int]
    until: date | None


class LimitUse(Struct, frozen=True):
    """In minor units, of what counts: today, and this year with today."""

    day_minor: int
    year_minor: int


class ClassLimits(Struct, frozen=True):
    """For each direction by itself. `verified` is false where the figure is recalled from the text, not checked."""

    day_minor_max: int
    year_minor_max: int
    balance_minor_max: int | None
    since: date
    text: str
    verified: bool


class ClassWithUse(Struct, frozen=True):
    """`limits` is null where the class has none."""

    account_class: Classed
    limits: ClassLimits | None
    used_in: LimitUse
    used_out: LimitUse


async def assign(call: Call) -> Answer | Refusal:
    asked: NewClass = call.body
    new = customers.ClassedAccount(
        call.parameters.account,
        asked.party,
        asked.account_class,
        asked.since,
        asked.opened_by,
        asked.face_to_face,
        frozenset(asked.bound),
    )
    return await _changed(call, lambda tx: actions.assign_class(tx, new, today=call.today))


async def read_one(call: Call) -> Answer | Refusal:
    account: int = call.parameters.account
    async with call.database.reading() as tx:
        found = await customers.class_of_account(tx, account)
        if found is None:
            return Refusal(CustomersRefusal.CLASS_NOT_FOUND, {"account": account})
        used = [await customers.usage(tx, account, direction, call.today) for direction in customers.Direction]
    limits = limits_on(found.account_class, call.today)
    shown = None if limits is None else convert(limits, ClassLimits, from_attributes=True)
    used_in, used_out = (LimitUse(each.day_minor, each.year_minor) for each in used)
    return Answer(ClassWithUse(_classed(found), shown, used_in, used_out))


async def confirm(call: Call) -> Answer | Refusal:
    return await _changed(call, lambda tx: actions.confirm_face_to_face(tx, call.parameters.account))


async def bind(call: Call) -> Answer | Refusal:
    return await _changed(call, lambda tx: actions.bind_account(tx, call.parameters.account, call.body.account))


async def end(call: Call) -> Answer | Refusal:
    account, until = call.parameters.account, call.body.until
    return await _changed(call, lambda tx: actions.end_class(tx, account, until=until, today=call.today))


async def _changed(
    call: Call, work: Callable[[Transaction], Awaitable[customers.ClassedAccount | Refusal]]
) -> Answer | Refusal:
    answer = await call.database.run(work)
    return answer if isinstance(answer, Refusal) else Answer(_classed(answer))


def _classed(found: customers.ClassedAccount) -> Classed:
    return Classed(
        found.account,
        found.party,
        found.account_class,
        found.since,
        found.opened_by,
        found.face_to_face,
        sorted(found.bound),
        found.until,
    )


_NEW_EXAMPLE = {
    "party": ID, "account_class": "II", "since": "2026-01-05", "opened_by": "app", "face_to_face": False,
    "bound": [1001],
}  # fmt: skip
_EXAMPLE = _NEW_EXAMPLE | {"account": 1002, "until": None}
_WITH_USE_EXAMPLE = {
    "account_class": _EXAMPLE,
    "limits": {
        "day_minor_max": 1_000_000, "year_minor_max": 20_000_000, "balance_minor_max": None, "since": "2016-12-01",
        "text": "银发〔2016〕302号", "verified": True,
    },
    "used_in": {"day_minor": 0, "year_minor": 0},
    "used_out": {"day_minor": 12_500, "year_minor": 250_000},
}  # fmt: skip
_PATH = {"account": 1002}
OPERATIONS = (
    Operation(
        "POST", "/v1/accounts/{account}/class", "assign_class", "Account classes", Scope.PARTIES_WRITE,
        "Give an account its class, for the person who owns it", assign, {200: Classed}, parameters=OneAccount,
        body=NewClass,
        refusals=(
            CustomersRefusal.ACCOUNT_MALFORMED, CustomersRefusal.CLASS_ASSIGNED, CustomersRefusal.OPENED_IN_FUTURE,
            CustomersRefusal.PARTY_NOT_FOUND, CustomersRefusal.CLASS_NEEDS_PERSON, CustomersRefusal.NOT_OWNER,
            CustomersRefusal.FACE_TO_FACE_MISSING, CustomersRefusal.CLASS_FULL,
            CustomersRefusal.BOUND_ACCOUNT_UNSUITABLE,
        ),
        description="Assigning the same again answers with it as it is now.",
        body_example=_NEW_EXAMPLE, answer_example=_EXAMPLE, path_example=_PATH,
    ),
    Operation(
        "GET", "/v1/accounts/{account}/class", "read_class", "Account classes", Scope.PARTIES_READ,
        "Read an account's class, its limits, and what is used of them", read_one, {200: ClassWithUse},
        parameters=OneAccount, refusals=(CustomersRefusal.CLASS_NOT_FOUND,), answer_example=_WITH_USE_EXAMPLE,
        path_example=_PATH,
    ),
    Operation(
        "POST", "/v1/accounts/{account}/class/face-to-face", "confirm_face_to_face", "Account classes",
        Scope.PARTIES_WRITE, "Confirm that staff have seen the owner and the document", confirm, {200: Classed},
        parameters=OneAccount, refusals=(CustomersRefusal.CLASS_NOT_FOUND,),
        answer_example=_EXAMPLE | {"face_to_face": True}, path_example=_PATH,
    ),
    Operation(
        "POST", "/v1/accounts/{account}/class/bind", "bind_account", "Account classes", Scope.PARTIES_WRITE,
        "Bind an account of class I of the same person", bind, {200: Classed}, parameters=OneAccount, body=NewBinding,
        refusals=(CustomersRefusal.CLASS_NOT_FOUND, CustomersRefusal.BOUND_ACCOUNT_UNSUITABLE),
        body_example={"account": 1001}, answer_example=_EXAMPLE, path_example=_PATH,
    ),
    Operation(
        "POST", "/v1/accounts/{account}/class/end", "end_class", "Account classes", Scope.PARTIES_WRITE,
        "End an account's class, so that its place is free or it may have another", end, {200: Classed},
        parameters=OneAccount, body=ClassEnd,
        refusals=(CustomersRefusal.PERIOD_REVERSED, CustomersRefusal.CLASS_NOT_FOUND),
        body_example={"until": "2026-03-01"}, answer_example=_EXAMPLE | {"until": "2026-03-01"}, path_example=_PATH,
    ),
)  # fmt: skip
