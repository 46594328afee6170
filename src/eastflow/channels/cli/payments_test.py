"""Payments from the command line: one story on a bank of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from eastflow.channels.cli.cli_test import Operator
from eastflow.operations.berka.sample import write_files
from eastflow.storage import embedded

DAY = "2026-01-05"


@pytest.fixture(scope="module")
def operator() -> Iterator[Operator]:
    room = Path(tempfile.mkdtemp(prefix="eastflow-cli-"))
    embedded.start(room / "bank", memory_bytes=512 << 20)
    made = Operator(room / "bank", 1)
    made.run("assets", "define", "CZK", "2")
    for number in (1, 2, 3):
        made.run("accounts", "open", str(number), "CZK", "credit", "liabilities:deposits", "--opened-on", DAY)
    made.run("accounts", "open", "9", "CZK", "debit", "assets:cash", "--opened-on", DAY, "--no-floor")
    made.run("entries", "post", "cash", "CZK", "--leg", "9:-100000", "--leg", "1:100000", "--value-date", DAY)
    yield made
    embedded.stop(room / "bank")
    shutil.rmtree(room, ignore_errors=True)


def test_payments_orders_mandates_and_files(operator: Operator, tmp_path: Path) -> None:
    paid = operator.json("payments", "pay", "1", "2", "500", "CZK", "--remittance", "rent")
    assert paid["status"] == "settled"
    assert operator.json("payments", "show", paid["id"]) == paid
    again = operator.json("payments", "pay", "1", "2", "500", "CZK", "--remittance", "rent", status=1)
    assert again["refused"] == "payments.duplicate"
    sent = operator.json("payments", "pay", "1", "87144583", "700", "CZK", "--bank", "YZ")
    assert [each["id"] for each in operator.json("payments", "list", "--status", "accepted")] == [sent["id"]]
    assert operator.json("payments", "recall", sent["id"])["status"] == "recalled"
    refused = operator.json("payments", "answer-recall", sent["id"], status=1)
    assert refused["refused"] == "payments.payment_not_found"
    assert operator.json("payments", "confirm-payee", "2", "Nobody") == {"match": "unknown"}
    far = operator.json("payments", "pay", "1", "87144583", "7", "CZK", "--bank", "YZ", "--name", "Jan", "--personal")
    assert far["creditor"] == {"name": "Jan", "account": "87144583", "bank": "YZ"}
    assert operator.json("payments", "show", far["id"])["creditor"]["name"] == "J**"
    assert operator.json("payments", "recall", far["id"])["creditor"]["account"] == "****4583"
    assert operator.json("payments", "suspense") == []
    assert operator.json("personal-data", "rotate-key") == {"wrapping_key": 2, "data_keys": 1}
    assert operator.json("personal-data", "drop-old-keys") == {"wrapping_key": 2, "data_keys": 0}
    assert operator.json("payments", "show", far["id"], "--personal")["creditor"] == far["creditor"]
    assert operator.json("personal-data", "shred-payments") == {"months": 0}
    late = operator.json("payments", "pay", "1", "2", "5", "CZK", "--on", "2999-01-31", status=1)
    assert late["refused"] == "payments.schedule_malformed"
    limit = operator.json("payments", "limit", "CZK", "--channel", "wallet", "--per-day-minor", "10")
    assert operator.json("payments", "limits") == [limit]

    today = "2099-01-31"
    order = operator.json("standing-orders", "set-up", "1", "3", "100", "CZK", "--first-on", today)
    assert [each["id"] for each in operator.json("standing-orders", "list", "--debtor", "1")] == [order["id"]]
    assert operator.json("standing-orders", "run") == {"paid": 0, "put_off": 0, "refused": 0}
    assert operator.json("standing-orders", "show", order["id"])["occurrences"] == []
    assert operator.json("standing-orders", "cancel", order["id"])["status"] == "cancelled"

    mandate = operator.json("mandates", "give", "1", "3", "City Power", "900", "CZK", "--first-on", today)
    asked = operator.json("mandates", "collect", mandate["id"], "800", "--due-on", today)
    assert operator.json("mandates", "run") == {"paid": 0, "put_off": 0, "refused": 0}
    assert operator.json("mandates", "refund", mandate["id"], asked["id"], status=1)["refused"] == (
        "payments.status_conflict"
    )
    assert operator.json("mandates", "refuse", mandate["id"], asked["id"])["status"] == "refused"
    assert len(operator.json("mandates", "show", mandate["id"])["collections"]) == 1
    assert operator.json("mandates", "cancel", mandate["id"])["status"] == "cancelled"
    assert [each["id"] for each in operator.json("mandates", "list")] == [mandate["id"]]

    told = ["--bank", "GIBACZPX", "--account", "87144583", "--creditor-id", "CZ98ZZZ17", "--reference", "M-17"]
    given = operator.json("mandates", "give", "1", "0", "City Power", "900", "CZK", "--first-on", today, *told)
    assert (given["creditor"], given["outside"]["bank"]) == (None, "GIBACZPX")
    told = [*told[:-1], "M-18", "--debtor-name", "Jan"]
    given = operator.json("mandates", "give", "0", "1", "City Power", "900", "CZK", "--first-on", today, *told)
    asked = operator.json("mandates", "collect", given["id"], "800", "--due-on", today)
    assert (given["debtor"], asked["status"]) == (None, "asked")
    assert "****4583" in operator.run("mandates", "list")
    operator.json("mandates", "cancel", given["id"])
    assert operator.json("mandates", "show", given["id"])["collections"][0]["reason"] == "payments.mandate_cancelled"

    file = tmp_path / "wages.csv"
    file.write_text("creditor_name,creditor_account,amount_minor\nAnn,2,30\nBob,4711,40\n")
    batch = operator.json("payment-batches", "submit", "1", "CZK", str(file), "--one-debit")
    assert operator.json("payment-batches", "run", batch["id"])["status"] == "done"
    lines = operator.json("payment-batches", "lines", batch["id"])
    assert [line["status"] for line in lines] == ["paid", "refused"]
    assert operator.json("payment-batches", "lines", str(uuid4()), status=1)["refused"] == "payments.batch_not_found"
    taken = operator.json("standing-orders", "import-berka", str(write_files(tmp_path)), "--first-on", today)
    assert taken == {"orders": 1, "monthly_minor": 245_200, "refused": []}
    operator.run("standing-orders", "import-berka", str(tmp_path / "none"), "--first-on", today, status=2)
    (tmp_path / "order.asc").unlink()
    operator.run("standing-orders", "import-berka", str(tmp_path), "--first-on", today, status=1)
    assert "4711" in operator.run("payment-batches", "lines", batch["id"])
    assert sent["id"] in operator.run("payments", "list")
