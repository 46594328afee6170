"""What every verb of deposits stands on: a contract brought to where the ledger is, and directives booked.

The ledger is the truth of a demand contract's balance: money moves there without asking this room. So before anything
is decided, what has been posted since is counted in; a posting valued before the last settlement corrects it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import date
from typing import TypeVar
from uuid import UUID

from eastflow import ledger
from eastflow.customers import class_of_account, roles_of_account
from eastflow.customers.actions import end_class, end_role
from eastflow.kernel import Refusal
from eastflow.ledger import Entry, Posting, Side, Status
from eastflow.ledger.actions import change_status, internal_account, post
from eastflow.products import OVERDRAFT_INTEREST, AccountRole, Accrual, Directive
from eastflow.storage import Clock, Retry, Transaction, now

from .. import store
from ..decide import (
    account_key,
    correction_id,
    correction_kind,
    corrections,
    derived_id,
    entries_of,
    moved,
    settlements,
)
from ..model import INTEREST_KIND, INTEREST_KINDS, AccrualRow, Correction, Deposit

_Answer = TypeVar("_Answer")
CHARTS = {
    AccountRole.INTEREST_EXPENSE: ("expenses:interest", Side.DEBIT),
    AccountRole.INTEREST_PAYABLE: ("liabilities:interest_payable", Side.CREDIT),
    AccountRole.FEE_INCOME: ("income:fees", Side.CREDIT),
    AccountRole.OVERDRAFT_INTEREST_INCOME: ("income:overdraft_interest", Side.CREDIT),
}
OTHER_SIDES = {
    INTEREST_KIND: AccountRole.INTEREST_EXPENSE,
    OVERDRAFT_INTEREST: AccountRole.OVERDRAFT_INTEREST_INCOME,
}
"""The bank's own side of each kind of interest."""


class Refused(Exception):
    """What was written must not stay; carries the refusal that the caller is answered with."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code.value)
        self.refusal = refusal


async def current(tx: Transaction, account: int, day: date, *, clock: Clock = now) -> Deposit | None:
    """The contract, locked, with all in it that is posted and valued up to `day`."""
    found = await store.locked(tx, account)
    counted = await store.locked_accrual(tx, account)
    if found is None or counted is None:
        return found
    while True:
        brought = await _brought(tx, found, counted, day)
        if brought != counted:
            await store.update_accrual(tx, brought)
        if not await _backdated(tx, found, counted, brought):
            break
        if not await correct(tx, found, counted.settled_on, brought.sequence, day, clock):
            break
        # The corrections are postings too, valued in the past.
        counted = brought
    return replace(found, contract=replace(found.contract, open_day=brought.open_day, accrual=brought.accrual))


async def save(
    tx: Transaction, deposit: Deposit, day: date, booked: int, *, settled_on: date | None = None, recount: bool = False
) -> None:
    """Keep the contract as it is now, with the `booked` entries that this has led to in it already. `recount`: some of
    them had been booked before, so its interest is counted anew from the ledger. Errors: Retry when something else was
    posted since it was brought to where the ledger is."""
    await store.update_deposit(tx, deposit)
    counted, accrual = await store.accrual(tx, deposit.account), deposit.contract.accrual
    if counted is None or accrual is None:
        return
    changed = replace(
        counted.counted(accrual, counted.sequence + booked),
        terms_number=await store.terms_number(tx, deposit.product, deposit.version),
        status=deposit.status,
        settled_on=settled_on or counted.settled_on,
        open_day=deposit.contract.open_day,
        moved_on=max(counted.moved_on, deposit.contract.acted_on),
    )
    standing = await ledger.balance(tx, deposit.account)
    if recount or (booked and standing is not None and standing.sequence != changed.sequence):
        last = await ledger.last_sequence_valued_by(tx, deposit.account, day)
        if standing is not None and last == standing.sequence and not recount:
            raise Retry("money moved in the same moment")
        # The bank has gone on to a later day: what is valued then, and what was booked after it, is counted there.
        changed = await _recounted(tx, deposit, changed, last)
    await store.update_accrual(tx, changed)


async def book(
    tx: Transaction,
    deposit: Deposit,
    directives: Sequence[Directive],
    ids: Sequence[UUID],
    *,
    other: int | None,
    today: date,
    clock: Clock = now,
) -> tuple[UUID, ...]:
    """Post what products directed; `other` is the account on the other side, if there is one. Errors: Refused, and
    Retry when the day's work has booked the same in this moment."""
    if not directives:
        return ()
    accounts = {AccountRole.CUSTOMER: deposit.account}
    if other is not None:
        accounts[AccountRole.NOMINATED] = other
    for role in {leg.role for directive in directives for leg in directive.legs} & CHARTS.keys():
        accounts[role] = await own_account(tx, role, deposit.asset, today, clock)
    await post_all(tx, entries_of(directives, accounts, deposit.asset, ids), today=today, clock=clock)
    return tuple(ids)


async def own_account(tx: Transaction, role: AccountRole, asset: str, today: date, clock: Clock = now) -> int:
    """The bank's account of that role. Errors: Refused."""
    chart, side = CHARTS[role]
    return await must(internal_account(tx, chart, asset, side, clock=clock, today=lambda: today))


async def post_all(tx: Transaction, entries: Sequence[Entry], *, today: date, clock: Clock = now) -> None:
    """All of them, or none: Errors: Refused, Retry."""
    for outcome in await post(tx, entries, clock=clock, today=lambda: today):
        if isinstance(outcome, Refusal):
            raise Refused(outcome)
        if outcome.replayed:
            raise Retry("the day's work is at this contract in the same moment")


