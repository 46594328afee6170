"""What is asked of the books, and what they answer: statements, searches, the trial balance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    """One asset at one place of the chart. `signed_minor` is credit positive, whatever the place's own side.

    `accounts` is None where they were not counted: in the books of a closed day.
    """

    chart: str
    asset: str
    signed_minor: int
    accounts: int | None


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """`positions` are rolled up: each place of the chart holds what stands at and below it.

    They are as booked `at` a moment, as kept at the end of a `day`, or, with neither, as of now.
    """

    at: datetime | None
    positions: tuple[Position, ...]
    differences_minor: Mapping[str, int]
    day: date | None = None

    @property
    def balanced(self) -> bool:
        return not any(self.differences_minor.values())


@dataclass(frozen=True, slots=True)
class ClosedBooks:
    """The books at the end of a day, and what was found wrong in them.

    `astray` are some of the accounts that do not stand where their last posting left them, if any do not.
    `miscounted_minor` is by chart and asset what the balances come to, less what was booked.
    """

    trial: TrialBalance
    astray: tuple[int, ...] = ()
    miscounted_minor: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        return self.trial.balanced and not self.astray and not self.miscounted_minor


def trial_balance(at: datetime | None, leaves: Sequence[Position], day: date | None = None) -> TrialBalance:
    """Roll the leaves up to every place above them; debits and credits of each asset must cancel out."""
    rolled: dict[tuple[str, str], tuple[int, int | None]] = {}
    differences: dict[str, int] = {}
    for leaf in leaves:
        differences[leaf.asset] = differences.get(leaf.asset, 0) + leaf.signed_minor
        path = leaf.chart.split(":")
        for depth in range(1, len(path) + 1):
            key = leaf.asset, ":".join(path[:depth])
            signed, accounts = rolled.get(key, (0, 0))
            counted = None if accounts is None or leaf.accounts is None else accounts + leaf.accounts
            rolled[key] = signed + leaf.signed_minor, counted
    positions = tuple(Position(chart, asset, *rolled[asset, chart]) for asset, chart in sorted(rolled))
    return TrialBalance(at, positions, differences, day)


def moved(before: Sequence[Position], changes: Sequence[Position]) -> list[Position]:
    """Where the leaves stand after changes, of which a place may have several."""
    signed: dict[tuple[str, str], int] = {}
    for each in (*before, *changes):
        key = each.chart, each.asset
        signed[key] = signed.get(key, 0) + each.signed_minor
    return [Position(chart, asset, amount, None) for (chart, asset), amount in sorted(signed.items())]


def miscounted(counted: Sequence[Position], booked: Sequence[Position]) -> dict[tuple[str, str], int]:
    """By chart and asset, what was counted less what was booked, where that is not zero."""
    less = [replace(each, signed_minor=-each.signed_minor) for each in booked]
    return {(each.chart, each.asset): each.signed_minor for each in moved(counted, less) if each.signed_minor}
