"""`/v1/holds`: amounts reserved for a capture to come. A capture is an entry."""

from __future__ import annotations

from uuid import UUID

import msgspec
from msgspec import Struct

from eastflow import ledger
from eastflow.kernel import Refusal
from eastflow.ledger import LedgerRefusal

from . import wire
from .keys import Scope
from .operation import Answer, Call, Operation
from .refusals import ApiRefusal
from .routes_entries import answered


class OneHold(Struct, frozen=True, forbid_unknown_fields=True):
    account: wire.PathAccount
    hold: UUID


class HoldList(Struct, frozen=True, forbid_unknown_fields=True):
    account: wire.PathAccount
    limit: wire.Limit = 100
    cursor: wire.Cursor | None = None


class _Page(Struct, frozen=True, forbid_unknown_fields=True):
    account: wire.PathAccount
    after_hold: UUID


async def place(call: Call) -> Answer | Refusal:
    new: wire.NewHold = call.body
    if new.expires_at is not None and new.expires_at.year > wire.YEAR_MAX:
        return Refusal(ApiRefusal.BODY_MALFORMED, {"reason": f"`expires_at` is at most in the year {wire.YEAR_MAX}"})
    if new.expires_at is not None and new.expires_at.year < wire.YEAR_MIN:
        # A moment so early may not exist in UTC; that it is past is all the ledger would say of it.
        return Refusal(LedgerRefusal.HOLD_EXPIRY_IN_PAST, {"expires_at": new.expires_at})
    hold = ledger.Hold(new.id, new.account, new.asset, new.amount_minor, new.expires_at)
    return answered(await call.engine.post(hold))


async def release(call: Call) -> Answer | Refusal:
    asked: wire.Release = call.body
    answer = answered(await call.engine.post(ledger.Release(asked.account, asked.hold)))
    return answer if isinstance(answer, Refusal) else Answer(answer.content, 200, answer.headers)


async def list_page(call: Call) -> Answer | Refusal:
    asked: HoldList = call.parameters
    after = None
    if asked.cursor is not None:
        page = wire.read_cursor(asked.cursor, _Page)
        if page.account != asked.account:
            return Refusal(ApiRefusal.CURSOR_MALFORMED)
        after = page.after_hold
    async with call.database.reading() as tx:
        if not await ledger.accounts(tx, [asked.account]):
            return Refusal(LedgerRefusal.ACCOUNT_NOT_FOUND, {"account": asked.account})
        found = await ledger.holds(tx, asked.account, after=after, limit=asked.limit + 1)
    shown = found[: asked.limit]
    following = wire.cursor_of(_Page(asked.account, shown[-1].id)) if len(found) > asked.limit else None
    return Answer(wire.HoldPage([_shown(hold) for hold in shown], following))


async def read_one(call: Call) -> Answer | Refusal:
    asked: OneHold = call.parameters
    async with call.database.reading() as tx:
        found = await ledger.hold(tx, asked.account, asked.hold)
    if found is None:
        return Refusal(LedgerRefusal.HOLD_NOT_FOUND, {"account": asked.account, "hold": asked.hold})
    return Answer(_shown(found))


def _shown(hold: ledger.HeldAmount) -> wire.Hold:
    return msgspec.convert(hold, wire.Hold, from_attributes=True)


def _operations() -> tuple[Operation, ...]:
    id = "019b8f2e-7c00-7000-8000-0000000000aa"
    balance = {
        "account": 1001, "posted_minor": 87500, "held_minor": 4000, "floor_minor": 0, "available_minor": 83500,
        "sequence": 4,
    }  # fmt: skip
    outcome = {"id": id, "booked_at": "2026-01-05T09:30:00Z", "replayed": False, "balances": [balance]}
    shown = {
        "id": id, "account": 1001, "amount_minor": 4000, "remaining_minor": 4000, "status": "active",
        "placed_at": "2026-01-05T09:30:00Z", "expires_at": None,
    }  # fmt: skip
    return (
        Operation(
            "POST", "/v1/holds", "place_hold", "Holds", Scope.HOLDS_WRITE, "Place a hold", place,
            {201: wire.Outcome, 200: wire.Outcome}, body=wire.NewHold,
            refusals=(
                LedgerRefusal.AMOUNT_IS_ZERO, LedgerRefusal.AMOUNT_IS_NEGATIVE, LedgerRefusal.AMOUNT_OUT_OF_RANGE,
                LedgerRefusal.HOLD_ID_REUSED, LedgerRefusal.HOLD_EXPIRY_IN_PAST, LedgerRefusal.ASSET_NOT_FOUND,
                LedgerRefusal.ACCOUNT_NOT_FOUND, LedgerRefusal.ASSET_DIFFERS, LedgerRefusal.ACCOUNT_CLOSED,
                LedgerRefusal.ACCOUNT_FROZEN, LedgerRefusal.INSUFFICIENT_FUNDS, LedgerRefusal.BALANCE_OUT_OF_RANGE,
            ),
            description="201 when it was placed now; 200 with `Idempotent-Replayed: true` when it was before.",
            body_example={"id": id, "account": 1001, "asset": "CZK", "amount_minor": 4000},
            answer_example=outcome,
        ),
        Operation(
            "POST", "/v1/holds/release", "release_hold", "Holds", Scope.HOLDS_WRITE, "Give back what is left of a hold",
            release, {200: wire.Outcome}, body=wire.Release,
            refusals=(LedgerRefusal.ACCOUNT_NOT_FOUND, LedgerRefusal.HOLD_NOT_FOUND, LedgerRefusal.HOLD_ENDED),
            body_example={"account": 1001, "hold": id}, answer_example=outcome,
        ),
        Operation(
            "GET", "/v1/accounts/{account}/holds", "list_holds", "Holds", Scope.HOLDS_READ,
            "List the holds of an account", list_page, {200: wire.HoldPage}, parameters=HoldList,
            refusals=(ApiRefusal.CURSOR_MALFORMED, LedgerRefusal.ACCOUNT_NOT_FOUND),
            answer_example={"holds": [shown], "cursor": None}, path_example={"account": 1001},
        ),
        Operation(
            "GET", "/v1/accounts/{account}/holds/{hold}", "read_hold", "Holds", Scope.HOLDS_READ, "Read a hold",
            read_one, {200: wire.Hold}, parameters=OneHold, refusals=(LedgerRefusal.HOLD_NOT_FOUND,),
            answer_example=shown, path_example={"account": 1001, "hold": id},
        ),
    )  # fmt: skip


OPERATIONS = _operations()
