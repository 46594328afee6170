"""The interest of what moved on a day is counted, thousands of accounts at a time; what is owed is tried again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import partial

import numpy as np

from eastflow import ledger
from eastflow.ledger import Movements
from eastflow.products import Terms
from eastflow.storage import Clock, Database, Retry, Transaction, UniqueViolation, now

from ... import store as contracts
from ...books.actions import book_owed, current
from ...model import INTEREST_KIND, Correction, StepDone
from .. import store
from ..columns import Flags, Int64s, advanced
from ..runs import actions as runs
from ..runs.actions import Done
from ..settlement.actions import all_terms
from ..store import Accruals


async def accrue_moved(
    database: Database, business_date: date, part: int = 0, parts: int = 1, *, clock: Clock = now
) -> Done:
    """Count the interest of the contracts in which something has moved, as far as the ledger's blocks had come when the
    first part of this date began. Others need nothing: their interest is counted when they move or settle."""
    after, through = await database.run(lambda tx: _blocks(tx, business_date))
    await _book_owed(database, business_date, part, parts, clock)
    async with database.reading() as tx:
        come = await store.step(tx, business_date, "accrue", part, parts)
        if come.done:
            return Done(0)
        legs = await ledger.moved_between(tx, after, through, without_kind=INTEREST_KIND)
    if len(legs) and int(legs.value_ordinals.max()) > business_date.toordinal():
        await database.run(lambda tx: store.read_again(tx, business_date))
    mine = (legs.accounts % parts == part) & (legs.accounts > come.last_account)
    legs = _chosen(legs, mine)
    accounts, starts = np.unique(legs.accounts, return_index=True)
    bounds = np.append(starts, len(legs))
    for first in range(0, len(accounts), runs.ACCOUNTS_PER_BATCH):
        last = min(first + runs.ACCOUNTS_PER_BATCH, len(accounts))
        some = _chosen(legs, slice(int(bounds[first]), int(bounds[last])))
        come = await database.run(partial(_accrue, legs=some, day=business_date, come=come, clock=clock))
    await database.run(lambda tx: store.write_step(tx, replace(come, done=True)))
    return Done(come.accounts)


async def _blocks(tx: Transaction, day: date) -> tuple[dict[int, int], dict[int, int]]:
    fixed = await store.blocks_of_day(tx, day)
    if fixed is not None:
        return fixed
    after, through = await store.blocks_before(tx, day), await ledger.chain_numbers(tx)
    try:
        await store.insert_blocks(tx, day, after, through)
    except UniqueViolation as rival:
        raise Retry("another part of the day began in the same moment") from rival
    return after, through


async def _accrue(tx: Transaction, legs: Movements, day: date, come: StepDone, clock: Clock) -> StepDone:
    """The accounts of these legs, those of one transaction."""
    rows = await store.accruals_of(tx, np.unique(legs.accounts).tolist())
    place = np.searchsorted(rows.accounts, legs.accounts)
    place[place == len(rows)] = 0
    fresh = np.zeros(len(legs), dtype=bool)
    if len(rows):
        fresh = (rows.accounts[place] == legs.accounts) & (legs.sequences > rows.sequences[place])
    legs, place = _chosen(legs, fresh), place[fresh]
    touched = np.unique(place)
    counts, last = np.bincount(place, minlength=len(rows)), np.zeros(len(rows), dtype=np.int64)
    np.maximum.at(last, place, legs.sequences)
    plain = (rows.numerators >= 0) & (rows.debit_numerators >= 0)
    plain &= (rows.statuses != 3) & (rows.sequences + counts == last)
    # Valued before what is counted, or after this day: the ledger is asked.
    odd = (legs.value_ordinals < rows.through[place]) | (legs.value_ordinals > day.toordinal())
    plain[place[odd]] = False
    terms = await all_terms(tx)
    written = await _write_moved(tx, rows, legs, place, plain, last, terms)
    for account in sorted(set(rows.accounts[touched].tolist()) - written):
        await current(tx, account, day, clock=clock)
    end = int(legs.accounts[-1]) if len(legs) else come.last_account
    after = replace(come, last_account=max(come.last_account, end), accounts=come.accounts + len(touched))
    await store.write_step(tx, after)
    return after


async def _write_moved(
    tx: Transaction, rows: Accruals, legs: Movements, place: Int64s, plain: Flags, last: Int64s, terms: dict[int, Terms]
) -> set[int]:
    through, balances = rows.through.copy(), rows.balances_minor.copy()
    numerators, debits = rows.numerators.copy(), rows.debit_numerators.copy()
    for ordinal in np.unique(legs.value_ordinals[plain[place]]).tolist():
        here = (legs.value_ordinals == ordinal) & plain[place]
        moving = np.unique(place[here])
        for number in np.unique(rows.terms_numbers[moving]).tolist():
            some = moving[rows.terms_numbers[moving] == number]
            numerators[some], debits[some], exact = advanced(
                terms[number], through[some], balances[some], numerators[some], debits[some], date.fromordinal(ordinal)
            )
            plain[some] &= exact
        through[moving] = ordinal
        # A customer's account stands on the credit side: what credits it is its own.
        np.add.at(balances, place[here], legs.amounts_minor[here])
    chosen = np.flatnonzero(plain & (last > 0))
    if not len(chosen):
        return set()
    columns = (through, last, balances, numerators, debits)
    return set(await store.write_moved(tx, rows.where(chosen), *(column[chosen] for column in columns)))


async def _book_owed(database: Database, day: date, part: int, parts: int, clock: Clock) -> None:
    """Corrections that the customer's account had no money for are tried again."""
    after = store.FIRST_OWED
    while True:
        async with database.reading() as tx:
            owed = await store.corrections_owed(tx, part, parts, after=after, limit=runs.CONTRACTS_PER_PAGE)
        for one in owed:
            await database.run(partial(_book_one_owed, owed=one, day=day, clock=clock))
        if len(owed) < runs.CONTRACTS_PER_PAGE:
            return
        after = owed[-1].key


async def _book_one_owed(tx: Transaction, owed: Correction, day: date, clock: Clock) -> None:
    found = await contracts.locked(tx, owed.account)
    assert found is not None, "a contract is never removed"
    await book_owed(tx, found, owed, day, clock)


def _chosen(legs: Movements, chosen: Flags | slice) -> Movements:
    return Movements(
        legs.accounts[chosen], legs.sequences[chosen], legs.value_ordinals[chosen], legs.amounts_minor[chosen]
    )
