"""The nouns of records: documents, contact points, channel identities, consents, levels, risk classes, former names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from uuid import UUID

from ..model import Channel

NUMBER_CHARACTERS_MAX = 64
ADDRESS_CHARACTERS_MAX = 500
PURPOSE_CHARACTERS_MAX = 100


class DocumentKind(Enum):
    IDENTITY_CARD = "identity_card"
    PASSPORT = "passport"
    RESIDENCE_PERMIT = "residence_permit"
    DRIVING_LICENCE = "driving_licence"
    BUSINESS_LICENCE = "business_licence"


class ContactKind(Enum):
    PHONE = "phone"
    EMAIL = "email"
    ADDRESS = "address"


class IdentificationLevel(Enum):
    """`none`: nothing was checked. `remote`: checked without meeting. `face_to_face`: staff have seen the person."""

    NONE = "none"
    REMOTE = "remote"
    FACE_TO_FACE = "face_to_face"


class RiskClass(Enum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    PROHIBITED = "prohibited"


@dataclass(frozen=True, slots=True)
class Document:
    """An official document. `country` is the code of who issued it (ISO 3166-1 alpha-2), `expires_on` the last day on
    which it is good; `verified`: checked with the issuer or a register, not merely shown."""

    kind: DocumentKind
    number: str
    country: str
    expires_on: date | None = None
    verified: bool = False


@dataclass(frozen=True, slots=True)
class ContactPoint:
    """Where the party can be reached. `verified`: it was, and answered."""

    kind: ContactKind
    value: str
    verified: bool = False


@dataclass(frozen=True, slots=True)
class ChannelIdentity:
    """Who the party is in one channel: an app's login, a telephone number that writes messages, a card, a visit's
    number at a branch."""

    channel: Channel
    identifier: str


@dataclass(frozen=True, slots=True)
class Consent:
    """The party allows what is named, from the day it was granted; `until` is the first day it no longer does."""

    purpose: str
    granted_on: date
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Identification:
    """How surely the bank knows the party."""

    level: IdentificationLevel


@dataclass(frozen=True, slots=True)
class Risk:
    """The party's risk class as the bank has judged it, and why."""

    risk_class: RiskClass
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Former:
    """What the party was called, and when born, until that was corrected by the `correction` of this id, and why."""

    correction: UUID
    name: str
    born_on: date | None
    reason: str


Content = Document | ContactPoint | ChannelIdentity | Consent | Identification | Risk | Former


@dataclass(frozen=True, slots=True)
class Record:
    """One thing held of a party, by number from 1; `ended_at` when it was withdrawn or another took its place."""

    number: int
    content: Content
    added_at: datetime
    added_by: str
    ended_at: datetime | None = None
    ended_by: str | None = None
