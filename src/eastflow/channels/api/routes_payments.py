"""`/v1/payments`: from account to account, to other banks and back, within limits and at the payer's word."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct, convert

from eastflow import payments
from eastflow.customers import Channel, CustomersRefusal, NameMatch
from eastflow.kernel import Refusal
from eastflow.ledger import LedgerRefusal
from eastflow.payments import (
    DEFAULT_SCHEME,
    Direction,
    Origin,
    PaymentsRefusal,
    PaymentStatus,
    RecallStatus,
    SuspenseKind,
    actions,
)

from . import wire
from .keys import Scope
from .operation import Answer, Call, Operation
from .refusals import ApiRefusal
from .routes_parties import may_see

ID = "019b8f2e-7c00-7000-8000-0000000000e1"
PAYEE = {"name": "Jan Novák", "account": "CZ6508000000192000145399", "bank": "GIBACZPX"}
NEW_EXAMPLE = {
    "id": ID, "debtor": 1001, "creditor": PAYEE, "amount_minor": 12500, "asset": "CZK", "remittance": "Invoice 17",
    "end_to_end_id": "E2E-17",
}  # fmt: skip
EXAMPLE = {
    "id": ID, "direction": "outgoing", "origin": "transfer", "status": "accepted",
    "debtor": {"name": "", "account": "1001", "bank": None}, "creditor": PAYEE, "amount_minor": 12500, "asset": "CZK",
    "remittance": "Invoice 17", "end_to_end_id": "E2E-17", "uetr": "7a562c67-ca16-48ba-b074-65581be6f001",
    "scheme": "clearing", "channel": "api", "accepted_on": "2026-01-05", "settlement_date": "2026-01-05",
    "by": "a key", "accepted_at": "2026-01-05T09:00:00Z", "reason": None, "in_suspense": False,
    "cleared_to": None, "returned_minor": None,
}  # fmt: skip
RECALL_EXAMPLE = {
    "payment": ID, "reason": "CUST", "status": "open", "asked_on": "2026-01-06", "by": "a key", "answer": None,
}  # fmt: skip
LIMIT_EXAMPLE = {
    "channel": "app", "party": None, "asset": "CZK", "per_payment_minor": 5000000, "per_day_minor": 10000000,
}  # fmt: skip
SUSPENSE_EXAMPLE = {
    "id": ID, "kind": "incoming", "amount_minor": 12500, "asset": "CZK", "since": "2026-01-05", "days": 3,
    "held_for": None,
}  # fmt: skip
SCHEME_EXAMPLE = {
    "code": "clearing", "cut_off": "16:00:00", "utc_offset_minutes": 60, "holidays": ["2026-12-24"],
    "working_weekends": [],
}  # fmt: skip
TRANSFER_REFUSALS = (
    PaymentsRefusal.TEXT_MALFORMED, PaymentsRefusal.AMOUNT_OUT_OF_RANGE, PaymentsRefusal.ACCOUNT_MALFORMED,
    PaymentsRefusal.SAME_ACCOUNT, PaymentsRefusal.ID_REUSED, PaymentsRefusal.SCHEME_NOT_FOUND,
    PaymentsRefusal.PAYEE_NAME_DIFFERS, PaymentsRefusal.DUPLICATE, PaymentsRefusal.MOVES_BY_CONTRACT,
    PaymentsRefusal.PAYMENT_LIMIT_EXCEEDED, PaymentsRefusal.DAY_LIMIT_EXCEEDED, LedgerRefusal.ASSET_NOT_FOUND,
    LedgerRefusal.ACCOUNT_NOT_FOUND, LedgerRefusal.ASSET_DIFFERS, LedgerRefusal.ACCOUNT_CLOSED,
    LedgerRefusal.ACCOUNT_FROZEN, LedgerRefusal.INSUFFICIENT_FUNDS, LedgerRefusal.BALANCE_OUT_OF_RANGE,
    CustomersRefusal.ASSET_NOT_ALLOWED, CustomersRefusal.UNBOUND_NOT_ALLOWED, CustomersRefusal.DAY_LIMIT_EXCEEDED,
    CustomersRefusal.YEAR_LIMIT_EXCEEDED, CustomersRefusal.BALANCE_LIMIT_EXCEEDED,
)  # fmt: skip
MOVED_REFUSALS = (
    PaymentsRefusal.MOVES_BY_CONTRACT, LedgerRefusal.ACCOUNT_CLOSED, LedgerRefusal.ACCOUNT_FROZEN,
    LedgerRefusal.INSUFFICIENT_FUNDS, LedgerRefusal.BALANCE_OUT_OF_RANGE,
)  # fmt: skip


class PaymentEnd(Struct, frozen=True, forbid_unknown_fields=True):
    """Without a bank (a BIC or a national code) it is an account of this one."""

    name: str
    account: str
    bank: str | None = None


class NewPayment(Struct, frozen=True, forbid_unknown_fields=True):
    """`id` makes paying idempotent. `duplicate_confirmed` and `payee_confirmed`: the payer was asked and goes on."""

    id: UUID
    debtor: wire.AccountNumber
    creditor: PaymentEnd
    amount_minor: wire.Minor
    asset: wire.AssetCode
    channel: Channel = Channel.API
    remittance: str = ""
    end_to_end_id: str | None = None
    scheme: str = DEFAULT_SCHEME
    duplicate_confirmed: bool = False
    payee_confirmed: bool = False


class Payment(Struct, frozen=True):
    """Names, accounts at other banks and the remittance are masked but for those with the scope `parties:personal`."""

    id: UUID
    direction: Direction
    origin: Origin
    status: PaymentStatus
    debtor: PaymentEnd
    creditor: PaymentEnd
    amount_minor: int
    asset: str
    remittance: str
    end_to_end_id: str | None
    uetr: UUID
    scheme: str
    channel: Channel
    accepted_on: date
    settlement_date: date
    by: str
    accepted_at: datetime
    reason: str | None
    in_suspense: bool
    cleared_to: int | None
    returned_minor: int | None


class PaymentPage(Struct, frozen=True):
    payments: list[Payment]
    cursor: str | None


class OnePayment(Struct, frozen=True, forbid_unknown_fields=True):
    payment: UUID


class SuspenseItem(Struct, frozen=True):
    """Money that nobody has yet: of a payment or a file, as `kind` says. `days` is how long it has stood there;
    `held_for` why no message can take it back to its sender."""

    id: UUID
    kind: SuspenseKind
    amount_minor: int
    asset: str
    since: date
    days: int
    held_for: str | None


class SuspensePage(Struct, frozen=True):
    items: list[SuspenseItem]
    cursor: str | None


class SuspenseList(Struct, frozen=True, forbid_unknown_fields=True):
    limit: wire.Limit = 100
    cursor: wire.Cursor | None = None


class PaymentList(Struct, frozen=True, forbid_unknown_fields=True):
    """A cursor keeps the filter of its first page."""

    account: wire.PathAccount | None = None
    status: PaymentStatus | None = None
    limit: wire.Limit = 100
    cursor: wire.Cursor | None = None


class _Place(Struct, frozen=True):
    after: UUID
    account: wire.PathAccount | None
    status: PaymentStatus | None


class NewRecall(Struct, frozen=True, forbid_unknown_fields=True):
    """`reason` is a code of ISO 20022's external list of cancellation reasons."""

    reason: str


