"""The nouns of the ledger: accounts, entries made of postings that sum to zero, and holds on what is available."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from uuid import UUID

from eastflow.kernel import Refusal

BATCH_COMMANDS_MAX = 10_000
POSTINGS_MIN, POSTINGS_MAX = 2, 100
BOUND_MINOR = 1 << 61
"""Floors and held totals stay within this, so that no sum the database forms from them can overflow 64 bits."""


class Side(Enum):
    """Where the account's balance normally stands. A balance is positive on its own side."""

    DEBIT = "debit"
    CREDIT = "credit"

    @property
    def sign(self) -> int:
        """What a positive (credit) amount does to a balance of this side."""
        return 1 if self is Side.CREDIT else -1


class Status(Enum):
    """`debits_frozen` takes money in and lets none out; `frozen` takes neither."""

    OPEN = "open"
    DEBITS_FROZEN = "debits_frozen"
    FROZEN = "frozen"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Account:
    """What an account is. `floor_minor` is the lowest balance it may be left with (minus the overdraft limit), or None.

    `chart` is its place in the chart of accounts, from the root down: `liabilities:deposits:demand`.
    """

    id: int
    asset: str
    side: Side
    chart: str
    opened_on: date
    floor_minor: int | None = 0
    owner: str | None = None
    status: Status = Status.OPEN
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Posting:
    """One leg. `amount_minor` is signed: positive credits the account, negative debits it."""

    account: int
    asset: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Capture:
    """The entry is paid out of this hold; `final` gives back what is left of it."""

    account: int
    hold: UUID
    final: bool = True


@dataclass(frozen=True, slots=True)
class Entry:
    """`id` is chosen by the caller and makes posting idempotent. `linked` ties it to the next command of its batch."""

    id: UUID
    kind: str
    value_date: date
    postings: tuple[Posting, ...]
    memo: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    reverses: UUID | None = None
    capture: Capture | None = None
    linked: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """Reserve an amount of an account until `expires_at`, for a capture to come."""

    id: UUID
    account: int
    asset: str
    amount_minor: int
    expires_at: datetime | None = None
    linked: bool = False


@dataclass(frozen=True, slots=True)
class Release:
    """Give back what is left of a hold: because it is not needed (`expired` false), or because its time has passed."""

    account: int
    hold: UUID
    expired: bool = False
    linked: bool = False


Command = Entry | Hold | Release


class HoldStatus(Enum):
    ACTIVE = "active"
    CAPTURED = "captured"
    RELEASED = "released"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class HeldAmount:
    """A hold as the books have it."""

    id: UUID
    account: int
    amount_minor: int
    remaining_minor: int
    status: HoldStatus
    placed_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Balance:
    """Where an account stands, on its own side. `available_minor` is None where no floor binds the account."""

    account: int
    posted_minor: int
    held_minor: int
    floor_minor: int | None
    sequence: int

    @property
    def available_minor(self) -> int | None:
        return None if self.floor_minor is None else self.posted_minor - self.held_minor - self.floor_minor


@dataclass(frozen=True, slots=True)
class Done:
    """The command took effect, now or (`replayed`) before; `balances` are those it left behind."""

    id: UUID
    booked_at: datetime
    balances: tuple[Balance, ...]
    replayed: bool = False


Outcome = Done | Refusal


@dataclass(frozen=True, slots=True)
class BookedPosting:
    """One leg in the books; `balance_minor` is the account's balance just after it, `sequence` its place there."""

    account: int
    sequence: int
    entry: UUID
    amount_minor: int
    balance_minor: int
    booked_at: datetime
    value_date: date


@dataclass(frozen=True, slots=True)
class BookedEntry:
    """An entry in the books, with its legs in the order the caller gave them."""

    id: UUID
    kind: str
    value_date: date
    booked_at: datetime
    accounts: tuple[int, ...]
    amounts_minor: tuple[int, ...]
    sequences: tuple[int, ...]
    memo: str | None
    details: Mapping[str, str]
    reverses: UUID | None
    capture: Capture | None
