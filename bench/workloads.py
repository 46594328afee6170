"""Who pays whom: accounts picked evenly, by Zipf's law, or with one of a few hot ones; and entries made of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from eastflow.ledger import Entry, Posting, actions

ASSET = "CZK"
KIND = "transfer"
HOT_ACCOUNTS = 50
ZIPF_EXPONENT = 1.0
AMOUNT_MINOR_MAX = 1_000

Numbers = npt.NDArray[np.int64]


class Workload(Protocol):
    """`pairs` draws that many pairs of different accounts: who is debited, who is credited."""

    name: str
    skew: str

    def pairs(self, count: int) -> tuple[Numbers, Numbers]: ...


class Uniform:
    """Every account is as likely as any other, on both sides."""

    def __init__(self, accounts: int, *, first: int = 1, seed: int = 1, name: str = "uniform") -> None:
        self.name = name
        self.skew = "uniform on both sides"
        self._accounts, self._first = accounts, first
        self._random = np.random.default_rng(seed)

    def pairs(self, count: int) -> tuple[Numbers, Numbers]:
        return _different(self.draw, count)

    def draw(self, count: int) -> Numbers:
        return self._random.integers(self._first, self._first + self._accounts, size=count, dtype=np.int64)


class Zipf:
    """The account of rank r is 1/r as likely as the first, on both sides; ranks are scattered over the numbers."""

    def __init__(self, accounts: int, *, first: int = 1, seed: int = 1) -> None:
        self.name = "zipf"
        self.skew = f"zipf {ZIPF_EXPONENT} on both sides, ranks scattered over the accounts"
        self._random = np.random.default_rng(seed)
        self._shares = np.cumsum(np.arange(1, accounts + 1, dtype=np.float64) ** -ZIPF_EXPONENT)
        self._numbers: Numbers = self._random.permutation(accounts).astype(np.int64) + first

    def pairs(self, count: int) -> tuple[Numbers, Numbers]:
        return _different(self._draw, count)

    def _draw(self, count: int) -> Numbers:
        ranks = np.searchsorted(self._shares, self._random.random(count) * self._shares[-1])
        drawn: Numbers = self._numbers[np.minimum(ranks, len(self._numbers) - 1)]
        return drawn


class Hot:
    """One side of every entry is one of a few hot accounts, the other is any account; which side is even chance."""

    def __init__(self, accounts: int, *, seed: int = 1) -> None:
        self.name = "hot"
        self.skew = f"one side of every entry among {HOT_ACCOUNTS} hot accounts, the other uniform"
        self._random = np.random.default_rng(seed)
        self._uniform = Uniform(accounts, seed=seed + 1)
        self._hot = self._random.choice(accounts, size=min(HOT_ACCOUNTS, accounts // 2), replace=False) + 1

    def pairs(self, count: int) -> tuple[Numbers, Numbers]:
        hot = self._random.choice(self._hot, size=count).astype(np.int64)
        other = self._uniform.draw(count)
        while (same := hot == other).any():
            other[same] = self._uniform.draw(int(same.sum()))
        turned = self._random.random(count) < 0.5
        return np.where(turned, hot, other), np.where(turned, other, hot)


def build_entries(workload: Workload, count: int, day: date | None = None) -> list[Entry]:
    """Entries of two postings, each with a fresh time-ordered id, valued on this day or today."""
    debited, credited = workload.pairs(count)
    amounts = (debited * 31 + credited) % AMOUNT_MINOR_MAX + 1
    value_date = day or datetime.now(UTC).date()
    return [
        Entry(actions.new_id(), KIND, value_date, (Posting(payer, ASSET, -amount), Posting(payee, ASSET, amount)))
        for payer, payee, amount in zip(debited.tolist(), credited.tolist(), amounts.tolist(), strict=True)
    ]


def build_batches(workload: Workload, batches: int, batch_entries: int, day: date | None = None) -> list[list[Entry]]:
    return [build_entries(workload, batch_entries, day) for _ in range(batches)]


def _different(draw: Callable[[int], Numbers], count: int) -> tuple[Numbers, Numbers]:
    one, other = draw(count), draw(count)
    while (same := one == other).any():
        other[same] = draw(int(same.sum()))
    return one, other
