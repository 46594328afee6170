"""Delivery: again until it is answered, under the same id, with the answer taken in once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from lxml import etree

from eastflow import payments
from eastflow.channels.iso20022 import Dispatcher, store
from eastflow.channels.iso20022.actions import send_again
from eastflow.channels.iso20022.conftest import (
    NOW,
    SETTINGS,
    START_MINOR,
    TODAY,
    Bank,
    Paid,
    pacs002,
    pacs008,
    pain001,
    texts,
)
from eastflow.channels.iso20022.decide import CLAIM_SECONDS, PAUSES_SECONDS
from eastflow.channels.iso20022.model import DeliveryStatus, Message
from eastflow.payments import PaymentStatus

OUT = Paid("10.00", "123", "OTHRBANK")


class Killed(BaseException):
    """The end of the process, as far as one can have it inside of one."""


class Clearing:
    """The other side, as it answers on this occasion; it remembers what it was sent."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self.got: list[bytes] = []
        self.at: datetime = NOW
        self.answer: Callable[[bytes], httpx.Response] = lambda _: httpx.Response(202)

    def dispatcher(self) -> Dispatcher:
        return Dispatcher(
            self.bank.database,
            SETTINGS,
            today=lambda: TODAY,
            clock=lambda: self.at,
            transport=httpx.MockTransport(self._take),
        )

    def _take(self, request: httpx.Request) -> httpx.Response:
        self.got.append(request.content)
        return self.answer(request.content)

    async def kept(self) -> Message:
        """The one message that went out."""
        async with self.bank.database.reading() as tx:
            [found] = [each for each in await store.messages(tx) if each.kind.startswith("pacs.008")]
        return found

    async def status(self) -> PaymentStatus:
        async with self.bank.database.reading() as tx:
            [found] = await payments.payments_page(tx, limit=10)
        return found.status


@pytest.fixture
async def clearing(bank: Bank) -> Clearing:
    """With one payment of 10.00 waiting."""
    await bank.send(pain001([OUT]), "company")
    return Clearing(bank)


def settled(content: bytes) -> httpx.Response:
    uetr = texts(etree.fromstring(content), "UETR")[-1]
    return httpx.Response(200, text=pacs002(uetr, "ACSC"))


async def test_a_payment_is_sent_and_its_answer_settles_it(clearing: Clearing) -> None:
    clearing.answer = settled
    async with clearing.dispatcher() as dispatcher:
        assert await dispatcher.step() == 2
        assert await dispatcher.step() == 0
    assert len(clearing.got) == 1
    assert (await clearing.kept()).status is DeliveryStatus.DONE
    assert await clearing.status() is PaymentStatus.SETTLED


async def test_what_is_not_answered_is_sent_again_to_the_byte(clearing: Clearing) -> None:
    async with clearing.dispatcher() as dispatcher:
        for answer in (httpx.Response(503), httpx.Response(302), httpx.Response(400)):
            clearing.answer = lambda _, answer=answer: answer  # type: ignore[misc]
            await dispatcher.step()
            assert await dispatcher.step() == 0, "it waits"
            clearing.at += timedelta(days=1)
        clearing.answer = settled
        await dispatcher.step()
    assert len(clearing.got) == 4
    assert len(set(clearing.got)) == 1
    assert await clearing.status() is PaymentStatus.SETTLED


async def test_it_is_given_up_after_two_days_and_says_so(clearing: Clearing) -> None:
    clearing.answer = lambda _: httpx.Response(500)
    async with clearing.dispatcher() as dispatcher:
        for _ in range(len(PAUSES_SECONDS) + 2):
            await dispatcher.step()
            clearing.at += timedelta(days=1)
    kept = await clearing.kept()
    assert (kept.status, kept.attempts, kept.last_status) == (DeliveryStatus.FAILED, len(PAUSES_SECONDS) + 1, 500)
    assert await clearing.status() is PaymentStatus.SENT, "whether it arrived is not known: no program gives it back"
    clearing.answer = settled
    for _ in range(2):
        await clearing.bank.database.run(lambda tx: send_again(tx, kept.id, clock=lambda: clearing.at))
        async with clearing.dispatcher() as dispatcher:
            await dispatcher.step()
    assert len(set(clearing.got)) == 1
    assert len(clearing.got) == len(PAUSES_SECONDS) + 2, "what has arrived is not sent again"
    assert await clearing.status() is PaymentStatus.SETTLED


async def test_an_answer_lost_with_the_process_comes_again(clearing: Clearing) -> None:
    def die(content: bytes) -> httpx.Response:
        raise Killed

    clearing.answer = die
    async with clearing.dispatcher() as dispatcher:
        with pytest.raises(Killed):
            await dispatcher.step()
    clearing.answer = settled
    async with clearing.dispatcher() as dispatcher:
        assert await dispatcher.step() == 0, "another may be at it"
        clearing.at += timedelta(seconds=CLAIM_SECONDS)
        assert await dispatcher.step() == 1
    assert clearing.got[0] == clearing.got[1]
    assert await clearing.status() is PaymentStatus.SETTLED


async def test_two_dispatchers_send_it_once(clearing: Clearing) -> None:
    clearing.answer = settled
    async with clearing.dispatcher() as one, clearing.dispatcher() as other:
        for _ in range(3):
            await asyncio.gather(one.step(), other.step())
    assert len(clearing.got) == 1


@pytest.mark.parametrize("body", [b"no message", b"x" * (5 << 20), pacs008([Paid(uetr=uuid4())]).encode()])
async def test_what_is_no_answer_settles_nothing(clearing: Clearing, body: bytes) -> None:
    clearing.answer = lambda _: httpx.Response(200, content=body)
    async with clearing.dispatcher() as dispatcher:
        await dispatcher.step()
    assert await clearing.status() is PaymentStatus.SENT if b"pacs.008" not in body else True
    assert await clearing.bank.posted(1) == START_MINOR - 1_000
