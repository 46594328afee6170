"""Direct debits on a real database: under a mandate, once a period, refused, refunded, and runs at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from eastflow.kernel import Refusal
from eastflow.ledger import LedgerRefusal

from .. import (
    Collection,
    CollectionStatus,
    Frequency,
    Mandate,
    MandateStatus,
    PaymentsRefusal,
    Run,
    collections,
    mandate,
    mandates_page,
)
from ..actions import (
    cancel_mandate,
    collect,
    give_mandate,
    refund_collection,
    refuse_collection,
    run_direct_debits,
    transfer,
)
from ..conftest import ANN, BOB, POOR, SHOP, TODAY, Bank, ask

DAY = timedelta(days=1)


def given(debtor: int = ANN, **changes: Any) -> Mandate:
    told: dict[str, Any] = {"id": uuid4(), "creditor": SHOP, "creditor_name": "The Shop", "amount_max_minor": 5_000}
    told |= {"asset": "CZK", "first_on": TODAY, "frequency": Frequency.MONTHLY, "refund_days": 10}
    return Mandate(debtor=debtor, **(told | changes))


def asked(mandate: UUID, **changes: Any) -> Collection:
    told: dict[str, Any] = {"id": uuid4(), "amount_minor": 4_000, "due_on": TODAY}
    return Collection(mandate=mandate, **(told | changes))


def code(answer: object) -> object:
    return answer.code if isinstance(answer, Refusal) else getattr(answer, "status", answer)


async def ask_for(bank: Bank, wanted: Collection) -> Collection | Refusal:
    return await bank.call(collect, wanted, today=TODAY, by="a test")


async def stands(bank: Bank, wanted: Collection) -> tuple[CollectionStatus, str | None]:
    async with bank.database.reading() as tx:
        found = next(each for each in await collections(tx, wanted.mandate) if each.id == wanted.id)
    return found.status, found.reason


async def test_a_mandate_is_given_once_and_cancelled(bank: Bank) -> None:
    new = given()
    for _ in range(2):
        assert code(await bank.call(give_mandate, new, by="a test")) is MandateStatus.ACTIVE
    assert code(await bank.call(give_mandate, replace(new, debtor=BOB), by="a test")) is PaymentsRefusal.ID_REUSED
    wanted = asked(new.id)
    await ask_for(bank, wanted)
    for _ in range(2):
        assert code(await bank.call(cancel_mandate, new.id, today=TODAY)) is MandateStatus.CANCELLED
    assert code(await bank.call(cancel_mandate, uuid4(), today=TODAY)) is PaymentsRefusal.MANDATE_NOT_FOUND
    assert code(await ask_for(bank, asked(new.id))) is PaymentsRefusal.MANDATE_CANCELLED
    assert await run_direct_debits(bank.database, TODAY) == Run(refused=1)
    assert await stands(bank, wanted) == (CollectionStatus.REFUSED, PaymentsRefusal.MANDATE_CANCELLED.value)
    async with bank.database.reading() as tx:
        assert await mandate(tx, new.id) == new
        assert [each.id for each in await mandates_page(tx, debtor=ANN, limit=9)] == [new.id]
        assert await mandates_page(tx, debtor=BOB, limit=9) == []


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"asset": "C" * 17}, PaymentsRefusal.TEXT_MALFORMED),
        ({"creditor_name": "\0"}, PaymentsRefusal.TEXT_MALFORMED),
        ({"reference": "x" * 141}, PaymentsRefusal.TEXT_MALFORMED),
        ({"amount_max_minor": 1 << 64}, PaymentsRefusal.AMOUNT_OUT_OF_RANGE),
        ({"creditor": -1}, PaymentsRefusal.ACCOUNT_MALFORMED),
        ({"creditor": ANN}, PaymentsRefusal.SAME_ACCOUNT),
        ({"until": TODAY - DAY}, PaymentsRefusal.SCHEDULE_MALFORMED),
        ({"refund_days": 401}, PaymentsRefusal.SCHEDULE_MALFORMED),
    ],
)
async def test_what_cannot_be_a_mandate_is_refused(bank: Bank, changes: dict[str, Any], refusal: object) -> None:
    assert code(await bank.call(give_mandate, given(**changes), by="a test")) is refusal


async def test_a_collection_keeps_to_its_mandate(bank: Bank) -> None:
    new = given(until=TODAY + 90 * DAY)
    await bank.call(give_mandate, new, by="a test")
    refused: list[tuple[Collection, object]] = [
        (asked(new.id, remittance="\0"), PaymentsRefusal.TEXT_MALFORMED),
        (asked(new.id, amount_minor=-1), PaymentsRefusal.AMOUNT_OUT_OF_RANGE),
        (asked(new.id, due_on=date.max), PaymentsRefusal.SCHEDULE_MALFORMED),
        (asked(uuid4()), PaymentsRefusal.MANDATE_NOT_FOUND),
        (asked(new.id, amount_minor=5_001), PaymentsRefusal.COLLECTION_EXCEEDS_MANDATE),
        (asked(new.id, due_on=TODAY - DAY), PaymentsRefusal.SCHEDULE_MALFORMED),
        (asked(new.id, due_on=TODAY + 91 * DAY), PaymentsRefusal.SCHEDULE_MALFORMED),
    ]
    for wanted, refusal in refused:
        assert code(await ask_for(bank, wanted)) is refusal
    first = asked(new.id, due_on=TODAY + 3 * DAY)
    for _ in range(2):
        assert code(await ask_for(bank, first)) is CollectionStatus.REQUESTED
    assert code(await ask_for(bank, replace(first, amount_minor=1))) is PaymentsRefusal.ID_REUSED
    assert code(await ask_for(bank, asked(new.id))) is PaymentsRefusal.COLLECTION_TOO_SOON
    assert code(await ask_for(bank, asked(new.id, due_on=date(2026, 4, 2)))) is CollectionStatus.REQUESTED


async def test_of_rivals_for_one_period_one_is_taken(bank: Bank) -> None:
    new = given()
    await bank.call(give_mandate, new, by="a test")
    answers = await asyncio.gather(*(ask_for(bank, asked(new.id)) for _ in range(5)))
    assert [code(answer) for answer in answers].count(CollectionStatus.REQUESTED) == 1
    assert [code(answer) for answer in answers].count(PaymentsRefusal.COLLECTION_TOO_SOON) == 4


async def test_collections_are_run_once_and_refused_without_funds(bank: Bank) -> None:
    wanted = []
    for debtor in (ANN, BOB, POOR):
        new = given(debtor)
        await bank.call(give_mandate, new, by="a test")
        wanted.append(asked(new.id))
        await ask_for(bank, wanted[-1])
    assert await run_direct_debits(bank.database, TODAY - DAY) == Run()
    runs = await asyncio.gather(
        *(run_direct_debits(bank.database, TODAY, partition=part, partitions=2, batch=1) for part in (0, 1, 0, 1))
    )
    assert (sum(run.paid for run in runs), sum(run.refused for run in runs)) == (2, 1)
    assert await bank.balances(ANN, BOB, SHOP) == [996_000, 46_000, 208_000]
    assert await stands(bank, wanted[2]) == (CollectionStatus.REFUSED, LedgerRefusal.INSUFFICIENT_FUNDS.value)


async def test_the_payer_may_refuse_beforehand_and_have_it_back_afterwards(bank: Bank) -> None:
    new = given()
    await bank.call(give_mandate, new, by="a test")
    unwanted, taken = asked(new.id), asked(new.id)

    async def refuse(id: UUID) -> object:
        return code(await bank.call(refuse_collection, new.id, id, today=TODAY))

    async def refund(id: UUID, day: date) -> object:
        return code(await bank.call(refund_collection, new.id, id, today=day))

    await ask_for(bank, unwanted)
    assert [await refuse(unwanted.id), await refuse(unwanted.id)] == [CollectionStatus.REFUSED] * 2
    assert await stands(bank, unwanted) == (CollectionStatus.REFUSED, "payer")
    await ask_for(bank, taken)
    assert await refund(taken.id, TODAY) is PaymentsRefusal.STATUS_CONFLICT
    await run_direct_debits(bank.database, TODAY)
    assert await refuse(taken.id) is PaymentsRefusal.STATUS_CONFLICT
    assert await refuse(uuid4()) is PaymentsRefusal.COLLECTION_NOT_FOUND
    assert await refund(uuid4(), TODAY) is PaymentsRefusal.COLLECTION_NOT_FOUND
    assert await refund(taken.id, TODAY + 11 * DAY) is PaymentsRefusal.REFUND_TOO_LATE
    for _ in range(2):
        assert await refund(taken.id, TODAY + 10 * DAY) is CollectionStatus.REFUNDED
    assert await bank.balances(ANN, SHOP) == [1_000_000, 200_000]


async def test_a_refund_needs_the_creditors_money(bank: Bank) -> None:
    new = given(creditor=POOR)
    await bank.call(give_mandate, new, by="a test")
    taken = asked(new.id)
    await ask_for(bank, taken)
    await run_direct_debits(bank.database, TODAY)
    await bank.call(transfer, ask(POOR, BOB, 4_000), today=TODAY, by="a test")
    answer = await bank.call(refund_collection, new.id, taken.id, today=TODAY)
    assert code(answer) is LedgerRefusal.INSUFFICIENT_FUNDS
    assert (await stands(bank, taken))[0] is CollectionStatus.COLLECTED
