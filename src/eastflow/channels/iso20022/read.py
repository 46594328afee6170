"""What a message says: elements into nouns. The message is valid by its schema by then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from uuid import UUID

from lxml import etree

from . import safe_xml
from .model import (
    ROOTS,
    Amount,
    Block,
    Content,
    Header,
    Initiation,
    Kind,
    Malformed,
    Party,
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
    bank_code,
)

MESSAGE_ID_CHARACTERS_MAX = 35
_ANSWERED_BY_STATUS = frozenset({Kind.INITIATION, Kind.TRANSFER, Kind.RETURN, Kind.RECALL})
_RECEIVED_WITHOUT_ANSWER = frozenset({Kind.STATUS, Kind.RECALL_ANSWER})
_MISSING_REASON = Reason("NARR", "no reason was given")


def read(raw: bytes) -> tuple[Kind, Content] | Malformed | Unreadable:
    document = safe_xml.parse(raw)
    if isinstance(document, Unreadable):
        return document
    kind = safe_xml.kind_of(document)
    if kind not in _ANSWERED_BY_STATUS | _RECEIVED_WITHOUT_ANSWER:
        return Unreadable(f"{kind.value} is sent by this bank, not received")
    problem = safe_xml.schema_problem(document)
    code = "FF01"
    if problem is None:
        try:
            return kind, _READERS[kind](document[0])
        except ValueError as unknown_day:
            # The schema's days reach further than the calendar's years 1 to 9999.
            code, problem = "DT01", str(unknown_day)
    message_id = _message_id(document, kind)
    if kind in _RECEIVED_WITHOUT_ANSWER or message_id is None:
        return Unreadable(f"not valid by its schema: {problem}")
    return Malformed(kind, message_id, Reason(code, problem))


def _message_id(document: etree._Element, kind: Kind) -> str | None:
    """Of a message that is not valid, if there is one that can be answered to."""
    place = ("Assgnmt", "Id") if kind is Kind.RECALL else ("GrpHdr", "MsgId")
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
    header = _header(root)
    of_all = _day(root, "GrpHdr", "IntrBkSttlmDt")
    found = []
    for element in _each(root, "CdtTrfTxInf"):
        amount = _amount(element, "IntrBkSttlmAmt")
        assert amount is not None, "the schema asks for it"
        day = _day(element, "IntrBkSttlmDt") or of_all or date.fromisoformat(header.created_at[:10])
        found.append(_transfer(element, amount, _party(element, "Dbtr"), day))
    return Transfers(header, tuple(found))


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
    lines = [
        StatusLine(
            _uetr(each, "OrgnlUETR"),
            _text(each, "OrgnlEndToEndId"),
            _text(each, "TxSts") or "",
            _reason(each, "StsRsnInf"),
            _text(each, "OrgnlTxId"),
        )
        for each in _each(root, "TxInfAndSts")
    ]
    return Statuses(
        _header(root),
        None if group is None else _text(group, "OrgnlMsgId"),
        None if group is None else _text(group, "OrgnlMsgNmId"),
        None if group is None else _text(group, "GrpSts"),
        None if group is None else _reason(group, "StsRsnInf"),
        tuple(lines),
    )


def _returns(root: etree._Element) -> Returns:
    lines = []
    for each in _each(root, "TxInf"):
        amount = _amount(each, "RtrdIntrBkSttlmAmt")
        assert amount is not None, "the schema asks for it"
        reason = _reason(each, "RtrRsnInf") or _reason(root, "OrgnlGrpInf", "RtrRsnInf") or _MISSING_REASON
        lines.append(
            ReturnLine(_uetr(each, "OrgnlUETR"), _text(each, "OrgnlEndToEndId"), amount, reason, _text(each, "RtrId"))
        )
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


_READERS: dict[Kind, Callable[[etree._Element], Content]] = {
    Kind.INITIATION: _initiation,
    Kind.TRANSFER: _transfers,
    Kind.STATUS: _statuses,
    Kind.RETURN: _returns,
    Kind.RECALL: _recalls,
    Kind.RECALL_ANSWER: _recall_answers,
}


def _header(root: etree._Element) -> Header:
    count = _text(root, "GrpHdr", "NbOfTxs")
    return Header(
        _text(root, "GrpHdr", "MsgId") or "",
        _text(root, "GrpHdr", "CreDtTm") or "",
        None if count is None else int(count),
        _text(root, "GrpHdr", "CtrlSum"),
    )


def _assignment(root: etree._Element) -> Header:
    return Header(_text(root, "Assgnmt", "Id") or "", _text(root, "Assgnmt", "CreDtTm") or "")


def _party(element: etree._Element, role: str) -> Party:
    account = _text(element, f"{role}Acct", "Id", "IBAN") or _text(element, f"{role}Acct", "Id", "Othr", "Id")
    bank = f"{role}Agt", "FinInstnId"
    agent = _text(element, *bank, "BICFI") or _text(element, *bank, "ClrSysMmbId", "MmbId")
    agent = agent or _text(element, *bank, "Othr", "Id")
    return Party(_text(element, role, "Nm"), account, agent and bank_code(agent))


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
