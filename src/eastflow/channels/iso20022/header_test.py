"""The business application header: read beside a message, held against it, and written if the settings ask for it."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest
from lxml import etree

from eastflow.channels.iso20022 import store
from eastflow.channels.iso20022.conftest import (
    NOW,
    OTHER_BANK,
    SETTINGS,
    START_MINOR,
    TODAY,
    Bank,
    Paid,
    camt056,
    group_status,
    pacs002,
    pacs008,
    pain001,
    texts,
)
from eastflow.channels.iso20022.model import DeliveryStatus, Message, Received, Unreadable
from eastflow.channels.iso20022.outgoing import write_waiting
from eastflow.channels.iso20022.safe_xml import SCHEMAS

HEAD = "urn:iso:std:iso:20022:tech:xsd:head.001.001.02"
HEAD_SCHEMA = etree.XMLSchema(file=str(SCHEMAS / "head.001.001.02.xsd"))


def bank_xml(code: str) -> str:
    return f"<FIId><FinInstnId><BICFI>{code}</BICFI></FinInstnId></FIId>"


def wrapped(
    message: str,
    *,
    id: str = "M1",
    kind: str = "pacs.008.001.09",
    sender: str = OTHER_BANK,
    receiver: str = bank_xml("EASTFLOW"),
    created: str = "2026-01-05T08:00:00Z",
) -> str:
    header = (
        f'<AppHdr xmlns="{HEAD}"><Fr>{bank_xml(sender)}</Fr><To>{receiver}</To><BizMsgIdr>{id}</BizMsgIdr>'
        f"<MsgDefIdr>{kind}</MsgDefIdr><CreDt>{created}</CreDt></AppHdr>"
    )
    return f"<w:BizMsg xmlns:w='urn:w'><!-- -->{header}{message.partition('?>')[2]}</w:BizMsg>"


def instructed(message: str, sender: str, receiver: str) -> str:
    """The group's own word on who sends it and to whom."""
    ends = "".join(
        f"<{role}><FinInstnId><BICFI>{code}</BICFI></FinInstnId></{role}>"
        for role, code in (("InstgAgt", sender), ("InstdAgt", receiver))
    )
    return message.replace("</SttlmInf>", f"</SttlmInf>{ends}")


def money() -> str:
    return pacs008([Paid(creditor="2", uetr=uuid4())])


def organisation(code: str) -> str:
    return f"<OrgId><Id><OrgId><AnyBIC>{code}</AnyBIC></OrgId></Id></OrgId>"


@pytest.mark.parametrize(
    "more",
    [{}, {"receiver": bank_xml("EASTFLOWXXX")}, {"receiver": organisation("EASTFLOWXXX")}, {"sender": "ELSEWHRE"}],
)
async def test_a_message_beside_its_header_is_taken_once(bank: Bank, more: dict[str, str]) -> None:
    message = wrapped(money(), **more)
    first, again = await bank.send(message), await bank.send(message)
    assert isinstance(first, Received)
    assert first.answer is not None
    assert texts(etree.fromstring(first.answer), "TxSts") == ["ACSC"]
    assert again == replace(first, replayed=True)
    assert await bank.posted(2) == START_MINOR + 1_000


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (wrapped(money(), kind="pacs.008.001.08"), "FF01"),
        (wrapped(money(), id="M2"), "FF01"),
        (wrapped(money(), created="yesterday"), "FF01"),
        (wrapped(money(), receiver=bank_xml("ELSEWHRE")), "AGNT"),
        (wrapped(money(), receiver="<OrgId><Nm>Eastflow</Nm></OrgId>"), "AGNT"),
        (wrapped(instructed(money(), "ELSEWHRE", "EASTFLOW")), "AGNT"),
        (wrapped(instructed(money(), OTHER_BANK, "ELSEWHRE")), "AGNT"),
        (wrapped(camt056(uuid4(), id="M1"), kind="camt.056.001.09"), "AGNT"),
    ],
)
async def test_a_header_that_does_not_fit_is_refused_whole_and_may_come_mended(
    bank: Bank, message: str, reason: str
) -> None:
    answer = await bank.answer(message)
    assert (texts(answer, "GrpSts"), texts(answer, "OrgnlMsgId"), texts(answer, "Cd")) == (["RJCT"], ["M1"], [reason])
    assert await bank.posted(2) == START_MINOR
    mended = await bank.answer(wrapped(instructed(money(), f"{OTHER_BANK}XXX", "EASTFLOW")))
    assert texts(mended, "TxSts") == ["ACSC"]


@pytest.mark.parametrize(
    "message",
    [
        wrapped(money()).replace("head.001.001.02", "head.001.001.03"),
        wrapped(money()).replace("AppHdr", "Header"),
        wrapped(""),
        wrapped(money()).replace("<AppHdr", "<Document/><AppHdr"),
        wrapped(money()).replace("</w:", "<Document/></w:"),
        f"<Envelope>{money().partition('?>')[2]}</Envelope>",
        wrapped(wrapped(money())),
        f'<Document xmlns="{HEAD}"/>',
        wrapped(pacs002(uuid4(), "ACSC", id="M1"), kind="pacs.008.001.09"),
    ],
)
async def test_what_stands_otherwise_is_no_message(bank: Bank, message: str) -> None:
    assert isinstance(await bank.send(message), Unreadable)


async def written(bank: Bank) -> Message:
    """One payment to another bank, in the message that carries it."""
    await bank.send(pain001([Paid(creditor="123", agent=OTHER_BANK)], id=uuid4().hex), "company")
    await bank.database.run(lambda tx: write_waiting(tx, settings=bank.settings, today=TODAY, clock=lambda: NOW))
    async with bank.database.reading() as tx:
        [found] = [each for each in await store.messages(tx) if each.status is DeliveryStatus.PENDING]
    return found


def head_of(message: bytes) -> list[str]:
    """Sender, receiver, id and kind, from a header found valid."""
    header, document = etree.fromstring(message)
    HEAD_SCHEMA.assertValid(header)
    kind = (etree.QName(document).namespace or "").rpartition(":")[2]
    etree.XMLSchema(file=str(SCHEMAS / f"{kind}.xsd")).assertValid(document)
    assert texts(header, "BizMsgIdr") == texts(document, "MsgId")[:1] or texts(document, "Id")[:1]
    assert texts(header, "MsgDefIdr") == [kind]
    return [*texts(header, "BICFI"), kind]


async def test_what_goes_to_the_clearing_has_a_header_if_the_settings_ask(bank: Bank) -> None:
    bank.settings = replace(SETTINGS, clearing_header=True)
    sent = await written(bank)
    assert head_of(sent.content) == ["EASTFLOW", "CLEARING", "pacs.008.001.09"]
    for message, kind in (
        (money(), "pacs.002.001.11"),
        (wrapped(money(), id="M2"), "pacs.002.001.11"),
        (camt056(uuid4()), "camt.029.001.10"),
    ):
        taken = await bank.send(message)
        assert isinstance(taken, Received)
        assert taken.answer is not None
        assert head_of(taken.answer) == ["EASTFLOW", "CLEARING", kind]
    assert texts(await bank.answer(pain001([Paid()]), "company"), "TxSts") == ["ACSC"], "a customer's has none"


async def test_a_status_of_the_whole_finds_the_payments_behind_our_header(bank: Bank) -> None:
    bank.settings = replace(SETTINGS, clearing_header=True)
    sent = await written(bank)
    assert await bank.posted(1) == START_MINOR - 1_000
    await bank.send(group_status(sent.message_id, sent.kind, "RJCT", "AC04"))
    assert await bank.posted(1) == START_MINOR
