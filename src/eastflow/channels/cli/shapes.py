"""The ledger's nouns as JSON has them, in the same shape as over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eastflow.kernel import Refusal
from eastflow.ledger import Balance, BookedEntry, Done, Proof, Statement, TrialBalance, accounts
from eastflow.storage import Transaction

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
        "heads": {str(chain): {"block": number, "hash": digest} for chain, (number, digest) in proof.heads.items()},
    }
