"""Entries: moving value, undoing it, and finding what was moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import msgspec
import typer
from rich.progress import Progress

from eastflow.kernel import EXACT_JSON_INTEGER_MAX, Refusal
from eastflow.ledger import (
    BATCH_COMMANDS_MAX,
    BookedEntry,
    Capture,
    CursorMalformed,
    Done,
    Entry,
    EntryFilter,
    LedgerRefusal,
    Outcome,
    Posting,
    entry,
    search,
    search_after,
)
from eastflow.ledger.actions import new_id, reversal_of
from eastflow.operations import Bank

from .messages import say
from .options import AmountOption, DayOrNone, Json, Limit, Moment
from .output import accepted, console, fail, in_bank, print_json, show, show_rows
from .shapes import Data, assets_of, done_data, entry_data, refusal_data

entries_app = typer.Typer(help="Entries: post, show, reverse, search.", no_args_is_help=True)
Legs = Annotated[
    list[str], typer.Option("--leg", help="ACCOUNT:AMOUNT, minor units, positive credits; give it twice or more.")
]
Id = Annotated[UUID | None, typer.Option(help="Makes the call safe to repeat; made for you if left out.")]
Details = Annotated[list[str] | None, typer.Option("--detail", help="KEY=VALUE, as often as needed.")]
_ENTRY_FIELDS = frozenset(each.name for each in fields(Entry))
REFUSALS_SHOWN_MAX = 1_000


@entries_app.command("post")
def entries_post(
    kind: str,
    asset: str,
    leg: Legs,
    id: Id = None,
    value_date: DayOrNone = None,
    memo: str | None = None,
    detail: Details = None,
    as_json: Json = False,
) -> None:
    """Post one entry of KIND in ASSET."""
    post_one(
        lambda today: new_entry(kind, asset, leg, id, value_date or today, memo=memo, details=_details(detail)), as_json
    )


@dataclass(slots=True)
class _Posted:
    """What became of a file's entries; the first of the refused are kept with their line."""

    posted: int = 0
    replayed: int = 0
    refused_count: int = 0
    refused: list[Data] = field(default_factory=list)

    def add(self, line: int, command: Entry, outcome: Outcome) -> None:
        if isinstance(outcome, Done):
            self.posted, self.replayed = self.posted + (not outcome.replayed), self.replayed + outcome.replayed
            return
        self.refused_count += 1
        if len(self.refused) < REFUSALS_SHOWN_MAX:
            self.refused.append({"line": line, "id": command.id, **refusal_data(outcome)})


@entries_app.command("batch")
def entries_batch(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)], as_json: Json = False
) -> None:
    """Post the entries of FILE, one JSON object a line. Nothing is posted unless every line can be read; then each
    entry is judged by itself, and linked ones together. Exit 1 if any is refused; the same file can be posted again."""
    count = sum(1 for _ in _entries_in(file))

    async def work(bank: Bank) -> _Posted:
        done = _Posted()
        with Progress(console=console(stderr=True), transient=True) as progress:
            task = progress.add_task("posting", total=count)
            for batch in _batches(file):
                outcomes = await bank.engine.post_batch([command for _, command in batch])
                for (line, command), outcome in zip(batch, outcomes, strict=True):
                    done.add(line, command, outcome)
                progress.advance(task, len(batch))
        return done

    done = in_bank(work)
    if as_json:
        print_json(done)
    else:
        if done.refused:
            rows = [(each["line"], each["id"], each["refused"], each["facts"]) for each in done.refused]
            show_rows(("line", "entry", "refused", "facts"), rows, None, False)
        typer.echo(say("batch", posted=done.posted, replayed=done.replayed, refused=done.refused_count))
    if done.refused_count:
        raise typer.Exit(1)


def _entries_in(file: Path) -> Iterator[tuple[int, Entry]]:
    """With the number of their line. One that cannot be read ends the program with status 1."""
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                content: Any = msgspec.json.decode(line)
                read = msgspec.convert(content, Entry)
            except (msgspec.DecodeError, UnicodeDecodeError) as problem:
                fail(say("line", file=file, line=number, reason=problem))
            if unknown := sorted(content.keys() - _ENTRY_FIELDS):
                reason = say("unknown_field", name=unknown[0])
                fail(say("line", file=file, line=number, reason=reason))
            yield number, read


