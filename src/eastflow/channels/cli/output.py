"""How a command runs and answers: one JSON value or a table, and exit status 0 only on success."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NoReturn, TypeVar

import msgspec
import typer
import uvloop
from rich.console import Console
from rich.table import Table

from eastflow.kernel import Refusal
from eastflow.operations import Bank, Settings, SettingsMalformed, open_bank
from eastflow.storage import Retry, SchemaFault, StorageFault
from eastflow.storage.embedded import EmbeddedServerFault

from .messages import say
from .shapes import refusal_data

WIDTH_WITHOUT_TERMINAL = 200
STATUS_ENDED_BY_SIGNAL = 128
_Result = TypeVar("_Result")


def settings() -> Settings:
    """Those of the environment. A value that cannot be used ends the program with status 2."""
    try:
        return Settings.from_environment()
    except SettingsMalformed as problem:
        fail(str(problem), status=2)


def in_bank(work: Callable[[Bank], Awaitable[_Result]]) -> _Result:
    """Open the bank, do the work, close it. A fault ends the program with status 1; so does nothing half done: a signal
    that ends the program closes the bank first."""
    told = settings()
    ended_by: list[int] = []

    async def opened() -> _Result:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None, "asyncio.run makes one"

        def end(number: int) -> None:
            ended_by.append(number)
            task.cancel()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, end, number)
        async with open_bank(told) as bank:
            return await work(bank)

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(opened())
    except asyncio.CancelledError:
        fail(say("interrupted"), status=STATUS_ENDED_BY_SIGNAL + (ended_by or [signal.SIGINT])[0])
    except Retry:
        fail(say("busy"))
    except (StorageFault, SchemaFault, EmbeddedServerFault) as fault:
        fail(str(fault))


def fail(message: str, *, status: int = 1) -> NoReturn:
    typer.secho(printable(message), fg="red", err=True)
    raise typer.Exit(status)


def accepted(outcome: _Result | Refusal, as_json: bool) -> _Result:
    """What was asked for, or the end of the program with the refusal's code."""
    if not isinstance(outcome, Refusal):
        return outcome
    if as_json:
        print_json(refusal_data(outcome))
        raise typer.Exit(1)
    facts = ", ".join(f"{name} {value}" for name, value in outcome.facts.items())
    fail(say("refused", code=outcome.code.value, facts=f" ({facts})" if facts else ""))


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
    console().print(grid)


def show_rows(columns: Sequence[str], rows: Sequence[Sequence[object]], value: object, as_json: bool) -> None:
    """Many: `value` as JSON, or a table."""
    if as_json:
        print_json(value)
        return
    table = Table()
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_text(cell) for cell in row))
    console().print(table)


def console(*, stderr: bool = False) -> Console:
    """Says customers' words as they are: a memo is neither markup nor the name of a picture (`:cash:`)."""
    made = Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    return made if made.is_terminal else Console(
        stderr=stderr, markup=False, emoji=False, highlight=False, width=WIDTH_WITHOUT_TERMINAL
    )  # fmt: skip


def printable(text: str) -> str:
    """What would steer the terminal is shown as a sign instead."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "\N{REPLACEMENT CHARACTER}" for sign in text)


def _text(content: object) -> str:
    if content is None:
        return ""
    if isinstance(content, dict):
        return ", ".join(f"{name} {_text(each)}" for name, each in content.items() if each is not None)
    if isinstance(content, list | tuple):
        return "\n".join(_text(each) for each in content)
    return printable(str(content))
