"""The books as a whole: the trial balance, the proof, the demo, and taking over another bank's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import typer
from rich.progress import Progress

from eastflow.ledger import Proof, TrialBalance, trial_balance_at, verify
from eastflow.operations import Bank, Import, fill_demo, import_berka

from .output import Json, errors, fail, in_bank, print_json, show, show_rows

import_app = typer.Typer(help="Take over another bank's books.", no_args_is_help=True)


def trial_balance_command(at: datetime | None = None, as_json: Json = False) -> None:
    """Debits and credits by place of the chart, now or as booked at a moment (UTC). Exit 1 unless they cancel out."""

    async def work(bank: Bank) -> TrialBalance:
        async with bank.database.reading() as tx:
            return await trial_balance_at(tx, at and at.replace(tzinfo=UTC))

    found = in_bank(work)
    rows = [(p.asset, p.chart, max(-p.signed_minor, 0), max(p.signed_minor, 0), p.accounts) for p in found.positions]
    show_rows(("asset", "chart", "debit", "credit", "accounts"), rows, found, as_json)
    if not found.balanced:
        fail(f"does not balance: {dict(found.differences_minor)}")


def verify_command(as_json: Json = False) -> None:
    """Prove the books from their postings and their seal. Exit 1 if anything is found."""

    async def work(bank: Bank) -> Proof:
        with Progress(console=errors, transient=True) as progress:
            tasks = {what: progress.add_task(what, total=None) for what in ("postings", "blocks", "entries")}
            async with bank.database.reading() as tx:
                return await verify(tx, progress=lambda what, count: progress.update(tasks[what], completed=count))

    proof = in_bank(work)
    if as_json:
        print_json(proof)
    else:
        if not proof.proved:
            rows = [(finding.code, finding.place, dict(finding.facts)) for finding in proof.findings]
            show_rows(("finding", "where", "facts"), rows, None, False)
        typer.echo(
            f"{proof.entries:,} entries, {proof.postings:,} postings, {proof.accounts:,} accounts, "
            f"{proof.blocks:,} blocks: " + ("proved" if proof.proved else f"{proof.findings_count:,} findings")
        )
        for chain, (number, digest) in proof.heads.items():
            typer.echo(f"head of chain {chain}: block {number}, {digest}")
    if not proof.proved:
        raise typer.Exit(1)


def demo_command(as_json: Json = False) -> None:
    """Fill the demo bank, or find it filled."""
    show({"entries": in_bank(fill_demo)}, as_json)


@import_app.callback()
def importing() -> None:
    """Take over another bank's books."""


@import_app.command("berka")
def import_berka_command(directory: Path, as_json: Json = False) -> None:
    """The accounts and transactions of a real Czech bank (the Berka data set), each balance compared."""

    async def work(bank: Bank) -> Import:
        with Progress(console=errors, transient=True) as progress:
            tasks: dict[str, object] = {}

            def tell(what: str, done: int, total: int) -> None:
                task = tasks.setdefault(what, progress.add_task(what, total=total) if what not in tasks else None)
                progress.update(task, completed=done, total=total)  # type: ignore[arg-type]

            return await import_berka(bank.engine, directory, progress=tell)

    try:
        done = in_bank(work)
    except ValueError as problem:
        fail(str(problem))
    if as_json:
        print_json(done.as_data())
    else:
        typer.echo(done.as_table())
