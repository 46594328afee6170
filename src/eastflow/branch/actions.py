"""The verbs of the branch. Each loads what it needs, decides, and writes, in the caller's one transaction."""

from __future__ import annotations

from .movements.actions import close_for_absent, confirm, count, customer_cash, decline, reverse, ship
from .people.actions import register_branch, register_teller, set_limit, sign_off, sign_on
from .transfers.actions import issue, receive, take_back

__all__ = [
    "close_for_absent",
    "confirm",
    "count",
    "customer_cash",
    "decline",
    "issue",
    "receive",
    "register_branch",
    "register_teller",
    "reverse",
    "set_limit",
    "ship",
    "sign_off",
    "sign_on",
    "take_back",
]