def _batches(file: Path) -> Iterator[list[tuple[int, Entry]]]:
    """As large as they may be without parting entries that are linked."""
    batch: list[tuple[int, Entry]] = []
    group: list[tuple[int, Entry]] = []
    for place in _entries_in(file):
        group.append(place)
        if place[1].linked and len(group) < BATCH_COMMANDS_MAX:
            continue
        if batch and len(batch) + len(group) > BATCH_COMMANDS_MAX:
            yield batch
            batch = []
        batch += group
        group = []
    if group and len(batch) + len(group) > BATCH_COMMANDS_MAX:
        yield batch
        batch = []
    if batch or group:
        yield batch + group


@entries_app.command("show")
def entries_show(id: UUID, as_json: Json = False) -> None:
    """An entry with its legs."""

    async def work(bank: Bank) -> Data | Refusal:
        async with bank.database.reading() as tx:
            found = await entry(tx, id)
            return entry_data(found, await assets_of(tx, [found])) if found else _not_found(id)

    show(accepted(in_bank(work), as_json), as_json)


@entries_app.command("reverse")
def entries_reverse(id: UUID, reversal_id: Id = None, memo: str | None = None, as_json: Json = False) -> None:
    """Post the entry that undoes entry ID."""

    async def work(bank: Bank) -> Outcome:
        async with bank.database.reading() as tx:
            booked = await entry(tx, id)
            if booked is None:
                return _not_found(id)
            assets = await assets_of(tx, [booked])
        return await bank.engine.post(reversal_of(booked, assets, id=reversal_id or new_id(), memo=memo))

    show(done_data(_done(in_bank(work), as_json)), as_json)


@entries_app.command("search")
def entries_search(
    account: Annotated[int | None, typer.Option(min=1, max=EXACT_JSON_INTEGER_MAX)] = None,
    kind: str | None = None,
    booked_from: Moment = None,
    booked_before: Moment = None,
    valued_from: DayOrNone = None,
    valued_through: DayOrNone = None,
    amount_min: AmountOption = None,
    amount_max: AmountOption = None,
    detail: Details = None,
    limit: Limit = 100,
    cursor: str | None = None,
    as_json: Json = False,
) -> None:
    """Entries that fit, newest first; a cursor from the page before keeps the filter."""
    wanted = EntryFilter(
        account=account,
        kind=kind,
        booked_from=booked_from,
        booked_before=booked_before,
        valued_from=valued_from,
        valued_through=valued_through,
        amount_minor_min=amount_min,
        amount_minor_max=amount_max,
        details=_details(detail),
    )

    async def work(bank: Bank) -> tuple[Sequence[BookedEntry], dict[int, str], str | None]:
        async with bank.database.reading() as tx:
            page = await (search_after(tx, cursor, limit=limit) if cursor else search(tx, wanted, limit=limit))
            return page.entries, await assets_of(tx, page.entries), page.cursor

    try:
        found, assets, following = in_bank(work)
    except CursorMalformed as problem:
        fail(str(problem))
    if as_json:
        print_json({"entries": [entry_data(each, assets) for each in found], "cursor": following})
        return
    rows = [(e.id, e.kind, e.value_date, e.booked_at, _legs(e), e.memo) for e in found]
    show_rows(("id", "kind", "value date", "booked", "legs", "memo"), rows, None, False)
    if following:
        typer.echo(say("more", cursor=following))


def new_entry(
    kind: str,
    asset: str,
    legs: list[str],
    id: UUID | None,
    value_date: date,
    *,
    memo: str | None = None,
    details: dict[str, str] | None = None,
    capture: Capture | None = None,
) -> Entry:
    postings = []
    for leg in legs:
        account, _, amount = leg.partition(":")
        try:
            postings.append(Posting(int(account), asset, int(amount)))
        except ValueError:
            raise typer.BadParameter(say("not_a_leg", text=leg)) from None
    return Entry(id or new_id(), kind, value_date, tuple(postings), memo, details or {}, capture=capture)


def post_one(entry_on: Callable[[date], Entry], as_json: bool) -> None:
    """`entry_on` is given the bank's date."""
    show(done_data(_done(in_bank(lambda bank: bank.engine.post(entry_on(bank.engine.today()))), as_json)), as_json)


def _done(outcome: Outcome, as_json: bool) -> Done:
    return accepted(outcome, as_json)


def _details(given: list[str] | None) -> dict[str, str]:
    read = {}
    for text in given or ():
        key, sign, value = text.partition("=")
        if not sign:
            raise typer.BadParameter(say("not_a_detail", text=text))
        read[key] = value
    return read


def _not_found(id: UUID) -> Refusal:
    return Refusal(LedgerRefusal.ENTRY_NOT_FOUND, {"id": id})


def _legs(booked: BookedEntry) -> str:
    return " ".join(f"{a}:{m:+}" for a, m in zip(booked.accounts, booked.amounts_minor, strict=True))
