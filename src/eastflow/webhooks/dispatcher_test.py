"""The dispatcher against a real database and a real receiver that fails, hangs, and is told twice."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from random import Random
from typing import Any
from uuid import UUID, uuid4

from eastflow.kernel import Refusal
from eastflow.ledger import Done, Entry
from eastflow.ledger.actions import Engine
from eastflow.storage import Database
from eastflow.webhooks import (
    DeliveryStatus,
    Dispatcher,
    Endpoint,
    Event,
    WebhooksRefusal,
    actions,
    deliveries,
    endpoint,
    endpoints,
    events_after,
)
from eastflow.webhooks.conftest import ACCOUNTS, Clock, Receiver, book, drain, register, transfer


def shuffled(random: Random) -> Entry:
    source, target = random.sample(ACCOUNTS, 2)
    return transfer(source, target)


def verified(secret: str, head: dict[str, str], body: bytes) -> bool:
    content = b".".join([head["webhook-id"].encode(), head["webhook-timestamp"].encode(), body])
    digest = hmac.digest(base64.b64decode(secret[6:]), content, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}" in head["webhook-signature"].split()


def assert_in_order(told: list[dict[str, Any]]) -> None:
    last: dict[int, int] = {}
    for data in told:
        for posting in data["postings"]:
            account = posting["account"]
            assert posting["sequence"] == last.get(account, 0) + 1
            last[account] = posting["sequence"]


async def test_every_event_arrives_in_order_and_signed(books: Database, receiver: Receiver) -> None:
    target, secret = await register(books, receiver.url)
    random = Random(5)
    clock = Clock()
    receiver.answer = lambda data: 500 if random.random() < 0.1 else 200
    booked: list[str] = []

    async def caller(engine: Engine, seed: int) -> None:
        choice = Random(seed)
        for _ in range(25):
            entry = shuffled(choice)
            assert isinstance(await engine.post(entry), Done)
            booked.append(str(entry.id))

    async with Dispatcher(books, clock=clock, jitter_permille=lambda: 0) as dispatcher:
        async with Engine(books, lanes=4) as engine:
            callers = asyncio.gather(*(caller(engine, seed) for seed in range(8)))
            while not callers.done():
                await dispatcher.step(target.id)
            await callers
        await drain(dispatcher, target.id)
        while len(receiver.told) < len(booked):
            clock.forward(hours=25)
            await drain(dispatcher, target.id)
    assert sorted(receiver.ids()) == sorted(booked)
    assert_in_order(receiver.told)
    assert len(receiver.heads) > len(booked), "some were sent again"
    assert all(verified(secret, head, body) for head, body in zip(receiver.heads, receiver.bodies, strict=True))
    assert receiver.told[0]["memo"] == "für 猫"
    assert receiver.told[0]["postings"][0]["asset"] == "EUR"


async def test_back_off_until_failed_and_others_go_on(books: Database, receiver: Receiver) -> None:
    target, _ = await register(books, receiver.url)
    bad, held, free = await book(books, transfer(1, 2), transfer(2, 3), transfer(4, 5))
    clock = Clock()
    receiver.answer = lambda data: 500 if data["id"] == bad else 200
    async with Dispatcher(books, clock=clock, jitter_permille=lambda: 0) as dispatcher:
        await drain(dispatcher, target.id)
        assert receiver.ids() == [free]
        for attempt, pause in enumerate((5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400), start=2):
            clock.forward(seconds=pause - 1)
            await drain(dispatcher, target.id)
            assert len(receiver.heads) == attempt, "not before its time"
            clock.forward(seconds=1)
            assert await dispatcher.deliver(target.id) == 1
        async with books.reading() as tx:
            (failed,) = await deliveries(tx, target.id, status=DeliveryStatus.FAILED)
        assert (str(failed.event), failed.attempts, failed.last_status) == (bad, 10, 500)
        await drain(dispatcher, target.id)
    assert receiver.ids() == [free, held]
    times = [int(head["webhook-timestamp"]) for head in receiver.heads if head["webhook-id"] == bad]
    assert times[1] - times[0] == 5, "each attempt is signed with its own time"


async def test_ended_between_send_and_mark(books: Database, receiver: Receiver) -> None:
    target, _ = await register(books, receiver.url)
    (only,) = await book(books, transfer(1, 2))
    clock = Clock()
    receiver.hang = asyncio.Event()
    async with Dispatcher(books, clock=clock) as dispatcher:
        sending = asyncio.create_task(dispatcher.step(target.id))
        await receiver.arrived.wait()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    receiver.hang.set()
    async with Dispatcher(books, clock=clock) as dispatcher:
        assert await dispatcher.step(target.id) == 0, "it may still be under way"
        clock.forward(seconds=60)
        assert await dispatcher.step(target.id) == 1
        await drain(dispatcher, target.id)
    assert receiver.ids() == [only, only]
    assert {head["webhook-id"] for head in receiver.heads} == {only}


async def test_two_dispatchers_send_none_twice(books: Database, receiver: Receiver) -> None:
    target, _ = await register(books, receiver.url)
    async with Dispatcher(books) as one, Dispatcher(books) as other:
        running = [asyncio.create_task(each.run()) for each in (one, other)]
        booked = await book(books, *(shuffled(Random(n)) for n in range(80)))
        async with asyncio.timeout(20):
            while len(receiver.told) < len(booked):
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    assert sorted(receiver.ids()) == sorted(booked)
    assert_in_order(receiver.told)
    async with books.reading() as tx:
        found = await deliveries(tx, target.id)
    assert {each.status for each in found} == {DeliveryStatus.DELIVERED}
    assert [each.position for each in found] == list(range(1, 81))


async def test_claims_made_in_the_same_moment_do_not_overlap(books: Database, receiver: Receiver) -> None:
    target, _ = await register(books, receiver.url)
    booked = await book(books, *(shuffled(Random(n)) for n in range(40)))
    async with Dispatcher(books, sends_max=1) as dispatcher:
        while len(receiver.told) < len(booked):
            await asyncio.gather(*(dispatcher.step(target.id) for _ in range(6)))
    assert sorted(receiver.ids()) == sorted(booked)
    assert_in_order(receiver.told)


async def test_events_by_cursor_and_replay(books: Database, receiver: Receiver) -> None:
    booked = await book(books, *(shuffled(Random(n)) for n in range(20)))
    # One commit of several entries, so that a page ends within a block.
    async with Engine(books, lanes=1) as engine:
        batch = [transfer(1, 2) for _ in range(7)]
        await engine.post_batch(batch)
    booked += [str(entry.id) for entry in batch]
    seen: list[Event] = []
    cursors: list[str] = []
    cursor: str | None = None
    async with books.reading() as tx:
        while True:
            page = await events_after(tx, cursor, limit=3)
            assert not isinstance(page, Refusal)
            cursor = page.cursor
            cursors.append(cursor)
            if not page.events:
                break
            seen += page.events
    assert sorted(str(event.id) for event in seen) == sorted(booked)
    assert_in_order([json.loads(event.payload)["data"] for event in seen])
    target, _ = await register(books, receiver.url)
    async with Dispatcher(books) as dispatcher:
        await drain(dispatcher, target.id)
        assert receiver.told == [], "only what is booked from now on"
        for start, least in ((cursors[2], booked[9:20]), (None, booked)):
            receiver.told.clear()
            assert isinstance(await _replay(books, target.id, start), Endpoint)
            await drain(dispatcher, target.id)
            assert set(least) <= set(receiver.ids()) <= set(booked)
            assert len(receiver.ids()) == len(set(receiver.ids()))
        assert_in_order(receiver.told)
        assert isinstance(await _replay(books, target.id, cursor), Endpoint)
        (last,) = await book(books, transfer(1, 2))
        await drain(dispatcher, target.id)
        assert receiver.ids()[-1] == last


async def _replay(database: Database, id: UUID, start: str | None) -> Endpoint | Refusal:
    return await database.run(lambda tx: actions.replay(tx, id, start))


async def test_filters_narrow_what_is_told_and_what_waits(books: Database, receiver: Receiver) -> None:
    target, _ = await register(books, receiver.url, accounts={1, 2}, kinds={"card"})
    entries = [
        transfer(1, 8, kind="card"),
        transfer(2, 8, kind="card"),
        transfer(2, 1),
        transfer(3, 8, kind="card"),
    ]
    bad, good, _, _ = await book(books, *entries)
    receiver.answer = lambda data: 503 if data["id"] == bad else 200
    async with Dispatcher(books, clock=Clock()) as dispatcher:
        await drain(dispatcher, target.id)
    assert receiver.ids() == [good], "the shared account 8 holds nothing up"
    assert {head["webhook-id"] for head in receiver.heads} == {bad, good}


async def test_rotation_redirects_and_gone(books: Database, receiver: Receiver) -> None:
    target, old = await register(books, receiver.url)
    clock = Clock()
    rotated = await books.run(lambda tx: actions.rotate_secret(tx, target.id, clock=clock))
    assert not isinstance(rotated, Refusal)
    new = rotated[1]
    async with Dispatcher(books, clock=clock, jitter_permille=lambda: 0) as dispatcher:
        receiver.answer = lambda data: 302
        await book(books, transfer(1, 2))
        await drain(dispatcher, target.id)
        assert len(receiver.heads) == 1, "a redirect is not followed"
        assert all(verified(secret, receiver.heads[0], receiver.bodies[0]) for secret in (old, new))
        clock.forward(hours=24)
        receiver.answer = lambda data: 410
        await drain(dispatcher, target.id)
        assert verified(new, receiver.heads[1], receiver.bodies[1])
        assert not verified(old, receiver.heads[1], receiver.bodies[1])
        clock.forward(hours=24)
        await drain(dispatcher, target.id)
    assert len(receiver.heads) == 2
    async with books.reading() as tx:
        gone = await endpoint(tx, target.id)
        assert await endpoints(tx) == [gone]
    assert isinstance(gone, Endpoint)
    assert gone.disabled_at is not None


async def test_a_full_queue_is_read_no_further(books: Database, receiver: Receiver) -> None:
    target, _ = await register(books, receiver.url)
    booked = await book(books, *(transfer(1, 2) for _ in range(4)))
    async with Dispatcher(books, pending_max=4) as dispatcher:
        assert await dispatcher.fan_out(target.id) == 4
        booked += await book(books, transfer(1, 2))
        assert await dispatcher.fan_out(target.id) == 0
        assert await dispatcher.deliver(target.id) == 1
        await drain(dispatcher, target.id)
    assert receiver.ids() == booked


async def test_a_receiver_that_is_not_there(books: Database) -> None:
    target, _ = await register(books, "http://127.0.0.1:9/")
    await book(books, transfer(1, 2))
    async with Dispatcher(books, clock=Clock()) as dispatcher:
        await drain(dispatcher, target.id)
    async with books.reading() as tx:
        (found,) = await deliveries(tx, target.id)
    assert (found.status, found.attempts, found.last_status) == (DeliveryStatus.PENDING, 1, None)


async def test_refusals(books: Database) -> None:
    register_endpoint, url = actions.register_endpoint, "https://a.example/"
    disabled, _ = await register(books, url)
    for _ in range(2):
        assert isinstance(await books.run(lambda tx: actions.disable_endpoint(tx, disabled.id)), Endpoint)
    target, _ = await register(books, url)
    no = uuid4()
    found = [
        await books.run(lambda tx: register_endpoint(tx, "x")),
        await books.run(lambda tx: register_endpoint(tx, "http://a.example/")),
        await books.run(lambda tx: register_endpoint(tx, "https://10.1.2.3/")),
        await books.run(lambda tx: register_endpoint(tx, url, kinds=[])),
        await books.run(lambda tx: register_endpoint(tx, url, accounts=[0])),
        await books.run(lambda tx: register_endpoint(tx, url, from_cursor="x")),
        await books.run(lambda tx: events_after(tx, "x")),
        await books.run(lambda tx: actions.replay(tx, target.id, "x")),
        await books.run(lambda tx: actions.replay(tx, no, None)),
        await books.run(lambda tx: actions.rotate_secret(tx, no)),
        await books.run(lambda tx: actions.disable_endpoint(tx, no)),
        await books.run(lambda tx: actions.enable_endpoint(tx, no)),
        await books.run(lambda tx: actions.delete_endpoint(tx, no)),
        await books.run(lambda tx: endpoint(tx, no)),
        await books.run(lambda tx: actions.replay(tx, disabled.id, None)),
        await books.run(lambda tx: actions.rotate_secret(tx, disabled.id)),
    ]
    codes = [each.code for each in found if isinstance(each, Refusal)]
    assert codes == [
        WebhooksRefusal.URL_MALFORMED,
        WebhooksRefusal.URL_NOT_HTTPS,
        WebhooksRefusal.URL_NOT_PUBLIC,
        *[WebhooksRefusal.FILTER_MALFORMED] * 2,
        *[WebhooksRefusal.CURSOR_MALFORMED] * 3,
        *[WebhooksRefusal.ENDPOINT_NOT_FOUND] * 6,
        *[WebhooksRefusal.ENDPOINT_DISABLED] * 2,
    ]
