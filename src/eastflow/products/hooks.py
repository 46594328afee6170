"""What terms cannot say as data: pure functions, asked by name on settlement dates.

A hook sees the contract frozen, after its interest and fees, and answers with directives. It does no input or output,
reads no clock, and keeps nothing between two calls. To add one, write it here and name it in `HOOKS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from eastflow.kernel import months_and_days

from .directives import Step, customer_minor, moved
from .model import AccountRole, Contract, Directive

Answer = tuple[Directive, ...]


@dataclass(frozen=True, slots=True)
class Hook:
    """`parameters` are the names of the whole numbers that it must be given, none below zero."""

    answer: Callable[[Contract, date, Mapping[str, int]], Answer]
    parameters: frozenset[str]


def loyalty_bonus(contract: Contract, day: date, parameters: Mapping[str, int]) -> Answer:
    """`bonus_minor` on each settlement date for a contract that has lasted `months_min` months and whose balance is at
    least `balance_min_minor`."""
    months, _ = months_and_days(contract.opened_on, day)
    if months < parameters["months_min"] or contract.balance_minor < parameters["balance_min_minor"]:
        return ()
    bonus = parameters["bonus_minor"]
    return moved("bonus:loyalty_bonus", day, AccountRole.INTEREST_EXPENSE, AccountRole.CUSTOMER, bonus)


HOOKS: Mapping[str, Hook] = {
    "loyalty_bonus": Hook(loyalty_bonus, frozenset({"bonus_minor", "balance_min_minor", "months_min"})),
}


def bonuses(contract: Contract, day: date) -> Step:
    """Asks the terms' hooks in their order. What they answer is checked: a hook that answers wrongly is a bug."""
    posted: Answer = ()
    for use in contract.terms.hooks:
        answer = HOOKS[use.name].answer(contract, day, use.parameters)
        assert [each.kind for each in answer] in ([], [f"bonus:{use.name}"]), "a hook directs one thing, named after it"
        contract = _taken(contract, day, answer)
        posted += answer
    return contract, posted


def _taken(contract: Contract, day: date, answer: Answer) -> Contract:
    for directive in answer:
        assert sum(leg.amount_minor for leg in directive.legs) == 0, "a hook's directives balance"
        assert directive.value_date == day, "a hook's directives are of the day it is asked"
    accrual = contract.accrual
    assert accrual is not None, "hooks are asked on settlement dates, which demand contracts have"
    balance = accrual.balance_minor + customer_minor(answer)
    assert balance >= min(accrual.balance_minor, contract.terms.floor_minor), "a hook leaves the floor"
    return replace(contract, accrual=replace(accrual, balance_minor=balance))
