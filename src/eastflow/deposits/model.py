"""The nouns of deposits: contracts of customers with a product, orders of a court, pledges, and what was done."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from uuid import UUID

from eastflow.ledger import Status
from eastflow.products import OVERDRAFT_INTEREST, Accrual, AtMaturity, Contract, ProductKind, Terms

AUTHORITY_CHARACTERS_MAX = 200
PLEDGE_CHARACTERS_MAX = 200
CERTIFICATE_CHARACTERS_MAX = 200
HEIRS_MAX = 50
INTEREST_KIND = "interest"
"""The kind of the entries that credit interest."""
INTEREST_KINDS = (INTEREST_KIND, OVERDRAFT_INTEREST)
"""Of what a settlement books: what was earned, and what an overdraft has cost."""


class DepositStatus(Enum):
    """`dormant`: nothing has moved for long; money comes in, none goes out until it is woken. `frozen`: a court's order
    stands that lets none out."""

    OPEN = "open"
    DORMANT = "dormant"
    FROZEN = "frozen"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Opening:
    """A contract to be opened. `id` is chosen by the caller; `account` is a number of theirs, or None for a fresh one.

    `amount_minor` of 0 opens it without money; otherwise it comes from the account `source`. `nominated` is where a
    maturing deposit is paid to.
    """

    id: UUID
    product: str
    party: UUID
    account: int | None = None
    amount_minor: int = 0
    source: int | None = None
    nominated: int | None = None
    at_maturity: AtMaturity | None = None


@dataclass(frozen=True, slots=True)
class Deposit:
    """A contract as it stands. `accrued_through` is the day before which the interest of `contract` is counted."""

    id: UUID
    account: int
    party: UUID
    product: str
    version: int
    asset: str
    kind: ProductKind
    status: DepositStatus
    opened_on: date
    terms_since: date
    nominated: int | None
    contract: Contract


@dataclass(frozen=True, slots=True)
class Executed:
    """What a request came to: the contract after it, the ledger's entries, and whether it had been done before."""

    id: UUID
    deposit: Deposit
    entries: tuple[UUID, ...]
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """An heir's part, `weight` of the sum of all weights, paid to an account the heir owns."""

    party: UUID
    account: int
    weight: int


@dataclass(frozen=True, slots=True)
class Order:
    """An order of a court or another authority. `amount_minor` None freezes the whole account.

    It stands from `placed_on` until the day `expires_on` (excluded), unless it is ended before. Orders stand in the
    order of their `rank`. `held_minor` is what is kept for it; where that is less than its amount, nothing leaves the
    account.
    """

    id: UUID
    account: int
    authority: str
    amount_minor: int | None
    expires_on: date
    placed_on: date
    rank: int = 1
    held_minor: int = 0
    holds: tuple[UUID, ...] = ()
    ended_on: date | None = None

    @property
    def short_minor(self) -> int:
        """What it freezes beyond what is held for it."""
        return 0 if self.amount_minor is None else self.amount_minor - self.held_minor


class Ground(Enum):
    """Why a pledge is over. `consent`: its pledgee let go. `staff`: the bank did, for a reason it gives. `expired`: its
    day came."""

    CONSENT = "consent"
    STAFF = "staff"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Pledge:
    """What the owner has agreed to keep for a pledgee: a `party` of the bank, or somebody `pledgee` names.

    It stands from `placed_on` until the day `expires_on` (excluded), if it has one, or until it is released. Pledges
    stand behind every order of a court, and in the order of their `rank` among themselves. What is kept for it
    (`held_minor`) is less than its amount only where an order has taken it.
    """

    id: UUID
    account: int
    agreement: str
    amount_minor: int
    placed_on: date
    placed_by: str
    pledgee: str | None = None
    party: UUID | None = None
    expires_on: date | None = None
    rank: int = 1
    held_minor: int = 0
    holds: tuple[UUID, ...] = ()
    ended_on: date | None = None
    ground: Ground | None = None
    reason: str | None = None
    released_by: str | None = None

    @property
    def short_minor(self) -> int:
        return self.amount_minor - self.held_minor


Claim = Order | Pledge
"""What keeps money on an account."""


@dataclass(frozen=True, slots=True)
class Beneath:
    """What stands on an account beneath the orders that freeze it: a sleeping contract (`asleep`), and the status in
    which others, who gave no order here, have left the account (`others`)."""

    asleep: bool
    others: Status


@dataclass(frozen=True, slots=True)
class AccrualRow:
    """Where the interest of a demand contract stands: of the postings up to `sequence`, since `settled_on`."""

    account: int
    terms_number: int
    status: DepositStatus
    settled_on: date
    open_day: date
    through: date
    moved_on: date
    sequence: int
    balance_minor: int
    numerator: int
    debit_numerator: int = 0

    @property
    def accrual(self) -> Accrual:
        return Accrual(self.through, self.balance_minor, self.numerator, self.debit_numerator)

    def counted(self, accrual: Accrual, sequence: int) -> AccrualRow:
        """The row with the interest as `accrual` has it, by the postings up to `sequence`."""
        return replace(
            self,
            through=accrual.through,
            balance_minor=accrual.balance_minor,
            numerator=accrual.numerator,
            debit_numerator=accrual.debit_numerator,
            sequence=sequence,
        )


@dataclass(frozen=True, slots=True)
class Held:
    """The terms that a contract stood under from `since` on."""

    since: date
    terms: Terms


CorrectionKey = tuple[int, date, int]


@dataclass(frozen=True, slots=True)
class Correction:
    """What the settlement of `settled_on` fell short by (`kind` of `INTEREST_KINDS`): to the customer, or from them
    where it is negative. Not `booked`, it is owed. `number` counts the corrections of that settlement from 1."""

    account: int
    settled_on: date
    number: int
    kind: str
    amount_minor: int
    booked: bool = False

    @property
    def key(self) -> CorrectionKey:
        return self.account, self.settled_on, self.number


@dataclass(frozen=True, slots=True)
class StepDone:
    """How far a step of a business date has come in one part of the accounts."""

    business_date: date
    step: str
    part: int
    parts: int
    last_account: int = 0
    accounts: int = 0
    done: bool = False
