"""The verbs by which people come to the counter and leave it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

from eastflow.kernel import Refusal
from eastflow.storage import Clock, Retry, Transaction, UniqueViolation, now

from .. import store
from ..decide import (
    check_limit,
    check_teller,
    decide_branch,
    decide_sign_on,
    decide_teller,
    is_code,
    may_act,
    may_sign_off,
)
from ..model import Branch, Place, PlaceKind, Session, Teller
from ..refusals import BranchRefusal as Why


async def register_branch(tx: Transaction, new: Branch, *, clock: Clock = now) -> Branch | Refusal:
    """Make a branch known. Registering the same again answers with it."""
    existing = await store.branch(tx, new.code) if is_code(new.code) else None
    decided = decide_branch(new, existing)
    if isinstance(decided, Branch) and existing is None:
        try:
            await store.insert_branch(tx, decided, clock())
        except UniqueViolation as rival:
            raise Retry("a branch was registered in the same moment") from rival
    return decided


async def register_teller(tx: Transaction, new: Teller, *, clock: Clock = now) -> Teller | Refusal:
    """Make a teller known, and who may sign on as one. Registering the same again answers with it."""
    if refusal := check_teller(new):
        return refusal
    existing = await store.teller(tx, new.code)
    branch_exists = await store.branch(tx, new.branch) is not None
    decided = decide_teller(new, existing, await store.teller_of_actor(tx, new.actor), branch_exists=branch_exists)
    if isinstance(decided, Teller) and existing is None:
        try:
            await store.insert_teller(tx, decided, clock())
        except UniqueViolation as rival:
            raise Retry("a teller was registered in the same moment") from rival
    return decided


async def set_limit(
    tx: Transaction, branch: str, asset: str, above_minor: int, *, by: str, clock: Clock = now
) -> dict[str, int] | Refusal:
    """Above so much cash of the asset the branch needs two people. Answers with all its limits, by asset."""
    if refusal := check_limit(asset, above_minor):
        return refusal
    if not is_code(branch) or await store.branch(tx, branch) is None:
        return Refusal(Why.BRANCH_NOT_FOUND, {"branch": branch})
    limits = await store.limits_minor(tx, branch)
    if limits.get(asset) != above_minor:
        try:
            await store.insert_limit(tx, branch, asset, above_minor, by, clock())
        except UniqueViolation as rival:
            raise Retry("a limit was set in the same moment") from rival
    return limits | {asset: above_minor}


async def sign_on(
    tx: Transaction, id: UUID, teller: str, *, today: date, by: str, clock: Clock = now
) -> Session | Refusal:
    """A teller begins to work with the drawer, on the business date `today`."""
    who = await store.teller(tx, teller) if is_code(teller) else None
    at_work = await store.at_work(tx, teller) if who else None
    existing = await store.session(tx, id)
    decided = decide_sign_on(Session(id, teller, today, clock()), existing, who, at_work, by)
    if isinstance(decided, Session) and existing is None:
        try:
            await store.insert_session(tx, decided)
        except UniqueViolation as rival:
            raise Retry("the teller signed on in the same moment") from rival
    return decided


async def sign_off(tx: Transaction, session: UUID, *, by: str, clock: Clock = now) -> Session | Refusal:
    """The teller ends the work: every asset of the drawer counted and right, nothing open. Again changes nothing."""
    counter = await store.counter(tx, session, lock=True)
    if counter is None:
        return Refusal(Why.SESSION_NOT_FOUND, {"session": session})
    if refusal := may_act(counter, by, today=None):
        return counter.session if refusal.code is Why.SESSION_ENDED else refusal
    drawer, at = Place(PlaceKind.DRAWER, counter.teller.code), clock()
    # What is open first: once nothing is, nobody else can move what is in the drawer.
    pending = await store.pending_voucher(tx, session, at)
    in_transit = await store.transfer_in_transit(tx, drawer)
    stocks = await store.stocks(tx, drawer)
    if refusal := may_sign_off(stocks, pending=pending, in_transit=in_transit):
        return refusal
    ended = replace(counter.session, signed_off_at=at)
    await store.end_session(tx, ended)
    return ended
