"""Ending a day for thousands of contracts at once: in columns where nothing but interest is due, else each by itself.

Left, and named, are those with numbers that are too large, without room for what their overdraft has cost, or met by a
customer in the same moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

import numpy as np

from eastflow import ledger, products
from eastflow.ledger import BATCH_COMMANDS_MAX, Entry, Posting
from eastflow.ledger.actions import Engine
from eastflow.products import OVERDRAFT_INTEREST, Accrual, Contract, Migration, Terms
from eastflow.storage import Database, Transaction

from ... import store as contracts
from ...books.actions import OTHER_SIDES, own_account
from ...decide import account_key, derived_id
from ...model import INTEREST_KIND, INTEREST_KINDS, StepDone
from .. import store
from ..columns import Flags, Int64s, advanced, rounded, settled
from ..store import Accruals
from .each import Step, page_of_each
from .page import Page


@dataclass(frozen=True, slots=True)
class Plain:
    """Terms with nothing but interest to be settled on a day, and the bank's own account for each kind of it."""

    terms: Terms
    own: Mapping[str, int]


async def all_terms(tx: Transaction) -> dict[int, Terms]:
    """By the small number that accruals know them by."""
    numbers = await contracts.all_terms(tx)
    return {number: await contracts.terms_of(tx, *of) for number, of in numbers.items()}


def falls_due(terms: Terms, day: date) -> bool:
    return _next_due(terms, day) == day


async def settling_terms(database: Database, day: date) -> tuple[dict[int, Terms], dict[int, Plain]]:
    """The terms under which interest settles on this day, and the plain ones among them."""
    async with database.reading() as tx:
        terms = await all_terms(tx)
    settle = {n: each for n, each in terms.items() if falls_due(replace(each, fees=()), day)}
    plain = {}
    for number, each in settle.items():
        if not each.hooks and not falls_due(replace(each, settlement=None), day):
            plain[number] = await database.run(lambda tx, each=each: _plain(tx, each, day))  # type: ignore[misc]
    return settle, plain


async def settle(engine: Engine, rows: Accruals, plain: Mapping[int, Plain], day: date, come: StepDone) -> list[int]:
    """Settle those whose terms are `plain`; the others are left, and named."""
    earned, cost, exact = _interest(rows, plain, day)
    credits = _entries(rows, INTEREST_KIND, earned, plain, day)
    entries = [*credits, *_entries(rows, OVERDRAFT_INTEREST, cost, plain, day)]
    none = np.zeros_like(rows.accounts)
    after = replace(
        rows,
        open_days=none + day.toordinal() + 1,
        through=none + day.toordinal(),
        sequences=rows.sequences + (earned != 0) + (cost != 0),
        balances_minor=rows.balances_minor + earned + cost,
        numerators=none,
        debit_numerators=none,
    )
    return await _keep(engine, Page(rows, after, exact, entries, settled_on=day), come)


async def end_each(
    engine: Engine, rows: Accruals, terms: Mapping[int, Terms], come: StepDone, *, settles: bool
) -> list[int]:
    """Do all that falls due of each on the step's day; those with more to be done than that are left, and named."""
    day = come.business_date

    def step(contract: Contract) -> Step | None:
        return products.end_of_day(contract, day) if products.next_due(contract) == day else None

    page = await page_of_each(engine.database, rows, terms, day, step)
    return await _keep(engine, replace(page, settled_on=day if settles else None), come)


async def migrate_each(
    engine: Engine, rows: Accruals, plan: Migration, terms: Mapping[int, Terms], target: int, come: StepDone
) -> list[int]:
    """Put each under the terms of the number `target`, the plan's, on the step's day. Those that owe something then, or
    have something due, and all of them if they get another floor, are left, and named."""
    day, before, later = come.business_date, terms[int(rows.terms_numbers[0])], terms[target]

    def step(contract: Contract) -> Step | None:
        plain = contract.terms.floor_minor == later.floor_minor and (products.next_due(contract) or date.max) > day
        return products.migrate(contract, later, day) if plain else None

    page = await page_of_each(engine.database, rows, terms, day, step)
    after = replace(page.after, terms_numbers=np.full_like(rows.terms_numbers, target))
    also = partial(store.write_migrated, plan=plan, day=day)
    settled_on = None if products.counts_on(before, later) else day
    return await _keep(engine, replace(page, after=after, settled_on=settled_on, also=also), come)


