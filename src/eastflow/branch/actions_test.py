"""A day at the branch against a real database: two people, cash by the piece, nothing lost and nothing silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from eastflow.customers import AccountClass, Channel, ClassedAccount, CustomersRefusal, Party, PartyKind, Role, RoleKind
from eastflow.customers.actions import assign_class, grant_role, register_party
from eastflow.kernel import Asset, Refusal
from eastflow.ledger import Account, LedgerRefusal, Side, balance, entry, verify
from eastflow.ledger.actions import define_asset, internal_account, open_accounts
from eastflow.storage import Database, Transaction

from . import (
    BranchRefusal,
    Cash,
    Form,
    Journal,
    Pieces,
    Place,
    PlaceKind,
    TellerRole,
    Transfer,
    TransferStatus,
    Voucher,
    VoucherKind,
    VoucherStatus,
    actions,
    every_stock,
    journal,
    session,
    transfers_in_transit,
    voucher,
    vouchers,
)
from .model import Branch, Session, Teller
from .movements.actions import CASH_OVER, CASH_SHORT
from .transfers.actions import IN_TRANSIT

TODAY, TOMORROW = date(2026, 3, 2), date(2026, 3, 3)
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
LI, WANG = 1001, 1002
"""Two customers' accounts."""
LIMIT_MINOR = 1_000_000
VAULT = Place(PlaceKind.VAULT, "north")


def drawer(teller: str) -> Place:
    return Place(PlaceKind.DRAWER, teller)


def yuan(hundreds: int = 0, *, ones: int = 0, fen: int = 0) -> Cash:
    counts = [(Form.NOTE, 10_000, hundreds), (Form.NOTE, 100, ones), (Form.COIN, 1, fen)]
    return Cash("CNY", tuple(Pieces(form, value, count) for form, value, count in counts if count))


