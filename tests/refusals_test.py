"""Every refusal the bank can make, in one list: its code is namespaced, unique, mapped to one HTTP status, and produced."""

from __future__ import annotations

import importlib
from functools import cache
from http import HTTPStatus
from pathlib import Path

from eastflow.channels.api.problems import STATUSES
from eastflow.kernel import RefusalCode

SOURCE = Path(__file__).parents[1] / "src"
ROOT = SOURCE / "eastflow"
TESTS = Path(__file__).parent
# Rooms that no request over HTTP reaches yet. A room leaves this list with its first route.
NOT_OVER_HTTP = frozenset({"customers"})


@cache
def refusals() -> tuple[tuple[str, RefusalCode], ...]:
    """Each with the name of its room."""
    found: list[tuple[str, RefusalCode]] = []
    for path in sorted(ROOT.rglob("refusals.py")):
        module = importlib.import_module(".".join(path.relative_to(SOURCE).with_suffix("").parts))
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, RefusalCode) and value is not RefusalCode:
                found += [(path.parent.name, code) for code in value]
    return tuple(found)


def test_there_are_refusals() -> None:
    assert {"api", "customers", "ledger"} <= {room for room, _ in refusals()}


def test_codes_are_namespaced_by_room() -> None:
    assert [code for room, code in refusals() if code.value != f"{room}.{code.name.lower()}"] == []


def test_codes_are_unique() -> None:
    codes = [code.value for _, code in refusals()]
    assert len(codes) == len(set(codes))


def test_every_code_has_one_http_status() -> None:
    unmapped = [code for room, code in refusals() if room not in NOT_OVER_HTTP and code not in STATUSES]
    assert unmapped == []
    assert set(STATUSES) <= {code for _, code in refusals()}
    assert [status for status in STATUSES.values() if HTTPStatus(status) < HTTPStatus.BAD_REQUEST] == []


def test_a_room_over_http_is_no_exception() -> None:
    assert NOT_OVER_HTTP & {room for room, code in refusals() if code in STATUSES} == set()


def test_every_refusal_is_named_by_a_test() -> None:
    here = Path(__file__)
    paths = [path for folder in (ROOT, TESTS) for path in folder.rglob("*_test.py") if path != here]
    text = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    unnamed = [
        code.value
        for _, code in refusals()
        if f"{type(code).__name__}.{code.name}" not in text and code.value not in text
    ]
    assert unnamed == []
