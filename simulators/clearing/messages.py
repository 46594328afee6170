"""Messages as the other side writes and reads them, with nothing taken from the bank's own code."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4
from xml.sax.saxutils import escape

from lxml import etree

HEADER = "head.001.001.02"
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"
CODE = "CLEARING"
BANK = "EASTFLOW"
_AGENT = "<FinInstnId><BICFI>{code}</BICFI></FinInstnId>"


class Schemas:
    """The schemas' own files; each is read when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, etree.XMLSchema] = {}

    def problem(self, document: etree._Element, kind: str) -> str | None:
        if kind not in self._read:
            self._read[kind] = etree.XMLSchema(file=str(self._folder / f"{kind}.xsd"))
        schema = self._read[kind]
        return None if schema.validate(document) else str(schema.error_log)


def parse(raw: bytes) -> tuple[str, etree._Element]:
    """The kind and the document, which may stand behind its header in a wrapper. Errors: etree.XMLSyntaxError."""
    root = etree.fromstring(raw, etree.XMLParser(resolve_entities=False, no_network=True))
    found = root.find("{*}Document")
    document = root if found is None else found
    return (etree.QName(document).namespace or "").removeprefix(NAMESPACE), document


def text(element: etree._Element, *path: str) -> str | None:
    found = element.find(".//" + "/".join(f"{{*}}{name}" for name in path))
    return None if found is None else found.text


def id_of(document: etree._Element) -> str | None:
    places = (("GrpHdr", "MsgId"), ("Assgnmt", "Id"), ("Assgnmt", "MsgId"))
    return next((found for place in places if (found := text(document, *place))), None)


def new_id() -> str:
    return uuid4().hex


