"""A kind of deed that needs two people: the shape of its payload, who may approve it, and how it is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from eastflow.kernel import Refusal
from eastflow.storage import Transaction

from .model import Role

Result = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Approved:
    """What the deed is done under; `id` is the proposal's and may serve as the id of what it makes."""

    id: UUID
    maker: str
    checker: str
    at: datetime
    today: date


@dataclass(frozen=True, slots=True)
class Kind:
    """`execute(tx, payload, approved)` does it in the caller's transaction; it is called once for each proposal.

    `payload` is a msgspec struct. A result is plain JSON. An executor that has written something before it is refused
    raises, so that nothing of it stays.
    """

    name: str
    payload: type[Any]
    checkers: frozenset[Role]
    execute: Callable[[Transaction, Any, Approved], Awaitable[Result | Refusal]]
