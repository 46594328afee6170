"""The nouns of the webhooks: endpoints that are told, events that happened, deliveries of one to the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

ENTRY_BOOKED = "ledger.entry_booked"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Without its secret. `kinds` and `accounts` narrow what it is told; None is everything."""

    id: UUID
    url: str
    kinds: frozenset[str] | None
    accounts: frozenset[int] | None
    created_at: datetime
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """`payload` is the JSON that is sent and signed; `id` stays the same however often it is sent."""

    id: UUID
    type: str
    kind: str
    accounts: frozenset[int]
    payload: str


@dataclass(frozen=True, slots=True)
class EventPage:
    """`cursor` goes on after the last event; with no new events it asks again from the same place."""

    events: tuple[Event, ...]
    cursor: str


class DeliveryStatus(Enum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one endpoint. `last_status` is the last answer's HTTP status, None where no answer came."""

    endpoint: UUID
    position: int
    event: UUID
    event_type: str
    accounts: frozenset[int]
    status: DeliveryStatus
    attempts: int
    next_attempt_at: datetime
    last_status: int | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the choice of deliveries to send rests on."""

    position: int
    accounts: frozenset[int]
    next_attempt_at: datetime


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that one dispatcher sends now; `attempts` counts this one."""

    position: int
    event: UUID
    payload: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Sending:
    """Deliveries claimed together, where they go and the secrets that sign them, the newest first."""

    endpoint: UUID
    url: str
    secrets: tuple[str, ...]
    claimed: tuple[Claimed, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the HTTP status, None where none came, and the pause asked for, if any."""

    status: int | None
    retry_after_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """How far the ledger has been read: the last whole block of each chain, and how many entries of the next block
    (`block`, as chain and number) were given besides."""

    numbers: Mapping[int, int]
    block: tuple[int, int] | None = None
    entries: int = 0
