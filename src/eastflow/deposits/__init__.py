"""Customers' money with the bank. Nouns and reads are here; the verbs in `deposits.actions`."""

from .model import (
    AUTHORITY_CHARACTERS_MAX,
    CERTIFICATE_CHARACTERS_MAX,
    HEIRS_MAX,
    PLEDGE_CHARACTERS_MAX,
    Correction,
    Deposit,
    DepositStatus,
    Executed,
    Ground,
    Opening,
    Order,
    Pledge,
    Share,
    StepDone,
)
from .paper import LANGUAGES, LINES_MAX, statement_pdf
from .refusals import DepositsRefusal
from .store import corrections, deposit, deposits_of_party, orders_of, pledges_of

__all__ = [
    "AUTHORITY_CHARACTERS_MAX",
    "CERTIFICATE_CHARACTERS_MAX",
    "HEIRS_MAX",
    "LANGUAGES",
    "LINES_MAX",
    "PLEDGE_CHARACTERS_MAX",
    "Correction",
    "Deposit",
    "DepositStatus",
    "DepositsRefusal",
    "Executed",
    "Ground",
    "Opening",
    "Order",
    "Pledge",
    "Share",
    "StepDone",
    "corrections",
    "deposit",
    "deposits_of_party",
    "orders_of",
    "pledges_of",
    "statement_pdf",
]
