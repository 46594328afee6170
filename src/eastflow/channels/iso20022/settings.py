"""Who this bank is to others, and where they are reached."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from .model import bank_code


@dataclass(frozen=True, slots=True)
class Iso20022Settings:
    """`bank` and `clearing_bank` are BICs or members' numbers; those used unless set are nobody's.

    `clearing` is the name of the API key by which the clearing calls, and under which its messages are kept. Without a
    `clearing_url` nothing is sent, and what waits goes on waiting. `clearing_secret` goes along as a bearer token.
    With `clearing_header` whatever is written to the clearing has a business application header.
    """

    bank: str = "EASTFLOW"
    clearing: str = "clearing"
    clearing_bank: str = "CLEARING"
    clearing_url: str | None = None
    clearing_secret: str | None = None
    clearing_header: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Iso20022Settings:
        usual = cls()
        return cls(
            bank=bank_code(environment.get("EASTFLOW_BANK") or usual.bank),
            clearing=environment.get("EASTFLOW_CLEARING") or usual.clearing,
            clearing_bank=bank_code(environment.get("EASTFLOW_CLEARING_BANK") or usual.clearing_bank),
            clearing_url=environment.get("EASTFLOW_CLEARING_URL") or None,
            clearing_secret=environment.get("EASTFLOW_CLEARING_SECRET") or None,
            clearing_header=environment.get("EASTFLOW_CLEARING_HEADER") == "1",
        )
