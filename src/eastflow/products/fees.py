"""What a contract costs its customer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from .accrual import advance
from .calendar_dates import first_from
from .directives import Step, moved
from .lots import leaves_early
from .model import AccountRole, Contract, Directive, Fee, FeeEvent, Terms


def next_scheduled(terms: Terms, day: date) -> date | None:
    """The first day from `day` on for which a fee is scheduled."""
    found = [first_from(fee.schedule, day) for fee in terms.fees if fee.schedule is not None]
    return min((due for due in found if due is not None), default=None)


def charge_scheduled(contract: Contract, day: date) -> Step:
    """The fees whose day it is, in the order of the terms, each as far as the balance has it above its floor.
    Out of an overdraft they are taken only where the terms say so."""
    posted: list[Directive] = []
    overdraft, balance = contract.terms.overdraft, contract.balance_minor
    covered = overdraft is not None and overdraft.covers_fees
    floor = contract.terms.floor_minor if covered else contract.terms.limits.floor_minor
    for fee in contract.terms.fees:
        if fee.schedule is not None and first_from(fee.schedule, day) == day and not _waived(fee, balance):
            taken = max(0, min(fee.amount_minor, balance - floor))
            balance -= taken
            posted += charged(fee, day, taken)
    if posted and contract.accrual is not None:
        accrual = replace(advance(contract.terms, contract.accrual, day), balance_minor=balance)
        contract = replace(contract, accrual=accrual)
    return contract, tuple(posted)


def of_withdrawal(contract: Contract) -> list[Fee]:
    """The fees that a withdrawal brings with it, as the balance stands."""
    fees = [fee for fee in contract.terms.fees if fee.event is FeeEvent.WITHDRAWAL]
    return [fee for fee in fees if not _waived(fee, contract.balance_minor)]


def of_leaving(contract: Contract, amount_minor: int, interest: int, on: date) -> tuple[Directive, ...]:
    """The fees for so much with its interest, if it leaves early: in the order of the terms, as far as it has them."""
    posted: tuple[Directive, ...] = ()
    if not leaves_early(contract, amount_minor, on):
        return posted
    left = amount_minor + interest
    for fee in contract.terms.fees:
        if fee.event is FeeEvent.EARLY and not _waived(fee, contract.balance_minor):
            taken = min(fee.amount_minor, left)
            left -= taken
            posted += charged(fee, on, taken)
    return posted


def charged(fee: Fee, day: date, amount_minor: int) -> tuple[Directive, ...]:
    return moved(f"fee:{fee.name}", day, AccountRole.CUSTOMER, AccountRole.FEE_INCOME, amount_minor)


def _waived(fee: Fee, balance_minor: int) -> bool:
    return fee.waived_from_minor is not None and balance_minor >= fee.waived_from_minor