async def _keep(engine: Engine, page: Page, come: StepDone) -> list[int]:
    """Book it, and write each contract that then stands so in the ledger. The others are left, and named; what of them
    is booked stays booked."""
    for first in range(0, len(page.entries), BATCH_COMMANDS_MAX):
        await engine.post_batch(page.entries[first : first + BATCH_COMMANDS_MAX])
    async with engine.database.reading() as tx:
        found = await ledger.standings_of(tx, page.rows.accounts.tolist())
    # It was booked, and nothing else was, if the ledger says so.
    there, posted, booked = (np.array(column, dtype=np.int64) for column in found)
    assert np.array_equal(there, page.rows.accounts), "a contract stands on an account"
    sure = page.exact & (posted == page.after.balances_minor) & (booked == page.after.sequences)

    async def write(tx: Transaction) -> list[int]:
        written = await store.write_ended(tx, page.rows.where(sure), page.after.where(sure), page.settled_on)
        await page.also(tx, written)
        await store.write_step(tx, come)
        return written

    return sorted(set(page.rows.accounts.tolist()) - set(await engine.database.run(write)))


async def _plain(tx: Transaction, terms: Terms, day: date) -> Plain:
    kinds = (INTEREST_KIND,) if terms.overdraft is None else INTEREST_KINDS
    return Plain(terms, {kind: await own_account(tx, OTHER_SIDES[kind], terms.asset.code, day) for kind in kinds})


def _interest(rows: Accruals, plain: Mapping[int, Plain], day: date) -> tuple[Int64s, Int64s, Flags]:
    """What each has earned, what its overdraft has cost (negative), and which are plain: of others it is nothing."""
    earned, cost = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
    exact = np.zeros(len(rows), dtype=bool)
    counted = (rows.numerators >= 0) & (rows.debit_numerators >= 0) & (rows.through <= day.toordinal())
    for number, each in plain.items():
        here = counted & (rows.terms_numbers == number)
        for open_day in np.unique(rows.open_days[here]).tolist():
            if _next_due(each.terms, date.fromordinal(open_day)) != day:
                continue
            some = np.flatnonzero(here & (rows.open_days == open_day))
            balances = rows.balances_minor[some]
            numerators, debit_numerators, fits = advanced(
                each.terms, rows.through[some], balances, rows.numerators[some], rows.debit_numerators[some], day
            )
            numerators, small = settled(each.terms, numerators, day)
            credit, debit = rounded(each.terms, numerators), rounded(each.terms, debit_numerators)
            if credit is not None and debit is not None:
                earned[some], cost[some] = credit, -debit
                exact[some] = fits & small & ((debit == 0) | (debit <= balances + credit - each.terms.floor_minor))
    return np.where(exact, earned, 0), np.where(exact, cost, 0), exact


def _entries(rows: Accruals, kind: str, amounts: Int64s, plain: Mapping[int, Plain], day: date) -> Iterator[Entry]:
    chosen = np.flatnonzero(amounts)
    columns = (rows.accounts[chosen], rows.terms_numbers[chosen], amounts[chosen])
    for account, number, amount in zip(*(column.tolist() for column in columns), strict=True):
        asset, own = plain[number].terms.asset.code, plain[number].own[kind]
        legs = (Posting(own, asset, -amount), Posting(account, asset, amount))
        yield Entry(derived_id(account_key(account), kind, day), kind, day, legs)


def _next_due(terms: Terms, open_day: date) -> date | None:
    return products.next_due(Contract(terms, open_day, open_day, open_day, accrual=Accrual(open_day)))
