"""The verbs of vouchers: customers' cash, counts, shipments, and what takes two people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from eastflow.customers import Channel, Direction, Movement
from eastflow.customers.actions import give_back_allowance, use_allowance
from eastflow.kernel import EXACT_JSON_INTEGER_MAX, Refusal
from eastflow.ledger import Side, accounts
from eastflow.storage import Clock, Retry, Transaction, UniqueViolation, now

from .. import store
from ..decide import (
    arrived,
    change_minor,
    decide_end,
    decide_voucher,
    entry,
    is_count,
    may_act,
    may_close,
    may_reverse,
    may_sign_off,
    may_touch,
    must_be,
    same_voucher,
    second_entry_id,
    stock_after,
    tidy,
)
from ..model import Cash, Counter, Place, PlaceKind, Stock, Voucher, VoucherKind, VoucherStatus
from ..places.actions import own_account, post_entry, stock_of, write_stock
from ..refusals import BranchRefusal as Why

CUSTOMERS = frozenset({"liabilities:deposits", "liabilities:deposits:demand"})
"""Where money comes and goes freely. Deposits with a term move by their contracts alone."""
OTHER_BANKS = "assets:clearing"
CASH_OVER, CASH_SHORT = "income:cash_over", "expenses:cash_short"


class _Undone(Exception):
    """Ends a savepoint when the bank says no after something was written."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code.value)
        self.refusal = refusal


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


async def close_for_absent(
    tx: Transaction, id: UUID, session: UUID, absent: UUID, cash: Cash, *, today: date, by: str, clock: Clock = now
) -> Voucher | Refusal:
    """A supervisor counts all cash of one asset in the drawer of a teller who left the session `absent` open.

    Another supervisor confirms: then the difference is booked as any count's, the cash is in the vault, and with the
    last of it the session is signed off.
    """
    counter = await store.counter(tx, session, lock=True)
    other = counter and await store.counter(tx, absent)
    if other is None:
        return Refusal(Why.SESSION_NOT_FOUND, {"session": absent if counter else session})
    drawer = Place(PlaceKind.DRAWER, other.teller.code)
    return await _ask(tx, _Asked(VoucherKind.CLOSE, id, session, cash, drawer, closes=absent), today, by, clock)


async def reverse(
    tx: Transaction, id: UUID, session: UUID, voucher: UUID, *, today: date, by: str, clock: Clock = now
) -> Voucher | Refusal:
    """What was keyed in wrongly for a customer is undone as a whole, by the piece, once a supervisor has confirmed."""
    counter = await store.counter(tx, session, lock=True)
    if counter is None:
        return Refusal(Why.SESSION_NOT_FOUND, {"session": session})
    original = await store.voucher(tx, voucher)
    if original is None:
        return may_act(counter, by, today=today) or Refusal(Why.VOUCHER_NOT_FOUND, {"voucher": voucher})
    place, account, seen = original.place, original.account, original.identification_seen
    asked = _Asked(VoucherKind.REVERSAL, id, session, original.cash, place, account, seen, original=original)
    return await _ask(tx, asked, today, by, clock)


async def confirm(
    tx: Transaction, voucher: UUID, session: UUID, *, today: date, by: str, clock: Clock = now
) -> Voucher | Refusal:
    """A supervisor, another person than who asked, books what is pending."""
    ended = await _end(tx, voucher, session, today, by, clock(), confirmed=True)
    if isinstance(ended, Refusal) or ended[0] == ended[1]:
        return ended if isinstance(ended, Refusal) else ended[1]
    before, booked = ended
    stock = await stock_of(tx, before.place, before.cash.asset, today)
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
    closes: UUID | None = None
    original: Voucher | None = None

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
            closes=self.closes,
            reverses=None if self.original is None else self.original.id,
        )


async def _ask(tx: Transaction, asked: _Asked, today: date, by: str, clock: Clock) -> Voucher | Refusal:
    cash = tidy(asked.cash, may_be_empty=is_count(asked.kind))
    if isinstance(cash, Refusal):
        return cash
    counter = await store.counter(tx, asked.session, lock=True)
    if counter is None:
        return Refusal(Why.SESSION_NOT_FOUND, {"session": asked.session})
    new = asked.voucher(counter, cash, clock())
    if existing := await store.voucher(tx, new.id):
        same = same_voucher(existing, new)
        return (must_be(counter.teller, by) or existing) if same else Refusal(Why.ID_REUSED, {"id": new.id})
    if refusal := await _may_ask(tx, new, counter, today, by):
        return refusal
    stock = await stock_of(tx, new.place, cash.asset, today)
    if isinstance(stock, Refusal):
        return stock
    wrong = asked.original
    moved_minor = -wrong.change_minor if wrong else change_minor(new.kind, cash, stock.cash)
    new = replace(new, change_minor=moved_minor, stock_version=stock.version)
    already_minor = 0
    if new.account is not None and not wrong:
        already_minor = await store.cash_of_day(tx, new.account, cash.asset, today, new.kind)
    decided = decide_voucher(new, stock, counter.limits_minor.get(cash.asset), already_minor=already_minor)
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
    if isinstance(ended, Refusal):
        return ended
    refusal = await _still_open(tx, voucher, counter, today, at) if confirmed and ended != voucher else None
    return refusal or (voucher, ended)


