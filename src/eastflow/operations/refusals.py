"""Why operations say no, in order of precedence: the first that applies is the one returned."""

from __future__ import annotations

from eastflow.kernel import RefusalCode


class OperationsRefusal(RefusalCode):
    # Of the business date and the day's end.
    BOOKS_NOT_EMPTY = "operations.books_not_empty"
    DAY_NOT_OPEN = "operations.day_not_open"
    DAY_STILL_CLOSING = "operations.day_still_closing"
    DAY_AHEAD_OF_CLOCK = "operations.day_ahead_of_clock"
    DAY_END_NOT_FOUND = "operations.day_end_not_found"
    # Of proposals that wait for a second person.
    TEXT_MALFORMED = "operations.text_malformed"
    KIND_UNKNOWN = "operations.kind_unknown"
    PAYLOAD_MALFORMED = "operations.payload_malformed"
    PROPOSAL_ID_REUSED = "operations.proposal_id_reused"
    EXPIRY_OUT_OF_RANGE = "operations.expiry_out_of_range"
    PROPOSAL_NOT_FOUND = "operations.proposal_not_found"
    NOT_THE_MAKER = "operations.not_the_maker"
    CHECKER_IS_MAKER = "operations.checker_is_maker"
    ROLE_MISSING = "operations.role_missing"
    PROPOSAL_DECIDED = "operations.proposal_decided"
    PROPOSAL_EXPIRED = "operations.proposal_expired"
