"""May two parties be merged, or a merge be undone? Pure: no clock, no database."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from eastflow.kernel import Refusal, is_text

from ..model import Party
from ..refusals import CustomersRefusal
from .model import REASON_CHARACTERS_MAX, Merge


def decide_merge(
    party: UUID, into: UUID, reason: str, known: Mapping[UUID, Party], standing: Merge | None, *, into_is_merged: bool
) -> Merge | Refusal | None:
    """The merge that stands already, or None if it is to be. Both must stand by themselves, so that merged parties
    always lead to one that does."""
    if not (reason.strip() and is_text(reason, REASON_CHARACTERS_MAX)):
        return Refusal(CustomersRefusal.TEXT_MALFORMED, {"field": "reason"})
    for id in (party, into):
        if id not in known:
            return Refusal(CustomersRefusal.PARTY_NOT_FOUND, {"id": str(id)})
        if known[id].erased:
            return Refusal(CustomersRefusal.PARTY_ERASED, {"id": str(id)})
    if standing is not None:
        return standing if standing.into == into else _merged(party)
    if into_is_merged:
        return _merged(into)
    if party == into or known[party].kind is not known[into].kind:
        return Refusal(CustomersRefusal.MERGE_UNSUITABLE, {"id": str(party), "into": str(into)})
    return None


def decide_unmerge(party: UUID, standing: Merge | None) -> Merge | Refusal:
    return standing or Refusal(CustomersRefusal.MERGE_NOT_FOUND, {"id": str(party)})


def _merged(party: UUID) -> Refusal:
    return Refusal(CustomersRefusal.PARTY_MERGED, {"id": str(party)})
