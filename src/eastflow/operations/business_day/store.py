"""Business days in their table."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from eastflow.storage import Transaction

from .model import BusinessDay, DayState

_DAY = "date, state, opened_at, closed_at"


async def open_day(tx: Transaction) -> BusinessDay | None:
    return _found(await tx.row(f"SELECT {_DAY} FROM operations_business_day WHERE state = 'open'"))


async def closing_day(tx: Transaction) -> BusinessDay | None:
    return _found(await tx.row(f"SELECT {_DAY} FROM operations_business_day WHERE state = 'closing'"))


async def locked_day(tx: Transaction, day: date) -> BusinessDay | None:
    return _found(await tx.row(f"SELECT {_DAY} FROM operations_business_day WHERE date = $1 FOR UPDATE", day))


async def any_closed(tx: Transaction) -> bool:
    return bool(await tx.value("SELECT EXISTS (SELECT FROM operations_business_day WHERE state <> 'open')"))


async def insert_day(tx: Transaction, day: BusinessDay) -> None:
    """Errors: UniqueViolation when a day is open already."""
    await tx.execute(
        "INSERT INTO operations_business_day (date, state, opened_at) VALUES ($1, $2, $3)",
        day.date,
        day.state.value,
        day.opened_at,
    )


async def move_open_day(tx: Transaction, day: date) -> None:
    await tx.execute("UPDATE operations_business_day SET date = $1 WHERE state = 'open'", day)


async def change_state(tx: Transaction, day: date, state: DayState, closed_at: datetime | None = None) -> None:
    await tx.execute(
        "UPDATE operations_business_day SET state = $2, closed_at = $3 WHERE date = $1", day, state.value, closed_at
    )


def _found(row: Any) -> BusinessDay | None:
    return row and BusinessDay(row["date"], DayState(row["state"]), row["opened_at"], row["closed_at"])
