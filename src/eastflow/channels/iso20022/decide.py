"""What a message's own numbers, the bank's answers and the other side's mean. Pure: no clock, no database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID, uuid5

from eastflow.kernel import EXACT_JSON_INTEGER_MAX, Refusal
from eastflow.payments import (
    Direction,
    Occurrence,
    OrderStatus,
    Payment,
    PaymentsRefusal,
    PaymentStatus,
    Recall,
    StandingOrder,
)
from eastflow.payments import RecallStatus as PaymentsRecallStatus

from . import amounts, reasons
from .model import (
    Collections,
    Content,
    DeliveryStatus,
    Header,
    Initiation,
    Kind,
    Party,
    Questions,
    Reason,
    Recalls,
    RecallStatus,
    Returns,
    TransactionStatus,
    Transfer,
    Transfers,
)

PAYMENTS_PER_MESSAGE_MAX = 1_000
QUESTIONS_PER_MESSAGE_MAX = 100
PAUSES_SECONDS = (1, 5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 86_400)
"""Before each further attempt: about two days in all, then a person has to look."""
CLAIM_SECONDS = 10
"""Longer than a delivery may take: then it is taken for lost, and sent again."""
BANK_MISSING = Reason("AGNT", "the payment is not for this bank")
DATE_IN_FUTURE = Reason("DT04", "the day is too far ahead")
DEBTOR_MISSING = Reason("AC02", "the debtor's account is not a number of this bank")
CREDITOR_MISSING = Reason("AC03", "the creditor's account is missing")
CANCELLED = Reason("NARR", "the payment was cancelled")
CHARGES_IN_ANOTHER_CURRENCY = Reason("AM09", "the charges are not in the payment's currency")
CURRENCY_UNKNOWN = Reason("AM03", "the bank does not keep this currency")
TOO_MANY_QUESTIONS = Reason("AM19", f"a message asks of {QUESTIONS_PER_MESSAGE_MAX} accounts at most")
UETR_MISSING = Reason("CH21", "the payment has no UETR")
MANDATE_MISSING = Reason("MD02", "the mandate's reference or the creditor's identifier is missing")
LINES_MISSING = Reason("CH21", "the message names no payment")
MESSAGE_ID_REUSED = Reason("DU01", "the message id was used before, with other content")
HEADER_OF_ANOTHER_KIND = Reason("FF01", "the header names another kind of message")
HEADER_OF_ANOTHER_MESSAGE = Reason("FF01", "the header names another message id")
HEADER_FROM_ANOTHER = Reason("AGNT", "the header names another sender than the message")
HEADER_TO_ANOTHER = Reason("AGNT", "the header is not addressed to this bank")
SENDER_NOT_ALLOWED = Reason("AG08", "messages of this kind are not taken from this sender")
NOT_FOUND_RECALLED = "NOOR"
"""Of ExternalPaymentCancellationRejection1Code."""
_PAYMENT = UUID("8b1f2f63-0f0e-4a57-9f6e-0c1f6d1b7a21")
"""Drawn once. With a sender, a message and a place it makes the same payment id each time."""
_TOLD_SETTLED = frozenset({"ACSC", "ACCC"})
_TOLD_REFUSED = frozenset({"RJCT", "CANC"})
_STATUS = {
    PaymentStatus.ACCEPTED: TransactionStatus.UNDER_WAY,
    PaymentStatus.SENT: TransactionStatus.UNDER_WAY,
    PaymentStatus.SETTLED: TransactionStatus.SETTLED,
    PaymentStatus.REJECTED: TransactionStatus.REFUSED,
    PaymentStatus.RETURNED: TransactionStatus.REFUSED,
    PaymentStatus.RECALLED: TransactionStatus.REFUSED,
}
_RECALL_STATUS = {
    PaymentsRecallStatus.OPEN: RecallStatus.PENDING,
    PaymentsRecallStatus.ACCEPTED: RecallStatus.ACCEPTED,
    PaymentsRecallStatus.REFUSED: RecallStatus.REFUSED,
}


def check_sender(kind: Kind, *, is_clearing: bool) -> Reason | None:
    """Customers ask for payments, and the clearing sends everything else: a customer's key makes no incoming money."""
    return None if (kind is Kind.INITIATION) is not is_clearing else SENDER_NOT_ALLOWED


def check_header(kind: Kind, header: Header, bank: str) -> Reason | None:
    """The business header against its message, where there is one. Who sends is known by the key, so that a message
    which names no sender of its own may come from any."""
    told = header.business
    if told is None:
        return None
    if told.kind != kind.value:
        return HEADER_OF_ANOTHER_KIND
    if told.message_id != header.message_id:
        return HEADER_OF_ANOTHER_MESSAGE
    if told.named_sender not in (None, told.sender):
        return HEADER_FROM_ANOTHER
    if told.receiver != bank or told.named_receiver not in (None, bank):
        return HEADER_TO_ANOTHER
    return None


