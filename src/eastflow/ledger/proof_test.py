"""Each way to forge the books is tried for real, found, and placed."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest

from eastflow.kernel import Asset, Refusal
from eastflow.ledger import Account, Capture, Command, Entry, Hold, Posting, Proof, Release, Side, entries, verify
from eastflow.ledger.actions import Engine, define_asset, open_accounts, reversal_of
from eastflow.ledger.posting import now
from eastflow.storage import Database

DAY = date(2026, 1, 2)


def ident(number: int) -> UUID:
    return UUID(int=number)


def entry(number: int, *legs: tuple[int, int], asset: str = "EUR", **other: object) -> Entry:
    postings = tuple(Posting(account, asset, amount) for account, amount in legs)
    return Entry(ident(number), "transfer", DAY, postings, **other)  # type: ignore[arg-type]


async def keep_books(database: Database) -> None:
    """Two assets, several legs, holds captured, released and left, a reversal: some blocks quick, some judged."""
    accounts = [Account(n, "EUR", Side.DEBIT if n == 1 else Side.CREDIT, "test", DAY, None) for n in range(1, 6)]
    accounts += [Account(n, "XAUT", Side.CREDIT, "test", DAY, None) for n in (6, 7)]
    await database.run(lambda tx: define_asset(tx, Asset("EUR", 2)))
    await database.run(lambda tx: define_asset(tx, Asset("XAUT", 6)))
    await database.run(lambda tx: open_accounts(tx, accounts))
    soon = now() + timedelta(days=1)
    exchange = (
        *(Posting(a, "EUR", m) for a, m in ((2, -9), (3, 9))),
        *(Posting(a, "XAUT", m) for a, m in ((6, 5), (7, -5))),
    )
    batches: list[list[Command]] = [
        [entry(n, (1, -100 - n), (2 + n % 4, 100 + n)) for n in range(10, 40)],
        [entry(50, (1, -10), (2, 4), (3, 6), memo="three legs"), entry(51, (2, -1), (4, 1), details={"order": "7"})],
        [Entry(ident(60), "exchange", DAY, exchange)],
        [Hold(ident(n), 2, "EUR", 20, soon) for n in range(70, 73)],
        [entry(80, (2, -5), (5, 5), capture=Capture(2, ident(70), final=False)), Release(2, ident(71))],
    ]
    async with Engine(database, lanes=1) as engine:
        for batch in batches:
            assert not [outcome for outcome in await engine.post_batch(batch) if isinstance(outcome, Refusal)]
        async with database.reading() as tx:
            booked = (await entries(tx, [ident(11)]))[ident(11)]
        undone = reversal_of(booked, {1: "EUR", 5: "EUR"}, id=ident(90))
        assert not isinstance(await engine.post(undone), Refusal)


async def prove(database: Database) -> Proof:
    async with database.reading() as tx:
        return await verify(tx)


async def test_honest_books_are_proved(database: Database) -> None:
    await keep_books(database)
    proof = await prove(database)
    assert proof.findings == ()
    assert (proof.entries, proof.postings, proof.accounts, proof.blocks) == (35, 73, 7, 5)
    assert [number for number, _ in proof.heads.values()] == [5]


SOME = ident(20).hex
FORGERIES = {
    "an amount in a posting": (
        f"UPDATE ledger_posting SET amount = amount + 1 WHERE entry_id = '{SOME}' AND account_id = 2",
        ("posting_differs", "account 2, sequence 3"),
    ),
    "an amount in an entry": (
        f"UPDATE ledger_entry SET amounts[2] = amounts[2] + 1 WHERE id = '{SOME}'",
        ("entry_unbalanced", f"entry {ident(20)}"),
    ),
    "both, and the balances after them": (
        f"UPDATE ledger_entry SET amounts = ARRAY[-121, 121]::bigint[] WHERE id = '{SOME}';"
        f"UPDATE ledger_posting SET amount = CASE account_id WHEN 1 THEN -121 ELSE 121 END WHERE entry_id = '{SOME}';"
        "UPDATE ledger_posting SET balance = balance + 1 WHERE (account_id, sequence) >= (1, 11) AND account_id = 1;"
        "UPDATE ledger_posting SET balance = balance + 1 WHERE (account_id, sequence) >= (2, 3) AND account_id = 2;"
        "UPDATE ledger_balance SET posted = posted + 1 WHERE account_id IN (1, 2)",
        ("block_hash_differs", "chain {chain}, block 1"),
    ),
    "a posting taken away": (
        "DELETE FROM ledger_posting WHERE account_id = 3 AND sequence = 4",
        ("posting_missing", "account 3, sequence 4"),
    ),
    "the last posting taken away": (
        "DELETE FROM ledger_posting WHERE account_id = 7 AND sequence = 1",
        ("balance_differs", "account 7"),
    ),
    "a posting added": (
        "INSERT INTO ledger_posting SELECT 6, 2, entry_id, 5, 10, booked_at, value_date FROM ledger_posting "
        "WHERE account_id = 6",
        ("posting_without_entry", "account 6, sequence 2"),
    ),
    "an entry taken away": (
        f"DELETE FROM ledger_entry WHERE id = '{SOME}'",
        ("entry_count_differs", "chain {chain}, block 1"),
    ),
    "a forged balance": (
        "UPDATE ledger_balance SET posted = posted + 100 WHERE account_id = 4",
        ("balance_differs", "account 4"),
    ),
    "two forged balances that cancel out": (
        "UPDATE ledger_balance SET posted = posted + CASE account_id WHEN 4 THEN 100 ELSE -100 END "
        "WHERE account_id IN (4, 5)",
        ("balance_differs", "account 5"),
    ),
    "a forged held amount": (
        "UPDATE ledger_balance SET held = held + 1 WHERE account_id = 2",
        ("held_differs", "account 2"),
    ),
    "a hold made smaller": (
        f"UPDATE ledger_hold SET remaining = 1 WHERE id = '{ident(72).hex}'",
        ("held_differs", "account 2"),
    ),
    "a broken link": (
        "UPDATE ledger_block SET hash = sha256('forged') WHERE number = 3",
        ("block_hash_differs", "chain {chain}, block 4"),
    ),
    "a block taken away": (
        "DELETE FROM ledger_block WHERE number = 3",
        ("block_missing", "chain {chain}, block 3"),
    ),
    "the last block taken away": (
        "DELETE FROM ledger_block WHERE number = 5",
        ("chain_head_differs", "chain {chain}"),
    ),
    "a memo": (
        f"UPDATE ledger_entry SET memo = 'other' WHERE id = '{ident(50).hex}'",
        ("block_hash_differs", "chain {chain}, block 2"),
    ),
    "details": (
        f"UPDATE ledger_entry SET details = '{{\"order\":\"8\"}}' WHERE id = '{ident(51).hex}'",
        ("block_hash_differs", "chain {chain}, block 2"),
    ),
    "a value date of a posting": (
        "UPDATE ledger_posting SET value_date = value_date - 1 WHERE account_id = 6",
        ("posting_differs", "account 6, sequence 1"),
    ),
    "a booking time": (
        "UPDATE ledger_block SET booked_at = booked_at - interval '1 day' WHERE number = 2",
        ("block_hash_differs", "chain {chain}, block 2"),
    ),
    "places in the accounts": (
        "UPDATE ledger_block SET sequences[1] = 9 WHERE number = 1",
        ("block_hash_differs", "chain {chain}, block 1"),
    ),
    "the account of a leg": (
        f"UPDATE ledger_entry SET account_ids[2] = 3 WHERE id = '{SOME}'",
        ("posting_without_entry", "account 2, sequence 3"),
    ),
    "a reversal forgotten": (
        "DELETE FROM ledger_reversal",
        ("reversal_differs", f"entry {ident(11)}"),
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forgery_is_found_and_placed(database: Database, forgery: str) -> None:
    await keep_books(database)
    sql, (code, place) = FORGERIES[forgery]
    await database.run(lambda tx: tx.execute(sql))
    proof = await prove(database)
    (chain,) = proof.heads
    assert (code, place.format(chain=chain)) in [(finding.code, finding.place) for finding in proof.findings]
    assert not proof.proved
