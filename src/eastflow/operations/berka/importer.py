"""Takes the Czech bank's books over into ours, entry by entry in the order found, and compares every balance.

What the books are given is made of the source alone: account numbers, party ids and entry ids are the same on each
run. So an import that was stopped at any point is taken up by importing again: what is there is answered as it is, and
only what is missing is written. Batches are whole or absent and each is answered before the next is sent, so that an
account's entries are in the same order however often the import was stopped.

Numbers: the bank's own accounts lie from 19,929,000,000 to 19,929,999,999 and the customers' from 19,930,000,000 up, so
that neither kind can run into the other however large the source's own numbers are.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar
from uuid import UUID, uuid5

from eastflow.customers import Party, PartyKind, Role, RoleKind
from eastflow.customers.actions import grant_roles, register_parties
from eastflow.kernel import Asset, Refusal
from eastflow.ledger import Account, Done, Entry, Outcome, Posting, Side
from eastflow.ledger.actions import Engine, define_asset, open_accounts
from eastflow.storage import Database
from eastflow.storage import Transaction as DatabaseTransaction

from . import report
from .chart import (
    CARD_SETTLEMENT,
    CASH,
    COUNTER_ACCOUNTS,
    FEE_INCOME,
    INTEREST_EXPENSE,
    OTHER_BANKS,
    PENALTY_INTEREST_INCOME,
    UNCLASSIFIED,
    BookSide,
    CounterAccount,
    plan,
)
from .order import Rows, ordered
from .read import Source, read
from .reconcile import Reconciliation, reconcile
from .records import Client, DispositionType, Refused, Transaction

CROWN = Asset("CZK", 2)
CUSTOMER_ACCOUNT_BASE = 19_930_000_000
OWN_ACCOUNT_BASE = 19_929_000_000
CUSTOMER_CHART = "liabilities:deposits:demand"
BOOKS_BEGIN_ON = date(1993, 1, 1)
"""The bank's own accounts are opened on the first day of the source, which does not name them."""

BATCH_ENTRIES = 5_000
SETUP_ROWS = 3_000
NO_LINE = 0
"""Stands for the line of what is refused although it was read well: only transactions are read with their line."""

_PARTIES = UUID("6f1d2c1e-3a57-4b0e-9c2f-1993e4570b9a")
"""Drawn once. With a client's reference it makes the same party id on each run."""
_ROLE_KINDS = {DispositionType.OWNER: RoleKind.OWNER, DispositionType.DISPONENT: RoleKind.DISPONENT}

# Written out, not counted off: a number is for good, whatever is added beside it later.
_OWN_ACCOUNTS: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        CASH.key: (OWN_ACCOUNT_BASE + 1, "assets:cash"),
        INTEREST_EXPENSE.key: (OWN_ACCOUNT_BASE + 2, "expenses:interest"),
        CARD_SETTLEMENT.key: (OWN_ACCOUNT_BASE + 3, "liabilities:settlement:cards"),
        FEE_INCOME.key: (OWN_ACCOUNT_BASE + 4, "income:fees"),
        PENALTY_INTEREST_INCOME.key: (OWN_ACCOUNT_BASE + 5, "income:interest:penalty"),
        UNCLASSIFIED.key: (OWN_ACCOUNT_BASE + 6, "liabilities:suspense"),
        # Bank AB has the number 65,066 after the base, from the codes of its two letters.
        **{
            counter.key: (
                OWN_ACCOUNT_BASE + ord(bank[0]) * 1_000 + ord(bank[1]),
                f"assets:settlement:bank:{bank.lower()}",
            )
            for bank, counter in OTHER_BANKS.items()
        },
    }
)
_SIDES = {BookSide.DEBIT: Side.DEBIT, BookSide.CREDIT: Side.CREDIT}

Progress = Callable[[str, int, int], None]
Json = dict[str, object]
_Item = TypeVar("_Item")
_Write = Callable[[DatabaseTransaction, Sequence[_Item]], Awaitable[Sequence[_Item | Refusal]]]


class ImportRefused(Exception):
    """The books already hold something else under a number or name the import needs, so no entry is posted."""


