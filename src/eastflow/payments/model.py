"""The nouns of payments: what is asked for, the payment it becomes, its recall, and what waits to be sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import Enum
from uuid import UUID

from eastflow.customers import Channel

NAME_CHARACTERS_MAX = 140
"""Max140Text of ISO 20022, the length of a party's name."""
ACCOUNT_CHARACTERS_MAX = 34
"""Max34Text of ISO 20022, the length of an account's identification."""
BANK_CHARACTERS_MAX = 35
ASSET_CHARACTERS_MAX = 16
REMITTANCE_CHARACTERS_MAX = 140
END_TO_END_CHARACTERS_MAX = 35
REASON_CHARACTERS_MAX = 35
DEFAULT_SCHEME = "clearing"
"""Known without being set: no cut-off time, closed on Saturdays and Sundays."""


class Direction(Enum):
    """`internal`: both accounts are this bank's; `outgoing` and `incoming`: one is at another bank."""

    INTERNAL = "internal"
    OUTGOING = "outgoing"
    INCOMING = "incoming"


class Origin(Enum):
    """What brought the payment about."""

    TRANSFER = "transfer"
    BATCH = "batch"
    STANDING_ORDER = "standing_order"
    DIRECT_DEBIT = "direct_debit"
    OTHER_BANK = "other_bank"


class PaymentStatus(Enum):
    """Where the money is. `accepted`: it has left the payer, or, of an incoming payment, waits to be returned; `sent`:
    the other bank was told; `settled`: the payee has it; `rejected`, `returned`, `recalled`: the payer has it again.

    Of what we collect elsewhere, no money has moved before it is settled: it is accepted until it is sent."""

    ACCEPTED = "accepted"
    SENT = "sent"
    SETTLED = "settled"
    REJECTED = "rejected"
    RETURNED = "returned"
    RECALLED = "recalled"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of a payment: a name, an account, and the bank's BIC or national code. Without a bank it is this one, and
    the account is its number."""

    name: str
    account: str
    bank: str | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """What is asked for. `id` is chosen by the caller and makes paying idempotent.

    `uetr` is the payer's own, where there is one. `duplicate_confirmed` and `payee_confirmed` say that the payer was
    asked and goes on. They are no part of the content that an id stands for.
    """

    id: UUID
    debtor: int
    creditor: Endpoint
    amount_minor: int
    asset: str
    channel: Channel
    remittance: str = ""
    end_to_end_id: str | None = None
    scheme: str = DEFAULT_SCHEME
    duplicate_confirmed: bool = field(default=False, compare=False)
    payee_confirmed: bool = field(default=False, compare=False)
    uetr: UUID | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A payment that another bank has sent; its UETR makes receiving idempotent."""

    uetr: UUID
    debtor: Endpoint
    creditor: Endpoint
    amount_minor: int
    asset: str
    remittance: str = ""
    end_to_end_id: str | None = None
    scheme: str = DEFAULT_SCHEME


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as the bank has it. `reason` is a code of ISO 20022's external lists (`AC01`), once it went wrong. The
    payer's name is empty where the payer is a customer: it is kept with the customers.

    `in_suspense`: money that came back could not be given to the payer's account and stands on `liabilities:suspense`.
    `cleared_to`: the account here that was given what stood there. `returned_minor`: what came back, where another bank
    kept a charge.
    """

    id: UUID
    direction: Direction
    origin: Origin
    status: PaymentStatus
    debtor: Endpoint
    creditor: Endpoint
    amount_minor: int
    asset: str
    remittance: str
    end_to_end_id: str | None
    uetr: UUID
    scheme: str
    channel: Channel
    accepted_on: date
    settlement_date: date
    by: str
    accepted_at: datetime
    reason: str | None = None
    in_suspense: bool = False
    cleared_to: int | None = None
    returned_minor: int | None = None

    @property
    def moved_minor(self) -> int:
        """What its entries move: the amount, or what came back of it."""
        return self.amount_minor if self.returned_minor is None else self.returned_minor


class OutgoingKind(Enum):
    """What another bank is to be told: pay this, take this back, give this back, our answer to that, let this be
    collected, or what became of what it collects itself."""

    CREDIT_TRANSFER = "credit_transfer"
    RETURN = "return"
    RECALL = "recall"
    RECALL_ANSWER = "recall_answer"
    COLLECTION = "collection"
    COLLECTION_ANSWER = "collection_answer"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What waits to be sent, or was sent in the message `message_id`. `reason` says why, as a code. A recall's
    answer that waits is always a refusal: an accepted recall is answered by the return. `held_for`: why no message can
    carry it, so that it waits for a person."""

    id: UUID
    kind: OutgoingKind
    payment: Payment
    due_on: date
    reason: str | None = None
    message_id: str | None = None
    held_for: str | None = None


class RecallStatus(Enum):
    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Recall:
    """A payment's sender asks for it back: we of another bank, or another bank of us, as the payment's direction says.

    `answer` is the reason for which it was refused.
    """

    payment: UUID
    reason: str
    status: RecallStatus
    asked_on: date
    by: str
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """How much a customer may pay away: in one payment, and in one business day.

    It is for one channel, or (None) for all together; for one customer, or (None) for each that has none of its own.
    """

    channel: Channel | None
    party: UUID | None
    asset: str
    per_payment_minor: int | None = None
    per_day_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Scheme:
    """A way to other banks. From `cut_off` on, the next business day counts; the clock there is `utc_offset_minutes`
    ahead of UTC."""

    code: str
    cut_off: time | None = None
    utc_offset_minutes: int = 0
    holidays: frozenset[date] = frozenset()
    working_weekends: frozenset[date] = frozenset()
