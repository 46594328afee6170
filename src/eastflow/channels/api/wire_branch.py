"""What the branch's operations take and give over the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct, convert

from eastflow import branch
from eastflow.branch import Form, PlaceKind, TellerRole, TransferStatus, VoucherKind, VoucherStatus

from . import wire

SESSION = "019b8f2e-7c00-7000-8000-0000000000c1"
ID = "019b8f2e-7c00-7000-8000-0000000000c2"
BRANCH_EXAMPLE = {"code": "north", "name": "North street"}
TELLER_EXAMPLE = {"code": "t01", "branch": "north", "name": "Zhang Wei", "role": "teller", "actor": "key of t01"}
SESSION_EXAMPLE = {
    "id": SESSION, "teller": "t01", "business_date": "2026-01-05", "signed_on_at": "2026-01-05T08:30:00Z",
    "signed_off_at": None,
}  # fmt: skip
CASH_EXAMPLE = {"asset": "CNY", "pieces": [{"form": "note", "value_minor": 10000, "count": 5}]}
DRAWER_EXAMPLE = {"kind": "drawer", "code": "t01"}
VAULT_EXAMPLE = {"kind": "vault", "code": "north"}
STOCK_EXAMPLE = {
    "place": DRAWER_EXAMPLE, "account": 9000000000000007, "cash": CASH_EXAMPLE, "amount_minor": 50000, "counted": False,
}  # fmt: skip
VOUCHER_EXAMPLE = {
    "id": ID, "kind": "cash_in", "session": SESSION, "teller": "t01", "place": DRAWER_EXAMPLE, "cash": CASH_EXAMPLE,
    "change_minor": 50000, "account": 1001, "status": "booked", "asked_at": "2026-01-05T09:00:00Z", "expires_at": None,
    "ended_by": None, "ended_at": "2026-01-05T09:00:00Z", "closes": None, "reverses": None, "reversed_by": None,
}  # fmt: skip
TRANSFER_EXAMPLE = {
    "id": ID, "sender": VAULT_EXAMPLE, "receiver": DRAWER_EXAMPLE, "cash": CASH_EXAMPLE, "whole": False,
    "status": "in_transit", "issued_by": "s01", "issued_at": "2026-01-05T08:35:00Z", "ended_by": None, "ended_at": None,
}  # fmt: skip

Code = Annotated[str, Meta(pattern="^[a-z0-9_]{1,32}$", extra_json_schema={"examples": ["north"]})]
Name = Annotated[str, Meta(min_length=1, max_length=branch.NAME_CHARACTERS_MAX)]


class NewBranch(Struct, frozen=True, forbid_unknown_fields=True):
    code: Code
    name: Name


class NewLimit(Struct, frozen=True, forbid_unknown_fields=True):
    """Above `above_minor` of the asset a movement of customers' cash needs a second person. Without one, all do."""

    asset: wire.AssetCode
    above_minor: wire.Minor


class Limits(Struct, frozen=True):
    branch: str
    above_minor: Mapping[str, int]


class NewTeller(Struct, frozen=True, forbid_unknown_fields=True):
    """`actor` is the name of the key by which this teller signs on; no other teller has it."""

    code: Code
    branch: Code
    name: Name
    role: TellerRole
    actor: Annotated[str, Meta(min_length=1, max_length=branch.ACTOR_CHARACTERS_MAX)]


class NewSession(Struct, frozen=True, forbid_unknown_fields=True):
    id: UUID
    teller: Code


class Pieces(Struct, frozen=True, forbid_unknown_fields=True):
    form: Form
    value_minor: wire.Minor
    count: Annotated[int, Meta(extra_json_schema={"minimum": 0, "maximum": branch.COUNT_MAX})]


class Cash(Struct, frozen=True, forbid_unknown_fields=True):
    """Notes and coins by the piece."""

    asset: wire.AssetCode
    pieces: tuple[Pieces, ...] = ()


class Place(Struct, frozen=True, forbid_unknown_fields=True):
    """The vault of a branch or the drawer of a teller, by the code of either."""

    kind: PlaceKind
    code: Annotated[str, Meta(min_length=1, max_length=32)]


class NewCash(Struct, frozen=True, forbid_unknown_fields=True):
    """Of a customer: paid into the account, or with `out` taken out of it. `id` makes it idempotent."""

    id: UUID
    session: UUID
    account: wire.AccountNumber
    cash: Cash
    out: bool = False
    identification_seen: bool = False


class NewCount(Struct, frozen=True, forbid_unknown_fields=True):
    """All cash of one asset in a place, as it was counted."""

    id: UUID
    session: UUID
    place: Place
    cash: Cash


class NewShipment(Struct, frozen=True, forbid_unknown_fields=True):
    """Of the vault, from other banks or with `out` to them."""

    id: UUID
    session: UUID
    cash: Cash
    out: bool = False


class NewClose(Struct, frozen=True, forbid_unknown_fields=True):
    """All cash of one asset in the drawer of a teller who is absent, as the supervisor in `session` counted it."""

    id: UUID
    session: UUID
    cash: Cash


class NewReversal(Struct, frozen=True, forbid_unknown_fields=True):
    id: UUID
    session: UUID


class InSession(Struct, frozen=True, forbid_unknown_fields=True):
    session: UUID


