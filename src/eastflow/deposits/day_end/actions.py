"""The steps of a business date. Each is done for one part of the accounts (`account % parts == part`), and may be ended
at any point and run again: what is done is not done twice, whoever does it.

Most accounts go by thousands at a time. One that is not plain (a backdated posting, something posted in the same
moment, numbers too large) is brought to where the ledger is and done by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Protocol
from uuid import UUID

import numpy as np

from eastflow import ledger, products
from eastflow.kernel import Refusal, add_months
from eastflow.ledger import Movements, Status
from eastflow.ledger.actions import Engine, change_floor, internal_account
from eastflow.products import OVERDRAFT_INTEREST, AccountRole, Contract, Directive, Migration, ProductKind, Terms
from eastflow.products.actions import complete_migration
from eastflow.storage import Clock, Database, Retry, Transaction, UniqueViolation, now

from .. import store as contracts
from ..books.actions import Refused, book, book_owed, correct, current, due_ids, end_account, must, save
from ..decide import account_key, derived_id, settled_through
from ..freezes.actions import beneath, freeze
from ..model import INTEREST_KIND, Correction, Deposit, DepositStatus, StepDone
from . import store
from .columns import Flags, Int64s, advanced
from .settlement.actions import all_terms, end_each, falls_due, migrate_each, settle, settling_terms
from .store import Accruals

ACCOUNTS_PER_BATCH = 8_000
CONTRACTS_PER_PAGE = 500
DORMANT_AFTER_MONTHS = 12
OPEN, DORMANT, FROZEN = 0, 1, 2


class Work(Protocol):
    """What is done with one account, in a transaction of its own."""

    def __call__(self, tx: Transaction, account: int) -> Awaitable[None]: ...


class ReadPage(Protocol):
    """Accruals by account after `after`."""

    def __call__(self, tx: Transaction, *, after: int, part: int, parts: int, limit: int) -> Awaitable[Accruals]: ...


EndPage = Callable[[Accruals, StepDone], Awaitable[list[int]]]
"""What is done with a page, with how far the step has come then; answers the accounts that it left."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a step came to: contracts it did now, and those it could not do, with the reason each was refused for."""

    accounts: int
    refused: tuple[tuple[int, Refusal], ...] = ()


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
    for first in range(0, len(accounts), ACCOUNTS_PER_BATCH):
        last = min(first + ACCOUNTS_PER_BATCH, len(accounts))
        some = _chosen(legs, slice(int(bounds[first]), int(bounds[last])))
        come = await database.run(partial(_accrue, legs=some, day=business_date, come=come, clock=clock))
    await database.run(lambda tx: store.write_step(tx, replace(come, done=True)))
    return Done(come.accounts)


async def settle_interest(engine: Engine, business_date: date, part: int = 0, parts: int = 1) -> Done:
    """Credit the interest of every contract that settles on this date, take what overdrafts have cost, and do what else
    falls due on it. Each entry has an id of the account, the kind and the date: run again, or come to from elsewhere in
    the same moment, it is booked once."""
    settling, plain = await settling_terms(engine.database, business_date)

    async def end(rows: Accruals, come: StepDone) -> list[int]:
        in_columns = np.isin(rows.terms_numbers, list(plain))
        left = await settle(engine, rows.where(in_columns), plain, business_date, come)
        return left + await end_each(engine, rows.where(~in_columns), settling, come, settles=True)

    return await _end_days(engine, StepDone(business_date, "settle", part, parts), settling, end)


async def charge_fees(engine: Engine, business_date: date, part: int = 0, parts: int = 1) -> Done:
    """Take the scheduled fees of this date. (Where interest settles on it too, fees are taken with it, after it.)"""
    settling, _ = await settling_terms(engine.database, business_date)
    async with engine.database.reading() as tx:
        terms = await all_terms(tx)
    charged = {n: each for n, each in terms.items() if n not in settling and falls_due(each, business_date)}

    async def end(rows: Accruals, come: StepDone) -> list[int]:
        return await end_each(engine, rows, charged, come, settles=False)

    return await _end_days(engine, StepDone(business_date, "fees", part, parts), charged, end)


async def run_maturities(
    database: Database, business_date: date, part: int = 0, parts: int = 1, *, clock: Clock = now
) -> Done:
    """Renew or pay out what matures, and let notices lapse. What is paid out goes to the nominated account, or to the
    bank's suspense where none was named. A contract that is refused (a frozen one) stays due."""

    async def page(tx: Transaction, after: int) -> list[int]:
        return await store.contracts_due(
            tx, business_date, after=after, part=part, parts=parts, limit=CONTRACTS_PER_PAGE
        )

    return await _every(database, page, partial(_due, day=business_date, clock=clock))


