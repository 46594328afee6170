"""Statements say what the ledger says: to the minor unit, page by page, over made-up days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from eastflow import ledger
from eastflow.channels.iso20022 import account_reports, safe_xml, write
from eastflow.channels.iso20022.account_reports import notification, statement
from eastflow.channels.iso20022.conftest import NOW, SETTINGS, START_MINOR, TODAY, Bank, Paid, pain001, texts, valid
from eastflow.channels.iso20022.model import Header
from eastflow.kernel import Asset
from eastflow.ledger import Account, Entry, Posting, Side, Statement, StatementLine
from eastflow.ledger.actions import define_asset, new_id, open_accounts, post
from eastflow.storage import Transaction

TOMORROW = NOW + timedelta(days=1)
CZK = Asset("CZK", 2)


async def move(bank: Bank, amounts_minor: list[int], at: datetime) -> None:
    async def work(tx: Transaction) -> None:
        for amount in amounts_minor:
            legs = (Posting(1, "CZK", -amount), Posting(2, "CZK", amount))
            entry = Entry(new_id(), "transfer", at.date(), legs, memo="a & b\x01")
            await post(tx, [entry], clock=lambda: at, today=lambda: at.date())

    await bank.database.run(work)


async def read(bank: Bank, account: int, day: date, page: int = 1) -> etree._Element | None:
    async with bank.database.reading() as tx:
        found = await statement(tx, account, day, page=page, settings=SETTINGS, clock=lambda: TOMORROW)
    return None if found is None else valid(found)


def signed(element: etree._Element) -> Decimal:
    amount = Decimal(element.findtext("{*}Amt") or "")
    return amount if element.findtext("{*}CdtDbtInd") == "CRDT" else -amount


def balances(document: etree._Element) -> dict[str, Decimal]:
    return {each.findtext(".//{*}Cd") or "": signed(each) for each in document.iter("{*}Bal")}


async def test_what_no_message_can_carry_has_no_reports(bank: Bank) -> None:
    async def fill(tx: Transaction) -> None:
        for number, asset in ((31, Asset("GOLD", 2)), (32, Asset("XAU", 6)), (33, CZK)):
            await define_asset(tx, asset)
            await open_accounts(tx, [Account(number, asset.code, Side.CREDIT, "liabilities:deposits", TODAY)])
        legs = (Posting(9, "CZK", -(10**18)), Posting(33, "CZK", 10**18))
        await post(tx, [Entry(new_id(), "cash_deposit", TODAY, legs)], clock=lambda: NOW, today=lambda: TODAY)

    await bank.database.run(fill)
    for account in (31, 32, 33):
        assert await read(bank, account, TODAY) is None
        async with bank.database.reading() as tx:
            assert await notification(tx, account, TODAY, settings=SETTINGS, clock=lambda: NOW) is None


async def test_what_was_said_with_a_payment_is_told_though_the_books_do_not_have_it(bank: Bank) -> None:
    await bank.answer(pain001([Paid(remittance="rent of May")]), "company")
    async with bank.database.reading() as tx:
        [posting, _] = (await ledger.statement(tx, (await ledger.accounts(tx, [1]))[1], TODAY, TODAY, limit=9)).lines
        told = await notification(tx, 1, TODAY, settings=SETTINGS, clock=lambda: NOW)
    assert told is not None
    assert texts(valid(told), "AddtlNtryInf") == ["rent of May"]
    assert posting.memo is None


async def test_a_statement_closes_where_the_ledger_does(bank: Bank) -> None:
    await move(bank, [1_000, 5, 20_000], NOW)
    await move(bank, [7], TOMORROW)
    for account in (1, 2, 9):
        found = await read(bank, account, TODAY)
        assert found is not None
        told = balances(found)
        async with bank.database.reading() as tx:
            kept = await ledger.balance_booked_at(tx, account, datetime.combine(TODAY, time.max, UTC))
            assert kept is not None
        sign = -1 if account == 9 else 1
        assert told["CLBD"] * 100 == sign * kept.posted_minor
        assert told["OPBD"] + sum(signed(each) for each in found.iter("{*}Ntry")) == told["CLBD"]
    after = await read(bank, 1, TODAY + timedelta(days=1))
    assert after is None, "the day goes on"
    before = await read(bank, 1, TODAY - timedelta(days=1))
    assert before is not None
    assert (balances(before), texts(before, "Ntry")) == ({"OPBD": Decimal(0), "CLBD": Decimal(0)}, [])


async def test_a_day_goes_over_pages_and_leaves_nothing_out(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_reports, "ENTRIES_PER_PAGE", 2)
    await move(bank, [1, 2, 3, 4], NOW)
    found = [await read(bank, 1, TODAY, page) for page in (1, 2, 3)]
    assert await read(bank, 1, TODAY, 4) is None
    pages = [each for each in found if each is not None]
    assert [texts(each, "LastPgInd") for each in pages] == [["false"], ["false"], ["true"]]
    assert [ref for each in pages for ref in texts(each, "NtryRef")] == ["1", "2", "3", "4", "5"]
    assert len({str(balances(each)) for each in pages}) == 1


async def test_a_notification_tells_the_day_so_far_and_no_balance(bank: Bank) -> None:
    await move(bank, [250], NOW)
    async with bank.database.reading() as tx:
        raw = await notification(tx, 2, TODAY, settings=SETTINGS, clock=lambda: NOW)
        assert await notification(tx, 77, TODAY, settings=SETTINGS) is None
        assert await statement(tx, 77, TODAY, settings=SETTINGS) is None
    assert raw is not None
    found = valid(raw)
    assert [signed(each) for each in found.iter("{*}Ntry")] == [Decimal(START_MINOR) / 100, Decimal("2.5")]
    assert texts(found, "AddtlNtryInf") == ["a & b "]
    assert texts(found, "Bal") == []


@given(st.lists(st.integers(-(10**12), 10**12).filter(bool), max_size=20), st.integers(-(10**12), 10**12))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_statement_is_valid_and_adds_up(moves: list[int], opening: int) -> None:
    account = Account(9, "CZK", Side.CREDIT, "liabilities:deposits", TODAY, None)
    balance, lines = opening, []
    for place, amount in enumerate(moves, start=1):
        balance += amount
        posting = ledger.BookedPosting(9, place, new_id(), amount, balance, NOW, TODAY)
        lines.append(StatementLine(posting, balance, "transfer", None))
    page = Statement(9, ledger.Basis.BOOKED, TODAY, TODAY, opening, balance, tuple(lines), None)
    found = valid(write.statement(Header("S", "2026-01-06T00:00:00Z"), account, CZK, page, 1, servicer="EASTFLOW"))
    told = balances(found)
    assert told["OPBD"] * 100 == opening
    assert told["OPBD"] + sum(signed(each) for each in found.iter("{*}Ntry")) == told["CLBD"] == Decimal(balance) / 100
    assert safe_xml.schema_problem(found) is None
