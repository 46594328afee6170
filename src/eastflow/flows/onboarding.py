"""A customer, an account and the first money in one transaction; callers at work at once share a commit."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID, uuid5

from eastflow import ledger, products
from eastflow.customers import Channel
from eastflow.customers.actions import register_parties
from eastflow.deposits import Deposit, Executed, Opening
from eastflow.deposits.actions import open_deposits, pay_in
from eastflow.kernel import Refusal, own_id
from eastflow.ledger import Entry, Posting, Side
from eastflow.ledger.actions import internal_account, post
from eastflow.products import ProductKind
from eastflow.storage import Clock, Database, Retry, Transaction, now

from .decide import check_parts
from .model import Onboarded, Onboarding, Parts
from .refusals import FlowsRefusal

FIRST_MONEY = "first money"
OTHER_BANKS = "assets:clearing"
LANES = 2
"""So many groups at work at once: while some wait for the database, the answers of others are read."""
TOGETHER_MAX = 100
"""So many are committed together at most: one that is refused makes the others of its group be done again."""
Calendar = Callable[[], date]


class Declined(Exception):
    """Some of those that were to be onboarded together are refused, by their place. Nothing of any may stay."""

    def __init__(self, refusals: Mapping[int, Refusal]) -> None:
        super().__init__(f"{len(refusals)} refused")
        self.refusals = refusals


async def onboard(
    tx: Transaction, together: Sequence[Onboarding], *, today: date, clock: Clock = now
) -> list[Onboarded]:
    """All of them in the caller's transaction, or none. The same again is answered as before. Errors: Declined."""
    _decline([check_parts(Parts(product=each.product, amount_minor=each.amount_minor)) for each in together])
    parties = await register_parties(tx, [each.party for each in together], clock=clock, today=lambda: today)
    _decline(parties)
    opened = await _opened(tx, together, today, clock)
    _decline(opened)
    done = [answer for answer in opened if isinstance(answer, Executed)]
    await _pay_in(tx, together, done, today, clock)
    return [
        Onboarded(each.id, each.party.id, one.deposit.account, one.deposit.asset, each.amount_minor, one.replayed)
        for each, one in zip(together, done, strict=True)
    ]


def _decline(answers: Sequence[object]) -> None:
    """The answers in the order of those asked for. Errors: Declined, if there is a refusal among them."""
    refusals = {place: answer for place, answer in enumerate(answers) if isinstance(answer, Refusal)}
    if refusals:
        raise Declined(refusals)


async def _opened(
    tx: Transaction, together: Sequence[Onboarding], today: date, clock: Clock
) -> list[Executed | Refusal]:
    """Empty: the money of all comes afterwards, so that the account it comes by is locked only briefly. Those whom one
    actor takes on in one channel are opened together."""
    groups: dict[tuple[Channel, str], list[int]] = {}
    for place, each in enumerate(together):
        groups.setdefault((each.channel, each.by), []).append(place)
    answers: dict[int, Executed | Refusal] = {}
    for (channel, by), places in groups.items():
        openings = [Opening(one.id, one.product, one.party.id) for one in map(together.__getitem__, places)]
        opened = await open_deposits(tx, openings, today=today, channel=channel, by=by, clock=clock)
        answers |= zip(places, opened, strict=True)
    return [answers[place] for place in range(len(together))]


async def _pay_in(
    tx: Transaction, together: Sequence[Onboarding], opened: Sequence[Executed], today: date, clock: Clock
) -> None:
    """The first money of each: into demand deposits, whose balance is the ledger's, in one batch; into others by their
    contracts. Errors: Declined."""
    sources = {asset: await _source(tx, asset, today) for asset in sorted({one.deposit.asset for one in opened})}
    answers: list[object] = []
    entries: dict[UUID, Entry] = {}
    places: list[int] = []
    for place, (each, one) in enumerate(zip(together, opened, strict=True)):
        source, deposit = sources[one.deposit.asset], one.deposit
        if one.replayed:
            answers.append(await _differs(tx, each, entries))
        elif deposit.kind is ProductKind.DEMAND:
            money = _money(each, deposit, source, today)
            answers.append(_taken(deposit, money, today))
            if money is not None:
                entries[money.id] = money
                places.append(place)
        else:
            answers.append(await _by_contract(tx, each, deposit.account, source, today, clock))
    _decline(answers)
    if entries:
        outcomes = await post(tx, list(entries.values()), clock=clock, today=lambda: today)
        posted = dict(zip(places, outcomes, strict=True))
        _decline([posted.get(place) for place in range(len(together))])


