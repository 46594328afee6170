"""A small bank with money in it, and messages as others would write them: as text, without this room's own writers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from lxml import etree

from eastflow import ledger
from eastflow.channels.iso20022.actions import receive
from eastflow.channels.iso20022.model import Received, Unreadable
from eastflow.channels.iso20022.safe_xml import SCHEMAS
from eastflow.channels.iso20022.settings import Iso20022Settings
from eastflow.kernel import Asset, Refusal
from eastflow.ledger import Account, Entry, Posting, Side
from eastflow.ledger.actions import define_asset, new_id, open_accounts, post
from eastflow.storage import Database, Transaction

TODAY = date(2026, 1, 5)
NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
OTHER_BANK = "OTHRBANK"
SETTINGS = Iso20022Settings(clearing_url="http://clearing.test/messages")
START_MINOR = 100_000


@dataclass
class Bank:
    database: Database
    settings: Iso20022Settings = SETTINGS

    async def send(self, raw: bytes | str, sender: str = "clearing") -> Received | Unreadable:
        content = raw if isinstance(raw, bytes) else raw.encode()
        return await self.database.run(
            lambda tx: receive(tx, content, sender=sender, settings=self.settings, today=TODAY, clock=lambda: NOW)
        )

    async def answer(self, raw: bytes | str, sender: str = "clearing") -> etree._Element:
        """What it is answered with, found valid."""
        taken = await self.send(raw, sender)
        assert isinstance(taken, Received), taken
        assert taken.answer is not None
        return valid(taken.answer)

    async def posted(self, account: int) -> int:
        async with self.database.reading() as tx:
            found = await ledger.balance(tx, account)
        return 0 if found is None else found.posted_minor


@pytest.fixture
async def bank(database: Database) -> Bank:
    """Accounts 1 and 2 hold 1,000.00 crowns each, 3 is closed, 9 is the bank's own."""

    async def fill(tx: Transaction) -> None:
        assert not isinstance(await define_asset(tx, Asset("CZK", 2)), Refusal)
        customers = [Account(number, "CZK", Side.CREDIT, "liabilities:deposits", TODAY) for number in (1, 2, 3)]
        await open_accounts(
            tx, [*customers, Account(9, "CZK", Side.DEBIT, "assets:cash", TODAY, None)], clock=lambda: NOW
        )
        await ledger.actions.change_status(tx, 3, ledger.Status.CLOSED)
        for number in (1, 2):
            legs = (Posting(9, "CZK", -START_MINOR), Posting(number, "CZK", START_MINOR))
            await post(tx, [Entry(new_id(), "cash_deposit", TODAY, legs)], clock=lambda: NOW, today=lambda: TODAY)

    await database.run(fill)
    return Bank(database)


def valid(content: bytes) -> etree._Element:
    """The message, judged by the schema's file itself."""
    document = etree.fromstring(content)
    kind = (etree.QName(document).namespace or "").rpartition(":")[2]
    etree.XMLSchema(file=str(SCHEMAS / f"{kind}.xsd")).assertValid(document)
    return document


def texts(document: etree._Element, name: str) -> list[str]:
    return [each.text or "" for each in document.iter(f"{{*}}{name}")]


@dataclass(frozen=True)
class Paid:
    """One payment of a message under test."""

    amount: str = "10.00"
    creditor: str = "2"
    agent: str | None = "EASTFLOW"
    currency: str = "CZK"
    uetr: UUID | None = None
    name: str = ""
    end_to_end_id: str = "E1"
    remittance: str = ""

    def agent_xml(self, role: str) -> str:
        code = self.agent or ""
        member = f"<ClrSysMmbId><MmbId>{code}</MmbId></ClrSysMmbId>" if code else ""
        inside = f"<BICFI>{code}</BICFI>" if len(code) == 8 else member
        return f"<{role}><FinInstnId>{inside}</FinInstnId></{role}>"

    def tail(self) -> str:
        named = f"<Nm>{self.name}</Nm>" if self.name else ""
        told = f"<RmtInf><Ustrd>{self.remittance}</Ustrd></RmtInf>" if self.remittance else ""
        account = f"<CdtrAcct><Id><Othr><Id>{self.creditor}</Id></Othr></Id></CdtrAcct>" if self.creditor else ""
        return f"{self.agent_xml('CdtrAgt')}<Cdtr>{named}</Cdtr>{account}{told}"

    def uetr_xml(self, name: str = "UETR") -> str:
        return f"<{name}>{self.uetr}</{name}>" if self.uetr else ""


def document(kind: str, inside: str) -> str:
    namespace = f"urn:iso:std:iso:20022:tech:xsd:{kind}"
    return f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{namespace}">{inside}</Document>'


