"""`/v1/branches`, `/v1/tellers`, `/v1/teller-sessions`, `/v1/vouchers`, `/v1/cash-transfers`: the work of a branch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from msgspec import Struct, convert

from eastflow import branch
from eastflow.branch import BranchRefusal as Why
from eastflow.branch import actions
from eastflow.customers import CustomersRefusal
from eastflow.kernel import Refusal, RefusalCode
from eastflow.ledger import LedgerRefusal
from eastflow.storage import Transaction

from . import wire
from . import wire_branch as w
from .keys import Scope
from .operation import Answer, Call, Operation
from .refusals import ApiRefusal


class _AfterCode(Struct, frozen=True):
    after: w.Code


class _AfterId(Struct, frozen=True):
    after: UUID


_Verb = Callable[[Transaction], Awaitable[Any]]


async def _ran(call: Call, verb: _Verb, shape: Any) -> Answer | Refusal:
    answer = await call.database.run(verb)
    return answer if isinstance(answer, Refusal) else Answer(shape(answer))


async def register_branch(call: Call) -> Answer | Refusal:
    new = branch.Branch(call.body.code, call.body.name)
    return await _ran(call, lambda tx: actions.register_branch(tx, new), w.branch_of)


async def list_branches(call: Call) -> Answer | Refusal:
    asked: w.PageOnly = call.parameters
    after = "" if asked.cursor is None else wire.read_cursor(asked.cursor, _AfterCode).after
    async with call.database.reading() as tx:
        found = await branch.branches(tx, after=after, limit=asked.limit + 1)
    shown = found[: asked.limit]
    following = wire.cursor_of(_AfterCode(shown[-1].code)) if len(found) > asked.limit else None
    return Answer(w.BranchPage([w.branch_of(each) for each in shown], following))


async def set_limit(call: Call) -> Answer | Refusal:
    code, new = call.parameters.branch, call.body
    return await _ran(
        call,
        lambda tx: actions.set_limit(tx, code, new.asset, new.above_minor, by=call.actor, clock=call.engine.clock),
        lambda limits: w.Limits(code, limits),
    )


async def register_teller(call: Call) -> Answer | Refusal:
    new = convert(call.body, branch.Teller, from_attributes=True)
    return await _ran(call, lambda tx: actions.register_teller(tx, new), w.teller_of)


async def list_tellers(call: Call) -> Answer | Refusal:
    asked: w.TellerList = call.parameters
    after = "" if asked.cursor is None else wire.read_cursor(asked.cursor, _AfterCode).after
    async with call.database.reading() as tx:
        found = await branch.tellers(tx, asked.branch, after=after, limit=asked.limit + 1)
    shown = found[: asked.limit]
    following = wire.cursor_of(_AfterCode(shown[-1].code)) if len(found) > asked.limit else None
    return Answer(w.TellerPage([w.teller_of(each) for each in shown], following))


async def sign_on(call: Call) -> Answer | Refusal:
    new: w.NewSession = call.body
    return await _ran(call, lambda tx: actions.sign_on(tx, new.id, new.teller, **_acting(call)), w.session_of)


async def sign_off(call: Call) -> Answer | Refusal:
    id = call.parameters.session
    return await _ran(call, lambda tx: actions.sign_off(tx, id, by=call.actor, clock=call.engine.clock), w.session_of)


async def read_session(call: Call) -> Answer | Refusal:
    id = call.parameters.session
    async with call.database.reading() as tx:
        found = await branch.session(tx, id)
    return Refusal(Why.SESSION_NOT_FOUND, {"session": id}) if found is None else Answer(w.session_of(found))


async def read_journal(call: Call) -> Answer | Refusal:
    id = call.parameters.session
    async with call.database.reading() as tx:
        found = await branch.journal(tx, id)
    if found is None:
        return Refusal(Why.SESSION_NOT_FOUND, {"session": id})
    return Answer(w.journal_of(found, call.engine.clock()))


async def read_stocks(call: Call) -> Answer | Refusal:
    asked: w.OnePlace = call.parameters
    async with call.database.reading() as tx:
        found = await branch.stocks(tx, branch.Place(asked.kind, asked.code))
    return Answer(w.Stocks([w.stock_of(each) for each in found]))


async def customer_cash(call: Call) -> Answer | Refusal:
    new: w.NewCash = call.body
    return await _ran(
        call,
        lambda tx: actions.customer_cash(
            tx, new.id, new.session, new.account, w.cash(new.cash), out=new.out,
            identification_seen=new.identification_seen, **_acting(call),
        ),
        lambda voucher: _voucher(call, voucher),
    )  # fmt: skip


async def count(call: Call) -> Answer | Refusal:
    new: w.NewCount = call.body
    return await _ran(
        call,
        lambda tx: actions.count(tx, new.id, new.session, w.place(new.place), w.cash(new.cash), **_acting(call)),
        lambda voucher: _voucher(call, voucher),
    )


async def ship(call: Call) -> Answer | Refusal:
    new: w.NewShipment = call.body
    return await _ran(
        call,
        lambda tx: actions.ship(tx, new.id, new.session, w.cash(new.cash), out=new.out, **_acting(call)),
        lambda voucher: _voucher(call, voucher),
    )


async def close_for_absent(call: Call) -> Answer | Refusal:
    absent, new = call.parameters.session, call.body
    return await _ran(
        call,
        lambda tx: actions.close_for_absent(tx, new.id, new.session, absent, w.cash(new.cash), **_acting(call)),
        lambda voucher: _voucher(call, voucher),
    )


async def reverse(call: Call) -> Answer | Refusal:
    wrong, new = call.parameters.voucher, call.body
    return await _ran(
        call,
        lambda tx: actions.reverse(tx, new.id, new.session, wrong, **_acting(call)),
        lambda voucher: _voucher(call, voucher),
    )


async def confirm(call: Call) -> Answer | Refusal:
    id, session = call.parameters.voucher, call.body.session
    return await _ran(
        call,
        lambda tx: actions.confirm(tx, id, session, **_acting(call)),
        lambda voucher: _voucher(call, voucher),
    )


async def decline(call: Call) -> Answer | Refusal:
    id, session = call.parameters.voucher, call.body.session
    return await _ran(
        call,
        lambda tx: actions.decline(tx, id, session, **_acting(call)),
        lambda voucher: _voucher(call, voucher),
    )


async def read_voucher(call: Call) -> Answer | Refusal:
    id = call.parameters.voucher
    async with call.database.reading() as tx:
        found = await branch.voucher(tx, id)
    return Refusal(Why.VOUCHER_NOT_FOUND, {"voucher": id}) if found is None else Answer(_voucher(call, found))


async def list_vouchers(call: Call) -> Answer | Refusal:
    asked: w.VoucherList = call.parameters
    after = None if asked.cursor is None else wire.read_cursor(asked.cursor, _AfterId).after
    async with call.database.reading() as tx:
        found = await branch.vouchers(tx, asked.session, after=after, limit=asked.limit + 1)
    shown = found[: asked.limit]
    following = wire.cursor_of(_AfterId(shown[-1].id)) if len(found) > asked.limit else None
    return Answer(w.VoucherPage([_voucher(call, each) for each in shown], following))


async def issue(call: Call) -> Answer | Refusal:
    new: w.NewTransfer = call.body
    return await _ran(
        call,
        lambda tx: actions.issue(
            tx, new.id, new.session, w.place(new.sender), w.place(new.receiver), w.cash(new.cash),
            whole=new.whole, **_acting(call),
        ),
        w.transfer_of,
    )  # fmt: skip


async def receive(call: Call) -> Answer | Refusal:
    id, counted = call.parameters.transfer, call.body
    return await _ran(
        call, lambda tx: actions.receive(tx, id, counted.session, w.cash(counted.cash), **_acting(call)), w.transfer_of
    )


async def take_back(call: Call) -> Answer | Refusal:
    id, counted = call.parameters.transfer, call.body
    return await _ran(
        call,
        lambda tx: actions.take_back(tx, id, counted.session, w.cash(counted.cash), **_acting(call)),
        w.transfer_of,
    )


async def list_transfers(call: Call) -> Answer | Refusal:
    asked: w.PageOnly = call.parameters
    after = None if asked.cursor is None else wire.read_cursor(asked.cursor, _AfterId).after
    async with call.database.reading() as tx:
        found = await branch.transfers_in_transit(tx, after=after, limit=asked.limit + 1)
    shown = found[: asked.limit]
    following = wire.cursor_of(_AfterId(shown[-1].id)) if len(found) > asked.limit else None
    return Answer(w.TransferPage([w.transfer_of(each) for each in shown], following))


def _acting(call: Call) -> dict[str, Any]:
    return {"today": call.today, "by": call.actor, "clock": call.engine.clock}


def _voucher(call: Call, found: branch.Voucher) -> w.Voucher:
    return w.voucher_of(found, call.engine.clock())


_ON_ANY_DAY = (Why.SESSION_NOT_FOUND, Why.NOT_THIS_TELLER, Why.SESSION_ENDED)
_ACTING = (*_ON_ANY_DAY, Why.SESSION_OF_OTHER_DAY)
_CASH = (Why.CASH_MALFORMED, Why.CASH_EMPTY)
_MONEY = (
    CustomersRefusal.ASSET_NOT_ALLOWED, CustomersRefusal.CASH_NOT_ALLOWED, CustomersRefusal.DAY_LIMIT_EXCEEDED,
    CustomersRefusal.YEAR_LIMIT_EXCEEDED, LedgerRefusal.ENTRY_ID_REUSED, LedgerRefusal.ASSET_NOT_FOUND,
    LedgerRefusal.ASSET_DIFFERS, LedgerRefusal.ACCOUNT_CLOSED, LedgerRefusal.ACCOUNT_FROZEN,
    LedgerRefusal.INSUFFICIENT_FUNDS, LedgerRefusal.BALANCE_OUT_OF_RANGE,
)  # fmt: skip
CASH_REFUSALS: tuple[RefusalCode, ...] = (
    *_CASH, Why.ID_REUSED, *_ACTING, Why.ACCOUNT_NOT_FOUND, Why.IDENTIFICATION_NOT_SEEN, Why.CASH_NOT_THERE, *_MONEY,
)  # fmt: skip
_ENDING = (
    *_ACTING, Why.VOUCHER_NOT_FOUND, Why.OTHER_BRANCH, Why.VOUCHER_ENDED, Why.VOUCHER_EXPIRED, Why.SUPERVISOR_NEEDED,
)  # fmt: skip
_ARRIVING = (
    *_CASH, *_ON_ANY_DAY, Why.TRANSFER_NOT_FOUND, Why.PLACE_NOT_YOURS, Why.TRANSFER_ENDED, Why.SAME_PERSON,
    Why.COUNT_DIFFERS,
)  # fmt: skip
_READ, _WRITE, _MANAGE = Scope.BRANCH_READ, Scope.BRANCH_WRITE, Scope.BRANCH_MANAGE

OPERATIONS = (
    Operation(
        "POST", "/v1/branches", "register_branch", "Branches", _MANAGE, "Register a branch", register_branch,
        {200: w.Branch}, body=w.NewBranch, refusals=(Why.TEXT_MALFORMED, Why.ID_REUSED),
        body_example=w.BRANCH_EXAMPLE, answer_example=w.BRANCH_EXAMPLE,
    ),
    Operation(
        "GET", "/v1/branches", "list_branches", "Branches", _READ, "List the branches", list_branches,
        {200: w.BranchPage}, parameters=w.PageOnly, refusals=(ApiRefusal.CURSOR_MALFORMED,),
        answer_example={"branches": [w.BRANCH_EXAMPLE], "cursor": None},
    ),
    Operation(
        "POST", "/v1/branches/{branch}/limits", "set_branch_limit", "Branches", _MANAGE,
        "Set above how much cash two people are needed", set_limit, {200: w.Limits}, parameters=w.OneBranch,
        body=w.NewLimit,
        refusals=(Why.LIMIT_MALFORMED, Why.BRANCH_NOT_FOUND),
        body_example={"asset": "CNY", "above_minor": 5000000},
        answer_example={"branch": "north", "above_minor": {"CNY": 5000000}}, path_example={"branch": "north"},
    ),
    Operation(
        "POST", "/v1/tellers", "register_teller", "Branches", _MANAGE, "Register a teller", register_teller,
        {200: w.Teller}, body=w.NewTeller,
        refusals=(Why.TEXT_MALFORMED, Why.ID_REUSED, Why.ACTOR_TAKEN, Why.BRANCH_NOT_FOUND),
        body_example=w.TELLER_EXAMPLE, answer_example=w.TELLER_EXAMPLE,
    ),
    Operation(
        "GET", "/v1/tellers", "list_tellers", "Branches", _READ, "List the tellers of a branch", list_tellers,
        {200: w.TellerPage}, parameters=w.TellerList, refusals=(ApiRefusal.CURSOR_MALFORMED,),
        answer_example={"tellers": [w.TELLER_EXAMPLE], "cursor": None},
    ),
    Operation(
        "POST", "/v1/teller-sessions", "sign_on", "Branches", _WRITE, "Sign on as a teller", sign_on, {200: w.Session},
        body=w.NewSession,
        refusals=(Why.ID_REUSED, Why.TELLER_NOT_FOUND, Why.NOT_THIS_TELLER, Why.SIGNED_ON_ALREADY),
        body_example={"id": w.SESSION, "teller": "t01"}, answer_example=w.SESSION_EXAMPLE,
    ),
    Operation(
        "GET", "/v1/teller-sessions/{session}", "read_teller_session", "Branches", _READ, "Read a teller's session",
        read_session, {200: w.Session}, parameters=w.OneSession, refusals=(Why.SESSION_NOT_FOUND,),
        answer_example=w.SESSION_EXAMPLE, path_example={"session": w.SESSION},
    ),
    Operation(
        "GET", "/v1/teller-sessions/{session}/journal", "read_teller_journal", "Branches", _READ,
        "Read the journal of a teller's session", read_journal, {200: w.Journal}, parameters=w.OneSession,
        refusals=(Why.SESSION_NOT_FOUND,),
        description="The drawer by the piece as it was found and left, each voucher in order of time, and totals.",
        answer_example={
            "session": w.SESSION_EXAMPLE, "opening": [], "closing": [w.CASH_EXAMPLE],
            "totals": [
                {"what": "cash_in", "place": w.DRAWER_EXAMPLE, "asset": "CNY", "count": 1, "change_minor": 50000}
            ],
            "vouchers": [w.VOUCHER_EXAMPLE], "transfers": [],
        },
        path_example={"session": w.SESSION},
    ),
    Operation(
        "POST", "/v1/teller-sessions/{session}/sign-off", "sign_off", "Branches", _WRITE, "Sign off", sign_off,
        {200: w.Session}, parameters=w.OneSession,
        refusals=(
            Why.SESSION_NOT_FOUND, Why.NOT_THIS_TELLER, Why.VOUCHER_PENDING, Why.TRANSFER_IN_TRANSIT,
            Why.DRAWER_NOT_COUNTED,
        ),
        description="Only when the drawer is counted and right, and nothing is open.",
        answer_example=w.SESSION_EXAMPLE, path_example={"session": w.SESSION},
    ),
    Operation(
        "POST", "/v1/teller-sessions/{session}/close-for-absent", "close_for_absent", "Branches", _WRITE,
        "Close for an absent teller", close_for_absent, {200: w.Voucher}, parameters=w.OneSession, body=w.NewClose,
        refusals=(
            Why.CASH_MALFORMED, Why.ID_REUSED, *_ACTING, Why.OTHER_BRANCH, Why.SAME_PERSON, Why.SUPERVISOR_NEEDED,
            LedgerRefusal.ASSET_NOT_FOUND,
        ),
        description="By a supervisor who counted the drawer. When another has confirmed the voucher, a difference is "
        "booked, the cash is in the vault, and the session is signed off once the drawer is empty.",
        body_example={"id": w.ID, "session": w.SESSION, "cash": w.CASH_EXAMPLE},
        answer_example=w.VOUCHER_EXAMPLE, path_example={"session": w.SESSION},
    ),
    Operation(
        "GET", "/v1/places/{kind}/{code}/cash", "read_cash", "Branches", _READ, "Read the cash of a vault or drawer",
        read_stocks, {200: w.Stocks}, parameters=w.OnePlace, answer_example={"stocks": [w.STOCK_EXAMPLE]},
        path_example={"kind": "drawer", "code": "t01"},
    ),
    Operation(
        "POST", "/v1/cash", "customer_cash", "Branches", _WRITE, "Take in or pay out a customer's cash", customer_cash,
        {200: w.Voucher}, body=w.NewCash, refusals=CASH_REFUSALS,
        description="Above the branch's limit the voucher is pending until a supervisor has confirmed it.",
        body_example={
            "id": w.ID, "session": w.SESSION, "account": 1001, "cash": w.CASH_EXAMPLE, "identification_seen": True,
        },
        answer_example=w.VOUCHER_EXAMPLE,
    ),
    Operation(
        "POST", "/v1/cash-counts", "count_cash", "Branches", _WRITE, "Count a vault or drawer", count, {200: w.Voucher},
        body=w.NewCount,
        refusals=(Why.CASH_MALFORMED, Why.ID_REUSED, *_ACTING, Why.PLACE_NOT_YOURS, LedgerRefusal.ASSET_NOT_FOUND),
        description="A difference to the books is booked only when a supervisor has confirmed it.",
        body_example={"id": w.ID, "session": w.SESSION, "place": w.DRAWER_EXAMPLE, "cash": w.CASH_EXAMPLE},
        answer_example=w.VOUCHER_EXAMPLE,
    ),
    Operation(
        "POST", "/v1/cash-shipments", "ship_cash", "Branches", _WRITE, "Ship cash between the vault and other banks",
        ship, {200: w.Voucher}, body=w.NewShipment,
        refusals=(
            *_CASH, Why.ID_REUSED, *_ACTING, Why.PLACE_NOT_YOURS, Why.CASH_NOT_THERE, LedgerRefusal.ASSET_NOT_FOUND,
        ),
        description="It is pending until a second supervisor has confirmed it.",
        body_example={"id": w.ID, "session": w.SESSION, "cash": w.CASH_EXAMPLE}, answer_example=w.VOUCHER_EXAMPLE,
    ),
    Operation(
        "GET", "/v1/vouchers", "list_vouchers", "Branches", _READ, "List the vouchers of a session", list_vouchers,
        {200: w.VoucherPage}, parameters=w.VoucherList, refusals=(ApiRefusal.CURSOR_MALFORMED,),
        answer_example={"vouchers": [w.VOUCHER_EXAMPLE], "cursor": None},
    ),
    Operation(
        "GET", "/v1/vouchers/{voucher}", "read_voucher", "Branches", _READ, "Read a voucher", read_voucher,
        {200: w.Voucher}, parameters=w.OneVoucher, refusals=(Why.VOUCHER_NOT_FOUND,), answer_example=w.VOUCHER_EXAMPLE,
        path_example={"voucher": w.ID},
    ),
    Operation(
        "POST", "/v1/vouchers/{voucher}/confirm", "confirm_voucher", "Branches", _WRITE, "Confirm a pending voucher",
        confirm, {200: w.Voucher}, parameters=w.OneVoucher, body=w.InSession,
        refusals=(
            *_ENDING, Why.VOUCHER_NOT_REVERSIBLE, Why.VOUCHER_REVERSED, Why.SAME_PERSON, Why.CASH_NOT_THERE,
            Why.COUNT_OUTDATED, Why.VOUCHER_PENDING, Why.TRANSFER_IN_TRANSIT, *_MONEY,
        ),
        description="By a supervisor of the branch who is another person than who asked.",
        body_example={"session": w.SESSION}, answer_example=w.VOUCHER_EXAMPLE, path_example={"voucher": w.ID},
    ),
    Operation(
        "POST", "/v1/vouchers/{voucher}/decline", "decline_voucher", "Branches", _WRITE, "Decline a pending voucher",
        decline, {200: w.Voucher}, parameters=w.OneVoucher, body=w.InSession, refusals=_ENDING,
        description="By a supervisor, or by who asked.",
        body_example={"session": w.SESSION}, answer_example=w.VOUCHER_EXAMPLE, path_example={"voucher": w.ID},
    ),
    Operation(
        "POST", "/v1/vouchers/{voucher}/reverse", "reverse_voucher", "Branches", _WRITE,
        "Reverse a customer's cash that was keyed in wrongly", reverse, {200: w.Voucher}, parameters=w.OneVoucher,
        body=w.NewReversal,
        refusals=(
            Why.ID_REUSED, *_ACTING, Why.VOUCHER_NOT_FOUND, Why.PLACE_NOT_YOURS, Why.VOUCHER_NOT_REVERSIBLE,
            Why.VOUCHER_REVERSED, Why.CASH_NOT_THERE,
        ),
        description="As a whole, on its business date, from the same drawer. The reversal is a voucher of its own, "
        "pending until a supervisor has confirmed it.",
        body_example={"id": w.ID, "session": w.SESSION}, answer_example=w.VOUCHER_EXAMPLE,
        path_example={"voucher": w.ID},
    ),
    Operation(
        "POST", "/v1/cash-transfers", "issue_cash", "Branches", _WRITE, "Issue cash from one place to another", issue,
        {200: w.Transfer}, body=w.NewTransfer,
        refusals=(
            *_CASH, Why.ID_REUSED, *_ACTING, Why.PLACE_NOT_FOUND, Why.PLACE_NOT_YOURS, Why.OTHER_BRANCH,
            Why.SAME_PLACE, Why.CASH_NOT_THERE, Why.COUNT_DIFFERS, LedgerRefusal.ASSET_NOT_FOUND,
            LedgerRefusal.ENTRY_ID_REUSED,
        ),
        description="It is in transit until another person has counted and received it.",
        body_example={
            "id": w.ID, "session": w.SESSION, "sender": w.VAULT_EXAMPLE, "receiver": w.DRAWER_EXAMPLE,
            "cash": w.CASH_EXAMPLE,
        },
        answer_example=w.TRANSFER_EXAMPLE,
    ),
    Operation(
        "GET", "/v1/cash-transfers", "list_cash_in_transit", "Branches", _READ, "List the cash in transit",
        list_transfers, {200: w.TransferPage}, parameters=w.PageOnly, refusals=(ApiRefusal.CURSOR_MALFORMED,),
        answer_example={"transfers": [w.TRANSFER_EXAMPLE], "cursor": None},
    ),
    Operation(
        "POST", "/v1/cash-transfers/{transfer}/receive", "receive_cash", "Branches", _WRITE, "Receive cash in transit",
        receive, {200: w.Transfer}, parameters=w.OneTransfer, body=w.Counted, refusals=_ARRIVING,
        body_example={"session": w.SESSION, "cash": w.CASH_EXAMPLE}, answer_example=w.TRANSFER_EXAMPLE,
        path_example={"transfer": w.ID},
    ),
    Operation(
        "POST", "/v1/cash-transfers/{transfer}/take-back", "take_back_cash", "Branches", _WRITE,
        "Take cash in transit back", take_back, {200: w.Transfer}, parameters=w.OneTransfer, body=w.Counted,
        refusals=_ARRIVING, body_example={"session": w.SESSION, "cash": w.CASH_EXAMPLE},
        answer_example=w.TRANSFER_EXAMPLE, path_example={"transfer": w.ID},
    ),
)  # fmt: skip
