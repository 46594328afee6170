"""Deposits from the command line: one story on a bank of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pypdf import PdfReader

from eastflow.channels.cli.cli_test import Operator
from eastflow.storage import embedded

FILE = """
code = "plain"
name = "Plain savings"
kind = "demand"
currency = "CNY"
day_count = "ACT/360"
settlement = { months = [6, 12], day = 21 }

[rates]
changes = [{ since = 2026-01-01, tiers = [{ percent = "0.10" }] }]
"""
TODAY = datetime.now(UTC).date().isoformat()
CASH = "9"


@pytest.fixture(scope="module")
def operator() -> Iterator[Operator]:
    room = Path(tempfile.mkdtemp(prefix="eastflow-cli-"))
    embedded.start(room / "bank", memory_bytes=512 << 20)
    made = Operator(room / "bank", 1)
    file = room / "plain.toml"
    file.write_text(FILE)
    made.run("assets", "define", "CNY", "2")
    made.run("accounts", "open", CASH, "CNY", "debit", "assets:cash", "--no-floor")
    made.run("product", "draft", str(file), "--by", "ann")
    made.run("product", "simulate", "plain", "--number", "1")
    made.run("product", "approve", "plain", "1", "--by", "bo")
    made.run("product", "launch", "plain", "1", "--by", "ann")
    yield made
    embedded.stop(room / "bank")
    shutil.rmtree(room, ignore_errors=True)


def test_a_deposit_from_opening_to_its_heirs(operator: Operator, tmp_path: Path) -> None:
    party = operator.json("parties", "register", "person", "Li Na")["id"]
    opened = operator.json("deposits", "open", "plain", party, "--amount-minor", "100000", "--source", CASH)
    account = str(opened["account"])
    assert operator.json("deposits", "pay-in", account, "500", CASH)["balance_minor"] == 100_500
    assert operator.json("deposits", "pay-out", account, "400", CASH)["balance_minor"] == 100_100
    refused = operator.json("deposits", "give-notice", account, "5", status=1)
    assert refused["refused"] == "products.operation_not_offered"
    assert operator.json("deposits", "renew", account, status=1)["refused"] == "products.operation_not_offered"
    assert operator.json("deposits", "reactivate", account, status=1)["refused"] == "deposits.not_dormant"

    order = operator.json("deposits", "freeze", account, "Court of Pudong", "--until", "2999-01-01")
    assert operator.json("deposits", "pay-out", account, "1", CASH, status=1)["refused"] == "deposits.contract_frozen"
    assert operator.json("deposits", "show", account)["orders"][0]["id"] == order["id"]
    assert operator.json("deposits", "corrections", account) == []
    assert operator.json("deposits", "unfreeze", account, order["id"])["ended_on"] == TODAY

    told = ("100", "P 2026/17", "--pledgee", "Pudong Leasing")
    pledge = operator.json("deposits", "pledge", account, *told, "--until", "2999-01-01")
    assert (pledge["held_minor"], pledge["expires_on"]) == (100, "2999-01-01")
    assert operator.json("deposits", "close", account, CASH, status=1)["refused"] == "deposits.pledged"
    assert "Pudong Leasing" in operator.run("deposits", "show", account)
    over = operator.json("deposits", "release", account, pledge["id"], "Letter of 3 March", "--consent")
    assert (over["ended_on"], over["ground"]) == (TODAY, "consent")
    assert operator.json("deposits", "show", account)["pledges"] == [over]

    file = tmp_path / "statement.pdf"
    words = ("--since", TODAY, "--until", TODAY, "--output", str(file), "--language", "ko")
    assert operator.json("deposits", "print", account, *words)["bytes"] == file.stat().st_size
    assert "계좌 거래 명세서" in PdfReader(file).pages[0].extract_text()

    heir = operator.json("deposits", "open", "plain", party)["account"]
    done = operator.json("deposits", "inherit", account, "No. 7", "--heir", f"{party}:{heir}:1")
    assert done["status"] == "closed"
    assert operator.json("deposits", "close", str(heir), CASH)["status"] == "closed"
    assert [each["status"] for each in operator.json("deposits", "list", party)] == ["closed", "closed"]
    assert "closed" in operator.run("deposits", "show", account)
