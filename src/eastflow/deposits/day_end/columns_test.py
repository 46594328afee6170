"""Columns of accounts are counted as products count each of them."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eastflow.kernel import RATE_UNITS
from eastflow.products import Accrual, Terms, advance, debit_interest_minor, interest_minor, terms_from

from .columns import SAFE, advanced, rounded, settled

FIRST = date(2023, 11, 1)
days = st.integers(0, 200).map(lambda n: FIRST + timedelta(days=n))
balances = st.one_of(st.integers(-(10**6), 10**12), st.integers(10**14, 10**17))
balances |= st.integers(-(10**17), -(10**6))
numerators = st.one_of(st.integers(0, 10**16), st.integers(SAFE - 10**6, SAFE))


@st.composite
def tables(draw: st.DrawFn) -> Terms:
    changes, rate_day = [], draw(st.sampled_from(["each", "settlement"]))
    for since in sorted(draw(st.sets(days, min_size=1, max_size=3))):
        bounds = sorted(draw(st.sets(st.integers(1, 10**9), max_size=0 if rate_day == "settlement" else 3)))
        percents = [f"{draw(st.integers(0, 99))}.{draw(st.integers(0, 9999)):04}" for _ in [0, *bounds]]
        tiers = [{"from_minor": at, "percent": p} for at, p in zip([0, *bounds], percents, strict=True)]
        changes.append({"since": since.isoformat(), "tiers": tiers})
    made = terms_from({
        "code": "any", "name": "Any", "kind": "demand", "currency": "CNY",
        "day_count": draw(st.sampled_from(["ACT/360", "ACT/365F", "30E/360", "ACT/ACT"])),
        "rate_day": rate_day,
        "rounding_minor": draw(st.sampled_from([1, 10])),
        "settlement": {"months": [3], "day": 21},
        "rates": {"method": draw(st.sampled_from(["slice", "whole"])), "changes": changes},
        **draw(st.sampled_from([{}, {"overdraft": {"limit_minor": 1, "rates": {"changes": changes}}}])),
    })  # fmt: skip
    assert isinstance(made, Terms), made
    return made


@given(tables(), st.lists(st.tuples(days, balances, numerators, numerators), min_size=1, max_size=8), days)
def test_columns_are_what_products_count(terms: Terms, rows: list[tuple[date, int, int, int]], to: date) -> None:
    rows = [row for row in rows if row[0] <= to]
    lists = [[each.toordinal() for each, *_ in rows], *([row[place] for row in rows] for place in (1, 2, 3))]
    through, balance, numerator, debit = (np.array(column, dtype=np.int64) for column in lists)
    earned, cost, exact = advanced(terms, through, balance, numerator, debit, to)
    due, fits = settled(terms, earned, to)
    paid, taken = rounded(terms, due), rounded(terms, cost)
    assert paid is not None
    assert taken is not None
    for place, (since, minor, before, debit_before) in enumerate(rows):
        alone = advance(terms, Accrual(since, minor, before, debit_before), to)
        if exact[place]:
            assert earned[place] == alone.numerator
            assert paid[place] == interest_minor(terms, alone) if fits[place] else alone.numerator * RATE_UNITS > SAFE
            assert (cost[place], taken[place]) == (alone.debit_numerator, debit_interest_minor(terms, alone))
        else:
            # At the highest rate there may be, it might not fit.
            assert abs(minor) * RATE_UNITS * terms.day_count.weight(since, to) > SAFE
