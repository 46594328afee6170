"""Texts as they are compared: written one way or another, they are the same name or number."""

from __future__ import annotations

import unicodedata


def normal_name(text: str) -> str:
    """In compatibility form (NFKC), without case, with one space between words."""
    return " ".join(_folded(text).split())


def normal_number(text: str) -> str:
    """As a name is, and without spaces and hyphens: of documents, telephones, cards."""
    return _folded("".join(sign for sign in _folded(text) if not (sign.isspace() or sign == "-")))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
