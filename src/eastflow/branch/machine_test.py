"""Any working day, and a process killed in the middle of one: pieces and books agree after every step."""

from __future__ import annotations

import asyncio
import itertools
import signal
import subprocess
import sys
import textwrap
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eastflow.kernel import Asset, Refusal
from eastflow.ledger import Account, Side
from eastflow.ledger.actions import define_asset, new_account_number, open_accounts
from eastflow.storage import Database, Transaction

from . import Cash, Form, Pieces, Place, PlaceKind, TellerRole, actions, every_stock, transfers_in_transit
from .actions_test import TODAY, check
from .model import Branch, Session, Teller, Transfer, Voucher

PEOPLE = ("a", "b", "s", "t")
"""Two tellers and two supervisors."""
_examples = itertools.count()


@dataclass
class Day:
    """One branch of the example's own, and what waits in it."""

    database: Database
    number: int
    account: int = field(default_factory=new_account_number)
    sessions: dict[str, UUID] = field(default_factory=dict)
    vouchers: list[UUID] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)

    def person(self, letter: str) -> str:
        return f"{letter}{self.number}"

    def place(self, letter: str) -> Place:
        if letter == "v":
            return Place(PlaceKind.VAULT, self.person("n"))
        return Place(PlaceKind.DRAWER, self.person(letter))

    async def run(self, verb: Callable[..., Awaitable[Any]], *arguments: Any, **named: Any) -> Any:
        return await self.database.run(lambda tx: verb(tx, *arguments, **named))

    async def acted(self, who: str, verb: Callable[..., Awaitable[Any]], *arguments: Any, **named: Any) -> Any:
        answer = await self.run(verb, *arguments, **named, today=TODAY, by=self.person(who))
        if isinstance(answer, Voucher):
            self.vouchers.append(answer.id)
        elif isinstance(answer, Transfer):
            self.transfers.append(answer)
        return answer

    async def begin(self) -> None:
        async def books(tx: Transaction) -> None:
            await define_asset(tx, Asset("CNY", 2))
            chart = "liabilities:deposits:demand"
            await open_accounts(tx, [Account(self.account, "CNY", Side.CREDIT, chart, TODAY)])

        await self.database.run(books)
        await self.run(actions.register_branch, Branch(self.person("n"), "A branch"))
        await self.run(actions.set_limit, self.person("n"), "CNY", 3_000, by="chief")
        for letter in PEOPLE:
            role = TellerRole.SUPERVISOR if letter in "st" else TellerRole.TELLER
            code = self.person(letter)
            await self.run(actions.register_teller, Teller(code, self.person("n"), letter, role, code))
            await self.sign_on(letter)
        shipped = await self.acted("s", actions.ship, uuid4(), self.sessions["s"], cash((30, 30, 30)), out=False)
        await self.acted("t", actions.confirm, shipped.id, self.sessions["t"])

    async def sign_on(self, letter: str) -> None:
        id = uuid4()
        answer = await self.run(actions.sign_on, id, self.person(letter), today=TODAY, by=self.person(letter))
        if isinstance(answer, Session):
            self.sessions[letter] = id

    async def counted(self, letter: str) -> Cash:
        async with self.database.reading() as tx:
            there = [each.cash for each in await every_stock(tx) if each.place == self.place(letter)]
        return there[0] if there else Cash("CNY")

    async def step(self, step: Step) -> object:
        await self.sign_on(step.who)
        session = self.sessions[step.who]
        match step.what:
            case "in" | "out":
                told = {"out": step.what == "out", "identification_seen": True}
                return await self.acted(
                    step.who, actions.customer_cash, uuid4(), session, self.account, cash(step.counts), **told
                )
            case "give":
                places = self.place(step.place), self.place(step.other)
                return await self.acted(step.who, actions.issue, uuid4(), session, *places, cash(step.counts))
            case "hand over":
                places, whole = (self.place(step.who), self.place(step.other)), await self.counted(step.who)
                return await self.acted(step.who, actions.issue, uuid4(), session, *places, whole, whole=True)
            case "receive" | "take back" if self.transfers:
                transfer = self.transfers[step.pick % len(self.transfers)]
                verb: Callable[..., Awaitable[Any]] = actions.receive if step.what == "receive" else actions.take_back
                return await self.acted(step.who, verb, transfer.id, session, transfer.cash)
            case "confirm" | "decline" if self.vouchers:
                verb = actions.confirm if step.what == "confirm" else actions.decline
                voucher = self.vouchers[step.pick % len(self.vouchers)]
                return await self.acted(step.who, verb, voucher, session)
            case "count":
                return await self.acted(
                    step.who, actions.count, uuid4(), session, self.place(step.place), cash(step.counts)
                )
            case "reverse" if self.vouchers:
                voucher = self.vouchers[step.pick % len(self.vouchers)]
                return await self.acted(step.who, actions.reverse, uuid4(), session, voucher)
            case "close" if step.place != "v":
                absent, there = self.sessions[step.place], await self.counted(step.place)
                return await self.acted(step.who, actions.close_for_absent, uuid4(), session, absent, there)
            case "sign off":
                await self.close(step.who, session)
        return None

    async def close(self, who: str, session: UUID) -> None:
        """Count what is there, sign off if nothing is open, and come back."""
        await self.acted(who, actions.count, uuid4(), session, self.place(who), await self.counted(who))
        await self.run(actions.sign_off, session, by=self.person(who))
        await self.sign_on(who)


