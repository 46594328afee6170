"""The verbs: register, rotate, disable, enable, delete, replay, and the reads by cursor."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from eastflow import ledger
from eastflow.kernel import Refusal, unix_milliseconds, uuid7
from eastflow.storage import Clock, Transaction, now

from . import cursor as cursors
from . import decide, events, signing, store
from .model import Delivery, DeliveryStatus, Endpoint, EventPage, Place
from .refusals import WebhooksRefusal

OLD_SECRET_HOURS = 24
PAGE_MAX = 1_001
"""A thousand, and one more that tells whether others follow."""


async def register_endpoint(
    tx: Transaction,
    url: str,
    *,
    kinds: Collection[str] | None = None,
    accounts: Collection[int] | None = None,
    from_cursor: str | None = None,
    loopback_allowed: bool = False,
    clock: Clock = now,
) -> tuple[Endpoint, str] | Refusal:
    """The new endpoint and its secret, `whsec_…`: this is the only time anyone is shown it. It is told what is booked
    from now on, or what follows `from_cursor`."""
    if refusal := decide.check_url(url, loopback_allowed=loopback_allowed) or decide.check_filter(kinds, accounts):
        return refusal
    if from_cursor is None:
        numbers = await ledger.chain_numbers(tx)
    else:
        place = cursors.decode(from_cursor)
        if isinstance(place, Refusal):
            return place
        numbers = await _at_most(tx, place)
    at = clock()
    endpoint = Endpoint(
        uuid7(unix_milliseconds(at), secrets.token_bytes(10)),
        url,
        None if kinds is None else frozenset(kinds),
        None if accounts is None else frozenset(accounts),
        at,
    )
    secret = _new_secret()
    await store.insert_endpoint(tx, endpoint, secret)
    await store.write_numbers(tx, endpoint.id, numbers)
    return endpoint, secret


async def rotate_secret(tx: Transaction, id: UUID, *, clock: Clock = now) -> tuple[Endpoint, str] | Refusal:
    """A new secret, shown this once. For 24 hours what is sent is signed with the old one too; a second rotation in
    that time ends the oldest at once."""
    row = await _active(tx, id)
    if isinstance(row, Refusal):
        return row
    secret = _new_secret()
    await store.change_secret(tx, id, secret, row["secret"], clock() + timedelta(hours=OLD_SECRET_HOURS))
    return store.endpoint(row), secret


async def disable_endpoint(tx: Transaction, id: UUID, *, clock: Clock = now) -> Endpoint | Refusal:
    """Nothing more is sent to it. Disabling again changes nothing."""
    if await store.disable(tx, id, clock()) == 0:
        return Refusal(WebhooksRefusal.ENDPOINT_NOT_FOUND, {"id": id})
    return store.endpoint(await store.endpoint_row(tx, id))


async def enable_endpoint(tx: Transaction, id: UUID, *, clock: Clock = now) -> Endpoint | Refusal:
    """Send to it again, from where it was left: what was booked in between too. What was to wait more than a minute
    for its next attempt is tried at once; its attempts so far count. Enabling one that is not disabled changes
    nothing."""
    row = await store.locked_endpoint_row(tx, id)
    if row is None:
        return Refusal(WebhooksRefusal.ENDPOINT_NOT_FOUND, {"id": id})
    if row["disabled_at"] is not None:
        at = clock()
        await store.enable(tx, id, at, at + timedelta(seconds=decide.CLAIM_SECONDS))
    return store.endpoint(await store.endpoint_row(tx, id))


async def delete_endpoint(tx: Transaction, id: UUID, *, clock: Clock = now) -> Endpoint | Refusal:
    """It is gone for good, its secret and its deliveries with it; answered as it was last. A message on its way may
    still arrive."""
    row = await store.locked_endpoint_row(tx, id)
    if row is None:
        return Refusal(WebhooksRefusal.ENDPOINT_NOT_FOUND, {"id": id})
    await store.delete(tx, id, clock())
    return store.endpoint(row)


async def replay(tx: Transaction, id: UUID, from_cursor: str | None) -> Endpoint | Refusal:
    """Send again what was booked after the cursor (None: everything), in the order it was booked and after what still
    waits; the ids of the events stay. A cursor within a block starts at that block; one ahead skips nothing."""
    row = await _active(tx, id)
    if isinstance(row, Refusal):
        return row
    place = Place({}) if from_cursor is None else cursors.decode(from_cursor)
    if isinstance(place, Refusal):
        return place
    told = await store.numbers(tx, id)
    back = {chain: min(number, place.numbers.get(chain, 0)) for chain, number in told.items()}
    await store.write_numbers(tx, id, back)
    return store.endpoint(row)


async def endpoint(tx: Transaction, id: UUID) -> Endpoint | Refusal:
    row = await store.endpoint_row(tx, id)
    return Refusal(WebhooksRefusal.ENDPOINT_NOT_FOUND, {"id": id}) if row is None else store.endpoint(row)


async def endpoints(tx: Transaction, *, after: UUID | None = None, limit: int = 100) -> list[Endpoint]:
    """In the order they were registered, the disabled ones too."""
    found = await store.endpoint_rows(tx, after=after, limit=min(limit, PAGE_MAX))
    return [store.endpoint(row) for row in found]


async def deliveries(
    tx: Transaction, id: UUID, *, after: int = 0, limit: int = 100, status: DeliveryStatus | None = None
) -> list[Delivery]:
    """Those of an endpoint after a position, in their order."""
    return await store.deliveries(tx, id, after=after, limit=min(limit, PAGE_MAX), status=status)


async def events_after(tx: Transaction, cursor: str | None = None, *, limit: int = 100) -> EventPage | Refusal:
    """Events for those who rather ask than be told, from the start or after a cursor; each account's in its order."""
    place = Place({}) if cursor is None else cursors.decode(cursor)
    if isinstance(place, Refusal):
        return place
    assert limit >= 1, "a page holds something"
    limit = min(limit, PAGE_MAX)
    # Each block holds an entry, so more blocks of a chain than that cannot be needed.
    found = await events.blocks_after(tx, place, blocks_per_chain=min(limit, events.BLOCKS_READ_PER_CHAIN))
    given, after = events.page(found, place, limit)
    return EventPage(tuple(given), cursors.encode(after))


def _new_secret() -> str:
    return signing.secret_from(secrets.token_bytes(signing.SECRET_RANDOM_BYTES))


async def _active(tx: Transaction, id: UUID) -> Any:
    """The endpoint's row, locked, or a refusal."""
    row = await store.locked_endpoint_row(tx, id)
    if row is None:
        return Refusal(WebhooksRefusal.ENDPOINT_NOT_FOUND, {"id": id})
    return Refusal(WebhooksRefusal.ENDPOINT_DISABLED, {"id": id}) if row["disabled_at"] else row


async def _at_most(tx: Transaction, place: Place) -> dict[int, int]:
    """The place, but no further than the books themselves: a cursor from elsewhere must not skip what comes."""
    last = await ledger.chain_numbers(tx)
    return {chain: min(number, place.numbers.get(chain, 0)) for chain, number in last.items()}
