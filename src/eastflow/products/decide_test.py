"""From draft to withdrawn, and the plans between versions: each refusal in its order of precedence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from eastflow.customers import AccountClass, Channel, PartyKind
from eastflow.kernel import Refusal

from .decide import (
    decide_approval,
    decide_draft,
    decide_launch,
    decide_migration,
    decide_simulated,
    decide_withdrawal,
    eligibility_refusal,
    live_on,
)
from .model import Eligibility, Migration, Version, VersionStatus
from .refusals import ProductsRefusal
from .shipped_terms import shipped

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
TODAY = date(2026, 1, 5)
LATER = date(2026, 2, 1)
TERMS = shipped()["cny-demand"]
OTHER = replace(TERMS, name="Other")
ANOTHER_KIND = replace(shipped()["cny-call-1d"], code=TERMS.code)
DRAFT = Version(uuid4(), 1, TERMS, "hash", "ann", AT)
SIMULATED = replace(DRAFT, status=VersionStatus.SIMULATED, simulated_at=AT)
APPROVED = replace(SIMULATED, status=VersionStatus.APPROVED, approved_by="bo", approved_at=AT)
LIVE = replace(APPROVED, status=VersionStatus.LIVE, live_from=TODAY, launched_by="cy")
WITHDRAWN = replace(LIVE, status=VersionStatus.WITHDRAWN, withdrawn_from=LATER, withdrawn_by="cy")
SECOND = replace(APPROVED, id=uuid4(), number=2)
PLAN = Migration(uuid4(), TERMS.code, 1, 2, LATER, "ann")
NEXT = replace(LIVE, id=uuid4(), number=2, live_from=LATER)

REFUSED: list[tuple[object, ProductsRefusal]] = [
    (decide_draft(DRAFT.id, OTHER, " ", AT, DRAFT, []), ProductsRefusal.TEXT_MALFORMED),
    (decide_draft(DRAFT.id, OTHER, "ann", AT, DRAFT, [DRAFT]), ProductsRefusal.VERSION_ID_REUSED),
    (decide_draft(DRAFT.id, TERMS, "bo", AT, DRAFT, [DRAFT]), ProductsRefusal.VERSION_ID_REUSED),
    (decide_draft(uuid4(), ANOTHER_KIND, "ann", AT, None, [DRAFT]), ProductsRefusal.KIND_CHANGED),
    (decide_simulated(replace(DRAFT, status=VersionStatus.WITHDRAWN), AT), ProductsRefusal.STATUS_UNFIT),
    (decide_approval(SIMULATED, "a\0", AT), ProductsRefusal.TEXT_MALFORMED),
    (decide_approval(SIMULATED, "ann", AT), ProductsRefusal.APPROVED_BY_AUTHOR),
    (decide_approval(DRAFT, "bo", AT), ProductsRefusal.STATUS_UNFIT),
    (decide_approval(APPROVED, "cy", AT), ProductsRefusal.STATUS_UNFIT),
    (decide_launch(SIMULATED, [], TODAY, "cy", TODAY), ProductsRefusal.STATUS_UNFIT),
    (decide_launch(LIVE, [], LATER, "cy", TODAY), ProductsRefusal.STATUS_UNFIT),
    (decide_launch(APPROVED, [], date(2026, 1, 4), "cy", TODAY), ProductsRefusal.DAY_IN_PAST),
    (decide_launch(SECOND, [LIVE], TODAY, "cy", TODAY), ProductsRefusal.DAY_TAKEN),
    (decide_withdrawal(LIVE, date(2026, 1, 4), "cy", TODAY), ProductsRefusal.DAY_IN_PAST),
    (decide_withdrawal(WITHDRAWN, TODAY, "cy", TODAY), ProductsRefusal.STATUS_UNFIT),
    (decide_migration(replace(PLAN, on=TODAY), PLAN, LIVE, NEXT, [], TODAY), ProductsRefusal.MIGRATION_ID_REUSED),
    (decide_migration(PLAN, None, None, NEXT, [], TODAY), ProductsRefusal.VERSION_NOT_FOUND),
    (decide_migration(PLAN, None, LIVE, None, [], TODAY), ProductsRefusal.VERSION_NOT_FOUND),
    (decide_migration(PLAN, None, LIVE, NEXT, [], date(2026, 2, 2)), ProductsRefusal.DAY_IN_PAST),
    (decide_migration(replace(PLAN, target=1), None, LIVE, LIVE, [], TODAY), ProductsRefusal.MIGRATION_UNFIT),
    (decide_migration(PLAN, None, APPROVED, NEXT, [], TODAY), ProductsRefusal.MIGRATION_UNFIT),
    (decide_migration(PLAN, None, LIVE, SECOND, [], TODAY), ProductsRefusal.MIGRATION_UNFIT),
    (decide_migration(replace(PLAN, on=TODAY), None, LIVE, NEXT, [], TODAY), ProductsRefusal.MIGRATION_UNFIT),
    (decide_migration(PLAN, None, LIVE, NEXT, [replace(PLAN, target=3)], TODAY), ProductsRefusal.MIGRATION_UNFIT),
    (decide_migration(PLAN, None, LIVE, NEXT, [replace(PLAN, source=2)], TODAY), ProductsRefusal.MIGRATION_UNFIT),
]


@pytest.mark.parametrize(("answer", "code"), REFUSED, ids=[code.name for _, code in REFUSED])
def test_refusals(answer: object, code: ProductsRefusal) -> None:
    assert isinstance(answer, Refusal)
    assert answer.code is code


def test_a_version_from_draft_to_withdrawn() -> None:
    drafted = decide_draft(DRAFT.id, TERMS, "ann", AT, None, [])
    assert isinstance(drafted, Version)
    assert (drafted.number, drafted.status, len(drafted.content_hash)) == (1, VersionStatus.DRAFT, 64)
    assert decide_simulated(DRAFT, AT) == SIMULATED
    assert decide_approval(SIMULATED, "bo", AT) == APPROVED
    assert decide_launch(APPROVED, [], TODAY, "cy", TODAY) == LIVE
    assert decide_withdrawal(LIVE, LATER, "cy", TODAY) == WITHDRAWN


def test_the_same_again_answers_as_before() -> None:
    later = datetime(2026, 3, 1, tzinfo=UTC)
    assert decide_draft(LIVE.id, TERMS, "ann", later, LIVE, [LIVE]) == LIVE
    assert decide_simulated(APPROVED, later) == APPROVED
    assert decide_approval(LIVE, "bo", later) == LIVE
    assert decide_launch(LIVE, [LIVE], TODAY, "dee", LATER) == LIVE
    assert decide_withdrawal(WITHDRAWN, LATER, "dee", date(2026, 3, 1)) == WITHDRAWN
    done = replace(PLAN, completed_at=later)
    assert decide_migration(PLAN, done, LIVE, NEXT, [done], date(2026, 3, 1)) == done


LIVE_ON = [
    (date(2026, 1, 4), None),
    (TODAY, 1),
    (date(2026, 1, 31), 1),
    (LATER, 2),
    (date(2026, 3, 1), None),
]


@pytest.mark.parametrize(("day", "number"), LIVE_ON, ids=str)
def test_a_new_version_supersedes_on_its_day_and_a_withdrawn_one_leaves_nothing(day: date, number: int | None) -> None:
    gone = replace(NEXT, status=VersionStatus.WITHDRAWN, withdrawn_from=date(2026, 3, 1))
    found = live_on([LIVE, gone, SECOND], day)
    assert (found and found.number) == number


RULE = Eligibility(
    frozenset({PartyKind.PERSON}), 18, 60, frozenset({Channel.APP}), frozenset({AccountClass.I, AccountClass.II})
)
WHO = [
    (PartyKind.PERSON, 18, Channel.APP, AccountClass.I, None),
    (PartyKind.PERSON, 60, Channel.APP, AccountClass.II, None),
    (PartyKind.ORGANISATION, None, Channel.APP, AccountClass.I, "party_kind"),
    (PartyKind.PERSON, None, Channel.APP, AccountClass.I, "age_unknown"),
    (PartyKind.PERSON, 17, Channel.APP, AccountClass.I, "age_min"),
    (PartyKind.PERSON, 61, Channel.APP, AccountClass.I, "age_max"),
    (PartyKind.PERSON, 18, Channel.APP, AccountClass.III, "account_class"),
    (PartyKind.PERSON, 18, Channel.APP, None, "account_class"),
]


@pytest.mark.parametrize(("kind", "age", "channel", "account_class", "reason"), WHO, ids=str)
def test_who_may_open_one(
    kind: PartyKind, age: int | None, channel: Channel, account_class: AccountClass | None, reason: str | None
) -> None:
    refusal = eligibility_refusal(replace(TERMS, eligibility=RULE), kind, age, channel, account_class)
    assert (refusal and refusal.facts["reason"]) == reason
    assert refusal is None or refusal.code is ProductsRefusal.PARTY_NOT_ELIGIBLE
    everybody = replace(TERMS, eligibility=Eligibility())
    assert eligibility_refusal(everybody, kind, age, channel, account_class) is None


def test_by_which_way_in() -> None:
    refusal = eligibility_refusal(replace(TERMS, eligibility=RULE), PartyKind.PERSON, 30, Channel.CARD, AccountClass.I)
    assert refusal is not None
    assert refusal.code is ProductsRefusal.CHANNEL_NOT_ELIGIBLE
