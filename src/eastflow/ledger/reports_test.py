"""The trial balance: zero at every instant, and each place of the chart holds what stands at and below it."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from eastflow.kernel import Asset, Refusal
from eastflow.ledger import Account, Entry, Position, Posting, Side, TrialBalance, accounts_page, trial_balance_at
from eastflow.ledger.actions import Engine, define_asset, new_id, open_accounts
from eastflow.ledger.reports import trial_balance
from eastflow.storage import Database, Transaction

START = datetime(2026, 1, 10, 23, tzinfo=UTC)
DAY = date(2026, 1, 5)
CHARTS = ("assets", "assets:cash", "assets:cash:till_1", "assets:cashless", "liabilities:deposits", "liabilities")
ASSETS = {"EUR": 2, "JPY": 0, "XAUT": 9}
_examples = iter(range(1, 1_000_000))


def places(found: TrialBalance) -> dict[tuple[str, str], tuple[int, int | None]]:
    return {(each.asset, each.chart): (each.signed_minor, each.accounts) for each in found.positions}


ROLLED: list[tuple[str, list[Position], dict[tuple[str, str], tuple[int, int | None]], dict[str, int]]] = [
    ("nothing", [], {}, {}),
    (
        "a place above and two below",
        [Position("a", "EUR", 1, 1), Position("a:b", "EUR", 10, 2), Position("a:b:c", "EUR", 100, 3)],
        {("EUR", "a"): (111, 6), ("EUR", "a:b"): (110, 5), ("EUR", "a:b:c"): (100, 3)},
        {"EUR": 111},
    ),
    (
        "a name that begins another",
        [Position("a:b", "EUR", -5, 1), Position("a:bc", "EUR", 5, 1)],
        {("EUR", "a"): (0, 2), ("EUR", "a:b"): (-5, 1), ("EUR", "a:bc"): (5, 1)},
        {"EUR": 0},
    ),
    (
        "assets apart",
        [Position("a", "EUR", 7, 1), Position("a", "JPY", -7, 1)],
        {("EUR", "a"): (7, 1), ("JPY", "a"): (-7, 1)},
        {"EUR": 7, "JPY": -7},
    ),
    (
        "accounts that were not counted",
        [Position("a:b", "EUR", 7, None), Position("a:c", "EUR", -7, 2)],
        {("EUR", "a"): (0, None), ("EUR", "a:b"): (7, None), ("EUR", "a:c"): (-7, 2)},
        {"EUR": 0},
    ),
    (
        "beyond 64 bits",
        [Position("a:b", "EUR", 1 << 63, 1), Position("a:c", "EUR", 1 << 63, 1), Position("d", "EUR", -(1 << 64), 1)],
        {
            ("EUR", "a"): (1 << 64, 2),
            ("EUR", "a:b"): (1 << 63, 1),
            ("EUR", "a:c"): (1 << 63, 1),
            ("EUR", "d"): (-(1 << 64), 1),
        },
        {"EUR": 0},
    ),
]


@pytest.mark.parametrize(("leaves", "expected", "differences"), [c[1:] for c in ROLLED], ids=[c[0] for c in ROLLED])
def test_leaves_are_rolled_up(
    leaves: list[Position], expected: dict[tuple[str, str], tuple[int, int | None]], differences: dict[str, int]
) -> None:
    for order in (leaves, leaves[::-1]):
        found = trial_balance(None, order)
        assert places(found) == expected
        assert list(places(found)) == sorted(expected)
        assert found.differences_minor == differences
        assert found.balanced == (not any(differences.values()))


TRANSFERS = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 60, 24 * 60]),
        st.sampled_from(sorted(ASSETS)),
        st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 10**12)), min_size=1, max_size=3),
    ),
    max_size=6,
)


async def define_assets(tx: Transaction) -> None:
    for code, scale in ASSETS.items():
        await define_asset(tx, Asset(code, scale))


Transfers = list[tuple[int, str, list[tuple[int, int, int]]]]


async def keep_and_compare(database: Database, transfers: Transfers) -> None:
    """Each example below a place of the chart of its own, so that one database serves them all."""
    own, at = f"x{next(_examples)}", START
    base = int(own[1:]) * 100
    numbers = {(asset, n): base + 10 * a + n for a, asset in enumerate(sorted(ASSETS)) for n in range(len(CHARTS))}
    await database.run(define_assets)
    opened = [
        Account(number, asset, Side.DEBIT if n < 4 else Side.CREDIT, f"{own}:{CHARTS[n]}", DAY, None)
        for (asset, n), number in numbers.items()
    ]
    await database.run(lambda tx: open_accounts(tx, opened, clock=lambda: START))
    booked: list[tuple[datetime, str, int, int]] = []
    async with Engine(database, lanes=1, clock=lambda: at) as engine:
        for minutes, asset, legs in transfers:
            at += timedelta(minutes=minutes)
            batch = [
                Entry(
                    new_id(), "transfer", DAY,
                    (Posting(numbers[asset, source], asset, -amount), Posting(numbers[asset, target], asset, amount)),
                )
                for source, target, amount in legs
            ]  # fmt: skip
            assert not [said for said in await engine.post_batch(batch) if isinstance(said, Refusal)]
            for source, target, amount in legs:
                booked += [(at, asset, source, -amount), (at, asset, target, amount)]
    moments = sorted({START, *(time for time, *_ in booked)})
    asked = [None, *(time + timedelta(microseconds=n) for time in moments for n in (-1, 0, 1))]
    async with database.reading() as tx:
        for moment in asked:
            found = await trial_balance_at(tx, moment)
            assert (found.at, found.balanced) == (moment, True)
            assert set(found.differences_minor.values()) == {0}
            told = places(found)
            for asset in ASSETS:
                for n, chart in enumerate(CHARTS):
                    below = [m for m, other in enumerate(CHARTS) if f"{other}:".startswith(f"{chart}:")]
                    signed = sum(
                        amount
                        for time, of, place, amount in booked
                        if of == asset and place in below and (moment is None or time <= moment)
                    )
                    assert told[asset, f"{own}:{chart}"] == (signed, len(below)), (moment, asset, n)
                # Each example balances by itself too.
                assert told[asset, own] == (0, len(CHARTS))
        for chart in CHARTS:
            found_accounts = await accounts_page(tx, after=0, limit=100, chart=f"{own}:{chart}", owner=None)
            expected = [a.id for a in opened if f"{a.chart}:".startswith(f"{own}:{chart}:")]
            assert [account.id for account in found_accounts] == sorted(expected), chart


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.reuse, Phase.generate])
@given(TRANSFERS)
def test_the_trial_balance_at_every_instant(database_url: str, transfers: Transfers) -> None:
    async def compare() -> None:
        database = await Database.open(database_url)
        try:
            await keep_and_compare(database, transfers)
        finally:
            await database.close()

    asyncio.run(compare())


async def test_a_bank_without_accounts_balances(database: Database) -> None:
    async with database.reading() as tx:
        for at in (None, START):
            found = await trial_balance_at(tx, at)
            assert (found.balanced, found.positions, found.differences_minor) == (True, (), {})
