"""Products: simulate a file, draft it, approve, launch and withdraw its versions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from eastflow import products
from eastflow.kernel import EXACT_JSON_INTEGER_MAX, Refusal, decimal_text
from eastflow.ledger.actions import new_id
from eastflow.operations import Bank
from eastflow.products import AtMaturity, Migration, Month, Plan, Simulation, Terms, Version, actions
from eastflow.storage import Transaction

from .entries import Id
from .messages import say
from .operations import By
from .options import Day, DayOrNone, Json, Limit
from .output import accepted, console, fail, in_bank, print_json, show, show_rows

product_app = typer.Typer(help="Products: from a file to the day they are live.", no_args_is_help=True)

File = Annotated[str, typer.Argument(metavar="FILE", help="TOML or JSON, or the code of a shipped product.")]
Code = Annotated[str, typer.Argument(metavar="CODE", show_default=False)]
Number = Annotated[int, typer.Argument(min=1, max=products.NUMBER_MAX, metavar="NUMBER", show_default=False)]
PlannedMinor = typer.Option(min=-EXACT_JSON_INTEGER_MAX, max=EXACT_JSON_INTEGER_MAX, help="In whole minor units.")
DEPOSIT_MINOR = 1_000_000
CHART_CHARACTERS = 40
CHART_ROWS_MAX = 24
_STANDING = (
    "content_hash",
    "author",
    "drafted_at",
    "simulated_at",
    "approved_by",
    "approved_at",
    "live_from",
    "launched_by",
    "withdrawn_from",
    "withdrawn_by",
)


@product_app.command("simulate")
def product_simulate(
    file: File,
    years: Annotated[int, typer.Option(min=1, max=products.YEARS_MAX)] = 5,
    deposit: Annotated[int | None, PlannedMinor] = None,
    monthly: Annotated[int, PlannedMinor] = 0,
    start: DayOrNone = None,
    at_maturity: AtMaturity | None = None,
    number: Annotated[int | None, typer.Option(min=1, max=products.NUMBER_MAX, help="A version in the bank.")] = None,
    as_json: Json = False,
) -> None:
    """Run a product over years to come, by the code that runs the bank's contracts, and close it at their end.

    With --number, FILE is the code of a product in the bank, and the version has then been simulated.
    """
    begins = start or datetime.now(UTC).date()
    if number is None:
        terms = accepted(_terms(file), as_json)
        plan = Plan(begins, years, _deposit(terms, deposit), monthly, at_maturity)
        simulation = accepted(products.simulate(terms, plan), as_json)
    else:
        kept = number

        async def work(tx: Transaction) -> tuple[Version, Simulation] | Refusal:
            found = await products.version(tx, file, kept)
            told = DEPOSIT_MINOR if found is None else _deposit(found.terms, deposit)
            return await actions.simulate_version(tx, file, kept, Plan(begins, years, told, monthly, at_maturity))

        version, simulation = accepted(in_bank(lambda bank: bank.database.run(work)), as_json)
        terms = version.terms
    _show_simulation(terms, simulation, as_json)


@product_app.command("draft")
def product_draft(file: File, by: By, id: Id = None, as_json: Json = False) -> None:
    """Take a file into the bank as a further version of its product."""
    terms, key = accepted(_terms(file), as_json), id or new_id()
    _change(lambda tx, _: actions.draft_version(tx, key, terms, by=by), as_json)


@product_app.command("approve")
def product_approve(code: Code, number: Number, by: By, as_json: Json = False) -> None:
    """By another person than the author, after it has been simulated."""
    _change(lambda tx, _: actions.approve_version(tx, code, number, by=by), as_json)


@product_app.command("launch")
def product_launch(code: Code, number: Number, by: By, live_from: DayOrNone = None, as_json: Json = False) -> None:
    """From a day on, today unless given, in place of the version that is live."""
    _change(
        lambda tx, today: actions.launch_version(tx, code, number, live_from=live_from or today, by=by, today=today),
        as_json,
    )


@product_app.command("withdraw")
def product_withdraw(code: Code, number: Number, by: By, on: DayOrNone = None, as_json: Json = False) -> None:
    """From a day on, today unless given, no contract is opened under it; those there are go on."""
    _change(lambda tx, today: actions.withdraw_version(tx, code, number, on=on or today, by=by, today=today), as_json)


@product_app.command("migrate")
def product_migrate(
    code: Code, source: Number, target: Number, on: Day, by: By, id: Id = None, as_json: Json = False
) -> None:
    """Plan that the contracts of one version go on under another from a day."""
    plan = Migration(id or new_id(), code, source, target, on, by)

    async def work(bank: Bank) -> Migration | Refusal:
        today = bank.engine.today()
        return await bank.database.run(lambda tx: actions.plan_migration(tx, plan, today=today))

    show(accepted(in_bank(work), as_json), as_json)


@product_app.command("list")
def product_list(
    after: str | None = None,
    limit: Limit = 100,
    shipped: Annotated[bool, typer.Option("--shipped", help="Those that come with the bank, as files.")] = False,
    as_json: Json = False,
) -> None:
    """The latest version of each product in the bank, by code."""
    if shipped:
        offered = products.shipped()
        rows = [(code, terms.kind.value, terms.asset.code, terms.name) for code, terms in offered.items()]
        show_rows(("code", "kind", "currency", "name"), rows, list(map(products.terms_to, offered.values())), as_json)
        return

    async def work(bank: Bank) -> list[Version]:
        async with bank.database.reading() as tx:
            return await products.products_page(tx, after=after, limit=limit)

    found = in_bank(work)
    _show_versions(found, as_json)
    if len(found) == limit and not as_json:
        typer.echo(say("more_after", after=found[-1].code))


@product_app.command("show")
def product_show(
    code: Code,
    number: Annotated[int | None, typer.Option(min=1, max=products.NUMBER_MAX)] = None,
    as_json: Json = False,
) -> None:
    """A product's versions, or one of them with its terms."""

    async def work(bank: Bank) -> list[Version] | Refusal:
        async with bank.database.reading() as tx:
            found = [each for each in await products.versions(tx, code) if number in (None, each.number)]
        facts = {"code": code, "number": number or 1}
        return found or Refusal(products.ProductsRefusal.VERSION_NOT_FOUND, facts)

    found = accepted(in_bank(work), as_json)
    if number is not None:
        show(_version_data(found[0]), as_json)
    else:
        _show_versions(found, as_json)


