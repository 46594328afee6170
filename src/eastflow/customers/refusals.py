"""Why customers says no, in order of precedence: the first that applies is the one returned."""

from __future__ import annotations

from eastflow.kernel import RefusalCode


class CustomersRefusal(RefusalCode):
    # Of the request itself, before anything is looked up.
    TEXT_MALFORMED = "customers.text_malformed"
    DETAILS_TOO_LARGE = "customers.details_too_large"
    ACCOUNT_MALFORMED = "customers.account_malformed"
    PERIOD_REVERSED = "customers.period_reversed"
    # Of an identifier that was used before.
    PARTY_ID_REUSED = "customers.party_id_reused"
    REFERENCE_TAKEN = "customers.reference_taken"
    # Of time.
    BORN_IN_FUTURE = "customers.born_in_future"
    OPENED_IN_FUTURE = "customers.opened_in_future"
    # Of what it refers to.
    PARTY_NOT_FOUND = "customers.party_not_found"
    ROLE_EXISTS = "customers.role_exists"
    ROLE_NOT_FOUND = "customers.role_not_found"
    ROLE_ENDED = "customers.role_ended"