class Desk:
    """The north branch with two tellers and two supervisors signed on, and a vault with 1,000 notes of each kind."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.sessions: dict[str, UUID] = {}
        self.at = AT

    async def run(self, verb: Callable[..., Awaitable[Any]], *arguments: Any, **named: Any) -> Any:
        def work(tx: Transaction) -> Awaitable[Any]:
            return verb(tx, *arguments, **named, clock=lambda: self.at)

        return await self.database.run(work)

    async def asked(self, verb: Callable[..., Awaitable[Any]], who: str, *arguments: Any, **named: Any) -> Any:
        """The verb by a teller at work. `arguments` go before and after the session, parted by `...`."""
        place = arguments.index(...) if ... in arguments else len(arguments)
        told = (*arguments[:place], self.sessions[who], *arguments[place + 1 :])
        return await self.run(verb, *told, **({"today": TODAY} | named), by=f"key {who}")

    async def cash(
        self, who: str, account: int, cash: Cash, *, out: bool = False, id: UUID | None = None, seen: bool = True
    ) -> Any:
        told = {"out": out, "identification_seen": seen}
        return await self.asked(actions.customer_cash, who, id or uuid4(), ..., account, cash, **told)

    async def give(self, who: str, sender: Place, receiver: Place, cash: Cash, **named: Any) -> Any:
        return await self.asked(actions.issue, who, uuid4(), ..., sender, receiver, cash, **named)

    async def count(self, who: str, place: Place, cash: Cash) -> Any:
        return await self.asked(actions.count, who, uuid4(), ..., place, cash)

    async def sign_on(self, who: str, *, today: date = TODAY) -> Any:
        id = uuid4()
        answer = await self.run(actions.sign_on, id, who, today=today, by=f"key {who}")
        if isinstance(answer, Session):
            self.sessions[who] = id
        return answer

    async def sign_off(self, who: str) -> Any:
        return await self.run(actions.sign_off, self.sessions[who], by=f"key {who}")

    async def posted(self, account: int) -> int:
        async with self.database.reading() as tx:
            found = await balance(tx, account)
            assert found is not None
            return found.posted_minor

    async def own(self, chart: str, side: Side = Side.DEBIT) -> int:
        number = await self.database.run(lambda tx: internal_account(tx, chart, "CNY", side))
        assert isinstance(number, int)
        return await self.posted(number)


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    made = Desk(database)
    opened = [Account(n, "CNY", Side.CREDIT, "liabilities:deposits:demand", TODAY) for n in (LI, WANG)]

    async def books(tx: Transaction) -> None:
        await define_asset(tx, Asset("CNY", 2))
        await open_accounts(tx, opened)

    await database.run(books)
    assert await made.run(actions.register_branch, Branch("north", "North street")) == Branch("north", "North street")
    for code, role in (("ann", "teller"), ("ben", "teller"), ("sue", "supervisor"), ("tom", "supervisor")):
        new = Teller(code, "north", code.title(), TellerRole(role), f"key {code}")
        assert await made.run(actions.register_teller, new) == new
        await made.sign_on(code)
    assert await made.run(actions.set_limit, "north", "CNY", LIMIT_MINOR, by="chief") == {"CNY": LIMIT_MINOR}
    shipped = await made.asked(actions.ship, "sue", uuid4(), ..., yuan(1_000, ones=1_000, fen=1_000), out=False)
    await made.asked(actions.confirm, "tom", shipped.id)
    given = await made.give("sue", VAULT, drawer("ann"), yuan(200, ones=100, fen=100))
    await made.asked(actions.receive, "ann", given.id, ..., given.cash)
    yield made
    await check(database)


async def check(database: Database) -> None:
    """What the pieces are worth is what the books say, everywhere, on the way too; and the books hold."""
    async with database.reading() as tx:
        for stock in await every_stock(tx):
            found = await balance(tx, stock.account)
            assert found is not None
            assert (stock.place, found.posted_minor) == (stock.place, stock.cash.amount_minor)
        on_the_way = sum(each.cash.amount_minor for each in await transfers_in_transit(tx, limit=1_000))
        proof = await verify(tx)
    assert proof.findings == ()
    number = await database.run(lambda tx: internal_account(tx, IN_TRANSIT, "CNY", Side.DEBIT))
    assert isinstance(number, int)
    async with database.reading() as tx:
        found = await balance(tx, number)
    assert found is not None
    assert found.posted_minor == on_the_way


def code(answer: object) -> object:
    return answer.code if isinstance(answer, Refusal) else None


async def test_cash_is_paid_in_and_taken_out_by_the_piece(desk: Desk) -> None:
    paid = await desk.cash("ann", LI, yuan(5, fen=3))
    assert (paid.status, paid.change_minor) == (VoucherStatus.BOOKED, 50_003)
    taken = await desk.cash("ann", LI, yuan(1, ones=2), out=True)
    assert (taken.status, taken.change_minor) == (VoucherStatus.BOOKED, -10_200)
    assert await desk.posted(LI) == 50_003 - 10_200
    async with desk.database.reading() as tx:
        [stock] = [each for each in await every_stock(tx) if each.place == drawer("ann")]
        booked = await entry(tx, taken.id)
    assert stock.cash == yuan(204, ones=98, fen=103)
    assert booked is not None
    assert booked.kind == "branch.cash_out"
    assert code(await desk.cash("ann", LI, yuan(ones=99), out=True)) is BranchRefusal.CASH_NOT_THERE
    assert code(await desk.cash("ann", WANG, yuan(1), out=True)) is LedgerRefusal.INSUFFICIENT_FUNDS
    assert code(await desk.cash("ann", LI, yuan(100), seen=False)) is BranchRefusal.IDENTIFICATION_NOT_SEEN


async def test_the_same_id_answers_as_before_and_other_content_is_refused(desk: Desk) -> None:
    id = uuid4()
    first = await desk.cash("ann", LI, yuan(5), id=id)
    assert await desk.cash("ann", LI, yuan(5), id=id) == first
    assert code(await desk.cash("ann", LI, yuan(6), id=id)) is BranchRefusal.ID_REUSED
    assert code(await desk.cash("ann", WANG, yuan(5), id=id)) is BranchRefusal.ID_REUSED
    assert await desk.posted(LI) == 50_000
    given = await desk.give("ann", drawer("ann"), VAULT, yuan(1))
    again = await desk.asked(actions.issue, "ann", given.id, ..., drawer("ann"), VAULT, yuan(1))
    assert again == given
    other = await desk.asked(actions.issue, "ann", given.id, ..., drawer("ann"), VAULT, yuan(2))
    assert code(other) is BranchRefusal.ID_REUSED


async def test_only_customers_accounts_are_served(desk: Desk) -> None:
    own = await desk.database.run(lambda tx: internal_account(tx, "income:fees", "CNY", Side.CREDIT))
    assert isinstance(own, int)
    for account in (own, 0, -1, 404, 1 << 60, 1 << 80):
        assert code(await desk.cash("ann", account, yuan(1))) is BranchRefusal.ACCOUNT_NOT_FOUND


async def test_above_the_limit_a_supervisor_confirms(desk: Desk) -> None:
    asked = await desk.cash("ann", LI, yuan(101))
    assert (asked.status, await desk.posted(LI)) == (VoucherStatus.PENDING, 0)
    assert code(await desk.sign_off("ann")) is BranchRefusal.VOUCHER_PENDING
    assert code(await desk.asked(actions.confirm, "ann", asked.id)) is BranchRefusal.SAME_PERSON
    assert code(await desk.asked(actions.confirm, "ben", asked.id)) is BranchRefusal.SUPERVISOR_NEEDED
    assert code(await desk.asked(actions.confirm, "sue", uuid4())) is BranchRefusal.VOUCHER_NOT_FOUND
    for _ in range(2):
        booked = await desk.asked(actions.confirm, "sue", asked.id)
        assert (booked.status, booked.ended_by) == (VoucherStatus.BOOKED, "sue")
    assert code(await desk.asked(actions.confirm, "tom", asked.id)) is BranchRefusal.VOUCHER_ENDED
    assert await desk.posted(LI) == 1_010_000


async def test_what_is_pending_expires_is_declined_or_taken_back(desk: Desk) -> None:
    late, declined, withdrawn = [await desk.cash("ann", LI, yuan(101)) for _ in range(3)]
    assert (await desk.asked(actions.decline, "sue", declined.id)).status is VoucherStatus.DECLINED
    assert (await desk.asked(actions.decline, "ann", withdrawn.id)).status is VoucherStatus.DECLINED
    assert code(await desk.asked(actions.confirm, "sue", declined.id)) is BranchRefusal.VOUCHER_ENDED
    desk.at = AT + timedelta(minutes=15)
    assert late.status_at(desk.at) is VoucherStatus.EXPIRED
    assert code(await desk.asked(actions.confirm, "sue", late.id)) is BranchRefusal.VOUCHER_EXPIRED
    assert await desk.posted(LI) == 0


async def test_of_rival_supervisors_one_confirms(desk: Desk) -> None:
    asked = await desk.cash("ann", LI, yuan(101))
    answers = await asyncio.gather(*(desk.asked(actions.confirm, who, asked.id) for who in ("sue", "tom") * 4))
    assert sum(code(answer) is BranchRefusal.VOUCHER_ENDED for answer in answers) == 4
    assert await desk.posted(LI) == 1_010_000


async def test_cash_in_transit_is_received_by_another_person_who_counts_it(desk: Desk) -> None:
    given = await desk.give("ann", drawer("ann"), drawer("ben"), yuan(50, fen=5))
    assert code(await desk.asked(actions.receive, "sue", given.id, ..., given.cash)) is BranchRefusal.PLACE_NOT_YOURS
    short = await desk.asked(actions.receive, "ben", given.id, ..., yuan(50, fen=4))
    assert code(short) is BranchRefusal.COUNT_DIFFERS
    assert code(await desk.sign_off("ben")) is BranchRefusal.TRANSFER_IN_TRANSIT
    for _ in range(2):
        received = await desk.asked(actions.receive, "ben", given.id, ..., given.cash)
        assert (received.status, received.ended_by) == (TransferStatus.RECEIVED, "ben")
    assert code(await desk.asked(actions.take_back, "ann", given.id, ..., given.cash)) is BranchRefusal.TRANSFER_ENDED
    assert code(await desk.asked(actions.receive, "ben", uuid4(), ..., yuan(1))) is BranchRefusal.TRANSFER_NOT_FOUND
    back = await desk.give("ben", drawer("ben"), VAULT, yuan(50))
    assert (await desk.asked(actions.take_back, "ben", back.id, ..., yuan(50))).status is TransferStatus.TAKEN_BACK
    # The supervisor who issues to an own drawer needs somebody else to receive it: nobody has that drawer but them.
    own = await desk.give("sue", VAULT, drawer("sue"), yuan(1))
    assert code(await desk.asked(actions.receive, "sue", own.id, ..., yuan(1))) is BranchRefusal.SAME_PERSON


@pytest.mark.parametrize(("verb", "who"), [(actions.receive, "ben"), (actions.take_back, "ann")])
async def test_what_is_on_its_way_when_the_day_ends_still_arrives(desk: Desk, verb: Any, who: str) -> None:
    given = await desk.give("ann", drawer("ann"), drawer("ben"), yuan(200, ones=100, fen=100), whole=True)
    for each in ("ann", "ben"):
        assert code(await desk.sign_off(each)) is BranchRefusal.TRANSFER_IN_TRANSIT
    ended = await desk.asked(verb, who, given.id, ..., given.cash, today=TOMORROW)
    assert (ended.ended_by, ended.status is TransferStatus.IN_TRANSIT) == (who, False)
    counted = await desk.asked(actions.count, who, uuid4(), ..., drawer(who), given.cash, today=TOMORROW)
    assert counted.status is VoucherStatus.BOOKED
    for each in ("ann", "ben"):
        assert isinstance(await desk.sign_off(each), Session)
        assert isinstance(await desk.sign_on(each, today=TOMORROW), Session)


async def test_a_replay_answers_on_any_day_and_only_who_asked(desk: Desk) -> None:
    mine = desk.sessions["ann"]
    pay = partial(actions.customer_cash, out=False, identification_seen=True)
    paid = await desk.cash("ann", LI, yuan(1))
    given = await desk.give("ann", drawer("ann"), VAULT, yuan(1))
    async with desk.database.reading() as tx:
        began = await session(tx, mine)
    asked: list[tuple[object, Any]] = [
        (began, partial(desk.run, actions.sign_on, mine, "ann")),
        (paid, partial(desk.run, pay, paid.id, mine, LI, yuan(1))),
        (given, partial(desk.run, actions.issue, given.id, mine, drawer("ann"), VAULT, yuan(1))),
    ]
    for answer, again in asked:
        for today in (TODAY, TOMORROW):
            assert await again(today=today, by="key ann") == answer
            assert code(await again(today=today, by="key ben")) is BranchRefusal.NOT_THIS_TELLER


async def test_of_rivals_for_one_transfer_one_has_it(desk: Desk) -> None:
    given = await desk.give("ann", drawer("ann"), VAULT, yuan(5))
    answers = await asyncio.gather(
        *(desk.asked(actions.receive, who, given.id, ..., yuan(5)) for who in ("sue", "tom")),
        desk.asked(actions.take_back, "ann", given.id, ..., yuan(5)),
    )
    assert sorted(code(answer) is BranchRefusal.TRANSFER_ENDED for answer in answers) == [False, True, True]


async def test_of_rivals_for_the_same_pieces_as_many_succeed_as_there_are(desk: Desk) -> None:
    await desk.cash("ann", LI, yuan(99))
    first = await desk.give("ann", drawer("ann"), drawer("ben"), yuan(290))
    await desk.asked(actions.receive, "ben", first.id, ..., yuan(290))
    answers = await asyncio.gather(*(desk.cash("ann", LI, yuan(2), out=True) for _ in range(8)))
    assert [code(answer) for answer in answers].count(BranchRefusal.CASH_NOT_THERE) == 4
    assert await desk.posted(LI) == 990_000 - 4 * 20_000


async def test_a_drawer_is_handed_over_whole_by_count(desk: Desk) -> None:
    whole = yuan(200, ones=100, fen=100)
    wrong = await desk.give("ann", drawer("ann"), drawer("ben"), yuan(200, ones=100, fen=99), whole=True)
    assert code(wrong) is BranchRefusal.COUNT_DIFFERS
    given = await desk.give("ann", drawer("ann"), drawer("ben"), whole, whole=True)
    assert code(await desk.sign_off("ann")) is BranchRefusal.TRANSFER_IN_TRANSIT
    await desk.asked(actions.receive, "ben", given.id, ..., whole)
    assert isinstance(await desk.sign_off("ann"), Session)
    assert code(await desk.sign_off("ben")) is BranchRefusal.DRAWER_NOT_COUNTED
    await desk.count("ben", drawer("ben"), whole)
    assert isinstance(await desk.sign_off("ben"), Session)


@pytest.mark.parametrize(
    ("counted", "chart", "side", "difference_minor"),
    [
        (yuan(200, ones=100, fen=99), CASH_SHORT, Side.DEBIT, -1),
        (yuan(200, ones=101, fen=100), CASH_OVER, Side.CREDIT, 100),
    ],
)
async def test_a_difference_is_booked_only_with_a_supervisor(
    desk: Desk, counted: Cash, chart: str, side: Side, difference_minor: int
) -> None:
    assert code(await desk.sign_off("ann")) is BranchRefusal.DRAWER_NOT_COUNTED
    asked = await desk.count("ann", drawer("ann"), counted)
    assert (asked.status, asked.change_minor) == (VoucherStatus.PENDING, difference_minor)
    assert await desk.own(chart, side) == 0
    assert (await desk.asked(actions.confirm, "sue", asked.id)).status is VoucherStatus.BOOKED
    assert await desk.own(chart, side) == abs(difference_minor)
    ended = await desk.sign_off("ann")
    assert isinstance(ended, Session)
    assert ended.signed_off_at == AT
    assert await desk.sign_off("ann") == ended
    assert code(await desk.cash("ann", LI, yuan(1))) is BranchRefusal.SESSION_ENDED


async def test_a_count_holds_only_while_nothing_moves(desk: Desk) -> None:
    asked = await desk.count("ann", drawer("ann"), yuan(200, ones=100))
    await desk.cash("ann", LI, yuan(1))
    assert code(await desk.asked(actions.confirm, "sue", asked.id)) is BranchRefusal.COUNT_OUTDATED
    # Other pieces of the same worth are what was counted: change was given, nothing is booked.
    changed = await desk.count("ann", drawer("ann"), yuan(201, ones=99, fen=200))
    assert (changed.status, changed.change_minor) == (VoucherStatus.BOOKED, 0)
    assert (await desk.count("sue", VAULT, yuan(800, ones=900, fen=900))).status is VoucherStatus.BOOKED


async def test_an_empty_drawer_that_was_never_used_needs_no_count(desk: Desk) -> None:
    assert isinstance(await desk.sign_off("ben"), Session)
    await desk.sign_on("ben")
    assert (await desk.count("ben", drawer("ben"), Cash("CNY"))).status is VoucherStatus.BOOKED


async def test_only_who_is_at_work_today_acts_and_only_as_oneself(desk: Desk) -> None:
    cash = {"out": False, "identification_seen": True}
    args = (uuid4(), desk.sessions["ann"], LI, yuan(1))
    by_other = await desk.run(actions.customer_cash, *args, **cash, today=TODAY, by="key ben")
    assert code(by_other) is BranchRefusal.NOT_THIS_TELLER
    tomorrow = TODAY + timedelta(days=1)
    late = await desk.run(actions.customer_cash, *args, **cash, today=tomorrow, by="key ann")
    assert code(late) is BranchRefusal.SESSION_OF_OTHER_DAY
    unknown = await desk.run(actions.customer_cash, uuid4(), uuid4(), LI, yuan(1), **cash, today=TODAY, by="key ann")
    assert code(unknown) is BranchRefusal.SESSION_NOT_FOUND
    assert code(await desk.sign_on("ann")) is BranchRefusal.SIGNED_ON_ALREADY
    assert (
        code(await desk.run(actions.sign_on, uuid4(), "ann\0", today=TODAY, by="x")) is BranchRefusal.TELLER_NOT_FOUND
    )
    not_ann = await desk.run(actions.sign_on, uuid4(), "ann", today=TODAY, by="key ben")
    assert code(not_ann) is BranchRefusal.NOT_THIS_TELLER
    twin = Teller("twin", "north", "Twin", TellerRole.SUPERVISOR, "key ann")
    assert code(await desk.run(actions.register_teller, twin)) is BranchRefusal.ACTOR_TAKEN
    nowhere = await desk.run(actions.set_limit, "south", "CNY", 1, by="chief")
    assert code(nowhere) is BranchRefusal.BRANCH_NOT_FOUND


async def test_bad_input_is_refused_and_never_crashes(desk: Desk) -> None:
    for cash in (Cash("\0"), Cash("CNY", (Pieces(Form.NOTE, 1 << 90, 1),)), yuan(1 << 90), yuan(-1)):
        assert code(await desk.cash("ann", LI, cash)) is BranchRefusal.CASH_MALFORMED
    assert code(await desk.cash("ann", LI, yuan())) is BranchRefusal.CASH_EMPTY
    for place in (drawer("\0"), drawer("\ud800"), drawer("x" * 9_999)):
        assert code(await desk.give("ann", drawer("ann"), place, yuan(1))) is BranchRefusal.PLACE_NOT_FOUND
    assert code(await desk.run(actions.register_branch, Branch("\0", "x"))) is BranchRefusal.TEXT_MALFORMED
    assert code(await desk.run(actions.set_limit, "\0", "CNY", 1, by="x")) is BranchRefusal.BRANCH_NOT_FOUND


async def test_a_refusal_of_the_ledger_takes_back_what_was_counted_against_a_class(desk: Desk) -> None:
    person = Party(uuid4(), PartyKind.PERSON, "Li Na", TODAY)
    classed = ClassedAccount(
        account=LI, party=person.id, account_class=AccountClass.II, since=TODAY, opened_by=Channel.BRANCH,
        face_to_face=True, bound=frozenset(),
    )  # fmt: skip

    async def classify(tx: Transaction) -> object:
        await register_party(tx, person, today=lambda: TODAY)
        await grant_role(tx, Role(person.id, LI, RoleKind.OWNER, TODAY))
        return await assign_class(tx, classed, today=TODAY)

    assert not isinstance(await desk.database.run(classify), Refusal)
    for _ in range(3):
        assert code(await desk.cash("ann", LI, yuan(90), out=True)) is LedgerRefusal.INSUFFICIENT_FUNDS
    assert (await desk.cash("ann", LI, yuan(90))).status is VoucherStatus.BOOKED
    more = await desk.cash("ann", LI, yuan(11))
    assert code(await desk.asked(actions.confirm, "sue", more.id)) is CustomersRefusal.DAY_LIMIT_EXCEEDED
    assert (await desk.cash("ann", LI, yuan(90), out=True)).status is VoucherStatus.BOOKED
    # What is reversed is free again, of the class's limit and of what one person may do.
    wrong = await desk.cash("ann", LI, yuan(10))
    await reversed_by_two(desk, wrong)
    assert (await desk.cash("ann", LI, yuan(10))).status is VoucherStatus.BOOKED


async def reversed_by_two(desk: Desk, wrong: Voucher) -> Any:
    asked = await desk.asked(actions.reverse, "ann", uuid4(), ..., wrong.id)
    assert asked.status is VoucherStatus.PENDING
    return await desk.asked(actions.confirm, "sue", asked.id)


async def test_what_is_split_is_judged_as_one_amount(desk: Desk) -> None:
    unseen = await desk.cash("ann", LI, yuan(99), seen=False)
    assert unseen.status is VoucherStatus.BOOKED
    assert code(await desk.cash("ann", LI, yuan(1), seen=False)) is BranchRefusal.IDENTIFICATION_NOT_SEEN
    assert (await desk.cash("ann", LI, yuan(1))).status is VoucherStatus.BOOKED, "the limit itself"
    assert (await desk.cash("ann", LI, yuan(fen=1))).status is VoucherStatus.PENDING
    # Another account, the other direction and another day begin anew.
    assert (await desk.cash("ann", WANG, yuan(100))).status is VoucherStatus.BOOKED
    assert (await desk.cash("ann", LI, yuan(100), out=True)).status is VoucherStatus.BOOKED
    await desk.count("ben", drawer("ben"), Cash("CNY"))
    await desk.sign_off("ben")
    await desk.sign_on("ben", today=TOMORROW)
    told = {"out": False, "identification_seen": True, "today": TOMORROW}
    later = await desk.asked(actions.customer_cash, "ben", uuid4(), ..., LI, yuan(100), **told)
    assert later.status is VoucherStatus.BOOKED


async def test_rival_tellers_do_not_pass_the_limit_together(desk: Desk) -> None:
    answers = await asyncio.gather(*(desk.cash(who, LI, yuan(60)) for who in ("ann", "ben", "ann", "ben")))
    assert sorted(answer.status.value for answer in answers) == ["booked", "pending", "pending", "pending"]


@pytest.mark.parametrize("out", [False, True])
async def test_what_was_keyed_in_wrongly_is_reversed_by_two(desk: Desk, out: bool) -> None:
    await desk.cash("ann", LI, yuan(5))
    before = await desk.posted(LI)
    wrong = await desk.cash("ann", LI, yuan(2, fen=3), out=out)
    id = uuid4()
    asked = await desk.asked(actions.reverse, "ann", id, ..., wrong.id)
    assert (asked.kind, asked.change_minor, asked.reverses) == (VoucherKind.REVERSAL, -wrong.change_minor, wrong.id)
    rival = await desk.asked(actions.reverse, "ann", uuid4(), ..., wrong.id)
    assert code(await desk.asked(actions.confirm, "ann", asked.id)) is BranchRefusal.SAME_PERSON
    for _ in range(2):
        undone = await desk.asked(actions.confirm, "sue", asked.id)
        assert (undone.status, undone.ended_by) == (VoucherStatus.BOOKED, "sue")
    assert await desk.asked(actions.reverse, "ann", id, ..., wrong.id) == undone
    assert await desk.posted(LI) == before
    async with desk.database.reading() as tx:
        [stock] = [each for each in await every_stock(tx) if each.place == drawer("ann")]
        original, booked = await voucher(tx, wrong.id), await entry(tx, undone.id)
    assert stock.cash == yuan(205, ones=100, fen=100)
    assert original is not None
    assert booked is not None
    assert (original.reversed_by, booked.reverses) == (undone.id, wrong.id)
    assert code(await desk.asked(actions.confirm, "sue", rival.id)) is BranchRefusal.VOUCHER_REVERSED
    again = await desk.asked(actions.reverse, "ann", uuid4(), ..., wrong.id)
    assert code(again) is BranchRefusal.VOUCHER_REVERSED
    of_a_reversal = await desk.asked(actions.reverse, "ann", uuid4(), ..., undone.id)
    assert code(of_a_reversal) is BranchRefusal.VOUCHER_NOT_REVERSIBLE


async def test_of_rival_reversals_one_is_booked(desk: Desk) -> None:
    wrong = await desk.cash("ann", LI, yuan(2))
    asked = [await desk.asked(actions.reverse, "ann", uuid4(), ..., wrong.id) for _ in range(4)]
    answers = await asyncio.gather(*(desk.asked(actions.confirm, "sue", each.id) for each in asked))
    assert [code(answer) for answer in answers].count(BranchRefusal.VOUCHER_REVERSED) == 3
    assert await desk.posted(LI) == 0


async def test_a_reversal_needs_the_pieces_the_money_and_the_day(desk: Desk) -> None:
    paid = await desk.cash("ann", LI, yuan(5, fen=2))
    reverse, id = actions.reverse, uuid4()
    assert code(await desk.asked(reverse, "ann", id, ..., uuid4())) is BranchRefusal.VOUCHER_NOT_FOUND
    assert code(await desk.asked(reverse, "ben", id, ..., paid.id)) is BranchRefusal.PLACE_NOT_YOURS
    late = await desk.asked(reverse, "ann", id, ..., paid.id, today=TOMORROW)
    assert code(late) is BranchRefusal.SESSION_OF_OTHER_DAY
    await desk.cash("ann", LI, yuan(5), out=True)
    spent = await desk.asked(reverse, "ann", id, ..., paid.id)
    assert code(await desk.asked(actions.confirm, "sue", spent.id)) is LedgerRefusal.INSUFFICIENT_FUNDS
    await desk.asked(actions.decline, "ann", spent.id)
    given = await desk.give("ann", drawer("ann"), VAULT, yuan(200, ones=100, fen=102))
    assert code(await desk.asked(reverse, "ann", uuid4(), ..., paid.id)) is BranchRefusal.CASH_NOT_THERE
    await desk.asked(actions.receive, "sue", given.id, ..., given.cash)
    await desk.count("ann", drawer("ann"), Cash("CNY"))
    await desk.sign_off("ann")
    await desk.sign_on("ann", today=TOMORROW)
    other_day = await desk.asked(reverse, "ann", uuid4(), ..., paid.id, today=TOMORROW)
    assert code(other_day) is BranchRefusal.VOUCHER_NOT_REVERSIBLE


async def test_two_supervisors_close_for_an_absent_teller(desk: Desk) -> None:
    absent, close = desk.sessions["ann"], actions.close_for_absent
    counted = yuan(200, ones=100, fen=99)
    told = {"today": TOMORROW}
    for who in ("ben", "sue", "tom"):
        await desk.sign_off(who)
        await desk.sign_on(who, today=TOMORROW)
    assert (
        code(await desk.asked(close, "ben", uuid4(), ..., absent, counted, **told)) is BranchRefusal.SUPERVISOR_NEEDED
    )
    own = await desk.asked(close, "sue", uuid4(), ..., desk.sessions["sue"], counted, **told)
    assert code(own) is BranchRefusal.SAME_PERSON
    nobody = await desk.asked(close, "sue", uuid4(), ..., uuid4(), counted, **told)
    assert code(nobody) is BranchRefusal.SESSION_NOT_FOUND
    id = uuid4()
    asked = await desk.asked(close, "sue", id, ..., absent, counted, **told)
    assert (asked.status, asked.change_minor, asked.closes) == (VoucherStatus.PENDING, -1, absent)
    assert code(await desk.asked(actions.confirm, "sue", id, **told)) is BranchRefusal.SAME_PERSON
    vault_before = await desk.own(VAULT.chart)
    for _ in range(2):
        closed = await desk.asked(actions.confirm, "tom", id, **told)
        assert (closed.status, closed.ended_by) == (VoucherStatus.BOOKED, "tom")
    assert await desk.own(CASH_SHORT) == 1
    assert await desk.own(drawer("ann").chart) == 0
    assert await desk.own(VAULT.chart) == vault_before + counted.amount_minor
    async with desk.database.reading() as tx:
        ended = await session(tx, absent)
    assert ended is not None
    assert ended.signed_off_at == AT
    ended_already = await desk.asked(close, "sue", uuid4(), ..., absent, counted, **told)
    assert code(ended_already) is BranchRefusal.SESSION_ENDED
    assert isinstance(await desk.sign_on("ann", today=TOMORROW), Session)


async def test_a_close_waits_for_what_is_open_and_for_who_came_back(desk: Desk) -> None:
    absent, whole = desk.sessions["ann"], yuan(200, ones=100, fen=100)
    pending = await desk.cash("ann", LI, yuan(101))

    async def closing() -> Any:
        return await desk.asked(actions.close_for_absent, "sue", uuid4(), ..., absent, whole)

    first = await closing()
    assert code(await desk.asked(actions.confirm, "tom", first.id)) is BranchRefusal.VOUCHER_PENDING
    await desk.asked(actions.decline, "sue", pending.id)
    given = await desk.give("sue", VAULT, drawer("ann"), yuan(1))
    assert code(await desk.asked(actions.confirm, "tom", first.id)) is BranchRefusal.TRANSFER_IN_TRANSIT
    await desk.asked(actions.take_back, "sue", given.id, ..., yuan(1))
    # The teller came back and counted.
    await desk.count("ann", drawer("ann"), whole)
    assert code(await desk.asked(actions.confirm, "tom", first.id)) is BranchRefusal.COUNT_OUTDATED
    second = await closing()
    await desk.sign_off("ann")
    assert code(await desk.asked(actions.confirm, "tom", second.id)) is BranchRefusal.SESSION_ENDED


async def test_a_supervisor_who_is_absent_does_not_confirm_the_own_close(desk: Desk) -> None:
    asked = await desk.asked(actions.close_for_absent, "sue", uuid4(), ..., desk.sessions["tom"], Cash("CNY"))
    assert code(await desk.asked(actions.confirm, "tom", asked.id)) is BranchRefusal.SAME_PERSON


async def reconciled(desk: Desk, of: UUID) -> Journal:
    """The drawer's totals are the difference between its opening and its closing."""
    async with desk.database.reading() as tx:
        found = await journal(tx, of)
    assert found is not None
    moved = sum(total.change_minor for total in found.totals if total.place == found.drawer)
    opening, closing = (sum(cash.amount_minor for cash in each) for each in (found.opening, found.closing))
    assert opening + moved == closing
    return found