def _terms(file: str) -> Terms | Refusal:
    """Of the file, or of the shipped product where there is no such file."""
    path = Path(file)
    if not path.exists() and file in products.shipped():
        return products.shipped()[file]
    try:
        return products.read_terms(path)
    except (OSError, ValueError) as problem:
        fail(say("cannot_read", file=file, reason=problem), status=2)


def _deposit(terms: Terms, told: int | None) -> int:
    return max(DEPOSIT_MINOR, terms.limits.opening_min_minor) if told is None else told


def _change(work: Callable[[Transaction, date], Awaitable[Version | Refusal]], as_json: bool) -> None:
    async def changed(bank: Bank) -> Version | Refusal:
        today = bank.engine.today()
        return await bank.database.run(lambda tx: work(tx, today))

    version = accepted(in_bank(changed), as_json)
    told = _version_data(version)
    show(told if as_json else {name: value for name, value in told.items() if name != "terms"}, as_json)


def _version_data(version: Version) -> dict[str, Any]:
    """In the shape it has over HTTP."""
    told = {
        "id": version.id,
        "code": version.code,
        "number": version.number,
        "status": version.status.value,
        "terms": products.terms_to(version.terms),
    }
    return told | {name: getattr(version, name) for name in _STANDING}


def _show_versions(found: list[Version], as_json: bool) -> None:
    columns = ("code", "number", "status", "live from", "withdrawn from", "name")
    rows = [(v.code, v.number, v.status.value, v.live_from, v.withdrawn_from, v.terms.name) for v in found]
    show_rows(columns, rows, [_version_data(version) for version in found], as_json)


def _show_simulation(terms: Terms, found: Simulation, as_json: bool) -> None:
    """The sums of each year, and the balance as a chart."""
    if as_json:
        print_json({"code": terms.code, "months": found.months, "closed_on": found.closed_on})
        return

    def money(amount_minor: int) -> str:
        return decimal_text(amount_minor, terms.asset.scale)

    names = ("paid_in_minor", "interest_minor", "overdraft_interest_minor", "fees_minor", "paid_out_minor")
    years = [found.months[start : start + 12] for start in range(0, len(found.months), 12)]
    rows = [
        (months[-1].until, *(money(sum(getattr(each, name) for each in months)) for name in names),
         money(months[-1].balance_minor), money(months[-1].accrued_minor))
        for months in years
    ]  # fmt: skip
    rows.append(("", *(money(found.total(name)) for name in names), "", ""))
    columns = ("until", "paid in", "interest", "overdraft", "fees", "paid out", "balance", "earned, not paid")
    show_rows(columns, rows, None, False)
    typer.echo(say("worth"))
    for line in chart(found.months, money):
        console().print(line)


def chart(months: tuple[Month, ...], money: Callable[[int], str]) -> list[str]:
    """A bar for each of at most so many moments: what the contract was worth before it was closed; none for a debt."""
    step = -(-len(months) // CHART_ROWS_MAX)
    shown = [month for month in months[step - 1 :: step] if month.balance_minor]
    worth = [month.balance_minor + month.accrued_minor for month in shown]
    most = max(1, *worth)
    return [
        f"{month.until}  {'█' * (value * CHART_CHARACTERS // most):<{CHART_CHARACTERS}}  {money(value)}"
        for month, value in zip(shown, worth, strict=True)
    ]
