"""What goes over the wire, and how it becomes the ledger's nouns and comes from them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from eastflow import ledger
from eastflow.kernel import EXACT_JSON_INTEGER_MAX, INT64_MAX, Refusal

from .problems import Problem
from .refusals import ApiRefusal

PAGE_MAX = 1_000
YEAR_MIN, YEAR_MAX = 1900, 2999
"""Moments and days asked for lie in these years, so that a day's margin on either side is still a day."""

_Content = TypeVar("_Content")


def _described(**schema: object) -> Meta:
    """For the contract only: the ledger itself judges the value, and refuses it with its own code."""
    return Meta(extra_json_schema=dict(schema))


# A body's numbers are not bounded here: the ledger has a refusal of its own for each that does not fit.
AccountNumber = Annotated[int, _described(minimum=1, maximum=EXACT_JSON_INTEGER_MAX, examples=[1001])]
Minor = Annotated[int, _described(format="int64", examples=[12500])]
AssetCode = Annotated[str, _described(pattern="^[A-Z][A-Z0-9]{2,15}$", examples=["CZK"])]
Kind = Annotated[str, _described(pattern="^[a-z][a-z0-9_.]{0,63}$", examples=["transfer"])]
Memo = Annotated[str, _described(maxLength=500)]
Details = Annotated[dict[str, str], _described(maxProperties=50)]
Chart = Annotated[str, _described(pattern="^[a-z0-9_]+(:[a-z0-9_]+)*$", examples=["liabilities:deposits:demand"])]
Moment = Annotated[datetime, Meta(tz=True)]

# Parameters are bounded here, since nothing below judges them.
PathAccount = Annotated[int, Meta(ge=1, le=EXACT_JSON_INTEGER_MAX, extra_json_schema={"examples": [1001]})]
QueryText = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
QueryMinor = Annotated[int, Meta(ge=0, le=INT64_MAX)]
Limit = Annotated[int, Meta(ge=1, le=PAGE_MAX)]
Cursor = Annotated[str, Meta(min_length=1, max_length=4_000)]


class Asset(Struct, frozen=True):
    code: AssetCode
    scale: int


class NewAsset(Struct, frozen=True, forbid_unknown_fields=True):
    """`scale` is the number of decimals of the smallest unit."""

    scale: Annotated[int, _described(minimum=0, maximum=9)]


class NewAccount(Struct, frozen=True, forbid_unknown_fields=True):
    """`floor_minor` is the lowest balance the account may be left with, null for no bound."""

    id: AccountNumber
    asset: AssetCode
    side: ledger.Side
    chart: Chart
    opened_on: date
    floor_minor: Minor | None = 0
    owner: Annotated[str, _described(maxLength=100)] | None = None
    details: Details = {}


class NewAccounts(Struct, frozen=True, forbid_unknown_fields=True):
    accounts: Annotated[list[NewAccount], _described(minItems=1, maxItems=ledger.BATCH_COMMANDS_MAX)]


class AccountChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What is left out stays as it is."""

    status: ledger.Status | UnsetType = UNSET
    floor_minor: Minor | UnsetType | None = UNSET


class Posting(Struct, frozen=True, forbid_unknown_fields=True):
    """One leg. `amount_minor` is signed: positive credits the account, negative debits it."""

    account: AccountNumber
    asset: AssetCode
    amount_minor: Minor


class Capture(Struct, frozen=True, forbid_unknown_fields=True):
    """The entry is paid out of this hold; `final` gives back what is left of it."""

    account: AccountNumber
    hold: UUID
    final: bool = True


class NewEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """`id` makes posting idempotent. `linked` ties the entry to the next one of its batch."""

    id: UUID
    kind: Kind
    value_date: date
    postings: Annotated[tuple[Posting, ...], _described(minItems=2, maxItems=100)]
    memo: Memo | None = None
    details: Details = {}
    reverses: UUID | None = None
    capture: Capture | None = None
    linked: bool = False


class NewEntries(Struct, frozen=True, forbid_unknown_fields=True):
    entries: Annotated[list[NewEntry], _described(minItems=1, maxItems=ledger.BATCH_COMMANDS_MAX)]


class NewReversal(Struct, frozen=True, forbid_unknown_fields=True):
    id: UUID
    memo: Memo | None = None


class NewHold(Struct, frozen=True, forbid_unknown_fields=True):
    """Reserves an amount until `expires_at`, or until it is captured or released."""

    id: UUID
    account: AccountNumber
    asset: AssetCode
    amount_minor: Annotated[int, _described(format="int64", minimum=1)]
    expires_at: Moment | None = None


class Release(Struct, frozen=True, forbid_unknown_fields=True):
    account: AccountNumber
    hold: UUID


class Balance(Struct, frozen=True):
    """On the account's own side. `available_minor` is null where no floor binds the account."""

    account: int
    posted_minor: int
    held_minor: int
    floor_minor: int | None
    available_minor: int | None
    sequence: int


class BalanceAsked(Struct, frozen=True):
    """With `valued_on`, what is posted with a value date up to that day; holds and floors are not of a value date."""

    account: int
    posted_minor: int
    held_minor: int | None = None
    floor_minor: int | None = None
    available_minor: int | None = None
    sequence: int | None = None
    valued_on: date | None = None


class Outcome(Struct, frozen=True):
    """What was done, and the balances it left behind."""

    id: UUID
    booked_at: datetime
    replayed: bool
    balances: list[Balance]


