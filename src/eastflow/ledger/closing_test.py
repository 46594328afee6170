"""The books of closed days: what was kept and moved is what a full count says, and what is forged keeps a day open."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from eastflow.kernel import Asset, Refusal
from eastflow.storage import Database, Transaction

from . import Account, Entry, Posting, Side, Status, chain_numbers, closing, trial_balance_at, trial_balance_of
from .actions import Engine, change_status, close_books, define_asset, new_id, open_accounts, post
from .refusals import LedgerRefusal
from .reports import ClosedBooks, Position, TrialBalance, miscounted, moved
from .store import closed_books as store

SECOND = date(2026, 1, 2)
"""Not the first of a month: not all is counted, unless no day before was kept."""
CHARTS = ("assets:cash", "assets:cash:till", "liabilities:deposits", "liabilities:deposits:demand")
ASSETS = {"EUR": 2, "JPY": 0}
Places = dict[tuple[str, str], int]
Drawn = list[tuple[int, int, int]]


def account(number: int) -> Account:
    """Of two neighbours each has another asset, and of eight each another place."""
    chart = CHARTS[number // 2 % len(CHARTS)]
    side = Side.DEBIT if chart.startswith("assets") else Side.CREDIT
    return Account(number, sorted(ASSETS)[number % 2], side, chart, SECOND, floor_minor=None)


def transfer(source: int, target: int, amount_minor: int) -> Entry:
    asset = account(source).asset
    return Entry(
        new_id(), "transfer", SECOND, (Posting(source, asset, -amount_minor), Posting(target, asset, amount_minor))
    )


def places(found: TrialBalance) -> Places:
    """What stands somewhere. A place at which nothing was ever booked may be told of or not."""
    return {(each.chart, each.asset): each.signed_minor for each in found.positions if each.signed_minor}


async def define_assets(tx: Transaction) -> None:
    for code, scale in ASSETS.items():
        await define_asset(tx, Asset(code, scale))


async def open_bank(database: Database, *numbers: int) -> None:
    await database.run(define_assets)
    await database.run(lambda tx: open_accounts(tx, [account(n) for n in numbers]))


async def book(database: Database, *entries: Entry) -> None:
    """A block each, on any of the chains."""
    for entry in entries:
        [said] = await database.run(lambda tx, one=entry: post(tx, [one]))  # type: ignore[misc]
        assert not isinstance(said, Refusal), said


async def booked_through(tx: Transaction, numbers: Mapping[int, int]) -> Places:
    """Slowly: leg by leg of all entries of these blocks, at and below each place."""
    sums: Counter[tuple[str, str]] = Counter()
    for row in await tx.rows("SELECT chain_id, block_number, account_ids, amounts FROM ledger_entry"):
        if row["block_number"] <= numbers.get(row["chain_id"], 0):
            for number, amount in zip(row["account_ids"], row["amounts"], strict=True):
                path = account(number).chart.split(":")
                for depth in range(1, len(path) + 1):
                    sums[":".join(path[:depth]), account(number).asset] += amount
    return {place: amount for place, amount in sums.items() if amount}


TRANSFERS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 10**12)), max_size=6)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.reuse, Phase.generate])
@given(days=st.lists(st.tuples(TRANSFERS, TRANSFERS, st.booleans()), min_size=1, max_size=4), first=st.integers(0, 2))
def test_each_day_is_kept_as_a_slow_count_of_its_blocks_finds_it(
    database_url: str, days: list[tuple[Drawn, Drawn, bool]], first: int
) -> None:
    """Over the end of a month too, with accounts opened later and closed ones, a rival, and postings beside."""

    async def compare() -> None:
        database = await Database.open(database_url)
        try:
            await database.run(empty)
            await keep_and_compare(database, days, date(2026, 1, 30) + timedelta(days=first))
        finally:
            await database.close()

    asyncio.run(compare())


async def empty(tx: Transaction) -> None:
    """One database serves all examples."""
    tables = ("account", "balance", "account_change", "entry", "posting", "chain", "block")
    for table in (*tables, "closed_books", "closed_position"):
        await tx.execute(f"DELETE FROM ledger_{table}")


async def keep_and_compare(database: Database, days: list[tuple[Drawn, Drawn, bool]], day: date) -> None:
    accounts = [2, 3, 4, 5, 6, 7]
    await open_bank(database, *accounts)
    kept: dict[date, TrialBalance] = {}
    for before, beside, opens in days:
        if opens:
            await open_and_close(database, max(accounts) + 1)
            accounts += [max(accounts) + 3]
        await open_bank(database, *accounts)
        await book(database, *transfers(accounts, before))
        found, again, _ = await asyncio.gather(
            close_books(database, day), close_books(database, day), book(database, *transfers(accounts, beside))
        )
        assert found.sound, found
        assert again.sound, again
        async with database.reading() as tx:
            told, books = await trial_balance_of(tx, day), await store.kept(tx, day)
            assert isinstance(told, TrialBalance)
            assert books is not None
            assert (told.day, told.at, told.balanced) == (day, None, True)
            assert {each.accounts for each in told.positions} <= {None}
            assert places(told) == await booked_through(tx, books.numbers)
        assert (await close_books(database, day)).trial == told, "once closed, it stays"
        kept[day], day = told, day + timedelta(days=1)
    assert (await close_books(database, day)).sound
    async with database.reading() as tx:
        last = await trial_balance_of(tx, day)
        assert isinstance(last, TrialBalance)
        assert places(last) == places(await trial_balance_at(tx))
        assert {each: await trial_balance_of(tx, each) for each in kept} == kept, "later days change none before"


async def open_and_close(database: Database, number: int) -> None:
    """Two accounts of one asset, of which one is paid into, emptied and closed."""
    await open_bank(database, number, number + 2)
    await book(database, transfer(number + 2, number, 5), transfer(number, number + 2, 5))
    assert not isinstance(await database.run(lambda tx: change_status(tx, number, Status.CLOSED)), Refusal)


def transfers(accounts: Sequence[int], drawn: Drawn) -> list[Entry]:
    """From the accounts drawn, to others of the same asset."""
    entries = []
    for one, other, amount in drawn:
        source = accounts[one % len(accounts)]
        alike = [n for n in accounts if n % 2 == source % 2]
        entries.append(transfer(source, alike[other % len(alike)], amount))
    return entries


async def test_what_is_forged_keeps_the_day_open(database: Database) -> None:
    await open_bank(database, *range(2, 14))
    await book(database, transfer(2, 4, 100), transfer(4, 6, 30), transfer(3, 5, 7))
    assert (await close_books(database, SECOND)).sound
    await book(database, transfer(4, 2, 10))
    last = await _last_sequence(database, 4)
    day = SECOND + timedelta(days=1)
    four = "WHERE account_id = 4"
    for forged, mended in (
        (f"balance SET posted = posted + 1 {four}", f"balance SET posted = posted - 1 {four}"),
        (
            f"posting SET balance = balance + 1 {four} AND sequence = {last}",
            f"posting SET balance = balance - 1 {four} AND sequence = {last}",
        ),
        # As if the last posting had never been.
        (
            f"balance SET sequence = {last - 1}, posted = posted + 10 {four}",
            f"balance SET sequence = {last}, posted = posted - 10 {four}",
        ),
        (f"balance SET side = -side {four}", f"balance SET side = -side {four}"),
    ):
        await _forge(database, forged)
        found = await close_books(database, day)
        assert (found.astray, found.trial.balanced) == ((4,), True), forged
        await _forge(database, mended)
    async with database.reading() as tx:
        unkept = await trial_balance_of(tx, day)
    assert isinstance(unkept, Refusal)
    assert (unkept.code, unkept.facts) == (LedgerRefusal.DAY_NOT_CLOSED, {"date": day})
    assert (await close_books(database, day)).sound


async def test_an_account_that_did_not_move_is_counted_on_the_first_of_a_month(database: Database) -> None:
    await open_bank(database, *range(2, 14))
    await book(database, transfer(2, 6, 100), transfer(4, 6, 30))
    assert (await close_books(database, date(2026, 1, 30))).sound
    await _forge(database, "balance SET posted = posted + 5 WHERE account_id = 6")
    assert (await close_books(database, date(2026, 1, 31))).sound, "it is found later, or by the proof of the books"
    found = await close_books(database, date(2026, 2, 1))
    chart = account(6).chart
    assert found == ClosedBooks(found.trial, (), {(chart, "EUR"): 5 * account(6).side.sign})
    await _forge(database, "balance SET posted = posted - 5 WHERE account_id = 6")
    # What was kept may be forged too, even so that it balances.
    await _forge(database, f"closed_position SET signed = signed + 1 WHERE chart = '{chart}' AND asset = 'EUR'")
    assert not (await close_books(database, date(2026, 2, 1))).trial.balanced
    await _forge(database, "closed_position SET signed = signed - 1 WHERE chart = 'assets:cash:till' AND asset = 'EUR'")
    found = await close_books(database, date(2026, 2, 1))
    assert (found.trial.balanced, found.sound) == (True, False)
    assert sorted(found.miscounted_minor.values()) == [-1, 1]


async def test_the_first_day_counts_all_and_must_balance(database: Database) -> None:
    assert (await close_books(database, SECOND)).sound, "a bank without accounts"
    await open_bank(database, *range(2, 14))
    await book(database, transfer(2, 4, 100))
    await _forge(database, "balance SET posted = posted + 3 WHERE account_id = 10")
    before = SECOND - timedelta(days=9)
    found = await close_books(database, before)
    assert abs(found.trial.differences_minor["EUR"]) == 3
    async with database.reading() as tx:
        assert isinstance(await trial_balance_of(tx, before), Refusal)


@pytest.mark.parametrize("at_a_time", [1, 3, 100])
async def test_blocks_and_accounts_are_read_some_at_a_time(
    database: Database, monkeypatch: pytest.MonkeyPatch, at_a_time: int
) -> None:
    monkeypatch.setattr(closing, "BLOCKS_PER_READ", at_a_time)
    monkeypatch.setattr(closing, "ACCOUNTS_PER_READ", at_a_time)
    await open_bank(database, *range(2, 14))
    assert (await close_books(database, SECOND)).sound
    async with Engine(database, lanes=1) as engine:
        for target in (4, 6, 8, 10, 12, 4, 6):
            assert not isinstance(await engine.post(transfer(2, target, target)), Refusal)
    async with database.reading() as tx:
        assert max((await chain_numbers(tx)).values()) == 7
    await _forge(database, "balance SET posted = posted + 1 WHERE account_id IN (6, 10, 12)")
    assert set((await close_books(database, SECOND + timedelta(days=1))).astray) >= {6, 12}
    await _forge(database, "balance SET posted = posted - 1 WHERE account_id IN (6, 10, 12)")
    found = await close_books(database, SECOND + timedelta(days=1))
    assert found.sound
    assert places(found.trial) == places(await _counted(database))


async def test_a_place_moves_by_more_than_64_bits_hold(database: Database) -> None:
    sources, targets = range(2, 42, 8), range(4, 44, 8)
    await open_bank(database, *sources, *targets)
    assert (await close_books(database, SECOND)).sound
    amount_minor = 1 << 61
    await book(database, *(transfer(*pair, amount_minor) for pair in zip(sources, targets, strict=True)))
    found = await close_books(database, SECOND + timedelta(days=1))
    assert found.sound
    assert places(found.trial)[account(4).chart, "EUR"] == 5 * amount_minor > 1 << 63


def test_positions_move_and_are_compared_beyond_64_bits() -> None:
    huge = 1 << 64
    before = [Position("a", "EUR", huge, None), Position("b", "EUR", -huge, 3)]
    changes = [Position("b", "EUR", 5, None), Position("c", "JPY", -5, None), Position("b", "EUR", 1, None)]
    after = [Position("a", "EUR", huge, None), Position("b", "EUR", 6 - huge, None), Position("c", "JPY", -5, None)]
    assert moved(before, changes) == after
    assert moved((), ()) == []
    assert miscounted(before, after) == {("b", "EUR"): -6, ("c", "JPY"): 5}
    assert miscounted([Position("a", "EUR", 0, 1)], []) == {}


async def _last_sequence(database: Database, number: int) -> int:
    async with database.reading() as tx:
        return int(await tx.value("SELECT sequence FROM ledger_balance WHERE account_id = $1", number))


async def _counted(database: Database) -> TrialBalance:
    async with database.reading() as tx:
        return await trial_balance_at(tx)


async def _forge(database: Database, what: str) -> None:
    await database.run(lambda tx: tx.execute(f"UPDATE ledger_{what}"))