class NewTransfer(Struct, frozen=True, forbid_unknown_fields=True):
    """With `whole` the cash is all of its asset in the drawer, counted: the drawer is handed over."""

    id: UUID
    session: UUID
    sender: Place
    receiver: Place
    cash: Cash
    whole: bool = False


class Counted(Struct, frozen=True, forbid_unknown_fields=True):
    """What was counted on arrival: it must be what was issued."""

    session: UUID
    cash: Cash


class Branch(Struct, frozen=True):
    code: str
    name: str


class BranchPage(Struct, frozen=True):
    branches: list[Branch]
    cursor: str | None


class Teller(Struct, frozen=True):
    code: str
    branch: str
    name: str
    role: TellerRole
    actor: str


class TellerPage(Struct, frozen=True):
    tellers: list[Teller]
    cursor: str | None


class Session(Struct, frozen=True):
    id: UUID
    teller: str
    business_date: date
    signed_on_at: datetime
    signed_off_at: datetime | None


class Stock(Struct, frozen=True):
    """`counted`: nothing moved since it was counted and found right."""

    place: Place
    account: int
    cash: Cash
    amount_minor: int
    counted: bool


class Stocks(Struct, frozen=True):
    stocks: list[Stock]


class Voucher(Struct, frozen=True):
    """`change_minor` is by how much the place's balance changes, once booked; of a close, the difference to the books.
    `closes` is the session that a close ends. A reversal `reverses` a voucher, which is then `reversed_by` it."""

    id: UUID
    kind: VoucherKind
    session: UUID
    teller: str
    place: Place
    cash: Cash
    change_minor: int
    account: int | None
    status: VoucherStatus
    asked_at: datetime
    expires_at: datetime | None
    ended_by: str | None
    ended_at: datetime | None
    closes: UUID | None
    reverses: UUID | None
    reversed_by: UUID | None


class Total(Struct, frozen=True):
    """How often the place's cash was moved in that way, and by how much in all."""

    what: str
    place: Place
    asset: str
    count: int
    change_minor: int


class Journal(Struct, frozen=True):
    """A session's vouchers and cash transfers in order of time, what they add up to, and the drawer around them."""

    session: Session
    opening: list[Cash]
    closing: list[Cash]
    totals: list[Total]
    vouchers: list[Voucher]
    transfers: list[Transfer]


class VoucherPage(Struct, frozen=True):
    vouchers: list[Voucher]
    cursor: str | None


class Transfer(Struct, frozen=True):
    id: UUID
    sender: Place
    receiver: Place
    cash: Cash
    whole: bool
    status: TransferStatus
    issued_by: str
    issued_at: datetime
    ended_by: str | None
    ended_at: datetime | None


class TransferPage(Struct, frozen=True):
    transfers: list[Transfer]
    cursor: str | None


class OneBranch(Struct, frozen=True, forbid_unknown_fields=True):
    branch: Code


class OneSession(Struct, frozen=True, forbid_unknown_fields=True):
    session: UUID


class OneVoucher(Struct, frozen=True, forbid_unknown_fields=True):
    voucher: UUID


class OneTransfer(Struct, frozen=True, forbid_unknown_fields=True):
    transfer: UUID


class OnePlace(Struct, frozen=True, forbid_unknown_fields=True):
    kind: PlaceKind
    code: Code


class PageOnly(Struct, frozen=True, forbid_unknown_fields=True):
    limit: wire.Limit = 100
    cursor: wire.Cursor | None = None


class TellerList(Struct, frozen=True, forbid_unknown_fields=True):
    branch: Code
    limit: wire.Limit = 100
    cursor: wire.Cursor | None = None


class VoucherList(Struct, frozen=True, forbid_unknown_fields=True):
    session: UUID
    limit: wire.Limit = 100
    cursor: wire.Cursor | None = None


def cash(given: Cash) -> branch.Cash:
    return branch.Cash(
        given.asset, tuple(branch.Pieces(each.form, each.value_minor, each.count) for each in given.pieces)
    )


def voucher_of(found: branch.Voucher, at: datetime) -> Voucher:
    """As it is at that moment: one that waited too long has expired."""
    return convert(replace(found, status=found.status_at(at)), Voucher, from_attributes=True)


def place(given: Place) -> branch.Place:
    return branch.Place(given.kind, given.code)


def branch_of(found: branch.Branch) -> Branch:
    return Branch(found.code, found.name)


def teller_of(found: branch.Teller) -> Teller:
    return convert(found, Teller, from_attributes=True)


def session_of(found: branch.Session) -> Session:
    return convert(found, Session, from_attributes=True)


def journal_of(found: branch.Journal, at: datetime) -> Journal:
    """As it is at that moment."""
    return Journal(
        session_of(found.session),
        convert(found.opening, list[Cash], from_attributes=True),
        convert(found.closing, list[Cash], from_attributes=True),
        convert(found.totals, list[Total], from_attributes=True),
        [voucher_of(each, at) for each in found.vouchers],
        [transfer_of(each) for each in found.transfers],
    )


def stock_of(found: branch.Stock) -> Stock:
    return convert(
        {
            "place": found.place,
            "account": found.account,
            "cash": found.cash,
            "amount_minor": found.cash.amount_minor,
            "counted": found.counted,
        },
        Stock,
        from_attributes=True,
    )


def transfer_of(found: branch.Transfer) -> Transfer:
    return convert(found, Transfer, from_attributes=True)
