"""The hash of a block: over the block before it and the exact rows of its entries (FIPS 180-4, SHA-256)."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable


def block_hash(
    previous: bytes, chain: int, number: int, booked_at: int, sequences: bytes, entry_rows: Iterable[bytes]
) -> bytes:
    """`booked_at` in microseconds since 2000; `sequences` of all legs, 8 bytes each, big-endian; rows as
    `encoding.entry_rows` makes them, in the order of the block."""
    digest = hashlib.sha256(previous)
    digest.update(struct.pack(">qqq", chain, number, booked_at))
    digest.update(sequences)
    for row in entry_rows:
        digest.update(row)
    return digest.digest()
