"""The steps of a business date. Each is done for one part of the accounts (`account % parts == part`), and may be ended
at any point and run again: what is done is not done twice, whoever does it.

Most accounts go by thousands at a time. One that is not plain (a backdated posting, something posted in the same
moment, numbers too large) is brought to where the ledger is and done by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import partial

import numpy as np

from eastflow.kernel import add_months
from eastflow.ledger.actions import Engine
from eastflow.products import Terms
from eastflow.storage import Clock, Database, Transaction, now

from .. import store as contracts
from ..books.actions import current
from ..freezes.actions import beneath, freeze
from ..model import DepositStatus, StepDone
from . import store
from .accruals.actions import accrue_moved
from .dues.actions import due
from .migrations.actions import migrate_contracts
from .runs import actions as runs
from .runs.actions import Done, EndPage, every, in_pages
from .settlement.actions import all_terms, end_each, falls_due, settle, settling_terms
from .store import Accruals

DORMANT_AFTER_MONTHS = 12
OPEN, DORMANT, FROZEN = 0, 1, 2

__all__ = [
    "Done",
    "accrue_moved",
    "charge_fees",
    "mark_dormant",
    "migrate_contracts",
    "run_maturities",
    "settle_interest",
]


async def settle_interest(engine: Engine, business_date: date, part: int = 0, parts: int = 1) -> Done:
    """Credit the interest of every contract that settles on this date, take what overdrafts have cost, and do what else
    falls due on it. Each entry has an id of the account, the kind and the date: run again, or come to from elsewhere in
    the same moment, it is booked once."""
    settling, plain = await settling_terms(engine.database, business_date)

    async def end(rows: Accruals, come: StepDone) -> list[int]:
        in_columns = np.isin(rows.terms_numbers, list(plain))
        left = await settle(engine, rows.where(in_columns), plain, business_date, come)
        return left + await end_each(engine, rows.where(~in_columns), settling, come, settles=True)

    return await _end_days(engine, StepDone(business_date, "settle", part, parts), settling, end)


async def charge_fees(engine: Engine, business_date: date, part: int = 0, parts: int = 1) -> Done:
    """Take the scheduled fees of this date. (Where interest settles on it too, fees are taken with it, after it.)"""
    settling, _ = await settling_terms(engine.database, business_date)
    async with engine.database.reading() as tx:
        terms = await all_terms(tx)
    charged = {n: each for n, each in terms.items() if n not in settling and falls_due(each, business_date)}

    async def end(rows: Accruals, come: StepDone) -> list[int]:
        return await end_each(engine, rows, charged, come, settles=False)

    return await _end_days(engine, StepDone(business_date, "fees", part, parts), charged, end)


async def run_maturities(
    database: Database, business_date: date, part: int = 0, parts: int = 1, *, clock: Clock = now
) -> Done:
    """Renew or pay out what matures, and let notices lapse. What is paid out goes to the nominated account, or to the
    bank's suspense where none was named. A contract that is refused (a frozen one) stays due."""

    async def page(tx: Transaction, after: int) -> list[int]:
        return await store.contracts_due(
            tx, business_date, after=after, part=part, parts=parts, limit=runs.CONTRACTS_PER_PAGE
        )

    return await every(database, page, partial(due, day=business_date, clock=clock))


async def mark_dormant(
    database: Database,
    business_date: date,
    part: int = 0,
    parts: int = 1,
    *,
    after_months: int = DORMANT_AFTER_MONTHS,
    clock: Clock = now,
) -> Done:
    """Put to sleep the demand contracts in which nothing has moved for so long. It looks at every contract: once a
    month is enough."""
    since = add_months(business_date, -after_months)

    async def page(tx: Transaction, after: int) -> list[int]:
        return await store.resting_since(tx, since, after=after, part=part, parts=parts, limit=runs.CONTRACTS_PER_PAGE)

    async def sleep(tx: Transaction, account: int) -> None:
        found = await current(tx, account, business_date, clock=clock)
        counted = await contracts.accrual(tx, account)
        if found is None or counted is None or found.status is not DepositStatus.OPEN or counted.moved_on > since:
            return
        under = replace(await beneath(tx, found), asleep=True)
        await freeze(tx, account, under, ordered=False, clock=clock)

    return await every(database, page, sleep)


async def _end_days(engine: Engine, step: StepDone, terms: Mapping[int, Terms], end: EndPage) -> Done:
    if not terms:
        return Done(0)
    page = partial(store.due_page, terms=sorted(terms), day=step.business_date)
    # The engine is quickest with accounts that are all open, so the others come after them.
    reads = partial(page, statuses=(OPEN,)), partial(page, statuses=(DORMANT, FROZEN))
    return await in_pages(engine, step, reads, end, partial(due, day=step.business_date, clock=engine.clock))
