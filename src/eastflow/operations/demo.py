"""A small bank to look at: a chart of accounts, a dozen customers, a day's payments, a card hold."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from uuid import UUID, uuid5

from eastflow.customers import Party, PartyKind, Role, RoleKind
from eastflow.customers.actions import grant_roles, register_parties
from eastflow.kernel import Asset, Refusal
from eastflow.ledger import Account, Command, Entry, Hold, Posting, Side
from eastflow.ledger.actions import define_asset, open_accounts
from eastflow.storage import Transaction

from .bank import Bank

_DEMO = UUID("0e0ff10a-0000-5000-8000-000000000001")
OPENED_ON = date(2026, 1, 5)
CASH, SETTLEMENT, FEES, SHARE_CAPITAL = 1_001, 1_002, 4_001, 3_001
OWN_ACCOUNTS = (
    Account(CASH, "CNY", Side.DEBIT, "assets:cash", OPENED_ON),
    Account(SETTLEMENT, "CNY", Side.DEBIT, "assets:central_bank", OPENED_ON),
    Account(SHARE_CAPITAL, "CNY", Side.CREDIT, "equity:share_capital", OPENED_ON),
    Account(FEES, "CNY", Side.CREDIT, "income:fees", OPENED_ON),
)
CUSTOMERS = (
    "Li Na", "Wang Wei", "Zhang Min", "Chen Jie", "Liu Yang", "Zhao Lei",
    "Sun Li", "Zhou Tao", "Wu Fang", "Xu Qiang", "Harbour Tea Company", "Green Valley Farm",
)  # fmt: skip
ORGANISATIONS_FROM = 10
FIRST_CUSTOMER_ACCOUNT = 2_001


async def fill_demo(bank: Bank) -> int:
    """Make the demo bank's books, or find them made, and return how many entries they have."""
    await bank.database.run(_open)
    commands = _commands()
    outcomes = await bank.engine.post_batch(commands)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refusal)]
    assert not refused, f"the demo's own books are sound: {refused}"
    return sum(isinstance(command, Entry) for command in commands)


async def _open(tx: Transaction) -> None:
    await define_asset(tx, Asset("CNY", 2))
    parties = [
        Party(
            _id(f"party:{number}"),
            PartyKind.ORGANISATION if number >= ORGANISATIONS_FROM else PartyKind.PERSON,
            name,
            OPENED_ON,
            reference=f"demo:{number + 1}",
        )
        for number, name in enumerate(CUSTOMERS)
    ]
    await register_parties(tx, parties)
    accounts = [
        Account(
            FIRST_CUSTOMER_ACCOUNT + number, "CNY", Side.CREDIT, "liabilities:deposits:demand", OPENED_ON, 0,
            owner=str(party.id),
        )
        for number, party in enumerate(parties)
    ]  # fmt: skip
    await open_accounts(tx, [*OWN_ACCOUNTS, *accounts])
    roles = [
        Role(party.id, account.id, RoleKind.OWNER, OPENED_ON) for party, account in zip(parties, accounts, strict=True)
    ]
    await grant_roles(tx, roles)


def _commands() -> list[Command]:
    customers = range(FIRST_CUSTOMER_ACCOUNT, FIRST_CUSTOMER_ACCOUNT + len(CUSTOMERS))
    commands: list[Command] = [_entry("capital", "share_issue", OPENED_ON, SETTLEMENT, SHARE_CAPITAL, 500_000_000_00)]
    for number, account in enumerate(customers):
        day = OPENED_ON + timedelta(days=number)
        commands.append(_entry(f"deposit:{account}", "cash_deposit", day, CASH, account, (12 + 7 * number) * 1_000_00))
        commands.append(_entry(f"fee:{account}", "account_fee", day, account, FEES, 5_00))
    for one, other in pairwise(customers):
        day = OPENED_ON + timedelta(days=30)
        commands.append(_entry(f"transfer:{one}", "transfer", day, one, other, 250_00 + one % 7 * 10_00))
    commands.append(Hold(_id("hold:card"), FIRST_CUSTOMER_ACCOUNT, "CNY", 320_00))
    return commands


def _entry(name: str, kind: str, day: date, debit: int, credit: int, amount_minor: int) -> Entry:
    postings = (Posting(debit, "CNY", -amount_minor), Posting(credit, "CNY", amount_minor))
    return Entry(_id(name), kind, day, postings, details={"demo": name})


def _id(name: str) -> UUID:
    return uuid5(_DEMO, name)
