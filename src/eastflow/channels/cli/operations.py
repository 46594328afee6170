"""The bank's date, its day's end, deeds that need two people, backups."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from eastflow import operations
from eastflow.kernel import Refusal
from eastflow.ledger.actions import new_id
from eastflow.operations import (
    STEPS,
    Bank,
    BusinessDay,
    DayEnd,
    NewProposal,
    OperationsRefusal,
    PartState,
    Proposal,
    Role,
    close_day,
    day_to_close,
    set_business_date,
)
from eastflow.storage import (
    Backup,
    EmbeddedServerFault,
    Transaction,
    back_up,
    backups,
    drop_older_backups,
    restore,
    verify_backup,
)

from .entries import Id
from .messages import say
from .options import DayArgument, DayToSet, Json, Limit, Moment
from .output import accepted, console, fail, in_bank, print_json, show, show_rows
from .shapes import day_end_data

approvals_app = typer.Typer(help="Deeds that need two people: propose, decide, list.", no_args_is_help=True)
By = Annotated[str, typer.Option("--by", help="Who acts.")]
Reason = Annotated[str, typer.Option(help="Why.")]


def business_date_command(set_to: DayToSet = None, as_json: Json = False) -> None:
    """The bank's date, which moves when a day is closed. It can be --set only while nothing is in the books."""

    async def work(bank: Bank) -> BusinessDay | date | Refusal:
        if set_to is None:
            return bank.engine.today()
        day = set_to
        return await bank.database.run(lambda tx: set_business_date(tx, day))

    found = accepted(in_bank(work), as_json)
    show({"date": found.date if isinstance(found, BusinessDay) else found}, as_json)


def close_day_command(
    day: DayArgument = None,
    as_json: Json = False,
) -> None:
    """End the open business day, or go on with one that is closing. The bank goes on meanwhile. Exit 1 if it stopped;
    then mend what it says and run it again."""

    async def work(bank: Bank) -> DayEnd | Refusal:
        async with bank.database.reading() as tx:
            chosen = day or await day_to_close(tx)
        assert chosen is not None, "an opened bank has a business day"
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
        with Progress(*columns, console=console(stderr=True), transient=True) as bars:
            tasks: dict[str, TaskID] = {}

            def tell(found: DayEnd) -> None:
                for step in found.steps:
                    if step.name not in tasks:
                        tasks[step.name] = bars.add_task(step.name, total=step.parts)
                    bars.update(tasks[step.name], completed=step.parts_done)

            return await close_day(bank.engine, chosen, STEPS, tell=tell)

    ended = accepted(in_bank(work), as_json)
    rows = [
        (step.name, step.state.value, f"{step.parts_done}/{step.parts}", dict(step.counts), step.reason)
        for step in ended.steps
    ]
    show_rows(("step", "state", "parts", "counts", "reason"), rows, day_end_data(ended), as_json)
    if ended.state is not PartState.DONE:
        raise typer.Exit(1)


@approvals_app.command("propose")
def approvals_propose(
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(sorted(operations.KINDS))}.")],
    payload: Annotated[str, typer.Argument(help='As JSON: {"account": 1001, "floor_minor": -50000}.')],
    by: By,
    reason: Reason,
    id: Id = None,
    expires_at: Moment = None,
    as_json: Json = False,
) -> None:
    """Put a deed down for another person to approve."""
    try:
        told = msgspec.json.decode(payload, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError, RecursionError) as malformed:
        facts = {"reason": str(malformed)}
        accepted(Refusal(OperationsRefusal.PAYLOAD_MALFORMED, facts), as_json)
        raise typer.Exit(1) from malformed
    new = NewProposal(id or new_id(), kind, told, by, reason, expires_at)
    made = in_bank(lambda bank: bank.database.run(lambda tx: operations.make_proposal(tx, new)))
    show(accepted(made, as_json), as_json)


@approvals_app.command("approve")
def approvals_approve(id: UUID, by: By, reason: Reason, as_json: Json = False) -> None:
    """Approve a proposal of another person, and do it. On the bank's own machine one has every role."""

    async def work(bank: Bank) -> Proposal | Refusal:
        async def deed(tx: Transaction) -> Proposal | Refusal:
            return await operations.approve_proposal(
                tx, id, checker=by, roles=set(Role), reason=reason, today=bank.engine.today()
            )

        return await bank.database.run(deed)

    show(accepted(in_bank(work), as_json), as_json)


