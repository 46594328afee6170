"""Messages as the other side writes and reads them, with nothing taken from the bank's own code."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from lxml import etree

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
    """The kind and the document. Errors: etree.XMLSyntaxError."""
    document = etree.fromstring(raw, etree.XMLParser(resolve_entities=False, no_network=True))
    return (etree.QName(document).namespace or "").removeprefix(NAMESPACE), document


def text(element: etree._Element, *path: str) -> str | None:
    found = element.find(".//" + "/".join(f"{{*}}{name}" for name in path))
    return None if found is None else found.text


def new_id() -> str:
    return uuid4().hex


def _moment() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _document(kind: str, inside: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{NAMESPACE}{kind}">{inside}</Document>'.encode()


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
