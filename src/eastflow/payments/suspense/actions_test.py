"""Suspense: what stands there is its balance, and a person moves each item once, where it may go."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from eastflow.customers import Channel
from eastflow.kernel import Refusal
from eastflow.ledger import LedgerRefusal, Status
from eastflow.ledger.actions import INTERNAL_ACCOUNT_MIN, change_status
from eastflow.payments import (
    BatchFile,
    BatchStatus,
    Endpoint,
    Incoming,
    Line,
    Payment,
    PaymentsRefusal,
    PaymentStatus,
    SuspenseItem,
    SuspenseKind,
    payment,
    payments_page,
    suspense_item,
    suspense_page,
)
from eastflow.payments.actions import (
    answer_recall,
    clear_suspense,
    hold_outgoing,
    mark_sent,
    receive_incoming,
    receive_recall,
    receive_return,
    run_batch,
    submit_batch,
    transfer,
)
from eastflow.storage import Transaction

from ..batches.actions import _step
from ..conftest import ANN, BOB, FROZEN, POOR, SHOP, TERM, TODAY, Bank, ask, to
from ..decide import further_id
from ..store import outgoing_page
from ..transfers.actions import CLEARING, SUSPENSE

OTHER = Endpoint("Jan", "87144583", "YZ")


async def items(bank: Bank) -> list[SuspenseItem]:
    """What stands there, found to be the account's balance, page by page."""
    found: list[SuspenseItem] = []
    async with bank.database.reading() as tx:
        while page := await suspense_page(tx, after=found[-1].id if found else None, limit=1):
            found += page
    assert sum(each.amount_minor for each in found) == await bank.balance(SUSPENSE)
    return found


async def came_in(bank: Bank, creditor: str = "4711", amount_minor: int = 700) -> Payment:
    made = await bank.call(
        receive_incoming, Incoming(uuid4(), OTHER, to(creditor, name="Bob"), amount_minor, "CZK"), today=TODAY
    )
    assert isinstance(made, Payment)
    return made


async def came_back(bank: Bank, kept: int = 0) -> Payment:
    """Of Ann, whose account does not take it."""
    made = await bank.call(transfer, ask(ANN, OTHER, remittance=str(uuid4())), today=TODAY, by="a test")
    assert isinstance(made, Payment)
    await bank.call(mark_sent, made.id, "M", today=TODAY)
    await bank.call(change_status, ANN, Status.FROZEN)
    told = made.uetr, made.amount_minor - kept, "CZK", "AC04"
    back, again = await asyncio.gather(
        *(bank.call(receive_return, *told, charges_minor=kept, today=TODAY) for _ in range(2))
    )
    assert back == again
    await bank.call(change_status, ANN, Status.OPEN)
    assert isinstance(back, Payment)
    assert back.in_suspense
    return back


async def left_of_a_file(bank: Bank) -> UUID:
    """Of 300 in one debit, 100 is paid, and the payer's account, frozen meanwhile, does not take the rest."""
    file = BatchFile(uuid4(), ANN, "CZK", (Line(to(SHOP), 100), Line(to(4711), 200)), Channel.API, one_debit=True)
    await bank.call(submit_batch, file, today=TODAY, by="a test")
    for _ in range(2):
        await bank.run(lambda tx: _step(tx, file.id, TODAY, 500, bank.clock))
    await bank.call(change_status, ANN, Status.FROZEN)
    done = await run_batch(bank.database, file.id, today=TODAY, clock=bank.clock)
    await bank.call(change_status, ANN, Status.OPEN)
    assert not isinstance(done, Refusal)
    assert done.status is BatchStatus.DONE
    return file.id


async def clear(bank: Bank, id: UUID, account: int | None) -> object:
    answer = await bank.call(clear_suspense, id, account, today=TODAY)
    return answer.code if isinstance(answer, Refusal) else answer.kind


async def test_what_came_in_for_nobody_is_given_to_an_account(bank: Bank) -> None:
    made = await came_in(bank)
    assert await items(bank) == [SuspenseItem(made.id, SuspenseKind.INCOMING, 700, "CZK", TODAY)]
    answers = await asyncio.gather(*(clear(bank, made.id, BOB) for _ in range(3)))
    assert sorted(map(str, answers)) == sorted(
        map(str, [SuspenseKind.INCOMING, *[PaymentsRefusal.SUSPENSE_NOT_FOUND] * 2])
    )
    assert await items(bank) == []
    async with bank.database.reading() as tx:
        settled = await payment(tx, made.id)
        assert settled is not None
        assert await outgoing_page(tx, on=TODAY, limit=9) == [], "its return has left the queue"
        assert await payments_page(tx, account=BOB, limit=9) == [settled]
    assert (settled.status, settled.reason, settled.cleared_to) == (PaymentStatus.SETTLED, None, BOB)
    again = await bank.call(receive_incoming, Incoming(made.uetr, OTHER, made.creditor, 700, "CZK"), today=TODAY)
    assert again == settled
    # Its sender asks for it back: it is taken from who was given it, and does not go to another then.
    await bank.call(receive_recall, made.uetr, "DUPL", today=TODAY)
    assert not isinstance(await bank.call(answer_recall, made.id, None, today=TODAY), Refusal)
    assert await bank.balances(BOB, SUSPENSE) == [50_000, 700]
    assert await clear(bank, made.id, SHOP) is PaymentsRefusal.STATUS_CONFLICT
    await bank.call(mark_sent, further_id(made.id, "return"), "M", today=TODAY)
    assert await items(bank) == []


