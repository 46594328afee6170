"""The nouns of ISO 20022 at this bank: the messages it speaks, what stands in them, and what became of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from uuid import UUID

from eastflow.customers import Document, DocumentKind

_HEAD_OFFICE = re.compile("([A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2})XXX")


def bank_code(text: str) -> str:
    """A BIC of eleven signs that ends with XXX is the same bank as that of eight; any other code is as it is."""
    found = _HEAD_OFFICE.fullmatch(text)
    return found[1] if found else text


class Kind(Enum):
    """A message definition by its whole name. All are of one maintenance release (2019/2020), but for those of
    verification (2013)."""

    INITIATION = "pain.001.001.10"
    INITIATION_STATUS = "pain.002.001.11"
    TRANSFER = "pacs.008.001.09"
    COLLECTION = "pacs.003.001.08"
    STATUS = "pacs.002.001.11"
    RETURN = "pacs.004.001.10"
    RECALL = "camt.056.001.09"
    RECALL_ANSWER = "camt.029.001.10"
    STATEMENT = "camt.053.001.08"
    NOTIFICATION = "camt.054.001.08"
    VERIFICATION = "acmt.023.001.02"
    VERIFICATION_REPORT = "acmt.024.001.02"
    HEADER = "head.001.001.02"

    @property
    def namespace(self) -> str:
        return f"urn:iso:std:iso:20022:tech:xsd:{self.value}"


ROOTS = {
    Kind.INITIATION: "CstmrCdtTrfInitn",
    Kind.INITIATION_STATUS: "CstmrPmtStsRpt",
    Kind.TRANSFER: "FIToFICstmrCdtTrf",
    Kind.COLLECTION: "FIToFICstmrDrctDbt",
    Kind.STATUS: "FIToFIPmtStsRpt",
    Kind.RETURN: "PmtRtr",
    Kind.RECALL: "FIToFIPmtCxlReq",
    Kind.RECALL_ANSWER: "RsltnOfInvstgtn",
    Kind.STATEMENT: "BkToCstmrStmt",
    Kind.NOTIFICATION: "BkToCstmrDbtCdtNtfctn",
    Kind.VERIFICATION: "IdVrfctnReq",
    Kind.VERIFICATION_REPORT: "IdVrfctnRpt",
}
"""The one child of each `Document`."""


class TransactionStatus(Enum):
    """What becomes of one payment: settled, under way, accepted for a day to come, taken without being posted to the
    payee's account, or refused (a choice of the external code set)."""

    SETTLED = "ACSC"
    UNDER_WAY = "ACSP"
    SCHEDULED = "ACCP"
    NOT_POSTED = "ACWP"
    REFUSED = "RJCT"


class GroupStatus(Enum):
    """What becomes of a whole message: taken, taken in part, or refused."""

    ACCEPTED = "ACCP"
    PARTIAL = "PART"
    REFUSED = "RJCT"


class RecallStatus(Enum):
    """What becomes of a request for cancellation: done, being looked into, or refused."""

    ACCEPTED = "ACCR"
    PENDING = "PDCR"
    REFUSED = "RJCR"


class Direction(Enum):
    RECEIVED = "received"
    SENT = "sent"


class DeliveryStatus(Enum):
    """`done` for what was received, and for what was given as an answer or delivered."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Reason:
    """A code of the external code sets, and a few words for people."""

    code: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Amount:
    """As it stands in a message: a decimal text and a currency. `amounts.minor` makes whole minor units of it."""

    currency: str
    text: str


@dataclass(frozen=True, slots=True)
class Party:
    """One end of a payment. `account` is an IBAN or another number; `agent` its bank: a BIC or a member's number."""

    name: str | None
    account: str | None
    agent: str | None


@dataclass(frozen=True, slots=True)
class Transfer:
    """One payment, in a `pain.001`, a `pacs.008` or a `pacs.003`."""

    end_to_end_id: str
    uetr: UUID | None
    amount: Amount
    debtor: Party
    creditor: Party
    day: date
    remittance: str | None = None
    instruction_id: str | None = None
    transaction_id: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A `pain.001`'s payments of one debtor and day."""

    id: str
    transfers: tuple[Transfer, ...]


