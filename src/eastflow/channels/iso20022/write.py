"""Nouns into messages: each function makes one, valid by its schema."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time

from lxml import etree

from eastflow.kernel import Asset
from eastflow.ledger import Account, Side, Statement, StatementLine

from . import amounts, safe_xml
from .model import (
    Amount,
    Collection,
    GroupStatus,
    Header,
    Kind,
    Party,
    Reason,
    RecallLine,
    RecallStatus,
    ReturnLine,
    StatusLine,
    Transfer,
)
from .safe_xml import Maker

NAME_CHARACTERS_MAX = 140
ADDITIONAL_CHARACTERS_MAX = 105
IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[a-zA-Z0-9]{1,30}")
BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
_INVESTIGATION = {RecallStatus.ACCEPTED: "CNCL", RecallStatus.PENDING: "PDCR", RecallStatus.REFUSED: "RJCR"}


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def transfers(header: Header, sent: Sequence[Transfer], *, sender: str, receiver: str) -> bytes:
    make = Maker(Kind.TRANSFER)
    return safe_xml.write(
        Kind.TRANSFER,
        _group_header(make, header, len(sent), sender, receiver),
        *(_transfer(make, each) for each in sent),
    )


def _transfer(make: Maker, sent: Transfer) -> etree._Element:
    return make(
        "CdtTrfTxInf",
        *_settled(make, sent),
        make("Dbtr", _name(make, sent.debtor.name)),
        _account_of(make, "DbtrAcct", sent.debtor),
        make("DbtrAgt", _agent(make, sent.debtor.agent)),
        make("CdtrAgt", _agent(make, sent.creditor.agent)),
        make("Cdtr", _name(make, sent.creditor.name)),
        _account_of(make, "CdtrAcct", sent.creditor),
        _remittance(make, sent),
    )


def collections(header: Header, sent: Sequence[Collection], *, sender: str, receiver: str) -> bytes:
    make = Maker(Kind.COLLECTION)
    return safe_xml.write(
        Kind.COLLECTION,
        _group_header(make, header, len(sent), sender, receiver),
        *(_collection(make, each) for each in sent),
    )


def _collection(make: Maker, sent: Collection) -> etree._Element:
    of = sent.transfer
    scheme = make("CdtrSchmeId", make("Id", make("PrvtId", make("Othr", make.maybe("Id", sent.creditor_id)))))
    signed = None if sent.signed_on is None else make("DtOfSgntr", sent.signed_on.isoformat())
    return make(
        "DrctDbtTxInf",
        *_settled(make, of),
        make("DrctDbtTx", make("MndtRltdInf", make.maybe("MndtId", sent.reference), signed), scheme),
        make("Cdtr", _name(make, of.creditor.name)),
        _account_of(make, "CdtrAcct", of.creditor),
        make("CdtrAgt", _agent(make, of.creditor.agent)),
        make("Dbtr", _name(make, of.debtor.name)),
        _account_of(make, "DbtrAcct", of.debtor),
        make("DbtrAgt", _agent(make, of.debtor.agent)),
        _remittance(make, of),
    )


def _group_header(make: Maker, header: Header, count: int, sender: str, receiver: str) -> etree._Element:
    return make(
        "GrpHdr",
        *_opening(make, header),
        make("NbOfTxs", str(count)),
        make("SttlmInf", make("SttlmMtd", "CLRG")),
        make("InstgAgt", _agent(make, sender)),
        make("InstdAgt", _agent(make, receiver)),
    )


def _settled(make: Maker, sent: Transfer) -> tuple[etree._Element, ...]:
    """How payments between banks begin, whoever sends them."""
    return (
        make(
            "PmtId",
            make.maybe("InstrId", sent.instruction_id),
            make("EndToEndId", sent.end_to_end_id),
            make.maybe("TxId", sent.transaction_id),
            _uetr(make, "UETR", sent),
        ),
        _amount(make, "IntrBkSttlmAmt", sent.amount),
        make("IntrBkSttlmDt", sent.day.isoformat()),
        make("ChrgBr", "SLEV"),
    )


def _remittance(make: Maker, sent: Transfer) -> etree._Element | None:
    return make("RmtInf", make("Ustrd", sent.remittance)) if sent.remittance else None


def statuses(
    header: Header, kind: Kind, original_id: str, group: GroupStatus, reason: Reason | None, lines: Sequence[StatusLine]
) -> bytes:
    """The answer to a message between banks; `reason` is that of the whole message."""
    make = Maker(Kind.STATUS)
    return _statuses(make, header, _original_group(make, kind, original_id, group, reason), lines)


def later_statuses(header: Header, lines: Sequence[StatusLine]) -> bytes:
    """What became of payments that came in several messages, and were answered before."""
    return _statuses(Maker(Kind.STATUS), header, None, lines)


def _statuses(make: Maker, header: Header, original_group: etree._Element | None, lines: Sequence[StatusLine]) -> bytes:
    return safe_xml.write(
        Kind.STATUS,
        make("GrpHdr", *_opening(make, header)),
        original_group,
        *(
            make(
                "TxInfAndSts",
                make.maybe("OrgnlEndToEndId", line.end_to_end_id),
                make.maybe("OrgnlTxId", line.transaction_id),
                _uetr(make, "OrgnlUETR", line),
                make("TxSts", line.status),
                _reason(make, "StsRsnInf", line.reason),
            )
            for line in lines
        ),
    )


def initiation_statuses(
    header: Header,
    original_id: str,
    group: GroupStatus,
    reason: Reason | None,
    blocks: Sequence[tuple[str, Sequence[StatusLine]]],
) -> bytes:
    """The answer to a customer's `pain.001`; `blocks` are its parts by their ids."""
    make = Maker(Kind.INITIATION_STATUS)
    return safe_xml.write(
        Kind.INITIATION_STATUS,
        make("GrpHdr", *_opening(make, header)),
        _original_group(make, Kind.INITIATION, original_id, group, reason),
        *(
            make(
                "OrgnlPmtInfAndSts",
                make("OrgnlPmtInfId", id),
                make("PmtInfSts", group_status(lines).value),
                *(
                    make(
                        "TxInfAndSts",
                        make.maybe("OrgnlInstrId", line.transaction_id),
                        make.maybe("OrgnlEndToEndId", line.end_to_end_id),
                        _uetr(make, "OrgnlUETR", line),
                        make("TxSts", line.status),
                        _reason(make, "StsRsnInf", line.reason),
                    )
                    for line in lines
                ),
            )
            for id, lines in blocks
        ),
    )


