"""One table walks the refusals of records in order; names are matched; levels and consents are found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eastflow.kernel import Refusal

from ..model import Channel, Party, PartyKind
from ..refusals import CustomersRefusal as Why
from .decide import (
    NameMatch,
    check_content,
    consent_stands,
    decide_end,
    decide_found,
    decide_record,
    key_of,
    level_reached,
    match_names,
    shown_again,
    standing_of,
    worst_risk,
)
from .model import (
    ChannelIdentity,
    Consent,
    ContactKind,
    ContactPoint,
    Content,
    Document,
    DocumentKind,
    Identification,
    IdentificationLevel,
    Record,
    Risk,
    RiskClass,
)

TODAY, YESTERDAY, TOMORROW = date(2026, 3, 1), date(2026, 2, 28), date(2026, 3, 2)
AT = datetime(2026, 3, 1, tzinfo=UTC)
ANN, BOB = UUID(int=1), UUID(int=2)
CARD = Document(DocumentKind.IDENTITY_CARD, "110-101 1990", "CN", TODAY)
LOGIN = ChannelIdentity(Channel.APP, "ann")
CONSENT = Consent("marketing", TODAY, TOMORROW)
PARTY = Party(ANN, PartyKind.PERSON, "Ann Lee", TODAY)


def record(content: Content, number: int = 1) -> Record:
    return Record(number, content, AT, "a test")


def adding(content: Content, *records: Record, claimant: UUID | None = None) -> object:
    return lambda: check_content(content) or decide_record(content, ANN, records, claimant, TODAY)


LATE = replace(CONSENT, granted_on=TOMORROW)
EXPIRED = replace(CARD, expires_on=YESTERDAY)
# Each row also breaks the rules of every row of its own verb below it, where a content can.
TABLE = [
    (adding(replace(EXPIRED, number=" ", country="cn"), claimant=BOB), Why.TEXT_MALFORMED),
    (adding(replace(EXPIRED, number="x" * 65), claimant=BOB), Why.TEXT_MALFORMED),
    (adding(replace(EXPIRED, country="cn"), claimant=BOB), Why.TEXT_MALFORMED),
    (adding(replace(EXPIRED, country="C\0"), claimant=BOB), Why.TEXT_MALFORMED),
    (adding(replace(LOGIN, identifier="\ud800"), claimant=BOB), Why.TEXT_MALFORMED),
    (adding(ContactPoint(ContactKind.PHONE, "\0")), Why.TEXT_MALFORMED),
    (adding(replace(LATE, purpose="")), Why.TEXT_MALFORMED),
    (adding(Risk(RiskClass.LOW, "\0")), Why.TEXT_MALFORMED),
    (adding(replace(LATE, until=TODAY)), Why.PERIOD_REVERSED),
    (adding(EXPIRED, claimant=BOB), Why.DOCUMENT_TAKEN),
    (adding(LOGIN, claimant=BOB), Why.IDENTITY_TAKEN),
    (adding(LATE), Why.GRANTED_IN_FUTURE),
    (adding(EXPIRED), Why.DOCUMENT_EXPIRED),
    (lambda: decide_end([record(CARD)], 2), Why.RECORD_NOT_FOUND),
    (lambda: decide_found(PARTY, replace(PARTY, name="Bo Lee")), Why.DOCUMENT_NAME_DIFFERS),
    (lambda: decide_found(PARTY, replace(PARTY, id=BOB, name="ANN  LEE")), PARTY),
    (lambda: decide_end([record(CARD)], 1), record(CARD)),
    (adding(EXPIRED, record(EXPIRED), claimant=ANN), record(EXPIRED)),
    (adding(CARD, record(EXPIRED), claimant=ANN), None),
    (adding(CARD), None),
    (adding(CONSENT), None),
    (adding(Identification(IdentificationLevel.REMOTE)), None),
]


@pytest.mark.parametrize(("decision", "expected"), TABLE)
def test_decisions(decision: object, expected: object) -> None:
    got = decision()  # type: ignore[operator]
    assert (got.code if isinstance(got, Refusal) else got) == expected


@pytest.mark.parametrize(
    ("asked", "names", "expected"),
    [
        ("ann lee", ["Ann  Lee"], NameMatch.MATCH),
        ("Lee Ann", ["Ann Lee"], NameMatch.CLOSE),
        ("Ann Leee", ["Ann Lee"], NameMatch.CLOSE),
        ("Anm Lee", ["Ann Lee"], NameMatch.CLOSE),
        ("nAn Lee", ["Ann Lee"], NameMatch.CLOSE),
        ("Ann Le", ["Ann Lee"], NameMatch.CLOSE),
        ("Amm Lee", ["Ann Lee"], NameMatch.NO_MATCH),
        ("王芳", ["王伟"], NameMatch.NO_MATCH),
        ("王伟", ["王伟"], NameMatch.MATCH),
        ("Bob", ["Ann Lee", "Bob"], NameMatch.MATCH),
        ("Ann", [], NameMatch.UNKNOWN),
        ("", [""], NameMatch.UNKNOWN),
        ("", ["Ann"], NameMatch.NO_MATCH),
    ],
)
def test_names(asked: str, names: list[str], expected: NameMatch) -> None:
    assert match_names(asked, names) is expected


def apart(one: str, other: str) -> bool:
    """By trying every single change."""
    signs = set(one + other)
    tried = {one[:i] + one[i + 1 :] for i in range(len(one))}
    tried |= {one[:i] + sign + one[i + 1 :] for i in range(len(one)) for sign in signs}
    tried |= {one[:i] + sign + one[i:] for i in range(len(one) + 1) for sign in signs}
    tried |= {one[:i] + one[i + 1] + one[i] + one[i + 2 :] for i in range(len(one) - 1)}
    return other in tried


@given(st.text("abc", min_size=6, max_size=9), st.text("abc", min_size=6, max_size=9))
def test_close_is_one_change_away(one: str, other: str) -> None:
    expected = NameMatch.MATCH if one == other else NameMatch.CLOSE if apart(one, other) else NameMatch.NO_MATCH
    assert match_names(one, [other]) is expected


def test_a_level_is_reached_by_what_is_shown_and_never_lost() -> None:
    seen = [record(Identification(IdentificationLevel.FACE_TO_FACE))]
    verified = replace(CARD, verified=True)
    assert level_reached([], Channel.APP, CARD, TODAY) is IdentificationLevel.NONE
    assert level_reached([], Channel.APP, verified, TODAY) is IdentificationLevel.REMOTE
    assert level_reached([], Channel.BRANCH, CARD, TODAY) is IdentificationLevel.FACE_TO_FACE
    assert level_reached([], Channel.BRANCH, CARD, TOMORROW) is IdentificationLevel.NONE
    assert level_reached(seen, Channel.APP, verified, TODAY) is IdentificationLevel.FACE_TO_FACE
    assert shown_again([record(verified)], replace(CARD, number="1101011990", expires_on=None)) == verified
    assert shown_again([record(CARD)], replace(verified, expires_on=TOMORROW)).expires_on == TOMORROW
    assert shown_again([], CARD) == CARD


def test_of_merged_parties_what_was_recorded_last_stands() -> None:
    first, last = Risk(RiskClass.LOW, "x"), Risk(RiskClass.PROHIBITED, "x")
    records = [Record(1, first, AT, "a test"), Record(1, last, AT + timedelta(days=1), "a test")]
    found = standing_of(records, key_of(first))
    assert found is not None
    assert found.content == last


def test_of_merged_parties_the_worst_risk_stands_and_a_later_withdrawal_holds() -> None:
    later = AT + timedelta(days=1)
    worst, best = Record(1, Risk(RiskClass.PROHIBITED), AT, "a test"), Record(1, Risk(RiskClass.LOW), later, "a test")
    assert worst_risk([worst, best]) is worst_risk([best, worst]) is RiskClass.PROHIBITED
    assert worst_risk([best]) is RiskClass.LOW
    assert worst_risk([]) is None
    kept = Record(1, CONSENT, AT, "a test")
    assert consent_stands([kept], "marketing", TODAY)
    assert not consent_stands([kept, replace(kept, ended_at=later)], "marketing", TODAY)
    assert consent_stands([replace(kept, ended_at=later), replace(kept, added_at=later)], "marketing", TODAY)


def test_a_consent_stands_for_its_time_unless_it_is_withdrawn() -> None:
    held = [record(CONSENT)]
    assert [consent_stands(held, "marketing", day) for day in (YESTERDAY, TODAY, TOMORROW)] == [False, True, False]
    assert not consent_stands([replace(held[0], ended_at=AT)], "marketing", TODAY)
    assert not consent_stands(held, "sharing", TODAY)
    assert consent_stands([record(replace(CONSENT, until=None))], "marketing", date.max)
