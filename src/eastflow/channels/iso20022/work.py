"""What every message is worked at with: whose it is, how its amounts are read, how one of its lines is refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from eastflow import ledger
from eastflow.storage import Clock, Transaction

from . import amounts, decide
from .model import Amount, Reason, ReturnLine, StatusLine, TransactionStatus, Transfer
from .settings import Iso20022Settings


@dataclass(frozen=True, slots=True)
class Work:
    """Where a message is worked at: whose it is, on which business date, for which bank."""

    tx: Transaction
    sender: str
    settings: Iso20022Settings
    today: date
    clock: Clock


async def minor(tx: Transaction, amount: Amount) -> int | Reason:
    asset = await ledger.asset(tx, amount.currency)
    if asset is None or not amounts.is_currency(asset):
        return decide.CURRENCY_UNKNOWN
    found = amounts.minor(amount.text, asset.scale)
    # What no message could carry back is not taken in.
    return found if isinstance(found, Reason) or amounts.fits(found, asset) else amounts.TOO_LARGE


def refused(line: Transfer | ReturnLine, reason: Reason, *, interbank: bool = False) -> StatusLine:
    """Between banks the transaction's id goes back, to a customer the instruction's."""
    id = None
    if isinstance(line, Transfer):
        id = line.transaction_id if interbank else line.instruction_id
    return StatusLine(line.uetr, line.end_to_end_id, TransactionStatus.REFUSED.value, reason, id)
