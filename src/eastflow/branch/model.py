"""The nouns of the branch: its people, its cash by the piece, and the vouchers and transfers that move it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
    vault's from and to other banks; `close`: of an absent teller's drawer, counted and brought to the vault;
    `reversal`: of a customer's cash that was keyed in wrongly."""

    CASH_IN = "cash_in"
    CASH_OUT = "cash_out"
    COUNT = "count"
    SHIPMENT_IN = "shipment_in"
    SHIPMENT_OUT = "shipment_out"
    CLOSE = "close"
    REVERSAL = "reversal"


class VoucherStatus(Enum):
    """`pending`: waits for a second person. Only what is `booked` has moved anything."""

    PENDING = "pending"
    BOOKED = "booked"
    DECLINED = "declined"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Voucher:
    """What a teller did, or asks a second person to confirm. `cash` is what was handed over, or what was counted.

    `change_minor` is by how much the place's balance changes: of a count or close, the difference to the books.
    `closes` is the session of the absent teller. A reversal `reverses` a voucher, which is `reversed_by` it.
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
    closes: UUID | None = None
    reverses: UUID | None = None
    reversed_by: UUID | None = None

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


@dataclass(frozen=True, slots=True)
class Total:
    """How often a place's cash of one asset was moved in one way, and by how much in all."""

    what: str
    place: Place
    asset: str
    count: int
    change_minor: int


@dataclass(frozen=True, slots=True)
class Journal:
    """What a teller did in a session, in order of time, between the drawer as it was found and as it was left.

    `opening` and `closing` are the cash of the drawer by the piece, asset by asset; `closing` is as of now until the
    session is signed off; neither was kept of sessions that are older than journals. `vouchers` are those of the
    session, and those that closed it for an absent teller; `transfers` came to the drawer or went from it.
    """

    session: Session
    opening: tuple[Cash, ...]
    closing: tuple[Cash, ...]
    vouchers: tuple[Voucher, ...]
    transfers: tuple[Transfer, ...]

    @property
    def drawer(self) -> Place:
        return Place(PlaceKind.DRAWER, self.session.teller)

    @property
    def totals(self) -> tuple[Total, ...]:
        """Of what was booked. Those of the drawer are the difference between its opening and its closing."""
        found: dict[tuple[str, Place, str], list[int]] = {}
        for what, place, asset, change_minor in self._moves():
            found.setdefault((what, place, asset), []).append(change_minor)
        return tuple(Total(*key, len(changes), sum(changes)) for key, changes in found.items())

    def _moves(self) -> Iterator[tuple[str, Place, str, int]]:
        for voucher in self.vouchers:
            if voucher.status is VoucherStatus.BOOKED:
                to_vault_minor = voucher.cash.amount_minor if voucher.kind is VoucherKind.CLOSE else 0
                yield voucher.kind.value, voucher.place, voucher.cash.asset, voucher.change_minor - to_vault_minor
        for transfer in self.transfers:
            asset, amount_minor = transfer.cash.asset, transfer.cash.amount_minor
            if transfer.sender != self.drawer:
                yield "receive", self.drawer, asset, amount_minor
                continue
            if self._covers(transfer.issued_at):
                yield "issue", self.drawer, asset, -amount_minor
            if transfer.status is TransferStatus.TAKEN_BACK and transfer.ended_at and self._covers(transfer.ended_at):
                yield "take_back", self.drawer, asset, amount_minor

    def _covers(self, at: datetime) -> bool:
        began, ended = self.session.signed_on_at, self.session.signed_off_at
        return began <= at and (ended is None or at <= ended)
