"""The verbs of the branch. Each loads what it needs, decides, and writes, in the caller's one transaction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from eastflow.customers import Channel, Direction, Movement
from eastflow.customers.actions import use_allowance
from eastflow.kernel import EXACT_JSON_INTEGER_MAX, Refusal
from eastflow.ledger import Entry, LedgerRefusal, Side, accounts
from eastflow.ledger.actions import internal_account, post
from eastflow.storage import Clock, Retry, Transaction, UniqueViolation, now

from . import store
from .decide import (
    arrived,
    change_minor,
    check_limit,
    check_teller,
    decide_branch,
    decide_end,
    decide_issue,
    decide_sign_on,
    decide_teller,
    decide_transfer_end,
    decide_voucher,
    entry,
    is_code,
    may_act,
    may_sign_off,
    may_touch,
    same_transfer,
    same_voucher,
    second_entry_id,
    stock_after,
    tidy,
)
from .model import (
    Branch,
    Cash,
    Counter,
    Place,
    PlaceKind,
    Session,
    Stock,
    Teller,
    Transfer,
    Voucher,
    VoucherKind,
    VoucherStatus,
)
from .refusals import BranchRefusal as Why

CUSTOMERS = frozenset({"liabilities:deposits", "liabilities:deposits:demand"})
"""Where money comes and goes freely. Deposits with a term move by their contracts alone."""
IN_TRANSIT = "assets:cash:in_transit"
OTHER_BANKS = "assets:clearing"
CASH_OVER, CASH_SHORT = "income:cash_over", "expenses:cash_short"

__all__ = [
    "confirm",
    "count",
    "customer_cash",
    "decline",
    "issue",
    "receive",
    "register_branch",
    "register_teller",
    "set_limit",
    "ship",
    "sign_off",
    "sign_on",
    "take_back",
]


class _Undone(Exception):
    """Ends a savepoint when the bank says no after something was written."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code.value)
        self.refusal = refusal


async def register_branch(tx: Transaction, new: Branch, *, clock: Clock = now) -> Branch | Refusal:
    """Make a branch known. Registering the same again answers with it."""
    existing = await store.branch(tx, new.code) if is_code(new.code) else None
    decided = decide_branch(new, existing)
    if isinstance(decided, Branch) and existing is None:
        try:
            await store.insert_branch(tx, decided, clock())
        except UniqueViolation as rival:
            raise Retry("a branch was registered in the same moment") from rival
    return decided


async def register_teller(tx: Transaction, new: Teller, *, clock: Clock = now) -> Teller | Refusal:
    """Make a teller known, and who may sign on as one. Registering the same again answers with it."""
    if refusal := check_teller(new):
        return refusal
    existing = await store.teller(tx, new.code)
    branch_exists = await store.branch(tx, new.branch) is not None
    decided = decide_teller(new, existing, await store.teller_of_actor(tx, new.actor), branch_exists=branch_exists)
    if isinstance(decided, Teller) and existing is None:
        try:
            await store.insert_teller(tx, decided, clock())
        except UniqueViolation as rival:
            raise Retry("a teller was registered in the same moment") from rival
    return decided


async def set_limit(
    tx: Transaction, branch: str, asset: str, above_minor: int, *, by: str, clock: Clock = now
) -> dict[str, int] | Refusal:
    """Above so much cash of the asset the branch needs two people. Answers with all its limits, by asset."""
    if refusal := check_limit(asset, above_minor):
        return refusal
    if not is_code(branch) or await store.branch(tx, branch) is None:
        return Refusal(Why.BRANCH_NOT_FOUND, {"branch": branch})
    limits = await store.limits_minor(tx, branch)
    if limits.get(asset) != above_minor:
        try:
            await store.insert_limit(tx, branch, asset, above_minor, by, clock())
        except UniqueViolation as rival:
            raise Retry("a limit was set in the same moment") from rival
    return limits | {asset: above_minor}


async def sign_on(
    tx: Transaction, id: UUID, teller: str, *, today: date, by: str, clock: Clock = now
) -> Session | Refusal:
    """A teller begins to work with the drawer, on the business date `today`."""
    who = await store.teller(tx, teller) if is_code(teller) else None
    at_work = await store.at_work(tx, teller) if who else None
    existing = await store.session(tx, id)
    decided = decide_sign_on(Session(id, teller, today, clock()), existing, who, at_work, by)
    if isinstance(decided, Session) and existing is None:
        try:
            await store.insert_session(tx, decided)
        except UniqueViolation as rival:
            raise Retry("the teller signed on in the same moment") from rival
    return decided


