"""`/v1/standing-orders` and `/v1/mandates`: what is paid again and again, by the payer's order or the payee's right."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from msgspec import Struct, convert

from eastflow import payments
from eastflow.customers import Channel
from eastflow.kernel import Refusal
from eastflow.ledger import LedgerRefusal
from eastflow.payments import (
    DEFAULT_SCHEME,
    REFUND_DAYS,
    CollectionStatus,
    Frequency,
    MandateStatus,
    OccurrenceOutcome,
    OrderStatus,
    PaymentsRefusal,
    actions,
)

from . import wire
from .keys import Scope
from .operation import Answer, Call, Operation
from .refusals import ApiRefusal
from .routes_parties import may_see
from .routes_payments import MOVED_REFUSALS, NEW_EXAMPLE, PAYEE, NewPayment, PaymentEnd

ID = "019b8f2e-7c00-7000-8000-0000000000e2"
MANDATE = "019b8f2e-7c00-7000-8000-0000000000e3"
COLLECTION = "019b8f2e-7c00-7000-8000-0000000000e4"
NEW_ORDER_EXAMPLE = {
    "id": ID, "debtor": 1001, "creditor": PAYEE, "amount_minor": 245200, "asset": "CZK", "first_on": "2999-01-31",
    "frequency": "monthly", "until": None, "retry_days": 3, "remittance": "rent",
}  # fmt: skip
ORDER_EXAMPLE = NEW_ORDER_EXAMPLE | {
    "scheme": "clearing", "channel": "system", "end_to_end_id": None, "uetr": None, "status": "active", "number": 0,
    "due_on": "2999-01-31", "attempt_on": "2999-01-31",
}  # fmt: skip
OCCURRENCE_EXAMPLE = {
    "due_on": "2026-01-31", "outcome": "paid", "done_on": "2026-01-31", "payment": ID, "reason": None,
}  # fmt: skip
NEW_MANDATE_EXAMPLE = {
    "id": MANDATE, "debtor": 1001, "creditor": 1002, "creditor_name": "City Power", "amount_max_minor": 500000,
    "asset": "CZK", "first_on": "2026-01-05", "frequency": "monthly", "until": None, "refund_days": 56,
    "reference": "C-17", "outside": None,
}  # fmt: skip
OUTSIDE_EXAMPLE = {
    "account": "CZ6508000000192000145399", "bank": "GIBACZPX", "creditor_id": "CZ98ZZZ17", "signed_on": "2026-01-02",
    "debtor_name": "",
}  # fmt: skip
MANDATE_EXAMPLE = NEW_MANDATE_EXAMPLE | {"creditor": None, "outside": OUTSIDE_EXAMPLE, "status": "active"}
NEW_COLLECTION_EXAMPLE = {"id": COLLECTION, "amount_minor": 120000, "due_on": "2026-02-05", "remittance": "January"}
COLLECTION_EXAMPLE = NEW_COLLECTION_EXAMPLE | {
    "end_to_end_id": None, "mandate": MANDATE, "status": "requested", "reason": None, "done_on": None,
}  # fmt: skip
_MALFORMED = (
    PaymentsRefusal.TEXT_MALFORMED, PaymentsRefusal.AMOUNT_OUT_OF_RANGE, PaymentsRefusal.ACCOUNT_MALFORMED,
    PaymentsRefusal.SAME_ACCOUNT, PaymentsRefusal.SCHEDULE_MALFORMED, PaymentsRefusal.ID_REUSED,
)  # fmt: skip


class NewStandingOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """`id` makes it idempotent. Without funds it is tried again on each of the next `retry_days` days."""

    id: UUID
    debtor: wire.AccountNumber
    creditor: PaymentEnd
    amount_minor: wire.Minor
    asset: wire.AssetCode
    first_on: date
    frequency: Frequency
    until: date | None = None
    retry_days: int = 0
    remittance: str = ""
    scheme: str = DEFAULT_SCHEME


class StandingOrder(Struct, frozen=True):
    """`due_on` and `attempt_on` are null once it is over; `number` counts the times that are over. The payee and the
    remittance are masked as a payment's are."""

    id: UUID
    debtor: int
    creditor: PaymentEnd
    amount_minor: int
    asset: str
    first_on: date
    frequency: Frequency
    until: date | None
    retry_days: int
    remittance: str
    scheme: str
    channel: Channel
    end_to_end_id: str | None
    uetr: UUID | None
    status: OrderStatus
    number: int
    due_on: date | None
    attempt_on: date | None


