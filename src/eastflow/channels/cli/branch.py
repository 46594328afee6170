"""The branch: its people, its vault and drawers, and the cash of its customers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

import typer

from eastflow import branch
from eastflow.branch import (
    Branch,
    BranchRefusal,
    Cash,
    Form,
    Journal,
    Pieces,
    Place,
    PlaceKind,
    Stock,
    Teller,
    TellerRole,
    actions,
)
from eastflow.kernel import Refusal
from eastflow.ledger.actions import new_id
from eastflow.operations import Bank
from eastflow.storage import Transaction

from .entries import Id
from .messages import say
from .options import Json, Limit, Number
from .output import accepted, in_bank, print_json, show, show_rows
from .shapes import journal_data, stock_data, voucher_data

branch_app = typer.Typer(help="Branches: tellers, sessions, cash by the piece, vouchers.", no_args_is_help=True)
Verb = Callable[[Transaction, Bank], Awaitable[Any]]


def read_piece(text: str) -> Pieces:
    form, _, rest = text.partition(":")
    value, _, count = rest.partition(":")
    try:
        return Pieces(Form(form), int(value), int(count))
    except ValueError:
        raise typer.BadParameter(say("not_a_piece", text=text)) from None


def read_place(text: str) -> Place:
    kind, _, code = text.partition(":")
    try:
        return Place(PlaceKind(kind), code)
    except ValueError:
        raise typer.BadParameter(say("not_a_place", text=text)) from None


By = Annotated[str, typer.Option("--by", help="Who acts: the actor of a teller, or who manages.")]
AssetOption = Annotated[str, typer.Option("--asset", help="The asset that is counted.")]
PieceOption = Annotated[
    list[Any] | None,
    typer.Option("--piece", parser=read_piece, metavar="FORM:VALUE:COUNT", help="note:10000:5; as often as needed."),
]
PlaceArgument = Annotated[Any, typer.Argument(parser=read_place, metavar="PLACE", help="drawer:CODE or vault:CODE")]
Seen = Annotated[bool, typer.Option("--identification-seen", help="The customer's identification was seen.")]


@branch_app.command("register")
def branch_register(code: str, name: str, as_json: Json = False) -> None:
    """Make a branch known."""
    show(_done(lambda tx, _: actions.register_branch(tx, Branch(code, name)), as_json), as_json)


@branch_app.command("limit")
def branch_limit(by: By, code: str, asset: str, above_minor: int, as_json: Json = False) -> None:
    """Above so much cash of an asset the branch needs two people."""
    show(_done(lambda tx, _: actions.set_limit(tx, code, asset, above_minor, by=by), as_json), as_json)


@branch_app.command("teller")
def branch_teller(
    code: str,
    at: Annotated[str, typer.Argument(metavar="BRANCH")],
    name: str,
    actor: Annotated[str, typer.Option(help="Who signs on as this teller: the name of a key or user.")],
    supervisor: Annotated[bool, typer.Option("--supervisor")] = False,
    as_json: Json = False,
) -> None:
    """Make a teller known."""
    role = TellerRole.SUPERVISOR if supervisor else TellerRole.TELLER
    show(_done(lambda tx, _: actions.register_teller(tx, Teller(code, at, name, role, actor)), as_json), as_json)


@branch_app.command("list")
def branch_list(after: str = "", limit: Limit = 100, as_json: Json = False) -> None:
    """Branches by code."""
    found = _read(lambda tx: branch.branches(tx, after=after, limit=limit))
    show_rows(("code", "name"), [(each.code, each.name) for each in found], found, as_json)


@branch_app.command("tellers")
def branch_tellers(code: str, after: str = "", limit: Limit = 100, as_json: Json = False) -> None:
    """The tellers of a branch."""
    found = _read(lambda tx: branch.tellers(tx, code, after=after, limit=limit))
    rows = [(each.code, each.name, each.role.value, each.actor) for each in found]
    show_rows(("code", "name", "role", "actor"), rows, found, as_json)


@branch_app.command("sign-on")
def branch_sign_on(by: By, teller: str, id: Id = None, as_json: Json = False) -> None:
    """Begin to work as a teller on the business date."""
    show(_acted(by, as_json, lambda tx, told: actions.sign_on(tx, id or new_id(), teller, **told)), as_json)


@branch_app.command("sign-off")
def branch_sign_off(by: By, session: UUID, as_json: Json = False) -> None:
    """End the work: the drawer counted and right, nothing open."""
    show(_done(lambda tx, _: actions.sign_off(tx, session, by=by), as_json), as_json)


@branch_app.command("cash-in")
def branch_cash_in(
    by: By,
    session: UUID,
    account: Number,
    asset: AssetOption,
    piece: PieceOption = None,
    identification_seen: Seen = False,
    id: Id = None,
    as_json: Json = False,
) -> None:
    """A customer pays cash into ACCOUNT."""
    _customer_cash(session, account, asset, piece, identification_seen, id, by, as_json, out=False)


@branch_app.command("cash-out")
def branch_cash_out(
    by: By,
    session: UUID,
    account: Number,
    asset: AssetOption,
    piece: PieceOption = None,
    identification_seen: Seen = False,
    id: Id = None,
    as_json: Json = False,
) -> None:
    """A customer takes cash out of ACCOUNT."""
    _customer_cash(session, account, asset, piece, identification_seen, id, by, as_json, out=True)


@branch_app.command("count")
def branch_count(
    by: By,
    session: UUID,
    place: PlaceArgument,
    asset: AssetOption,
    piece: PieceOption = None,
    id: Id = None,
    as_json: Json = False,
) -> None:
    """Count all cash of an asset in a place against its books."""
    given = Cash(asset, tuple(piece or ()))
    made = _acted(by, as_json, lambda tx, told: actions.count(tx, id or new_id(), session, place, given, **told))
    show(voucher_data(made), as_json)


@branch_app.command("ship")
def branch_ship(
    by: By,
    session: UUID,
    asset: AssetOption,
    piece: PieceOption = None,
    out: Annotated[bool, typer.Option("--out", help="To other banks; else from them.")] = False,
    id: Id = None,
    as_json: Json = False,
) -> None:
    """Cash of the vault from or to other banks; a second supervisor confirms."""
    given = Cash(asset, tuple(piece or ()))
    made = _acted(by, as_json, lambda tx, told: actions.ship(tx, id or new_id(), session, given, out=out, **told))
    show(voucher_data(made), as_json)


@branch_app.command("close-for-absent")
def branch_close_for_absent(
    by: By,
    session: UUID,
    absent: Annotated[UUID, typer.Argument(help="The session that its teller left open.")],
    asset: AssetOption,
    piece: PieceOption = None,
    id: Id = None,
    as_json: Json = False,
) -> None:
    """A supervisor counts an absent teller's drawer; when another confirms, its cash is in the vault."""
    given = Cash(asset, tuple(piece or ()))
    made = _acted(
        by, as_json, lambda tx, told: actions.close_for_absent(tx, id or new_id(), session, absent, given, **told)
    )
    show(voucher_data(made), as_json)