class RecallAnswer(Struct, frozen=True, forbid_unknown_fields=True):
    """Accepted where `refused_for` is null."""

    refused_for: str | None = None


class PaymentRecall(Struct, frozen=True):
    payment: UUID
    reason: str
    status: RecallStatus
    asked_on: date
    by: str
    answer: str | None


class RecallOutcome(Struct, frozen=True):
    """`recall` is null where the payment had not been sent yet and was taken back at once."""

    payment: Payment
    recall: PaymentRecall | None


class PayeeAsked(Struct, frozen=True, forbid_unknown_fields=True):
    account: wire.AccountNumber
    name: str


class PayeeMatch(Struct, frozen=True):
    match: NameMatch


class PaymentLimit(Struct, frozen=True, forbid_unknown_fields=True):
    """For one channel or (null) all together; for one party or (null) each that has none of its own."""

    channel: Channel | None
    party: UUID | None
    asset: wire.AssetCode
    per_payment_minor: wire.Minor | None = None
    per_day_minor: wire.Minor | None = None


class PaymentLimits(Struct, frozen=True):
    limits: list[PaymentLimit]


class PaymentScheme(Struct, frozen=True, forbid_unknown_fields=True):
    """From `cut_off` on, by a clock `utc_offset_minutes` ahead of UTC, the next business day counts."""

    code: str
    cut_off: Annotated[time, Meta(tz=False)] | None = None
    utc_offset_minutes: Annotated[int, Meta(ge=-840, le=840)] = 0
    holidays: frozenset[date] = frozenset()
    working_weekends: frozenset[date] = frozenset()


class PaymentSchemes(Struct, frozen=True):
    schemes: list[PaymentScheme]


async def pay(call: Call) -> Answer | Refusal:
    asked = convert(call.body, payments.Transfer, from_attributes=True)
    answer = await call.database.run(
        lambda tx: actions.transfer(tx, asked, today=call.today, by=call.actor, clock=call.engine.clock)
    )
    return answer if isinstance(answer, Refusal) else Answer(_payment(answer, call))


