"""The desk: what other channels ask of this one. They know its shape, and the composition root hands it to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from eastflow.storage import Clock, Database, now

from . import account_reports, actions, status_reports, store
from .model import Message, Unreadable
from .settings import Iso20022Settings


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the sender of a message is told: its answer, if it has one; or why it could not be read at all. `id` is that
    under which it is kept, None where it left no trace."""

    answer: bytes | None = None
    id: UUID | None = None
    replayed: bool = False
    unreadable: str | None = None


class MessageDesk:
    """Each method is a transaction, or a snapshot, of its own."""

    def __init__(
        self, database: Database, settings: Iso20022Settings, *, today: Callable[[], date], clock: Clock = now
    ) -> None:
        self._database = database
        self._settings = settings
        self._today = today
        self._clock = clock

    async def receive(self, raw: bytes, *, sender: str) -> Outcome:
        taken = await self._database.run(
            lambda tx: actions.receive(
                tx, raw, sender=sender, settings=self._settings, today=self._today(), clock=self._clock
            )
        )
        if isinstance(taken, Unreadable):
            return Outcome(unreadable=taken.reason)
        return Outcome(taken.answer, taken.id, taken.replayed)

    async def message(self, id: UUID) -> Message | None:
        async with self._database.reading() as tx:
            return await store.message(tx, id)

    async def messages(self, *, after: UUID | None, limit: int) -> list[Message]:
        async with self._database.reading() as tx:
            return await store.messages(tx, after=after, limit=limit)

    async def send_again(self, id: UUID) -> Message | None:
        return await self._database.run(lambda tx: actions.send_again(tx, id, clock=self._clock))

    async def status_report(self, id: UUID) -> bytes | None:
        """None where there is no `pain.001` under that id."""
        async with self._database.reading() as tx:
            return await status_reports.status_report(tx, id, clock=self._clock)

    async def statement(self, account: int, day: date, page: int) -> bytes | None:
        """None where there is no such account, day that is over, or page."""
        async with self._database.reading() as tx:
            return await account_reports.statement(
                tx, account, day, page=page, settings=self._settings, clock=self._clock
            )

    async def notification(self, account: int, day: date, page: int) -> bytes | None:
        async with self._database.reading() as tx:
            return await account_reports.notification(
                tx, account, day, page=page, settings=self._settings, clock=self._clock
            )
