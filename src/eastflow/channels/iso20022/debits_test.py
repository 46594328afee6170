"""Direct debits in messages: what another bank collects is taken, kept for its day, refused with a reason, returned."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from lxml import etree

from eastflow.kernel import Asset, Refusal
from eastflow.ledger.actions import define_asset
from eastflow.payments import Collection, CollectionStatus, Frequency, Mandate, Outside, collection
from eastflow.payments.actions import collect, give_mandate, refund_collection, refuse_collection, run_direct_debits
from eastflow.storage import Transaction

from .conftest import (
    NOW,
    OTHER_BANK,
    SETTINGS,
    TODAY,
    Bank,
    Paid,
    group_status,
    pacs002,
    pacs003,
    pacs004,
    pain001,
    texts,
    valid,
)
from .model import Direction
from .outgoing import write_waiting
from .store import messages

SHOP = Outside("87144583", OTHER_BANK, "CZ98ZZZ17", date(2025, 12, 1))
LATER = TODAY + timedelta(days=2)


async def given(bank: Bank, debtor: int = 1, reference: str = "M-17") -> UUID:
    new = Mandate(
        uuid4(), debtor, None, "City Power", 50_000, "CZK", TODAY, Frequency.MONTHLY, reference=reference, outside=SHOP
    )
    assert not isinstance(await bank.database.run(lambda tx: give_mandate(tx, new, by="a test")), Refusal)
    return new.id


def asked(amount: str = "10.00", uetr: UUID | None = None) -> Paid:
    return Paid(amount, "87144583", OTHER_BANK, uetr=uetr or uuid4())


async def written(bank: Bank, today: date = TODAY) -> list[etree._Element]:
    """What the bank has to tell by itself, each found valid."""
    await bank.database.run(lambda tx: write_waiting(tx, settings=SETTINGS, today=today, clock=lambda: NOW))
    async with bank.database.reading() as tx:
        found = await messages(tx, direction=Direction.SENT)
    return [valid(each.content) for each in found if each.answers is None]


def said(answer: etree._Element) -> tuple[list[str], list[str]]:
    return texts(answer, "TxSts"), texts(answer, "Cd")


async def test_what_is_due_is_taken_and_answered_once(bank: Bank) -> None:
    await given(bank)
    one = asked()
    raw = pacs003([one], id="C1")
    answers = [await bank.answer(raw) for _ in range(2)]
    assert [said(each) for each in answers] == [(["ACSC"], [])] * 2
    assert (texts(answers[0], "OrgnlMsgNmId"), texts(answers[0], "OrgnlUETR")) == (["pacs.003.001.08"], [str(one.uetr)])
    # In another message it is the same; with other content its UETR was used before.
    assert said(await bank.answer(pacs003([one]))) == (["ACSC"], [])
    assert said(await bank.answer(pacs003([replace(one, amount="10.01")]))) == (["RJCT"], ["DU03"])
    assert texts(await bank.answer(pacs003([asked()], id="C1")), "Cd") == ["DU01"]
    assert await bank.posted(1) == 99_000
    assert await written(bank) == []


async def test_rivals_with_one_collection_take_it_once(bank: Bank) -> None:
    await given(bank)
    one = asked()
    answers = await asyncio.gather(*(bank.answer(pacs003([one])) for _ in range(4)))
    assert [said(each) for each in answers] == [(["ACSC"], [])] * 4
    assert await bank.posted(1) == 99_000


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (pacs003([replace(asked(), uetr=None)]), "CH21"),
        (pacs003([asked()], reference=""), "MD02"),
        (pacs003([asked()], creditor_id=""), "MD02"),
        (pacs003([asked()], reference="M-18"), "MD01"),
        (pacs003([asked()], debtor="2"), "MD01"),
        (pacs003([asked()], debtor="CZ65"), "AC02"),
        (pacs003([replace(asked(), agent="EVILBANK")]), "MD01"),
        (pacs003([replace(asked(), currency="EUR")]), "AM03"),
        (pacs003([asked("500.01")]), "AM02"),
        (pacs003([asked("0")]), "AM01"),
        (pacs003([asked()], day="2026-01-04"), "DT01"),
        (pacs003([asked()], debtor="3", reference="M-3"), "AC04"),
        (pacs003([asked()]).replace("EASTFLOW", "ELSEWHER"), "AGNT"),
    ],
)
async def test_a_collection_refused_says_why(bank: Bank, message: str, reason: str) -> None:
    await given(bank)
    await given(bank, debtor=3, reference="M-3")
    assert said(await bank.answer(message)) == (["RJCT"], [reason])
    assert await bank.posted(1) == 100_000


async def test_of_one_period_one_is_taken_and_the_others_are_told_so(bank: Bank) -> None:
    await given(bank)
    answer = await bank.answer(pacs003([asked(), asked("1")]))
    assert (said(answer), texts(answer, "GrpSts")) == ((["ACSC", "RJCT"], ["MD05"]), ["PART"])
    refused = await bank.answer(pacs003([asked()]), sender="a company")
    assert texts(refused, "Cd") == ["AG08"]


async def test_what_is_due_later_is_told_of_on_its_day(bank: Bank) -> None:
    refused = await given(bank)
    await given(bank, 2, "M-2")
    unwanted, wanted = asked(), asked("5")
    for message in (
        pacs003([unwanted], day=str(LATER)),
        pacs003([wanted], day=str(LATER), debtor="2", reference="M-2"),
    ):
        answer = await bank.answer(message)
        assert said(answer) == (["ACCP"], ["NARR"])
        assert texts(answer, "AddtlInf") == ["to be paid on 2026-01-07"]
    assert await written(bank) == []
    assert unwanted.uetr is not None
    uetr = unwanted.uetr
    await bank.database.run(lambda tx: refuse_collection(tx, refused, uetr, today=TODAY, clock=lambda: NOW))
    [told] = await written(bank)
    assert (said(told), texts(told, "OrgnlUETR")) == ((["RJCT"], ["MS02"]), [str(uetr)])
    await run_direct_debits(bank.database, LATER, clock=lambda: NOW)
    [told] = [each for each in await written(bank, LATER) if texts(each, "OrgnlUETR") != [str(uetr)]]
    assert (said(told), texts(told, "OrgnlUETR")) == ((["ACSC"], []), [str(wanted.uetr)])
    assert [await bank.posted(account) for account in (1, 2)] == [100_000, 99_500]


async def test_a_refund_is_sent_as_a_return_and_its_refusal_undoes_nothing(bank: Bank) -> None:
    mandate, one = await given(bank), asked()
    await bank.answer(pacs003([one]))
    assert one.uetr is not None
    uetr = one.uetr
    for _ in range(2):
        await bank.database.run(lambda tx: refund_collection(tx, mandate, uetr, today=TODAY, clock=lambda: NOW))
    [sent] = await written(bank)
    assert (etree.QName(sent).namespace or "").endswith("pacs.004.001.10")
    assert (texts(sent, "OrgnlUETR"), texts(sent, "Cd"), texts(sent, "RtrdIntrBkSttlmAmt")) == (
        [str(uetr)],
        ["MD06"],
        ["10.00"],
    )
    await bank.send(group_status(texts(sent, "MsgId")[0], "pacs.004.001.10", "RJCT", "AG09"))
    assert await bank.posted(1) == 100_000
    assert said(await bank.answer(pacs003([one]))) == (["ACSC"], []), "it had been collected"


async def asked_of_another_bank(bank: Bank, amount_minor: int = 1_000, asset: str = "CZK") -> tuple[Collection, str]:
    """What customer 2 collects, and the UETR under which it left."""
    jan = Outside("CZ6508000000192000145399", OTHER_BANK, "CZ98ZZZ18", date(2025, 12, 1), "Jan Novák")
    given = Mandate(
        uuid4(), None, 2, "The Shop", 1 << 60, asset, TODAY, Frequency.MONTHLY, reference=uuid4().hex, outside=jan
    )
    wanted = Collection(uuid4(), given.id, amount_minor, TODAY, "power")

    async def ask(tx: Transaction) -> None:
        assert not isinstance(await give_mandate(tx, given, by="a test"), Refusal)
        assert not isinstance(await collect(tx, wanted, today=TODAY, by="a test", clock=lambda: NOW), Refusal)

    await bank.database.run(ask)
    sent = [each for each in await written(bank) if each[0].tag.endswith("FIToFICstmrDrctDbt")]
    if not sent:
        return wanted, ""
    assert texts(sent[-1], "MndtId") == [given.reference]
    assert texts(sent[-1], "DtOfSgntr") == ["2025-12-01"]
    assert texts(sent[-1], "IBAN") == [jan.account]
    assert {"Jan Novák", "The Shop"} <= set(texts(sent[-1], "Nm"))
    return wanted, texts(sent[-1], "UETR")[0]


async def stands(bank: Bank, wanted: Collection) -> tuple[CollectionStatus, str | None]:
    async with bank.database.reading() as tx:
        found = await collection(tx, wanted.mandate, wanted.id)
    assert found is not None
    return found.status, found.reason


async def test_what_we_collect_elsewhere_is_settled_and_taken_back_as_the_other_side_says(bank: Bank) -> None:
    wanted, uetr = await asked_of_another_bank(bank)
    assert await bank.posted(2) == 100_000
    for _ in range(2):
        await bank.send(pacs002(uetr, "ACSC"))
    assert await bank.posted(2) == 101_000
    assert await stands(bank, wanted) == (CollectionStatus.COLLECTED, None)
    assert said(await bank.answer(pacs004(uetr, "9.99", reason="MD06"))) == (["RJCT"], ["AM09"])
    for _ in range(2):
        assert said(await bank.answer(pacs004(uetr, "10.00", reason="MD06"))) == (["ACSC"], [])
    assert await bank.posted(2) == 100_000
    assert await stands(bank, wanted) == (CollectionStatus.REFUNDED, None)


@pytest.mark.parametrize("whole", [False, True])
async def test_what_another_bank_refuses_is_refused_for_its_reason(bank: Bank, whole: bool) -> None:
    wanted, uetr = await asked_of_another_bank(bank)
    async with bank.database.reading() as tx:
        [sent] = [each for each in await messages(tx) if each.kind == "pacs.003.001.08"]
    refusal = (
        group_status(sent.message_id, sent.kind, "RJCT", "MD01") if whole else pacs002(uetr, "RJCT", reason="MD01")
    )
    await bank.send(refusal)
    assert await stands(bank, wanted) == (CollectionStatus.REFUSED, "MD01")
    assert await bank.posted(2) == 100_000


async def test_a_creditor_who_cannot_give_it_back_is_told_of(bank: Bank) -> None:
    wanted, uetr = await asked_of_another_bank(bank)
    await bank.send(pacs002(uetr, "ACSC"))
    await bank.answer(pain001([Paid("1010.00", "1")], debtor="2"), sender="a company")
    assert said(await bank.answer(pacs004(uetr, "10.00", reason="MD06"))) == (["RJCT"], ["AM04"])
    assert await stands(bank, wanted) == (CollectionStatus.COLLECTED, None)


async def test_what_no_message_can_carry_is_not_collected(bank: Bank) -> None:
    await bank.database.run(lambda tx: define_asset(tx, Asset("POINTS", 0)))
    wanted, uetr = await asked_of_another_bank(bank, asset="POINTS")
    assert (uetr, await stands(bank, wanted)) == ("", (CollectionStatus.REFUSED, "AM03"))
