"""A payment on a day to come: looked at when it is asked for, paid on its day and no other, cancelled until then."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest

from eastflow.customers import Channel
from eastflow.kernel import Refusal
from eastflow.ledger import LedgerRefusal, Status
from eastflow.ledger.actions import INTERNAL_ACCOUNT_MIN, change_status
from eastflow.payments import (
    DAYS_AHEAD_MAX,
    Limit,
    OccurrenceOutcome,
    OrderStatus,
    PaymentsRefusal,
    Run,
    Transfer,
    occurrences,
    payments_of_uetr,
    standing_order,
)
from eastflow.payments.actions import cancel_order, run_standing_orders, schedule_transfer, set_limit, transfer

from ..conftest import ANN, BOB, POOR, TERM, TODAY, Bank, ask, to

DAY = timedelta(days=1)
ON = TODAY + 30 * DAY


async def schedule(bank: Bank, asked: Transfer, on: date = ON) -> object:
    answer = await bank.call(schedule_transfer, asked, on, today=TODAY, by="a test")
    return answer.code if isinstance(answer, Refusal) else answer.status


async def test_it_is_paid_on_its_day_with_all_that_was_told(bank: Bank) -> None:
    asked = ask(remittance="rent", end_to_end_id="E1", uetr=uuid4(), channel=Channel.APP)
    assert [await schedule(bank, asked) for _ in range(2)] == [OrderStatus.ACTIVE] * 2
    assert await schedule(bank, replace(asked, remittance="else")) is PaymentsRefusal.ID_REUSED
    assert await run_standing_orders(bank.database, ON - DAY, clock=bank.clock) == Run()
    assert await run_standing_orders(bank.database, ON, clock=bank.clock) == Run(paid=1)
    assert await run_standing_orders(bank.database, ON + DAY, clock=bank.clock) == Run()
    assert asked.uetr is not None
    async with bank.database.reading() as tx:
        [paid] = await payments_of_uetr(tx, asked.uetr)
        ended = await standing_order(tx, asked.id)
    told = (paid.creditor, paid.amount_minor, paid.remittance, paid.end_to_end_id, paid.channel)
    assert told == (to(BOB), 1_000, "rent", "E1", Channel.APP)
    assert ended is not None
    assert ended.status is OrderStatus.ENDED
    assert await schedule(bank, replace(asked, id=uuid4())) is PaymentsRefusal.UETR_REUSED


async def test_it_is_cancelled_before_its_day(bank: Bank) -> None:
    asked = ask()
    await schedule(bank, asked)
    assert (await bank.call(cancel_order, asked.id)).status is OrderStatus.CANCELLED  # type: ignore[union-attr]
    assert await run_standing_orders(bank.database, ON, clock=bank.clock) == Run()
    assert await schedule(bank, asked) is OrderStatus.CANCELLED
    assert await bank.balance(ANN) == 1_000_000


async def test_without_funds_on_its_day_it_is_left_out(bank: Bank) -> None:
    asked = ask(POOR, ANN)
    assert await schedule(bank, asked) is OrderStatus.ACTIVE
    assert await run_standing_orders(bank.database, ON, clock=bank.clock) == Run(refused=1)
    async with bank.database.reading() as tx:
        [left_out] = await occurrences(tx, asked.id)
    assert (left_out.outcome, left_out.reason) == (
        OccurrenceOutcome.SKIPPED,
        LedgerRefusal.INSUFFICIENT_FUNDS.value,
    )


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (0, PaymentsRefusal.SCHEDULE_MALFORMED),
        (-1, PaymentsRefusal.SCHEDULE_MALFORMED),
        (1, OrderStatus.ACTIVE),
        (DAYS_AHEAD_MAX, OrderStatus.ACTIVE),
        (DAYS_AHEAD_MAX + 1, PaymentsRefusal.SCHEDULE_MALFORMED),
    ],
)
async def test_its_day_is_to_come_and_not_too_far_ahead(bank: Bank, days: int, expected: object) -> None:
    assert await schedule(bank, ask(), TODAY + days * DAY) is expected


async def test_what_could_not_be_paid_is_refused_now(bank: Bank) -> None:
    paid = ask(uetr=uuid4())
    await bank.call(transfer, paid, today=TODAY, by="a test")
    await bank.call(change_status, POOR, Status.CLOSED)
    await bank.call(set_limit, Limit(Channel.APP, None, "CZK", per_payment_minor=500))
    for asked, expected in (
        (ask(remittance="\0"), PaymentsRefusal.TEXT_MALFORMED),
        (ask(end_to_end_id="x" * 36), PaymentsRefusal.TEXT_MALFORMED),
        (ask(amount_minor=0), PaymentsRefusal.AMOUNT_OUT_OF_RANGE),
        (ask(creditor=ANN), PaymentsRefusal.SAME_ACCOUNT),
        (ask(4711), LedgerRefusal.ACCOUNT_NOT_FOUND),
        (ask(INTERNAL_ACCOUNT_MIN), LedgerRefusal.ACCOUNT_NOT_FOUND),
        (ask(POOR, ANN), LedgerRefusal.ACCOUNT_CLOSED),
        (ask(asset="EUR"), LedgerRefusal.ASSET_DIFFERS),
        (ask(TERM, ANN), PaymentsRefusal.MOVES_BY_CONTRACT),
        (ask(uetr=paid.uetr), PaymentsRefusal.UETR_REUSED),
        (ask(creditor=to(BOB, name="Someone Else")), PaymentsRefusal.PAYEE_NAME_DIFFERS),
        (ask(creditor=to("87144583", "YZ"), scheme="nowhere"), PaymentsRefusal.SCHEME_NOT_FOUND),
        (ask(channel=Channel.APP), PaymentsRefusal.PAYMENT_LIMIT_EXCEEDED),
    ):
        assert await schedule(bank, asked) is expected, asked
    confirmed = ask(creditor=to(BOB, name="Someone Else"), payee_confirmed=True)
    assert await schedule(bank, confirmed) is OrderStatus.ACTIVE