class NewScheduledPayment(Struct, frozen=True, forbid_unknown_fields=True):
    """A payment, and the day `on` which it is to be made."""

    on: date
    payment: NewPayment


class Occurrence(Struct, frozen=True):
    due_on: date
    outcome: OccurrenceOutcome
    done_on: date
    payment: UUID | None
    reason: str | None


class OrderWithOccurrences(Struct, frozen=True):
    order: StandingOrder
    occurrences: list[Occurrence]


class StandingOrderPage(Struct, frozen=True):
    orders: list[StandingOrder]
    cursor: str | None


class OneStandingOrder(Struct, frozen=True, forbid_unknown_fields=True):
    order: UUID


class StandingOrderList(Struct, frozen=True, forbid_unknown_fields=True):
    """A cursor keeps the filter of its first page."""

    debtor: wire.PathAccount | None = None
    limit: wire.Limit = 100
    cursor: wire.Cursor | None = None


class MandateOutside(Struct, frozen=True, forbid_unknown_fields=True):
    """The end at another bank. `creditor_id`, as the creditor's scheme knows it, names the mandate together with its
    reference. `debtor_name` is a debtor's. Names, account and identifier are masked to keys that need not know them."""

    account: str
    bank: str
    creditor_id: str
    signed_on: date
    debtor_name: str = ""


class NewMandate(Struct, frozen=True, forbid_unknown_fields=True):
    """`id` makes it idempotent. One collection is taken in each period of `frequency`, counted from `first_on`. Debtor
    and creditor are accounts here, or one is null and `outside`: then a `reference` is needed, and is one mandate's."""

    id: UUID
    debtor: wire.AccountNumber | None
    creditor: wire.AccountNumber | None
    creditor_name: str
    amount_max_minor: wire.Minor
    asset: wire.AssetCode
    first_on: date
    frequency: Frequency
    until: date | None = None
    refund_days: int = REFUND_DAYS
    reference: str = ""
    outside: MandateOutside | None = None


class Mandate(Struct, frozen=True):
    id: UUID
    debtor: int | None
    creditor: int | None
    creditor_name: str
    amount_max_minor: int
    asset: str
    first_on: date
    frequency: Frequency
    until: date | None
    refund_days: int
    reference: str
    outside: MandateOutside | None
    status: MandateStatus


class NewCollection(Struct, frozen=True, forbid_unknown_fields=True):
    id: UUID
    amount_minor: wire.Minor
    due_on: date
    remittance: str = ""


class Collection(Struct, frozen=True):
    """`reason` says why it was refused: `payer`, a refusal's code, or, of a debtor elsewhere, a code of ISO 20022.
    `end_to_end_id` is that of a creditor elsewhere."""

    id: UUID
    mandate: UUID
    amount_minor: int
    due_on: date
    remittance: str
    end_to_end_id: str | None
    status: CollectionStatus
    reason: str | None
    done_on: date | None


class MandateWithCollections(Struct, frozen=True):
    mandate: Mandate
    collections: list[Collection]


class MandatePage(Struct, frozen=True):
    mandates: list[Mandate]
    cursor: str | None


class OneMandate(Struct, frozen=True, forbid_unknown_fields=True):
    mandate: UUID


class OneCollection(Struct, frozen=True, forbid_unknown_fields=True):
    mandate: UUID
    collection: UUID


class MandateList(Struct, frozen=True, forbid_unknown_fields=True):
    """A cursor keeps the filter of its first page."""

    debtor: wire.PathAccount | None = None
    limit: wire.Limit = 100
    cursor: wire.Cursor | None = None


class _Place(Struct, frozen=True):
    after: UUID
    debtor: wire.PathAccount | None


