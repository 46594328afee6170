"""What falls due of one contract by the end of a day, in a transaction of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from eastflow import ledger, products
from eastflow.ledger import Status
from eastflow.products import OVERDRAFT_INTEREST, AtMaturity, Contract, Directive
from eastflow.storage import Clock, Transaction

from ... import store as contracts
from ...books.actions import Refused, book, correct, current, due_ids, end_account, save
from ...decide import account_key, derived_id, settled_through
from ...model import Deposit, DepositStatus

_STAYS = {AtMaturity.PAY_OUT: AtMaturity.HOLD, AtMaturity.RENEW_PRINCIPAL: AtMaturity.RENEW_ALL}


async def due(tx: Transaction, account: int, day: date, clock: Clock) -> None:
    """All that falls due of one contract up to the end of this day, booked. Errors: Refused, Retry."""
    found = await current(tx, account, day, clock=clock)
    if found is None or found.status is DepositStatus.CLOSED:
        return
    missed = products.next_due(found.contract)
    if found.contract.accrual is not None and missed is not None and missed < day:
        # It was refused on its own day, which is done first, as things stood then.
        await due(tx, account, missed, clock)
        await due(tx, account, day, clock)
        return
    found = await before_its_end(tx, found, day)
    nominated = await _nominated(tx, found)
    contract, directives = _end_of_day(found.contract, day, pays_out=nominated is not None)
    try:
        async with tx.savepoint():
            await _keep_due(tx, found, contract, directives, nominated, day, clock)
    except Refused:
        if not any(each.kind == OVERDRAFT_INTEREST or each.kind.startswith("fee:") for each in directives):
            raise
        # What is held or frozen pays no fee: it is not owed, and keeps nothing else from its day. Nor does it pay for
        # its overdraft, and that is owed; nor what waited of a term's fees, and that waits on.
        terms, waiting = found.contract.terms, found.contract.charges
        fee_free = replace(found.contract, terms=replace(terms, fees=()), charges=())
        free = _end_of_day(fee_free, day, pays_out=nominated is not None)
        contract, directives = products.left_owed(free, day)
        after = replace(contract, terms=terms, charges=waiting)
        await _keep_due(tx, found, after, directives, nominated, day, clock)


async def caught_up(tx: Transaction, found: Deposit, today: date, clock: Clock) -> Deposit:
    """The contract once what fell due before today is done: it was refused on its day, or that day is being ended.
    Errors: Refused, Retry."""
    missed = products.next_due(found.contract)
    if missed is None or missed >= today:
        return found
    await due(tx, found.account, missed, clock)
    after = await current(tx, found.account, today, clock=clock)
    assert after is not None, "a contract is never removed"
    return await caught_up(tx, after, today, clock)


def _end_of_day(contract: Contract, day: date, *, pays_out: bool) -> tuple[Contract, tuple[Directive, ...]]:
    """What matures with nowhere to be paid to stays: the whole until its customer comes, interest with the renewed."""
    if pays_out or contract.at_maturity not in _STAYS:
        return products.end_of_day(contract, day)
    after, directives = products.end_of_day(replace(contract, at_maturity=_STAYS[contract.at_maturity]), day)
    return replace(after, at_maturity=contract.at_maturity), directives


async def before_its_end(tx: Transaction, found: Deposit, day: date) -> Deposit:
    """The contract without what this day's end has booked already: it was met by a customer on its way."""
    accrual = found.contract.accrual
    if accrual is None:
        return found
    key = account_key(found.account)
    known = await ledger.entries(tx, [derived_id(key, kind, day) for kind in products.due_kinds(found.contract.terms)])
    booked = sum(entry.amounts_minor[entry.accounts.index(found.account)] for entry in known.values())
    accrual = replace(accrual, balance_minor=accrual.balance_minor - booked)
    return replace(found, contract=replace(found.contract, accrual=accrual))


async def not_booked(
    tx: Transaction, account: int, directives: Sequence[Directive]
) -> tuple[list[Directive], list[UUID]]:
    """Those of what comes due that are not in the books yet, with their ids."""
    ids = due_ids(account, directives)
    known = await ledger.entries(tx, ids)
    fresh = [(each, id) for each, id in zip(directives, ids, strict=True) if id not in known]
    return [each for each, _ in fresh], [id for _, id in fresh]


async def _keep_due(
    tx: Transaction,
    found: Deposit,
    contract: Contract,
    directives: Sequence[Directive],
    nominated: int | None,
    day: date,
    clock: Clock,
) -> None:
    fresh, ids = await not_booked(tx, found.account, directives)
    await book(tx, found, fresh, ids, other=nominated, today=day, clock=clock)
    known = len(fresh) < len(directives)
    settled_on = None if contract.accrual is None else settled_through(found.contract, day)
    closes = contract.closed_on is not None
    kept = replace(found, contract=owing_nothing(contract), status=DepositStatus.CLOSED if closes else found.status)
    await save(tx, kept, day, len(fresh), settled_on=settled_on, recount=known)
    if settled_on is not None and (known or contract.owed_minor):
        await correct_settled(tx, kept, settled_on, day, clock)
    if closes:
        await end_account(tx, kept, day, clock)


def owing_nothing(contract: Contract) -> Contract:
    """What a contract owes is kept with the corrections of its settlement: it is valued on that day when it comes."""
    return replace(contract, owed_minor=0)


async def correct_settled(tx: Transaction, kept: Deposit, settled_on: date, day: date, clock: Clock) -> None:
    """What was not booked on the settlement date is booked or owed."""
    counted = await contracts.accrual(tx, kept.account)
    assert counted is not None, "just written"
    await correct(tx, kept, settled_on, counted.sequence, day, clock)


async def _nominated(tx: Transaction, deposit: Deposit) -> int | None:
    """None where that account cannot take the money, or what is here is pledged."""
    number = deposit.nominated
    if number is None or number == deposit.account or await contracts.pledged_minor(tx, deposit.account):
        return None
    account = (await ledger.accounts(tx, [number])).get(number)
    if account is None or account.asset != deposit.asset or not await contracts.takes_money(tx, number):
        return None
    return number if account.status in (Status.OPEN, Status.DEBITS_FROZEN) else None
