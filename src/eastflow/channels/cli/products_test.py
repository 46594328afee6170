"""A product from a file to live by the commands of its room's README, and a simulation without a bank."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from eastflow.products import shipped
from eastflow.storage import embedded

from .operations_test import MEMORY_BYTES, Operator

FILE = """
code = "harvest"
name = "Harvest savings"
kind = "demand"
currency = "CNY"
day_count = "ACT/365F"
settlement = { months = [6, 12], day = 31 }

[rates]
method = "slice"
changes = [
    { since = 2026-01-01, tiers = [{ percent = "1.20" }, { from_minor = 5000000, percent = "1.50" }] },
]

[[hooks]]
name = "loyalty_bonus"
parameters = { bonus_minor = 500, balance_min_minor = 1000000, months_min = 12 }
"""


@pytest.fixture(scope="module")
def operator() -> Iterator[Operator]:
    room = Path(tempfile.mkdtemp(prefix="eastflow-products-"))
    embedded.start(room / "bank", memory_bytes=MEMORY_BYTES)
    (room / "harvest.toml").write_text(FILE)
    yield Operator(room)
    embedded.stop(room / "bank")
    shutil.rmtree(room, ignore_errors=True)


def test_from_a_file_to_live(operator: Operator) -> None:
    file = str(operator.room / "harvest.toml")
    simulated = operator.json("product", "simulate", file, "--years", "5", "--deposit", "1000000", "--monthly", "50000")
    assert (len(simulated["months"]), simulated["months"][-1]["balance_minor"]) == (60, 0)
    assert operator.json("product", "draft", file, "--by", "ann")["status"] == "draft"
    early = operator.json("product", "approve", "harvest", "1", "--by", "bo", status=1)
    assert early["refused"] == "products.status_unfit"
    operator.run("product", "simulate", "harvest", "--number", "1")
    assert operator.json("product", "show", "harvest", "--number", "1")["status"] == "simulated"
    own = operator.json("product", "approve", "harvest", "1", "--by", "ann", status=1)
    assert own["refused"] == "products.approved_by_author"
    assert operator.json("product", "approve", "harvest", "1", "--by", "bo")["approved_by"] == "bo"
    assert operator.json("product", "launch", "harvest", "1", "--by", "ann")["status"] == "live"
    assert [each["code"] for each in operator.json("product", "list")] == ["harvest"]
    assert "live" in operator.run("product", "show", "harvest")


def test_a_version_takes_the_place_of_another_and_its_contracts_go_over(operator: Operator) -> None:
    file = str(operator.room / "harvest.toml")
    for words in (("draft", file, "--by", "ann"), ("simulate", "harvest", "--number", "2")):
        operator.run("product", *words)
    operator.run("product", "approve", "harvest", "2", "--by", "bo")
    operator.run("product", "launch", "harvest", "2", "--by", "ann", "--live-from", "2999-01-01")
    plan = operator.json("product", "migrate", "harvest", "1", "2", "--on", "2999-01-01", "--by", "ann")
    assert (plan["source"], plan["target"], plan["completed_at"]) == (1, 2, None)
    gone = operator.json("product", "withdraw", "harvest", "2", "--by", "bo", "--on", "2999-06-30")
    assert (gone["status"], gone["withdrawn_from"]) == ("withdrawn", "2999-06-30")
    missing = operator.json("product", "show", "nothing", status=1)
    assert missing["refused"] == "products.version_not_found"


def test_a_simulation_shows_a_table_and_a_chart(operator: Operator) -> None:
    shown = operator.run("product", "simulate", "cny-term-1y", "--years", "2", "--start", "2026-01-31")
    assert "10190.90" in shown
    assert "█" in shown
    assert set(shipped()) == {each["code"] for each in operator.json("product", "list", "--shipped")}


def test_what_cannot_be_simulated(operator: Operator) -> None:
    assert "cannot read" in operator.run("product", "simulate", "no-such-file", status=2)
    (operator.room / "bad.toml").write_text("colour = 1")
    bad = operator.json("product", "simulate", str(operator.room / "bad.toml"), status=1)
    assert (bad["refused"], bad["facts"]["path"]) == ("products.terms_malformed", "code")
    small = operator.json("product", "simulate", "cny-term-1y", "--deposit", "1", status=1)
    assert small["refused"] == "products.amount_below_minimum"
