"""What an overdraft costs is taken as far as the balance is above its floor; the rest stays owed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from .accrual import advance
from .directives import OVERDRAFT_INTEREST, Step, customer_minor, overdraft_interest_taken
from .model import Contract


def take_owed(contract: Contract, day: date) -> Step:
    """Of what is owed, what there is above the floor."""
    taken = min(contract.owed_minor, max(0, contract.balance_minor - contract.terms.floor_minor))
    return _taken(contract, day, taken), overdraft_interest_taken(day, taken)


def left_owed(step: Step, day: date) -> Step:
    """The same end of `day` for an account that cannot be debited: what it took for the overdraft stays owed."""
    contract, posted = step
    kept = tuple(directive for directive in posted if directive.kind != OVERDRAFT_INTEREST)
    return _taken(contract, day, customer_minor(posted) - customer_minor(kept)), kept


def _taken(contract: Contract, day: date, amount_minor: int) -> Contract:
    """`amount_minor` less owed, and less in the balance; more of both where it is negative."""
    if not amount_minor:
        return contract
    assert contract.accrual is not None, "only demand contracts are overdrawn"
    accrual = advance(contract.terms, contract.accrual, day)
    accrual = replace(accrual, balance_minor=accrual.balance_minor - amount_minor)
    return replace(contract, accrual=accrual, owed_minor=contract.owed_minor - amount_minor)
