"""Refusals as answers: the one table from code to HTTP status, and the problem document of RFC 9457."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from eastflow.customers import CustomersRefusal
from eastflow.kernel import Refusal, RefusalCode
from eastflow.ledger import LedgerRefusal
from eastflow.webhooks import WebhooksRefusal

from . import messages
from .refusals import ApiRefusal

MEDIA_TYPE = b"application/problem+json"
STATUS_UNLISTED = 422

STATUSES: dict[RefusalCode, int] = {
    ApiRefusal.KEY_MISSING: 401,
    ApiRefusal.KEY_UNKNOWN: 401,
    ApiRefusal.RATE_EXCEEDED: 429,
    ApiRefusal.NOT_FOUND: 404,
    ApiRefusal.METHOD_NOT_ALLOWED: 405,
    ApiRefusal.SCOPE_MISSING: 403,
    ApiRefusal.PARAMETER_MALFORMED: 400,
    ApiRefusal.BODY_TOO_LARGE: 413,
    ApiRefusal.BODY_MALFORMED: 400,
    ApiRefusal.CURSOR_MALFORMED: 400,
    ApiRefusal.SCOPE_NOT_HELD: 403,
    ApiRefusal.KEY_NOT_FOUND: 404,
    ApiRefusal.UNAVAILABLE: 503,
    ApiRefusal.INTERNAL_ERROR: 500,
    LedgerRefusal.BATCH_TOO_LARGE: 413,
    LedgerRefusal.TEXT_MALFORMED: 422,
    LedgerRefusal.DETAILS_TOO_LARGE: 422,
    LedgerRefusal.ASSET_MALFORMED: 422,
    LedgerRefusal.FLOOR_OUT_OF_RANGE: 422,
    LedgerRefusal.TOO_FEW_POSTINGS: 422,
    LedgerRefusal.TOO_MANY_POSTINGS: 422,
    LedgerRefusal.AMOUNT_IS_ZERO: 422,
    LedgerRefusal.AMOUNT_IS_NEGATIVE: 422,
    LedgerRefusal.AMOUNT_OUT_OF_RANGE: 422,
    LedgerRefusal.DOES_NOT_BALANCE: 422,
    LedgerRefusal.LINKED_GROUP_OPEN: 422,
    LedgerRefusal.ENTRY_ID_REUSED: 409,
    LedgerRefusal.HOLD_ID_REUSED: 409,
    LedgerRefusal.ACCOUNT_ID_REUSED: 409,
    LedgerRefusal.ASSET_SCALE_DIFFERS: 409,
    LedgerRefusal.VALUE_DATE_IN_FUTURE: 422,
    LedgerRefusal.HOLD_EXPIRY_IN_PAST: 422,
    LedgerRefusal.ASSET_NOT_FOUND: 404,
    LedgerRefusal.ENTRY_NOT_FOUND: 404,
    LedgerRefusal.ENTRY_ALREADY_REVERSED: 409,
    LedgerRefusal.REVERSAL_DIFFERS: 422,
    LedgerRefusal.ACCOUNT_NOT_FOUND: 404,
    LedgerRefusal.ASSET_DIFFERS: 422,
    LedgerRefusal.ACCOUNT_CLOSED: 409,
    LedgerRefusal.ACCOUNT_FROZEN: 409,
    LedgerRefusal.ACCOUNT_NOT_EMPTY: 409,
    LedgerRefusal.HOLD_NOT_FOUND: 404,
    LedgerRefusal.HOLD_ENDED: 409,
    LedgerRefusal.HOLD_EXPIRED: 409,
    LedgerRefusal.CAPTURE_EXCEEDS_HOLD: 422,
    LedgerRefusal.INSUFFICIENT_FUNDS: 422,
    LedgerRefusal.BALANCE_OUT_OF_RANGE: 422,
    LedgerRefusal.LINKED_ENTRY_REFUSED: 422,
    CustomersRefusal.TEXT_MALFORMED: 422,
    CustomersRefusal.DETAILS_TOO_LARGE: 422,
    CustomersRefusal.ACCOUNT_MALFORMED: 422,
    CustomersRefusal.PERIOD_REVERSED: 422,
    CustomersRefusal.PARTY_ID_REUSED: 409,
    CustomersRefusal.REFERENCE_TAKEN: 409,
    CustomersRefusal.BORN_IN_FUTURE: 422,
    CustomersRefusal.OPENED_IN_FUTURE: 422,
    CustomersRefusal.PARTY_NOT_FOUND: 404,
    CustomersRefusal.ROLE_EXISTS: 409,
    CustomersRefusal.ROLE_NOT_FOUND: 404,
    CustomersRefusal.ROLE_ENDED: 409,
    WebhooksRefusal.URL_MALFORMED: 422,
    WebhooksRefusal.URL_NOT_HTTPS: 422,
    WebhooksRefusal.URL_NOT_PUBLIC: 422,
    WebhooksRefusal.FILTER_MALFORMED: 422,
    WebhooksRefusal.CURSOR_MALFORMED: 400,
    WebhooksRefusal.ENDPOINT_NOT_FOUND: 404,
    WebhooksRefusal.ENDPOINT_DISABLED: 409,
}


class Problem(msgspec.Struct, frozen=True):
    """Why the bank said no. `code` never changes its meaning; `title` and `detail` are in the caller's language."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    facts: Mapping[str, Any]


def status_of(code: RefusalCode) -> int:
    return STATUSES.get(code, STATUS_UNLISTED)


def problem(refusal: Refusal, language: str) -> Problem:
    code = str(refusal.code.value)
    title, detail = messages.message(code, refusal.facts, language)
    return Problem(f"/docs#{code}", title, status_of(refusal.code), detail, code, refusal.facts)
