"""The verbs on a real database: paid once, limited, asked back, sent, returned and recalled, and rivals at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from eastflow.customers import AccountClass, Channel, ClassedAccount, CustomersRefusal, Role, RoleKind
from eastflow.customers.actions import assign_class, grant_role
from eastflow.kernel import Asset, Refusal
from eastflow.ledger import Account, LedgerRefusal, Side, Status, verify
from eastflow.ledger.actions import change_status, define_asset, new_account_number, open_accounts
from eastflow.storage import Transaction

from . import (
    Direction,
    Endpoint,
    Incoming,
    Limit,
    Outgoing,
    OutgoingKind,
    Payment,
    PaymentsRefusal,
    PaymentStatus,
    Recall,
    RecallStatus,
    Scheme,
    Transfer,
    outgoing_page,
    payment,
    payments_of_uetr,
    payments_page,
)
from .actions import (
    answer_recall,
    apply_status,
    confirm_payee,
    cut_off,
    mark_sent,
    recall,
    receive_incoming,
    receive_recall,
    receive_recall_answer,
    receive_return,
    set_limit,
    set_scheme,
    transfer,
)
from .conftest import ANN, BOB, EUROS, FROZEN, POOR, SHOP, TERM, TODAY, Bank, ask, to
from .transfers.actions import CLEARING, SUSPENSE

OTHER = to("CZ6508000000192000145399", "GIBACZPX", "Jan Novák")


async def pay(bank: Bank, asked: Transfer, **named: Any) -> Payment | Refusal:
    return await bank.call(transfer, asked, today=TODAY, by="a test", **named)


async def paid(bank: Bank, asked: Transfer) -> Payment:
    answer = await pay(bank, asked)
    assert isinstance(answer, Payment), answer
    return answer


async def waiting(bank: Bank, on: date = TODAY) -> list[tuple[OutgoingKind, UUID]]:
    async with bank.database.reading() as tx:
        return [(each.kind, each.id) for each in await outgoing_page(tx, on=on, limit=99)]


def code(answer: object) -> object:
    return answer.code if isinstance(answer, Refusal) else getattr(answer, "status", answer)


async def proved(bank: Bank) -> bool:
    async with bank.database.reading() as tx:
        return (await verify(tx)).proved


async def test_an_internal_transfer_is_settled_at_once_and_once(bank: Bank) -> None:
    asked = ask(amount_minor=2_500, remittance="rent", end_to_end_id="E2E-1")
    answers = [await pay(bank, asked) for _ in range(3)]
    assert [code(answer) for answer in answers] == [PaymentStatus.SETTLED] * 3
    assert answers[0] == answers[1]
    assert await bank.balances(ANN, BOB) == [997_500, 52_500]
    async with bank.database.reading() as tx:
        assert await payment(tx, asked.id) == answers[0]
        assert [each.id for each in await payments_page(tx, account=BOB, limit=9)] == [asked.id]
        assert await payments_page(tx, account=SHOP, limit=9) == []


REFUSED: list[tuple[dict[str, Any], object]] = [
    ({"creditor": to(BOB, name="a\0b")}, PaymentsRefusal.TEXT_MALFORMED),
    ({"remittance": "\ud800"}, PaymentsRefusal.TEXT_MALFORMED),
    ({"end_to_end_id": "x" * 36}, PaymentsRefusal.TEXT_MALFORMED),
    ({"amount_minor": 0}, PaymentsRefusal.AMOUNT_OUT_OF_RANGE),
    ({"amount_minor": 1 << 70}, PaymentsRefusal.AMOUNT_OUT_OF_RANGE),
    ({"creditor": to("not a number")}, PaymentsRefusal.ACCOUNT_MALFORMED),
    ({"creditor": to("9" * 30)}, PaymentsRefusal.ACCOUNT_MALFORMED),
    ({"debtor": 1 << 60}, PaymentsRefusal.ACCOUNT_MALFORMED),
    ({"creditor": to(ANN)}, PaymentsRefusal.SAME_ACCOUNT),
    ({"creditor": OTHER, "scheme": "nowhere"}, PaymentsRefusal.SCHEME_NOT_FOUND),
    ({"creditor": to(BOB, name="Someone Else")}, PaymentsRefusal.PAYEE_NAME_DIFFERS),
    ({"creditor": to(TERM)}, PaymentsRefusal.MOVES_BY_CONTRACT),
    ({"debtor": TERM}, PaymentsRefusal.MOVES_BY_CONTRACT),
    ({"creditor": to(4711)}, LedgerRefusal.ACCOUNT_NOT_FOUND),
    ({"debtor": (1 << 53) - 1}, LedgerRefusal.ACCOUNT_NOT_FOUND),
    ({"creditor": to(FROZEN)}, LedgerRefusal.ACCOUNT_FROZEN),
    ({"creditor": to(EUROS)}, LedgerRefusal.ASSET_DIFFERS),
    ({"asset": "XXX"}, LedgerRefusal.ASSET_NOT_FOUND),
    ({"debtor": POOR}, LedgerRefusal.INSUFFICIENT_FUNDS),
    ({"amount_minor": 1_000_001}, LedgerRefusal.INSUFFICIENT_FUNDS),
]


@pytest.mark.parametrize(("changes", "refusal"), REFUSED, ids=lambda value: getattr(value, "name", ""))
async def test_what_is_refused_moves_nothing(bank: Bank, changes: dict[str, Any], refusal: object) -> None:
    assert code(await pay(bank, ask(**changes))) is refusal
    assert await bank.balances(ANN, BOB, CLEARING) == [1_000_000, 50_000, 0]
    assert await waiting(bank) == []


async def test_an_id_stands_for_one_content(bank: Bank) -> None:
    asked = ask()
    await paid(bank, asked)
    for changes in ({"amount_minor": 1}, {"creditor": to(SHOP)}, {"remittance": "x"}, {"channel": Channel.APP}):
        assert code(await pay(bank, replace(asked, **changes))) is PaymentsRefusal.ID_REUSED
    assert await pay(bank, replace(asked, duplicate_confirmed=True)) == await pay(bank, asked)


async def test_the_same_payment_soon_after_is_asked_about(bank: Bank) -> None:
    asked = ask(creditor=to(SHOP, name="Shop"))
    await paid(bank, asked)
    again = replace(asked, id=uuid4(), creditor=to(SHOP, name="The Shop"))
    assert code(await pay(bank, again)) is PaymentsRefusal.DUPLICATE
    for other in ({"amount_minor": 1}, {"remittance": "x"}, {"creditor": to(BOB)}, {"debtor": BOB}):
        await paid(bank, replace(again, id=uuid4(), **other))
    await paid(bank, replace(again, duplicate_confirmed=True))
    bank.at += timedelta(minutes=10)
    await paid(bank, replace(asked, id=uuid4()))


async def test_of_rivals_that_pay_the_same_one_pays(bank: Bank) -> None:
    asked = ask(creditor=to(SHOP))
    answers = await asyncio.gather(*(pay(bank, replace(asked, id=uuid4())) for _ in range(6)))
    assert sorted(map(str, map(code, answers))) == sorted(
        [str(PaymentsRefusal.DUPLICATE)] * 5 + [str(PaymentStatus.SETTLED)]
    )
    same = ask(creditor=to(SHOP), remittance="the same id")
    answers = await asyncio.gather(*(pay(bank, same) for _ in range(6)))
    assert [code(answer) for answer in answers] == [PaymentStatus.SETTLED] * 6
    assert await bank.balance(SHOP) == 202_000


async def test_the_payee_is_confirmed_by_name(bank: Bank) -> None:
    matches = [await bank.call(confirm_payee, BOB, name) for name in ("Bob Dvořák", "Someone Else")]
    assert [match.value for match in matches if not isinstance(match, Refusal)] == ["match", "no_match"]
    assert code(await bank.call(confirm_payee, BOB, "\0")) is PaymentsRefusal.TEXT_MALFORMED
    assert code(await bank.call(confirm_payee, 1 << 70, "Bob")) is PaymentsRefusal.ACCOUNT_MALFORMED
    await paid(bank, ask(creditor=to(BOB, name="Bob Dvořák")))
    await paid(bank, ask(creditor=to(BOB, name="Someone Else"), payee_confirmed=True, duplicate_confirmed=True))


async def test_limits_bind_by_channel_customer_and_day(bank: Bank) -> None:
    for limit in (
        Limit(Channel.API, None, "CZK", per_payment_minor=3_000),
        Limit(None, None, "CZK", per_day_minor=5_000),
        Limit(None, bank.owners[BOB], "CZK", per_day_minor=100),
    ):
        assert await bank.call(set_limit, limit) == limit

    async def try_to(debtor: int, amount: int, channel: Channel, day: date = TODAY) -> object:
        asked = ask(debtor, SHOP, amount, channel=channel, duplicate_confirmed=True)
        return code(await bank.call(transfer, asked, today=day, by="a test"))

    assert await try_to(ANN, 3_001, Channel.API) is PaymentsRefusal.PAYMENT_LIMIT_EXCEEDED
    assert await try_to(ANN, 3_001, Channel.APP) is PaymentStatus.SETTLED
    assert await try_to(ANN, 2_000, Channel.API) is PaymentsRefusal.DAY_LIMIT_EXCEEDED
    assert await try_to(ANN, 1_999, Channel.API) is PaymentStatus.SETTLED
    assert await try_to(ANN, 1, Channel.BRANCH) is PaymentsRefusal.DAY_LIMIT_EXCEEDED
    assert await try_to(ANN, 5_000, Channel.APP, TODAY + timedelta(days=1)) is PaymentStatus.SETTLED
    assert await try_to(BOB, 101, Channel.APP) is PaymentsRefusal.DAY_LIMIT_EXCEEDED
    assert await try_to(BOB, 100, Channel.APP) is PaymentStatus.SETTLED
    assert code(await bank.call(set_limit, Limit(None, None, "C\0"))) is PaymentsRefusal.TEXT_MALFORMED
    assert code(await bank.call(set_limit, Limit(None, None, "XXX"))) is LedgerRefusal.ASSET_NOT_FOUND
    assert code(await bank.call(set_limit, Limit(None, None, "CZK", -1))) is PaymentsRefusal.AMOUNT_OUT_OF_RANGE


async def test_the_payers_own_uetr_goes_along_and_is_no_other_payments(bank: Bank) -> None:
    asked = ask(creditor=to("123", "0800"), uetr=uuid4())
    made = await paid(bank, asked)
    assert made.uetr == asked.uetr
    assert await paid(bank, asked) == made
    other = await bank.call(transfer, replace(asked, id=uuid4(), amount_minor=7), today=TODAY, by="a test")
    assert code(other) is PaymentsRefusal.UETR_REUSED


async def test_what_is_refused_uses_nothing_up(bank: Bank) -> None:
    await bank.call(set_limit, Limit(None, None, "CZK", per_day_minor=1_000))
    for creditor in (to(FROZEN), to(4711)):
        assert isinstance(await pay(bank, ask(creditor=creditor, amount_minor=900)), Refusal)
    await paid(bank, ask(amount_minor=1_000))


async def test_an_accounts_class_bounds_what_it_may_pay(bank: Bank) -> None:
    """And nothing stays counted of what the ledger refuses."""
    payer, payee = new_account_number(), new_account_number()

    async def open_both(tx: Transaction) -> None:
        await define_asset(tx, Asset("CNY", 2))
        for account in (payer, payee):
            new = Account(account, "CNY", Side.CREDIT, "liabilities:deposits:demand", TODAY, floor_minor=-10_000_000)
            await open_accounts(tx, [new])
        await grant_role(tx, Role(bank.owners[ANN], payer, RoleKind.OWNER, TODAY))
        classed = ClassedAccount(payer, bank.owners[ANN], AccountClass.II, TODAY, Channel.BRANCH, face_to_face=True)
        assert await assign_class(tx, classed, today=TODAY) == classed

    await bank.run(open_both)

    async def try_to(amount: int, account: int = payee) -> object:
        return code(await pay(bank, ask(payer, account, amount, "CNY", remittance=str(uuid4()))))

    assert await try_to(1_000_000, 4711) is LedgerRefusal.ACCOUNT_NOT_FOUND
    assert await try_to(1_000_001) is CustomersRefusal.DAY_LIMIT_EXCEEDED
    assert await try_to(1_000_000) is PaymentStatus.SETTLED
    assert await try_to(1) is CustomersRefusal.DAY_LIMIT_EXCEEDED


async def test_rivals_never_pass_a_limit(bank: Bank) -> None:
    await bank.call(set_limit, Limit(None, None, "CZK", per_day_minor=1_000))
    rivals = [ask(creditor=to(SHOP), amount_minor=300, remittance=str(number)) for number in range(8)]
    answers = await asyncio.gather(*(pay(bank, rival) for rival in rivals))
    assert [code(answer) for answer in answers].count(PaymentStatus.SETTLED) == 3
    assert await bank.balance(SHOP) == 200_900


async def test_after_the_cut_off_and_on_holidays_the_next_business_day_counts(bank: Bank) -> None:
    tuesday, wednesday = TODAY + timedelta(days=1), TODAY + timedelta(days=2)
    scheme = Scheme("certis", time(11, 0), utc_offset_minutes=60, holidays=frozenset({tuesday}))
    assert await bank.call(set_scheme, scheme) == scheme

    async def settles(**changes: Any) -> date:
        made = await paid(bank, ask(creditor=OTHER, remittance=str(uuid4()), **changes))
        return made.settlement_date

    assert await settles(scheme="certis") == TODAY
    bank.at += timedelta(hours=1)
    assert await settles(scheme="certis") == wednesday
    assert await settles() == TODAY
    await bank.call(cut_off, TODAY)
    await bank.call(cut_off, TODAY)
    assert await settles() == tuesday
    assert len(await waiting(bank)) == 2
    assert len(await waiting(bank, wednesday)) == 4
    malformed = replace(scheme, utc_offset_minutes=10**6)
    assert code(await bank.call(set_scheme, malformed)) is PaymentsRefusal.SCHEDULE_MALFORMED


async def test_a_payment_to_another_bank_is_queued_sent_and_settled(bank: Bank) -> None:
    made = await paid(bank, ask(creditor=OTHER))
    assert (made.status, made.direction) == (PaymentStatus.ACCEPTED, Direction.OUTGOING)
    assert made.uetr.version == 4
    assert await bank.balances(ANN, CLEARING) == [999_000, -1_000]
    assert await waiting(bank) == [(OutgoingKind.CREDIT_TRANSFER, made.id)]
    for _ in range(2):
        answer = await bank.call(mark_sent, made.id, "M1", today=TODAY)
        assert isinstance(answer, Outgoing)
        assert (answer.message_id, answer.payment.status) == ("M1", PaymentStatus.SENT)
    assert code(await bank.call(mark_sent, made.id, "M2", today=TODAY)) is PaymentsRefusal.STATUS_CONFLICT
    assert await waiting(bank) == []
    for status in (PaymentStatus.SENT, PaymentStatus.SETTLED, PaymentStatus.SETTLED):
        assert code(await bank.call(apply_status, made.uetr, status, today=TODAY)) is status
    assert await bank.balances(ANN, CLEARING) == [999_000, -1_000]
    assert code(await bank.call(mark_sent, uuid4(), "M", today=TODAY)) is PaymentsRefusal.OUTGOING_NOT_FOUND
    assert code(await bank.call(apply_status, uuid4(), PaymentStatus.SENT, today=TODAY)) is (
        PaymentsRefusal.PAYMENT_NOT_FOUND
    )


async def sent(bank: Bank, **changes: Any) -> Payment:
    made = await paid(bank, ask(creditor=OTHER, remittance=str(uuid4()), **changes))
    await bank.call(mark_sent, made.id, "M", today=TODAY)
    return made


async def test_a_rejected_payment_gives_the_money_back_with_its_reason(bank: Bank) -> None:
    made = await paid(bank, ask(creditor=OTHER))
    too_soon = await bank.call(apply_status, made.uetr, PaymentStatus.REJECTED, "AC01", today=TODAY)
    assert code(too_soon) is PaymentsRefusal.STATUS_CONFLICT
    await bank.call(mark_sent, made.id, "M", today=TODAY)
    for _ in range(2):
        answer = await bank.call(apply_status, made.uetr, PaymentStatus.REJECTED, "AC01", today=TODAY)
        assert isinstance(answer, Payment)
        assert (answer.status, answer.reason, answer.in_suspense) == (PaymentStatus.REJECTED, "AC01", False)
    assert await bank.balances(ANN, CLEARING) == [1_000_000, 0]
    settled = await bank.call(apply_status, made.uetr, PaymentStatus.SETTLED, today=TODAY)
    assert code(settled) is PaymentsRefusal.STATUS_CONFLICT
    await paid(bank, ask(creditor=OTHER))


async def test_a_returned_payment_gives_the_money_back_whole_and_once(bank: Bank) -> None:
    made = await sent(bank)
    await bank.call(apply_status, made.uetr, PaymentStatus.SETTLED, today=TODAY)

    async def come_back(amount: int = 1_000, asset: str = "CZK", reason: str = "AC04") -> object:
        return code(await bank.call(receive_return, made.uetr, amount, asset, reason, today=TODAY))

    assert await come_back(999) is PaymentsRefusal.AMOUNT_DIFFERS
    assert await come_back(asset="EUR") is PaymentsRefusal.AMOUNT_DIFFERS
    assert await come_back(reason="\0") is PaymentsRefusal.TEXT_MALFORMED
    assert [await come_back(), await come_back()] == [PaymentStatus.RETURNED] * 2
    assert await come_back(reason="AC06") is PaymentsRefusal.STATUS_CONFLICT
    assert await bank.balances(ANN, CLEARING, SUSPENSE) == [1_000_000, 0, 0]


async def test_money_that_its_payer_cannot_take_back_stands_on_suspense(bank: Bank) -> None:
    made = await sent(bank)
    await bank.call(change_status, ANN, Status.FROZEN)
    answer = await bank.call(receive_return, made.uetr, 1_000, "CZK", "AC04", today=TODAY)
    assert isinstance(answer, Payment)
    assert answer.in_suspense
    assert await bank.balances(ANN, CLEARING, SUSPENSE) == [999_000, 0, 1_000]


def incoming(account: int | str = BOB, **changes: Any) -> Incoming:
    given: dict[str, Any] = {"uetr": uuid4(), "debtor": OTHER, "creditor": to(account, name="B"), "asset": "CZK"}
    return Incoming(**(given | {"amount_minor": 700} | changes))


async def receive(bank: Bank, told: Incoming) -> Payment | Refusal:
    return await bank.call(receive_incoming, told, today=TODAY)


async def test_an_incoming_payment_is_credited_once(bank: Bank) -> None:
    told = incoming()
    answers = await asyncio.gather(*(receive(bank, told) for _ in range(4)))
    assert [code(answer) for answer in answers] == [PaymentStatus.SETTLED] * 4
    assert await bank.balances(BOB, CLEARING) == [50_700, 700]
    assert code(await receive(bank, replace(told, amount_minor=1))) is PaymentsRefusal.UETR_REUSED
    assert code(await receive(bank, incoming(debtor=Endpoint("\0", "1", "X")))) is PaymentsRefusal.TEXT_MALFORMED
    assert code(await receive(bank, incoming(amount_minor=-1))) is PaymentsRefusal.AMOUNT_OUT_OF_RANGE
    assert code(await receive(bank, incoming(asset="XXX"))) is LedgerRefusal.ASSET_NOT_FOUND


@pytest.mark.parametrize(
    ("account", "reason"),
    [(4711, "AC01"), ("CZ00", "AC01"), ((1 << 53) - 1, "AC01"), (FROZEN, "AC06"), (EUROS, "AM03")],
)
async def test_an_incoming_payment_that_cannot_be_credited_is_returned_with_its_reason(
    bank: Bank, account: int | str, reason: str
) -> None:
    told = incoming(account)
    answer = await receive(bank, told)
    assert isinstance(answer, Payment)
    assert (answer.status, answer.reason) == (PaymentStatus.ACCEPTED, reason)
    assert await receive(bank, told) == answer
    assert await bank.balances(CLEARING, SUSPENSE) == [700, 700]
    [(kind, id)] = await waiting(bank)
    assert kind is OutgoingKind.RETURN
    for _ in range(2):
        await bank.call(mark_sent, id, "M9", today=TODAY)
    assert await bank.balances(CLEARING, SUSPENSE) == [0, 0]
    async with bank.database.reading() as tx:
        [returned] = await payments_of_uetr(tx, told.uetr)
    assert (returned.status, returned.reason) == (PaymentStatus.RETURNED, reason)


async def test_a_payment_that_was_not_sent_is_recalled_at_once(bank: Bank) -> None:
    made = await paid(bank, ask(creditor=OTHER))
    for _ in range(2):
        answer = await bank.call(recall, made.id, "CUST", today=TODAY, by="a test")
        assert code(answer) is PaymentStatus.RECALLED
    assert await waiting(bank) == []
    assert await bank.balances(ANN, CLEARING) == [1_000_000, 0]
    for id in (uuid4(), (await paid(bank, ask())).id):
        refused = await bank.call(recall, id, "CUST", today=TODAY, by="a test")
        assert code(refused) in (PaymentsRefusal.PAYMENT_NOT_FOUND, PaymentsRefusal.STATUS_CONFLICT)


async def test_a_payment_is_either_sent_or_recalled(bank: Bank) -> None:
    for _ in range(4):
        made = await paid(bank, ask(creditor=OTHER, remittance=str(uuid4())))
        await asyncio.gather(
            bank.call(mark_sent, made.id, "M", today=TODAY),
            bank.call(recall, made.id, "CUST", today=TODAY, by="a test"),
        )
        async with bank.database.reading() as tx:
            found = await payment(tx, made.id)
        assert found is not None
        assert found.status in (PaymentStatus.SENT, PaymentStatus.RECALLED)
    assert await bank.total() == 1_250_000


async def test_a_payment_that_was_sent_is_asked_back(bank: Bank) -> None:
    made = await sent(bank)
    asked = [await bank.call(recall, made.id, "DUPL", today=TODAY, by="a test") for _ in range(2)]
    assert [code(each) for each in asked] == [RecallStatus.OPEN] * 2
    [(kind, id)] = await waiting(bank)
    assert kind is OutgoingKind.RECALL
    await bank.call(mark_sent, id, "M2", today=TODAY)
    for _ in range(2):
        assert code(await bank.call(receive_recall_answer, made.uetr, None)) is RecallStatus.ACCEPTED
    refused = await bank.call(receive_recall_answer, made.uetr, "CUST")
    assert code(refused) is PaymentsRefusal.RECALL_ANSWERED
    back = await bank.call(receive_return, made.uetr, 1_000, "CZK", "FOCR", today=TODAY)
    assert code(back) is PaymentStatus.RECALLED
    assert await bank.balances(ANN, CLEARING) == [1_000_000, 0]
    none_asked = await sent(bank)
    assert code(await bank.call(receive_recall_answer, none_asked.uetr, None)) is PaymentsRefusal.RECALL_NOT_FOUND


async def test_another_bank_asks_back_what_it_sent(bank: Bank) -> None:
    told = incoming()
    made = await receive(bank, told)
    assert isinstance(made, Payment)
    assert code(await bank.call(receive_recall, uuid4(), "DUPL", today=TODAY)) is PaymentsRefusal.PAYMENT_NOT_FOUND
    no_recall = await bank.call(answer_recall, made.id, None, today=TODAY)
    assert code(no_recall) is PaymentsRefusal.RECALL_NOT_FOUND
    for _ in range(2):
        assert code(await bank.call(receive_recall, told.uetr, "DUPL", today=TODAY)) is RecallStatus.OPEN
    for _ in range(2):
        assert code(await bank.call(answer_recall, made.id, None, today=TODAY)) is RecallStatus.ACCEPTED
    assert await bank.balances(BOB, CLEARING, SUSPENSE) == [50_000, 700, 700]
    [(kind, id)] = await waiting(bank)
    assert kind is OutgoingKind.RETURN
    await bank.call(mark_sent, id, "M", today=TODAY)
    assert await bank.balances(CLEARING, SUSPENSE) == [0, 0]


async def test_a_recall_is_refused_by_a_person_or_for_want_of_money(bank: Bank) -> None:
    told = incoming(POOR)
    made = await receive(bank, told)
    assert isinstance(made, Payment)
    await bank.call(receive_recall, told.uetr, "FRAD", today=TODAY)
    await paid(bank, ask(POOR, SHOP, 700))
    want = await bank.call(answer_recall, made.id, None, today=TODAY)
    assert code(want) is LedgerRefusal.INSUFFICIENT_FUNDS
    for _ in range(2):
        answer = await bank.call(answer_recall, made.id, "AM04", today=TODAY)
        assert isinstance(answer, Recall)
        assert (answer.status, answer.answer) == (RecallStatus.REFUSED, "AM04")
    [(kind, _)] = await waiting(bank)
    assert kind is OutgoingKind.RECALL_ANSWER
    assert code(await bank.call(answer_recall, made.id, None, today=TODAY)) is PaymentsRefusal.RECALL_ANSWERED
    assert await bank.total() == 1_250_000
    assert await proved(bank)
