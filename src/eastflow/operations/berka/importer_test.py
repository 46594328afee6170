"""A bank is taken over once and whole, however often the taking over is begun, refused in part or killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from eastflow.customers import Party, PartyKind, Role, RoleKind, parties_page, party_by_reference, roles_of_account
from eastflow.kernel import Asset, Refusal
from eastflow.ledger import (
    BATCH_COMMANDS_MAX,
    Account,
    Side,
    Status,
    accounts,
    accounts_page,
    balances,
    entry,
    trial_balance_at,
)
from eastflow.ledger.actions import Engine, change_status, define_asset, open_accounts
from eastflow.storage import Database

from . import importer
from .chart import COUNTER_ACCOUNTS, BookSide, entry_id, plan
from .importer import (
    CUSTOMER_ACCOUNT_BASE,
    OWN_ACCOUNT_BASE,
    Import,
    ImportRefused,
    customer_account,
    import_berka,
    own_account,
    party_id,
)
from .order import ordered
from .read import Source, read
from .records import Refused
from .sample import FILES, write_files

Row = tuple[int, int, UUID, int, int, date]

KILLED_RUN = """
import asyncio, sys
from pathlib import Path
from eastflow.ledger.actions import Engine
from eastflow.operations.berka import importer
from eastflow.storage import Database, Keys

async def main(url: str, key_file: str, directory: str, batch_entries: str) -> None:
    importer.BATCH_ENTRIES = int(batch_entries)
    database = await Database.open(url, keys=Keys.open(Path(key_file)))
    async with Engine(database) as engine:
        say = lambda step, done, total: print(step, done, flush=True)
        await importer.import_berka(engine, Path(directory), progress=say)

