"""How nouns are written in columns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ..decide import Standing
from ..model import Account, Balance, BookedEntry, BookedPosting, Capture, HeldAmount, HoldStatus, Side, Status

STATUSES = (Status.OPEN, Status.DEBITS_FROZEN, Status.FROZEN, Status.CLOSED)
STATUS_NUMBERS = {status: number for number, status in enumerate(STATUSES)}
HOLD_STATUSES = (HoldStatus.ACTIVE, HoldStatus.CAPTURED, HoldStatus.RELEASED, HoldStatus.EXPIRED)
HOLD_STATUS_NUMBERS = {status: number for number, status in enumerate(HOLD_STATUSES)}
SIDES = {side.sign: side for side in Side}

ENTRY = (
    "id, chain_id, block_number, first_leg, kind, value_date, account_ids, amounts, memo, details, reverses, "
    "captured_account_id, captured_hold_id, capture_final"
)
POSTING = "account_id, sequence, entry_id, amount, balance, booked_at, value_date"
HOLD = "id, account_id, amount, remaining, status, placed_at, expires_at"
BALANCE = "account_id, posted, held, floor, sequence"
ACCOUNT = "a.id, a.asset, a.side, a.chart, a.opened_on, b.floor, a.owner, b.status, a.details"


def entry(row: Any, booked_at: datetime, sequences: Sequence[int]) -> BookedEntry:
    captured = row["captured_hold_id"]
    return BookedEntry(
        id=row["id"],
        kind=row["kind"],
        value_date=row["value_date"],
        booked_at=booked_at,
        accounts=tuple(row["account_ids"]),
        amounts_minor=tuple(row["amounts"]),
        sequences=tuple(sequences),
        memo=row["memo"],
        details=json.loads(row["details"]) if row["details"] else {},
        reverses=row["reverses"],
        capture=captured and Capture(row["captured_account_id"], captured, row["capture_final"]),
    )


def posting(row: Any) -> BookedPosting:
    return BookedPosting(*row)


def hold(row: Any) -> HeldAmount:
    return HeldAmount(
        row["id"],
        row["account_id"],
        row["amount"],
        row["remaining"],
        HOLD_STATUSES[row["status"]],
        row["placed_at"],
        row["expires_at"],
    )


def balance(row: Any) -> Balance:
    return Balance(*row)


def account(row: Any) -> Account:
    return Account(
        id=row["id"],
        asset=row["asset"],
        side=SIDES[row["side"]],
        chart=row["chart"],
        opened_on=row["opened_on"],
        floor_minor=row["floor"],
        owner=row["owner"],
        status=STATUSES[row["status"]],
        details=json.loads(row["details"]) if row["details"] else {},
    )


def standing(row: Any, asset_codes: dict[int, str]) -> Standing:
    return Standing(
        asset=asset_codes[row["asset_number"]],
        side=SIDES[row["side"]],
        status=STATUSES[row["status"]],
        floor_minor=row["floor"],
        posted_minor=row["posted"],
        held_minor=row["held"],
        sequence=row["sequence"],
    )
