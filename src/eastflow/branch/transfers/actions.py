"""The verbs of cash on its way."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from eastflow.kernel import Refusal
from eastflow.ledger import Side
from eastflow.storage import Clock, Retry, Transaction, UniqueViolation, now

from .. import store
from ..decide import (
    arrived,
    decide_issue,
    decide_transfer_end,
    entry,
    is_code,
    may_act,
    may_touch,
    must_be,
    same_transfer,
    second_entry_id,
    tidy,
)
from ..model import Cash, Place, Transfer
from ..places.actions import own_account, post_entry, stock_of, write_stock
from ..refusals import BranchRefusal as Why

IN_TRANSIT = "assets:cash:in_transit"


async def issue(
    tx: Transaction,
    id: UUID,
    session: UUID,
    sender: Place,
    receiver: Place,
    cash: Cash,
    *,
    whole: bool = False,
    today: date,
    by: str,
    clock: Clock = now,
) -> Transfer | Refusal:
    """Cash leaves a place for another of the same branch, and is in transit until another person receives it.

    `whole` hands a drawer over: `cash` is all of the asset that was counted in it, and must be what the books say.
    """
    tidied = tidy(cash)
    if isinstance(tidied, Refusal):
        return tidied
    counter = await store.counter(tx, session, lock=True)
    if counter is None:
        return Refusal(Why.SESSION_NOT_FOUND, {"session": session})
    new = Transfer(id, sender, receiver, tidied, counter.teller.code, clock(), whole)
    if existing := await store.transfer(tx, id):
        same = same_transfer(existing, new)
        return (must_be(counter.teller, by) or existing) if same else Refusal(Why.ID_REUSED, {"id": id})
    if refusal := may_act(counter, by, today=today) or may_touch(counter, sender):
        return refusal
    before = await stock_of(tx, sender, tidied.asset, today)
    if isinstance(before, Refusal):
        return before
    branches = await store.branches_of(tx, [receiver]) if is_code(receiver.code) else {}
    after = decide_issue(new, before, branches, counter.teller.branch)
    if isinstance(after, Refusal):
        return after
    in_transit = await own_account(tx, IN_TRANSIT, tidied.asset, Side.DEBIT, today)
    if isinstance(in_transit, Refusal):
        return in_transit
    moved = entry(id, "issue", today, in_transit, before.account, tidied.asset, tidied.amount_minor)
    if refusal := await post_entry(tx, moved, today):
        return refusal
    await write_stock(tx, before, after)
    try:
        await store.insert_transfer(tx, new)
    except UniqueViolation as rival:
        raise Retry("cash was issued in the same moment") from rival
    return new


async def receive(
    tx: Transaction, transfer: UUID, session: UUID, counted: Cash, *, today: date, by: str, clock: Clock = now
) -> Transfer | Refusal:
    """Another person has counted what is in transit and takes it. What was counted must be what was issued."""
    return await _arrive(tx, transfer, session, counted, today, by, clock(), received=True)


async def take_back(
    tx: Transaction, transfer: UUID, session: UUID, counted: Cash, *, today: date, by: str, clock: Clock = now
) -> Transfer | Refusal:
    """What is in transit goes back to where it came from."""
    return await _arrive(tx, transfer, session, counted, today, by, clock(), received=False)


async def _arrive(
    tx: Transaction, id: UUID, session: UUID, counted: Cash, today: date, by: str, at: datetime, *, received: bool
) -> Transfer | Refusal:
    tidied = tidy(counted)
    if isinstance(tidied, Refusal):
        return tidied
    counter = await store.counter(tx, session, lock=True)
    if counter is None:
        return Refusal(Why.SESSION_NOT_FOUND, {"session": session})
    transfer = await store.transfer(tx, id, lock=True)
    if transfer is None:
        return Refusal(Why.TRANSFER_NOT_FOUND, {"transfer": id})
    place = transfer.receiver if received else transfer.sender
    # Also when the day has passed: else neither drawer could be signed off any more.
    if refusal := may_act(counter, by, today=None) or may_touch(counter, place):
        return refusal
    ended = decide_transfer_end(transfer, tidied, counter.teller.code, at, received=received)
    if isinstance(ended, Refusal) or ended == transfer:
        return ended
    before = await stock_of(tx, place, tidied.asset, today)
    in_transit = await own_account(tx, IN_TRANSIT, tidied.asset, Side.DEBIT, today)
    if isinstance(before, Refusal):
        return before
    if isinstance(in_transit, Refusal):
        return in_transit
    kind = "receive" if received else "take_back"
    amount_minor = tidied.amount_minor
    moved = entry(second_entry_id(id), kind, today, before.account, in_transit, tidied.asset, amount_minor)
    if refusal := await post_entry(tx, moved, today):
        return refusal
    await write_stock(tx, before, arrived(transfer.cash, before))
    await store.end_transfer(tx, ended)
    return ended
