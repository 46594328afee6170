"""`/v1/iso20022`: messages in and out. What they mean is for the room behind the desk; here they are carried."""

from __future__ import annotations

import base64
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from eastflow.kernel import Refusal

from ..desk import Desk, Kept
from . import wire
from .keys import Scope
from .operation import REPLAYED, XML_TYPE, Answer, Call, Operation
from .refusals import ApiRefusal
from .routes_parties import may_see

ID = "019b8f2e-7c00-7000-8000-0000000000dd"
MESSAGE_HEADER = b"eastflow-message"
EXAMPLE = {
    "id": ID, "direction": "received", "counterparty": "clearing", "kind": "pacs.008.001.09", "message_id": "A1",
    "at": "2026-01-05T09:00:00Z", "status": "done", "answers": None, "attempts": 0, "last_status": None,
}  # fmt: skip
XML_EXAMPLE = '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.10">…</Document>'


class KeptMessage(Struct, frozen=True):
    """`answers` is the id of the message that this one answers."""

    id: UUID
    direction: str
    counterparty: str
    kind: str
    message_id: str
    at: datetime
    status: str
    answers: UUID | None
    attempts: int
    last_status: int | None


class KeptMessageWithContent(Struct, frozen=True):
    """`content` is the message to the byte, in base64; null but for those with the scope `parties:personal`."""

    message: KeptMessage
    content: str | None


class KeptMessagePage(Struct, frozen=True):
    messages: list[KeptMessage]
    cursor: str | None


class OneMessage(Struct, frozen=True, forbid_unknown_fields=True):
    id: UUID


class MessageList(Struct, frozen=True, forbid_unknown_fields=True):
    limit: wire.Limit = 100
    cursor: wire.Cursor | None = None


class OneReport(Struct, frozen=True, forbid_unknown_fields=True):
    """A thousand entries a page."""

    account: wire.PathAccount
    day: date
    page: Annotated[int, Meta(ge=1, le=99_999)] = 1


class _Handlers:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def receive(self, call: Call) -> Answer | Refusal:
        taken = await self._desk.receive(call.body, sender=call.actor)
        if taken.unreadable is not None:
            return Refusal(ApiRefusal.BODY_MALFORMED, {"reason": taken.unreadable})
        headers = list(REPLAYED) if taken.replayed else []
        if taken.id is not None:
            headers.append((MESSAGE_HEADER, str(taken.id).encode()))
        return Answer(taken.answer or b"", 200 if taken.answer else 202, headers, XML_TYPE)

    async def read_one(self, call: Call) -> Answer | Refusal:
        id: UUID = call.parameters.id
        found = await self._desk.message(id)
        if found is None:
            return Refusal(ApiRefusal.NOT_FOUND, {"path": f"/v1/iso20022/messages/{id}"})
        content = base64.b64encode(found.content).decode() if may_see(call) else None
        return Answer(KeptMessageWithContent(_shown(found), content))

    async def send_again(self, call: Call) -> Answer | Refusal:
        id: UUID = call.parameters.id
        found = await self._desk.send_again(id)
        if found is None:
            return Refusal(ApiRefusal.NOT_FOUND, {"path": f"/v1/iso20022/messages/{id}"})
        return Answer(_shown(found))

    async def status_report(self, call: Call) -> Answer | Refusal:
        id: UUID = call.parameters.id
        asked, content = await self._desk.message(id), await self._desk.status_report(id)
        if asked is None or content is None:
            return Refusal(ApiRefusal.NOT_FOUND, {"path": f"/v1/iso20022/messages/{id}/status-report"})
        if asked.counterparty != call.actor and not may_see(call):
            return Refusal(ApiRefusal.SCOPE_MISSING, {"scope": Scope.PARTIES_PERSONAL.value})
        return Answer(content, media_type=XML_TYPE)

    async def list_page(self, call: Call) -> Answer | Refusal:
        asked: MessageList = call.parameters
        after = None if asked.cursor is None else wire.read_cursor(asked.cursor, UUID)
        found = await self._desk.messages(after=after, limit=asked.limit + 1)
        shown = found[: asked.limit]
        following = wire.cursor_of(shown[-1].id) if len(found) > asked.limit else None
        return Answer(KeptMessagePage([_shown(each) for each in shown], following))

    async def statement(self, call: Call) -> Answer | Refusal:
        asked: OneReport = call.parameters
        if refusal := wire.check_years(asked.day):
            return refusal
        return _report("statements", asked, await self._desk.statement(asked.account, asked.day, asked.page))

    async def notification(self, call: Call) -> Answer | Refusal:
        asked: OneReport = call.parameters
        if refusal := wire.check_years(asked.day):
            return refusal
        return _report("notifications", asked, await self._desk.notification(asked.account, asked.day, asked.page))


