"""The noun of merging: one merge of a duplicate, as the trail keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

REASON_CHARACTERS_MAX = 500


@dataclass(frozen=True, slots=True)
class Merge:
    """`party` was found to be `into`. Until it is unmerged, whoever asks for `party` is answered with `into`, and what
    both have is read together."""

    party: UUID
    into: UUID
    reason: str
    merged_at: datetime
    merged_by: str
    unmerged_at: datetime | None = None
    unmerged_by: str | None = None
