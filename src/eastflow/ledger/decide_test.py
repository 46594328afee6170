"""Tables that walk every refusal in its order of precedence, then what is accepted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from eastflow.kernel import INT64_MAX, Refusal, RefusalCode
from eastflow.ledger import Capture, Command, Entry, HeldAmount, Hold, HoldStatus, Posting, Release, Side, Status
from eastflow.ledger.decide import Books, Moment, Standing, judge
from eastflow.ledger.model import BOUND_MINOR, BookedEntry, Done
from eastflow.ledger.refusals import LedgerRefusal as L

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
TODAY, TOMORROW = AT.date(), AT.date() + timedelta(days=1)
MOMENT = Moment(AT, TODAY)
CASH, ANN, BOB, YEN, FROZEN, PAY_IN_ONLY, CLOSED, NOBODY = 1, 2, 3, 4, 5, 6, 7, 99


def ident(number: int) -> UUID:
    return UUID(int=number)


def standing(posted: int = 0, *, side: Side = Side.CREDIT, asset: str = "EUR", **other: object) -> Standing:
    usual = Standing(asset, side, Status.OPEN, 0, posted, 0, 3)
    return replace(usual, **other)  # type: ignore[arg-type]


BOOKED = BookedEntry(ident(1), "transfer", TODAY, AT, (ANN, BOB), (-5, 5), (1, 1), None, {}, None, None)
REVERSED = replace(BOOKED, id=ident(2))
HELD = HeldAmount(ident(50), ANN, 30, 30, HoldStatus.ACTIVE, AT, None)
ENDED = replace(HELD, id=ident(51), remaining_minor=0, status=HoldStatus.RELEASED)
LATE = replace(HELD, id=ident(52), expires_at=AT)


def books() -> Books:
    return Books(
        frozenset({"EUR", "JPY"}),
        {
            CASH: standing(1_000, side=Side.DEBIT, floor_minor=None),
            ANN: standing(100, held_minor=60),
            BOB: standing(10),
            YEN: standing(asset="JPY", floor_minor=None),
            FROZEN: standing(50, status=Status.FROZEN),
            PAY_IN_ONLY: standing(50, status=Status.DEBITS_FROZEN),
            CLOSED: standing(status=Status.CLOSED),
        },
        entries={BOOKED.id: BOOKED, REVERSED.id: REVERSED},
        holds={(ANN, held.id): held for held in (HELD, ENDED, LATE)},
        reversals={REVERSED.id: ident(3)},
    )


def entry(*legs: tuple[int, int], asset: str = "EUR", **other: object) -> Entry:
    usual = Entry(ident(9), "transfer", TODAY, tuple(Posting(account, asset, amount) for account, amount in legs))
    return replace(usual, **other)  # type: ignore[arg-type]


PAID = entry((ANN, -5), (BOB, 5))
REVERSAL = entry((ANN, 5), (BOB, -5), reverses=BOOKED.id)
CAPTURE = Capture(ANN, HELD.id)
HOLD = Hold(ident(60), ANN, "EUR", 40)
BIG = INT64_MAX

ENTRIES = [
    # Each row would also be refused for a later reason wherever it can be.
    (entry(kind="Not A Kind"), L.TEXT_MALFORMED),
    (entry(memo="a\0b"), L.TEXT_MALFORMED),
    (entry(memo="\ud800"), L.TEXT_MALFORMED),
    (entry(details={f"k{n}": "v" for n in range(51)}), L.DETAILS_TOO_LARGE),
    (entry(details={"": "v"}), L.TEXT_MALFORMED),
    (entry((NOBODY, 0)), L.TOO_FEW_POSTINGS),
    (entry(*[(NOBODY, 0)] * 101), L.TOO_MANY_POSTINGS),
    (entry((NOBODY, 0), (ANN, BIG + 1)), L.AMOUNT_IS_ZERO),
    (entry((NOBODY, BIG + 1), (ANN, 5)), L.AMOUNT_OUT_OF_RANGE),
    (entry((NOBODY, 5), (ANN, -4)), L.DOES_NOT_BALANCE),
    (entry((NOBODY, 5), (ANN, -5), id=BOOKED.id), L.ENTRY_ID_REUSED),
    (replace(PAID, id=BOOKED.id, memo="other"), L.ENTRY_ID_REUSED),
    (entry((NOBODY, 5), (ANN, -5), value_date=TOMORROW), L.VALUE_DATE_IN_FUTURE),
    (replace(REVERSAL, reverses=ident(404)), L.ENTRY_NOT_FOUND),
    (entry((ANN, 1), (BOB, -1), reverses=REVERSED.id), L.ENTRY_ALREADY_REVERSED),
    (entry((ANN, 6), (BOB, -6), reverses=BOOKED.id), L.REVERSAL_DIFFERS),
    (entry((NOBODY, 5), (ANN, -5), asset="XXX"), L.ASSET_NOT_FOUND),
    (entry((NOBODY, 5), (YEN, -5)), L.ACCOUNT_NOT_FOUND),
    (entry((-1, 5), (YEN, -5)), L.ACCOUNT_NOT_FOUND),
    (entry((1 << 53, 5), (YEN, -5)), L.ACCOUNT_NOT_FOUND),
    (entry((YEN, 5), (CLOSED, -5)), L.ASSET_DIFFERS),
    (entry((FROZEN, 5), (CLOSED, -5)), L.ACCOUNT_CLOSED),
    (entry((FROZEN, 500), (BOB, -500)), L.ACCOUNT_FROZEN),
    (entry((PAY_IN_ONLY, -5), (BOB, 5)), L.ACCOUNT_FROZEN),
    (replace(PAID, capture=Capture(ANN, ident(404))), L.HOLD_NOT_FOUND),
    (replace(PAID, capture=Capture(ANN, ENDED.id)), L.HOLD_ENDED),
    (replace(PAID, capture=Capture(ANN, LATE.id)), L.HOLD_EXPIRED),
    (entry((ANN, -31), (BOB, 31), capture=CAPTURE), L.CAPTURE_EXCEEDS_HOLD),
    (entry((ANN, 5), (BOB, -5), capture=CAPTURE), L.CAPTURE_EXCEEDS_HOLD),
    (entry((ANN, -41), (BOB, 41)), L.INSUFFICIENT_FUNDS),
    (entry((CASH, -BIG), (BOB, BIG)), L.BALANCE_OUT_OF_RANGE),
    (replace(PAID, linked=True), L.LINKED_GROUP_OPEN),
]


@pytest.mark.parametrize(("command", "expected"), ENTRIES)
def test_an_entry_is_refused_for_the_first_reason_and_changes_nothing(command: Entry, expected: RefusalCode) -> None:
    before, after = books(), books()
    (outcome,) = judge(after, [command], MOMENT)
    assert isinstance(outcome, Refusal)
    assert outcome.code is expected
    assert after == before


def test_the_table_walks_the_entry_refusals_in_order() -> None:
    table = list(dict.fromkeys(code for _, code in ENTRIES if code is not L.LINKED_GROUP_OPEN))
    assert table == [code for code in L if code in table]


HOLDS: list[tuple[Command, RefusalCode]] = [
    (replace(HOLD, amount_minor=0, account=NOBODY), L.AMOUNT_IS_ZERO),
    (replace(HOLD, amount_minor=-1, account=NOBODY), L.AMOUNT_IS_NEGATIVE),
    (replace(HOLD, amount_minor=BIG + 1, account=NOBODY), L.AMOUNT_OUT_OF_RANGE),
    (replace(HOLD, id=HELD.id, amount_minor=31), L.HOLD_ID_REUSED),
    (replace(HOLD, expires_at=AT, account=NOBODY), L.HOLD_EXPIRY_IN_PAST),
    (replace(HOLD, asset="XXX", account=NOBODY), L.ASSET_NOT_FOUND),
    (replace(HOLD, account=NOBODY), L.ACCOUNT_NOT_FOUND),
    (replace(HOLD, asset="JPY", amount_minor=500), L.ASSET_DIFFERS),
    (replace(HOLD, account=CLOSED, amount_minor=500), L.ACCOUNT_CLOSED),
    (replace(HOLD, account=PAY_IN_ONLY, amount_minor=500), L.ACCOUNT_FROZEN),
    (replace(HOLD, amount_minor=41), L.INSUFFICIENT_FUNDS),
    (replace(HOLD, account=CASH, amount_minor=BOUND_MINOR + 1), L.BALANCE_OUT_OF_RANGE),
    (Release(ANN, ident(404)), L.HOLD_NOT_FOUND),
    (Release(ANN, ENDED.id, expired=True), L.HOLD_ENDED),
]


@pytest.mark.parametrize(("command", "expected"), HOLDS)
def test_a_hold_is_refused_for_the_first_reason_and_changes_nothing(command: Command, expected: RefusalCode) -> None:
    before, after = books(), books()
    (outcome,) = judge(after, [command], MOMENT)
    assert isinstance(outcome, Refusal)
    assert outcome.code is expected
    assert after == before


def done(outcomes: Sequence[object]) -> Done:
    (outcome,) = outcomes
    assert isinstance(outcome, Done), outcome
    return outcome


def test_an_entry_answers_with_the_balances_it_leaves() -> None:
    left = done(judge(books(), [PAID], MOMENT)).balances
    assert [(b.account, b.posted_minor, b.held_minor, b.available_minor, b.sequence) for b in left] == [
        (ANN, 95, 60, 35, 4),
        (BOB, 15, 0, 15, 4),
    ]


def test_a_debit_raises_a_balance_on_the_debit_side() -> None:
    left = done(judge(books(), [entry((CASH, -7), (BOB, 7))], MOMENT)).balances
    assert [b.posted_minor for b in left] == [1_007, 17]


def test_the_floor_binds_the_entry_as_a_whole() -> None:
    """A leg may pass below the floor if another leg of the same entry comes back."""
    assert done(judge(books(), [entry((BOB, -50), (BOB, 45), (ANN, 5))], MOMENT)).balances[0].posted_minor == 5


def test_a_replay_answers_without_effect() -> None:
    after = books()
    first, again = judge(after, [PAID, PAID], MOMENT)
    assert again == replace(done([first]), replayed=True)
    assert len(after.booked) == 1


def test_a_capture_uses_what_was_held_and_gives_back_the_rest() -> None:
    after = books()
    done(judge(after, [entry((ANN, -20), (BOB, 20), capture=CAPTURE)], MOMENT))
    assert (after.standings[ANN].posted_minor, after.standings[ANN].held_minor) == (80, 30)
    assert after.holds[ANN, HELD.id].status is HoldStatus.CAPTURED


def test_a_hold_is_captured_in_parts() -> None:
    after = books()
    part = Capture(ANN, HELD.id, final=False)
    legs = ((ANN, -10), (BOB, 10))
    outcomes = judge(after, [entry(*legs, id=ident(n), capture=part) for n in range(10, 14)], MOMENT)
    assert [isinstance(outcome, Done) for outcome in outcomes] == [True, True, True, False]
    assert after.holds[ANN, HELD.id].status is HoldStatus.CAPTURED
    assert after.standings[ANN].held_minor == 30


def test_a_reversal_may_also_undo_an_entry_of_its_own_batch() -> None:
    undo = entry((ANN, 5), (BOB, -5), id=ident(10), reverses=PAID.id)
    twice = replace(undo, id=ident(11))
    first, second, third = judge(books(), [PAID, undo, twice], MOMENT)
    assert isinstance(first, Done)
    assert isinstance(second, Done)
    assert isinstance(third, Refusal)
    assert third.code is L.ENTRY_ALREADY_REVERSED


def test_a_linked_group_fails_whole_and_leaves_no_trace() -> None:
    before, after = books(), books()
    group: list[Command] = [
        replace(PAID, id=ident(10), linked=True),
        replace(HOLD, linked=True, amount_minor=20),
        replace(REVERSAL, id=ident(11), linked=True),
        replace(entry((BOB, -500), (ANN, 500)), id=ident(12), linked=True),
        replace(PAID, id=ident(13)),
    ]
    codes = [outcome.code for outcome in judge(after, group, MOMENT) if isinstance(outcome, Refusal)]
    because = L.LINKED_ENTRY_REFUSED
    assert codes == [because, because, because, L.INSUFFICIENT_FUNDS, because]
    assert after == before


def test_a_later_command_sees_what_an_earlier_one_did() -> None:
    """A pays B what B then pays on, with nothing else on B."""
    first, second = judge(
        books(), [entry((ANN, -30), (BOB, 30), id=ident(10)), entry((BOB, -40), (ANN, 40), id=ident(11))], MOMENT
    )
    assert isinstance(first, Done)
    assert isinstance(second, Done)


def test_every_refusal_of_a_command_is_in_a_table() -> None:
    by_other_verbs = {
        L.BATCH_TOO_LARGE, L.ASSET_MALFORMED, L.FLOOR_OUT_OF_RANGE, L.ACCOUNT_ID_REUSED, L.ASSET_SCALE_DIFFERS,
        L.ACCOUNT_NOT_EMPTY, L.LINKED_ENTRY_REFUSED, L.DAY_NOT_CLOSED,
    }  # fmt: skip
    tables = {code for _, code in ENTRIES} | {code for _, code in HOLDS}
    assert tables | by_other_verbs == set(L)
    assert not tables & by_other_verbs


def test_a_day_is_chosen_by_the_caller() -> None:
    backdated = replace(PAID, value_date=date(1993, 1, 1))
    done(judge(books(), [backdated], MOMENT))
