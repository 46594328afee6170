"""Maker and checker: who may decide on what, and that what is approved is done once, whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from eastflow.kernel import Asset, Refusal, RefusalCode
from eastflow.ledger import Account, Entry, LedgerRefusal, Posting, Side, Status, accounts, balances
from eastflow.ledger.actions import Engine, define_asset, open_accounts
from eastflow.payments import Endpoint, Incoming, Limit, Payment, PaymentsRefusal, limits
from eastflow.payments.actions import receive_incoming
from eastflow.products import ProductsRefusal
from eastflow.storage import Database, Transaction

from ..refusals import OperationsRefusal
from .actions import approve_proposal, make_proposal, refuse_proposal, withdraw_proposal
from .kinds import KINDS
from .model import LIFETIME_MAX, LIFETIME_USUAL, NewProposal, Proposal, ProposalStatus, Role
from .store import proposal, proposals_page

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
DAY = date(2026, 3, 2)
MAKER, CHECKER = "ana", "bo"
FLOOR: dict[str, Any] = {"account": 1, "floor_minor": -500}
FLOORS = ((1, 0), (2, None))
R = OperationsRefusal


class Clock:
    def __init__(self) -> None:
        self.at = AT

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def bank(database: Database) -> Database:
    async def work(tx: Transaction) -> None:
        await define_asset(tx, Asset("CZK", 2))
        await open_accounts(
            tx, [Account(1, "CZK", Side.CREDIT, "x", DAY), Account(2, "CZK", Side.CREDIT, "x", DAY, None)]
        )

    await database.run(work)
    return database


def new(**changes: Any) -> NewProposal:
    told: dict[str, Any] = {
        "id": uuid4(),
        "kind": "account_floor",
        "payload": FLOOR,
        "maker": MAKER,
        "reason": "a good customer",
    }
    return NewProposal(**(told | changes))


async def make(bank: Database, asked: NewProposal, clock: Clock) -> Proposal | Refusal:
    return await bank.run(lambda tx: make_proposal(tx, asked, clock=clock))


async def approve(
    bank: Database, id: UUID, clock: Clock, *, by: str = CHECKER, roles: set[Role] | None = None, reason: str = "seen"
) -> Proposal | Refusal:
    held = {Role.SUPERVISOR} if roles is None else roles
    return await bank.run(
        lambda tx: approve_proposal(tx, id, checker=by, roles=held, reason=reason, today=DAY, clock=clock)
    )


async def refuse(bank: Database, id: UUID, clock: Clock, *, by: str = CHECKER) -> Proposal | Refusal:
    return await bank.run(
        lambda tx: refuse_proposal(tx, id, checker=by, roles={Role.SUPERVISOR}, reason="no", clock=clock)
    )


async def withdraw(bank: Database, id: UUID, clock: Clock, *, by: str = MAKER) -> Proposal | Refusal:
    return await bank.run(lambda tx: withdraw_proposal(tx, id, maker=by, reason="not needed", clock=clock))


def code(answer: Proposal | Refusal) -> RefusalCode:
    assert isinstance(answer, Refusal), answer
    return answer.code


async def floor(bank: Database) -> int | None:
    async with bank.reading() as tx:
        return (await accounts(tx, [1]))[1].floor_minor


async def test_what_one_proposes_another_approves_and_it_is_done_once(bank: Database, clock: Clock) -> None:
    asked = new()
    made = await make(bank, asked, clock)
    assert made == await make(bank, asked, clock)
    assert made == Proposal(asked.id, "account_floor", FLOOR, MAKER, asked.reason, AT, AT + LIFETIME_USUAL)
    assert await floor(bank) == 0
    answers = await asyncio.gather(*(approve(bank, asked.id, clock) for _ in range(4)))
    assert answers == [answers[0]] * 4
    executed = answers[0]
    assert isinstance(executed, Proposal)
    assert (executed.status, executed.decided_by, executed.result) == (
        ProposalStatus.EXECUTED, CHECKER, {"floor_minor": -500},
    )  # fmt: skip
    assert await floor(bank) == -500
    assert await make(bank, asked, clock) == executed, "proposing again answers as it is now"
    async with bank.reading() as tx:
        assert await proposal(tx, asked.id, at=AT) == executed
        assert await tx.value("SELECT count(*) FROM ledger_account_change WHERE account_id = 1") == 2


MALFORMED: list[Mapping[str, Any]] = [
    {}, FLOOR | {"more": 1}, FLOOR | {"account": "1"}, FLOOR | {"account": 1.5}, FLOOR | {"floor_minor": 1 << 70},
]  # fmt: skip


async def test_what_may_not_be_proposed_in_order(bank: Database, clock: Clock) -> None:
    for text in ("", "a\0b", "\ud800", "x" * 501):
        assert code(await make(bank, new(reason=text), clock)) is R.TEXT_MALFORMED
        assert code(await make(bank, new(maker=text), clock)) is R.TEXT_MALFORMED
    assert code(await make(bank, new(kind="a\0b", payload={}), clock)) is R.KIND_UNKNOWN
    for payload in MALFORMED:
        assert code(await make(bank, new(payload=payload), clock)) is R.PAYLOAD_MALFORMED, payload
    for memo in ("\0", "\ud800", "x" * 70_000):
        large = {"kind": "transfer", "value_date": "2026-03-02", "postings": [], "memo": memo}
        assert code(await make(bank, new(kind="large_entry", payload=large), clock)) is R.PAYLOAD_MALFORMED
    asked = new()
    await make(bank, asked, clock)
    for change in ({"maker": "cy"}, {"reason": "other"}, {"payload": FLOOR | {"account": 2}}, {"expires_at": AT}):
        assert code(await make(bank, new(id=asked.id, **change), clock)) is R.PROPOSAL_ID_REUSED
    for moment in (AT, AT + LIFETIME_MAX + timedelta(seconds=1), datetime.max.replace(tzinfo=UTC)):
        assert code(await make(bank, new(expires_at=moment), clock)) is R.EXPIRY_OUT_OF_RANGE


async def test_who_may_decide_in_order(bank: Database, clock: Clock) -> None:
    assert code(await approve(bank, uuid4(), clock, reason="")) is R.TEXT_MALFORMED
    assert code(await approve(bank, uuid4(), clock)) is R.PROPOSAL_NOT_FOUND
    assert code(await withdraw(bank, uuid4(), clock)) is R.PROPOSAL_NOT_FOUND
    asked = new()
    await make(bank, asked, clock)
    assert code(await withdraw(bank, asked.id, clock, by=CHECKER)) is R.NOT_THE_MAKER
    assert code(await approve(bank, asked.id, clock, by=MAKER, roles=set())) is R.CHECKER_IS_MAKER
    assert code(await refuse(bank, asked.id, clock, by=MAKER)) is R.CHECKER_IS_MAKER
    for role in set(Role) - {Role.SUPERVISOR}:
        assert code(await approve(bank, asked.id, clock, roles={role})) is R.ROLE_MISSING
    refused = await refuse(bank, asked.id, clock)
    assert isinstance(refused, Proposal)
    assert refused.status is ProposalStatus.REFUSED
    assert await refuse(bank, asked.id, clock) == refused
    for answer in (
        await approve(bank, asked.id, clock), await refuse(bank, asked.id, clock, by="cy"),
        await withdraw(bank, asked.id, clock),
    ):  # fmt: skip
        assert code(answer) is R.PROPOSAL_DECIDED
    assert await floor(bank) == 0


async def test_what_is_withdrawn_or_too_old_is_not_done(bank: Database, clock: Clock) -> None:
    withdrawn, late, waiting = new(), new(expires_at=AT + timedelta(hours=1)), new()
    for asked in (withdrawn, late, waiting):
        await make(bank, asked, clock)
    answer = await withdraw(bank, withdrawn.id, clock)
    assert isinstance(answer, Proposal)
    assert answer.status is ProposalStatus.WITHDRAWN
    assert await withdraw(bank, withdrawn.id, clock) == answer
    clock.at += timedelta(hours=1)
    for answer in (
        await approve(bank, late.id, clock), await refuse(bank, late.id, clock), await withdraw(bank, late.id, clock),
    ):  # fmt: skip
        assert code(answer) is R.PROPOSAL_EXPIRED
    async with bank.reading() as tx:
        every = await proposals_page(tx, at=clock.at, after=None, limit=10)
        assert {each.id: each.status for each in every} == {
            withdrawn.id: ProposalStatus.WITHDRAWN, late.id: ProposalStatus.EXPIRED, waiting.id: ProposalStatus.PENDING,
        }  # fmt: skip
        pending = await proposals_page(tx, at=clock.at, after=None, limit=10, pending=True)
        assert [each.id for each in pending] == [waiting.id]
        assert await proposals_page(tx, at=clock.at, after=waiting.id, limit=10, pending=True) == []


async def test_a_kind_that_this_program_no_longer_knows_is_not_done(bank: Database, clock: Clock) -> None:
    asked = new()
    await make(bank, asked, clock)
    answer = await bank.run(
        lambda tx: approve_proposal(
            tx, asked.id, checker=CHECKER, roles=set(Role), reason="seen", today=DAY, clock=clock, kinds={}
        )
    )
    assert code(answer) is R.KIND_UNKNOWN


async def test_approving_rivals_refusing_one_of_them_wins(bank: Database, clock: Clock) -> None:
    asked = new()
    await make(bank, asked, clock)
    answers = await asyncio.gather(
        approve(bank, asked.id, clock), refuse(bank, asked.id, clock, by="cy"), withdraw(bank, asked.id, clock)
    )
    assert sorted(isinstance(answer, Refusal) for answer in answers) == [False, True, True]
    assert {code(answer) for answer in answers if isinstance(answer, Refusal)} == {R.PROPOSAL_DECIDED}


async def test_every_kind_does_what_it_says(bank: Database, clock: Clock) -> None:
    async def do(kind: str, payload: Mapping[str, Any]) -> Proposal | Refusal:
        asked = new(kind=kind, payload=payload)
        await make(bank, asked, clock)
        return await approve(bank, asked.id, clock, roles={*KINDS[kind].checkers})

    legs = [{"account": 2, "asset": "CZK", "amount_minor": -9}, {"account": 1, "asset": "CZK", "amount_minor": 9}]
    large = {"kind": "transfer", "value_date": "2026-03-02", "postings": legs}
    late = await do("large_entry", large | {"value_date": "2026-03-03"})
    assert code(late) is LedgerRefusal.VALUE_DATE_IN_FUTURE
    posted = await do("large_entry", large)
    assert isinstance(posted, Proposal)
    assert await balance_of_first(bank) == 9
    assert posted.result == {"entry": str(posted.id)}
    assert isinstance(await do("entry_reversal", {"entry": str(posted.id)}), Proposal)
    assert await balance_of_first(bank) == 0
    assert code(await do("entry_reversal", {"entry": str(posted.id)})) is LedgerRefusal.ENTRY_ALREADY_REVERSED
    assert code(await do("entry_reversal", {"entry": str(uuid4())})) is LedgerRefusal.ENTRY_NOT_FOUND
    assert isinstance(await do("account_status", {"account": 1, "status": "closed"}), Proposal)
    async with bank.reading() as tx:
        assert (await accounts(tx, [1]))[1].status is Status.CLOSED
    assert code(await do("account_floor", FLOOR)) is LedgerRefusal.ACCOUNT_CLOSED
    assert isinstance(await do("payment_limit", {"asset": "CZK", "per_payment_minor": 100}), Proposal)
    async with bank.reading() as tx:
        assert await limits(tx) == [Limit(None, None, "CZK", 100)]
    assert code(await do("payment_limit", {"asset": "XXX"})) is LedgerRefusal.ASSET_NOT_FOUND
    sent = Incoming(uuid4(), Endpoint("Jan", "87144583", "YZ"), Endpoint("", "4711"), 70, "CZK")
    came_in = await bank.run(lambda tx: receive_incoming(tx, sent, today=DAY, clock=clock))
    assert isinstance(came_in, Payment)
    cleared = await do("suspense_clearing", {"item": str(came_in.id), "account": 2})
    assert isinstance(cleared, Proposal)
    assert cleared.result == {"amount_minor": 70, "asset": "CZK"}
    assert code(await do("suspense_clearing", {"item": str(came_in.id)})) is PaymentsRefusal.SUSPENSE_NOT_FOUND
    unknown = {"code": "none", "number": 1, "live_from": "2026-03-03"}
    assert code(await do("product_launch", unknown)) is ProductsRefusal.VERSION_NOT_FOUND


async def balance_of_first(bank: Database) -> int:
    async with bank.reading() as tx:
        return (await balances(tx, [1]))[1].posted_minor


async def test_a_deed_that_is_refused_goes_on_waiting(bank: Database, clock: Clock) -> None:
    async with Engine(bank, today=lambda: DAY) as engine:
        await engine.post(Entry(uuid4(), "transfer", DAY, (Posting(2, "CZK", -9), Posting(1, "CZK", 9))))
        asked = new(kind="account_status", payload={"account": 1, "status": "closed"})
        await make(bank, asked, clock)
        assert code(await approve(bank, asked.id, clock)) is LedgerRefusal.ACCOUNT_NOT_EMPTY
        await engine.post(Entry(uuid4(), "transfer", DAY, (Posting(2, "CZK", 9), Posting(1, "CZK", -9))))
    assert isinstance(await approve(bank, asked.id, clock), Proposal)


def test_every_kind_names_its_checkers() -> None:
    assert all(kind.checkers and kind.name == name for name, kind in KINDS.items())
