"""Statements, past balances and searches say what a clerk finds who reads every entry and adds it up.

The histories are random: bookings at few moments and of few value dates, many of them backdated, so that pages break
within a moment and within a day. Nothing of what is compared shares code with the queries.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from eastflow.kernel import Asset, Refusal
from eastflow.ledger import (
    Account,
    Basis,
    BookedEntry,
    Entry,
    EntryFilter,
    Hold,
    Posting,
    Release,
    Side,
    Statement,
    StatementLine,
    balance_booked_at,
    balance_valued_on,
    entries,
    search,
    search_after,
    statement,
    statement_after,
)
from eastflow.ledger.actions import Engine, change_floor, define_asset, new_id, open_accounts
from eastflow.ledger.store import searches
from eastflow.storage import Database, Transaction

START = datetime(2026, 1, 10, 22, tzinfo=UTC)
DAYS = [date(2026, 1, 5) + timedelta(days=n) for n in range(12)]
KINDS = ("transfer", "fee", "interest")
TILLS = ("1", "2")
_numbers = iter(range(1, 1_000_000))


@dataclass
class Books:
    """What was booked, oldest first, and the accounts it was booked on: 1 on the debit side, 2 to 4 on the other."""

    first: int
    booked: list[BookedEntry]
    floors: dict[int, list[tuple[datetime, int | None]]]
    held: list[tuple[datetime, int, int]]

    @property
    def numbers(self) -> range:
        return range(self.first, self.first + 4)

    def sign(self, account: int) -> int:
        return -1 if account == self.first else 1

    def legs(self, account: int) -> Iterator[tuple[BookedEntry, int, int]]:
        """Of one account in the order of their booking: the entry, the sequence and what it does to the balance."""
        found = [
            (sequence, entry, self.sign(account) * amount)
            for entry in self.booked
            for number, amount, sequence in zip(entry.accounts, entry.amounts_minor, entry.sequences, strict=True)
            if number == account
        ]
        for sequence, entry, move in sorted(found, key=lambda leg: leg[0]):
            yield entry, sequence, move


@dataclass(frozen=True)
class Step:
    """One commit: how long after the one before, and what is in it."""

    minutes: int
    entries: list[tuple[int, int, int, int, int]]
    floor_minor: int | None = None
    hold: int | None = None


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from([0, 0, 1, 119, 120, 1_440]),
        st.lists(
            # from, to, amount, days the value lies back, and the number that its kind and details follow from
            st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 5), st.integers(0, 5), st.integers(0, 11)),
            min_size=1,
            max_size=5,
        ),
        st.none() | st.sampled_from([-1_000, -2_000]),
        st.none() | st.integers(1, 3),
    ),
    min_size=1,
    max_size=10,
)


async def keep(database: Database, steps: list[Step]) -> Books:
    """Each example on accounts of its own, so that one database serves them all."""
    books = Books(10 * next(_numbers), [], {}, [])
    at = START
    await database.run(lambda tx: define_asset(tx, Asset("EUR", 2)))
    sides = {number: Side.DEBIT if number == books.first else Side.CREDIT for number in books.numbers}
    accounts = [Account(n, "EUR", side, f"test:{n % 10}", DAYS[0], None) for n, side in sides.items()]
    await database.run(lambda tx: open_accounts(tx, accounts, clock=lambda: at))
    books.floors = {number: [(at, None)] for number in books.numbers}
    ids = []
    async with Engine(database, lanes=1, clock=lambda: at) as engine:
        for step in steps:
            at += timedelta(minutes=step.minutes)
            commands = [made(books.first, at.date(), *each) for each in step.entries]
            assert not [said for said in await engine.post_batch(commands) if isinstance(said, Refusal)]
            ids += [command.id for command in commands]
            if step.hold:
                await hold(engine, books, at, step.hold)
            if step.floor_minor is not None:
                await change(database, books, at, step.floor_minor)
    async with database.reading() as tx:
        found = await entries(tx, ids)
    books.booked = [found[id] for id in ids]
    return books


async def change(database: Database, books: Books, at: datetime, floor_minor: int) -> None:
    """Several changes of an account may be of one moment: the last one stands."""
    account = books.first + 1
    await database.run(lambda tx: change_floor(tx, account, floor_minor, clock=lambda: at))
    books.floors[account].append((at, floor_minor))


async def hold(engine: Engine, books: Books, at: datetime, amount: int) -> None:
    """Two are placed, and one is released at once."""
    account = books.first + 2
    placed = [Hold(new_id(), account, "EUR", amount) for _ in range(2)]
    outcomes = await engine.post_batch([*placed, Release(account, placed[0].id)])
    assert not [said for said in outcomes if isinstance(said, Refusal)]
    books.held.append((at, account, amount))


def made(first: int, today: date, source: int, target: int, amount: int, back: int, number: int) -> Entry:
    """A transfer, or a payment within one account that leaves it where it was."""
    legs = (Posting(first + source, "EUR", -amount), Posting(first + target, "EUR", amount))
    details = {} if number % 4 == 0 else {"till": TILLS[number % 2], "n": str(number)}
    return Entry(
        new_id(), KINDS[number % 3], today - timedelta(days=back), legs, memo=f"no. {number}", details=details
    )  # fmt: skip


@asynccontextmanager
async def opened(url: str, steps: list[Step]) -> AsyncIterator[tuple[Transaction, Books]]:
    database = await Database.open(url)
    try:
        books = await keep(database, steps)
        async with database.reading() as tx:
            yield tx, books
    finally:
        await database.close()


# Without shrinking, which asks the database thousands of times.
A_FEW = settings(
    max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.reuse, Phase.generate]
)


@A_FEW
@given(STEPS)
def test_balances_at_past_moments(database_url: str, steps: list[Step]) -> None:
    async def compare() -> None:
        async with opened(database_url, steps) as (tx, books):
            times = sorted({entry.booked_at for entry in books.booked} | {START})
            moments = [time + timedelta(microseconds=n) for time in times for n in (-1, 0, 1)]
            for account in books.numbers:
                for at in moments:
                    await compare_booked(tx, books, account, at)
                for day in [date(1900, 1, 1), *DAYS, date(2999, 12, 31)]:
                    expected = sum(move for entry, _, move in books.legs(account) if entry.value_date <= day)
                    assert await balance_valued_on(tx, account, day) == expected, (account, day)

    asyncio.run(compare())


async def compare_booked(tx: Transaction, books: Books, account: int, at: datetime) -> None:
    found = await balance_booked_at(tx, account, at)
    if at < START:
        assert found is None
        return
    assert found is not None
    moves = [move for entry, _, move in books.legs(account) if entry.booked_at <= at]
    assert (found.posted_minor, found.sequence) == (sum(moves), len(moves)), (account, at)
    assert found.held_minor == sum(
        amount for placed, number, amount in books.held if number == account and placed <= at
    )
    changes = [floor for changed, floor in books.floors[account] if changed <= at]
    assert found.floor_minor == changes[-1]


PERIODS = st.tuples(st.sampled_from(DAYS), st.sampled_from(DAYS)).map(lambda pair: (min(pair), max(pair)))


@settings(A_FEW, max_examples=40)
@given(STEPS, PERIODS, st.sampled_from(Basis), st.integers(1, 4))
def test_statements(
    database_url: str, steps: list[Step], period: tuple[date, date], basis: Basis, limit: int
) -> None:  # fmt: skip
    since, until = period

    def place(entry: BookedEntry) -> date:
        return entry.booked_at.date() if basis is Basis.BOOKED else entry.value_date

    async def compare() -> None:
        async with opened(database_url, steps) as (tx, books):
            for number in books.numbers:
                account = Account(number, "EUR", Side.DEBIT if number == books.first else Side.CREDIT, "", DAYS[0])
                legs = [leg for leg in books.legs(number) if since <= place(leg[0]) <= until]
                if basis is Basis.VALUED:
                    legs.sort(key=lambda leg: (leg[0].value_date, leg[1]))
                opening = sum(move for entry, _, move in books.legs(number) if place(entry) < since)
                running = list(accumulate((move for _, _, move in legs), initial=opening))
                pages = await all_pages(tx, account, since, until, basis, limit)
                for page in pages:
                    assert (page.opening_minor, page.closing_minor) == (opening, running[-1])
                    assert (page.account, page.basis, page.since, page.until) == (number, basis, since, until)
                assert [len(page.lines) for page in pages[:-1]] == [limit] * (len(pages) - 1)
                lines = [line for page in pages for line in page.lines]
                told = [(line.posting.entry, line.posting.sequence, line.balance_minor) for line in lines]
                assert told == [
                    (entry.id, sequence, after)
                    for (entry, sequence, _), after in zip(legs, running[1:], strict=True)
                ]  # fmt: skip
                by_id = {entry.id: entry for entry in books.booked}
                assert [(line.kind, line.memo) for line in lines] == [
                    (by_id[line.posting.entry].kind, by_id[line.posting.entry].memo) for line in lines
                ]
                whole = await statement(tx, account, since, until, basis=basis, limit=1_000)
                assert (list(whole.lines), whole.cursor) == (lines, None)

    asyncio.run(compare())


async def all_pages(
    tx: Transaction, account: Account, since: date, until: date, basis: Basis, limit: int
) -> list[Statement]:
    pages = [await statement(tx, account, since, until, basis=basis, limit=limit)]
    while pages[-1].cursor:
        following = await statement_after(tx, account, pages[-1].cursor, limit=limit)
        assert following is not None
        pages.append(following)
    return pages


async def test_a_line_booked_between_two_pages_counts_from_the_next_one(database: Database) -> None:
    """As valued, a backdated entry may come before the place where a page ended. The next page's balances have it."""
    steps = [Step(0, [(0, 1, 5, 0, 1)]), Step(1, [(0, 1, 5, 0, 1)])]
    books = await keep(database, steps)
    account = Account(books.first + 1, "EUR", Side.CREDIT, "", DAYS[0])

    async def page(cursor: str | None) -> tuple[list[StatementLine], str | None, int]:
        async with database.reading() as tx:
            if cursor is None:
                found = await statement(tx, account, DAYS[0], DAYS[-1], basis=Basis.VALUED, limit=1)
            else:
                after = await statement_after(tx, account, cursor, limit=1)
                assert after is not None
                found = after
        return list(found.lines), found.cursor, found.closing_minor

    first, cursor, _ = await page(None)
    assert cursor is not None
    async with Engine(database, lanes=1, clock=lambda: START + timedelta(hours=1)) as engine:
        assert not isinstance(await engine.post(made(books.first, START.date(), 0, 1, 70, 3, 1)), Refusal)
    second, cursor, closing = await page(cursor)
    assert [line.balance_minor for line in first] == [5]
    assert [line.balance_minor for line in second] == [closing] == [80]
    assert cursor is None


FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "account": st.integers(0, 3),
        "kind": st.sampled_from([*KINDS, "other"]),
        "booked_from": st.integers(-1, 24).map(lambda n: START + timedelta(hours=2 * n)),
        "booked_before": st.integers(-1, 24).map(lambda n: START + timedelta(hours=2 * n)),
        "valued_from": st.sampled_from(DAYS),
        "valued_through": st.sampled_from(DAYS),
        "amount_minor_min": st.integers(0, 6),
        "amount_minor_max": st.integers(0, 6),
        "details": st.dictionaries(st.just("till"), st.sampled_from([*TILLS, "3"]), min_size=1)
        | st.fixed_dictionaries({"till": st.sampled_from(TILLS), "n": st.sampled_from(["1", "2", "5"])}),
    },
)


def fits(wanted: EntryFilter, entry: BookedEntry) -> bool:
    """The amount is asked of the account's own legs if there is one, of any leg otherwise."""
    legs = zip(entry.accounts, entry.amounts_minor, strict=True)
    amounts = [abs(amount) for account, amount in legs if wanted.account in (None, account)]
    low, high = wanted.amount_minor_min, wanted.amount_minor_max
    said = [
        wanted.kind is None or entry.kind == wanted.kind,
        wanted.booked_from is None or entry.booked_at >= wanted.booked_from,
        wanted.booked_before is None or entry.booked_at < wanted.booked_before,
        wanted.valued_from is None or entry.value_date >= wanted.valued_from,
        wanted.valued_through is None or entry.value_date <= wanted.valued_through,
        any((low is None or amount >= low) and (high is None or amount <= high) for amount in amounts),
        all(entry.details.get(key) == value for key, value in wanted.details.items()),
    ]
    return all(said)


