"""Why products says no, in order of precedence: the first that applies is the one returned."""

from __future__ import annotations

from eastflow.kernel import RefusalCode


class ProductsRefusal(RefusalCode):
    # Of the request itself, before anything is looked up.
    TEXT_MALFORMED = "products.text_malformed"
    TERMS_MALFORMED = "products.terms_malformed"
    # Of an identifier that was used before.
    VERSION_ID_REUSED = "products.version_id_reused"
    MIGRATION_ID_REUSED = "products.migration_id_reused"
    # Of a version.
    VERSION_NOT_FOUND = "products.version_not_found"
    STATUS_UNFIT = "products.status_unfit"
    APPROVED_BY_AUTHOR = "products.approved_by_author"
    DAY_IN_PAST = "products.day_in_past"
    DAY_TAKEN = "products.day_taken"
    KIND_CHANGED = "products.kind_changed"
    MIGRATION_NOT_FOUND = "products.migration_not_found"
    MIGRATION_UNFIT = "products.migration_unfit"
    # Of who asks for a contract.
    PARTY_NOT_ELIGIBLE = "products.party_not_eligible"
    CHANNEL_NOT_ELIGIBLE = "products.channel_not_eligible"
    MATURITY_CHOICE_UNKNOWN = "products.maturity_choice_unknown"
    # Of a contract and what is to be done with it.
    CONTRACT_CLOSED = "products.contract_closed"
    DAY_DONE = "products.day_done"
    DAYS_LEFT_OUT = "products.days_left_out"
    OPERATION_NOT_OFFERED = "products.operation_not_offered"
    AMOUNT_BELOW_MINIMUM = "products.amount_below_minimum"
    BALANCE_ABOVE_MAXIMUM = "products.balance_above_maximum"
    INSTALMENT_AMOUNT_CHANGED = "products.instalment_amount_changed"
    INSTALMENT_NOT_DUE = "products.instalment_not_due"
    BALANCE_INSUFFICIENT = "products.balance_insufficient"
    BALANCE_BELOW_FLOOR = "products.balance_below_floor"
    PARTIAL_WITHDRAWALS_EXHAUSTED = "products.partial_withdrawals_exhausted"
    TERM_NOT_MATURED = "products.term_not_matured"
