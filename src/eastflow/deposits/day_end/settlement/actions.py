"""Settling thousands of contracts at once. Those that are not plain are left, and named.

Plain is what has nothing else to be done on its day, no numbers that are too large, and, where it was overdrawn, room
for what that has cost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from eastflow import ledger, products
from eastflow.ledger import Entry, Posting
from eastflow.ledger.actions import Engine
from eastflow.products import OVERDRAFT_INTEREST, Accrual, Contract, Terms
from eastflow.storage import Database, Transaction

from ... import store as contracts
from ...books.actions import OTHER_SIDES, own_account
from ...decide import account_key, derived_id
from ...model import INTEREST_KIND, INTEREST_KINDS, StepDone
from .. import store
from ..columns import Flags, Int64s, advanced, rounded
from ..store import Accruals


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


async def settle(engine: Engine, rows: Accruals, plain: dict[int, Plain], day: date, come: StepDone) -> list[int]:
    """Settle those that are plain; the others are left, and named."""
    earned, cost, exact = _interest(rows, plain, day)
    credits = _entries(rows, INTEREST_KIND, earned, plain, day)
    await engine.post_batch([*credits, *_entries(rows, OVERDRAFT_INTEREST, cost, plain, day)])
    sequences = rows.sequences + (earned != 0) + (cost != 0)
    balances = rows.balances_minor + earned + cost
    async with engine.database.reading() as tx:
        found = await ledger.standings_of(tx, rows.accounts.tolist())
    # It was booked, and nothing else was, if the ledger says so.
    there, posted, booked = (np.array(column, dtype=np.int64) for column in found)
    assert np.array_equal(there, rows.accounts), "a contract stands on an account"
    sure = np.flatnonzero(exact & (posted == balances) & (booked == sequences))

    async def write(tx: Transaction) -> list[int]:
        written = await store.write_settled(tx, rows.where(sure), day, sequences[sure], balances[sure])
        await store.write_step(tx, come)
        return written

    return sorted(set(rows.accounts.tolist()) - set(await engine.database.run(write)))


async def _plain(tx: Transaction, terms: Terms, day: date) -> Plain:
    kinds = (INTEREST_KIND,) if terms.overdraft is None else INTEREST_KINDS
    return Plain(terms, {kind: await own_account(tx, OTHER_SIDES[kind], terms.asset.code, day) for kind in kinds})


def _interest(rows: Accruals, plain: dict[int, Plain], day: date) -> tuple[Int64s, Int64s, Flags]:
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
            credit, debit = rounded(each.terms, numerators), rounded(each.terms, debit_numerators)
            if credit is not None and debit is not None:
                earned[some], cost[some] = credit, -debit
                exact[some] = fits & ((debit == 0) | (debit <= balances + credit - each.terms.floor_minor))
    return np.where(exact, earned, 0), np.where(exact, cost, 0), exact


def _entries(rows: Accruals, kind: str, amounts: Int64s, plain: dict[int, Plain], day: date) -> Iterator[Entry]:
    chosen = np.flatnonzero(amounts)
    columns = (rows.accounts[chosen], rows.terms_numbers[chosen], amounts[chosen])
    for account, number, amount in zip(*(column.tolist() for column in columns), strict=True):
        asset, own = plain[number].terms.asset.code, plain[number].own[kind]
        legs = (Posting(own, asset, -amount), Posting(account, asset, amount))
        yield Entry(derived_id(account_key(account), kind, day), kind, day, legs)


def _next_due(terms: Terms, open_day: date) -> date | None:
    return products.next_due(Contract(terms, open_day, open_day, open_day, accrual=Accrual(open_day)))
