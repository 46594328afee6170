"""The verb of suspense: what stands there is moved by a person, to an account here or back to its sender."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

from eastflow.customers import Channel
from eastflow.kernel import Refusal
from eastflow.ledger import LedgerRefusal
from eastflow.ledger.actions import INTERNAL_ACCOUNT_MIN
from eastflow.storage import Clock, Retry, Transaction, now

from .. import store as payments
from ..batches import store as batches
from ..batches.model import BatchStatus
from ..decide import conflict, further_id
from ..interbank.actions import mark_sent
from ..model import OutgoingKind, Payment, PaymentStatus, RecallStatus
from ..refusals import PaymentsRefusal
from ..transfers.actions import SUSPENSE, Booking, book, movements, own
from . import store
from .decide import check_account, check_way_back, clearing_entry
from .model import SuspenseItem, SuspenseKind

BY_HAND = "by hand"
"""The message in which a return was sent that no program has sent."""


async def clear_suspense(
    tx: Transaction, id: UUID, account: int | None, *, today: date, clock: Clock = now
) -> SuspenseItem | Refusal:
    """Move what stands on suspense for a payment or a file to the account of a customer; or (None) note that a person
    has sent it back to the bank it came from. The answer is what stood there: it stands there no longer, and cannot be
    moved again."""
    if refusal := check_account(account):
        return refusal
    item = await store.suspense_item(tx, id)
    if item is None:
        return Refusal(PaymentsRefusal.SUSPENSE_NOT_FOUND, {"id": id})
    refused = await (_send_back(tx, item, today, clock) if account is None else _give(tx, item, account, today, clock))
    return refused or item


async def _send_back(tx: Transaction, item: SuspenseItem, today: date, clock: Clock) -> Refusal | None:
    if refusal := check_way_back(item):
        return refusal
    sent = await mark_sent(tx, further_id(item.id, OutgoingKind.RETURN.value), BY_HAND, today=today, clock=clock)
    return sent if isinstance(sent, Refusal) else None


async def _give(tx: Transaction, item: SuspenseItem, account: int, today: date, clock: Clock) -> Refusal | None:
    payment = await payments.locked_payment(tx, item.id)
    if payment is not None and (refusal := await _asked_back(tx, payment)):
        return refusal
    batch = await batches.batch(tx, item.id) if item.kind is SuspenseKind.BATCH else None
    if batch is not None and batch.status is not BatchStatus.DONE:
        # What stands there pays its lines.
        return Refusal(PaymentsRefusal.STATUS_CONFLICT, {"id": item.id, "status": batch.status.value})
    suspense = await own(tx, SUSPENSE, item.asset, today)
    assert not isinstance(suspense, Refusal), "money stands on it"
    if account >= INTERNAL_ACCOUNT_MIN:
        return Refusal(LedgerRefusal.ACCOUNT_NOT_FOUND, {"account": account})
    # What was a customer's already is no new movement: no allowance is asked for it.
    is_new = item.kind in (SuspenseKind.INCOMING, SuspenseKind.COLLECTED)
    moved = await movements(tx, None, account, item.amount_minor, item.asset, Channel.SYSTEM) if is_new else ()
    entry = clearing_entry(item, suspense, account, today)
    if refused := (await book(tx, [Booking(entry, moved)], today=today, clock=clock)).get(entry.id):
        return refused
    if not await store.take_off_suspense(tx, item.id, item.amount_minor):
        raise Retry("it was moved in the same moment")
    if payment is not None:
        await _note(tx, payment, account, clock)
    return None


async def _asked_back(tx: Transaction, payment: Payment) -> Refusal | None:
    """Of what came in, its sender was told that it comes back."""
    if payment.status is not PaymentStatus.ACCEPTED:
        return None
    asked = await payments.recall_of(tx, payment.id)
    return conflict(payment) if asked is not None and asked.status is RecallStatus.ACCEPTED else None


async def _note(tx: Transaction, payment: Payment, account: int, clock: Clock) -> None:
    """What came in is settled, and its return leaves the queue; what had come back is no longer in suspense."""
    after = replace(payment, in_suspense=False, cleared_to=account)
    if payment.status is PaymentStatus.ACCEPTED:
        after = replace(after, status=PaymentStatus.SETTLED, reason=None)
        if not await payments.take_out(tx, further_id(payment.id, OutgoingKind.RETURN.value)):
            raise Retry("its return was sent in the same moment")
    if not await payments.change_payment(tx, payment, after, clock()):
        raise Retry("the payment changed in the same moment")
