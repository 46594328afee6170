"""A place in the ledger as one string the caller hands back unchanged."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

import msgspec

from eastflow.kernel import INT64_MAX, Refusal

from .model import Place
from .refusals import WebhooksRefusal

CHAINS_MAX = 1_000
_Number = Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX >> 1)]
"""Half of what 64 bits hold, so that the database may add to it."""
_Content = tuple[
    Annotated[list[tuple[_Number, _Number]], msgspec.Meta(max_length=CHAINS_MAX)],
    tuple[_Number, _Number] | None,
    _Number,
]


def encode(place: Place) -> str:
    content = sorted(place.numbers.items()), place.block, place.entries
    return base64.urlsafe_b64encode(msgspec.json.encode(content)).decode().rstrip("=")


def decode(cursor: str) -> Place | Refusal:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        numbers, block, entries = msgspec.json.decode(raw, type=_Content)
    except (binascii.Error, ValueError):
        return Refusal(WebhooksRefusal.CURSOR_MALFORMED)
    return Place(dict(numbers), block, entries)
