"""What has become of a customer's payments since they were asked for: a `pain.002` of this moment, on request."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from uuid import UUID

from eastflow import payments
from eastflow.ledger.actions import new_id
from eastflow.storage import Clock, Transaction, now

from . import decide, store, write
from .model import Direction, Header, Initiation, Message, Reason, StatusLine, TransactionStatus
from .read import read, read_initiation_status


async def status_report(tx: Transaction, id: UUID, *, clock: Clock = now) -> bytes | None:
    """On a kept `pain.001`: what waited for its day, was rejected, returned or recalled since, as it stands now; what
    was refused at once, as it was told. Nothing is kept of it. None where there is no such message, or its content was
    shredded."""
    asked = await store.message(tx, id)
    answer = None if asked is None else await store.answer_to(tx, asked)
    if asked is None or answer is None or asked.direction is not Direction.RECEIVED:
        return None
    found = read(asked.content)
    if not isinstance(found, tuple) or not isinstance(found[1], Initiation):
        return None
    told = read_initiation_status(answer.content)
    # Of a message that was refused whole no payment is told, and none can have changed.
    return await _report(tx, asked, found[1], told, clock) if told else answer.content


async def _report(tx: Transaction, asked: Message, content: Initiation, told: list[StatusLine], clock: Clock) -> bytes:
    """`told` are the lines of its first answer, in the order of its payments."""
    lines, blocks = iter(told), []
    for block in content.blocks:
        ids = [
            decide.payment_id(asked.counterparty, asked.message_id, block.id, place, each)
            for place, each in enumerate(block.transfers)
        ]
        blocks.append((block.id, [await _line(tx, id, before) for id, before in zip(ids, lines, strict=False)]))
    at = clock()
    group = write.group_status(chain.from_iterable(found for _, found in blocks))
    return write.initiation_statuses(Header(new_id(at).hex, write.moment(at)), asked.message_id, group, None, blocks)


async def _line(tx: Transaction, id: UUID, before: StatusLine) -> StatusLine:
    # What was refused left nothing; a payment of its UETR is another message's.
    if before.status == TransactionStatus.REFUSED.value:
        return before
    status, reason = await standing(tx, id)
    return replace(before, status=status.value, reason=reason)


async def standing(tx: Transaction, id: UUID) -> tuple[TransactionStatus, Reason | None]:
    """Of a payment that a customer asked for in a message and that was taken, at once or for its day."""
    made = await payments.payment(tx, id)
    if made is not None:
        return decide.status_of(made)
    order, done = await payments.standing_order(tx, id), await payments.occurrences(tx, id)
    assert order is not None, "what was taken was paid, or waits for its day"
    if done and done[-1].payment is not None and (made := await payments.payment(tx, done[-1].payment)) is not None:
        return decide.status_of(made)
    return decide.status_of_order(order, done)