@approvals_app.command("refuse")
def approvals_refuse(id: UUID, by: By, reason: Reason, as_json: Json = False) -> None:
    """Refuse a proposal of another person: it will not be done."""

    async def deed(tx: Transaction) -> Proposal | Refusal:
        return await operations.refuse_proposal(tx, id, checker=by, roles=set(Role), reason=reason)

    show(accepted(in_bank(lambda bank: bank.database.run(deed)), as_json), as_json)


@approvals_app.command("withdraw")
def approvals_withdraw(id: UUID, by: By, reason: Reason, as_json: Json = False) -> None:
    """Take back a proposal of one's own."""

    async def deed(tx: Transaction) -> Proposal | Refusal:
        return await operations.withdraw_proposal(tx, id, maker=by, reason=reason)

    show(accepted(in_bank(lambda bank: bank.database.run(deed)), as_json), as_json)


@approvals_app.command("show")
def approvals_show(id: UUID, as_json: Json = False) -> None:
    """A proposal and what was decided."""

    async def work(bank: Bank) -> Proposal | Refusal:
        async with bank.database.reading() as tx:
            found = await operations.proposal(tx, id, at=bank.engine.clock())
        return found or Refusal(OperationsRefusal.PROPOSAL_NOT_FOUND, {"id": id})

    show(accepted(in_bank(work), as_json), as_json)


@approvals_app.command("list")
def approvals_list(after: UUID | None = None, limit: Limit = 100, pending: bool = False, as_json: Json = False) -> None:
    """Proposals by id; with --pending, only those that can still be decided on."""

    async def work(bank: Bank) -> list[Proposal]:
        async with bank.database.reading() as tx:
            return await operations.proposals_page(
                tx, at=bank.engine.clock(), after=after, limit=limit, pending=pending
            )

    found = in_bank(work)
    rows = [(p.id, p.kind, p.status.value, p.maker, p.decided_by, p.reason) for p in found]
    show_rows(("id", "kind", "status", "maker", "decided by", "reason"), rows, found, as_json)
    if len(found) == limit and not as_json:
        typer.echo(say("more_after", after=found[-1].id))


def backup_command(
    directory: Path,
    keep: Annotated[
        int | None, typer.Option(min=1, help="Then remove those older than so many whole ones, and their log.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Copy the bank's embedded database into a backup directory, and check the copy. Moments after it can be restored
    too if the bank runs with EASTFLOW_BACKUP_DIR set to this directory. The key file is not in it: keep it apart."""

    async def work(bank: Bank) -> tuple[Backup, list[Backup]]:
        if bank.settings.database_url is not None:
            fail(say("not_embedded"))
        made = back_up(bank.settings.data_dir, directory)
        return made, [] if keep is None else drop_older_backups(directory, keep=keep)

    made, dropped = in_bank(work)
    told = {"completed_at": made.completed_at, "path": str(made.path)}
    show(told | ({} if keep is None else {"dropped": [str(each.path) for each in dropped]}), as_json)


def backups_command(
    directory: Path,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check every file of each; exit 1 if one is damaged.")
    ] = False,
    as_json: Json = False,
) -> None:
    """The backups in a directory, the oldest first."""
    found = backups(directory)
    damaged: dict[datetime, str] = {}
    for each in found if verify else ():
        try:
            verify_backup(each)
        except EmbeddedServerFault as fault:
            damaged[each.completed_at] = str(fault)
    if as_json:
        print_json([
            {"completed_at": each.completed_at, "path": str(each.path)}
            | ({"damage": damaged.get(each.completed_at)} if verify else {})
            for each in found
        ])  # fmt: skip
    else:
        rows = [(each.completed_at, each.path, damaged.get(each.completed_at)) for each in found]
        show_rows(("complete at", "path", "damage"), rows, None, False)
    if damaged:
        raise typer.Exit(1)


def restore_command(
    directory: Path,
    data_dir: Annotated[Path, typer.Option(help="The new data directory; empty or not there.")],
    to_time: Moment = None,
    as_json: Json = False,
) -> None:
    """Make a new data directory whose books are as they were committed at a moment, or as late as the log was kept.
    Run the bank there with EASTFLOW_DATA_DIR, and with its key file."""
    try:
        begun_with = restore(directory, data_dir, to=to_time)
    except EmbeddedServerFault as fault:
        fail(str(fault))
    except OSError as problem:
        fail(say("cannot_write", file=data_dir, reason=problem.strerror))
    told = {"data_dir": data_dir.resolve(), "backup": begun_with.completed_at, "to_time": to_time}
    show(told | {"data_dir": str(told["data_dir"])}, as_json)