@branch_app.command("reverse")
def branch_reverse(by: By, voucher: UUID, session: UUID, id: Id = None, as_json: Json = False) -> None:
    """Undo a customer's cash that was keyed in wrongly today; a supervisor confirms."""
    made = _acted(by, as_json, lambda tx, told: actions.reverse(tx, id or new_id(), session, voucher, **told))
    show(voucher_data(made), as_json)


@branch_app.command("confirm")
def branch_confirm(by: By, voucher: UUID, session: UUID, as_json: Json = False) -> None:
    """Book what is pending, as another person than who asked."""
    show(voucher_data(_acted(by, as_json, lambda tx, told: actions.confirm(tx, voucher, session, **told))), as_json)


@branch_app.command("decline")
def branch_decline(by: By, voucher: UUID, session: UUID, as_json: Json = False) -> None:
    """Say no to what is pending."""
    show(voucher_data(_acted(by, as_json, lambda tx, told: actions.decline(tx, voucher, session, **told))), as_json)


@branch_app.command("issue")
def branch_issue(
    by: By,
    session: UUID,
    sender: PlaceArgument,
    receiver: PlaceArgument,
    asset: AssetOption,
    piece: PieceOption = None,
    whole: Annotated[bool, typer.Option("--whole", help="Hand the drawer over: all of the asset, counted.")] = False,
    id: Id = None,
    as_json: Json = False,
) -> None:
    """Cash leaves a place for another, and is in transit until another person receives it."""
    given = Cash(asset, tuple(piece or ()))
    made = _acted(
        by,
        as_json,
        lambda tx, told: actions.issue(tx, id or new_id(), session, sender, receiver, given, whole=whole, **told),
    )
    show(made, as_json)


@branch_app.command("receive")
def branch_receive(
    by: By,
    transfer: UUID,
    session: UUID,
    asset: AssetOption,
    piece: PieceOption = None,
    as_json: Json = False,
) -> None:
    """Take what is in transit, as it was counted."""
    given = Cash(asset, tuple(piece or ()))
    made = _acted(by, as_json, lambda tx, told: actions.receive(tx, transfer, session, given, **told))
    show(made, as_json)


