"""An application: begun in one channel, continued in another by its reference or the customer's document, completed
once."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from eastflow import branch, customers, products
from eastflow.customers import Channel
from eastflow.deposits import Opening
from eastflow.deposits.actions import open_deposit
from eastflow.kernel import Refusal, with_check_digit
from eastflow.storage import Clock, Retry, Transaction, UniqueViolation, now

from . import store
from .decide import check_known, check_parts, content_hash, decide_completion, decide_step, expiry, named, supplied
from .model import Application, ApplicationStatus, Parts, Step, StepKind
from .refusals import FlowsRefusal


async def begin_application(
    tx: Transaction, id: UUID, parts: Parts, *, channel: Channel, by: str, today: date, clock: Clock = now
) -> Application | Refusal:
    """With whatever the customer gives by now. Beginning the same again answers with the application as it is now."""
    if refusal := check_parts(parts):
        return refusal
    if existing := await store.application(tx, id):
        begun = (await store.steps(tx, id))[0]
        same = (begun.channel, begun.by, begun.parts) == (channel, by, named(parts))
        same = same and await store.begun_hash(tx, id) in (None, content_hash(parts))
        return existing if same else Refusal(FlowsRefusal.APPLICATION_ID_REUSED, {"application": id})
    if refusal := await _unknown(tx, parts, today):
        return refusal
    at = clock()
    new = Application(id, _new_reference(), parts, at, expiry(today))
    try:
        await store.insert_application(tx, new, content_hash(parts))
    except UniqueViolation as rival:
        raise Retry("an application was begun in the same moment") from rival
    await store.insert_step(tx, id, Step(1, StepKind.BEGUN, channel, by, at, named(parts)))
    return new


async def supply_parts(
    tx: Transaction, id: UUID, parts: Parts, *, channel: Channel, by: str, today: date, clock: Clock = now
) -> Application | Refusal:
    """Further parts, or others in their place, given in any channel. Giving the same again changes nothing."""
    if refusal := check_parts(parts):
        return refusal
    found = decide_step(await store.application(tx, id, lock=True), id, today)
    if isinstance(found, Refusal):
        return found
    if refusal := await _unknown(tx, parts, today):
        return refusal
    changed = supplied(found, parts, today)
    if isinstance(changed, Application) and changed != found:
        await _write(tx, changed, StepKind.SUPPLIED, channel, by, clock(), named(parts))
    return changed


async def complete_application(
    tx: Transaction, id: UUID, *, channel: Channel, by: str, today: date, clock: Clock = now
) -> Application | Refusal:
    """Open the account that was applied for. Completing again answers with the same account."""
    found = decide_completion(await store.application(tx, id, lock=True), id, today)
    if isinstance(found, Refusal) or found.status is ApplicationStatus.COMPLETED:
        return found
    assert found.parts.product is not None, "nothing is missing"
    assert found.parts.party is not None, "nothing is missing"
    opening = Opening(id, found.parts.product, found.parts.party)
    done = await open_deposit(tx, opening, today=today, channel=channel, by=by, clock=clock)
    if isinstance(done, Refusal):
        return done
    completed = replace(found, status=ApplicationStatus.COMPLETED, account=done.deposit.account)
    await _write(tx, completed, StepKind.COMPLETED, channel, by, clock())
    return completed


async def withdraw_application(
    tx: Transaction, id: UUID, *, channel: Channel, by: str, today: date, clock: Clock = now
) -> Application | Refusal:
    """The customer does not want it any more. Withdrawing again changes nothing."""
    found = await store.application(tx, id, lock=True)
    if found is not None and found.status is ApplicationStatus.WITHDRAWN:
        return found
    decided = decide_step(found, id, today)
    if isinstance(decided, Refusal):
        return decided
    withdrawn = replace(decided, status=ApplicationStatus.WITHDRAWN)
    await _write(tx, withdrawn, StepKind.WITHDRAWN, channel, by, clock())
    return withdrawn


async def _write(
    tx: Transaction,
    changed: Application,
    kind: StepKind,
    channel: Channel,
    by: str,
    at: datetime,
    parts: tuple[str, ...] = (),
) -> None:
    await store.update_application(tx, changed)
    number = await store.step_count(tx, changed.id) + 1
    await store.insert_step(tx, changed.id, Step(number, kind, channel, by, at, parts))


async def _unknown(tx: Transaction, parts: Parts, today: date) -> Refusal | None:
    return check_known(
        parts,
        party_known=parts.party is None or await customers.party(tx, parts.party) is not None,
        product_known=parts.product is None or await products.version_live_on(tx, parts.product, today) is not None,
        branch_known=parts.branch is None or await branch.branch(tx, parts.branch) is not None,
    )


def _new_reference() -> int:
    """Ten digits that a customer can read out, the last one a check digit; that one is taken is found on writing."""
    return with_check_digit(100_000_000 + secrets.randbelow(900_000_000))
