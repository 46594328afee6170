"""What is sealed for no party of the bank, such as the other end of a payment: a data key for each purpose and month.

What is sealed names its month, so that it is unsealed with the key of that month. Whoever deletes the key has shredded
the month: its rows stay, and nobody can read in them, in no backup of the tables made later.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from .faults import KeyFault
from .keys import new_data_key, seal, unseal
from .transaction import Transaction

MONTH_BYTES = 4
STEP_KEYS = 1_000


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals with the data key of one month."""

    month: date
    data_key: bytes

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """Bound to its place: put elsewhere it cannot be unsealed."""
        return self.month.toordinal().to_bytes(MONTH_BYTES) + seal(self.data_key, plain, place)


async def month_sealer(tx: Transaction, purpose: str, day: date) -> Sealer:
    """With the key of the day's month, which is made if there is none. Errors: KeyFault."""
    month = day.replace(day=1)
    found = await _data_keys(tx, purpose, {month})
    if month not in found:
        number, wrapped = tx.keys.wrap(new_data_key(), _place(purpose, month))
        await tx.execute(
            "INSERT INTO storage_data_key (purpose, month, wrapping_key, wrapped) VALUES ($1, $2, $3, $4) "
            "ON CONFLICT (purpose, month) DO NOTHING",
            purpose,
            month,
            number,
            wrapped,
        )
        # The row may yet be undone, and with it the key: this transaction reads it from the table each time.
        tx.data_keys = None
        found = await _data_keys(tx, purpose, {month})
    return Sealer(month, found[month])


async def month_unsealed(tx: Transaction, purpose: str, sealed: Sequence[tuple[bytes, bytes]]) -> list[bytes | None]:
    """Each of what a `Sealer` has sealed, with its place; None where its month was shredded. Errors: KeyFault."""
    months = [_month(each) for each, _ in sealed]
    keys = await _data_keys(tx, purpose, set(months))
    return [
        unseal(keys[month], each[MONTH_BYTES:], place) if month in keys else None
        for month, (each, place) in zip(months, sealed, strict=True)
    ]


async def rewrap_month_keys(tx: Transaction, *, limit: int = STEP_KEYS) -> int:
    """Wrap keys by the current wrapping key that are still wrapped by another; the answer is how many."""
    found = await tx.rows(
        "SELECT purpose, month, wrapping_key, wrapped FROM storage_data_key WHERE wrapping_key < $1 "
        "ORDER BY purpose, month LIMIT $2",
        tx.keys.current,
        limit,
    )
    for row in found:
        place = _place(row["purpose"], row["month"])
        number, wrapped = tx.keys.wrap(tx.keys.unwrap(row["wrapping_key"], row["wrapped"], place), place)
        await tx.execute(
            # One that a rival has wrapped meanwhile is left as it is.
            "UPDATE storage_data_key SET wrapping_key = $3, wrapped = $4 "
            "WHERE purpose = $1 AND month = $2 AND wrapped = $5",
            row["purpose"],
            row["month"],
            number,
            wrapped,
            row["wrapped"],
        )
    return len(found)


async def shred_months(tx: Transaction, purpose: str, before: date) -> int:
    """Delete the keys of the months before the one of this day; the answer is how many. Other processes that have one
    at hand forget it within a minute."""
    tx.data_keys = None
    return await tx.execute(
        "DELETE FROM storage_data_key WHERE purpose = $1 AND month < $2", purpose, before.replace(day=1)
    )


async def check_month_keys(tx: Transaction) -> None:
    """Errors: KeyFault when the keys at hand are not those that the last month's key was wrapped by."""
    row = await tx.row("SELECT purpose, month FROM storage_data_key ORDER BY month DESC LIMIT 1")
    if row is not None:
        await _data_keys(tx, row["purpose"], {row["month"]})


async def has_month_keys(tx: Transaction) -> bool:
    """Whether anything may be sealed under one. It can be asked without the bank's keys."""
    found: bool = await tx.value("SELECT EXISTS (SELECT 1 FROM storage_data_key)")
    return found


async def _data_keys(tx: Transaction, purpose: str, months: Collection[date]) -> dict[date, bytes]:
    """Those there are, from the process or from the table."""
    kept = tx.data_keys
    found = {} if kept is None else {month: key for month in months if (key := kept.get((purpose, month)))}
    missing = sorted(set(months) - found.keys())
    if missing:
        rows = await tx.rows(
            "SELECT month, wrapping_key, wrapped FROM storage_data_key WHERE purpose = $1 AND month = ANY($2::date[])",
            purpose,
            missing,
        )
        for row in rows:
            month = row["month"]
            found[month] = tx.keys.unwrap(row["wrapping_key"], row["wrapped"], _place(purpose, month))
            if kept is not None:
                kept.keep((purpose, month), found[month])
    return found


def _month(sealed: bytes) -> date:
    try:
        return date.fromordinal(int.from_bytes(sealed[:MONTH_BYTES]))
    except (ValueError, OverflowError) as problem:
        raise KeyFault("what is sealed does not name its month") from problem


def _place(purpose: str, month: date) -> bytes:
    return f"data key of {purpose} {month:%Y-%m}".encode()
