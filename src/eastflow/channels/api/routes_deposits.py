"""`/v1/deposits`: contracts of customers with products, from their opening to their end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct, convert

from eastflow import deposits
from eastflow.customers import Channel, CustomersRefusal
from eastflow.deposits import DepositsRefusal, DepositStatus, Executed, actions
from eastflow.kernel import Refusal
from eastflow.ledger import LedgerRefusal, balances
from eastflow.ledger.actions import INTERNAL_ACCOUNT_MIN
from eastflow.payments import remittances
from eastflow.products import AtMaturity, ProductKind, ProductsRefusal
from eastflow.storage import Transaction

from . import wire
from .keys import Scope
from .operation import REPLAYED, Answer, Call, Operation
from .refusals import ApiRefusal
from .routes_parties import may_see

PDF_TYPE = b"application/pdf"
ID = "019b8f2e-7c00-7000-8000-0000000000dd"
PARTY = "019b8f2e-7c00-7000-8000-0000000000bb"
EXAMPLE = {
    "id": ID, "account": 1001, "party": PARTY, "product": "cny-demand", "version": 1, "asset": "CNY", "kind": "demand",
    "status": "open", "opened_on": "2026-01-05", "balance_minor": 100_000, "nominated": None, "maturity": None,
    "closed_on": None, "notices": [], "charges": [],
}  # fmt: skip
CORRECTION_EXAMPLE = {
    "settled_on": "2026-06-21", "number": 1, "kind": "overdraft_interest", "amount_minor": -1_250, "booked": False,
}  # fmt: skip
DONE_EXAMPLE = {"id": ID, "deposit": EXAMPLE, "entries": [ID]}


class NewDeposit(Struct, frozen=True, forbid_unknown_fields=True):
    """`id` makes opening idempotent. `account` is a number of the caller's, or null for a fresh one. With an amount,
    the first money comes from the account `source`; `nominated` is where a maturing deposit is paid to."""

    id: UUID
    product: str
    party: UUID
    account: wire.AccountNumber | None = None
    amount_minor: wire.Minor = 0
    source: wire.AccountNumber | None = None
    nominated: wire.AccountNumber | None = None
    at_maturity: AtMaturity | None = None


class MoneyIn(Struct, frozen=True, forbid_unknown_fields=True):
    id: UUID
    amount_minor: wire.Minor
    source: wire.AccountNumber


class MoneyOut(Struct, frozen=True, forbid_unknown_fields=True):
    id: UUID
    amount_minor: wire.Minor
    target: wire.AccountNumber


class NewNotice(Struct, frozen=True, forbid_unknown_fields=True):
    id: UUID
    amount_minor: wire.Minor


class Closing(Struct, frozen=True, forbid_unknown_fields=True):
    """All of it, with its interest, goes to the account `target`."""

    id: UUID
    target: wire.AccountNumber


class Request(Struct, frozen=True, forbid_unknown_fields=True):
    id: UUID


class NewShare(Struct, frozen=True, forbid_unknown_fields=True):
    """An heir's part: `weight` of the sum of all weights, to an account the heir owns."""

    party: UUID
    account: wire.AccountNumber
    weight: int


class Inheritance(Struct, frozen=True, forbid_unknown_fields=True):
    id: UUID
    certificate: str
    shares: list[NewShare]


class Notice(Struct, frozen=True):
    given_on: date
    due_on: date
    amount_minor: int


class Charge(Struct, frozen=True):
    name: str
    amount_minor: int


class Deposit(Struct, frozen=True):
    """`balance_minor` is what the ledger has on the account. `charges` are fees that wait for what is paid next."""

    id: UUID
    account: int
    party: UUID
    product: str
    version: int
    asset: str
    kind: ProductKind
    status: DepositStatus
    opened_on: date
    balance_minor: int
    nominated: int | None
    maturity: date | None
    closed_on: date | None
    notices: list[Notice]
    charges: list[Charge]


class Done(Struct, frozen=True):
    """The contract after it, and the ledger's entries."""

    id: UUID
    deposit: Deposit
    entries: list[UUID]


class Correction(Struct, frozen=True):
    """What the settlement of `settled_on` fell short by: to the customer, or from them where it is negative. Not
    `booked`, it is owed: the account had no room for it, and it is tried at each day's end."""

    settled_on: date
    number: int
    kind: str
    amount_minor: int
    booked: bool