asyncio.run(main(*sys.argv[1:]))
"""


async def run(database: Database, directory: Path) -> Import:
    async with Engine(database) as engine:
        return await import_berka(engine, directory)


def kill(
    url: str, keys: Path, directory: Path, step: str, times: int, *, batch_entries: int, pause_milliseconds: int = 0
) -> None:
    """Begins an import in a process of its own and kills it when it has told of `step` so many times."""
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED_RUN, url, str(keys), str(directory), str(batch_entries)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    with child.stdout:
        for line in child.stdout:
            times -= line.startswith(step)
            if times == 0:
                break
        time.sleep(pause_milliseconds / 1000)
        child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL


async def booked(database: Database) -> list[Row]:
    """Every posting in the books. All balances must be those their last postings left."""
    async with database.reading() as tx:
        found = await tx.rows(
            "SELECT account_id, sequence, entry_id, amount, balance, value_date FROM ledger_posting ORDER BY 1, 2"
        )
        rows: list[Row] = [tuple(row) for row in found]
        last = {row[0]: (row[1], row[4]) for row in rows}
        now = await balances(tx, [account.id for account in await all_accounts(database)])
    assert {a: (b.sequence, b.posted_minor) for a, b in now.items()} == {a: last.get(a, (0, 0)) for a in now}
    return rows


def expected(source: Source) -> list[Row]:
    """Every posting as it must be booked, reckoned without a ledger."""
    left: dict[int, tuple[int, int]] = {}
    rows: list[Row] = []
    for row in ordered(source.transactions):
        planned = plan(row)
        own_sign = 1 if planned.counter.side is BookSide.CREDIT else -1
        for account, amount, sign in (
            (customer_account(row.account_id), planned.amount_minor, 1),
            (own_account(planned.counter), -planned.amount_minor, own_sign),
        ):
            sequence, balance = left.get(account, (0, 0))
            left[account] = sequence + 1, balance + sign * amount
            rows.append((account, sequence + 1, planned.entry_id, amount, balance + sign * amount, planned.value_date))
    return sorted(rows)


async def all_accounts(database: Database) -> list[Account]:
    async with database.reading() as tx:
        return await accounts_page(tx, after=0, limit=10_000, chart=None, owner=None)


def many_rows(count: int) -> list[str]:
    """Rows of both accounts of the sample, several a day, with recorded balances that all follow."""
    kinds = (
        ('"PRIJEM";"VKLAD"', 900, '"";;'),
        ('"VYDAJ";"VYBER"', -350, '"";;'),
        ('"VYDAJ";"VYBER"', -30, '"SLUZBY";;'),
        ('"PRIJEM";""', 10, '"UROK";;'),
        ('"VYDAJ";"PREVOD NA UCET"', -540, '"SIPO";"YZ";"087144583"'),
        ('"PRIJEM";"PREVOD Z UCTU"', 100, '"DUCHOD";"AB";"1"'),
    )
    rows, recorded = [], {7: 0, 8: 0}
    for number in range(count):
        account_id = 7 + number % 5 // 3
        words, crowns, end = kinds[number % 6]
        recorded[account_id] += crowns
        day = (date(1993, 3, 1) + timedelta(days=number // 7)).strftime("%y%m%d")
        rows.append(f"{500 + number};{account_id};{day};{words};{abs(crowns)}.00;{recorded[account_id]}.00;{end}")
    return rows


async def test_the_sample_is_taken_over(database: Database, tmp_path: Path) -> None:
    directory = write_files(tmp_path)
    done = await run(database, directory)
    assert (done.transactions, done.posted, done.replayed, done.refused) == (3, 3, 0, ())
    assert (done.reconciliation.exact, done.reconciliation.compared) == (3, 3)
    assert await booked(database) == expected(read(directory))
    async with database.reading() as tx:
        assert (await trial_balance_at(tx)).balanced
        fee = await entry(tx, entry_id(read(directory).transactions[1]))
    assert fee is not None
    assert (fee.kind, fee.details["trans_id"], fee.amounts_minor) == ("household_payment", "102", (-25_250, 25_250))


async def test_accounts_keep_the_number_of_the_source_and_have_no_floor(database: Database, tmp_path: Path) -> None:
    await run(database, write_files(tmp_path))
    opened = {account.id: account for account in await all_accounts(database)}
    assert opened[19_930_000_008] == Account(
        19_930_000_008, "CZK", Side.CREDIT, "liabilities:deposits:demand", date(1993, 2, 15), None, str(party_id(2)),
        details={"berka_account": "8", "frequency": "POPLATEK PO OBRATU", "district": "Jesenik"},
    )  # fmt: skip
    own = {number: account for number, account in opened.items() if number < CUSTOMER_ACCOUNT_BASE}
    assert len(own) == len(opened) - 2 == len(COUNTER_ACCOUNTS)
    assert min(own) > OWN_ACCOUNT_BASE
    assert all(account.floor_minor is None and account.owner is None for account in own.values())
    bank = opened[19_929_065_066]
    assert (bank.chart, bank.side, bank.details["name"]) == (
        "assets:settlement:bank:ab",
        Side.DEBIT,
        "Due from bank AB",
    )
    # A balance grows by debits where the chart says assets or expenses, and nowhere else.
    for account in opened.values():
        assert (account.side is Side.DEBIT) == (account.chart.split(":")[0] in ("assets", "expenses"))


async def test_clients_are_parties_with_their_rights(database: Database, tmp_path: Path) -> None:
    await run(database, write_files(tmp_path))
    owner = Party(
        party_id(2), PartyKind.PERSON, "Client 2", date(1993, 2, 15), date(1945, 2, 4), "berka:client:2",
        {"sex": "male", "district": "Jesenik"},
    )  # fmt: skip
    async with database.reading() as tx:
        assert await party_by_reference(tx, "berka:client:2") == owner
        assert len(await parties_page(tx, limit=10)) == 3
        rights = await roles_of_account(tx, customer_account(8))
    since = date(1993, 2, 15)
    assert {right.party: right for right in rights} == {
        party_id(2): Role(party_id(2), customer_account(8), RoleKind.OWNER, since),
        party_id(3): Role(party_id(3), customer_account(8), RoleKind.DISPONENT, since),
    }


def test_a_client_is_the_same_party_on_every_run() -> None:
    assert party_id(1) == UUID("3fcfd0d4-3bc7-5a1a-951a-24faac054af8")


async def test_a_client_without_an_account_is_left_out_and_told(database: Database, tmp_path: Path) -> None:
    done = await run(database, write_files(tmp_path, disp=['11;1;7;"OWNER"', '12;2;8;"OWNER"'], card=[]))
    [left_out] = done.refused
    assert (left_out.file, left_out.line) == ("client.asc", 0)
    assert left_out.reason.startswith("client_id 3 has no right over an account")
    async with database.reading() as tx:
        assert await party_by_reference(tx, "berka:client:3") is None


async def test_importing_again_books_nothing_twice_and_compares_as_before(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = write_files(tmp_path, trans=many_rows(300))
    monkeypatch.setattr(importer, "BATCH_ENTRIES", 64)
    first = await run(database, directory)
    before = await booked(database), await all_accounts(database)
    again = await run(database, directory)
    assert (first.posted, first.replayed) == (300, 0)
    assert (again.posted, again.replayed, again.transactions) == (0, 300, 300)
    assert (await booked(database), await all_accounts(database)) == before
    assert before[0] == expected(read(directory))
    assert again.reconciliation == first.reconciliation
    assert first.reconciliation.exact == 300


async def test_what_a_longer_file_adds_is_all_that_is_posted(database: Database, tmp_path: Path) -> None:
    rows = many_rows(120)
    await run(database, write_files(tmp_path, trans=rows[:70]))
    done = await run(database, write_files(tmp_path, trans=rows))
    assert (done.posted, done.replayed, done.reconciliation.exact) == (50, 70, 120)
    assert await booked(database) == expected(read(tmp_path))


@pytest.mark.parametrize(("step", "times"), [("read", 1), ("parties", 1), ("accounts", 1), ("post", 1), ("post", 6)])
async def test_a_killed_import_is_taken_up_where_it_stopped(
    database: Database, key_file: Path, tmp_path: Path, step: str, times: int
) -> None:
    directory = write_files(tmp_path, trans=many_rows(900))
    kill(database.url, key_file, directory, step, times, batch_entries=30)
    done = await run(database, directory)
    assert done.transactions == done.reconciliation.exact == 900
    assert done.replayed >= 30 * times * (step == "post")
    assert await booked(database) == expected(read(directory))


async def test_a_transaction_the_books_refuse_is_told_with_its_line(database: Database, tmp_path: Path) -> None:
    rows = many_rows(12)
    await run(database, write_files(tmp_path, trans=rows[:6]))
    await database.run(lambda tx: change_status(tx, customer_account(8), Status.FROZEN))
    done = await run(database, write_files(tmp_path, trans=[*rows, "999;7;940101"]))
    of_eight = [line for line, row in enumerate(rows[6:], start=8) if row.split(";")[1] == "8"]
    assert [row.line for row in done.refused] == [14, *of_eight]
    assert done.refused[0] == Refused("trans.asc", 14, "3 fields instead of 10")
    assert all(
        row.reason.startswith("not booked: ledger.account_frozen (account 19930000008") for row in done.refused[1:]
    )
    assert done.transactions == 12 - len(of_eight)
    assert [row.line for row in done.reconciliation.unbooked] == of_eight
    assert done.as_data()["unbooked_trans_ids"] == [498 + line for line in of_eight]


async def test_nothing_is_posted_where_a_number_is_taken(database: Database, tmp_path: Path) -> None:
    other = Account(customer_account(8), "CZK", Side.CREDIT, "liabilities:other", date(2020, 1, 1))
    await database.run(lambda tx: define_asset(tx, Asset("CZK", 2)))
    [answer] = await database.run(lambda tx: open_accounts(tx, [other]))
    assert not isinstance(answer, Refusal)
    with pytest.raises(ImportRefused, match=r"accounts: ledger\.account_id_reused \(account 19930000008\)"):
        await run(database, write_files(tmp_path))
    assert await booked(database) == []


async def test_the_report_begins_with_what_matters_and_is_json(database: Database, tmp_path: Path) -> None:
    done = await run(database, write_files(tmp_path, trans=[*FILES["trans.asc"][1:], "999;7;940101"]))
    data = json.loads(json.dumps(done.as_data()))
    assert list(data)[:6] == ["transactions", "exact", "rounding", "unexplained", "refused", "seconds"]
    assert data["refused"] == [{"file": "trans.asc", "line": 5, "reason": "3 fields instead of 10"}]
    assert (data["transactions"], data["posted"], data["adjusted"], data["differences"]) == (3, 3, 0, [])
    table = done.as_table()
    assert table.startswith("transactions in the books ")
    assert "refused: trans.asc line 5: 3 fields instead of 10" in table


async def test_progress_tells_each_step_to_its_end(database: Database, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    async with Engine(database) as engine:
        await import_berka(engine, write_files(tmp_path), progress=lambda *step: told.append(step))
    own = len(COUNTER_ACCOUNTS)
    assert told == [
        ("read", 3, 3),
        ("parties", 3, 3),
        ("accounts", own + 2, own + 2),
        ("roles", 3, 3),
        ("post", 3, 3),
        ("reconcile", 3, 3),
    ]


async def test_an_empty_file_leaves_open_accounts_without_a_posting(database: Database, tmp_path: Path) -> None:
    done = await run(database, write_files(tmp_path, trans=[]))
    assert (done.transactions, done.reconciliation.compared) == (0, 0)
    async with database.reading() as tx:
        assert set(await accounts(tx, [customer_account(7), customer_account(8)])) == {19_930_000_007, 19_930_000_008}


def test_a_batch_is_within_what_the_engine_takes() -> None:
    assert importer.BATCH_ENTRIES <= BATCH_COMMANDS_MAX


async def test_the_real_bank_is_taken_over_whole(database: Database, berka_directory: Path, berka: Source) -> None:
    done = await run(database, berka_directory)
    assert done.transactions == done.posted == 49_102
    assert done.refused == (Refused("trans.asc", 49_104, "cut off: no line end after 4 of 10 fields"),)
    counts = done.reconciliation
    assert (counts.exact, counts.rounding, len(counts.unexplained)) == (46_749, 2_325, 28)
    assert await booked(database) == expected(berka)
    async with database.reading() as tx:
        assert (await trial_balance_at(tx)).differences_minor == {"CZK": 0}
    assert done.seconds <= 20


async def test_the_real_bank_killed_in_the_middle_of_a_batch_ends_in_the_same_books(
    database: Database, key_file: Path, berka_directory: Path, berka: Source
) -> None:
    batch = importer.BATCH_ENTRIES
    kill(database.url, key_file, berka_directory, "post", 3, batch_entries=batch, pause_milliseconds=60)
    assert 30_000 <= len(await booked(database)) < 2 * 49_102
    done = await run(database, berka_directory)
    assert done.transactions == 49_102
    assert done.replayed >= 15_000
    assert (done.reconciliation.exact, done.reconciliation.rounding) == (46_749, 2_325)
    assert await booked(database) == expected(berka)