def _moment() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _document(kind: str, inside: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{NAMESPACE}{kind}">{inside}</Document>'.encode()


def with_header(message: bytes) -> bytes:
    kind, document = parse(message)
    id = id_of(document)
    ends = [f"<FIId>{_AGENT.format(code=code)}</FIId>" for code in (CODE, BANK)]
    header = (
        f'<AppHdr xmlns="{NAMESPACE}{HEADER}"><Fr>{ends[0]}</Fr><To>{ends[1]}</To><BizMsgIdr>{id}</BizMsgIdr>'
        f"<MsgDefIdr>{kind}</MsgDefIdr><CreDt>{_moment()}</CreDt></AppHdr>"
    )
    return f"<BizMsg>{header}{etree.tostring(document).decode()}</BizMsg>".encode()


def _header(id: str, more: str = "") -> str:
    return f"<GrpHdr><MsgId>{id}</MsgId><CreDtTm>{_moment()}</CreDtTm>{more}</GrpHdr>"


def _assignment(id: str) -> str:
    ours, theirs = (_AGENT.format(code=code) for code in (CODE, BANK))
    return (
        f"<Assgnmt><Id>{id}</Id><Assgnr><Agt>{ours}</Agt></Assgnr><Assgne><Agt>{theirs}</Agt></Assgne>"
        f"<CreDtTm>{_moment()}</CreDtTm></Assgnmt>"
    )


def _reason(name: str, code: str | None) -> str:
    return f"<{name}><Rsn><Cd>{code}</Cd></Rsn></{name}>" if code else ""


def status(original: str, kind: str, lines: list[tuple[str, str, str | None]], refused: str | None = None) -> bytes:
    """`lines` are UETR, status and reason; `refused` is why the whole message is."""
    group = f"<GrpSts>RJCT</GrpSts>{_reason('StsRsnInf', refused)}" if refused else ""
    told = "".join(
        f"<TxInfAndSts><OrgnlUETR>{uetr}</OrgnlUETR><TxSts>{code}</TxSts>{_reason('StsRsnInf', reason)}</TxInfAndSts>"
        for uetr, code, reason in lines
    )
    return _document(
        "pacs.002.001.11",
        f"<FIToFIPmtStsRpt>{_header(new_id())}<OrgnlGrpInfAndSts><OrgnlMsgId>{original}</OrgnlMsgId>"
        f"<OrgnlMsgNmId>{kind}</OrgnlMsgNmId>{group}</OrgnlGrpInfAndSts>{told}</FIToFIPmtStsRpt>",
    )


def transfer(uetr: str, amount: str, currency: str, account: str) -> bytes:
    ours, theirs = (_AGENT.format(code=code) for code in (CODE, BANK))
    method = "<NbOfTxs>1</NbOfTxs><SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf>"
    return _document(
        "pacs.008.001.09",
        f"<FIToFICstmrCdtTrf>{_header(new_id(), method)}<CdtTrfTxInf><PmtId><EndToEndId>{uetr[:8]}</EndToEndId>"
        f'<UETR>{uetr}</UETR></PmtId><IntrBkSttlmAmt Ccy="{currency}">{amount}</IntrBkSttlmAmt><ChrgBr>SLEV</ChrgBr>'
        "<Dbtr><Nm>Somebody elsewhere</Nm></Dbtr><DbtrAcct><Id><Othr><Id>123456789</Id></Othr></Id></DbtrAcct>"
        f"<DbtrAgt>{ours}</DbtrAgt><CdtrAgt>{theirs}</CdtrAgt><Cdtr/>"
        f"<CdtrAcct><Id><Othr><Id>{account}</Id></Othr></Id></CdtrAcct></CdtTrfTxInf></FIToFICstmrCdtTrf>",
    )


def collection(asked: dict[str, str]) -> bytes:
    ours, theirs = (_AGENT.format(code=code) for code in (CODE, BANK))
    uetr, day = asked["uetr"], asked.get("day")
    settled_on = f"<IntrBkSttlmDt>{day}</IntrBkSttlmDt>" if day else ""
    method = "<NbOfTxs>1</NbOfTxs><SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf>"
    return _document(
        "pacs.003.001.08",
        f"<FIToFICstmrDrctDbt>{_header(new_id(), method)}<DrctDbtTxInf><PmtId><EndToEndId>{uetr[:8]}</EndToEndId>"
        f'<UETR>{uetr}</UETR></PmtId><IntrBkSttlmAmt Ccy="{asked["currency"]}">{asked["amount"]}</IntrBkSttlmAmt>'
        f"{settled_on}<ChrgBr>SLEV</ChrgBr><DrctDbtTx><MndtRltdInf><MndtId>{asked['reference']}</MndtId></MndtRltdInf>"
        f"<CdtrSchmeId><Id><PrvtId><Othr><Id>{asked['creditor_id']}</Id></Othr></PrvtId></Id></CdtrSchmeId></DrctDbtTx>"
        "<Cdtr><Nm>Somebody elsewhere</Nm></Cdtr><CdtrAcct><Id><Othr><Id>123456789</Id></Othr></Id></CdtrAcct>"
        f"<CdtrAgt>{ours}</CdtrAgt><Dbtr/><DbtrAcct><Id><Othr><Id>{asked['account']}</Id></Othr></Id></DbtrAcct>"
        f"<DbtrAgt>{theirs}</DbtrAgt></DrctDbtTxInf></FIToFICstmrDrctDbt>",
    )


def returned(uetr: str, amount: str, currency: str, reason: str) -> bytes:
    method = "<NbOfTxs>1</NbOfTxs><SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf>"
    return _document(
        "pacs.004.001.10",
        f"<PmtRtr>{_header(new_id(), method)}<TxInf><OrgnlUETR>{uetr}</OrgnlUETR>"
        f'<RtrdIntrBkSttlmAmt Ccy="{currency}">{amount}</RtrdIntrBkSttlmAmt>{_reason("RtrRsnInf", reason)}</TxInf>'
        "</PmtRtr>",
    )


def recall(uetr: str) -> bytes:
    return _document(
        "camt.056.001.09",
        f"<FIToFIPmtCxlReq>{_assignment(new_id())}<Undrlyg><TxInf><OrgnlUETR>{uetr}</OrgnlUETR>"
        f"{_reason('CxlRsnInf', 'DUPL')}</TxInf></Undrlyg></FIToFIPmtCxlReq>",
    )


def recall_answer(lines: list[tuple[str, str, str | None]]) -> bytes:
    told = "".join(
        f"<TxInfAndSts><OrgnlUETR>{uetr}</OrgnlUETR><TxCxlSts>{code}</TxCxlSts>{_reason('CxlStsRsnInf', reason)}"
        "</TxInfAndSts>"
        for uetr, code, reason in lines
    )
    return _document(
        "camt.029.001.10",
        f"<RsltnOfInvstgtn>{_assignment(new_id())}<Sts><Conf>CNCL</Conf></Sts><CxlDtls>{told}</CxlDtls></RsltnOfInvstgtn>",
    )


def _question_opening() -> str:
    ours, theirs = (_AGENT.format(code=code) for code in (CODE, BANK))
    return (
        f"<Assgnmt><MsgId>{new_id()}</MsgId><CreDtTm>{_moment()}</CreDtTm><Assgnr><Agt>{ours}</Agt></Assgnr>"
        f"<Assgne><Agt>{theirs}</Agt></Assgne></Assgnmt>"
    )


def question(asked: dict[str, str]) -> bytes:
    """`asked`: `id`, `account`, `name`, `document` (an identity card's number) and `country`, `phone`."""
    told = {name: escape(value) for name, value in asked.items()}
    known_by = (
        f"<Othr><Id>{told['document']}</Id><SchmeNm><Cd>NIDN</Cd></SchmeNm><Issr>{told['country']}</Issr></Othr>"
        f"<Othr><Id>{told['phone']}</Id><SchmeNm><Cd>TELE</Cd></SchmeNm></Othr>"
    )
    return _document(
        "acmt.023.001.02",
        f"<IdVrfctnReq>{_question_opening()}<Vrfctn><Id>{told['id']}</Id><PtyAndAcctId><Pty><Nm>{told['name']}</Nm>"
        f"<Id><PrvtId>{known_by}</PrvtId></Id></Pty><Acct><Othr><Id>{told['account']}</Id>"
        "<SchmeNm><Prtry>CLASS_ONE</Prtry></SchmeNm></Othr></Acct></PtyAndAcctId></Vrfctn></IdVrfctnReq>",
    )


def report(original: str, lines: list[tuple[str, str | None]]) -> bytes:
    """`lines` are the questions' ids, and why the answer is no where it is."""
    told = "".join(
        f"<Rpt><OrgnlId>{id}</OrgnlId><Vrfctn>{'false' if reason else 'true'}</Vrfctn>"
        f"{f'<Rsn>{reason}</Rsn>' if reason else ''}</Rpt>"
        for id, reason in lines
    )
    return _document(
        "acmt.024.001.02",
        f"<IdVrfctnRpt>{_question_opening()}<OrgnlAssgnmt><MsgId>{original}</MsgId></OrgnlAssgnmt>{told}</IdVrfctnRpt>",
    )
