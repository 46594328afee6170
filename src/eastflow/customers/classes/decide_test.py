"""One table walks every refusal of account classes in order; a property checks counted movements against a slow sum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eastflow.kernel import INT64_MAX, Refusal
from eastflow.rules import AccountClass, Limits

from ..model import Channel, Party, PartyKind
from ..refusals import CustomersRefusal as Why
from .decide import (
    Surroundings,
    check_binding,
    check_classed,
    check_movement,
    check_standing,
    decide_class,
    decide_movement,
    limits_of,
)
from .model import ClassedAccount, Direction, Movement, Usage

TODAY = date(2026, 3, 1)
ANN, BOB = UUID(int=1), UUID(int=2)
PARTY = Party(ANN, PartyKind.PERSON, "Ann", TODAY)
FIRST = ClassedAccount(7, ANN, AccountClass.I, TODAY, Channel.BRANCH, face_to_face=True)
SECOND = ClassedAccount(8, ANN, AccountClass.II, TODAY, Channel.APP, bound=frozenset({7}))
THIRD = ClassedAccount(9, ANN, AccountClass.III, TODAY, Channel.APP)
AROUND = Surroundings(PARTY, True, None, 0, frozenset(), {7: FIRST})
ORPHAN = replace(AROUND, party=None, owns=False, accounts=5, seats=range(1, 6), bound={})
SHOP = replace(ORPHAN, party=replace(PARTY, kind=PartyKind.ORGANISATION))
STRANGER = replace(SHOP, party=PARTY)
OWNER = replace(STRANGER, owns=True)
LATE = replace(SECOND, since=TODAY + timedelta(days=1))
BARE = replace(SECOND, bound=frozenset())
IN = Movement(Direction.IN, 100, "CNY", Channel.APP)
OUT = replace(IN, direction=Direction.OUT)
NONE, FULL = Usage(0, 0), Usage(1 << 40, 1 << 40)

Decision = Callable[[], object]


def assigning(new: ClassedAccount, around: Surroundings) -> Decision:
    return lambda: check_classed(new) or decide_class(new, around, TODAY)


def moving(classed: ClassedAccount, movement: Movement, used: Usage = NONE, balance: int | None = 0) -> Decision:
    def decide() -> object:
        limits = limits_of(classed, TODAY)
        assert limits is not None
        return check_movement(classed.account, movement) or decide_movement(classed, limits, movement, used, balance)

    return decide


# Each row also breaks the rules of every row of its own verb below it.
TABLE = [
    (assigning(replace(SECOND, account=0), ORPHAN), Why.ACCOUNT_MALFORMED),
    (assigning(replace(SECOND, bound=frozenset({-1})), ORPHAN), Why.ACCOUNT_MALFORMED),
    (moving(replace(THIRD, account=1 << 60), replace(IN, amount_minor=0)), Why.ACCOUNT_MALFORMED),
    (moving(THIRD, replace(IN, amount_minor=0, asset="EUR"), FULL), Why.AMOUNT_MALFORMED),
    (moving(THIRD, replace(IN, amount_minor=-5), FULL), Why.AMOUNT_MALFORMED),
    (moving(THIRD, replace(IN, amount_minor=INT64_MAX + 1), FULL), Why.AMOUNT_MALFORMED),
    (assigning(LATE, replace(ORPHAN, current=THIRD)), Why.CLASS_ASSIGNED),
    (assigning(LATE, ORPHAN), Why.OPENED_IN_FUTURE),
    (assigning(BARE, ORPHAN), Why.PARTY_NOT_FOUND),
    (assigning(BARE, SHOP), Why.CLASS_NEEDS_PERSON),
    (assigning(BARE, STRANGER), Why.NOT_OWNER),
    (assigning(replace(FIRST, face_to_face=False), OWNER), Why.FACE_TO_FACE_MISSING),
    (assigning(FIRST, replace(OWNER, accounts=1, seats={1})), Why.CLASS_FULL),
    (assigning(BARE, OWNER), Why.CLASS_FULL),
    (assigning(THIRD, OWNER), Why.CLASS_FULL),
    (assigning(SECOND, replace(AROUND, bound={})), Why.BOUND_ACCOUNT_UNSUITABLE),
    (assigning(SECOND, replace(AROUND, bound={7: replace(FIRST, party=BOB)})), Why.BOUND_ACCOUNT_UNSUITABLE),
    (assigning(SECOND, replace(AROUND, bound={7: THIRD})), Why.BOUND_ACCOUNT_UNSUITABLE),
    (lambda: check_binding(BARE, bound_elsewhere=False), Why.BOUND_ACCOUNT_MISSING),
    (lambda: check_standing(None, 7), Why.CLASS_NOT_FOUND),
    (moving(THIRD, replace(IN, asset="EUR", cash=True), FULL), Why.ASSET_NOT_ALLOWED),
    (moving(replace(THIRD, face_to_face=True), replace(IN, cash=True), FULL), Why.CASH_NOT_ALLOWED),
    (moving(SECOND, replace(OUT, cash=True), FULL), Why.CASH_NOT_ALLOWED),
    (moving(SECOND, IN, FULL), Why.UNBOUND_NOT_ALLOWED),
    (moving(THIRD, IN, FULL, None), Why.DAY_LIMIT_EXCEEDED),
    (moving(THIRD, replace(IN, amount_minor=200_001), NONE, None), Why.DAY_LIMIT_EXCEEDED),
    (moving(THIRD, IN, replace(FULL, day_minor=0), None), Why.YEAR_LIMIT_EXCEEDED),
    (moving(THIRD, IN, NONE, None), Why.BALANCE_UNKNOWN),
    (moving(THIRD, IN, NONE, 199_901), Why.BALANCE_LIMIT_EXCEEDED),
    (moving(THIRD, replace(IN, counterparty_bound=True), FULL, 199_901), Why.BALANCE_LIMIT_EXCEEDED),
    (assigning(FIRST, AROUND), 1),
    (assigning(BARE, AROUND), 1),
    (lambda: check_binding(BARE, bound_elsewhere=True), None),
    (lambda: check_binding(SECOND, bound_elsewhere=False), None),
    (lambda: check_binding(THIRD, bound_elsewhere=False), None),
    (lambda: check_binding(replace(BARE, face_to_face=True), bound_elsewhere=False), None),
    (lambda: check_binding(replace(BARE, opened_by=Channel.BRANCH), bound_elsewhere=False), None),
    (assigning(SECOND, replace(AROUND, accounts=3, seats={1, 2, 4})), 3),
    (assigning(replace(BARE, opened_by=Channel.BRANCH), AROUND), 1),
    (assigning(LATE, replace(ORPHAN, current=replace(LATE, face_to_face=True))), replace(LATE, face_to_face=True)),
    (moving(THIRD, IN, Usage(199_900, 4_999_900), 199_900), 100),
    (moving(THIRD, replace(OUT, counterparty_bound=True), FULL), 0),
    (moving(SECOND, replace(IN, amount_minor=INT64_MAX, counterparty_bound=True), FULL), 0),
    (moving(SECOND, OUT), 100),
    (moving(replace(SECOND, face_to_face=True), replace(IN, cash=True, counterparty_bound=True)), 100),
]


@pytest.mark.parametrize(("decision", "expected"), TABLE)
def test_decisions(decision: Decision, expected: object) -> None:
    got = decision()
    assert (got.code if isinstance(got, Refusal) else got) == expected


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 60), st.booleans()), max_size=60),
    st.integers(50, 100),
    st.integers(50, 500),
)
def test_no_day_and_no_year_passes_its_limit_and_nothing_is_refused_too_early(
    asked: list[tuple[int, int, bool]], day_max: int, year_max: int
) -> None:
    limits = Limits(AccountClass.III, date(2000, 1, 1), day_max, year_max, None, "", False)
    moved: list[tuple[date, int]] = []
    for days, amount, bound in asked:
        day = TODAY + timedelta(days=days)
        on_day = sum(each for when, each in moved if when == day)
        in_year = sum(each for when, each in moved if when.year == day.year)
        movement = replace(OUT, amount_minor=amount, counterparty_bound=bound)
        counted = decide_movement(THIRD, limits, movement, Usage(on_day, in_year), None)
        passes = bound or (on_day + amount <= day_max and in_year + amount <= year_max)
        assert isinstance(counted, int) is passes
        if isinstance(counted, int):
            assert counted == (0 if bound else amount)
            moved.append((day, counted))
