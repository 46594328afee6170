"""May this person do this with this cash? Sums of notes and coins, and who may act. Pure: no clock, no database."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID, uuid5

from eastflow.kernel import INT64_MAX, Refusal, is_text, own_id
from eastflow.ledger import Entry, Posting

from .model import (
    ACTOR_CHARACTERS_MAX,
    CONFIRMATION_MINUTES,
    COUNT_MAX,
    DENOMINATIONS,
    IDENTIFICATION_FROM_MINOR,
    NAME_CHARACTERS_MAX,
    Branch,
    Cash,
    Counter,
    Denomination,
    Pieces,
    Place,
    PlaceKind,
    Session,
    Stock,
    Teller,
    TellerRole,
    Transfer,
    TransferStatus,
    Voucher,
    VoucherKind,
    VoucherStatus,
)
from .refusals import BranchRefusal as Why

_CODE = re.compile(r"[a-z0-9_]{1,32}")
_PIECES_MAX = 100
_CUSTOMERS = frozenset({VoucherKind.CASH_IN, VoucherKind.CASH_OUT})
_COUNTS = frozenset({VoucherKind.COUNT, VoucherKind.CLOSE})
_OUT = frozenset({VoucherKind.CASH_OUT, VoucherKind.SHIPMENT_OUT})
_ALWAYS_TWO = frozenset({VoucherKind.CLOSE, VoucherKind.REVERSAL})


# Cash.


def tidy(cash: Cash, *, may_be_empty: bool = False) -> Cash | Refusal:
    """The same cash in the order of the table, each denomination once, or why it is none."""
    known = DENOMINATIONS.get(cash.asset)
    if known is None or len(cash.pieces) > _PIECES_MAX:
        return Refusal(Why.CASH_MALFORMED, {"asset": cash.asset})
    for each in cash.pieces:
        if not (Denomination(each.form, each.value_minor) in known and 0 <= each.count <= COUNT_MAX):
            facts = {"asset": cash.asset, "form": each.form.value, "value_minor": each.value_minor, "count": each.count}
            return Refusal(Why.CASH_MALFORMED, facts)
    tidied = _cash(cash.asset, _counts(cash))
    return tidied if tidied.pieces or may_be_empty else Refusal(Why.CASH_EMPTY, {"asset": cash.asset})


def plus(one: Cash, other: Cash) -> Cash:
    counts = _counts(one)
    for denomination, count in _counts(other).items():
        counts[denomination] = counts.get(denomination, 0) + count
    return _cash(one.asset, counts)


def minus(one: Cash, other: Cash) -> Cash | Refusal:
    """What is left of `one`, or that it does not have these pieces."""
    counts = _counts(one)
    for denomination, count in _counts(other).items():
        there = counts.get(denomination, 0)
        if there < count:
            facts = {"form": denomination.form.value, "value_minor": denomination.value_minor}
            return Refusal(Why.CASH_NOT_THERE, {**facts, "there": there, "asked": count})
        counts[denomination] = there - count
    return _cash(one.asset, counts)


def _counts(cash: Cash) -> dict[Denomination, int]:
    counts: dict[Denomination, int] = {}
    for each in cash.pieces:
        denomination = Denomination(each.form, each.value_minor)
        counts[denomination] = counts.get(denomination, 0) + each.count
    return counts


def _cash(asset: str, counts: Mapping[Denomination, int]) -> Cash:
    there = [(each, counts.get(each, 0)) for each in DENOMINATIONS[asset]]
    return Cash(asset, tuple(Pieces(each.form, each.value_minor, count) for each, count in there if count))


# People.


def is_code(code: str) -> bool:
    return _CODE.fullmatch(code) is not None


def decide_branch(branch: Branch, existing: Branch | None) -> Branch | Refusal:
    if not is_code(branch.code):
        return Refusal(Why.TEXT_MALFORMED, {"field": "code"})
    if not _is_name(branch.name):
        return Refusal(Why.TEXT_MALFORMED, {"field": "name"})
    return branch if existing in (None, branch) else Refusal(Why.ID_REUSED, {"id": branch.code})


def check_teller(teller: Teller) -> Refusal | None:
    for field, code in (("code", teller.code), ("branch", teller.branch)):
        if not is_code(code):
            return Refusal(Why.TEXT_MALFORMED, {"field": field})
    if not _is_name(teller.name):
        return Refusal(Why.TEXT_MALFORMED, {"field": "name"})
    if not (teller.actor.strip() and is_text(teller.actor, ACTOR_CHARACTERS_MAX)):
        return Refusal(Why.TEXT_MALFORMED, {"field": "actor"})
    return None


def decide_teller(
    teller: Teller, existing: Teller | None, actor_of: str | None, *, branch_exists: bool
) -> Teller | Refusal:
    """`actor_of` is the teller whose actor theirs is by now."""
    if existing is not None:
        return existing if existing == teller else Refusal(Why.ID_REUSED, {"id": teller.code})
    if actor_of is not None:
        return Refusal(Why.ACTOR_TAKEN, {"actor": teller.actor})
    if not branch_exists:
        return Refusal(Why.BRANCH_NOT_FOUND, {"branch": teller.branch})
    return teller


def check_limit(asset: str, above_minor: int) -> Refusal | None:
    if asset in DENOMINATIONS and 0 <= above_minor <= INT64_MAX:
        return None
    return Refusal(Why.LIMIT_MALFORMED, {"asset": asset, "above_minor": above_minor})


def decide_sign_on(
    new: Session, existing: Session | None, teller: Teller | None, at_work: UUID | None, by: str
) -> Session | Refusal:
    """`at_work` is the session that the teller is in."""
    if existing is not None and existing.teller != new.teller:
        return Refusal(Why.ID_REUSED, {"id": new.id})
    if teller is None:
        return Refusal(Why.TELLER_NOT_FOUND, {"teller": new.teller})
    if refusal := must_be(teller, by):
        return refusal
    if existing is not None:
        return existing
    if at_work is not None:
        return Refusal(Why.SIGNED_ON_ALREADY, {"teller": teller.code, "session": at_work})
    return new


def must_be(teller: Teller, by: str) -> Refusal | None:
    """What the teller did before is answered again to nobody else."""
    return None if teller.actor == by else Refusal(Why.NOT_THIS_TELLER, {"teller": teller.code})


def may_act(counter: Counter, by: str, *, today: date | None) -> Refusal | None:
    """`today` is None for what may still be done when the day has passed: counting, taking what is on its way, and
    signing off."""
    if refusal := must_be(counter.teller, by):
        return refusal
    if counter.session.signed_off_at is not None:
        return Refusal(Why.SESSION_ENDED, {"session": counter.session.id})
    if today is not None and counter.session.business_date != today:
        facts = {"session": counter.session.id, "business_date": counter.session.business_date, "today": today}
        return Refusal(Why.SESSION_OF_OTHER_DAY, facts)
    return None


def may_touch(counter: Counter, place: Place) -> Refusal | None:
    """A teller has the drawer, a supervisor the vault of the branch too."""
    teller = counter.teller
    mine = place.code == teller.code
    if place.kind is PlaceKind.VAULT:
        mine = place.code == teller.branch and teller.role is TellerRole.SUPERVISOR
    return None if mine else Refusal(Why.PLACE_NOT_YOURS, {"place": str(place), "teller": teller.code})


def may_close(counter: Counter, absent: Counter) -> Refusal | None:
    """A supervisor of the branch, and no teller's own drawer."""
    if absent.session.signed_off_at is not None:
        return Refusal(Why.SESSION_ENDED, {"session": absent.session.id})
    if absent.teller.branch != counter.teller.branch:
        return Refusal(Why.OTHER_BRANCH, {"branch": absent.teller.branch})
    if absent.teller.code == counter.teller.code:
        return Refusal(Why.SAME_PERSON, {"teller": counter.teller.code})
    if counter.teller.role is not TellerRole.SUPERVISOR:
        return Refusal(Why.SUPERVISOR_NEEDED, {"teller": counter.teller.code})
    return None


