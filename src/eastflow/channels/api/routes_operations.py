"""`/v1/business-date` and `/v1/day-end`: the bank's date, and the end of its day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from msgspec import Struct

from eastflow import operations
from eastflow.kernel import Refusal
from eastflow.operations import OperationsRefusal, PartState

from . import wire
from .keys import Scope
from .operation import Answer, Call, Operation

Day = date
DAY = "2026-03-02"
_AT = "2026-03-02T21:30:00Z"
EXAMPLE = {
    "date": DAY, "state": "running",
    "steps": [
        {"name": "cut_off", "state": "done", "parts": 1, "parts_done": 1, "counts": {"days": 1}, "reason": None,
         "started_at": _AT, "ended_at": _AT},
        {"name": "trial_balance", "state": "waiting", "parts": 1, "parts_done": 0, "counts": {}, "reason": None,
         "started_at": None, "ended_at": None},
    ],
}  # fmt: skip


class BusinessDate(Struct, frozen=True):
    """`closing` is a day whose end is not complete yet."""

    date: date
    closing: Day | None


class EndOfDay(Struct, frozen=True, forbid_unknown_fields=True):
    """Naming the day makes it safe to ask again."""

    date: date


class OneDay(Struct, frozen=True, forbid_unknown_fields=True):
    date: date


class StepShown(Struct, frozen=True):
    """`counts` are what the parts that are done have done; `reason` is why a part failed."""

    name: str
    state: PartState
    parts: int
    parts_done: int
    counts: Mapping[str, int]
    reason: str | None
    started_at: datetime | None
    ended_at: datetime | None


class DayEnd(Struct, frozen=True):
    date: date
    state: PartState
    steps: list[StepShown]


async def business_date(call: Call) -> Answer | Refusal:
    async with call.database.reading() as tx:
        closing = await operations.day_to_close(tx)
    return Answer(BusinessDate(call.today, closing if closing and closing < call.today else None))


async def start(call: Call) -> Answer | Refusal:
    asked: EndOfDay = call.body
    if refusal := wire.check_years(asked.date):
        return refusal
    begun = await call.services.day_ends.start(asked.date)
    return begun if isinstance(begun, Refusal) else Answer(_shown(begun))


async def read_one(call: Call) -> Answer | Refusal:
    day: date = call.parameters.date
    if refusal := wire.check_years(day):
        return refusal
    async with call.database.reading() as tx:
        found = await operations.day_end(tx, day)
    if found is None:
        return Refusal(OperationsRefusal.DAY_END_NOT_FOUND, {"date": day})
    return Answer(_shown(found))


def _shown(found: operations.DayEnd) -> DayEnd:
    steps = [
        StepShown(
            step.name,
            step.state,
            step.parts,
            step.parts_done,
            step.counts,
            step.reason,
            step.started_at,
            step.ended_at,
        )
        for step in found.steps
    ]
    return DayEnd(found.date, found.state, steps)


OPERATIONS = (
    Operation(
        "GET", "/v1/business-date", "read_business_date", "Operations", Scope.OPERATIONS_READ,
        "Read the bank's business date", business_date, {200: BusinessDate},
        description="Value dates after it are refused. It moves when a day is closed, not with the clock.",
        answer_example={"date": "2026-03-03", "closing": DAY},
    ),
    Operation(
        "POST", "/v1/day-end", "end_day", "Operations", Scope.OPERATIONS_WRITE, "End a business day, or go on with it",
        start, {200: DayEnd}, body=EndOfDay,
        refusals=(
            OperationsRefusal.DAY_NOT_OPEN, OperationsRefusal.DAY_STILL_CLOSING, OperationsRefusal.DAY_AHEAD_OF_CLOCK,
        ),
        description="The steps are done in the background while the bank goes on; read the day's end to follow them. "
        "Asking again is safe: what is done stays done, what failed or was cut short is taken up.",
        body_example={"date": DAY}, answer_example=EXAMPLE,
    ),
    Operation(
        "GET", "/v1/day-end/{date}", "read_day_end", "Operations", Scope.OPERATIONS_READ,
        "Read how far the end of a day has come", read_one, {200: DayEnd}, parameters=OneDay,
        refusals=(OperationsRefusal.DAY_END_NOT_FOUND,), answer_example=EXAMPLE, path_example={"date": DAY},
    ),
)  # fmt: skip