def group_status(lines: Iterable[StatusLine]) -> GroupStatus:
    """Taken, in part, or refused, as its payments are."""
    refused = Counter(line.status == GroupStatus.REFUSED.value for line in lines)
    if not refused[True]:
        return GroupStatus.ACCEPTED
    return GroupStatus.PARTIAL if refused[False] else GroupStatus.REFUSED


def _original_group(
    make: Maker, kind: Kind, original_id: str, group: GroupStatus, reason: Reason | None
) -> etree._Element:
    return make(
        "OrgnlGrpInfAndSts",
        make("OrgnlMsgId", original_id),
        make("OrgnlMsgNmId", kind.value),
        make("GrpSts", group.value),
        _reason(make, "StsRsnInf", reason),
    )


def returns(header: Header, sent: Sequence[ReturnLine]) -> bytes:
    make = Maker(Kind.RETURN)
    return safe_xml.write(
        Kind.RETURN,
        make(
            "GrpHdr",
            *_opening(make, header),
            make("NbOfTxs", str(len(sent))),
            make("SttlmInf", make("SttlmMtd", "CLRG")),
        ),
        *(
            make(
                "TxInf",
                make.maybe("RtrId", line.return_id),
                make.maybe("OrgnlEndToEndId", line.end_to_end_id),
                _uetr(make, "OrgnlUETR", line),
                _amount(make, "RtrdIntrBkSttlmAmt", line.amount),
                _reason(make, "RtrRsnInf", line.reason),
            )
            for line in sent
        ),
    )


