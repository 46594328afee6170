"""The verbs of maker and checker. What is approved is done in the same transaction, once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from eastflow.kernel import Refusal
from eastflow.storage import Clock, Retry, Transaction, UniqueViolation, now

from ..refusals import OperationsRefusal
from . import store
from .decide import check_checker, check_pending, check_texts, propose
from .kind import Approved, Kind
from .kinds import KINDS
from .model import PAYLOAD_BYTES_MAX, NewProposal, Proposal, ProposalStatus, Role

STEP_PROPOSALS = 1_000


async def make_proposal(
    tx: Transaction, new: NewProposal, *, clock: Clock = now, kinds: Mapping[str, Kind] = KINDS
) -> Proposal | Refusal:
    """Put a deed down for another to approve. Proposing the same again answers with the proposal as it is now."""
    if refusal := check_texts(new.maker, new.reason):
        return refusal
    kind = kinds.get(new.kind)
    if kind is None:
        return Refusal(OperationsRefusal.KIND_UNKNOWN, {"kinds": ", ".join(sorted(kinds))})
    payload = _sound(kind, new.payload)
    if isinstance(payload, Refusal):
        return payload
    at = clock()
    existing = await store.proposal(tx, new.id, at=at)
    answer = propose(new, payload, existing, at)
    if existing is None and isinstance(answer, Proposal):
        try:
            await store.insert(tx, answer)
        except UniqueViolation as rival:
            raise Retry("a proposal with this id was made in the same moment") from rival
    return answer


async def approve_proposal(
    tx: Transaction,
    id: UUID,
    *,
    checker: str,
    roles: Collection[Role],
    reason: str,
    today: date,
    clock: Clock = now,
    kinds: Mapping[str, Kind] = KINDS,
) -> Proposal | Refusal:
    """Approve and do it. If the deed itself is refused, that is the answer and the proposal goes on waiting.

    Approving again by the same person changes nothing.
    """
    found = await _for_checker(tx, id, checker, roles, reason, ProposalStatus.EXECUTED, clock, kinds)
    if isinstance(found, Refusal) or found.status is ProposalStatus.EXECUTED:
        return found
    kind, at = kinds[found.kind], clock()
    payload = _read(kind, found.payload)
    if isinstance(payload, Refusal):
        return payload
    result = await kind.execute(tx, payload, Approved(id, found.maker, checker, at, today))
    if isinstance(result, Refusal):
        return result
    return await _decide(tx, found, ProposalStatus.EXECUTED, checker, reason, at, result)


async def refuse_proposal(
    tx: Transaction,
    id: UUID,
    *,
    checker: str,
    roles: Collection[Role],
    reason: str,
    clock: Clock = now,
    kinds: Mapping[str, Kind] = KINDS,
) -> Proposal | Refusal:
    """It will not be done. Refusing again by the same person changes nothing."""
    found = await _for_checker(tx, id, checker, roles, reason, ProposalStatus.REFUSED, clock, kinds)
    if isinstance(found, Refusal) or found.status is ProposalStatus.REFUSED:
        return found
    return await _decide(tx, found, ProposalStatus.REFUSED, checker, reason, clock())


async def withdraw_proposal(
    tx: Transaction, id: UUID, *, maker: str, reason: str, clock: Clock = now
) -> Proposal | Refusal:
    """Its maker takes it back. Withdrawing again changes nothing."""
    if refusal := check_texts(maker, reason):
        return refusal
    found = await store.locked_proposal(tx, id, at=clock())
    if found is None:
        return Refusal(OperationsRefusal.PROPOSAL_NOT_FOUND, {"id": id})
    if maker != found.maker:
        return Refusal(OperationsRefusal.NOT_THE_MAKER, {"maker": found.maker})
    if found.status is ProposalStatus.WITHDRAWN:
        return found
    return check_pending(found) or await _decide(tx, found, ProposalStatus.WITHDRAWN, maker, reason, clock())


async def seal_plain_proposals(tx: Transaction, *, limit: int = STEP_PROPOSALS) -> int:
    """Seal proposals that were kept before they were sealed; the answer is how many. Repeated until it is none."""
    return await store.seal_plain(tx, limit)


async def _for_checker(
    tx: Transaction,
    id: UUID,
    checker: str,
    roles: Collection[Role],
    reason: str,
    wanted: ProposalStatus,
    clock: Clock,
    kinds: Mapping[str, Kind],
) -> Proposal | Refusal:
    """The proposal, locked, if this person may decide on it, or has decided so already."""
    if refusal := check_texts(checker, reason):
        return refusal
    found = await store.locked_proposal(tx, id, at=clock())
    if found is None:
        return Refusal(OperationsRefusal.PROPOSAL_NOT_FOUND, {"id": id})
    kind = kinds.get(found.kind)
    if kind is None:
        return Refusal(OperationsRefusal.KIND_UNKNOWN, {"kinds": ", ".join(sorted(kinds))})
    if refusal := check_checker(found, checker, roles, kind.checkers):
        return refusal
    if found.status is wanted and found.decided_by == checker:
        return found
    return check_pending(found) or found


async def _decide(
    tx: Transaction,
    found: Proposal,
    status: ProposalStatus,
    by: str,
    reason: str,
    at: datetime,
    result: Mapping[str, Any] | None = None,
) -> Proposal:
    await store.decide(tx, found.id, status, by, reason, at, result)
    return replace(found, status=status, decided_by=by, decided_at=at, decision_reason=reason, result=result)


def _sound(kind: Kind, payload: Mapping[str, Any]) -> Mapping[str, Any] | Refusal:
    """The payload in the one form in which it is kept and compared."""
    read = _read(kind, payload)
    if isinstance(read, Refusal):
        return read
    try:
        written = msgspec.json.encode(read)
    except ValueError as malformed:  # half of a surrogate pair
        return Refusal(OperationsRefusal.PAYLOAD_MALFORMED, {"reason": str(malformed)})
    if len(written) > PAYLOAD_BYTES_MAX or b"\\u0000" in written:
        return Refusal(OperationsRefusal.PAYLOAD_MALFORMED, {"reason": "too long, or with a character not allowed"})
    kept: Mapping[str, Any] = msgspec.json.decode(written)
    return kept


def _read(kind: Kind, payload: Mapping[str, Any]) -> Any:
    """The payload as the kind's struct, or a refusal."""
    try:
        return msgspec.convert(dict(payload), kind.payload)
    except (msgspec.MsgspecError, ValueError, RecursionError) as malformed:
        return Refusal(OperationsRefusal.PAYLOAD_MALFORMED, {"reason": str(malformed)})
