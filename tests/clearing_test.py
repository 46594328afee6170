"""The bank and a simulated clearing, two processes on real sockets; the bank's is killed in between.

Nothing is lost and nothing is done twice: every payment ends as the clearing's rules have it, every account stands
where the payments put it, and what came in is credited once or back where it came from.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from lxml import etree

from eastflow import payments
from eastflow.channels.api import Scope
from eastflow.channels.api.keys import create_key
from eastflow.channels.iso20022 import DeliveryStatus, Direction, Message, messages
from eastflow.channels.iso20022.conftest import Paid, pain001, valid
from eastflow.kernel import Asset
from eastflow.ledger import Account, Entry, Posting, Side, balance, trial_balance_at, verify
from eastflow.ledger.actions import define_asset, internal_account, new_id, open_accounts, post
from eastflow.payments import CollectionStatus, PaymentStatus, Scheme
from eastflow.payments.actions import collect, give_mandate, recall, refund_collection, set_scheme
from eastflow.storage import Database, Keys, Transaction, embedded, migrate

ROOT = Path(__file__).parents[1]
MEMORY_BYTES = 512 << 20
START_MINOR = 10_000_000
TODAY = datetime.now(UTC).date()
ROUNDS = 3
PATIENCE_SECONDS = 120
# What becomes of a payment to an account with this end, and whether the payer has the money again.
ENDS = {
    "1000": (PaymentStatus.SETTLED, False),
    "1404": (PaymentStatus.REJECTED, True),
    "1777": (PaymentStatus.RETURNED, True),
    "1503": (PaymentStatus.SETTLED, False),
    "1202": (PaymentStatus.SETTLED, False),
}
# What becomes of a collection of a debtor's account with this end.
COLLECTED_ELSEWHERE = {
    "2000": CollectionStatus.COLLECTED,
    "2404": CollectionStatus.REFUSED,
    "2777": CollectionStatus.REFUNDED,
    "2503": CollectionStatus.COLLECTED,
    "2202": CollectionStatus.COLLECTED,
}


@pytest.fixture
def data_dir() -> Iterator[Path]:
    room = Path(tempfile.mkdtemp(prefix="eastflow-clearing-"))
    yield room / "bank"
    embedded.stop(room / "bank")
    shutil.rmtree(room, ignore_errors=True)


async def open_books(url: str, key_file: Path) -> Database:
    database = await Database.open(url, keys=Keys.open(key_file))
    await migrate(database)

    async def fill(tx: Transaction) -> None:
        await define_asset(tx, Asset("CZK", 2))
        customers = [Account(number, "CZK", Side.CREDIT, "liabilities:deposits", TODAY) for number in (1, 2)]
        await open_accounts(tx, [*customers, Account(9, "CZK", Side.DEBIT, "assets:cash", TODAY, None)])
        legs = (Posting(9, "CZK", -START_MINOR), Posting(1, "CZK", START_MINOR))
        await post(tx, [Entry(new_id(), "cash_deposit", TODAY, legs)])
        # The test runs on Sundays too.
        days = frozenset(TODAY + timedelta(days=each) for each in range(3))
        await set_scheme(tx, Scheme("clearing", working_weekends=days))

    await database.run(fill)
    return database


class Program:
    """A process that is started, killed, and started again."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._command = command
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *self._command], env=os.environ | self._environment, cwd=ROOT, stdout=subprocess.DEVNULL
        )

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