async def test_what_no_message_can_carry_waits_for_a_person_who_sends_it_back(bank: Bank) -> None:
    made = await came_in(bank)
    waiting = further_id(made.id, "return")
    for _ in range(2):
        assert not isinstance(await bank.call(hold_outgoing, waiting, "AM03"), Refusal)
    async with bank.database.reading() as tx:
        assert await outgoing_page(tx, on=TODAY, limit=9) == []
    assert [each.held_for for each in await items(bank)] == ["AM03"]
    assert await clear(bank, made.id, None) is SuspenseKind.INCOMING
    assert await items(bank) == []
    assert await bank.balance(CLEARING) == 0
    async with bank.database.reading() as tx:
        returned = await payment(tx, made.id)
    assert returned is not None
    assert returned.status is PaymentStatus.RETURNED
    late = await bank.call(hold_outgoing, waiting, "AM03")
    assert isinstance(late, Refusal)
    assert late.code is PaymentsRefusal.STATUS_CONFLICT
    for id, reason, expected in (
        (uuid4(), "AM03", PaymentsRefusal.OUTGOING_NOT_FOUND),
        (waiting, "\0", PaymentsRefusal.TEXT_MALFORMED),
    ):
        refused = await bank.call(hold_outgoing, id, reason)
        assert isinstance(refused, Refusal)
        assert refused.code is expected


@pytest.mark.parametrize("kept", [0, 30])
@pytest.mark.parametrize("account", [ANN, POOR])
async def test_what_came_back_goes_to_the_payer_or_to_another_account(bank: Bank, account: int, kept: int) -> None:
    back, total = await came_back(bank, kept), await bank.total()
    assert await items(bank) == [SuspenseItem(back.id, SuspenseKind.GIVEN_BACK, 1_000 - kept, "CZK", TODAY)]
    before = await bank.balance(account)
    assert await clear(bank, back.id, account) is SuspenseKind.GIVEN_BACK
    assert await items(bank) == []
    assert (await bank.balance(account), await bank.total()) == (before + 1_000 - kept, total)
    async with bank.database.reading() as tx:
        cleared = await payment(tx, back.id)
    assert cleared is not None
    assert (cleared.status, cleared.in_suspense, cleared.cleared_to) == (PaymentStatus.RETURNED, False, account)
    assert await clear(bank, back.id, account) is PaymentsRefusal.SUSPENSE_NOT_FOUND


async def test_what_is_left_of_a_file_is_given_to_an_account(bank: Bank) -> None:
    id = await left_of_a_file(bank)
    assert await items(bank) == [SuspenseItem(id, SuspenseKind.BATCH, 200, "CZK", TODAY)]
    assert await clear(bank, id, ANN) is SuspenseKind.BATCH
    assert await items(bank) == []
    assert await bank.balance(ANN) == 999_900


async def test_what_stood_there_before_it_was_listed_is_found_by_the_migration(bank: Bank) -> None:
    await came_in(bank)
    await came_in(bank, str(BOB))
    await came_back(bank)
    file = BatchFile(uuid4(), ANN, "CZK", (Line(to(SHOP), 100), Line(to(BOB), 200)), Channel.API, one_debit=True)
    await bank.call(submit_batch, file, today=TODAY, by="a test")
    for _ in range(2):
        await bank.run(lambda tx: _step(tx, file.id, TODAY, 1, bank.clock))
    before = await items(bank)
    assert sorted(each.amount_minor for each in before) == [200, 700, 1_000]
    migration = (Path(__file__).parents[1] / "schema.sql").read_text(encoding="utf-8")
    inserts = migration[migration.index("INSERT INTO payments_suspense") :].partition("-- version")[0]

    async def work(tx: Transaction) -> None:
        await tx.execute("DELETE FROM payments_suspense")
        await tx.execute(inserts)

    await bank.run(work)
    assert await items(bank) == before


async def test_what_cannot_be_moved_stays(bank: Bank) -> None:
    made, back = await came_in(bank), await came_back(bank)
    before = await items(bank)
    for id, account, expected in (
        (made.id, 0, PaymentsRefusal.ACCOUNT_MALFORMED),
        (made.id, 1 << 60, PaymentsRefusal.ACCOUNT_MALFORMED),
        (uuid4(), BOB, PaymentsRefusal.SUSPENSE_NOT_FOUND),
        (back.id, None, PaymentsRefusal.STATUS_CONFLICT),
        (made.id, 4711, LedgerRefusal.ACCOUNT_NOT_FOUND),
        (made.id, INTERNAL_ACCOUNT_MIN, LedgerRefusal.ACCOUNT_NOT_FOUND),
        (made.id, FROZEN, LedgerRefusal.ACCOUNT_FROZEN),
        (made.id, TERM, PaymentsRefusal.MOVES_BY_CONTRACT),
    ):
        assert await clear(bank, id, account) is expected
    assert await items(bank) == before
    async with bank.database.reading() as tx:
        assert await suspense_item(tx, back.id) in before
