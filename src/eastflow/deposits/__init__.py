"""Customers' money with the bank. Nouns and reads are here; the verbs in `deposits.actions`."""

from .model import (
    AUTHORITY_CHARACTERS_MAX,
    CERTIFICATE_CHARACTERS_MAX,
    HEIRS_MAX,
    Correction,
    Deposit,
    DepositStatus,
    Executed,
    Opening,
    Order,
    Share,
    StepDone,
)
from .paper import LANGUAGES, LINES_MAX, statement_pdf
from .refusals import DepositsRefusal
from .store import corrections, deposit, deposits_of_party, orders_of

__all__ = [
    "AUTHORITY_CHARACTERS_MAX",
    "CERTIFICATE_CHARACTERS_MAX",
    "HEIRS_MAX",
    "LANGUAGES",
    "LINES_MAX",
    "Correction",
    "Deposit",
    "DepositStatus",
    "DepositsRefusal",
    "Executed",
    "Opening",
    "Order",
    "Share",
    "StepDone",
    "corrections",
    "deposit",
    "deposits_of_party",
    "orders_of",
    "statement_pdf",
]
