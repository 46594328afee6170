"""What an installation may set about the HTTP channel."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Rates are per key and per process, those of wrong keys per address and process: so many at once, then one each
    `wrong_key_seconds`. A key's standing is read again after `key_cache_milliseconds`."""

    body_bytes_max: int = 8 << 20
    requests_per_second_max: int = 20_000
    requests_burst: int = 20_000
    wrong_keys_burst: int = 30
    wrong_key_seconds: int = 6
    key_cache_milliseconds: int = 2_000
    sweep_milliseconds: int = 3_000
    unavailable_retry_seconds: int = 1
