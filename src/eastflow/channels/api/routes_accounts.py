"""`/v1/accounts`: accounts, their balances and their statements."""

from __future__ import annotations

from datetime import date

from msgspec import UNSET, Struct

from eastflow import ledger
from eastflow.kernel import Refusal
from eastflow.ledger import LedgerRefusal, actions
from eastflow.payments import with_remittances
from eastflow.storage import Transaction

from . import wire
from .keys import Scope
from .operation import REPLAYED, Answer, Call, Operation
from .problems import problem
from .refusals import ApiRefusal
from .routes_parties import may_see

ACCOUNT_EXAMPLE = {
    "id": 1001,
    "asset": "CZK",
    "side": "credit",
    "chart": "liabilities:deposits:demand",
    "opened_on": "2026-01-05",
    "floor_minor": 0,
    "owner": "party-7",
    "details": {},
}
BALANCE_EXAMPLE = {
    "account": 1001,
    "posted_minor": 12500,
    "held_minor": 500,
    "floor_minor": 0,
    "available_minor": 12000,
    "sequence": 3,
    "valued_on": None,
}
_OPENING = (
    LedgerRefusal.TEXT_MALFORMED,
    LedgerRefusal.DETAILS_TOO_LARGE,
    LedgerRefusal.FLOOR_OUT_OF_RANGE,
    LedgerRefusal.ACCOUNT_ID_REUSED,
    LedgerRefusal.ASSET_NOT_FOUND,
    LedgerRefusal.ACCOUNT_NOT_FOUND,
)


class OneAccount(Struct, frozen=True, forbid_unknown_fields=True):
    account: wire.PathAccount


class AccountList(Struct, frozen=True, forbid_unknown_fields=True):
    """`chart` takes the accounts at and below that place. A cursor keeps the filters of its first page."""

    chart: wire.QueryText | None = None
    owner: wire.QueryText | None = None
    limit: wire.Limit = 100
    cursor: wire.Cursor | None = None


class BalanceQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """`at` asks for the balance as booked at a moment, `valued_on` for that of a value date; one of them at most."""

    account: wire.PathAccount
    at: wire.Moment | None = None
    valued_on: date | None = None


class StatementQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Both days are included. With a cursor, its own period and basis hold."""

    account: wire.PathAccount
    since: date | None = None
    until: date | None = None
    basis: ledger.Basis = ledger.Basis.BOOKED
    limit: wire.Limit = 100
    cursor: wire.Cursor | None = None


class _Page(Struct, frozen=True, forbid_unknown_fields=True):
    after: wire.PathAccount
    chart: wire.QueryText | None
    owner: wire.QueryText | None


class _Undo(Exception):
    """Ends the transaction without effect because the bank declined a part of it."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code.value)
        self.refusal = refusal


async def open_one(call: Call) -> Answer | Refusal:
    asked = _account(call.body)

    async def work(tx: Transaction) -> ledger.Account | Refusal:
        return (await actions.open_accounts(tx, [asked], clock=call.engine.clock))[0]

    opened = await call.database.run(work)
    if isinstance(opened, Refusal):
        return opened
    fresh = opened is asked
    return Answer(wire.account(opened), 201 if fresh else 200, () if fresh else REPLAYED)


async def open_many(call: Call) -> Answer | Refusal:
    new: list[wire.NewAccount] = call.body.accounts
    if len(new) > ledger.BATCH_COMMANDS_MAX:
        facts = {"commands": len(new), "commands_max": ledger.BATCH_COMMANDS_MAX}
        return Refusal(LedgerRefusal.BATCH_TOO_LARGE, facts)
    asked = [_account(each) for each in new]

    async def work(tx: Transaction) -> list[ledger.Account | Refusal]:
        return await actions.open_accounts(tx, asked, clock=call.engine.clock)

    outcomes = []
    for wanted, answer in zip(asked, await call.database.run(work), strict=True):
        if isinstance(answer, Refusal):
            refused = problem(answer, call.language)
            outcomes.append(wire.AccountOutcome(wanted.id, "refused", refused))
        else:
            outcomes.append(wire.AccountOutcome(wanted.id, "opened" if answer is wanted else "replayed"))
    return Answer(wire.AccountOutcomes(outcomes))


