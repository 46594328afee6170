"""Reads the Czech bank's eight files row by row: what can be used is kept, every other row is refused by its line.

A row is refused when it has too few or too many fields, a value outside its column's form, an id given before, or a
reference to a row that was not read. A file's last row without a line end may be cut off in the middle of a number, so
it is refused even where it could be read. A missing file or a wrong header stops the whole reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from .fields import (
    FieldRefused,
    amount,
    bank,
    birth,
    code,
    codes,
    day,
    day_at_midnight,
    digits,
    hundredths,
    known,
    name,
    positive_number,
    unless_unknown,
    unquoted,
    whole_number,
)
from .records import (
    Account,
    Card,
    CardType,
    Client,
    Disposition,
    DispositionType,
    District,
    Frequency,
    Loan,
    LoanStatus,
    Operation,
    PermanentOrder,
    Refused,
    Symbol,
    Transaction,
    TransactionType,
)

HEADERS = {
    "district.asc": tuple(f"A{column}" for column in range(1, 17)),
    "account.asc": ("account_id", "district_id", "frequency", "date"),
    "client.asc": ("client_id", "birth_number", "district_id"),
    "disp.asc": ("disp_id", "client_id", "account_id", "type"),
    "order.asc": ("order_id", "account_id", "bank_to", "account_to", "amount", "k_symbol"),
    "card.asc": ("card_id", "disp_id", "type", "issued"),
    "loan.asc": ("loan_id", "account_id", "date", "amount", "duration", "payments", "status"),
    "trans.asc": (
        *("trans_id", "account_id", "date", "type", "operation"),
        *("amount", "balance", "k_symbol", "bank", "account"),
    ),
}

_FREQUENCIES, _DISPOSITION_TYPES, _CARD_TYPES = codes(Frequency), codes(DispositionType), codes(CardType)
_LOAN_STATUSES, _TRANSACTION_TYPES = codes(LoanStatus), codes(TransactionType)
_OPERATIONS, _SYMBOLS = codes(Operation), codes(Symbol)

_Row = TypeVar("_Row")


class SourceRefused(FieldRefused):
    """A whole file cannot be used, so nothing is read; the message names the file and the reason."""


@dataclass(frozen=True, slots=True)
class Source:
    """Everything that could be read, by id where the source gives one, in the files' order."""

    districts: dict[int, District]
    accounts: dict[int, Account]
    clients: dict[int, Client]
    dispositions: dict[int, Disposition]
    orders: dict[int, PermanentOrder]
    cards: dict[int, Card]
    loans: dict[int, Loan]
    transactions: tuple[Transaction, ...]
    refused: tuple[Refused, ...]

    def owners(self) -> dict[int, int]:
        """The client who owns each account; an account whose owner's row was refused is not in it."""
        owner = DispositionType.OWNER
        return {right.account_id: right.client_id for right in self.dispositions.values() if right.type is owner}


def read(directory: Path) -> Source:
    """The files are read in the order of their references: districts first, transactions last."""
    missing = [file for file in HEADERS if not (directory / file).is_file()]
    if missing:
        raise SourceRefused(f"{directory} has no {', '.join(missing)}")
    refused: list[Refused] = []

    def table(file: str, parse: Callable[[list[str], int], _Row]) -> dict[int, _Row]:
        return _table(directory, file, parse, refused)

    districts = table("district.asc", _district)
    accounts = table("account.asc", lambda fields, _: _account(fields, districts))
    clients = table("client.asc", lambda fields, _: _client(fields, districts))
    owned: set[int] = set()
    dispositions = table("disp.asc", lambda fields, _: _disposition(fields, clients, accounts, owned))
    orders = table("order.asc", lambda fields, _: _order(fields, accounts))
    cards = table("card.asc", lambda fields, _: _card(fields, dispositions))
    loans = table("loan.asc", lambda fields, _: _loan(fields, accounts))
    transactions = table("trans.asc", lambda fields, line: _transaction(fields, line, accounts))
    return Source(
        districts=districts,
        accounts=accounts,
        clients=clients,
        dispositions=dispositions,
        orders=orders,
        cards=cards,
        loans=loans,
        transactions=tuple(transactions.values()),
        refused=tuple(refused),
    )


def _table(
    directory: Path, file: str, parse: Callable[[list[str], int], _Row], refused: list[Refused]
) -> dict[int, _Row]:
    """One file's rows by their id, which is always its first column."""
    rows: dict[int, _Row] = {}
    header = HEADERS[file]
    for line, raw in _lines(directory, file):
        try:
            fields = _fields(raw, len(header))
            row_id = positive_number(fields[0], header[0])
            if row_id in rows:
                raise FieldRefused(f"{header[0]} {row_id} was given on an earlier line")
            rows[row_id] = parse(fields, line)
        except FieldRefused as refusal:
            refused.append(Refused(file, line, str(refusal)))
    return rows


def _lines(directory: Path, file: str) -> Iterator[tuple[int, bytes]]:
    """The rows under a header that must be right, each with its line number as an editor counts it."""
    # Bytes, because text mode would also end a line at a lone carriage return and shift every number after it.
    with (directory / file).open("rb") as stream:
        header = ";".join(HEADERS[file])
        found = stream.readline().rstrip(b"\r\n").decode("utf-8", errors="replace").replace('"', "")
        if found != header:
            raise SourceRefused(f"{file} line 1: the header must be {header!r}, not {found[:200]!r}")
        yield from enumerate(stream, start=2)