def pain001(
    paid: Sequence[Paid],
    *,
    id: str = "M1",
    debtor: str = "1",
    day: str = "2026-01-05",
    count: int | None = None,
    control_sum: str | None = None,
) -> str:
    inside = "".join(
        f"<CdtTrfTxInf><PmtId><EndToEndId>{each.end_to_end_id}</EndToEndId>{each.uetr_xml()}</PmtId>"
        f'<Amt><InstdAmt Ccy="{each.currency}">{each.amount}</InstdAmt></Amt>{each.tail()}</CdtTrfTxInf>'
        for each in paid
    )
    sum_xml = f"<CtrlSum>{control_sum}</CtrlSum>" if control_sum else ""
    return document(
        "pain.001.001.10",
        f"<CstmrCdtTrfInitn><GrpHdr><MsgId>{id}</MsgId><CreDtTm>2026-01-05T08:00:00Z</CreDtTm>"
        f"<NbOfTxs>{len(paid) if count is None else count}</NbOfTxs>{sum_xml}<InitgPty/></GrpHdr>"
        f"<PmtInf><PmtInfId>P1</PmtInfId><PmtMtd>TRF</PmtMtd><ReqdExctnDt><Dt>{day}</Dt></ReqdExctnDt><Dbtr/>"
        f"<DbtrAcct><Id><Othr><Id>{debtor}</Id></Othr></Id></DbtrAcct><DbtrAgt><FinInstnId/></DbtrAgt>{inside}</PmtInf>"
        "</CstmrCdtTrfInitn>",
    )


def pacs008(paid: Sequence[Paid], *, id: str = "M1", day: str = "2026-01-05") -> str:
    inside = "".join(
        f"<CdtTrfTxInf><PmtId><EndToEndId>{each.end_to_end_id}</EndToEndId>{each.uetr_xml()}</PmtId>"
        f'<IntrBkSttlmAmt Ccy="{each.currency}">{each.amount}</IntrBkSttlmAmt><IntrBkSttlmDt>{day}</IntrBkSttlmDt>'
        "<ChrgBr>SLEV</ChrgBr><Dbtr><Nm>Jan Novák</Nm></Dbtr>"
        "<DbtrAcct><Id><IBAN>CZ6508000000192000145399</IBAN></Id></DbtrAcct>"
        f"<DbtrAgt><FinInstnId><BICFI>{OTHER_BANK}</BICFI></FinInstnId></DbtrAgt>{each.tail()}</CdtTrfTxInf>"
        for each in paid
    )
    return document(
        "pacs.008.001.09",
        f"<FIToFICstmrCdtTrf><GrpHdr><MsgId>{id}</MsgId><CreDtTm>2026-01-05T08:00:00Z</CreDtTm>"
        f"<NbOfTxs>{len(paid)}</NbOfTxs><SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf></GrpHdr>{inside}"
        "</FIToFICstmrCdtTrf>",
    )


def pacs002(uetr: UUID | str, status: str, *, id: str | None = None, reason: str | None = None) -> str:
    why = f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf>" if reason else ""
    return document(
        "pacs.002.001.11",
        f"<FIToFIPmtStsRpt><GrpHdr><MsgId>{id or uuid4().hex}</MsgId><CreDtTm>2026-01-05T08:00:00Z</CreDtTm></GrpHdr>"
        f"<TxInfAndSts><OrgnlUETR>{uetr}</OrgnlUETR><TxSts>{status}</TxSts>{why}</TxInfAndSts></FIToFIPmtStsRpt>",
    )


def group_status(original: str, kind: str, status: str, reason: str) -> str:
    return document(
        "pacs.002.001.11",
        f"<FIToFIPmtStsRpt><GrpHdr><MsgId>{uuid4().hex}</MsgId><CreDtTm>2026-01-05T08:00:00Z</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{original}</OrgnlMsgId><OrgnlMsgNmId>{kind}</OrgnlMsgNmId>"
        f"<GrpSts>{status}</GrpSts><StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf></OrgnlGrpInfAndSts>"
        "</FIToFIPmtStsRpt>",
    )


