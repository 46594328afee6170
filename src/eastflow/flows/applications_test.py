"""An application goes from channel to channel and is completed once, whoever asks at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from eastflow.branch import BranchRefusal, Cash, Form, Pieces, VoucherStatus
from eastflow.branch.actions import set_limit, sign_on
from eastflow.customers import Channel
from eastflow.customers.actions import register_party
from eastflow.kernel import Refusal, has_check_digit
from eastflow.ledger import balance, verify
from eastflow.storage import Database, Transaction

from . import (
    Application,
    ApplicationStatus,
    FinishedAtCounter,
    FlowsRefusal,
    Parts,
    StepKind,
    actions,
    application,
    application_by_reference,
    applications_of_party,
    steps,
)
from .conftest import PRODUCT, TERM, TODAY, person

CASH = Cash("CNY", (Pieces(Form.NOTE, 10_000, 3),))


async def ran(bank: Database, verb: Callable[..., Awaitable[Any]], *arguments: Any, **named: Any) -> Any:
    told = {"channel": Channel.APP, "by": "the app", "today": TODAY} | named
    return await bank.run(lambda tx: verb(tx, *arguments, **told))


async def customer(bank: Database) -> UUID:
    new = person()
    await bank.run(lambda tx: register_party(tx, new, today=lambda: TODAY))
    return new.id


async def session(bank: Database) -> UUID:
    id = uuid4()

    async def begin(tx: Transaction) -> object:
        await set_limit(tx, "north", "CNY", 100_000, by="chief")
        return await sign_on(tx, id, "ann", today=TODAY, by="key ann")

    assert not isinstance(await bank.run(begin), Refusal)
    return id


def code(answer: object) -> object:
    return answer.code if isinstance(answer, Refusal) else None


async def test_it_is_begun_online_continued_at_the_branch_and_completed_in_the_app(bank: Database) -> None:
    li, id = await customer(bank), uuid4()
    begun = await ran(bank, actions.begin_application, id, Parts(product=PRODUCT))
    assert await ran(bank, actions.begin_application, id, Parts(product=PRODUCT)) == begun
    other = await ran(bank, actions.begin_application, id, Parts(product=TERM))
    assert code(other) is FlowsRefusal.APPLICATION_ID_REUSED
    assert has_check_digit(begun.reference)
    async with bank.reading() as tx:
        assert await application_by_reference(tx, begun.reference) == begun
        assert await application_by_reference(tx, 1 << 80) is None
    at_branch = {"channel": Channel.BRANCH, "by": "key ann"}
    early = await ran(bank, actions.complete_application, id)
    assert code(early) is FlowsRefusal.PARTS_MISSING
    for _ in range(2):
        more = await ran(bank, actions.supply_parts, id, Parts(party=li, branch="north"), **at_branch)
        assert more.parts == Parts(li, PRODUCT, "north")
    done = await ran(bank, actions.complete_application, id)
    assert await ran(bank, actions.complete_application, id, **at_branch) == done
    assert done.status is ApplicationStatus.COMPLETED
    async with bank.reading() as tx:
        assert await applications_of_party(tx, li, limit=9) == [done]
        taken = [(step.kind, step.channel, step.by, step.parts) for step in await steps(tx, id)]
    assert taken == [
        (StepKind.BEGUN, Channel.APP, "the app", ("product",)),
        (StepKind.SUPPLIED, Channel.BRANCH, "key ann", ("party", "branch")),
        (StepKind.COMPLETED, Channel.APP, "the app", ()),
    ]


async def test_it_is_refused_for_what_is_not_known(bank: Database) -> None:
    li, other, id = await customer(bank), await customer(bank), uuid4()
    unknown = {
        FlowsRefusal.TEXT_MALFORMED: Parts(product="\0"),
        FlowsRefusal.AMOUNT_MALFORMED: Parts(amount_minor=-1),
        FlowsRefusal.CUSTOMER_NOT_FOUND: Parts(party=uuid4()),
        FlowsRefusal.PRODUCT_NOT_FOUND: Parts(product="none"),
        FlowsRefusal.BRANCH_NOT_FOUND: Parts(branch="none"),
    }
    for expected, parts in unknown.items():
        assert code(await ran(bank, actions.begin_application, id, parts)) is expected
    await ran(bank, actions.begin_application, id, Parts(party=li))
    assert code(await ran(bank, actions.begin_application, id, Parts())) is FlowsRefusal.APPLICATION_ID_REUSED
    assert code(await ran(bank, actions.supply_parts, id, Parts(party=other))) is FlowsRefusal.CUSTOMER_DIFFERS
    assert code(await ran(bank, actions.supply_parts, uuid4(), Parts())) is FlowsRefusal.APPLICATION_NOT_FOUND
    late: date = TODAY + timedelta(days=30)
    expired = await ran(bank, actions.supply_parts, id, Parts(product=PRODUCT), today=late)
    assert code(expired) is FlowsRefusal.APPLICATION_EXPIRED
    for _ in range(2):
        withdrawn = await ran(bank, actions.withdraw_application, id)
        assert withdrawn.status is ApplicationStatus.WITHDRAWN
    assert code(await ran(bank, actions.complete_application, id)) is FlowsRefusal.APPLICATION_ENDED


async def test_rivals_complete_it_once(bank: Database) -> None:
    li, id = await customer(bank), uuid4()
    await ran(bank, actions.begin_application, id, Parts(li, PRODUCT))
    answers = await asyncio.gather(*(ran(bank, actions.complete_application, id) for _ in range(6)))
    assert len({answer.account for answer in answers}) == 1
    async with bank.reading() as tx:
        assert len(await steps(tx, id)) == 2


async def test_it_is_finished_at_the_counter_with_its_first_cash_or_not_at_all(bank: Database) -> None:
    li, id, voucher = await customer(bank), uuid4(), uuid4()
    await ran(bank, actions.begin_application, id, Parts(li, PRODUCT))
    at_work = await session(bank)

    async def finish(cash: Cash = CASH, seen: bool = True) -> Any:
        return await bank.run(
            lambda tx: actions.finish_at_counter(
                tx, id, voucher=voucher, session=at_work, cash=cash, identification_seen=seen, today=TODAY, by="key ann"
            )
        )

    hundred = Cash("CNY", (Pieces(Form.NOTE, 10_000, 100),))
    assert code(await finish(hundred, seen=False)) is BranchRefusal.IDENTIFICATION_NOT_SEEN
    async with bank.reading() as tx:
        found = await application(tx, id)
    assert isinstance(found, Application)
    assert (found.status, found.account) == (ApplicationStatus.OPEN, None)
    done = await finish()
    assert isinstance(done, FinishedAtCounter)
    assert await finish() == done
    assert done.voucher.status is VoucherStatus.BOOKED
    assert done.application.account is not None
    async with bank.reading() as tx:
        posted = await balance(tx, done.application.account)
        assert (await verify(tx)).findings == ()
    assert posted is not None
    assert posted.posted_minor == CASH.amount_minor
