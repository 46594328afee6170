"""The nouns of verification: what another bank is asked of an account there, and how it answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from uuid import UUID

from ..records.model import Document

BANK_CHARACTERS_MAX = 35
ACCOUNT_CHARACTERS_MAX = 34
"""Max34Text of ISO 20022, the length of an account's identification."""
VERIFICATION_DAYS = 30
"""How long an answer is waited for: the bank's own choice, no law's."""


class Element(Enum):
    """The five that are compared; that these are the five of 银发〔2016〕302号 is recalled, not checked.
    `class_one`: the account is of class I."""

    NAME = "name"
    DOCUMENT = "document"
    PHONE = "phone"
    ACCOUNT = "account"
    CLASS_ONE = "class_one"


class ElementResult(Enum):
    """`unknown`: who was asked holds nothing to compare it with."""

    MATCHES = "matches"
    DIFFERS = "differs"
    UNKNOWN = "unknown"


Results = Mapping[Element, ElementResult]


class VerificationStatus(Enum):
    """`confirmed`: all five elements match, and the account is bound. `expired`: not answered in time. `ended`: bound
    once, and no more."""

    ASKED = "asked"
    CONFIRMED = "confirmed"
    DENIED = "denied"
    EXPIRED = "expired"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Elements:
    """What another bank is asked to compare. `bank` is its BIC or national code, `account` the number there."""

    name: str
    document: Document
    phone: str
    bank: str
    account: str


@dataclass(frozen=True, slots=True)
class Verification:
    """Asked for an account here, that is to be bound to the one there. It can be answered until `expires_on`, that day
    included. `message_id` names what it was sent in."""

    id: UUID
    account: int
    party: UUID
    elements: Elements
    status: VerificationStatus
    asked_on: date
    expires_on: date
    asked_by: str
    message_id: str | None = None
    results: Results | None = None
    answered_on: date | None = None
    answered_by: str | None = None
