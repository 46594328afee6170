"""One table walks every refusal in its order of precedence; then what is accepted, and the arithmetic of cash."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eastflow.kernel import CURRENCY_SCALES, INT64_MAX, Refusal

from .decide import (
    check_limit,
    check_teller,
    decide_branch,
    decide_end,
    decide_issue,
    decide_sign_on,
    decide_teller,
    decide_transfer_end,
    decide_voucher,
    may_act,
    may_close,
    may_reverse,
    may_sign_off,
    may_touch,
    minus,
    plus,
    stock_after,
    tidy,
)
from .model import (
    COUNT_MAX,
    DENOMINATIONS,
    IDENTIFICATION_FROM_MINOR,
    Branch,
    Cash,
    Counter,
    Form,
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

TODAY, YESTERDAY = date(2026, 3, 2), date(2026, 3, 1)
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = AT + timedelta(minutes=16)
ID, OTHER = UUID(int=1), UUID(int=2)

NORTH = Branch("north", "North street")
ANN = Teller("ann", "north", "Ann", TellerRole.TELLER, "key ann")
BEN = Teller("ben", "north", "Ben", TellerRole.TELLER, "key ben")
SUE = Teller("sue", "north", "Sue", TellerRole.SUPERVISOR, "key sue")
FAR = replace(SUE, code="far", branch="south")
SESSION = Session(ID, "ann", TODAY, AT)
COUNTER = Counter(SESSION, ANN)
DRAWER, VAULT = Place(PlaceKind.DRAWER, "ann"), Place(PlaceKind.VAULT, "north")
BENS = Place(PlaceKind.DRAWER, "ben")
BRANCHES = {DRAWER: "north", VAULT: "north", BENS: "north", Place(PlaceKind.DRAWER, "far"): "south"}


def yuan(hundreds: int, *, fen: int = 0) -> Cash:
    notes = (Pieces(Form.NOTE, 10_000, hundreds),) if hundreds else ()
    return Cash("CNY", notes + ((Pieces(Form.COIN, 1, fen),) if fen else ()))


STOCK = Stock(DRAWER, 9, yuan(3), counted=True, version=4)
CASH_OUT = Voucher(ID, VoucherKind.CASH_OUT, ID, "ann", DRAWER, yuan(2), -20_000, AT, account=7)
PENDING = replace(CASH_OUT, expires_at=AT + timedelta(minutes=15), stock_version=4)
BOOKED = replace(CASH_OUT, status=VoucherStatus.BOOKED)
COUNTED = replace(CASH_OUT, kind=VoucherKind.COUNT, cash=yuan(3, fen=1), change_minor=1, account=None, stock_version=4)
TRANSFER = Transfer(ID, DRAWER, BENS, yuan(2), "ann", AT)

Decision = Callable[[], object]


def with_teller(teller: Teller) -> Counter:
    return Counter(replace(SESSION, teller=teller.code), teller)


def ending(voucher: Voucher, teller: Teller, at: datetime = AT, *, confirmed: bool = True) -> Decision:
    return lambda: decide_end(voucher, with_teller(teller), ANN, at, confirmed=confirmed)


def issuing(transfer: Transfer, stock: Stock = STOCK) -> Decision:
    return lambda: decide_issue(transfer, stock, BRANCHES, "north")


def arriving(transfer: Transfer, teller: str, cash: Cash, *, received: bool = True) -> Decision:
    return lambda: decide_transfer_end(transfer, cash, teller, AT, received=received)


# Each row also breaks the rules of every row of its own verb below it.
TABLE: list[tuple[Decision, object]] = [
    (lambda: decide_branch(Branch("North", ""), NORTH), Why.TEXT_MALFORMED),
    (lambda: decide_branch(Branch("x" * 33, "x"), NORTH), Why.TEXT_MALFORMED),
    (lambda: decide_branch(replace(NORTH, name=" "), NORTH), Why.TEXT_MALFORMED),
    (lambda: check_teller(replace(ANN, code="a:b", branch="")), Why.TEXT_MALFORMED),
    (lambda: check_teller(replace(ANN, branch="\0")), Why.TEXT_MALFORMED),
    (lambda: check_teller(replace(ANN, name="\ud800")), Why.TEXT_MALFORMED),
    (lambda: check_teller(replace(ANN, actor="x" * 101)), Why.TEXT_MALFORMED),
    (lambda: check_limit("EUR", 1), Why.LIMIT_MALFORMED),
    (lambda: check_limit("CNY", -1), Why.LIMIT_MALFORMED),
    (lambda: check_limit("CNY", INT64_MAX + 1), Why.LIMIT_MALFORMED),
    (lambda: tidy(Cash("EUR")), Why.CASH_MALFORMED),
    (lambda: tidy(Cash("CNY", (Pieces(Form.NOTE, 3, 1),))), Why.CASH_MALFORMED),
    (lambda: tidy(Cash("CNY", (Pieces(Form.COIN, 10_000, 1),))), Why.CASH_MALFORMED),
    (lambda: tidy(yuan(-1)), Why.CASH_MALFORMED),
    (lambda: tidy(yuan(COUNT_MAX + 1)), Why.CASH_MALFORMED),
    (lambda: tidy(Cash("CNY", (Pieces(Form.COIN, 1, 1),) * 101)), Why.CASH_MALFORMED),
    (lambda: tidy(Cash("CNY", (Pieces(Form.NOTE, 10_000, 0),))), Why.CASH_EMPTY),
    (lambda: decide_branch(replace(NORTH, name="South"), NORTH), Why.ID_REUSED),
    (lambda: decide_teller(replace(ANN, name="Anna"), ANN, "ben", branch_exists=False), Why.ID_REUSED),
    (lambda: decide_sign_on(replace(SESSION, teller="ben"), SESSION, None, OTHER, ""), Why.ID_REUSED),
    (lambda: decide_teller(ANN, None, "ben", branch_exists=False), Why.ACTOR_TAKEN),
    (lambda: decide_teller(ANN, None, None, branch_exists=False), Why.BRANCH_NOT_FOUND),
    (lambda: decide_sign_on(SESSION, None, None, OTHER, ""), Why.TELLER_NOT_FOUND),
    (lambda: Refusal(Why.SESSION_NOT_FOUND), Why.SESSION_NOT_FOUND),
    (lambda: decide_sign_on(SESSION, None, ANN, OTHER, "key ben"), Why.NOT_THIS_TELLER),
    (lambda: decide_sign_on(SESSION, SESSION, ANN, ID, "key ben"), Why.NOT_THIS_TELLER),
    (
        lambda: may_act(replace(COUNTER, session=replace(SESSION, signed_off_at=AT)), "", today=YESTERDAY),
        Why.NOT_THIS_TELLER,
    ),
    (lambda: decide_sign_on(SESSION, None, ANN, OTHER, "key ann"), Why.SIGNED_ON_ALREADY),
    (
        lambda: may_act(replace(COUNTER, session=replace(SESSION, signed_off_at=AT)), "key ann", today=YESTERDAY),
        Why.SESSION_ENDED,
    ),
    (lambda: may_close(with_teller(BEN), Counter(replace(SESSION, signed_off_at=AT), FAR)), Why.SESSION_ENDED),
    (lambda: may_act(COUNTER, "key ann", today=YESTERDAY), Why.SESSION_OF_OTHER_DAY),
    (lambda: Refusal(Why.VOUCHER_NOT_FOUND), Why.VOUCHER_NOT_FOUND),
    (lambda: Refusal(Why.TRANSFER_NOT_FOUND), Why.TRANSFER_NOT_FOUND),
    (lambda: Refusal(Why.ACCOUNT_NOT_FOUND), Why.ACCOUNT_NOT_FOUND),
    (issuing(replace(TRANSFER, receiver=Place(PlaceKind.DRAWER, "nobody"), whole=True)), Why.PLACE_NOT_FOUND),
    (lambda: may_touch(COUNTER, BENS), Why.PLACE_NOT_YOURS),
    (lambda: may_touch(COUNTER, VAULT), Why.PLACE_NOT_YOURS),
    (lambda: may_touch(with_teller(FAR), VAULT), Why.PLACE_NOT_YOURS),
    (issuing(replace(TRANSFER, receiver=Place(PlaceKind.DRAWER, "far"), whole=True)), Why.OTHER_BRANCH),
    (lambda: may_close(with_teller(BEN), with_teller(FAR)), Why.OTHER_BRANCH),
    (issuing(replace(TRANSFER, receiver=DRAWER, whole=True)), Why.SAME_PLACE),
    (ending(replace(PENDING, status=VoucherStatus.DECLINED), ANN), Why.VOUCHER_ENDED),
    (ending(replace(PENDING, status=VoucherStatus.BOOKED, ended_by="other"), SUE, LATER), Why.VOUCHER_ENDED),
    (ending(PENDING, ANN, LATER), Why.VOUCHER_EXPIRED),
    (lambda: may_reverse(replace(PENDING, reversed_by=OTHER), TODAY, today=TODAY), Why.VOUCHER_NOT_REVERSIBLE),
    (lambda: may_reverse(replace(BOOKED, kind=VoucherKind.COUNT), TODAY, today=TODAY), Why.VOUCHER_NOT_REVERSIBLE),
    (lambda: may_reverse(replace(BOOKED, reversed_by=OTHER), YESTERDAY, today=TODAY), Why.VOUCHER_NOT_REVERSIBLE),
    (lambda: may_reverse(replace(BOOKED, reversed_by=OTHER), TODAY, today=TODAY), Why.VOUCHER_REVERSED),
    (arriving(replace(TRANSFER, status=TransferStatus.RECEIVED), "ann", yuan(1)), Why.TRANSFER_ENDED),
    (
        arriving(replace(TRANSFER, status=TransferStatus.TAKEN_BACK, ended_by="ben"), "ann", yuan(1), received=False),
        Why.TRANSFER_ENDED,
    ),
    (ending(PENDING, ANN), Why.SAME_PERSON),
    (arriving(TRANSFER, "ann", yuan(1)), Why.SAME_PERSON),
    (lambda: may_close(COUNTER, COUNTER), Why.SAME_PERSON),
    (lambda: may_close(with_teller(BEN), COUNTER), Why.SUPERVISOR_NEEDED),
    (ending(PENDING, BEN), Why.SUPERVISOR_NEEDED),
    (ending(PENDING, BEN, confirmed=False), Why.SUPERVISOR_NEEDED),
    (
        lambda: decide_voucher(replace(CASH_OUT, cash=yuan(100)), STOCK, None),
        Why.IDENTIFICATION_NOT_SEEN,
    ),
    (lambda: decide_voucher(replace(CASH_OUT, cash=yuan(4)), STOCK, None), Why.CASH_NOT_THERE),
    (lambda: decide_voucher(replace(CASH_OUT, cash=yuan(1, fen=1)), STOCK, None), Why.CASH_NOT_THERE),
    (issuing(replace(TRANSFER, cash=yuan(4))), Why.CASH_NOT_THERE),
    (issuing(replace(TRANSFER, whole=True)), Why.COUNT_DIFFERS),
    (arriving(TRANSFER, "ben", yuan(1)), Why.COUNT_DIFFERS),
    (lambda: stock_after(COUNTED, replace(STOCK, version=5)), Why.COUNT_OUTDATED),
    (lambda: may_sign_off([replace(STOCK, counted=False)], pending=ID, in_transit=ID), Why.VOUCHER_PENDING),
    (lambda: may_sign_off([replace(STOCK, counted=False)], pending=None, in_transit=ID), Why.TRANSFER_IN_TRANSIT),
    (
        lambda: may_sign_off([STOCK, replace(STOCK, counted=False)], pending=None, in_transit=None),
        Why.DRAWER_NOT_COUNTED,
    ),
    (lambda: decide_branch(NORTH, None), NORTH),
    (lambda: decide_branch(NORTH, NORTH), NORTH),
    (lambda: decide_teller(ANN, None, None, branch_exists=True), ANN),
    (lambda: decide_teller(ANN, ANN, "ann", branch_exists=True), ANN),
    (lambda: check_teller(ANN), None),
    (lambda: check_limit("CNY", 0), None),
    (lambda: decide_sign_on(SESSION, None, ANN, None, "key ann"), SESSION),
    (lambda: decide_sign_on(replace(SESSION, signed_on_at=LATER), SESSION, ANN, ID, "key ann"), SESSION),
    (lambda: decide_sign_on(replace(SESSION, business_date=YESTERDAY), SESSION, ANN, ID, "key ann"), SESSION),
    (lambda: may_close(with_teller(SUE), COUNTER), None),
    (lambda: may_reverse(BOOKED, TODAY, today=TODAY), None),
    (lambda: may_act(COUNTER, "key ann", today=TODAY), None),
    (lambda: may_act(COUNTER, "key ann", today=None), None),
    (lambda: may_touch(COUNTER, DRAWER), None),
    (lambda: may_touch(with_teller(SUE), VAULT), None),
    (lambda: may_sign_off([STOCK], pending=None, in_transit=None), None),
    (ending(replace(PENDING, status=VoucherStatus.DECLINED, ended_by="ann"), ANN, LATER, confirmed=False), replace(
        PENDING, status=VoucherStatus.DECLINED, ended_by="ann")),
    (ending(PENDING, SUE), replace(PENDING, status=VoucherStatus.BOOKED, ended_by="sue", ended_at=AT)),
    (ending(PENDING, ANN, confirmed=False), replace(
        PENDING, status=VoucherStatus.DECLINED, ended_by="ann", ended_at=AT)),
    (issuing(replace(TRANSFER, cash=yuan(3), whole=True)), replace(STOCK, cash=yuan(0), counted=True, version=5)),
    (issuing(TRANSFER), replace(STOCK, cash=yuan(1), counted=False, version=5)),
    (arriving(TRANSFER, "ben", yuan(2)), replace(
        TRANSFER, status=TransferStatus.RECEIVED, ended_by="ben", ended_at=AT)),
    (lambda: stock_after(COUNTED, STOCK), replace(STOCK, cash=yuan(3, fen=1), counted=True, version=5)),
]  # fmt: skip


@pytest.mark.parametrize(("decision", "expected"), TABLE)
def test_decisions(decision: Decision, expected: object) -> None:
    got = decision()
    assert (got.code if isinstance(got, Refusal) else got) == expected


def test_the_table_walks_every_refusal() -> None:
    assert {expected for _, expected in TABLE if isinstance(expected, Why)} == set(Why)


def test_a_voucher_of_another_branch_is_not_confirmed() -> None:
    refused = decide_end(PENDING, with_teller(FAR), ANN, AT, confirmed=True)
    assert isinstance(refused, Refusal)
    assert refused.code is Why.OTHER_BRANCH


@pytest.mark.parametrize(
    ("already_minor", "limit_minor", "status"),
    [
        (0, 20_000, VoucherStatus.BOOKED),
        (0, 19_999, VoucherStatus.PENDING),
        (0, None, VoucherStatus.PENDING),
        (0, 0, VoucherStatus.PENDING),
        (1, 20_001, VoucherStatus.BOOKED),
        (1, 20_000, VoucherStatus.PENDING),
    ],
)
def test_above_the_limit_a_second_person_is_needed(
    already_minor: int, limit_minor: int | None, status: VoucherStatus
) -> None:
    decided = decide_voucher(CASH_OUT, STOCK, limit_minor, already_minor=already_minor)
    assert isinstance(decided, Voucher)
    assert decided.status is status
    assert (decided.expires_at is None) is (status is VoucherStatus.BOOKED)


def test_a_count_that_agrees_needs_nobody_else_and_one_that_differs_a_supervisor() -> None:
    agreed = decide_voucher(replace(COUNTED, cash=yuan(3), change_minor=0), STOCK, None)
    differs = decide_voucher(COUNTED, STOCK, INT64_MAX)
    assert isinstance(agreed, Voucher)
    assert isinstance(differs, Voucher)
    assert (agreed.status, differs.status) == (VoucherStatus.BOOKED, VoucherStatus.PENDING)


@pytest.mark.parametrize("asset", sorted(DENOMINATIONS))
def test_from_the_amount_on_identification_must_be_seen(asset: str) -> None:
    largest = DENOMINATIONS[asset][0]
    for count in (1, 10, 100, 1_000):
        cash = Cash(asset, (Pieces(largest.form, largest.value_minor, count),))
        full = Stock(DRAWER, 9, cash, counted=True, version=1)
        answers = [
            decide_voucher(replace(CASH_OUT, cash=cash, identification_seen=seen), full, None) for seen in (False, True)
        ]
        needed = cash.amount_minor >= IDENTIFICATION_FROM_MINOR.get(asset, 0)
        assert isinstance(answers[0], Refusal) is needed
        assert isinstance(answers[1], Voucher)


def test_the_table_of_money_is_sound() -> None:
    for asset, denominations in DENOMINATIONS.items():
        assert asset in CURRENCY_SCALES
        assert len(set(denominations)) == len(denominations)
        for form in Form:
            values = [each.value_minor for each in denominations if each.form is form]
            assert values == sorted(values, reverse=True)


pieces = st.lists(
    st.builds(
        lambda denomination, count: Pieces(denomination.form, denomination.value_minor, count),
        st.sampled_from(DENOMINATIONS["CNY"]),
        st.integers(0, 50),
    ),
    max_size=20,
)


@given(pieces, pieces)
def test_cash_is_added_and_taken_piece_by_piece(first: list[Pieces], second: list[Pieces]) -> None:
    one, other = (tidy(Cash("CNY", tuple(each)), may_be_empty=True) for each in (first, second))
    assert isinstance(one, Cash)
    assert isinstance(other, Cash)
    assert one.amount_minor == sum(each.value_minor * each.count for each in first)
    both = plus(one, other)
    assert both.amount_minor == one.amount_minor + other.amount_minor
    assert minus(both, other) == one
    assert tidy(one, may_be_empty=True) == one
    assert tidy(Cash("CNY", tuple(reversed(first))), may_be_empty=True) == one
    left = minus(one, other)
    if isinstance(left, Cash):
        assert plus(left, other) == one
    else:
        assert left.code is Why.CASH_NOT_THERE
