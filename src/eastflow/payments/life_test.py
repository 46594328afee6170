"""A payment's life: whatever happens in whatever order, and twice at once, money is neither lost nor doubled.

The oracle is a few numbers moved by hand; the bank must agree with it on each balance and each status.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eastflow import ledger
from eastflow.customers import Channel
from eastflow.kernel import Asset
from eastflow.ledger import Account, Entry, Posting, Side, verify
from eastflow.ledger.actions import define_asset, internal_account, new_account_number, open_accounts, post
from eastflow.storage import Database, Keys, Transaction

from . import Endpoint, Incoming, PaymentStatus, RecallStatus, Transfer, payment, recall_of, suspense_page, uetr_of
from .actions import (
    answer_recall,
    apply_status,
    clear_suspense,
    mark_sent,
    recall,
    receive_incoming,
    receive_recall,
    receive_return,
    transfer,
)
from .decide import further_id, incoming_id

TODAY = date(2026, 3, 2)
OTHER = Endpoint("Jan", "87144583", "YZ")
BEGINNING_MINOR = 1_000
_assets = count(1)

HAPPENINGS = (
    *("send", "settle", "reject", "come_back", "come_back_less", "recall"),
    *("send_return", "return_by_hand", "clear", "ask_back", "give_back", "refuse"),
)
CHARGE_MINOR = 1
begin = st.tuples(st.sampled_from(["pay_away", "come_in", "pay_here", "come_in_for_nobody"]), st.integers(1, 700))
# To which life something happens, what, and whether it must be something that can happen to it.
step = st.tuples(st.integers(0, 2), st.integers(0, 11), st.sampled_from([True, True, True, False]))


@dataclass
class Life:
    """One payment as the oracle knows it."""

    id: UUID
    uetr: UUID
    amount: int
    outgoing: bool
    status: PaymentStatus
    asked_back: RecallStatus | None = None


@dataclass
class Oracle:
    """Ann pays, Bob is paid; `away` is what other banks are owed, `aside` what stands on suspense."""

    ann: int = BEGINNING_MINOR
    bob: int = BEGINNING_MINOR
    away: int = 0
    aside: int = 0
    lives: list[Life] = field(default_factory=list)

    def pay(self, id: UUID, amount: int, *, here: bool) -> None:
        if amount > self.ann:
            return
        self.ann -= amount
        if here:
            self.bob += amount
        else:
            self.away += amount
            self.lives.append(Life(id, uetr_of(id), amount, True, PaymentStatus.ACCEPTED))

    def come_in(self, uetr: UUID, amount: int, *, known: bool) -> None:
        self.away -= amount
        status = PaymentStatus.SETTLED if known else PaymentStatus.ACCEPTED
        if known:
            self.bob += amount
        else:
            self.aside += amount
        self.lives.append(Life(incoming_id(uetr), uetr, amount, False, status))

    def back_to_ann(self, life: Life, status: PaymentStatus, kept: int = 0) -> None:
        self.ann += life.amount - kept
        self.away -= life.amount - kept
        life.status = status

    def happen(self, name: str, life: Life) -> None:
        on_the_way = life.status in (PaymentStatus.SENT, PaymentStatus.SETTLED)
        if life.outgoing:
            match name:
                case "send" if life.status is PaymentStatus.ACCEPTED:
                    life.status = PaymentStatus.SENT
                case "settle" if life.status is PaymentStatus.SENT:
                    life.status = PaymentStatus.SETTLED
                case "reject" if life.status is PaymentStatus.SENT:
                    self.back_to_ann(life, PaymentStatus.REJECTED)
                case "come_back" | "come_back_less" if on_the_way:
                    kept = CHARGE_MINOR if name == "come_back_less" else 0
                    if kept == life.amount:
                        return
                    asked = life.asked_back is not None
                    life.asked_back = RecallStatus.ACCEPTED if asked else None
                    self.back_to_ann(life, PaymentStatus.RECALLED if asked else PaymentStatus.RETURNED, kept)
                case "recall" if life.status is PaymentStatus.ACCEPTED:
                    self.back_to_ann(life, PaymentStatus.RECALLED)
                case "recall" if on_the_way and life.asked_back is None:
                    life.asked_back = RecallStatus.OPEN
            return
        match name:
            case "clear" if life.status is PaymentStatus.ACCEPTED and life.asked_back is not RecallStatus.ACCEPTED:
                self.aside -= life.amount
                self.bob += life.amount
                life.status = PaymentStatus.SETTLED
            case "send_return" | "return_by_hand" if life.status is PaymentStatus.ACCEPTED:
                self.aside -= life.amount
                self.away += life.amount
                life.status = PaymentStatus.RETURNED
            case "ask_back" if life.asked_back is None:
                open_still = life.status is PaymentStatus.SETTLED
                life.asked_back = RecallStatus.OPEN if open_still else RecallStatus.ACCEPTED
            case "give_back" if life.asked_back is RecallStatus.OPEN and life.amount <= self.bob:
                self.bob -= life.amount
                self.aside += life.amount
                life.status, life.asked_back = PaymentStatus.ACCEPTED, RecallStatus.ACCEPTED
            case "refuse" if life.asked_back is RecallStatus.OPEN:
                life.asked_back = RecallStatus.REFUSED


@dataclass
class World:
    """A currency of its own in the one bank, so that each example finds its accounts as they begin."""

    database: Database
    asset: str
    ann: int = field(default_factory=new_account_number)
    bob: int = field(default_factory=new_account_number)

    async def begin(self) -> None:
        async def work(tx: Transaction) -> None:
            await define_asset(tx, Asset(self.asset, 2))
            for account in (self.ann, self.bob):
                await open_accounts(tx, [Account(account, self.asset, Side.CREDIT, "liabilities:deposits", TODAY)])
                cash = await self.own(tx, "assets:cash")
                legs = (
                    Posting(cash, self.asset, -BEGINNING_MINOR),
                    Posting(account, self.asset, BEGINNING_MINOR),
                )
                await post(tx, [Entry(uuid4(), "cash", TODAY, legs)], today=lambda: TODAY)

        await self.database.run(work)

    async def own(self, tx: Transaction, chart: str) -> int:
        side = Side.DEBIT if chart.startswith("assets:") else Side.CREDIT
        number = await internal_account(tx, chart, self.asset, side, today=lambda: TODAY)
        assert isinstance(number, int)
        return number

    async def twice(self, verb: Callable[..., Awaitable[Any]], *told: Any, **named: Any) -> None:
        """The same at once: it must come to the same as once."""

        async def once() -> Any:
            return await self.database.run(lambda tx: verb(tx, *told, today=TODAY, **named))

        await asyncio.gather(once(), once())

    async def happen(self, name: str, life: Life) -> None:
        match name:
            case "send":
                await self.twice(mark_sent, life.id, "M1")
            case "send_return":
                await self.twice(mark_sent, further_id(life.id, "return"), "M2")
            case "settle" | "reject":
                status = PaymentStatus.SETTLED if name == "settle" else PaymentStatus.REJECTED
                await self.twice(apply_status, life.uetr, status, "AC01" if name == "reject" else None)
            case "come_back":
                await self.twice(receive_return, life.uetr, life.amount, self.asset, "AC04")
            case "come_back_less":
                less = life.amount - CHARGE_MINOR
                await self.twice(receive_return, life.uetr, less, self.asset, "AC06", charges_minor=CHARGE_MINOR)
            case "clear" | "return_by_hand":
                await self.twice(clear_suspense, life.id, self.bob if name == "clear" else None)
            case "recall":
                await self.twice(recall, life.id, "CUST", by="a test")
            case "ask_back":
                await self.twice(receive_recall, life.uetr, "DUPL")
            case "give_back" | "refuse":
                await self.twice(answer_recall, life.id, None if name == "give_back" else "CUST")

    async def stands(self) -> tuple[int, int, int, int]:
        async def work(tx: Transaction) -> list[int]:
            found = []
            for account in (
                self.ann,
                self.bob,
                await self.own(tx, "assets:clearing"),
                await self.own(tx, "liabilities:suspense"),
            ):
                standing = await ledger.balance(tx, account)
                found.append(0 if standing is None else standing.posted_minor)
            return found

        ann, bob, clearing, suspense = await self.database.run(work)
        return ann, bob, -clearing, suspense


async def begin_life(world: World, oracle: Oracle, name: str, amount: int) -> None:
    if name in ("pay_here", "pay_away"):
        payee = Endpoint("", str(world.bob)) if name == "pay_here" else OTHER
        id = uuid4()
        asked = Transfer(id, world.ann, payee, amount, world.asset, Channel.API, remittance=id.hex)
        await world.twice(transfer, asked, by="a test")
        oracle.pay(id, amount, here=name == "pay_here")
    else:
        payee = Endpoint("Bob", str(world.bob) if name == "come_in" else "4711")
        told = Incoming(uuid4(), OTHER, payee, amount, world.asset)
        await world.twice(receive_incoming, told)
        oracle.come_in(told.uetr, amount, known=name == "come_in")


def chosen(oracle: Any, number: int, choice: int, possible: bool, happenings: Sequence[str] = HAPPENINGS) -> str:
    """What is to happen to the life with this number: anything, or what changes something."""

    def changes(name: str) -> bool:
        after = deepcopy(oracle)
        after.happen(name, after.lives[number])
        return bool(after != oracle)

    names = [name for name in happenings if changes(name)] if possible else []
    names = names or list(happenings)
    return names[choice % len(names)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(begins=st.lists(begin, min_size=1, max_size=4), steps=st.lists(step, min_size=4, max_size=14))
def test_money_is_neither_lost_nor_doubled(
    database_url: str, keys: Keys, begins: list[tuple[str, int]], steps: list[tuple[int, int, bool]]
) -> None:
    async def run() -> None:
        database = await Database.open(database_url, connections_max=3, keys=keys)
        try:
            world, oracle = World(database, f"T{next(_assets):05}"), Oracle()
            await world.begin()
            for name, amount in begins:
                await begin_life(world, oracle, name, amount)
            for number, choice, possible in steps if oracle.lives else []:
                number %= len(oracle.lives)
                name = chosen(oracle, number, choice, possible)
                await world.happen(name, oracle.lives[number])
                oracle.happen(name, oracle.lives[number])
            assert await world.stands() == (oracle.ann, oracle.bob, oracle.away, oracle.aside)
            assert oracle.ann + oracle.bob + oracle.away + oracle.aside == 2 * BEGINNING_MINOR
            async with database.reading() as tx:
                for life in oracle.lives:
                    found, asked = await payment(tx, life.id), await recall_of(tx, life.id)
                    assert found is not None
                    assert (found.status, asked and asked.status) == (life.status, life.asked_back)
                assert (await verify(tx)).proved
                items = [each for each in await suspense_page(tx, limit=1_000) if each.asset == world.asset]
                assert sum(each.amount_minor for each in items) == oracle.aside
        finally:
            await database.close()

    asyncio.run(run())


def test_the_oracle_is_reached() -> None:
    """A life that goes through most of what can happen, so that the oracle itself is seen to move."""
    oracle = Oracle()
    oracle.pay(uuid4(), 300, here=False)
    oracle.come_in(uuid4(), 50, known=True)
    for name in ("send", "settle", "recall", "come_back"):
        oracle.happen(name, oracle.lives[0])
    for name in ("ask_back", "give_back", "send_return"):
        oracle.happen(name, oracle.lives[1])
    assert (oracle.ann, oracle.bob, oracle.away, oracle.aside) == (1_000, 1_000, 0, 0)
    assert [life.status for life in oracle.lives] == [PaymentStatus.RECALLED, PaymentStatus.RETURNED]
