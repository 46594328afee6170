"""Who may be erased, and from which day on."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from eastflow.kernel import Refusal

from ..model import Party, PartyKind, Role, RoleKind
from ..refusals import CustomersRefusal as Why
from .decide import decide_erasure

ANN = Party(UUID(int=1), PartyKind.PERSON, "Ann", date(2010, 2, 1))
ENDED = Role(ANN.id, 7, RoleKind.OWNER, date(2010, 2, 1), date(2016, 2, 29))
OPEN = Role(ANN.id, 8, RoleKind.OWNER, date(2010, 2, 1))
TODAY = date(2026, 2, 28)

# Each row also breaks the rules of every row below it.
TABLE = [
    (lambda: decide_erasure(None, ANN.id, [OPEN], TODAY), Why.PARTY_NOT_FOUND),
    (lambda: decide_erasure(ANN, ANN.id, [ENDED, OPEN], TODAY), Why.ROLE_STANDS),
    (lambda: decide_erasure(ANN, ANN.id, [ENDED], TODAY), Why.RETENTION_RUNS),
    (lambda: decide_erasure(ANN, ANN.id, [ENDED], date(2024, 1, 1)), None),
    (lambda: decide_erasure(ANN, ANN.id, [ENDED], date(2026, 3, 1)), None),
    (lambda: decide_erasure(ANN, ANN.id, [], date(2020, 1, 31)), None),
]


@pytest.mark.parametrize(("decision", "expected"), TABLE)
def test_decisions(decision: object, expected: object) -> None:
    got = decision()  # type: ignore[operator]
    assert (got.code if isinstance(got, Refusal) else got) == expected


@pytest.mark.parametrize("day", [date(9999, 12, 31), date(9995, 2, 28)])
def test_the_calendar_ends(day: date) -> None:
    late = Role(ANN.id, 7, RoleKind.OWNER, date(2010, 2, 1), day)
    answer = decide_erasure(ANN, ANN.id, [late], date.max)
    assert answer is None or answer.facts["kept_until"] == date.max