class BatchOutcome(Struct, frozen=True, omit_defaults=True):
    """One of `posted`, `replayed` or `refused`; a refused one says why in `problem`."""

    id: UUID
    status: str
    booked_at: datetime | UnsetType = UNSET
    problem: Problem | UnsetType = UNSET


class BatchOutcomes(Struct, frozen=True):
    """In the order of the request."""

    outcomes: Sequence[BatchOutcome]


class AccountOutcome(Struct, frozen=True, omit_defaults=True):
    """One of `opened`, `replayed` or `refused`."""

    id: int
    status: str
    problem: Problem | UnsetType = UNSET


class AccountOutcomes(Struct, frozen=True):
    outcomes: list[AccountOutcome]


class Account(Struct, frozen=True):
    id: int
    asset: str
    side: ledger.Side
    chart: str
    opened_on: date
    floor_minor: int | None
    owner: str | None
    status: ledger.Status
    details: Mapping[str, str]


class AccountPage(Struct, frozen=True):
    """`cursor` asks for the next page; null at the end."""

    accounts: list[Account]
    cursor: str | None


class BookedPosting(Struct, frozen=True):
    account: int
    asset: str
    amount_minor: int
    sequence: int


class BookedEntry(Struct, frozen=True):
    id: UUID
    kind: str
    value_date: date
    booked_at: datetime
    postings: list[BookedPosting]
    memo: str | None
    details: Mapping[str, str]
    reverses: UUID | None
    capture: Capture | None


class EntryPage(Struct, frozen=True):
    """Newest first. `cursor` keeps the search; a page may be short and still have a next one."""

    entries: list[BookedEntry]
    cursor: str | None


class Line(Struct, frozen=True):
    sequence: int
    entry: UUID
    kind: str
    memo: str | None
    amount_minor: int
    balance_minor: int
    booked_at: datetime
    value_date: date


class Statement(Struct, frozen=True):
    """Opening and closing are of the whole period; `cursor` asks for the next page."""

    account: int
    basis: ledger.Basis
    since: date
    until: date
    opening_minor: int
    closing_minor: int
    lines: list[Line]
    cursor: str | None


class Hold(Struct, frozen=True):
    id: UUID
    account: int
    amount_minor: int
    remaining_minor: int
    status: ledger.HoldStatus
    placed_at: datetime
    expires_at: datetime | None


class HoldPage(Struct, frozen=True):
    holds: list[Hold]
    cursor: str | None


class Position(Struct, frozen=True):
    """One asset at and below one place of the chart; credits are positive. At the end of a day, accounts are not
    counted."""

    chart: str
    asset: str
    signed_minor: int
    accounts: int | None


class TrialBalance(Struct, frozen=True):
    at: datetime | None
    business_date: date | None
    balanced: bool
    differences_minor: Mapping[str, int]
    positions: list[Position]


def entry(new: NewEntry) -> ledger.Entry:
    capture = new.capture
    return ledger.Entry(
        new.id,
        new.kind,
        new.value_date,
        tuple([ledger.Posting(leg.account, leg.asset, leg.amount_minor) for leg in new.postings]),
        new.memo,
        new.details,
        new.reverses,
        None if capture is None else ledger.Capture(capture.account, capture.hold, capture.final),
        new.linked,
    )


def outcome(done: ledger.Done) -> Outcome:
    return Outcome(done.id, done.booked_at, done.replayed, [balance(each) for each in done.balances])


def balance(found: ledger.Balance) -> Balance:
    return Balance(
        found.account,
        found.posted_minor,
        found.held_minor,
        found.floor_minor,
        found.available_minor,
        found.sequence,
    )


def account(found: ledger.Account) -> Account:
    return msgspec.convert(found, Account, from_attributes=True)


def booked_entry(found: ledger.BookedEntry, assets: Mapping[int, str]) -> BookedEntry:
    legs = zip(found.accounts, found.amounts_minor, found.sequences, strict=True)
    capture = found.capture
    return BookedEntry(
        found.id,
        found.kind,
        found.value_date,
        found.booked_at,
        [BookedPosting(number, assets[number], amount, sequence) for number, amount, sequence in legs],
        found.memo,
        found.details,
        found.reverses,
        None if capture is None else Capture(capture.account, capture.hold, capture.final),
    )


def statement(found: ledger.Statement) -> Statement:
    lines = [
        Line(
            line.posting.sequence,
            line.posting.entry,
            line.kind,
            line.memo,
            line.posting.amount_minor,
            line.balance_minor,
            line.posting.booked_at,
            line.posting.value_date,
        )
        for line in found.lines
    ]
    return Statement(
        found.account,
        found.basis,
        found.since,
        found.until,
        found.opening_minor,
        found.closing_minor,
        lines,
        found.cursor,
    )


def check_years(*days: date | None) -> Refusal | None:
    """For parameters; datetimes are days too."""
    if all(day is None or YEAR_MIN <= day.year <= YEAR_MAX for day in days):
        return None
    return Refusal(ApiRefusal.PARAMETER_MALFORMED, {"reason": f"years are from {YEAR_MIN} to {YEAR_MAX}"})


def cursor_of(content: object) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(content)).decode().rstrip("=")


def read_cursor(cursor: str, kind: type[_Content]) -> _Content:
    """Errors: CursorMalformed."""
    try:
        raw: Any = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(raw, type=kind)
    except (binascii.Error, ValueError, RecursionError) as problem:
        raise ledger.CursorMalformed("not a cursor of this bank") from problem
