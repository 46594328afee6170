"""Every refusal in one list: its code is namespaced, unique, mapped to one HTTP status, and named by a test."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from eastflow.channels.api import ApiKey, ApiRefusal, ApiSettings, Call, Operation, Scope, Services
from eastflow.channels.api.day_ends import DayEnds
from eastflow.channels.api.keys import KeyRing
from eastflow.channels.api.messages.english import ENGLISH
from eastflow.channels.api.operation import KEY_IN_SCOPE, PathEndpoint
from eastflow.channels.api.problems import STATUSES
from eastflow.kernel import Refusal, RefusalCode
from eastflow.ledger.actions import Engine, new_id
from eastflow.storage import Database, Retry, StorageFault

SOURCE = Path(__file__).parents[1] / "src"
ROOT = SOURCE / "eastflow"
TESTS = Path(__file__).parent
# Rooms that no request over HTTP reaches yet: once one of their codes has a status, all must.
NOT_OVER_HTTP: frozenset[str] = frozenset()

# As a member of its enum, or by its code whole.
_NAMED = r"\.{0}\b|\b{1}\b"


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
    assert {"api", "customers", "deposits", "ledger", "products", "webhooks"} <= {room for room, _ in refusals()}


def test_codes_are_namespaced_by_room() -> None:
    assert [code for room, code in refusals() if code.value != f"{room}.{code.name.lower()}"] == []


def told() -> Iterator[tuple[str, str, set[str]]]:
    """Where the house refuses with facts that can be read off: the place, the code's name, the facts' names."""
    for path in sorted(ROOT.rglob("*.py")):
        if path.name.endswith("_test.py"):
            continue
        known: dict[str, set[str]] = {}
        nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Assign | ast.Call)]
        for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
            if isinstance(node, ast.Assign):
                known |= {each.id: _keys(node.value, known) for each in node.targets if isinstance(each, ast.Name)}
            elif (
                isinstance(node.func, ast.Name)
                and node.func.id == "Refusal"
                and isinstance(node.args[0], ast.Attribute)
            ):
                facts = _keys(node.args[1], known) if len(node.args) > 1 else set()
                yield f"{path.relative_to(ROOT)}:{node.lineno}", ast.unparse(node.args[0]), facts


def _keys(node: ast.expr, known: dict[str, set[str]]) -> set[str]:
    """Of a dict as it is written; anything else may have whatever name."""
    if isinstance(node, ast.Name):
        return known.get(node.id, {"*"})
    if not isinstance(node, ast.Dict):
        return {"*"}
    names = set[str]()
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            names |= _keys(value, known)
        else:
            names.add(str(key.value) if isinstance(key, ast.Constant) else "*")
    return names


def test_what_a_text_names_is_among_the_facts() -> None:
    codes = {f"{type(code).__name__}.{code.name}": code.value for _, code in refusals()}
    read = [(place, codes[name], facts) for place, name, facts in told() if name in codes]
    assert len(read) > 300
    missing = [
        (place, code, named)
        for place, code, facts in read
        for named in re.findall(r"{(\w+)", " ".join(ENGLISH[code]))
        if named not in facts and "*" not in facts
    ]
    assert missing == []


def test_codes_are_unique() -> None:
    codes = [code.value for _, code in refusals()]
    assert len(codes) == len(set(codes))


def test_every_code_has_one_http_status() -> None:
    reached = {room for room, code in refusals() if code in STATUSES}
    unmapped = [code for room, code in refusals() if code not in STATUSES and room not in NOT_OVER_HTTP - reached]
    assert unmapped == []
    assert set(STATUSES) <= {code for _, code in refusals()}
    assert [status for status in STATUSES.values() if HTTPStatus(status) < HTTPStatus.BAD_REQUEST] == []


def test_every_refusal_is_named_by_a_test() -> None:
    paths = [path for folder in (ROOT, TESTS) for path in folder.rglob("*_test.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    unnamed = [code.value for _, code in refusals() if not re.search(_NAMED.format(code.name, code.value), text)]
    assert unnamed == []


@pytest.mark.parametrize(
    ("raised", "refusal"),
    [
        (StorageFault("gone"), ApiRefusal.UNAVAILABLE),
        (Retry("rivals"), ApiRefusal.UNAVAILABLE),
        (AssertionError("a bug"), ApiRefusal.INTERNAL_ERROR),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.name,
)
async def test_a_fault_and_a_bug_are_told_in_the_same_form(raised: Exception, refusal: ApiRefusal) -> None:
    async def handler(_: Call) -> Refusal:
        raise raised

    operation = Operation("GET", "/v1/x", "x", "X", Scope.KEYS_WRITE, "X", handler, {200: dict})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(_endpoint(operation)), base_url="http://bank") as client:
        answer = await client.get("/v1/x")
    assert (answer.status_code, answer.json()["code"]) == (STATUSES[refusal], refusal.value)
    assert ("retry-after" in answer.headers) is (refusal is ApiRefusal.UNAVAILABLE)
    assert str(raised) not in answer.text


def _endpoint(operation: Operation) -> ASGIApp:
    """The operation by itself, its caller let in already. No database is asked."""
    database = object.__new__(Database)
    engine = Engine(database)
    services = Services(database, engine, KeyRing(database, milliseconds=0), ApiSettings(), DayEnds(engine))
    endpoint = PathEndpoint({operation.method: operation}, services)
    key = ApiKey(new_id(), "a key", frozenset(Scope), datetime.now(UTC))

    async def admitted(scope: AsgiScope, receive: Receive, send: Send) -> None:
        scope[KEY_IN_SCOPE] = key
        await endpoint(scope, receive, send)

    return admitted
