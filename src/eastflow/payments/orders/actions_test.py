"""Standing orders on a real database: paid on their days, once, tried again without funds, and runs at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from eastflow.customers import Channel
from eastflow.kernel import Refusal
from eastflow.ledger import LedgerRefusal

from .. import (
    Endpoint,
    Frequency,
    Limit,
    OccurrenceOutcome,
    OrderStatus,
    PaymentsRefusal,
    Run,
    StandingOrder,
    occurrences,
    payments_page,
    standing_order,
    standing_orders_page,
)
from ..actions import cancel_order, run_standing_orders, set_limit, set_up_order, set_up_orders
from ..conftest import ANN, BOB, POOR, SHOP, TODAY, Bank, to

DAY = timedelta(days=1)


def order(debtor: int = ANN, creditor: Endpoint | int = SHOP, **changes: Any) -> StandingOrder:
    end = creditor if isinstance(creditor, Endpoint) else to(creditor)
    given: dict[str, Any] = {"id": uuid4(), "amount_minor": 1_000, "asset": "CZK", "first_on": TODAY}
    return StandingOrder(debtor=debtor, creditor=end, **(given | {"frequency": Frequency.MONTHLY} | changes))


async def set_up(bank: Bank, new: StandingOrder) -> StandingOrder | Refusal:
    return await bank.call(set_up_order, new, today=TODAY, by="a test")


def code(answer: object) -> object:
    return answer.code if isinstance(answer, Refusal) else getattr(answer, "status", answer)


async def test_an_order_is_set_up_once_and_cancelled_once(bank: Bank) -> None:
    new = order()
    answers = [await set_up(bank, new) for _ in range(2)]
    assert [code(answer) for answer in answers] == [OrderStatus.ACTIVE] * 2
    assert code(await set_up(bank, replace(new, amount_minor=1))) is PaymentsRefusal.ID_REUSED
    async with bank.database.reading() as tx:
        assert await standing_order(tx, new.id) == new
        assert [each.id for each in await standing_orders_page(tx, debtor=ANN, limit=9)] == [new.id]
        assert await standing_orders_page(tx, debtor=BOB, limit=9) == []
    for _ in range(2):
        assert code(await bank.call(cancel_order, new.id)) is OrderStatus.CANCELLED
    assert code(await bank.call(cancel_order, uuid4())) is PaymentsRefusal.ORDER_NOT_FOUND
    assert await run_standing_orders(bank.database, TODAY) == Run()


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"asset": "C\0"}, PaymentsRefusal.TEXT_MALFORMED),
        ({"remittance": "\0"}, PaymentsRefusal.TEXT_MALFORMED),
        ({"amount_minor": 0}, PaymentsRefusal.AMOUNT_OUT_OF_RANGE),
        ({"creditor": to("x")}, PaymentsRefusal.ACCOUNT_MALFORMED),
        ({"creditor": to(ANN)}, PaymentsRefusal.SAME_ACCOUNT),
        ({"until": TODAY - DAY}, PaymentsRefusal.SCHEDULE_MALFORMED),
        ({"first_on": TODAY - DAY}, PaymentsRefusal.SCHEDULE_MALFORMED),
        ({"first_on": date.max}, PaymentsRefusal.SCHEDULE_MALFORMED),
        ({"retry_days": -1}, PaymentsRefusal.SCHEDULE_MALFORMED),
        ({"retry_days": 32}, PaymentsRefusal.SCHEDULE_MALFORMED),
        ({"creditor": to("1", "AB"), "scheme": "x"}, PaymentsRefusal.SCHEME_NOT_FOUND),
    ],
)
async def test_what_cannot_be_an_order_is_refused(bank: Bank, changes: dict[str, Any], refusal: object) -> None:
    assert code(await set_up(bank, order(**changes))) is refusal


async def test_an_order_over_the_payers_limits_is_not_set_up(bank: Bank) -> None:
    for limit in (
        Limit(None, None, "CZK", per_payment_minor=5_000),
        Limit(Channel.SYSTEM, bank.owners[ANN], "CZK", per_day_minor=3_000),
        Limit(Channel.APP, None, "CZK", per_payment_minor=1),
    ):
        assert not isinstance(await bank.call(set_limit, limit), Refusal)
    kept = order(amount_minor=3_000)
    for new, expected in (
        (order(amount_minor=5_001), PaymentsRefusal.PAYMENT_LIMIT_EXCEEDED),
        (order(amount_minor=3_001), PaymentsRefusal.DAY_LIMIT_EXCEEDED),
        (order(POOR, amount_minor=5_001), PaymentsRefusal.PAYMENT_LIMIT_EXCEEDED),
        (order(POOR, amount_minor=3_001), OrderStatus.ACTIVE),
        (order(0), PaymentsRefusal.ACCOUNT_MALFORMED),
        (kept, OrderStatus.ACTIVE),
    ):
        assert code(await set_up(bank, new)) is expected
    await bank.call(set_limit, Limit(None, None, "CZK", per_payment_minor=1))
    assert code(await set_up(bank, kept)) is OrderStatus.ACTIVE, "the same again is answered as before"


async def test_an_order_is_paid_on_its_days_until_its_end(bank: Bank) -> None:
    first = date(2026, 3, 31)
    new = order(first_on=first, until=date(2026, 6, 30), creditor=to("87144583", "YZ"))
    await set_up(bank, new)
    runs = [await run_standing_orders(bank.database, TODAY + DAY * number) for number in range(150)]
    assert sum(run.paid for run in runs) == 4
    async with bank.database.reading() as tx:
        done = await occurrences(tx, new.id)
        ended = await standing_order(tx, new.id)
        paid = await payments_page(tx, account=ANN, limit=9)
    assert [each.due_on.isoformat() for each in done] == ["2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30"]
    assert {each.payment for each in done} == {each.id for each in paid}
    assert ended is not None
    assert (ended.status, ended.due_on, ended.attempt_on) == (OrderStatus.ENDED, None, None)
    assert await bank.balance(ANN) == 996_000


async def test_days_that_were_missed_are_made_up_for(bank: Bank) -> None:
    await set_up(bank, order(frequency=Frequency.WEEKLY))
    assert await run_standing_orders(bank.database, TODAY + 21 * DAY) == Run(paid=4)
    assert await run_standing_orders(bank.database, TODAY + 21 * DAY) == Run()
    assert await bank.balance(SHOP) == 204_000


async def test_without_funds_it_is_tried_again_and_then_left_out(bank: Bank) -> None:
    new = order(POOR, retry_days=2)
    closed = order(creditor=to(4711), retry_days=2)
    for each in (new, closed):
        await set_up(bank, each)
    assert await run_standing_orders(bank.database, TODAY) == Run(put_off=1, refused=1)
    assert await run_standing_orders(bank.database, TODAY) == Run()
    assert await run_standing_orders(bank.database, TODAY + DAY) == Run(put_off=1)
    assert await run_standing_orders(bank.database, TODAY + 2 * DAY) == Run(refused=1)
    async with bank.database.reading() as tx:
        [left_out] = await occurrences(tx, new.id)
        following = await standing_order(tx, new.id)
    assert (left_out.outcome, left_out.reason) == (
        OccurrenceOutcome.SKIPPED,
        LedgerRefusal.INSUFFICIENT_FUNDS.value,
    )
    assert following is not None
    assert following.due_on == date(2026, 4, 2)


async def test_one_without_funds_does_not_keep_the_others_from_being_paid(bank: Bank) -> None:
    rich = [order() for _ in range(20)]
    poor = [order(POOR) for _ in range(20)]
    await bank.call(set_up_orders, [*rich, *poor], today=TODAY, by="a test")
    assert await run_standing_orders(bank.database, TODAY, batch=7) == Run(paid=20, refused=20)


async def test_partitions_and_the_same_run_at_once_pay_each_order_once(bank: Bank) -> None:
    many = [order(amount_minor=100) for _ in range(300)]
    await bank.call(set_up_orders, many, today=TODAY, by="a test")
    parts = [(0, 2), (1, 2), (0, 2), (1, 2), (0, 1)]
    runs = await asyncio.gather(
        *(
            run_standing_orders(bank.database, TODAY, partition=part, partitions=parts_count, batch=40)
            for part, parts_count in parts
        )
    )
    assert sum(run.paid for run in runs) == 300
    assert await bank.balances(ANN, SHOP) == [970_000, 230_000]