def cash(counts: tuple[int, int, int]) -> Cash:
    kinds = [(Form.NOTE, 1_000), (Form.NOTE, 100), (Form.COIN, 1)]
    return Cash("CNY", tuple(Pieces(*kind, count) for kind, count in zip(kinds, counts, strict=True) if count))


@dataclass(frozen=True)
class Step:
    what: str
    who: str
    place: str
    other: str
    counts: tuple[int, int, int]
    pick: int


few = st.integers(0, 6)
WHAT = ("in", "in", "out", "give", "give", "hand over", "receive", "receive", "take back", "confirm", "confirm")
STEPS = st.lists(
    st.builds(
        Step,
        what=st.sampled_from([*WHAT, "decline", "count", "reverse", "close", "sign off"]),
        who=st.sampled_from(PEOPLE),
        place=st.sampled_from([*PEOPLE, "v"]),
        other=st.sampled_from([*PEOPLE, "v"]),
        counts=st.tuples(few, few, few),
        pick=few,
    ),
    min_size=5,
    max_size=30,
)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(STEPS)
def test_pieces_and_books_agree_after_every_step(database_url: str, steps: list[Step]) -> None:
    asyncio.run(drive(database_url, steps, next(_examples)))


async def drive(url: str, steps: list[Step], number: int) -> None:
    database = await Database.open(url)
    try:
        day = Day(database, number)
        await day.begin()
        for step in steps:
            before = await everything(database)
            answer = await day.step(step)
            after = await everything(database)
            if isinstance(answer, Refusal):
                assert before == after
        await check(database)
    finally:
        await database.close()


async def everything(database: Database) -> object:
    """Pieces and the balance beside them, place by place, and what is on the way."""
    async with database.reading() as tx:
        stocks = await every_stock(tx)
        posted = await tx.rows(
            "SELECT account_id, posted FROM ledger_balance WHERE account_id = ANY($1)", [s.account for s in stocks]
        )
        moving = await transfers_in_transit(tx, limit=1_000)
    minor = {row["account_id"]: row["posted"] for row in posted}
    assert [(s.place, s.cash.amount_minor) for s in stocks] == [(s.place, minor[s.account]) for s in stocks]
    return [(s.place, s.cash) for s in stocks], [each.id for each in moving]


WORKER = textwrap.dedent(
    """
    import asyncio, random, sys
    sys.path.insert(0, sys.argv[2])
    from eastflow.branch.machine_test import PEOPLE, WHAT, Day, Step
    from eastflow.storage import Database

    async def work(database, number):
        day, draw = Day(database, number), random.Random(number)
        await day.begin()
        print("begun", flush=True)
        places = [*PEOPLE, "v"]
        while True:
            counts = tuple(draw.randrange(4) for _ in range(3))
            who, place, other = draw.choice(PEOPLE), draw.choice(places), draw.choice(places)
            await day.step(Step(draw.choice(WHAT), who, place, other, counts, draw.randrange(99)))

    async def main():
        database = await Database.open(sys.argv[1])
        await asyncio.gather(*(work(database, number) for number in range(1000, 1004)))

    asyncio.run(main())
    """
)


async def test_a_process_killed_at_work_loses_no_cash(database: Database, database_url: str) -> None:
    source = str(Path(__file__).parents[2])
    worker = subprocess.Popen([sys.executable, "-c", WORKER, database_url, source], stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    for _ in range(4):
        assert await asyncio.to_thread(worker.stdout.readline) == "begun\n"
    await asyncio.sleep(1)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    # The server undoes what was not committed once it sees that its client is gone.
    await asyncio.sleep(0.5)
    async with database.reading() as tx:
        assert len(await every_stock(tx)) >= 4
    await check(database)
