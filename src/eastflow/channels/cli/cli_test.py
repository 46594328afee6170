"""The command line as an operator uses it: commands on one bank, in order; the bank itself as a process."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from eastflow.main import app
from eastflow.storage import Database, embedded

STARTING_SECONDS = 30


class Operator:
    """Runs commands on a bank in a directory of its own."""

    def __init__(self, data_dir: Path, port: int) -> None:
        self.environment = os.environ | {"EASTFLOW_DATA_DIR": str(data_dir), "EASTFLOW_PORT": str(port)}
        self.environment.pop("EASTFLOW_DATABASE_URL", None)
        self.url = f"http://127.0.0.1:{port}"

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", "from eastflow.main import main; main()", *words],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, status: int = 0) -> str:
        """In this process, which spares starting one for each command."""
        result = CliRunner().invoke(app, words, env=self.environment)
        assert result.exit_code == status, (words, result.output, result.exception)
        return result.stdout or result.stderr

    def json(self, *words: str, status: int = 0) -> Any:
        return json.loads(self.run(*words, "--json", status=status))


@pytest.fixture(scope="module")
def operator() -> Iterator[Operator]:
    room = Path(tempfile.mkdtemp(prefix="eastflow-cli-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # The server is started once here; commands find it running, and leave it so.
    embedded.start(room / "bank", memory_bytes=512 << 20)
    yield Operator(room / "bank", port)
    embedded.stop(room / "bank")
    shutil.rmtree(room, ignore_errors=True)


pytestmark = pytest.mark.xdist_group("cli")


def test_the_demo_is_filled_once(operator: Operator) -> None:
    assert operator.json("demo") == operator.json("demo")
    assert operator.json("verify")["findings"] == []
    balance = operator.json("balances", "show", "2001")
    assert balance["available_minor"] == balance["posted_minor"] - balance["held_minor"]
    assert operator.json("balances", "show", "2001", "--valued-on", "2025-01-05")["posted_minor"] == 0


def test_an_account_from_opening_to_closing(operator: Operator) -> None:
    operator.json("assets", "define", "XAUT", "6")
    assert {"code": "XAUT", "scale": 6} in operator.json("assets", "list")
    opened = operator.json("accounts", "open", "77", "XAUT", "credit", "liabilities:vault", "--opened-on", "2026-01-02")
    assert opened["status"] == "open"
    assert operator.json("accounts", "freeze", "77", "--debits-only")["status"] == "debits_frozen"
    assert operator.json("accounts", "unfreeze", "77")["status"] == "open"
    assert operator.json("accounts", "floor", "77")["floor_minor"] is None
    assert operator.json("accounts", "floor", "77", "5")["floor_minor"] == 5
    assert operator.json("accounts", "close", "77")["status"] == "closed"
    assert operator.json("accounts", "show", "77")["status"] == "closed"
    assert operator.json("accounts", "list", "--chart", "liabilities:vault")[0]["id"] == 77
    refused = operator.json("accounts", "close", "78", status=1)
    assert refused == {"refused": "ledger.account_not_found", "facts": {"account": 78}}


def test_an_entry_posted_found_and_reversed(operator: Operator) -> None:
    words = ("entries", "post", "transfer", "CNY", "--leg", "2003:-700", "--leg", "2004:700", "--detail", "order=7")
    posted = operator.json(*words)
    found = operator.json("entries", "search", "--detail", "order=7")["entries"]
    assert [entry["id"] for entry in found] == [posted["id"]]
    assert operator.json("entries", "show", posted["id"])["amounts_minor"] == [-700, 700]
    reversal = operator.json("entries", "reverse", posted["id"])
    assert operator.json("entries", "show", reversal["id"])["reverses"] == posted["id"]
    again = operator.json("entries", "reverse", posted["id"], status=1)
    assert again["refused"] == "ledger.entry_already_reversed"
    assert "insufficient_funds" in operator.run(
        *words[:4], "--leg", "2003:-9000000000", "--leg", "2004:9000000000", status=1
    )
    operator.run("entries", "post", "transfer", "CNY", "--leg", "2003", "--leg", "2004:7", status=2)


def test_a_file_of_entries(operator: Operator, tmp_path: Path) -> None:
    lines = [
        {"id": f"00000000-0000-7000-8000-00000000000{n}", "kind": "transfer", "value_date": "2026-02-03",
         "postings": [{"account": 2005, "asset": "CNY", "amount_minor": -n},
                      {"account": 2006 if n < 3 else 9999, "asset": "CNY", "amount_minor": n}]}
        for n in (1, 2, 3)
    ]  # fmt: skip
    file = tmp_path / "entries.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines))
    outcomes = operator.json("entries", "batch", str(file), status=1)
    assert [outcome.get("refused") for outcome in outcomes] == [None, None, "ledger.account_not_found"]
    assert [outcome.get("replayed") for outcome in operator.json("entries", "batch", str(file), status=1)][:2] == [
        True
    ] * 2
    file.write_text('{"id": 1}')
    assert "line 1" in operator.run("entries", "batch", str(file), status=1)


def test_holds(operator: Operator) -> None:
    hold = operator.json("holds", "place", "2007", "CNY", "900")["id"]
    legs = ("--leg", "2007:-400", "--leg", "2008:400")
    operator.json("holds", "capture", "2007", hold, "card_purchase", "CNY", *legs, "--keep-rest")
    assert operator.json("holds", "list", "2007")[0]["remaining_minor"] == 500
    operator.json("holds", "release", "2007", hold)
    assert operator.json("holds", "list", "2007")[0]["status"] == "released"
    assert operator.json("holds", "place", "2007", "CNY", "0", status=1)["refused"] == "ledger.amount_is_zero"
    assert operator.json("holds", "expire") == {"expired": 0}


def test_statements_and_the_trial_balance(operator: Operator) -> None:
    period = ("--since", "2025-01-01", "--until", "2026-12-31", "--basis", "valued", "--limit", "2")
    page = operator.json("statements", "show", "2009", *period)
    assert page["opening_minor"] == 0
    assert len(page["lines"]) == 2
    following = operator.json("statements", "show", "2009", *period, "--cursor", page["cursor"])
    assert following["lines"][-1]["balance_minor"] == following["closing_minor"]
    assert set(operator.json("trial-balance")["differences_minor"].values()) == {0}
    assert "closing" in operator.run("statements", "show", "2009", *period)


def test_parties(operator: Operator) -> None:
    party = operator.json("parties", "register", "person", "Ann Lee", "--reference", "crm:1", "--born-on", "1990-02-03")
    assert operator.json("parties", "show", party["id"])["party"]["name"] == "Ann Lee"
    assert [p["name"] for p in operator.json("parties", "list", "--name-prefix", "Ann")] == ["Ann Lee"]
    taken = operator.json("parties", "register", "person", "Bo Lee", "--reference", "crm:1", status=1)
    assert taken["refused"] == "customers.reference_taken"


async def execute(url: str, sql: str) -> None:
    database = await Database.open(url)
    await database.run(lambda tx: tx.execute(sql))
    await database.close()


def test_a_forged_balance_makes_verify_fail(operator: Operator) -> None:
    url = embedded.start(Path(operator.environment["EASTFLOW_DATA_DIR"])).url
    change = "UPDATE ledger_balance SET posted = posted {} 1 WHERE account_id = 2010"
    asyncio.run(execute(url, change.format("+")))
    found = operator.json("verify", status=1)["findings"]
    assert {"balance_differs", "trial_balance_differs"} == {finding["code"] for finding in found}
    asyncio.run(execute(url, change.format("-")))
    assert "proved" in operator.run("verify")


def test_keys_are_shown_once_and_revoked(operator: Operator) -> None:
    key = operator.json("keys", "create", "reporting", "--scope", "reports:read")
    assert key["secret"] not in operator.run("keys", "list")
    assert operator.json("keys", "revoke", key["id"])["revoked_at"]


def test_other_words_are_bad_usage(operator: Operator) -> None:
    operator.run("nonsense", status=2)
    operator.run("bench", "nonsense", status=2)
    operator.run("accounts", "open", "seven", status=2)


def get(url: str, secret: str = "") -> int:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {secret}"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def wait_until_up(operator: Operator) -> None:
    deadline = time.monotonic() + STARTING_SECONDS
    while True:
        try:
            assert get(f"{operator.url}/healthz") == 200
        except OSError:
            assert time.monotonic() < deadline, "the bank did not come up"
            time.sleep(0.1)
        else:
            return


def test_the_bank_comes_up_is_killed_and_comes_up_again() -> None:
    room = Path(tempfile.mkdtemp(prefix="eastflow-up-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        operator = Operator(room / "bank", free.getsockname()[1])
    try:
        first = operator.start("up")
        wait_until_up(operator)
        assert "already" in operator.run("up", status=1)
        first.send_signal(signal.SIGKILL)
        said, _ = first.communicate()
        secret = next(word for word in said.split() if word.startswith("ef_"))
        assert embedded.running(room / "bank"), "the database outlives the program that was killed"
        second = operator.start("up")
        wait_until_up(operator)
        assert get(f"{operator.url}/v1/accounts/2001/balance", secret) == 200
        assert get(f"{operator.url}/v1/accounts/2001/balance", "") == 401
        second.send_signal(signal.SIGTERM)
        said, errors = second.communicate(timeout=30)
        assert second.returncode == 0, errors
        assert "ef_" not in said
        assert "Traceback" not in errors
        assert operator.json("down") in ({"stopped": True}, {"stopped": False})
        assert embedded.running(room / "bank") is None
    finally:
        embedded.stop(room / "bank")
        shutil.rmtree(room, ignore_errors=True)
