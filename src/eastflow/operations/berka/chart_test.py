"""Every transaction has a balanced entry: the right counter account, a banker's name, and an id that never changes."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from uuid import RFC_4122

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .chart import COUNTER_ACCOUNTS, BookSide, entry_id, plan
from .read import Source
from .records import BANKS, Operation, Symbol, Transaction, TransactionType
from .sample import transaction

CASES = [
    (+1, "VKLAD", "", "", "cash_deposit", "cash", BookSide.DEBIT),
    (-1, "VYBER", "", "", "cash_withdrawal", "cash", BookSide.DEBIT),
    (-1, "VYBER", " ", "", "cash_withdrawal", "cash", BookSide.DEBIT),
    (-1, "VYBER", "SIPO", "", "household_payment_in_cash", "cash", BookSide.DEBIT),
    (-1, "VYBER", "SLUZBY", "", "fee", "fee_income", BookSide.CREDIT),
    (-1, "VYBER", "SANKC. UROK", "", "penalty_interest", "penalty_interest_income", BookSide.CREDIT),
    (-1, "VYBER KARTOU", "", "", "card_withdrawal", "card_settlement", BookSide.CREDIT),
    (+1, "", "UROK", "", "interest_credited", "interest_expense", BookSide.DEBIT),
    (+1, "PREVOD Z UCTU", "", "AB", "transfer_in", "bank:AB", BookSide.DEBIT),
    (+1, "PREVOD Z UCTU", "DUCHOD", "CD", "pension_received", "bank:CD", BookSide.DEBIT),
    (-1, "PREVOD NA UCET", "", "EF", "transfer_out", "bank:EF", BookSide.DEBIT),
    (-1, "PREVOD NA UCET", " ", "EF", "transfer_out", "bank:EF", BookSide.DEBIT),
    (-1, "PREVOD NA UCET", "SIPO", "YZ", "household_payment", "bank:YZ", BookSide.DEBIT),
    (-1, "PREVOD NA UCET", "POJISTNE", "YZ", "insurance_payment", "bank:YZ", BookSide.DEBIT),
    (-1, "PREVOD NA UCET", "UVER", "YZ", "loan_repayment", "bank:YZ", BookSide.DEBIT),
    (-1, "PREVOD NA UCET", "LEASING", "YZ", "leasing_payment", "bank:YZ", BookSide.DEBIT),
    (-1, "PREVOD NA UCET", "SIPO", "", "unclassified_debit", "unclassified", BookSide.CREDIT),
    (-1, "VKLAD", "", "", "unclassified_debit", "unclassified", BookSide.CREDIT),
    (+1, "VYBER", "SLUZBY", "", "unclassified_credit", "unclassified", BookSide.CREDIT),
    (+1, "", "", "", "unclassified_credit", "unclassified", BookSide.CREDIT),
]


@pytest.mark.parametrize(("sign", "operation", "symbol", "bank", "kind", "counter", "side"), CASES)
def test_the_counter_account_and_kind(
    sign: int, operation: str, symbol: str, bank: str, kind: str, counter: str, side: BookSide
) -> None:
    found = plan(transaction(2, sign * 700, 0, operation=Operation(operation), symbol=Symbol(symbol), other_bank=bank))
    assert (found.kind, found.counter.key, found.counter.side) == (kind, counter, side)
    assert (found.account_id, found.amount_minor, found.value_date) == (7, sign * 700, date(1993, 1, 1))


def test_the_second_code_of_cash_withdrawals_is_one_too() -> None:
    row = replace(transaction(2, -700, 0, operation=Operation.CASH_WITHDRAWAL), type=TransactionType.CASH_DEBIT)
    found = plan(row)
    assert (found.kind, found.amount_minor, found.details["type"]) == ("cash_withdrawal", -700, "VYBER")


def test_details_keep_the_sources_words_and_nothing_empty() -> None:
    row = transaction(
        2, -5, 0, operation=Operation.TO_OTHER_BANK, symbol=Symbol.BLANK, other_bank="YZ", other_account="0871"
    )
    assert plan(row).details == {
        "trans_id": "1002",
        "type": "VYDAJ",
        "operation": "PREVOD NA UCET",
        "symbol": " ",
        "bank": "YZ",
        "account": "0871",
    }
    assert plan(transaction(2, 5, 0, symbol=Symbol.INTEREST)).details == {
        "trans_id": "1002",
        "type": "PRIJEM",
        "symbol": "UROK",
    }


ANY_ROW = st.builds(
    Transaction,
    line=st.integers(2, 99),
    trans_id=st.integers(1, 10**15 - 1),
    account_id=st.integers(1, 99),
    booked_on=st.dates(date(1970, 1, 1), date(1999, 12, 31)),
    type=st.sampled_from(TransactionType),
    operation=st.sampled_from(Operation),
    amount_minor=st.integers(1, 10**9),
    balance_minor=st.integers(-(10**9), 10**9),
    symbol=st.sampled_from(Symbol),
    other_bank=st.sampled_from(["", *sorted(BANKS)]),
    other_account=st.sampled_from(["", "0", "0871"]),
)


@given(ANY_ROW)
def test_every_combination_has_a_plan_that_the_ledger_can_take(row: Transaction) -> None:
    found = plan(row)
    assert found.counter in COUNTER_ACCOUNTS
    assert re.fullmatch(r"[a-z0-9_.]{1,64}", found.kind)
    assert found.amount_minor == row.signed_amount_minor != 0
    assert all(found.details.values())
    assert found == plan(row)


@given(ANY_ROW, ANY_ROW)
def test_ids_are_version_7_rise_with_the_date_and_are_each_rows_own(one: Transaction, other: Transaction) -> None:
    assert (entry_id(one).version, entry_id(one).variant) == (7, RFC_4122)
    later = replace(one, booked_on=one.booked_on + timedelta(1))
    assert entry_id(one).int < entry_id(later).int
    same = (one.trans_id, one.booked_on) == (other.trans_id, other.booked_on)
    assert (entry_id(one) == entry_id(other)) is same


def test_the_id_is_for_good() -> None:
    # Changing how ids are made would post every imported transaction once more.
    assert str(entry_id(transaction(2, 5, 5))) == "00a8ffd1-1c00-7541-8934-0000000003ea"


def test_counter_accounts_have_their_own_keys() -> None:
    assert len({account.key for account in COUNTER_ACCOUNTS}) == len(COUNTER_ACCOUNTS) == 6 + len(BANKS)


def test_the_real_transactions_are_all_classified(berka: Source) -> None:
    plans = [plan(row) for row in berka.transactions]
    kinds = Counter(found.kind for found in plans)
    assert not {kind for kind in kinds if kind.startswith("unclassified")}
    assert (kinds["cash_deposit"], kinds["interest_credited"], kinds["card_withdrawal"]) == (9_759, 9_463, 12)
    assert len({found.entry_id for found in plans}) == len(plans)
