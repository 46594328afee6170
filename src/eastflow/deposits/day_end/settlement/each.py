"""A page of contracts of which each is asked what it comes to: with fees and hooks, or under new terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from eastflow.ledger import Entry
from eastflow.products import AccountRole, Accrual, Contract, Directive, Terms, contract_from
from eastflow.storage import Database, Transaction

from ... import store as contracts
from ...books.actions import due_ids, own_account
from ...decide import entries_of
from ..columns import SAFE, Flags
from ..store import Accruals
from .page import Page

State = Mapping[str, Any]
Step = tuple[Contract, Sequence[Directive]]
"""What a contract comes to, and what is to be booked for that."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """A contract after its step; `place` is its row in the page."""

    place: int
    account: int
    contract: Contract
    directives: Sequence[Directive]


async def page_of_each(
    database: Database, rows: Accruals, terms: Mapping[int, Terms], day: date, step: Callable[[Contract], Step | None]
) -> Page:
    """What the contracts come to by the pure `step` of this day, each under its terms by their small number; where that
    is None, it is not to be done here. Errors: Refused."""
    # Of others the numbers are too large for columns, or something later is counted in them already.
    fit = (rows.numerators >= 0) & (rows.debit_numerators >= 0) & (rows.through <= day.toordinal())
    places = np.flatnonzero(fit).tolist()
    async with database.reading() as tx:
        states = await contracts.states_of(tx, rows.accounts[places].tolist())
    ended = list[_Ended]()
    for place in places:
        account, number = int(rows.accounts[place]), int(rows.terms_numbers[place])
        contract = _contract(rows, place, terms[number], states[account])
        found = step(contract)
        if found and _is_kept_by_its_accrual(contract, found[0]):
            ended.append(_Ended(place, account, *found))
    entries = await database.run(lambda tx: _entries(tx, ended))
    return Page(rows, *_after(rows, ended), entries)


def _contract(rows: Accruals, place: int, terms: Terms, state: State) -> Contract:
    accrual = Accrual(
        date.fromordinal(int(rows.through[place])),
        int(rows.balances_minor[place]),
        int(rows.numerators[place]),
        int(rows.debit_numerators[place]),
    )
    return replace(contract_from(terms, state), open_day=date.fromordinal(int(rows.open_days[place])), accrual=accrual)


def _is_kept_by_its_accrual(before: Contract, after: Contract) -> bool:
    """Whether nothing else of its state has changed, and that fits a page's columns."""
    accrual = after.accrual
    same = replace(after, terms=before.terms, open_day=before.open_day, accrual=before.accrual) == before
    return same and accrual is not None and max(accrual.numerator, accrual.debit_numerator) <= SAFE


async def _entries(tx: Transaction, ended: Sequence[_Ended]) -> list[Entry]:
    own = dict[tuple[AccountRole, str], int]()
    entries = list[Entry]()
    for each in ended:
        asset = each.contract.terms.asset.code
        for leg in (leg for directive in each.directives for leg in directive.legs):
            if leg.role is not AccountRole.CUSTOMER and (leg.role, asset) not in own:
                own[leg.role, asset] = await own_account(tx, leg.role, asset, each.directives[0].value_date)
        accounts = {role: account for (role, of), account in own.items() if of == asset}
        accounts[AccountRole.CUSTOMER] = each.account
        entries += entries_of(each.directives, accounts, asset, due_ids(each.account, each.directives))
    return entries


def _after(rows: Accruals, ended: Sequence[_Ended]) -> tuple[Accruals, Flags]:
    """The page after it, and which of its rows were asked."""
    after, asked = rows.where(np.arange(len(rows))), np.zeros(len(rows), dtype=bool)
    for each in ended:
        place, accrual = each.place, each.contract.accrual
        assert accrual is not None, "of demand contracts"
        asked[place] = True
        after.open_days[place] = each.contract.open_day.toordinal()
        after.through[place] = accrual.through.toordinal()
        after.sequences[place] += len(each.directives)
        after.balances_minor[place] = accrual.balance_minor
        after.numerators[place] = accrual.numerator
        after.debit_numerators[place] = accrual.debit_numerator
    return after, asked
