"""Parties: who the bank's customers are, and what they may do with which account."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from eastflow.customers import (
    CustomersRefusal,
    Party,
    PartyKind,
    Role,
    masked_party,
    parties_page,
    party,
    roles_of_party,
)
from eastflow.customers.actions import register_party
from eastflow.kernel import Refusal
from eastflow.ledger.actions import new_id
from eastflow.operations import Bank

from .entries import Id
from .messages import say
from .options import DayOrNone, Json, Limit
from .output import accepted, in_bank, print_json, show, show_rows

parties_app = typer.Typer(help="Parties: register, find, show, list, correct, merge, erase.", no_args_is_help=True)
Personal = Annotated[bool, typer.Option("--personal", help="Show personal data, which is masked otherwise.")]


def shown_party(party: Party, personal: bool) -> Party:
    return party if personal else masked_party(party)


@parties_app.command("register")
def parties_register(
    kind: PartyKind,
    name: str,
    id: Id = None,
    reference: str | None = None,
    born_on: DayOrNone = None,
    opened_on: DayOrNone = None,
    personal: Personal = False,
    as_json: Json = False,
) -> None:
    """Make a person or an organisation known to the bank."""
    day = opened_on or datetime.now(UTC).date()
    new = Party(id or new_id(), kind, name, day, born_on, reference)
    answer = in_bank(lambda bank: bank.database.run(lambda tx: register_party(tx, new)))
    show(shown_party(accepted(answer, as_json), personal), as_json)


@parties_app.command("show")
def parties_show(id: UUID, personal: Personal = False, as_json: Json = False) -> None:
    """A party and its roles."""

    async def work(bank: Bank) -> tuple[Party, list[Role]] | Refusal:
        async with bank.database.reading() as tx:
            found = await party(tx, id)
            if found is None:
                return Refusal(CustomersRefusal.PARTY_NOT_FOUND, {"id": id})
            return found, list(await roles_of_party(tx, id))

    found, roles = accepted(in_bank(work), as_json)
    found = shown_party(found, personal)
    if as_json:
        print_json({"party": found, "roles": roles})
        return
    show(found, False)
    rows = [(role.account, role.kind.value, role.since, role.until) for role in roles]
    show_rows(("account", "role", "since", "until"), rows, None, False)


@parties_app.command("list")
def parties_list(
    after: UUID | None = None,
    limit: Limit = 100,
    name: str | None = None,
    personal: Personal = False,
    as_json: Json = False,
) -> None:
    """Parties by id: all, or those who have a name, whatever its case and spaces."""

    async def work(bank: Bank) -> list[Party]:
        async with bank.database.reading() as tx:
            return await parties_page(tx, after=after, limit=limit, name=name)

    found = [shown_party(each, personal) for each in in_bank(work)]
    rows = [(p.id, p.kind.value, p.name, p.reference) for p in found]
    show_rows(("id", "kind", "name", "reference"), rows, found, as_json)
    if len(found) == limit and not as_json:
        typer.echo(say("more_after", after=found[-1].id))
