"""May this be collected, refused or refunded under its mandate? Pure: no clock, no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from eastflow.customers import Channel
from eastflow.kernel import Refusal
from eastflow.ledger import LedgerRefusal

from ..decide import (
    Day,
    Manner,
    changed,
    check_accounts,
    check_amount,
    check_asset,
    check_text,
    check_texts,
    decide_payment,
    further_id,
    reason_of_code,
    uetr_of,
)
from ..model import (
    DEFAULT_SCHEME,
    END_TO_END_CHARACTERS_MAX,
    REMITTANCE_CHARACTERS_MAX,
    Direction,
    Origin,
    Payment,
    PaymentStatus,
    Transfer,
)
from ..orders.decide import check_schedule, period_of
from ..refusals import PaymentsRefusal
from .model import (
    MANDATE_CHARACTERS_MAX,
    REFUND_DAYS_MAX,
    Collection,
    CollectionStatus,
    IncomingCollection,
    Mandate,
    MandateStatus,
    Outside,
)

BY_THE_PAYER = "payer"
"""The reason of a collection that the payer refused; otherwise it is a refusal's code."""
REASON_BY_THE_PAYER = "MS02"
"""Refused by the customer for no reason given, as another bank is told. Recalled, not checked."""
MANNER = Manner(Origin.DIRECT_DEBIT, "direct debits")
_LIVE = (CollectionStatus.REQUESTED, CollectionStatus.ASKED, CollectionStatus.COLLECTED)


def check_mandate(mandate: Mandate) -> Refusal | None:
    """The first refusal that applies to the mandate by itself, or None."""
    number = mandate.debtor or mandate.creditor
    if number is None or (None in (mandate.debtor, mandate.creditor)) is not (mandate.outside is not None):
        return Refusal(PaymentsRefusal.ACCOUNT_MALFORMED, {"account": str(number)})
    debtor, creditor = mandate.debtor_end, mandate.creditor_end
    return (
        check_asset(mandate.asset)
        or check_texts(debtor)
        or check_texts(creditor)
        or check_text("reference", mandate.reference, REMITTANCE_CHARACTERS_MAX, is_needed=False)
        or (check_outside(mandate.outside, mandate.reference) if mandate.outside else None)
        or check_amount(mandate.amount_max_minor)
        or check_accounts(number, creditor if mandate.debtor else debtor)
        or check_schedule(mandate.first_on, mandate.until, mandate.refund_days, REFUND_DAYS_MAX)
    )


def check_outside(outside: Outside, reference: str) -> Refusal | None:
    """Both together name the mandate in messages of other banks."""
    return check_text("reference", reference, MANDATE_CHARACTERS_MAX) or check_text(
        "creditor_id", outside.creditor_id, MANDATE_CHARACTERS_MAX
    )


def check_collection(asked: Collection) -> Refusal | None:
    """The first refusal that applies to the collection by itself, or None."""
    return (
        check_text("remittance", asked.remittance, REMITTANCE_CHARACTERS_MAX, is_needed=False)
        or check_text("end_to_end_id", asked.end_to_end_id or "", END_TO_END_CHARACTERS_MAX, is_needed=False)
        or check_amount(asked.amount_minor)
        or check_schedule(asked.due_on, None, 0, 0)
    )


def decide_incoming(told: IncomingCollection, mandate: Mandate | None) -> Collection | Refusal:
    """The collection that another bank asks for, if the mandate that it names is for this creditor and this payer."""
    if mandate is None or mandate.creditor is not None or not _is_of(told, mandate):
        return Refusal(PaymentsRefusal.MANDATE_NOT_FOUND, {"id": told.reference})
    if told.asset != mandate.asset:
        return Refusal(LedgerRefusal.ASSET_DIFFERS, {"account": told.debtor, "asset": mandate.asset})
    return Collection(told.uetr, mandate.id, told.amount_minor, told.due_on, told.remittance, told.end_to_end_id)


def _is_of(told: IncomingCollection, mandate: Mandate) -> bool:
    """Not every message tells the creditor's account."""
    of, by = mandate.creditor_end, told.creditor
    same_bank = _bank(by.bank or "") == _bank(of.bank or "")
    return same_bank and told.debtor == mandate.debtor and by.account in ("", of.account)


def _bank(code: str) -> str:
    """A BIC of eleven signs that ends with XXX is the same bank as that of eight."""
    return code.removesuffix("XXX") if len(code) == 11 else code


