"""Each recorded balance is judged once: exact, rounding, or listed as unexplained; nothing is evened out."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .order import ordered
from .read import Source
from .reconcile import ROUNDING_MINOR, Difference, reconcile, running_balances
from .records import Refused
from .report import as_data, as_table
from .sample import transaction

CUT = Refused("trans.asc", 99, "cut off: no line end after 4 of 10 fields")


@pytest.mark.parametrize(
    ("added", "counts"),
    [(0, (2, 0, 0)), (1, (1, 1, 0)), (10, (1, 1, 0)), (-10, (1, 1, 0)), (11, (1, 0, 1)), (-11, (1, 0, 1))],
)
def test_the_line_between_rounding_and_unexplained_is_ten_haler(added: int, counts: tuple[int, int, int]) -> None:
    rows = [transaction(2, 500, 500), transaction(3, 500, 1000 - added)]
    found = reconcile(rows, running_balances(rows))
    assert (found.exact, found.rounding, len(found.unexplained)) == counts


def test_a_difference_is_judged_where_it_arises_and_counted_as_long_as_it_lasts() -> None:
    rows = [
        transaction(2, 100, 90),
        transaction(3, 100, 190),
        transaction(4, 100, 280),
        transaction(5, 100, 100, account_id=8),
        transaction(6, 100, 9999),
        transaction(7, 100, 10099),
    ]
    found = reconcile(rows, running_balances(rows))
    assert (found.exact, found.rounding) == (3, 2)
    assert found.unexplained == (
        Difference(7, 1006, 6, date(1993, 1, 1), 9999, 400, difference_minor=-9599, added_minor=-9619),
    )
    assert (found.balance_equal, found.balance_apart_by_rounding, found.balance_apart_unexplained) == (1, 3, 2)
    assert found.widest_rounding_minor == 20


def test_a_ledger_that_booked_wrongly_or_not_at_all_is_found_out() -> None:
    rows = [transaction(2, 500, 500), transaction(3, 500, 1000), transaction(4, 500, 1500)]
    assert [row.trans_id for row in reconcile(rows, {1002: 500, 1003: 1100, 1004: 1600}).unexplained] == [1003]
    without = reconcile(rows, {1002: 500, 1004: 1000})
    assert without.unbooked == (rows[1],)
    assert [row.added_minor for row in without.unexplained] == [-500]


def test_the_hint_is_only_for_the_day_on_which_the_file_breaks_off() -> None:
    rows = [transaction(2, 500, 900), transaction(3, 500, 2000, booked_on=date(1993, 1, 2))]
    ours = running_balances(rows)
    first, last = reconcile(rows, ours, [CUT]).unexplained
    assert first.hint == ""
    assert "a credit of 600 haléř may stand beyond its end" in last.hint
    assert [row.hint for row in reconcile(rows, ours).unexplained] == ["", ""]
    assert [row.hint for row in reconcile(rows, ours, [Refused("trans.asc", 99, "11 fields")]).unexplained] == ["", ""]


@given(st.lists(st.tuples(st.integers(1, 500), st.integers(-30, 30), st.sampled_from([7, 8])), max_size=30))
def test_every_row_is_counted_once_in_each_sum_and_the_parts_make_the_whole(rows: list[tuple[int, int, int]]) -> None:
    recorded, lines = {7: 0, 8: 0}, []
    for line, (amount, gap, account_id) in enumerate(rows, start=2):
        recorded[account_id] += amount - gap
        lines.append(transaction(line, amount, recorded[account_id], account_id=account_id))
    found = reconcile(lines, running_balances(lines))
    assert found.compared == len(rows)
    assert found.balance_equal + found.balance_apart_by_rounding + found.balance_apart_unexplained == len(rows)
    assert found.exact == sum(gap == 0 for _, gap, _ in rows)
    assert [row.added_minor for row in found.unexplained] == [gap for _, gap, _ in rows if abs(gap) > ROUNDING_MINOR]


def test_the_report_shows_counts_differences_and_refusals() -> None:
    rows = [transaction(2, 500, 500), transaction(3, 123456, 999)]
    found = reconcile(rows, running_balances(rows))
    data = json.loads(json.dumps(as_data(found, [CUT])))
    assert (data["compared"], data["exact"], data["rounding"], data["unexplained"]) == (2, 1, 0, 1)
    assert data["differences"][0]["date"] == "1993-01-01"
    assert data["differences"][0]["added_minor"] == 122_957
    assert data["refused"] == [{"file": "trans.asc", "line": 99, "reason": CUT.reason}]
    table = as_table(found, [CUT])
    assert "1,229.57" in table
    assert "refused: trans.asc line 99: cut off" in table


def test_the_real_balances(berka: Source) -> None:
    rows = ordered(berka.transactions)
    found = reconcile(rows, running_balances(rows), berka.refused)
    assert (found.exact, found.rounding, len(found.unexplained)) == (46_749, 2_325, 28)
    assert (found.balance_equal, found.balance_apart_by_rounding, found.balance_apart_unexplained) == (
        28_026,
        21_044,
        32,
    )
    assert found.widest_rounding_minor == 80
    assert found.unbooked == ()
    # Each lacks a credit on the day the file breaks off, which fits the interest rows beyond its end.
    assert {(row.date, row.added_minor < 0) for row in found.unexplained} == {(date(1994, 3, 31), True)}
    assert all("may stand beyond its end" in row.hint for row in found.unexplained)
