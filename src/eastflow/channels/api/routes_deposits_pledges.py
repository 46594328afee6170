"""`/v1/deposits/{account}/pledges`: money on a deposit that its owner has pledged."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from msgspec import Struct, convert

from eastflow import deposits
from eastflow.deposits import DepositsRefusal, Ground, actions
from eastflow.kernel import Refusal

from . import wire
from .keys import Scope
from .operation import Answer, Call, Operation
from .routes_deposits import ASKED, ID, ONE_EXAMPLE, OneDeposit, missing

PLEDGE_EXAMPLE = {
    "id": ID, "account": 1001, "agreement": "P 2026/17", "amount_minor": 60_000, "placed_on": "2026-01-05",
    "placed_by": "key:1", "pledgee": "Pudong Leasing", "party": None, "expires_on": "2027-01-05", "rank": 1,
    "held_minor": 60_000, "ended_on": None, "ground": None, "reason": None, "released_by": None,
}  # fmt: skip


class NewPledge(Struct, frozen=True, forbid_unknown_fields=True):
    """For a `party` of the bank (a person always is one), or for the organisation that `pledgee` names. It no longer
    stands on the day `expires_on`; without one, until it is released."""

    id: UUID
    agreement: str
    amount_minor: wire.Minor
    pledgee: str | None = None
    party: UUID | None = None
    expires_on: date | None = None


class Releasing(Struct, frozen=True, forbid_unknown_fields=True):
    """`consent` of the pledgee, whose letter `reason` names, or by the bank's `staff`, and why."""

    ground: Literal["consent", "staff"]
    reason: str


class Pledge(Struct, frozen=True):
    id: UUID
    account: int
    agreement: str
    amount_minor: int
    placed_on: date
    placed_by: str
    pledgee: str | None
    party: UUID | None
    expires_on: date | None
    rank: int
    held_minor: int
    ended_on: date | None
    ground: Ground | None
    reason: str | None
    released_by: str | None


class PledgeList(Struct, frozen=True):
    pledges: list[Pledge]


class OnePledge(Struct, frozen=True, forbid_unknown_fields=True):
    account: wire.PathAccount
    pledge: UUID


async def place_pledge(call: Call) -> Answer | Refusal:
    told: NewPledge = call.body
    new = deposits.Pledge(
        told.id, call.parameters.account, told.agreement, told.amount_minor, call.today, call.actor, told.pledgee,
        told.party, told.expires_on,
    )  # fmt: skip
    answer = await call.database.run(lambda tx: actions.place_pledge(tx, new, today=call.today))
    return answer if isinstance(answer, Refusal) else Answer(_pledge(answer))


async def release_pledge(call: Call) -> Answer | Refusal:
    asked: OnePledge = call.parameters
    told: Releasing = call.body
    answer = await call.database.run(
        lambda tx: actions.release_pledge(
            tx, asked.account, asked.pledge, Ground(told.ground), told.reason, today=call.today, by=call.actor
        )
    )
    return answer if isinstance(answer, Refusal) else Answer(_pledge(answer))


async def list_pledges(call: Call) -> Answer | Refusal:
    account: int = call.parameters.account
    async with call.database.reading() as tx:
        if await deposits.deposit(tx, account) is None:
            return missing(account)
        found = await deposits.pledges_of(tx, account)
    return Answer(PledgeList([_pledge(each) for each in found]))


def _pledge(found: deposits.Pledge) -> Pledge:
    return convert(found, Pledge, from_attributes=True)


OPERATIONS = (
    Operation(
        "POST",
        "/v1/deposits/{account}/pledges",
        "place_pledge",
        "Deposits",
        Scope.DEPOSITS_PLEDGE,
        "Pledge money on a deposit",
        place_pledge,
        {200: Pledge},
        parameters=OneDeposit,
        body=NewPledge,
        refusals=(
            DepositsRefusal.TEXT_MALFORMED, DepositsRefusal.EXPIRY_IN_PAST, *ASKED, DepositsRefusal.PARTY_NOT_FOUND,
            DepositsRefusal.CONTRACT_FROZEN, DepositsRefusal.CONTRACT_DORMANT, DepositsRefusal.PLEDGE_UNCOVERED,
        ),
        description="By agreement of its owner. All of it must be there, and stays there: only an order of a court "
        "goes before it.",
        body_example={"id": ID, "agreement": "P 2026/17", "amount_minor": 60_000, "pledgee": "Pudong Leasing"},
        answer_example=PLEDGE_EXAMPLE,
        path_example=ONE_EXAMPLE,
    ),
    Operation(
        "GET",
        "/v1/deposits/{account}/pledges",
        "list_pledges",
        "Deposits",
        Scope.DEPOSITS_READ,
        "List a deposit's pledges",
        list_pledges,
        {200: PledgeList},
        parameters=OneDeposit,
        refusals=(DepositsRefusal.CONTRACT_NOT_FOUND,),
        answer_example={"pledges": [PLEDGE_EXAMPLE]},
        path_example=ONE_EXAMPLE,
    ),
    Operation(
        "POST",
        "/v1/deposits/{account}/pledges/{pledge}/release",
        "release_pledge",
        "Deposits",
        Scope.DEPOSITS_PLEDGE,
        "Release a pledge",
        release_pledge,
        {200: Pledge},
        parameters=OnePledge,
        body=Releasing,
        refusals=(DepositsRefusal.TEXT_MALFORMED, DepositsRefusal.PLEDGE_NOT_FOUND),
        description="By consent of the pledgee, or by the bank's staff with a reason.",
        body_example={"ground": "consent", "reason": "Letter of 3 March 2026"},
        answer_example=PLEDGE_EXAMPLE,
        path_example={**ONE_EXAMPLE, "pledge": ID},
    ),
)  # fmt: skip