async def read_one(call: Call) -> Answer | Refusal:
    number: int = call.parameters.account
    async with call.database.reading() as tx:
        found = await ledger.accounts(tx, [number])
    return Answer(wire.account(found[number])) if found else _unknown(number)


async def list_page(call: Call) -> Answer | Refusal:
    asked: AccountList = call.parameters
    if asked.cursor is None:
        page = _Page(0, asked.chart, asked.owner)
        after = 0
    else:
        page = wire.read_cursor(asked.cursor, _Page)
        after = page.after
    async with call.database.reading() as tx:
        found = await ledger.accounts_page(
            tx, after=after, limit=asked.limit + 1, chart=page.chart, owner=page.owner
        )  # fmt: skip
    shown = found[: asked.limit]
    more = len(found) > asked.limit
    following = wire.cursor_of(_Page(shown[-1].id, page.chart, page.owner)) if more else None
    return Answer(wire.AccountPage([wire.account(each) for each in shown], following))


async def change(call: Call) -> Answer | Refusal:
    number: int = call.parameters.account
    asked: wire.AccountChange = call.body

    async def work(tx: Transaction) -> ledger.Account | None:
        answer: ledger.Account | Refusal | None = None
        # The floor first: an account that is being closed takes no further change.
        if asked.floor_minor is not UNSET:
            answer = await actions.change_floor(tx, number, asked.floor_minor, clock=call.engine.clock)
        if asked.status is not UNSET and not isinstance(answer, Refusal):
            answer = await actions.change_status(tx, number, asked.status, clock=call.engine.clock)
        if isinstance(answer, Refusal):
            raise _Undo(answer)
        return answer or (await ledger.accounts(tx, [number])).get(number)

    try:
        changed = await call.database.run(work)
    except _Undo as undone:
        return undone.refusal
    return Answer(wire.account(changed)) if changed else _unknown(number)


async def read_balance(call: Call) -> Answer | Refusal:
    asked: BalanceQuery = call.parameters
    if asked.at is not None and asked.valued_on is not None:
        return Refusal(ApiRefusal.PARAMETER_MALFORMED, {"reason": "at and valued_on exclude one another"})
    if refusal := wire.check_years(asked.at, asked.valued_on):
        return refusal
    async with call.database.reading() as tx:
        if asked.valued_on is None and asked.at is not None:
            found = await ledger.balance_booked_at(tx, asked.account, asked.at)
        else:
            found = await ledger.balance(tx, asked.account)
        if found is not None and asked.valued_on is not None:
            posted = await ledger.balance_valued_on(tx, asked.account, asked.valued_on)
            return Answer(wire.BalanceAsked(asked.account, posted, valued_on=asked.valued_on))
    return Answer(_asked(found)) if found else _unknown(asked.account)


async def read_statement(call: Call) -> Answer | Refusal:
    asked: StatementQuery = call.parameters
    if refusal := wire.check_years(asked.since, asked.until):
        return refusal
    if asked.cursor is None and (asked.since is None or asked.until is None):
        return Refusal(ApiRefusal.PARAMETER_MALFORMED, {"reason": "since and until are needed, or a cursor"})
    async with call.database.reading() as tx:
        account = (await ledger.accounts(tx, [asked.account])).get(asked.account)
        if account is None:
            return _unknown(asked.account)
        if asked.cursor is not None:
            page = await ledger.statement_after(tx, account, asked.cursor, limit=asked.limit)
        else:
            assert asked.since is not None, "asked for above"
            assert asked.until is not None, "asked for above"
            page = await ledger.statement(
                tx, account, asked.since, asked.until, basis=asked.basis, limit=asked.limit
            )  # fmt: skip
        if page is not None and may_see(call):
            page = await with_remittances(tx, page)
    return Answer(wire.statement(page)) if page else Refusal(ApiRefusal.CURSOR_MALFORMED)


def _account(new: wire.NewAccount) -> ledger.Account:
    return ledger.Account(
        new.id, new.asset, new.side, new.chart, new.opened_on, new.floor_minor, new.owner, details=new.details
    )


def _asked(found: ledger.Balance) -> wire.BalanceAsked:
    return wire.BalanceAsked(
        found.account,
        found.posted_minor,
        found.held_minor,
        found.floor_minor,
        found.available_minor,
        found.sequence,
    )


