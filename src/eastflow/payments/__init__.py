"""Money on its way: transfers, orders, collections, files and what other banks send. The verbs are in
`payments.actions`."""

from .batches.decide import read_csv, read_json
from .batches.model import LINES_MAX, Batch, BatchFile, BatchLine, BatchStatus, Line, LineStatus
from .batches.store import batch, batch_lines, batches_page
from .debits.model import REFUND_DAYS, Collection, CollectionStatus, Mandate, MandateStatus
from .debits.store import collection, collections, mandate, mandates_page
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
from .orders.model import Frequency, Occurrence, OccurrenceOutcome, OrderStatus, Run, StandingOrder
from .orders.store import occurrences, standing_order, standing_orders_page
from .refusals import PaymentsRefusal
from .store import limits, outgoing, outgoing_page, payment, payments_of_uetr, payments_page, recall_of, schemes

__all__ = [
    "DEFAULT_SCHEME",
    "LINES_MAX",
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
    "Payment",
    "PaymentStatus",
    "PaymentsRefusal",
    "Recall",
    "RecallStatus",
    "Run",
    "Scheme",
    "StandingOrder",
    "Transfer",
    "batch",
    "batch_lines",
    "batches_page",
    "collection",
    "collections",
    "limits",
    "mandate",
    "mandates_page",
    "occurrences",
    "outgoing",
    "outgoing_page",
    "payment",
    "payments_of_uetr",
    "payments_page",
    "read_csv",
    "read_json",
    "recall_of",
    "schemes",
    "standing_order",
    "standing_orders_page",
    "uetr_of",
]
