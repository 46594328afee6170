"""Compares every balance the Czech bank recorded with ours, and says which differences its rounding explains.

Our balance after a row is the sum of the account's amounts so far. The source evidently keeps finer amounts than it
shows: now and then a recorded balance moves by 0.10 more or less than the amount beside it, and from then on our
balance stays that far apart; later such rows add to it or take from it. So each row is judged by the difference it
ADDS: ours minus recorded after it, less the same after the account's row before. The difference added is

- exact: nothing, so the recorded balance follows to the haléř from the one before it and the amount;
- rounding: at most 0.10 (10 haléř) in either direction, the smallest step the source writes;
- unexplained: anything more. These are listed one by one.

Beside it stands how far our balance itself is from the recorded one, counted over all rows: equal; apart, by added-up
rounding alone; or apart, with an unexplained difference among what was added. Nothing is adjusted anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from .records import Refused, Transaction

ROUNDING_MINOR = 10
"""The source writes amounts to 0.10, so one rounding can move a balance by 10 haléř and no more."""


@dataclass(frozen=True, slots=True)
class Difference:
    """`difference_minor` is ours minus recorded; `added_minor` is the part of it that this row brought."""

    account_id: int
    trans_id: int
    line: int
    date: date
    recorded_minor: int
    ours_minor: int
    difference_minor: int
    added_minor: int
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Rows by the difference each adds, then rows by how far the balance itself is apart; both sums are all rows."""

    exact: int
    rounding: int
    unexplained: tuple[Difference, ...]
    balance_equal: int
    balance_apart_by_rounding: int
    balance_apart_unexplained: int
    widest_rounding_minor: int
    unbooked: tuple[Transaction, ...]

    @property
    def compared(self) -> int:
        return self.exact + self.rounding + len(self.unexplained)


def running_balances(in_order: Iterable[Transaction]) -> dict[int, int]:
    """Our balance after each transaction by its id, from zero, as a ledger comes to it."""
    balances: dict[int, int] = {}
    after: dict[int, int] = {}
    for row in in_order:
        balance = balances.get(row.account_id, 0) + row.signed_amount_minor
        balances[row.account_id] = after[row.trans_id] = balance
    return after


def reconcile(
    in_order: Iterable[Transaction], ours: Mapping[int, int], refused: Iterable[Refused] = ()
) -> Reconciliation:
    """Judges each transaction, in the order booked, with our balance after it by transaction id.

    A transaction that `ours` does not have is not booked: it is told apart, and no balance is compared for it. The
    refused rows only serve the hint beside an unexplained difference; they change no count.
    """
    rows = tuple(in_order)
    cut_on = _day_cut_off(rows, refused)
    carried: dict[int, int] = {}
    spoilt: set[int] = set()
    unexplained: list[Difference] = []
    unbooked: list[Transaction] = []
    exact = rounding = equal = apart_by_rounding = apart_unexplained = widest = 0
    for row in rows:
        balance = ours.get(row.trans_id)
        if balance is None:
            unbooked.append(row)
            continue
        difference = balance - row.balance_minor
        added = difference - carried.get(row.account_id, 0)
        carried[row.account_id] = difference
        if added == 0:
            exact += 1
        elif abs(added) <= ROUNDING_MINOR:
            rounding += 1
        else:
            spoilt.add(row.account_id)
            unexplained.append(_difference(row, balance, added, cut_on))
        if difference == 0:
            equal += 1
        elif row.account_id in spoilt:
            apart_unexplained += 1
        else:
            apart_by_rounding += 1
            widest = max(widest, abs(difference))
    return Reconciliation(
        exact=exact,
        rounding=rounding,
        unexplained=tuple(unexplained),
        balance_equal=equal,
        balance_apart_by_rounding=apart_by_rounding,
        balance_apart_unexplained=apart_unexplained,
        widest_rounding_minor=widest,
        unbooked=tuple(unbooked),
    )


def _day_cut_off(rows: tuple[Transaction, ...], refused: Iterable[Refused]) -> date | None:
    """The last day of the transactions, if the file breaks off after its last usable row: the day may lack rows."""
    last = max(rows, key=lambda row: row.line, default=None)
    if last is None:
        return None
    broken_off = any(
        row.file == "trans.asc" and row.line > last.line and row.reason.startswith("cut off") for row in refused
    )
    return last.booked_on if broken_off else None


def _difference(row: Transaction, ours_minor: int, added_minor: int, cut_on: date | None) -> Difference:
    hint = ""
    if row.booked_on == cut_on:
        missing = "credit" if added_minor < 0 else "debit"
        hint = f"the file breaks off on this day: a {missing} of {abs(added_minor)} haléř may stand beyond its end"
    return Difference(
        account_id=row.account_id,
        trans_id=row.trans_id,
        line=row.line,
        date=row.booked_on,
        recorded_minor=row.balance_minor,
        ours_minor=ours_minor,
        difference_minor=ours_minor - row.balance_minor,
        added_minor=added_minor,
        hint=hint,
    )
