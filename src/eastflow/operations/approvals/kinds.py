"""The deeds of this bank that need two people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from eastflow.customers import Channel
from eastflow.kernel import INT64_MAX, Refusal
from eastflow.ledger import Done, Entry, LedgerRefusal, Posting, Status, accounts, entry
from eastflow.ledger.actions import change_floor, change_status, post, reversal_of
from eastflow.payments import Limit
from eastflow.payments.actions import clear_suspense, set_limit
from eastflow.products.actions import launch_version
from eastflow.storage import Transaction

from .kind import Approved, Kind, Result
from .model import Role

Int64 = Annotated[int, Meta(ge=-INT64_MAX, le=INT64_MAX)]
SUPERVISORS = frozenset({Role.SUPERVISOR})


class AccountFloor(Struct, frozen=True, forbid_unknown_fields=True):
    """Another lowest balance: minus the overdraft limit, null for none."""

    account: Int64
    floor_minor: Int64 | None


class AccountStatus(Struct, frozen=True, forbid_unknown_fields=True):
    account: Int64
    status: Status


class EntryReversal(Struct, frozen=True, forbid_unknown_fields=True):
    entry: UUID


class Leg(Struct, frozen=True, forbid_unknown_fields=True):
    account: Int64
    asset: str
    amount_minor: Int64


class LargeEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """An entry that its maker may not post alone."""

    kind: str
    value_date: date
    postings: tuple[Leg, ...]
    memo: str | None = None
    details: Mapping[str, str] = {}


class ProductLaunch(Struct, frozen=True, forbid_unknown_fields=True):
    """From this day on the version can be opened. The terms themselves have an approval of their own."""

    code: str
    number: Int64
    live_from: date


class PaymentLimit(Struct, frozen=True, forbid_unknown_fields=True):
    """Another limit: what a payment above the present one needs before it can be made."""

    asset: str
    channel: Channel | None = None
    party: UUID | None = None
    per_payment_minor: Int64 | None = None
    per_day_minor: Int64 | None = None


class SuspenseClearing(Struct, frozen=True, forbid_unknown_fields=True):
    """What stands on suspense for a payment or a file goes to an account, or (null) was sent back by a person."""

    item: UUID
    account: Int64 | None = None


async def _change_floor(tx: Transaction, asked: AccountFloor, approved: Approved) -> Result | Refusal:
    changed = await change_floor(tx, asked.account, asked.floor_minor, clock=lambda: approved.at)
    return changed if isinstance(changed, Refusal) else {"floor_minor": changed.floor_minor}


async def _change_status(tx: Transaction, asked: AccountStatus, approved: Approved) -> Result | Refusal:
    changed = await change_status(tx, asked.account, asked.status, clock=lambda: approved.at)
    return changed if isinstance(changed, Refusal) else {"status": changed.status.value}


async def _reverse(tx: Transaction, asked: EntryReversal, approved: Approved) -> Result | Refusal:
    booked = await entry(tx, asked.entry)
    if booked is None:
        return Refusal(LedgerRefusal.ENTRY_NOT_FOUND, {"id": asked.entry})
    assets = {number: each.asset for number, each in (await accounts(tx, list(booked.accounts))).items()}
    return await _post(tx, reversal_of(booked, assets, id=approved.id), approved)


async def _post_large(tx: Transaction, asked: LargeEntry, approved: Approved) -> Result | Refusal:
    legs = tuple(Posting(leg.account, leg.asset, leg.amount_minor) for leg in asked.postings)
    new = Entry(approved.id, asked.kind, asked.value_date, legs, asked.memo, asked.details)
    return await _post(tx, new, approved)


async def _post(tx: Transaction, new: Entry, approved: Approved) -> Result | Refusal:
    [outcome] = await post(tx, [new], today=lambda: approved.today)
    return {"entry": str(outcome.id)} if isinstance(outcome, Done) else outcome


async def _launch(tx: Transaction, asked: ProductLaunch, approved: Approved) -> Result | Refusal:
    launched = await launch_version(
        tx, asked.code, asked.number, live_from=asked.live_from, by=approved.checker, today=approved.today
    )
    return launched if isinstance(launched, Refusal) else {"live_from": asked.live_from.isoformat()}


async def _set_limit(tx: Transaction, asked: PaymentLimit, _: Approved) -> Result | Refusal:
    limit = Limit(asked.channel, asked.party, asked.asset, asked.per_payment_minor, asked.per_day_minor)
    refused = await set_limit(tx, limit)
    return refused if isinstance(refused, Refusal) else {}


async def _clear_suspense(tx: Transaction, asked: SuspenseClearing, approved: Approved) -> Result | Refusal:
    cleared = await clear_suspense(tx, asked.item, asked.account, today=approved.today)
    return cleared if isinstance(cleared, Refusal) else {"amount_minor": cleared.amount_minor, "asset": cleared.asset}


KINDS = {
    kind.name: kind
    for kind in (
        Kind("account_floor", AccountFloor, SUPERVISORS, _change_floor),
        Kind("account_status", AccountStatus, SUPERVISORS | {Role.COMPLIANCE}, _change_status),
        Kind("entry_reversal", EntryReversal, SUPERVISORS, _reverse),
        Kind("large_entry", LargeEntry, SUPERVISORS, _post_large),
        Kind("payment_limit", PaymentLimit, SUPERVISORS, _set_limit),
        Kind("product_launch", ProductLaunch, frozenset({Role.PRODUCT_MANAGER}), _launch),
        Kind("suspense_clearing", SuspenseClearing, SUPERVISORS, _clear_suspense),
    )
}
