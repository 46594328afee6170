"""Why a flow says no by itself, in order of precedence; else it answers with the refusal of the room that said no."""

from __future__ import annotations

from eastflow.kernel import RefusalCode


class FlowsRefusal(RefusalCode):
    # Of the request itself, before anything is looked up.
    TEXT_MALFORMED = "flows.text_malformed"
    AMOUNT_MALFORMED = "flows.amount_malformed"
    # Of an identifier that was used before.
    ONBOARDING_ID_REUSED = "flows.onboarding_id_reused"
    APPLICATION_ID_REUSED = "flows.application_id_reused"
    # Of what it refers to.
    APPLICATION_NOT_FOUND = "flows.application_not_found"
    APPLICATION_ENDED = "flows.application_ended"
    APPLICATION_EXPIRED = "flows.application_expired"
    CUSTOMER_NOT_FOUND = "flows.customer_not_found"
    CUSTOMER_DIFFERS = "flows.customer_differs"
    PRODUCT_NOT_FOUND = "flows.product_not_found"
    BRANCH_NOT_FOUND = "flows.branch_not_found"
    # Of what is not there yet.
    PARTS_MISSING = "flows.parts_missing"
