"""What a page of contracts comes to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date

from eastflow.ledger import Entry
from eastflow.storage import Transaction

from ..columns import Flags
from ..store import Accruals


async def nothing(_tx: Transaction, _accounts: Sequence[int]) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Page:
    """Accruals as they were read and as they come to be `after`; of those that are not `exact` nothing is known.

    `settled_on` begins a new period, where it is given. `also` is done with the accounts that are written, in the same
    transaction.
    """

    rows: Accruals
    after: Accruals
    exact: Flags
    entries: Sequence[Entry]
    settled_on: date | None = None
    also: Callable[[Transaction, Sequence[int]], Awaitable[None]] = nothing