async def must(verb: Awaitable[_Answer | Refusal]) -> _Answer:
    """What another room answers. Errors: Refused."""
    answer = await verb
    if isinstance(answer, Refusal):
        raise Refused(answer)
    return answer


async def end_account(tx: Transaction, deposit: Deposit, today: date, clock: Clock = now) -> None:
    """The emptied account is closed, and nobody has a role on it from today on. Errors: Refused."""
    await must(change_status(tx, deposit.account, Status.CLOSED, clock=clock))
    for role in await roles_of_account(tx, deposit.account):
        if role.until is None or role.until > today:
            until = max(today, role.since)
            await must(end_role(tx, role.party, role.account, role.kind, since=role.since, until=until, clock=clock))
    if await class_of_account(tx, deposit.account) is not None:
        await must(end_class(tx, deposit.account, until=today, today=today))


def ids_of(request: UUID, count: int) -> list[UUID]:
    """Of the entries that one request leads to: the first has the request's own id."""
    return [request, *(derived_id(request.bytes, "entry", date.fromordinal(n)) for n in range(1, count))][:count]


def due_ids(account: int, directives: Sequence[Directive]) -> list[UUID]:
    """What comes due is booked once, whoever comes to it first: its id is of the account, the kind and the day."""
    return [derived_id(account_key(account), each.kind, each.value_date) for each in directives]


async def _brought(tx: Transaction, deposit: Deposit, counted: AccrualRow, day: date) -> AccrualRow:
    last = await ledger.last_sequence_valued_by(tx, deposit.account, day)
    if counted.through > day:
        # It has been brought to a later day already; this one's end needs it as it stood then. The rest is read again.
        return await _recounted(tx, deposit, counted, last)
    if last <= counted.sequence:
        return counted
    fresh = await ledger.changes_booked_after(tx, deposit.account, counted.sequence, last)
    if fresh[0][0] >= counted.through:
        brought = counted.counted(moved(deposit.contract.terms, counted.accrual, fresh), last)
    else:
        brought = await _recounted(tx, deposit, counted, last)
    return replace(brought, moved_on=max(counted.moved_on, fresh[-1][0]))


async def _recounted(tx: Transaction, deposit: Deposit, counted: AccrualRow, last: int) -> AccrualRow:
    """The period since the last settlement counted anew, of the postings up to the sequence `last`."""
    since = counted.settled_on
    opening, changes = await ledger.changes_valued_since(tx, deposit.account, since, sequence=last)
    return counted.counted(moved(deposit.contract.terms, Accrual(since, opening), changes), last)


async def _backdated(tx: Transaction, deposit: Deposit, before: AccrualRow, brought: AccrualRow) -> bool:
    """Whether something came since that is valued before the last settlement."""
    if brought.sequence <= before.sequence or before.settled_on == deposit.opened_on:
        return False
    fresh = await ledger.changes_booked_after(tx, deposit.account, before.sequence, brought.sequence)
    return fresh[0][0] < before.settled_on


async def correct(
    tx: Transaction, deposit: Deposit, settled_on: date, sequence: int, day: date, clock: Clock = now
) -> bool:
    """Book what the settlements up to `settled_on` paid or took too little or too much, by the postings up to
    `sequence`; whether there was any such thing. Each is looked at under the terms that held then."""
    held = await store.held(tx, deposit)
    settled = settlements(held, settled_on)
    opening, changes = await ledger.changes_valued_since(tx, deposit.account, held[0].since, sequence=sequence)
    made = await store.corrections(tx, deposit.account)
    paid: Counter[tuple[date, str]] = Counter()
    for one in made:
        paid[one.settled_on, one.kind] += one.amount_minor
    key = account_key(deposit.account)
    booked = {derived_id(key, kind, on): (on, kind) for on, _ in settled for kind in INTEREST_KINDS}
    corrected = {correction_id(one): (one.settled_on, one.kind) for one in made}
    for id, entry in (await ledger.entries(tx, [*booked, *corrected])).items():
        place = entry.accounts.index(deposit.account)
        if id in booked:
            paid[booked[id]] += entry.amounts_minor[place]
        if entry.sequences[place] > sequence:
            # Booked after something that is valued later still: it counts all the same.
            changes.append((entry.value_date, entry.amounts_minor[place]))
    numbers = Counter(one.settled_on for one in made)
    short = corrections(settled, Accrual(held[0].since, opening), changes, paid)
    for on, kind, amount in short:
        numbers[on] += 1
        one = Correction(deposit.account, on, numbers[on], kind, amount)
        await store.insert_correction(tx, replace(one, booked=await book_correction(tx, deposit, one, day, clock)))
    return bool(short)


async def book_correction(tx: Transaction, deposit: Deposit, one: Correction, today: date, clock: Clock) -> bool:
    """False when the account has not got what is to be taken."""
    own = await own_account(tx, OTHER_SIDES[one.kind], deposit.asset, today, clock)
    legs = (Posting(own, deposit.asset, -one.amount_minor), Posting(deposit.account, deposit.asset, one.amount_minor))
    entry = Entry(correction_id(one), correction_kind(one.kind), one.settled_on, legs)
    [outcome] = await post(tx, [entry], clock=clock, today=lambda: today)
    return not isinstance(outcome, Refusal)


async def book_owed(tx: Transaction, deposit: Deposit, one: Correction, today: date, clock: Clock) -> bool:
    """False when it is still owed. The contract is locked."""
    done = await book_correction(tx, deposit, one, today, clock)
    if done:
        await store.correction_booked(tx, *one.key)
    return done
