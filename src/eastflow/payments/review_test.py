"""What a review found: the bank's own accounts, two who meet at one payment or mandate, a file in the middle, sums."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from eastflow.customers import Channel
from eastflow.kernel import INT64_MAX, Refusal
from eastflow.ledger import LedgerRefusal
from eastflow.ledger.actions import INTERNAL_ACCOUNT_MIN

from .actions import (
    cancel_mandate,
    clear_suspense,
    collect,
    give_mandate,
    receive_incoming,
    receive_recall,
    run_batch,
    schedule_transfer,
    submit_batch,
    transfer,
)
from .batches.actions import _step
from .batches.model import Batch, BatchFile, BatchStatus, Line
from .conftest import ANN, BOB, TODAY, Bank, ask, to
from .debits.model import Collection, CollectionStatus, Mandate
from .debits.store import collections, mandate
from .model import Endpoint, Incoming, Payment, PaymentStatus, Recall, RecallStatus
from .orders.model import Frequency
from .refusals import PaymentsRefusal
from .store import lock_usage, payment, recall_of, write_usage
from .transfers.actions import payers_of

OWN = INTERNAL_ACCOUNT_MIN + 1


def given(debtor: int, creditor: int) -> Mandate:
    return Mandate(uuid4(), debtor, creditor, "Bob", 900, "CZK", TODAY, Frequency.MONTHLY)


async def test_the_banks_own_accounts_neither_pay_nor_are_paid_in_this_way(bank: Bank) -> None:
    answers = [
        await bank.call(transfer, ask(ANN, to(OWN)), today=TODAY, by="t"),
        await bank.call(transfer, ask(OWN, to(BOB)), today=TODAY, by="t"),
        await bank.call(schedule_transfer, ask(ANN, to(OWN)), TODAY.replace(day=9), today=TODAY, by="t"),
        await bank.call(give_mandate, given(ANN, OWN), by="t"),
        await bank.call(give_mandate, given(OWN, BOB), by="t"),
        await bank.call(
            submit_batch, BatchFile(uuid4(), OWN, "CZK", (Line(to(BOB), 5),), Channel.API), today=TODAY, by="t"
        ),
    ]
    assert [each.code for each in answers if isinstance(each, Refusal)] == [LedgerRefusal.ACCOUNT_NOT_FOUND] * 6


async def test_what_a_payer_pays_away_in_a_day_stays_a_number_that_is_kept(bank: Bank) -> None:
    payer = (await bank.run(lambda tx: payers_of(tx, {ANN}, TODAY)))[ANN]
    keys = [(payer, TODAY, "CZK", channel) for channel in ("", Channel.APP.value, Channel.API.value)]

    async def spent(tx: object) -> None:
        await lock_usage(tx, keys)  # type: ignore[arg-type]
        await write_usage(tx, dict.fromkeys(keys, INT64_MAX - 5))  # type: ignore[arg-type]

    await bank.run(spent)
    refused = await bank.call(transfer, ask(ANN, to(BOB), 6), today=TODAY, by="t")
    assert isinstance(refused, Refusal)
    assert refused.code is PaymentsRefusal.AMOUNT_OUT_OF_RANGE
    assert isinstance(await bank.call(transfer, ask(ANN, to(BOB), 5), today=TODAY, by="t"), Payment)


async def test_what_a_file_pays_its_lines_from_is_nobodys_before_it_is_done(bank: Bank) -> None:
    file = BatchFile(uuid4(), ANN, "CZK", (Line(to(BOB), 500),), Channel.API, one_debit=True)
    await bank.call(submit_batch, file, today=TODAY, by="t")
    funded = await bank.run(lambda tx: _step(tx, file.id, TODAY, 10, bank.clock))
    assert isinstance(funded, Batch)
    assert funded.status is BatchStatus.FUNDED
    refused = await bank.call(clear_suspense, file.id, BOB, today=TODAY)
    assert isinstance(refused, Refusal)
    assert refused.code is PaymentsRefusal.STATUS_CONFLICT
    done = await run_batch(bank.database, file.id, today=TODAY, clock=bank.clock)
    assert isinstance(done, Batch)
    assert done.status is BatchStatus.DONE


@pytest.mark.parametrize("attempt", range(4))
async def test_of_a_recall_and_a_clearing_in_one_moment_one_sees_the_other(bank: Bank, attempt: int) -> None:
    sent = Incoming(uuid4(), Endpoint("Jan", "87144583", "YZ"), to("4711", name="Bob"), 700, "CZK")
    made = await bank.call(receive_incoming, sent, today=TODAY)
    assert isinstance(made, Payment)
    works = [
        bank.call(receive_recall, sent.uetr, "DUPL", today=TODAY),
        bank.call(clear_suspense, made.id, BOB, today=TODAY),
    ]
    answers = await asyncio.gather(*(works if attempt % 2 else reversed(works)))
    asked = next(each for each in answers if isinstance(each, Recall))
    async with bank.database.reading() as tx:
        after = await payment(tx, made.id)
        assert await recall_of(tx, made.id) == asked
    assert after is not None
    # Either Bob has it and the recall waits for an answer, or it goes back and Bob has nothing.
    goes_back = asked.status is RecallStatus.ACCEPTED
    assert (after.status is PaymentStatus.SETTLED) is not goes_back


@pytest.mark.parametrize("attempt", range(4))
async def test_of_a_collection_and_a_cancelled_mandate_in_one_moment_nothing_waits_for_ever(
    bank: Bank, attempt: int
) -> None:
    mandated = given(ANN, BOB)
    await bank.call(give_mandate, mandated, by="t")
    works = [
        bank.call(collect, Collection(uuid4(), mandated.id, 8, TODAY), today=TODAY, by="t"),
        bank.call(cancel_mandate, mandated.id, today=TODAY),
    ]
    collected, _ = await asyncio.gather(*works) if attempt % 2 else reversed(await asyncio.gather(*reversed(works)))
    async with bank.database.reading() as tx:
        kept, standing = await collections(tx, mandated.id), await mandate(tx, mandated.id)
    assert standing is not None
    if isinstance(collected, Refusal):
        assert (collected.code, kept) == (PaymentsRefusal.MANDATE_CANCELLED, [])
    else:
        assert [each.status for each in kept] == [CollectionStatus.REQUESTED]
