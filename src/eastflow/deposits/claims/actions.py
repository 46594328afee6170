"""Money is held in the ledger for the claims on an account, and no longer when they are over."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import partial

from eastflow import ledger
from eastflow.kernel import Refusal
from eastflow.ledger import Hold, Release, Status
from eastflow.ledger.actions import change_status, post
from eastflow.storage import Clock, Database, Retry, Transaction, now

from .. import store
from ..books.actions import current, must
from ..day_end.runs.actions import Done, every
from ..decide import derived_id, freezes_whole, to_hold
from ..freezes.actions import beneath, freeze
from ..model import Claim, Deposit, DepositStatus, Ground, Order, Pledge

ACCOUNTS_PER_RUN = 1_000


async def expire_orders(database: Database, business_date: date, *, clock: Clock = now) -> Done:
    """End the orders and pledges whose day has come, and hold for those that have less than they ask for what has come
    in since. Each account is a transaction of its own, so it may be ended at any point and run again."""

    async def page(tx: Transaction, after: int) -> list[int]:
        return await store.claims_to_see_to(tx, business_date, after=after, limit=ACCOUNTS_PER_RUN)

    return await every(database, page, partial(_see_to, today=business_date, clock=clock))


async def _see_to(tx: Transaction, account: int, today: date, clock: Clock) -> None:
    found = await current(tx, account, today, clock=clock)
    assert found is not None, "a claim is on a contract"
    for claim in await _standing(tx, account):
        if claim.expires_on is not None and claim.expires_on <= today:
            over = replace(claim, ended_on=claim.expires_on)
            await let_go(tx, replace(over, ground=Ground.EXPIRED) if isinstance(over, Pledge) else over, clock)
    await keep_claims(tx, found, today, clock)


async def let_go(tx: Transaction, claim: Claim, clock: Clock) -> Claim:
    """The claim as it is told, with nothing held for it."""
    await post(tx, [Release(claim.account, hold) for hold in claim.holds], clock=clock)
    free = replace(claim, held_minor=0)
    await store.update_claim(tx, free)
    return free


async def keep_claims(tx: Transaction, deposit: Deposit, today: date, clock: Clock) -> None:
    """Hold what can be held for the claims that stand, and freeze the account where that is less than they ask for.
    What is held for a pledge is taken from it where an order of a court has too little."""
    [known] = (await ledger.accounts(tx, [deposit.account])).values()
    if deposit.status is DepositStatus.CLOSED or known.status is Status.CLOSED:
        return
    under = await beneath(tx, deposit)
    # A frozen account takes no hold; it is open but for this transaction.
    await must(change_status(tx, deposit.account, Status.OPEN, clock=clock))
    standing = await _standing(tx, deposit.account)
    if any(isinstance(claim, Order) and claim.short_minor for claim in standing):
        standing = [
            await let_go(tx, claim, clock) if isinstance(claim, Pledge) and claim.held_minor else claim
            for claim in standing
        ]
    for claim, more in to_hold(standing, await own_minor(tx, deposit.account)):
        hold = derived_id(claim.id.bytes, f"hold:{len(claim.holds)}", today)
        [outcome] = await post(tx, [Hold(hold, claim.account, deposit.asset, more)], clock=clock)
        if isinstance(outcome, Refusal):
            raise Retry("money left in the same moment")
        held = replace(claim, held_minor=claim.held_minor + more, holds=(*claim.holds, hold))
        await store.update_claim(tx, held)
        standing[standing.index(claim)] = held
    await freeze(tx, deposit.account, under, ordered=freezes_whole(standing), clock=clock)


async def own_minor(tx: Transaction, account: int) -> int:
    """The customer's own money that nothing is held of. (What an overdraft would lend is not.)"""
    balance = await ledger.balance(tx, account)
    assert balance is not None, "a contract stands on an account"
    return balance.posted_minor - balance.held_minor - max(0, balance.floor_minor or 0)


async def _standing(tx: Transaction, account: int) -> list[Claim]:
    claims: list[Claim] = [*await store.orders_of(tx, account), *await store.pledges_of(tx, account)]
    return [claim for claim in claims if claim.ended_on is None]