async def sign_off(tx: Transaction, session: UUID, *, by: str, clock: Clock = now) -> Session | Refusal:
    """The teller ends the work: every asset of the drawer counted and right, nothing open. Again changes nothing."""
    counter = await store.counter(tx, session, lock=True)
    if counter is None:
        return Refusal(Why.SESSION_NOT_FOUND, {"session": session})
    if refusal := may_act(counter, by, today=None):
        return counter.session if refusal.code is Why.SESSION_ENDED else refusal
    drawer, at = Place(PlaceKind.DRAWER, counter.teller.code), clock()
    # What is open first: once nothing is, nobody else can move what is in the drawer.
    pending = await store.pending_voucher(tx, session, at)
    in_transit = await store.transfer_in_transit(tx, drawer)
    stocks = await store.stocks(tx, drawer)
    if refusal := may_sign_off(stocks, pending=pending, in_transit=in_transit):
        return refusal
    ended = replace(counter.session, signed_off_at=at)
    await store.end_session(tx, ended)
    return ended


async def customer_cash(
    tx: Transaction,
    id: UUID,
    session: UUID,
    account: int,
    cash: Cash,
    *,
    out: bool,
    identification_seen: bool,
    today: date,
    by: str,
    clock: Clock = now,
) -> Voucher | Refusal:
    """A customer pays cash into an account, or takes it out: booked, or above the branch's limit pending."""
    kind = VoucherKind.CASH_OUT if out else VoucherKind.CASH_IN
    return await _ask(tx, _Asked(kind, id, session, cash, None, account, identification_seen), today, by, clock)


async def count(
    tx: Transaction, id: UUID, session: UUID, place: Place, cash: Cash, *, today: date, by: str, clock: Clock = now
) -> Voucher | Refusal:
    """All cash of one asset in a place, counted against its books. A difference waits for a supervisor."""
    return await _ask(tx, _Asked(VoucherKind.COUNT, id, session, cash, place), today, by, clock)


async def ship(
    tx: Transaction, id: UUID, session: UUID, cash: Cash, *, out: bool, today: date, by: str, clock: Clock = now
) -> Voucher | Refusal:
    """Cash between the branch's vault and other banks (the central bank's till among them). It waits for a second
    supervisor."""
    kind = VoucherKind.SHIPMENT_OUT if out else VoucherKind.SHIPMENT_IN
    return await _ask(tx, _Asked(kind, id, session, cash, None), today, by, clock)


async def confirm(
    tx: Transaction, voucher: UUID, session: UUID, *, today: date, by: str, clock: Clock = now
) -> Voucher | Refusal:
    """A supervisor, another person than who asked, books what is pending."""
    ended = await _end(tx, voucher, session, today, by, clock(), confirmed=True)
    if isinstance(ended, Refusal) or ended[0] == ended[1]:
        return ended if isinstance(ended, Refusal) else ended[1]
    before, booked = ended
    stock = await _stock(tx, before.place, before.cash.asset, today)
    if isinstance(stock, Refusal):
        return stock
    if refusal := await _book(tx, booked, stock, today):
        return refusal
    await store.end_voucher(tx, booked)
    return booked


async def decline(
    tx: Transaction, voucher: UUID, session: UUID, *, today: date, by: str, clock: Clock = now
) -> Voucher | Refusal:
    """A supervisor says no to what is pending, or who asked takes it back."""
    ended = await _end(tx, voucher, session, today, by, clock(), confirmed=False)
    if isinstance(ended, Refusal):
        return ended
    await store.end_voucher(tx, ended[1])
    return ended[1]


async def issue(
    tx: Transaction,
    id: UUID,
    session: UUID,
    sender: Place,
    receiver: Place,
    cash: Cash,
    *,
    whole: bool = False,
    today: date,
    by: str,
    clock: Clock = now,
) -> Transfer | Refusal:
    """Cash leaves a place for another of the same branch, and is in transit until another person receives it.

    `whole` hands a drawer over: `cash` is all of the asset that was counted in it, and must be what the books say.
    """
    tidied = tidy(cash)
    if isinstance(tidied, Refusal):
        return tidied
    counter = await store.counter(tx, session, lock=True)
    if counter is None:
        return Refusal(Why.SESSION_NOT_FOUND, {"session": session})
    new = Transfer(id, sender, receiver, tidied, counter.teller.code, clock(), whole)
    if existing := await store.transfer(tx, id):
        return existing if same_transfer(existing, new) else Refusal(Why.ID_REUSED, {"id": id})
    if refusal := may_act(counter, by, today=today) or may_touch(counter, sender):
        return refusal
    before = await _stock(tx, sender, tidied.asset, today)
    if isinstance(before, Refusal):
        return before
    branches = await store.branches_of(tx, [receiver]) if is_code(receiver.code) else {}
    after = decide_issue(new, before, branches, counter.teller.branch)
    if isinstance(after, Refusal):
        return after
    in_transit = await _own(tx, IN_TRANSIT, tidied.asset, Side.DEBIT, today)
    if isinstance(in_transit, Refusal):
        return in_transit
    moved = entry(id, "issue", today, in_transit, before.account, tidied.asset, tidied.amount_minor)
    if refusal := await _post(tx, moved, today):
        return refusal
    await _write_stock(tx, before, after)
    try:
        await store.insert_transfer(tx, new)
    except UniqueViolation as rival:
        raise Retry("cash was issued in the same moment") from rival
    return new