@dataclass(frozen=True, slots=True)
class BusinessHeader:
    """What an `AppHdr` says of the message beside it, and the ends that the message itself names, if it does."""

    sender: str | None
    receiver: str | None
    message_id: str
    kind: str
    named_sender: str | None = None
    named_receiver: str | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """`count` and `control_sum` are what the sender says of the message's payments; the sum is a decimal text."""

    message_id: str
    created_at: str
    count: int | None = None
    control_sum: str | None = None
    business: BusinessHeader | None = None


@dataclass(frozen=True, slots=True)
class Initiation:
    header: Header
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Transfers:
    header: Header
    transfers: tuple[Transfer, ...]


@dataclass(frozen=True, slots=True)
class Collection:
    """A payment that its creditor collects, under the mandate that `reference` and `creditor_id` name together."""

    transfer: Transfer
    reference: str | None
    creditor_id: str | None
    signed_on: date | None = None


@dataclass(frozen=True, slots=True)
class Collections:
    header: Header
    collections: tuple[Collection, ...]


@dataclass(frozen=True, slots=True)
class StatusLine:
    """What became of one payment. Either id may be missing; what is refused has a reason."""

    uetr: UUID | None
    end_to_end_id: str | None
    status: str
    reason: Reason | None = None
    transaction_id: str | None = None


@dataclass(frozen=True, slots=True)
class Statuses:
    header: Header
    original_message_id: str | None
    original_kind: str | None
    group_status: str | None
    reason: Reason | None
    lines: tuple[StatusLine, ...]


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """Money that comes back: of which payment, how much, why, and what the other bank kept of it as charges."""

    uetr: UUID | None
    end_to_end_id: str | None
    amount: Amount
    reason: Reason
    return_id: str | None = None
    charges: tuple[Amount, ...] = ()


@dataclass(frozen=True, slots=True)
class Returns:
    header: Header
    lines: tuple[ReturnLine, ...]


@dataclass(frozen=True, slots=True)
class RecallLine:
    """A request to give back one payment."""

    uetr: UUID | None
    end_to_end_id: str | None
    amount: Amount | None
    reason: Reason
    cancellation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Recalls:
    header: Header
    lines: tuple[RecallLine, ...]


@dataclass(frozen=True, slots=True)
class RecallAnswers:
    header: Header
    lines: tuple[StatusLine, ...]


DOCUMENT_SCHEMES = {
    DocumentKind.IDENTITY_CARD: "NIDN",
    DocumentKind.PASSPORT: "CCPT",
    DocumentKind.DRIVING_LICENCE: "DRLC",
}
PHONE_SCHEME = "TELE"
"""Of ExternalPersonIdentification1Code, compared with a public copy; other documents go by the bank's own names."""
CLASS_ONE_SCHEME = "CLASS_ONE"
"""By which an account is asked for that is of class I: this bank's own word, as no message has a place for it."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question: is the account at the party's agent that of the party, who is known by document and telephone?"""

    id: str
    party: Party
    document: Document | None
    phone: str | None
    of_class_one: bool


@dataclass(frozen=True, slots=True)
class Questions:
    header: Header
    lines: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """Yes or no to a question, of which the other bank corrects nothing if it is yes."""

    original_id: str
    verified: bool
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class VerificationReports:
    """`original_id` is the id of the message that asked, if it is told."""

    header: Header
    original_id: str | None
    lines: tuple[VerificationReport, ...]


Content = (
    Initiation
    | Transfers
    | Collections
    | Statuses
    | Returns
    | Recalls
    | RecallAnswers
    | Questions
    | VerificationReports
)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """No message at all, or one without an id to answer to."""

    reason: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """A message whose id can be read and the rest cannot: it is answered with a status report."""

    kind: Kind
    message_id: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it is kept. `counterparty` is who sent it, or whom it is for; `answers` the id of another."""

    id: UUID
    direction: Direction
    counterparty: str
    kind: str
    message_id: str
    content: bytes
    at: datetime
    status: DeliveryStatus = DeliveryStatus.DONE
    answers: UUID | None = None
    attempts: int = 0
    last_status: int | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a message. `id` is None where it was not kept: it was malformed, or not for this sender to send.
    `replayed`: it had come before, and is answered as it was then."""

    kind: Kind
    message_id: str
    id: UUID | None
    answer: bytes | None
    replayed: bool = False
