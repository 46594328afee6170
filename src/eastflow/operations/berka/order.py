"""Finds in which order each account's transactions of one day were booked, since the source tells only the day.

A recorded balance links a row to the row before it: that one's balance must be this balance less this amount. A link
that does not hold to the haléř is broken. For each account, over all its days, the order chosen breaks the fewest
links; among equals the one whose breaks are smallest in sum; among these the one nearest to the file's order. The
first row of all is linked to zero.

Days of up to 8 rows are searched in full, by the set of rows already placed and the last of them, and the search is
carried from day to day by the balance recorded last, so the result is the best there is. A longer day is read as one
walk: a row is a step from one balance to the next, and a walk that takes every step once (Hierholzer's method, with a
jump wherever the steps do not meet) has the fewest breaks within its day. A day that can follow without a break is
thus always found to do so, however long it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter

from .records import Transaction

SEARCHED_ROWS = 8
"""The longest day searched in full: 8 rows are at most 2,048 states, and each row more doubles them."""

Rows = tuple[Transaction, ...]
_Step = tuple[int, Transaction | None]
_Found = tuple[int, int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class _Way:
    """One order of an account's rows up to some day: what it costs, and the day's rows behind the way before it."""

    broken_links: int
    broken_minor: int
    day: Rows
    before: _Way | None

    def cost(self) -> tuple[int, int, list[int]]:
        return self.broken_links, self.broken_minor, [row.line for row in self.day]


def ordered(transactions: Iterable[Transaction]) -> Rows:
    """All transactions by date, then account, then in the order found; the order they come in makes no difference."""
    days: dict[int, dict[int, list[Transaction]]] = defaultdict(lambda: defaultdict(list))
    for row in sorted(transactions, key=lambda row: row.line):
        days[row.account_id][row.booked_on.toordinal()].append(row)
    by_day: dict[int, list[tuple[int, Rows]]] = defaultdict(list)
    for account_id, days_of_account in days.items():
        dates = sorted(days_of_account)
        for date, rows in zip(dates, _account_order([days_of_account[date] for date in dates]), strict=True):
            by_day[date].append((account_id, rows))
    return tuple(row for date in sorted(by_day) for _, rows in sorted(by_day[date], key=itemgetter(0)) for row in rows)


def _account_order(days: Sequence[list[Transaction]]) -> list[Rows]:
    """The best order of each day of one account; `ways` keeps the best way to each balance the last day can end on."""
    ways = {0: _Way(0, 0, (), None)}
    for day in days:
        reached: dict[int, _Way] = {}
        for balance, before in ways.items():
            for rows, broken_links, broken_minor in _day_orders(balance, day):
                links, minor = before.broken_links + broken_links, before.broken_minor + broken_minor
                way = _Way(links, minor, rows, before)
                end = rows[-1].balance_minor
                rival = reached.get(end)
                if rival is None or way.cost() < rival.cost():
                    reached[end] = way
        ways = reached
    found: list[Rows] = []
    back: _Way | None = min(ways.values(), key=_Way.cost)
    while back is not None and back.before is not None:
        found.append(back.day)
        back = back.before
    return found[::-1]


def _day_orders(balance: int, day: Sequence[Transaction]) -> list[tuple[Rows, int, int]]:
    """Orders of one day worth carrying on, with the number and sum of their broken links."""
    if len(day) == 1:
        gap = balance + day[0].signed_amount_minor - day[0].balance_minor
        return [((day[0],), int(gap != 0), abs(gap))]
    if len(day) <= SEARCHED_ROWS:
        return _searched(balance, day)
    rows = _walked(balance, day)
    links, minor = 0, 0
    for row in rows:
        gap = balance + row.signed_amount_minor - row.balance_minor
        links, minor, balance = links + (gap != 0), minor + abs(gap), row.balance_minor
    return [(rows, links, minor)]


def _searched(balance: int, day: Sequence[Transaction]) -> list[tuple[Rows, int, int]]:
    """The best order for each row the day may end with."""
    starts = [row.balance_minor - row.signed_amount_minor for row in day]
    ends = [row.balance_minor for row in day]
    places = range(len(day))
    # The key is (rows placed as bits, last row); equal costs fall to the earlier places, which is the file's order.
    layer: dict[tuple[int, int], _Found] = {(0, -1): (0, 0, ())}
    for _ in places:
        longer: dict[tuple[int, int], _Found] = {}
        for (placed, last), (links, minor, order) in layer.items():
            now = balance if last < 0 else ends[last]
            for place in places:
                if placed >> place & 1:
                    continue
                gap = now - starts[place]
                key = placed | 1 << place, place
                found = links + (gap != 0), minor + abs(gap), (*order, place)
                if key not in longer or found < longer[key]:
                    longer[key] = found
        layer = longer
    return [(tuple(day[place] for place in order), links, minor) for links, minor, order in layer.values()]


def _walked(balance: int, day: Sequence[Transaction]) -> Rows:
    """One walk over all rows of a long day, beginning at the balance before it."""
    steps: dict[int, list[_Step]] = defaultdict(list)
    surplus: dict[int, int] = defaultdict(int)
    # Rows are taken from the end of each list, so the list is filled from the day's end.
    for row in reversed(day):
        start = row.balance_minor - row.signed_amount_minor
        steps[start].append((row.balance_minor, row))
        surplus[start] += 1
        surplus[row.balance_minor] -= 1
    # Coming in at the balance before the day counts as one step that ends there.
    surplus[balance] -= 1
    # Where a walk must end and another begin, a jump (a step without a row) leads across; one ending stays, the last.
    beginnings = [point for point, number in surplus.items() for _ in range(number)]
    endings = sorted(
        (point for point, number in surplus.items() for _ in range(-number)), key=lambda point: point != balance
    )
    for ending, beginning in zip(endings, beginnings, strict=False):
        steps[ending].insert(0, (beginning, None))
    walk: list[Transaction] = []
    for point in (balance, *beginnings, *steps.copy()):
        walk += _trail(point, steps)
    return tuple(walk)


def _trail(start: int, steps: dict[int, list[_Step]]) -> list[Transaction]:
    """Hierholzer: go until no step is left, then back, taking every side loop; without recursion."""
    going: list[_Step] = [(start, None)]
    taken: list[Transaction] = []
    while going:
        point, row = going[-1]
        if steps[point]:
            going.append(steps[point].pop())
        else:
            going.pop()
            if row is not None:
                taken.append(row)
    return taken[::-1]
