"""What is asked of the books, and what they answer: statements, searches, the trial balance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum

from .model import BookedEntry, BookedPosting


class Basis(Enum):
    """Whether a posting counts from when it was booked, or from its value date."""

    BOOKED = "booked"
    VALUED = "valued"


@dataclass(frozen=True, slots=True)
class StatementLine:
    """`balance_minor` runs in the order of the statement's basis."""

    posting: BookedPosting
    balance_minor: int
    kind: str
    memo: str | None


@dataclass(frozen=True, slots=True)
class Statement:
    """One page. Opening and closing are of the whole period; `cursor` asks for the next page, None at the end."""

    account: int
    basis: Basis
    since: date
    until: date
    opening_minor: int
    closing_minor: int
    lines: tuple[StatementLine, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """All that is given must hold. Amounts are of one leg, without sign; dates are included, `booked_before` is not."""

    account: int | None = None
    kind: str | None = None
    booked_from: datetime | None = None
    booked_before: datetime | None = None
    valued_from: date | None = None
    valued_through: date | None = None
    amount_minor_min: int | None = None
    amount_minor_max: int | None = None
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EntryPage:
    entries: tuple[BookedEntry, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Position:
    """One asset at one place of the chart. `signed_minor` is credit positive, whatever the place's own side."""

    chart: str
    asset: str
    signed_minor: int
    accounts: int


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """`positions` are rolled up: each place of the chart holds what stands at and below it."""

    at: datetime | None
    positions: tuple[Position, ...]
    differences_minor: Mapping[str, int]

    @property
    def balanced(self) -> bool:
        return not any(self.differences_minor.values())


def trial_balance(at: datetime | None, leaves: Sequence[Position]) -> TrialBalance:
    """Roll the leaves up to every place above them; debits and credits of each asset must cancel out."""
    rolled: dict[tuple[str, str], tuple[int, int]] = {}
    differences: dict[str, int] = {}
    for leaf in leaves:
        differences[leaf.asset] = differences.get(leaf.asset, 0) + leaf.signed_minor
        path = leaf.chart.split(":")
        for depth in range(1, len(path) + 1):
            key = leaf.asset, ":".join(path[:depth])
            signed, accounts = rolled.get(key, (0, 0))
            rolled[key] = signed + leaf.signed_minor, accounts + leaf.accounts
    positions = tuple(Position(chart, asset, *rolled[asset, chart]) for asset, chart in sorted(rolled))
    return TrialBalance(at, positions, differences)
