"""What a proof of the books finds wrong, and where: stable codes for programs, a place and a sentence for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

FINDINGS_PER_CODE_MAX = 100
"""Of each code so many are kept in full and all are counted, so that a flood of one kind hides no other."""


class FindingCode(StrEnum):
    # Of the chain.
    BLOCK_HASH_DIFFERS = "block_hash_differs"
    BLOCK_MISSING = "block_missing"
    CHAIN_HEAD_DIFFERS = "chain_head_differs"
    ANCHOR_DIFFERS = "anchor_differs"
    ENTRY_WITHOUT_BLOCK = "entry_without_block"
    ENTRY_COUNT_DIFFERS = "entry_count_differs"
    ENTRY_MISSING = "entry_missing"
    # Of entries by themselves.
    ENTRY_MALFORMED = "entry_malformed"
    ENTRY_UNBALANCED = "entry_unbalanced"
    REVERSAL_DIFFERS = "reversal_differs"
    # Of entries against postings.
    POSTING_MISSING = "posting_missing"
    POSTING_DIFFERS = "posting_differs"
    POSTING_WITHOUT_ENTRY = "posting_without_entry"
    LEG_REPEATED = "leg_repeated"
    # Of the postings of an account.
    SEQUENCE_GAP = "sequence_gap"
    BALANCE_AFTER_DIFFERS = "balance_after_differs"
    BOOKED_OUT_OF_ORDER = "booked_out_of_order"
    # Of accounts.
    ACCOUNT_MISSING = "account_missing"
    ACCOUNT_DIFFERS = "account_differs"
    STANDING_DIFFERS = "standing_differs"
    BALANCE_DIFFERS = "balance_differs"
    TRIAL_BALANCE_DIFFERS = "trial_balance_differs"
    # Of holds.
    HELD_DIFFERS = "held_differs"
    HOLD_DIFFERS = "hold_differs"
    CAPTURE_DIFFERS = "capture_differs"


Fact = int | str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """`facts` holds the parts of the place by name, and what was expected and found."""

    code: FindingCode
    place: str
    message: str
    facts: Mapping[str, Fact]


class Findings:
    """Collects findings: counts all, keeps the first of each code."""

    def __init__(self) -> None:
        self._kept: dict[FindingCode, list[Finding]] = {}
        self._counts: dict[FindingCode, int] = {}

    def add(self, code: FindingCode, message: str, where: Mapping[str, Fact], **facts: Fact) -> None:
        self._counts[code] = self._counts.get(code, 0) + 1
        kept = self._kept.setdefault(code, [])
        if len(kept) < FINDINGS_PER_CODE_MAX:
            place = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in where.items())
            kept.append(Finding(code, place, message, {**where, **facts}))

    def add_each(self, code: FindingCode, count: int, rows: Iterable[int], add: Callable[[int], None]) -> None:
        """`add` is called for as many of the `count` rows as are still kept; the others are only counted."""
        room = max(FINDINGS_PER_CODE_MAX - len(self._kept.get(code, ())), 0)
        for _, row in zip(range(room), rows, strict=False):
            add(int(row))
        if count > room:
            self._counts[code] = self._counts.get(code, 0) + count - room

    def count(self, code: FindingCode, more: int) -> None:
        if more:
            self._counts[code] = self._counts.get(code, 0) + more

    def kept(self) -> tuple[Finding, ...]:
        return tuple(finding for code in FindingCode for finding in self._kept.get(code, ()))

    def counts(self) -> dict[FindingCode, int]:
        return {code: self._counts[code] for code in FindingCode if code in self._counts}
