"""A shuffled day is put back so that every balance follows, and a broken history breaks no more than it must."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import permutations
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from . import order
from .order import ordered
from .read import Source
from .reconcile import reconcile, running_balances
from .records import Transaction
from .sample import transaction

DAY = date(1993, 1, 31)
AMOUNTS = st.integers(-5, 5).filter(bool).map(lambda crowns: crowns * 100)


def broken_links(rows: Iterable[Transaction]) -> int:
    balance = broken = 0
    for row in rows:
        broken += balance + row.signed_amount_minor != row.balance_minor
        balance = row.balance_minor
    return broken


@st.composite
def shuffled_history(draw: st.DrawFn) -> list[Transaction]:
    """Consistent days of 1 to 20 rows of one account, with small amounts so that balances often come back."""
    balance, rows = 0, []
    days = draw(st.lists(st.lists(AMOUNTS, min_size=1, max_size=20), min_size=1, max_size=4))
    lines = iter(draw(st.permutations(range(2, 2 + sum(map(len, days))))))
    for number, amounts in enumerate(days):
        for amount in amounts:
            balance += amount
            rows.append(transaction(next(lines), amount, balance, booked_on=DAY + timedelta(number)))
    return rows


@given(shuffled_history())
@settings(max_examples=60, deadline=None)
def test_a_shuffled_consistent_day_is_ordered_back(rows: list[Transaction]) -> None:
    found = ordered(rows)
    assert sorted(row.line for row in found) == sorted(row.line for row in rows)
    assert broken_links(found) == 0


@given(st.lists(AMOUNTS, min_size=9, max_size=40), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_a_single_long_day_is_ordered_back_without_a_break(amounts: list[int], random: Random) -> None:
    balances = [sum(amounts[: place + 1]) for place in range(len(amounts))]
    lines = list(range(2, 2 + len(amounts)))
    random.shuffle(lines)
    rows = [transaction(line, amount, balance) for line, amount, balance in zip(lines, amounts, balances, strict=True)]
    assert broken_links(ordered(rows)) == 0


SMALL_ROWS = st.lists(st.tuples(AMOUNTS, st.integers(-6, 6).map(lambda crowns: crowns * 100)), min_size=1, max_size=5)


@given(SMALL_ROWS, st.sampled_from([1, order.SEARCHED_ROWS]))
@settings(max_examples=80, deadline=None)
def test_no_order_of_a_broken_day_breaks_fewer_links(pairs: list[tuple[int, int]], searched_rows: int) -> None:
    rows = [transaction(line, amount, balance) for line, (amount, balance) in enumerate(pairs, start=2)]
    least = min(map(broken_links, permutations(rows)))
    # With 1, the walk of long days is tried on days short enough to know the answer.
    before, order.SEARCHED_ROWS = order.SEARCHED_ROWS, searched_rows
    try:
        assert broken_links(ordered(rows)) == least
    finally:
        order.SEARCHED_ROWS = before


def test_the_day_before_is_chosen_with_the_day_after_in_mind() -> None:
    # Both ends of the first day break one link; only ending on 300 lets the second day follow.
    first = [transaction(2, 100, 300), transaction(3, 100, 500)]
    second = transaction(4, 50, 350, booked_on=date(1993, 1, 2))
    found = ordered([second, *first])
    assert [row.line for row in found] == [3, 2, 4]


def test_of_equal_orders_the_smaller_break_then_the_files_order_wins() -> None:
    twins = [transaction(line, 100, 100) for line in (5, 3, 9)]
    assert [row.line for row in ordered(twins)] == [3, 5, 9]
    near, far = transaction(4, 100, 110), transaction(2, 100, 900)
    assert [row.line for row in ordered([far, near])] == [4, 2]


def test_dates_come_first_then_accounts_and_the_way_in_makes_no_difference() -> None:
    rows = [
        transaction(2, 100, 100, account_id=9),
        transaction(3, 100, 100, account_id=8),
        transaction(4, 5, 105, account_id=8, booked_on=date(1992, 12, 31)),
    ]
    assert [row.line for row in ordered(rows)] == [4, 3, 2] == [row.line for row in ordered(reversed(rows))]


def test_nothing_gives_nothing() -> None:
    assert ordered([]) == ()


def test_the_real_transactions_break_no_more_links_than_known(berka: Source) -> None:
    found = ordered(berka.transactions)
    assert reconcile(found, running_balances(found)).exact == 46_749
    assert ordered(reversed(berka.transactions)) == found
