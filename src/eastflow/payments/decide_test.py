"""Days, limits, accounts and duplicates, decided without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eastflow.customers import Channel, CustomersRefusal
from eastflow.kernel import INT64_MAX, Refusal
from eastflow.ledger import LedgerRefusal

from . import Endpoint, Limit, Origin, Payment, PaymentsRefusal, Recall, RecallStatus, Scheme, Transfer
from .decide import (
    Day,
    Manner,
    check_limit,
    check_transfer,
    decide_answer,
    decide_payment,
    find_duplicate,
    limits_for,
    own_account,
    reason_for,
    refused_for_good,
    settlement_day,
    uetr_of,
    with_default,
)

MONDAY = date(2026, 3, 2)
ASKED = Transfer(UUID(int=1), 1001, Endpoint("Bob", "1002"), 100, "CZK", Channel.API)


def test_refusals_come_in_their_order() -> None:
    """Each mended by itself shows the next."""
    wrong = replace(ASKED, asset="C\0", remittance="\0", amount_minor=0, debtor=0, creditor=Endpoint("", "x"))
    mended: list[tuple[dict[str, object], object]] = [
        ({}, PaymentsRefusal.TEXT_MALFORMED),
        ({"remittance": ""}, PaymentsRefusal.TEXT_MALFORMED),
        ({"asset": "C" * 20_000}, PaymentsRefusal.TEXT_MALFORMED),
        ({"asset": "CZK"}, PaymentsRefusal.AMOUNT_OUT_OF_RANGE),
        ({"amount_minor": INT64_MAX}, PaymentsRefusal.ACCOUNT_MALFORMED),
        ({"debtor": 1001}, PaymentsRefusal.ACCOUNT_MALFORMED),
        ({"creditor": Endpoint("", "1001")}, PaymentsRefusal.SAME_ACCOUNT),
    ]
    for changes, refusal in mended:
        wrong = replace(wrong, **changes)  # type: ignore[arg-type]
        found = check_transfer(wrong)
        assert found is not None
        assert found.code is refusal
    assert check_transfer(replace(wrong, creditor=Endpoint("", "1001", "YZ"))) is None


@pytest.mark.parametrize(
    ("account", "bank", "number"),
    [
        ("1", None, 1),
        (str((1 << 53) - 1), None, (1 << 53) - 1),
        (str(1 << 53), None, None),
        ("0", None, None),
        ("007", None, None),
        ("-1", None, None),
        ("١", None, None),
        ("", None, None),
        ("9" * 10_000, None, None),
        ("1", "YZ", None),
    ],
)
def test_an_account_of_this_bank_is_a_number(account: str, bank: str | None, number: int | None) -> None:
    assert own_account(Endpoint("", account, bank)) == number


days = st.dates(MONDAY, MONDAY + timedelta(days=60))


@given(
    today=days,
    hour=st.integers(0, 23),
    cut_off=st.none() | st.times(),
    offset=st.integers(-840, 840),
    holidays=st.frozensets(days, max_size=20),
    working=st.frozensets(days, max_size=5),
    by_hand=st.booleans(),
)
def test_the_settlement_day_is_the_first_open_one(
    today: date,
    hour: int,
    cut_off: time | None,
    offset: int,
    holidays: frozenset[date],
    working: frozenset[date],
    by_hand: bool,
) -> None:
    at = datetime(today.year, today.month, today.day, hour, tzinfo=UTC)
    scheme = Scheme("x", cut_off, offset, holidays, working)
    local = datetime(today.year, today.month, today.day, hour) + timedelta(minutes=offset)
    closed = by_hand or (cut_off is not None and (local.date(), local.time()) >= (today, cut_off))
    expected = today + timedelta(days=1) if closed else today
    while (expected in holidays or expected.weekday() >= 5) and not (expected.weekday() >= 5 and expected in working):
        expected += timedelta(days=1)
    assert settlement_day(scheme, Day(today, at, by_hand)) == expected


@given(
    per_payment=st.none() | st.integers(0, 1_000),
    per_day=st.none() | st.integers(0, 1_000),
    amounts=st.lists(st.integers(1, 500), max_size=9),
)
def test_no_sequence_of_payments_passes_a_limit(
    per_payment: int | None, per_day: int | None, amounts: list[int]
) -> None:
    limit, paid = Limit(None, None, "CZK", per_payment, per_day), list[int]()
    for amount in amounts:
        refused = check_limit(limit, amount, sum(paid))
        fits = (per_payment is None or amount <= per_payment) and (per_day is None or sum(paid) + amount <= per_day)
        assert (refused is None) is fits
        if refused is None:
            paid.append(amount)
    assert per_day is None or sum(paid) <= per_day


@given(
    payments=st.lists(st.tuples(st.integers(1, 300), st.booleans()), max_size=12),
    limit=st.integers(0, 1_000),
    funds=st.integers(0, 1_000),
)
def test_judged_again_without_the_refused_a_list_comes_to_what_one_by_one_does(
    payments: list[tuple[int, bool]], limit: int, funds: int
) -> None:
    """A payment to nobody is declined by the ledger only after it has used the limit."""
    ids = [uuid4() for _ in payments]
    expected, paid = set[UUID](), 0
    for id, (amount, to_somebody) in zip(ids, payments, strict=True):
        if paid + amount <= min(limit, funds) and to_somebody:
            paid += amount
        else:
            expected.add(id)

    refused = set[UUID]()
    for _ in range(len(ids) + 1):
        limited, declined, used, left = {}, {}, 0, funds
        for id, (amount, to_somebody) in zip(ids, payments, strict=True):
            if id in refused:
                continue
            if used + amount > limit:
                limited[id] = Refusal(PaymentsRefusal.DAY_LIMIT_EXCEEDED)
                continue
            used += amount
            if to_somebody and amount <= left:
                left -= amount
            else:
                declined[id] = Refusal(LedgerRefusal.ACCOUNT_NOT_FOUND)
        found = refused_for_good([id for id in ids if id not in refused], limited, declined)
        assert bool(found) is bool(limited or declined)
        refused |= found.keys()
    assert refused == expected


def test_a_payers_own_limit_stands_in_the_place_of_everyones() -> None:
    ann = uuid4()
    for_all, for_app = Limit(None, None, "CZK", 5), Limit(Channel.APP, None, "CZK", 4)
    hers, in_euros = Limit(None, ann, "CZK", 9), Limit(None, None, "EUR", 1)
    for limits in ([for_all, for_app, hers, in_euros], [hers, in_euros, for_app, for_all]):
        assert limits_for(limits, str(ann), "CZK", "app") == [("", hers), ("app", for_app)]
        assert limits_for(limits, "account:1", "CZK", "api") == [("", for_all)]
        assert limits_for(limits, "account:1", "CHF", "app") == []


def test_a_duplicate_has_the_same_payer_payee_amount_and_purpose() -> None:
    day = Day(MONDAY, datetime(2026, 3, 2, 9, tzinfo=UTC))
    made = decide_payment(ASKED, with_default([]), day, Manner(Origin.TRANSFER, "a test"))
    assert isinstance(made, Payment)
    again = replace(ASKED, id=uuid4(), creditor=Endpoint("Robert", "1002"))
    found = find_duplicate(again, [made])
    assert found is not None
    assert found.code is PaymentsRefusal.DUPLICATE
    assert find_duplicate(replace(again, duplicate_confirmed=True), [made]) is None
    assert find_duplicate(replace(again, remittance="other"), [made]) is None


def test_a_recall_is_answered_once() -> None:
    asked = Recall(UUID(int=1), "DUPL", RecallStatus.OPEN, MONDAY, "YZ")
    accepted = decide_answer(asked, None)
    assert isinstance(accepted, Recall)
    assert decide_answer(accepted, None) == accepted
    refused = decide_answer(accepted, "CUST")
    assert isinstance(refused, Refusal)
    assert refused.code is PaymentsRefusal.RECALL_ANSWERED


def test_every_refusal_has_a_reason_code() -> None:
    told = {
        LedgerRefusal.ACCOUNT_NOT_FOUND: "AC01",
        LedgerRefusal.ACCOUNT_CLOSED: "AC04",
        LedgerRefusal.ACCOUNT_FROZEN: "AC06",
        LedgerRefusal.INSUFFICIENT_FUNDS: "AM04",
        PaymentsRefusal.DUPLICATE: "AM05",
        PaymentsRefusal.UETR_REUSED: "DUPL",
        CustomersRefusal.DAY_LIMIT_EXCEEDED: "AM14",
        LedgerRefusal.BALANCE_OUT_OF_RANGE: "MS03",
    }
    assert {code: reason_for(Refusal(code)) for code in told} == told


@given(st.uuids())
def test_a_payments_uetr_is_of_version_4_and_the_same_each_time(id: UUID) -> None:
    assert uetr_of(id) == uetr_of(id)
    assert (uetr_of(id).version, uetr_of(id).variant) == (4, "specified in RFC 4122")