def recalls(header: Header, sent: Sequence[RecallLine], *, sender: str, receiver: str) -> bytes:
    make = Maker(Kind.RECALL)
    return safe_xml.write(
        Kind.RECALL,
        _assignment(make, header, sender, receiver),
        make("CtrlData", make("NbOfTxs", str(len(sent)))),
        make(
            "Undrlyg",
            *(
                make(
                    "TxInf",
                    make.maybe("CxlId", line.cancellation_id),
                    make.maybe("OrgnlEndToEndId", line.end_to_end_id),
                    _uetr(make, "OrgnlUETR", line),
                    None if line.amount is None else _amount(make, "OrgnlIntrBkSttlmAmt", line.amount),
                    _reason(make, "CxlRsnInf", line.reason),
                )
                for line in sent
            ),
        ),
    )


def recall_answers(
    header: Header, lines: Sequence[StatusLine], *, original_id: str | None, sender: str, receiver: str
) -> bytes:
    """`original_id` is the request's, where the answer is to a whole message."""
    make = Maker(Kind.RECALL_ANSWER)
    found = {line.status for line in lines}
    of_all = RecallStatus(found.pop()) if len(found) == 1 else RecallStatus.PENDING
    case = None
    if original_id is not None:
        case = make("RslvdCase", make("Id", original_id), make("Cretr", make("Agt", _agent(make, receiver))))
    return safe_xml.write(
        Kind.RECALL_ANSWER,
        _assignment(make, header, sender, receiver),
        case,
        make("Sts", make("Conf", _INVESTIGATION[of_all])),
        make(
            "CxlDtls",
            *(
                make(
                    "TxInfAndSts",
                    make.maybe("OrgnlEndToEndId", line.end_to_end_id),
                    _uetr(make, "OrgnlUETR", line),
                    make("TxCxlSts", line.status),
                    _reason(make, "CxlStsRsnInf", line.reason),
                )
                for line in lines
            ),
        ),
    )


def with_header(message: bytes, *, sender: str, receiver: str) -> bytes:
    """A message of ours beside its business application header. The standard leaves the wrapper's name open."""
    document = etree.fromstring(message)
    made = Maker(Kind.HEADER)
    opening = document[0][0]
    id, at = (opening.findtext(f"{{*}}{name}") for name in ("MsgId", "CreDtTm"))
    header = made(
        "AppHdr",
        made("Fr", made("FIId", _agent(made, sender))),
        made("To", made("FIId", _agent(made, receiver))),
        made("BizMsgIdr", id or opening.findtext("{*}Id")),
        made("MsgDefIdr", safe_xml.kind_of(document).value),
        made("CreDt", at),
    )
    problem = safe_xml.schema_problem(header)
    assert problem is None, problem
    wrapper = etree.Element("Envelope")
    wrapper.extend([header, document])
    return etree.tostring(wrapper, xml_declaration=True, encoding="UTF-8")


def statement(header: Header, account: Account, asset: Asset, page: Statement, number: int, *, servicer: str) -> bytes:
    """One page of a day: its opening and closing balance are the ledger's, of the whole day."""
    make = Maker(Kind.STATEMENT)
    return safe_xml.write(
        Kind.STATEMENT,
        make("GrpHdr", *_opening(make, header)),
        make(
            "Stmt",
            *_report_opening(make, "StmtPgntn", header, account, page, number, servicer),
            _balance(make, "OPBD", page.opening_minor, account, asset, page.since),
            _balance(make, "CLBD", page.closing_minor, account, asset, page.until),
            *(_entry(make, line, asset) for line in page.lines),
        ),
    )


def notification(
    header: Header, account: Account, asset: Asset, page: Statement, number: int, *, servicer: str
) -> bytes:
    """The same entries, told without balances."""
    make = Maker(Kind.NOTIFICATION)
    return safe_xml.write(
        Kind.NOTIFICATION,
        make("GrpHdr", *_opening(make, header)),
        make(
            "Ntfctn",
            *_report_opening(make, "NtfctnPgntn", header, account, page, number, servicer),
            *(_entry(make, line, asset) for line in page.lines),
        ),
    )


