"""The nouns of batches: a file of payments of one payer, and its lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from uuid import UUID

from eastflow.customers import Channel

from ..model import DEFAULT_SCHEME, Endpoint

LINES_MAX = 10_000


class BatchStatus(Enum):
    """`received`: kept, nothing paid; `funded`: its one debit is booked; `done`: each line is paid or refused;
    `refused`: none is paid."""

    RECEIVED = "received"
    FUNDED = "funded"
    DONE = "done"
    REFUSED = "refused"


class LineStatus(Enum):
    PENDING = "pending"
    PAID = "paid"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Line:
    """One payment of a file. An amount that could not be read is 0, and refused with its line."""

    creditor: Endpoint
    amount_minor: int
    remittance: str = ""
    end_to_end_id: str | None = None


@dataclass(frozen=True, slots=True)
class BatchFile:
    """A file as it is handed in. `id` is chosen by the caller and makes handing in idempotent.

    `whole`: all lines are paid or none, instead of each by itself. `one_debit`: the payer's account shows one amount
    for all, instead of one for each; what is refused comes back to it as one amount.
    """

    id: UUID
    debtor: int
    asset: str
    lines: tuple[Line, ...]
    channel: Channel
    scheme: str = DEFAULT_SCHEME
    whole: bool = False
    one_debit: bool = False
    duplicate_confirmed: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Batch:
    """A file as the bank has it, without its lines. `reason` says why it was refused, as a refusal's code."""

    id: UUID
    status: BatchStatus
    debtor: int
    asset: str
    channel: Channel
    scheme: str
    whole: bool
    one_debit: bool
    lines: int
    total_minor: int
    keyed_hash: bytes
    submitted_on: date
    by: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class BatchLine:
    """What became of the line with this number, counted from 1; `payment` is the id of its payment once it is paid."""

    batch: UUID
    number: int
    line: Line
    status: LineStatus
    payment: UUID
    reason: str | None = None
