"""Why the ledger says no, in order of precedence: the first that applies is the one returned."""

from __future__ import annotations

from eastflow.kernel import RefusalCode


class LedgerRefusal(RefusalCode):
    # Of the request itself, before anything is looked up.
    BATCH_TOO_LARGE = "ledger.batch_too_large"
    TEXT_MALFORMED = "ledger.text_malformed"
    DETAILS_TOO_LARGE = "ledger.details_too_large"
    ASSET_MALFORMED = "ledger.asset_malformed"
    FLOOR_OUT_OF_RANGE = "ledger.floor_out_of_range"
    TOO_FEW_POSTINGS = "ledger.too_few_postings"
    TOO_MANY_POSTINGS = "ledger.too_many_postings"
    AMOUNT_IS_ZERO = "ledger.amount_is_zero"
    AMOUNT_IS_NEGATIVE = "ledger.amount_is_negative"
    AMOUNT_OUT_OF_RANGE = "ledger.amount_out_of_range"
    DOES_NOT_BALANCE = "ledger.does_not_balance"
    LINKED_GROUP_OPEN = "ledger.linked_group_open"
    # Of an identifier that was used before.
    ENTRY_ID_REUSED = "ledger.entry_id_reused"
    HOLD_ID_REUSED = "ledger.hold_id_reused"
    ACCOUNT_ID_REUSED = "ledger.account_id_reused"
    ASSET_SCALE_DIFFERS = "ledger.asset_scale_differs"
    # Of time.
    VALUE_DATE_IN_FUTURE = "ledger.value_date_in_future"
    HOLD_EXPIRY_IN_PAST = "ledger.hold_expiry_in_past"
    # Of what it refers to.
    ENTRY_NOT_FOUND = "ledger.entry_not_found"
    ENTRY_ALREADY_REVERSED = "ledger.entry_already_reversed"
    REVERSAL_DIFFERS = "ledger.reversal_differs"
    ASSET_NOT_FOUND = "ledger.asset_not_found"
    ACCOUNT_NOT_FOUND = "ledger.account_not_found"
    ASSET_DIFFERS = "ledger.asset_differs"
    ACCOUNT_CLOSED = "ledger.account_closed"
    ACCOUNT_FROZEN = "ledger.account_frozen"
    ACCOUNT_NOT_EMPTY = "ledger.account_not_empty"
    HOLD_NOT_FOUND = "ledger.hold_not_found"
    HOLD_ENDED = "ledger.hold_ended"
    HOLD_EXPIRED = "ledger.hold_expired"
    CAPTURE_EXCEEDS_HOLD = "ledger.capture_exceeds_hold"
    DAY_NOT_CLOSED = "ledger.day_not_closed"
    # Of money.
    INSUFFICIENT_FUNDS = "ledger.insufficient_funds"
    BALANCE_OUT_OF_RANGE = "ledger.balance_out_of_range"
    # Of the group it belongs to.
    LINKED_ENTRY_REFUSED = "ledger.linked_entry_refused"
