"""Says for each of the Czech bank's transactions which account of ours stands against the customer's, and its name.

The customer's deposit account is a liability. A positive amount credits it; the counter account takes the opposite.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from types import MappingProxyType
from uuid import UUID

from .records import BANKS, Operation, Symbol, Transaction, TransactionType


class BookSide(Enum):
    """The side on which a balance grows: assets and expenses by debits, liabilities and income by credits."""

    DEBIT = "debit"
    CREDIT = "credit"


@dataclass(frozen=True, slots=True)
class CounterAccount:
    """One of the bank's own accounts; the key is stable and names it for good."""

    key: str
    side: BookSide
    name: str


CASH = CounterAccount("cash", BookSide.DEBIT, "Cash")
INTEREST_EXPENSE = CounterAccount("interest_expense", BookSide.DEBIT, "Interest paid on deposits")
CARD_SETTLEMENT = CounterAccount("card_settlement", BookSide.CREDIT, "Card withdrawals to be settled")
FEE_INCOME = CounterAccount("fee_income", BookSide.CREDIT, "Fees for statements")
PENALTY_INTEREST_INCOME = CounterAccount("penalty_interest_income", BookSide.CREDIT, "Penalty interest on overdrafts")
UNCLASSIFIED = CounterAccount("unclassified", BookSide.CREDIT, "Transactions to be classified by a person")
OTHER_BANKS: Mapping[str, CounterAccount] = MappingProxyType(
    {bank: CounterAccount(f"bank:{bank}", BookSide.DEBIT, f"Due from bank {bank}") for bank in sorted(BANKS)}
)
COUNTER_ACCOUNTS: tuple[CounterAccount, ...] = (
    CASH,
    INTEREST_EXPENSE,
    CARD_SETTLEMENT,
    FEE_INCOME,
    PENALTY_INTEREST_INCOME,
    UNCLASSIFIED,
    *OTHER_BANKS.values(),
)
"""Every account that `plan` can name, so that all can be opened before the first entry."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One balanced entry: `amount_minor` to the customer's account (positive: a credit), its opposite to `counter`."""

    entry_id: UUID
    account_id: int
    amount_minor: int
    counter: CounterAccount
    kind: str
    value_date: date
    details: dict[str, str]


_UNSPECIFIED = (Symbol.NONE, Symbol.BLANK)
_CREDIT, _DEBIT = True, False
_Key = tuple[bool, Operation, Symbol]

_OVER_OUR_BOOKS: dict[_Key, tuple[str, CounterAccount]] = {
    **{(_CREDIT, Operation.CASH_DEPOSIT, symbol): ("cash_deposit", CASH) for symbol in _UNSPECIFIED},
    **{(_DEBIT, Operation.CASH_WITHDRAWAL, symbol): ("cash_withdrawal", CASH) for symbol in _UNSPECIFIED},
    **{(_DEBIT, Operation.CARD_WITHDRAWAL, symbol): ("card_withdrawal", CARD_SETTLEMENT) for symbol in _UNSPECIFIED},
    (_CREDIT, Operation.NONE, Symbol.INTEREST): ("interest_credited", INTEREST_EXPENSE),
    # The source calls fees, penalties and some household payments cash withdrawals; for the first two no cash moves.
    (_DEBIT, Operation.CASH_WITHDRAWAL, Symbol.FEE): ("fee", FEE_INCOME),
    (_DEBIT, Operation.CASH_WITHDRAWAL, Symbol.PENALTY_INTEREST): ("penalty_interest", PENALTY_INTEREST_INCOME),
    (_DEBIT, Operation.CASH_WITHDRAWAL, Symbol.HOUSEHOLD): ("household_payment_in_cash", CASH),
}

_OVER_OTHER_BANKS: dict[_Key, str] = {
    **{(_CREDIT, Operation.FROM_OTHER_BANK, symbol): "transfer_in" for symbol in _UNSPECIFIED},
    **{(_DEBIT, Operation.TO_OTHER_BANK, symbol): "transfer_out" for symbol in _UNSPECIFIED},
    (_CREDIT, Operation.FROM_OTHER_BANK, Symbol.PENSION): "pension_received",
    (_DEBIT, Operation.TO_OTHER_BANK, Symbol.HOUSEHOLD): "household_payment",
    (_DEBIT, Operation.TO_OTHER_BANK, Symbol.INSURANCE): "insurance_payment",
    (_DEBIT, Operation.TO_OTHER_BANK, Symbol.LOAN): "loan_repayment",
    (_DEBIT, Operation.TO_OTHER_BANK, Symbol.LEASING): "leasing_payment",
}


def plan(transaction: Transaction) -> Plan:
    """The entry for one transaction; what the source combines in no known way is booked to `unclassified`."""
    kind, counter = _classified(transaction)
    return Plan(
        entry_id=entry_id(transaction),
        account_id=transaction.account_id,
        amount_minor=transaction.signed_amount_minor,
        counter=counter,
        kind=kind,
        value_date=transaction.booked_on,
        details=_details(transaction),
    )


def _classified(transaction: Transaction) -> tuple[str, CounterAccount]:
    credit = transaction.type is TransactionType.CREDIT
    key = credit, transaction.operation, transaction.symbol
    if (found := _OVER_OUR_BOOKS.get(key)) is not None:
        return found
    kind = _OVER_OTHER_BANKS.get(key)
    bank = OTHER_BANKS.get(transaction.other_bank)
    if kind is not None and bank is not None:
        return kind, bank
    return ("unclassified_credit" if credit else "unclassified_debit"), UNCLASSIFIED


def _details(transaction: Transaction) -> dict[str, str]:
    """What the source wrote, in its own words, less what is empty."""
    written = {
        "trans_id": str(transaction.trans_id),
        "type": transaction.type.value,
        "operation": transaction.operation.value,
        "symbol": transaction.symbol.value,
        "bank": transaction.other_bank,
        "account": transaction.other_account,
    }
    return {name: value for name, value in written.items() if value}


_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_MILLISECONDS_A_DAY = 86_400_000
_MARK = int.from_bytes(hashlib.sha256(b"eastflow.operations.berka").digest()[:3], "big")
"""24 fixed bits that keep these ids apart from any other source's."""


def entry_id(transaction: Transaction) -> UUID:
    """A version 7 UUID made of the value date and the transaction's id alone, so that each run makes the same one.

    48 bits: milliseconds of the value date's midnight, so that the ids rise with the dates; 24 bits: the mark above,
    on both sides of the variant; 50 bits: the transaction's id, so that no two rows of a file share an id.
    """
    assert 0 < transaction.trans_id < 1 << 50, "reading lets at most 15 digits pass"
    milliseconds = (transaction.booked_on.toordinal() - _EPOCH_ORDINAL) * _MILLISECONDS_A_DAY
    assert 0 <= milliseconds < 1 << 48, "the source's dates lie between 1970 and 1999"
    high = milliseconds << 16 | 0x7000 | _MARK >> 12
    low = 0b10 << 62 | (_MARK & 0xFFF) << 50 | transaction.trans_id
    return UUID(int=high << 64 | low)
