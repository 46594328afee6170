"""The noun of corrections."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Correction:
    """What a party is called, or was born (founded) on, from now on; None leaves it as it is. `id` is chosen by the
    caller and makes correcting idempotent."""

    id: UUID
    party: UUID
    reason: str
    name: str | None = None
    born_on: date | None = None
