"""Parties: who the bank's customers are, and what they may do with which account."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from eastflow.customers import CustomersRefusal, Party, PartyKind, Role, parties_page, party, roles_of_party
from eastflow.customers.actions import register_party
from eastflow.kernel import Refusal
from eastflow.ledger.actions import new_id
from eastflow.operations import Bank

from .output import Json, accepted, in_bank, print_json, show, show_rows

parties_app = typer.Typer(help="Parties: register, show, list.", no_args_is_help=True)


@parties_app.command("register")
def parties_register(
    kind: PartyKind,
    name: str,
    id: UUID | None = None,
    reference: str | None = None,
    born_on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])] = None,
    as_json: Json = False,
) -> None:
    today = datetime.now(UTC).date()
    new = Party(id or new_id(), kind, name, today, born_on and born_on.date(), reference)
    show(accepted(in_bank(lambda bank: bank.database.run(lambda tx: register_party(tx, new))), as_json), as_json)


@parties_app.command("show")
def parties_show(id: UUID, as_json: Json = False) -> None:
    """A party and its roles."""

    async def work(bank: Bank) -> tuple[Party, list[Role]] | Refusal:
        async with bank.database.reading() as tx:
            found = await party(tx, id)
            if found is None:
                return Refusal(CustomersRefusal.PARTY_NOT_FOUND, {"id": id})
            return found, list(await roles_of_party(tx, id))

    found, roles = accepted(in_bank(work), as_json)
    if as_json:
        print_json({"party": found, "roles": roles})
        return
    show(found, False)
    show_rows(
        ("account", "role", "since", "until"), [(r.account, r.kind.value, r.since, r.until) for r in roles], 0, False
    )


@parties_app.command("list")
def parties_list(
    after: UUID | None = None, limit: int = 100, name_prefix: str | None = None, as_json: Json = False
) -> None:
    async def work(bank: Bank) -> list[Party]:
        async with bank.database.reading() as tx:
            return list(await parties_page(tx, after=after, limit=limit, name_prefix=name_prefix))

    found = in_bank(work)
    rows = [(p.id, p.kind.value, p.name, p.reference) for p in found]
    show_rows(("id", "kind", "name", "reference"), rows, found, as_json)
