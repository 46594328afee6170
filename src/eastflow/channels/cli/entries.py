"""Entries and holds: moving value, reserving it, and finding what was moved."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import msgspec
import typer
from rich.progress import Progress

from eastflow.kernel import Refusal
from eastflow.ledger import (
    BATCH_COMMANDS_MAX,
    BookedEntry,
    Capture,
    CursorMalformed,
    Entry,
    EntryFilter,
    EntryPage,
    HeldAmount,
    Hold,
    LedgerRefusal,
    Outcome,
    Posting,
    Release,
    accounts,
    entry,
    holds,
    search,
    search_after,
)
from eastflow.ledger.actions import expire_holds, new_id, reversal_of
from eastflow.operations import Bank

from .output import Json, accepted, errors, fail, in_bank, outcome_data, print_json, show, show_rows

entries_app = typer.Typer(help="Entries: post, show, reverse, search.", no_args_is_help=True)
holds_app = typer.Typer(help="Holds: place, capture, release, expire.", no_args_is_help=True)
Leg = Annotated[
    list[str], typer.Option("--leg", help="ACCOUNT:AMOUNT, minor units, positive credits; give it twice or more.")
]
Id = Annotated[UUID | None, typer.Option(help="Makes the call safe to repeat; made for you if left out.")]
Detail = Annotated[list[str] | None, typer.Option("--detail", help="KEY=VALUE, as often as needed.")]


@entries_app.command("post")
def entries_post(
    kind: str,
    asset: str,
    leg: Leg,
    id: Id = None,
    value_date: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])] = None,
    memo: str | None = None,
    detail: Detail = None,
    as_json: Json = False,
) -> None:
    """Post one entry of KIND in ASSET."""
    new = _entry(kind, asset, leg, id, value_date, memo=memo, details=_details(detail))
    show(accepted(in_bank(lambda bank: bank.engine.post(new)), as_json), as_json)


@entries_app.command("batch")
def entries_batch(file: Path, as_json: Json = False) -> None:
    """Post the entries of FILE, one JSON object a line, in batches of up to 10,000."""
    lines = [line for line in file.read_bytes().splitlines() if line.strip()]
    commands = []
    for number, line in enumerate(lines, start=1):
        try:
            commands.append(msgspec.json.decode(line, type=Entry))
        except msgspec.DecodeError as problem:
            fail(f"{file}, line {number}: {problem}")

    async def work(bank: Bank) -> list[Outcome]:
        outcomes: list[Outcome] = []
        with Progress(console=errors, transient=True) as progress:
            task = progress.add_task("posting", total=len(commands))
            for start in range(0, len(commands), BATCH_COMMANDS_MAX):
                outcomes += await bank.engine.post_batch(commands[start : start + BATCH_COMMANDS_MAX])
                progress.update(task, completed=len(outcomes))
        return outcomes

    outcomes = in_bank(work)
    refused = [(line, o.code.value) for line, o in enumerate(outcomes, start=1) if isinstance(o, Refusal)]
    if as_json:
        print_json([outcome_data(outcome) for outcome in outcomes])
    else:
        show_rows(("line", "refused"), refused, None, False)
        typer.echo(f"{len(outcomes) - len(refused)} posted or replayed, {len(refused)} refused")
    if refused:
        raise typer.Exit(1)


@entries_app.command("show")
def entries_show(id: UUID, as_json: Json = False) -> None:
    show(accepted(in_bank(lambda bank: _booked(bank, id)), as_json), as_json)


@entries_app.command("reverse")
def entries_reverse(id: UUID, reversal_id: Id = None, memo: str | None = None, as_json: Json = False) -> None:
    """Post the entry that undoes entry ID."""

    async def work(bank: Bank) -> Outcome:
        booked = await _booked(bank, id)
        if isinstance(booked, Refusal):
            return booked
        async with bank.database.reading() as tx:
            known = await accounts(tx, booked.accounts)
        assets = {number: account.asset for number, account in known.items()}
        return await bank.engine.post(reversal_of(booked, assets, id=reversal_id or new_id(), memo=memo))

    show(accepted(in_bank(work), as_json), as_json)


@entries_app.command("search")
def entries_search(
    account: int | None = None,
    kind: str | None = None,
    booked_from: datetime | None = None,
    booked_before: datetime | None = None,
    valued_from: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])] = None,
    valued_through: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])] = None,
    amount_min: int | None = None,
    amount_max: int | None = None,
    detail: Detail = None,
    limit: int = 100,
    cursor: str | None = None,
    as_json: Json = False,
) -> None:
    """Entries that fit, newest first; a cursor from the page before keeps the filter."""
    wanted = EntryFilter(
        account=account,
        kind=kind,
        booked_from=booked_from and booked_from.replace(tzinfo=UTC),
        booked_before=booked_before and booked_before.replace(tzinfo=UTC),
        valued_from=valued_from and valued_from.date(),
        valued_through=valued_through and valued_through.date(),
        amount_minor_min=amount_min,
        amount_minor_max=amount_max,
        details=_details(detail),
    )

    async def work(bank: Bank) -> EntryPage:
        async with bank.database.reading() as tx:
            return await (search_after(tx, cursor, limit=limit) if cursor else search(tx, wanted, limit=limit))

    try:
        page = in_bank(work)
    except CursorMalformed as problem:
        fail(str(problem))
    rows = [(e.id, e.kind, e.value_date, e.booked_at, _legs(e)) for e in page.entries]
    show_rows(("id", "kind", "value date", "booked", "legs"), rows, page, as_json)
    if page.cursor and not as_json:
        typer.echo(f"more: --cursor {page.cursor}")


@holds_app.command("place")
def holds_place(
    account: int, asset: str, amount: int, id: Id = None, expires_at: datetime | None = None, as_json: Json = False
) -> None:
    """Reserve AMOUNT minor units of ACCOUNT."""
    hold = Hold(id or new_id(), account, asset, amount, expires_at and expires_at.replace(tzinfo=UTC))
    show(accepted(in_bank(lambda bank: bank.engine.post(hold)), as_json), as_json)


@holds_app.command("capture")
def holds_capture(
    account: int,
    hold: UUID,
    kind: str,
    asset: str,
    leg: Leg,
    id: Id = None,
    keep_rest: Annotated[bool, typer.Option("--keep-rest", help="Leave what is left of the hold held.")] = False,
    as_json: Json = False,
) -> None:
    """Post an entry out of HOLD on ACCOUNT."""
    new = _entry(kind, asset, leg, id, None, capture=Capture(account, hold, final=not keep_rest))
    show(accepted(in_bank(lambda bank: bank.engine.post(new)), as_json), as_json)


@holds_app.command("release")
def holds_release(account: int, hold: UUID, as_json: Json = False) -> None:
    show(accepted(in_bank(lambda bank: bank.engine.post(Release(account, hold))), as_json), as_json)


@holds_app.command("list")
def holds_list(account: int, after: UUID | None = None, limit: int = 100, as_json: Json = False) -> None:
    async def work(bank: Bank) -> list[HeldAmount]:
        async with bank.database.reading() as tx:
            return await holds(tx, account, after=after, limit=limit)

    found = in_bank(work)
    rows = [(h.id, h.amount_minor, h.remaining_minor, h.status.value, h.expires_at) for h in found]
    show_rows(("id", "amount", "remaining", "status", "expires"), rows, found, as_json)


@holds_app.command("expire")
def holds_expire(as_json: Json = False) -> None:
    """Give back all holds whose time has passed."""

    async def work(bank: Bank) -> int:
        total = 0
        while expired := await expire_holds(bank.engine):
            total += expired
        return total

    show({"expired": in_bank(work)}, as_json)


def _entry(
    kind: str,
    asset: str,
    legs: list[str],
    id: UUID | None,
    value_date: datetime | None,
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
            raise typer.BadParameter(f"{leg!r} is not ACCOUNT:AMOUNT") from None
    day = value_date.date() if value_date else datetime.now(UTC).date()
    return Entry(id or new_id(), kind, day, tuple(postings), memo, details or {}, capture=capture)


def _details(given: list[str] | None) -> dict[str, str]:
    pairs = [text.partition("=") for text in given or ()]
    if any(not sign for _, sign, _ in pairs):
        raise typer.BadParameter("details are KEY=VALUE")
    return {key: value for key, _, value in pairs}


async def _booked(bank: Bank, id: UUID) -> BookedEntry | Refusal:
    async with bank.database.reading() as tx:
        return await entry(tx, id) or Refusal(LedgerRefusal.ENTRY_NOT_FOUND, {"id": id})


def _legs(booked: BookedEntry) -> str:
    return " ".join(f"{a}:{m:+}" for a, m in zip(booked.accounts, booked.amounts_minor, strict=True))