async def receive(
    tx: Transaction, transfer: UUID, session: UUID, counted: Cash, *, today: date, by: str, clock: Clock = now
) -> Transfer | Refusal:
    """Another person has counted what is in transit and takes it. What was counted must be what was issued."""
    return await _arrive(tx, transfer, session, counted, today, by, clock(), received=True)


async def take_back(
    tx: Transaction, transfer: UUID, session: UUID, counted: Cash, *, today: date, by: str, clock: Clock = now
) -> Transfer | Refusal:
    """What is in transit goes back to where it came from."""
    return await _arrive(tx, transfer, session, counted, today, by, clock(), received=False)


async def _arrive(
    tx: Transaction, id: UUID, session: UUID, counted: Cash, today: date, by: str, at: datetime, *, received: bool
) -> Transfer | Refusal:
    tidied = tidy(counted)
    if isinstance(tidied, Refusal):
        return tidied
    counter = await store.counter(tx, session, lock=True)
    if counter is None:
        return Refusal(Why.SESSION_NOT_FOUND, {"session": session})
    transfer = await store.transfer(tx, id, lock=True)
    if transfer is None:
        return Refusal(Why.TRANSFER_NOT_FOUND, {"transfer": id})
    place = transfer.receiver if received else transfer.sender
    if refusal := may_act(counter, by, today=today) or may_touch(counter, place):
        return refusal
    ended = decide_transfer_end(transfer, tidied, counter.teller.code, at, received=received)
    if isinstance(ended, Refusal) or ended == transfer:
        return ended
    before = await _stock(tx, place, tidied.asset, today)
    in_transit = await _own(tx, IN_TRANSIT, tidied.asset, Side.DEBIT, today)
    if isinstance(before, Refusal):
        return before
    if isinstance(in_transit, Refusal):
        return in_transit
    kind = "receive" if received else "take_back"
    amount_minor = tidied.amount_minor
    moved = entry(second_entry_id(id), kind, today, before.account, in_transit, tidied.asset, amount_minor)
    if refusal := await _post(tx, moved, today):
        return refusal
    await _write_stock(tx, before, arrived(transfer, before))
    await store.end_transfer(tx, ended)
    return ended


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a teller asks for. Without a place: the drawer for a customer's cash, the vault for a shipment."""

    kind: VoucherKind
    id: UUID
    session: UUID
    cash: Cash
    place: Place | None = None
    account: int | None = None
    identification_seen: bool = False

    def voucher(self, counter: Counter, cash: Cash, at: datetime) -> Voucher:
        drawer = Place(PlaceKind.DRAWER, counter.teller.code)
        usual = drawer if self.account is not None else Place(PlaceKind.VAULT, counter.teller.branch)
        return Voucher(
            id=self.id,
            kind=self.kind,
            session=self.session,
            teller=counter.teller.code,
            place=self.place or usual,
            cash=cash,
            change_minor=0,
            asked_at=at,
            account=self.account,
            identification_seen=self.identification_seen,
        )


async def _ask(tx: Transaction, asked: _Asked, today: date, by: str, clock: Clock) -> Voucher | Refusal:
    counting = asked.kind is VoucherKind.COUNT
    cash = tidy(asked.cash, may_be_empty=counting)
    if isinstance(cash, Refusal):
        return cash
    counter = await store.counter(tx, asked.session, lock=True)
    if counter is None:
        return Refusal(Why.SESSION_NOT_FOUND, {"session": asked.session})
    new = asked.voucher(counter, cash, clock())
    if existing := await store.voucher(tx, new.id):
        return existing if same_voucher(existing, new) else Refusal(Why.ID_REUSED, {"id": new.id})
    if refusal := may_act(counter, by, today=None if counting else today) or may_touch(counter, new.place):
        return refusal
    if refusal := await _check_customer(tx, new.account):
        return refusal
    stock = await _stock(tx, new.place, cash.asset, today)
    if isinstance(stock, Refusal):
        return stock
    new = replace(new, change_minor=change_minor(new.kind, cash, stock.cash), stock_version=stock.version)
    decided = decide_voucher(new, stock, counter.limits_minor.get(cash.asset))
    if isinstance(decided, Refusal):
        return decided
    if decided.status is VoucherStatus.BOOKED and (refusal := await _book(tx, decided, stock, today)):
        return refusal
    try:
        await store.insert_voucher(tx, decided)
    except UniqueViolation as rival:
        raise Retry("a voucher was written in the same moment") from rival
    return decided


