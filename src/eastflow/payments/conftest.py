"""A small bank for the tests of payments: accounts with money, and a caller for each verb."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from inspect import signature
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest

from eastflow import ledger
from eastflow.customers import Channel, Party, PartyKind, Role, RoleKind
from eastflow.customers.actions import grant_role, register_party
from eastflow.kernel import Asset, Refusal
from eastflow.ledger import Account, Entry, Posting, Side, Status
from eastflow.ledger.actions import change_status, define_asset, internal_account, open_accounts, post
from eastflow.storage import Database, Transaction

from . import Endpoint, Transfer
from .transfers.actions import CLEARING, SUSPENSE

TODAY = date(2026, 3, 2)
"""A Monday."""
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
ANN, BOB, SHOP, POOR, FROZEN, EUROS, TERM = range(1001, 1008)
_Result = TypeVar("_Result")


@dataclass
class Bank:
    """`at` is what its clock shows."""

    database: Database
    at: datetime = AT
    owners: dict[int, UUID] = field(default_factory=dict)

    def clock(self) -> datetime:
        return self.at

    async def run(self, work: Callable[[Transaction], Awaitable[_Result]]) -> _Result:
        return await self.database.run(work)

    async def call(self, verb: Callable[..., Awaitable[_Result]], *given: Any, **named: Any) -> _Result:
        """With the bank's clock, where the verb reads one: it does not run back, nor does the books'."""
        if "clock" in signature(verb).parameters:
            named |= {"clock": self.clock}
        return await self.database.run(lambda tx: verb(tx, *given, **named))

    async def balance(self, account: int | str) -> int:
        async def work(tx: Transaction) -> int:
            number = account
            if isinstance(number, str):
                side = Side.DEBIT if number.startswith("assets:") else Side.CREDIT
                found = await internal_account(tx, number, "CZK", side, today=lambda: TODAY)
                assert isinstance(found, int)
                number = found
            standing = await ledger.balance(tx, number)
            assert standing is not None
            return standing.posted_minor

        return await self.run(work)

    async def balances(self, *accounts: int | str) -> list[int]:
        return [await self.balance(account) for account in accounts]

    async def total(self) -> int:
        """What customers have and what is on its way to or from them. Clearing is on the side of debits."""
        ann, bob, shop, poor, suspense, clearing = await self.balances(ANN, BOB, SHOP, POOR, SUSPENSE, CLEARING)
        return ann + bob + shop + poor + suspense - clearing


@pytest.fixture
async def bank(database: Database) -> Bank:
    """Ann has 10,000.00, Bob 500.00, the shop 2,000.00, the poor nothing; Ann and Bob are known by name."""
    made = Bank(database)

    async def work(tx: Transaction) -> None:
        for code in ("CZK", "EUR"):
            await define_asset(tx, Asset(code, 2))
        numbers = (ANN, BOB, SHOP, POOR, FROZEN)
        new = [Account(number, "CZK", Side.CREDIT, "liabilities:deposits:demand", TODAY) for number in numbers]
        new.append(Account(EUROS, "EUR", Side.CREDIT, "liabilities:deposits:demand", TODAY))
        new.append(Account(TERM, "CZK", Side.CREDIT, "liabilities:deposits:term", TODAY))
        await open_accounts(tx, new)
        await change_status(tx, FROZEN, Status.FROZEN)
        cash = await internal_account(tx, "assets:cash", "CZK", Side.DEBIT, today=lambda: TODAY)
        assert isinstance(cash, int)
        for account, amount in ((ANN, 1_000_000), (BOB, 50_000), (SHOP, 200_000)):
            legs = (Posting(cash, "CZK", -amount), Posting(account, "CZK", amount))
            await post(tx, [Entry(uuid4(), "cash", TODAY, legs)], clock=made.clock, today=lambda: TODAY)
        for account, name in ((ANN, "Ann Nováková"), (BOB, "Bob Dvořák")):
            party = Party(uuid4(), PartyKind.PERSON, name, TODAY - timedelta(days=9), date(1990, 1, account % 28 + 1))
            assert not isinstance(await register_party(tx, party, today=lambda: TODAY), Refusal)
            await grant_role(tx, Role(party.id, account, RoleKind.OWNER, TODAY - timedelta(days=9)))
            made.owners[account] = party.id

    await made.run(work)
    return made


def to(account: int | str, bank: str | None = None, name: str = "") -> Endpoint:
    return Endpoint(name, str(account), bank)


def ask(
    debtor: int = ANN, creditor: Endpoint | int = BOB, amount_minor: int = 1_000, asset: str = "CZK", **changes: Any
) -> Transfer:
    end = creditor if isinstance(creditor, Endpoint) else to(creditor)
    given: dict[str, Any] = {"id": uuid4(), "channel": Channel.API} | changes
    return Transfer(debtor=debtor, creditor=end, amount_minor=amount_minor, asset=asset, **given)
