"""`/v1/events`: what the books have added, for those who rather ask than be told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from msgspec import Struct, json

from eastflow import webhooks
from eastflow.kernel import Refusal
from eastflow.webhooks import WebhooksRefusal

from . import wire
from .keys import Scope
from .operation import Answer, Call, Operation

ID = "019b8f2e-7c00-7000-8000-0000000000ee"
EXAMPLE = {
    "id": ID, "type": webhooks.ENTRY_BOOKED, "timestamp": "2026-01-05T09:30:00Z",
    "data": {
        "id": ID, "kind": "transfer", "value_date": "2026-01-05", "booked_at": "2026-01-05T09:30:00Z",
        "postings": [
            {"account": 1001, "asset": "CZK", "amount_minor": -12500, "sequence": 7},
            {"account": 1002, "asset": "CZK", "amount_minor": 12500, "sequence": 3},
        ],
        "memo": None, "details": {}, "reverses": None,
    },
}  # fmt: skip


class EventEntry(Struct, frozen=True):
    """An entry as it was booked."""

    id: UUID
    kind: str
    value_date: date
    booked_at: datetime
    postings: list[wire.BookedPosting]
    memo: str | None
    details: Mapping[str, str]
    reverses: UUID | None


class EventBody(Struct, frozen=True):
    """What a webhook's body has, field for field."""

    type: str
    timestamp: datetime
    data: EventEntry


class Event(EventBody, frozen=True, kw_only=True):
    """`id` is what a webhook has as its `webhook-id`."""

    id: UUID


class EventPage(Struct, frozen=True):
    """`cursor` goes on after the last event. It is always given: with no new events, it asks again from there."""

    events: list[Event]
    cursor: str


class EventList(Struct, frozen=True, forbid_unknown_fields=True):
    """Without a cursor: from the first entry of the books."""

    limit: wire.Limit = 100
    cursor: wire.Cursor | None = None


async def list_page(call: Call) -> Answer | Refusal:
    asked: EventList = call.parameters
    async with call.database.reading() as tx:
        page = await webhooks.events_after(tx, asked.cursor, limit=asked.limit)
    if isinstance(page, Refusal):
        return page
    return Answer(EventPage([_event(each) for each in page.events], page.cursor))


def _event(found: webhooks.Event) -> Event:
    body = json.decode(found.payload, type=EventBody)
    return Event(body.type, body.timestamp, body.data, id=found.id)


OPERATIONS = (
    Operation(
        "GET", "/v1/events", "list_events", "Events", Scope.EVENTS_READ, "List what was booked, from a cursor on",
        list_page, {200: EventPage}, parameters=EventList, refusals=(WebhooksRefusal.CURSOR_MALFORMED,),
        description="The same events as webhooks send, each account's in the order of its sequence numbers. Keep the "
        "cursor and ask with it again: nothing is left out and nothing comes twice.",
        answer_example={"events": [EXAMPLE], "cursor": "W1tbMSw3XV0sbnVsbCwwXQ"},
    ),
)  # fmt: skip