def may_sign_off(stocks: Sequence[Stock], *, pending: UUID | None, in_transit: UUID | None) -> Refusal | None:
    """`stocks` are those of the drawer; the others name what is still open."""
    if pending is not None:
        return Refusal(Why.VOUCHER_PENDING, {"voucher": pending})
    if in_transit is not None:
        return Refusal(Why.TRANSFER_IN_TRANSIT, {"transfer": in_transit})
    for stock in stocks:
        if not stock.counted:
            return Refusal(Why.DRAWER_NOT_COUNTED, {"place": str(stock.place), "asset": stock.cash.asset})
    return None


# Vouchers.


def is_count(kind: VoucherKind) -> bool:
    """Whether its cash is all that was counted, so that it may be none."""
    return kind in _COUNTS


def may_reverse(original: Voucher, business_date: date, *, today: date) -> Refusal | None:
    """Once, and on the business date of its session: later it is a matter between the bank and its customer."""
    if not (original.kind in _CUSTOMERS and original.status is VoucherStatus.BOOKED and business_date == today):
        facts = {"kind": original.kind.value, "status": original.status.value, "business_date": business_date}
        return Refusal(Why.VOUCHER_NOT_REVERSIBLE, {"voucher": original.id, **facts})
    if original.reversed_by is not None:
        return Refusal(Why.VOUCHER_REVERSED, {"voucher": original.id, "reversed_by": original.reversed_by})
    return None


