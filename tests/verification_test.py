"""An account opened in the app, the bank and a simulated clearing, two processes on real sockets: no money leaves the
account before another bank has said by message that the account to be bound to it is the same person's, of class I."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID, uuid4

from lxml import etree

from eastflow import customers
from eastflow.channels.iso20022.conftest import Paid, pain001, texts
from eastflow.customers import (
    AccountClass,
    Channel,
    ClassedAccount,
    ContactKind,
    ContactPoint,
    Document,
    DocumentKind,
    Element,
    ElementResult,
    Party,
    PartyKind,
    Role,
    RoleKind,
    VerificationStatus,
)
from eastflow.customers.actions import add_record, ask_verification, assign_class, grant_roles, register_party
from eastflow.kernel import Asset, Refusal
from eastflow.ledger import Account, Entry, Posting, Side, balance
from eastflow.ledger.actions import define_asset, open_accounts, post
from eastflow.storage import Database, Transaction
from tests.clearing_test import PATIENCE_SECONDS, TODAY, World, world
from tests.clearing_test import data_dir as data_dir

BANK, GOOD, NOT_OF_CLASS_ONE, LATE = "OTHRBANK", "6222000000001", "6222000000406", "6222000000202"
SECOND, FIRST = 21, 22
NAME, CARD, PHONE = "Li Na", "110101199005011234", "+8613800138000"
START_MINOR = 10_000


async def open_accounts_of_li_na(database: Database) -> None:
    """One of class I, seen at the branch, and one of class II, opened in the app, with 100.00 on it."""
    person = Party(uuid4(), PartyKind.PERSON, NAME, TODAY)

    async def fill(tx: Transaction) -> None:
        await define_asset(tx, Asset("CNY", 2))
        numbers = [Account(number, "CNY", Side.CREDIT, "liabilities:deposits", TODAY) for number in (FIRST, SECOND)]
        await open_accounts(tx, [*numbers, Account(29, "CNY", Side.DEBIT, "assets:cash", TODAY, None)])
        legs = (Posting(29, "CNY", -START_MINOR), Posting(SECOND, "CNY", START_MINOR))
        await post(tx, [Entry(uuid4(), "cash_deposit", TODAY, legs)])
        await register_party(tx, person, today=lambda: TODAY)
        await grant_roles(tx, [Role(person.id, number, RoleKind.OWNER, TODAY) for number in (FIRST, SECOND)])
        for content in (Document(DocumentKind.IDENTITY_CARD, CARD, "CN"), ContactPoint(ContactKind.PHONE, PHONE)):
            await add_record(tx, person.id, content, by="app", today=TODAY)
        for classed in (
            ClassedAccount(FIRST, person.id, AccountClass.I, TODAY, Channel.BRANCH, face_to_face=True),
            ClassedAccount(SECOND, person.id, AccountClass.II, TODAY, Channel.APP),
        ):
            assert not isinstance(await assign_class(tx, classed, today=TODAY), Refusal)

    await database.run(fill)


async def verified(here: World, other_account: str) -> customers.Verification:
    """What another bank says of an account there."""
    id = uuid4()
    asked = await here.database.run(
        lambda tx: ask_verification(
            tx, id, SECOND, bank=BANK, other_account=other_account, phone=PHONE, by="app", today=TODAY
        )
    )
    assert isinstance(asked, customers.Verification)
    return await answered(here, id)


async def answered(here: World, id: UUID) -> customers.Verification:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            async with here.database.reading() as tx:
                found = await customers.verification(tx, id, today=TODAY)
            assert found is not None
            if found.status is not VerificationStatus.ASKED:
                return found
            await asyncio.sleep(0.05)


async def pay(here: World, to: str) -> tuple[list[str], list[str]]:
    """What becomes of 30.00 to an account there, and why."""
    paid = Paid("30.00", to, BANK, "CNY", end_to_end_id="E1")
    answer = await here.initiate(pain001([paid], id=uuid4().hex, debtor=str(SECOND), day=TODAY.isoformat()))
    return texts(answer, "TxSts"), texts(answer, "AddtlInf")


async def asked_by_another_bank(here: World, account: int, name: str) -> etree._Element:
    asked = {"account": str(account), "name": name, "document": CARD, "country": "CN", "phone": PHONE}
    id = (await here.clearing.post("/control/verify", json=asked)).json()["id"]
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = [each for each in (await here.state())["answers"] if id in each]
            if found:
                return etree.fromstring(found[0].encode())
            await asyncio.sleep(0.05)


async def nothing_moves_until_another_bank_has_verified(data_dir: Path) -> None:
    async with world(data_dir, EASTFLOW_CLEARING_HEADER="1") as here:
        await open_accounts_of_li_na(here.database)
        missing = (["RJCT"], ["customers.bound_account_missing"])
        assert await pay(here, GOOD) == missing
        denied = await verified(here, NOT_OF_CLASS_ONE)
        assert denied.status is VerificationStatus.DENIED
        assert denied.results is not None
        assert denied.results[Element.CLASS_ONE] is ElementResult.DIFFERS
        assert await pay(here, NOT_OF_CLASS_ONE) == missing
        for account in (GOOD, LATE):
            assert (await verified(here, account)).status is VerificationStatus.CONFIRMED
        assert await pay(here, GOOD) == (["ACSP"], [])
        await here.settle()
        async with here.database.reading() as tx:
            left = await balance(tx, SECOND)
        assert left is not None
        assert left.posted_minor == START_MINOR - 3_000
        for number, name, reason in ((FIRST, NAME, []), (FIRST, "Li Nan", ["PN01"]), (SECOND, NAME, ["CLASS_ONE"])):
            told = await asked_by_another_bank(here, number, name)
            assert texts(told, "Vrfctn") == ["false" if reason else "true"]
            assert [*texts(told, "Cd"), *texts(told, "Prtry")] == reason


def test_nothing_moves_until_another_bank_has_verified(data_dir: Path) -> None:
    asyncio.run(nothing_moves_until_another_bank_has_verified(data_dir))
