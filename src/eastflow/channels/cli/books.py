"""The books as a whole: the trial balance, the proof, the demo, and taking over another bank's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TaskID

from eastflow.kernel import Refusal
from eastflow.ledger import Proof, TrialBalance, trial_balance_at, trial_balance_of, verify
from eastflow.operations import Bank, DemoRefused, Import, ImportRefused, SourceRefused, fill_demo, import_berka

from .anchors import check_place, read_anchors, write_heads
from .messages import say
from .options import DayOrNone, Json, Moment
from .output import accepted, console, fail, in_bank, print_json, printable, show, show_rows
from .shapes import proof_data, trial_balance_data

import_app = typer.Typer(help="Take over another bank's books.", no_args_is_help=True)


def trial_balance_command(at: Moment = None, business_date: DayOrNone = None, as_json: Json = False) -> None:
    """Debits and credits by place of the chart: now, as booked --at a moment, or as kept at the end of a
    --business-date. Exit 1 unless they cancel out."""
    if at and business_date:
        raise typer.BadParameter(say("at_or_business_date"))

    async def work(bank: Bank) -> TrialBalance | Refusal:
        async with bank.database.reading() as tx:
            return await (trial_balance_of(tx, business_date) if business_date else trial_balance_at(tx, at))

    found = accepted(in_bank(work), as_json)
    rows = [(p.asset, p.chart, max(-p.signed_minor, 0), max(p.signed_minor, 0), p.accounts) for p in found.positions]
    show_rows(("asset", "chart", "debit", "credit", "accounts"), rows, trial_balance_data(found), as_json)
    if not found.balanced:
        fail(say("does_not_balance", differences=dict(found.differences_minor)))


def verify_command(
    anchors: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Heads of an earlier proof to be continued.")
    ] = None,
    heads: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Where to write the heads of this proof, if all is proved.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Prove the books from their postings and their seal, and that they continue those of an earlier proof, if its
    heads are given. Exit 1 if anything is found, 2 if the heads given cannot be read."""
    expected = None if anchors is None else read_anchors(anchors)
    if heads is not None:
        check_place(heads)

    async def work(bank: Bank) -> Proof:
        with Progress(console=console(stderr=True), transient=True) as progress:
            tasks: dict[str, TaskID] = {}

            def tell(what: str, count: int) -> None:
                if what not in tasks:
                    tasks[what] = progress.add_task(what, total=None)
                progress.update(tasks[what], completed=count)

            async with bank.database.reading() as tx:
                return await verify(tx, progress=tell, anchors=expected)

    proof = in_bank(work)
    if as_json:
        print_json(proof_data(proof))
    else:
        _show_proof(proof)
    if not proof.proved:
        if heads is not None:
            typer.echo(say("heads_not_kept"), err=True)
        raise typer.Exit(1)
    if heads is not None:
        write_heads(heads, proof)
    if not as_json:
        _show_files(anchors, heads)


def _show_files(anchors: Path | None, heads: Path | None) -> None:
    if anchors is not None:
        typer.echo(say("anchored", file=anchors))
    if heads is not None:
        typer.echo(say("heads_kept", file=heads))


def _show_proof(proof: Proof) -> None:
    if not proof.proved:
        rows = [(finding.code, finding.place, dict(finding.facts)) for finding in proof.findings]
        show_rows(("finding", "where", "facts"), rows, None, False)
    verdict = say("proved_well") if proof.proved else say("proved_ill", count=proof.findings_count)
    counts = {"entries": proof.entries, "postings": proof.postings, "accounts": proof.accounts, "blocks": proof.blocks}
    typer.echo(say("proved", verdict=verdict, **counts))
    for chain, (number, digest) in proof.heads.items():
        typer.echo(say("head", chain=chain, number=number, digest=digest))


def demo_command(as_json: Json = False) -> None:
    """Fill the demo bank, or find it filled: customers, deposits, loans, currencies, cards."""
    try:
        filled = in_bank(fill_demo)
    except DemoRefused as problem:
        fail(str(problem))
    show(filled, as_json)


@import_app.callback()
def importing() -> None:
    """Take over another bank's books."""


@import_app.command("berka")
def import_berka_command(
    directory: Annotated[Path, typer.Argument(exists=True, file_okay=False)], as_json: Json = False
) -> None:
    """The accounts and transactions of a real Czech bank (the Berka data set), each balance compared with its own.
    Rows that cannot be booked are listed as refused. What was stopped half way is taken up by running it again."""

    async def work(bank: Bank) -> Import:
        with Progress(console=console(stderr=True), transient=True) as progress:
            tasks: dict[str, TaskID] = {}

            def tell(step: str, done: int, total: int) -> None:
                if step not in tasks:
                    tasks[step] = progress.add_task(step, total=total)
                progress.update(tasks[step], completed=done, total=total)

            return await import_berka(bank.engine, directory, progress=tell)

    try:
        done = in_bank(work)
    except (SourceRefused, ImportRefused) as problem:
        fail(str(problem))
    if as_json:
        print_json(done.as_data())
    else:
        typer.echo(printable(done.as_table()))
