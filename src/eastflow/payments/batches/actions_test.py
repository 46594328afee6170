"""Files on a real database: each line judged, all or each, one debit or many, resumed, and handed in twice."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from eastflow.customers import Channel
from eastflow.kernel import Refusal
from eastflow.ledger import LedgerRefusal, Status, verify
from eastflow.ledger.actions import change_status

from .. import (
    Batch,
    BatchFile,
    BatchLine,
    BatchStatus,
    Endpoint,
    Limit,
    Line,
    LineStatus,
    PaymentsRefusal,
    batch_lines,
    batches_page,
    read_csv,
    read_json,
)
from ..actions import run_batch, set_limit, submit_batch
from ..conftest import ANN, BOB, FROZEN, POOR, SHOP, TODAY, Bank, to
from ..transfers.actions import CLEARING, SUSPENSE
from . import actions

GOOD = (Line(to(BOB, name="Bob"), 1_000, "March"), Line(to(SHOP), 2_000), Line(to("87144583", "YZ"), 3_000))
BAD = (Line(to(4711), 100), Line(to(FROZEN), 100), Line(Endpoint("a\0", "1"), 100), Line(to(BOB), 0))


def file(lines: tuple[Line, ...] = GOOD, **changes: Any) -> BatchFile:
    given: dict[str, Any] = {"id": uuid4(), "debtor": ANN, "asset": "CZK", "channel": Channel.API}
    return BatchFile(lines=lines, **(given | changes))


async def submit(bank: Bank, handed: BatchFile) -> Batch | Refusal:
    return await bank.call(submit_batch, handed, today=TODAY, by="a test")


async def run(bank: Bank, handed: BatchFile, chunk: int = 2) -> Batch | Refusal:
    assert isinstance(await submit(bank, handed), Batch)
    return await run_batch(bank.database, handed.id, today=TODAY, chunk=chunk, clock=bank.clock)


async def lines_of(bank: Bank, handed: BatchFile) -> list[BatchLine]:
    async with bank.database.reading() as tx:
        return await batch_lines(tx, handed.id, limit=10_000)


def code(answer: object) -> object:
    return answer.code if isinstance(answer, Refusal) else getattr(answer, "status", answer)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("one_debit", [False, True])
async def test_a_file_is_paid_once_in_each_manner(bank: Bank, whole: bool, one_debit: bool) -> None:
    handed = file(whole=whole, one_debit=one_debit)
    answers = [await run(bank, handed) for _ in range(2)]
    assert answers[0] == answers[1]
    assert code(answers[0]) is BatchStatus.DONE
    assert await bank.balances(ANN, BOB, SHOP, CLEARING, SUSPENSE) == [994_000, 51_000, 202_000, -3_000, 0]
    assert [line.status for line in await lines_of(bank, handed)] == [LineStatus.PAID] * 3
    async with bank.database.reading() as tx:
        assert [each.id for each in await batches_page(tx, debtor=ANN, limit=9)] == [handed.id]
        assert (await verify(tx)).proved


@pytest.mark.parametrize("one_debit", [False, True])
async def test_each_line_by_itself_is_paid_or_refused(bank: Bank, one_debit: bool) -> None:
    handed = file((GOOD[0], *BAD, GOOD[1]), one_debit=one_debit)
    assert code(await run(bank, handed)) is BatchStatus.DONE
    assert await bank.balances(ANN, BOB, SHOP, SUSPENSE) == [997_000, 51_000, 202_000, 0]
    assert [line.reason for line in await lines_of(bank, handed)] == [
        None,
        LedgerRefusal.ACCOUNT_NOT_FOUND.value,
        LedgerRefusal.ACCOUNT_FROZEN.value,
        PaymentsRefusal.TEXT_MALFORMED.value,
        PaymentsRefusal.AMOUNT_OUT_OF_RANGE.value,
        None,
    ]


@pytest.mark.parametrize("one_debit", [False, True])
@pytest.mark.parametrize("bad", BAD[1:])
async def test_all_lines_or_none(bank: Bank, bad: Line, one_debit: bool) -> None:
    handed = file((*GOOD, bad), whole=True, one_debit=one_debit)
    answer = await run(bank, handed)
    assert isinstance(answer, Batch)
    assert (answer.status, answer.reason) == (BatchStatus.REFUSED, PaymentsRefusal.LINE_REFUSED.value)
    assert await bank.balances(ANN, BOB, SHOP, SUSPENSE) == [1_000_000, 50_000, 200_000, 0]
    assert [line.status for line in await lines_of(bank, handed)] == [LineStatus.PENDING] * 3 + [LineStatus.REFUSED]


async def test_one_debit_needs_the_money_and_the_limit_for_all(bank: Bank) -> None:
    poor = await run(bank, file(debtor=POOR, one_debit=True))
    await bank.call(set_limit, Limit(None, None, "CZK", per_day_minor=5_999))
    limited = await run(bank, file(one_debit=True))
    assert isinstance(poor, Batch)
    assert isinstance(limited, Batch)
    assert poor.reason == LedgerRefusal.INSUFFICIENT_FUNDS.value
    assert limited.reason == PaymentsRefusal.DAY_LIMIT_EXCEEDED.value
    each = file(duplicate_confirmed=True)
    assert code(await run(bank, each)) is BatchStatus.DONE
    assert [line.status for line in await lines_of(bank, each)] == [
        LineStatus.PAID,
        LineStatus.PAID,
        LineStatus.REFUSED,
    ]


async def test_a_line_that_is_refused_uses_up_no_limit_of_those_after_it(bank: Bank) -> None:
    await bank.call(set_limit, Limit(None, None, "CZK", per_day_minor=1_000))
    handed = file((Line(to(4711), 900), Line(to(BOB), 800), Line(to(SHOP), 300), Line(to(SHOP), 200)))
    assert code(await run(bank, handed, chunk=10)) is BatchStatus.DONE
    assert [line.reason for line in await lines_of(bank, handed)] == [
        LedgerRefusal.ACCOUNT_NOT_FOUND.value,
        None,
        PaymentsRefusal.DAY_LIMIT_EXCEEDED.value,
        None,
    ]


async def test_what_cannot_go_back_to_a_frozen_payer_stays_on_suspense(bank: Bank) -> None:
    handed = file((GOOD[0], BAD[0]), one_debit=True)
    await submit(bank, handed)
    await bank.database.run(lambda tx: actions._step(tx, handed.id, TODAY, 1, bank.clock))
    await bank.call(change_status, ANN, Status.FROZEN)
    assert code(await run(bank, handed)) is BatchStatus.DONE
    assert await bank.balances(ANN, BOB, SUSPENSE) == [998_900, 51_000, 100]


async def test_a_file_is_told_apart_by_its_id_and_its_content(bank: Bank) -> None:
    handed = file()
    for _ in range(2):
        assert code(await submit(bank, handed)) is BatchStatus.RECEIVED
    assert code(await submit(bank, replace(handed, lines=GOOD[:1]))) is PaymentsRefusal.ID_REUSED
    again = replace(handed, id=uuid4())
    assert code(await submit(bank, again)) is PaymentsRefusal.DUPLICATE
    assert code(await submit(bank, replace(again, duplicate_confirmed=True))) is BatchStatus.RECEIVED
    missing = await run_batch(bank.database, uuid4(), today=TODAY)
    assert code(missing) is PaymentsRefusal.BATCH_NOT_FOUND
    for changes, refusal in (
        ({"debtor": 0}, PaymentsRefusal.ACCOUNT_MALFORMED),
        ({"lines": ()}, PaymentsRefusal.LINES_OUT_OF_RANGE),
        ({"lines": GOOD * 3_334}, PaymentsRefusal.LINES_OUT_OF_RANGE),
        ({"asset": "C\0"}, PaymentsRefusal.TEXT_MALFORMED),
        ({"scheme": ""}, PaymentsRefusal.TEXT_MALFORMED),
        ({"lines": (Line(to(BOB), (1 << 63) - 1),) * 2}, PaymentsRefusal.AMOUNT_OUT_OF_RANGE),
    ):
        assert code(await submit(bank, file(**changes))) is refusal


async def test_of_rival_files_one_is_taken_and_paid_once(bank: Bank) -> None:
    answers = await asyncio.gather(*(submit(bank, file()) for _ in range(4)))
    assert [code(answer) for answer in answers].count(PaymentsRefusal.DUPLICATE) == 3
    [taken] = [answer for answer in answers if isinstance(answer, Batch)]
    runs = await asyncio.gather(*(run_batch(bank.database, taken.id, today=TODAY, chunk=1) for _ in range(4)))
    assert [code(each) for each in runs] == [BatchStatus.DONE] * 4
    assert await bank.balance(ANN) == 994_000


async def test_a_run_that_was_stopped_goes_on(bank: Bank) -> None:
    handed = file(tuple(Line(to(BOB), 10, str(number)) for number in range(60)), one_debit=True)
    await submit(bank, handed)
    for _ in range(3):
        await bank.database.run(lambda tx: actions._step(tx, handed.id, TODAY, 20, bank.clock))
    assert await bank.balances(ANN, BOB) == [999_400, 50_400]
    assert code(await run(bank, handed, chunk=20)) is BatchStatus.DONE
    assert await bank.balances(ANN, BOB) == [999_400, 50_600]


def test_a_file_is_read_from_csv_and_json() -> None:
    text = (
        "creditor_name,creditor_account,creditor_bank,amount_minor,remittance\n"
        "Bob,1002,,1000,March\n\n,87144583,YZ,3000,\n,1003,,12.50,\n"
    )
    lines = read_csv(text)
    assert lines == (
        Line(to(1002, name="Bob"), 1_000, "March"),
        Line(to("87144583", "YZ"), 3_000),
        Line(to(1003), 0),
    )
    assert read_csv("\ufeff" + text) == lines
    rows = [{"creditor_name": "Bob", "creditor_account": 1002, "amount_minor": 1_000, "remittance": "March"}]
    assert read_json(json.dumps(rows)) == lines[:1]


@pytest.mark.parametrize(
    "text", ["", "a,b\n", "creditor_name,creditor_account\n", 'creditor_name,creditor_account,amount_minor\n"a\n', "["]
)
def test_what_is_no_file_is_refused(text: str) -> None:
    assert code(read_csv(text)) is PaymentsRefusal.FILE_MALFORMED
    assert code(read_json(text)) is PaymentsRefusal.FILE_MALFORMED


@pytest.mark.parametrize("text", ["{}", "[1]", '[{"amount_minor": 1}]', "[" * 100_000, "1" * 10_000])
def test_what_is_no_list_of_payments_is_refused(text: str) -> None:
    assert code(read_json(text)) is PaymentsRefusal.FILE_MALFORMED
