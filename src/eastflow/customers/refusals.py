"""Why customers says no, in order of precedence: the first that applies is the one returned."""

from __future__ import annotations

from eastflow.kernel import RefusalCode


class CustomersRefusal(RefusalCode):
    # Of the request itself, before anything is looked up.
    TEXT_MALFORMED = "customers.text_malformed"
    DETAILS_TOO_LARGE = "customers.details_too_large"
    ACCOUNT_MALFORMED = "customers.account_malformed"
    AMOUNT_MALFORMED = "customers.amount_malformed"
    PERIOD_REVERSED = "customers.period_reversed"
    # Of an identifier that was used before.
    PARTY_ID_REUSED = "customers.party_id_reused"
    REFERENCE_TAKEN = "customers.reference_taken"
    CLASS_ASSIGNED = "customers.class_assigned"
    DOCUMENT_TAKEN = "customers.document_taken"
    IDENTITY_TAKEN = "customers.identity_taken"
    VERIFICATION_ID_REUSED = "customers.verification_id_reused"
    CORRECTION_ID_REUSED = "customers.correction_id_reused"
    # Of time.
    BORN_IN_FUTURE = "customers.born_in_future"
    OPENED_IN_FUTURE = "customers.opened_in_future"
    GRANTED_IN_FUTURE = "customers.granted_in_future"
    DOCUMENT_EXPIRED = "customers.document_expired"
    # Of what it refers to.
    PARTY_NOT_FOUND = "customers.party_not_found"
    PARTY_ERASED = "customers.party_erased"
    PARTY_MERGED = "customers.party_merged"
    MERGE_UNSUITABLE = "customers.merge_unsuitable"
    MERGE_NOT_FOUND = "customers.merge_not_found"
    CORRECTION_EMPTY = "customers.correction_empty"
    ROLE_EXISTS = "customers.role_exists"
    ROLE_NOT_FOUND = "customers.role_not_found"
    ROLE_ENDED = "customers.role_ended"
    RECORD_NOT_FOUND = "customers.record_not_found"
    DOCUMENT_NAME_DIFFERS = "customers.document_name_differs"
    # Of erasing.
    ROLE_STANDS = "customers.role_stands"
    RETENTION_RUNS = "customers.retention_runs"
    # Of an account's class.
    CLASS_NEEDS_PERSON = "customers.class_needs_person"
    NOT_OWNER = "customers.not_owner"
    FACE_TO_FACE_MISSING = "customers.face_to_face_missing"
    CLASS_FULL = "customers.class_full"
    BOUND_ACCOUNT_UNSUITABLE = "customers.bound_account_unsuitable"
    BOUND_ACCOUNT_MISSING = "customers.bound_account_missing"
    CLASS_NOT_FOUND = "customers.class_not_found"
    # Of an account at another bank.
    DOCUMENT_MISSING = "customers.document_missing"
    VERIFICATION_NOT_FOUND = "customers.verification_not_found"
    VERIFICATION_CLOSED = "customers.verification_closed"
    # Of a movement on a classed account.
    ASSET_NOT_ALLOWED = "customers.asset_not_allowed"
    CASH_NOT_ALLOWED = "customers.cash_not_allowed"
    UNBOUND_NOT_ALLOWED = "customers.unbound_not_allowed"
    DAY_LIMIT_EXCEEDED = "customers.day_limit_exceeded"
    YEAR_LIMIT_EXCEEDED = "customers.year_limit_exceeded"
    BALANCE_UNKNOWN = "customers.balance_unknown"
    BALANCE_LIMIT_EXCEEDED = "customers.balance_limit_exceeded"
