"""Every refusal of a verification, in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from eastflow.kernel import Refusal
from eastflow.rules import AccountClass

from ..classes.model import ClassedAccount
from ..model import Channel, Party, PartyKind
from ..records.model import Document, DocumentKind, Record
from ..refusals import CustomersRefusal as Why
from .decide import (
    as_of,
    check_asked,
    check_known,
    decide_answer,
    decide_asked_again,
    decide_end,
    decide_request,
    decide_sent,
)
from .model import Element, ElementResult, Elements, Verification, VerificationStatus

ID = UUID(int=1)
TODAY = date(2026, 3, 1)
AT = datetime(2026, 3, 1, tzinfo=UTC)
ANN = Party(UUID(int=2), PartyKind.PERSON, "Ann", TODAY)
SECOND = ClassedAccount(2, ANN.id, AccountClass.II, TODAY, Channel.APP)
CARD = Document(DocumentKind.IDENTITY_CARD, "110101199001011234", "CN", expires_on=TODAY)
WHERE = ("ICBKCNBJ", "6222", "138")
ASKED = Verification(
    ID, 2, ANN.id, Elements("Ann", CARD, "138", *WHERE[:2]), VerificationStatus.ASKED, TODAY, TODAY, "app"
)
SENT = replace(ASKED, message_id="m-1")
DENIED = replace(ASKED, status=VerificationStatus.DENIED, results=dict.fromkeys(Element, ElementResult.UNKNOWN))
ALL_MATCH = dict.fromkeys(Element, ElementResult.MATCHES)
EXPIRED = as_of(ASKED, TODAY + timedelta(days=1))


def requesting(*records: Record, today: date = TODAY) -> Verification | Refusal:
    return decide_request(ID, SECOND, ANN, records, WHERE, "app", today)


TABLE: list[tuple[Callable[[], object], Why | None]] = [
    (lambda: check_asked(0, "", "", ""), Why.TEXT_MALFORMED),
    (lambda: check_asked(0, "b" * 36, "6", "1"), Why.TEXT_MALFORMED),
    (lambda: check_asked(0, "b", "6" * 35, "1"), Why.TEXT_MALFORMED),
    (lambda: check_asked(0, "b", "6", "\0"), Why.TEXT_MALFORMED),
    (lambda: decide_sent(replace(DENIED, message_id="m-1"), "\ud800"), Why.TEXT_MALFORMED),
    (lambda: check_asked(0, "b", "6", "1"), Why.ACCOUNT_MALFORMED),
    (lambda: decide_asked_again(ASKED, 3, WHERE), Why.VERIFICATION_ID_REUSED),
    (lambda: decide_asked_again(ASKED, 2, ("ICBKCNBJ", "6223", "138")), Why.VERIFICATION_ID_REUSED),
    (lambda: requesting(), Why.DOCUMENT_MISSING),
    (lambda: requesting(Record(1, CARD, AT, "bo"), today=TODAY + timedelta(days=1)), Why.DOCUMENT_MISSING),
    (lambda: requesting(Record(1, CARD, AT, "bo", AT, "bo")), Why.DOCUMENT_MISSING),
    (lambda: check_known(None, ID), Why.VERIFICATION_NOT_FOUND),
    (lambda: decide_sent(SENT, "m-2"), Why.VERIFICATION_CLOSED),
    (lambda: decide_sent(EXPIRED, "m-2"), Why.VERIFICATION_CLOSED),
    (lambda: decide_answer(EXPIRED, ALL_MATCH, "bo", TODAY), Why.VERIFICATION_CLOSED),
    (lambda: decide_answer(DENIED, ALL_MATCH, "bo", TODAY), Why.VERIFICATION_CLOSED),
    (lambda: decide_end(DENIED), Why.VERIFICATION_CLOSED),
    (lambda: decide_end(EXPIRED), Why.VERIFICATION_CLOSED),
    (lambda: check_asked(1, "b", "6", "1"), None),
    (lambda: decide_asked_again(DENIED, 2, WHERE), None),
    (lambda: requesting(Record(1, CARD, AT, "bo"), today=TODAY), None),
    (lambda: requesting(Record(1, replace(CARD, expires_on=None), AT, "bo"), today=date.max), None),
    (lambda: decide_sent(SENT, "m-1"), None),
    (lambda: decide_answer(DENIED, {}, "bo", TODAY), None),
    (lambda: decide_end(replace(ASKED, status=VerificationStatus.ENDED)), None),
]


@pytest.mark.parametrize(("decide", "expected"), TABLE)
def test_verification(decide: Callable[[], object], expected: Why | None) -> None:
    answer = decide()
    assert (answer.code if isinstance(answer, Refusal) else None) is expected
