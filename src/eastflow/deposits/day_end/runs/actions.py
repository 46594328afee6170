"""How a step goes over many contracts: in pages, and one by one where a page leaves them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from eastflow.kernel import Refusal
from eastflow.ledger.actions import Engine
from eastflow.storage import Database, Transaction

from ...books.actions import Refused
from ...model import StepDone
from .. import store
from ..store import Accruals

ACCOUNTS_PER_BATCH = 8_000
CONTRACTS_PER_PAGE = 500


class Work(Protocol):
    """What is done with one account, in a transaction of its own."""

    def __call__(self, tx: Transaction, account: int) -> Awaitable[None]: ...


class ReadPage(Protocol):
    """Accruals by account after `after`."""

    def __call__(self, tx: Transaction, *, after: int, part: int, parts: int, limit: int) -> Awaitable[Accruals]: ...


EndPage = Callable[[Accruals, StepDone], Awaitable[list[int]]]
"""What is done with a page, with how far the step has come then; answers the accounts that it left."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a step came to: contracts it did now, and those it could not do, with the reason each was refused for."""

    accounts: int
    refused: tuple[tuple[int, Refusal], ...] = ()


async def in_pages(engine: Engine, step: StepDone, reads: Iterable[ReadPage], end: EndPage, work: Work) -> Done:
    """`step` is where it begins if nothing of it has been done. What `end` leaves of a page is done one by one."""
    database, refused = engine.database, list[tuple[int, Refusal]]()
    async with database.reading() as tx:
        come = await store.step(tx, step.business_date, step.step, step.part, step.parts)
    if come.done:
        return Done(0)
    for read in reads:
        after = 0
        while True:
            async with database.reading() as tx:
                rows = await read(tx, after=after, part=step.part, parts=step.parts, limit=ACCOUNTS_PER_BATCH)
            if not len(rows):
                break
            after = int(rows.accounts[-1])
            come = replace(come, last_account=after, accounts=come.accounts + len(rows))
            refused += await one_by_one(database, await end(rows, come), work)
    if not refused:
        await database.run(lambda tx: store.write_step(tx, replace(come, done=True)))
    return Done(come.accounts, tuple(refused))


async def every(
    database: Database,
    page: Callable[[Transaction, int], Awaitable[list[int]]],
    work: Work,
) -> Done:
    count, refused, after = 0, list[tuple[int, Refusal]](), 0
    while True:
        async with database.reading() as tx:
            accounts = await page(tx, after)
        if not accounts:
            return Done(count - len(refused), tuple(refused))
        after, count = accounts[-1], count + len(accounts)
        refused += await one_by_one(database, accounts, work)


async def one_by_one(database: Database, accounts: Sequence[int], work: Work) -> list[tuple[int, Refusal]]:
    """Each in a transaction of its own; those that were refused are left as they were."""
    refused = list[tuple[int, Refusal]]()
    for account in accounts:
        try:
            await database.run(partial(work, account=account))
        except Refused as said:
            refused.append((account, said.refusal))
    return refused
