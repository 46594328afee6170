"""The nouns of direct debits: mandates that a payer gives, and what is collected under them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from uuid import UUID

from ..orders.model import Frequency

REFUND_DAYS_MAX = 400
REFUND_DAYS = 56
"""Eight weeks, as under the SEPA core scheme. Recalled, not checked; each mandate may have its own."""


class MandateStatus(Enum):
    ACTIVE = "active"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Mandate:
    """The payer of `debtor` lets `creditor`, both accounts of this bank, collect up to `amount_max_minor`, once in each
    period of `frequency` counted from `first_on`, until the day `until` at the latest.

    The payer may have a collection back until `refund_days` days after it. `reference` is what the creditor calls it.
    """

    id: UUID
    debtor: int
    creditor: int
    creditor_name: str
    amount_max_minor: int
    asset: str
    first_on: date
    frequency: Frequency
    until: date | None = None
    refund_days: int = REFUND_DAYS
    reference: str = ""
    status: MandateStatus = field(default=MandateStatus.ACTIVE, compare=False)


class CollectionStatus(Enum):
    """`requested`: it waits for its day; `refused`: by the payer, or by the bank; `refunded`: given back."""

    REQUESTED = "requested"
    COLLECTED = "collected"
    REFUSED = "refused"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class Collection:
    """What a creditor collects under a mandate on a day; `reason` says why it was refused, as a refusal's code or
    `payer`."""

    id: UUID
    mandate: UUID
    amount_minor: int
    due_on: date
    remittance: str = ""
    status: CollectionStatus = field(default=CollectionStatus.REQUESTED, compare=False)
    reason: str | None = field(default=None, compare=False)
    done_on: date | None = field(default=None, compare=False)
