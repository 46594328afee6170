"""What happens to a batch? Its commands are judged in order on the books as they stand. Pure: no clock, no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID

from eastflow.kernel import INT64_MAX, Refusal

from .check import check_command
from .model import (
    BOUND_MINOR,
    Balance,
    BookedEntry,
    Capture,
    Command,
    Done,
    Entry,
    HeldAmount,
    Hold,
    HoldStatus,
    Outcome,
    Posting,
    Release,
    Side,
    Status,
)
from .refusals import LedgerRefusal


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an account stands while its batch is judged."""

    asset: str
    side: Side
    status: Status
    floor_minor: int | None
    posted_minor: int
    held_minor: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Booked:
    """An accepted entry with what each leg became: its place in its account and the balance after it."""

    entry: Entry
    sequences: tuple[int, ...]
    balances_minor: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class HoldChange:
    account: int
    hold: UUID
    amount_minor: int
    entry: UUID | None


@dataclass(slots=True)
class Books:
    """The part of the books that a batch touches, and what it adds. The nouns in it are replaced, never changed."""

    assets: frozenset[str]
    standings: dict[int, Standing]
    entries: dict[UUID, BookedEntry] = field(default_factory=dict)
    holds: dict[tuple[int, UUID], HeldAmount] = field(default_factory=dict)
    reversals: dict[UUID, UUID] = field(default_factory=dict)
    booked: list[Booked] = field(default_factory=list)
    hold_changes: list[HoldChange] = field(default_factory=list)
    outcomes_by_id: dict[UUID, tuple[Entry, Done]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moment:
    """When the batch is judged: the time it is booked, and the bank's date."""

    at: datetime
    today: date


def judge(books: Books, commands: Sequence[Command], moment: Moment) -> list[Outcome]:
    """The outcome of each command, written into `books` as it is found. A linked group passes or fails whole."""
    outcomes: list[Outcome] = []
    for group in linked_groups(commands):
        if group[-1].linked:
            outcomes += [Refusal(LedgerRefusal.LINKED_GROUP_OPEN)] * len(group)
        elif len(group) == 1:
            outcomes.append(_decide(books, group[0], moment))
        else:
            outcomes += _judge_group(books, group, moment)
    return outcomes


def linked_groups(commands: Sequence[Command]) -> list[list[Command]]:
    """Runs of commands, each run ended by one that is not linked to the next; an open run may end the batch."""
    groups: list[list[Command]] = [[]]
    for command in commands:
        groups[-1].append(command)
        if not command.linked:
            groups.append([])
    return groups if groups[-1] else groups[:-1]


def _judge_group(books: Books, group: list[Command], moment: Moment) -> list[Outcome]:
    before = _Before(books, group)
    outcomes: list[Outcome] = []
    for command in group:
        outcome = _decide(books, command, moment)
        outcomes.append(outcome)
        if isinstance(outcome, Refusal):
            before.restore()
            refused = Refusal(LedgerRefusal.LINKED_ENTRY_REFUSED, {"because": outcome.code.value})
            return [*[refused] * (len(outcomes) - 1), outcome, *[refused] * (len(group) - len(outcomes))]
    return outcomes


class _Before:
    """What a group of commands may change, so that a group that fails leaves no trace."""

    def __init__(self, books: Books, group: Sequence[Command]) -> None:
        self._books = books
        self._standings = {a: books.standings[a] for c in group for a in touched_accounts(c) if a in books.standings}
        self._holds = {key: books.holds.get(key) for c in group if (key := touched_hold(c))}
        self._lengths = len(books.booked), len(books.hold_changes)

    def restore(self) -> None:
        books, (booked, hold_changes) = self._books, self._lengths
        books.standings.update(self._standings)
        for key, held in self._holds.items():
            if held is None:
                books.holds.pop(key, None)
            else:
                books.holds[key] = held
        for undone in books.booked[booked:]:
            del books.outcomes_by_id[undone.entry.id]
            if undone.entry.reverses:
                del books.reversals[undone.entry.reverses]
        del books.booked[booked:], books.hold_changes[hold_changes:]


def touched_accounts(command: Command) -> tuple[int, ...]:
    if isinstance(command, Entry):
        legs = tuple(posting.account for posting in command.postings)
        return (*legs, command.capture.account) if command.capture else legs
    return (command.account,)


def touched_hold(command: Command) -> tuple[int, UUID] | None:
    if isinstance(command, Hold):
        return command.account, command.id
    if isinstance(command, Release):
        return command.account, command.hold
    return (command.capture.account, command.capture.hold) if command.capture else None


def _decide(books: Books, command: Command, moment: Moment) -> Outcome:
    """Each decision looks at everything before it changes anything, so a refusal leaves the books as they were."""
    if refusal := check_command(command):
        return refusal
    if isinstance(command, Entry):
        return _decide_entry(books, command, moment)
    if isinstance(command, Hold):
        return _decide_hold(books, command, moment)
    return _decide_release(books, command, moment)


def _decide_entry(books: Books, entry: Entry, moment: Moment) -> Outcome:
    if entry.id in books.outcomes_by_id or entry.id in books.entries:
        return _replay(books, entry)
    if entry.value_date > moment.today:
        return Refusal(LedgerRefusal.VALUE_DATE_IN_FUTURE, {"value_date": entry.value_date, "today": moment.today})
    refusal = (
        _check_reversal(books, entry)
        or _check_accounts(books, entry.postings)
        or (entry.capture and _check_capture(books, entry, entry.capture, moment))
        or _check_money(books, entry)
    )
    return refusal or _book(books, entry, moment)


def _replay(books: Books, entry: Entry) -> Outcome:
    if entry.id in books.outcomes_by_id:
        first, done = books.outcomes_by_id[entry.id]
        same = replace(first, linked=entry.linked) == entry
        return replace(done, replayed=True) if same else Refusal(LedgerRefusal.ENTRY_ID_REUSED, {"id": entry.id})
    booked = books.entries[entry.id]
    same_assets = all(
        posting.account in books.standings and books.standings[posting.account].asset == posting.asset
        for posting in entry.postings
    )
    if not (same_assets and says_the_same(entry, booked)):
        return Refusal(LedgerRefusal.ENTRY_ID_REUSED, {"id": entry.id})
    # The balances it left behind are read by the store, which alone knows the account's later history.
    return Done(entry.id, booked.booked_at, (), replayed=True)


def says_the_same(entry: Entry, booked: BookedEntry) -> bool:
    return (
        booked.kind == entry.kind
        and booked.value_date == entry.value_date
        and booked.accounts == tuple(posting.account for posting in entry.postings)
        and booked.amounts_minor == tuple(posting.amount_minor for posting in entry.postings)
        and booked.memo == entry.memo
        and booked.details == entry.details
        and booked.reverses == entry.reverses
        and booked.capture == entry.capture
    )


def _check_reversal(books: Books, entry: Entry) -> Refusal | None:
    if entry.reverses is None:
        return None
    original = books.entries.get(entry.reverses)
    if original is None and entry.reverses in books.outcomes_by_id:
        first = books.outcomes_by_id[entry.reverses][0]
        legs = [(posting.account, posting.amount_minor) for posting in first.postings]
    elif original is None:
        return Refusal(LedgerRefusal.ENTRY_NOT_FOUND, {"id": entry.reverses})
    else:
        legs = list(zip(original.accounts, original.amounts_minor, strict=True))
    if entry.reverses in books.reversals:
        facts = {"id": entry.reverses, "reversed_by": books.reversals[entry.reverses]}
        return Refusal(LedgerRefusal.ENTRY_ALREADY_REVERSED, facts)
    if sorted(legs) != sorted((posting.account, -posting.amount_minor) for posting in entry.postings):
        return Refusal(LedgerRefusal.REVERSAL_DIFFERS, {"id": entry.reverses})
    return None


def _check_accounts(books: Books, postings: tuple[Posting, ...]) -> Refusal | None:
    """One kind of refusal after the other over all legs, so that the first reason by precedence is the one given."""
    for posting in postings:
        if posting.asset not in books.assets:
            return Refusal(LedgerRefusal.ASSET_NOT_FOUND, {"asset": posting.asset})
    for posting in postings:
        if posting.account not in books.standings:
            return Refusal(LedgerRefusal.ACCOUNT_NOT_FOUND, {"account": posting.account})
    for posting in postings:
        if posting.asset != (own := books.standings[posting.account].asset):
            return Refusal(LedgerRefusal.ASSET_DIFFERS, {"account": posting.account, "asset": own})
    for posting in postings:
        if books.standings[posting.account].status is Status.CLOSED:
            return Refusal(LedgerRefusal.ACCOUNT_CLOSED, {"account": posting.account})
    for account, move in _moves(books, postings).items():
        status = books.standings[account].status
        if status is Status.FROZEN or (status is Status.DEBITS_FROZEN and move < 0):
            return Refusal(LedgerRefusal.ACCOUNT_FROZEN, {"account": account, "status": status.value})
    return None


def _check_capture(books: Books, entry: Entry, capture: Capture, moment: Moment) -> Refusal | None:
    held = books.holds.get((capture.account, capture.hold))
    if held is None:
        return Refusal(LedgerRefusal.HOLD_NOT_FOUND, {"account": capture.account, "hold": capture.hold})
    if held.status is not HoldStatus.ACTIVE:
        return Refusal(LedgerRefusal.HOLD_ENDED, {"hold": capture.hold, "status": held.status.value})
    if held.expires_at is not None and held.expires_at <= moment.at:
        return Refusal(LedgerRefusal.HOLD_EXPIRED, {"hold": capture.hold, "expires_at": held.expires_at})
    taken = -_moves(books, entry.postings).get(capture.account, 0)
    if not 0 < taken <= held.remaining_minor:
        facts = {"hold": capture.hold, "captured_minor": taken, "remaining_minor": held.remaining_minor}
        return Refusal(LedgerRefusal.CAPTURE_EXCEEDS_HOLD, facts)
    return None


def _check_money(books: Books, entry: Entry) -> Refusal | None:
    moves = _moves(books, entry.postings)
    for account, move in moves.items():
        standing = books.standings[account]
        if standing.floor_minor is None or move >= 0:
            continue
        held = standing.held_minor - _given_back(books, entry, account)
        if standing.posted_minor + move - held < standing.floor_minor:
            available = standing.posted_minor - held - standing.floor_minor
            facts = {"account": account, "available_minor": available, "needed_minor": -move}
            return Refusal(LedgerRefusal.INSUFFICIENT_FUNDS, facts)
    for account in moves:
        # Each leg leaves a balance of its own in the books, so each must fit.
        balance = books.standings[account].posted_minor
        for posting in entry.postings:
            balance += books.standings[account].side.sign * posting.amount_minor * (posting.account == account)
            if not -INT64_MAX <= balance <= INT64_MAX:
                return Refusal(LedgerRefusal.BALANCE_OUT_OF_RANGE, {"account": account})
    return None


def _book(books: Books, entry: Entry, moment: Moment) -> Done:
    sequences, balances = [], []
    for posting in entry.postings:
        standing = books.standings[posting.account]
        balance = standing.posted_minor + standing.side.sign * posting.amount_minor
        after = replace(standing, posted_minor=balance, sequence=standing.sequence + 1)
        books.standings[posting.account] = after
        sequences.append(after.sequence)
        balances.append(balance)
    if entry.capture:
        _take_from_hold(books, entry, entry.capture)
    if entry.reverses:
        books.reversals[entry.reverses] = entry.id
    books.booked.append(Booked(entry, tuple(sequences), tuple(balances)))
    accounts = dict.fromkeys(posting.account for posting in entry.postings)
    done = Done(entry.id, moment.at, tuple(_balance(books, account) for account in accounts))
    books.outcomes_by_id[entry.id] = (entry, done)
    return done


def _given_back(books: Books, entry: Entry, account: int) -> int:
    """How much less is held on the account once the entry has captured its hold."""
    capture = entry.capture
    if capture is None or capture.account != account:
        return 0
    if capture.final:
        return books.holds[account, capture.hold].remaining_minor
    return -_moves(books, entry.postings).get(account, 0)


def _take_from_hold(books: Books, entry: Entry, capture: Capture) -> None:
    given_back = _given_back(books, entry, capture.account)
    remaining = books.holds[capture.account, capture.hold].remaining_minor - given_back
    ended = HoldStatus.ACTIVE if remaining else HoldStatus.CAPTURED
    _change_hold(books, capture.account, capture.hold, -given_back, ended, entry.id)


def _decide_hold(books: Books, hold: Hold, moment: Moment) -> Outcome:
    held = books.holds.get((hold.account, hold.id))
    if held is not None:
        if (held.amount_minor, held.expires_at) != (hold.amount_minor, hold.expires_at):
            return Refusal(LedgerRefusal.HOLD_ID_REUSED, {"id": hold.id})
        return Done(hold.id, held.placed_at, (_balance(books, hold.account),), replayed=True)
    if hold.expires_at is not None and hold.expires_at <= moment.at:
        return Refusal(LedgerRefusal.HOLD_EXPIRY_IN_PAST, {"expires_at": hold.expires_at})
    reserving = Posting(hold.account, hold.asset, 0)
    if refusal := _check_accounts(books, (reserving,)):
        return refusal
    standing = books.standings[hold.account]
    if standing.status is not Status.OPEN:
        return Refusal(LedgerRefusal.ACCOUNT_FROZEN, {"account": hold.account, "status": standing.status.value})
    available = _balance(books, hold.account).available_minor
    if available is not None and hold.amount_minor > available:
        facts = {"account": hold.account, "available_minor": available, "needed_minor": hold.amount_minor}
        return Refusal(LedgerRefusal.INSUFFICIENT_FUNDS, facts)
    if standing.held_minor + hold.amount_minor > BOUND_MINOR:
        return Refusal(LedgerRefusal.BALANCE_OUT_OF_RANGE, {"account": hold.account})
    placed = HeldAmount(hold.id, hold.account, hold.amount_minor, 0, HoldStatus.ACTIVE, moment.at, hold.expires_at)
    books.holds[hold.account, hold.id] = placed
    _change_hold(books, hold.account, hold.id, hold.amount_minor, HoldStatus.ACTIVE, None)
    return Done(hold.id, moment.at, (_balance(books, hold.account),))


def _decide_release(books: Books, release: Release, moment: Moment) -> Outcome:
    held = books.holds.get((release.account, release.hold))
    if held is None:
        return Refusal(LedgerRefusal.HOLD_NOT_FOUND, {"account": release.account, "hold": release.hold})
    ended = HoldStatus.EXPIRED if release.expired else HoldStatus.RELEASED
    if held.status is ended:
        return Done(release.hold, moment.at, (_balance(books, release.account),), replayed=True)
    if held.status is not HoldStatus.ACTIVE:
        return Refusal(LedgerRefusal.HOLD_ENDED, {"hold": release.hold, "status": held.status.value})
    _change_hold(books, release.account, release.hold, -held.remaining_minor, ended, None)
    return Done(release.hold, moment.at, (_balance(books, release.account),))


def _change_hold(
    books: Books, account: int, hold: UUID, amount_minor: int, status: HoldStatus, entry: UUID | None
) -> None:
    held, standing = books.holds[account, hold], books.standings[account]
    remaining = held.remaining_minor + amount_minor
    books.holds[account, hold] = replace(held, remaining_minor=remaining, status=status)
    books.standings[account] = replace(standing, held_minor=standing.held_minor + amount_minor)
    books.hold_changes.append(HoldChange(account, hold, amount_minor, entry))


def _moves(books: Books, postings: tuple[Posting, ...]) -> dict[int, int]:
    """What the entry does to each account's balance, on the account's own side."""
    moves: dict[int, int] = {}
    for posting in postings:
        signed = books.standings[posting.account].side.sign * posting.amount_minor
        moves[posting.account] = moves.get(posting.account, 0) + signed
    return moves


def _balance(books: Books, account: int) -> Balance:
    standing = books.standings[account]
    return Balance(account, standing.posted_minor, standing.held_minor, standing.floor_minor, standing.sequence)
