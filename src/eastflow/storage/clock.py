"""The clock of the house: one for all rooms, so that what is written by one is not before what another wrote."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


class _Forward:
    """The clock of the machine, except that it never goes back: it stands still until it has caught up. So an
    account's postings stay booked in the order of their time when somebody sets the machine's clock."""

    def __init__(self) -> None:
        self._latest = datetime.min.replace(tzinfo=UTC)

    def not_before(self, at: datetime) -> datetime:
        self._latest = max(self._latest, at)
        return self._latest


_forward = _Forward()


def now() -> datetime:
    return _forward.not_before(datetime.now(UTC))


def go_on_from(written: datetime) -> None:
    """What is written from now on is not written before this."""
    _forward.not_before(written)
