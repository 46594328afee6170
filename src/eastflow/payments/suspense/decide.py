"""May what stands on suspense go there, and which entry moves it? Pure: no clock, no database."""

from __future__ import annotations

from datetime import date

from eastflow.kernel import EXACT_JSON_INTEGER_MAX, Refusal
from eastflow.ledger import Entry, Posting

from ..decide import further_id
from ..refusals import PaymentsRefusal
from .model import SuspenseItem, SuspenseKind


def check_account(account: int | None) -> Refusal | None:
    if account is None or 0 < account <= EXACT_JSON_INTEGER_MAX:
        return None
    return Refusal(PaymentsRefusal.ACCOUNT_MALFORMED, {"account": str(account)})


def check_way_back(item: SuspenseItem) -> Refusal | None:
    """Only what came in has a sender to go back to."""
    if item.kind is SuspenseKind.INCOMING:
        return None
    facts = {"id": item.id, "status": item.kind.value, "direction": None}
    return Refusal(PaymentsRefusal.STATUS_CONFLICT, facts)


def clearing_entry(item: SuspenseItem, suspense: int, account: int, value_date: date) -> Entry:
    legs = (
        Posting(suspense, item.asset, -item.amount_minor),
        Posting(account, item.asset, item.amount_minor),
    )
    of = "batch" if item.kind is SuspenseKind.BATCH else "payment"
    return Entry(further_id(item.id, "cleared"), "payment.cleared", value_date, legs, details={of: str(item.id)})
