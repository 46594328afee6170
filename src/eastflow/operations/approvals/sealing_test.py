"""What proposals say of persons: none of it is plain in the table, all is as told, old ones are sealed at the start."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest
from msgspec import Struct

from eastflow.kernel import Refusal
from eastflow.storage import Database, KeyFault, Transaction, shred_months

from ..refusals import OperationsRefusal
from .actions import approve_proposal, make_proposal, refuse_proposal, seal_plain_proposals
from .kind import Approved, Kind, Result
from .model import NewProposal, Proposal, ProposalStatus, Role
from .store import PURPOSE_OF_PROPOSALS, proposals_page

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
NEXT_MONTH = datetime(2026, 4, 1, 9, 30, tzinfo=UTC)


class Visit(Struct, frozen=True):
    name: str
    document: str


async def _visit(_: Transaction, asked: Visit, approved: Approved) -> Result:
    return {"greeted": asked.name, "on": approved.today.isoformat()}


KINDS = {"visit": Kind("visit", Visit, frozenset({Role.SUPERVISOR}), _visit)}
PAYLOAD = {"name": "Jan Secretný", "document": "secret-4711"}
WAITING, DONE, REFUSED = (
    NewProposal(uuid4(), "visit", PAYLOAD, "ana", f"a secret wish {number}", AT.replace(day=20)) for number in range(3)
)
CHECKER: dict[str, Any] = {"checker": "bo", "roles": {Role.SUPERVISOR}, "clock": lambda: AT.replace(day=3)}


async def make(database: Database, new: NewProposal) -> Proposal | Refusal:
    return await database.run(lambda tx: make_proposal(tx, new, clock=lambda: AT, kinds=KINDS))


async def decide_two(database: Database) -> list[Proposal]:
    """One waits, one is done and one is refused: as they were answered, by id."""
    answers = [await make(database, new) for new in (WAITING, DONE, REFUSED)]
    told: dict[str, Any] = CHECKER | {"reason": "the secret is safe", "kinds": KINDS}
    answers[1] = await database.run(lambda tx: approve_proposal(tx, DONE.id, today=date(2026, 3, 3), **told))
    answers[2] = await database.run(lambda tx: refuse_proposal(tx, REFUSED.id, **told))
    proposals = [answer for answer in answers if isinstance(answer, Proposal)]
    assert [each.status.value for each in proposals] == ["pending", "executed", "refused"]
    return sorted(proposals, key=lambda each: each.id)


async def kept(database: Database) -> list[Proposal]:
    async with database.reading() as tx:
        tx.data_keys = None
        return await proposals_page(tx, at=AT, after=None, limit=9)


async def rows(database: Database) -> str:
    async with database.reading() as tx:
        return str([dict(row) for row in await tx.rows("SELECT * FROM operations_proposal")])


async def test_nothing_of_it_is_plain_and_all_is_found_again(database: Database) -> None:
    told = await decide_two(database)
    assert "ecret" not in await rows(database)
    assert await kept(database) == told
    assert {each.result and each.result["greeted"] for each in told} == {None, PAYLOAD["name"]}
    assert await make(database, WAITING) in told
    other = await make(database, replace(WAITING, payload=PAYLOAD | {"name": "Ann"}))
    assert isinstance(other, Refusal)
    assert other.code is OperationsRefusal.PROPOSAL_ID_REUSED


async def test_what_is_sealed_cannot_be_put_under_another_proposal(database: Database) -> None:
    """Else whoever writes in the table could have one deed approved and another done."""
    await decide_two(database)
    other = "(SELECT sealed FROM operations_proposal WHERE id = $2)"
    query = f"UPDATE operations_proposal SET sealed = {other} WHERE id = $1"
    await database.run(lambda tx: tx.execute(query, WAITING.id, DONE.id))
    with pytest.raises(KeyFault):
        await kept(database)


async def test_what_was_kept_plain_is_sealed_in_steps_and_stays_known(database: Database) -> None:
    told = await decide_two(database)

    async def as_before(tx: Transaction) -> None:
        for each in told:
            await tx.execute(
                "UPDATE operations_proposal SET sealed = NULL, sealed_decision = NULL, payload = $2, reason = $3, "
                "decision_reason = $4, result = $5 WHERE id = $1",
                each.id,
                json.dumps(each.payload),
                each.reason,
                each.decision_reason,
                each.result and json.dumps(each.result),
            )

    async def step() -> int:
        return await database.run(lambda tx: seal_plain_proposals(tx, limit=2))

    await database.run(as_before)
    assert "ecret" in await rows(database)
    assert max(await asyncio.gather(step(), step())) == 2
    while await step():
        pass
    assert "ecret" not in await rows(database)
    assert await kept(database) == told
    assert await make(database, WAITING) in told


async def test_of_a_month_that_is_shredded_who_decided_and_when_is_left(database: Database) -> None:
    told = await decide_two(database)
    await database.run(lambda tx: shred_months(tx, PURPOSE_OF_PROPOSALS, NEXT_MONTH.date()))
    left = await kept(database)
    empty: dict[str, Any] = {"payload": {}, "reason": "", "decision_reason": None, "result": None}
    assert left == [replace(each, **empty) for each in told]
    assert {each.status for each in left} == set(ProposalStatus) - {ProposalStatus.WITHDRAWN, ProposalStatus.EXPIRED}
