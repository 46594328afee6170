"""Identifiers: ordered by time, built from a moment and randomness that the caller supplies; and the bank's own."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Of a UUID, the bits that are its own, and those that say its version and variant.
_FREE_BITS = ~(0xF << 76 | 0b11 << 62)
_VERSION_8 = 8 << 76 | 0b10 << 62


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


def own_id(sixteen: bytes) -> UUID:
    """The id, of version 8 (RFC 9562 §5.8), of what the bank does by itself: made of what it is of, it is done once
    whoever comes to it. Nobody else may choose one (`is_own_id`), or they could do beforehand what it would."""
    assert len(sixteen) == 16, "128 bits, of which 122 are kept"
    return UUID(int=int.from_bytes(sixteen) & _FREE_BITS | _VERSION_8)


def is_own_id(id: UUID) -> bool:
    return id.version == 8
