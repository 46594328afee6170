"""The bank says no. A refusal is a value, not an exception: it is audited, translated and tested.

Three things can go wrong, and each has its own form:
  refusal  the bank declines: a value with a stable code (this module)
  fault    the world failed (disk, network): an exception from `storage`, retried at the edge
  bug      we were wrong: an `assert`, which stops the transaction
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class RefusalCode(Enum):
    """Base of every room's refusals. Members are listed in order of precedence."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """`code` is the contract and never changes meaning; `facts` say what the decision rested on."""

    code: RefusalCode
    facts: Mapping[str, object] = field(default_factory=dict)
