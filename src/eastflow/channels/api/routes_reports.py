"""`/v1/trial-balance`: the books as a whole."""

from __future__ import annotations

from msgspec import Struct

from eastflow import ledger
from eastflow.kernel import Refusal

from . import wire
from .keys import Scope
from .operation import Answer, Call, Operation


class TrialBalanceQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """As booked at a past moment, or now."""

    at: wire.Moment | None = None


async def read_trial_balance(call: Call) -> Answer | Refusal:
    asked: TrialBalanceQuery = call.parameters
    if refusal := wire.check_years(asked.at):
        return refusal
    async with call.database.reading() as tx:
        found = await ledger.trial_balance_at(tx, asked.at)
    positions = [wire.Position(each.chart, each.asset, each.signed_minor, each.accounts) for each in found.positions]
    return Answer(wire.TrialBalance(found.at, found.balanced, found.differences_minor, positions))


OPERATIONS = (
    Operation(
        "GET",
        "/v1/trial-balance",
        "read_trial_balance",
        "Reports",
        Scope.REPORTS_READ,
        "The trial balance, now or at a past moment",
        read_trial_balance,
        {200: wire.TrialBalance},
        parameters=TrialBalanceQuery,
        answer_example={
            "at": None,
            "balanced": True,
            "differences_minor": {"CZK": 0},
            "positions": [{"chart": "liabilities", "asset": "CZK", "signed_minor": 12500, "accounts": 2}],
        },
    ),
)