class CorrectionList(Struct, frozen=True):
    corrections: list[Correction]


class DepositPage(Struct, frozen=True):
    deposits: list[Deposit]
    cursor: str | None


class OneDeposit(Struct, frozen=True, forbid_unknown_fields=True):
    account: wire.PathAccount


class StatementAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """Both days included. Without a language: the first of `Accept-Language` that the bank speaks."""

    account: wire.PathAccount
    since: date
    until: date
    language: Annotated[str, Meta(pattern="^(en|zh-Hans|ko)$")] | None = None


class DepositList(Struct, frozen=True, forbid_unknown_fields=True):
    party: UUID
    limit: wire.Limit = 100
    cursor: wire.Cursor | None = None


class _Place(Struct, frozen=True):
    after: int


async def open_deposit(call: Call) -> Answer | Refusal:
    if refusal := _not_the_banks(call, call.body.source):
        return refusal
    new = convert(call.body, deposits.Opening, from_attributes=True)
    return await _done(
        call, lambda tx: actions.open_deposit(tx, new, today=call.today, channel=Channel.API, by=call.actor)
    )


async def pay_in(call: Call) -> Answer | Refusal:
    told: MoneyIn = call.body
    if refusal := _not_the_banks(call, told.source):
        return refusal
    return await _done(
        call,
        lambda tx: actions.pay_in(
            tx, told.id, call.parameters.account, told.amount_minor, told.source,
            today=call.today, channel=Channel.API, by=call.actor,
        ),
    )  # fmt: skip


async def pay_out(call: Call) -> Answer | Refusal:
    told: MoneyOut = call.body
    if refusal := _not_the_banks(call, told.target):
        return refusal
    return await _done(
        call,
        lambda tx: actions.pay_out(
            tx, told.id, call.parameters.account, told.amount_minor, told.target,
            today=call.today, channel=Channel.API, by=call.actor,
        ),
    )  # fmt: skip


def _not_the_banks(call: Call, other: int | None) -> Refusal | None:
    """Money of the bank's own accounts (cash, clearing) moves here on the word of a program that may post entries.
    People go through the counter and payments, which see where it comes from."""
    if other is None or other < INTERNAL_ACCOUNT_MIN or Scope.ENTRIES_WRITE in call.key.scopes:
        return None
    return Refusal(ApiRefusal.SCOPE_MISSING, {"scope": Scope.ENTRIES_WRITE.value})


async def give_notice(call: Call) -> Answer | Refusal:
    told: NewNotice = call.body
    account = call.parameters.account
    return await _done(
        call,
        lambda tx: actions.give_notice(tx, told.id, account, told.amount_minor, today=call.today, by=call.actor),
    )


async def renew(call: Call) -> Answer | Refusal:
    account = call.parameters.account
    return await _done(call, lambda tx: actions.renew(tx, call.body.id, account, today=call.today, by=call.actor))


async def reactivate(call: Call) -> Answer | Refusal:
    account = call.parameters.account
    return await _done(call, lambda tx: actions.reactivate(tx, call.body.id, account, today=call.today, by=call.actor))


async def close(call: Call) -> Answer | Refusal:
    told: Closing = call.body
    if refusal := _not_the_banks(call, told.target):
        return refusal
    return await _done(
        call,
        lambda tx: actions.close(
            tx, told.id, call.parameters.account, told.target, today=call.today, channel=Channel.API, by=call.actor
        ),
    )


async def inherit(call: Call) -> Answer | Refusal:
    told: Inheritance = call.body
    shares = [convert(share, deposits.Share, from_attributes=True) for share in told.shares]
    return await _done(
        call,
        lambda tx: actions.inherit(
            tx, told.id, call.parameters.account, told.certificate, shares, today=call.today, by=call.actor
        ),
    )


async def read_one(call: Call) -> Answer | Refusal:
    account: int = call.parameters.account
    async with call.database.reading() as tx:
        found = await deposits.deposit(tx, account)
        if found is None:
            return missing(account)
        [balance] = (await balances(tx, [account])).values()
    return Answer(_deposit(found, balance.posted_minor))


