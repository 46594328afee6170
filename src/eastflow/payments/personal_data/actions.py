"""The verbs of what payments know of persons: seal what was kept plain, shred what need not be kept any longer.

A step takes a transaction of its own: the caller repeats it until it answers that nothing was left to do. A step that
was cut short has changed nothing, and the next one goes on.
"""

from __future__ import annotations

from datetime import date

from eastflow.storage import Clock, Transaction, now, shred_months

from . import store
from .decide import kept_since

STEP_ROWS = 1_000


async def seal_plain_payments(tx: Transaction, *, limit: int = STEP_ROWS, clock: Clock = now) -> int:
    """Seal rows of one table that were written before texts were sealed; the answer is how many."""
    for table in store.TABLES:
        if sealed := await store.seal_plain(tx, table, clock().date(), limit):
            return sealed
    return await store.key_plain_hashes(tx, limit)


async def shred_payments(tx: Transaction, *, today: date) -> int:
    """Delete the data keys of the months whose payments the law has kept no longer, and with them all names, accounts
    and texts of payments, files, collections and messages of these months; the answer is how many months. Amounts,
    days and the bank's own accounts stay, as the books do. Orders and mandates are not shredded: they go on."""
    since = kept_since(today)
    return 0 if since is None else await shred_months(tx, store.PURPOSE_OF_PAYMENTS, since)