@settings(A_FEW, max_examples=10)
@given(STEPS, st.lists(FILTERS, min_size=12, max_size=12), st.integers(1, 3), st.integers(1, 4))
def test_searches(
    database_url: str, steps: list[Step], asked: list[Mapping[str, object]], limit: int, at_once: int
) -> None:
    """Every filter by itself and with others, in pages of few: each entry that fits once, newest first."""

    async def compare() -> None:
        async with opened(database_url, steps) as (tx, books):
            mine = {entry.id for entry in books.booked}
            for given in [{}, *asked]:
                account = given.get("account")
                moved = {} if account is None else {"account": books.first + int(str(account))}
                wanted = EntryFilter(**{**given, **moved})  # type: ignore[arg-type]
                found = [entry for entry in await found_by(tx, wanted, limit) if entry.id in mine]
                expected = [entry for entry in books.booked if fits(wanted, entry)]
                assert sorted(e.id for e in found) == sorted(e.id for e in expected), wanted
                times = [entry.booked_at for entry in found]
                assert times == sorted(times, reverse=True), wanted
                if account is None:
                    assert [entry.id for entry in found] == [entry.id for entry in reversed(expected)], wanted

    before = searches.POSTINGS_READ_AT_ONCE, searches.READS_MAX
    searches.POSTINGS_READ_AT_ONCE, searches.READS_MAX = at_once, 2
    try:
        asyncio.run(compare())
    finally:
        searches.POSTINGS_READ_AT_ONCE, searches.READS_MAX = before


