"""A step of the day's end: a name, and the work that does one of its parts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date

from eastflow.ledger.actions import Engine
from eastflow.storage import Database

from .model import Counts

PARTITIONS = 16
Work = Callable[[Database, Engine, date, int, int], Awaitable[Counts]]
"""`work(database, engine, business date, partition, partitions)` does one part and says what it did, in counts.

It is called again when a runner died before it could say that the part is done, and rarely twice at once: it must have
its effect once (ids made from date, step and subject; or its own register of what is done).
"""


class StepFailed(Exception):
    """A step cannot go on; the message says why. The day's end stops there until it is run again."""


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    work: Work
    partitions: int = PARTITIONS