async def read_one(call: Call) -> Answer | Refusal:
    id: UUID = call.parameters.payment
    async with call.database.reading() as tx:
        found = await payments.payment(tx, id)
    return Refusal(PaymentsRefusal.PAYMENT_NOT_FOUND, {"id": id}) if found is None else Answer(_payment(found, call))


async def list_page(call: Call) -> Answer | Refusal:
    asked: PaymentList = call.parameters
    after, account, status = None, asked.account, asked.status
    if asked.cursor is not None:
        place = wire.read_cursor(asked.cursor, _Place)
        after, account, status = place.after, place.account, place.status
    async with call.database.reading() as tx:
        found = await payments.payments_page(tx, account=account, status=status, after=after, limit=asked.limit + 1)
    shown = found[: asked.limit]
    following = wire.cursor_of(_Place(shown[-1].id, account, status)) if len(found) > asked.limit else None
    return Answer(PaymentPage([_payment(each, call) for each in shown], following))


async def list_suspense(call: Call) -> Answer | Refusal:
    asked: SuspenseList = call.parameters
    after = None if asked.cursor is None else wire.read_cursor(asked.cursor, UUID)
    async with call.database.reading() as tx:
        found = await payments.suspense_page(tx, after=after, limit=asked.limit + 1)
    shown = [
        SuspenseItem(
            each.id, each.kind, each.amount_minor, each.asset, each.since, (call.today - each.since).days, each.held_for
        )
        for each in found[: asked.limit]
    ]
    following = wire.cursor_of(shown[-1].id) if len(found) > asked.limit else None
    return Answer(SuspensePage(shown, following))


async def recall(call: Call) -> Answer | Refusal:
    id, reason = call.parameters.payment, call.body.reason
    answer = await call.database.run(
        lambda tx: actions.recall(tx, id, reason, today=call.today, by=call.actor, clock=call.engine.clock)
    )
    if isinstance(answer, Refusal):
        return answer
    async with call.database.reading() as tx:
        found = await payments.payment(tx, id)
    assert found is not None, "it was recalled just now"
    asked = _recall(answer) if isinstance(answer, payments.Recall) else None
    return Answer(RecallOutcome(_payment(found, call), asked))


async def answer_recall(call: Call) -> Answer | Refusal:
    id, refused_for = call.parameters.payment, call.body.refused_for
    answer = await call.database.run(
        lambda tx: actions.answer_recall(tx, id, refused_for, today=call.today, clock=call.engine.clock)
    )
    return answer if isinstance(answer, Refusal) else Answer(_recall(answer))


async def confirm_payee(call: Call) -> Answer | Refusal:
    asked: PayeeAsked = call.body
    answer = await call.database.run(lambda tx: actions.confirm_payee(tx, asked.account, asked.name))
    return answer if isinstance(answer, Refusal) else Answer(PayeeMatch(answer))


async def set_limit(call: Call) -> Answer | Refusal:
    limit = convert(call.body, payments.Limit, from_attributes=True)
    answer = await call.database.run(lambda tx: actions.set_limit(tx, limit))
    return answer if isinstance(answer, Refusal) else Answer(convert(answer, PaymentLimit, from_attributes=True))


async def list_limits(call: Call) -> Answer | Refusal:
    async with call.database.reading() as tx:
        found = await payments.limits(tx)
    return Answer(PaymentLimits([convert(each, PaymentLimit, from_attributes=True) for each in found]))


async def set_scheme(call: Call) -> Answer | Refusal:
    if refusal := wire.check_years(*call.body.holidays, *call.body.working_weekends):
        return refusal
    scheme = convert(call.body, payments.Scheme, from_attributes=True)
    answer = await call.database.run(lambda tx: actions.set_scheme(tx, scheme))
    return answer if isinstance(answer, Refusal) else Answer(_scheme(answer))


async def list_schemes(call: Call) -> Answer | Refusal:
    async with call.database.reading() as tx:
        found = await payments.schemes(tx)
    return Answer(PaymentSchemes([_scheme(each) for each in found]))


def _payment(found: payments.Payment, call: Call) -> Payment:
    return convert(found if may_see(call) else payments.masked_payment(found), Payment, from_attributes=True)


def _recall(found: payments.Recall) -> PaymentRecall:
    return convert(found, PaymentRecall, from_attributes=True)


def _scheme(found: payments.Scheme) -> PaymentScheme:
    return convert(found, PaymentScheme, from_attributes=True)


