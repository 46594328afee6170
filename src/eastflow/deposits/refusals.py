"""Why deposits says no, in order of precedence: the first that applies is the one returned."""

from __future__ import annotations

from eastflow.kernel import RefusalCode


class DepositsRefusal(RefusalCode):
    # Of the request itself, before anything is looked up.
    TEXT_MALFORMED = "deposits.text_malformed"
    AMOUNT_OUT_OF_RANGE = "deposits.amount_out_of_range"
    ACCOUNT_MALFORMED = "deposits.account_malformed"
    SOURCE_MISSING = "deposits.source_missing"
    EXPIRY_IN_PAST = "deposits.expiry_in_past"
    SHARES_MALFORMED = "deposits.shares_malformed"
    # Of an identifier that was used before.
    REQUEST_ID_REUSED = "deposits.request_id_reused"
    # Of what it refers to.
    PARTY_NOT_FOUND = "deposits.party_not_found"
    PRODUCT_NOT_FOUND = "deposits.product_not_found"
    ACCOUNT_TAKEN = "deposits.account_taken"
    CONTRACT_NOT_FOUND = "deposits.contract_not_found"
    OTHER_ACCOUNT_UNFIT = "deposits.other_account_unfit"
    ORDER_NOT_FOUND = "deposits.order_not_found"
    PLEDGE_NOT_FOUND = "deposits.pledge_not_found"
    HEIR_NOT_OWNER = "deposits.heir_not_owner"
    # Of the contract's standing.
    CONTRACT_CLOSED = "deposits.contract_closed"
    CONTRACT_FROZEN = "deposits.contract_frozen"
    CONTRACT_DORMANT = "deposits.contract_dormant"
    NOT_DORMANT = "deposits.not_dormant"
    PLEDGE_UNCOVERED = "deposits.pledge_uncovered"
    PLEDGED = "deposits.pledged"
