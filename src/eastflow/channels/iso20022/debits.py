"""Direct debits between banks: what a creditor's bank collects of a customer here, put into the bank's own terms."""

from __future__ import annotations

from eastflow import payments
from eastflow.kernel import Refusal
from eastflow.payments import CollectionStatus, Endpoint, IncomingCollection
from eastflow.payments.actions import receive_collection

from . import decide
from .model import Collection, Reason, StatusLine, TransactionStatus
from .reasons import reason_of
from .work import Work, minor, refused


async def collect(work: Work, told: Collection) -> StatusLine:
    """Payments decides whether it is taken; what is due on a day to come is answered with that day."""
    asked = await _asked(work, told)
    if isinstance(asked, Reason):
        return refused(told.transfer, asked, interbank=True)
    found = await receive_collection(work.tx, asked, today=work.today, clock=work.clock)
    if isinstance(found, Refusal):
        return refused(told.transfer, reason_of(found), interbank=True)
    status, reason = _status_of(found)
    sent = told.transfer
    return StatusLine(sent.uetr, sent.end_to_end_id, status.value, reason, sent.transaction_id)


async def _asked(work: Work, told: Collection) -> IncomingCollection | Reason:
    sent = told.transfer
    debtor, creditor = decide.account_number(sent.debtor), sent.creditor
    if sent.uetr is None:
        return decide.UETR_MISSING
    if sent.debtor.agent not in (None, work.settings.bank):
        return decide.BANK_MISSING
    if debtor is None:
        return decide.DEBTOR_MISSING
    if not told.reference or not told.creditor_id:
        return decide.MANDATE_MISSING
    amount_minor = await minor(work.tx, sent.amount)
    if isinstance(amount_minor, Reason):
        return amount_minor
    return IncomingCollection(
        sent.uetr,
        told.reference,
        told.creditor_id,
        Endpoint(creditor.name or "", creditor.account or "", creditor.agent or work.settings.clearing_bank),
        debtor,
        amount_minor,
        sent.amount.currency,
        sent.day,
        sent.remittance or "",
        sent.end_to_end_id or None,
    )


def _status_of(found: payments.Collection) -> tuple[TransactionStatus, Reason | None]:
    """One that was given back had been collected before: its return tells of it."""
    match found.status:
        case CollectionStatus.REQUESTED | CollectionStatus.ASKED:
            return TransactionStatus.SCHEDULED, decide.scheduled(found.due_on)
        case CollectionStatus.REFUSED:
            return TransactionStatus.REFUSED, Reason(payments.reason_of_refusal(found), found.reason or "")
        case CollectionStatus.COLLECTED | CollectionStatus.REFUNDED:
            return TransactionStatus.SETTLED, None