def _fields(raw: bytes, count: int) -> list[str]:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise FieldRefused(f"not UTF-8 text at byte {problem.start + 1}") from None
    fields = text.removesuffix("\n").removesuffix("\r").split(";")
    if not text.endswith("\n"):
        raise FieldRefused(f"cut off: no line end after {len(fields)} of {count} fields")
    if len(fields) != count:
        raise FieldRefused(f"{len(fields)} fields instead of {count}")
    return unquoted(fields)


def _district(fields: list[str], _: int) -> District:
    return District(
        district_id=positive_number(fields[0], "A1"),
        name=name(fields[1], "A2"),
        region=name(fields[2], "A3"),
        inhabitants=whole_number(fields[3], "A4"),
        municipalities_to_499=whole_number(fields[4], "A5"),
        municipalities_to_1999=whole_number(fields[5], "A6"),
        municipalities_to_9999=whole_number(fields[6], "A7"),
        municipalities_from_10000=whole_number(fields[7], "A8"),
        cities=whole_number(fields[8], "A9"),
        urban_inhabitants_basis_points=hundredths(fields[9], "A10"),
        average_salary_crowns=whole_number(fields[10], "A11"),
        unemployment_1995_basis_points=unless_unknown(hundredths, fields[11], "A12"),
        unemployment_1996_basis_points=hundredths(fields[12], "A13"),
        entrepreneurs_per_1000=whole_number(fields[13], "A14"),
        crimes_1995=unless_unknown(whole_number, fields[14], "A15"),
        crimes_1996=whole_number(fields[15], "A16"),
    )


def _account(fields: list[str], districts: dict[int, District]) -> Account:
    return Account(
        account_id=positive_number(fields[0], "account_id"),
        district_id=known(whole_number(fields[1], "district_id"), districts, "district_id"),
        frequency=code(fields[2], _FREQUENCIES, "frequency"),
        opened_on=day(fields[3], "date"),
    )


def _client(fields: list[str], districts: dict[int, District]) -> Client:
    born_on, sex = birth(fields[1])
    return Client(
        client_id=positive_number(fields[0], "client_id"),
        birth_number=fields[1],
        born_on=born_on,
        sex=sex,
        district_id=known(whole_number(fields[2], "district_id"), districts, "district_id"),
    )


def _disposition(
    fields: list[str], clients: dict[int, Client], accounts: dict[int, Account], owned: set[int]
) -> Disposition:
    """`owned` holds the accounts that have their one owner already, and gains this one."""
    right = Disposition(
        disposition_id=positive_number(fields[0], "disp_id"),
        client_id=known(whole_number(fields[1], "client_id"), clients, "client_id"),
        account_id=known(whole_number(fields[2], "account_id"), accounts, "account_id"),
        type=code(fields[3], _DISPOSITION_TYPES, "type"),
    )
    if right.type is DispositionType.OWNER:
        if right.account_id in owned:
            raise FieldRefused(f"account_id {right.account_id} has an owner already")
        owned.add(right.account_id)
    return right


def _order(fields: list[str], accounts: dict[int, Account]) -> PermanentOrder:
    return PermanentOrder(
        order_id=positive_number(fields[0], "order_id"),
        account_id=known(whole_number(fields[1], "account_id"), accounts, "account_id"),
        other_bank=bank(fields[2], "bank_to"),
        other_account=digits(fields[3], "account_to"),
        amount_minor=amount(fields[4], "amount"),
        symbol=code(fields[5], _SYMBOLS, "k_symbol"),
    )


def _card(fields: list[str], dispositions: dict[int, Disposition]) -> Card:
    return Card(
        card_id=positive_number(fields[0], "card_id"),
        disposition_id=known(whole_number(fields[1], "disp_id"), dispositions, "disp_id"),
        type=code(fields[2], _CARD_TYPES, "type"),
        issued_on=day_at_midnight(fields[3], "issued"),
    )


def _loan(fields: list[str], accounts: dict[int, Account]) -> Loan:
    return Loan(
        loan_id=positive_number(fields[0], "loan_id"),
        account_id=known(whole_number(fields[1], "account_id"), accounts, "account_id"),
        granted_on=day(fields[2], "date"),
        amount_minor=amount(fields[3], "amount"),
        duration_months=positive_number(fields[4], "duration"),
        payment_minor=amount(fields[5], "payments"),
        status=code(fields[6], _LOAN_STATUSES, "status"),
    )


def _transaction(fields: list[str], line: int, accounts: dict[int, Account]) -> Transaction:
    # By place, not by name: this runs for every row of the long file.
    return Transaction(
        line,
        int(fields[0]),
        known(whole_number(fields[1], "account_id"), accounts, "account_id"),
        day(fields[2], "date"),
        code(fields[3], _TRANSACTION_TYPES, "type"),
        code(fields[4], _OPERATIONS, "operation"),
        amount(fields[5], "amount"),
        hundredths(fields[6], "balance"),
        code(fields[7], _SYMBOLS, "k_symbol"),
        bank(fields[8], "bank"),
        digits(fields[9], "account"),
    )