def _report_opening(
    make: Maker, paging: str, header: Header, account: Account, page: Statement, number: int, servicer: str
) -> list[etree._Element]:
    first, last = datetime.combine(page.since, time(), UTC), datetime.combine(page.until, time.max, UTC)
    return [
        make("Id", header.message_id),
        make(paging, make("PgNb", str(number)), make("LastPgInd", "true" if page.cursor is None else "false")),
        make("CreDtTm", header.created_at),
        make("FrToDt", make("FrDtTm", moment(first)), make("ToDtTm", moment(last))),
        make(
            "Acct",
            make("Id", make("Othr", make("Id", str(account.id)))),
            make("Ccy", account.asset),
            make("Svcr", _agent(make, servicer)),
        ),
    ]


def _balance(make: Maker, code: str, minor: int, account: Account, asset: Asset, day: date) -> etree._Element:
    credit = minor if account.side is Side.CREDIT else -minor
    return make(
        "Bal",
        make("Tp", make("CdOrPrtry", make("Cd", code))),
        make("Amt", amounts.text(minor, asset.scale), Ccy=asset.code),
        make("CdtDbtInd", _direction(credit)),
        make("Dt", make("Dt", day.isoformat())),
    )


def _entry(make: Maker, line: StatementLine, asset: Asset) -> etree._Element:
    posting = line.posting
    return make(
        "Ntry",
        make("NtryRef", str(posting.sequence)),
        make("Amt", amounts.text(posting.amount_minor, asset.scale), Ccy=asset.code),
        make("CdtDbtInd", _direction(posting.amount_minor)),
        make("RvslInd", "true") if line.kind == "reversal" else None,
        make("Sts", make("Cd", "BOOK")),
        make("BookgDt", make("DtTm", moment(posting.booked_at))),
        make("ValDt", make("Dt", posting.value_date.isoformat())),
        make("AcctSvcrRef", posting.entry.hex),
        make("BkTxCd", make("Prtry", make("Cd", line.kind[:35]))),
        make("AddtlNtryInf", line.memo) if line.memo else None,
    )


def _direction(credit_minor: int) -> str:
    return "CRDT" if credit_minor >= 0 else "DBIT"


def _opening(make: Maker, header: Header) -> tuple[etree._Element, etree._Element]:
    return make("MsgId", header.message_id), make("CreDtTm", header.created_at)


def _assignment(make: Maker, header: Header, sender: str, receiver: str) -> etree._Element:
    return make(
        "Assgnmt",
        make("Id", header.message_id),
        make("Assgnr", make("Agt", _agent(make, sender))),
        make("Assgne", make("Agt", _agent(make, receiver))),
        make("CreDtTm", header.created_at),
    )


def _agent(make: Maker, code: str | None) -> etree._Element:
    """A BIC where it looks like one, otherwise a member's number."""
    if code is None:
        return make("FinInstnId")
    if BIC.fullmatch(code):
        return make("FinInstnId", make("BICFI", code))
    return make("FinInstnId", make("ClrSysMmbId", make("MmbId", code)))


def _account_of(make: Maker, name: str, party: Party) -> etree._Element | None:
    if not party.account:
        return None
    if IBAN.fullmatch(party.account):
        return make(name, make("Id", make("IBAN", party.account)))
    return make(name, make("Id", make("Othr", make("Id", party.account))))


def _name(make: Maker, name: str | None) -> etree._Element | None:
    return make("Nm", name[:NAME_CHARACTERS_MAX]) if name else None


def _amount(make: Maker, name: str, amount: Amount) -> etree._Element:
    return make(name, amount.text, Ccy=amount.currency)


def _uetr(make: Maker, name: str, of: Transfer | StatusLine | ReturnLine | RecallLine) -> etree._Element | None:
    return None if of.uetr is None else make(name, str(of.uetr))


def _reason(make: Maker, name: str, reason: Reason | None) -> etree._Element | None:
    if reason is None:
        return None
    # The code sets are of four signs; what is longer was a proprietary reason when it came.
    code = make("Cd", reason.code) if len(reason.code) <= 4 else make("Prtry", reason.code[:35])
    text = reason.text[:ADDITIONAL_CHARACTERS_MAX]
    return make(name, make("Rsn", code), make("AddtlInf", text) if text else None)
