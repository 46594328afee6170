"""What a contract costs its customer.

A demand contract pays a fee when it comes due, out of its balance. Of what has a term or notice the principal stays
whole: a fee waits, as a `Charge`, and is taken out of what is paid next.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from eastflow.kernel import INT64_MAX

from .accrual import advance
from .calendar_dates import first_from
from .directives import Step, moved
from .lots import has_missed, leaves_early, month_end_from
from .model import AccountRole, Charge, Contract, Directive, Fee, FeeEvent, ProductKind, Terms


def next_due(contract: Contract, day: date) -> date | None:
    """The first day from `day` on at whose end a fee may come due."""
    terms, period = contract.terms, contract.period
    found = [first_from(fee.schedule, day) for fee in terms.fees if fee.schedule is not None]
    if period is not None and terms.kind is ProductKind.INSTALMENT and _named(terms, FeeEvent.MISSED):
        found.append(month_end_from(period, day))
    return min((due for due in found if due is not None), default=None)


def charge_scheduled(contract: Contract, day: date) -> Step:
    """Of a demand contract the fees whose day it is, in the order of the terms, each as far as the balance has it above
    its floor. Out of an overdraft they are taken only where the terms say so."""
    posted: list[Directive] = []
    overdraft, balance = contract.terms.overdraft, contract.balance_minor
    covered = overdraft is not None and overdraft.covers_fees
    floor = contract.terms.floor_minor if covered else contract.terms.limits.floor_minor
    for fee in _scheduled(contract.terms, day):
        if not _waived(fee, balance):
            taken = max(0, min(fee.amount_minor, balance - floor))
            balance -= taken
            posted += charged(fee.name, day, taken)
    if posted and contract.accrual is not None:
        accrual = replace(advance(contract.terms, contract.accrual, day), balance_minor=balance)
        contract = replace(contract, accrual=accrual)
    return contract, tuple(posted)


def note_due(contract: Contract, day: date) -> Contract:
    """Of what has a term or notice, the fees whose day it is: they wait."""
    if not contract.lots:
        return contract
    missed = of(contract, FeeEvent.MISSED) if has_missed(contract, day) else []
    scheduled = _scheduled(contract.terms, day)
    return noted(contract, [*(fee for fee in scheduled if not _waived(fee, contract.balance_minor)), *missed])


def noted(contract: Contract, fresh: Iterable[Fee]) -> Contract:
    """The contract with these fees waiting too, after those that did."""
    waiting = {charge.name: charge.amount_minor for charge in contract.charges}
    for fee in fresh:
        waiting[fee.name] = min(INT64_MAX, waiting.get(fee.name, 0) + fee.amount_minor)
    return replace(contract, charges=tuple(Charge(name, amount) for name, amount in waiting.items() if amount))


def taken(contract: Contract, paid_minor: int, day: date) -> Step:
    """What waits, in its order, out of `paid_minor` and as far as that goes; the rest waits on."""
    posted, waiting = tuple[Directive, ...](), list[Charge]()
    for charge in contract.charges:
        amount = min(charge.amount_minor, paid_minor)
        paid_minor -= amount
        posted += charged(charge.name, day, amount)
        if charge.amount_minor > amount:
            waiting.append(replace(charge, amount_minor=charge.amount_minor - amount))
    return replace(contract, charges=tuple(waiting)), posted


def of(contract: Contract, event: FeeEvent) -> list[Fee]:
    """The fees that such an event brings with it, as the balance stands."""
    return [fee for fee in _named(contract.terms, event) if not _waived(fee, contract.balance_minor)]


def of_leaving(contract: Contract, amount_minor: int, on: date) -> list[Fee]:
    """The fees for so much, if it leaves early."""
    return of(contract, FeeEvent.EARLY) if leaves_early(contract, amount_minor, on) else []


def of_opening(terms: Terms, amount_minor: int, on: date) -> tuple[Directive, ...]:
    """Out of the first money, which has them: the terms ask for so much more than their floor."""
    fees = [fee for fee in _named(terms, FeeEvent.OPENING) if not _waived(fee, amount_minor)]
    return tuple(directive for fee in fees for directive in charged(fee.name, on, fee.amount_minor))


def charged(name: str, day: date, amount_minor: int) -> tuple[Directive, ...]:
    return moved(f"fee:{name}", day, AccountRole.CUSTOMER, AccountRole.FEE_INCOME, amount_minor)


def _named(terms: Terms, event: FeeEvent) -> list[Fee]:
    return [fee for fee in terms.fees if fee.event is event]


def _scheduled(terms: Terms, day: date) -> list[Fee]:
    return [fee for fee in terms.fees if fee.schedule is not None and first_from(fee.schedule, day) == day]


def _waived(fee: Fee, balance_minor: int) -> bool:
    return fee.waived_from_minor is not None and balance_minor >= fee.waived_from_minor
