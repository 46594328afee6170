"""The nouns of merging: a merge of a duplicate, as the trail keeps it, and what makes two parties alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from ..model import Party

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


class LikenessReason(Enum):
    """Why two parties may be one, the likeliest first. `name`: of one of them the day of birth is not known."""

    NAME_AND_BIRTH = "name_and_birth"
    PHONE = "phone"
    EMAIL = "email"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Likeness:
    """A party who may be the one asked about."""

    party: Party
    reasons: frozenset[LikenessReason]

    @property
    def ranked(self) -> list[LikenessReason]:
        """The likeliest first."""
        return [reason for reason in LikenessReason if reason in self.reasons]
