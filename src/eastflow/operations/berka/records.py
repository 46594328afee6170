"""What the Czech bank's eight files say, one record for each row.

The source is the Berka data set (PKDD'99): the accounts, clients, orders, cards and loans of a real Czech bank, with
its transactions from 1993. Its codes are Czech; the names here are English, the values stay as the source writes them.
Money is whole haléř (1 koruna = 100 haléř).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum

BANKS = frozenset({"AB", "CD", "EF", "GH", "IJ", "KL", "MN", "OP", "QR", "ST", "UV", "WX", "YZ"})
"""The two-letter codes the source gives to the other banks it pays and is paid by."""


class Frequency(Enum):
    """How often the account's statement is issued."""

    MONTHLY = "POPLATEK MESICNE"
    WEEKLY = "POPLATEK TYDNE"
    AFTER_TRANSACTION = "POPLATEK PO OBRATU"


class Sex(Enum):
    FEMALE = "female"
    MALE = "male"


class DispositionType(Enum):
    OWNER = "OWNER"
    DISPONENT = "DISPONENT"


class CardType(Enum):
    JUNIOR = "junior"
    CLASSIC = "classic"
    GOLD = "gold"


class LoanStatus(Enum):
    FINISHED_PAID = "A"
    FINISHED_UNPAID = "B"
    RUNNING_IN_ORDER = "C"
    RUNNING_IN_DEBT = "D"


class TransactionType(Enum):
    """CASH_DEBIT is a second code the source uses for a part of its cash withdrawals."""

    CREDIT = "PRIJEM"
    DEBIT = "VYDAJ"
    CASH_DEBIT = "VYBER"


class Operation(Enum):
    CASH_DEPOSIT = "VKLAD"
    CASH_WITHDRAWAL = "VYBER"
    FROM_OTHER_BANK = "PREVOD Z UCTU"
    TO_OTHER_BANK = "PREVOD NA UCET"
    CARD_WITHDRAWAL = "VYBER KARTOU"
    NONE = ""


class Symbol(Enum):
    """What the payment is for. The source writes "not given" in two ways, and both are kept."""

    INTEREST = "UROK"
    PENALTY_INTEREST = "SANKC. UROK"
    FEE = "SLUZBY"
    HOUSEHOLD = "SIPO"
    PENSION = "DUCHOD"
    INSURANCE = "POJISTNE"
    LOAN = "UVER"
    LEASING = "LEASING"
    BLANK = " "
    NONE = ""


@dataclass(frozen=True, slots=True)
class District:
    """None stands where the source has a question mark."""

    district_id: int
    name: str
    region: str
    inhabitants: int
    municipalities_to_499: int
    municipalities_to_1999: int
    municipalities_to_9999: int
    municipalities_from_10000: int
    cities: int
    urban_inhabitants_basis_points: int
    average_salary_crowns: int
    unemployment_1995_basis_points: int | None
    unemployment_1996_basis_points: int
    entrepreneurs_per_1000: int
    crimes_1995: int | None
    crimes_1996: int


@dataclass(frozen=True, slots=True)
class Account:
    account_id: int
    district_id: int
    frequency: Frequency
    opened_on: date


@dataclass(frozen=True, slots=True)
class Client:
    """The birth number is YYMMDD, with 50 added to the month for a woman."""

    client_id: int
    birth_number: str
    born_on: date
    sex: Sex
    district_id: int


@dataclass(frozen=True, slots=True)
class Disposition:
    """A client's right over an account: its owner, or a person the owner lets use it."""

    disposition_id: int
    client_id: int
    account_id: int
    type: DispositionType


@dataclass(frozen=True, slots=True)
class PermanentOrder:
    order_id: int
    account_id: int
    other_bank: str
    other_account: str
    amount_minor: int
    symbol: Symbol


@dataclass(frozen=True, slots=True)
class Card:
    card_id: int
    disposition_id: int
    type: CardType
    issued_on: date


@dataclass(frozen=True, slots=True)
class Loan:
    loan_id: int
    account_id: int
    granted_on: date
    amount_minor: int
    duration_months: int
    payment_minor: int
    status: LoanStatus


@dataclass(frozen=True, slots=True)
class Transaction:
    """`balance_minor` is what the source recorded after it; `line` is its place in the file, the header being 1."""

    line: int
    trans_id: int
    account_id: int
    booked_on: date
    type: TransactionType
    operation: Operation
    amount_minor: int
    balance_minor: int
    symbol: Symbol
    other_bank: str
    other_account: str

    @property
    def signed_amount_minor(self) -> int:
        """What the transaction does to the customer's balance."""
        return self.amount_minor if self.type is TransactionType.CREDIT else -self.amount_minor


Record = District | Account | Client | Disposition | PermanentOrder | Card | Loan | Transaction


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that is not imported, and why. Its neighbours are."""

    file: str
    line: int
    reason: str
