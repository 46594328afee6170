"""Endpoints disabled, enabled again and deleted; what was delivered removed after its time, a little at once."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from eastflow.kernel import Refusal
from eastflow.storage import Database
from eastflow.webhooks import (
    Delivery,
    DeliveryStatus,
    Dispatcher,
    Endpoint,
    WebhooksRefusal,
    actions,
    deliveries,
    dispatcher,
    endpoint,
    endpoints,
)
from eastflow.webhooks.conftest import Clock, Receiver, book, drain, register, transfer


async def kept(database: Database, id: UUID) -> list[Delivery]:
    async with database.reading() as tx:
        return await deliveries(tx, id)


async def rows(database: Database, table: str, id: UUID) -> int:
    column = "id" if table == "webhooks_endpoint" else "endpoint_id"
    async with database.reading() as tx:
        found: int = await tx.value(f"SELECT count(*) FROM {table} WHERE {column} = $1", id)
    return found


async def enable(database: Database, id: UUID, clock: Clock) -> Endpoint | Refusal:
    return await database.run(lambda tx: actions.enable_endpoint(tx, id, clock=clock))


async def test_enabled_again_it_is_told_what_it_missed_and_what_waited(books: Database, receiver: Receiver) -> None:
    target, _ = await register(books, receiver.url)
    clock = Clock()
    receiver.answer = lambda data: 410
    async with Dispatcher(books, clock=clock, jitter_permille=lambda: 0) as sender:
        booked = await book(books, transfer(1, 2))
        await drain(sender, target.id)
        booked += await book(books, transfer(1, 2), transfer(3, 4))
        clock.forward(days=2)
        await drain(sender, target.id)
        assert len(receiver.heads) == 1, "after a 410 nothing more is sent"
        receiver.answer = lambda data: 200
        back = await enable(books, target.id, clock)
        assert isinstance(back, Endpoint)
        assert back == target, "as it was registered"
        await drain(sender, target.id)
    assert sorted(receiver.ids()) == sorted(booked)
    assert receiver.ids().index(booked[0]) < receiver.ids().index(booked[1]), "the account's order is kept"


async def test_enabling_brings_forward_what_was_put_off(books: Database, receiver: Receiver) -> None:
    target, _ = await register(books, receiver.url)
    clock = Clock()
    receiver.answer = lambda data: 500
    async with Dispatcher(books, clock=clock, jitter_permille=lambda: 0) as sender:
        (only,) = await book(books, transfer(1, 2))
        await drain(sender, target.id)
        clock.forward(seconds=5)
        await drain(sender, target.id)
        receiver.answer = lambda data: 200
        assert isinstance(await enable(books, target.id, clock), Endpoint)
        assert await sender.deliver(target.id) == 0, "it was not disabled: its five minutes go on"
        await books.run(lambda tx: actions.disable_endpoint(tx, target.id, clock=clock))
        assert isinstance(await enable(books, target.id, clock), Endpoint)
        assert await sender.deliver(target.id) == 1
    assert receiver.ids() == [only]
    assert [each.attempts for each in await kept(books, target.id)] == [3], "earlier attempts count"


async def test_enabling_leaves_alone_what_is_being_sent(books: Database, receiver: Receiver) -> None:
    target, _ = await register(books, receiver.url)
    clock = Clock()
    await book(books, transfer(1, 2))
    receiver.hang = asyncio.Event()
    async with Dispatcher(books, clock=clock) as sender:
        sending = asyncio.create_task(sender.step(target.id))
        await receiver.arrived.wait()
        await books.run(lambda tx: actions.disable_endpoint(tx, target.id, clock=clock))
        await enable(books, target.id, clock)
        assert await sender.deliver(target.id) == 0, "a second sending of the same would begin here"
        receiver.hang.set()
        await sending
    assert len(receiver.heads) == 1


async def test_deleted_it_is_gone_at_once_and_its_rows_a_little_later(
    books: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "PRUNED_AT_ONCE", 2)
    target, secret = await register(books, receiver.url)
    other, _ = await register(books, receiver.url)
    await book(books, *(transfer(1, 2) for _ in range(5)))
    async with Dispatcher(books, clock=Clock()) as sender:
        for each in (target, other):
            await sender.fan_out(each.id)
        gone = await books.run(lambda tx: actions.delete_endpoint(tx, target.id))
        assert gone == target
        async with books.reading() as tx:
            assert await endpoints(tx) == [other]
            assert await tx.value("SELECT count(*) FROM webhooks_endpoint WHERE secret = $1", secret) == 0
        for verb in (actions.disable_endpoint, actions.enable_endpoint, actions.rotate_secret, actions.delete_endpoint):
            refused: Any = await books.run(lambda tx, verb=verb: verb(tx, target.id))  # type: ignore[misc]
            assert refused == Refusal(WebhooksRefusal.ENDPOINT_NOT_FOUND, {"id": target.id})
        async with books.reading() as tx:
            assert await endpoint(tx, target.id) == refused
        assert await sender.step(target.id) == 0
        assert receiver.heads == []
        assert [await sender.prune() for _ in range(4)] == [2, 2, 1, 0]
    for table in ("webhooks_endpoint", "webhooks_cursor", "webhooks_delivery"):
        assert await rows(books, table, target.id) == 0, table
        assert await rows(books, table, other.id) > 0, table


async def test_what_was_delivered_is_removed_after_thirty_days_in_small_steps(
    books: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "PRUNED_AT_ONCE", 2)
    target, _ = await register(books, receiver.url)
    clock = Clock()
    bad, waiting, *good = await book(books, transfer(1, 2), transfer(1, 2), *(transfer(3, 4) for _ in range(3)))
    receiver.answer = lambda data: 500 if data["id"] in (bad, waiting) else 200
    async with Dispatcher(books, clock=clock, jitter_permille=lambda: 0) as sender:
        await drain(sender, target.id)
        assert sorted(receiver.ids()) == sorted(good)
        clock.forward(days=30)
        assert await sender.prune() == 0, "thirty days are kept whole"
        (late,) = await book(books, transfer(5, 6))
        await drain(sender, target.id)
        clock.forward(seconds=1)
        assert [await sender.prune() for _ in range(3)] == [2, 1, 0]
        left = {str(each.event): each.status for each in await kept(books, target.id)}
        pending = DeliveryStatus.PENDING
        assert left == {bad: pending, waiting: pending, late: DeliveryStatus.DELIVERED}
        for _ in range(9):
            clock.forward(days=2)
            await drain(sender, target.id)
        clock.forward(days=31)
        assert await sender.prune() == 1
    assert [str(each.event) for each in await kept(books, target.id) if each.status is DeliveryStatus.FAILED] == [bad]


async def test_a_running_dispatcher_removes_by_itself(books: Database, receiver: Receiver) -> None:
    target, _ = await register(books, receiver.url)
    clock = Clock()
    await book(books, transfer(1, 2))
    async with Dispatcher(books, clock=clock) as sender:
        await drain(sender, target.id)
        assert len(await kept(books, target.id)) == 1
        clock.forward(days=31)
        running = asyncio.create_task(sender.run())
        async with asyncio.timeout(20):
            while await kept(books, target.id):
                await asyncio.sleep(0.02)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