@dataclass(frozen=True, slots=True)
class Import:
    """What the books hold now. `posted` were written by this run, `replayed` by an earlier one; `refused` are the rows
    that could not be read and those that the books refused."""

    posted: int
    replayed: int
    refused: tuple[Refused, ...]
    reconciliation: Reconciliation
    seconds: Decimal

    @property
    def transactions(self) -> int:
        """The source's transactions that are in the books now."""
        return self.posted + self.replayed

    def as_data(self) -> Json:
        details = report.as_data(self.reconciliation, self.refused)
        first = {
            "transactions": self.transactions,
            **{key: details[key] for key in ("exact", "rounding", "unexplained", "refused")},
            # A number in any JSON; a time, unlike money, need not stay exact.
            "seconds": int(self.seconds * 1_000) / 1_000,
            "posted": self.posted,
            "replayed": self.replayed,
        }
        return first | {key: value for key, value in details.items() if key not in first}

    def as_table(self) -> str:
        counts = [
            ("transactions in the books", f"{self.transactions:,}"),
            ("  posted now", f"{self.posted:,}"),
            ("  posted before", f"{self.replayed:,}"),
            ("seconds", f"{self.seconds}"),
        ]
        lines = [f"{name:<50} {count:>8}" for name, count in counts]
        return "\n".join([*lines, report.as_table(self.reconciliation, self.refused)])


async def import_berka(engine: Engine, directory: Path, *, progress: Progress | None = None) -> Import:
    """`progress` is told the step's name, how much of it is done and how much there is.

    Errors: SourceRefused when a file cannot be used; ImportRefused; StorageFault, after which import again.
    """
    tell = progress or _tell_nobody
    began = time.monotonic_ns()
    # What takes long without waiting runs beside the event loop, so that others on it are served meanwhile.
    source = await asyncio.to_thread(read, directory)
    tell("read", len(source.transactions), len(source.transactions))
    unknown, in_order = await asyncio.gather(
        _set_up(engine, source, tell), asyncio.to_thread(ordered, source.transactions)
    )
    posting = await _post(engine, in_order, tell)
    refused = (*source.refused, *unknown, *posting.refused)
    reconciliation = await asyncio.to_thread(reconcile, in_order, posting.balances_minor, refused)
    tell("reconcile", reconciliation.compared, len(in_order))
    return Import(
        posted=posting.posted,
        replayed=posting.replayed,
        refused=refused,
        reconciliation=reconciliation,
        seconds=Decimal((time.monotonic_ns() - began) // 1_000_000).scaleb(-3),
    )


def customer_account(account_id: int) -> int:
    """Our number of one of the source's accounts."""
    return CUSTOMER_ACCOUNT_BASE + account_id


def own_account(counter: CounterAccount) -> int:
    """Our number of one of the bank's own accounts."""
    return _OWN_ACCOUNTS[counter.key][0]


def party_id(client_id: int) -> UUID:
    return uuid5(_PARTIES, f"berka:client:{client_id}")


# Setting up


async def _set_up(engine: Engine, source: Source, tell: Progress) -> list[Refused]:
    """The asset, the parties, the accounts and the roles; returns the clients who were left out."""
    asset = await engine.database.run(lambda tx: define_asset(tx, CROWN))
    assert not isinstance(asset, Refusal), "the crown has two decimals in any ledger"
    known_since = _known_since(source)
    parties = [
        _party(source, client, known_since[client_id])
        for client_id, client in source.clients.items()
        if client_id in known_since
    ]
    accounts = [*_own_accounts(), *_customer_accounts(source)]

    async def register(tx: DatabaseTransaction, items: Sequence[Party]) -> Sequence[Party | Refusal]:
        return await register_parties(tx, items, clock=engine.clock, today=engine.today)

    async def open_all(tx: DatabaseTransaction, items: Sequence[Account]) -> Sequence[Account | Refusal]:
        return await open_accounts(tx, items, clock=engine.clock)

    async def grant(tx: DatabaseTransaction, items: Sequence[Role]) -> Sequence[Role | Refusal]:
        return await grant_roles(tx, items, clock=engine.clock)

    await _write_all(engine.database, "parties", parties, register, tell)
    await _write_all(engine.database, "accounts", accounts, open_all, tell)
    await _write_all(engine.database, "roles", _roles(source), grant, tell)
    return [
        Refused(
            "client.asc", NO_LINE, f"client_id {client_id} has no right over an account, so since when is not known"
        )
        for client_id in source.clients
        if client_id not in known_since
    ]


async def _write_all(
    database: Database,
    step: str,
    items: Sequence[_Item],
    write: _Write[_Item],
    tell: Progress,
) -> None:
    """Errors: ImportRefused. A few thousand a transaction."""
    for start in range(0, len(items), SETUP_ROWS):
        part = items[start : start + SETUP_ROWS]
        answers = await database.run(partial(_write, write, part))
        for item, answer in zip(part, answers, strict=True):
            if isinstance(answer, Refusal):
                raise ImportRefused(f"{step}: {_reason(answer)} for {item}")
        tell(step, start + len(part), len(items))


async def _write(write: _Write[_Item], items: Sequence[_Item], tx: DatabaseTransaction) -> Sequence[_Item | Refusal]:
    return await write(tx, items)


def _known_since(source: Source) -> dict[int, date]:
    """For each client the earliest opening of an account they have a right over."""
    since: dict[int, date] = {}
    for right in source.dispositions.values():
        opened_on = source.accounts[right.account_id].opened_on
        since[right.client_id] = min(opened_on, since.get(right.client_id, opened_on))
    return since


def _party(source: Source, client: Client, known_since: date) -> Party:
    """The source gives no names, so the name is the client's number there."""
    return Party(
        id=party_id(client.client_id),
        kind=PartyKind.PERSON,
        name=f"Client {client.client_id}",
        opened_on=known_since,
        born_on=client.born_on,
        reference=f"berka:client:{client.client_id}",
        details={"sex": client.sex.value, "district": source.districts[client.district_id].name},
    )


def _customer_accounts(source: Source) -> list[Account]:
    """No floor: 93 of the recorded balances are negative, overdrafts whose limits the source does not tell."""
    owners = source.owners()
    return [
        Account(
            id=customer_account(account_id),
            asset=CROWN.code,
            side=Side.CREDIT,
            chart=CUSTOMER_CHART,
            opened_on=account.opened_on,
            floor_minor=None,
            # Without one where the row that names the owner was refused.
            owner=str(party_id(owners[account_id])) if account_id in owners else None,
            details={
                "berka_account": str(account_id),
                "frequency": account.frequency.value,
                "district": source.districts[account.district_id].name,
            },
        )
        for account_id, account in source.accounts.items()
    ]


def _own_accounts() -> list[Account]:
    """No floor: they show what was booked, and bind nobody."""
    return [
        Account(
            id=own_account(counter),
            asset=CROWN.code,
            side=_SIDES[counter.side],
            chart=_OWN_ACCOUNTS[counter.key][1],
            opened_on=BOOKS_BEGIN_ON,
            floor_minor=None,
            details={"berka_counter": counter.key, "name": counter.name},
        )
        for counter in COUNTER_ACCOUNTS
    ]


def _roles(source: Source) -> list[Role]:
    """The source does not date the rights, so each counts from the account's opening."""
    return [
        Role(
            party=party_id(right.client_id),
            account=customer_account(right.account_id),
            kind=_ROLE_KINDS[right.type],
            since=source.accounts[right.account_id].opened_on,
        )
        for right in source.dispositions.values()
    ]


# Posting


@dataclass(slots=True)
class _Posting:
    """What has become of the transactions so far; `balances_minor` are the customers', by transaction."""

    posted: int = 0
    replayed: int = 0
    balances_minor: dict[int, int] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)