def same_voucher(one: Voucher, other: Voucher) -> bool:
    """Whether both ask for the same."""
    return _asked(one) == _asked(other)


def _asked(voucher: Voucher) -> tuple[object, ...]:
    return (
        voucher.kind,
        voucher.session,
        voucher.place,
        voucher.cash,
        voucher.account,
        voucher.identification_seen,
        voucher.closes,
        voucher.reverses,
    )


def change_minor(kind: VoucherKind, cash: Cash, stock: Cash) -> int:
    if kind in _COUNTS:
        return cash.amount_minor - stock.amount_minor
    return -cash.amount_minor if kind in _OUT else cash.amount_minor


def decide_voucher(new: Voucher, stock: Stock, limit_minor: int | None, *, already_minor: int = 0) -> Voucher | Refusal:
    """Booked at once, or waiting for a second person. `already_minor` is what the customer's account took in, or
    out, in cash that day: an amount split into several is judged as one."""
    amount_minor = already_minor + new.cash.amount_minor
    if new.kind in _CUSTOMERS and not new.identification_seen:
        from_minor = IDENTIFICATION_FROM_MINOR.get(new.cash.asset, 0)
        if amount_minor >= from_minor:
            facts = {"amount_minor": amount_minor, "from_minor": from_minor}
            return Refusal(Why.IDENTIFICATION_NOT_SEEN, facts)
    after = stock_after(new, stock)
    if isinstance(after, Refusal):
        return after
    if _needs_two(new, amount_minor, limit_minor):
        expires_at = new.asked_at + timedelta(minutes=CONFIRMATION_MINUTES)
        return replace(new, stock_version=stock.version, expires_at=expires_at)
    return replace(new, status=VoucherStatus.BOOKED, stock_version=stock.version, ended_at=new.asked_at)


def _needs_two(voucher: Voucher, amount_minor: int, limit_minor: int | None) -> bool:
    if voucher.kind in _CUSTOMERS:
        return limit_minor is None or amount_minor > limit_minor
    return voucher.kind in _ALWAYS_TWO or voucher.change_minor != 0


def decide_end(voucher: Voucher, second: Counter, first: Teller, at: datetime, *, confirmed: bool) -> Voucher | Refusal:
    """The voucher as the second person leaves it. Confirming it still has to be booked."""
    status = VoucherStatus.BOOKED if confirmed else VoucherStatus.DECLINED
    if voucher.status is status and voucher.ended_by == second.teller.code:
        return voucher
    now = voucher.status_at(at)
    if now is VoucherStatus.EXPIRED:
        return Refusal(Why.VOUCHER_EXPIRED, {"voucher": voucher.id, "expires_at": voucher.expires_at})
    if now is not VoucherStatus.PENDING:
        return Refusal(Why.VOUCHER_ENDED, {"voucher": voucher.id, "status": now.value})
    if second.teller.code == first.code and confirmed:
        return Refusal(Why.SAME_PERSON, {"teller": first.code})
    if second.teller.code != first.code:
        if second.teller.branch != first.branch:
            return Refusal(Why.OTHER_BRANCH, {"branch": first.branch})
        if second.teller.role is not TellerRole.SUPERVISOR:
            return Refusal(Why.SUPERVISOR_NEEDED, {"teller": second.teller.code})
    return replace(voucher, status=status, ended_by=second.teller.code, ended_at=at)


