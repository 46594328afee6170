"""A small bank to look at: a chart of accounts, a dozen customers, a month of their payments, loans and card holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from uuid import UUID, uuid5

from eastflow.customers import Party, PartyKind, Role, RoleKind
from eastflow.customers.actions import grant_roles, register_parties
from eastflow.kernel import Asset, Refusal
from eastflow.ledger import Account, Capture, Command, Entry, Hold, Posting, Side
from eastflow.ledger.actions import define_asset, open_accounts, post
from eastflow.storage import Transaction

from .bank import Bank

_DEMO = UUID("0e0ff10a-0000-5000-8000-000000000001")
OPENED_ON = date(2025, 1, 6)
CASH, CENTRAL_BANK, CORRESPONDENT = 1_001, 1_002, 1_003
POSITION_CNY, POSITION_EUR = 1_101, 1_102
SHARE_CAPITAL, FEES, LOAN_INTEREST, DEPOSIT_INTEREST, CARD_SETTLEMENT = 3_001, 4_001, 4_002, 5_001, 2_901
FIRST_CUSTOMER_ACCOUNT, FIRST_LOAN, TERM_DEPOSIT, EXPORT_ACCOUNT = 2_001, 1_201, 2_501, 2_601
CUSTOMERS = (
    "Li Na", "Wang Wei", "Zhang Min", "Chen Jie", "Liu Yang", "Zhao Lei",
    "Sun Li", "Zhou Tao", "Wu Fang", "Xu Qiang", "Harbour Tea Company", "Green Valley Farm",
)  # fmt: skip
TEA, FARM = 10, 11
ORGANISATIONS = {TEA, FARM}
OVERDRAFTS_MINOR = {1: 5_000_00, TEA: 200_000_00}
LOANS_MINOR = {3: 300_000_00, FARM: 1_200_000_00}


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo bank holds. `entries` and `holds` are counted by what is asked for, not by what was new."""

    accounts: int
    parties: int
    entries: int
    holds: int


async def fill_demo(bank: Bank) -> Demo:
    """Make the demo bank's books, or find them made. All in one transaction: they are whole or absent."""
    return await bank.database.run(_fill)


async def _fill(tx: Transaction) -> Demo:
    for asset in (Asset("CNY", 2), Asset("EUR", 2)):
        _sound([await define_asset(tx, asset)])
    parties = [_party(number, name) for number, name in enumerate(CUSTOMERS)]
    accounts = [*_own_accounts(), *_customer_accounts(parties)]
    owners = {str(party.id): party for party in parties}
    roles = [Role(owners[a.owner].id, a.id, RoleKind.OWNER, OPENED_ON) for a in accounts if a.owner is not None]
    commands = _commands()
    _sound(await register_parties(tx, parties))
    _sound(await open_accounts(tx, accounts))
    _sound(await grant_roles(tx, roles))
    _sound(await post(tx, commands))
    entries = sum(isinstance(command, Entry) for command in commands)
    return Demo(len(accounts), len(parties), entries, sum(isinstance(command, Hold) for command in commands))


def _sound(answers: Sequence[object]) -> None:
    refused = [answer for answer in answers if isinstance(answer, Refusal)]
    if refused:
        raise DemoRefused(f"{refused[0].code.value} {dict(refused[0].facts)}")


class DemoRefused(Exception):
    """The books already hold something else under a number or name the demo needs; nothing was changed."""


def _party(number: int, name: str) -> Party:
    kind = PartyKind.ORGANISATION if number in ORGANISATIONS else PartyKind.PERSON
    return Party(_id(f"party:{number}"), kind, name, OPENED_ON, reference=f"demo:{number + 1}")


def _own_accounts() -> list[Account]:
    def own(number: int, side: Side, chart: str, asset: str = "CNY", floor_minor: int | None = None) -> Account:
        return Account(number, asset, side, chart, OPENED_ON, floor_minor)

    return [
        own(CASH, Side.DEBIT, "assets:cash", floor_minor=0),
        own(CENTRAL_BANK, Side.DEBIT, "assets:central_bank", floor_minor=0),
        own(CORRESPONDENT, Side.DEBIT, "assets:correspondents", "EUR", floor_minor=0),
        own(POSITION_CNY, Side.DEBIT, "assets:currency_position"),
        own(POSITION_EUR, Side.DEBIT, "assets:currency_position", "EUR"),
        own(CARD_SETTLEMENT, Side.CREDIT, "liabilities:settlement:cards"),
        own(SHARE_CAPITAL, Side.CREDIT, "equity:share_capital"),
        own(FEES, Side.CREDIT, "income:fees"),
        own(LOAN_INTEREST, Side.CREDIT, "income:interest:loans"),
        own(DEPOSIT_INTEREST, Side.DEBIT, "expenses:interest:deposits"),
    ]


