"""May this be collected, refused or refunded under its mandate? Pure: no clock, no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from eastflow.customers import Channel
from eastflow.kernel import Refusal

from ..decide import check_accounts, check_amount, check_asset, check_text, check_texts, further_id
from ..model import REMITTANCE_CHARACTERS_MAX, Endpoint, Transfer
from ..orders.decide import check_schedule, period_of
from ..refusals import PaymentsRefusal
from .model import REFUND_DAYS_MAX, Collection, CollectionStatus, Mandate, MandateStatus

BY_THE_PAYER = "payer"
"""The reason of a collection that the payer refused; otherwise it is a refusal's code."""
_LIVE = (CollectionStatus.REQUESTED, CollectionStatus.COLLECTED)


def check_mandate(mandate: Mandate) -> Refusal | None:
    """The first refusal that applies to the mandate by itself, or None."""
    creditor = Endpoint(mandate.creditor_name, str(mandate.creditor))
    return (
        check_asset(mandate.asset)
        or check_texts(creditor)
        or check_text("reference", mandate.reference, REMITTANCE_CHARACTERS_MAX, is_needed=False)
        or check_amount(mandate.amount_max_minor)
        or check_accounts(mandate.debtor, creditor)
        or check_schedule(mandate.first_on, mandate.until, mandate.refund_days, REFUND_DAYS_MAX)
    )


def check_collection(asked: Collection) -> Refusal | None:
    """The first refusal that applies to the collection by itself, or None."""
    return (
        check_text("remittance", asked.remittance, REMITTANCE_CHARACTERS_MAX, is_needed=False)
        or check_amount(asked.amount_minor)
        or check_schedule(asked.due_on, None, 0, 0)
    )


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
    return Transfer(
        payment_of(collection),
        mandate.debtor,
        Endpoint(mandate.creditor_name, str(mandate.creditor)),
        collection.amount_minor,
        mandate.asset,
        Channel.SYSTEM,
        collection.remittance,
    )
