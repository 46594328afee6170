"""One table walks every refusal in its order of precedence, then what is accepted; properties hold for any list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eastflow.kernel import EXACT_JSON_INTEGER_MAX, Refusal

from .classes.decide_test import TABLE as CLASSES_TABLE
from .corrections.actions_test import TABLE as CORRECTIONS_TABLE
from .decide import Register, RoleRecord, Roles, decide_end, decide_grant, decide_registration, grant, register
from .merging.actions_test import TABLE as MERGING_TABLE
from .model import Party, PartyKind, Role, RoleKind
from .personal_data.decide_test import TABLE as ERASURE_TABLE
from .records.decide_test import TABLE as RECORDS_TABLE
from .refusals import CustomersRefusal as Why
from .verification.decide_test import TABLE as VERIFICATION_TABLE

TODAY = date(2026, 3, 1)
TOMORROW = TODAY + timedelta(days=1)
JANUARY, FEBRUARY, MARCH = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)
ANN, BOB = UUID(int=1), UUID(int=2)

PARTY = Party(ANN, PartyKind.PERSON, "Ann", TODAY, date(1990, 5, 17), "crm:1", {"sex": "female"})
UNBORN = replace(PARTY, born_on=TOMORROW, opened_on=TOMORROW)
CROWDED = replace(UNBORN, details={f"key {number}": "" for number in range(51)})
ROLE = Role(ANN, 7, RoleKind.DISPONENT, FEBRUARY)
ENDED = RoleRecord(replace(ROLE, since=JANUARY, until=FEBRUARY), 1, None)

Decision = Callable[[], object]


def registering(party: Party, existing: Party | None = None, holder: UUID | None = None) -> Decision:
    return lambda: decide_registration(party, existing, holder, TODAY)


def granting(role: Role, *records: RoleRecord, party_exists: bool = True) -> Decision:
    return lambda: decide_grant(role, records, party_exists=party_exists)


def ending(since: date, until: date, *, account: int = 7) -> Decision:
    return lambda: decide_end([ENDED], account, since, until)


# Each row also breaks the rules of every row of its own verb below it.
TABLE = [
    (registering(replace(CROWDED, name=" "), PARTY, BOB), Why.TEXT_MALFORMED),
    (registering(replace(CROWDED, name="x" * 201), PARTY, BOB), Why.TEXT_MALFORMED),
    (registering(replace(CROWDED, name="\0"), PARTY, BOB), Why.TEXT_MALFORMED),
    (registering(replace(CROWDED, reference=""), PARTY, BOB), Why.TEXT_MALFORMED),
    (registering(replace(CROWDED, reference="\ud800"), PARTY, BOB), Why.TEXT_MALFORMED),
    (registering(replace(UNBORN, details={"": "no name"}), PARTY, BOB), Why.TEXT_MALFORMED),
    (registering(CROWDED, PARTY, BOB), Why.DETAILS_TOO_LARGE),
    (granting(replace(ROLE, account=0, until=JANUARY), ENDED, party_exists=False), Why.ACCOUNT_MALFORMED),
    (granting(replace(ROLE, account=EXACT_JSON_INTEGER_MAX + 1), party_exists=False), Why.ACCOUNT_MALFORMED),
    (ending(JANUARY, date(2025, 1, 1), account=-1), Why.ACCOUNT_MALFORMED),
    (granting(replace(ROLE, until=JANUARY), ENDED, party_exists=False), Why.PERIOD_REVERSED),
    (ending(JANUARY, date(2025, 1, 1)), Why.PERIOD_REVERSED),
    (registering(UNBORN, PARTY, BOB), Why.PARTY_ID_REUSED),
    (registering(UNBORN, None, BOB), Why.REFERENCE_TAKEN),
    (registering(UNBORN), Why.BORN_IN_FUTURE),
    (registering(replace(UNBORN, born_on=None)), Why.OPENED_IN_FUTURE),
    (granting(replace(ROLE, since=JANUARY, until=FEBRUARY), ENDED, party_exists=False), Why.PARTY_NOT_FOUND),
    (granting(replace(ROLE, since=JANUARY, until=FEBRUARY), ENDED), Why.ROLE_EXISTS),
    (granting(replace(ROLE, since=date(2026, 1, 31)), ENDED), Why.ROLE_EXISTS),
    (ending(FEBRUARY, MARCH), Why.ROLE_NOT_FOUND),
    (ending(JANUARY, MARCH), Why.ROLE_ENDED),
    (registering(PARTY), PARTY),
    (registering(PARTY, PARTY, ANN), PARTY),
    (registering(replace(PARTY, born_on=TODAY)), replace(PARTY, born_on=TODAY)),
    (registering(replace(PARTY, reference=None, born_on=None)), replace(PARTY, reference=None, born_on=None)),
    (granting(ROLE), ROLE),
    (granting(ROLE, ENDED), ROLE),
    (granting(replace(ROLE, since=JANUARY), ENDED, RoleRecord(ROLE, 2, None)), ENDED.role),
    (ending(JANUARY, FEBRUARY), ENDED),
    (ending(JANUARY, JANUARY), replace(ENDED, role=replace(ENDED.role, until=JANUARY))),
]


@pytest.mark.parametrize(("decision", "expected"), TABLE)
def test_decisions(decision: Decision, expected: object) -> None:
    got = decision()
    assert (got.code if isinstance(got, Refusal) else got) == expected


def test_the_tables_walk_every_refusal_in_order() -> None:
    walked: set[Why] = set()
    tables = (TABLE, RECORDS_TABLE, MERGING_TABLE, CORRECTIONS_TABLE, ERASURE_TABLE, CLASSES_TABLE, VERIFICATION_TABLE)
    for table in tables:
        codes = list(dict.fromkeys(expected for _, expected in table if isinstance(expected, Why)))
        assert codes == [code for code in Why if code in codes]
        walked |= set(codes)
    assert walked == set(Why)


def test_a_role_stands_from_its_first_day_and_no_longer_on_the_day_it_ends() -> None:
    assert [ENDED.role.stands_on(day) for day in (date(2025, 12, 31), JANUARY, date(2026, 1, 31), FEBRUARY)] == [
        False,
        True,
        True,
        False,
    ]
    assert ROLE.stands_on(date.max)


some_parties = st.lists(
    st.builds(
        Party,
        id=st.sampled_from([ANN, BOB, UUID(int=3)]),
        kind=st.just(PartyKind.PERSON),
        name=st.sampled_from(["Ann", "Bob", ""]),
        opened_on=st.sampled_from([TODAY, TOMORROW]),
        reference=st.sampled_from([None, "crm:1", "crm:2"]),
    ),
    max_size=8,
)


@given(some_parties)
def test_a_list_of_parties_keeps_ids_and_references_apart_and_answers_again_alike(parties: list[Party]) -> None:
    known = Register({}, {})
    answers = register(known, parties, TODAY)
    assert {party.id: party for party in known.fresh} == known.parties
    assert len(known.fresh) == len(known.parties)
    references = [party.reference for party in known.fresh if party.reference is not None]
    assert len(references) == len(set(references)) == len(known.holders)
    accepted = [party for party, answer in zip(parties, answers, strict=True) if isinstance(answer, Party)]
    count = len(known.fresh)
    assert register(known, accepted, TODAY) == accepted
    assert len(known.fresh) == count


days = st.integers(0, 12).map(lambda days: JANUARY + timedelta(days=days))
some_roles = st.lists(
    st.builds(
        Role,
        party=st.sampled_from([ANN, BOB]),
        account=st.sampled_from([7, 8]),
        kind=st.sampled_from([RoleKind.OWNER, RoleKind.GUARDIAN]),
        since=days,
        until=st.none() | days,
    ),
    max_size=12,
)


@given(some_roles, some_roles, st.lists(days))
def test_no_party_has_a_role_twice_on_one_day(first: list[Role], second: list[Role], ends: list[date]) -> None:
    known = Roles(frozenset({ANN}), {})
    answers = grant(known, first)
    for records, until in zip(known.records.values(), ends, strict=False):
        ended = records and decide_end(records, records[-1].role.account, records[-1].role.since, until)
        if isinstance(ended, RoleRecord):
            records[-1] = ended
    grant(known, second)
    for records in known.records.values():
        assert [record.number for record in records] == list(range(1, len(records) + 1))
        for one, other in combinations(records, 2):
            assert one.role.since != other.role.since
            both = [day for day in map(_day, range(13)) if one.role.stands_on(day) and other.role.stands_on(day)]
            assert both == []
    accepted = [role for role, answer in zip(first, answers, strict=True) if isinstance(answer, Role)]
    count = len(known.fresh)
    assert all(isinstance(answer, Role) for answer in grant(known, [*accepted, *accepted]))
    assert len(known.fresh) == count


def _day(number: int) -> date:
    return JANUARY + timedelta(days=number)
