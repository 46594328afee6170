"""Payments, their recalls, what waits to be sent, limits and schemes in their tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from eastflow.customers import Channel
from eastflow.ledger import Statement
from eastflow.storage import Transaction

from .decide import own_account
from .model import (
    Direction,
    Endpoint,
    Limit,
    Origin,
    Outgoing,
    OutgoingKind,
    Payment,
    PaymentStatus,
    Recall,
    RecallStatus,
    Scheme,
)
from .personal_data.store import PAYMENT, Text, open_texts, seal_texts

UsageKey = tuple[str, date, str, str]
"""Payer, business day, asset, and a channel or "" for all of them together."""

_PAYMENT_COLUMNS = (
    *("id", "direction", "origin", "status"),
    *("debtor_number", "debtor_bank", "creditor_number", "creditor_bank"),
    *("amount_minor", "asset", "uetr", "scheme", "channel"),
    *("accepted_on", "settlement_date", "made_by", "accepted_at", "reason", "in_suspense"),
    *("cleared_to", "returned_minor", "changed_at", "sealed"),
)
_PAYMENT = ", ".join(_PAYMENT_COLUMNS)
_OUTGOING = "id, kind, payment_id, due_on, reason, message_id, held_for"


async def payment(tx: Transaction, id: UUID) -> Payment | None:
    return (await payments(tx, [id])).get(id)


async def locked_payment(tx: Transaction, id: UUID) -> Payment | None:
    """The same as `payment`; others who ask for it so wait until this transaction ends."""
    await tx.execute("UPDATE payments_payment SET status = status WHERE id = $1", id)
    return await payment(tx, id)


async def payments(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, Payment]:
    found = await tx.rows(f"SELECT {_PAYMENT} FROM payments_payment WHERE id = ANY($1::uuid[])", list(ids))
    return {payment.id: payment for payment in await _payments(tx, found)}


async def payments_of_uetr(tx: Transaction, uetr: UUID) -> list[Payment]:
    """Two where a payment of ours went out and came in again; otherwise one or none."""
    found = await tx.rows(f"SELECT {_PAYMENT} FROM payments_payment WHERE uetr = $1 ORDER BY id", uetr)
    return await _payments(tx, found)


async def remittances(tx: Transaction, entries: Sequence[UUID]) -> dict[UUID, str]:
    """What was said with payments, by the entry that first moved their money, whose id is the payment's."""
    found = await payments(tx, entries)
    return {id: payment.remittance for id, payment in found.items() if payment.remittance}


async def with_remittances(tx: Transaction, page: Statement) -> Statement:
    """A statement with what was said with its payments, which is kept with them, sealed, and not in the books."""
    said = await remittances(tx, [line.posting.entry for line in page.lines])
    lines = tuple(replace(each, memo=each.memo or said.get(each.posting.entry)) for each in page.lines)
    return replace(page, lines=lines)


async def payments_page(
    tx: Transaction,
    *,
    account: int | None = None,
    status: PaymentStatus | None = None,
    after: UUID | None = None,
    limit: int,
) -> list[Payment]:
    """By id, after `after`; with an account, those that it pays or is paid by."""
    found = await tx.rows(
        f"SELECT {_PAYMENT} FROM payments_payment WHERE ($2::uuid IS NULL OR id > $2) "
        "AND ($3::bigint IS NULL OR debtor_number = $3 OR creditor_number = $3) "
        "AND ($4::text IS NULL OR status = $4) ORDER BY id LIMIT $1",
        limit,
        after,
        account,
        None if status is None else status.value,
    )
    return await _payments(tx, found)


async def payments_lately(tx: Transaction, debtors: Sequence[int], since: datetime) -> list[Payment]:
    """What these accounts have asked to be paid since then and is not undone."""
    found = await tx.rows(
        f"SELECT {_PAYMENT} FROM payments_payment WHERE debtor_number = ANY($1::bigint[]) AND accepted_at > $2 "
        "AND status IN ('accepted', 'sent', 'settled') ORDER BY accepted_at",
        list(debtors),
        since,
    )
    return await _payments(tx, found)


async def insert_payments(tx: Transaction, new: Sequence[Payment]) -> None:
    """Errors: UniqueViolation when another writer had one of the ids."""
    if not new:
        return
    new = sorted(new, key=lambda each: each.id)
    # Those that are made together are of one day.
    sealed = await seal_texts(tx, PAYMENT, new[0].accepted_on, [((each.id,), _texts(each)) for each in new])
    rows = [(*_row(each), kept) for each, kept in zip(new, sealed, strict=True)]
    await tx.records_in("payments_payment", _PAYMENT_COLUMNS, rows)


async def change_payment(tx: Transaction, before: Payment, after: Payment, at: datetime) -> bool:
    """False when it is no longer as it was `before`."""
    touched = await tx.execute(
        "UPDATE payments_payment SET status = $2, reason = $3, in_suspense = $4, cleared_to = $5, "
        "returned_minor = $6, creditor_number = COALESCE($5, creditor_number), changed_at = $7 "
        "WHERE id = $1 AND status = $8 AND reason IS NOT DISTINCT FROM $9",
        after.id,
        after.status.value,
        after.reason,
        after.in_suspense,
        after.cleared_to,
        after.returned_minor,
        at,
        before.status.value,
        before.reason,
    )
    return touched == 1