async def _post(engine: Engine, in_order: Rows, tell: Progress) -> _Posting:
    """One batch is in flight at most, and the next is made meanwhile."""
    posting = _Posting()
    entries = await asyncio.to_thread(_entries, in_order[:BATCH_ENTRIES])
    for start in range(0, len(in_order), BATCH_ENTRIES):
        stop = start + BATCH_ENTRIES
        outcomes, entries = await asyncio.gather(
            engine.post_batch(entries), asyncio.to_thread(_entries, in_order[stop : stop + BATCH_ENTRIES])
        )
        rows = in_order[start:stop]
        _take_up(posting, rows, outcomes)
        tell("post", start + len(rows), len(in_order))
    return posting


def _entries(rows: Iterable[Transaction]) -> list[Entry]:
    """The customer's leg comes first."""
    entries = []
    for row in rows:
        planned = plan(row)
        amount_minor = planned.amount_minor
        postings = (
            Posting(customer_account(planned.account_id), CROWN.code, amount_minor),
            Posting(own_account(planned.counter), CROWN.code, -amount_minor),
        )
        entries.append(Entry(planned.entry_id, planned.kind, planned.value_date, postings, details=planned.details))
    return entries


def _take_up(posting: _Posting, rows: Sequence[Transaction], outcomes: Iterable[Outcome]) -> None:
    for row, outcome in zip(rows, outcomes, strict=True):
        if isinstance(outcome, Refusal):
            posting.refused.append(Refused("trans.asc", row.line, f"not booked: {_reason(outcome)}"))
            continue
        if outcome.replayed:
            posting.replayed += 1
        else:
            posting.posted += 1
        posting.balances_minor[row.trans_id] = _customer_balance(outcome, customer_account(row.account_id))


def _customer_balance(done: Done, account: int) -> int:
    return next(balance.posted_minor for balance in done.balances if balance.account == account)


def _reason(refusal: Refusal) -> str:
    facts = ", ".join(f"{name} {value}" for name, value in refusal.facts.items())
    return f"{refusal.code.value} ({facts})" if facts else str(refusal.code.value)


def _tell_nobody(step: str, done: int, total: int) -> None:
    return None