def decide_collection(
    asked: Collection, mandate: Mandate | None, others: Sequence[Collection], today: date
) -> Collection | Refusal:
    """The collection as it waits for its day, or as it is if it was asked for before. `others` are the mandate's."""
    if mandate is None:
        return Refusal(PaymentsRefusal.MANDATE_NOT_FOUND, {"id": asked.mandate})
    for known in others:
        if known.id == asked.id:
            return known if known == asked else Refusal(PaymentsRefusal.ID_REUSED, {"id": asked.id})
    if mandate.status is MandateStatus.CANCELLED:
        return Refusal(PaymentsRefusal.MANDATE_CANCELLED, {"id": mandate.id})
    if asked.amount_minor > mandate.amount_max_minor:
        facts = {"amount_minor": asked.amount_minor, "limit_minor": mandate.amount_max_minor}
        return Refusal(PaymentsRefusal.COLLECTION_EXCEEDS_MANDATE, facts)
    outside = asked.due_on < mandate.first_on or (mandate.until is not None and asked.due_on > mandate.until)
    if outside or asked.due_on < today:
        return Refusal(PaymentsRefusal.SCHEDULE_MALFORMED, {"field": "due_on"})
    period = collection_period(mandate, asked)
    for other in others:
        if other.status in _LIVE and collection_period(mandate, other) == period:
            return Refusal(PaymentsRefusal.COLLECTION_TOO_SOON, {"due_on": asked.due_on, "collected_on": other.due_on})
    return asked


def collection_period(mandate: Mandate, collection: Collection) -> int:
    return period_of(mandate.first_on, mandate.frequency, collection.due_on)


def decide_refund(mandate: Mandate, collection: Collection, today: date) -> Collection | Refusal:
    if collection.status is CollectionStatus.REFUNDED:
        return collection
    if collection.status is not CollectionStatus.COLLECTED or collection.done_on is None:
        return conflict(collection)
    last_day = collection.done_on + timedelta(days=mandate.refund_days)
    if today > last_day:
        return Refusal(PaymentsRefusal.REFUND_TOO_LATE, {"last_day": last_day})
    return replace(collection, status=CollectionStatus.REFUNDED, done_on=today)


def refused(collection: Collection, reason: str, today: date) -> Collection:
    return replace(collection, status=CollectionStatus.REFUSED, reason=reason, done_on=today)


def collected(collection: Collection, today: date) -> Collection:
    return replace(collection, status=CollectionStatus.COLLECTED, done_on=today)


def conflict(collection: Collection) -> Refusal:
    return Refusal(PaymentsRefusal.STATUS_CONFLICT, {"id": collection.id, "status": collection.status.value})


def payment_of(collection: Collection) -> UUID:
    """The id of the payment that a collection becomes, the same each time."""
    return further_id(collection.mandate, collection.id.hex)


def transfer_of(mandate: Mandate, collection: Collection) -> Transfer:
    assert mandate.debtor is not None, "of a debtor elsewhere another bank is asked"
    return Transfer(
        payment_of(collection),
        mandate.debtor,
        mandate.creditor_end,
        collection.amount_minor,
        mandate.asset,
        Channel.SYSTEM,
        collection.remittance,
        collection.end_to_end_id,
        uetr=None if mandate.outside is None else collection.id,
    )


def asked_payment(mandate: Mandate, collection: Collection, day: Day) -> Payment:
    """Of a collection of a debtor elsewhere, which waits to be sent on its day."""
    id = payment_of(collection)
    return Payment(
        id=id,
        direction=Direction.INCOMING,
        origin=Origin.DIRECT_DEBIT,
        status=PaymentStatus.ACCEPTED,
        debtor=mandate.debtor_end,
        creditor=mandate.creditor_end,
        amount_minor=collection.amount_minor,
        asset=mandate.asset,
        remittance=collection.remittance,
        end_to_end_id=collection.end_to_end_id,
        uetr=uetr_of(id),
        scheme=DEFAULT_SCHEME,
        channel=Channel.SYSTEM,
        accepted_on=day.today,
        settlement_date=collection.due_on,
        by=MANNER.by,
        accepted_at=day.at,
    )


def rejected_payment(mandate: Mandate, collection: Collection, day: Day) -> Payment:
    """Of a refused collection whose creditor's bank is still to be told of it: no money moves by it."""
    payment = decide_payment(transfer_of(mandate, collection), {}, day, MANNER)
    assert isinstance(payment, Payment), "what is collected needs no scheme"
    return changed(payment, PaymentStatus.REJECTED, reason_of_refusal(collection))


def reason_of_refusal(collection: Collection) -> str:
    """Why a collection was refused, as a code that other banks know."""
    assert collection.reason is not None, "what is refused has a reason"
    return REASON_BY_THE_PAYER if collection.reason == BY_THE_PAYER else reason_of_code(collection.reason)
