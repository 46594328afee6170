"""The verbs of pledges: place, and release."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

from eastflow import customers
from eastflow.kernel import Refusal
from eastflow.storage import Clock, Retry, Transaction, UniqueViolation, now

from .. import store
from ..books.actions import current
from ..claims.actions import keep_claims, let_go, own_minor
from ..decide import check_account, check_pledge, check_standing, check_text
from ..model import PLEDGE_CHARACTERS_MAX, Ground, Pledge
from ..refusals import DepositsRefusal


async def place_pledge(tx: Transaction, new: Pledge, *, today: date, clock: Clock = now) -> Pledge | Refusal:
    """Hold an amount by agreement of the owner, ranked after the pledges that stand. All of it must be there. `id` is
    chosen by the caller: the same pledge again answers with it as it is now. `rank`, `placed_on` and what is held are
    given by the bank."""
    if refusal := check_pledge(new, today):
        return refusal
    found = await current(tx, new.account, today, clock=clock)
    if refusal := check_standing(found, new.account, leaves=False):
        return refusal
    assert found is not None, "checked"
    pledges = await store.pledges_of(tx, new.account)
    if existing := next((pledge for pledge in pledges if pledge.id == new.id), None):
        same = _told(existing) == _told(new)
        return existing if same else Refusal(DepositsRefusal.REQUEST_ID_REUSED, {"id": new.id})
    if new.party is not None and await customers.party(tx, new.party) is None:
        return Refusal(DepositsRefusal.PARTY_NOT_FOUND, {"id": new.party})
    if refusal := check_standing(found, new.account, leaves=True):
        return refusal
    free = await own_minor(tx, new.account)
    if new.amount_minor > free:
        facts = {"account": new.account, "amount_minor": new.amount_minor, "free_minor": max(0, free)}
        return Refusal(DepositsRefusal.PLEDGE_UNCOVERED, facts)
    try:
        await store.insert_pledge(tx, _fresh(new, len(pledges) + 1, today))
    except UniqueViolation as rival:
        raise Retry("another pledge was placed in the same moment") from rival
    await keep_claims(tx, found, today, clock)
    return await _pledge(tx, new.account, new.id)


async def release_pledge(
    tx: Transaction, account: int, id: UUID, ground: Ground, reason: str, *, today: date, by: str, clock: Clock = now
) -> Pledge | Refusal:
    """By consent of the pledgee, or by the bank's staff; `reason` names the letter or says why. Released again, it
    stays as it is."""
    assert ground is not Ground.EXPIRED, "the day's end sees to that"
    if refusal := check_account(account) or check_text("reason", reason, PLEDGE_CHARACTERS_MAX):
        return refusal
    found = await current(tx, account, today, clock=clock)
    pledge = next((pledge for pledge in await store.pledges_of(tx, account) if pledge.id == id), None)
    if found is None or pledge is None:
        return Refusal(DepositsRefusal.PLEDGE_NOT_FOUND, {"account": account, "id": id})
    if pledge.ended_on is not None:
        return pledge
    over = replace(pledge, ended_on=today, ground=ground, reason=reason, released_by=by)
    await let_go(tx, over, clock)
    await keep_claims(tx, found, today, clock)
    return await _pledge(tx, account, id)


async def _pledge(tx: Transaction, account: int, id: UUID) -> Pledge:
    return next(pledge for pledge in await store.pledges_of(tx, account) if pledge.id == id)


def _fresh(new: Pledge, rank: int, today: date) -> Pledge:
    return replace(
        new, rank=rank, placed_on=today, held_minor=0, holds=(), ended_on=None, ground=None, reason=None,
        released_by=None,
    )  # fmt: skip


def _told(pledge: Pledge) -> tuple[object, ...]:
    return pledge.account, pledge.agreement, pledge.amount_minor, pledge.pledgee, pledge.party, pledge.expires_on
