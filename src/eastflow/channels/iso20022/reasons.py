"""Why the bank says no, in the words of ISO 20022: each of its own codes has one of ExternalStatusReason1Code.

The codes and their meanings, and those of `decide` and `model`, were compared with a public copy of the standard's code
sets; the mandates' (`MD01`, `MD02`, `MD05`, `MS02`) are recalled, and were seen in lists of other publishers only.
"""

from __future__ import annotations

from eastflow.kernel import Refusal, RefusalCode
from eastflow.ledger import LedgerRefusal
from eastflow.payments import PaymentsRefusal

from .model import Reason

NOT_SPECIFIED = "MS03"
OVER_A_CUSTOMERS_LIMIT = "AM14"
CODES: dict[RefusalCode, str] = {
    LedgerRefusal.ACCOUNT_NOT_FOUND: "AC01",
    LedgerRefusal.ACCOUNT_CLOSED: "AC04",
    LedgerRefusal.ACCOUNT_FROZEN: "AC06",
    LedgerRefusal.ASSET_NOT_FOUND: "AM03",
    LedgerRefusal.ASSET_DIFFERS: "AC09",
    LedgerRefusal.INSUFFICIENT_FUNDS: "AM04",
    LedgerRefusal.AMOUNT_OUT_OF_RANGE: "AM02",
    LedgerRefusal.BALANCE_OUT_OF_RANGE: "AM02",
    PaymentsRefusal.TEXT_MALFORMED: "CH16",
    PaymentsRefusal.AMOUNT_OUT_OF_RANGE: "AM12",
    PaymentsRefusal.ACCOUNT_MALFORMED: "AC01",
    PaymentsRefusal.SAME_ACCOUNT: "AC01",
    PaymentsRefusal.ID_REUSED: "DU03",
    PaymentsRefusal.UETR_REUSED: "DU03",
    PaymentsRefusal.PAYMENT_NOT_FOUND: "AG09",
    PaymentsRefusal.STATUS_CONFLICT: "FF12",
    PaymentsRefusal.AMOUNT_DIFFERS: "AM09",
    PaymentsRefusal.PAYEE_NAME_DIFFERS: "BE01",
    PaymentsRefusal.SCHEDULE_MALFORMED: "DT01",
    PaymentsRefusal.MANDATE_NOT_FOUND: "MD01",
    PaymentsRefusal.MANDATE_CANCELLED: "MD01",
    PaymentsRefusal.COLLECTION_EXCEEDS_MANDATE: "AM02",
    PaymentsRefusal.COLLECTION_TOO_SOON: "MD05",
    PaymentsRefusal.DUPLICATE: "AM05",
    PaymentsRefusal.PAYMENT_LIMIT_EXCEEDED: "AM14",
    PaymentsRefusal.DAY_LIMIT_EXCEEDED: "AM14",
}


_BY_TEXT = {str(code.value): reason for code, reason in CODES.items()}


def reason_of(refusal: Refusal) -> Reason:
    return reason_of_code(str(refusal.code.value))


def reason_of_code(told: str) -> Reason:
    """The bank's own code goes along as text."""
    unlisted = OVER_A_CUSTOMERS_LIMIT if told.startswith("customers.") else NOT_SPECIFIED
    return Reason(_BY_TEXT.get(told, unlisted), told)
