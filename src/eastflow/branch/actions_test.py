"""A day at the branch against a real database: two people, cash by the piece, nothing lost and nothing silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
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
    transfers_in_transit,
    vouchers,
)
from .model import Branch, Session, Teller

TODAY = date(2026, 3, 2)
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

    async def sign_on(self, who: str) -> Any:
        id = uuid4()
        answer = await self.run(actions.sign_on, id, who, today=TODAY, by=f"key {who}")
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
    number = await database.run(lambda tx: internal_account(tx, actions.IN_TRANSIT, "CNY", Side.DEBIT))
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
        (yuan(200, ones=100, fen=99), actions.CASH_SHORT, Side.DEBIT, -1),
        (yuan(200, ones=101, fen=100), actions.CASH_OVER, Side.CREDIT, 100),
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
    assert code(await desk.cash("ann", LI, yuan(11))) is CustomersRefusal.DAY_LIMIT_EXCEEDED
    assert (await desk.cash("ann", LI, yuan(90), out=True)).status is VoucherStatus.BOOKED


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
