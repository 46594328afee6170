"""`/v1/approvals`: deeds that need two people, proposed by one and decided on by another."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from msgspec import Struct, convert

from eastflow import operations
from eastflow.kernel import Refusal
from eastflow.ledger import LedgerRefusal
from eastflow.operations import KINDS, OperationsRefusal, ProposalStatus
from eastflow.storage import Transaction

from . import wire
from .issuing import KINDS_WITH_KEYS
from .keys import Scope
from .operation import Answer, Call, Operation
from .refusals import ApiRefusal

ID = "019b8f2e-7c00-7000-8000-0000000000cc"
NEW_EXAMPLE = {
    "id": ID, "kind": "account_floor", "payload": {"account": 1001, "floor_minor": -50000},
    "reason": "agreed overdraft", "expires_at": None,
}  # fmt: skip
EXAMPLE = {
    **NEW_EXAMPLE, "maker": "li", "made_at": "2026-01-05T09:30:00Z", "expires_at": "2026-01-08T09:30:00Z",
    "status": "pending", "decided_by": None, "decided_at": None, "decision_reason": None, "result": None,
}  # fmt: skip
DECIDED_EXAMPLE = {
    **EXAMPLE, "status": "executed", "decided_by": "kim", "decided_at": "2026-01-05T10:00:00Z",
    "decision_reason": "seen", "result": {"floor_minor": -50000},
}  # fmt: skip


class Verdict(Enum):
    APPROVE = "approve"
    REFUSE = "refuse"


class NewProposal(Struct, frozen=True, forbid_unknown_fields=True):
    """The maker is whose key it is. Without `expires_at` it waits three days."""

    id: UUID
    kind: str
    payload: dict[str, Any]
    reason: str
    expires_at: wire.Moment | None = None


class Decision(Struct, frozen=True, forbid_unknown_fields=True):
    verdict: Verdict
    reason: str


class Withdrawal(Struct, frozen=True, forbid_unknown_fields=True):
    reason: str


class Proposal(Struct, frozen=True):
    """`result` is what the deed answered when it was done."""

    id: UUID
    kind: str
    payload: Mapping[str, Any]
    maker: str
    reason: str
    made_at: datetime
    expires_at: datetime
    status: ProposalStatus
    decided_by: str | None
    decided_at: datetime | None
    decision_reason: str | None
    result: Mapping[str, Any] | None


class ProposalPage(Struct, frozen=True):
    proposals: list[Proposal]
    cursor: str | None


class OneProposal(Struct, frozen=True, forbid_unknown_fields=True):
    id: UUID


class ProposalList(Struct, frozen=True, forbid_unknown_fields=True):
    """With `pending`, only those that can still be decided on."""

    pending: bool = False
    limit: wire.Limit = 100
    cursor: wire.Cursor | None = None


class _Place(Struct, frozen=True, forbid_unknown_fields=True):
    after_proposal: UUID
    pending: bool


async def make(call: Call) -> Answer | Refusal:
    asked: NewProposal = call.body
    if asked.expires_at is not None and (refusal := wire.check_years(asked.expires_at)):
        return refusal
    new = operations.NewProposal(asked.id, asked.kind, asked.payload, call.actor, asked.reason, asked.expires_at)

    async def work(tx: Transaction) -> operations.Proposal | Refusal:
        return await operations.make_proposal(tx, new, clock=call.engine.clock)

    return shown_or_refused(await call.database.run(work))


async def list_page(call: Call) -> Answer | Refusal:
    asked: ProposalList = call.parameters
    after, pending = None, asked.pending
    if asked.cursor is not None:
        place = wire.read_cursor(asked.cursor, _Place)
        after, pending = place.after_proposal, place.pending
    async with call.database.reading() as tx:
        found = await operations.proposals_page(
            tx, at=call.engine.clock(), after=after, limit=asked.limit + 1, pending=pending
        )
    shown = found[: asked.limit]
    following = wire.cursor_of(_Place(shown[-1].id, pending)) if len(found) > asked.limit else None
    return Answer(ProposalPage([_shown(each) for each in shown], following))


async def read_one(call: Call) -> Answer | Refusal:
    id: UUID = call.parameters.id
    async with call.database.reading() as tx:
        found = await operations.proposal(tx, id, at=call.engine.clock())
    return shown_or_refused(found or Refusal(OperationsRefusal.PROPOSAL_NOT_FOUND, {"id": id}))


async def decide(call: Call) -> Answer | Refusal:
    asked: Decision = call.body
    id: UUID = call.parameters.id
    who: dict[str, Any] = {
        "checker": call.actor,
        "roles": call.key.roles,
        "reason": asked.reason,
        "kinds": KINDS_WITH_KEYS,
    }

    async def work(tx: Transaction) -> operations.Proposal | Refusal:
        if asked.verdict is Verdict.REFUSE:
            return await operations.refuse_proposal(tx, id, clock=call.engine.clock, **who)
        return await operations.approve_proposal(tx, id, today=call.today, clock=call.engine.clock, **who)

    return shown_or_refused(await call.database.run(work))


async def withdraw(call: Call) -> Answer | Refusal:
    asked: Withdrawal = call.body
    id: UUID = call.parameters.id

    async def work(tx: Transaction) -> operations.Proposal | Refusal:
        return await operations.withdraw_proposal(
            tx, id, maker=call.actor, reason=asked.reason, clock=call.engine.clock
        )

    return shown_or_refused(await call.database.run(work))


def shown_or_refused(found: operations.Proposal | Refusal) -> Answer | Refusal:
    return found if isinstance(found, Refusal) else Answer(_shown(found))


def _shown(found: operations.Proposal) -> Proposal:
    return convert(found, Proposal, from_attributes=True)


_DECIDING = (
    OperationsRefusal.TEXT_MALFORMED, OperationsRefusal.PROPOSAL_NOT_FOUND, OperationsRefusal.PROPOSAL_DECIDED,
    OperationsRefusal.PROPOSAL_EXPIRED,
)  # fmt: skip

OPERATIONS = (
    Operation(
        "POST", "/v1/approvals", "make_proposal", "Approvals", Scope.APPROVALS_WRITE, "Propose a deed", make,
        {200: Proposal}, body=NewProposal,
        refusals=(
            OperationsRefusal.TEXT_MALFORMED, OperationsRefusal.KIND_UNKNOWN, OperationsRefusal.PAYLOAD_MALFORMED,
            OperationsRefusal.PROPOSAL_ID_REUSED, OperationsRefusal.EXPIRY_OUT_OF_RANGE,
        ),
        description=f"Kinds: {', '.join(f'`{kind}`' for kind in sorted(KINDS))}. Proposing the same again answers "
        "with the proposal as it is now. Keys are proposed at `/v1/keys/proposals` and decided on here.",
        body_example=NEW_EXAMPLE, answer_example=EXAMPLE,
    ),
    Operation(
        "GET", "/v1/approvals", "list_proposals", "Approvals", Scope.APPROVALS_READ, "List the proposals", list_page,
        {200: ProposalPage}, parameters=ProposalList, refusals=(ApiRefusal.CURSOR_MALFORMED,),
        answer_example={"proposals": [EXAMPLE], "cursor": None},
    ),
    Operation(
        "GET", "/v1/approvals/{id}", "read_proposal", "Approvals", Scope.APPROVALS_READ, "Read a proposal", read_one,
        {200: Proposal}, parameters=OneProposal, refusals=(OperationsRefusal.PROPOSAL_NOT_FOUND,),
        answer_example=EXAMPLE, path_example={"id": ID},
    ),
    Operation(
        "POST", "/v1/approvals/{id}/decision", "decide_proposal", "Approvals", Scope.APPROVALS_DECIDE,
        "Approve a proposal and do it, or refuse it", decide, {200: Proposal}, body=Decision, parameters=OneProposal,
        refusals=(
            *_DECIDING, OperationsRefusal.CHECKER_IS_MAKER, OperationsRefusal.ROLE_MISSING,
            OperationsRefusal.KIND_UNKNOWN, *LedgerRefusal, ApiRefusal.EXPIRY_IN_PAST,
        ),
        description="By another person than its maker, in a role that the kind needs. If the deed itself is refused, "
        "that is the answer, and the proposal goes on waiting. Deciding the same again changes nothing.",
        body_example={"verdict": "approve", "reason": "seen"}, answer_example=DECIDED_EXAMPLE, path_example={"id": ID},
    ),
    Operation(
        "POST", "/v1/approvals/{id}/withdrawal", "withdraw_proposal", "Approvals", Scope.APPROVALS_WRITE,
        "Take back a proposal of one's own", withdraw, {200: Proposal}, body=Withdrawal, parameters=OneProposal,
        refusals=(*_DECIDING, OperationsRefusal.NOT_THE_MAKER),
        body_example={"reason": "not needed"}, answer_example={**EXAMPLE, "status": "withdrawn", "decided_by": "li"},
        path_example={"id": ID},
    ),
)  # fmt: skip
