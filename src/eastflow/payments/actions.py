"""The verbs of payments. Each loads what it needs, decides, and writes, in the caller's one transaction; those that run
through a day's orders and collections, or a file's lines, take many transactions, each whole by itself."""

from __future__ import annotations

from .batches.actions import run_batch, submit_batch
from .debits.actions import (
    apply_collection_status,
    cancel_mandate,
    collect,
    give_mandate,
    receive_collection,
    refund_collection,
    refuse_collection,
    return_collection,
    run_direct_debits,
)
from .interbank.actions import (
    answer_recall,
    apply_status,
    hold_outgoing,
    mark_sent,
    recall,
    receive_incoming,
    receive_recall,
    receive_recall_answer,
    receive_return,
)
from .orders.actions import cancel_order, run_standing_orders, schedule_transfer, set_up_order, set_up_orders
from .personal_data.actions import seal_plain_payments, shred_payments
from .suspense.actions import clear_suspense
from .transfers.actions import confirm_payee, cut_off, set_limit, set_scheme, transfer

__all__ = [
    "answer_recall",
    "apply_collection_status",
    "apply_status",
    "cancel_mandate",
    "cancel_order",
    "clear_suspense",
    "collect",
    "confirm_payee",
    "cut_off",
    "give_mandate",
    "hold_outgoing",
    "mark_sent",
    "recall",
    "receive_collection",
    "receive_incoming",
    "receive_recall",
    "receive_recall_answer",
    "receive_return",
    "refund_collection",
    "refuse_collection",
    "return_collection",
    "run_batch",
    "run_direct_debits",
    "run_standing_orders",
    "schedule_transfer",
    "seal_plain_payments",
    "set_limit",
    "set_scheme",
    "set_up_order",
    "set_up_orders",
    "shred_payments",
    "submit_batch",
    "transfer",
]
