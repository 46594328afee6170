"""Flows: a customer taken on in one go, and applications that go from channel to channel."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import typer

from eastflow import flows
from eastflow.branch import Cash
from eastflow.customers import Channel, Party, PartyKind
from eastflow.flows import Application, FlowsRefusal, Onboarded, Onboarding, Parts, Step, actions
from eastflow.kernel import EXACT_JSON_INTEGER_MAX, INT64_MAX, Refusal
from eastflow.ledger.actions import new_id
from eastflow.operations import Bank

from .branch import AssetOption, By, PieceOption, Seen
from .entries import Id
from .options import DayOrNone, Json
from .output import accepted, in_bank, print_json, show, show_rows
from .shapes import application_data, voucher_data

flows_app = typer.Typer(help="Flows: onboard customers; begin, continue, finish applications.", no_args_is_help=True)
ChannelOption = Annotated[Channel, typer.Option("--channel", help="Where the customer is met.")]
Reference = Annotated[int, typer.Argument(min=1, max=EXACT_JSON_INTEGER_MAX, help="What the customer was told.")]
Minor = Annotated[int, typer.Option(min=0, max=INT64_MAX, help="In whole minor units.")]
FirstMinor = Annotated[
    int, typer.Option("--amount-minor", min=0, max=INT64_MAX, help="That has come from another bank, not as cash.")
]
PartyOption = Annotated[UUID | None, typer.Option("--party")]
ProductOption = Annotated[str | None, typer.Option("--product")]
BranchOption = Annotated[str | None, typer.Option("--branch")]


@flows_app.command("onboard")
def flows_onboard(
    by: By,
    product: str,
    name: str,
    kind: PartyKind = PartyKind.PERSON,
    born_on: DayOrNone = None,
    amount_minor: FirstMinor = 0,
    channel: ChannelOption = Channel.BRANCH,
    id: Id = None,
    party: Id = None,
    as_json: Json = False,
) -> None:
    """A new customer, an account of PRODUCT and its first money, all or nothing."""

    async def work(bank: Bank) -> Onboarded | Refusal:
        today = bank.engine.today()
        new = Party(party or new_id(), kind, name, today, born_on)
        reception = actions.Reception(bank.database, bank.engine.today, clock=bank.engine.clock)
        return await reception.onboard(Onboarding(id or new_id(), new, product, amount_minor, channel, by))

    show(accepted(in_bank(work), as_json), as_json)


@flows_app.command("begin")
def flows_begin(
    by: By,
    channel: ChannelOption,
    party: PartyOption = None,
    product: ProductOption = None,
    branch: BranchOption = None,
    id: Id = None,
    as_json: Json = False,
) -> None:
    """Begin an application to open an account with what is known by now."""
    parts = Parts(party, product, branch)
    _step(by, as_json, actions.begin_application, id or new_id(), parts, channel=channel)


@flows_app.command("supply")
def flows_supply(
    by: By,
    application: UUID,
    channel: ChannelOption,
    party: PartyOption = None,
    product: ProductOption = None,
    branch: BranchOption = None,
    as_json: Json = False,
) -> None:
    """Give further parts of an application."""
    _step(by, as_json, actions.supply_parts, application, Parts(party, product, branch), channel=channel)


@flows_app.command("complete")
def flows_complete(by: By, application: UUID, channel: ChannelOption, as_json: Json = False) -> None:
    """Open the account that was applied for."""
    _step(by, as_json, actions.complete_application, application, channel=channel)


@flows_app.command("withdraw")
def flows_withdraw(by: By, application: UUID, channel: ChannelOption, as_json: Json = False) -> None:
    """The customer does not want it any more."""
    _step(by, as_json, actions.withdraw_application, application, channel=channel)


@flows_app.command("finish")
def flows_finish(
    by: By,
    application: UUID,
    session: UUID,
    asset: AssetOption,
    piece: PieceOption = None,
    identification_seen: Seen = False,
    voucher: Id = None,
    as_json: Json = False,
) -> None:
    """At the counter: open the account and pay the first cash in."""

    async def work(bank: Bank) -> Any:
        today = bank.engine.today()
        done = await bank.database.run(
            lambda tx: actions.finish_at_counter(
                tx, application, voucher=voucher or new_id(), session=session, cash=Cash(asset, tuple(piece or ())),
                identification_seen=identification_seen, today=today, by=by,
            )
        )  # fmt: skip
        if isinstance(done, Refusal):
            return done
        return {"application": application_data(done.application, today), "voucher": voucher_data(done.voucher)}

    show(accepted(in_bank(work), as_json), as_json)


@flows_app.command("show")
def flows_show(reference: Reference, as_json: Json = False) -> None:
    """An application and its steps, by the reference the customer was told."""

    async def work(bank: Bank) -> tuple[dict[str, object], list[Step]] | Refusal:
        async with bank.database.reading() as tx:
            found = await flows.application_by_reference(tx, reference)
            if found is None:
                return Refusal(FlowsRefusal.APPLICATION_NOT_FOUND, {"application": reference})
            return application_data(found, bank.engine.today()), await flows.steps(tx, found.id)

    found, steps = accepted(in_bank(work), as_json)
    if as_json:
        print_json({"application": found, "steps": steps})
        return
    show(found, False)
    rows = [(step.number, step.kind.value, step.channel.value, step.by, step.at, step.parts) for step in steps]
    show_rows(("step", "what", "channel", "by", "at", "parts"), rows, None, False)


def _step(by: str, as_json: bool, verb: Any, *arguments: object, channel: Channel) -> None:
    async def work(bank: Bank) -> dict[str, object] | Refusal:
        today = bank.engine.today()
        answer: Application | Refusal = await bank.database.run(
            lambda tx: verb(tx, *arguments, channel=channel, by=by, today=today)
        )
        return answer if isinstance(answer, Refusal) else application_data(answer, today)

    show(accepted(in_bank(work), as_json), as_json)
