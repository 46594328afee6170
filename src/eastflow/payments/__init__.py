"""Money on its way: transfers, orders, collections, files and what other banks send. The verbs are in
`payments.actions`."""

from .batches.decide import read_csv, read_json
from .batches.model import LINES_MAX, Batch, BatchFile, BatchLine, BatchStatus, Line, LineStatus
from .batches.store import batch, batch_lines, batches_page
from .debits.decide import reason_of_refusal
from .debits.model import REFUND_DAYS, Collection, CollectionStatus, IncomingCollection, Mandate, MandateStatus, Outside
from .debits.store import collection, collection_of, collections, mandate, mandates_page
from .decide import uetr_of
from .model import (
    DEFAULT_SCHEME,
    Direction,
    Endpoint,
    Incoming,
    Limit,
    Origin,
    Outgoing,
    OutgoingKind,
    Payment,
    PaymentStatus,
    Recall,
    RecallStatus,
    Scheme,
    Transfer,
)
from .orders.model import DAYS_AHEAD_MAX, Frequency, Occurrence, OccurrenceOutcome, OrderStatus, Run, StandingOrder
from .orders.store import occurrences, standing_order, standing_orders_page
from .personal_data.masking import masked_collection, masked_line, masked_mandate, masked_order, masked_payment
from .personal_data.store import PURPOSE_OF_PAYMENTS
from .refusals import PaymentsRefusal
from .store import (
    limits,
    outgoing,
    outgoing_page,
    payment,
    payments_of_uetr,
    payments_page,
    recall_of,
    remittances,
    schemes,
    with_remittances,
)
from .suspense.model import SuspenseItem, SuspenseKind
from .suspense.store import suspense_item, suspense_page

__all__ = [
    "DAYS_AHEAD_MAX",
    "DEFAULT_SCHEME",
    "LINES_MAX",
    "PURPOSE_OF_PAYMENTS",
    "REFUND_DAYS",
    "Batch",
    "BatchFile",
    "BatchLine",
    "BatchStatus",
    "Collection",
    "CollectionStatus",
    "Direction",
    "Endpoint",
    "Frequency",
    "Incoming",
    "IncomingCollection",
    "Limit",
    "Line",
    "LineStatus",
    "Mandate",
    "MandateStatus",
    "Occurrence",
    "OccurrenceOutcome",
    "OrderStatus",
    "Origin",
    "Outgoing",
    "OutgoingKind",
    "Outside",
    "Payment",
    "PaymentStatus",
    "PaymentsRefusal",
    "Recall",
    "RecallStatus",
    "Run",
    "Scheme",
    "StandingOrder",
    "SuspenseItem",
    "SuspenseKind",
    "Transfer",
    "batch",
    "batch_lines",
    "batches_page",
    "collection",
    "collection_of",
    "collections",
    "limits",
    "mandate",
    "mandates_page",
    "masked_collection",
    "masked_line",
    "masked_mandate",
    "masked_order",
    "masked_payment",
    "occurrences",
    "outgoing",
    "outgoing_page",
    "payment",
    "payments_of_uetr",
    "payments_page",
    "read_csv",
    "read_json",
    "reason_of_refusal",
    "recall_of",
    "remittances",
    "schemes",
    "standing_order",
    "standing_orders_page",
    "suspense_item",
    "suspense_page",
    "uetr_of",
    "with_remittances",
]
