"""A bank with a live product and a branch, for the tests of this room."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest

from eastflow.branch import Branch, Teller, TellerRole
from eastflow.branch.actions import register_branch, register_teller
from eastflow.customers import Party, PartyKind
from eastflow.kernel import Asset, Refusal
from eastflow.ledger.actions import define_asset
from eastflow.products import Plan, shipped
from eastflow.products.actions import approve_version, draft_version, launch_version, simulate_version
from eastflow.storage import Database, Transaction

TODAY = date(2026, 3, 2)
PRODUCT, TERM = "cny-demand", "cny-term-1y"


def person(name: str = "Li Na") -> Party:
    return Party(uuid4(), PartyKind.PERSON, name, TODAY, date(1990, 5, 17))


async def launch(tx: Transaction, product: str) -> object:
    await draft_version(tx, uuid4(), shipped()[product], by="author")
    await simulate_version(tx, product, 1, Plan(TODAY, 1, 100_000))
    await approve_version(tx, product, 1, by="checker")
    return await launch_version(tx, product, 1, live_from=TODAY, by="author", today=TODAY)


@pytest.fixture
async def bank(database: Database) -> Database:
    async def found(tx: Transaction) -> None:
        await define_asset(tx, Asset("CNY", 2))
        done: list[object] = [
            *[await launch(tx, product) for product in (PRODUCT, TERM)],
            await register_branch(tx, Branch("north", "North street")),
            await register_teller(tx, Teller("ann", "north", "Ann", TellerRole.TELLER, "key ann")),
        ]
        assert not [each for each in done if isinstance(each, Refusal)]

    await database.run(found)
    return database
