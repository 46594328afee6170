"""A bank whose date and clock go as a test says, with products that are live and accounts to pay from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from eastflow.customers import Channel, Party, PartyKind
from eastflow.customers.actions import register_party
from eastflow.kernel import Refusal
from eastflow.ledger import Entry, Outcome, Posting, Side, balance
from eastflow.ledger.actions import Engine, define_asset, internal_account, post
from eastflow.products import Migration, Plan, Terms, terms_from
from eastflow.products.actions import (
    approve_version,
    draft_version,
    launch_version,
    plan_migration,
    simulate_version,
)
from eastflow.storage import Database

from . import Executed, Opening, actions

START = date(2026, 1, 5)
DEMAND: Mapping[str, Any] = {
    "code": "demand", "name": "Demand", "kind": "demand", "currency": "CNY", "day_count": "ACT/360",
    "settlement": {"months": list(range(1, 13)), "day": 21},
    "rates": {"changes": [
        {"since": "2020-01-01", "tiers": [{"percent": "1.50"}]},
        {"since": "2026-02-10", "tiers": [{"percent": "2.25"}]},
    ]},
}  # fmt: skip
TERM: Mapping[str, Any] = {
    "code": "term", "name": "Term", "kind": "term", "currency": "CNY", "day_count": "ACT/360",
    "counting": "months_and_days", "term_months": 3, "at_maturity": ["renew_all", "renew_principal", "pay_out", "hold"],
    "rates": {"changes": [{"since": "2020-01-01", "tiers": [{"percent": "1.20"}]}]},
    "demand_rates": {"changes": [{"since": "2020-01-01", "tiers": [{"percent": "0.36"}]}]},
    "limits": {"opening_min_minor": 5_000},
}  # fmt: skip
CALL: Mapping[str, Any] = {
    "code": "call", "name": "Call", "kind": "call", "currency": "CNY", "day_count": "ACT/360", "notice_days": 7,
    "rates": {"changes": [{"since": "2020-01-01", "tiers": [{"percent": "0.72"}]}]},
    "demand_rates": {"changes": [{"since": "2020-01-01", "tiers": [{"percent": "0.36"}]}]},
    "limits": {"opening_min_minor": 5_000},
}  # fmt: skip


@dataclass
class World:
    """`day` is the bank's date; its clock goes on by a millisecond each time it is read."""

    database: Database
    day: date = START
    ticks: int = 0
    cash: int = 0
    party: UUID = field(default_factory=uuid4)

    def clock(self) -> datetime:
        self.ticks += 1
        return datetime.combine(self.day, time(9), UTC) + timedelta(milliseconds=self.ticks)

    async def start(self, *products: Mapping[str, Any]) -> None:
        for told in products:
            await self.launch(terms(told))
        person = Party(self.party, PartyKind.PERSON, "Li Na", START, date(1990, 5, 1))
        await self.database.run(lambda tx: register_party(tx, person, clock=self.clock))
        cash = await self.database.run(
            lambda tx: internal_account(tx, "assets:cash", "CNY", Side.DEBIT, today=lambda: self.day)
        )
        assert isinstance(cash, int)
        self.cash = cash

    async def launch(self, made: Terms) -> int:
        """Returns the number of the version."""
        run = self.database.run
        await run(lambda tx: define_asset(tx, made.asset))
        drafted = await run(lambda tx: draft_version(tx, uuid4(), made, by="maker", clock=self.clock))
        assert not isinstance(drafted, Refusal), drafted
        number = drafted.number
        plan = Plan(self.day, 1, 1_000_000)
        simulated = await run(lambda tx: simulate_version(tx, made.code, number, plan, clock=self.clock))
        assert not isinstance(simulated, Refusal), simulated
        await run(lambda tx: approve_version(tx, made.code, number, by="checker", clock=self.clock))
        live = await run(
            lambda tx: launch_version(tx, made.code, number, live_from=self.day, by="checker", today=self.day)
        )
        assert not isinstance(live, Refusal), live
        return number

    async def open(self, product: str = "demand", amount_minor: int = 0, **more: Any) -> Executed:
        source = self.cash if amount_minor else None
        told = Opening(uuid4(), product, self.party, amount_minor=amount_minor, source=source, **more)
        done = await self.database.run(
            lambda tx: actions.open_deposit(
                tx, told, today=self.day, channel=Channel.BRANCH, by="teller", clock=self.clock
            )
        )
        assert isinstance(done, Executed), done
        return done

    async def move(self, account: int, amount_minor: int, valued: date | None = None) -> Outcome:
        """By the ledger alone, as a transfer does: in, or out where it is negative."""
        legs = (Posting(self.cash, "CNY", -amount_minor), Posting(account, "CNY", amount_minor))
        entry = Entry(uuid4(), "transfer", valued or self.day, legs)
        [outcome] = await self.database.run(lambda tx: post(tx, [entry], clock=self.clock, today=lambda: self.day))
        return outcome

    async def plan(self, on: date, told: Mapping[str, Any], source: int = 1) -> int:
        """On the next day, that the contracts of version `source` go on under `told` from `on`; returns its number."""
        self.day += timedelta(days=1)
        target = await self.launch(terms(told))
        plan = Migration(uuid4(), told["code"], source, target, on, "planner")
        planned = await self.database.run(lambda tx: plan_migration(tx, plan, today=self.day, clock=self.clock))
        assert not isinstance(planned, Refusal), planned
        return target

    async def end_day(self, day: date) -> list[Refusal]:
        """The steps of deposits in their order, once the bank's date has gone on; what was refused in them."""
        self.day = max(self.day, day + timedelta(days=1))
        async with Engine(self.database, clock=self.clock, today=lambda: self.day) as engine:
            done = [
                await actions.run_maturities(self.database, day, clock=self.clock),
                await actions.accrue_moved(self.database, day, clock=self.clock),
                await actions.charge_fees(engine, day),
                await actions.settle_interest(engine, day),
                await actions.migrate_contracts(engine, day),
            ]
        return [refusal for step in done for _, refusal in step.refused]

    async def posted(self, account: int) -> int:
        async with self.database.reading() as tx:
            found = await balance(tx, account)
        assert found is not None
        return found.posted_minor


def credited(*spans: tuple[int, int, int]) -> int:
    """The interest of a settlement: of days on a balance at a rate in basis points, of 360 days a year."""
    return (sum(days * minor * points for days, minor, points in spans) + 1_800_000) // 3_600_000


def terms(told: Mapping[str, Any]) -> Terms:
    made = terms_from(told)
    assert not isinstance(made, Refusal), made
    return made


@pytest.fixture
def world(database: Database) -> World:
    return World(database)
