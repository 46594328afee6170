"""Accounts at other banks verified by message, and what other banks ask of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from lxml import etree

from eastflow import customers
from eastflow.channels.iso20022 import Dispatcher, store
from eastflow.channels.iso20022.conftest import (
    NOW,
    OTHER_BANK,
    SETTINGS,
    TODAY,
    Bank,
    document,
    group_status,
    texts,
    valid,
)
from eastflow.channels.iso20022.model import DeliveryStatus, Message, Received, Unreadable
from eastflow.channels.iso20022.verification.actions import ask_waiting
from eastflow.customers import (
    AccountClass,
    Channel,
    ClassedAccount,
    ContactKind,
    ContactPoint,
    Direction,
    Document,
    DocumentKind,
    Element,
    ElementResult,
    Movement,
    Party,
    PartyKind,
    Role,
    RoleKind,
    Verification,
    VerificationStatus,
)
from eastflow.customers.actions import (
    add_record,
    ask_verification,
    assign_class,
    end_verification,
    grant_roles,
    register_party,
    use_allowance,
)
from eastflow.kernel import Refusal
from eastflow.storage import Database, Transaction

NAME, PHONE, OTHER_ACCOUNT = "李 Ann & Co", "+86 138-0013-8000", "6222 0000 1111"
CARD = Document(DocumentKind.IDENTITY_CARD, "110101199001011234", "CN")
MATCHES, DIFFERS, UNKNOWN = ElementResult.MATCHES, ElementResult.DIFFERS, ElementResult.UNKNOWN
YES = dict.fromkeys(Element, MATCHES)
NOTHING = dict.fromkeys(Element, UNKNOWN)


@dataclass(frozen=True)
class Asked:
    """One question of another bank."""

    id: str = "V1"
    name: str = NAME
    number: str = CARD.number
    scheme: str = "<Cd>NIDN</Cd>"
    issuer: str = "CN"
    phone: str = PHONE
    account: str = "<Othr><Id>1</Id></Othr>"
    agent: str = "EASTFLOW"

    def xml(self) -> str:
        name = f"<Nm>{self.name.replace('&', '&amp;')}</Nm>" if self.name else ""
        issuer = f"<Issr>{self.issuer}</Issr>" if self.issuer else ""
        known_by = f"<Othr><Id>{self.number}</Id><SchmeNm>{self.scheme}</SchmeNm>{issuer}</Othr>"
        phone = f"<Othr><Id>{self.phone}</Id><SchmeNm><Cd>TELE</Cd></SchmeNm></Othr>" if self.phone else ""
        agent = f"<Agt><FinInstnId><BICFI>{self.agent}</BICFI></FinInstnId></Agt>" if self.agent else ""
        party = f"<Pty>{name}<Id><PrvtId>{phone}{known_by}</PrvtId></Id></Pty>"
        return (
            f"<Vrfctn><Id>{self.id}</Id><PtyAndAcctId>{party}<Acct>{self.account}</Acct>{agent}</PtyAndAcctId></Vrfctn>"
        )


def assignment(id: str | None = None) -> str:
    ends = "".join(
        f"<{role}><Agt><FinInstnId><BICFI>{code}</BICFI></FinInstnId></Agt></{role}>"
        for role, code in (("Assgnr", OTHER_BANK), ("Assgne", "EASTFLOW"))
    )
    return f"<Assgnmt><MsgId>{id or uuid4().hex}</MsgId><CreDtTm>2026-01-05T08:00:00Z</CreDtTm>{ends}</Assgnmt>"


def acmt023(asked: Sequence[Asked], *, id: str | None = None) -> str:
    questions = "".join(each.xml() for each in asked)
    return document("acmt.023.001.02", f"<IdVrfctnReq>{assignment(id)}{questions}</IdVrfctnReq>")


def acmt024(*told: tuple[object, str, str], original: str | None = None, more: str = "") -> str:
    """`told` are the ids, the words (`true`, `false`) and the reasons in XML."""
    of = f"<OrgnlAssgnmt><MsgId>{original}</MsgId></OrgnlAssgnmt>" if original else ""
    lines = "".join(
        f"<Rpt><OrgnlId>{id.hex if isinstance(id, UUID) else id}</OrgnlId><Vrfctn>{word}</Vrfctn>"
        f"{f'<Rsn>{reason}</Rsn>' if reason else ''}{more}</Rpt>"
        for id, word, reason in told
    )
    return document("acmt.024.001.02", f"<IdVrfctnRpt>{assignment()}{of}{lines}</IdVrfctnRpt>")


async def ask(
    database: Database, id: UUID, *, phone: str = PHONE, account: str = OTHER_ACCOUNT
) -> Verification | Refusal:
    return await database.run(
        lambda tx: ask_verification(
            tx, id, 2, bank=OTHER_BANK, other_account=account, phone=phone, by="app", today=TODAY
        )
    )


async def write_questions(bank: Bank) -> list[Message]:
    """What waits goes into messages; all that are kept."""
    await bank.database.run(lambda tx: ask_waiting(tx, settings=bank.settings, today=TODAY, clock=lambda: NOW))
    async with bank.database.reading() as tx:
        return [each for each in await store.messages(tx) if each.kind.startswith("acmt.023")]


async def found(bank: Bank, id: UUID) -> Verification:
    async with bank.database.reading() as tx:
        verification = await customers.verification(tx, id, today=TODAY)
    assert verification is not None
    return verification


async def may_pay(bank: Bank) -> bool:
    out = Movement(Direction.OUT, 100, "CNY", Channel.APP)
    return await bank.database.run(lambda tx: use_allowance(tx, 2, out, today=TODAY)) is None


@pytest.fixture
async def ann(bank: Bank) -> Party:
    """She owns account 1, of class I, account 2, of class II, opened in the app, and 3, which is closed."""
    person = Party(uuid4(), PartyKind.PERSON, NAME, TODAY)

    async def work(tx: Transaction) -> None:
        await register_party(tx, person, today=lambda: TODAY)
        await grant_roles(tx, [Role(person.id, account, RoleKind.OWNER, TODAY) for account in (1, 2, 3)])
        for content in (CARD, ContactPoint(ContactKind.PHONE, PHONE)):
            await add_record(tx, person.id, content, by="ann", today=TODAY)
        for classed in (
            ClassedAccount(2, person.id, AccountClass.II, TODAY, Channel.APP),
            ClassedAccount(3, person.id, AccountClass.II, TODAY, Channel.APP),
            ClassedAccount(1, person.id, AccountClass.I, TODAY, Channel.BRANCH, face_to_face=True),
        ):
            assert not isinstance(await assign_class(tx, classed, today=TODAY), Refusal)

    await bank.database.run(work)
    return person


@pytest.fixture
async def asked(bank: Bank, ann: Party) -> UUID:
    """A verification that went out."""
    id = uuid4()
    assert isinstance(await ask(bank.database, id), Verification)
    await write_questions(bank)
    return id


async def test_what_waits_goes_out_once_and_says_who_is_meant(bank: Bank, asked: UUID) -> None:
    [message] = await write_questions(bank)
    written = valid(message.content)
    assert (message.status, message.counterparty) == (DeliveryStatus.PENDING, "clearing")
    assert (await found(bank, asked)).message_id == message.message_id == texts(written, "MsgId")[0]
    assert texts(written, "Nm") == [NAME]
    assert texts(written, "Id")[0] == asked.hex
    assert [texts(each, "Id")[0] for each in written.iter("{*}Othr")] == [CARD.number, PHONE, OTHER_ACCOUNT]
    assert (texts(written, "Cd"), texts(written, "Prtry")) == (["NIDN", "TELE"], ["CLASS_ONE"])
    assert (texts(written, "Issr"), texts(written, "BICFI")) == (["CN"], ["EASTFLOW", "CLEARING", OTHER_BANK])


async def test_of_rival_programs_one_sends_it(bank: Bank, ann: Party) -> None:
    ids = {uuid4() for _ in range(3)}
    for id in ids:
        await ask(bank.database, id)
    await asyncio.gather(*(write_questions(bank) for _ in range(4)))
    assert {UUID(texts(valid(each.content), "Id")[0]) for each in await write_questions(bank)} == ids
    assert len(await write_questions(bank)) == 3


async def test_what_fits_no_message_is_denied_and_keeps_nobody_else_waiting(bank: Bank, ann: Party) -> None:
    short, long = uuid4(), uuid4()
    for id, phone in ((short, "1" * 35), (long, "1" * 36)):
        await ask(bank.database, id, phone=phone)
    [message] = await write_questions(bank)
    assert texts(valid(message.content), "Id")[0] == short.hex
    denied = await found(bank, long)
    assert (denied.status, denied.results, denied.message_id) == (VerificationStatus.DENIED, NOTHING, None)


async def test_a_document_without_a_code_goes_by_the_banks_own_name(bank: Bank, ann: Party) -> None:
    permit = Document(DocumentKind.RESIDENCE_PERMIT, "P-1", "CN")
    await bank.database.run(lambda tx: add_record(tx, ann.id, permit, by="ann", today=TODAY))
    await ask(bank.database, uuid4())
    [message] = await write_questions(bank)
    assert texts(valid(message.content), "Prtry") == ["residence_permit", "CLASS_ONE"]


@pytest.mark.parametrize("word", ["true", "1", " true "])
async def test_yes_binds_the_account_once(bank: Bank, asked: UUID, word: str) -> None:
    assert not await may_pay(bank)
    told = acmt024((asked, word, ""), original=(await found(bank, asked)).message_id)
    for message in (told, told, acmt024((asked, "true", ""))):
        taken = await bank.send(message)
        assert isinstance(taken, Received)
        assert taken.answer is None
    answered = await found(bank, asked)
    assert (answered.status, answered.results, answered.answered_by) == (VerificationStatus.CONFIRMED, YES, "clearing")
    assert await may_pay(bank)
    await bank.send(acmt024((asked, "false", "<Cd>AC01</Cd>")))
    assert await found(bank, asked) == answered, "an answer stands"


REASONS = [
    ("<Cd>AC01</Cd>", Element.ACCOUNT),
    ("<Cd>PN01</Cd>", Element.NAME),
    ("<Cd>PI01</Cd>", Element.DOCUMENT),
    ("<Prtry>PHONE</Prtry>", Element.PHONE),
    ("<Prtry>CLASS_ONE</Prtry>", Element.CLASS_ONE),
    ("<Cd>NR01</Cd>", None),
    ("<Prtry>no such</Prtry>", None),
    ("", None),
]


async def test_no_denies_and_tells_one_element_at_most(bank: Bank, ann: Party) -> None:
    ids = [uuid4() for _ in REASONS]
    for id in ids:
        await ask(bank.database, id)
    await write_questions(bank)
    await bank.send(acmt024(*((id, "false", reason) for id, (reason, _) in zip(ids, REASONS, strict=True))))
    for id, (_, differs) in zip(ids, REASONS, strict=True):
        denied = await found(bank, id)
        assert denied.status is VerificationStatus.DENIED
        assert denied.results == NOTHING | ({} if differs is None else {differs: DIFFERS})
    assert not await may_pay(bank)


async def test_of_yes_and_no_in_one_message_no_holds_and_what_is_corrected_is_no(bank: Bank, asked: UUID) -> None:
    other = uuid4()
    await ask(bank.database, other)
    await write_questions(bank)
    await bank.send(acmt024((asked, "true", ""), (asked, "false", "")))
    await bank.send(
        acmt024((other, "true", ""), more="<UpdtdPtyAndAcctId><Pty><Nm>Ann Li</Nm></Pty></UpdtdPtyAndAcctId>")
    )
    for id in (asked, other):
        assert (await found(bank, id)).status is VerificationStatus.DENIED


async def test_what_answers_nothing_that_was_asked_changes_nothing(bank: Bank, asked: UUID) -> None:
    unsent, ended = uuid4(), uuid4()
    await ask(bank.database, ended)
    await write_questions(bank)
    await bank.database.run(lambda tx: end_verification(tx, ended, today=TODAY))
    await ask(bank.database, unsent)
    before = [await found(bank, id) for id in (asked, unsent, ended)]
    for message in (
        acmt024((uuid4(), "true", "")),
        acmt024(("no id of ours", "true", "")),
        acmt024((unsent, "true", "")),
        acmt024((ended, "true", "")),
        acmt024((asked, "true", ""), original="another message"),
        group_status((await found(bank, asked)).message_id or "", "acmt.023.001.02", "RJCT", "AGNT"),
    ):
        assert isinstance(await bank.send(message), Received)
    assert isinstance(await bank.send(acmt024((asked, "true", "")), "company"), Unreadable), "who else says so"
    assert isinstance(await bank.send(acmt024((asked, "perhaps", ""))), Unreadable)
    assert [await found(bank, id) for id in (asked, unsent, ended)] == before
    assert not await may_pay(bank)


IN_CLASS = "<Othr><Id>{}</Id><SchmeNm><Prtry>CLASS_ONE</Prtry></SchmeNm></Othr>"


QUESTIONS = [
    (Asked(), None),
    (Asked(agent="EASTFLOWXXX", phone="+8613800138000", name="李 ANN  & co"), None),
    (Asked(agent="", account=IN_CLASS.format(1)), None),
    (Asked(account="<Othr><Id>2</Id></Othr>"), None),
    (Asked(account=IN_CLASS.format(2)), "CLASS_ONE"),
    (Asked(agent=OTHER_BANK), "AGNT"),
    (Asked(account="<Othr><Id>404</Id></Othr>"), "AC01"),
    (Asked(account="<Othr><Id>3</Id></Othr>"), "AC01"),
    (Asked(account="<Othr><Id>one</Id></Othr>"), "AC01"),
    (Asked(account="<IBAN>CZ6508000000192000145399</IBAN>"), "AC01"),
    (Asked(name="Bob", phone="1"), "PN01"),
    (Asked(number="1"), "PI01"),
    (Asked(scheme="<Cd>CCPT</Cd>"), "PI01"),
    (Asked(issuer="KR"), "PI01"),
    (Asked(phone="+1 1"), "PHONE"),
    (Asked(name=""), "FF01"),
    (Asked(name=" "), "FF01"),
    (Asked(phone=""), "FF01"),
    (Asked(issuer=""), "FF01"),
    (Asked(issuer="Beijing"), "FF01"),
    (Asked(scheme="<Cd>TXID</Cd>"), "FF01"),
]


async def test_what_another_bank_asks_is_answered_yes_or_no_with_a_reason(bank: Bank, ann: Party) -> None:
    asked = [replace(question, id=f"V{place}") for place, (question, _) in enumerate(QUESTIONS)]
    answer = await bank.answer(acmt023(asked, id="Q1"))
    told = [
        (*texts(each, "OrgnlId"), *texts(each, "Vrfctn"), *texts(each, "Cd"), *texts(each, "Prtry"))
        for each in answer.iter("{*}Rpt")
    ]
    assert told == [
        (f"V{place}", "true") if reason is None else (f"V{place}", "false", reason)
        for place, (_, reason) in enumerate(QUESTIONS)
    ]
    assert texts(answer, "MsgId")[1:] == ["Q1"]
    written = etree.tostring(answer, encoding="unicode")
    assert not [each for each in (NAME, CARD.number, PHONE) if each in written], "nothing of the customer goes out"


async def test_a_question_is_answered_once_and_kept(bank: Bank, ann: Party) -> None:
    message = acmt023([Asked("V1"), Asked("V2", name="Bob")], id="Q1")
    first, again = await bank.send(message), await bank.send(message)
    assert isinstance(first, Received)
    assert first.answer is not None
    assert texts(valid(first.answer), "Vrfctn") == ["true", "false"]
    assert again == replace(first, replayed=True)
    other = await bank.answer(acmt023([Asked("V3")], id="Q1"))
    assert (texts(other, "GrpSts"), texts(other, "Cd")) == (["RJCT"], ["DU01"])
    async with bank.database.reading() as tx:
        kept = await store.messages(tx)
    assert {each.kind for each in kept} == {"acmt.023.001.02", "acmt.024.001.02"}
    assert len(kept) == 2


@pytest.mark.parametrize(
    ("message", "sender", "reason"),
    [
        (acmt023([Asked()]), "company", "AG08"),
        (acmt023([Asked()] * 101), "clearing", "AM19"),
        (acmt023([Asked()]).replace("<Id>V1</Id>", "<Id/>"), "clearing", "FF01"),
    ],
)
async def test_a_question_refused_whole_says_why(
    bank: Bank, ann: Party, message: str, sender: str, reason: str
) -> None:
    answer = await bank.answer(message, sender)
    assert (texts(answer, "OrgnlMsgNmId"), texts(answer, "Cd")) == (["acmt.023.001.02"], [reason])


async def test_headers_go_along_both_ways(bank: Bank, ann: Party) -> None:
    bank.settings = replace(SETTINGS, clearing_header=True)
    id = uuid4()
    await ask(bank.database, id)
    [question] = await write_questions(bank)
    answer = await bank.send(acmt023([Asked()]))
    assert isinstance(answer, Received)
    for content, kind in ((question.content, "acmt.023.001.02"), (answer.answer, "acmt.024.001.02")):
        header, message = etree.fromstring(content or b"")
        assert texts(header, "MsgDefIdr") == [kind]
        assert texts(header, "BizMsgIdr") == texts(valid(etree.tostring(message)), "MsgId")[:1]
    report = acmt024((id, "true", "")).partition("?>")[2]
    head = etree.tostring(etree.fromstring(question.content)[0], encoding="unicode")
    for receiver in ("ELSEWHRE", "EASTFLOW"):
        told = head.replace("EASTFLOW", "SENDER").replace("CLEARING", receiver).replace("SENDER", OTHER_BANK)
        told = told.replace(question.message_id, texts(etree.fromstring(report), "MsgId")[0])
        await bank.send(f"<Envelope>{told.replace('acmt.023', 'acmt.024')}{report}</Envelope>")
        bound = receiver == "EASTFLOW"
        assert (await found(bank, id)).status is (VerificationStatus.CONFIRMED if bound else VerificationStatus.ASKED)


async def test_the_dispatcher_asks_again_until_it_is_told(bank: Bank, asked: UUID) -> None:
    got: list[bytes] = []
    at = NOW

    def clearing(request: httpx.Request) -> httpx.Response:
        got.append(request.content)
        if len(got) == 1:
            return httpx.Response(503)
        original = texts(etree.fromstring(request.content), "MsgId")[0]
        return httpx.Response(200, text=acmt024((asked, "true", ""), original=original))

    async with Dispatcher(
        bank.database,
        SETTINGS,
        today=lambda: TODAY,
        clock=lambda: at,
        transport=httpx.MockTransport(clearing),
    ) as dispatcher:
        for _ in range(3):
            await dispatcher.step()
            at += timedelta(hours=1)
    assert len(got) == 2
    assert got[0] == got[1]
    assert (await found(bank, asked)).status is VerificationStatus.CONFIRMED