class World:
    def __init__(self, database: Database, bank: Program, company: httpx.AsyncClient, clearing: httpx.AsyncClient):
        self.database = database
        self.bank = bank
        self.company = company
        self.clearing = clearing

    async def until_up(self) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            for client, path in ((self.company, "/healthz"), (self.clearing, "/control/state")):
                while True:
                    with contextlib.suppress(httpx.TransportError):
                        if (await client.get(path)).status_code == 200:
                            break
                    assert self.bank.runs, "the bank did not come up"
                    await asyncio.sleep(0.05)

    async def until_taken(self) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (await self.state())["payments"]:
                await asyncio.sleep(0.01)

    async def initiate(self, message: str) -> etree._Element:
        """A customer sends until it is answered: its bank may be down."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                with contextlib.suppress(httpx.TransportError):
                    answer = await self.company.post("/v1/iso20022/messages", content=message.encode())
                    if answer.status_code == 200:
                        return valid(answer.content)
                    assert answer.status_code == 503, answer.text
                await asyncio.sleep(0.05)

    async def state(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.clearing.get("/control/state")).json()
        return found

    async def statuses(self) -> list[payments.Payment]:
        async with self.database.reading() as tx:
            return await payments.payments_page(tx, limit=1_000)

    async def sent(self) -> list[Message]:
        async with self.database.reading() as tx:
            return [each for each in await messages(tx, limit=1_000) if each.direction is Direction.SENT]

    async def settle(self) -> None:
        """Until nothing is on its way."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await self._is_busy():
                await asyncio.sleep(0.1)

    async def _is_busy(self) -> bool:
        if (await self.state())["waiting"] or any(_is_awaited(each) for each in await self.statuses()):
            return True
        async with self.database.reading() as tx:
            return any(each.status is DeliveryStatus.PENDING for each in await messages(tx, limit=1_000))


def _is_awaited(payment: payments.Payment) -> bool:
    """What is on its way, or will come back."""
    if payment.status in (PaymentStatus.ACCEPTED, PaymentStatus.SENT):
        return True
    return payment.status is PaymentStatus.SETTLED and payment.creditor.account.endswith("777")


@asynccontextmanager
async def world(data_dir: Path, **settings: str) -> AsyncIterator[World]:
    server = embedded.start(data_dir, memory_bytes=MEMORY_BYTES)
    key_file = data_dir.parent / "keys"
    database = await open_books(server.url, key_file)
    _, company = await database.run(lambda tx: create_key(tx, "company", [Scope.ISO20022_WRITE]))
    _, secret = await database.run(lambda tx: create_key(tx, "clearing", [Scope.ISO20022_WRITE]))
    port, clearing_port = free_port(), free_port()
    url, clearing_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{clearing_port}"
    bank = Program(
        ["-c", "from eastflow.main import main; main()", "up"],
        {
            "EASTFLOW_DATABASE_URL": server.url,
            "EASTFLOW_KEY_FILE": str(key_file),
            "EASTFLOW_PORT": str(port),
            "EASTFLOW_CLEARING_URL": f"{clearing_url}/messages",
            **settings,
        },
    )
    arguments = ["--bank", url, "--secret", secret, "--port", str(clearing_port), "--delay", "300"]
    simulator = Program(["-m", "simulators.clearing", *arguments], {})
    headers = {"authorization": f"Bearer {company}"}
    try:
        bank.start()
        simulator.start()
        async with (
            httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as customers,
            httpx.AsyncClient(base_url=clearing_url, trust_env=False) as other,
        ):
            opened = World(database, bank, customers, other)
            await opened.until_up()
            yield opened
    finally:
        bank.kill()
        simulator.kill()
        await database.close()


async def check_books(database: Database, expected_minor: dict[int, int]) -> None:
    async def clearing(tx: Transaction) -> int:
        found = await internal_account(tx, "assets:clearing", "CZK", Side.DEBIT)
        assert isinstance(found, int)
        return found

    number = await database.run(clearing)
    async with database.reading() as tx:
        found = {account: await balance(tx, account) for account in (*expected_minor, number)}
        assert {n: b.posted_minor for n, b in found.items() if b and n in expected_minor} == expected_minor
        left = found[number]
        # What has left by the clearing less what has come in by it is what the customers have more or less.
        assert left is not None
        assert left.posted_minor == sum(expected_minor.values()) - START_MINOR
        assert (await trial_balance_at(tx)).balanced
        assert (await verify(tx)).findings == ()


