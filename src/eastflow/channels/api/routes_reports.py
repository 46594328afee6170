"""`/v1/trial-balance`: the books as a whole."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from eastflow import ledger
from eastflow.kernel import Refusal
from eastflow.ledger import LedgerRefusal

from . import wire
from .keys import Scope
from .operation import Answer, Call, Operation
from .refusals import ApiRefusal


class TrialBalanceQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """As booked at a past moment, as kept at the end of a business date, or now."""

    at: wire.Moment | None = None
    business_date: date | None = None


async def read_trial_balance(call: Call) -> Answer | Refusal:
    asked: TrialBalanceQuery = call.parameters
    if asked.at is not None and asked.business_date is not None:
        return Refusal(ApiRefusal.PARAMETER_MALFORMED, {"reason": "at and business_date exclude one another"})
    if refusal := wire.check_years(asked.at, asked.business_date):
        return refusal
    async with call.database.reading() as tx:
        if asked.business_date is None:
            found: ledger.TrialBalance | Refusal = await ledger.trial_balance_at(tx, asked.at)
        else:
            found = await ledger.trial_balance_of(tx, asked.business_date)
    if isinstance(found, Refusal):
        return found
    positions = [wire.Position(each.chart, each.asset, each.signed_minor, each.accounts) for each in found.positions]
    return Answer(wire.TrialBalance(found.at, found.day, found.balanced, found.differences_minor, positions))


OPERATIONS = (
    Operation(
        "GET",
        "/v1/trial-balance",
        "read_trial_balance",
        "Reports",
        Scope.REPORTS_READ,
        "The trial balance, now, at a past moment or at the end of a business date",
        read_trial_balance,
        {200: wire.TrialBalance},
        parameters=TrialBalanceQuery,
        refusals=(LedgerRefusal.DAY_NOT_CLOSED,),
        description="At the end of a business date it is as the day's end kept it, what was booked beside it included.",
        answer_example={
            "at": None,
            "business_date": None,
            "balanced": True,
            "differences_minor": {"CZK": 0},
            "positions": [{"chart": "liabilities", "asset": "CZK", "signed_minor": 12500, "accounts": 2}],
        },
    ),
)