async def list_page(call: Call) -> Answer | Refusal:
    asked: DepositList = call.parameters
    after = 0 if asked.cursor is None else wire.read_cursor(asked.cursor, _Place).after
    async with call.database.reading() as tx:
        found = await deposits.deposits_of_party(tx, asked.party, after=after, limit=asked.limit + 1)
        shown = found[: asked.limit]
        now = await balances(tx, [each.account for each in shown])
    following = wire.cursor_of(_Place(shown[-1].account)) if len(found) > asked.limit else None
    return Answer(DepositPage([_deposit(each, now[each.account].posted_minor) for each in shown], following))


async def list_corrections(call: Call) -> Answer | Refusal:
    account: int = call.parameters.account
    async with call.database.reading() as tx:
        if await deposits.deposit(tx, account) is None:
            return missing(account)
        found = await deposits.corrections(tx, account)
    return Answer(CorrectionList([convert(each, Correction, from_attributes=True) for each in found]))


async def print_statement(call: Call) -> Answer | Refusal:
    asked: StatementAsked = call.parameters
    if refusal := wire.check_years(asked.since, asked.until):
        return refusal
    language = asked.language or call.language
    async with call.database.reading() as tx:
        made = await deposits.statement_pdf(
            tx,
            asked.account,
            asked.since,
            asked.until,
            language=language,
            printed_on=call.today,
            masked=not may_see(call),
            texts=remittances,
        )
    return missing(asked.account) if made is None else Answer(made, media_type=PDF_TYPE)


async def _done(call: Call, work: Callable[[Transaction], Awaitable[Executed | Refusal]]) -> Answer | Refusal:
    answer = await call.database.run(work)
    if isinstance(answer, Refusal):
        return answer
    told = Done(answer.id, _deposit(answer.deposit, answer.deposit.contract.balance_minor), list(answer.entries))
    return Answer(told, headers=REPLAYED if answer.replayed else ())


def missing(account: int) -> Refusal:
    return Refusal(DepositsRefusal.CONTRACT_NOT_FOUND, {"account": account})


def _deposit(found: deposits.Deposit, balance_minor: int) -> Deposit:
    contract = found.contract
    return Deposit(
        found.id, found.account, found.party, found.product, found.version, found.asset, found.kind, found.status,
        found.opened_on, balance_minor, found.nominated,
        None if contract.period is None else contract.period.maturity, contract.closed_on,
        [Notice(notice.given_on, notice.due_on, notice.amount_minor) for notice in contract.notices],
        [Charge(charge.name, charge.amount_minor) for charge in contract.charges],
    )  # fmt: skip


ONE_EXAMPLE = {"account": 1001}
ASKED = (
    DepositsRefusal.AMOUNT_OUT_OF_RANGE, DepositsRefusal.ACCOUNT_MALFORMED, DepositsRefusal.REQUEST_ID_REUSED,
    DepositsRefusal.CONTRACT_NOT_FOUND, DepositsRefusal.OTHER_ACCOUNT_UNFIT, DepositsRefusal.CONTRACT_CLOSED,
)  # fmt: skip
_LEAVES = (DepositsRefusal.CONTRACT_FROZEN, DepositsRefusal.CONTRACT_DORMANT, DepositsRefusal.PLEDGED)
_OF_CONTRACT = (
    ProductsRefusal.CONTRACT_CLOSED, ProductsRefusal.DAY_DONE, ProductsRefusal.DAYS_LEFT_OUT,
    ProductsRefusal.OPERATION_NOT_OFFERED, ProductsRefusal.AMOUNT_BELOW_MINIMUM,
    ProductsRefusal.BALANCE_ABOVE_MAXIMUM, ProductsRefusal.INSTALMENT_AMOUNT_CHANGED,
    ProductsRefusal.INSTALMENT_NOT_DUE, ProductsRefusal.BALANCE_INSUFFICIENT, ProductsRefusal.BALANCE_BELOW_FLOOR,
    ProductsRefusal.PARTIAL_WITHDRAWALS_EXHAUSTED, ProductsRefusal.TERM_NOT_MATURED,
)  # fmt: skip
_BOOKED: tuple[Any, ...] = (
    CustomersRefusal.ASSET_NOT_ALLOWED, CustomersRefusal.CASH_NOT_ALLOWED, CustomersRefusal.UNBOUND_NOT_ALLOWED,
    CustomersRefusal.DAY_LIMIT_EXCEEDED, CustomersRefusal.YEAR_LIMIT_EXCEEDED, CustomersRefusal.BALANCE_LIMIT_EXCEEDED,
    LedgerRefusal.ENTRY_ID_REUSED, LedgerRefusal.ACCOUNT_NOT_FOUND, LedgerRefusal.ASSET_DIFFERS,
    LedgerRefusal.ACCOUNT_CLOSED, LedgerRefusal.ACCOUNT_FROZEN, LedgerRefusal.INSUFFICIENT_FUNDS,
    LedgerRefusal.BALANCE_OUT_OF_RANGE, LedgerRefusal.ACCOUNT_NOT_EMPTY,
)  # fmt: skip