# What waits to be sent


async def outgoing_page(tx: Transaction, *, on: date, after: UUID | None = None, limit: int) -> list[Outgoing]:
    """What is not yet sent, is not held, and is due on `on` or before, by id, after `after`."""
    found = await tx.rows(
        f"SELECT {_OUTGOING} FROM payments_outgoing WHERE message_id IS NULL AND held_for IS NULL AND due_on <= $1 "
        "AND ($3::uuid IS NULL OR id > $3) ORDER BY id LIMIT $2",
        on,
        limit,
        after,
    )
    return await _with_payments(tx, found)


async def outgoing(tx: Transaction, id: UUID) -> Outgoing | None:
    found = await tx.rows(f"SELECT {_OUTGOING} FROM payments_outgoing WHERE id = $1", id)
    return next(iter(await _with_payments(tx, found)), None)


async def queue(tx: Transaction, waiting: Sequence[Outgoing], at: datetime) -> None:
    """Errors: UniqueViolation when one of them was queued in the same moment."""
    await tx.records_in(
        "payments_outgoing",
        ("id", "kind", "payment_id", "due_on", "reason", "queued_at"),
        [(each.id, each.kind.value, each.payment.id, each.due_on, each.reason, at) for each in waiting],
    )


async def mark_sent(tx: Transaction, id: UUID, message_id: str, at: datetime) -> bool:
    """False when it was sent meanwhile, or taken out of the queue."""
    touched = await tx.execute(
        "UPDATE payments_outgoing SET message_id = $2, sent_at = $3 WHERE id = $1 AND message_id IS NULL",
        id,
        message_id,
        at,
    )
    return touched == 1


async def hold(tx: Transaction, id: UUID, reason: str) -> bool:
    """False when it was sent meanwhile, or taken out of the queue."""
    touched = await tx.execute(
        "UPDATE payments_outgoing SET held_for = $2 WHERE id = $1 AND message_id IS NULL", id, reason
    )
    return touched == 1


async def take_out(tx: Transaction, id: UUID) -> bool:
    """False when it was sent meanwhile."""
    return await tx.execute("DELETE FROM payments_outgoing WHERE id = $1 AND message_id IS NULL", id) == 1


async def recall_of(tx: Transaction, payment: UUID) -> Recall | None:
    row = await tx.row(
        "SELECT payment_id, reason, status, asked_on, asked_by, answer FROM payments_recall WHERE payment_id = $1",
        payment,
    )
    if row is None:
        return None
    return Recall(
        row["payment_id"], row["reason"], RecallStatus(row["status"]), row["asked_on"], row["asked_by"], row["answer"]
    )


async def insert_recall(tx: Transaction, new: Recall, at: datetime) -> None:
    """Errors: UniqueViolation when it was recalled in the same moment."""
    await tx.records_in(
        "payments_recall",
        ("payment_id", "reason", "status", "asked_on", "asked_by", "answer", "changed_at"),
        [(new.payment, new.reason, new.status.value, new.asked_on, new.by, new.answer, at)],
    )


async def answer_recall(tx: Transaction, answered: Recall, at: datetime) -> bool:
    """False when it was answered meanwhile."""
    touched = await tx.execute(
        "UPDATE payments_recall SET status = $2, answer = $3, changed_at = $4 "
        "WHERE payment_id = $1 AND status = 'open'",
        answered.payment,
        answered.status.value,
        answered.answer,
        at,
    )
    return touched == 1


# Limits and schemes


async def limits(tx: Transaction) -> list[Limit]:
    found = await tx.rows(
        "SELECT party, channel, asset, per_payment_minor, per_day_minor FROM payments_limit "
        "ORDER BY party, channel, asset"
    )
    return [
        Limit(
            Channel(row["channel"]) if row["channel"] else None,
            UUID(row["party"]) if row["party"] else None,
            row["asset"],
            row["per_payment_minor"],
            row["per_day_minor"],
        )
        for row in found
    ]


async def write_limit(tx: Transaction, limit: Limit) -> None:
    await tx.execute(
        "INSERT INTO payments_limit (party, channel, asset, per_payment_minor, per_day_minor) "
        "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (party, channel, asset) "
        "DO UPDATE SET per_payment_minor = $4, per_day_minor = $5",
        str(limit.party or ""),
        limit.channel.value if limit.channel else "",
        limit.asset,
        limit.per_payment_minor,
        limit.per_day_minor,
    )


