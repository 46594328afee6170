"""The nouns of flows: a customer onboarded in one go, and an application that goes from channel to channel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from uuid import UUID

from eastflow.customers import Channel, Party

PRODUCT_CHARACTERS_MAX = 64
BRANCH_CHARACTERS_MAX = 32
APPLICATION_DAYS = 30
"""So long may an application wait for its next step."""


@dataclass(frozen=True, slots=True)
class Onboarding:
    """A new customer, an account and its first money. `id` is chosen by the caller and makes it idempotent.

    `amount_minor` of 0 opens the account empty; other money comes from another bank, by the bank's clearing account.
    """

    id: UUID
    party: Party
    product: str
    amount_minor: int
    channel: Channel
    by: str


@dataclass(frozen=True, slots=True)
class Onboarded:
    id: UUID
    party: UUID
    account: int
    asset: str
    amount_minor: int
    replayed: bool


class ApplicationStatus(Enum):
    OPEN = "open"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Parts:
    """What an application to open an account needs: whose it is to be, and of which product. `branch` is the code of
    the branch that the customer wants to go to, `amount_minor` what the customer means to pay in; both may be missing.
    """

    party: UUID | None = None
    product: str | None = None
    branch: str | None = None
    amount_minor: int | None = None


NEEDED = ("party", "product")


@dataclass(frozen=True, slots=True)
class Application:
    """Work that is begun in one channel and finished in another. `reference` is what the customer is told; `account`
    what came of it."""

    id: UUID
    reference: int
    parts: Parts
    begun_at: datetime
    expires_on: date
    status: ApplicationStatus = ApplicationStatus.OPEN
    account: int | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(name for name in NEEDED if getattr(self.parts, name) is None)

    def status_on(self, day: date) -> ApplicationStatus:
        late = self.status is ApplicationStatus.OPEN and self.expires_on <= day
        return ApplicationStatus.EXPIRED if late else self.status


class StepKind(Enum):
    BEGUN = "begun"
    SUPPLIED = "supplied"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Step:
    """What was done to an application, when, by whom and where; `parts` names what was given."""

    number: int
    kind: StepKind
    channel: Channel
    by: str
    at: datetime
    parts: tuple[str, ...] = ()
