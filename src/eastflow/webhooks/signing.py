"""Signatures as Standard Webhooks has them: HMAC-SHA256 over id, time and body, one for each secret in force."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

SECRET_PREFIX = "whsec_"
SECRET_RANDOM_BYTES = 32
"""Standard Webhooks asks for 24 to 64."""


def secret_from(random: bytes) -> str:
    assert len(random) == SECRET_RANDOM_BYTES, "a secret is 32 random bytes"
    return SECRET_PREFIX + base64.b64encode(random).decode()


def headers(secrets: Sequence[str], id: str, unix_seconds: int, body: bytes) -> dict[str, str]:
    """The time is that of the attempt, so that an old message sent again by a stranger is known for old."""
    signatures = " ".join(signature(secret, id, unix_seconds, body) for secret in secrets)
    return {"webhook-id": id, "webhook-timestamp": str(unix_seconds), "webhook-signature": signatures}


def signature(secret: str, id: str, unix_seconds: int, body: bytes) -> str:
    assert "." not in id, "a dot in the id would let it pass for part of the time"
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    digest = hmac.new(key, f"{id}.{unix_seconds}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()