OPERATIONS = (
    Operation(
        "POST", "/v1/deposits", "open_deposit", "Deposits", Scope.DEPOSITS_WRITE, "Open a deposit", open_deposit,
        {200: Done}, body=NewDeposit,
        refusals=(
            DepositsRefusal.TEXT_MALFORMED, DepositsRefusal.AMOUNT_OUT_OF_RANGE, DepositsRefusal.ACCOUNT_MALFORMED,
            DepositsRefusal.SOURCE_MISSING, DepositsRefusal.REQUEST_ID_REUSED, DepositsRefusal.PARTY_NOT_FOUND,
            DepositsRefusal.PRODUCT_NOT_FOUND, DepositsRefusal.ACCOUNT_TAKEN, DepositsRefusal.OTHER_ACCOUNT_UNFIT,
            ProductsRefusal.PARTY_NOT_ELIGIBLE,
            ProductsRefusal.CHANNEL_NOT_ELIGIBLE, ProductsRefusal.MATURITY_CHOICE_UNKNOWN,
            LedgerRefusal.ACCOUNT_ID_REUSED, LedgerRefusal.ASSET_NOT_FOUND, CustomersRefusal.ROLE_EXISTS,
            *_OF_CONTRACT, *_BOOKED,
        ),
        description="With the product's live version, on an account of its own that the party then owns. The same "
        "again answers with the contract as it is.",
        body_example={
            "id": ID, "product": "cny-demand", "party": PARTY, "amount_minor": 100_000, "source": 9_000_000_000_000_001,
        },
        answer_example=DONE_EXAMPLE,
    ),
    Operation(
        "GET", "/v1/deposits", "list_deposits", "Deposits", Scope.DEPOSITS_READ, "List a party's deposits", list_page,
        {200: DepositPage}, parameters=DepositList, refusals=(ApiRefusal.CURSOR_MALFORMED,),
        answer_example={"deposits": [EXAMPLE], "cursor": None},
    ),
    Operation(
        "GET", "/v1/deposits/{account}", "read_deposit", "Deposits", Scope.DEPOSITS_READ, "Read a deposit", read_one,
        {200: Deposit}, parameters=OneDeposit, refusals=(DepositsRefusal.CONTRACT_NOT_FOUND,), answer_example=EXAMPLE,
        path_example=ONE_EXAMPLE,
    ),
    Operation(
        "POST", "/v1/deposits/{account}/payments-in", "pay_in", "Deposits", Scope.DEPOSITS_WRITE, "Pay in", pay_in,
        {200: Done}, parameters=OneDeposit, body=MoneyIn, refusals=(*ASKED, *_OF_CONTRACT, *_BOOKED),
        description="From another account; from one of the bank's own (cash, clearing) with the scope `entries:write`.",
        body_example={"id": ID, "amount_minor": 5_000, "source": 9_000_000_000_000_001}, answer_example=DONE_EXAMPLE,
        path_example=ONE_EXAMPLE,
    ),
    Operation(
        "POST", "/v1/deposits/{account}/payments-out", "pay_out", "Deposits", Scope.DEPOSITS_WRITE, "Pay out", pay_out,
        {200: Done}, parameters=OneDeposit, body=MoneyOut, refusals=(*ASKED, *_LEAVES, *_OF_CONTRACT, *_BOOKED),
        description="Part of it; of a term or call deposit with that part's interest. To one of the bank's own "
        "accounts with the scope `entries:write`.",
        body_example={"id": ID, "amount_minor": 5_000, "target": 9_000_000_000_000_001}, answer_example=DONE_EXAMPLE,
        path_example=ONE_EXAMPLE,
    ),
    Operation(
        "POST", "/v1/deposits/{account}/notices", "give_notice", "Deposits", Scope.DEPOSITS_WRITE,
        "Give notice of withdrawal", give_notice, {200: Done}, parameters=OneDeposit, body=NewNotice,
        refusals=(*ASKED, *_OF_CONTRACT, *_BOOKED),
        description="Of a call deposit: to be taken on the day it falls due, and no other.",
        body_example={"id": ID, "amount_minor": 5_000_000}, answer_example=DONE_EXAMPLE, path_example=ONE_EXAMPLE,
    ),
    Operation(
        "POST", "/v1/deposits/{account}/renewal", "renew_deposit", "Deposits", Scope.DEPOSITS_WRITE,
        "Renew a term that has matured", renew, {200: Done}, parameters=OneDeposit, body=Request,
        refusals=(*ASKED, *_OF_CONTRACT, *_BOOKED), body_example={"id": ID}, answer_example=DONE_EXAMPLE,
        path_example=ONE_EXAMPLE,
    ),
    Operation(
        "POST", "/v1/deposits/{account}/closing", "close_deposit", "Deposits", Scope.DEPOSITS_WRITE,
        "Close a deposit, at maturity or early", close, {200: Done}, parameters=OneDeposit, body=Closing,
        refusals=(*ASKED, *_LEAVES, *_OF_CONTRACT, *_BOOKED),
        body_example={"id": ID, "target": 9_000_000_000_000_001}, answer_example=DONE_EXAMPLE, path_example=ONE_EXAMPLE,
    ),
    Operation(
        "POST", "/v1/deposits/{account}/reactivation", "reactivate_deposit", "Deposits", Scope.DEPOSITS_WRITE,
        "Wake a dormant deposit", reactivate, {200: Done}, parameters=OneDeposit, body=Request,
        refusals=(*ASKED, DepositsRefusal.NOT_DORMANT, *_BOOKED), body_example={"id": ID},
        answer_example=DONE_EXAMPLE, path_example=ONE_EXAMPLE,
    ),
    Operation(
        "POST", "/v1/deposits/{account}/inheritance", "inherit_deposit", "Deposits", Scope.DEPOSITS_WRITE,
        "Pay a deposit to the owner's heirs", inherit, {200: Done}, parameters=OneDeposit, body=Inheritance,
        refusals=(
            DepositsRefusal.TEXT_MALFORMED, DepositsRefusal.SHARES_MALFORMED, *ASKED, DepositsRefusal.HEIR_NOT_OWNER,
            *_LEAVES, *_OF_CONTRACT, *_BOOKED,
        ),
        description="By their shares, under a certificate of inheritance.",
        body_example={
            "id": ID, "certificate": "(2026) Hu Gong Zheng No. 7",
            "shares": [{"party": PARTY, "account": 1002, "weight": 1}],
        },
        answer_example=DONE_EXAMPLE, path_example=ONE_EXAMPLE,
    ),
    Operation(
        "GET", "/v1/deposits/{account}/corrections", "list_corrections", "Deposits", Scope.DEPOSITS_READ,
        "List a deposit's corrections of interest", list_corrections, {200: CorrectionList}, parameters=OneDeposit,
        refusals=(DepositsRefusal.CONTRACT_NOT_FOUND,),
        description="Of interest that was settled before a backdated posting came, and interest on an overdraft that "
        "there was no room for.",
        answer_example={"corrections": [CORRECTION_EXAMPLE]}, path_example=ONE_EXAMPLE,
    ),
    Operation(
        "GET", "/v1/deposits/{account}/statement", "print_statement", "Deposits", Scope.DEPOSITS_READ,
        "A statement as PDF", print_statement, {200: str}, parameters=StatementAsked,
        refusals=(DepositsRefusal.CONTRACT_NOT_FOUND,), description="By value date, in English, Chinese or Korean.",
        answer_example="%PDF-1.4", path_example=ONE_EXAMPLE, media_type=PDF_TYPE,
    ),
)  # fmt: skip