async def set_up_order(call: Call) -> Answer | Refusal:
    new = convert(call.body, payments.StandingOrder, from_attributes=True)
    answer = await call.database.run(
        lambda tx: actions.set_up_order(tx, new, today=call.today, by=call.actor, clock=call.engine.clock)
    )
    return answer if isinstance(answer, Refusal) else Answer(_order(answer, call))


async def schedule(call: Call) -> Answer | Refusal:
    asked: NewScheduledPayment = call.body
    told = convert(asked.payment, payments.Transfer, from_attributes=True)
    answer = await call.database.run(
        lambda tx: actions.schedule_transfer(
            tx, told, asked.on, today=call.today, by=call.actor, clock=call.engine.clock
        )
    )
    return answer if isinstance(answer, Refusal) else Answer(_order(answer, call))


async def read_order(call: Call) -> Answer | Refusal:
    id: UUID = call.parameters.order
    async with call.database.reading() as tx:
        found = await payments.standing_order(tx, id)
        if found is None:
            return Refusal(PaymentsRefusal.ORDER_NOT_FOUND, {"id": id})
        done = await payments.occurrences(tx, id)
    told = [convert(each, Occurrence, from_attributes=True) for each in done]
    return Answer(OrderWithOccurrences(_order(found, call), told))


async def list_orders(call: Call) -> Answer | Refusal:
    after, debtor = _place(call.parameters)
    limit = call.parameters.limit
    async with call.database.reading() as tx:
        found = await payments.standing_orders_page(tx, debtor=debtor, after=after, limit=limit + 1)
    shown = found[:limit]
    following = wire.cursor_of(_Place(shown[-1].id, debtor)) if len(found) > limit else None
    return Answer(StandingOrderPage([_order(each, call) for each in shown], following))


async def cancel_order(call: Call) -> Answer | Refusal:
    answer = await call.database.run(lambda tx: actions.cancel_order(tx, call.parameters.order))
    return answer if isinstance(answer, Refusal) else Answer(_order(answer, call))


async def give_mandate(call: Call) -> Answer | Refusal:
    new = convert(call.body, payments.Mandate, from_attributes=True)
    answer = await call.database.run(lambda tx: actions.give_mandate(tx, new, by=call.actor, clock=call.engine.clock))
    return answer if isinstance(answer, Refusal) else Answer(_mandate(answer, call))


async def read_mandate(call: Call) -> Answer | Refusal:
    id: UUID = call.parameters.mandate
    async with call.database.reading() as tx:
        found = await payments.mandate(tx, id)
        if found is None:
            return Refusal(PaymentsRefusal.MANDATE_NOT_FOUND, {"id": id})
        collected = await payments.collections(tx, id)
    return Answer(MandateWithCollections(_mandate(found, call), [_collection(each, call) for each in collected]))


async def list_mandates(call: Call) -> Answer | Refusal:
    after, debtor = _place(call.parameters)
    limit = call.parameters.limit
    async with call.database.reading() as tx:
        found = await payments.mandates_page(tx, debtor=debtor, after=after, limit=limit + 1)
    shown = found[:limit]
    following = wire.cursor_of(_Place(shown[-1].id, debtor)) if len(found) > limit else None
    return Answer(MandatePage([_mandate(each, call) for each in shown], following))


async def cancel_mandate(call: Call) -> Answer | Refusal:
    answer = await call.database.run(
        lambda tx: actions.cancel_mandate(tx, call.parameters.mandate, today=call.today, clock=call.engine.clock)
    )
    return answer if isinstance(answer, Refusal) else Answer(_mandate(answer, call))


async def collect(call: Call) -> Answer | Refusal:
    new: NewCollection = call.body
    asked = payments.Collection(new.id, call.parameters.mandate, new.amount_minor, new.due_on, new.remittance)
    answer = await call.database.run(
        lambda tx: actions.collect(tx, asked, today=call.today, by=call.actor, clock=call.engine.clock)
    )
    return answer if isinstance(answer, Refusal) else Answer(_collection(answer, call))


async def refuse_collection(call: Call) -> Answer | Refusal:
    asked: OneCollection = call.parameters
    answer = await call.database.run(
        lambda tx: actions.refuse_collection(
            tx, asked.mandate, asked.collection, today=call.today, clock=call.engine.clock
        )
    )
    return answer if isinstance(answer, Refusal) else Answer(_collection(answer, call))


