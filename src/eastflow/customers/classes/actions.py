"""The verbs of account classes: assign, confirm, bind, end, and use what the class allows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import date
from uuid import UUID

from eastflow.kernel import Refusal
from eastflow.storage import Clock, Retry, Transaction, UniqueViolation, now

from .. import store as parties
from ..decide import is_account
from ..merging import store as merges
from ..model import RoleKind
from ..refusals import CustomersRefusal
from ..verification import store as verifications
from . import store
from .decide import (
    Surroundings,
    check_binding,
    check_bound,
    check_classed,
    check_movement,
    check_standing,
    decide_class,
    decide_movement,
    limits_of,
    needs_binding,
)
from .model import ClassedAccount, Direction, Movement

BalanceOf = Callable[[Transaction, int], Awaitable[int]]
"""The posted balance of an account in its minor units, as the ledger has it."""


async def use_allowance(
    tx: Transaction,
    account: int,
    movement: Movement,
    *,
    today: date,
    balance: BalanceOf | None = None,
    id: UUID | None = None,
) -> Refusal | None:
    """To be asked before money comes into or goes out of a customer's account, in the transaction that posts it.

    None: it may move, and is counted. Rivals for one account wait for each other here. `balance` is asked only for
    money into an account whose balance the law bounds (class III); without it such money is refused. If what follows
    is refused, the caller ends the transaction so that nothing stays counted. `id` is one of the account's own for each
    movement that may come to nothing: by it the allowance is given back.
    """
    if refusal := check_movement(account, movement):
        return refusal
    standing = await store.class_of_account(tx, account)
    if standing is None or limits_of(standing, today) is None:
        return None
    classed = await store.locked_class(tx, account)
    limits = None if classed is None else limits_of(classed, today)
    if classed is None or limits is None:
        return None
    elsewhere = needs_binding(classed) and await verifications.has_bound(tx, account)
    if refusal := check_binding(classed, bound_elsewhere=elsewhere):
        return refusal
    used = await store.usage(tx, account, movement.direction, today)
    bounded = limits.balance_minor_max is not None and movement.direction is Direction.IN
    balance_minor = await balance(tx, account) if balance and bounded else None
    counted = decide_movement(classed, limits, movement, used, balance_minor)
    if isinstance(counted, Refusal):
        return counted
    if counted:
        await store.add_usage(tx, account, movement.direction, today, counted)
        if id is not None:
            await store.insert_used(tx, account, id, movement.direction, today, counted)
    return None


async def give_back_allowance(tx: Transaction, account: int, id: UUID, amount_minor: int) -> None:
    """Of what was counted for the movement `id`, which has come to nothing, this much is free again on the day it was
    counted on, and in that day's year. Nothing was counted, or it was given back before: nothing is free. To be called
    in the transaction that gives the money back."""
    if await store.class_of_account(tx, account) is None or await store.locked_class(tx, account) is None:
        return
    used = await store.delete_used(tx, account, id)
    if used is not None:
        direction, day, counted = used
        await store.take_usage(tx, account, direction, day, min(amount_minor, counted))


async def assign_class(
    tx: Transaction, new: ClassedAccount, *, today: date, clock: Clock = now
) -> ClassedAccount | Refusal:
    """Give an account its class, for the person who owns it. Assigning the same again answers with it as it is now."""
    if refusal := check_classed(new):
        return refusal
    person = await merges.survivor(tx, new.party)
    roles = await parties.roles_of_account(tx, new.account)
    seats = await store.seats(tx, await merges.family(tx, new.party), new.account_class)
    around = Surroundings(
        party=await parties.party(tx, new.party),
        owns=any(r.party == person and r.kind is RoleKind.OWNER and r.stands_on(today) for r in roles),
        current=await store.class_of_account(tx, new.account),
        accounts=len(seats),
        seats={seat for party, seat in seats if party == new.party},
        bound=await _of_person(tx, new.party, await store.classes(tx, sorted(new.bound))),
    )
    decided = decide_class(new, around, today)
    if not isinstance(decided, int):
        return decided
    try:
        await store.insert_class(tx, new, await store.classes_had(tx, new.account) + 1, decided, clock())
    except UniqueViolation as rival:
        raise Retry("a class was assigned in the same moment") from rival
    return new


async def confirm_face_to_face(tx: Transaction, account: int) -> ClassedAccount | Refusal:
    """Staff have seen the person and the document. Confirming again changes nothing."""
    return await _change(tx, account, lambda classed: replace(classed, face_to_face=True))


async def bind_account(tx: Transaction, account: int, to: int) -> ClassedAccount | Refusal:
    """Bind an account of class I of the same person. Binding it again changes nothing."""
    standing = await store.class_of_account(tx, account)
    others = await store.classes(tx, [to]) if is_account(to) else {}
    other = None if standing is None else (await _of_person(tx, standing.party, others)).get(to)

    def bound(classed: ClassedAccount) -> ClassedAccount | Refusal:
        return check_bound(classed, other, to) or replace(classed, bound=classed.bound | {to})

    return await _change(tx, account, bound)


async def end_class(tx: Transaction, account: int, *, until: date, today: date) -> ClassedAccount | Refusal:
    """The account has no class from `until` on, which is no day to come: it was closed, or is to have another one. Its
    seat becomes free, and no account is bound to it any more."""

    def ended(classed: ClassedAccount) -> ClassedAccount | Refusal:
        if not classed.since <= until <= today:
            return Refusal(CustomersRefusal.PERIOD_REVERSED, {"since": classed.since, "until": until})
        return replace(classed, until=until)

    answer = await _change(tx, account, ended)
    if isinstance(answer, ClassedAccount):
        await store.delete_seat(tx, answer)
        await verifications.end_all(tx, account)
        for other in await store.classes_of_party(tx, answer.party):
            if account in other.bound:
                await _change(tx, other.account, lambda classed: replace(classed, bound=classed.bound - {account}))
    return answer


async def _of_person(tx: Transaction, party: UUID, others: Mapping[int, ClassedAccount]) -> dict[int, ClassedAccount]:
    """Accounts of parties merged with this one are this one's."""
    family = await merges.family(tx, party)
    return {
        account: replace(other, party=party) if other.party in family else other for account, other in others.items()
    }


async def _change(
    tx: Transaction, account: int, change: Callable[[ClassedAccount], ClassedAccount | Refusal]
) -> ClassedAccount | Refusal:
    standing = await store.class_of_account(tx, account)
    classed = standing and await store.locked_class(tx, account)
    if refusal := check_standing(classed, account):
        return refusal
    assert classed is not None, "one that stands"
    changed = change(classed)
    if isinstance(changed, ClassedAccount) and changed != classed:
        await store.update_class(tx, changed)
    return changed
