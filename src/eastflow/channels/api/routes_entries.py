"""`/v1/entries`: posting one or many, reversing, reading and searching."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date
from uuid import UUID

from msgspec import Struct

from eastflow import ledger
from eastflow.kernel import Refusal, RefusalCode
from eastflow.ledger import LedgerRefusal, actions
from eastflow.storage import Transaction

from . import wire
from .keys import Scope
from .operation import REPLAYED, Answer, Call, Operation
from .problems import problem
from .refusals import ApiRefusal

SLICE_ENTRIES = 500
ENTRY_ID = "019b8f2e-7c00-7000-8000-000000000001"
_NOT_OF_AN_ENTRY = {
    LedgerRefusal.BATCH_TOO_LARGE,
    LedgerRefusal.ASSET_MALFORMED,
    LedgerRefusal.FLOOR_OUT_OF_RANGE,
    LedgerRefusal.AMOUNT_IS_NEGATIVE,
    LedgerRefusal.HOLD_ID_REUSED,
    LedgerRefusal.ACCOUNT_ID_REUSED,
    LedgerRefusal.ASSET_SCALE_DIFFERS,
    LedgerRefusal.HOLD_EXPIRY_IN_PAST,
    LedgerRefusal.ACCOUNT_NOT_EMPTY,
    LedgerRefusal.LINKED_ENTRY_REFUSED,
}
ENTRY_REFUSALS: tuple[RefusalCode, ...] = tuple(code for code in LedgerRefusal if code not in _NOT_OF_AN_ENTRY)


class OneEntry(Struct, frozen=True, forbid_unknown_fields=True):
    id: UUID


class EntrySearch(Struct, frozen=True, forbid_unknown_fields=True):
    """All that is given must hold. Amounts are of one leg, without sign. `details[key]=value`, also written
    `details.key=value`, asks for a detail. A cursor keeps the search of its first page."""

    account: wire.PathAccount | None = None
    kind: wire.QueryText | None = None
    booked_from: wire.Moment | None = None
    booked_before: wire.Moment | None = None
    valued_from: date | None = None
    valued_through: date | None = None
    amount_min: wire.QueryMinor | None = None
    amount_max: wire.QueryMinor | None = None
    details: dict[wire.QueryText, wire.QueryText] = {}
    limit: wire.Limit = 100
    cursor: wire.Cursor | None = None


async def post_one(call: Call) -> Answer | Refusal:
    return answered(await call.services.engine.post(wire.entry(call.body)))


def answered(outcome: ledger.Outcome) -> Answer | Refusal:
    if isinstance(outcome, Refusal):
        return outcome
    if outcome.replayed:
        return Answer(wire.outcome(outcome), 200, REPLAYED)
    return Answer(wire.outcome(outcome), 201)


async def post_many(call: Call) -> Answer | Refusal:
    new: list[wire.NewEntry] = call.body.entries
    if len(new) > ledger.BATCH_COMMANDS_MAX:
        facts = {"commands": len(new), "commands_max": ledger.BATCH_COMMANDS_MAX}
        return Refusal(LedgerRefusal.BATCH_TOO_LARGE, facts)
    entries: list[ledger.Entry] = []
    for start in range(0, len(new), SLICE_ENTRIES):
        entries += [wire.entry(each) for each in new[start : start + SLICE_ENTRIES]]
        # A large batch lets the small requests beside it through.
        await asyncio.sleep(0)
    outcomes = await call.services.engine.post_batch(entries)
    answers: list[wire.BatchOutcome] = []
    for place, entry in enumerate(entries):
        answers.append(_in_batch(entry.id, outcomes[place], call.language))
        if place % SLICE_ENTRIES == SLICE_ENTRIES - 1:
            await asyncio.sleep(0)
    return Answer(wire.BatchOutcomes(answers))


def _in_batch(id: UUID, outcome: ledger.Outcome, language: str) -> wire.BatchOutcome:
    if isinstance(outcome, Refusal):
        return wire.BatchOutcome(id, "refused", problem=problem(outcome, language))
    return wire.BatchOutcome(id, "replayed" if outcome.replayed else "posted", outcome.booked_at)


async def reverse(call: Call) -> Answer | Refusal:
    original: UUID = call.parameters.id
    asked: wire.NewReversal = call.body
    async with call.database.reading() as tx:
        booked = await ledger.entry(tx, original)
        if booked is None:
            return Refusal(LedgerRefusal.ENTRY_NOT_FOUND, {"id": original})
        assets = await _assets_of(tx, [booked])
    return answered(await call.engine.post(actions.reversal_of(booked, assets, id=asked.id, memo=asked.memo)))


async def read_one(call: Call) -> Answer | Refusal:
    id: UUID = call.parameters.id
    async with call.database.reading() as tx:
        booked = await ledger.entry(tx, id)
        if booked is None:
            return Refusal(LedgerRefusal.ENTRY_NOT_FOUND, {"id": id})
        return Answer(wire.booked_entry(booked, await _assets_of(tx, [booked])))


async def search(call: Call) -> Answer | Refusal:
    asked: EntrySearch = call.parameters
    days = asked.booked_from, asked.booked_before, asked.valued_from, asked.valued_through
    if refusal := wire.check_years(*days):
        return refusal
    async with call.database.reading() as tx:
        if asked.cursor is not None:
            page = await ledger.search_after(tx, asked.cursor, limit=asked.limit)
        else:
            wanted = ledger.EntryFilter(
                asked.account, asked.kind, *days, asked.amount_min, asked.amount_max, asked.details
            )  # fmt: skip
            page = await ledger.search(tx, wanted, limit=asked.limit)
        assets = await _assets_of(tx, page.entries)
    return Answer(wire.EntryPage([wire.booked_entry(each, assets) for each in page.entries], page.cursor))


async def _assets_of(
    tx: Transaction, entries: list[ledger.BookedEntry] | tuple[ledger.BookedEntry, ...]
) -> dict[int, str]:
    numbers = {number for entry in entries for number in entry.accounts}
    found: Mapping[int, ledger.Account] = await ledger.accounts(tx, list(numbers)) if numbers else {}
    return {number: account.asset for number, account in found.items()}


def _operations() -> tuple[Operation, ...]:
    legs = [
        {"account": 1001, "asset": "CZK", "amount_minor": -12500},
        {"account": 1002, "asset": "CZK", "amount_minor": 12500},
    ]
    new = {
        "id": ENTRY_ID, "kind": "transfer", "value_date": "2026-01-05", "postings": legs, "memo": "rent",
        "details": {"reference": "2026-01"},
    }  # fmt: skip
    balance = {
        "account": 1001, "posted_minor": 87500, "held_minor": 0, "floor_minor": 0, "available_minor": 87500,
        "sequence": 4,
    }  # fmt: skip
    outcome = {"id": ENTRY_ID, "booked_at": "2026-01-05T09:30:00Z", "replayed": False, "balances": [balance]}
    booked = {
        **new, "booked_at": "2026-01-05T09:30:00Z", "reverses": None, "capture": None,
        "postings": [{**legs[0], "sequence": 4}, {**legs[1], "sequence": 9}],
    }  # fmt: skip
    once = "201 when it was booked now; 200 with `Idempotent-Replayed: true` when the same id was booked before."
    one = {"id": ENTRY_ID}
    return (
        Operation(
            "POST", "/v1/entries", "post_entry", "Entries", Scope.ENTRIES_WRITE, "Post an entry", post_one,
            {201: wire.Outcome, 200: wire.Outcome}, body=wire.NewEntry, refusals=ENTRY_REFUSALS,
            description=f"Durable when answered. {once} A capture is an entry with `capture`.",
            body_example=new, answer_example=outcome,
        ),
        Operation(
            "POST", "/v1/entries/batch", "post_entries", "Entries", Scope.ENTRIES_WRITE,
            "Post up to 10,000 entries", post_many, {200: wire.BatchOutcomes}, body=wire.NewEntries,
            refusals=(LedgerRefusal.BATCH_TOO_LARGE,),
            description="Judged in order; a refused entry does not stop the others; a linked group passes or fails "
            "whole. Each refused entry carries its problem.",
            body_example={"entries": [new]},
            answer_example={
                "outcomes": [{"id": ENTRY_ID, "status": "posted", "booked_at": "2026-01-05T09:30:00Z"}]
            },
        ),
        Operation(
            "GET", "/v1/entries", "search_entries", "Entries", Scope.ENTRIES_READ, "Search the entries, newest first",
            search, {200: wire.EntryPage}, parameters=EntrySearch, refusals=(ApiRefusal.CURSOR_MALFORMED,),
            description=" ".join((EntrySearch.__doc__ or "").split()), takes_details=True,
            answer_example={"entries": [booked], "cursor": None},
        ),
        Operation(
            "GET", "/v1/entries/{id}", "read_entry", "Entries", Scope.ENTRIES_READ, "Read an entry", read_one,
            {200: wire.BookedEntry}, parameters=OneEntry, refusals=(LedgerRefusal.ENTRY_NOT_FOUND,),
            answer_example=booked, path_example=one,
        ),
        Operation(
            "POST", "/v1/entries/{id}/reversal", "reverse_entry", "Entries", Scope.ENTRIES_WRITE, "Reverse an entry",
            reverse, {201: wire.Outcome, 200: wire.Outcome}, parameters=OneEntry, body=wire.NewReversal,
            refusals=ENTRY_REFUSALS, path_example=one,
            description=f"Books every leg with the opposite sign, on the same value date. {once}",
            body_example={"id": "019b8f2e-7c00-7000-8000-000000000002", "memo": "sent twice"},
            answer_example={**outcome, "id": "019b8f2e-7c00-7000-8000-000000000002"},
        ),
    )  # fmt: skip


OPERATIONS = _operations()