async def all_is_done_once(data_dir: Path) -> None:
    async with world(data_dir) as here:
        incoming: dict[str, str] = {}
        paid_minor = 0
        for number in range(ROUNDS):
            asked = [Paid(f"{number + 1}.0{place}", end, "OTHRBANK") for place, end in enumerate(ENDS)]
            asked.append(Paid("0.50", "2"))
            message = pain001(asked, id=f"M{number}", day=TODAY.isoformat())
            sending = asyncio.create_task(here.initiate(message))
            for account, amount in (("2", f"{number + 5}.25"), ("77", "3.00")):
                asked_in = {"amount": amount, "currency": "CZK", "account": account}
                uetr = (await here.clearing.post("/control/pay", json=asked_in)).json()["uetr"]
                incoming[uetr] = account
            if number == 0:
                # The worst moment: the clearing has taken the payments, and the bank does not know yet.
                await here.until_taken()
            else:
                await asyncio.sleep(0.1)
            here.bank.kill()
            here.bank.start()
            await here.until_up()
            assert [each.text for each in (await sending).iter("{*}GrpSts")] == ["ACCP"]
            repeated = await here.initiate(message)
            assert [each.text for each in repeated.iter("{*}GrpSts")] == ["ACCP"]
            paid_minor += 50 + sum(100 * (number + 1) + place for place, end in enumerate(ENDS) if not ENDS[end][1])
        await here.settle()
        found = await here.statuses()
        out = [each for each in found if each.direction is payments.Direction.OUTGOING]
        assert len(out) == ROUNDS * len(ENDS)
        assert {each.status for each in out if each.status is not ENDS[each.creditor.account][0]} == set()
        came_in = {str(each.uetr): each for each in found if each.direction is payments.Direction.INCOMING}
        assert came_in.keys() == incoming.keys()
        for uetr, account in incoming.items():
            expected = PaymentStatus.SETTLED if account == "2" else PaymentStatus.RETURNED
            assert came_in[uetr].status is expected
        state = await here.state()
        assert state["payments"].keys() == {str(each.uetr) for each in out}
        assert any(each.attempts > 1 for each in await here.sent()), "the kill came at the moment it was meant for"
        assert state["came_back"] == {uetr: "3.00" for uetr, account in incoming.items() if account == "77"}
        received_minor = sum(100 * (number + 5) + 25 + 50 for number in range(ROUNDS))
        await check_books(here.database, {1: START_MINOR - paid_minor, 2: received_minor})
        await every_message_is_valid(here.database)


async def every_message_is_valid(database: Database) -> None:
    async with database.reading() as tx:
        kept = await messages(tx, limit=1_000)
    assert {each.kind.rpartition(".001.")[0] for each in kept} >= {
        "pain.001",
        "pain.002",
        "pacs.008",
        "pacs.002",
        "pacs.004",
    }
    for each in kept:
        valid(each.content)
    sent = [each.message_id for each in kept if each.direction is Direction.SENT]
    assert len(sent) == len(set(sent))


def test_nothing_is_lost_or_doubled_when_the_bank_is_killed(data_dir: Path) -> None:
    asyncio.run(all_is_done_once(data_dir))


async def recalls_go_both_ways(data_dir: Path) -> None:
    """With headers beside all messages between banks."""
    async with world(data_dir, EASTFLOW_CLEARING_HEADER="1") as here:
        await here.initiate(
            pain001([Paid("4.00", "1000", "OTHRBANK"), Paid("6.00", "1600", "OTHRBANK")], day=str(TODAY))
        )
        await here.settle()
        for payment in await here.statuses():
            await here.database.run(
                lambda tx, payment=payment: recall(tx, payment.id, "DUPL", today=TODAY, by="a person")  # type: ignore[misc]
            )
        uetr = str(uuid4())
        await here.clearing.post("/control/pay", json={"amount": "9", "currency": "CZK", "account": "2", "uetr": uetr})
        await here.clearing.post("/control/recall", json={"uetr": uetr})
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                ended = {each.creditor.account: each.status for each in await here.statuses()}
                answers = (await here.state())["answers"]
                told = [each for each in answers if "PDCR" in each]
                if ended.get("1000") is PaymentStatus.RECALLED and told and await answered(here, "1600"):
                    break
                await asyncio.sleep(0.1)
        assert ended == {
            "1000": PaymentStatus.RECALLED,
            "1600": PaymentStatus.SETTLED,
            "2": PaymentStatus.SETTLED,
        }
        await check_books(here.database, {1: START_MINOR - 600, 2: 900})
        between_banks = [each for each in await here.sent() if not each.kind.startswith("pain")]
        assert {each.kind[:8] for each in between_banks} == {"pacs.002", "pacs.008", "camt.029", "camt.056"}
        assert all(b"<AppHdr" in each.content for each in between_banks)