async def mark_dormant(
    database: Database,
    business_date: date,
    part: int = 0,
    parts: int = 1,
    *,
    after_months: int = DORMANT_AFTER_MONTHS,
    clock: Clock = now,
) -> Done:
    """Put to sleep the demand contracts in which nothing has moved for so long. It looks at every contract: once a
    month is enough."""
    since = add_months(business_date, -after_months)

    async def page(tx: Transaction, after: int) -> list[int]:
        return await store.resting_since(tx, since, after=after, part=part, parts=parts, limit=CONTRACTS_PER_PAGE)

    async def sleep(tx: Transaction, account: int) -> None:
        found = await current(tx, account, business_date, clock=clock)
        counted = await contracts.accrual(tx, account)
        if found is None or counted is None or found.status is not DepositStatus.OPEN or counted.moved_on > since:
            return
        under = replace(await beneath(tx, found), asleep=True)
        await freeze(tx, account, under, ordered=False, clock=clock)

    return await _every(database, page, sleep)


async def migrate_contracts(engine: Engine, business_date: date, part: int = 0, parts: int = 1) -> Done:
    """Carry out the products' plans whose day has come, once what fell due on it is done."""
    async with engine.database.reading() as tx:
        plans = await products.migrations_due(tx, business_date)
    count, refused = 0, list[tuple[int, Refusal]]()
    for plan in plans:
        done = await _carry_out(engine, plan, business_date, part, parts)
        count, refused = count + done.accounts, [*refused, *done.refused]
        await engine.database.run(partial(_complete, plan=plan, clock=engine.clock))
    return Done(count, tuple(refused))


async def _carry_out(engine: Engine, plan: Migration, day: date, part: int, parts: int) -> Done:
    work = partial(_migrate, plan=plan, day=day, clock=engine.clock)
    source, target = await engine.database.run(partial(_numbers, plan=plan))
    async with engine.database.reading() as tx:
        terms = await all_terms(tx)
    if terms[source].kind is not ProductKind.DEMAND:
        return await _every(engine.database, _contracts_of(plan, part, parts), work)
    step, read = StepDone(day, f"migrate {plan.id}", part, parts), partial(store.page_under, terms=source)

    async def end(rows: Accruals, come: StepDone) -> list[int]:
        return await migrate_each(engine, rows, plan, terms, target, come)

    return await _in_pages(engine, step, [read], end, work)


async def _numbers(tx: Transaction, plan: Migration) -> tuple[int, int]:
    """Of the plan's terms before and after."""
    try:
        source, target = [await contracts.terms_number(tx, plan.code, each) for each in (plan.source, plan.target)]
    except UniqueViolation as rival:
        raise Retry("another part gave the terms their number in the same moment") from rival
    return source, target


async def _end_days(engine: Engine, step: StepDone, terms: Mapping[int, Terms], end: EndPage) -> Done:
    if not terms:
        return Done(0)
    due = partial(store.due_page, terms=sorted(terms), day=step.business_date)
    # The engine is quickest with accounts that are all open, so the others come after them.
    reads = partial(due, statuses=(OPEN,)), partial(due, statuses=(DORMANT, FROZEN))
    return await _in_pages(engine, step, reads, end, partial(_due, day=step.business_date, clock=engine.clock))


async def _in_pages(engine: Engine, step: StepDone, reads: Iterable[ReadPage], end: EndPage, work: Work) -> Done:
    """`step` is where it begins if nothing of it has been done. What `end` leaves of a page is done one by one."""
    database, refused = engine.database, list[tuple[int, Refusal]]()
    async with database.reading() as tx:
        come = await store.step(tx, step.business_date, step.step, step.part, step.parts)
    if come.done:
        return Done(0)
    for read in reads:
        after = 0
        while True:
            async with database.reading() as tx:
                rows = await read(tx, after=after, part=step.part, parts=step.parts, limit=ACCOUNTS_PER_BATCH)
            if not len(rows):
                break
            after = int(rows.accounts[-1])
            come = replace(come, last_account=after, accounts=come.accounts + len(rows))
            refused += await _one_by_one(database, await end(rows, come), work)
    if not refused:
        await database.run(lambda tx: store.write_step(tx, replace(come, done=True)))
    return Done(come.accounts, tuple(refused))


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


