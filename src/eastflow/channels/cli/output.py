"""How a command runs and answers: one JSON object or a table, and exit status 0 only on success."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, NoReturn, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from eastflow.kernel import Refusal
from eastflow.operations import Bank, Settings, open_bank
from eastflow.storage import SchemaFault, StorageFault
from eastflow.storage.embedded import EmbeddedServerFault

Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON value.")]
_Result = TypeVar("_Result")
console = Console()
errors = Console(stderr=True)


def in_bank(work: Callable[[Bank], Awaitable[_Result]]) -> _Result:
    """Open the bank of the environment's settings, do the work, close it. A fault ends the program with status 1."""

    async def opened() -> _Result:
        async with open_bank(Settings.from_environment()) as bank:
            return await work(bank)

    try:
        return asyncio.run(opened())
    except (StorageFault, SchemaFault, EmbeddedServerFault) as fault:
        fail(str(fault))


def fail(message: str) -> NoReturn:
    errors.print(message, style="red", highlight=False, markup=False)
    raise typer.Exit(1)


def accepted(outcome: _Result | Refusal, as_json: bool) -> _Result:
    """What was asked for, or the end of the program with the refusal's code."""
    if not isinstance(outcome, Refusal):
        return outcome
    if as_json:
        print_json(outcome_data(outcome))
        raise typer.Exit(1)
    facts = ", ".join(f"{name} {value}" for name, value in outcome.facts.items())
    fail(f"refused: {outcome.code.value}" + (f" ({facts})" if facts else ""))


def outcome_data(outcome: object) -> object:
    if isinstance(outcome, Refusal):
        facts = {name: value if isinstance(value, int | str) else str(value) for name, value in outcome.facts.items()}
        return {"refused": outcome.code.value, "facts": facts}
    return outcome


def print_json(value: object) -> None:
    typer.echo(msgspec.json.format(msgspec.json.encode(value)).decode())


def show(value: Any, as_json: bool) -> None:
    """One noun: as JSON, or a line for each of its fields."""
    if as_json:
        print_json(value)
        return
    grid = Table(show_header=False, box=None)
    for name, content in msgspec.to_builtins(value).items():
        grid.add_row(name, _text(content))
    console.print(grid)


def show_rows(columns: Sequence[str], rows: Sequence[Sequence[object]], value: object, as_json: bool) -> None:
    """Many: `value` as JSON, or a table."""
    if as_json:
        print_json(value)
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*(_text(cell) for cell in row))
    console.print(table)


def _text(content: object) -> str:
    return "" if content is None else str(content)