async def lock_usage(tx: Transaction, keys: Iterable[UsageKey]) -> dict[UsageKey, int]:
    """What is used up, with the rows locked until the transaction ends; a row that was not there is made."""
    used = {}
    # One by one and in order, so that two payers of the same accounts wait for each other and do not deadlock.
    for key in sorted(set(keys)):
        used[key] = await tx.value(
            "INSERT INTO payments_usage AS u (payer, day, asset, channel, amount_minor) VALUES ($1, $2, $3, $4, 0) "
            "ON CONFLICT (payer, day, asset, channel) DO UPDATE SET amount_minor = u.amount_minor "
            "RETURNING amount_minor",
            *key,
        )
    return used


async def write_usage(tx: Transaction, used: Mapping[UsageKey, int]) -> None:
    """The rows are locked by `lock_usage`."""
    await tx.execute_many(
        "UPDATE payments_usage SET amount_minor = $5 WHERE payer = $1 AND day = $2 AND asset = $3 AND channel = $4",
        [(*key, amount) for key, amount in sorted(used.items())],
    )


async def schemes(tx: Transaction) -> list[Scheme]:
    found = await tx.rows(
        "SELECT code, cut_off, utc_offset_minutes, holidays, working_weekends FROM payments_scheme ORDER BY code"
    )
    return [
        Scheme(
            row["code"],
            row["cut_off"],
            row["utc_offset_minutes"],
            frozenset(row["holidays"]),
            frozenset(row["working_weekends"]),
        )
        for row in found
    ]


async def write_scheme(tx: Transaction, scheme: Scheme) -> None:
    await tx.execute(
        "INSERT INTO payments_scheme (code, cut_off, utc_offset_minutes, holidays, working_weekends) "
        "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (code) DO UPDATE SET cut_off = $2, utc_offset_minutes = $3, "
        "holidays = $4, working_weekends = $5",
        scheme.code,
        scheme.cut_off,
        scheme.utc_offset_minutes,
        sorted(scheme.holidays),
        sorted(scheme.working_weekends),
    )


async def is_cut_off(tx: Transaction, day: date) -> bool:
    return bool(await tx.value("SELECT count(*) FROM payments_cut_off WHERE day = $1", day))


async def write_cut_off(tx: Transaction, day: date, at: datetime) -> None:
    await tx.execute("INSERT INTO payments_cut_off (day, cut_at) VALUES ($1, $2) ON CONFLICT (day) DO NOTHING", day, at)


async def _with_payments(tx: Transaction, found: Sequence[Any]) -> list[Outgoing]:
    known = await payments(tx, [row["payment_id"] for row in found]) if found else {}
    return [
        Outgoing(
            row["id"],
            OutgoingKind(row["kind"]),
            known[row["payment_id"]],
            row["due_on"],
            row["reason"],
            row["message_id"],
            row["held_for"],
        )
        for row in found
    ]


def _row(payment: Payment) -> tuple[object, ...]:
    debtor, creditor = payment.debtor, payment.creditor
    return (
        payment.id,
        payment.direction.value,
        payment.origin.value,
        payment.status.value,
        own_account(debtor),
        debtor.bank,
        own_account(creditor),
        creditor.bank,
        payment.amount_minor,
        payment.asset,
        payment.uetr,
        payment.scheme,
        payment.channel.value,
        payment.accepted_on,
        payment.settlement_date,
        payment.by,
        payment.accepted_at,
        payment.reason,
        payment.in_suspense,
        payment.cleared_to,
        payment.returned_minor,
        payment.accepted_at,
    )


def _texts(payment: Payment) -> tuple[Text, ...]:
    debtor, creditor = payment.debtor, payment.creditor
    return debtor.name, debtor.account, creditor.name, creditor.account, payment.remittance, payment.end_to_end_id


async def _payments(tx: Transaction, found: Sequence[Any]) -> list[Payment]:
    return [_payment(row, texts) for row, texts in zip(found, await open_texts(tx, PAYMENT, found), strict=True)]


def _payment(row: Any, texts: Sequence[Text]) -> Payment:
    debtor_name, debtor_account, creditor_name, creditor_account, remittance, end_to_end_id = texts
    return Payment(
        id=row["id"],
        direction=Direction(row["direction"]),
        origin=Origin(row["origin"]),
        status=PaymentStatus(row["status"]),
        debtor=_end(debtor_name, debtor_account, row["debtor_number"], row["debtor_bank"]),
        creditor=_end(creditor_name, creditor_account, row["creditor_number"], row["creditor_bank"]),
        amount_minor=row["amount_minor"],
        asset=row["asset"],
        remittance=remittance or "",
        end_to_end_id=end_to_end_id,
        uetr=row["uetr"],
        scheme=row["scheme"],
        channel=Channel(row["channel"]),
        accepted_on=row["accepted_on"],
        settlement_date=row["settlement_date"],
        by=row["made_by"],
        accepted_at=row["accepted_at"],
        reason=row["reason"],
        in_suspense=row["in_suspense"],
        cleared_to=row["cleared_to"],
        returned_minor=row["returned_minor"],
    )


def _end(name: Text, account: Text, number: int | None, bank: str | None) -> Endpoint:
    """Of one that was shredded, an account of this bank is still known."""
    own = "" if number is None or bank is not None else str(number)
    return Endpoint(name or "", account or own, bank)
