"""Texts about persons: none is plain in the tables, all are as told, old ones are sealed, shredded ones gone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eastflow.customers import Channel
from eastflow.kernel import Refusal
from eastflow.payments import (
    BatchFile,
    Collection,
    Endpoint,
    Frequency,
    Incoming,
    Line,
    Mandate,
    Outside,
    PaymentsRefusal,
    StandingOrder,
    batch_lines,
    collection,
    mandate,
    payment,
    remittances,
    standing_order,
)
from eastflow.payments.actions import (
    collect,
    give_mandate,
    receive_incoming,
    seal_plain_payments,
    set_up_order,
    shred_payments,
    submit_batch,
    transfer,
)
from eastflow.storage import Transaction

from ..batches.decide import content_hash
from ..conftest import ANN, BOB, TODAY, Bank, ask, to
from .decide import kept_since
from .masking import masked_collection, masked_line, masked_mandate, masked_order, masked_payment
from .store import TABLES

JAN = Endpoint("Jan Secretný", "CZ65secret399", "GIBACZPX")
TEXT = "secret rent"
PAID = ask(ANN, JAN, remittance=TEXT, end_to_end_id="secret-17")
SENT = Incoming(uuid4(), JAN, to(BOB, name="Bob Secret"), 700, "CZK", TEXT)
ORDER = StandingOrder(uuid4(), ANN, JAN, 5, "CZK", TODAY, Frequency.MONTHLY, remittance=TEXT)
GIVEN = Mandate(uuid4(), ANN, BOB, "Bob Secret", 900, "CZK", TODAY, Frequency.MONTHLY, reference=TEXT)
ABROAD = Outside("CZ65secret399", "GIBACZPX", "secret-19", TODAY, "Jan Secretný")
ELSEWHERE = Mandate(uuid4(), None, BOB, "", 900, "CZK", TODAY, Frequency.MONTHLY, reference=TEXT, outside=ABROAD)
ASKED = Collection(uuid4(), GIVEN.id, 8, TODAY, TEXT)
FILE = BatchFile(uuid4(), ANN, "CZK", (Line(JAN, 5, TEXT, "secret-18"), Line(JAN, 0, TEXT)), Channel.API)
FILE_HASH = content_hash(FILE)


async def do_all(bank: Bank) -> None:
    """Each verb that writes a text; again, it is known as the same."""
    for verb, told in (
        (transfer, PAID), (set_up_order, ORDER), (collect, ASKED), (submit_batch, FILE),
    ):  # fmt: skip
        if verb is collect:
            for each in (GIVEN, ELSEWHERE):
                await bank.call(give_mandate, each, by="a test")
        assert not isinstance(await bank.call(verb, told, today=TODAY, by="a test"), Refusal)
    assert not isinstance(await bank.call(receive_incoming, SENT, today=TODAY), Refusal)


async def everything(bank: Bank) -> str:
    """All rows of this room, and the entries it made, as text; bytes are shown as they are, where they are readable."""

    async def work(tx: Transaction) -> str:
        rows: list[Any] = []
        for table in (*(each.name for each in TABLES), "payments_batch", "payments_outgoing", "ledger_entry"):
            rows += await tx.rows(f"SELECT * FROM {table}")
        return "\n".join(str(dict(row)) for row in rows)

    return await bank.run(work)


async def found(bank: Bank) -> list[object]:
    async with bank.database.reading() as tx:
        lines = await batch_lines(tx, FILE.id, limit=9)
        paid = await payment(tx, PAID.id)
        assert paid is not None
        return [
            (paid.creditor, paid.remittance, paid.end_to_end_id),
            await remittances(tx, [PAID.id, uuid4()]),
            await standing_order(tx, ORDER.id),
            await mandate(tx, GIVEN.id),
            await mandate(tx, ELSEWHERE.id),
            await collection(tx, GIVEN.id, ASKED.id),
            [each.line for each in lines],
        ]


TOLD = [(JAN, TEXT, "secret-17"), {PAID.id: TEXT}, ORDER, GIVEN, ELSEWHERE, ASKED, list(FILE.lines)]


async def test_nothing_of_it_is_plain_and_all_is_found_again(bank: Bank) -> None:
    await do_all(bank)
    assert "ecret" not in await everything(bank)
    assert await found(bank) == TOLD
    await do_all(bank)
    other = await bank.call(transfer, replace(PAID, remittance="else"), today=TODAY, by="a test")
    assert isinstance(other, Refusal)
    assert other.code is PaymentsRefusal.ID_REUSED
    doubled = await bank.call(submit_batch, replace(FILE, id=uuid4()), today=TODAY, by="a test")
    assert isinstance(doubled, Refusal)
    assert doubled.code is PaymentsRefusal.DUPLICATE


async def test_what_was_kept_plain_is_sealed_in_steps_and_stays_known(bank: Bank) -> None:
    await do_all(bank)

    async def as_before(tx: Transaction) -> None:
        end: dict[str, str | None] = {
            "creditor_name": JAN.name,
            "creditor_account": JAN.account,
            "remittance": TEXT,
            "end_to_end_id": None,
        }
        debtor: dict[str, str | None] = {"debtor_name": "", "debtor_account": str(ANN), "end_to_end_id": "secret-17"}
        plain: dict[str, dict[str, str | None]] = {
            "payments_payment": end | debtor, "payments_order": end, "payments_line": end,
            "payments_mandate": {"creditor_name": "Bob Secret", "reference": TEXT},
            "payments_collection": {"remittance": TEXT},
        }  # fmt: skip
        for table in TABLES:
            texts = plain[table.name]
            set_to = ", ".join(f"{column} = ${number}" for number, column in enumerate(texts, 1))
            # Mandates with an end at another bank are younger than the sealing of texts.
            old = " WHERE outside_bank IS NULL" if table.name == "payments_mandate" else ""
            await tx.execute(f"UPDATE {table.name} SET sealed = NULL, {set_to}{old}", *texts.values())
        await tx.execute("UPDATE payments_line SET end_to_end_id = 'secret-18' WHERE number = 1")
        await tx.execute("UPDATE payments_batch SET keyed_hash = NULL, content_hash = $1", FILE_HASH)

    await bank.run(as_before)
    assert "ecret" in await everything(bank)

    async def step() -> int:
        return await bank.call(seal_plain_payments, limit=1)

    rivals = await asyncio.gather(step(), step())
    assert max(rivals) == 1
    while await step():
        pass
    assert "ecret" not in await everything(bank)
    assert await found(bank) == TOLD
    again = await bank.call(transfer, PAID, today=TODAY, by="a test")
    assert not isinstance(again, Refusal)
    doubled = await bank.call(submit_batch, replace(FILE, id=uuid4()), today=TODAY, by="a test")
    assert isinstance(doubled, Refusal)


async def test_a_month_is_shredded_when_the_law_has_kept_it_long_enough(bank: Bank) -> None:
    await do_all(bank)
    kept = kept_since(date(2036, 3, 31))
    assert kept == date(2026, 3, 1)
    assert await bank.call(shred_payments, today=date(2036, 3, 31)) == 0
    assert await bank.call(shred_payments, today=date(2036, 4, 1)) == 1
    async with bank.database.reading() as tx:
        tx.data_keys = None
        paid, order = await payment(tx, PAID.id), await standing_order(tx, ORDER.id)
        lines = await batch_lines(tx, FILE.id, limit=1)
    assert paid is not None
    assert (paid.amount_minor, paid.debtor, paid.creditor) == (1_000, to(ANN), Endpoint("", "", JAN.bank))
    assert (paid.remittance, lines[0].line.creditor.name) == ("", "")
    assert order == ORDER, "an order goes on, whenever it was set up"


def test_before_the_law_or_the_calendar_begins_nothing_is_shredded() -> None:
    assert [kept_since(day) for day in (date(1990, 1, 1), date.min)] == [None, None]


@pytest.mark.parametrize("own", [True, False])
async def test_masked_texts_tell_two_apart_and_no_more(bank: Bank, own: bool) -> None:
    end = to(BOB, name="Bob Secret") if own else JAN
    paid = await bank.call(transfer, ask(ANN, end, remittance=TEXT, payee_confirmed=True), today=TODAY, by="a test")
    assert not isinstance(paid, Refusal)
    shown = masked_payment(paid)
    expected = Endpoint("B**", str(BOB)) if own else Endpoint("J**", "****t399", JAN.bank)
    assert (shown.creditor, shown.debtor, shown.remittance) == (expected, to(ANN), "****")
    assert masked_payment(replace(paid, remittance="")).remittance == ""


async def test_orders_mandates_and_lines_are_masked_alike(bank: Bank) -> None:
    await do_all(bank)
    async with bank.database.reading() as tx:
        [line, _] = await batch_lines(tx, FILE.id, limit=2)
    mandates = masked_mandate(GIVEN), masked_mandate(ELSEWHERE)
    for shown in (masked_order(ORDER), *mandates, masked_collection(ASKED), masked_line(line)):
        assert TEXT not in repr(shown)
        assert "Secret" not in repr(shown)
        assert JAN.account not in repr(shown)
        assert ABROAD.creditor_id not in repr(shown)


@given(st.dates(min_value=date(2025, 1, 1)))
def test_what_is_kept_is_never_younger_than_the_law_says(today: date) -> None:
    since = kept_since(today)
    assert since is not None
    last_shredded = since - timedelta(days=1)
    assert (last_shredded.year + 10, last_shredded.month, last_shredded.day) < (today.year, today.month, today.day)