async def _due(tx: Transaction, account: int, day: date, clock: Clock) -> None:
    """All that falls due of one contract up to the end of this day, booked. Errors: Refused, Retry."""
    found = await current(tx, account, day, clock=clock)
    if found is None or found.status is DepositStatus.CLOSED:
        return
    missed = products.next_due(found.contract)
    if found.contract.accrual is not None and missed is not None and missed < day:
        # It was refused on its own day, which is done first, as things stood then.
        await _due(tx, account, missed, clock)
        await _due(tx, account, day, clock)
        return
    found = await _before_its_end(tx, found, day)
    contract, directives = products.end_of_day(found.contract, day)
    try:
        async with tx.savepoint():
            await _keep_due(tx, found, contract, directives, day, clock)
    except Refused:
        if not any(each.kind == OVERDRAFT_INTEREST or each.kind.startswith("fee:") for each in directives):
            raise
        # What is held or frozen pays no fee: it is not owed, and keeps nothing else from its day. Nor does it pay for
        # its overdraft, and that is owed.
        terms = found.contract.terms
        free = products.end_of_day(replace(found.contract, terms=replace(terms, fees=())), day)
        contract, directives = products.left_owed(free, day)
        await _keep_due(tx, found, replace(contract, terms=terms), directives, day, clock)


async def _before_its_end(tx: Transaction, found: Deposit, day: date) -> Deposit:
    """The contract without what this day's end has booked already: it was met by a customer on its way."""
    accrual = found.contract.accrual
    if accrual is None:
        return found
    key = account_key(found.account)
    known = await ledger.entries(tx, [derived_id(key, kind, day) for kind in products.due_kinds(found.contract.terms)])
    booked = sum(entry.amounts_minor[entry.accounts.index(found.account)] for entry in known.values())
    accrual = replace(accrual, balance_minor=accrual.balance_minor - booked)
    return replace(found, contract=replace(found.contract, accrual=accrual))


async def _not_booked(
    tx: Transaction, account: int, directives: Sequence[Directive]
) -> tuple[list[Directive], list[UUID]]:
    """Those of what comes due that are not in the books yet, with their ids."""
    ids = due_ids(account, directives)
    known = await ledger.entries(tx, ids)
    fresh = [(each, id) for each, id in zip(directives, ids, strict=True) if id not in known]
    return [each for each, _ in fresh], [id for _, id in fresh]


async def _keep_due(
    tx: Transaction, found: Deposit, contract: Contract, directives: Sequence[Directive], day: date, clock: Clock
) -> None:
    fresh, ids = await _not_booked(tx, found.account, directives)
    other = await _nominated(tx, found) or await _suspense(tx, found, directives, day, clock)
    await book(tx, found, fresh, ids, other=other, today=day, clock=clock)
    known = len(fresh) < len(directives)
    settled_on = None if contract.accrual is None else settled_through(found.contract, day)
    closes = contract.closed_on is not None
    kept = replace(found, contract=_owing_nothing(contract), status=DepositStatus.CLOSED if closes else found.status)
    await save(tx, kept, day, len(fresh), settled_on=settled_on, recount=known)
    if settled_on is not None and (known or contract.owed_minor):
        await _correct_settled(tx, kept, settled_on, day, clock)
    if closes:
        await end_account(tx, kept, day, clock)


def _owing_nothing(contract: Contract) -> Contract:
    """What a contract owes is kept with the corrections of its settlement: it is valued on that day when it comes."""
    return replace(contract, owed_minor=0)


async def _correct_settled(tx: Transaction, kept: Deposit, settled_on: date, day: date, clock: Clock) -> None:
    """What was not booked on the settlement date is booked or owed."""
    counted = await contracts.accrual(tx, kept.account)
    assert counted is not None, "just written"
    await correct(tx, kept, settled_on, counted.sequence, day, clock)


async def _nominated(tx: Transaction, deposit: Deposit) -> int | None:
    """None where that account cannot take the money."""
    number = deposit.nominated
    if number is None or number == deposit.account:
        return None
    account = (await ledger.accounts(tx, [number])).get(number)
    if account is None or account.asset != deposit.asset:
        return None
    return number if account.status in (Status.OPEN, Status.DEBITS_FROZEN) else None


