"""The verbs of payments. Each loads what it needs, decides, and writes, in the caller's one transaction; those that run
through a day's orders and collections, or a file's lines, take many transactions, each whole by itself."""

from __future__ import annotations

from .batches.actions import run_batch, submit_batch
from .debits.actions import (
    cancel_mandate,
    collect,
    give_mandate,
    refund_collection,
    refuse_collection,
    run_direct_debits,
)
from .interbank.actions import (
    answer_recall,
    apply_status,
    mark_sent,
    recall,
    receive_incoming,
    receive_recall,
    receive_recall_answer,
    receive_return,
)
from .orders.actions import cancel_order, run_standing_orders, set_up_order, set_up_orders
from .transfers.actions import confirm_payee, cut_off, set_limit, set_scheme, transfer

__all__ = [
    "answer_recall",
    "apply_status",
    "cancel_mandate",
    "cancel_order",
    "collect",
    "confirm_payee",
    "cut_off",
    "give_mandate",
    "mark_sent",
    "recall",
    "receive_incoming",
    "receive_recall",
    "receive_recall_answer",
    "receive_return",
    "refund_collection",
    "refuse_collection",
    "run_batch",
    "run_direct_debits",
    "run_standing_orders",
    "set_limit",
    "set_scheme",
    "set_up_order",
    "set_up_orders",
    "submit_batch",
    "transfer",
]
