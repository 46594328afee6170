"""Token buckets, one for each holder, kept as one number: the moment at which the bucket will be full again."""

from __future__ import annotations

import time
from collections.abc import Hashable

NANOSECONDS_PER_SECOND = 1_000_000_000
HOLDERS_MAX = 100_000


class Buckets:
    """A token comes back every `interval_nanoseconds`, up to `depth` of them. When there are too many holders to
    remember, all are forgotten, and begin with full buckets."""

    def __init__(self, interval_nanoseconds: int, depth: int, *, holders_max: int = HOLDERS_MAX) -> None:
        self._interval = interval_nanoseconds
        self._depth = interval_nanoseconds * depth
        self._holders_max = holders_max
        self._full_at: dict[Hashable, int] = {}

    def take(self, holder: Hashable) -> int:
        """0 when a token was taken, else the whole seconds until there is one."""
        now = time.monotonic_ns()
        full_at = max(self._full_at.get(holder, 0), now) + self._interval
        if full_at - now > self._depth:
            return -(-(full_at - now - self._depth) // NANOSECONDS_PER_SECOND)
        if len(self._full_at) >= self._holders_max and holder not in self._full_at:
            self._full_at.clear()
        self._full_at[holder] = full_at
        return 0
