"""What a customer does with a contract: pay in, withdraw, give notice, renew, close.

Each answers with the contract as it is then and what is to be posted, or says why not. `on` is the day it happens,
which must not be done yet (`end_of_day`), and before which nothing may still be due (`next_due`). Amounts are whole
minor units. Refusals common to all: CONTRACT_CLOSED, DAY_DONE, DAYS_LEFT_OUT.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from eastflow.kernel import INT64_MAX, Refusal

from . import fees, lots
from .accrual import advance, debit_interest_minor, interest_minor
from .contract import ended, new_period, next_due, renewed
from .directives import (
    Step,
    customer_minor,
    deposited,
    emptied,
    interest_paid,
    overdraft_interest_taken,
    withdrawn,
)
from .lots import MISSED_MAX, instalments_behind
from .model import Contract, FeeEvent, Lot, Notice, ProductKind
from .refusals import ProductsRefusal


def pay_in(contract: Contract, amount_minor: int, on: date) -> Step | Refusal:
    """Money comes in. The first brings a term to its beginning; further ones are for demand and instalments alone.

    An instalment is the amount of the first one, once for each month since; one that was missed is made up in the
    month after it, and two missed break the plan: what is paid in later earns the demand rate. Of what has a term or
    notice, fees for opening come out of the first money.
    Refusals: OPERATION_NOT_OFFERED, AMOUNT_BELOW_MINIMUM, BALANCE_ABOVE_MAXIMUM, INSTALMENT_AMOUNT_CHANGED,
    INSTALMENT_NOT_DUE.
    """
    if refusal := _unfit(contract, on) or _pay_in_unfit(contract, amount_minor, on):
        return refusal
    posted = deposited(on, amount_minor)
    if contract.accrual is not None:
        accrual = advance(contract.terms, contract.accrual, on)
        accrual = replace(accrual, balance_minor=accrual.balance_minor + amount_minor)
        return replace(contract, accrual=accrual, funded=True, acted_on=on), posted
    kept = instalments_behind(contract, on) <= MISSED_MAX and all(lot.kept for lot in contract.lots)
    if not contract.funded:
        posted += fees.of_opening(contract.terms, amount_minor, on)
    lot = Lot(customer_minor(posted), on, kept)
    paid = replace(contract, lots=(*contract.lots, lot), funded=True, acted_on=on)
    if contract.funded:
        return paid, posted
    period = None if contract.terms.term_months is None else new_period(contract.terms, on, lot.amount_minor, 1)
    instalment = amount_minor if contract.terms.kind is ProductKind.INSTALMENT else None
    return replace(paid, period=period, instalment_minor=instalment), posted


def withdraw(contract: Contract, amount_minor: int, on: date) -> Step | Refusal:
    """Part of the money is taken out; of a term or call deposit with the interest of that part. All of it: `close`.

    Before its maturity a term's part earns the demand rate of that day, and the rest goes on as it was. A call
    deposit's part earns its rate as far as notice of it was given for that day. Its fees, and those that waited, come
    out of what is paid; a demand contract bears them besides.
    Refusals: OPERATION_NOT_OFFERED, AMOUNT_BELOW_MINIMUM, BALANCE_INSUFFICIENT, BALANCE_BELOW_FLOOR,
    PARTIAL_WITHDRAWALS_EXHAUSTED.
    """
    if refusal := _unfit(contract, on) or _withdrawal_unfit(contract, amount_minor):
        return refusal
    if contract.accrual is not None:
        return _withdraw_from_demand(contract, amount_minor, on)
    called = min(amount_minor, lots.called_minor(contract, on))
    interest = lots.part_interest_minor(contract, amount_minor, called, on)
    [lot] = contract.lots
    left = replace(
        contract,
        lots=(replace(lot, amount_minor=lot.amount_minor - amount_minor),),
        notices=_used(contract.notices, called, on),
        idle_numerator=0,
        partial_withdrawals=contract.partial_withdrawals + 1,
        acted_on=on,
    )
    fresh = fees.of_leaving(contract, amount_minor, on) + fees.of(contract, FeeEvent.WITHDRAWAL)
    left, charges = fees.taken(fees.noted(left, fresh), amount_minor + interest, on)
    posted = interest_paid(on, interest) + charges
    return left, posted + withdrawn(on, amount_minor + customer_minor(posted))


def give_notice(contract: Contract, amount_minor: int, on: date) -> Step | Refusal:
    """Of a call deposit: `amount_minor` is to be taken `notice_days` later, on that day and no other.

    Refusals: OPERATION_NOT_OFFERED, AMOUNT_BELOW_MINIMUM, BALANCE_INSUFFICIENT.
    """
    if refusal := _unfit(contract, on):
        return refusal
    notice_days = contract.terms.notice_days
    if notice_days is None or not contract.funded:
        return Refusal(ProductsRefusal.OPERATION_NOT_OFFERED, {"operation": "give_notice"})
    free = contract.balance_minor - sum(notice.amount_minor for notice in contract.notices)
    if amount_minor < contract.terms.limits.withdrawal_min_minor and amount_minor != contract.balance_minor:
        return _below_minimum(amount_minor, contract.terms.limits.withdrawal_min_minor)
    if amount_minor > free:
        return Refusal(ProductsRefusal.BALANCE_INSUFFICIENT, {"amount_minor": amount_minor, "free_minor": free})
    notice = Notice(on, on + timedelta(days=notice_days), amount_minor)
    return replace(contract, notices=(*contract.notices, notice), acted_on=on), ()


def renew(contract: Contract, on: date) -> Step | Refusal:
    """A term that has matured and was held goes on for a further one from `on`, with what it has earned.

    Refusals: OPERATION_NOT_OFFERED, TERM_NOT_MATURED.
    """
    if refusal := _unfit(contract, on):
        return refusal
    if contract.terms.kind is not ProductKind.TERM:
        return Refusal(ProductsRefusal.OPERATION_NOT_OFFERED, {"operation": "renew"})
    if contract.period is None or on < contract.period.maturity:
        maturity = None if contract.period is None else contract.period.maturity
        return Refusal(ProductsRefusal.TERM_NOT_MATURED, {"maturity": maturity})
    return renewed(replace(contract, acted_on=on), on, pays_interest=False)


def close(contract: Contract, on: date) -> Step | Refusal:
    """All is taken out with what it has earned, less the fees for leaving early and those that waited. No floor holds
    it. What is overdrawn is paid in before.

    Refusals: BALANCE_INSUFFICIENT.
    """
    if refusal := _unfit(contract, on):
        return refusal
    if contract.accrual is None:
        return ended(fees.noted(contract, fees.of_leaving(contract, contract.balance_minor, on)), on)
    accrual = advance(contract.terms, contract.accrual, on)
    interest = interest_minor(contract.terms, accrual, closed_on=on)
    cost = contract.owed_minor + debit_interest_minor(contract.terms, accrual)
    if accrual.balance_minor + interest < cost:
        return _insufficient(cost - interest, accrual.balance_minor)
    last = interest_paid(on, interest) + overdraft_interest_taken(on, cost)
    return emptied(replace(contract, accrual=accrual), on, last)


def _unfit(contract: Contract, on: date) -> Refusal | None:
    if contract.closed_on is not None:
        return Refusal(ProductsRefusal.CONTRACT_CLOSED, {"closed_on": contract.closed_on})
    if on < max(contract.open_day, contract.acted_on):
        return Refusal(ProductsRefusal.DAY_DONE, {"day": on, "open_day": max(contract.open_day, contract.acted_on)})
    due = next_due(contract)
    if due is not None and due < on:
        return Refusal(ProductsRefusal.DAYS_LEFT_OUT, {"day": on, "due": due})
    return None


def _pay_in_unfit(contract: Contract, amount_minor: int, on: date) -> Refusal | None:
    kind, limits = contract.terms.kind, contract.terms.limits
    if contract.funded and kind in (ProductKind.TERM, ProductKind.CALL):
        return Refusal(ProductsRefusal.OPERATION_NOT_OFFERED, {"operation": "pay_in"})
    least = max(1, limits.pay_in_min_minor if contract.funded else limits.opening_min_minor)
    if amount_minor < least:
        return _below_minimum(amount_minor, least)
    balance = contract.balance_minor + amount_minor
    most = INT64_MAX if limits.balance_max_minor is None else limits.balance_max_minor
    if balance > most:
        return Refusal(ProductsRefusal.BALANCE_ABOVE_MAXIMUM, {"balance_minor": balance, "maximum_minor": most})
    if contract.instalment_minor is not None:
        return _instalment_unfit(contract, amount_minor, on)
    return None


def _instalment_unfit(contract: Contract, amount_minor: int, on: date) -> Refusal | None:
    assert contract.period is not None, "the first instalment began it"
    if amount_minor != contract.instalment_minor:
        facts = {"amount_minor": amount_minor, "instalment_minor": contract.instalment_minor}
        return Refusal(ProductsRefusal.INSTALMENT_AMOUNT_CHANGED, facts)
    if on >= contract.period.maturity or instalments_behind(contract, on) < 0:
        return Refusal(ProductsRefusal.INSTALMENT_NOT_DUE, {"day": on, "paid": len(contract.lots)})
    return None


def _withdrawal_unfit(contract: Contract, amount_minor: int) -> Refusal | None:
    limits, balance = contract.terms.limits, contract.balance_minor
    waits = contract.accrual is None and not contract.funded
    if contract.terms.kind is ProductKind.INSTALMENT or waits:
        return Refusal(ProductsRefusal.OPERATION_NOT_OFFERED, {"operation": "withdraw"})
    least = max(1, limits.withdrawal_min_minor)
    if amount_minor < least:
        return _below_minimum(amount_minor, least)
    cost = amount_minor
    if contract.accrual is not None:
        cost += sum(fee.amount_minor for fee in fees.of(contract, FeeEvent.WITHDRAWAL))
    floor = contract.terms.floor_minor
    if cost > balance - min(0, floor):
        return _insufficient(cost, balance)
    if contract.accrual is None:
        # What has no account that may stand at nothing is closed instead.
        floor = max(1, floor)
    if balance - cost < floor:
        return Refusal(ProductsRefusal.BALANCE_BELOW_FLOOR, {"balance_minor": balance - cost, "floor_minor": floor})
    most = limits.partial_withdrawals_max
    if most is not None and contract.partial_withdrawals >= most:
        return Refusal(ProductsRefusal.PARTIAL_WITHDRAWALS_EXHAUSTED, {"partial_withdrawals_max": most})
    return None


def _insufficient(amount_minor: int, balance_minor: int) -> Refusal:
    facts = {"amount_minor": amount_minor, "balance_minor": balance_minor}
    return Refusal(ProductsRefusal.BALANCE_INSUFFICIENT, facts)


def _below_minimum(amount_minor: int, minimum_minor: int) -> Refusal:
    facts = {"amount_minor": amount_minor, "minimum_minor": minimum_minor}
    return Refusal(ProductsRefusal.AMOUNT_BELOW_MINIMUM, facts)


def _withdraw_from_demand(contract: Contract, amount_minor: int, on: date) -> Step:
    assert contract.accrual is not None, "a demand contract has one"
    posted = list(withdrawn(on, amount_minor))
    for fee in fees.of(contract, FeeEvent.WITHDRAWAL):
        posted += fees.charged(fee.name, on, fee.amount_minor)
    accrual = advance(contract.terms, contract.accrual, on)
    accrual = replace(accrual, balance_minor=accrual.balance_minor + customer_minor(posted))
    left = replace(contract, accrual=accrual, partial_withdrawals=contract.partial_withdrawals + 1, acted_on=on)
    return left, tuple(posted)


def _used(notices: tuple[Notice, ...], called_minor: int, on: date) -> tuple[Notice, ...]:
    """The notices without what has been taken under them."""
    left = []
    for notice in notices:
        taken = min(called_minor, notice.amount_minor) if notice.due_on == on else 0
        called_minor -= taken
        if notice.amount_minor > taken:
            left.append(replace(notice, amount_minor=notice.amount_minor - taken))
    return tuple(left)