def _customer_accounts(parties: Sequence[Party]) -> list[Account]:
    def of(number: int, account: int, chart: str, side: Side = Side.CREDIT, asset: str = "CNY") -> Account:
        overdraft = OVERDRAFTS_MINOR.get(number, 0) if account == FIRST_CUSTOMER_ACCOUNT + number else 0
        return Account(account, asset, side, chart, OPENED_ON, -overdraft, owner=str(parties[number].id))

    return [
        *(of(n, FIRST_CUSTOMER_ACCOUNT + n, "liabilities:deposits:demand") for n in range(len(parties))),
        *(of(n, FIRST_LOAN + place, "assets:loans", Side.DEBIT) for place, n in enumerate(LOANS_MINOR)),
        of(0, TERM_DEPOSIT, "liabilities:deposits:term"),
        of(TEA, EXPORT_ACCOUNT, "liabilities:deposits:demand", asset="EUR"),
    ]


def _commands() -> list[Command]:
    customers = range(FIRST_CUSTOMER_ACCOUNT, FIRST_CUSTOMER_ACCOUNT + len(CUSTOMERS))
    commands: list[Command] = [_entry("capital", "share_issue", 0, CENTRAL_BANK, SHARE_CAPITAL, 500_000_000_00)]
    for number, account in enumerate(customers):
        commands.append(
            _entry(f"deposit:{account}", "cash_deposit", number, CASH, account, (12 + 7 * number) * 1_000_00)
        )
        commands.append(_entry(f"fee:{account}", "account_fee", number, account, FEES, 5_00))
    for place, (number, amount_minor) in enumerate(LOANS_MINOR.items()):
        loan, current = FIRST_LOAN + place, customers[number]
        commands.append(_entry(f"loan:{number}", "loan_disbursement", 14, loan, current, amount_minor))
        commands.append(_entry(f"interest:{number}", "loan_interest", 45, current, LOAN_INTEREST, amount_minor // 250))
        commands.append(_entry(f"repayment:{number}", "loan_repayment", 45, current, loan, amount_minor // 60))
    for number in range(6):
        name = f"salary:{number}"
        commands.append(_entry(name, "salary", 19, customers[TEA], customers[number], 6_400_00 + number * 350_00))
    for one, other in pairwise(customers):
        commands.append(_entry(f"transfer:{one}", "transfer", 30, one, other, 250_00 + one % 7 * 10_00))
    commands.append(_entry("term", "term_deposit", 31, customers[0], TERM_DEPOSIT, 8_000_00))
    commands.append(_entry("term:interest", "deposit_interest", 59, DEPOSIT_INTEREST, TERM_DEPOSIT, 12_80))
    return [*commands, *_export(customers[TEA]), *_cards(customers)]


def _export(current: int) -> list[Command]:
    """The tea company is paid in euros and sells some of them to the bank: two assets in one entry, each at zero."""
    sale = (
        Posting(EXPORT_ACCOUNT, "EUR", -20_000_00), Posting(POSITION_EUR, "EUR", 20_000_00),
        Posting(POSITION_CNY, "CNY", -156_800_00), Posting(current, "CNY", 156_800_00),
    )  # fmt: skip
    # What the bank bought stands on its account abroad, so its position in euros is long and in CNY short.
    return [
        _entry("export", "foreign_receipt", 33, CORRESPONDENT, EXPORT_ACCOUNT, 48_000_00, asset="EUR"),
        Entry(_id("sale"), "currency_sale", _day(34), sale, "EUR/CNY 7.84", {"demo": "sale", "rate": "7.84"}),
    ]


def _cards(customers: Sequence[int]) -> list[Command]:
    """Three card payments: one settled, one given back in part, one still held. And a transfer that was undone."""
    commands: list[Command] = []
    for number, (held, settled) in enumerate(((320_00, 320_00), (500_00, 412_50), (188_00, 0))):
        account, hold = customers[number], _id(f"hold:{number}")
        commands.append(Hold(hold, account, "CNY", held))
        if settled:
            legs = (Posting(account, "CNY", -settled), Posting(CARD_SETTLEMENT, "CNY", settled))
            name = f"card:{number}"
            details = {"demo": name, "merchant": ("Corner Bakery", "Riverside Hotel")[number]}
            commands.append(
                Entry(_id(name), "card_payment", _day(40), legs, None, details, capture=Capture(account, hold))
            )
    mistake = _entry("mistake", "transfer", 41, customers[5], customers[6], 90_00)
    undone = tuple(Posting(leg.account, leg.asset, -leg.amount_minor) for leg in mistake.postings)
    undo = Entry(_id("undo"), "reversal", mistake.value_date, undone, "Sent to the wrong person", reverses=mistake.id)
    return [*commands, mistake, undo]


def _entry(name: str, kind: str, day: int, debit: int, credit: int, amount_minor: int, *, asset: str = "CNY") -> Entry:
    postings = (Posting(debit, asset, -amount_minor), Posting(credit, asset, amount_minor))
    return Entry(_id(name), kind, _day(day), postings, details={"demo": name})


def _day(number: int) -> date:
    return OPENED_ON + timedelta(days=number)


def _id(name: str) -> UUID:
    return uuid5(_DEMO, name)
