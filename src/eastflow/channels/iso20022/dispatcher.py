"""The dispatcher: writes what waits into messages, delivers them over HTTP, and takes the answers in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from types import TracebackType

import httpx

from eastflow.storage import Clock, Database, Transaction, now

from . import decide, store
from .actions import receive
from .model import DeliveryStatus, Message, Unreadable
from .outgoing import write_waiting
from .safe_xml import MESSAGE_BYTES_MAX
from .settings import Iso20022Settings
from .verification.actions import ask_waiting

SENDS_MAX = 20
SEND_SECONDS_MAX = 8
POLL_MILLISECONDS = 500
_LOG = logging.getLogger(__name__)


class Dispatcher:
    """`async with Dispatcher(database, settings, today=…) as dispatcher: await dispatcher.run()`, in as many processes
    as one likes.

    A message is claimed before it is sent and finished, with its answer taken in, in one transaction after it. Ended in
    between, the claim runs out and it is sent again, with the same id: the other side knows it, and answers as before.
    """

    def __init__(
        self,
        database: Database,
        settings: Iso20022Settings,
        *,
        today: Callable[[], date],
        clock: Clock = now,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._database = database
        self._settings = settings
        self._today = today
        self._clock = clock
        headers = {"user-agent": "eastflow-iso20022", "content-type": "application/xml"}
        if settings.clearing_secret is not None:
            headers["authorization"] = f"Bearer {settings.clearing_secret}"
        self._client = httpx.AsyncClient(
            transport=transport,
            timeout=SEND_SECONDS_MAX,
            follow_redirects=False,
            # No proxy and no password file of the surroundings: what is sent goes where the settings say.
            trust_env=False,
            headers=headers,
        )

    async def __aenter__(self) -> Dispatcher:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def run(self) -> None:
        """Until it is cancelled. Without an address there is nothing to do."""
        while self._settings.clearing_url is not None:
            worked = 0
            try:
                worked = await self.step()
            except Exception:
                # Whatever it was, nothing is lost: the next round begins from what is written.
                _LOG.exception("the work for the clearing broke off")
            if not worked:
                await asyncio.sleep(POLL_MILLISECONDS / 1000)

    async def step(self) -> int:
        """Write what waits and send what is due, once; how much there was to do."""
        return await self.write() + await self.deliver()

    async def write(self) -> int:
        settings, today, clock = self._settings, self._today(), self._clock
        payments = await self._database.run(lambda tx: write_waiting(tx, settings=settings, today=today, clock=clock))
        asked = await self._database.run(lambda tx: ask_waiting(tx, settings=settings, today=today, clock=clock))
        return payments + asked

    async def deliver(self) -> int:
        """Send what is due, all at once, and wait for the ends; the number sent."""
        claimed = await self._database.run(self._claim)
        ends = await asyncio.gather(*(self._send(each) for each in claimed), return_exceptions=True)
        for end in ends:
            if end is not None:
                raise end
        return len(claimed)

    async def _claim(self, tx: Transaction) -> list[Message]:
        at = self._clock()
        until = at + timedelta(seconds=decide.CLAIM_SECONDS)
        return await store.claim(tx, self._settings.clearing, at, until, SENDS_MAX)

    async def _send(self, sent: Message) -> None:
        status, answer = await self._exchange(sent.content)
        await self._database.run(lambda tx: self._finish(tx, sent, status, answer))

    async def _finish(self, tx: Transaction, sent: Message, status: int | None, answer: bytes) -> None:
        verdict = decide.verdict(status, sent.attempts, self._clock())
        if not await store.finish(tx, sent, *verdict, status):
            return
        if verdict[0] is not DeliveryStatus.DONE or not answer:
            return
        taken = await receive(
            tx, answer, sender=self._settings.clearing, settings=self._settings, today=self._today(), clock=self._clock
        )
        if isinstance(taken, Unreadable) or taken.answer is not None:
            _LOG.warning("the answer to %s is not one: %s", sent.message_id, taken)

    async def _exchange(self, content: bytes) -> tuple[int | None, bytes]:
        """The status and the body; None where no answer came, or one too large to be read."""
        assert self._settings.clearing_url is not None, "it is not run without one"
        body = b""
        with suppress(httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError):
            async with (
                asyncio.timeout(SEND_SECONDS_MAX),
                self._client.stream("POST", self._settings.clearing_url, content=content) as response,
            ):
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > MESSAGE_BYTES_MAX:
                        return None, b""
                return response.status_code, body
        return None, b""
