"""The Czech bank's account: what the shipped terms say of it, held against the first 15 months of its files."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import quantiles

import pytest

from eastflow.kernel import RATE_UNITS

from .accrual import advance, interest_minor
from .calendar_dates import first_from
from .model import Accrual, Terms
from .shipped_terms import shipped

_FILES = Path(__file__).parents[3].parent / "shared" / "data" / "berka"
PRODUCTS = {
    "POPLATEK MESICNE": "czk-current-monthly",
    "POPLATEK TYDNE": "czk-current-weekly",
    "POPLATEK PO OBRATU": "czk-current-turnover",
}
UNTIL = date(1994, 4, 1)
SMALL_MINOR = 5_000
"""Interest below this says little of a rate, since it is given in tenths of a koruna."""


@dataclass(frozen=True)
class Row:
    day: date
    amount_minor: int
    balance_minor: int
    symbol: str


Books = dict[str, list[Row]]


@pytest.fixture(scope="module")
def directory() -> Path:
    found = Path(os.environ.get("EASTFLOW_BERKA_DIR", _FILES))
    if not (found / "trans.asc").is_file():
        pytest.skip(f"the Berka files are not in {found}: set EASTFLOW_BERKA_DIR to where they are")
    return found


@pytest.fixture(scope="module")
def terms_of(directory: Path) -> dict[str, Terms]:
    """By account, the product that its statements name."""
    return {row[0]: shipped()[PRODUCTS[row[2]]] for row in records(directory / "account.asc")}


@pytest.fixture(scope="module")
def books(directory: Path) -> Books:
    found: Books = defaultdict(list)
    for row in records(directory / "trans.asc"):
        if len(row) >= 8 and day_of(row[2]) < UNTIL:
            amount = hundredths(row[5]) * (1 if row[3] == "PRIJEM" else -1)
            found[row[1]].append(Row(day_of(row[2]), amount, hundredths(row[6]), row[7]))
    return found


def records(path: Path) -> list[list[str]]:
    lines = path.read_text(encoding="latin-1").splitlines()[1:]
    return [[word.strip('"') for word in line.split(";")] for line in lines]


def day_of(text: str) -> date:
    return date(1900 + int(text[:2]), int(text[2:4]), int(text[4:]))


def hundredths(text: str) -> int:
    whole, _, rest = text.partition(".")
    return int(whole) * 100 + (int(rest.ljust(2, "0")) if rest else 0) * (-1 if whole.startswith("-") else 1)


def accrued_in_month(terms: Terms, rows: list[Row], end: date) -> Accrual:
    """Of the month that ends on this day, by all that the files show."""
    start = end.replace(day=1) - timedelta(days=1)
    changes = sorted((row.day, row.amount_minor) for row in rows)
    opening = sum(amount for day, amount in changes if day < start)
    within = [change for change in changes if start <= change[0] < end]
    return advance(terms, Accrual(start, opening), end, within)


def test_the_fee_is_the_one_of_the_accounts_statements(books: Books, terms_of: dict[str, Terms]) -> None:
    charged = 0
    for account, rows in books.items():
        [fee] = terms_of[account].fees
        assert fee.schedule is not None
        days = sorted(row.day for row in rows if row.symbol == "SLUZBY")
        charged += len(days)
        assert {row.amount_minor for row in rows if row.symbol == "SLUZBY"} <= {-fee.amount_minor}
        # Once begun, it comes on each of its dates and on no other.
        for day, following in pairwise(days):
            assert following == first_from(fee.schedule, day + timedelta(days=1))
        assert all(first_from(fee.schedule, day) == day for day in days)
    assert charged > 5_000


def follows(rows: list[Row], first: str, then: str) -> int:
    """How often a day's balance after `then` is what `then` makes of the balance after `first`."""
    pairs = ((one, other) for one in rows if one.symbol == first for other in rows if other.symbol == then)
    return sum(
        one.day == other.day and one.balance_minor + other.amount_minor == other.balance_minor for one, other in pairs
    )


def check_settled(terms: Terms, rows: list[Row], symbol: str, sign: int) -> None:
    """On its dates, in tenths of a koruna, and in one direction."""
    assert terms.settlement is not None
    for row in rows:
        if row.symbol == symbol:
            assert row.amount_minor * sign > 0
            assert row.amount_minor % terms.rounding_minor == 0
            assert first_from(terms.settlement, row.day) == row.day


def test_interest_comes_on_its_dates_in_tenths_of_a_koruna_and_before_the_fee(
    books: Books, terms_of: dict[str, Terms]
) -> None:
    for account, rows in books.items():
        check_settled(terms_of[account], rows, "UROK", 1)
    assert sum(follows(rows, "UROK", "SLUZBY") for rows in books.values()) > 5_000
    assert sum(follows(rows, "SLUZBY", "UROK") for rows in books.values()) == 0


def test_overdrawn_accounts_are_charged_on_the_same_dates_after_the_interest_and_pay_fees_too(
    books: Books, terms_of: dict[str, Terms]
) -> None:
    for account, rows in books.items():
        check_settled(terms_of[account], rows, "SANKC. UROK", -1)
        assert min(row.balance_minor for row in rows) >= terms_of[account].floor_minor
    assert sum(follows(rows, "UROK", "SANKC. UROK") for rows in books.values()) > 10
    assert sum(follows(rows, "SANKC. UROK", "UROK") for rows in books.values()) == 0
    assert sum(row.symbol == "SLUZBY" and row.balance_minor < 0 for rows in books.values() for row in rows) > 10


def test_the_penalty_rate_is_the_median_of_what_was_charged(books: Books, terms_of: dict[str, Terms]) -> None:
    """Few single postings can be counted again from the files: the whole is compared and the spread is stated."""
    ratios = []
    for account, rows in books.items():
        for row in rows:
            if row.symbol == "SANKC. UROK":
                terms = terms_of[account]
                counted = accrued_in_month(terms, rows, row.day).debit_numerator
                per_mille = 1_000 * RATE_UNITS * terms.day_count.denominator
                if counted:
                    ratios.append(-row.amount_minor * per_mille // counted)
    assert len(ratios) == 50
    lower, median, upper = quantiles(ratios, n=4)
    assert 990 <= median <= 1_010, "per mille of what the terms take"
    assert lower >= 700
    assert upper <= 1_250


def test_the_rate_is_the_median_of_what_was_paid(books: Books, terms_of: dict[str, Terms]) -> None:
    """Single postings cannot be counted again from the files, so the whole is compared and the spread is stated."""
    ratios = []
    for account, rows in books.items():
        terms = terms_of[account]
        for row in rows:
            if row.symbol == "UROK" and row.amount_minor >= SMALL_MINOR:
                counted = interest_minor(terms, accrued_in_month(terms, rows, row.day))
                if counted:
                    ratios.append(1_000 * row.amount_minor // counted)
    assert len(ratios) > 8_000
    lower, median, upper = quantiles(ratios, n=4)
    assert 990 <= median <= 1_010, "per mille of what the terms give"
    assert lower >= 900
    assert upper <= 1_050