def stock_after(voucher: Voucher, stock: Stock) -> Stock | Refusal:
    """A count puts what was counted in place of what the books say, and holds only while nothing else moved. A close
    empties the drawer besides."""
    if voucher.kind in _COUNTS:
        if voucher.stock_version != stock.version:
            return Refusal(Why.COUNT_OUTDATED, {"place": str(stock.place), "asset": stock.cash.asset})
        left = voucher.cash if voucher.kind is VoucherKind.COUNT else Cash(stock.cash.asset)
        return replace(stock, cash=left, counted=True, version=stock.version + 1)
    return _moved(stock, voucher.cash, out=voucher.change_minor < 0)


# Transfers.


def decide_issue(new: Transfer, stock: Stock, branches: Mapping[Place, str], branch: str) -> Stock | Refusal:
    """The sender's stock after it. `branches` has that of each place that exists."""
    if new.receiver not in branches:
        return Refusal(Why.PLACE_NOT_FOUND, {"place": str(new.receiver)})
    if branches[new.receiver] != branch:
        return Refusal(Why.OTHER_BRANCH, {"branch": branch})
    if new.receiver == new.sender:
        return Refusal(Why.SAME_PLACE, {"place": str(new.sender)})
    if new.whole and new.cash != stock.cash:
        facts = {"counted_minor": new.cash.amount_minor, "booked_minor": stock.cash.amount_minor}
        return Refusal(Why.COUNT_DIFFERS, facts)
    after = _moved(stock, new.cash, out=True)
    # Whoever gives away a whole drawer has counted it; what is left is nothing.
    return replace(after, counted=True) if new.whole and isinstance(after, Stock) else after


def same_transfer(one: Transfer, other: Transfer) -> bool:
    """Whether both ask for the same."""
    asked = (one.sender, one.receiver, one.cash, one.whole, one.issued_by)
    return asked == (other.sender, other.receiver, other.cash, other.whole, other.issued_by)


def decide_transfer_end(
    transfer: Transfer, counted: Cash, teller: str, at: datetime, *, received: bool
) -> Transfer | Refusal:
    """The transfer as it is received by another person, or taken back."""
    status = TransferStatus.RECEIVED if received else TransferStatus.TAKEN_BACK
    if transfer.status is status and transfer.ended_by == teller:
        return transfer
    if transfer.status is not TransferStatus.IN_TRANSIT:
        return Refusal(Why.TRANSFER_ENDED, {"transfer": transfer.id, "status": transfer.status.value})
    if received and teller == transfer.issued_by:
        return Refusal(Why.SAME_PERSON, {"teller": teller})
    if counted != transfer.cash:
        facts = {"counted_minor": counted.amount_minor, "issued_minor": transfer.cash.amount_minor}
        return Refusal(Why.COUNT_DIFFERS, facts)
    return replace(transfer, status=status, ended_by=teller, ended_at=at)


def arrived(cash: Cash, stock: Stock) -> Stock:
    after = _moved(stock, cash, out=False)
    assert isinstance(after, Stock), "cash that comes is never missing"
    return after


def _moved(stock: Stock, cash: Cash, *, out: bool) -> Stock | Refusal:
    moved = minus(stock.cash, cash) if out else plus(stock.cash, cash)
    if isinstance(moved, Refusal):
        return moved
    return replace(stock, cash=moved, counted=False, version=stock.version + 1)


# Entries.


def entry(id: UUID, kind: str, value_date: date, debited: int, credited: int, asset: str, amount_minor: int) -> Entry:
    legs = (Posting(debited, asset, -amount_minor), Posting(credited, asset, amount_minor))
    return Entry(id, f"branch.{kind}", value_date, legs)


def second_entry_id(transfer: UUID) -> UUID:
    """A transfer has two entries, and a close: the first has its id, the one that ends it has this."""
    return own_id(uuid5(transfer, "ended").bytes)


def _is_name(name: str) -> bool:
    return bool(name.strip()) and is_text(name, NAME_CHARACTERS_MAX)
