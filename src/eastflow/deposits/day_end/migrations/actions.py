"""Contracts go on under other terms of their product, where a plan says so and its day has come."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date
from functools import partial

from eastflow import products
from eastflow.kernel import Refusal
from eastflow.ledger.actions import Engine, change_floor
from eastflow.products import OVERDRAFT_INTEREST, Contract, Directive, Migration, ProductKind
from eastflow.products.actions import complete_migration
from eastflow.storage import Clock, Retry, Transaction, UniqueViolation

from ... import store as contracts
from ...books.actions import Refused, book, current, must, save
from ...model import Deposit, DepositStatus, StepDone
from .. import store
from ..dues.actions import before_its_end, correct_settled, due, not_booked, owing_nothing
from ..runs import actions as runs
from ..runs.actions import Done, every, in_pages
from ..settlement.actions import all_terms, migrate_each
from ..store import Accruals


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
        return await every(engine.database, _contracts_of(plan, part, parts), work)
    step, read = StepDone(day, f"migrate {plan.id}", part, parts), partial(store.page_under, terms=source)

    async def end(rows: Accruals, come: StepDone) -> list[int]:
        return await migrate_each(engine, rows, plan, terms, target, come)

    return await in_pages(engine, step, [read], end, work)


async def _numbers(tx: Transaction, plan: Migration) -> tuple[int, int]:
    """Of the plan's terms before and after."""
    try:
        source, target = [await contracts.terms_number(tx, plan.code, each) for each in (plan.source, plan.target)]
    except UniqueViolation as rival:
        raise Retry("another part gave the terms their number in the same moment") from rival
    return source, target


async def _migrate(tx: Transaction, account: int, plan: Migration, day: date, clock: Clock) -> None:
    found = await current(tx, account, day, clock=clock)
    if found is None or found.status is DepositStatus.CLOSED:
        return
    if (found.product, found.version) != (plan.code, plan.source):
        return
    missed = products.next_due(found.contract)
    if missed is not None and missed <= day:
        # It was refused on its day, which is done first, under the terms it has.
        await due(tx, account, day, clock)
        await _migrate(tx, account, plan, day, clock)
        return
    if found.contract.open_day <= day:
        found = await before_its_end(tx, found, day)
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
    settles = contract.accrual is not None and not products.counts_on(found.contract.terms, contract.terms)
    fresh, ids = await not_booked(tx, found.account, directives)
    await book(tx, found, fresh, ids, other=None, today=day, clock=clock)
    known = len(fresh) < len(directives)
    kept = replace(found, version=plan.target, terms_since=day, contract=owing_nothing(contract))
    await contracts.keep_held(tx, found)
    await save(tx, kept, day, len(fresh), settled_on=day if settles else None, recount=known)
    if known or contract.owed_minor:
        await correct_settled(tx, kept, day, day, clock)
    floor = contract.terms.floor_minor
    if contract.accrual is not None and floor != found.contract.terms.floor_minor:
        await must(change_floor(tx, found.account, floor, clock=clock))


def _contracts_of(plan: Migration, part: int, parts: int) -> Callable[[Transaction, int], Awaitable[list[int]]]:
    async def page(tx: Transaction, after: int) -> list[int]:
        return await store.contracts_under(
            tx, plan.code, plan.source, after=after, part=part, parts=parts, limit=runs.CONTRACTS_PER_PAGE
        )

    return page


async def _complete(tx: Transaction, plan: Migration, clock: Clock) -> None:
    if not await store.contracts_under(tx, plan.code, plan.source, after=0, part=0, parts=1, limit=1):
        await must(complete_migration(tx, plan.id, clock=clock))