async def _end(
    tx: Transaction, id: UUID, session: UUID, today: date, by: str, at: datetime, *, confirmed: bool
) -> tuple[Voucher, Voucher] | Refusal:
    """The voucher as it is, locked, and as it is to be."""
    counter = await store.counter(tx, session, lock=True)
    if counter is None:
        return Refusal(Why.SESSION_NOT_FOUND, {"session": session})
    if refusal := may_act(counter, by, today=today):
        return refusal
    voucher = await store.voucher(tx, id, lock=True)
    if voucher is None:
        return Refusal(Why.VOUCHER_NOT_FOUND, {"voucher": id})
    first = await store.teller(tx, voucher.teller)
    assert first is not None, "a voucher is of a registered teller"
    ended = decide_end(voucher, counter, first, at, confirmed=confirmed)
    return ended if isinstance(ended, Refusal) else (voucher, ended)


async def _check_customer(tx: Transaction, account: int | None) -> Refusal | None:
    """Cash over the counter moves customers' accounts, never one of the bank's own."""
    if account is None:
        return None
    found = (await accounts(tx, [account])).get(account) if 0 < account <= EXACT_JSON_INTEGER_MAX else None
    if found is not None and found.chart in CUSTOMERS:
        return None
    return Refusal(Why.ACCOUNT_NOT_FOUND, {"account": account})


async def _book(tx: Transaction, voucher: Voucher, stock: Stock, today: date) -> Refusal | None:
    after = stock_after(voucher, stock)
    if isinstance(after, Refusal):
        return after
    if voucher.change_minor:
        try:
            async with tx.savepoint():
                if refusal := await _move(tx, voucher, stock.account, today):
                    raise _Undone(refusal)
        except _Undone as undone:
            return undone.refusal
    await _write_stock(tx, stock, after)
    return None


async def _move(tx: Transaction, voucher: Voucher, place: int, today: date) -> Refusal | None:
    """The value between the account of the place and the other side."""
    other = await _other_side(tx, voucher, today)
    if isinstance(other, Refusal):
        return other
    if refusal := await _use_allowance(tx, voucher, today):
        return refusal
    debited, credited = (place, other) if voucher.change_minor > 0 else (other, place)
    asset, amount_minor = voucher.cash.asset, abs(voucher.change_minor)
    return await _post(tx, entry(voucher.id, voucher.kind.value, today, debited, credited, asset, amount_minor), today)


async def _other_side(tx: Transaction, voucher: Voucher, today: date) -> int | Refusal:
    """The account that the cash comes from or goes to."""
    if voucher.account is not None:
        return voucher.account
    asset = voucher.cash.asset
    if voucher.kind is not VoucherKind.COUNT:
        return await _own(tx, OTHER_BANKS, asset, Side.DEBIT, today)
    if voucher.change_minor > 0:
        return await _own(tx, CASH_OVER, asset, Side.CREDIT, today)
    return await _own(tx, CASH_SHORT, asset, Side.DEBIT, today)


async def _use_allowance(tx: Transaction, voucher: Voucher, today: date) -> Refusal | None:
    if voucher.account is None:
        return None
    direction = Direction.IN if voucher.kind is VoucherKind.CASH_IN else Direction.OUT
    asset, amount_minor = voucher.cash.asset, voucher.cash.amount_minor
    movement = Movement(direction, amount_minor, asset, Channel.BRANCH, cash=True)
    return await use_allowance(tx, voucher.account, movement, today=today)


async def _stock(tx: Transaction, place: Place, asset: str, today: date) -> Stock | Refusal:
    """What is in the place; of an asset that was never there, nothing, at version 0."""
    found = await store.stock(tx, place, asset)
    if found is not None:
        return found
    account = await _own(tx, place.chart, asset, Side.DEBIT, today)
    return account if isinstance(account, Refusal) else Stock(place, account, Cash(asset), counted=False, version=0)


async def _write_stock(tx: Transaction, before: Stock, after: Stock) -> None:
    try:
        if before.version == 0:
            await store.insert_stock(tx, after)
        elif not await store.update_stock(tx, before, after):
            raise Retry("the cash was moved in the same moment")
    except UniqueViolation as rival:
        raise Retry("the cash was moved in the same moment") from rival


async def _own(tx: Transaction, chart: str, asset: str, side: Side, today: date) -> int | Refusal:
    found = await internal_account(tx, chart, asset, side, today=lambda: today)
    if isinstance(found, Refusal) and found.code is LedgerRefusal.ACCOUNT_ID_REUSED:
        raise Retry("another of the bank's own accounts was opened in the same moment")
    return found


async def _post(tx: Transaction, moved: Entry, today: date) -> Refusal | None:
    [outcome] = await post(tx, [moved], today=lambda: today)
    return outcome if isinstance(outcome, Refusal) else None
