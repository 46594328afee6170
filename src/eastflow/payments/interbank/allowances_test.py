"""What a classed account may move: to a bound account at another bank freely, and again what came back."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from eastflow import customers
from eastflow.customers import AccountClass, Channel, ClassedAccount, Document, DocumentKind, Element, ElementResult
from eastflow.customers.actions import (
    add_record,
    answer_verification,
    ask_verification,
    assign_class,
    grant_role,
)
from eastflow.kernel import Asset, Refusal
from eastflow.ledger import Account, Entry, Posting, Side
from eastflow.ledger.actions import define_asset, internal_account, open_accounts, post
from eastflow.storage import Transaction

from ..actions import give_mandate, receive_collection, refund_collection, run_batch, submit_batch, transfer
from ..batches.model import Batch, BatchFile, Line
from ..conftest import ANN, TODAY, Bank, ask, to
from ..debits.model import Collection, CollectionStatus, IncomingCollection, Mandate, Outside
from ..model import Incoming, Payment, PaymentStatus
from ..orders.model import Frequency
from .actions import apply_status, mark_sent, recall, receive_incoming

YUAN = 1009
BANK, BOUND, STRANGER = "ICBKCNBJ", "6222 0000", "6222 9999"


@pytest.fixture
async def second(bank: Bank) -> Bank:
    """Ann's account 1009 is of class II, opened in the app, and bound to one at another bank; it holds 50,000.00."""
    ann = bank.owners[ANN]

    async def work(tx: Transaction) -> None:
        await define_asset(tx, Asset("CNY", 2))
        await open_accounts(tx, [Account(YUAN, "CNY", Side.CREDIT, "liabilities:deposits:demand", TODAY)])
        cash = await internal_account(tx, "assets:cash", "CNY", Side.DEBIT, today=lambda: TODAY)
        assert isinstance(cash, int)
        legs = (Posting(cash, "CNY", -5_000_000), Posting(YUAN, "CNY", 5_000_000))
        await post(tx, [Entry(uuid4(), "cash", TODAY, legs)], clock=bank.clock, today=lambda: TODAY)
        await grant_role(tx, customers.Role(ann, YUAN, customers.RoleKind.OWNER, TODAY))
        await assign_class(tx, ClassedAccount(YUAN, ann, AccountClass.II, TODAY, Channel.APP), today=TODAY)
        await add_record(tx, ann, Document(DocumentKind.PASSPORT, "P1", "CN"), by="bo", today=TODAY)
        id = uuid4()
        await ask_verification(tx, id, YUAN, bank=BANK, other_account=BOUND, phone="138", by="app", today=TODAY)
        told = dict.fromkeys(Element, ElementResult.MATCHES)
        assert not isinstance(await answer_verification(tx, id, told, by="bo", today=TODAY), Refusal)

    await bank.run(work)
    return bank


async def used(bank: Bank) -> int:
    async def work(tx: Transaction) -> int:
        return (await customers.usage(tx, YUAN, customers.Direction.OUT, TODAY)).year_minor

    return await bank.run(work)


async def pay(bank: Bank, account: str, amount_minor: int) -> Payment:
    asked = ask(YUAN, to(account, BANK, "Ann"), amount_minor, "CNY")
    paid = await bank.call(transfer, asked, today=TODAY, by="ann")
    assert isinstance(paid, Payment), paid
    return paid


async def test_money_to_and_from_the_bound_account_is_not_counted(second: Bank) -> None:
    await pay(second, "62220000", 3_000_000)
    assert await used(second) == 0
    for account, status in ((BOUND, PaymentStatus.SETTLED), (STRANGER, PaymentStatus.ACCEPTED)):
        incoming = Incoming(uuid4(), to(account, BANK, "Ann"), to(YUAN), 2_000_000, "CNY")
        came = await second.call(receive_incoming, incoming, today=TODAY)
        assert isinstance(came, Payment)
        assert came.status is status, "staff have not seen her: only the bound account may pay in"
    asked = ask(YUAN, to(STRANGER, BANK, "Bo"), 1_000_001, "CNY")
    refused = await second.call(transfer, asked, today=TODAY, by="ann")
    assert isinstance(refused, Refusal)
    assert refused.code is customers.CustomersRefusal.DAY_LIMIT_EXCEEDED


async def test_what_comes_back_may_be_used_again(second: Bank) -> None:
    kept, rejected, recalled = [await pay(second, STRANGER, amount) for amount in (500_000, 300_000, 200_000)]
    free = await pay(second, BOUND, 100_000)
    tomorrow = TODAY + timedelta(days=1)
    assert await used(second) == 1_000_000
    for _ in range(2):
        assert not isinstance(await second.call(recall, recalled.id, "DUPL", today=tomorrow, by="ann"), Refusal)
    assert await used(second) == 800_000
    for payment in (rejected, free):
        await second.call(mark_sent, payment.id, payment.id.hex, today=TODAY)
        for _ in range(2):
            told = await second.call(apply_status, payment.uetr, PaymentStatus.REJECTED, "AC04", today=tomorrow)
            assert isinstance(told, Payment)
    assert await used(second) == kept.amount_minor


async def test_what_another_bank_collects_counts_until_it_is_back(second: Bank) -> None:
    outside = Outside(STRANGER, BANK, "CN17", TODAY)
    given = Mandate(
        uuid4(), YUAN, None, "Power", 2_000_000, "CNY", TODAY, Frequency.DAILY, reference="M-17", outside=outside
    )
    await second.call(give_mandate, given, by="ann")

    async def take(amount_minor: int) -> Collection:
        end = to(STRANGER, BANK, "Power")
        told = IncomingCollection(uuid4(), "M-17", "CN17", end, YUAN, amount_minor, "CNY", TODAY)
        taken = await second.call(receive_collection, told, today=TODAY)
        assert isinstance(taken, Collection), taken
        return taken

    assert (await take(1_000_001)).reason == customers.CustomersRefusal.DAY_LIMIT_EXCEEDED.value
    taken = await take(400_000)
    assert (taken.status, await used(second)) == (CollectionStatus.COLLECTED, 400_000)
    for _ in range(2):
        await second.call(refund_collection, given.id, taken.id, today=TODAY + timedelta(days=1))
    assert await used(second) == 0


async def test_what_is_left_of_a_batch_with_one_debit_may_be_used_again(second: Bank) -> None:
    lines = (Line(to(STRANGER, BANK), 400_000), Line(to(4711), 250_000), Line(to(STRANGER, BANK), 0, "no amount"))
    file = BatchFile(uuid4(), YUAN, "CNY", (*lines, Line(to(4712), 100_000)), Channel.API, one_debit=True)
    assert isinstance(await second.call(submit_batch, file, today=TODAY, by="ann"), Batch)
    for day in (TODAY, TODAY + timedelta(days=1)):
        await run_batch(second.database, file.id, today=day, clock=second.clock)
        assert await used(second) == 400_000
    left = ask(YUAN, to(STRANGER, BANK, "Ann"), 600_001, "CNY")
    refused = await second.call(transfer, left, today=TODAY, by="ann")
    assert isinstance(refused, Refusal)
    assert refused.code is customers.CustomersRefusal.DAY_LIMIT_EXCEEDED
    await pay(second, STRANGER, 600_000)
    assert await used(second) == 1_000_000
