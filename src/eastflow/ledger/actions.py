"""The verbs of the ledger. Each loads what it needs, decides, and writes, in the caller's one transaction."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from eastflow.kernel import Asset, Refusal, is_asset, is_text, with_check_digit
from eastflow.storage import Clock, Retry, Transaction, UniqueViolation, now

from .check import check_account_id, check_details
from .closing import close_books
from .engine import Engine
from .model import (
    BATCH_COMMANDS_MAX,
    BOUND_MINOR,
    Account,
    BookedEntry,
    Command,
    Entry,
    Outcome,
    Posting,
    Release,
    Side,
    Status,
)
from .posting import Calendar, new_id, post_judged
from .refusals import LedgerRefusal
from .store import accounts as store
from .store import batch as batch_store
from .store import chain as chain_store
from .store import reads

CHART_CHARACTERS_MAX = 200
OWNER_CHARACTERS_MAX = 100
INTERNAL_ACCOUNT_MIN = 9_000_000_000_000_000
"""Below it are customers' numbers; from it to 2^53 - 1 the bank's own."""
_CHART = re.compile(r"[a-z0-9_]+(:[a-z0-9_]+)*")

__all__ = [
    "Engine",
    "change_floor",
    "change_status",
    "close_books",
    "define_asset",
    "expire_holds",
    "internal_account",
    "new_account_number",
    "new_id",
    "open_accounts",
    "post",
    "reversal_of",
]


async def post(
    tx: Transaction, commands: Sequence[Command], *, clock: Clock = now, today: Calendar | None = None
) -> Sequence[Outcome]:
    """Judge and book a batch inside the caller's transaction: all of it stands or falls with what else is done there.

    Callers with nothing else to write use an `Engine`, which commits for many at once.
    """
    if len(commands) > BATCH_COMMANDS_MAX:
        facts = {"commands": len(commands), "commands_max": BATCH_COMMANDS_MAX}
        return [Refusal(LedgerRefusal.BATCH_TOO_LARGE, facts)] * len(commands)
    head = await chain_store.head(tx, tx.lot % chain_store.CHAINS, lock=True)
    return (await post_judged(tx, commands, head, clock, today)).outcomes


def reversal_of(booked: BookedEntry, assets: dict[int, str], *, id: UUID, memo: str | None = None) -> Entry:
    """The entry that undoes `booked`: every leg negated, on the same value date, naming what it reverses."""
    legs = zip(booked.accounts, booked.amounts_minor, strict=True)
    postings = tuple(Posting(account, assets[account], -amount) for account, amount in legs)
    return Entry(id, "reversal", booked.value_date, postings, memo=memo, reverses=booked.id)


def new_account_number() -> int:
    """A fresh number of 15 digits for a customer's account, the last one its check digit. It tells nothing of how many
    there are; that it is taken is as good as impossible, and is then refused on opening."""
    return with_check_digit(10**13 + secrets.randbelow(9 * 10**13))


async def define_asset(tx: Transaction, asset: Asset) -> Asset | Refusal:
    """Define what may be counted. Defining the same again changes nothing."""
    if not is_asset(asset.code, asset.scale):
        return Refusal(LedgerRefusal.ASSET_MALFORMED, {"code": asset.code, "scale": asset.scale})
    existing = await store.asset(tx, asset.code)
    if existing is not None:
        same = existing == asset
        return existing if same else Refusal(LedgerRefusal.ASSET_SCALE_DIFFERS, {"scale": existing.scale})
    try:
        await store.insert_asset(tx, asset)
    except UniqueViolation as rival:
        raise Retry("an asset was defined in the same moment") from rival
    return asset


async def open_accounts(tx: Transaction, accounts: Sequence[Account], *, clock: Clock = now) -> list[Account | Refusal]:
    """Open accounts, each by itself: one that is refused does not keep the others from opening. Opening the same
    account again answers with it as it is now."""
    asset_numbers = await batch_store.asset_numbers(tx)
    existing = await store.accounts(tx, [a.id for a in accounts if check_account_id(a.id) is None])
    at = clock()
    fresh: dict[int, Account] = {}
    answers: list[Account | Refusal] = []
    for account in accounts:
        answer = _decide_open(account, existing.get(account.id) or fresh.get(account.id), asset_numbers)
        if answer is account and account.id not in existing:
            fresh[account.id] = account
        answers.append(answer)
    if fresh:
        try:
            changes = [(account, new_id(at)) for account in fresh.values()]
            await store.insert_accounts(tx, changes, asset_numbers, at)
        except UniqueViolation as rival:
            raise Retry("an account was opened in the same moment") from rival
    return answers


async def internal_account(
    tx: Transaction, chart: str, asset: str, side: Side, *, clock: Clock = now, today: Calendar | None = None
) -> int | Refusal:
    """The number of the bank's own account at this place of the chart, opened without a floor if it is not there yet.

    Errors: Retry when it is opened by another in the same moment.
    """
    found = await store.internal_account(tx, chart, asset)
    if found is not None:
        return found
    number = await store.last_internal_account(tx, INTERNAL_ACCOUNT_MIN) + 1
    opened_on = today() if today else clock().date()
    [opened] = await open_accounts(tx, [Account(number, asset, side, chart, opened_on, floor_minor=None)], clock=clock)
    if isinstance(opened, Refusal):
        if opened.code is LedgerRefusal.ACCOUNT_ID_REUSED:
            raise Retry("another of the bank's own accounts took the number in the same moment")
        return opened
    try:
        await store.insert_internal_account(tx, chart, asset, number)
    except UniqueViolation as rival:
        raise Retry("one of the bank's own accounts was opened in the same moment") from rival
    return number


async def change_status(tx: Transaction, account: int, status: Status, *, clock: Clock = now) -> Account | Refusal:
    """Freeze, unfreeze or close. Closing needs an empty account and is final."""
    found = await _locked(tx, account)
    if isinstance(found, Refusal) or found[0].status is status:
        return found if isinstance(found, Refusal) else found[0]
    known, empty = found
    if known.status is Status.CLOSED:
        return Refusal(LedgerRefusal.ACCOUNT_CLOSED, {"account": account})
    if status is Status.CLOSED and not empty:
        return Refusal(LedgerRefusal.ACCOUNT_NOT_EMPTY, {"account": account})
    return await _change(tx, replace(known, status=status), clock)


async def change_floor(
    tx: Transaction, account: int, floor_minor: int | None, *, clock: Clock = now
) -> Account | Refusal:
    """Set the lowest balance. It binds from now on: an account already below a new floor may only be paid into."""
    if not _is_floor(floor_minor):
        return Refusal(LedgerRefusal.FLOOR_OUT_OF_RANGE, {"floor_minor": floor_minor})
    found = await _locked(tx, account)
    if isinstance(found, Refusal) or found[0].floor_minor == floor_minor:
        return found if isinstance(found, Refusal) else found[0]
    if found[0].status is Status.CLOSED:
        return Refusal(LedgerRefusal.ACCOUNT_CLOSED, {"account": account})
    return await _change(tx, replace(found[0], floor_minor=floor_minor), clock)


async def expire_holds(engine: Engine, *, limit: int = 1_000) -> int:
    """Give back the holds whose time has passed, at most `limit` of them, and return how many."""
    async with engine.database.reading() as tx:
        due = await reads.expired_holds(tx, engine.clock(), limit)
    outcomes = await engine.post_batch([Release(account, hold, expired=True) for account, hold in due])
    return sum(not isinstance(outcome, Refusal) for outcome in outcomes)


def _decide_open(account: Account, existing: Account | None, asset_numbers: dict[str, int]) -> Account | Refusal:
    if refusal := check_account_id(account.id):
        return refusal
    if not (len(account.chart) <= CHART_CHARACTERS_MAX and _CHART.fullmatch(account.chart)):
        return Refusal(LedgerRefusal.TEXT_MALFORMED, {"field": "chart"})
    if account.owner is not None and not is_text(account.owner, OWNER_CHARACTERS_MAX):
        return Refusal(LedgerRefusal.TEXT_MALFORMED, {"field": "owner"})
    if refusal := check_details(account.details):
        return refusal
    if not _is_floor(account.floor_minor):
        return Refusal(LedgerRefusal.FLOOR_OUT_OF_RANGE, {"floor_minor": account.floor_minor})
    if existing is not None:
        # Its status and floor may have changed since it was opened; what it is may not.
        as_asked = replace(account, status=existing.status, floor_minor=existing.floor_minor)
        return existing if as_asked == existing else Refusal(LedgerRefusal.ACCOUNT_ID_REUSED, {"account": account.id})
    if account.asset not in asset_numbers:
        return Refusal(LedgerRefusal.ASSET_NOT_FOUND, {"asset": account.asset})
    return account


def _is_floor(floor_minor: int | None) -> bool:
    return floor_minor is None or -BOUND_MINOR <= floor_minor <= BOUND_MINOR


async def _locked(tx: Transaction, account: int) -> tuple[Account, bool] | Refusal:
    """The account, locked until the transaction ends, and whether it is empty."""
    if refusal := check_account_id(account):
        return refusal
    codes = {number: code for code, number in (await batch_store.asset_numbers(tx)).items()}
    standing = (await batch_store.lock_standings(tx, [account], codes)).get(account)
    if standing is None:
        return Refusal(LedgerRefusal.ACCOUNT_NOT_FOUND, {"account": account})
    found = await store.accounts(tx, [account])
    return found[account], standing.posted_minor == 0 and standing.held_minor == 0


async def _change(tx: Transaction, changed: Account, clock: Clock) -> Account:
    """An account's changes are in the order of their time and id, also those of one moment."""
    at, last = clock(), await store.last_change(tx, changed.id)
    change = new_id(at)
    if last is not None and at <= last[0]:
        at, change = last[0], UUID(int=last[1].int + 1)
    await store.change_standing(
        tx, changed.id, status=changed.status, floor_minor=changed.floor_minor, at=at, change=change
    )
    return changed