def _report(name: str, asked: OneReport, content: bytes | None) -> Answer | Refusal:
    if content is None:
        return Refusal(ApiRefusal.NOT_FOUND, {"path": f"/v1/iso20022/{name}/{asked.account}/{asked.day}"})
    return Answer(content, media_type=XML_TYPE)


def _shown(found: Kept) -> KeptMessage:
    return KeptMessage(
        found.id,
        str(found.direction.value),
        found.counterparty,
        found.kind,
        found.message_id,
        found.at,
        str(found.status.value),
        found.answers,
        found.attempts,
        found.last_status,
    )


def iso20022_operations(desk: Desk) -> tuple[Operation, ...]:
    does = _Handlers(desk)
    report = {"account": 1001, "day": "2026-01-05"}
    return (
        Operation(
            "POST", "/v1/iso20022/messages", "receive_message", "ISO 20022", Scope.ISO20022_WRITE,
            "Send the bank a message", does.receive, {200: str, 202: str}, body=str,
            refusals=(ApiRefusal.BODY_MALFORMED,),
            description="A `pain.001` is answered with a `pain.002`. From the clearing: `pacs.008` and `pacs.004` are "
            "answered with a `pacs.002`, `camt.056` with a `camt.029`, `acmt.023` with an `acmt.024`; `pacs.002`, "
            "`camt.029` and `acmt.024` are taken without an answer (202). What is refused is told in the answer, with "
            "a reason of ISO 20022. The same message again is answered as before. Header `Eastflow-Message`: the id "
            "under which it is kept.",
            body_example=XML_EXAMPLE, answer_example=XML_EXAMPLE, media_type=XML_TYPE,
        ),
        Operation(
            "GET", "/v1/iso20022/messages", "list_messages", "ISO 20022", Scope.ISO20022_READ,
            "List messages received and sent", does.list_page, {200: KeptMessagePage}, parameters=MessageList,
            refusals=(ApiRefusal.CURSOR_MALFORMED,), answer_example={"messages": [EXAMPLE], "cursor": None},
        ),
        Operation(
            "GET", "/v1/iso20022/messages/{id}", "read_message", "ISO 20022", Scope.ISO20022_READ,
            "Read a message, to the byte", does.read_one, {200: KeptMessageWithContent}, parameters=OneMessage,
            refusals=(ApiRefusal.NOT_FOUND,), answer_example={"message": EXAMPLE, "content": "PERvY3VtZW50Lz4="},
            path_example={"id": ID},
        ),
        Operation(
            "POST", "/v1/iso20022/messages/{id}/delivery", "send_message_again", "ISO 20022", Scope.OPERATIONS_WRITE,
            "Try a message again that was given up", does.send_again, {200: KeptMessage}, parameters=OneMessage,
            refusals=(ApiRefusal.NOT_FOUND,), answer_example=EXAMPLE, path_example={"id": ID},
            description="Under the same id. One that waits or has arrived stays as it is.",
        ),
        Operation(
            "GET", "/v1/iso20022/messages/{id}/status-report", "read_pain002", "ISO 20022", Scope.ISO20022_READ,
            "What has become of the payments of a pain.001, as a pain.002", does.status_report, {200: str},
            parameters=OneMessage, refusals=(ApiRefusal.NOT_FOUND,), answer_example=XML_EXAMPLE,
            path_example={"id": ID}, media_type=XML_TYPE,
            description="As they stand now: paid on their day, refused on it, cancelled, rejected or returned by the "
            "other bank. The id is that of the header `Eastflow-Message`. Another's message takes `parties:personal`.",
        ),
        Operation(
            "GET", "/v1/iso20022/statements/{account}/{day}", "read_camt053", "ISO 20022", Scope.ISO20022_READ,
            "The statement of a past day, as camt.053", does.statement, {200: str}, parameters=OneReport,
            refusals=(ApiRefusal.NOT_FOUND,), answer_example=XML_EXAMPLE, path_example=report, media_type=XML_TYPE,
            description="Days are of UTC, as booked. A day that goes on has no statement yet.",
        ),
        Operation(
            "GET", "/v1/iso20022/notifications/{account}/{day}", "read_camt054", "ISO 20022", Scope.ISO20022_READ,
            "What was booked on a day so far, as camt.054", does.notification, {200: str}, parameters=OneReport,
            refusals=(ApiRefusal.NOT_FOUND,), answer_example=XML_EXAMPLE, path_example=report, media_type=XML_TYPE,
        ),
    )  # fmt: skip
