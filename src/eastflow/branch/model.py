"""The nouns of the branch: its people, its cash by the piece, and the vouchers and transfers that move it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from uuid import UUID

NAME_CHARACTERS_MAX = 200
ACTOR_CHARACTERS_MAX = 100
COUNT_MAX = 1_000_000_000
CONFIRMATION_MINUTES = 15
"""So long may a voucher wait for the second person."""


class Form(Enum):
    NOTE = "note"
    COIN = "coin"


@dataclass(frozen=True, slots=True)
class Denomination:
    """A note or a coin of so many minor units."""

    form: Form
    value_minor: int


def _money(*, notes: Iterable[int], coins: Iterable[int]) -> tuple[Denomination, ...]:
    return (*(Denomination(Form.NOTE, value) for value in notes), *(Denomination(Form.COIN, value) for value in coins))


DENOMINATIONS: Mapping[str, tuple[Denomination, ...]] = {
    "CNY": _money(
        notes=(10_000, 5_000, 2_000, 1_000, 500, 100, 50, 10),
        coins=(100, 50, 10, 5, 2, 1),
    ),
    "CZK": _money(
        notes=(500_000, 200_000, 100_000, 50_000, 20_000, 10_000),
        coins=(5_000, 2_000, 1_000, 500, 200, 100),
    ),
    "USD": _money(notes=(10_000, 5_000, 2_000, 1_000, 500, 200, 100), coins=(100, 50, 25, 10, 5, 1)),
}
"""The notes and coins a branch takes, the largest first. Recalled, not checked against the issuers' lists."""

IDENTIFICATION_FROM_MINOR: Mapping[str, int] = {"CNY": 1_000_000, "USD": 100_000}
"""Cash from this amount on needs the customer's identification seen; of an asset not named, any amount does. Recalled,
not checked: PBoC and others, Order 2007 No. 2 (one-off cash of 10,000 yuan or 1,000 US dollars and more)."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """So many of one note or coin."""

    form: Form
    value_minor: int
    count: int


@dataclass(frozen=True, slots=True)
class Cash:
    """Notes and coins of one asset. Kept in one order (see `tidy`), so that equal cash is equal."""

    asset: str
    pieces: tuple[Pieces, ...] = ()

    @property
    def amount_minor(self) -> int:
        return sum(each.value_minor * each.count for each in self.pieces)


class PlaceKind(Enum):
    VAULT = "vault"
    DRAWER = "drawer"


@dataclass(frozen=True, slots=True)
class Place:
    """Where cash lies: the vault of a branch, or the drawer of a teller, by the code of either."""

    kind: PlaceKind
    code: str

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.code}"

    @property
    def chart(self) -> str:
        return f"assets:cash:{self}"


class TellerRole(Enum):
    """A supervisor has the vault, and is the second person where two are needed."""

    TELLER = "teller"
    SUPERVISOR = "supervisor"


@dataclass(frozen=True, slots=True)
class Branch:
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Teller:
    """`actor` is who may sign on as this teller: the name of a key, which no other teller shares."""

    code: str
    branch: str
    name: str
    role: TellerRole
    actor: str


@dataclass(frozen=True, slots=True)
class Session:
    """A teller at work on one business date, from signing on with a drawer to signing off."""

    id: UUID
    teller: str
    business_date: date
    signed_on_at: datetime
    signed_off_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stock:
    """The cash of one asset in one place. `counted` says that nothing moved since it was counted and found right;
    `version` counts its changes."""

    place: Place
    account: int
    cash: Cash
    counted: bool
    version: int


class VoucherKind(Enum):
    """`cash_in`, `cash_out`: a customer's; `count`: of a place against its books; `shipment_in`, `shipment_out`: a
    vault's from and to other banks."""

    CASH_IN = "cash_in"
    CASH_OUT = "cash_out"
    COUNT = "count"
    SHIPMENT_IN = "shipment_in"
    SHIPMENT_OUT = "shipment_out"


class VoucherStatus(Enum):
    """`pending`: waits for a second person. Only what is `booked` has moved anything."""

    PENDING = "pending"
    BOOKED = "booked"
    DECLINED = "declined"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Voucher:
    """What a teller did, or asks a second person to confirm. `cash` is what was handed over, or what was counted.

    `change_minor` is by how much the place's balance changes: of a count, the difference to the books.
    """

    id: UUID
    kind: VoucherKind
    session: UUID
    teller: str
    place: Place
    cash: Cash
    change_minor: int
    asked_at: datetime
    account: int | None = None
    identification_seen: bool = False
    status: VoucherStatus = VoucherStatus.PENDING
    stock_version: int = 0
    expires_at: datetime | None = None
    ended_by: str | None = None
    ended_at: datetime | None = None

    def status_at(self, at: datetime) -> VoucherStatus:
        late = self.expires_at is not None and self.expires_at <= at
        return VoucherStatus.EXPIRED if late and self.status is VoucherStatus.PENDING else self.status


class TransferStatus(Enum):
    IN_TRANSIT = "in_transit"
    RECEIVED = "received"
    TAKEN_BACK = "taken_back"


@dataclass(frozen=True, slots=True)
class Transfer:
    """Cash on its way between two places of a branch: one person issues it, another receives it."""

    id: UUID
    sender: Place
    receiver: Place
    cash: Cash
    issued_by: str
    issued_at: datetime
    whole: bool = False
    status: TransferStatus = TransferStatus.IN_TRANSIT
    ended_by: str | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Counter:
    """A session with whose it is: what a verb asks of whoever acts."""

    session: Session
    teller: Teller
    limits_minor: Mapping[str, int] = field(default_factory=dict)
    """By asset: above it, and for any asset not named, a cash movement needs a second person."""
