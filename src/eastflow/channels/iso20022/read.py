"""What a message says: elements into nouns. The message is valid by its schema by then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from uuid import UUID

from lxml import etree

from eastflow.customers import Document, DocumentKind

from . import safe_xml
from .model import (
    CLASS_ONE_SCHEME,
    DOCUMENT_SCHEMES,
    PHONE_SCHEME,
    ROOTS,
    Amount,
    Block,
    BusinessHeader,
    Collection,
    Collections,
    Content,
    Header,
    Initiation,
    Kind,
    Malformed,
    Party,
    Question,
    Questions,
    Reason,
    RecallAnswers,
    RecallLine,
    Recalls,
    ReturnLine,
    Returns,
    Statuses,
    StatusLine,
    Transfer,
    Transfers,
    Unreadable,
    VerificationReport,
    VerificationReports,
    bank_code,
)

MESSAGE_ID_CHARACTERS_MAX = 35
_ANSWERED_BY_STATUS = frozenset(
    {Kind.INITIATION, Kind.TRANSFER, Kind.COLLECTION, Kind.RETURN, Kind.RECALL, Kind.VERIFICATION}
)
_RECEIVED_WITHOUT_ANSWER = frozenset({Kind.STATUS, Kind.RECALL_ANSWER, Kind.VERIFICATION_REPORT})
_ID_PLACES = {Kind.RECALL: ("Assgnmt", "Id"), Kind.VERIFICATION: ("Assgnmt", "MsgId")}
_MISSING_REASON = Reason("NARR", "no reason was given")


def read(raw: bytes) -> tuple[Kind, Content] | Malformed | Unreadable:
    document = safe_xml.parse(raw)
    if isinstance(document, Unreadable):
        return document
    kind = safe_xml.kind_of(document)
    if kind not in _ANSWERED_BY_STATUS | _RECEIVED_WITHOUT_ANSWER:
        return Unreadable(f"{kind.value} is sent by this bank, not received")
    header = safe_xml.header_of(document)
    problem = None if header is None else safe_xml.schema_problem(header)
    problem = problem or safe_xml.schema_problem(document)
    code = "FF01"
    if problem is None:
        try:
            content = _READERS[kind](document[0])
            if header is None:
                return kind, content
            business = _business_header(header, document[0])
            return kind, replace(content, header=replace(content.header, business=business))
        except ValueError as unknown_day:
            # The schema's days reach further than the calendar's years 1 to 9999.
            code, problem = "DT01", str(unknown_day)
    message_id = _message_id(document, kind)
    if kind in _RECEIVED_WITHOUT_ANSWER or message_id is None:
        return Unreadable(f"not valid by its schema: {problem}")
    return Malformed(kind, message_id, Reason(code, problem))


def read_initiation_status(raw: bytes) -> list[StatusLine]:
    """The lines of a `pain.002` of ours."""
    document = safe_xml.parse(raw)
    assert not isinstance(document, Unreadable), "it was written here"
    return [
        replace(_status(each), transaction_id=_text(each, "OrgnlInstrId"))
        for each in _each(document[0], "OrgnlPmtInfAndSts", "TxInfAndSts")
    ]


def _message_id(document: etree._Element, kind: Kind) -> str | None:
    """Of a message that is not valid, if there is one that can be answered to."""
    place = _ID_PLACES.get(kind, ("GrpHdr", "MsgId"))
    found = _text(document, ROOTS[kind], *place)
    return found if found and len(found) <= MESSAGE_ID_CHARACTERS_MAX else None


def _initiation(root: etree._Element) -> Initiation:
    return Initiation(_header(root), tuple(_block(each) for each in _each(root, "PmtInf")))


def _block(element: etree._Element) -> Block:
    debtor = _party(element, "Dbtr")
    day = _day(element, "ReqdExctnDt", "Dt") or _day(element, "ReqdExctnDt", "DtTm")
    assert day is not None, "the schema asks for one of the two"
    id = _text(element, "PmtInfId")
    assert id is not None, "the schema asks for it"
    return Block(id, tuple(_initiated(each, debtor, day) for each in _each(element, "CdtTrfTxInf")))


def _initiated(element: etree._Element, debtor: Party, day: date) -> Transfer:
    # The other choice is an equivalent in another currency, which this bank does not exchange: no currency it has.
    amount = _amount(element, "Amt", "InstdAmt") or Amount("", "0")
    return _transfer(element, amount, debtor, day)


def _transfers(root: etree._Element) -> Transfers:
    return Transfers(_header(root), tuple(_settled(root, each) for each in _each(root, "CdtTrfTxInf")))


def _collections(root: etree._Element) -> Collections:
    return Collections(_header(root), tuple(_collection(root, each) for each in _each(root, "DrctDbtTxInf")))


def _collection(root: etree._Element, element: etree._Element) -> Collection:
    scheme = "DrctDbtTx", "CdtrSchmeId", "Id"
    creditor_id = _text(element, *scheme, "PrvtId", "Othr", "Id") or _text(element, *scheme, "OrgId", "Othr", "Id")
    mandate = "DrctDbtTx", "MndtRltdInf"
    signed_on = _day(element, *mandate, "DtOfSgntr")
    return Collection(_settled(root, element), _text(element, *mandate, "MndtId"), creditor_id, signed_on)


def _settled(root: etree._Element, element: etree._Element) -> Transfer:
    """One of a message between banks, on its own day or on that of all."""
    amount = _amount(element, "IntrBkSttlmAmt")
    assert amount is not None, "the schema asks for it"
    day = _day(element, "IntrBkSttlmDt") or _day(root, "GrpHdr", "IntrBkSttlmDt")
    day = day or date.fromisoformat(_header(root).created_at[:10])
    return _transfer(element, amount, _party(element, "Dbtr"), day)


def _transfer(element: etree._Element, amount: Amount, debtor: Party, day: date) -> Transfer:
    lines = [each.text for each in _each(element, "RmtInf", "Ustrd") if each.text]
    return Transfer(
        _text(element, "PmtId", "EndToEndId") or "",
        _uetr(element, "PmtId", "UETR"),
        amount,
        debtor,
        _party(element, "Cdtr"),
        day,
        " ".join(lines) or None,
        _text(element, "PmtId", "InstrId"),
        _text(element, "PmtId", "TxId"),
    )


def _statuses(root: etree._Element) -> Statuses:
    group = _find(root, "OrgnlGrpInfAndSts")
    lines = [replace(_status(each), transaction_id=_text(each, "OrgnlTxId")) for each in _each(root, "TxInfAndSts")]
    return Statuses(
        _header(root),
        None if group is None else _text(group, "OrgnlMsgId"),
        None if group is None else _text(group, "OrgnlMsgNmId"),
        None if group is None else _text(group, "GrpSts"),
        None if group is None else _reason(group, "StsRsnInf"),
        tuple(lines),
    )


def _status(element: etree._Element) -> StatusLine:
    return StatusLine(
        _uetr(element, "OrgnlUETR"),
        _text(element, "OrgnlEndToEndId"),
        _text(element, "TxSts") or "",
        _reason(element, "StsRsnInf"),
    )


def _returns(root: etree._Element) -> Returns:
    lines = []
    for each in _each(root, "TxInf"):
        amount = _amount(each, "RtrdIntrBkSttlmAmt")
        assert amount is not None, "the schema asks for it"
        reason = _reason(each, "RtrRsnInf") or _reason(root, "OrgnlGrpInf", "RtrRsnInf") or _MISSING_REASON
        charges = tuple(found for part in _each(each, "ChrgsInf") if (found := _amount(part, "Amt")))
        id, end_to_end_id = _text(each, "RtrId"), _text(each, "OrgnlEndToEndId")
        lines.append(ReturnLine(_uetr(each, "OrgnlUETR"), end_to_end_id, amount, reason, id, charges))
    return Returns(_header(root), tuple(lines))


def _recalls(root: etree._Element) -> Recalls:
    lines = [
        RecallLine(
            _uetr(each, "OrgnlUETR"),
            _text(each, "OrgnlEndToEndId"),
            _amount(each, "OrgnlIntrBkSttlmAmt"),
            _reason(each, "CxlRsnInf") or _MISSING_REASON,
            _text(each, "CxlId"),
        )
        for each in _each(root, "Undrlyg", "TxInf")
    ]
    count = _text(root, "CtrlData", "NbOfTxs")
    header = _assignment(root)
    return Recalls(
        Header(
            header.message_id,
            header.created_at,
            None if count is None else int(count),
            _text(root, "CtrlData", "CtrlSum"),
        ),
        tuple(lines),
    )


def _recall_answers(root: etree._Element) -> RecallAnswers:
    lines = [
        StatusLine(
            _uetr(each, "OrgnlUETR"),
            _text(each, "OrgnlEndToEndId"),
            _text(each, "TxCxlSts") or "",
            _reason(each, "CxlStsRsnInf"),
        )
        for each in _each(root, "CxlDtls", "TxInfAndSts")
    ]
    return RecallAnswers(_assignment(root), tuple(lines))


def _questions(root: etree._Element) -> Questions:
    return Questions(_assignment(root, "MsgId"), tuple(_question(each) for each in _each(root, "Vrfctn")))


def _question(element: etree._Element) -> Question:
    asked, person = ("PtyAndAcctId",), ("PtyAndAcctId", "Pty", "Id", "PrvtId", "Othr")
    account = _text(element, *asked, "Acct", "IBAN") or _text(element, *asked, "Acct", "Othr", "Id")
    known_by = list(_each(element, *person))
    phones = (_text(each, "Id") for each in known_by if _text(each, "SchmeNm", "Cd") == PHONE_SCHEME)
    return Question(
        _text(element, "Id") or "",
        Party(_text(element, *asked, "Pty", "Nm"), account, _bank(element, *asked, "Agt")),
        next((found for each in known_by if (found := _document(each))), None),
        next(phones, None),
        _text(element, *asked, "Acct", "Othr", "SchmeNm", "Prtry") == CLASS_ONE_SCHEME,
    )


def _document(element: etree._Element) -> Document | None:
    """Of a kind that this bank knows, and of the country that issued it."""
    scheme = _text(element, "SchmeNm", "Cd") or _text(element, "SchmeNm", "Prtry")
    found = [kind for kind in DocumentKind if scheme == DOCUMENT_SCHEMES.get(kind, kind.value)]
    country = _text(element, "Issr")
    return Document(found[0], _text(element, "Id") or "", country) if found and country else None


def _told_reason(element: etree._Element) -> Reason | None:
    code = _text(element, "Rsn", "Cd") or _text(element, "Rsn", "Prtry")
    return None if code is None else Reason(code)


def _verification_reports(root: etree._Element) -> VerificationReports:
    lines = [
        VerificationReport(
            _text(each, "OrgnlId") or "",
            # Corrected, it is not what was asked.
            (_text(each, "Vrfctn") or "").strip() in ("true", "1") and _find(each, "UpdtdPtyAndAcctId") is None,
            _told_reason(each),
        )
        for each in _each(root, "Rpt")
    ]
    return VerificationReports(_assignment(root, "MsgId"), _text(root, "OrgnlAssgnmt", "MsgId"), tuple(lines))


_READERS: dict[Kind, Callable[[etree._Element], Content]] = {
    Kind.INITIATION: _initiation,
    Kind.TRANSFER: _transfers,
    Kind.COLLECTION: _collections,
    Kind.STATUS: _statuses,
    Kind.RETURN: _returns,
    Kind.RECALL: _recalls,
    Kind.RECALL_ANSWER: _recall_answers,
    Kind.VERIFICATION: _questions,
    Kind.VERIFICATION_REPORT: _verification_reports,
}


def _header(root: etree._Element) -> Header:
    count = _text(root, "GrpHdr", "NbOfTxs")
    return Header(
        _text(root, "GrpHdr", "MsgId") or "",
        _text(root, "GrpHdr", "CreDtTm") or "",
        None if count is None else int(count),
        _text(root, "GrpHdr", "CtrlSum"),
    )


def _business_header(header: etree._Element, root: etree._Element) -> BusinessHeader:
    return BusinessHeader(
        _end(header, "Fr"),
        _end(header, "To"),
        _text(header, "BizMsgIdr") or "",
        _text(header, "MsgDefIdr") or "",
        _bank(root, "GrpHdr", "InstgAgt") or _bank(root, "Assgnmt", "Assgnr", "Agt"),
        _bank(root, "GrpHdr", "InstdAgt") or _bank(root, "Assgnmt", "Assgne", "Agt"),
    )


def _end(header: etree._Element, role: str) -> str | None:
    organisation = _text(header, role, "OrgId", "Id", "OrgId", "AnyBIC")
    return _bank(header, role, "FIId") or (organisation and bank_code(organisation))


def _assignment(root: etree._Element, id: str = "Id") -> Header:
    return Header(_text(root, "Assgnmt", id) or "", _text(root, "Assgnmt", "CreDtTm") or "")


def _party(element: etree._Element, role: str) -> Party:
    account = _text(element, f"{role}Acct", "Id", "IBAN") or _text(element, f"{role}Acct", "Id", "Othr", "Id")
    return Party(_text(element, role, "Nm"), account, _bank(element, f"{role}Agt"))


def _bank(element: etree._Element, *path: str) -> str | None:
    bank = *path, "FinInstnId"
    found = _text(element, *bank, "BICFI") or _text(element, *bank, "ClrSysMmbId", "MmbId")
    found = found or _text(element, *bank, "Othr", "Id")
    return found and bank_code(found)


def _reason(element: etree._Element, *path: str) -> Reason | None:
    found = _find(element, *path)
    if found is None:
        return None
    code = _text(found, "Rsn", "Cd") or _text(found, "Rsn", "Prtry") or _MISSING_REASON.code
    return Reason(code, _text(found, "AddtlInf") or "")


def _amount(element: etree._Element, *path: str) -> Amount | None:
    found = _find(element, *path)
    return None if found is None else Amount(found.get("Ccy", ""), (found.text or "").strip())


def _uetr(element: etree._Element, *path: str) -> UUID | None:
    found = _text(element, *path)
    return None if found is None else UUID(found)


def _day(element: etree._Element, *path: str) -> date | None:
    """A date of the schema may have a zone behind it, and a moment a time: the day is what counts."""
    found = _text(element, *path)
    return None if found is None else date.fromisoformat(found.strip()[:10])


def _text(element: etree._Element, *path: str) -> str | None:
    found = _find(element, *path)
    return None if found is None else found.text


def _find(element: etree._Element, *path: str) -> etree._Element | None:
    return element.find("/".join(f"{{*}}{name}" for name in path))


def _each(element: etree._Element, *path: str) -> Iterator[etree._Element]:
    return element.iterfind("/".join(f"{{*}}{name}" for name in path))
