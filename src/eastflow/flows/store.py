"""Applications and their steps in their tables: the draft a flow must keep while the customer goes elsewhere."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from eastflow.customers import Channel
from eastflow.kernel import EXACT_JSON_INTEGER_MAX
from eastflow.storage import Transaction

from .model import Application, ApplicationStatus, Parts, Step, StepKind

_APPLICATION = "id, reference, party_id, product, branch_code, amount_minor, begun_at, expires_on, status, account_id"


async def application(tx: Transaction, id: UUID, *, lock: bool = False) -> Application | None:
    row = await tx.row(
        f"SELECT {_APPLICATION} FROM flows_application WHERE id = $1" + (" FOR UPDATE" if lock else ""), id
    )
    return row and _application(row)


async def application_by_reference(tx: Transaction, reference: int) -> Application | None:
    if not 0 < reference <= EXACT_JSON_INTEGER_MAX:
        return None
    id = await tx.value("SELECT application_id FROM flows_reference WHERE reference = $1", reference)
    return None if id is None else await application(tx, id)


async def applications_of_party(
    tx: Transaction, party: UUID, *, after: UUID | None = None, limit: int
) -> list[Application]:
    """By id, after `after`; ended ones too."""
    found = await tx.rows(
        f"SELECT {_APPLICATION} FROM flows_application WHERE party_id = $1 AND ($2::uuid IS NULL OR id > $2) "
        "ORDER BY id LIMIT $3",
        party,
        after,
        limit,
    )
    return [_application(row) for row in found]


async def steps(tx: Transaction, application: UUID) -> list[Step]:
    """In the order they were done."""
    found = await tx.rows(
        "SELECT number, kind, channel, done_by, done_at, parts FROM flows_step WHERE application_id = $1 "
        "ORDER BY number",
        application,
    )
    return [
        Step(
            row["number"],
            StepKind(row["kind"]),
            Channel(row["channel"]),
            row["done_by"],
            row["done_at"],
            tuple(row["parts"]),
        )
        for row in found
    ]


async def insert_application(tx: Transaction, new: Application, begun_hash: bytes) -> None:
    """`begun_hash` is of what it is begun with. Errors: UniqueViolation when the id or the reference is taken."""
    await tx.execute("INSERT INTO flows_reference (reference, application_id) VALUES ($1, $2)", new.reference, new.id)
    await tx.execute(
        f"INSERT INTO flows_application ({_APPLICATION}, begun_hash) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        new.id,
        new.reference,
        new.parts.party,
        new.parts.product,
        new.parts.branch,
        new.parts.amount_minor,
        new.begun_at,
        new.expires_on,
        new.status.value,
        new.account,
        begun_hash,
    )


async def begun_hash(tx: Transaction, application: UUID) -> bytes | None:
    """None for one that was begun before hashes were kept."""
    found: bytes | None = await tx.value("SELECT begun_hash FROM flows_application WHERE id = $1", application)
    return found


async def update_application(tx: Transaction, changed: Application) -> None:
    """The application is locked by the caller."""
    await tx.execute(
        "UPDATE flows_application SET party_id = $2, product = $3, branch_code = $4, amount_minor = $5, "
        "expires_on = $6, status = $7, account_id = $8 WHERE id = $1",
        changed.id,
        changed.parts.party,
        changed.parts.product,
        changed.parts.branch,
        changed.parts.amount_minor,
        changed.expires_on,
        changed.status.value,
        changed.account,
    )


async def insert_step(tx: Transaction, application: UUID, new: Step) -> None:
    await tx.execute(
        "INSERT INTO flows_step (application_id, number, kind, channel, done_by, done_at, parts) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)",
        application,
        new.number,
        new.kind.value,
        new.channel.value,
        new.by,
        new.at,
        list(new.parts),
    )


async def step_count(tx: Transaction, application: UUID) -> int:
    found: int = await tx.value("SELECT count(*) FROM flows_step WHERE application_id = $1", application)
    return found


def _application(row: Any) -> Application:
    return Application(
        id=row["id"],
        reference=row["reference"],
        parts=Parts(row["party_id"], row["product"], row["branch_code"], row["amount_minor"]),
        begun_at=row["begun_at"],
        expires_on=row["expires_on"],
        status=ApplicationStatus(row["status"]),
        account=row["account_id"],
    )
