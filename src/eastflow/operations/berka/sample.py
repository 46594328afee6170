"""A small bank in the form of the Czech bank's files, for the tests."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from .records import Operation, Symbol, Transaction, TransactionType

FILES: dict[str, list[str]] = {
    "district.asc": [
        "A1;A2;A3;A4;A5;A6;A7;A8;A9;A10;A11;A12;A13;A14;A15;A16",
        '1;"Hl.m. Praha";"Prague";1204953;0;0;0;1;1;100.0;12541;0.29;0.43;167;85677;99107',
        '69;"Jesenik";"north Moravia";42821;4;13;5;1;3;48.4;8173;?;7.01;124;?;1358',
    ],
    "account.asc": [
        '"account_id";"district_id";"frequency";"date"',
        '7;1;"POPLATEK MESICNE";930101',
        '8;69;"POPLATEK PO OBRATU";930215',
    ],
    "client.asc": ['"client_id";"birth_number";"district_id"', '1;"706213";1', '2;"450204";69', '3;"406009";1'],
    "disp.asc": [
        '"disp_id";"client_id";"account_id";"type"',
        '11;1;7;"OWNER"',
        '12;2;8;"OWNER"',
        '13;3;8;"DISPONENT"',
    ],
    "order.asc": [
        '"order_id";"account_id";"bank_to";"account_to";"amount";"k_symbol"',
        '21;7;"YZ";"087144583";2452.00;"SIPO"',
    ],
    "card.asc": ['"card_id";"disp_id";"type";"issued"', '31;13;"junior";931107 00:00:00'],
    "loan.asc": [
        '"loan_id";"account_id";"date";"amount";"duration";"payments";"status"',
        '41;7;930705;96396;12;8033.00;"B"',
    ],
    "trans.asc": [
        '"trans_id";"account_id";"date";"type";"operation";"amount";"balance";"k_symbol";"bank";"account"',
        '101;7;930101;"PRIJEM";"VKLAD";700.00;700.00;"";;',
        '102;7;930131;"VYDAJ";"PREVOD NA UCET";252.50;447.50;"SIPO";"YZ";"087144583"',
        '103;8;930215;"PRIJEM";"";94.70;94.70;"UROK";;',
    ],
}


def write_files(directory: Path, **lines: list[str]) -> Path:
    """Writes all files; a keyword such as `trans` gives the rows under that file's header instead of the usual ones."""
    for file, usual in FILES.items():
        rows = [usual[0], *lines.get(file.removesuffix(".asc"), usual[1:])]
        (directory / file).write_bytes("".join(f"{row}\r\n" for row in rows).encode())
    return directory


def transaction(
    line: int,
    signed_amount_minor: int,
    balance_minor: int,
    *,
    account_id: int = 7,
    booked_on: date = date(1993, 1, 1),
    operation: Operation = Operation.NONE,
    symbol: Symbol = Symbol.NONE,
    other_bank: str = "",
    other_account: str = "",
) -> Transaction:
    return Transaction(
        line=line,
        trans_id=line + 1000,
        account_id=account_id,
        booked_on=booked_on,
        type=TransactionType.CREDIT if signed_amount_minor > 0 else TransactionType.DEBIT,
        operation=operation,
        amount_minor=abs(signed_amount_minor),
        balance_minor=balance_minor,
        symbol=symbol,
        other_bank=other_bank,
        other_account=other_account,
    )
