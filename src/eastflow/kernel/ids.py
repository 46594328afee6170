"""Identifiers ordered by time, built from a moment and randomness that the caller supplies."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def unix_milliseconds(at: datetime) -> int:
    elapsed = at - _EPOCH
    return (elapsed.days * 86_400 + elapsed.seconds) * 1_000 + elapsed.microseconds // 1_000


def uuid7(milliseconds: int, random: bytes) -> UUID:
    """A version 7 UUID (RFC 9562 §5.7) of `milliseconds` since 1970 and 10 random bytes."""
    assert 0 <= milliseconds < 1 << 48, "48 bits of time"
    assert len(random) == 10, "80 bits of randomness"
    tail = int.from_bytes(random)
    rand_a, rand_b = tail >> 68, tail & ((1 << 62) - 1)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b)
