"""Collections of debtors at other banks: asked for on their day, credited when settled, refused, taken back."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from eastflow.kernel import Refusal
from eastflow.ledger import LedgerRefusal, Status
from eastflow.ledger.actions import change_status

from .. import Collection, CollectionStatus, Mandate, Outside, PaymentsRefusal, PaymentStatus, Run, SuspenseKind
from ..actions import (
    apply_collection_status,
    cancel_mandate,
    clear_suspense,
    collect,
    give_mandate,
    mark_sent,
    receive_recall,
    refund_collection,
    refuse_collection,
    return_collection,
    run_direct_debits,
    transfer,
)
from ..conftest import ANN, BOB, POOR, SHOP, TODAY, Bank, ask
from ..decide import further_id, uetr_of
from ..model import OutgoingKind
from ..store import payment
from ..suspense.store import suspense_page
from ..transfers.actions import CLEARING, SUSPENSE
from .decide import payment_of
from .outside_test import given, stands, waiting

DAY = timedelta(days=1)
JAN = Outside("CZ6508000000192000145399", "OTHRBANK", "CZ98ZZZ17", TODAY - DAY, "Jan Novák")


def mandate(**changes: Any) -> Mandate:
    return given(**({"debtor": None, "creditor": SHOP, "outside": JAN} | changes))


def code(answer: object) -> object:
    return answer.code if isinstance(answer, Refusal) else getattr(answer, "status", answer)


async def asked(bank: Bank, of: Mandate, due_on: Any = TODAY) -> Collection:
    """For 40.00, and what it is in the queue, asked for as often as one likes."""
    await bank.call(give_mandate, of, by="a test")
    wanted = Collection(uuid4(), of.id, 4_000, due_on, "power")
    answers = await asyncio.gather(*(bank.call(collect, wanted, today=TODAY, by="a test") for _ in range(3)))
    assert [code(each) for each in answers] == [CollectionStatus.ASKED] * 3
    return wanted


async def sent(bank: Bank, of: Mandate) -> tuple[Collection, UUID]:
    """Sent to the debtor's bank, and the UETR by which that speaks of it."""
    wanted = await asked(bank, of)
    id = payment_of(wanted)
    for _ in range(2):
        queued = further_id(id, OutgoingKind.COLLECTION.value)
        assert not isinstance(await bank.call(mark_sent, queued, "M1", today=TODAY), Refusal)
    return wanted, uetr_of(id)


async def told(bank: Bank, uetr: UUID, status: PaymentStatus, reason: str | None = None) -> object:
    return code(await bank.call(apply_collection_status, uetr, status, reason, today=TODAY))


async def back(bank: Bank, uetr: UUID, amount_minor: int = 4_000, reason: str = "MD06") -> object:
    return code(await bank.call(return_collection, uetr, amount_minor, "CZK", reason, today=TODAY))


async def test_it_is_asked_on_its_day_and_credited_when_it_is_settled(bank: Bank) -> None:
    total = await bank.total()
    wanted = await asked(bank, mandate(), TODAY + DAY)
    assert await waiting(bank) == []
    assert await waiting(bank, TODAY + DAY) == [(OutgoingKind.COLLECTION, None, PaymentStatus.ACCEPTED)]
    assert await run_direct_debits(bank.database, TODAY + DAY) == Run(), "another bank takes it, not this one"
    id = payment_of(wanted)
    assert await told(bank, uetr_of(id), PaymentStatus.SETTLED) is PaymentsRefusal.STATUS_CONFLICT
    await bank.call(mark_sent, further_id(id, "collection"), "M1", today=TODAY + DAY)
    assert await bank.balances(SHOP, CLEARING) == [200_000, 0]
    assert await told(bank, uetr_of(id), PaymentStatus.SENT) is CollectionStatus.ASKED
    answers = await asyncio.gather(*(told(bank, uetr_of(id), PaymentStatus.SETTLED) for _ in range(3)))
    assert answers == [CollectionStatus.COLLECTED] * 3
    assert await bank.balances(SHOP, CLEARING) == [204_000, 4_000]
    assert await bank.total() == total
    assert await told(bank, uetr_of(id), PaymentStatus.REJECTED) is PaymentsRefusal.STATUS_CONFLICT
    assert await told(bank, uuid4(), PaymentStatus.SETTLED) is PaymentsRefusal.PAYMENT_NOT_FOUND
    assert await told(bank, uuid4(), PaymentStatus.REJECTED, "\0") is PaymentsRefusal.TEXT_MALFORMED
    # Here nobody can refuse it or have it back: its debtor does so elsewhere; and it is no payment to be recalled.
    for verb in (refuse_collection, refund_collection):
        refusal = await bank.call(verb, wanted.mandate, wanted.id, today=TODAY)
        assert code(refusal) in (PaymentsRefusal.STATUS_CONFLICT, PaymentsRefusal.COLLECTION_NOT_FOUND)
    recalled = await bank.call(receive_recall, uetr_of(id), "DUPL", today=TODAY)
    assert code(recalled) is PaymentsRefusal.PAYMENT_NOT_FOUND
    again = Collection(uuid4(), wanted.mandate, 1, TODAY)
    assert code(await bank.call(collect, again, today=TODAY, by="x")) is PaymentsRefusal.COLLECTION_TOO_SOON


