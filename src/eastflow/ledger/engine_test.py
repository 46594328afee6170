"""The ledger's invariants, driven by random sequences of its real verbs against an oracle that shares no code with it.

1. Each outcome is what the oracle says: accepted, replayed or refused, and for what reason.
2. Balances, held amounts and sequences are the oracle's after every batch.
3. All balances of an asset sum to zero after every batch, and at every moment in between.
4. It makes no difference whether a batch goes the quick way or is judged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eastflow.kernel import Asset, Refusal
from eastflow.ledger import (
    Account,
    Balance,
    Capture,
    Command,
    Done,
    Entry,
    Hold,
    LedgerRefusal,
    Outcome,
    Posting,
    Release,
    Side,
    balances,
    entries,
    trial_balance_at,
    verify,
)
from eastflow.ledger.actions import Engine, define_asset, new_id, open_accounts
from eastflow.storage import Database
from eastflow.storage import clock as house_clock

DAY = date(2026, 1, 2)
AT = datetime(2026, 1, 2, 12, tzinfo=UTC)
FLOORS: dict[int, int | None] = {1: None, 2: 0, 3: -50, 4: 0, 5: 0}
DEBIT_SIDE = {1, 5}


@dataclass
class Oracle:
    """The books as a clerk would keep them in a notebook: one command at a time, everything undone by copying."""

    posted: dict[int, int] = field(default_factory=lambda: dict.fromkeys(FLOORS, 0))
    held: dict[int, int] = field(default_factory=lambda: dict.fromkeys(FLOORS, 0))
    count: dict[int, int] = field(default_factory=lambda: dict.fromkeys(FLOORS, 0))
    known: dict[UUID, object] = field(default_factory=dict)
    holds: dict[tuple[int, UUID], list[object]] = field(default_factory=dict)

    def copy(self) -> Oracle:
        holds = {key: list(value) for key, value in self.holds.items()}
        return Oracle(dict(self.posted), dict(self.held), dict(self.count), dict(self.known), holds)

    def assign(self, other: Oracle) -> None:
        self.posted, self.held, self.count = other.posted, other.held, other.count
        self.known, self.holds = other.known, other.holds

    def batch(self, commands: Sequence[Command]) -> list[str]:
        said: list[str] = []
        start = 0
        while start < len(commands):
            stop = start
            while stop < len(commands) and commands[stop].linked:
                stop += 1
            group = commands[start : stop + 1]
            if stop == len(commands):
                said += ["linked_group_open"] * len(group)
            else:
                said += self.group(group)
            start = stop + 1
        return said

    def group(self, group: Sequence[Command]) -> list[str]:
        attempt = self.copy()
        words = []
        for command in group:
            words.append(attempt.one(command))
            if words[-1] not in ("done", "replayed"):
                others = ["linked_entry_refused"] * len(group)
                others[len(words) - 1] = words[-1]
                return others
        self.assign(attempt)
        return words

    def one(self, command: Command) -> str:
        if isinstance(command, Entry):
            return self.entry(command)
        if isinstance(command, Hold):
            return self.hold(command)
        return self.release(command)

    def entry(self, entry: Entry) -> str:
        said = (entry.kind, tuple((p.account, p.amount_minor) for p in entry.postings), entry.capture)
        if sum(p.amount_minor for p in entry.postings):
            return "does_not_balance"
        if entry.id in self.known:
            return "replayed" if self.known[entry.id] == said else "entry_id_reused"
        if any(p.account not in FLOORS for p in entry.postings):
            return "account_not_found"
        moves = dict.fromkeys((p.account for p in entry.postings), 0)
        for posting in entry.postings:
            moves[posting.account] += -posting.amount_minor if posting.account in DEBIT_SIDE else posting.amount_minor
        freed = 0
        if entry.capture:
            held = self.holds.get((entry.capture.account, entry.capture.hold))
            taken = -moves.get(entry.capture.account, 0)
            if held is None:
                return "hold_not_found"
            if held[2] != "active":
                return "hold_ended"
            assert isinstance(held[1], int)
            if not 0 < taken <= held[1]:
                return "capture_exceeds_hold"
            freed = held[1] if entry.capture.final else taken
        for account, move in moves.items():
            floor = FLOORS[account]
            held_after = self.held[account] - (freed if entry.capture and entry.capture.account == account else 0)
            if floor is not None and move < 0 and self.posted[account] + move - held_after < floor:
                return "insufficient_funds"
        for posting in entry.postings:
            self.count[posting.account] += 1
        for account, move in moves.items():
            self.posted[account] += move
        if entry.capture:
            key = entry.capture.account, entry.capture.hold
            held = self.holds[key]
            assert isinstance(held[1], int)
            held[1] -= freed
            held[2] = "active" if held[1] else "captured"
            self.held[key[0]] -= freed
        self.known[entry.id] = said
        return "done"

    def hold(self, hold: Hold) -> str:
        known = self.holds.get((hold.account, hold.id))
        if known is not None:
            return "replayed" if known[0] == hold.amount_minor else "hold_id_reused"
        floor = FLOORS[hold.account]
        if floor is not None and self.posted[hold.account] - self.held[hold.account] - hold.amount_minor < floor:
            return "insufficient_funds"
        self.holds[hold.account, hold.id] = [hold.amount_minor, hold.amount_minor, "active"]
        self.held[hold.account] += hold.amount_minor
        return "done"

    def release(self, release: Release) -> str:
        held = self.holds.get((release.account, release.hold))
        if held is None:
            return "hold_not_found"
        if held[2] == "released":
            return "replayed"
        if held[2] != "active":
            return "hold_ended"
        assert isinstance(held[1], int)
        self.held[release.account] -= held[1]
        held[1], held[2] = 0, "released"
        return "done"


def word(outcome: Outcome) -> str:
    if isinstance(outcome, Refusal):
        return outcome.code.name.lower()
    return "replayed" if outcome.replayed else "done"


ACCOUNTS = st.sampled_from(sorted(FLOORS))
IDS = st.integers(1, 12).map(lambda number: UUID(int=number))
HOLD_IDS = st.integers(101, 104).map(lambda number: UUID(int=number))
LINKED = st.sampled_from([False, False, False, True])


@st.composite
def an_entry(draw: st.DrawFn) -> Entry:
    amounts = draw(st.lists(st.integers(-80, 80).filter(bool), min_size=1, max_size=3))
    rest = -sum(amounts) or draw(st.sampled_from([1, -1]))
    legs = [Posting(draw(ACCOUNTS | st.just(77)), "EUR", amount) for amount in [*amounts, rest]]
    capture = draw(st.none() | st.builds(Capture, ACCOUNTS, HOLD_IDS, st.booleans()))
    kind = draw(st.sampled_from(["transfer", "fee"]))
    return Entry(draw(IDS), kind, DAY, tuple(legs), capture=capture, linked=draw(LINKED))


@st.composite
def a_plain_entry(draw: st.DrawFn) -> Entry:
    one, other = draw(st.lists(ACCOUNTS, min_size=2, max_size=2, unique=True))
    amount = draw(st.integers(1, 60))
    return Entry(draw(IDS), "transfer", DAY, (Posting(one, "EUR", -amount), Posting(other, "EUR", amount)))


HOLDS = st.builds(Hold, HOLD_IDS, ACCOUNTS, st.just("EUR"), st.integers(1, 60), linked=LINKED)
RELEASES = st.builds(Release, ACCOUNTS, HOLD_IDS, linked=LINKED)
BATCHES = st.lists(
    st.lists(a_plain_entry(), min_size=1, max_size=6)
    | st.lists(an_entry() | a_plain_entry() | HOLDS | RELEASES, min_size=1, max_size=8),
    min_size=1,
    max_size=8,
)


async def open_books(database: Database) -> None:
    accounts = [
        Account(number, "EUR", Side.DEBIT if number in DEBIT_SIDE else Side.CREDIT, f"test:{number}", DAY, floor)
        for number, floor in FLOORS.items()
    ]
    await database.run(lambda tx: define_asset(tx, Asset("EUR", 2)))
    await database.run(lambda tx: open_accounts(tx, accounts))


async def drive(url: str, batches: list[list[Command]], suffix: int) -> None:
    database = await Database.open(url)
    oracle = Oracle()
    # One database serves many examples: numbers of accounts and ids are moved apart.
    shift = Shift(suffix)
    await database.run(lambda tx: define_asset(tx, Asset("EUR", 2)))
    await database.run(lambda tx: open_accounts(tx, shift.accounts()))
    async with Engine(database, lanes=1, clock=lambda: AT) as engine:
        for batch in batches:
            outcomes = await engine.post_batch([shift.command(command) for command in batch])
            assert [word(outcome) for outcome in outcomes] == oracle.batch(batch)
            async with database.reading() as tx:
                books = await balances(tx, [shift.account(number) for number in FLOORS])
                trial = await trial_balance_at(tx)
            assert trial.balanced
            for number in FLOORS:
                balance = books[shift.account(number)]
                expected = oracle.posted[number], oracle.held[number], oracle.count[number]
                assert (balance.posted_minor, balance.held_minor, balance.sequence) == expected
    await database.close()


@dataclass
class Shift:
    by: int

    def account(self, number: int) -> int:
        return self.by * 1_000 + number

    def id(self, id: UUID) -> UUID:
        return UUID(int=(self.by << 32) + id.int)

    def accounts(self) -> list[Account]:
        return [
            Account(
                self.account(n), "EUR", Side.DEBIT if n in DEBIT_SIDE else Side.CREDIT, f"test:{n}", DAY, floor
            )
            for n, floor in FLOORS.items()
        ]  # fmt: skip

    def command(self, command: Command) -> Command:
        if isinstance(command, Hold):
            return Hold(
                self.id(command.id), self.account(command.account), "EUR", command.amount_minor, None, command.linked
            )
        if isinstance(command, Release):
            return Release(self.account(command.account), self.id(command.hold), linked=command.linked)
        legs = tuple(Posting(self.account(p.account), p.asset, p.amount_minor) for p in command.postings)
        capture = command.capture and Capture(
            self.account(command.capture.account), self.id(command.capture.hold), command.capture.final
        )
        return Entry(self.id(command.id), command.kind, DAY, legs, capture=capture, linked=command.linked)


_examples = iter(range(1, 1_000_000))


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(BATCHES)
def test_the_engine_keeps_the_books_the_oracle_keeps(database_url: str, batches: list[list[Command]]) -> None:
    asyncio.run(drive(database_url, batches, next(_examples)))


@pytest.mark.soak
@settings(max_examples=5_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(BATCHES)
def test_the_engine_keeps_the_books_for_long(database_url: str, batches: list[list[Command]]) -> None:
    asyncio.run(drive(database_url, batches, next(_examples)))


def transfer(source: int, target: int, amount: int, id: UUID | None = None) -> Entry:
    return Entry(id or new_id(), "transfer", DAY, (Posting(source, "EUR", -amount), Posting(target, "EUR", amount)))


async def test_each_caller_of_a_group_commit_gets_its_own_answer(database: Database) -> None:
    await open_books(database)
    async with Engine(database) as engine:
        calls = [engine.post(transfer(1, 2, amount)) for amount in range(1, 200)]
        calls.append(engine.post(transfer(4, 2, 1)))
        outcomes = await asyncio.gather(*calls)
    assert isinstance(outcomes[-1], Refusal)
    assert outcomes[-1].code is LedgerRefusal.INSUFFICIENT_FUNDS
    for amount, outcome in enumerate(outcomes[:-1], start=1):
        assert isinstance(outcome, Done)
        async with database.reading() as tx:
            booked = (await entries(tx, [outcome.id]))[outcome.id]
        assert booked.amounts_minor == (-amount, amount)
        assert tuple(b.sequence for b in outcome.balances) == booked.sequences


async def test_a_replay_answers_with_the_balances_left_then(database: Database) -> None:
    await open_books(database)
    first = transfer(1, 2, 30)
    async with Engine(database, lanes=1) as engine:
        done = await engine.post(first)
        await engine.post(Hold(new_id(), 2, "EUR", 10))
        await engine.post(transfer(2, 3, 5))
        again = await engine.post(first)
    assert isinstance(done, Done)
    assert isinstance(again, Done)
    assert again.replayed
    assert (again.balances, again.booked_at) == (done.balances, done.booked_at)
    assert again.balances[1] == Balance(2, 30, 0, 0, 1)


async def test_payments_in_a_circle_with_nothing_on_either_side(database: Database) -> None:
    """B may pay on what it got a moment ago in the same batch, and never before."""
    await open_books(database)
    async with Engine(database, lanes=1) as engine:
        outcomes = await engine.post_batch([transfer(4, 2, 5), transfer(1, 2, 5), transfer(2, 4, 5), transfer(4, 2, 5)])
    assert [word(outcome) for outcome in outcomes] == ["insufficient_funds", "done", "done", "done"]


async def test_engines_at_once_on_the_same_accounts(database_url: str, database: Database) -> None:
    """Two engines, each with two lanes, on five accounts: every entry once, no deadlock, and the trial balance is
    zero whenever it is asked."""
    await open_books(database)
    other = await Database.open(database_url)
    seen: list[bool] = []

    async def watch() -> None:
        while True:
            async with database.reading() as tx:
                seen.append((await trial_balance_at(tx)).balanced)

    async with Engine(database) as one, Engine(other) as two:
        watcher = asyncio.create_task(watch())
        batches = [[transfer(1 + n % 5, 1 + (n + 1) % 5, 1 + n % 7) for n in range(60)] for _ in range(20)]
        answers = await asyncio.gather(*(e.post_batch(b) for b in batches for e in (one, two)))
        watcher.cancel()
    await other.close()
    assert seen
    assert all(seen)
    # Both engines were given the same ids, so of each pair of accepted outcomes one is a replay.
    words = [[word(outcome) for outcome in outcomes] for outcomes in answers]
    done = sum(w == "done" for ws in words for w in ws)
    async with database.reading() as tx:
        assert await tx.value("SELECT count(*) FROM ledger_entry") == done
        assert await tx.value("SELECT count(*) FROM ledger_posting") == 2 * done
        assert await tx.value("SELECT sum(sequence) FROM ledger_balance") == 2 * done


@pytest.mark.parametrize("amount", [(1 << 63) - 1, 1 << 62, (1 << 61) + 1])
async def test_the_largest_amounts(database: Database, amount: int) -> None:
    await open_books(database)
    async with Engine(database, lanes=1) as engine:
        outcomes = [await engine.post(transfer(1, 3, amount)), await engine.post(transfer(1, 3, amount))]
        fits = 2 * amount < 1 << 63
        assert [word(o) for o in outcomes] == ["done", "done" if fits else "balance_out_of_range"]
        assert word(await engine.post(transfer(3, 1, amount))) == "done"


async def test_too_large_a_batch_is_refused_whole(database: Database) -> None:
    await open_books(database)
    async with Engine(database) as engine:
        outcomes = await engine.post_batch([transfer(1, 2, 1)] * 10_001)
    assert {word(outcome) for outcome in outcomes} == {"batch_too_large"}


async def test_a_clock_that_was_set_back_books_nothing_before_what_is_booked(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = datetime.now(UTC) + timedelta(minutes=5)
    await open_books(database)
    async with Engine(database, clock=lambda: ahead) as engine:
        first = await engine.post(transfer(1, 2, 100))
    # The next process finds the machine's clock five minutes behind.
    monkeypatch.setattr(house_clock, "_forward", house_clock._Forward())
    async with Engine(database) as engine:
        second = await engine.post(transfer(1, 2, 100))
    assert isinstance(first, Done)
    assert isinstance(second, Done)
    assert second.booked_at == first.booked_at == ahead
    async with database.reading() as tx:
        assert not (await verify(tx)).findings
