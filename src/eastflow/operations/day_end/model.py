"""A day's end: what its steps are, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from itertools import groupby

Counts = Mapping[str, int]


class PartState(Enum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Part:
    """One partition of one step."""

    step: str
    partition: int
    state: PartState
    counts: Counts = field(default_factory=dict)
    reason: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StepProgress:
    """`counts` are summed over the parts that are done; `reason` is of a part that failed."""

    name: str
    state: PartState
    parts: int
    parts_done: int
    counts: Counts
    reason: str | None
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class DayEnd:
    """The steps are in the order in which they are done."""

    date: date
    steps: tuple[StepProgress, ...]

    @property
    def state(self) -> PartState:
        return _state([step.state for step in self.steps])


def progress(day: date, parts: Sequence[Part]) -> DayEnd:
    """What the parts, given in the order of their steps, come to."""
    return DayEnd(day, tuple(_step(name, list(each)) for name, each in groupby(parts, key=lambda part: part.step)))


def _step(name: str, parts: Sequence[Part]) -> StepProgress:
    done = [part for part in parts if part.state is PartState.DONE]
    counts: dict[str, int] = {}
    for part in done:
        for what, count in part.counts.items():
            counts[what] = counts.get(what, 0) + count
    starts = [part.started_at for part in parts if part.started_at is not None]
    ends = [part.ended_at for part in done if part.ended_at is not None]
    return StepProgress(
        name,
        _state([part.state for part in parts]),
        len(parts),
        len(done),
        counts,
        next((part.reason for part in parts if part.state is PartState.FAILED), None),
        min(starts, default=None),
        max(ends) if ends and len(done) == len(parts) else None,
    )


def _state(states: Sequence[PartState]) -> PartState:
    """Of the whole, from those of its parts."""
    if PartState.FAILED in states:
        return PartState.FAILED
    if len(set(states)) == 1:
        return states[0]
    return PartState.RUNNING
