"""The nouns of direct debits: mandates that a payer gives, and what is collected under them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from uuid import UUID

from ..model import Endpoint
from ..orders.model import Frequency

REFUND_DAYS_MAX = 400
MANDATE_CHARACTERS_MAX = 35
"""Max35Text of ISO 20022, the length of what names a mandate between banks."""
REFUND_DAYS = 56
"""Eight weeks, as under the SEPA core scheme. Recalled, not checked; each mandate may have its own."""


class MandateStatus(Enum):
    ACTIVE = "active"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Outside:
    """The one end that is at another bank: `account` there, and `bank` as a BIC or a member's number. `creditor_id`, by
    which the creditor is known in its scheme, names the mandate together with its reference. Signed on `signed_on`. A
    debtor there is called `debtor_name`."""

    account: str
    bank: str
    creditor_id: str
    signed_on: date
    debtor_name: str = ""


@dataclass(frozen=True, slots=True)
class Mandate:
    """The payer of `debtor` lets `creditor` collect up to `amount_max_minor`, once in each period of `frequency`
    counted from `first_on`, until the day `until` at the latest. Both are accounts of this bank, unless one of them is
    `outside`: that one is None.

    The payer may have a collection back until `refund_days` days after it. `reference` is what the creditor calls it.
    """

    id: UUID
    debtor: int | None
    creditor: int | None
    creditor_name: str
    amount_max_minor: int
    asset: str
    first_on: date
    frequency: Frequency
    until: date | None = None
    refund_days: int = REFUND_DAYS
    reference: str = ""
    outside: Outside | None = None
    status: MandateStatus = field(default=MandateStatus.ACTIVE, compare=False)

    @property
    def debtor_end(self) -> Endpoint:
        if self.outside is None or self.debtor is not None:
            return Endpoint("", str(self.debtor))
        return Endpoint(self.outside.debtor_name, self.outside.account, self.outside.bank)

    @property
    def creditor_end(self) -> Endpoint:
        if self.outside is None or self.creditor is not None:
            return Endpoint(self.creditor_name, str(self.creditor))
        return Endpoint(self.creditor_name, self.outside.account, self.outside.bank)


class CollectionStatus(Enum):
    """`requested`: it waits for its day; `asked`: of the debtor's bank, on its day, and not answered yet; `refused`: by
    the payer, or by a bank; `refunded`: given back."""

    REQUESTED = "requested"
    ASKED = "asked"
    COLLECTED = "collected"
    REFUSED = "refused"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class Collection:
    """What a creditor collects under a mandate on a day. `reason` says why it was refused, as `payer` or a refusal's
    code; another bank says it as a code of ISO 20022. One from another bank has its UETR as its id, and the end-to-end
    id that its creditor gave it."""

    id: UUID
    mandate: UUID
    amount_minor: int
    due_on: date
    remittance: str = ""
    end_to_end_id: str | None = None
    status: CollectionStatus = field(default=CollectionStatus.REQUESTED, compare=False)
    reason: str | None = field(default=None, compare=False)
    done_on: date | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class IncomingCollection:
    """What a creditor elsewhere asks of an account here on a day, as its bank sends it; the UETR makes receiving
    idempotent. `creditor.account` is empty where it is not told."""

    uetr: UUID
    reference: str
    creditor_id: str
    creditor: Endpoint
    debtor: int
    amount_minor: int
    asset: str
    due_on: date
    remittance: str = ""
    end_to_end_id: str | None = None