def _unknown(account: int) -> Refusal:
    return Refusal(LedgerRefusal.ACCOUNT_NOT_FOUND, {"account": account})


def _operations() -> tuple[Operation, ...]:
    shown = {**ACCOUNT_EXAMPLE, "status": "open"}
    one = {"account": 1001}
    return (
        Operation(
            "POST", "/v1/accounts", "open_account", "Accounts", Scope.ACCOUNTS_WRITE, "Open an account", open_one,
            {201: wire.Account, 200: wire.Account}, body=wire.NewAccount, refusals=_OPENING,
            description="201 when it was opened now; 200 with `Idempotent-Replayed: true` when it was open already.",
            body_example=ACCOUNT_EXAMPLE, answer_example=shown,
        ),
        Operation(
            "GET", "/v1/accounts", "list_accounts", "Accounts", Scope.ACCOUNTS_READ, "List accounts by number",
            list_page, {200: wire.AccountPage}, parameters=AccountList, refusals=(ApiRefusal.CURSOR_MALFORMED,),
            answer_example={"accounts": [shown], "cursor": None},
        ),
        Operation(
            "POST", "/v1/accounts/batch", "open_accounts", "Accounts", Scope.ACCOUNTS_WRITE,
            "Open up to 10,000 accounts", open_many, {200: wire.AccountOutcomes}, body=wire.NewAccounts,
            refusals=(LedgerRefusal.BATCH_TOO_LARGE,),
            description="Each by itself: one that is refused does not keep the others from opening.",
            body_example={"accounts": [ACCOUNT_EXAMPLE]},
            answer_example={"outcomes": [{"id": 1001, "status": "opened"}]},
        ),
        Operation(
            "GET", "/v1/accounts/{account}", "read_account", "Accounts", Scope.ACCOUNTS_READ, "Read an account",
            read_one, {200: wire.Account}, parameters=OneAccount, refusals=(LedgerRefusal.ACCOUNT_NOT_FOUND,),
            answer_example=shown, path_example=one,
        ),
        Operation(
            "PATCH", "/v1/accounts/{account}", "change_account", "Accounts", Scope.ACCOUNTS_WRITE,
            "Freeze, close or set the floor", change, {200: wire.Account}, parameters=OneAccount,
            body=wire.AccountChange, description="All of it or nothing. Closing needs an empty account and is final.",
            refusals=(
                LedgerRefusal.FLOOR_OUT_OF_RANGE, LedgerRefusal.ACCOUNT_NOT_FOUND, LedgerRefusal.ACCOUNT_CLOSED,
                LedgerRefusal.ACCOUNT_NOT_EMPTY,
            ),
            body_example={"status": "debits_frozen", "floor_minor": -50000},
            answer_example={**shown, "status": "debits_frozen", "floor_minor": -50000}, path_example=one,
        ),
        Operation(
            "GET", "/v1/accounts/{account}/balance", "read_balance", "Accounts", Scope.ACCOUNTS_READ,
            "The balance now, at a past moment, or by value date", read_balance,
            {200: wire.BalanceAsked}, parameters=BalanceQuery,
            refusals=(LedgerRefusal.ACCOUNT_NOT_FOUND,), answer_example=BALANCE_EXAMPLE, path_example=one,
        ),
        Operation(
            "GET", "/v1/accounts/{account}/statement", "read_statement", "Accounts", Scope.ACCOUNTS_READ,
            "The statement of a period, as booked or as valued", read_statement, {200: wire.Statement},
            parameters=StatementQuery, refusals=(ApiRefusal.CURSOR_MALFORMED, LedgerRefusal.ACCOUNT_NOT_FOUND),
            description="What was said with a payment is its `memo`, for those with the scope `parties:personal`.",
            answer_example={
                "account": 1001, "basis": "booked", "since": "2026-01-01", "until": "2026-01-31",
                "opening_minor": 0, "closing_minor": 12500, "cursor": None,
                "lines": [
                    {
                        "sequence": 1, "entry": "019b8f2e-7c00-7000-8000-000000000001", "kind": "transfer",
                        "memo": None, "amount_minor": 12500, "balance_minor": 12500,
                        "booked_at": "2026-01-05T09:30:00Z", "value_date": "2026-01-05",
                    }
                ],
            },
            path_example=one,
        ),
    )  # fmt: skip


OPERATIONS = _operations()
