"""The nouns of customers: parties the bank knows, and the roles they have on accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from uuid import UUID

NAME_CHARACTERS_MAX = 200
REFERENCE_CHARACTERS_MAX = 100


class PartyKind(Enum):
    PERSON = "person"
    ORGANISATION = "organisation"


class RoleKind(Enum):
    """`owner`: it is theirs. `disponent`: the owner lets them use it. `guardian`: the law lets them act for one."""

    OWNER = "owner"
    DISPONENT = "disponent"
    GUARDIAN = "guardian"


class Channel(Enum):
    """The way in by which a customer meets the bank. `system`: none of them, the bank does it by itself."""

    BRANCH = "branch"
    APP = "app"
    API = "api"
    MESSAGE = "message"
    CARD = "card"
    WALLET = "wallet"
    MACHINE = "machine"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Party:
    """A person or an organisation. `id` is chosen by the caller and makes registering idempotent.

    `born_on` of an organisation is the day it was founded; `reference` is its customer number in another system;
    `opened_on` is the day it became known to the bank. Of one that has been erased only its id, kind and that day are
    left.
    """

    id: UUID
    kind: PartyKind
    name: str
    opened_on: date
    born_on: date | None = None
    reference: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Role:
    """What a party may be to an account, from `since` on. `until` is the first day it no longer is, None if open."""

    party: UUID
    account: int
    kind: RoleKind
    since: date
    until: date | None = None

    def stands_on(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day < self.until)