_READ, _WRITE = Scope.PAYMENTS_READ, Scope.PAYMENTS_WRITE
OPERATIONS = (
    Operation(
        "POST", "/v1/payments", "pay", "Payments", _WRITE, "Pay to an account here or at another bank", pay,
        {200: Payment}, body=NewPayment, refusals=TRANSFER_REFUSALS,
        description="The same id with the same content answers with the payment as it is now.",
        body_example=NEW_EXAMPLE, answer_example=EXAMPLE,
    ),
    Operation(
        "GET", "/v1/payments", "list_payments", "Payments", _READ, "List the payments", list_page,
        {200: PaymentPage}, parameters=PaymentList, refusals=(ApiRefusal.CURSOR_MALFORMED,),
        answer_example={"payments": [EXAMPLE], "cursor": None},
    ),
    Operation(
        "GET", "/v1/payments/{payment}", "read_payment", "Payments", _READ, "Read a payment", read_one,
        {200: Payment}, parameters=OnePayment, refusals=(PaymentsRefusal.PAYMENT_NOT_FOUND,),
        answer_example=EXAMPLE, path_example={"payment": ID},
    ),
    Operation(
        "GET", "/v1/payment-suspense", "list_suspense", "Payments", Scope.OPERATIONS_READ,
        "List what stands on suspense", list_suspense, {200: SuspensePage}, parameters=SuspenseList,
        refusals=(ApiRefusal.CURSOR_MALFORMED,),
        description="By payment or file; together it is the balance of the bank's suspense account. It is moved by a "
        "proposal of the kind `suspense_clearing`.",
        answer_example={"items": [SUSPENSE_EXAMPLE], "cursor": None},
    ),
    Operation(
        "POST", "/v1/payments/{payment}/recall", "recall_payment", "Payments", _WRITE, "Ask for a payment back", recall,
        {200: RecallOutcome}, parameters=OnePayment, body=NewRecall,
        refusals=(
            PaymentsRefusal.TEXT_MALFORMED, PaymentsRefusal.PAYMENT_NOT_FOUND, PaymentsRefusal.STATUS_CONFLICT,
        ),
        description="One that was not sent yet is taken back at once.",
        body_example={"reason": "CUST"}, answer_example={"payment": EXAMPLE, "recall": RECALL_EXAMPLE},
        path_example={"payment": ID},
    ),
    Operation(
        "POST", "/v1/payments/{payment}/recall-answer", "answer_recall", "Payments", _WRITE,
        "Answer another bank that asks for a payment back", answer_recall, {200: PaymentRecall}, parameters=OnePayment,
        body=RecallAnswer,
        refusals=(
            PaymentsRefusal.TEXT_MALFORMED, PaymentsRefusal.PAYMENT_NOT_FOUND, PaymentsRefusal.RECALL_NOT_FOUND,
            PaymentsRefusal.RECALL_ANSWERED, *MOVED_REFUSALS,
        ),
        body_example={"refused_for": "CUST"},
        answer_example=RECALL_EXAMPLE | {"status": "refused", "answer": "CUST"}, path_example={"payment": ID},
    ),
    Operation(
        "POST", "/v1/payee-confirmations", "confirm_payee", "Payments", _READ, "Ask whether a name is an account's",
        confirm_payee, {200: PayeeMatch}, body=PayeeAsked,
        refusals=(PaymentsRefusal.TEXT_MALFORMED, PaymentsRefusal.ACCOUNT_MALFORMED),
        body_example={"account": 1001, "name": "Li Na"}, answer_example={"match": "match"},
    ),
    Operation(
        "PUT", "/v1/payment-limits", "set_payment_limit", "Payments", Scope.OPERATIONS_WRITE,
        "Limit what customers may pay away", set_limit, {200: PaymentLimit}, body=PaymentLimit,
        refusals=(
            PaymentsRefusal.TEXT_MALFORMED, PaymentsRefusal.AMOUNT_OUT_OF_RANGE, LedgerRefusal.ASSET_NOT_FOUND,
        ),
        body_example=LIMIT_EXAMPLE, answer_example=LIMIT_EXAMPLE,
    ),
    Operation(
        "GET", "/v1/payment-limits", "list_payment_limits", "Payments", _READ, "List the limits", list_limits,
        {200: PaymentLimits}, answer_example={"limits": [LIMIT_EXAMPLE]},
    ),
    Operation(
        "PUT", "/v1/payment-schemes", "set_payment_scheme", "Payments", Scope.OPERATIONS_WRITE,
        "Set a way to other banks", set_scheme, {200: PaymentScheme}, body=PaymentScheme,
        refusals=(
            ApiRefusal.PARAMETER_MALFORMED, PaymentsRefusal.TEXT_MALFORMED, PaymentsRefusal.SCHEDULE_MALFORMED,
        ),
        body_example=SCHEME_EXAMPLE, answer_example=SCHEME_EXAMPLE,
    ),
    Operation(
        "GET", "/v1/payment-schemes", "list_payment_schemes", "Payments", _READ, "List the ways to other banks",
        list_schemes, {200: PaymentSchemes}, answer_example={"schemes": [SCHEME_EXAMPLE]},
    ),
)  # fmt: skip
