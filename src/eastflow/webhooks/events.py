"""Events as the ledger's blocks tell them, in an order that is every account's own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from eastflow import ledger
from eastflow.ledger import BookedEntry
from eastflow.storage import Transaction

from . import decide
from .model import ENTRY_BOOKED, Event, Place

BLOCKS_READ_PER_CHAIN = 50
ENTRIES_READ_PER_CHAIN = 1_000


@dataclass(frozen=True, slots=True)
class EventBlock:
    """The events of one block."""

    chain: int
    number: int
    events: tuple[Event, ...]


async def blocks_after(
    tx: Transaction, place: Place, *, blocks_per_chain: int = BLOCKS_READ_PER_CHAIN
) -> list[EventBlock]:
    """What may be told next. Empty only when there is nothing new: of all blocks not yet read, the first one booked
    has no predecessor among them, and each chain's first is always read."""
    found = await ledger.blocks_after(
        tx, place.numbers, blocks_max=blocks_per_chain, entries_max=ENTRIES_READ_PER_CHAIN
    )
    before = await ledger.blocks_of_postings(tx, decide.places_before(found))
    ordered = decide.in_order(found, place.numbers, before, place.block)
    known = await ledger.accounts(tx, sorted({a for block in ordered for e in block.entries for a in e.accounts}))
    assets = {id: account.asset for id, account in known.items()}
    return [
        EventBlock(block.chain, block.number, tuple(event(entry, assets) for entry in block.entries))
        for block in ordered
    ]


def event(entry: BookedEntry, assets: Mapping[int, str]) -> Event:
    legs = zip(entry.accounts, entry.amounts_minor, entry.sequences, strict=True)
    data = {
        "id": str(entry.id),
        "kind": entry.kind,
        "value_date": entry.value_date.isoformat(),
        "booked_at": _moment(entry.booked_at),
        "postings": [
            {"account": account, "asset": assets[account], "amount_minor": amount, "sequence": sequence}
            for account, amount, sequence in legs
        ],
        "memo": entry.memo,
        "details": dict(entry.details),
        "reverses": None if entry.reverses is None else str(entry.reverses),
    }
    told = {"type": ENTRY_BOOKED, "timestamp": _moment(entry.booked_at), "data": data}
    payload = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return Event(entry.id, ENTRY_BOOKED, entry.kind, frozenset(entry.accounts), payload)


def page(blocks: Sequence[EventBlock], place: Place, limit: int) -> tuple[list[Event], Place]:
    """The next events, at most `limit`, and the place after them, which may lie within a block."""
    numbers = dict(place.numbers)
    given: list[Event] = []
    for block in blocks:
        key = block.chain, block.number
        skipped = place.entries if key == place.block else 0
        taken = block.events[skipped : skipped + limit - len(given)]
        given += taken
        if skipped + len(taken) < len(block.events):
            return given, Place(numbers, key, skipped + len(taken))
        numbers[block.chain] = block.number
    return given, Place(numbers)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
