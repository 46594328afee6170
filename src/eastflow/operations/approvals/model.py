"""A proposal: a deed put down as data by its maker, done at once when a checker approves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

NAME_CHARACTERS_MAX = 100
REASON_CHARACTERS_MAX = 500
PAYLOAD_BYTES_MAX = 64 * 1024
LIFETIME_USUAL = timedelta(days=3)
LIFETIME_MAX = timedelta(days=30)


class Role(Enum):
    """What a person of the bank, or a program, is there for."""

    TELLER = "teller"
    SUPERVISOR = "supervisor"
    OPERATOR = "operator"
    COMPLIANCE = "compliance"
    PRODUCT_MANAGER = "product_manager"
    PARTNER = "partner"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class ProposalStatus(Enum):
    """`expired` is a pending one whose time is over."""

    PENDING = "pending"
    EXECUTED = "executed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class NewProposal:
    """`id` is chosen by the maker's side and makes proposing idempotent. Without `expires_at`: LIFETIME_USUAL."""

    id: UUID
    kind: str
    payload: Mapping[str, Any]
    maker: str
    reason: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """`result` is what the deed answered when it was done."""

    id: UUID
    kind: str
    payload: Mapping[str, Any]
    maker: str
    reason: str
    made_at: datetime
    expires_at: datetime
    status: ProposalStatus = ProposalStatus.PENDING
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision_reason: str | None = None
    result: Mapping[str, Any] | None = None
