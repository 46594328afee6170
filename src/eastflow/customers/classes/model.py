"""The nouns of account classes: classed accounts, and movements that are to be allowed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum
from uuid import UUID

from eastflow.rules import AccountClass

from ..model import Channel


class Direction(Enum):
    """Into the customer's account, or out of it."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Movement:
    """Money about to come into or go out of a customer's account.

    `amount_minor` is positive. `counterparty_bound`: the other side is an account bound to this one, or a deposit or
    investment product of this bank in the same name; `cash`: there is no other account at all. Interest and the bank's
    own fees are no movements: for them no allowance is asked.
    """

    direction: Direction
    amount_minor: int
    asset: str
    channel: Channel
    counterparty_bound: bool = False
    cash: bool = False


@dataclass(frozen=True, slots=True)
class ClassedAccount:
    """An account's class, for a person who owns it, from `since` on; `until` is the first day it no longer is.

    `opened_by` is where it was opened. `face_to_face`: staff of the bank have seen the person and the document.
    `bound` are the accounts of class I of the same person that money may move to and from without limit.
    """

    account: int
    party: UUID
    account_class: AccountClass
    since: date
    opened_by: Channel
    face_to_face: bool = False
    bound: frozenset[int] = frozenset()
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What has moved one way, counted against the limits: on a day, and in its calendar year, that day included."""

    day_minor: int
    year_minor: int
