"""Each way to forge the books is tried for real, found, and placed."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest

from eastflow.kernel import Asset, Refusal
from eastflow.ledger import (
    Account,
    Capture,
    Command,
    Entry,
    Hold,
    Posting,
    Proof,
    Release,
    Side,
    entries,
    proof,
    verify,
)
from eastflow.ledger.actions import Engine, define_asset, open_accounts, reversal_of
from eastflow.storage import Database, now

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
    found = await prove(database)
    assert found.findings == ()
    assert (found.entries, found.postings, found.accounts, found.blocks) == (35, 73, 7, 5)
    assert [number for number, _ in found.heads.values()] == [5]


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
    "an amount too many": (
        f"UPDATE ledger_entry SET amounts = amounts || 5::bigint WHERE id = '{SOME}'",
        ("entry_malformed", f"entry {ident(20)}"),
    ),
    "an amount made null": (
        f"UPDATE ledger_entry SET amounts[1] = NULL WHERE id = '{SOME}'",
        ("entry_malformed", f"entry {ident(20)}"),
    ),
    "no legs at all": (
        f"UPDATE ledger_entry SET account_ids = '{{}}', amounts = '{{}}' WHERE id = '{SOME}'",
        ("posting_without_entry", "account 2, sequence 3"),
    ),
    "legs outside the block": (
        f"UPDATE ledger_entry SET first_leg = -3 WHERE id = '{SOME}'",
        ("entry_malformed", f"entry {ident(20)}"),
    ),
    "a leg said twice": (
        f"UPDATE ledger_entry SET account_ids = account_ids || account_ids[2], amounts = amounts || amounts[2] "
        f"WHERE id = '{SOME}'",
        ("posting_missing", "account 2, sequence 12"),
    ),
    "a place made null": (
        "UPDATE ledger_block SET sequences[1] = NULL WHERE number = 1",
        ("block_hash_differs", "chain {chain}, block 1"),
    ),
    "a block at the end of time": (
        "UPDATE ledger_block SET booked_at = 'infinity' WHERE number = 1",
        ("block_hash_differs", "chain {chain}, block 1"),
    ),
    "a posting at the end of time": (
        "UPDATE ledger_posting SET booked_at = 'infinity', value_date = 'infinity' WHERE account_id = 6",
        ("posting_differs", "account 6, sequence 1"),
    ),
    "amounts that pass 64 bits and come back": (
        "UPDATE ledger_entry SET account_ids = ARRAY[2, 2, 2, 2], amounts = array_fill(1::bigint << 62, ARRAY[4]) "
        f"WHERE id = '{SOME}'",
        ("entry_unbalanced", f"entry {ident(20)}"),
    ),
    "two postings that change places": (
        "UPDATE ledger_posting p SET entry_id = q.entry_id FROM ledger_posting q "
        "WHERE p.account_id = 1 AND q.account_id = 1 AND p.sequence IN (3, 4) AND q.sequence = 7 - p.sequence",
        ("posting_differs", "account 1, sequence 4"),
    ),
    "a kind": (
        f"UPDATE ledger_entry SET kind = 'other' WHERE id = '{SOME}'",
        ("block_hash_differs", "chain {chain}, block 1"),
    ),
    "a chain cut short": (
        "DELETE FROM ledger_block WHERE number = 5; UPDATE ledger_chain c SET number = 4, "
        "hash = (SELECT hash FROM ledger_block b WHERE b.chain_id = c.id AND b.number = 4)",
        ("entry_without_block", f"entry {ident(90)}"),
    ),
    "a head forgotten": (
        "DELETE FROM ledger_chain",
        ("chain_head_differs", "chain {chain}"),
    ),
    "an account forgotten": (
        "DELETE FROM ledger_account WHERE id = 4",
        ("account_missing", "account 4"),
    ),
    "all balances forgotten": (
        "DELETE FROM ledger_balance",
        ("account_missing", "account 4, sequence 1"),
    ),
    "a side": (
        "UPDATE ledger_account SET side = -side WHERE id = 4",
        ("account_differs", "account 4"),
    ),
    "a floor": (
        "UPDATE ledger_balance SET floor = -1000000 WHERE account_id = 4",
        ("standing_differs", "account 4"),
    ),
    "a status": (
        "UPDATE ledger_balance SET status = 3 WHERE account_id = 4",
        ("standing_differs", "account 4"),
    ),
    "an ended hold made active again": (
        f"UPDATE ledger_hold SET status = 0 WHERE id = '{ident(71).hex}'",
        ("hold_differs", f"account 2, hold {ident(71)}"),
    ),
    "a capture forgotten": (
        "UPDATE ledger_hold_change SET entry_id = NULL",
        ("capture_differs", f"entry {ident(80)}"),
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
    found = await prove(database)
    chain = await database.run(lambda tx: tx.value("SELECT min(chain_id) FROM ledger_block"))
    assert (code, place.format(chain=chain)) in [(finding.code, finding.place) for finding in found.findings]
    assert not found.proved


async def test_books_put_right_again_are_proved_again(database: Database) -> None:
    await keep_books(database)
    sql = "UPDATE ledger_posting SET amount = amount + $1 WHERE account_id = 2 AND sequence = 3"
    await database.run(lambda tx: tx.execute(sql, 1))
    assert not (await prove(database)).proved
    await database.run(lambda tx: tx.execute(sql, -1))
    assert (await prove(database)).proved


async def test_books_cut_back_whole_are_found_by_the_head_kept_elsewhere(database: Database) -> None:
    """Without the head of the earlier proof nothing is wrong with these books: they just end a block earlier."""
    await keep_books(database)
    kept = (await prove(database)).heads
    last = ident(90).hex
    forgery = (
        f"UPDATE ledger_balance b SET posted = posted - side * p.amount, sequence = b.sequence - 1 "
        f"FROM ledger_posting p WHERE p.entry_id = '{last}' AND p.account_id = b.account_id;"
        f"DELETE FROM ledger_posting WHERE entry_id = '{last}'; DELETE FROM ledger_entry WHERE id = '{last}';"
        "DELETE FROM ledger_reversal; DELETE FROM ledger_block WHERE number = 5; UPDATE ledger_chain c SET number = 4, "
        "hash = (SELECT hash FROM ledger_block b WHERE b.chain_id = c.id AND b.number = 4)"
    )
    await database.run(lambda tx: tx.execute(forgery))
    assert (await prove(database)).proved
    async with database.reading() as tx:
        found = await verify(tx, anchors=kept)
    assert [(f.code, f.place) for f in found.findings] == [("anchor_differs", f"chain {next(iter(kept))}, block 5")]


async def test_a_flood_of_one_kind_is_counted_and_hides_no_other(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "FINDINGS_PER_CODE_MAX", 5)
    await keep_books(database)
    forgery = "UPDATE ledger_posting SET balance = -balance; UPDATE ledger_balance SET held = held + 1"
    await database.run(lambda tx: tx.execute(forgery))
    found = await prove(database)
    codes = [finding.code for finding in found.findings]
    assert codes.count("balance_after_differs") == 5
    assert "held_differs" in codes
    assert found.findings_count > len(codes)


async def test_empty_books_are_proved(database: Database) -> None:
    found = await prove(database)
    assert (found.proved, found.entries, found.accounts) == (True, 0, 0)
