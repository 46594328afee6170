"""Money that a request moves: within what the class of each side allows, booked, and kept in the contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from eastflow import customers, ledger, products
from eastflow.customers import Channel, Direction, Movement, RoleKind
from eastflow.customers.actions import use_allowance
from eastflow.kernel import Refusal
from eastflow.ledger.actions import change_floor
from eastflow.products import Contract, Directive
from eastflow.storage import Clock, Transaction

from .. import store
from ..books.actions import book, end_account, ids_of, must, save
from ..model import Deposit, DepositStatus, Executed
from ..refusals import DepositsRefusal


async def kept(
    tx: Transaction,
    id: UUID,
    found: Deposit,
    contract: Contract,
    directives: Sequence[Directive],
    other: int | None,
    today: date,
    clock: Clock,
) -> Executed:
    """Booked, written, and, where that was the end of the contract, closed. Errors: Refused, Retry."""
    closes = contract.closed_on is not None
    if closes and found.contract.terms.limits.floor_minor:
        await must(change_floor(tx, found.account, 0, clock=clock))
    ids = ids_of(id, len(directives))
    entries = await book(tx, found, directives, ids, other=other, today=today, clock=clock)
    status = DepositStatus.CLOSED if closes else found.status
    after = replace(found, status=status, contract=contract)
    await save(tx, after, today, len(entries))
    if closes:
        await end_account(tx, after, today, clock)
    return Executed(id, after, entries)


async def paid_in(
    tx: Transaction,
    id: UUID,
    found: Deposit,
    amount_minor: int,
    source: int,
    today: date,
    channel: Channel,
    clock: Clock,
) -> Executed | Refusal:
    step = products.pay_in(found.contract, amount_minor, today)
    if isinstance(step, Refusal):
        return step
    if refusal := await allowed(tx, found, Direction.IN, amount_minor, source, channel, today):
        return refusal
    return await kept(tx, id, found, *step, source, today, clock)


async def allowed(
    tx: Transaction, found: Deposit, direction: Direction, amount_minor: int, other: int, channel: Channel, today: date
) -> Refusal | None:
    """Both sides may have a class with limits. What is no demand contract is paid into and out of by its own verbs, and
    another customer's account by payments."""
    if other == found.account or not await store.takes_money(tx, other):
        return Refusal(DepositsRefusal.OTHER_ACCOUNT_UNFIT, {"account": other})
    if not amount_minor:
        return None
    owners = [
        role.party
        for role in await customers.roles_of_account(tx, other)
        if role.kind is RoleKind.OWNER and role.stands_on(today)
    ]
    owner = await customers.party(tx, found.party)
    assert owner is not None, "a deposit's party is known"
    own = owner.id in owners
    if owners and not own:
        # Between customers money goes by payments, within their limits.
        return Refusal(DepositsRefusal.OTHER_ACCOUNT_UNFIT, {"account": other})
    known = (await ledger.accounts(tx, [other])).get(other)
    cash = known is not None and known.chart.startswith("assets:cash")
    opposite = Direction.OUT if direction is Direction.IN else Direction.IN
    for account, way in ((found.account, direction), (other, opposite)):
        moves = Movement(way, amount_minor, found.asset, channel, counterparty_bound=own, cash=cash)
        if refusal := await use_allowance(tx, account, moves, today=today, balance=_posted_minor):
            return refusal
    return None


async def _posted_minor(tx: Transaction, account: int) -> int:
    balance = await ledger.balance(tx, account)
    return 0 if balance is None else balance.posted_minor
