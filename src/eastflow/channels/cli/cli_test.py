"""The command line as an operator uses it: commands on one bank, in order; the bank itself as a process."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
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
from unittest.mock import ANY
from uuid import UUID, uuid4

import pytest
from typer.testing import CliRunner

from eastflow.channels.cli import entries
from eastflow.main import app
from eastflow.operations.berka.sample import write_files
from eastflow.storage import Database, embedded
from eastflow.webhooks import Dispatcher

STARTING_SECONDS = 30


class Operator:
    """Runs commands on a bank in a directory of its own."""

    def __init__(self, data_dir: Path, port: int) -> None:
        self.environment = os.environ | {"EASTFLOW_DATA_DIR": str(data_dir), "EASTFLOW_PORT": str(port)}
        self.environment.pop("EASTFLOW_DATABASE_URL", None)
        self.url = f"http://127.0.0.1:{port}"
        self.data_dir = data_dir
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, *words: str | bytes) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", "from eastflow.main import main; main()", *words],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def run(self, *words: str, status: int = 0, **environment: str) -> str:
        """In this process, which spares starting one for each command."""
        result = CliRunner().invoke(app, words, env=self.environment | environment)
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
    made = Operator(room / "bank", port)
    made.run("demo")
    yield made
    embedded.stop(room / "bank")
    shutil.rmtree(room, ignore_errors=True)


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
    assert operator.json("accounts", "floor", "77", "--none")["floor_minor"] is None
    assert operator.json("accounts", "floor", "77", "-5")["floor_minor"] == -5
    operator.run("accounts", "floor", "77", status=2)
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
    assert operator.json("entries", "show", posted["id"])["postings"] == [
        {"account": 2003, "asset": "CNY", "amount_minor": -700, "sequence": found[0]["postings"][0]["sequence"]},
        {"account": 2004, "asset": "CNY", "amount_minor": 700, "sequence": found[0]["postings"][1]["sequence"]},
    ]
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
    file.write_text("\n" + "\n\n".join(json.dumps(line) for line in lines) + "\n")
    first = operator.json("entries", "batch", str(file), status=1)
    assert (first["posted"], first["replayed"], first["refused_count"]) == (2, 0, 1)
    [refused] = first["refused"]
    assert (refused["line"], refused["id"]) == (6, lines[2]["id"])
    assert refused["refused"] == "ledger.account_not_found"
    again = operator.json("entries", "batch", str(file), status=1)
    assert (again["posted"], again["replayed"], again["refused_count"]) == (0, 2, 1)
    assert "2 posted before" in operator.run("entries", "batch", str(file), status=1)
    for line, reason in (('{"id": 1}', "line 2"), (json.dumps(lines[0] | {"mem": ""}), "mem"), ("7", "line 2")):
        file.write_text(json.dumps(lines[0]) + "\n" + line)
        assert reason in operator.run("entries", "batch", str(file), status=1)
    operator.run("entries", "batch", str(tmp_path / "missing"), status=2)


def test_linked_entries_are_never_parted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "BATCH_COMMANDS_MAX", 4)
    line = {
        "id": "00000000-0000-7000-8000-000000000001",
        "kind": "transfer",
        "value_date": "2026-02-03",
        "postings": [],
    }
    file = tmp_path / "entries.jsonl"
    links = [False, False, True, True, False, False, True, False, True, True, True, True, True, False]
    file.write_text("\n".join(json.dumps(line | {"linked": linked}) for linked in links))
    batches = [[number for number, _ in batch] for batch in entries._batches(file)]
    assert batches == [[1, 2], [3, 4, 5, 6], [7, 8], [9, 10, 11, 12], [13, 14]]


def test_holds(operator: Operator) -> None:
    hold = operator.json("holds", "place", "2007", "CNY", "900")["id"]
    legs = ("--leg", "2007:-400", "--leg", "2008:400")
    operator.json("holds", "capture", "2007", hold, "card_purchase", "CNY", *legs, "--keep-rest")
    assert operator.json("holds", "list", "2007")[0]["remaining_minor"] == 500
    operator.json("holds", "release", "2007", hold)
    assert operator.json("holds", "list", "2007")[0]["status"] == "released"
    assert operator.json("holds", "place", "2007", "CNY", "0", status=1)["refused"] == "ledger.amount_is_zero"
    assert operator.json("holds", "expire") == {"expired": 0}
    assert operator.json("holds", "list", "9999", status=1)["refused"] == "ledger.account_not_found"


def test_statements_and_the_trial_balance(operator: Operator) -> None:
    period = ("--since", "2025-01-01", "--until", "2026-12-31", "--basis", "valued", "--limit", "2")
    page = operator.json("statements", "show", "2009", *period)
    assert page["opening_minor"] == 0
    assert len(page["lines"]) == 2
    following = operator.json("statements", "show", "2009", *period, "--cursor", page["cursor"])
    assert following["lines"][-1]["balance_minor"] == following["closing_minor"]
    assert set(operator.json("trial-balance")["differences_minor"].values()) == {0}
    assert "closing" in operator.run("statements", "show", "2009", *period)
    assert "another" in operator.run("statements", "show", "2010", *period, "--cursor", page["cursor"], status=1)
    assert "cursor" in operator.run("statements", "show", "2010", *period, "--cursor", "x", status=1)
    assert "cursor" in operator.run("entries", "search", "--cursor", "x", status=1)


def test_balances_at_a_moment(operator: Operator) -> None:
    booked = operator.json("statements", "show", "2009", "--since", "2025-01-01", "--until", "2999-12-31")["lines"]
    at = operator.json("balances", "show", "2009", "--at", booked[0]["booked_at"])
    assert at["posted_minor"] == booked[-1]["balance_minor"]
    before = operator.json("balances", "show", "2009", "--at", "2025-01-01T00:00:00+02:00", status=1)
    assert before["refused"] == "ledger.account_not_found", "the books did not know it then"
    assert operator.json("trial-balance", "--at", "2025-01-01") == {
        "at": "2025-01-01T00:00:00Z", "business_date": None, "balanced": True, "differences_minor": ANY,
        "positions": ANY,
    }  # fmt: skip
    for words in (("--at", "yesterday"), ("--at", "0001-01-01"), ("--valued-on", "2025-13-01")):
        operator.run("balances", "show", "2009", *words, status=2)
    operator.run("balances", "show", str(1 << 53), status=2)


def test_what_customers_wrote_is_shown_as_it_is(operator: Operator) -> None:
    memo = "[/red] :cash: \x1b[2J"
    words = ("entries", "post", "transfer", "CNY", "--leg", "2011:-1", "--leg", "2012:1", "--memo", memo)
    operator.json(*words, "--detail", "strange=1")
    assert "[/red] :cash: \N{REPLACEMENT CHARACTER}[2J" in operator.run("entries", "search", "--detail", "strange=1")


def test_parties(operator: Operator) -> None:
    words = ("Ann Lee", "--reference", "crm:99887766", "--born-on", "1990-02-03")
    party = operator.json("parties", "register", "person", *words)
    assert (party["name"], party["reference"], party["born_on"]) == ("A**", "****7766", None)
    assert operator.json("parties", "show", party["id"], "--personal")["party"]["name"] == "Ann Lee"
    assert operator.json("parties", "show", party["id"])["party"] == party
    assert operator.json("parties", "list", "--name", "ann lee") == [party]
    assert operator.json("parties", "find", "--reference", "crm:99887766") == [party]
    taken = operator.json("parties", "register", "person", "Bo Lee", "--reference", "crm:99887766", status=1)
    assert taken["refused"] == "customers.reference_taken"


def test_one_document_is_one_party_in_every_channel(operator: Operator) -> None:
    shown = ("identity_card", "110101199001011234", "Wang Fang")
    opened = operator.json("parties", "identify", *shown, "--channel", "app", "--verified")
    assert operator.json("parties", "identify", *shown) == opened
    id = opened["id"]
    for words in (
        ("add-contact", id, "phone", "+86 139 1234 5678"),
        ("add-identity", id, "app", "wang.fang@login"),
        ("add-document", id, "passport", "E12345678"),
        ("consent", id, "marketing"),
        ("identification", id, "face_to_face"),
        ("risk", id, "low", "--reason", "known for long"),
    ):
        assert operator.json("parties", *words)["ended_at"] is None
    assert operator.json("parties", "find", "--phone", "+8613912345678") == [opened]
    assert operator.json("parties", "find", "--document", "E12345678", "--kind", "passport") == [opened]
    records = operator.json("parties", "records", id)
    assert "****1234" in {each["content"].get("number") for each in records}
    assert "+86 139 1234 5678" in operator.run("parties", "records", id, "--personal")
    assert operator.json("parties", "end-record", id, "1")["ended_at"]
    operator.run("parties", "find", "--phone", "1", "--email", "2", status=2)


def test_a_name_is_corrected_and_who_may_be_the_same_is_listed(operator: Operator) -> None:
    id, other = (operator.json("parties", "register", "person", name)["id"] for name in ("Ivo Lee", "Ivo Le"))
    assert operator.json("parties", "duplicates", id) == []
    corrected = operator.json("parties", "correct", other, "misspelt", "--name", "Ivo Lee", "--personal")
    assert (corrected["id"], corrected["name"]) == (other, "Ivo Lee")
    [likeness] = operator.json("parties", "duplicates", id)
    assert (likeness["party"]["id"], likeness["party"]["name"], likeness["reasons"]) == (other, "I**", ["name"])
    assert "I**" in operator.run("parties", "duplicates", id)
    again = operator.json("parties", "correct", other, "again", "--name", "Ivo Lee", status=1)
    assert again["refused"] == "customers.correction_empty"


def test_duplicates_are_merged_and_unmerged_and_kept_by_law(operator: Operator) -> None:
    id, double = (operator.json("parties", "register", "person", name)["id"] for name in ("Zoe Lee", "Zoé Lee"))
    operator.json("parties", "merge", double, id, "one person")
    assert operator.json("parties", "show", double)["party"]["id"] == id
    operator.json("parties", "unmerge", double)
    assert operator.json("parties", "show", double)["party"]["id"] == double
    assert operator.json("parties", "erase", id, status=1)["refused"] == "customers.retention_runs"


def test_an_account_has_a_class(operator: Operator) -> None:
    owner = operator.json("accounts", "show", "2001")["owner"]
    refused = operator.json("classes", "assign", "2001", owner, "I", status=1)
    assert refused["refused"] == "customers.face_to_face_missing"
    assigned = operator.json("classes", "assign", "2001", owner, "III", "--opened-by", "app")
    shown = operator.json("classes", "show", "2001")
    assert shown == assigned | {name: {"day_minor": 0, "year_minor": 0} for name in ("used_in", "used_out")}
    assert operator.json("classes", "confirm", "2001")["face_to_face"]
    refused = operator.json("classes", "bind", "2001", "2002", status=1)
    assert refused["refused"] == "customers.bound_account_unsuitable"
    id = str(uuid4())
    asked = operator.json("verifications", "ask", "2001", "ICBKCNBJ", "6222000011112222", "138", "--id", id, status=1)
    assert asked["refused"] == "customers.document_missing"
    operator.json("parties", "add-document", owner, "passport", "P2001", "--country", "CN")
    asked = operator.json("verifications", "ask", "2001", "ICBKCNBJ", "6222000011112222", "138", "--id", id)
    assert (asked["elements"]["account"], asked["status"]) == ("****2222", "asked")
    assert operator.json("verifications", "list") == [asked]
    assert operator.json("verifications", "sent", id, "m-1")["message_id"] == "m-1"
    matches = [f"--{name}" for name in ("name", "document", "phone", "account", "class-one")]
    given = [part for name in matches for part in (name, "matches")]
    assert operator.json("verifications", "answer", id, *given)["status"] == "confirmed"
    [kept] = operator.json("verifications", "list", "--account", "2001", "--personal")
    assert (kept["elements"]["phone"], set(kept["results"].values())) == ("138", {"matches"})
    assert operator.json("verifications", "end", id)["status"] == "ended"
    told = operator.json("verifications", "compare", "2001", "Bo", "passport", "P2001", "138")
    assert (told["name"], told["document"], told["class_one"]) == ("differs", "matches", "differs")
    assert operator.json("classes", "end", "2001", "--until", assigned["since"])["until"] == assigned["since"]


def test_the_keys_of_personal_data_are_renewed(operator: Operator) -> None:
    before = operator.json("parties", "list", "--personal")
    assert operator.json("personal-data", "rotate-key")["wrapping_key"] == 2
    assert operator.json("personal-data", "drop-old-keys") == {"wrapping_key": 2, "data_keys": 0}
    assert operator.json("personal-data", "reseal")["parties"] >= len(before)
    assert operator.json("parties", "list", "--personal") == before
    [key_file] = operator.data_dir.glob("*eastflow.keys")
    assert key_file.stat().st_mode & 0o777 == 0o600


async def execute(url: str, sql: str) -> None:
    database = await Database.open(url)
    await database.run(lambda tx: tx.execute(sql))
    await database.close()


def test_a_forged_balance_makes_verify_fail(operator: Operator) -> None:
    url = embedded.start(operator.data_dir).url
    change = "UPDATE ledger_balance SET posted = posted {} 1 WHERE account_id = 2010"
    asyncio.run(execute(url, change.format("+")))
    found = operator.json("verify", status=1)["findings"]
    assert {"balance_differs", "trial_balance_differs"} == {finding["code"] for finding in found}
    asyncio.run(execute(url, change.format("-")))
    assert "proved" in operator.run("verify")


def test_a_later_proof_continues_the_heads_of_an_earlier_one(operator: Operator, tmp_path: Path) -> None:
    heads, printed = tmp_path / "heads.json", tmp_path / "proof.json"
    assert str(heads) in operator.run("verify", "--heads", str(heads))
    printed.write_text(operator.run("verify", "--json"))
    kept = json.loads(heads.read_text())["heads"]
    assert json.loads(printed.read_text())["heads"] == kept
    words = ("entries", "post", "transfer", "CNY", "--leg", "2011:-1", "--leg", "2012:1")
    operator.json(*words)
    for file in (heads, printed):
        assert f"continues the heads of {file}" in operator.run("verify", "--anchors", str(file))
    operator.run("verify", "--anchors", str(heads), "--heads", str(heads))
    assert json.loads(heads.read_text())["heads"] != kept, "the newer heads take the place of the older"
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


def test_books_that_do_not_continue_an_earlier_proof(operator: Operator, tmp_path: Path) -> None:
    heads, later = tmp_path / "heads.json", tmp_path / "later.json"
    operator.run("verify", "--heads", str(heads))
    kept = json.loads(heads.read_text())["heads"]
    chain = next(chain for chain, head in kept.items() if head["block"])
    forged = kept | {chain: {"block": kept[chain]["block"], "hash": "ab" * 32}}
    heads.write_text(json.dumps({"heads": forged}))
    proof = operator.json("verify", "--anchors", str(heads), status=1)
    place = f"chain {chain}, block {kept[chain]['block']}"
    facts = {"expected": "ab" * 32, "found": kept[chain]["hash"]}
    assert proof["findings"] == [{"code": "anchor_differs", "place": place, "facts": facts}]
    said = operator.run("verify", "--anchors", str(heads), "--heads", str(later), status=1)
    assert "anchor_differs" in said
    assert place in said
    assert not later.exists(), "heads of books that are not proved are no anchors"
    heads.write_text(json.dumps({"heads": {chain: {"block": kept[chain]["block"] + 10**6, "hash": "ab" * 32}}}))
    assert operator.json("verify", "--anchors", str(heads), status=1)["findings"][0]["facts"]["found"] is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"heads": {}}',
        b'{"heads": {"one": {"block": 1, "hash": "' + b"a" * 64 + b'"}}}',
        b'{"heads": {"1": {"block": 1, "hash": "' + b"a" * 63 + b'"}}}',
        b'{"heads": {"1": {"block": -1, "hash": "' + b"a" * 64 + b'"}}}',
        b'{"heads": {"1": {"block": 9223372036854775808, "hash": "' + b"a" * 64 + b'"}}}',
        b'{"heads": {"9223372036854775808": {"block": 1, "hash": "' + b"a" * 64 + b'"}}}',
        b'{"heads": {"1": {"block": 1}}}',
        b'{"heads": {"1": {"block": 1, "hash": ""}}}',
        b'{"heads": {"1": {"block": 0, "hash": "' + b"a" * 64 + b'"}}}',
    ],
    ids=lambda content: content[:30].decode("latin-1"),
)
def test_a_file_of_heads_that_cannot_be_read_is_bad_usage(operator: Operator, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "heads.json"
    file.write_bytes(content)
    assert f"{file} is no file of heads" in operator.run("verify", "--anchors", str(file), status=2)


def test_where_heads_cannot_be_written_is_said_before_the_proof(operator: Operator, tmp_path: Path) -> None:
    assert "no directory" in operator.run("verify", "--heads", str(tmp_path / "missing" / "heads.json"), status=2)
    operator.run("verify", "--heads", str(tmp_path), status=2)
    operator.run("verify", "--anchors", str(tmp_path / "missing"), status=2)


def test_events_are_listed_from_a_cursor_on(operator: Operator) -> None:
    seen: list[dict[str, Any]] = []
    cursor: tuple[str, ...] = ()
    while page := operator.json("events", "list", "--limit", "20", *cursor):
        seen += page["events"]
        cursor = ("--cursor", page["cursor"])
        if not page["events"]:
            break
    words = ("entries", "post", "transfer", "CNY", "--leg", "2011:-3", "--leg", "2012:3", "--memo", "told")
    posted = operator.json(*words)
    [told] = operator.json("events", "list", *cursor)["events"]
    assert (told["id"], told["type"], told["data"]["memo"]) == (posted["id"], "ledger.entry_booked", "told")
    assert posted["id"] not in {each["id"] for each in seen}
    assert len({each["id"] for each in seen}) == len(seen) > 40
    assert posted["id"] in operator.run("events", "list", *cursor)
    assert operator.json("events", "list", "--cursor", "x", status=1)["refused"] == "webhooks.cursor_malformed"


def test_a_webhook_from_its_first_day_to_its_last(operator: Operator) -> None:
    words = ("webhooks", "register", "https://books.example/hook", "--kind", "transfer", "--account", "2001")
    made = operator.json(*words)
    id = made["id"]
    assert made["secret"].startswith("whsec_")
    shown = operator.json("webhooks", "show", id)
    assert (shown["kinds"], shown["accounts"], shown["disabled_at"]) == (["transfer"], [2001], None)
    assert operator.json("webhooks", "list") == [shown]
    assert made["secret"] not in operator.run("webhooks", "list") + operator.run("webhooks", "show", id)
    assert operator.json("webhooks", "rotate", id)["secret"] not in ("", made["secret"])
    assert operator.json("webhooks", "disable", id)["disabled_at"]
    assert operator.json("webhooks", "replay", id, status=1)["refused"] == "webhooks.endpoint_disabled"
    assert operator.json("webhooks", "enable", id) == shown
    assert operator.json("webhooks", "replay", id) == shown
    assert operator.json("webhooks", "deliveries", id, "--status", "failed") == []
    assert operator.json("webhooks", "delete", id) == shown
    for verb in ("show", "enable", "delete", "deliveries"):
        assert operator.json("webhooks", verb, id, status=1)["refused"] == "webhooks.endpoint_not_found"
    refused = operator.json("webhooks", "register", "http://127.0.0.1:9/", status=1)
    assert refused["refused"] == "webhooks.url_not_https"


def test_deliveries_are_shown_as_they_stand(operator: Operator) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        cursor = operator.json("events", "list", "--limit", "1")["cursor"]
        id = operator.json("webhooks", "register", url, "--loopback", "--from-cursor", cursor)["id"]
        asyncio.run(send(embedded.start(operator.data_dir).url, UUID(id)))
    found = operator.json("webhooks", "deliveries", id, "--limit", "3")
    assert [each["position"] for each in found] == [1, 2, 3]
    assert (found[0]["status"], found[0]["attempts"], found[0]["last_status"]) == ("pending", 1, None)
    assert found[0]["event"] in operator.run("webhooks", "deliveries", id, "--limit", "1")
    assert operator.json("webhooks", "deliveries", id, "--after", "2", "--limit", "1") == [found[2]]
    operator.json("webhooks", "delete", id)


async def send(url: str, id: UUID) -> None:
    """Once, to an address where nobody listens."""
    database = await Database.open(url)
    async with Dispatcher(database) as dispatcher:
        await dispatcher.step(id)
    await database.close()


def test_keys_are_shown_once_and_revoked(operator: Operator) -> None:
    key = operator.json("keys", "create", "reporting", "--scope", "reports:read")
    listed = operator.run("keys", "list")
    assert key["secret"] not in listed
    assert "By(" not in listed, "who made a key is told in words"
    assert operator.json("keys", "revoke", key["id"])["revoked_at"]


def test_another_banks_books_are_taken_over(operator: Operator, tmp_path: Path) -> None:
    assert "district.asc" in operator.run("import", "berka", str(tmp_path), status=1)
    done = operator.json("import", "berka", str(write_files(tmp_path)))
    assert list(done)[:6] == ["transactions", "exact", "rounding", "unexplained", "refused", "seconds"]
    assert done["posted"] == done["transactions"] > 0
    assert operator.json("import", "berka", str(tmp_path))["replayed"] == done["posted"]
    assert "posted before" in operator.run("import", "berka", str(tmp_path))
    operator.run("import", "berka", str(tmp_path / "missing"), status=2)


def test_other_words_are_bad_usage(operator: Operator) -> None:
    operator.run("nonsense", status=2)
    operator.run("bench", "nonsense", status=2)
    operator.run("accounts", "open", "seven", status=2)
    operator.run("entries", "search", "--limit", "-1", status=2)
    assert "EASTFLOW_LANES" in operator.run("assets", "list", status=2, EASTFLOW_LANES="none")


def test_what_is_wrong_with_the_database_is_said(operator: Operator) -> None:
    for url in ("postgresql://127.0.0.1:1/none", "postgresql://127.0.0.1:port/none", "nonsense"):
        said = operator.run("assets", "list", status=1, EASTFLOW_DATABASE_URL=url)
        assert "Traceback" not in said
        assert len(said) > 10


def test_versions_and_words_that_are_no_text(operator: Operator) -> None:
    assert operator.run("version").strip() == operator.json("version")["version"]
    strange = operator.start(b"assets", b"\xff")
    assert "UTF-8" in strange.communicate()[1]
    assert strange.returncode == 2


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


@pytest.fixture
def fresh() -> Iterator[Operator]:
    """A bank not yet made, on a free port."""
    room = Path(tempfile.mkdtemp(prefix="eastflow-up-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    operator = Operator(room / "bank", port)
    yield operator
    for process in operator.processes:
        process.kill()
        process.communicate()
    embedded.stop(room / "bank")
    shutil.rmtree(room, ignore_errors=True)


def test_the_bank_comes_up_is_killed_and_comes_up_again(fresh: Operator) -> None:
    first = fresh.start("up")
    wait_until_up(fresh)
    assert f"already: {fresh.url}" in fresh.run("up", status=1)
    assert f"already: {fresh.url}" in fresh.run("up", status=1, EASTFLOW_PORT="1")
    assert "end that process" in fresh.run("down", status=1)
    assert fresh.json("assets", "list"), "commands work beside the running bank"
    first.send_signal(signal.SIGKILL)
    said, _ = first.communicate()
    command = next(line for line in said.splitlines() if line.startswith("  curl "))
    secret = shlex.split(command)[2].removeprefix("Authorization: Bearer ")
    assert embedded.running(fresh.data_dir), "the database outlives the program that was killed"
    second = fresh.start("up")
    wait_until_up(fresh)
    assert get(shlex.split(command)[3], secret) == 200
    assert get(shlex.split(command)[3], "") == 401
    second.send_signal(signal.SIGTERM)
    said, errors = second.communicate(timeout=30)
    assert second.returncode == 0, errors
    assert "ef_" not in said
    assert errors == ""
    assert embedded.running(fresh.data_dir) is None, "who is the last to leave stops what one of them started"


def test_one_command_leaves_no_server_behind_and_no_one_else_without(fresh: Operator) -> None:
    assert fresh.json("assets", "list") == []
    assert embedded.running(fresh.data_dir) is None
    assert fresh.json("down") == {"stopped": False}
    up = fresh.start("up")
    wait_until_up(fresh)
    server = embedded.running(fresh.data_dir)
    assert fresh.json("verify")["proved"]
    assert embedded.running(fresh.data_dir) == server
    up.send_signal(signal.SIGINT)
    _, errors = up.communicate(timeout=30)
    assert (up.returncode, errors) == (0, "")
    assert embedded.running(fresh.data_dir) is None


def test_a_signal_before_the_bank_answers_leaves_no_server(fresh: Operator) -> None:
    up = fresh.start("up")
    deadline = time.monotonic() + STARTING_SECONDS
    while embedded.running(fresh.data_dir) is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    up.send_signal(signal.SIGTERM)
    _, errors = up.communicate(timeout=30)
    assert up.returncode in (0, 128 + signal.SIGTERM), errors
    assert "Traceback" not in errors
    assert embedded.running(fresh.data_dir) is None
