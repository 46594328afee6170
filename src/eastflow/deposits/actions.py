"""The verbs of deposits. Each loads what it needs, asks products what follows, and books it, in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from eastflow import customers, ledger, products
from eastflow.customers import Channel, Direction, RoleKind
from eastflow.kernel import Refusal
from eastflow.ledger.actions import change_floor
from eastflow.products import AccountRole, Contract, Directive
from eastflow.storage import Clock, Retry, Transaction, UniqueViolation, now

from . import store
from .books.actions import Refused, book, book_owed, current, end_account, ids_of, must, post_all, save
from .claims.actions import expire_orders
from .day_end.actions import (
    accrue_moved,
    charge_fees,
    mark_dormant,
    migrate_contracts,
    run_maturities,
    settle_interest,
)
from .day_end.dues.actions import caught_up
from .decide import (
    check_account,
    check_amount,
    check_pledged,
    check_shares,
    check_standing,
    parts_of,
    request_text,
)
from .freezes.actions import beneath, freeze
from .model import Deposit, DepositStatus, Executed, Share
from .movements.actions import allowed, kept, paid_in
from .openings.actions import open_deposit, open_deposits
from .orders.actions import end_order, place_order
from .pledges.actions import place_pledge, release_pledge
from .refusals import DepositsRefusal

Step = tuple[Contract, tuple[Directive, ...]]
Happening = Callable[[Contract], Step | Refusal]

__all__ = [
    "accrue_moved",
    "charge_fees",
    "close",
    "end_order",
    "expire_orders",
    "give_notice",
    "inherit",
    "mark_dormant",
    "migrate_contracts",
    "open_deposit",
    "open_deposits",
    "pay_in",
    "pay_out",
    "place_order",
    "place_pledge",
    "reactivate",
    "release_pledge",
    "renew",
    "run_maturities",
    "settle_interest",
]


async def pay_in(
    tx: Transaction,
    id: UUID,
    account: int,
    amount_minor: int,
    source: int,
    *,
    today: date,
    channel: Channel,
    by: str,
    clock: Clock = now,
) -> Executed | Refusal:
    """From the account `source`: cash, clearing, or another account. `id` is chosen by the caller."""
    if refusal := check_amount(amount_minor) or check_account(account, source):
        return refusal

    async def work() -> Executed | Refusal:
        found = await current(tx, account, today, clock=clock)
        if refusal := check_standing(found, account, leaves=False):
            return refusal
        assert found is not None, "checked"
        found = await caught_up(tx, found, today, clock)
        return await paid_in(tx, id, found, amount_minor, source, today, channel, clock)

    content = request_text({"account": account, "amount_minor": amount_minor, "source": source})
    return await _once(tx, id, "pay_in", content, by, clock, work)


async def pay_out(
    tx: Transaction,
    id: UUID,
    account: int,
    amount_minor: int,
    target: int,
    *,
    today: date,
    channel: Channel,
    by: str,
    clock: Clock = now,
) -> Executed | Refusal:
    """To the account `target`. Of a term or call deposit with the interest of that part."""
    if refusal := check_amount(amount_minor) or check_account(account, target):
        return refusal
    content = request_text({"account": account, "amount_minor": amount_minor, "target": target})
    return await _change(
        tx, id, "pay_out", content, account, lambda contract: products.withdraw(contract, amount_minor, today),
        other=target, leaves_by=channel, today=today, by=by, clock=clock,
    )  # fmt: skip


async def give_notice(
    tx: Transaction, id: UUID, account: int, amount_minor: int, *, today: date, by: str, clock: Clock = now
) -> Executed | Refusal:
    """Of withdrawal from a call deposit."""
    if refusal := check_amount(amount_minor) or check_account(account):
        return refusal
    content = request_text({"account": account, "amount_minor": amount_minor})
    return await _change(
        tx, id, "give_notice", content, account, lambda contract: products.give_notice(contract, amount_minor, today),
        today=today, by=by, clock=clock,
    )  # fmt: skip


async def renew(
    tx: Transaction, id: UUID, account: int, *, today: date, by: str, clock: Clock = now
) -> Executed | Refusal:
    """A term that has matured and was held goes on for a further one."""
    if refusal := check_account(account):
        return refusal
    content = request_text({"account": account})
    return await _change(
        tx, id, "renew", content, account, lambda contract: products.renew(contract, today),
        today=today, by=by, clock=clock,
    )  # fmt: skip


async def close(
    tx: Transaction,
    id: UUID,
    account: int,
    target: int,
    *,
    today: date,
    channel: Channel,
    by: str,
    clock: Clock = now,
) -> Executed | Refusal:
    """All of it to the account `target`, with its interest: at maturity, after it, or early. What is owed of earlier
    interest is taken first. The account is closed and belongs to nobody from today on."""
    if refusal := check_account(account, target):
        return refusal
    content = request_text({"account": account, "target": target})
    return await _change(
        tx, id, "close", content, account, lambda contract: products.close(contract, today),
        other=target, leaves_by=channel, ends=True, today=today, by=by, clock=clock,
    )  # fmt: skip


async def reactivate(
    tx: Transaction, id: UUID, account: int, *, today: date, by: str, clock: Clock = now
) -> Executed | Refusal:
    """A dormant contract is woken: its customer has come."""
    if refusal := check_account(account):
        return refusal

    async def work() -> Executed | Refusal:
        found = await current(tx, account, today, clock=clock)
        if refusal := check_standing(found, account, leaves=False):
            return refusal
        assert found is not None, "checked"
        if found.status is not DepositStatus.DORMANT:
            return Refusal(DepositsRefusal.NOT_DORMANT, {"account": account, "status": found.status.value})
        await _wake(tx, found, clock)
        woken = replace(found, status=DepositStatus.OPEN, contract=replace(found.contract, acted_on=today))
        await save(tx, woken, today, 0)
        return Executed(id, woken, ())

    return await _once(tx, id, "reactivate", request_text({"account": account}), by, clock, work)


async def inherit(
    tx: Transaction,
    id: UUID,
    account: int,
    certificate: str,
    shares: Sequence[Share],
    *,
    today: date,
    by: str,
    clock: Clock = now,
) -> Executed | Refusal:
    """The owner has died: the contract is closed with its interest and paid to the heirs' accounts by their shares,
    under a certificate of inheritance, whose number is kept."""
    if refusal := check_account(account) or check_shares(certificate, shares):
        return refusal

    async def work() -> Executed | Refusal:
        found = await current(tx, account, today, clock=clock)
        # A dormant one may be inherited: that its customer does not come is why it sleeps.
        refusal = check_standing(found, account, leaves=found is None or found.status is not DepositStatus.DORMANT)
        if refusal := refusal or await _heirs_unfit(tx, account, shares, today):
            return refusal
        if refusal := check_pledged(account, 0, await store.pledged_minor(tx, account)):
            return refusal
        assert found is not None, "checked"
        if found.status is DepositStatus.DORMANT:
            await _wake(tx, found, clock)
        await caught_up(tx, found, today, clock)
        standing = await _settled_up(tx, account, today, clock)
        return standing if isinstance(standing, Refusal) else await _inherited(tx, id, standing, shares, today, clock)

    told = [(share.party, share.account, share.weight) for share in shares]
    content = request_text({"account": account, "certificate": certificate, "shares": told})
    return await _once(tx, id, "inherit", content, by, clock, work)


async def _once(
    tx: Transaction,
    id: UUID,
    verb: str,
    content: str,
    by: str,
    clock: Clock,
    work: Callable[[], Awaitable[Executed | Refusal]],
) -> Executed | Refusal:
    """What was asked under `id` is done once. What was written on the way to a refusal is undone."""
    before = await store.request(tx, id, verb, content)
    if isinstance(before, Refusal):
        return before
    if before is not None:
        found = await store.deposit(tx, before[0])
        assert found is not None, "a contract is never removed"
        return Executed(id, found, before[1], replayed=True)
    try:
        async with tx.savepoint():
            done = await work()
            if isinstance(done, Refusal):
                raise Refused(done)
    except Refused as undone:
        return undone.refusal
    try:
        await store.insert_requests(tx, verb, [(id, content, done)], by, clock())
    except UniqueViolation as rival:
        raise Retry("the same was asked in the same moment") from rival
    return done


async def _change(
    tx: Transaction,
    id: UUID,
    verb: str,
    content: str,
    account: int,
    happening: Happening,
    *,
    today: date,
    by: str,
    clock: Clock,
    other: int | None = None,
    leaves_by: Channel | None = None,
    ends: bool = False,
) -> Executed | Refusal:
    """What products say of the contract, booked and kept. `leaves_by`: money leaves the account, by this channel.
    `ends`: all of it, so that nothing may be owed."""

    async def work() -> Executed | Refusal:
        found = await current(tx, account, today, clock=clock)
        if refusal := check_standing(found, account, leaves=leaves_by is not None):
            return refusal
        assert found is not None, "checked"
        found = await caught_up(tx, found, today, clock)
        ready = await _settled_up(tx, account, today, clock) if ends else found
        if isinstance(ready, Refusal):
            return ready
        step = happening(ready.contract)
        if isinstance(step, Refusal):
            return step
        contract, directives = step
        taken = sum(leg.amount_minor for each in directives for leg in each.legs if leg.role is AccountRole.NOMINATED)
        if leaves_by is not None:
            assert other is not None, "what leaves goes somewhere"
            pledged = await store.pledged_minor(tx, account)
            if refusal := check_pledged(account, contract.balance_minor, pledged):
                return refusal
            if refusal := await allowed(tx, found, Direction.OUT, taken, other, leaves_by, today):
                return refusal
        return await kept(tx, id, found, contract, directives, other, today, clock)

    return await _once(tx, id, verb, content, by, clock, work)


async def _settled_up(tx: Transaction, account: int, today: date, clock: Clock) -> Deposit | Refusal:
    """The contract as it stands once what is owed of earlier interest is booked. Refusals: BALANCE_INSUFFICIENT."""
    found = await current(tx, account, today, clock=clock)
    assert found is not None, "checked"
    owed = [one for one in await store.corrections(tx, account) if not one.booked]
    for one in owed:
        if not await book_owed(tx, found, one, today, clock):
            facts = {"amount_minor": -one.amount_minor, "balance_minor": found.contract.balance_minor}
            return Refusal(products.ProductsRefusal.BALANCE_INSUFFICIENT, facts)
    # What was booked is valued in the past: more may follow from it, which then is owed or not.
    return await _settled_up(tx, account, today, clock) if owed else found


async def _wake(tx: Transaction, found: Deposit, clock: Clock) -> None:
    """What others have frozen stays so. Errors: Refused."""
    await freeze(tx, found.account, replace(await beneath(tx, found), asleep=False), ordered=False, clock=clock)


async def _heirs_unfit(tx: Transaction, account: int, shares: Sequence[Share], today: date) -> Refusal | None:
    for share in shares:
        if share.account == account or not await store.takes_money(tx, share.account):
            return Refusal(DepositsRefusal.OTHER_ACCOUNT_UNFIT, {"account": share.account})
        roles = await customers.roles_of_account(tx, share.account)
        owns = any(r.party == share.party and r.kind is RoleKind.OWNER and r.stands_on(today) for r in roles)
        if not owns:
            return Refusal(DepositsRefusal.HEIR_NOT_OWNER, {"party": share.party, "account": share.account})
    return None


async def _inherited(
    tx: Transaction, id: UUID, found: Deposit, shares: Sequence[Share], today: date, clock: Clock
) -> Executed | Refusal:
    step = products.close(found.contract, today)
    if isinstance(step, Refusal):
        return step
    contract, directives = step
    if found.contract.terms.limits.floor_minor:
        await must(change_floor(tx, found.account, 0, clock=clock))
    paid = [each for each in directives if each.kind != "withdrawal"]
    whole = sum(leg.amount_minor for each in directives if each.kind == "withdrawal" for leg in each.legs[1:])
    parts = parts_of(whole, [share.weight for share in shares])
    legs = [ledger.Posting(share.account, found.asset, part) for share, part in zip(shares, parts, strict=True) if part]
    ids = ids_of(id, len(paid) + bool(legs))
    entries = await book(tx, found, paid, ids[: len(paid)], other=None, today=today, clock=clock)
    if legs:
        out = ledger.Posting(found.account, found.asset, -whole)
        await post_all(tx, [ledger.Entry(ids[-1], "inheritance", today, (out, *legs))], today=today, clock=clock)
        entries = (*entries, ids[-1])
    kept = replace(found, status=DepositStatus.CLOSED, contract=contract)
    await save(tx, kept, today, len(entries))
    await end_account(tx, kept, today, clock)
    return Executed(id, kept, entries)