async def _by_contract(
    tx: Transaction, asked: Onboarding, account: int, source: int, today: date, clock: Clock
) -> Executed | Refusal | None:
    if not asked.amount_minor:
        return None
    id = _money_id(asked)
    return await pay_in(
        tx, id, account, asked.amount_minor, source, today=today, channel=asked.channel, by=asked.by, clock=clock
    )


async def _differs(tx: Transaction, asked: Onboarding, coming: Mapping[UUID, Entry]) -> Refusal | None:
    """What was onboarded before is answered as before, if it is the money that it was opened with."""
    id = _money_id(asked)
    booked = await ledger.entry(tx, id)
    before = max(booked.amounts_minor if booked is not None else _amounts(coming.get(id)), default=0)
    return None if before == asked.amount_minor else Refusal(FlowsRefusal.ONBOARDING_ID_REUSED, {"id": asked.id})


def _taken(deposit: Deposit, money: Entry | None, today: date) -> Refusal | None:
    """May the deposit take the money?"""
    if money is None:
        return None
    taken = products.pay_in(deposit.contract, money.postings[1].amount_minor, today)
    return taken if isinstance(taken, Refusal) else None


def _money(asked: Onboarding, deposit: Deposit, source: int, today: date) -> Entry | None:
    if not asked.amount_minor:
        return None
    legs = (
        Posting(source, deposit.asset, -asked.amount_minor),
        Posting(deposit.account, deposit.asset, asked.amount_minor),
    )
    return Entry(_money_id(asked), "deposit", today, legs)


def _money_id(asked: Onboarding) -> UUID:
    return own_id(uuid5(asked.id, FIRST_MONEY).bytes)


def _amounts(money: Entry | None) -> tuple[int, ...]:
    return () if money is None else tuple(leg.amount_minor for leg in money.postings)


async def _source(tx: Transaction, asset: str, today: date) -> int:
    """The account by which money comes from other banks."""
    found = await internal_account(tx, OTHER_BANKS, asset, Side.DEBIT, today=lambda: today)
    if isinstance(found, Refusal):
        # The asset of a deposit is defined, so what is taken is the number: another account was opened meanwhile.
        raise Retry("another of the bank's own accounts was opened in the same moment")
    return found


@dataclass(slots=True)
class _Waiting:
    asked: Onboarding
    answer: asyncio.Future[Onboarded | Refusal] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Reception:
    """`await Reception(database, today).onboard(...)`: who comes while others are being served is served next, together
    with all who came meanwhile, in one commit."""

    def __init__(self, database: Database, today: Calendar, *, clock: Clock = now) -> None:
        self._database = database
        self._today = today
        self._clock = clock
        self._waiting: deque[_Waiting] = deque()
        self._serving: set[asyncio.Task[None]] = set()

    async def onboard(self, asked: Onboarding) -> Onboarded | Refusal:
        """Answered when it is durable. Errors: StorageFault; then send it again with the same id."""
        waiting = _Waiting(asked)
        self._waiting.append(waiting)
        if len(self._serving) < LANES:
            lane = asyncio.create_task(self._serve())
            self._serving.add(lane)
            lane.add_done_callback(self._serving.discard)
        return await waiting.answer

    async def _serve(self) -> None:
        while self._waiting:
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), TOGETHER_MAX))]
            try:
                await self._answer(group)
            except Exception as problem:
                # The callers are told, whatever it was; those behind them are served.
                for each in group:
                    if not each.answer.done():
                        each.answer.set_exception(problem)

    async def _answer(self, group: list[_Waiting]) -> None:
        """Those refused are answered and leave the group; the others are done again without them."""
        while group:
            together = [each.asked for each in group]
            try:
                answers = await self._database.run(
                    lambda tx: onboard(tx, together, today=self._today(), clock=self._clock)  # noqa: B023 - run at once
                )
            except Declined as declined:
                for place, refusal in declined.refusals.items():
                    _tell(group[place], refusal)
                group = [each for place, each in enumerate(group) if place not in declined.refusals]
                continue
            for each, answer in zip(group, answers, strict=True):
                _tell(each, answer)
            return


def _tell(waiting: _Waiting, answer: Onboarded | Refusal) -> None:
    if not waiting.answer.done():
        waiting.answer.set_result(answer)
