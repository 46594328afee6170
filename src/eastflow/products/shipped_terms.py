"""The products that come with the bank, as files, and the reading of others like them."""

from __future__ import annotations

import json
import tomllib
from decimal import Decimal
from functools import cache
from pathlib import Path

from eastflow.kernel import Refusal

from .model import Terms
from .refusals import ProductsRefusal
from .terms_file import terms_from

FOLDER = Path(__file__).parent / "shipped"
FILE_BYTES_MAX = 1 << 20


def read_terms(path: Path) -> Terms | Refusal:
    """Of a `.json` file, or else TOML. Errors: OSError. Refusals: TERMS_MALFORMED."""
    with path.open("rb") as file:
        content = file.read(FILE_BYTES_MAX + 1)
    if len(content) > FILE_BYTES_MAX:
        return _malformed(f"more than {FILE_BYTES_MAX} bytes")
    try:
        text = content.decode()
        loaded = json.loads(text) if path.suffix == ".json" else tomllib.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as problem:
        return _malformed(str(problem))
    return terms_from(loaded)


@cache
def shipped() -> dict[str, Terms]:
    """By code. Their rates are examples unless the file says otherwise."""
    found = {}
    for path in sorted(FOLDER.glob("*.toml")):
        terms = read_terms(path)
        assert not isinstance(terms, Refusal), f"{path.name}: {terms.facts}"
        found[terms.code] = terms
    return found


def _malformed(reason: str) -> Refusal:
    return Refusal(ProductsRefusal.TERMS_MALFORMED, {"path": "", "reason": reason})
