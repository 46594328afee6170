"""The bank's date, its day's end, approvals and backups from the command line."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from eastflow.main import app
from eastflow.storage import embedded

MEMORY_BYTES = 512 << 20


class Operator:
    """Runs commands on a bank in a directory of its own."""

    def __init__(self, room: Path) -> None:
        self.room = room
        told = {"EASTFLOW_DATA_DIR": str(room / "bank"), "EASTFLOW_KEY_FILE": str(room / "keys")}
        self.environment = os.environ | told
        self.environment.pop("EASTFLOW_DATABASE_URL", None)

    def run(self, *words: str, status: int = 0, **environment: str) -> str:
        result = CliRunner().invoke(app, words, env=self.environment | environment)
        assert result.exit_code == status, (words, result.output, result.exception)
        return result.stdout or result.stderr

    def json(self, *words: str, status: int = 0) -> Any:
        return json.loads(self.run(*words, "--json", status=status))


@pytest.fixture(scope="module")
def operator() -> Iterator[Operator]:
    room = Path(tempfile.mkdtemp(prefix="eastflow-cli-operations-"))
    embedded.start(room / "bank", memory_bytes=MEMORY_BYTES, backup_dir=room / "safe")
    yield Operator(room)
    for name in ("bank", "restored"):
        embedded.stop(room / name)
    shutil.rmtree(room, ignore_errors=True)


def test_a_bank_may_begin_on_another_date_and_closes_its_days(operator: Operator) -> None:
    today = datetime.now(UTC).date()
    assert operator.json("business-date") == {"date": today.isoformat()}
    begun = today - timedelta(days=2)
    operator.run("business-date", "--set", begun.isoformat())
    assert operator.json("business-date") == {"date": begun.isoformat()}
    ended = operator.json("close-day")
    assert (ended["date"], ended["state"]) == (begun.isoformat(), "done")
    assert ended["steps"][0]["name"] == "cut_off"
    assert "trial_balance" in operator.run("close-day", (begun + timedelta(days=1)).isoformat())
    assert operator.json("business-date") == {"date": today.isoformat()}
    kept = operator.json("trial-balance", "--business-date", begun.isoformat())
    assert (kept["business_date"], kept["balanced"], kept["positions"]) == (begun.isoformat(), True, [])
    still_open = operator.json("trial-balance", "--business-date", today.isoformat(), status=1)
    assert still_open["refused"] == "ledger.day_not_closed"
    operator.run("trial-balance", "--business-date", begun.isoformat(), "--at", begun.isoformat(), status=2)
    refused = operator.json("business-date", "--set", begun.isoformat(), status=1)
    assert refused["refused"] == "operations.books_not_empty"
    operator.run("close-day", "soon", status=2)
    late = operator.json("close-day", date(2999, 1, 1).isoformat(), status=1)
    assert late["refused"] == "operations.day_not_open"


def test_one_proposes_another_decides(operator: Operator) -> None:
    operator.run("assets", "define", "CZK", "2")
    operator.run("accounts", "open", "1", "CZK", "credit", "x")
    who = ("--by", "ana", "--reason", "agreed")
    made = operator.json("approvals", "propose", "account_floor", '{"account": 1, "floor_minor": -5}', *who)
    assert operator.json("approvals", "list", "--pending")[0]["id"] == made["id"]
    assert operator.json("approvals", "approve", made["id"], *who, status=1)["refused"] == "operations.checker_is_maker"
    done = operator.json("approvals", "approve", made["id"], "--by", "bo", "--reason", "seen")
    assert operator.json("approvals", "show", made["id"]) == done
    assert operator.json("accounts", "show", "1")["floor_minor"] == -5
    second = operator.json("approvals", "propose", "account_status", '{"account": 1, "status": "frozen"}', *who)
    assert operator.json("approvals", "refuse", second["id"], "--by", "bo", "--reason", "no")["status"] == "refused"
    third = operator.json("approvals", "propose", "account_status", '{"account": 1, "status": "frozen"}', *who)
    assert operator.json("approvals", "withdraw", third["id"], *who)["status"] == "withdrawn"
    assert "withdrawn" in operator.run("approvals", "list")
    for payload in ("[]", "{", '{"account": 1}'):
        refused = operator.json("approvals", "propose", "account_floor", payload, *who, status=1)
        assert refused["refused"] == "operations.payload_malformed"
    assert operator.json("approvals", "show", str(uuid4()), status=1)["refused"] == "operations.proposal_not_found"


def test_keys_have_roles_and_an_actor(operator: Operator) -> None:
    key = operator.json("keys", "create", "till 1", "--role", "teller", "--actor", "gil")
    assert (key["actor"], key["roles"]) == ("gil", ["teller"])
    assert "parties:write" in key["scopes"]
    [shown] = [each for each in operator.json("keys", "list") if each["id"] == key["id"]]
    assert (shown["actor"], shown["roles"], shown["scopes"]) == ("gil", ["teller"], key["scopes"])
    operator.run("keys", "create", "till 1", "--actor", "x" * 101, status=2)


def test_two_administrators_make_a_key_for_a_third_and_nobody_alone(operator: Operator) -> None:
    ana, bo = (operator.json("keys", "create", name, "--role", "administrator") for name in ("ana", "bo"))
    alone = operator.json("keys", "create", "x", status=1)
    assert alone["refused"] == "api.second_person_needed"
    as_ana, as_bo = (("--key", made["secret"]) for made in (ana, bo))
    told = ("gil's till", "new", "--actor", "gil", "--role", "teller", "--expires-on", "2999-12-31")
    assert operator.json("keys", "propose", *told, status=1)["refused"] == "api.key_missing"
    id = operator.json("keys", "propose", *told, *as_ana)["id"]
    assert operator.json("keys", "approve", id, "seen", *as_ana, status=1)["refused"] == "operations.checker_is_maker"
    assert operator.json("keys", "approve", id, "seen", *as_bo)["result"] == {"key": id}
    assert operator.json("keys", "rotate", id, status=1)["refused"] == "api.second_person_needed"
    drawn = operator.json("keys", "rotate", id, *as_ana)
    assert drawn["actor"] == "gil"
    changed = operator.json("keys", "rotate", id, "--grace-seconds", "60", "--key", drawn["secret"])
    assert changed["secret"] != drawn["secret"]
    shown = operator.json("keys", "show", id)
    assert (shown["made_by"]["actor"], shown["approved_by"], shown["expires_on"]) == ("ana", "bo", "2999-12-31")
    other = operator.json("keys", "propose", *told, *as_bo)["id"]
    assert operator.json("keys", "refuse", other, "not known", *as_ana)["status"] == "refused"
    assert operator.json("keys", "create", "ana's phone", *as_ana)["scopes"] == ana["scopes"]
    assert operator.json("keys", "revoke", bo["id"])["revoked_by"]["actor"] == "command line"


def test_a_bank_is_backed_up_checked_and_restored(operator: Operator) -> None:
    safe, restored = str(operator.room / "safe"), str(operator.room / "restored")
    operator.run("restore", safe, "--data-dir", restored, status=1)
    older = operator.json("backup", safe)
    made = operator.json("backup", safe, "--keep", "1")
    assert made["dropped"] == [older["path"]]
    assert [each["path"] for each in operator.json("backups", safe)] == [made["path"]]
    assert operator.json("backups", safe, "--verify")[0]["damage"] is None
    moment = datetime.now(UTC).isoformat()
    operator.run("assets", "define", "EUR", "2")
    operator.run("down")
    assert operator.json("restore", safe, "--data-dir", restored, "--to-time", moment)["data_dir"] == restored
    embedded.start(operator.room / "restored", memory_bytes=MEMORY_BYTES)
    found = json.loads(operator.run("assets", "list", "--json", EASTFLOW_DATA_DIR=restored))
    assert [each["code"] for each in found] == ["CZK"]
    (Path(made["path"]) / "PG_VERSION").unlink()
    assert "PG_VERSION" in operator.json("backups", safe, "--verify", status=1)[0]["damage"]
    elsewhere = operator.run("backup", safe, status=1, EASTFLOW_DATABASE_URL="postgresql://127.0.0.1:1/x")
    assert elsewhere