async def refund_collection(call: Call) -> Answer | Refusal:
    asked: OneCollection = call.parameters
    answer = await call.database.run(
        lambda tx: actions.refund_collection(
            tx, asked.mandate, asked.collection, today=call.today, clock=call.engine.clock
        )
    )
    return answer if isinstance(answer, Refusal) else Answer(_collection(answer, call))


def _place(asked: StandingOrderList | MandateList) -> tuple[UUID | None, int | None]:
    if asked.cursor is None:
        return None, asked.debtor
    place = wire.read_cursor(asked.cursor, _Place)
    return place.after, place.debtor


def _order(found: payments.StandingOrder, call: Call) -> StandingOrder:
    return convert(found if may_see(call) else payments.masked_order(found), StandingOrder, from_attributes=True)


def _mandate(found: payments.Mandate, call: Call) -> Mandate:
    return convert(found if may_see(call) else payments.masked_mandate(found), Mandate, from_attributes=True)


def _collection(found: payments.Collection, call: Call) -> Collection:
    return convert(found if may_see(call) else payments.masked_collection(found), Collection, from_attributes=True)


_READ, _WRITE = Scope.PAYMENTS_READ, Scope.PAYMENTS_WRITE
_ORDERS, _MANDATES = "Standing orders", "Direct debits"
OPERATIONS = (
    Operation(
        "POST", "/v1/standing-orders", "set_up_standing_order", _ORDERS, _WRITE, "Set up a standing order",
        set_up_order, {200: StandingOrder}, body=NewStandingOrder,
        refusals=(
            *_MALFORMED, PaymentsRefusal.SCHEME_NOT_FOUND, PaymentsRefusal.PAYMENT_LIMIT_EXCEEDED,
            PaymentsRefusal.DAY_LIMIT_EXCEEDED,
        ),
        body_example=NEW_ORDER_EXAMPLE, answer_example=ORDER_EXAMPLE,
    ),
    Operation(
        "POST", "/v1/scheduled-payments", "schedule_payment", _ORDERS, _WRITE, "Pay on a day to come", schedule,
        {200: StandingOrder}, body=NewScheduledPayment,
        refusals=(
            *_MALFORMED, PaymentsRefusal.UETR_REUSED, PaymentsRefusal.SCHEME_NOT_FOUND,
            PaymentsRefusal.PAYEE_NAME_DIFFERS, PaymentsRefusal.MOVES_BY_CONTRACT,
            PaymentsRefusal.PAYMENT_LIMIT_EXCEEDED, PaymentsRefusal.DAY_LIMIT_EXCEEDED,
            LedgerRefusal.ACCOUNT_NOT_FOUND, LedgerRefusal.ASSET_DIFFERS, LedgerRefusal.ACCOUNT_CLOSED,
        ),
        description="As a standing order of one time, under the payment's id: it is read and cancelled as one, and "
        "paid at the end of its day if the money is there. A day at most 366 days ahead.",
        body_example={"on": "2026-02-01", "payment": NEW_EXAMPLE},
        answer_example=ORDER_EXAMPLE | {"frequency": "once"},
    ),
    Operation(
        "GET", "/v1/standing-orders", "list_standing_orders", _ORDERS, _READ, "List the standing orders", list_orders,
        {200: StandingOrderPage}, parameters=StandingOrderList, refusals=(ApiRefusal.CURSOR_MALFORMED,),
        answer_example={"orders": [ORDER_EXAMPLE], "cursor": None},
    ),
    Operation(
        "GET", "/v1/standing-orders/{order}", "read_standing_order", _ORDERS, _READ,
        "Read a standing order and what became of it", read_order, {200: OrderWithOccurrences},
        parameters=OneStandingOrder, refusals=(PaymentsRefusal.ORDER_NOT_FOUND,),
        answer_example={"order": ORDER_EXAMPLE, "occurrences": [OCCURRENCE_EXAMPLE]}, path_example={"order": ID},
    ),
    Operation(
        "POST", "/v1/standing-orders/{order}/cancel", "cancel_standing_order", _ORDERS, _WRITE,
        "Cancel a standing order", cancel_order, {200: StandingOrder}, parameters=OneStandingOrder,
        refusals=(PaymentsRefusal.ORDER_NOT_FOUND,), answer_example=ORDER_EXAMPLE, path_example={"order": ID},
    ),
    Operation(
        "POST", "/v1/mandates", "give_mandate", _MANDATES, _WRITE, "Let a payee collect", give_mandate, {200: Mandate},
        body=NewMandate, refusals=_MALFORMED, body_example=NEW_MANDATE_EXAMPLE, answer_example=MANDATE_EXAMPLE,
    ),
    Operation(
        "GET", "/v1/mandates", "list_mandates", _MANDATES, _READ, "List the mandates", list_mandates,
        {200: MandatePage}, parameters=MandateList, refusals=(ApiRefusal.CURSOR_MALFORMED,),
        answer_example={"mandates": [MANDATE_EXAMPLE], "cursor": None},
    ),
    Operation(
        "GET", "/v1/mandates/{mandate}", "read_mandate", _MANDATES, _READ, "Read a mandate and its collections",
        read_mandate, {200: MandateWithCollections}, parameters=OneMandate,
        refusals=(PaymentsRefusal.MANDATE_NOT_FOUND,),
        answer_example={"mandate": MANDATE_EXAMPLE, "collections": [COLLECTION_EXAMPLE]},
        path_example={"mandate": MANDATE},
    ),
    Operation(
        "POST", "/v1/mandates/{mandate}/cancel", "cancel_mandate", _MANDATES, _WRITE, "Cancel a mandate",
        cancel_mandate, {200: Mandate}, parameters=OneMandate, refusals=(PaymentsRefusal.MANDATE_NOT_FOUND,),
        answer_example=MANDATE_EXAMPLE | {"status": "cancelled"}, path_example={"mandate": MANDATE},
    ),
    Operation(
        "POST", "/v1/mandates/{mandate}/collections", "collect", _MANDATES, _WRITE, "Collect under a mandate", collect,
        {200: Collection}, parameters=OneMandate, body=NewCollection,
        refusals=(
            PaymentsRefusal.TEXT_MALFORMED, PaymentsRefusal.AMOUNT_OUT_OF_RANGE, PaymentsRefusal.SCHEDULE_MALFORMED,
            PaymentsRefusal.ID_REUSED, PaymentsRefusal.MANDATE_NOT_FOUND, PaymentsRefusal.MANDATE_CANCELLED,
            PaymentsRefusal.COLLECTION_EXCEEDS_MANDATE, PaymentsRefusal.COLLECTION_TOO_SOON,
        ),
        description="It waits for its day; the payer may refuse it until then. Of a debtor at another bank it is asked "
        "on that day. A creditor at another bank collects by that bank.",
        body_example=NEW_COLLECTION_EXAMPLE, answer_example=COLLECTION_EXAMPLE, path_example={"mandate": MANDATE},
    ),
    Operation(
        "POST", "/v1/mandates/{mandate}/collections/{collection}/refuse", "refuse_collection", _MANDATES, _WRITE,
        "Refuse a collection beforehand", refuse_collection, {200: Collection}, parameters=OneCollection,
        refusals=(PaymentsRefusal.COLLECTION_NOT_FOUND, PaymentsRefusal.STATUS_CONFLICT),
        answer_example=COLLECTION_EXAMPLE | {"status": "refused", "reason": "payer", "done_on": "2026-02-01"},
        path_example={"mandate": MANDATE, "collection": COLLECTION},
    ),
    Operation(
        "POST", "/v1/mandates/{mandate}/collections/{collection}/refund", "refund_collection", _MANDATES, _WRITE,
        "Have a collection back", refund_collection, {200: Collection}, parameters=OneCollection,
        refusals=(
            PaymentsRefusal.COLLECTION_NOT_FOUND, PaymentsRefusal.STATUS_CONFLICT, PaymentsRefusal.REFUND_TOO_LATE,
            *MOVED_REFUSALS,
        ),
        answer_example=COLLECTION_EXAMPLE | {"status": "refunded", "done_on": "2026-02-09"},
        path_example={"mandate": MANDATE, "collection": COLLECTION},
    ),
)  # fmt: skip