async def test_refused_elsewhere_it_has_that_reason_and_may_be_asked_again(bank: Bank) -> None:
    wanted, uetr = await sent(bank, mandate())
    for _ in range(2):
        assert await told(bank, uetr, PaymentStatus.REJECTED, "AM04") is CollectionStatus.REFUSED
    assert await stands(bank, wanted.mandate, wanted.id) == (CollectionStatus.REFUSED, "AM04")
    assert await back(bank, uetr) is PaymentsRefusal.STATUS_CONFLICT
    again = Collection(uuid4(), wanted.mandate, 4_000, TODAY)
    assert code(await bank.call(collect, again, today=TODAY, by="x")) is CollectionStatus.ASKED
    assert await bank.balances(SHOP, CLEARING) == [200_000, 0]


async def test_cancelled_before_it_left_it_is_taken_out_of_the_queue(bank: Bank) -> None:
    of, other = mandate(), mandate(reference="M-18")
    wanted = await asked(bank, of)
    left, uetr = await sent(bank, other)
    for each in (of, other):
        await asyncio.gather(*(bank.call(cancel_mandate, each.id, today=TODAY) for _ in range(2)))
    cancelled = CollectionStatus.REFUSED, PaymentsRefusal.MANDATE_CANCELLED.value
    assert await stands(bank, of.id, wanted.id) == cancelled
    assert await waiting(bank) == []
    assert await stands(bank, other.id, left.id) == (CollectionStatus.ASKED, None)
    assert await told(bank, uetr, PaymentStatus.SETTLED) is CollectionStatus.COLLECTED


async def test_what_the_debtor_has_back_is_taken_from_the_creditor(bank: Bank) -> None:
    total = await bank.total()
    wanted, uetr = await sent(bank, mandate(creditor=POOR))
    await told(bank, uetr, PaymentStatus.SETTLED)
    assert await back(bank, uetr, 3_999) is PaymentsRefusal.AMOUNT_DIFFERS
    assert await back(bank, uetr, reason="") is PaymentsRefusal.TEXT_MALFORMED
    assert await back(bank, uuid4()) is PaymentsRefusal.PAYMENT_NOT_FOUND
    await bank.call(transfer, ask(POOR, BOB, 4_000), today=TODAY, by="a test")
    assert await back(bank, uetr) is LedgerRefusal.INSUFFICIENT_FUNDS
    await bank.call(transfer, ask(BOB, POOR, 4_000), today=TODAY, by="a test")
    assert await asyncio.gather(*(back(bank, uetr) for _ in range(3))) == [CollectionStatus.REFUNDED] * 3
    assert await back(bank, uetr, reason="AC04") is PaymentsRefusal.STATUS_CONFLICT
    assert await bank.balances(POOR, CLEARING) == [0, 0]
    assert await bank.total() == total
    assert await stands(bank, wanted.mandate, wanted.id) == (CollectionStatus.REFUNDED, None)


async def test_what_goes_back_before_it_was_told_to_be_settled_moves_nothing(bank: Bank) -> None:
    _, uetr = await sent(bank, mandate())
    for _ in range(2):
        assert await back(bank, uetr) is CollectionStatus.REFUNDED
    assert await told(bank, uetr, PaymentStatus.SETTLED) is PaymentsRefusal.STATUS_CONFLICT
    assert await bank.balances(SHOP, CLEARING) == [200_000, 0]


@pytest.mark.parametrize("is_cleared", [False, True])
async def test_what_the_creditors_account_does_not_take_stands_on_suspense(bank: Bank, is_cleared: bool) -> None:
    total = await bank.total()
    wanted, uetr = await sent(bank, mandate())
    await bank.call(change_status, SHOP, Status.FROZEN)
    for _ in range(2):
        assert await told(bank, uetr, PaymentStatus.SETTLED) is CollectionStatus.COLLECTED
    async with bank.database.reading() as tx:
        [item] = await suspense_page(tx, limit=9)
        paid = await payment(tx, payment_of(wanted))
    assert paid is not None
    assert (item.id, item.kind, item.amount_minor) == (paid.id, SuspenseKind.COLLECTED, 4_000)
    assert (paid.status, paid.in_suspense) == (PaymentStatus.SETTLED, True)
    assert await bank.balances(SHOP, SUSPENSE, CLEARING) == [200_000, 4_000, 4_000]
    if is_cleared:
        assert not isinstance(await bank.call(clear_suspense, paid.id, ANN, today=TODAY), Refusal)
        assert await bank.balances(ANN, SUSPENSE) == [1_004_000, 0]
    for _ in range(2):
        assert await back(bank, uetr) is CollectionStatus.REFUNDED
    async with bank.database.reading() as tx:
        assert await suspense_page(tx, limit=9) == []
    assert await bank.balances(ANN, SHOP, SUSPENSE, CLEARING) == [1_000_000, 200_000, 0, 0]
    assert await bank.total() == total
