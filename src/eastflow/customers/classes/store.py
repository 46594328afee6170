"""Classed accounts, the seats they take, and the use of their limits, in their tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from eastflow.rules import AccountClass
from eastflow.storage import Transaction

from ..decide import is_account
from ..merging import store as merges
from ..model import Channel
from .model import ClassedAccount, Direction, Usage

_CLASSED = "account_id, number, party_id, class, since, until, opened_by, face_to_face, bound"


async def class_of_account(tx: Transaction, account: int) -> ClassedAccount | None:
    """The class that stands, or None."""
    return (await classes(tx, [account])).get(account) if is_account(account) else None


async def classes_of_party(tx: Transaction, party: UUID) -> list[ClassedAccount]:
    """The person's classed accounts, by number, those of parties merged into it too."""
    taken = await tx.rows(
        "SELECT account_id FROM customers_seat WHERE party_id = ANY($1::uuid[])", await merges.family(tx, party)
    )
    found = await classes(tx, [row["account_id"] for row in taken])
    return [found[account] for account in sorted(found)]


async def classes(tx: Transaction, accounts: Sequence[int]) -> dict[int, ClassedAccount]:
    """Those of the accounts that have a class, with the class that stands."""
    found = await tx.rows(
        f"SELECT {_CLASSED} FROM customers_class WHERE account_id = ANY($1::bigint[]) AND until IS NULL",
        sorted(set(accounts)),
    )
    return {classed.account: classed for classed in await _bound_in_person(tx, [_classed(row) for row in found])}


async def locked_class(tx: Transaction, account: int) -> ClassedAccount | None:
    """The class that stands. Rivals for the account wait here until this transaction has ended."""
    row = await tx.row(
        f"SELECT {_CLASSED} FROM customers_class WHERE account_id = $1 AND until IS NULL FOR UPDATE", account
    )
    return None if row is None else (await _bound_in_person(tx, [_classed(row)]))[0]


async def classes_had(tx: Transaction, account: int) -> int:
    """How many classes the account has had, one that stands included."""
    count: int = await tx.value("SELECT count(*) FROM customers_class WHERE account_id = $1", account)
    return count


async def seats(tx: Transaction, parties: Sequence[UUID], account_class: AccountClass) -> list[tuple[UUID, int]]:
    """Those taken by each of the parties."""
    found = await tx.rows(
        "SELECT party_id, seat FROM customers_seat WHERE party_id = ANY($1::uuid[]) AND class = $2",
        list(parties),
        account_class.value,
    )
    return [(row["party_id"], row["seat"]) for row in found]


async def insert_class(tx: Transaction, new: ClassedAccount, number: int, seat: int, at: datetime) -> None:
    """Errors: UniqueViolation when another was given this seat, or the account another class, in the same moment."""
    await tx.execute(
        "INSERT INTO customers_seat (party_id, class, seat, account_id) VALUES ($1, $2, $3, $4)",
        new.party,
        new.account_class.value,
        seat,
        new.account,
    )
    await tx.execute(
        "INSERT INTO customers_class (account_id, number, party_id, class, seat, since, opened_by, face_to_face, "
        "bound, assigned_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        new.account,
        number,
        new.party,
        new.account_class.value,
        seat,
        new.since,
        new.opened_by.value,
        new.face_to_face,
        sorted(new.bound),
        at,
    )


async def update_class(tx: Transaction, changed: ClassedAccount) -> None:
    """The class that stands, as it is to be; its lock is held."""
    await tx.execute(
        "UPDATE customers_class SET face_to_face = $2, bound = $3, until = $4 WHERE account_id = $1 AND until IS NULL",
        changed.account,
        changed.face_to_face,
        sorted(changed.bound),
        changed.until,
    )


async def delete_seat(tx: Transaction, classed: ClassedAccount) -> None:
    await tx.execute(
        "DELETE FROM customers_seat WHERE party_id = $1 AND class = $2 AND account_id = $3",
        classed.party,
        classed.account_class.value,
        classed.account,
    )


async def usage(tx: Transaction, account: int, direction: Direction, day: date) -> Usage:
    row = await tx.row(
        "SELECT coalesce(sum(used_minor) FILTER (WHERE day = $3), 0)::bigint AS day_minor, "
        "coalesce(sum(used_minor), 0)::bigint AS year_minor FROM customers_usage "
        "WHERE account_id = $1 AND direction = $2 AND day BETWEEN $4 AND $5",
        account,
        direction.value,
        day,
        date(day.year, 1, 1),
        date(day.year, 12, 31),
    )
    return Usage(row["day_minor"], row["year_minor"])


async def add_usage(tx: Transaction, account: int, direction: Direction, day: date, amount_minor: int) -> None:
    await tx.execute(
        "INSERT INTO customers_usage AS kept (account_id, direction, day, used_minor) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (account_id, direction, day) DO UPDATE SET used_minor = kept.used_minor + excluded.used_minor",
        account,
        direction.value,
        day,
        amount_minor,
    )


async def take_usage(tx: Transaction, account: int, direction: Direction, day: date, amount_minor: int) -> None:
    """Never below zero; the class is locked."""
    place = (account, direction.value, day, amount_minor)
    of_day = "WHERE account_id = $1 AND direction = $2 AND day = $3"
    # Deleted first: what is left after taking is more than nothing.
    if await tx.execute(f"DELETE FROM customers_usage {of_day} AND used_minor <= $4", *place) == 0:
        await tx.execute(
            f"UPDATE customers_usage SET used_minor = used_minor - $4 {of_day} AND used_minor > $4", *place
        )


async def insert_used(
    tx: Transaction, account: int, movement: UUID, direction: Direction, day: date, amount_minor: int
) -> None:
    await tx.execute(
        "INSERT INTO customers_used (account_id, movement_id, direction, day, amount_minor) "
        "VALUES ($1, $2, $3, $4, $5)",
        account,
        movement,
        direction.value,
        day,
        amount_minor,
    )


async def delete_used(tx: Transaction, account: int, movement: UUID) -> tuple[Direction, date, int] | None:
    """What the movement had used, which is told once."""
    row = await tx.row(
        "DELETE FROM customers_used WHERE account_id = $1 AND movement_id = $2 RETURNING direction, day, amount_minor",
        account,
        movement,
    )
    return None if row is None else (Direction(row["direction"]), row["day"], row["amount_minor"])


async def _bound_in_person(tx: Transaction, found: Sequence[ClassedAccount]) -> list[ClassedAccount]:
    """Without what was bound while two parties were merged that are not so any more."""
    bound = sorted({account for classed in found for account in classed.bound})
    if not bound:
        return list(found)
    rows = await tx.rows(
        "SELECT account_id, party_id FROM customers_class "
        "WHERE account_id = ANY($1::bigint[]) AND class = $2 AND until IS NULL",
        bound,
        AccountClass.I.value,
    )
    owners = {row["account_id"]: row["party_id"] for row in rows}
    people = await merges.survivors(tx, [*owners.values(), *(classed.party for classed in found)])
    person_of = {account: people[owner] for account, owner in owners.items()}
    return [
        replace(c, bound=frozenset(account for account in c.bound if person_of.get(account) == people[c.party]))
        for c in found
    ]


def _classed(row: Any) -> ClassedAccount:
    return ClassedAccount(
        account=row["account_id"],
        party=row["party_id"],
        account_class=AccountClass(row["class"]),
        since=row["since"],
        opened_by=Channel(row["opened_by"]),
        face_to_face=row["face_to_face"],
        bound=frozenset(row["bound"]),
        until=row["until"],
    )