async def _suspense(
    tx: Transaction, deposit: Deposit, directives: Sequence[Directive], day: date, clock: Clock
) -> int | None:
    if all(leg.role is not AccountRole.NOMINATED for each in directives for leg in each.legs):
        return None
    side = ledger.Side.CREDIT
    return await must(internal_account(tx, "liabilities:suspense", deposit.asset, side, clock=clock, today=lambda: day))


async def _migrate(tx: Transaction, account: int, plan: Migration, day: date, clock: Clock) -> None:
    found = await current(tx, account, day, clock=clock)
    if found is None or (found.product, found.version) != (plan.code, plan.source):
        return
    found = await _before_its_end(tx, found, day)
    terms = await contracts.terms_of(tx, plan.code, plan.target)
    step = products.migrate(found.contract, terms, day)
    try:
        async with tx.savepoint():
            await _keep_migrated(tx, found, plan, *step, day, clock)
    except Refused:
        if not any(each.kind == OVERDRAFT_INTEREST for each in step[1]):
            raise
        await _keep_migrated(tx, found, plan, *products.left_owed(step, day), day, clock)


async def _keep_migrated(
    tx: Transaction,
    found: Deposit,
    plan: Migration,
    contract: Contract,
    directives: Sequence[Directive],
    day: date,
    clock: Clock,
) -> None:
    fresh, ids = await _not_booked(tx, found.account, directives)
    await book(tx, found, fresh, ids, other=None, today=day, clock=clock)
    known = len(fresh) < len(directives)
    kept = replace(found, version=plan.target, terms_since=day, contract=_owing_nothing(contract))
    await contracts.keep_held(tx, found)
    await save(tx, kept, day, len(fresh), settled_on=None if contract.accrual is None else day, recount=known)
    if known or contract.owed_minor:
        await _correct_settled(tx, kept, day, day, clock)
    floor = contract.terms.floor_minor
    if contract.accrual is not None and floor != found.contract.terms.floor_minor:
        await must(change_floor(tx, found.account, floor, clock=clock))


def _contracts_of(plan: Migration, part: int, parts: int) -> Callable[[Transaction, int], Awaitable[list[int]]]:
    async def page(tx: Transaction, after: int) -> list[int]:
        return await store.contracts_under(
            tx, plan.code, plan.source, after=after, part=part, parts=parts, limit=CONTRACTS_PER_PAGE
        )

    return page


async def _complete(tx: Transaction, plan: Migration, clock: Clock) -> None:
    if not await store.contracts_under(tx, plan.code, plan.source, after=0, part=0, parts=1, limit=1):
        await must(complete_migration(tx, plan.id, clock=clock))


async def _book_owed(database: Database, day: date, part: int, parts: int, clock: Clock) -> None:
    """Corrections that the customer's account had no money for are tried again."""
    after = store.FIRST_OWED
    while True:
        async with database.reading() as tx:
            owed = await store.corrections_owed(tx, part, parts, after=after, limit=CONTRACTS_PER_PAGE)
        for one in owed:
            await database.run(partial(_book_one_owed, owed=one, day=day, clock=clock))
        if len(owed) < CONTRACTS_PER_PAGE:
            return
        after = owed[-1].key


async def _book_one_owed(tx: Transaction, owed: Correction, day: date, clock: Clock) -> None:
    found = await contracts.locked(tx, owed.account)
    assert found is not None, "a contract is never removed"
    await book_owed(tx, found, owed, day, clock)


async def _every(
    database: Database,
    page: Callable[[Transaction, int], Awaitable[list[int]]],
    work: Work,
) -> Done:
    count, refused, after = 0, list[tuple[int, Refusal]](), 0
    while True:
        async with database.reading() as tx:
            accounts = await page(tx, after)
        if not accounts:
            return Done(count - len(refused), tuple(refused))
        after, count = accounts[-1], count + len(accounts)
        refused += await _one_by_one(database, accounts, work)


async def _one_by_one(database: Database, accounts: Sequence[int], work: Work) -> list[tuple[int, Refusal]]:
    """Each in a transaction of its own; those that were refused are left as they were."""
    refused = list[tuple[int, Refusal]]()
    for account in accounts:
        try:
            await database.run(partial(work, account=account))
        except Refused as said:
            refused.append((account, said.refusal))
    return refused


def _chosen(legs: Movements, chosen: Flags | slice) -> Movements:
    return Movements(
        legs.accounts[chosen], legs.sequences[chosen], legs.value_ordinals[chosen], legs.amounts_minor[chosen]
    )