def transfers_of(content: Content) -> Sequence[Transfer]:
    """What a message of ours asked other banks to pay, or to collect."""
    if isinstance(content, Collections):
        return [each.transfer for each in content.collections]
    return content.transfers if isinstance(content, Transfers) else ()


def check_message(content: Content) -> Reason | None:
    """The message by itself: whether it has as many payments, and of as much, as it says."""
    if isinstance(content, Initiation):
        texts = [each.amount.text for block in content.blocks for each in block.transfers]
    elif isinstance(content, Transfers | Collections):
        texts = [each.amount.text for each in transfers_of(content)]
    elif isinstance(content, Returns):
        texts = [each.amount.text for each in content.lines]
    elif isinstance(content, Recalls):
        texts = [each.amount.text if each.amount else "0" for each in content.lines]
    elif isinstance(content, Questions):
        too_many = len(content.lines) > QUESTIONS_PER_MESSAGE_MAX
        return TOO_MANY_QUESTIONS if too_many else None
    else:
        return None
    return LINES_MISSING if not texts else _check_header(content.header, texts)


def _check_header(header: Header, texts: Sequence[str]) -> Reason | None:
    if header.count is not None and header.count != len(texts):
        return Reason("AM19", f"{len(texts)} payments, not {header.count}")
    if len(texts) > PAYMENTS_PER_MESSAGE_MAX:
        return Reason("AM19", f"{len(texts)} payments; a message has {PAYMENTS_PER_MESSAGE_MAX} at most")
    if header.control_sum is not None and not amounts.sums_to(texts, header.control_sum):
        return Reason("AM10", "the amounts do not make the control sum")
    return None


def payment_id(sender: str, message_id: str, block: str, place: int, asked: Transfer) -> UUID:
    """The UETR where the customer gave one, so that the payment is made once, in whatever message it comes."""
    return asked.uetr or uuid5(_PAYMENT, f"{sender}\n{message_id}\n{block}\n{place}")


def account_number(party: Party) -> int | None:
    """The number of an account of this bank, if it has the form of one."""
    text = party.account or ""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(EXACT_JSON_INTEGER_MAX))):
        return None
    return int(text) if 0 < int(text) <= EXACT_JSON_INTEGER_MAX else None


def status_of(payment: Payment) -> tuple[TransactionStatus, Reason | None]:
    """What the sender is told. Money that came in for no account of ours is here and goes back; the reason says why."""
    reason = Reason(payment.reason) if payment.reason else None
    if payment.direction is Direction.INCOMING:
        return (TransactionStatus.NOT_POSTED if reason else TransactionStatus.SETTLED), reason
    status = _STATUS[payment.status]
    if status is TransactionStatus.REFUSED:
        reason = reason or Reason(reasons.NOT_SPECIFIED)
    return status, reason


def status_of_order(order: StandingOrder, done: Sequence[Occurrence]) -> tuple[TransactionStatus, Reason | None]:
    """Of a payment that waits for its day, or was not made on it."""
    if done and done[-1].reason is not None:
        return TransactionStatus.REFUSED, reasons.reason_of_code(done[-1].reason)
    if order.status is OrderStatus.CANCELLED:
        return TransactionStatus.REFUSED, CANCELLED
    return TransactionStatus.SCHEDULED, scheduled(order.first_on)


def scheduled(on: date) -> Reason:
    """Told of a payment that waits for its day."""
    return Reason("NARR", f"to be paid on {on.isoformat()}")


def recall_status(found: Recall | Refusal) -> tuple[RecallStatus, Reason | None]:
    if isinstance(found, Refusal):
        unknown = found.code is PaymentsRefusal.PAYMENT_NOT_FOUND
        return RecallStatus.REFUSED, Reason(NOT_FOUND_RECALLED) if unknown else reasons.reason_of(found)
    status = _RECALL_STATUS[found.status]
    return status, Reason(found.answer or reasons.NOT_SPECIFIED) if status is RecallStatus.REFUSED else None


def told_status(code: str) -> PaymentStatus | None:
    """What the other side's word means for a payment of ours; None: it is on its way."""
    if code in _TOLD_SETTLED:
        return PaymentStatus.SETTLED
    return PaymentStatus.REJECTED if code in _TOLD_REFUSED else None


def verdict(status: int | None, attempts: int, at: datetime) -> tuple[DeliveryStatus, datetime]:
    """What becomes of a sent message after this many attempts, and when it is due again if it is still pending."""
    if status is not None and 200 <= status <= 299:
        return DeliveryStatus.DONE, at
    if attempts > len(PAUSES_SECONDS):
        return DeliveryStatus.FAILED, at
    return DeliveryStatus.PENDING, at + timedelta(seconds=PAUSES_SECONDS[attempts - 1])
