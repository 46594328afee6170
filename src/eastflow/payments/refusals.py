"""Why payments says no, in order of precedence: the first that applies is the one returned."""

from __future__ import annotations

from eastflow.kernel import RefusalCode


class PaymentsRefusal(RefusalCode):
    # Of the request itself, before anything is looked up.
    TEXT_MALFORMED = "payments.text_malformed"
    AMOUNT_OUT_OF_RANGE = "payments.amount_out_of_range"
    ACCOUNT_MALFORMED = "payments.account_malformed"
    SAME_ACCOUNT = "payments.same_account"
    SCHEDULE_MALFORMED = "payments.schedule_malformed"
    LINES_OUT_OF_RANGE = "payments.lines_out_of_range"
    FILE_MALFORMED = "payments.file_malformed"
    # Of an identifier that was used before.
    ID_REUSED = "payments.id_reused"
    UETR_REUSED = "payments.uetr_reused"
    # Of what it refers to.
    SCHEME_NOT_FOUND = "payments.scheme_not_found"
    PAYMENT_NOT_FOUND = "payments.payment_not_found"
    OUTGOING_NOT_FOUND = "payments.outgoing_not_found"
    RECALL_NOT_FOUND = "payments.recall_not_found"
    ORDER_NOT_FOUND = "payments.order_not_found"
    MANDATE_NOT_FOUND = "payments.mandate_not_found"
    COLLECTION_NOT_FOUND = "payments.collection_not_found"
    BATCH_NOT_FOUND = "payments.batch_not_found"
    SUSPENSE_NOT_FOUND = "payments.suspense_not_found"
    # Of what has become of it.
    STATUS_CONFLICT = "payments.status_conflict"
    AMOUNT_DIFFERS = "payments.amount_differs"
    RECALL_ANSWERED = "payments.recall_answered"
    MANDATE_CANCELLED = "payments.mandate_cancelled"
    COLLECTION_EXCEEDS_MANDATE = "payments.collection_exceeds_mandate"
    COLLECTION_TOO_SOON = "payments.collection_too_soon"
    REFUND_TOO_LATE = "payments.refund_too_late"
    # Of care for the payer.
    PAYEE_NAME_DIFFERS = "payments.payee_name_differs"
    DUPLICATE = "payments.duplicate"
    # Of where the money is, and how much of it may go.
    MOVES_BY_CONTRACT = "payments.moves_by_contract"
    PAYMENT_LIMIT_EXCEEDED = "payments.payment_limit_exceeded"
    DAY_LIMIT_EXCEEDED = "payments.day_limit_exceeded"
    # Of a batch whose lines stand or fall together.
    LINE_REFUSED = "payments.line_refused"
