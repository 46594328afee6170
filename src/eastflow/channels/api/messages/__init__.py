"""What is said to people about each refusal, in the language they asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from .chinese import CHINESE
from .english import ENGLISH
from .korean import KOREAN

LANGUAGES: dict[str, Mapping[str, tuple[str, str]]] = {"en": ENGLISH, "zh-Hans": CHINESE, "ko": KOREAN}
DEFAULT = "en"
_BY_PRIMARY_TAG = {"en": "en", "zh": "zh-Hans", "ko": "ko"}
ACCEPT_CHARACTERS_MAX = 500


class _Facts(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "—"


def message(code: str, facts: Mapping[str, object], language: str) -> tuple[str, str]:
    """The title, which belongs to the code, and the detail, which is filled from the facts."""
    title, detail = LANGUAGES[language].get(code) or ENGLISH.get(code) or (code, "")
    return title, detail.format_map(_Facts(facts))


@lru_cache(maxsize=1_024)
def language_for(accept: bytes) -> str:
    """The first of the caller's languages (RFC 9110 §12.5.4) that the bank speaks; English if there is none."""
    wanted: list[tuple[int, int, str]] = []
    for place, item in enumerate(accept.decode("latin-1")[:ACCEPT_CHARACTERS_MAX].split(",")):
        tag, _, parameter = item.partition(";")
        weight = _thousandths(parameter.strip())
        language = DEFAULT if tag.strip() == "*" else _BY_PRIMARY_TAG.get(tag.strip().lower().split("-")[0])
        if weight > 0 and language is not None:
            wanted.append((-weight, place, language))
    return min(wanted)[2] if wanted else DEFAULT


def _thousandths(parameter: str) -> int:
    if not parameter.startswith("q="):
        return 1_000
    whole, _, decimals = parameter[2:].partition(".")
    digits = whole + decimals.ljust(3, "0")[:3]
    return int(digits) if digits.isascii() and digits.isdigit() else 0
