"""Why the branch says no, in order of precedence: the first that applies is the one returned."""

from __future__ import annotations

from eastflow.kernel import RefusalCode


class BranchRefusal(RefusalCode):
    # Of the request itself, before anything is looked up.
    TEXT_MALFORMED = "branch.text_malformed"
    LIMIT_MALFORMED = "branch.limit_malformed"
    CASH_MALFORMED = "branch.cash_malformed"
    CASH_EMPTY = "branch.cash_empty"
    # Of an identifier that was used before.
    ID_REUSED = "branch.id_reused"
    ACTOR_TAKEN = "branch.actor_taken"
    # Of who acts.
    BRANCH_NOT_FOUND = "branch.branch_not_found"
    TELLER_NOT_FOUND = "branch.teller_not_found"
    SESSION_NOT_FOUND = "branch.session_not_found"
    NOT_THIS_TELLER = "branch.not_this_teller"
    SIGNED_ON_ALREADY = "branch.signed_on_already"
    SESSION_ENDED = "branch.session_ended"
    SESSION_OF_OTHER_DAY = "branch.session_of_other_day"
    # Of what it refers to.
    VOUCHER_NOT_FOUND = "branch.voucher_not_found"
    TRANSFER_NOT_FOUND = "branch.transfer_not_found"
    ACCOUNT_NOT_FOUND = "branch.account_not_found"
    PLACE_NOT_FOUND = "branch.place_not_found"
    PLACE_NOT_YOURS = "branch.place_not_yours"
    OTHER_BRANCH = "branch.other_branch"
    SAME_PLACE = "branch.same_place"
    VOUCHER_ENDED = "branch.voucher_ended"
    VOUCHER_EXPIRED = "branch.voucher_expired"
    VOUCHER_NOT_REVERSIBLE = "branch.voucher_not_reversible"
    VOUCHER_REVERSED = "branch.voucher_reversed"
    TRANSFER_ENDED = "branch.transfer_ended"
    # Of two people.
    SAME_PERSON = "branch.same_person"
    SUPERVISOR_NEEDED = "branch.supervisor_needed"
    # Of cash.
    IDENTIFICATION_NOT_SEEN = "branch.identification_not_seen"
    CASH_NOT_THERE = "branch.cash_not_there"
    COUNT_DIFFERS = "branch.count_differs"
    COUNT_OUTDATED = "branch.count_outdated"
    # Of signing off.
    VOUCHER_PENDING = "branch.voucher_pending"
    TRANSFER_IN_TRANSIT = "branch.transfer_in_transit"
    DRAWER_NOT_COUNTED = "branch.drawer_not_counted"
