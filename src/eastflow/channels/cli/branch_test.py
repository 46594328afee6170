"""A branch and its applications from the command line, in order, on a bank of its own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from eastflow.main import app
from eastflow.operations import Settings, open_bank
from eastflow.products import Plan, shipped
from eastflow.products.actions import approve_version, draft_version, launch_version, simulate_version
from eastflow.storage import Transaction, embedded

Run = Callable[..., Any]
PRODUCT = "cny-demand"


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """A command and its answer: `run("branch", "list")`; with `status` 1, why not."""
    room = Path(tempfile.mkdtemp(prefix="eastflow-branch-"))
    embedded.start(room / "bank", memory_bytes=512 << 20)
    environment = os.environ | {"EASTFLOW_DATA_DIR": str(room / "bank")}
    environment.pop("EASTFLOW_DATABASE_URL", None)

    def command(*words: object, status: int = 0, table: bool = False) -> Any:
        ran = CliRunner().invoke(app, [*map(str, words), *([] if table else ["--json"])], env=environment)
        assert ran.exit_code == status, (words, ran.output, ran.exception)
        return json.loads(ran.stdout) if status < 2 and not table else ran.output

    command("assets", "define", "CNY", 2)
    asyncio.run(launch(Settings(data_dir=room / "bank")))
    yield command
    embedded.stop(room / "bank")
    shutil.rmtree(room, ignore_errors=True)


async def launch(settings: Settings) -> None:
    today = datetime.now(UTC).date()

    async def work(tx: Transaction) -> None:
        await draft_version(tx, uuid4(), shipped()[PRODUCT], by="author")
        await simulate_version(tx, PRODUCT, 1, Plan(today, 1, 100_000))
        await approve_version(tx, PRODUCT, 1, by="checker")
        await launch_version(tx, PRODUCT, 1, live_from=today, by="author", today=today)

    async with open_bank(settings) as bank:
        await bank.database.run(work)


def test_a_day_at_the_branch_and_an_application(run: Run) -> None:
    run("branch", "register", "north", "North street")
    run("branch", "teller", "ann", "north", "Ann", "--actor", "ann")
    for code in ("sue", "tom"):
        run("branch", "teller", code, "north", code, "--actor", code, "--supervisor")
    assert run("branch", "limit", "north", "CNY", 100_000, "--by", "chief") == {"CNY": 100_000}
    assert [each["code"] for each in run("branch", "tellers", "north")] == ["ann", "sue", "tom"]
    assert [each["code"] for each in run("branch", "list")] == ["north"]
    ann, sue, tom = (run("branch", "sign-on", code, "--by", code)["id"] for code in ("ann", "sue", "tom"))
    notes = ("--asset", "CNY", "--piece", "note:10000:9")
    shipped_in = run("branch", "ship", sue, *notes, "--by", "sue")
    assert shipped_in["status"] == "pending"
    assert run("branch", "vouchers", sue)[0]["id"] == shipped_in["id"]
    assert run("branch", "confirm", shipped_in["id"], tom, "--by", "tom")["status"] == "booked"
    given = run("branch", "issue", sue, "vault:north", "drawer:ann", *notes, "--by", "sue")
    assert [each["id"] for each in run("branch", "in-transit")] == [given["id"]]
    assert run("branch", "receive", given["id"], ann, *notes, "--by", "ann")["status"] == "received"

    customer = run("flows", "onboard", PRODUCT, "Li Na", "--born-on", "1990-05-01", "--by", "app")
    paid = run("branch", "cash-in", ann, customer["account"], *notes, "--by", "ann")
    assert (paid["status"], paid["change_minor"]) == ("booked", 90_000)
    out = run("branch", "cash-out", ann, customer["account"], *notes, "--by", "ann")
    assert out["change_minor"] == -90_000

    begun = run("flows", "begin", "--channel", "app", "--product", PRODUCT, "--by", "app")
    run("flows", "supply", begun["id"], "--channel", "branch", "--party", customer["party"], "--by", "ann")
    done = run("flows", "finish", begun["id"], ann, *notes, "--by", "ann")
    assert (done["application"]["status"], done["voucher"]["change_minor"]) == ("completed", 90_000)
    shown = run("flows", "show", begun["reference"])
    assert [step["kind"] for step in shown["steps"]] == ["begun", "supplied", "completed"]
    other = run("flows", "begin", "--channel", "app", "--by", "app")
    refused = run("flows", "complete", other["id"], "--channel", "app", "--by", "app", status=1)
    assert refused["refused"] == "flows.parts_missing"
    withdrawn = run("flows", "withdraw", other["id"], "--channel", "app", "--by", "app")
    assert withdrawn["status"] == "withdrawn"

    stock = run("branch", "cash", "drawer:ann")[0]
    assert (stock["amount_minor"], stock["counted"]) == (180_000, False)
    assert run("branch", "sign-off", ann, "--by", "ann", status=1)["refused"] == "branch.drawer_not_counted"
    whole = ("--asset", "CNY", "--piece", "note:10000:18")
    back = run("branch", "issue", ann, "drawer:ann", "vault:north", *whole, "--whole", "--by", "ann")
    assert run("branch", "take-back", back["id"], ann, *whole, "--by", "ann")["status"] == "taken_back"
    short = run("branch", "count", ann, "drawer:ann", *notes, "--by", "ann")
    assert (short["status"], short["change_minor"]) == ("pending", -90_000)
    assert run("branch", "decline", short["id"], ann, "--by", "ann")["status"] == "declined"
    wrong = done["voucher"]["id"]
    reversal = run("branch", "reverse", wrong, ann, "--by", "ann")
    assert (reversal["kind"], reversal["status"], reversal["reverses"]) == ("reversal", "pending", wrong)
    assert run("branch", "decline", reversal["id"], ann, "--by", "ann")["status"] == "declined"
    assert run("branch", "count", ann, "drawer:ann", *whole, "--by", "ann")["status"] == "booked"
    closing = run("branch", "close-for-absent", sue, ann, *whole, "--by", "sue")
    assert (closing["kind"], closing["status"], closing["closes"]) == ("close", "pending", ann)
    assert run("branch", "confirm", closing["id"], tom, "--by", "tom")["status"] == "booked"
    assert run("branch", "sign-off", ann, "--by", "ann")["signed_off_at"] is not None

    told = run("branch", "journal", ann)
    assert [each["kind"] for each in told["vouchers"]][-3:] == ["reversal", "count", "close"]
    assert (told["opening"], told["closing"][0]["pieces"]) == ([], [])
    assert {each["what"]: each["change_minor"] for each in told["totals"]}["close"] == -180_000
    assert "cash_out" in run("branch", "journal", ann, table=True)
    assert run("branch", "journal", uuid4(), status=1)["refused"] == "branch.session_not_found"


def test_words_that_are_no_cash_and_no_place_are_told(run: Run) -> None:
    session = str(uuid4())
    assert "note:10000:5" in run("branch", "ship", session, "--asset", "CNY", "--piece", "paper", "--by", "x", status=2)
    assert "drawer:CODE" in run("branch", "cash", "pocket", status=2)
