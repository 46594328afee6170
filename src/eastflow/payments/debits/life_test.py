"""Direct debits between banks, whatever happens in whatever order, and twice at once: the oracle is a few numbers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import count
from uuid import UUID, uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eastflow.ledger import Status, verify
from eastflow.ledger.actions import change_status
from eastflow.storage import Database, Keys

from .. import (
    Collection,
    CollectionStatus,
    Endpoint,
    Frequency,
    IncomingCollection,
    Mandate,
    Outside,
    PaymentStatus,
    collection,
    suspense_page,
)
from ..actions import (
    apply_collection_status,
    cancel_mandate,
    clear_suspense,
    collect,
    give_mandate,
    mark_sent,
    receive_collection,
    refund_collection,
    refuse_collection,
    return_collection,
    run_direct_debits,
)
from ..decide import further_id, uetr_of
from ..life_test import BEGINNING_MINOR, TODAY, World, chosen
from .asked_test import DAY
from .decide import payment_of

_assets = count(1)
REQUESTED, ASKED, COLLECTED = CollectionStatus.REQUESTED, CollectionStatus.ASKED, CollectionStatus.COLLECTED
HAPPENINGS = (
    *("run", "refuse", "refund", "tell"),
    *("send", "settle", "reject", "back", "cancel", "freeze", "thaw", "clear"),
)
begin = st.tuples(st.sampled_from(["theirs", "theirs_later", "ours"]), st.integers(1, 900))
# To which life something happens, what, and whether it must be something that can happen to it.
step = st.tuples(st.integers(0, 3), st.integers(0, 11), st.sampled_from([True, True, True, False]))


@dataclass
class Life:
    """One collection, under a mandate of its own. Ours is with `holder` once it is collected: Bob, Ann or suspense."""

    kind: str
    amount: int
    mandate: UUID
    id: UUID
    status: CollectionStatus
    sent: bool = False
    holder: str = ""


@dataclass
class Oracle:
    """Ann is the debtor of theirs, Bob the creditor of ours; `away` is what other banks are owed."""

    has: dict[str, int] = field(
        default_factory=lambda: {"ann": BEGINNING_MINOR, "bob": BEGINNING_MINOR, "away": 0, "aside": 0}
    )
    frozen: bool = False
    lives: list[Life] = field(default_factory=list)

    def move(self, life: Life, debited: str, credited: str, status: CollectionStatus) -> None:
        self.has[debited] -= life.amount
        self.has[credited] += life.amount
        life.status = status

    def take(self, life: Life) -> None:
        if life.amount <= self.has["ann"]:
            self.move(life, "ann", "away", COLLECTED)
        else:
            life.status = CollectionStatus.REFUSED

    def happen(self, name: str, life: Life) -> None:
        ours = life.kind == "ours"
        match name:
            case "run":
                for each in sorted(self.lives, key=lambda each: each.id):
                    if each.status is REQUESTED:
                        self.take(each)
            case "refuse" if life.status is REQUESTED:
                life.status = CollectionStatus.REFUSED
            case "refund" if not ours and life.status is COLLECTED:
                self.move(life, "away", "ann", CollectionStatus.REFUNDED)
            case "send" if life.status is ASKED:
                life.sent = True
            case "settle" if life.status is ASKED and life.sent:
                life.holder = "aside" if self.frozen else "bob"
                self.move(life, "away", life.holder, COLLECTED)
            case "reject" if life.status is ASKED and life.sent:
                life.status = CollectionStatus.REFUSED
            case "back" if life.status is ASKED and life.sent:
                life.status = CollectionStatus.REFUNDED
            case "back" if ours and life.status is COLLECTED:
                if (life.holder != "bob" or not self.frozen) and life.amount <= self.has[life.holder]:
                    self.move(life, life.holder, "away", CollectionStatus.REFUNDED)
            case "cancel" if life.status is ASKED and not life.sent:
                life.status = CollectionStatus.REFUSED
            case "clear" if life.status is COLLECTED and life.holder == "aside":
                self.move(life, "aside", "ann", COLLECTED)
                life.holder = "ann"
            case "freeze" | "thaw":
                self.frozen = name == "freeze"


async def begin_life(world: World, kind: str, amount: int) -> Life:
    ours, name = kind == "ours", uuid4().hex[:30]
    outside = Outside("87144583", "OTHRBANK", "CZ98ZZZ17", TODAY, "Jan")
    debtor, creditor = (None, world.bob) if ours else (world.ann, None)
    given = Mandate(
        uuid4(), debtor, creditor, "Power", 900, world.asset, TODAY, Frequency.ONCE, reference=name, outside=outside
    )
    await world.database.run(lambda tx: give_mandate(tx, given, by="a test"))
    if ours:
        asked = Collection(uuid4(), given.id, amount, TODAY)
        await world.twice(collect, asked, by="a test")
        return Life(kind, amount, given.id, asked.id, ASKED)
    due_on = TODAY if kind == "theirs" else TODAY + DAY
    end = Endpoint("Power", "87144583", "OTHRBANK")
    told = IncomingCollection(uuid4(), name, "CZ98ZZZ17", end, world.ann, amount, world.asset, due_on)
    await world.twice(receive_collection, told)
    return Life(kind, amount, given.id, told.uetr, REQUESTED)


async def happen(world: World, name: str, life: Life) -> None:
    id = payment_of(Collection(life.id, life.mandate, life.amount, TODAY))
    uetr = uetr_of(id)
    match name:
        case "run":
            await asyncio.gather(*(run_direct_debits(world.database, TODAY + DAY) for _ in range(2)))
        case "refuse":
            await world.twice(refuse_collection, life.mandate, life.id)
        case "refund":
            await world.twice(refund_collection, life.mandate, life.id)
        case "tell":
            await world.twice(mark_sent, further_id(id, "collection_answer"), "M2")
            await world.twice(mark_sent, further_id(id, "return"), "M3")
        case "send":
            await world.twice(mark_sent, further_id(id, "collection"), "M1")
        case "settle" | "reject":
            status = PaymentStatus.SETTLED if name == "settle" else PaymentStatus.REJECTED
            await world.twice(apply_collection_status, uetr, status, "AM04" if name == "reject" else None)
        case "back":
            await world.twice(return_collection, uetr, life.amount, world.asset, "MD06")
        case "cancel" if life.kind == "ours":
            await world.twice(cancel_mandate, life.mandate)
        case "clear":
            await world.twice(clear_suspense, id, world.ann)
        case "freeze" | "thaw":
            status_of_bob = Status.FROZEN if name == "freeze" else Status.OPEN
            await world.database.run(lambda tx: change_status(tx, world.bob, status_of_bob))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(begins=st.lists(begin, min_size=1, max_size=4), steps=st.lists(step, min_size=4, max_size=14))
def test_what_is_collected_is_neither_lost_nor_doubled(
    database_url: str, keys: Keys, begins: list[tuple[str, int]], steps: list[tuple[int, int, bool]]
) -> None:
    async def run() -> None:
        database = await Database.open(database_url, connections_max=3, keys=keys)
        try:
            world, oracle = World(database, f"D{next(_assets):05}"), Oracle()
            await world.begin()
            for kind, amount in begins:
                oracle.lives.append(await begin_life(world, kind, amount))
                if kind == "theirs":
                    oracle.take(oracle.lives[-1])
            for number, choice, possible in steps:
                number %= len(oracle.lives)
                life, name = oracle.lives[number], chosen(oracle, number, choice, possible, HAPPENINGS)
                await happen(world, name, life)
                oracle.happen(name, life)
            assert await world.stands() == tuple(oracle.has.values())
            assert sum(oracle.has.values()) == 2 * BEGINNING_MINOR
            async with database.reading() as tx:
                for life in oracle.lives:
                    found = await collection(tx, life.mandate, life.id)
                    assert found is not None
                    assert found.status is life.status
                items = [each for each in await suspense_page(tx, limit=1_000) if each.asset == world.asset]
                assert sum(each.amount_minor for each in items) == oracle.has["aside"]
                assert (await verify(tx)).proved
        finally:
            await database.close()

    asyncio.run(run())