async def _still_open(tx: Transaction, voucher: Voucher, second: Counter, today: date, at: datetime) -> Refusal | None:
    """What a reversal or a close is about may have changed while it waited."""
    if voucher.reverses is not None:
        return await _may_reverse(tx, voucher.reverses, today)
    if voucher.closes is None:
        return None
    absent = await store.counter(tx, voucher.closes, lock=True)
    assert absent is not None, "sessions are never removed"
    pending = await store.pending_voucher(tx, voucher.closes, at)
    in_transit = await store.transfer_in_transit(tx, voucher.place)
    return may_close(second, absent) or may_sign_off([], pending=pending, in_transit=in_transit)


async def _may_ask(tx: Transaction, new: Voucher, counter: Counter, today: date, by: str) -> Refusal | None:
    if refusal := may_act(counter, by, today=None if new.kind is VoucherKind.COUNT else today):
        return refusal
    if new.closes is not None:
        absent = await store.counter(tx, new.closes)
        assert absent is not None, "sessions are never removed"
        return may_close(counter, absent)
    if refusal := may_touch(counter, new.place):
        return refusal
    if new.reverses is not None:
        return await _may_reverse(tx, new.reverses, today)
    return await _check_customer(tx, new.account)


async def _may_reverse(tx: Transaction, id: UUID, today: date) -> Refusal | None:
    original = await store.voucher(tx, id, lock=True)
    assert original is not None, "vouchers are never removed"
    began = await store.session(tx, original.session)
    assert began is not None, "sessions are never removed"
    return may_reverse(original, began.business_date, today=today)


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
    try:
        async with tx.savepoint():
            if refusal := await _move(tx, voucher, stock.account, today):
                raise _Undone(refusal)
    except _Undone as undone:
        return undone.refusal
    await write_stock(tx, stock, after)
    if voucher.reverses is not None:
        await store.reverse_voucher(tx, voucher.reverses, voucher.id)
    if voucher.closes is not None:
        await _sign_off_if_empty(tx, voucher.closes, voucher)
    return None


async def _sign_off_if_empty(tx: Transaction, absent: UUID, voucher: Voucher) -> None:
    if not any(each.cash.pieces for each in await store.stocks(tx, voucher.place)):
        began = await store.session(tx, absent)
        assert began is not None, "sessions are never removed"
        await store.end_session(tx, replace(began, signed_off_at=voucher.ended_at))


async def _move(tx: Transaction, voucher: Voucher, place: int, today: date) -> Refusal | None:
    """The value between the account of the place and the other side; after a close the rest goes to the vault."""
    if voucher.change_minor and (refusal := await _move_change(tx, voucher, place, today)):
        return refusal
    return await _to_vault(tx, voucher, place, today) if voucher.closes and voucher.cash.pieces else None


async def _to_vault(tx: Transaction, voucher: Voucher, drawer: int, today: date) -> Refusal | None:
    absent = await store.teller(tx, voucher.place.code)
    assert absent is not None, "a drawer is of a registered teller"
    cash = voucher.cash
    vault = await stock_of(tx, Place(PlaceKind.VAULT, absent.branch), cash.asset, today)
    if isinstance(vault, Refusal):
        return vault
    id = second_entry_id(voucher.id)
    moved = entry(id, "to_vault", today, vault.account, drawer, cash.asset, cash.amount_minor)
    if refusal := await post_entry(tx, moved, today):
        return refusal
    await write_stock(tx, vault, arrived(cash, vault))
    return None


async def _move_change(tx: Transaction, voucher: Voucher, place: int, today: date) -> Refusal | None:
    other = await _other_side(tx, voucher, today)
    if isinstance(other, Refusal):
        return other
    if refusal := await _count_against_limits(tx, voucher, today):
        return refusal
    debited, credited = (place, other) if voucher.change_minor > 0 else (other, place)
    asset, amount_minor = voucher.cash.asset, abs(voucher.change_minor)
    moved = entry(voucher.id, voucher.kind.value, today, debited, credited, asset, amount_minor)
    return await post_entry(tx, replace(moved, reverses=voucher.reverses), today)


async def _other_side(tx: Transaction, voucher: Voucher, today: date) -> int | Refusal:
    """The account that the cash comes from or goes to."""
    if voucher.account is not None:
        return voucher.account
    asset = voucher.cash.asset
    if not is_count(voucher.kind):
        return await own_account(tx, OTHER_BANKS, asset, Side.DEBIT, today)
    if voucher.change_minor > 0:
        return await own_account(tx, CASH_OVER, asset, Side.CREDIT, today)
    return await own_account(tx, CASH_SHORT, asset, Side.DEBIT, today)


async def _count_against_limits(tx: Transaction, voucher: Voucher, today: date) -> Refusal | None:
    """A customer's cash uses up what the account's class allows, and what the branch does with one person."""
    if voucher.account is None:
        return None
    undone = voucher.kind is VoucherKind.REVERSAL
    came_in = (voucher.change_minor > 0) is not undone
    kind, direction = (VoucherKind.CASH_IN, Direction.IN) if came_in else (VoucherKind.CASH_OUT, Direction.OUT)
    account, asset, amount_minor = voucher.account, voucher.cash.asset, voucher.cash.amount_minor
    await store.add_cash_of_day(tx, account, asset, today, kind, -amount_minor if undone else amount_minor)
    if voucher.reverses is not None:
        await give_back_allowance(tx, account, voucher.reverses, amount_minor)
        return None
    movement = Movement(direction, amount_minor, asset, Channel.BRANCH, cash=True)
    return await use_allowance(tx, account, movement, today=today, id=voucher.id)
