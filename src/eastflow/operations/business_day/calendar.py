"""The bank's date as one process knows it: read again twice a second, so that asking for it costs nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import date

from eastflow.storage import Clock, Database, now

from .actions import begin_business_day
from .store import open_day

CACHE_MILLISECONDS = 1_000
"""No process goes on with an old date for longer, as long as its database answers."""
_REFRESH_MILLISECONDS = 500
_log = logging.getLogger(__name__)


class BusinessDate:
    """`async with business_date(database) as today: engine = Engine(database, today=today)`."""

    def __init__(self, database: Database, first: date) -> None:
        self._database = database
        self._date = first

    def __call__(self) -> date:
        return self._date

    async def refresh(self) -> None:
        """Errors: StorageFault."""
        async with self._database.reading() as tx:
            found = await open_day(tx)
        assert found is not None, "a bank that has begun always has an open day"
        self._date = found.date

    async def follow(self) -> None:
        while True:
            await asyncio.sleep(_REFRESH_MILLISECONDS / 1000)
            try:
                await self.refresh()
            except Exception:
                # Nothing can be booked meanwhile either, and the next round may succeed.
                _log.exception("the business date could not be read")


@asynccontextmanager
async def business_date(database: Database, *, clock: Clock = now) -> AsyncIterator[BusinessDate]:
    """The date of this bank, followed until the end; a bank that has none begins on the clock's."""
    begun = await database.run(lambda tx: begin_business_day(tx, clock=clock))
    today = BusinessDate(database, begun.date)
    following = asyncio.create_task(today.follow())
    try:
        yield today
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