async def test_the_journal_tells_a_session_in_order_and_by_the_piece(desk: Desk) -> None:
    ann, whole = desk.sessions["ann"], yuan(200, ones=100, fen=100)

    def later() -> None:
        desk.at += timedelta(minutes=1)

    later()
    paid = await desk.cash("ann", LI, yuan(5))
    later()
    wrong = await desk.cash("ann", LI, yuan(2), out=True)
    later()
    undone = await reversed_by_two(desk, wrong)
    later()
    waiting = await desk.cash("ann", LI, yuan(101))
    await desk.asked(actions.decline, "ann", waiting.id)
    given = await desk.give("ann", drawer("ann"), drawer("ben"), yuan(3))
    await desk.asked(actions.receive, "ben", given.id, ..., yuan(3))
    back = await desk.give("ann", drawer("ann"), VAULT, yuan(4))
    await desk.asked(actions.take_back, "ann", back.id, ..., yuan(4))
    later()
    short = await desk.count("ann", drawer("ann"), yuan(202, ones=100, fen=98))
    await desk.asked(actions.confirm, "sue", short.id)
    found = await reconciled(desk, ann)
    assert (found.opening, found.closing) == ((), (yuan(202, ones=100, fen=98),))
    assert [each.id for each in found.vouchers] == [paid.id, wrong.id, undone.id, waiting.id, short.id]
    assert [(each.what, each.count, each.change_minor) for each in found.totals] == [
        ("cash_in", 1, 50_000),
        ("cash_out", 1, -20_000),
        ("reversal", 1, 20_000),
        ("count", 1, -2),
        ("receive", 1, whole.amount_minor),
        ("issue", 2, -70_000),
        ("take_back", 1, 40_000),
    ]
    later()
    await desk.sign_off("ann")
    assert (await reconciled(desk, ann)).closing == found.closing
    later()
    await desk.sign_on("ann")
    later()
    closing = await desk.asked(actions.close_for_absent, "sue", uuid4(), ..., desk.sessions["ann"], found.closing[0])
    await desk.asked(actions.confirm, "tom", closing.id)
    second = await reconciled(desk, desk.sessions["ann"])
    assert (second.opening, second.closing) == (found.closing, (Cash("CNY"),))
    assert [each.id for each in second.vouchers] == [closing.id]
    assert (await reconciled(desk, desk.sessions["ben"])).closing == (yuan(3),)
    async with desk.database.reading() as tx:
        assert await journal(tx, uuid4()) is None


async def test_rival_sign_ons_and_replays_meet(desk: Desk) -> None:
    await desk.sign_off("ben")
    answers = await asyncio.gather(*(desk.sign_on("ben") for _ in range(4)))
    assert [code(answer) for answer in answers].count(BranchRefusal.SIGNED_ON_ALREADY) == 3
    id = uuid4()
    many = await asyncio.gather(*(desk.cash("ann", LI, yuan(1), id=id) for _ in range(6)))
    assert all(answer == many[0] for answer in many)
    assert await desk.posted(LI) == 10_000
    async with desk.database.reading() as tx:
        found = await vouchers(tx, desk.sessions["ann"], limit=10)
    assert [each.kind for each in found] == [VoucherKind.CASH_IN]
    assert all(isinstance(each, Voucher | Transfer) for each in many)
