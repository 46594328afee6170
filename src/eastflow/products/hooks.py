"""What terms cannot say as data: pure functions, asked by name.

A demand contract's hooks are asked on its settlement dates, after interest and fees. Those of a term or of instalments
are asked when that has matured and is paid, of the principal that earned its interest, and may only add to it. A hook
sees the contract frozen and answers with directives. It does no input or output, reads no clock, and keeps nothing
between two calls. To add one, write it here and name it in `HOOKS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from eastflow.kernel import months_and_days

from .directives import Step, customer_minor, moved
from .model import AccountRole, Contract, Directive, HookUse

Answer = tuple[Directive, ...]


@dataclass(frozen=True, slots=True)
class Hook:
    """`parameters` are the names of the whole numbers that it must be given, none below zero."""

    answer: Callable[[Contract, date, Mapping[str, int]], Answer]
    parameters: frozenset[str]


def loyalty_bonus(contract: Contract, day: date, parameters: Mapping[str, int]) -> Answer:
    """`bonus_minor` each time for a contract that has lasted `months_min` months and whose balance is at least
    `balance_min_minor`."""
    months, _ = months_and_days(contract.opened_on, day)
    if months < parameters["months_min"] or contract.balance_minor < parameters["balance_min_minor"]:
        return ()
    bonus = parameters["bonus_minor"]
    return moved("bonus:loyalty_bonus", day, AccountRole.INTEREST_EXPENSE, AccountRole.CUSTOMER, bonus)


HOOKS: Mapping[str, Hook] = {
    "loyalty_bonus": Hook(loyalty_bonus, frozenset({"bonus_minor", "balance_min_minor", "months_min"})),
}


def bonuses(contract: Contract, day: date) -> Step:
    """Asks a demand contract's hooks in their order."""
    posted: Answer = ()
    for use in contract.terms.hooks:
        answer, accrual = _answer(contract, use, day), contract.accrual
        assert accrual is not None, "hooks are asked on settlement dates, which demand contracts have"
        balance = accrual.balance_minor + customer_minor(answer)
        assert balance >= min(accrual.balance_minor, contract.terms.floor_minor), "a hook leaves the floor"
        contract = replace(contract, accrual=replace(accrual, balance_minor=balance))
        posted += answer
    return contract, posted


def bonuses_of_term(contract: Contract, day: date) -> Answer:
    """Asks the hooks of a contract whose term is over; of others nothing."""
    if contract.period is None or day < contract.period.maturity:
        return ()
    answers = [_answer(contract, use, day) for use in contract.terms.hooks]
    assert all(customer_minor(answer) >= 0 for answer in answers), "a hook of a term only adds"
    return tuple(directive for answer in answers for directive in answer)


def _answer(contract: Contract, use: HookUse, day: date) -> Answer:
    """What it answers is checked: a hook that answers wrongly is a bug."""
    answer = HOOKS[use.name].answer(contract, day, use.parameters)
    assert [each.kind for each in answer] in ([], [f"bonus:{use.name}"]), "a hook directs one thing, named after it"
    for directive in answer:
        assert sum(leg.amount_minor for leg in directive.legs) == 0, "a hook's directives balance"
        assert directive.value_date == day, "a hook's directives are of the day it is asked"
    return answer
