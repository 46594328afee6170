"""The dispatcher: reads new blocks into deliveries, sends what is due, and survives being ended anywhere in between."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from uuid import UUID

import httpx

from eastflow.kernel import unix_milliseconds
from eastflow.storage import Clock, Database, Transaction, now

from . import decide, events, signing, store
from .model import Answer, Claimed, DeliveryStatus, Place, Sending

SENDS_MAX = 20
SEND_SECONDS_MAX = 15
PENDING_READ_AT_ONCE = 500
PENDING_MAX = 50_000
"""With so many waiting, an endpoint is read no further until some have gone: the blocks keep what is to come."""
POLL_MILLISECONDS = 500
PRUNED_AT_ONCE = 500
PRUNE_MILLISECONDS = 60_000
_LOG = logging.getLogger(__name__)


def _jitter() -> int:
    return random.randint(0, decide.JITTER_PERMILLE_MAX)


class Dispatcher:
    """`async with Dispatcher(database) as dispatcher: await dispatcher.run()`, in as many processes as one likes.

    An event is read into a delivery in the transaction that advances the cursor, and a delivery is claimed before it is
    sent and finished after it. Ended in between, the claim runs out and it is sent again, with the same id.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock = now,
        jitter_permille: Callable[[], int] = _jitter,
        sends_max: int = SENDS_MAX,
        pending_max: int = PENDING_MAX,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._jitter_permille = jitter_permille
        self._sends_max = sends_max
        self._pending_max = pending_max
        self._client = httpx.AsyncClient(
            transport=transport,
            timeout=SEND_SECONDS_MAX,
            follow_redirects=False,
            # No proxy and no password file of the surroundings: what is sent goes where the endpoint says.
            trust_env=False,
            limits=httpx.Limits(max_connections=None),
            headers={"user-agent": "eastflow-webhooks", "content-type": "application/json"},
        )

    async def __aenter__(self) -> Dispatcher:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def run(self) -> None:
        """Until it is cancelled. Each endpoint is worked at by a task of its own, so a slow one holds up no other."""
        working: dict[UUID, asyncio.Task[None]] = {}
        pruning = asyncio.create_task(self._prune_again_and_again())
        try:
            while True:
                try:
                    async with self._database.reading() as tx:
                        active = await store.active_endpoints(tx)
                except Exception:
                    _LOG.exception("the endpoints could not be read")
                    active = []
                working = {id: task for id, task in working.items() if not task.done()}
                for id in active:
                    if id not in working:
                        working[id] = asyncio.create_task(self._work(id))
                await asyncio.sleep(POLL_MILLISECONDS / 1000)
        finally:
            for task in (pruning, *working.values()):
                task.cancel()
            await asyncio.gather(pruning, *working.values(), return_exceptions=True)

    async def step(self, endpoint: UUID) -> int:
        """Read on and send once; how much there was to do."""
        return await self.fan_out(endpoint) + await self.deliver(endpoint)

    async def fan_out(self, endpoint: UUID) -> int:
        """Read new blocks into deliveries; the number of blocks read."""
        return await self._database.run(lambda tx: self._fan_out(tx, endpoint))

    async def deliver(self, endpoint: UUID) -> int:
        """Send what is due, all at once, and wait for the ends; the number sent."""
        sending = await self._database.run(lambda tx: self._claim(tx, endpoint))
        if sending is None:
            return 0
        ends = await asyncio.gather(*(self._send(sending, each) for each in sending.claimed), return_exceptions=True)
        for end in ends:
            if end is not None:
                raise end
        return len(sending.claimed)

    async def prune(self) -> int:
        """One small step for each endpoint: remove what was delivered more than 30 days ago, and what is left of the
        deleted; the number of deliveries removed, 0 when there is no more to do."""
        async with self._database.reading() as tx:
            endpoints = await store.endpoints_to_prune(tx)
        removed = 0
        for id, deleted in endpoints:
            removed += await self._database.run(partial(self._prune, endpoint=id, deleted=deleted))
        return removed

    async def _prune(self, tx: Transaction, *, endpoint: UUID, deleted: bool) -> int:
        if deleted:
            return await store.prune_deleted(tx, endpoint, PRUNED_AT_ONCE)
        before = self._clock() - timedelta(days=decide.DELIVERED_DAYS_KEPT)
        return await store.prune_delivered(tx, endpoint, before, PRUNED_AT_ONCE)

    async def _prune_again_and_again(self) -> None:
        while True:
            removed = 0
            try:
                removed = await self.prune()
            except Exception:
                _LOG.exception("what is past could not be removed")
            await asyncio.sleep((POLL_MILLISECONDS if removed else PRUNE_MILLISECONDS) / 1000)

    async def _work(self, endpoint: UUID) -> None:
        try:
            while await self.step(endpoint):
                pass
        except Exception:
            # Whatever it was, nothing is lost: the next round begins from what is written.
            _LOG.exception("the work for endpoint %s broke off", endpoint)

    async def _fan_out(self, tx: Transaction, endpoint: UUID) -> int:
        row = await store.free_endpoint_row(tx, endpoint)
        if row is None or await store.has_pending(tx, endpoint, self._pending_max):
            return 0
        numbers = await store.numbers(tx, endpoint)
        blocks = await events.blocks_after(tx, Place(numbers))
        if not blocks:
            return 0
        told = store.endpoint(row)
        concerned = [
            # Only the accounts it asked for put its events in order: the bank's own side of each would hold up all.
            (event, event.accounts if told.accounts is None else event.accounts & told.accounts)
            for block in blocks
            for event in block.events
            if decide.concerns(event, told.kinds, told.accounts)
        ]
        if concerned:
            await store.insert_deliveries(tx, endpoint, row["last_position"], concerned, self._clock())
        for block in blocks:
            numbers[block.chain] = block.number
        await store.write_numbers(tx, endpoint, numbers)
        return len(blocks)

    async def _claim(self, tx: Transaction, endpoint: UUID) -> Sending | None:
        row = await store.free_endpoint_row(tx, endpoint)
        if row is None:
            return None
        at = self._clock()
        held: frozenset[int] = frozenset()
        after = 0
        while True:
            waiting = await store.pending(tx, endpoint, after=after, limit=PENDING_READ_AT_ONCE)
            chosen, held = decide.choose(waiting, at, self._sends_max, held)
            # The earliest first: what lies deeper is looked for when nothing before it can go.
            if chosen or len(waiting) < PENDING_READ_AT_ONCE:
                break
            after = waiting[-1].position
        if not chosen:
            return None
        claimed = await store.claim(tx, endpoint, chosen, at + timedelta(seconds=decide.CLAIM_SECONDS))
        secrets = [row["secret"]]
        if row["old_secret"] is not None and at < row["old_secret_until"]:
            secrets.append(row["old_secret"])
        return Sending(endpoint, row["url"], tuple(secrets), tuple(claimed))

    async def _send(self, sending: Sending, claimed: Claimed) -> None:
        body = claimed.payload.encode()
        unix_seconds = unix_milliseconds(self._clock()) // 1_000
        answer = await self._answer(
            sending.url, body, signing.headers(sending.secrets, str(claimed.event), unix_seconds, body)
        )
        at = self._clock()
        status, due = decide.verdict(answer, claimed.attempts, at, self._jitter_permille())
        await self._database.run(lambda tx: self._finish(tx, sending, claimed, answer, (status, due), at))

    async def _finish(
        self,
        tx: Transaction,
        sending: Sending,
        claimed: Claimed,
        answer: Answer,
        verdict: tuple[DeliveryStatus, datetime],
        at: datetime,
    ) -> None:
        await store.finish(tx, sending.endpoint, claimed, *verdict, answer.status)
        if answer.status == decide.GONE:
            await store.disable(tx, sending.endpoint, at)

    async def _answer(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Only the status line and the headers are read: what else the other side says is of no use here."""
        try:
            async with (
                asyncio.timeout(SEND_SECONDS_MAX),
                self._client.stream("POST", url, content=body, headers=headers) as response,
            ):
                asked = 0
                with suppress(ValueError):
                    asked = int(response.headers.get("retry-after", "0"))
                return Answer(response.status_code, asked)
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            return Answer(None)
