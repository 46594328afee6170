"""What the house has seen, and the rules by which it answers."""

from __future__ import annotations

import queue
import threading
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import uuid4

from lxml import etree

from . import messages
from .messages import Schemas, text

NO_ACCOUNT, COMES_BACK, BUSY_ONCE, ANSWERS_LATER, KEEPS_IT = "404", "777", "503", "202", "600"
NOT_VERIFIED = {"404": "<Cd>AC01</Cd>", "405": "<Cd>PN01</Cd>", "406": "<Prtry>CLASS_ONE</Prtry>"}
"""By the last digits of the account: there is none, it is another person's, it is not of class I."""


@dataclass
class Taken:
    """A payment the bank has sent."""

    amount: str
    currency: str
    account: str
    status: str
    reason: str | None = None
    times: int = 1
    returned: bool = False


@dataclass
class House:
    """`outbox` is what waits to be sent to the bank; another thread sends it."""

    schemas: Schemas
    payments: dict[str, Taken] = field(default_factory=dict)
    sent: dict[str, str] = field(default_factory=dict)
    came_back: dict[str, str] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    outbox: queue.Queue[bytes] = field(default_factory=queue.Queue)
    _known: dict[str, tuple[bytes, int, bytes]] = field(default_factory=dict)
    _was_busy: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, raw: bytes) -> tuple[int, bytes]:
        """The HTTP status and the body of the answer."""
        with self._lock:
            try:
                kind, document = messages.parse(raw)
            except etree.XMLSyntaxError:
                return 400, b""
            id = messages.id_of(document)
            if not id or not kind:
                return 400, b""
            header = document.getprevious()
            if problem := self.schemas.problem(document, kind) or self._header_problem(header, id, kind):
                print(f"not valid: {problem}", flush=True)
                return 200, messages.status(id, kind, [], refused="FF01")
            if id in self._known:
                before, status, answer = self._known[id]
                return (status, answer) if before == raw else (200, messages.status(id, kind, [], refused="DU01"))
            status, answer = self._answer(id, kind, document)
            if answer and header is not None:
                answer = messages.with_header(answer)
            if status != 503:
                self._known[id] = raw, status, answer
            return status, answer

    def _header_problem(self, header: etree._Element | None, id: str, kind: str) -> str | None:
        if header is None:
            return None
        if problem := self.schemas.problem(header, messages.HEADER):
            return problem
        same = (text(header, "BizMsgIdr"), text(header, "MsgDefIdr")) == (id, kind)
        return None if same else "the header is another message's"

    def pay(self, asked: dict[str, str]) -> str:
        uetr = asked.get("uetr") or str(uuid4())
        with self._lock:
            self.sent[uetr] = asked["amount"]
        self.outbox.put(messages.transfer(uetr, asked["amount"], asked["currency"], asked["account"]))
        return uetr

    def collect(self, asked: dict[str, str]) -> str:
        uetr = asked.get("uetr") or str(uuid4())
        with self._lock:
            self.sent[uetr] = asked["amount"]
        self.outbox.put(messages.collection(asked | {"uetr": uetr}))
        return uetr

    def recall(self, asked: dict[str, str]) -> None:
        self.outbox.put(messages.recall(asked["uetr"]))

    def verify(self, asked: dict[str, str]) -> str:
        id = uuid4().hex
        self.outbox.put(messages.question(asked | {"id": id}))
        return id

    def state(self) -> dict[str, Any]:
        with self._lock:
            return {
                "payments": {uetr: asdict(taken) for uetr, taken in self.payments.items()},
                "sent": dict(self.sent),
                "came_back": dict(self.came_back),
                "answers": list(self.answers),
                "waiting": self.outbox.qsize(),
            }

    def answered(self, raw: bytes) -> None:
        """The bank's answer to a message of ours."""
        with self._lock:
            self.answers.append(raw.decode())

    def _answer(self, id: str, kind: str, document: etree._Element) -> tuple[int, bytes]:
        if kind.startswith("pacs.008"):
            return self._paid(id, kind, list(document.iter("{*}CdtTrfTxInf")), "CdtrAcct")
        if kind.startswith("pacs.003"):
            return self._paid(id, kind, list(document.iter("{*}DrctDbtTxInf")), "DbtrAcct")
        if kind.startswith("pacs.004"):
            return self._returned(id, kind, list(document.iter("{*}TxInf")))
        if kind.startswith("camt.056"):
            uetrs = [text(each, "OrgnlUETR") or "" for each in document.iter("{*}TxInf")]
            return 200, messages.recall_answer([self._recalled(uetr) for uetr in uetrs])
        if kind.startswith("acmt.023"):
            return self._verified(id, list(document.iter("{*}Vrfctn")))
        self.answers.append(etree.tostring(document).decode())
        return 202, b""

    def _paid(self, id: str, kind: str, found: list[etree._Element], end: str) -> tuple[int, bytes]:
        """`end` names the account of ours: what a payment of the bank is for, or what it collects from."""
        accounts = [text(each, end, "Id", "IBAN") or text(each, end, "Id", "Othr", "Id") or "" for each in found]
        if any(account.endswith(BUSY_ONCE) for account in accounts) and id not in self._was_busy:
            self._was_busy.add(id)
            return 503, b""
        lines = [self._judged(each, account) for each, account in zip(found, accounts, strict=True)]
        return self._at_once_or_later(messages.status(id, kind, lines), accounts)

    def _verified(self, id: str, found: list[etree._Element]) -> tuple[int, bytes]:
        accounts = [text(each, "Acct", "Othr", "Id") or "" for each in found]
        ids = [text(each, "Id") or "" for each in found]
        lines = [(of, NOT_VERIFIED.get(account[-3:])) for of, account in zip(ids, accounts, strict=True)]
        return self._at_once_or_later(messages.report(id, lines), accounts)

    def _at_once_or_later(self, answer: bytes, accounts: list[str]) -> tuple[int, bytes]:
        if any(account.endswith(ANSWERS_LATER) for account in accounts):
            self.outbox.put(answer)
            return 202, b""
        return 200, answer

    def _judged(self, element: etree._Element, account: str) -> tuple[str, str, str | None]:
        uetr = text(element, "UETR") or ""
        amount = element.find("{*}IntrBkSttlmAmt")
        assert amount is not None, "the schema asks for it"
        said, currency = amount.text or "", amount.get("Ccy", "")
        known = self.payments.get(uetr)
        if known is not None:
            known.times += 1
            same = (known.amount, known.currency, known.account) == (said, currency, account)
            return (uetr, known.status, known.reason) if same else (uetr, "RJCT", "DU03")
        refused = "AC01" if account.endswith(NO_ACCOUNT) else None
        taken = self.payments[uetr] = Taken(said, currency, account, "RJCT" if refused else "ACSC", refused)
        if account.endswith(COMES_BACK):
            self._give_back(uetr, taken, "MD06" if element.tag.endswith("DrctDbtTxInf") else "AC04")
        return uetr, taken.status, taken.reason

    def _give_back(self, uetr: str, taken: Taken, reason: str) -> None:
        taken.returned = True
        self.outbox.put(messages.returned(uetr, taken.amount, taken.currency, reason))

    def _returned(self, id: str, kind: str, found: list[etree._Element]) -> tuple[int, bytes]:
        lines: list[tuple[str, str, str | None]] = []
        for each in found:
            uetr = text(each, "OrgnlUETR") or ""
            expected = uetr in self.sent and uetr not in self.came_back
            if expected:
                self.came_back[uetr] = text(each, "RtrdIntrBkSttlmAmt") or ""
            lines.append((uetr, "ACSC", None) if expected else (uetr, "RJCT", "AG09"))
        return 200, messages.status(id, kind, lines)

    def _recalled(self, uetr: str) -> tuple[str, str, str | None]:
        taken = self.payments.get(uetr)
        if taken is None or taken.status != "ACSC" or taken.returned:
            return uetr, "RJCR", "NOOR" if taken is None else "ARDT"
        if taken.account.endswith(KEEPS_IT):
            return uetr, "RJCR", "CUST"
        self._give_back(uetr, taken, "FOCR")
        return uetr, "ACCR", None
