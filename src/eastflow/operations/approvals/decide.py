"""What may be proposed and who may decide on it. Pure: what is needed is given."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from eastflow.kernel import Refusal, is_text

from ..refusals import OperationsRefusal
from .model import (
    LIFETIME_MAX,
    LIFETIME_USUAL,
    NAME_CHARACTERS_MAX,
    REASON_CHARACTERS_MAX,
    NewProposal,
    Proposal,
    ProposalStatus,
    Role,
)


def check_texts(name: str, reason: str) -> Refusal | None:
    for field, text, characters_max in (("name", name, NAME_CHARACTERS_MAX), ("reason", reason, REASON_CHARACTERS_MAX)):
        if not text or not is_text(text, characters_max):
            return Refusal(OperationsRefusal.TEXT_MALFORMED, {"field": field})
    return None


def propose(
    new: NewProposal, payload: Mapping[str, Any], existing: Proposal | None, at: datetime
) -> Proposal | Refusal:
    """The proposal to be kept, or the existing one if it is the same. `payload` is the new one's, in its sound form."""
    if existing is not None:
        same = (existing.kind, existing.payload, existing.maker, existing.reason) == (
            new.kind, payload, new.maker, new.reason,
        )  # fmt: skip
        if same and new.expires_at in (None, existing.expires_at):
            return existing
        return Refusal(OperationsRefusal.PROPOSAL_ID_REUSED, {"id": new.id})
    expires_at = new.expires_at or at + LIFETIME_USUAL
    if not at < expires_at <= at + LIFETIME_MAX:
        facts = {"expires_at": expires_at, "days_max": LIFETIME_MAX.days}
        return Refusal(OperationsRefusal.EXPIRY_OUT_OF_RANGE, facts)
    return Proposal(new.id, new.kind, payload, new.maker, new.reason, at, expires_at)


def check_checker(found: Proposal, checker: str, roles: Collection[Role], needed: Collection[Role]) -> Refusal | None:
    """Another than the maker, in one of the roles that the kind needs."""
    if checker == found.maker:
        return Refusal(OperationsRefusal.CHECKER_IS_MAKER, {"maker": found.maker})
    if not set(roles) & set(needed):
        names = ", ".join(sorted(role.value for role in needed))
        return Refusal(OperationsRefusal.ROLE_MISSING, {"roles": names})
    return None


def check_pending(found: Proposal) -> Refusal | None:
    if found.status is ProposalStatus.EXPIRED:
        return Refusal(OperationsRefusal.PROPOSAL_EXPIRED, {"expires_at": found.expires_at})
    if found.status is not ProposalStatus.PENDING:
        facts = {"status": found.status.value, "decided_by": found.decided_by}
        return Refusal(OperationsRefusal.PROPOSAL_DECIDED, facts)
    return None
