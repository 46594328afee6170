"""The noun of suspense: money that nobody has yet, and whose it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum
from uuid import UUID


class SuspenseKind(Enum):
    """`incoming`: from another bank, with no payee, until its return is sent; `given_back`: it came back, and the
    payer's account did not take it; `collected`: from a debtor elsewhere, and the creditor's account did not take it;
    `batch`: of a file's one debit, not paid yet, or not taken back."""

    INCOMING = "incoming"
    GIVEN_BACK = "given_back"
    COLLECTED = "collected"
    BATCH = "batch"


@dataclass(frozen=True, slots=True)
class SuspenseItem:
    """`id` is the payment's or the file's. `held_for` says why no program can send its return, as a reason's code."""

    id: UUID
    kind: SuspenseKind
    amount_minor: int
    asset: str
    since: date
    held_for: str | None = None
