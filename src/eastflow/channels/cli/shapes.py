"""The nouns of the rooms below as JSON has them, in the same shape as over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import msgspec

from eastflow.branch import Journal, Stock, Voucher
from eastflow.customers import ClassedAccount, Record
from eastflow.flows import Application
from eastflow.kernel import Refusal
from eastflow.ledger import Balance, BookedEntry, Done, Proof, Statement, TrialBalance, accounts
from eastflow.operations import DayEnd
from eastflow.storage import Transaction
from eastflow.webhooks import Delivery, DeliveryStatus, Endpoint, Event

Data = dict[str, object]


def balance_data(found: Balance) -> Data:
    return {
        "account": found.account,
        "posted_minor": found.posted_minor,
        "held_minor": found.held_minor,
        "floor_minor": found.floor_minor,
        "available_minor": found.available_minor,
        "sequence": found.sequence,
    }


def done_data(done: Done) -> Data:
    balances = [balance_data(each) for each in done.balances]
    return {"id": done.id, "booked_at": done.booked_at, "replayed": done.replayed, "balances": balances}


def refusal_data(refusal: Refusal) -> Data:
    plain = {name: fact if isinstance(fact, int | None) else str(fact) for name, fact in refusal.facts.items()}
    return {"refused": refusal.code.value, "facts": plain}


async def assets_of(tx: Transaction, entries: Sequence[BookedEntry]) -> dict[int, str]:
    """The asset of every account in these entries."""
    found = await accounts(tx, sorted({account for entry in entries for account in entry.accounts}))
    return {number: account.asset for number, account in found.items()}


def entry_data(entry: BookedEntry, assets: Mapping[int, str]) -> Data:
    legs = zip(entry.accounts, entry.amounts_minor, entry.sequences, strict=True)
    return {
        "id": entry.id,
        "kind": entry.kind,
        "value_date": entry.value_date,
        "booked_at": entry.booked_at,
        "postings": [
            {"account": account, "asset": assets[account], "amount_minor": amount, "sequence": sequence}
            for account, amount, sequence in legs
        ],
        "memo": entry.memo,
        "details": entry.details,
        "reverses": entry.reverses,
        "capture": entry.capture,
    }


def statement_data(page: Statement) -> Data:
    lines = [
        {
            "sequence": line.posting.sequence,
            "entry": line.posting.entry,
            "kind": line.kind,
            "memo": line.memo,
            "amount_minor": line.posting.amount_minor,
            "balance_minor": line.balance_minor,
            "booked_at": line.posting.booked_at,
            "value_date": line.posting.value_date,
        }
        for line in page.lines
    ]
    return {
        "account": page.account,
        "basis": page.basis.value,
        "since": page.since,
        "until": page.until,
        "opening_minor": page.opening_minor,
        "closing_minor": page.closing_minor,
        "lines": lines,
        "cursor": page.cursor,
    }


def trial_balance_data(found: TrialBalance) -> Data:
    return {
        "at": found.at,
        "business_date": found.day,
        "balanced": found.balanced,
        "differences_minor": found.differences_minor,
        "positions": found.positions,
    }


def proof_data(proof: Proof) -> Data:
    return {
        "proved": proof.proved,
        "entries": proof.entries,
        "postings": proof.postings,
        "accounts": proof.accounts,
        "blocks": proof.blocks,
        "findings_count": proof.findings_count,
        "findings": proof.findings,
        "heads": heads_data(proof.heads),
    }


def day_end_data(found: DayEnd) -> Data:
    return {"date": found.date, "state": found.state.value, "steps": found.steps}


def heads_data(heads: Mapping[int, tuple[int, str]]) -> Data:
    """By chain; in a file they are the anchors of a later proof."""
    return {str(chain): {"block": number, "hash": digest} for chain, (number, digest) in heads.items()}


def webhook_data(found: Endpoint) -> Data:
    return {
        "id": found.id,
        "url": found.url,
        "kinds": None if found.kinds is None else sorted(found.kinds),
        "accounts": None if found.accounts is None else sorted(found.accounts),
        "created_at": found.created_at,
        "disabled_at": found.disabled_at,
    }


def delivery_data(found: Delivery) -> Data:
    return {
        "position": found.position,
        "event": found.event,
        "type": found.event_type,
        "accounts": sorted(found.accounts),
        "status": found.status.value,
        "attempts": found.attempts,
        "next_attempt_at": found.next_attempt_at if found.status is DeliveryStatus.PENDING else None,
        "last_status": found.last_status,
    }


def event_data(found: Event) -> Data:
    """What a webhook's body has, and its `webhook-id`."""
    return {"id": found.id, **msgspec.json.decode(found.payload)}


def class_data(found: ClassedAccount) -> Data:
    return {
        "account": found.account,
        "party": found.party,
        "account_class": found.account_class.value,
        "since": found.since,
        "until": found.until,
        "opened_by": found.opened_by.value,
        "face_to_face": found.face_to_face,
        "bound": sorted(found.bound),
    }


def record_data(found: Record) -> Data:
    return {
        "number": found.number,
        "kind": type(found.content).__name__,
        "content": msgspec.to_builtins(found.content),
        "added_at": found.added_at,
        "added_by": found.added_by,
        "ended_at": found.ended_at,
        "ended_by": found.ended_by,
    }


def stock_data(found: Stock) -> Data:
    return {
        "place": found.place,
        "account": found.account,
        "cash": found.cash,
        "amount_minor": found.cash.amount_minor,
        "counted": found.counted,
    }


def voucher_data(found: Voucher) -> Data:
    return {
        "id": found.id,
        "kind": found.kind.value,
        "session": found.session,
        "teller": found.teller,
        "place": found.place,
        "cash": found.cash,
        "change_minor": found.change_minor,
        "account": found.account,
        "status": found.status.value,
        "asked_at": found.asked_at,
        "expires_at": found.expires_at,
        "ended_by": found.ended_by,
        "ended_at": found.ended_at,
        "closes": found.closes,
        "reverses": found.reverses,
        "reversed_by": found.reversed_by,
    }


def journal_data(found: Journal) -> Data:
    return {
        "session": found.session,
        "opening": found.opening,
        "closing": found.closing,
        "totals": found.totals,
        "vouchers": [voucher_data(each) for each in found.vouchers],
        "transfers": found.transfers,
    }


def application_data(found: Application, today: date) -> Data:
    return {
        "id": found.id,
        "reference": found.reference,
        "parts": found.parts,
        "missing": found.missing,
        "begun_at": found.begun_at,
        "expires_on": found.expires_on,
        "status": found.status_on(today).value,
        "account": found.account,
    }
