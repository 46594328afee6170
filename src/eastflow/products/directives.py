"""What is to be posted, in balanced legs. Nothing is to be posted for an amount of zero."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from .model import AccountRole, Accrual, Contract, Directive, Leg

OVERDRAFT_INTEREST = "overdraft_interest"
Step = tuple[Contract, tuple[Directive, ...]]
"""The contract after something happened, and what that posts, in order."""


def moved(kind: str, day: date, source: AccountRole, target: AccountRole, amount_minor: int) -> tuple[Directive, ...]:
    """`amount_minor`, not negative, from one account to another."""
    assert amount_minor >= 0, "money moves from source to target"
    if not amount_minor:
        return ()
    return (Directive(kind, day, (Leg(source, -amount_minor), Leg(target, amount_minor))),)


def deposited(day: date, amount_minor: int) -> tuple[Directive, ...]:
    return moved("deposit", day, AccountRole.NOMINATED, AccountRole.CUSTOMER, amount_minor)


def withdrawn(day: date, amount_minor: int) -> tuple[Directive, ...]:
    return moved("withdrawal", day, AccountRole.CUSTOMER, AccountRole.NOMINATED, amount_minor)


def interest_paid(day: date, amount_minor: int) -> tuple[Directive, ...]:
    """Out of the bank's interest expense. A bank that books accrued interest each day pays it from `INTEREST_PAYABLE`
    instead: that is its books' affair, not the product's."""
    return moved("interest", day, AccountRole.INTEREST_EXPENSE, AccountRole.CUSTOMER, amount_minor)


def overdraft_interest_taken(day: date, amount_minor: int) -> tuple[Directive, ...]:
    source, target = AccountRole.CUSTOMER, AccountRole.OVERDRAFT_INTEREST_INCOME
    return moved(OVERDRAFT_INTEREST, day, source, target, amount_minor)


def joined(first: Step, then: Step) -> Step:
    """Two steps as one; `then` was taken from where `first` had led."""
    return then[0], first[1] + then[1]


def customer_minor(directives: Iterable[Directive]) -> int:
    """What they add to the contract's balance."""
    legs = (leg for directive in directives for leg in directive.legs)
    return sum(leg.amount_minor for leg in legs if leg.role is AccountRole.CUSTOMER)


def emptied(contract: Contract, day: date, last: tuple[Directive, ...]) -> Step:
    """The contract closed on `day`, and all it has paid out after what is booked at `last`: interest, and what is taken
    out of it."""
    posted = last + withdrawn(day, contract.balance_minor + customer_minor(last))
    accrual = contract.accrual and Accrual(contract.accrual.through)
    nothing = replace(contract, accrual=accrual, lots=(), notices=(), owed_minor=0, charges=())
    return replace(nothing, acted_on=day, closed_on=day), posted
