"""The nouns of standing orders: what is to be paid how often, what became of each time, and a run through a day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from uuid import UUID

from eastflow.customers import Channel

from ..model import DEFAULT_SCHEME, Endpoint

RETRY_DAYS_MAX = 31
DAYS_AHEAD_MAX = 366
"""How far ahead a single payment may be asked for."""
SLOTS = 64
"""Orders and mandates are spread over so many slots, and a run's partition takes its share of them."""


class Frequency(Enum):
    """How often. Months are counted from the first day, so that the 31st comes back after a shorter month."""

    ONCE = "once"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"


class OrderStatus(Enum):
    """`ended`: its last time is over; `cancelled`: the customer wanted no more."""

    ACTIVE = "active"
    ENDED = "ended"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class StandingOrder:
    """Pay this from `first_on` on, again and again, until the day `until` at the latest. `id` is chosen by the caller.

    Without funds it is tried again on each of the next `retry_days` days and then left out until the next time.
    `due_on` and `attempt_on` are when it is due next and when that is tried, None once it is over. A single payment for
    a day to come is an order of one time, with the payment's channel, its reference and, where there is one, its UETR.
    """

    id: UUID
    debtor: int
    creditor: Endpoint
    amount_minor: int
    asset: str
    first_on: date
    frequency: Frequency
    until: date | None = None
    retry_days: int = 0
    remittance: str = ""
    scheme: str = DEFAULT_SCHEME
    channel: Channel = Channel.SYSTEM
    end_to_end_id: str | None = None
    uetr: UUID | None = field(default=None, compare=False)
    status: OrderStatus = field(default=OrderStatus.ACTIVE, compare=False)
    number: int = field(default=0, compare=False)
    due_on: date | None = field(default=None, compare=False)
    attempt_on: date | None = field(default=None, compare=False)


class OccurrenceOutcome(Enum):
    PAID = "paid"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """What became of one time: paid by a payment, or left out for `reason`, a refusal's code."""

    order: UUID
    due_on: date
    outcome: OccurrenceOutcome
    done_on: date
    payment: UUID | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """What a run through a day's orders or collections did: paid, put off to another day, left out or refused."""

    paid: int = 0
    put_off: int = 0
    refused: int = 0

    def __add__(self, other: Run) -> Run:
        return Run(self.paid + other.paid, self.put_off + other.put_off, self.refused + other.refused)