@branch_app.command("take-back")
def branch_take_back(
    by: By,
    transfer: UUID,
    session: UUID,
    asset: AssetOption,
    piece: PieceOption = None,
    as_json: Json = False,
) -> None:
    """What is in transit goes back to where it came from."""
    given = Cash(asset, tuple(piece or ()))
    made = _acted(by, as_json, lambda tx, told: actions.take_back(tx, transfer, session, given, **told))
    show(made, as_json)


@branch_app.command("cash")
def branch_cash(place: PlaceArgument, as_json: Json = False) -> None:
    """What is in a vault or drawer, by the piece."""
    found: list[Stock] = _read(lambda tx: branch.stocks(tx, place))
    rows = [
        (each.cash.asset, pieces.form.value, pieces.value_minor, pieces.count)
        for each in found
        for pieces in each.cash.pieces
    ]
    show_rows(("asset", "form", "value_minor", "count"), rows, [stock_data(each) for each in found], as_json)


@branch_app.command("vouchers")
def branch_vouchers(session: UUID, after: UUID | None = None, limit: Limit = 100, as_json: Json = False) -> None:
    """The vouchers of a session."""
    found = _read(lambda tx: branch.vouchers(tx, session, after=after, limit=limit))
    shown = [voucher_data(each) for each in found]
    columns = ("id", "kind", "status", "change_minor", "account", "expires_at", "ended_by")
    show_rows(columns, [[each[name] for name in columns] for each in shown], shown, as_json)


@branch_app.command("journal")
def branch_journal(session: UUID, as_json: Json = False) -> None:
    """What a teller did in a session in order of time, its totals, and the drawer before and after, by the piece."""
    found: Journal = accepted(_read(lambda tx: _journal(tx, session)), as_json)
    if as_json:
        print_json(journal_data(found))
        return
    done = [
        (each.asked_at, each.kind.value, each.status.value, each.cash.asset, each.change_minor, each.account, each.id)
        for each in found.vouchers
    ]
    show_rows(("asked at", "kind", "status", "asset", "change_minor", "account", "id"), done, None, False)
    totals = [(each.what, each.place, each.asset, each.count, each.change_minor) for each in found.totals]
    show_rows(("what", "place", "asset", "count", "change_minor"), totals, None, False)
    drawer = [
        (moment, cash.asset, pieces.form.value, pieces.value_minor, pieces.count)
        for moment, there in (("opening", found.opening), ("closing", found.closing))
        for cash in there
        for pieces in cash.pieces
    ]
    show_rows(("drawer", "asset", "form", "value_minor", "count"), drawer, None, False)


async def _journal(tx: Transaction, session: UUID) -> Journal | Refusal:
    found = await branch.journal(tx, session)
    return Refusal(BranchRefusal.SESSION_NOT_FOUND, {"session": session}) if found is None else found


@branch_app.command("in-transit")
def branch_in_transit(after: UUID | None = None, limit: Limit = 100, as_json: Json = False) -> None:
    """The cash that was issued and is not received."""
    found = _read(lambda tx: branch.transfers_in_transit(tx, after=after, limit=limit))
    rows = [(each.id, each.sender, each.receiver, each.cash.asset, each.cash.amount_minor) for each in found]
    columns = ("id", "sender", "receiver", "asset", "amount_minor")
    show_rows(columns, rows, found, as_json)


def _customer_cash(
    session: UUID,
    account: int,
    asset: str,
    piece: list[Any] | None,
    seen: bool,
    id: UUID | None,
    by: str,
    as_json: bool,
    *,
    out: bool,
) -> None:
    given = Cash(asset, tuple(piece or ()))
    made = _acted(
        by,
        as_json,
        lambda tx, told: actions.customer_cash(
            tx, id or new_id(), session, account, given, out=out, identification_seen=seen, **told
        ),
    )
    show(voucher_data(made), as_json)


def _read(work: Callable[[Transaction], Awaitable[Any]]) -> Any:
    async def read(bank: Bank) -> Any:
        async with bank.database.reading() as tx:
            return await work(tx)

    return in_bank(read)


def _done(verb: Verb, as_json: bool) -> Any:
    return accepted(in_bank(lambda bank: bank.database.run(lambda tx: verb(tx, bank))), as_json)


def _acted(by: str, as_json: bool, verb: Callable[[Transaction, dict[str, Any]], Awaitable[Any]]) -> Any:
    """A verb that is told the business date and who acts."""
    return _done(lambda tx, bank: verb(tx, {"today": bank.engine.today(), "by": by}), as_json)
