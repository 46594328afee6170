"""Direct debits of creditors at other banks: named by their mandate, taken on their day, told of, refused, refunded."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from eastflow.kernel import Refusal
from eastflow.ledger import LedgerRefusal, Status
from eastflow.ledger.actions import change_status

from .. import (
    Collection,
    CollectionStatus,
    Endpoint,
    Frequency,
    IncomingCollection,
    Mandate,
    Outside,
    PaymentsRefusal,
    PaymentStatus,
    Run,
    collection,
    mandate,
    payment,
)
from ..actions import (
    apply_status,
    cancel_mandate,
    collect,
    give_mandate,
    mark_sent,
    recall,
    receive_collection,
    receive_return,
    refund_collection,
    refuse_collection,
    run_direct_debits,
    transfer,
)
from ..conftest import ANN, BOB, POOR, TODAY, Bank, ask
from ..model import Outgoing, OutgoingKind
from ..store import outgoing_page
from ..transfers.actions import CLEARING
from .decide import payment_of

DAY = timedelta(days=1)
POWER = Outside("CZ6508000000192000145399", "OTHRBANK", "CZ98ZZZ17", date(2026, 2, 1))
SAME = {"reference": "M-17", "creditor_id": "CZ98ZZZ17"}


def given(**changes: Any) -> Mandate:
    told: dict[str, Any] = {"id": uuid4(), "debtor": ANN, "creditor": None, "creditor_name": "City Power"}
    told |= {"amount_max_minor": 5_000, "asset": "CZK", "first_on": TODAY, "frequency": Frequency.MONTHLY}
    return Mandate(**(told | {"refund_days": 10, "reference": "M-17", "outside": POWER} | changes))


def told(**changes: Any) -> IncomingCollection:
    asked: dict[str, Any] = {"uetr": uuid4(), "debtor": ANN, "amount_minor": 4_000, "asset": "CZK", "due_on": TODAY}
    asked |= {"creditor": Endpoint("City Power", POWER.account, "OTHRBANK"), "end_to_end_id": "E-1", **SAME}
    return IncomingCollection(**(asked | changes))


def code(answer: object) -> object:
    return answer.code if isinstance(answer, Refusal) else getattr(answer, "status", answer)


async def receive(bank: Bank, asked: IncomingCollection, today: date = TODAY) -> object:
    return code(await bank.call(receive_collection, asked, today=today))


async def waiting(bank: Bank, on: date = TODAY) -> list[tuple[OutgoingKind, str | None, PaymentStatus]]:
    async with bank.database.reading() as tx:
        found: list[Outgoing] = await outgoing_page(tx, on=on, limit=9)
    return [(each.kind, each.reason, each.payment.status) for each in found]


async def stands(bank: Bank, mandate: UUID, id: UUID) -> tuple[CollectionStatus, str | None]:
    async with bank.database.reading() as tx:
        found = await collection(tx, mandate, id)
    assert found is not None
    return found.status, found.reason


async def test_a_mandate_of_a_creditor_elsewhere_is_one_by_its_name(bank: Bank) -> None:
    new = given()
    for _ in range(2):
        assert not isinstance(await bank.call(give_mandate, new, by="a test"), Refusal)
    async with bank.database.reading() as tx:
        assert await mandate(tx, new.id) == new
    other = given(debtor=BOB)
    assert code(await bank.call(give_mandate, other, by="a test")) is PaymentsRefusal.ID_REUSED
    answers = await asyncio.gather(
        *(bank.call(give_mandate, given(reference="M-18", debtor=each), by="a test") for each in (ANN, BOB, POOR))
    )
    assert [code(answer) for answer in answers].count(PaymentsRefusal.ID_REUSED) == 2
    asked = Collection(uuid4(), new.id, 4_000, TODAY)
    refused = await bank.call(collect, asked, today=TODAY, by="a test")
    assert code(refused) is PaymentsRefusal.MANDATE_NOT_FOUND, "its creditor collects by the bank that it has"


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"reference": ""}, PaymentsRefusal.TEXT_MALFORMED),
        ({"reference": "x" * 36}, PaymentsRefusal.TEXT_MALFORMED),
        ({"outside": replace(POWER, creditor_id="\0")}, PaymentsRefusal.TEXT_MALFORMED),
        ({"outside": replace(POWER, account="x" * 35)}, PaymentsRefusal.TEXT_MALFORMED),
        ({"outside": replace(POWER, bank="")}, PaymentsRefusal.TEXT_MALFORMED),
        ({"creditor": BOB}, PaymentsRefusal.ACCOUNT_MALFORMED),
        ({"outside": None}, PaymentsRefusal.ACCOUNT_MALFORMED),
    ],
)
async def test_what_cannot_be_such_a_mandate_is_refused(bank: Bank, changes: dict[str, Any], refusal: object) -> None:
    assert code(await bank.call(give_mandate, given(**changes), by="a test")) is refusal


async def test_what_is_due_today_is_taken_once(bank: Bank) -> None:
    new, asked, total = given(), told(), await bank.total()
    await bank.call(give_mandate, new, by="a test")
    answers = await asyncio.gather(*(receive(bank, asked) for _ in range(4)))
    assert answers == [CollectionStatus.COLLECTED] * 4
    assert await receive(bank, asked, TODAY + 3 * DAY) is CollectionStatus.COLLECTED
    assert await receive(bank, replace(asked, amount_minor=1)) is PaymentsRefusal.ID_REUSED
    assert await bank.balances(ANN, CLEARING) == [996_000, -4_000]
    assert await bank.total() == total
    assert await waiting(bank) == [], "the answer was given at once, and nothing is sent to pay it"
    async with bank.database.reading() as tx:
        made = await collection(tx, new.id, asked.uetr)
        assert made is not None
        paid = await payment(tx, payment_of(made))
    assert paid is not None
    assert (paid.status, paid.uetr, paid.end_to_end_id) == (PaymentStatus.SETTLED, asked.uetr, "E-1")
    assert paid.creditor == Endpoint("City Power", POWER.account, "OTHRBANK")
    # It has its own way back: no recall, no return and no status of another message touches it.
    assert code(await bank.call(recall, paid.id, "DUPL", today=TODAY, by="x")) is PaymentsRefusal.STATUS_CONFLICT
    came_back = await bank.call(receive_return, asked.uetr, 4_000, "CZK", "AC04", today=TODAY)
    assert code(came_back) is PaymentsRefusal.PAYMENT_NOT_FOUND
    status = await bank.call(apply_status, asked.uetr, PaymentStatus.REJECTED, "AC04", today=TODAY)
    assert code(status) is PaymentsRefusal.PAYMENT_NOT_FOUND


async def test_what_the_mandate_does_not_allow_is_refused_and_moves_nothing(bank: Bank) -> None:
    await bank.call(give_mandate, given(until=TODAY + 90 * DAY), by="a test")
    end = told().creditor
    refused: list[tuple[dict[str, Any], object]] = [
        ({"reference": "M-18"}, PaymentsRefusal.MANDATE_NOT_FOUND),
        ({"reference": "M-17\0"}, PaymentsRefusal.MANDATE_NOT_FOUND),
        ({"creditor_id": "CZ98ZZZ18"}, PaymentsRefusal.MANDATE_NOT_FOUND),
        ({"debtor": BOB}, PaymentsRefusal.MANDATE_NOT_FOUND),
        ({"creditor": replace(end, bank="EVILBANK")}, PaymentsRefusal.MANDATE_NOT_FOUND),
        ({"creditor": replace(end, account="17")}, PaymentsRefusal.MANDATE_NOT_FOUND),
        ({"asset": "EUR"}, LedgerRefusal.ASSET_DIFFERS),
        ({"remittance": "\0"}, PaymentsRefusal.TEXT_MALFORMED),
        ({"end_to_end_id": "x" * 36}, PaymentsRefusal.TEXT_MALFORMED),
        ({"amount_minor": 1 << 64}, PaymentsRefusal.AMOUNT_OUT_OF_RANGE),
        ({"amount_minor": 5_001}, PaymentsRefusal.COLLECTION_EXCEEDS_MANDATE),
        ({"due_on": TODAY - DAY}, PaymentsRefusal.SCHEDULE_MALFORMED),
        ({"due_on": TODAY + 91 * DAY}, PaymentsRefusal.SCHEDULE_MALFORMED),
    ]
    for changes, refusal in refused:
        assert await receive(bank, told(**changes)) is refusal, changes
    assert await bank.balances(ANN, CLEARING) == [1_000_000, 0]
    same = replace(end, account="", bank="OTHRBANKXXX")
    assert await receive(bank, told(creditor=same)) is CollectionStatus.COLLECTED
    assert await receive(bank, told()) is PaymentsRefusal.COLLECTION_TOO_SOON


@pytest.mark.parametrize(
    ("debtor", "status", "reason"),
    [
        (POOR, Status.OPEN, LedgerRefusal.INSUFFICIENT_FUNDS),
        (ANN, Status.FROZEN, LedgerRefusal.ACCOUNT_FROZEN),
        (POOR, Status.CLOSED, LedgerRefusal.ACCOUNT_CLOSED),
    ],
)
async def test_what_the_account_cannot_pay_is_refused_on_its_day(
    bank: Bank, debtor: int, status: Status, reason: LedgerRefusal
) -> None:
    new, asked = given(debtor=debtor), told(debtor=debtor)
    await bank.call(give_mandate, new, by="a test")
    await bank.call(change_status, debtor, status)
    for _ in range(2):
        assert await receive(bank, asked) is CollectionStatus.REFUSED
    assert await stands(bank, new.id, asked.uetr) == (CollectionStatus.REFUSED, reason.value)
    assert await bank.balance(CLEARING) == 0
    # Refused, it has not used up its period: another may come.
    await bank.call(change_status, debtor, Status.OPEN) if status is Status.FROZEN else None
    later = await receive(bank, told(debtor=debtor))
    assert later is (CollectionStatus.COLLECTED if status is Status.FROZEN else CollectionStatus.REFUSED)


async def test_what_is_due_later_waits_and_its_bank_is_told_on_its_day(bank: Bank) -> None:
    new, rich, poor = given(), given(reference="M-2"), given(reference="M-3", debtor=POOR)
    for each in (new, rich, poor):
        await bank.call(give_mandate, each, by="a test")
    later = TODAY + 2 * DAY
    cancelled = told(due_on=later)
    taken, unpaid = (told(due_on=later, reference="M-2"), told(due_on=later, reference="M-3", debtor=POOR))
    for asked in (cancelled, taken, unpaid):
        for _ in range(2):
            assert await receive(bank, asked) is CollectionStatus.REQUESTED
    await bank.call(cancel_mandate, new.id, today=TODAY)
    assert await run_direct_debits(bank.database, later - DAY) == Run()
    runs = await asyncio.gather(*(run_direct_debits(bank.database, later) for _ in range(2)))
    assert sum((each.paid for each in runs), 0) == 1
    assert await run_direct_debits(bank.database, later) == Run()
    assert await receive(bank, taken, later) is CollectionStatus.COLLECTED
    assert await bank.balances(ANN, CLEARING) == [996_000, -4_000]
    kind = OutgoingKind.COLLECTION_ANSWER
    assert sorted(await waiting(bank, later), key=str) == [
        (kind, "AM04", PaymentStatus.REJECTED),
        (kind, "MD01", PaymentStatus.REJECTED),
        (kind, None, PaymentStatus.SETTLED),
    ]


async def test_the_payer_refuses_beforehand_and_the_creditors_bank_is_told(bank: Bank) -> None:
    new, asked = given(), told(due_on=TODAY + DAY)
    await bank.call(give_mandate, new, by="a test")
    await receive(bank, asked)
    answers = await asyncio.gather(*(bank.call(refuse_collection, new.id, asked.uetr, today=TODAY) for _ in range(3)))
    assert [code(each) for each in answers] == [CollectionStatus.REFUSED] * 3
    assert await waiting(bank) == [(OutgoingKind.COLLECTION_ANSWER, "MS02", PaymentStatus.REJECTED)]
    assert await receive(bank, asked) is CollectionStatus.REFUSED
    assert await run_direct_debits(bank.database, TODAY + DAY) == Run()
    assert await bank.balances(ANN, CLEARING) == [1_000_000, 0]


async def test_a_refund_goes_back_by_a_return(bank: Bank) -> None:
    new, asked, total = given(), told(), await bank.total()
    await bank.call(give_mandate, new, by="a test")
    await receive(bank, asked)

    async def refund(day: date) -> object:
        return code(await bank.call(refund_collection, new.id, asked.uetr, today=day))

    assert await refund(TODAY + 11 * DAY) is PaymentsRefusal.REFUND_TOO_LATE
    assert await asyncio.gather(*(refund(TODAY + 10 * DAY) for _ in range(3))) == [CollectionStatus.REFUNDED] * 3
    assert await bank.balances(ANN, CLEARING) == [1_000_000, 0]
    assert await bank.total() == total
    [(kind, reason, status)] = await waiting(bank, TODAY + 10 * DAY)
    assert (kind, reason, status) == (OutgoingKind.RETURN, "MD06", PaymentStatus.RETURNED)
    async with bank.database.reading() as tx:
        [sent] = await outgoing_page(tx, on=TODAY + 10 * DAY, limit=9)
    for _ in range(2):
        assert not isinstance(await bank.call(mark_sent, sent.id, "M1", today=TODAY), Refusal)
    assert await bank.balances(ANN, CLEARING) == [1_000_000, 0], "the payer has had it already"
    assert await receive(bank, asked) is CollectionStatus.REFUNDED
    await bank.call(transfer, ask(ANN, BOB, 1_000_000), today=TODAY, by="a test")
    assert await receive(bank, told()) is CollectionStatus.REFUSED
