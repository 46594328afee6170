"""Text that can be kept: of bounded length and storable in any database, and details, which are short named texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

DETAILS_MAX = 50
DETAIL_KEY_CHARACTERS_MAX = 64
DETAIL_VALUE_CHARACTERS_MAX = 500


def is_text(text: str, characters_max: int) -> bool:
    """Not too long, and storable: no NUL, and no half of a surrogate pair, which is not a character."""
    if len(text) > characters_max or "\0" in text:
        return False
    return text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text)


def details_problem(details: Mapping[str, str]) -> Literal["too_large", "malformed"] | None:
    """`too_large` when there are too many of them, `malformed` when one of them is no text or has no name."""
    if len(details) > DETAILS_MAX:
        return "too_large"
    for key, value in details.items():
        if not (key and is_text(key, DETAIL_KEY_CHARACTERS_MAX) and is_text(value, DETAIL_VALUE_CHARACTERS_MAX)):
            return "malformed"
    return None
