"""Personal data as it is shown to those who need not know it: enough to tell two apart, not enough to use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from ..model import Party

HIDDEN = "****"
SHOWN_OF_NUMBER = 4
LONG_NUMBER = 8
"""A shorter number is hidden whole: its last signs would be half of it."""
_EMAIL = re.compile(r"(.)[^@]*(@.+)", re.DOTALL)


def masked_name(name: str) -> str:
    """`Li Na` as `L**`. The stars do not tell the length."""
    return f"{name[0]}**" if name else ""


def masked_number(number: str) -> str:
    """`110101199001011234` as `****1234`."""
    return HIDDEN + (number[-SHOWN_OF_NUMBER:] if len(number) >= LONG_NUMBER else "")


def masked_email(address: str) -> str:
    """`lina@example.com` as `l**@example.com`."""
    found = _EMAIL.fullmatch(address)
    return f"{found[1]}**{found[2]}" if found else HIDDEN


def masked_details(details: Mapping[str, str]) -> dict[str, str]:
    return dict.fromkeys(details, HIDDEN)


def masked_party(party: Party) -> Party:
    """Its day of birth is not shown at all."""
    return replace(
        party,
        name=masked_name(party.name),
        born_on=None,
        reference=None if party.reference is None else masked_number(party.reference),
        details=masked_details(party.details),
    )