async def collections_go_both_ways(data_dir: Path) -> None:
    """What another bank collects of customer 1, and what customer 2 collects of others."""
    async with world(data_dir) as here:
        ours = [await ask_elsewhere(here, account) for account in COLLECTED_ELSEWHERE]
        outside = payments.Outside("123456789", "CLEARING", "CZ98ZZZ17", TODAY)
        given = payments.Mandate(
            uuid4(),
            1,
            None,
            "City Power",
            900,
            "CZK",
            TODAY,
            payments.Frequency.DAILY,
            reference="M-17",
            outside=outside,
        )
        await here.database.run(lambda tx: give_mandate(tx, given, by="a person"))
        asked = {"currency": "CZK", "account": "1", "creditor_id": "CZ98ZZZ17", "reference": "M-17", "day": str(TODAY)}
        uetrs = []
        for amount in ("7.00", "9.01"):
            answer = await here.clearing.post("/control/collect", json=asked | {"amount": amount})
            uetrs.append(answer.json()["uetr"])
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(answers := (await here.state())["answers"]) < 2:
                await asyncio.sleep(0.1)
        assert [("ACSC" in each, "AM02" in each) for each in answers] == [(True, False), (False, True)]
        await here.database.run(lambda tx: refund_collection(tx, given.id, UUID(uetrs[0]), today=TODAY))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (came_back := (await here.state())["came_back"]):
                await asyncio.sleep(0.1)
        assert came_back == {uetrs[0]: "7.00"}
        await here.settle()
        async with here.database.reading() as tx:
            found = [await payments.collection(tx, each.mandate, each.id) for each in ours]
            assert [each and each.status for each in found] == list(COLLECTED_ELSEWHERE.values())
            for each in await messages(tx, limit=1_000):
                valid(each.content)
        # Of five of 5.00 each, one was refused and one went back.
        await check_books(here.database, {1: START_MINOR, 2: 1_500})


async def ask_elsewhere(here: World, account: str) -> payments.Collection:
    outside = payments.Outside(account, "OTHRBANK", "CZ98ZZZ18", TODAY, "Jan")
    frequency = payments.Frequency.ONCE
    given = payments.Mandate(
        uuid4(), None, 2, "The Shop", 900, "CZK", TODAY, frequency, reference=account, outside=outside
    )
    asked = payments.Collection(uuid4(), given.id, 500, TODAY)
    await here.database.run(lambda tx: give_mandate(tx, given, by="a person"))
    await here.database.run(lambda tx: collect(tx, asked, today=TODAY, by="a person"))
    return asked


def test_collections_go_both_ways(data_dir: Path) -> None:
    asyncio.run(collections_go_both_ways(data_dir))


async def answered(here: World, account: str) -> bool:
    [payment] = [each for each in await here.statuses() if each.creditor.account == account]
    async with here.database.reading() as tx:
        found = await payments.recall_of(tx, payment.id)
    return found is not None and (found.status, found.answer) == (payments.RecallStatus.REFUSED, "CUST")


def test_recalls_go_both_ways(data_dir: Path) -> None:
    asyncio.run(recalls_go_both_ways(data_dir))


def test_the_product_and_its_simulators_know_nothing_of_each_other() -> None:
    apart = ((ROOT / "src", "simulators"), (ROOT / "simulators", "eastflow"))
    for folder, other in apart:
        for path in folder.rglob("*.py"):
            assert not re.search(rf"^\s*(?:from|import) {other}\b", path.read_text(encoding="utf-8"), re.MULTILINE), (
                path
            )
    assert "simulators" not in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
