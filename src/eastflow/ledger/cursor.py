"""Where a page ended, together with what was asked, in one string the caller hands back unchanged."""

from __future__ import annotations

import base64
import binascii
from typing import TypeVar

import msgspec

_Content = TypeVar("_Content")


class CursorMalformed(ValueError):
    """The caller sent a cursor that this bank did not make."""


def encode(content: object) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(content)).decode().rstrip("=")


def decode(cursor: str, kind: type[_Content]) -> _Content:
    """Errors: CursorMalformed."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=kind)
    except (binascii.Error, ValueError, RecursionError) as problem:
        raise CursorMalformed("not a cursor of this bank") from problem
