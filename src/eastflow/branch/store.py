"""Branches, tellers, sessions, cash, vouchers and transfers in their tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from eastflow.storage import Transaction

from .model import (
    Branch,
    Cash,
    Counter,
    Form,
    Journal,
    Pieces,
    Place,
    PlaceKind,
    Session,
    Stock,
    Teller,
    TellerRole,
    Transfer,
    TransferStatus,
    Voucher,
    VoucherKind,
    VoucherStatus,
)

_TELLER = "code, branch_code, name, role, actor"
_SESSION = "id, teller_code, business_date, signed_on_at, signed_off_at"
_STOCK = "place, asset, account_id, pieces, counted, version"
_VOUCHER = (
    "id, kind, session_id, teller_code, place, asset, pieces, change_minor, account_id, identification_seen, status, "
    "stock_version, asked_at, expires_at, ended_by, ended_at, closes, reverses, reversed_by"
)
_TRANSFER = "id, sender, receiver, asset, pieces, whole, status, issued_by, issued_at, ended_by, ended_at"


async def branch(tx: Transaction, code: str) -> Branch | None:
    row = await tx.row("SELECT code, name FROM branch_branch WHERE code = $1", code)
    return row and Branch(row["code"], row["name"])


async def branches(tx: Transaction, *, after: str = "", limit: int) -> list[Branch]:
    """By code, after `after`."""
    found = await tx.rows("SELECT code, name FROM branch_branch WHERE code > $1 ORDER BY code LIMIT $2", after, limit)
    return [Branch(row["code"], row["name"]) for row in found]


async def insert_branch(tx: Transaction, new: Branch, at: datetime) -> None:
    """Errors: UniqueViolation when its code is taken."""
    await tx.execute(
        "INSERT INTO branch_branch (code, name, registered_at) VALUES ($1, $2, $3)", new.code, new.name, at
    )


async def limits_minor(tx: Transaction, branch: str) -> dict[str, int]:
    """By asset, as they were set last."""
    found = await tx.rows("SELECT asset, above_minor FROM branch_limit WHERE branch_code = $1 ORDER BY set_at", branch)
    return {row["asset"]: row["above_minor"] for row in found}


async def insert_limit(tx: Transaction, branch: str, asset: str, above_minor: int, by: str, at: datetime) -> None:
    """Errors: UniqueViolation when it was set in the same moment."""
    await tx.execute(
        "INSERT INTO branch_limit (branch_code, asset, above_minor, set_by, set_at) VALUES ($1, $2, $3, $4, $5)",
        branch,
        asset,
        above_minor,
        by,
        at,
    )


async def teller(tx: Transaction, code: str) -> Teller | None:
    row = await tx.row(f"SELECT {_TELLER} FROM branch_teller WHERE code = $1", code)
    return row and _teller(row)


async def tellers(tx: Transaction, branch: str, *, after: str = "", limit: int) -> list[Teller]:
    """By code, after `after`."""
    found = await tx.rows(
        f"SELECT {_TELLER} FROM branch_teller WHERE branch_code = $1 AND code > $2 ORDER BY code LIMIT $3",
        branch,
        after,
        limit,
    )
    return [_teller(row) for row in found]


async def teller_of_actor(tx: Transaction, actor: str) -> str | None:
    found: str | None = await tx.value("SELECT teller_code FROM branch_actor WHERE actor = $1", actor)
    return found


async def insert_teller(tx: Transaction, new: Teller, at: datetime) -> None:
    """Errors: UniqueViolation when its code or its actor is taken."""
    await tx.execute("INSERT INTO branch_actor (actor, teller_code) VALUES ($1, $2)", new.actor, new.code)
    await tx.execute(
        f"INSERT INTO branch_teller ({_TELLER}, registered_at) VALUES ($1, $2, $3, $4, $5, $6)",
        new.code,
        new.branch,
        new.name,
        new.role.value,
        new.actor,
        at,
    )


async def session(tx: Transaction, id: UUID) -> Session | None:
    row = await tx.row(f"SELECT {_SESSION} FROM branch_session WHERE id = $1", id)
    return row and _session(row)


async def at_work(tx: Transaction, teller: str) -> UUID | None:
    """The session the teller is in."""
    found: UUID | None = await tx.value("SELECT session_id FROM branch_at_work WHERE teller_code = $1", teller)
    return found


async def counter(tx: Transaction, session_id: UUID, *, lock: bool = False) -> Counter | None:
    """With `lock`, nobody else acts in this session until the transaction ends."""
    found = await session(tx, session_id)
    if found is None:
        return None
    if lock:
        await tx.value("SELECT session_id FROM branch_at_work WHERE teller_code = $1 FOR UPDATE", found.teller)
        # As it is now that nobody can end it any more.
        found = await session(tx, session_id)
        assert found is not None, "sessions are never removed"
    who = await teller(tx, found.teller)
    assert who is not None, "a session is of a registered teller"
    return Counter(found, who, await limits_minor(tx, who.branch))


async def insert_session(tx: Transaction, new: Session) -> None:
    """Errors: UniqueViolation when the id is taken or the teller is in another session."""
    await tx.execute("INSERT INTO branch_at_work (teller_code, session_id) VALUES ($1, $2)", new.teller, new.id)
    await tx.execute(
        "INSERT INTO branch_session (id, teller_code, business_date, signed_on_at) VALUES ($1, $2, $3, $4)",
        new.id,
        new.teller,
        new.business_date,
        new.signed_on_at,
    )
    await _keep_cash(tx, new, "opening")


async def end_session(tx: Transaction, ended: Session) -> None:
    await _keep_cash(tx, ended, "closing")
    await tx.execute("UPDATE branch_session SET signed_off_at = $2 WHERE id = $1", ended.id, ended.signed_off_at)
    await tx.execute("DELETE FROM branch_at_work WHERE teller_code = $1", ended.teller)


async def _keep_cash(tx: Transaction, of: Session, moment: str) -> None:
    await tx.execute(
        "INSERT INTO branch_session_cash (session_id, moment, asset, pieces) "
        "SELECT $1, $2, asset, pieces FROM branch_stock WHERE place = $3",
        of.id,
        moment,
        str(Place(PlaceKind.DRAWER, of.teller)),
    )


async def journal(tx: Transaction, session_id: UUID) -> Journal | None:
    """Whole: it is of one teller and one business date."""
    found = await session(tx, session_id)
    if found is None:
        return None
    drawer = Place(PlaceKind.DRAWER, found.teller)
    kept = await tx.rows(
        "SELECT moment, asset, pieces FROM branch_session_cash WHERE session_id = $1 ORDER BY asset", session_id
    )
    done = await tx.rows(
        f"SELECT {_VOUCHER} FROM branch_voucher WHERE session_id = $1 OR closes = $1 ORDER BY asked_at, id", session_id
    )
    moved = await tx.rows(
        f"SELECT {_TRANSFER} FROM branch_transfer WHERE "
        "(sender = $1 AND (issued_at BETWEEN $2 AND $3 OR status = 'taken_back' AND ended_at BETWEEN $2 AND $3)) "
        "OR (receiver = $1 AND status = 'received' AND ended_at BETWEEN $2 AND $3) ORDER BY issued_at, id",
        str(drawer),
        found.signed_on_at,
        found.signed_off_at or datetime.max.replace(tzinfo=UTC),
    )
    opening = tuple(_cash(row) for row in kept if row["moment"] == "opening")
    closing = tuple(_cash(row) for row in kept if row["moment"] == "closing")
    if found.signed_off_at is None:
        closing = tuple(each.cash for each in await stocks(tx, drawer))
    return Journal(
        found, opening, closing, tuple(_voucher(row) for row in done), tuple(_transfer(row) for row in moved)
    )


async def stock(tx: Transaction, place: Place, asset: str) -> Stock | None:
    row = await tx.row(f"SELECT {_STOCK} FROM branch_stock WHERE place = $1 AND asset = $2", str(place), asset)
    return row and _stock(row)


async def stocks(tx: Transaction, place: Place) -> list[Stock]:
    """All that was ever in the place, by asset."""
    found = await tx.rows(f"SELECT {_STOCK} FROM branch_stock WHERE place = $1 ORDER BY asset", str(place))
    return [_stock(row) for row in found]


async def every_stock(tx: Transaction) -> list[Stock]:
    """Of all branches, by place and asset."""
    return [_stock(row) for row in await tx.rows(f"SELECT {_STOCK} FROM branch_stock ORDER BY place, asset")]


async def insert_stock(tx: Transaction, new: Stock) -> None:
    """Errors: UniqueViolation when the place has such cash by now."""
    await tx.execute(
        f"INSERT INTO branch_stock ({_STOCK}) VALUES ($1, $2, $3, $4, $5, $6)",
        str(new.place),
        new.cash.asset,
        new.account,
        _pieces_text(new.cash),
        new.counted,
        new.version,
    )


async def update_stock(tx: Transaction, before: Stock, after: Stock) -> bool:
    """False when the stock is no longer as it was `before`."""
    touched = await tx.execute(
        "UPDATE branch_stock SET pieces = $3, counted = $4, version = $5 "
        "WHERE place = $1 AND asset = $2 AND version = $6",
        str(after.place),
        after.cash.asset,
        _pieces_text(after.cash),
        after.counted,
        after.version,
        before.version,
    )
    return touched == 1


async def voucher(tx: Transaction, id: UUID, *, lock: bool = False) -> Voucher | None:
    row = await tx.row(f"SELECT {_VOUCHER} FROM branch_voucher WHERE id = $1" + (" FOR UPDATE" if lock else ""), id)
    return row and _voucher(row)


async def vouchers(tx: Transaction, session: UUID, *, after: UUID | None = None, limit: int) -> list[Voucher]:
    """Those of a session by id, after `after`."""
    found = await tx.rows(
        f"SELECT {_VOUCHER} FROM branch_voucher WHERE session_id = $1 AND ($2::uuid IS NULL OR id > $2) "
        "ORDER BY id LIMIT $3",
        session,
        after,
        limit,
    )
    return [_voucher(row) for row in found]


async def pending_voucher(tx: Transaction, session: UUID, at: datetime) -> UUID | None:
    """One that still waits for a second person, if there is any."""
    found: UUID | None = await tx.value(
        "SELECT id FROM branch_voucher WHERE session_id = $1 AND status = 'pending' AND expires_at > $2 LIMIT 1",
        session,
        at,
    )
    return found


async def insert_voucher(tx: Transaction, new: Voucher) -> None:
    """Errors: UniqueViolation when the id is taken."""
    await tx.execute(
        f"INSERT INTO branch_voucher ({_VOUCHER}) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
        new.id,
        new.kind.value,
        new.session,
        new.teller,
        str(new.place),
        new.cash.asset,
        _pieces_text(new.cash),
        new.change_minor,
        new.account,
        new.identification_seen,
        new.status.value,
        new.stock_version,
        new.asked_at,
        new.expires_at,
        new.ended_by,
        new.ended_at,
        new.closes,
        new.reverses,
        new.reversed_by,
    )


async def cash_of_day(tx: Transaction, account: int, asset: str, day: date, kind: VoucherKind) -> int:
    """What the account took in, or out, in cash on the day; nobody else adds to it until the transaction ends."""
    await add_cash_of_day(tx, account, asset, day, kind, 0)
    total: int = await tx.value(
        "SELECT total_minor FROM branch_cash_day "
        "WHERE account_id = $1 AND asset = $2 AND business_date = $3 AND kind = $4",
        account,
        asset,
        day,
        kind.value,
    )
    return total


async def add_cash_of_day(
    tx: Transaction, account: int, asset: str, day: date, kind: VoucherKind, amount_minor: int
) -> None:
    """Below zero: it was reversed."""
    await tx.execute(
        "INSERT INTO branch_cash_day (account_id, asset, business_date, kind, total_minor) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (account_id, asset, business_date, kind) "
        "DO UPDATE SET total_minor = branch_cash_day.total_minor + $5",
        account,
        asset,
        day,
        kind.value,
        amount_minor,
    )


async def reverse_voucher(tx: Transaction, id: UUID, by: UUID) -> None:
    """The voucher is locked by the caller."""
    await tx.execute("UPDATE branch_voucher SET reversed_by = $2 WHERE id = $1", id, by)


async def end_voucher(tx: Transaction, ended: Voucher) -> None:
    """The voucher is locked by the caller."""
    await tx.execute(
        "UPDATE branch_voucher SET status = $2, ended_by = $3, ended_at = $4 WHERE id = $1",
        ended.id,
        ended.status.value,
        ended.ended_by,
        ended.ended_at,
    )


async def transfer(tx: Transaction, id: UUID, *, lock: bool = False) -> Transfer | None:
    row = await tx.row(f"SELECT {_TRANSFER} FROM branch_transfer WHERE id = $1" + (" FOR UPDATE" if lock else ""), id)
    return row and _transfer(row)


async def transfers_in_transit(tx: Transaction, *, after: UUID | None = None, limit: int) -> list[Transfer]:
    """By id, after `after`."""
    found = await tx.rows(
        f"SELECT {_TRANSFER} FROM branch_transfer WHERE status = 'in_transit' AND ($1::uuid IS NULL OR id > $1) "
        "ORDER BY id LIMIT $2",
        after,
        limit,
    )
    return [_transfer(row) for row in found]


async def transfer_in_transit(tx: Transaction, place: Place) -> UUID | None:
    """One that is on its way from or to the place, if there is any."""
    found: UUID | None = await tx.value(
        "SELECT id FROM branch_transfer WHERE status = 'in_transit' AND $1 IN (sender, receiver) LIMIT 1", str(place)
    )
    return found


async def insert_transfer(tx: Transaction, new: Transfer) -> None:
    """Errors: UniqueViolation when the id is taken."""
    await tx.execute(
        f"INSERT INTO branch_transfer ({_TRANSFER}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        new.id,
        str(new.sender),
        str(new.receiver),
        new.cash.asset,
        _pieces_text(new.cash),
        new.whole,
        new.status.value,
        new.issued_by,
        new.issued_at,
        new.ended_by,
        new.ended_at,
    )


async def end_transfer(tx: Transaction, ended: Transfer) -> None:
    """The transfer is locked by the caller."""
    await tx.execute(
        "UPDATE branch_transfer SET status = $2, ended_by = $3, ended_at = $4 WHERE id = $1",
        ended.id,
        ended.status.value,
        ended.ended_by,
        ended.ended_at,
    )


async def branches_of(tx: Transaction, places: Sequence[Place]) -> dict[Place, str]:
    """The branch of each place that exists."""
    found: dict[Place, str] = {}
    for place in places:
        if place.kind is PlaceKind.VAULT and await branch(tx, place.code):
            found[place] = place.code
        elif place.kind is PlaceKind.DRAWER and (who := await teller(tx, place.code)):
            found[place] = who.branch
    return found


def _teller(row: Any) -> Teller:
    return Teller(row["code"], row["branch_code"], row["name"], TellerRole(row["role"]), row["actor"])


def _session(row: Any) -> Session:
    return Session(row["id"], row["teller_code"], row["business_date"], row["signed_on_at"], row["signed_off_at"])


def _stock(row: Any) -> Stock:
    return Stock(_place(row["place"]), row["account_id"], _cash(row), row["counted"], row["version"])


def _voucher(row: Any) -> Voucher:
    return Voucher(
        id=row["id"],
        kind=VoucherKind(row["kind"]),
        session=row["session_id"],
        teller=row["teller_code"],
        place=_place(row["place"]),
        cash=_cash(row),
        change_minor=row["change_minor"],
        asked_at=row["asked_at"],
        account=row["account_id"],
        identification_seen=row["identification_seen"],
        status=VoucherStatus(row["status"]),
        stock_version=row["stock_version"],
        expires_at=row["expires_at"],
        ended_by=row["ended_by"],
        ended_at=row["ended_at"],
        closes=row["closes"],
        reverses=row["reverses"],
        reversed_by=row["reversed_by"],
    )


def _transfer(row: Any) -> Transfer:
    return Transfer(
        id=row["id"],
        sender=_place(row["sender"]),
        receiver=_place(row["receiver"]),
        cash=_cash(row),
        issued_by=row["issued_by"],
        issued_at=row["issued_at"],
        whole=row["whole"],
        status=TransferStatus(row["status"]),
        ended_by=row["ended_by"],
        ended_at=row["ended_at"],
    )


def _place(text: str) -> Place:
    kind, _, code = text.partition(":")
    return Place(PlaceKind(kind), code)


def _cash(row: Any) -> Cash:
    pieces = json.loads(row["pieces"])
    return Cash(row["asset"], tuple(Pieces(Form(form), value, count) for form, value, count in pieces))


def _pieces_text(cash: Cash) -> str:
    return json.dumps([[each.form.value, each.value_minor, each.count] for each in cash.pieces])