def pacs004(
    uetr: UUID | str,
    amount: str,
    *,
    id: str | None = None,
    reason: str = "AC04",
    charges: Sequence[str] = (),
    charged_in: str = "CZK",
) -> str:
    kept = "".join(
        f'<ChrgsInf><Amt Ccy="{charged_in}">{each}</Amt><Agt><FinInstnId><BICFI>{OTHER_BANK}</BICFI></FinInstnId></Agt>'
        "</ChrgsInf>"
        for each in charges
    )
    return document(
        "pacs.004.001.10",
        f"<PmtRtr><GrpHdr><MsgId>{id or uuid4().hex}</MsgId><CreDtTm>2026-01-05T08:00:00Z</CreDtTm>"
        "<NbOfTxs>1</NbOfTxs><SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf></GrpHdr>"
        f'<TxInf><OrgnlUETR>{uetr}</OrgnlUETR><RtrdIntrBkSttlmAmt Ccy="CZK">{amount}</RtrdIntrBkSttlmAmt>{kept}'
        f"<RtrRsnInf><Rsn><Cd>{reason}</Cd></Rsn></RtrRsnInf></TxInf></PmtRtr>",
    )


def camt056(uetr: UUID | str, *, id: str | None = None) -> str:
    agent = "<Agt><FinInstnId><BICFI>OTHRBANK</BICFI></FinInstnId></Agt>"
    return document(
        "camt.056.001.09",
        f"<FIToFIPmtCxlReq><Assgnmt><Id>{id or uuid4().hex}</Id><Assgnr>{agent}</Assgnr><Assgne>{agent}</Assgne>"
        "<CreDtTm>2026-01-05T08:00:00Z</CreDtTm></Assgnmt><Undrlyg><TxInf>"
        f"<OrgnlUETR>{uetr}</OrgnlUETR><CxlRsnInf><Rsn><Cd>DUPL</Cd></Rsn></CxlRsnInf></TxInf></Undrlyg>"
        "</FIToFIPmtCxlReq>",
    )


def camt029(uetr: UUID | str, status: str, *, reason: str | None = None) -> str:
    agent = "<Agt><FinInstnId><BICFI>OTHRBANK</BICFI></FinInstnId></Agt>"
    why = f"<CxlStsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></CxlStsRsnInf>" if reason else ""
    return document(
        "camt.029.001.10",
        f"<RsltnOfInvstgtn><Assgnmt><Id>{uuid4().hex}</Id><Assgnr>{agent}</Assgnr><Assgne>{agent}</Assgne>"
        "<CreDtTm>2026-01-05T08:00:00Z</CreDtTm></Assgnmt><Sts><Conf>CNCL</Conf></Sts><CxlDtls><TxInfAndSts>"
        f"<OrgnlUETR>{uetr}</OrgnlUETR><TxCxlSts>{status}</TxCxlSts>{why}</TxInfAndSts></CxlDtls></RsltnOfInvstgtn>",
    )


def pacs003(
    paid: Sequence[Paid],
    *,
    debtor: str = "1",
    id: str | None = None,
    day: str = "2026-01-05",
    reference: str = "M-17",
    creditor_id: str = "CZ98ZZZ17",
) -> str:
    """Each is collected by its creditor, whose bank is its agent."""
    named = f"<MndtRltdInf><MndtId>{reference}</MndtId></MndtRltdInf>" if reference else ""
    scheme = f"<CdtrSchmeId><Id><PrvtId><Othr><Id>{creditor_id}</Id></Othr></PrvtId></Id></CdtrSchmeId>"
    inside = "".join(
        f"<DrctDbtTxInf><PmtId><EndToEndId>{each.end_to_end_id}</EndToEndId>{each.uetr_xml()}</PmtId>"
        f'<IntrBkSttlmAmt Ccy="{each.currency}">{each.amount}</IntrBkSttlmAmt><IntrBkSttlmDt>{day}</IntrBkSttlmDt>'
        f"<ChrgBr>SLEV</ChrgBr><DrctDbtTx>{named}{scheme if creditor_id else ''}</DrctDbtTx>"
        f"<Cdtr><Nm>City Power</Nm></Cdtr><CdtrAcct><Id><Othr><Id>{each.creditor}</Id></Othr></Id></CdtrAcct>"
        f"{each.agent_xml('CdtrAgt')}<Dbtr/><DbtrAcct><Id><Othr><Id>{debtor}</Id></Othr></Id></DbtrAcct>"
        f"<DbtrAgt><FinInstnId><BICFI>EASTFLOW</BICFI></FinInstnId></DbtrAgt></DrctDbtTxInf>"
        for each in paid
    )
    return document(
        "pacs.003.001.08",
        f"<FIToFICstmrDrctDbt><GrpHdr><MsgId>{id or uuid4().hex}</MsgId><CreDtTm>2026-01-05T08:00:00Z</CreDtTm>"
        f"<NbOfTxs>{len(paid)}</NbOfTxs><SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf></GrpHdr>{inside}"
        "</FIToFICstmrDrctDbt>",
    )
