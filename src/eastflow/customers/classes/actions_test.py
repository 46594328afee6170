"""Account classes on a real database: seats, bound accounts, limits by day and year, and rivals for both."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eastflow.kernel import Refusal
from eastflow.rules import AccountClass
from eastflow.storage import Database, Transaction

from .. import class_of_account, classes_of_party
from ..actions import (
    assign_class,
    bind_account,
    confirm_face_to_face,
    end_class,
    give_back_allowance,
    grant_roles,
    merge_parties,
    register_party,
    unmerge_party,
    use_allowance,
)
from ..model import Channel, Party, PartyKind, Role, RoleKind
from ..refusals import CustomersRefusal as Why
from .model import ClassedAccount, Direction, Movement

TODAY = date(2026, 3, 1)
TOMORROW = date(2026, 3, 2)
NEXT_YEAR = date(2027, 1, 1)
OUT = Movement(Direction.OUT, 10_000, "CNY", Channel.APP)


def codes(answers: Sequence[object]) -> list[object]:
    return [answer.code if isinstance(answer, Refusal) else None for answer in answers]


@pytest.fixture
async def ann(database: Database) -> UUID:
    """A person who owns the accounts 1 to 20."""
    party = Party(uuid4(), PartyKind.PERSON, "Ann", TODAY)

    async def work(tx: Transaction) -> None:
        await register_party(tx, party, today=lambda: TODAY)
        await grant_roles(tx, [Role(party.id, account, RoleKind.OWNER, TODAY) for account in range(1, 21)])

    await database.run(work)
    return party.id


def third(account: int, owner: UUID) -> ClassedAccount:
    return ClassedAccount(account, owner, AccountClass.III, TODAY, Channel.APP)


def first(account: int, owner: UUID) -> ClassedAccount:
    return ClassedAccount(account, owner, AccountClass.I, TODAY, Channel.BRANCH, face_to_face=True)


async def assign(database: Database, new: ClassedAccount) -> ClassedAccount | Refusal:
    return await database.run(lambda tx: assign_class(tx, new, today=TODAY))


async def use(database: Database, account: int, movement: Movement, day: date = TODAY) -> Refusal | None:
    return await database.run(lambda tx: use_allowance(tx, account, movement, today=day))


async def test_a_class_is_assigned_once_and_read_again(database: Database, ann: UUID) -> None:
    assert await assign(database, first(1, ann)) == first(1, ann)
    second = ClassedAccount(2, ann, AccountClass.II, TODAY, Channel.APP, bound=frozenset({1}))
    for _ in range(2):
        assert await assign(database, second) == second
    assert codes([await assign(database, replace(second, opened_by=Channel.BRANCH))]) == [Why.CLASS_ASSIGNED]
    async with database.reading() as tx:
        assert await class_of_account(tx, 2) == second
        assert await class_of_account(tx, 3) is None
        assert await class_of_account(tx, 1 << 80) is None
        assert await classes_of_party(tx, ann) == [first(1, ann), second]


async def test_of_rivals_one_account_gets_class_one_and_five_get_class_three(database: Database, ann: UUID) -> None:
    answers = await asyncio.gather(*(assign(database, first(account, ann)) for account in range(1, 5)))
    assert sorted(codes(answers), key=str) == [Why.CLASS_FULL] * 3 + [None]
    answers = await asyncio.gather(*(assign(database, third(account, ann)) for account in range(5, 13)))
    assert sorted(codes(answers), key=str) == [Why.CLASS_FULL] * 3 + [None] * 5


async def test_a_class_ends_and_its_seat_is_free_again(database: Database, ann: UUID) -> None:
    await assign(database, first(1, ann))
    ended = await database.run(lambda tx: end_class(tx, 1, until=TOMORROW, today=TOMORROW))
    assert ended == replace(first(1, ann), until=TOMORROW)
    assert await assign(database, first(2, ann)) == first(2, ann)
    assert await assign(database, third(1, ann)) == third(1, ann)

    async def work(tx: Transaction) -> list[ClassedAccount | Refusal]:
        return [await end_class(tx, account, until=date(2026, 1, 1), today=TOMORROW) for account in (1, 3)]

    assert codes(await database.run(work)) == [Why.PERIOD_REVERSED, Why.CLASS_NOT_FOUND]
    later = await database.run(lambda tx: end_class(tx, 1, until=TOMORROW, today=TODAY))
    assert codes([later]) == [Why.PERIOD_REVERSED], "an end to come would take its limits away today"


async def test_a_person_seen_at_the_counter_may_use_cash_and_be_paid_by_others(database: Database, ann: UUID) -> None:
    await assign(database, first(1, ann))
    await assign(database, ClassedAccount(2, ann, AccountClass.II, TODAY, Channel.APP, bound=frozenset({1})))
    incoming = replace(OUT, direction=Direction.IN)
    refused = [await use(database, 2, incoming), await use(database, 2, replace(OUT, cash=True))]
    assert codes(refused) == [Why.UNBOUND_NOT_ALLOWED, Why.CASH_NOT_ALLOWED]
    for _ in range(2):
        seen = await database.run(lambda tx: confirm_face_to_face(tx, 2))
        assert isinstance(seen, ClassedAccount)
        assert seen.face_to_face
    assert [await use(database, 2, incoming), await use(database, 2, replace(OUT, cash=True))] == [None, None]


async def test_only_class_one_of_the_same_person_is_bound(database: Database, ann: UUID) -> None:
    await assign(database, first(1, ann))
    await assign(database, third(2, ann))
    await assign(database, third(3, ann))

    async def bind(account: int, to: int) -> ClassedAccount | Refusal:
        return await database.run(lambda tx: bind_account(tx, account, to))

    assert codes([await bind(2, 3), await bind(2, 4), await bind(4, 1)]) == [
        Why.BOUND_ACCOUNT_UNSUITABLE,
        Why.BOUND_ACCOUNT_UNSUITABLE,
        Why.CLASS_NOT_FOUND,
    ]
    for _ in range(2):
        assert await bind(2, 1) == replace(third(2, ann), bound=frozenset({1}))


async def test_an_account_that_loses_class_one_is_bound_no_more(database: Database, ann: UUID) -> None:
    await assign(database, first(1, ann))
    await assign(database, replace(third(2, ann), bound=frozenset({1})))
    await database.run(lambda tx: end_class(tx, 1, until=TOMORROW, today=TOMORROW))
    async with database.reading() as tx:
        assert await class_of_account(tx, 2) == third(2, ann)


async def test_what_has_no_class_or_is_of_class_one_moves_freely(database: Database, ann: UUID) -> None:
    await assign(database, first(1, ann))
    free = replace(OUT, amount_minor=1 << 62, asset="EUR", cash=True)
    assert [await use(database, account, free) for account in (1, 2)] == [None, None]
    async with database.reading() as tx:
        assert await tx.value("SELECT count(*) FROM customers_usage") == 0


async def test_the_limits_of_a_day_and_a_year_are_used_up(database: Database, ann: UUID) -> None:
    await assign(database, third(1, ann))
    everything = replace(OUT, amount_minor=200_000)
    assert codes([await use(database, 1, everything), await use(database, 1, OUT)]) == [None, Why.DAY_LIMIT_EXCEEDED]
    for day in range(2, 26):
        assert await use(database, 1, everything, date(2026, 3, day)) is None
    assert codes([await use(database, 1, OUT, date(2026, 12, 31))]) == [Why.YEAR_LIMIT_EXCEEDED]
    assert await use(database, 1, everything, NEXT_YEAR) is None


async def test_the_balance_is_asked_for_and_bounded(database: Database, ann: UUID) -> None:
    await assign(database, third(1, ann))
    incoming = replace(OUT, direction=Direction.IN)

    async def pay_in(held: int) -> Refusal | None:
        async def balance(_: Transaction, account: int) -> int:
            assert account == 1
            return held

        return await database.run(lambda tx: use_allowance(tx, 1, incoming, today=TODAY, balance=balance))

    assert codes([await pay_in(190_000), await pay_in(190_001), await use(database, 1, incoming)]) == [
        None,
        Why.BALANCE_LIMIT_EXCEEDED,
        Why.BALANCE_UNKNOWN,
    ]


async def test_rivals_never_pass_the_limit_together(database: Database, ann: UUID) -> None:
    await assign(database, third(1, ann))
    answers = await asyncio.gather(*(use(database, 1, replace(OUT, amount_minor=30_000)) for _ in range(12)))
    assert sorted(codes(answers), key=str) == [Why.DAY_LIMIT_EXCEEDED] * 6 + [None] * 6
    async with database.reading() as tx:
        assert await tx.value("SELECT sum(used_minor)::bigint FROM customers_usage") == 180_000


async def test_what_is_rolled_back_is_not_counted(database: Database, ann: UUID) -> None:
    await assign(database, third(1, ann))

    class RefusedLater(Exception):
        pass

    async def work(tx: Transaction) -> None:
        assert await use_allowance(tx, 1, replace(OUT, amount_minor=200_000), today=TODAY) is None
        raise RefusedLater

    with pytest.raises(RefusedLater):
        await database.run(work)
    assert await use(database, 1, replace(OUT, amount_minor=200_000)) is None


async def test_just_what_a_movement_used_is_given_back_once(database: Database, ann: UUID) -> None:
    unclassed, whole, part, bound = (uuid4() for _ in range(4))

    async def moved(id: UUID, amount_minor: int, day: date = TODAY, *, to_bound: bool = False) -> Refusal | None:
        movement = replace(OUT, amount_minor=amount_minor, counterparty_bound=to_bound)
        return await database.run(lambda tx: use_allowance(tx, 1, movement, today=day, id=id))

    async def give_back(id: UUID, amount_minor: int) -> None:
        await database.run(lambda tx: give_back_allowance(tx, 1, id, amount_minor))

    assert await moved(unclassed, 200_000) is None
    await assign(database, third(1, ann))
    assert [await moved(whole, 200_000), await moved(part, 150_000, TOMORROW)] == [None, None]
    assert await moved(bound, 50_000, TOMORROW, to_bound=True) is None
    # What used nothing gives nothing back.
    for id in (unclassed, bound, uuid4()):
        await give_back(id, 200_000)
    assert codes([await moved(uuid4(), 1)]) == [Why.DAY_LIMIT_EXCEEDED]
    assert codes([await moved(uuid4(), 50_001, TOMORROW)]) == [Why.DAY_LIMIT_EXCEEDED]
    # Less its charges; and a second time is no more.
    for _ in range(2):
        await give_back(part, 149_000)
    assert codes([await moved(uuid4(), 199_001, TOMORROW)]) == [Why.DAY_LIMIT_EXCEEDED]
    assert await moved(uuid4(), 199_000, TOMORROW) is None
    await give_back(whole, 1 << 40)
    assert await moved(whole, 200_000) is None


# Each step: the day, the amount, which way, whether a bound account is at the other end, and whether what moved before
# comes back.
_STEPS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 1_200_000), st.sampled_from(Direction), st.booleans(), st.booleans()),
    max_size=60,
)
_LIMITS = {AccountClass.II: (1_000_000, 20_000_000), AccountClass.III: (200_000, 5_000_000)}


@pytest.mark.parametrize("account_class", _LIMITS)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS, begins=st.integers(0, 10))
async def test_whatever_moves_and_comes_back_no_limit_is_passed(
    database: Database,
    ann: UUID,
    account_class: AccountClass,
    steps: list[tuple[int, int, Direction, bool, bool]],
    begins: int,
) -> None:
    """A slow clerk adds up what moved and did not come back; the account has its class from the step `begins` on."""
    day_max, year_max = _LIMITS[account_class]

    class Enough(Exception):
        pass

    async def none(_: Transaction, account: int) -> int:
        return 0

    async def work(tx: Transaction) -> None:
        through: list[tuple[UUID, date, int, Direction, bool]] = []
        for number, (on, amount, direction, to_bound, back) in enumerate(steps):
            if number == begins:
                new = replace(third(1, ann), account_class=account_class, face_to_face=True)
                assert await assign_class(tx, new, today=TODAY) == new
            day = date.fromordinal(TODAY.toordinal() + 8 * on)
            if back and through:
                id, _, amount, *_ = through.pop()
                await give_back_allowance(tx, 1, id, amount)
                continue
            counted = [each[1:4] for each in through if each[4]]
            of_day = sum(n for when, n, way in counted if (when, way) == (day, direction))
            of_year = sum(n for when, n, way in counted if (when.year, way) == (day.year, direction))
            moved = Movement(direction, amount, "CNY", Channel.APP, counterparty_bound=to_bound)
            counts = number >= begins and not to_bound
            fits = not counts or (of_day + amount <= day_max and of_year + amount <= year_max)
            id = uuid4()
            refusal = await use_allowance(tx, 1, moved, today=day, balance=none, id=id)
            if account_class is AccountClass.III and number >= begins and direction is Direction.IN:
                # Of class III the balance is bounded too.
                fits = fits and amount <= 200_000
            assert (refusal is None) is fits, (refusal, amount, of_day, of_year)
            if fits:
                through.append((id, day, amount, direction, counts))
        raise Enough

    with pytest.raises(Enough):
        await database.run(work)


async def test_class_one_of_a_party_merged_is_the_same_persons(database: Database, ann: UUID) -> None:
    double = Party(uuid4(), PartyKind.PERSON, "Ann", TODAY)

    async def work(tx: Transaction) -> None:
        await register_party(tx, double, today=lambda: TODAY)
        await grant_roles(tx, [Role(double.id, 31, RoleKind.OWNER, TODAY)])

    await database.run(work)
    await assign(database, first(31, double.id))
    await assign(database, third(2, ann))

    async def bind(account: int) -> ClassedAccount | Refusal:
        return await database.run(lambda tx: bind_account(tx, account, 31))

    assert codes([await bind(2)]) == [Why.BOUND_ACCOUNT_UNSUITABLE]
    await database.run(lambda tx: merge_parties(tx, double.id, ann, reason="the same", by="bo"))
    assert await bind(2) == replace(third(2, ann), bound=frozenset({31}))
    second = ClassedAccount(3, ann, AccountClass.II, TODAY, Channel.APP, bound=frozenset({31}))
    assert await assign(database, second) == second
    assert await use(database, 3, replace(OUT, counterparty_bound=True)) is None
    await database.run(lambda tx: unmerge_party(tx, double.id, by="bo"))
    await assign(database, third(4, ann))
    assert codes([await bind(4)]) == [Why.BOUND_ACCOUNT_UNSUITABLE]
    async with database.reading() as tx:
        assert await class_of_account(tx, 2) == third(2, ann), "what was bound while merged"
        assert await classes_of_party(tx, ann) == [third(2, ann), replace(second, bound=frozenset()), third(4, ann)]
    assert codes([await use(database, 3, replace(OUT, counterparty_bound=True))]) == [Why.BOUND_ACCOUNT_MISSING]
    await database.run(lambda tx: merge_parties(tx, double.id, ann, reason="the same after all", by="bo"))
    async with database.reading() as tx:
        assert await class_of_account(tx, 2) == replace(third(2, ann), bound=frozenset({31}))