async def found_by(tx: Transaction, wanted: EntryFilter, limit: int) -> list[BookedEntry]:
    page = await search(tx, wanted, limit=limit)
    found = list(page.entries)
    cursors = set()
    while page.cursor:
        assert page.cursor not in cursors, "each page goes on from the one before"
        cursors.add(page.cursor)
        page = await search_after(tx, page.cursor, limit=limit)
        assert len(page.entries) <= limit
        found += page.entries
    return found


async def test_a_search_that_matches_little_ends_its_page_and_goes_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page ends after some reads even if it is empty; nothing is lost by it."""
    monkeypatch.setattr(searches, "POSTINGS_READ_AT_ONCE", 3)
    monkeypatch.setattr(searches, "READS_MAX", 2)
    draw = random.Random(7)
    plain = [(0, 1, draw.randint(1, 5), 0, 0) for _ in range(20)]
    books = await keep(database, [Step(0, [(0, 1, 5, 0, 1)]), Step(1, plain)])
    wanted = EntryFilter(account=books.first + 1, kind="fee")
    async with database.reading() as tx:
        first = await search(tx, wanted, limit=5)
        assert (first.entries, first.cursor is None) == ((), False)
        assert [entry.id for entry in await found_by(tx, wanted, 5)] == [books.booked[0].id]
