"""Messages against real books: what is paid, what is refused and why, and that nothing is done twice."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

import pytest
from lxml import etree

from eastflow import payments
from eastflow.channels.iso20022 import store
from eastflow.channels.iso20022.conftest import (
    NOW,
    START_MINOR,
    TODAY,
    Bank,
    Paid,
    camt029,
    camt056,
    group_status,
    pacs002,
    pacs004,
    pacs008,
    pain001,
    texts,
    valid,
)
from eastflow.channels.iso20022.model import DeliveryStatus, Direction, Message, Received, Unreadable
from eastflow.channels.iso20022.outgoing import write_waiting
from eastflow.channels.iso20022.settings import Iso20022Settings
from eastflow.customers import Channel, Party, PartyKind, Role, RoleKind
from eastflow.customers.actions import grant_role, register_party
from eastflow.kernel import Asset, Refusal
from eastflow.ledger import Account, Entry, Posting, Side
from eastflow.ledger.actions import define_asset, new_id, open_accounts, post
from eastflow.payments import Payment, PaymentStatus
from eastflow.payments.actions import (
    answer_recall,
    cancel_order,
    recall,
    receive_incoming,
    run_standing_orders,
    transfer,
)
from eastflow.storage import Transaction

TO_OTHERS = Paid(creditor="CZ6508000000192000145399", agent="OTHRBANK", name="Eva Dvořáková")


def verdicts(document: etree._Element) -> list[tuple[str, str | None]]:
    """Status and reason of each payment."""
    return [
        (line.findtext("{*}TxSts") or line.findtext("{*}TxCxlSts") or "", line.findtext(".//{*}Cd"))
        for line in document.iter("{*}TxInfAndSts")
    ]


async def written(bank: Bank) -> list[Message]:
    """What waits for the clearing, written into messages."""
    await bank.database.run(lambda tx: write_waiting(tx, settings=bank.settings, today=TODAY, clock=lambda: NOW))
    async with bank.database.reading() as tx:
        kept = await store.messages(tx, limit=1_000)
    return [each for each in kept if each.status is DeliveryStatus.PENDING]


async def sent_out(bank: Bank, paid: Paid = TO_OTHERS) -> UUID:
    """A payment to another bank on its way; its UETR."""
    before = await written(bank)
    assert verdicts(await bank.answer(pain001([paid], id=uuid4().hex), "company")) == [("ACSP", None)]
    [message] = [each for each in await written(bank) if each not in before]
    return UUID(texts(valid(message.content), "UETR")[-1])


async def of_uetr(bank: Bank, uetr: UUID) -> Payment:
    async with bank.database.reading() as tx:
        [found] = await payments.payments_of_uetr(tx, uetr)
    return found


async def test_a_batch_is_paid_in_part_and_each_refusal_has_its_reason(bank: Bank) -> None:
    asked = [
        Paid("10.00"),
        Paid("20.00", "CZ6508000000192000145399", "OTHRBANK"),
        Paid("999999.00"),
        Paid("1.001"),
        Paid("0"),
        Paid("1.00", "77"),
        Paid("1.00", "3"),
        Paid("1.00", "1"),
        Paid("1.00", currency="XXX"),
        Paid("1.00", creditor=""),
        Paid("1.00", "not a number"),
    ]
    answer = await bank.answer(pain001(asked, control_sum="1000036.001"), "company")
    assert verdicts(answer) == [
        ("ACSC", None), ("ACSP", None), ("RJCT", "AM04"), ("RJCT", "CH20"), ("RJCT", "AM01"), ("RJCT", "AC01"),
        ("RJCT", "AC04"), ("RJCT", "AC01"), ("RJCT", "AM03"), ("RJCT", "AC03"), ("RJCT", "AC01"),
    ]  # fmt: skip
    assert texts(answer, "GrpSts") == texts(answer, "PmtInfSts") == ["PART"]
    assert (await bank.posted(1), await bank.posted(2)) == (START_MINOR - 3_000, START_MINOR + 1_000)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (pain001([Paid()], count=2), "AM19"),
        (pain001([Paid()], control_sum="10.01"), "AM10"),
        (pain001([Paid()] * 1_001), "AM19"),
        (pain001([Paid()]).replace("<NbOfTxs>1", "<NbOfTxs>x"), "FF01"),
        (pacs008([Paid(uetr=uuid4())]), "AG08"),
        (camt056(uuid4()), "AG08"),
    ],
)
async def test_a_message_refused_whole_says_why(bank: Bank, message: str, reason: str) -> None:
    answer = await bank.answer(message, "company")
    assert texts(answer, "GrpSts") == ["RJCT"]
    assert texts(answer, "Cd") == [reason]
    assert await bank.posted(1) == START_MINOR


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (pain001([Paid()], day="2027-01-07"), "DT04"),
        (pain001([Paid()], debtor="x"), "AC02"),
        (pain001([Paid()], debtor="77"), "AC01"),
        (pain001([Paid(remittance="x" * 100)]).replace("<RmtInf>", f"<RmtInf><Ustrd>{'y' * 100}</Ustrd>"), "CH16"),
    ],
)
async def test_a_payment_refused_says_why(bank: Bank, message: str, reason: str) -> None:
    assert verdicts(await bank.answer(message, "company")) == [("RJCT", reason)]


async def test_the_same_message_is_answered_as_before_and_another_under_its_id_is_refused(bank: Bank) -> None:
    first = await bank.send(pain001([Paid()]), "company")
    again = await bank.send(pain001([Paid()]), "company")
    assert isinstance(first, Received)
    assert isinstance(again, Received)
    assert (again.answer, again.id, again.replayed) == (first.answer, first.id, True)
    other = await bank.answer(pain001([Paid("11.00")]), "company")
    assert (texts(other, "GrpSts"), texts(other, "Cd")) == (["RJCT"], ["DU01"])
    assert await bank.posted(1) == START_MINOR - 1_000
    assert verdicts(await bank.answer(pain001([Paid()]), "another company")) == [("ACSC", None)], (
        "ids are a sender's own"
    )


async def test_a_uetr_is_paid_once_in_whatever_message_it_comes(bank: Bank) -> None:
    uetr = uuid4()
    for id in ("M1", "M2"):
        assert verdicts(await bank.answer(pain001([Paid(uetr=uetr)], id=id), "company")) == [("ACSC", None)]
    other = await bank.answer(pain001([Paid("9.00", uetr=uetr)], id="M3"), "company")
    assert verdicts(other) == [("RJCT", "DU03")]
    assert texts(other, "OrgnlUETR") == [str(uetr)]
    assert await bank.posted(1) == START_MINOR - 1_000


async def test_a_customers_uetr_travels_on(bank: Bank) -> None:
    uetr = uuid4()
    assert await sent_out(bank, replace(TO_OTHERS, uetr=uetr)) == uetr


async def test_a_bank_is_known_with_and_without_its_head_offices_letters(bank: Bank) -> None:
    environment = {"EASTFLOW_BANK": "EASTFLOWXXX", "EASTFLOW_CLEARING_URL": "http://clearing.test"}
    bank.settings = Iso20022Settings.from_environment(environment)
    assert bank.settings.bank == "EASTFLOW"
    longer = "<BICFI>EASTFLOW", "<BICFI>EASTFLOWXXX"
    assert verdicts(await bank.answer(pain001([Paid()]).replace(*longer), "company")) == [("ACSC", None)]
    assert verdicts(await bank.answer(pacs008([Paid(uetr=uuid4())], id="M2").replace(*longer))) == [("ACSC", None)]
    branch = pacs008([Paid(uetr=uuid4())], id="M3").replace("<BICFI>EASTFLOW", "<BICFI>EASTFLOWBRN")
    assert verdicts(await bank.answer(branch)) == [("RJCT", "AGNT")]


async def test_rivals_with_one_message_pay_once(bank: Bank) -> None:
    answers = await asyncio.gather(*(bank.send(pain001([Paid()]), "company") for _ in range(8)))
    assert len({each.answer for each in answers if isinstance(each, Received)}) == 1
    assert await bank.posted(1) == START_MINOR - 1_000


async def test_money_comes_in_once(bank: Bank) -> None:
    uetr = uuid4()
    message = pacs008([Paid("50.00", uetr=uetr)])
    for each in (message, message, pacs008([Paid("50.00", uetr=uetr)], id="M2")):
        assert verdicts(await bank.answer(each)) == [("ACSC", None)]
    assert verdicts(await bank.answer(pacs008([Paid("51.00", uetr=uetr)], id="M3"))) == [("RJCT", "DU03")]
    assert await bank.posted(2) == START_MINOR + 5_000


@pytest.mark.parametrize(
    ("paid", "reason"),
    [
        (Paid(), "CH21"),
        (Paid(uetr=uuid4(), agent="OTHRBANK"), "AGNT"),
        (Paid(uetr=uuid4(), creditor=""), "AC03"),
        (Paid(uetr=uuid4(), currency="XXX"), "AM03"),
        (Paid("1.001", uetr=uuid4()), "CH20"),
    ],
)
async def test_money_that_cannot_come_in_is_refused(bank: Bank, paid: Paid, reason: str) -> None:
    answer = await bank.answer(pacs008([paid]))
    assert (verdicts(answer), texts(answer, "GrpSts")) == ([("RJCT", reason)], ["RJCT"])
    assert verdicts(await bank.answer(pacs008([paid], id="M2", day="2026-01-06")))[0][0] == "RJCT"


@pytest.mark.parametrize(("creditor", "reason"), [("77", "AC01"), ("3", "AC04")])
async def test_money_for_no_account_of_ours_goes_back(bank: Bank, creditor: str, reason: str) -> None:
    uetr = uuid4()
    assert verdicts(await bank.answer(pacs008([Paid(creditor=creditor, uetr=uetr)]))) == [("ACWP", reason)]
    [message] = await written(bank)
    assert message.kind == "pacs.004.001.10"
    back = valid(message.content)
    assert (texts(back, "OrgnlUETR"), texts(back, "RtrdIntrBkSttlmAmt"), texts(back, "Cd")) == (
        [str(uetr)],
        ["10.00"],
        [reason],
    )
    assert (await of_uetr(bank, uetr)).status is PaymentStatus.RETURNED


async def test_what_is_sent_is_settled_or_given_back_as_the_other_side_says(bank: Bank) -> None:
    settled, rejected = await sent_out(bank), await sent_out(bank, Paid("7.00", "123", "0800"))
    for uetr, status, reason in (
        (settled, "ACSP", None), (settled, "ACSC", None), (rejected, "RJCT", "AC01"), (settled, "ACSC", None),
        (settled, "RJCT", "AC01"), (uuid4(), "ACSC", None),
    ):  # fmt: skip
        taken = await bank.send(pacs002(uetr, status, reason=reason))
        assert isinstance(taken, Received)
        assert taken.answer is None, "an answer is not answered"
    assert (await of_uetr(bank, settled)).status is PaymentStatus.SETTLED, "what is settled is not refused after"
    found = await of_uetr(bank, rejected)
    assert (found.status, found.reason) == (PaymentStatus.REJECTED, "AC01")
    assert await bank.posted(1) == START_MINOR - 1_000


async def test_the_other_bank_is_told_who_pays_whom(bank: Bank) -> None:
    async def own(tx: Transaction) -> None:
        owner = Party(uuid4(), PartyKind.PERSON, "张三", TODAY)
        assert not isinstance(await register_party(tx, owner), Refusal)
        assert not isinstance(await grant_role(tx, Role(owner.id, 1, RoleKind.OWNER, TODAY)), Refusal)

    await bank.database.run(own)
    await sent_out(
        bank, Paid("12.30", "CZ6508000000192000145399", "OTHRBANK", name="Eva", remittance="Rent &amp; more")
    )
    [message] = await written(bank)
    told = valid(message.content)
    assert [told.findtext(f".//{{*}}{place}") for place in (
        "Dbtr/{*}Nm", "DbtrAcct//{*}Id/{*}Othr/{*}Id", "DbtrAgt//{*}BICFI", "Cdtr/{*}Nm", "CdtrAcct//{*}IBAN",
        "CdtrAgt//{*}BICFI", "IntrBkSttlmAmt", "Ustrd", "EndToEndId",
    )] == [
        "张三", "1", "EASTFLOW", "Eva", "CZ6508000000192000145399", "OTHRBANK", "12.30", "Rent & more", "E1"
    ]  # fmt: skip


async def test_a_message_refused_whole_gives_all_its_payments_back(bank: Bank) -> None:
    uetr = await sent_out(bank)
    [message] = await written(bank)
    await bank.send(group_status(message.message_id, "pacs.008.001.09", "RJCT", "DU01"))
    assert (await of_uetr(bank, uetr)).status is PaymentStatus.REJECTED
    assert await bank.posted(1) == START_MINOR


async def test_what_a_status_of_the_whole_message_says_holds_for_those_it_does_not_name(bank: Bank) -> None:
    company = await bank.answer(pain001([TO_OTHERS] * 3), "company")
    assert verdicts(company) == [("ACSP", None)] * 3
    [message] = await written(bank)
    first, *others = (UUID(each) for each in texts(valid(message.content), "UETR"))
    told = group_status(message.message_id, "pacs.008.001.09", "RJCT", "DU01")

    def with_line(named: str) -> str:
        line = f"<TxInfAndSts>{named}<TxSts>ACSC</TxSts></TxInfAndSts>"
        return told.replace("</OrgnlGrpInfAndSts>", f"</OrgnlGrpInfAndSts>{line}").replace("<MsgId>", "<MsgId>x", 1)

    await bank.send(with_line("<OrgnlEndToEndId>E1</OrgnlEndToEndId>"))
    assert (await of_uetr(bank, first)).status is PaymentStatus.SENT, "nobody knows which one is meant"
    await bank.send(with_line(f"<OrgnlUETR>{first}</OrgnlUETR>").replace("<MsgId>x", "<MsgId>y", 1))
    assert (await of_uetr(bank, first)).status is PaymentStatus.SETTLED
    assert {(await of_uetr(bank, each)).status for each in others} == {PaymentStatus.REJECTED}


async def test_signs_that_xml_cannot_hold_stop_nobody(bank: Bank) -> None:
    async def work(tx: Transaction) -> None:
        other = payments.Endpoint("", "123", "0800")
        asked = payments.Transfer(uuid4(), 1, other, 500, "CZK", Channel.API, end_to_end_id="E\x01")
        assert isinstance(await transfer(tx, asked, today=TODAY, by="x"), Payment)

    await bank.database.run(work)
    uetr = uuid4()
    await bank.answer(pacs008([Paid(uetr=uetr)]))
    await bank.answer(camt056(uetr))
    payment = await of_uetr(bank, uetr)

    async def refuse(tx: Transaction) -> None:
        assert not isinstance(await answer_recall(tx, payment.id, "\x1fABC", today=TODAY), Refusal)

    await bank.database.run(refuse)
    kinds = {each.kind: valid(each.content) for each in await written(bank)}
    assert texts(kinds["pacs.008.001.09"], "EndToEndId") == ["E "]
    assert verdicts(kinds["camt.029.001.10"]) == [("RJCR", " ABC")]


async def test_what_could_not_go_back_does_not_come_in(bank: Bank) -> None:
    async def gold(tx: Transaction) -> None:
        await define_asset(tx, Asset("XAU", 6))

    await bank.database.run(gold)
    for paid, reason in (
        (Paid("1.00", "77", currency="XAU", uetr=uuid4()), "AM03"),
        (Paid("92233720368547758", "77", uetr=uuid4()), "AM02"),
    ):
        assert verdicts(await bank.answer(pacs008([paid], id=uuid4().hex))) == [("RJCT", reason)]


async def test_a_return_that_no_message_can_carry_is_told_of_once_and_waits_for_a_person(
    bank: Bank, caplog: pytest.LogCaptureFixture
) -> None:
    async def receive(tx: Transaction) -> None:
        await define_asset(tx, Asset("GOLD", 6))
        ends = payments.Endpoint("", "1", "OTHRBANK"), payments.Endpoint("", "77")
        taken = await receive_incoming(tx, payments.Incoming(uuid4(), *ends, 500, "GOLD"), today=TODAY)
        assert isinstance(taken, Payment)

    await bank.database.run(receive)
    for expected in (1, 0, 0):
        worked = await bank.database.run(lambda tx: write_waiting(tx, settings=bank.settings, today=TODAY))
        assert worked == expected
    assert len(caplog.records) == 1
    async with bank.database.reading() as tx:
        assert await payments.outgoing_page(tx, on=TODAY, limit=9) == []
        assert [each.held_for for each in await payments.suspense_page(tx, limit=9)] == ["AM03"]


async def test_a_payment_that_comes_back_is_the_payers_again_once(bank: Bank) -> None:
    uetr = await sent_out(bank)
    await bank.send(pacs002(uetr, "ACSC"))
    assert verdicts(await bank.answer(pacs004(uetr, "9.00"))) == [("RJCT", "AM09")]
    assert verdicts(await bank.answer(pacs004(uuid4(), "10.00"))) == [("RJCT", "AG09")]
    for _ in range(2):
        assert verdicts(await bank.answer(pacs004(uetr, "10.00"))) == [("ACSC", None)]
    assert verdicts(await bank.answer(pacs004(uetr, "10.00", reason="AC01"))) == [("RJCT", "FF12")]
    assert await bank.posted(1) == START_MINOR


async def test_a_payment_comes_back_less_the_charges_that_the_other_bank_names(bank: Bank) -> None:
    uetr = await sent_out(bank)
    for charges in ((), ("0.50",), ("1.00", "0.01"), ("0.00",), ("0.005",)):
        refused = verdicts(await bank.answer(pacs004(uetr, "9.00", charges=charges)))
        assert refused == [("RJCT", "CH20" if "0.005" in charges else "AM09")]
    strange = verdicts(await bank.answer(pacs004(uetr, "9.00", charges=("1.00",), charged_in="EUR")))
    assert strange == [("RJCT", "AM03")], "the bank does not keep it"
    for _ in range(2):
        assert verdicts(await bank.answer(pacs004(uetr, "9.00", charges=("0.60", "0.40")))) == [("ACSC", None)]
    assert verdicts(await bank.answer(pacs004(uetr, "8.00", charges=("2.00",)))) == [("RJCT", "FF12")]
    assert await bank.posted(1) == START_MINOR - 100


async def test_a_payment_for_a_day_to_come_waits_and_is_paid_then(bank: Bank) -> None:
    uetr, day = uuid4(), date(2026, 2, 1)
    told = pain001([Paid(uetr=uetr, remittance="rent")], day=day.isoformat())
    answer = await bank.answer(told, "company")
    assert verdicts(answer) == [("ACCP", "NARR")]
    assert texts(answer, "AddtlInf") == ["to be paid on 2026-02-01"]
    assert texts(answer, "GrpSts") == ["ACCP"]
    assert await bank.posted(1) == START_MINOR
    # In another message, it is the same payment; at once, it is the same payment too, and comes first.
    again = pain001([Paid(uetr=uetr, remittance="rent")], day=day.isoformat(), id="M2")
    assert verdicts(await bank.answer(again, "company")) == [("ACCP", "NARR")]
    other = pain001([Paid(uetr=uetr, remittance="else")], day=day.isoformat(), id="M3")
    assert verdicts(await bank.answer(other, "company")) == [("RJCT", "DU03")]
    assert await run_standing_orders(bank.database, day, clock=lambda: NOW) == payments.Run(paid=1)
    async with bank.database.reading() as tx:
        [paid] = await payments.payments_of_uetr(tx, uetr)
    assert (paid.end_to_end_id, paid.remittance, paid.channel, paid.amount_minor) == ("E1", "rent", Channel.API, 1_000)
    assert await bank.posted(1) == START_MINOR - 1_000
    late = pain001([Paid(uetr=uetr, remittance="rent")], id="M4")
    assert verdicts(await bank.answer(late, "company")) == [("RJCT", "DU03")]


async def test_what_cannot_be_paid_on_a_day_to_come_is_refused_now(bank: Bank) -> None:
    day = "2026-02-01"
    for debtor, paid, reason in (
        ("77", Paid(), "AC01"),
        ("3", Paid(), "AC04"),
        ("9000000000000001", Paid(), "AC01"),
        ("1", Paid(creditor="1"), "AC01"),
        ("1", Paid(creditor=""), "AC03"),
    ):
        sent = pain001([paid], day=day, debtor=debtor, id=uuid4().hex)
        assert verdicts(await bank.answer(sent, "company")) == [("RJCT", reason)]
    uetr = uuid4()
    told = pain001([Paid(uetr=uetr)], day=day, id="M9")
    assert verdicts(await bank.answer(told, "company")) == [("ACCP", "NARR")]
    await bank.database.run(lambda tx: cancel_order(tx, uetr))
    assert verdicts(await bank.answer(told.replace("M9", "M10"), "company")) == [("RJCT", "NARR")]


async def test_what_came_in_is_asked_back_and_a_person_answers(bank: Bank) -> None:
    uetr = uuid4()
    await bank.answer(pacs008([Paid(uetr=uetr)]))
    assert verdicts(await bank.answer(camt056(uuid4()))) == [("RJCR", "NOOR")]
    for _ in range(2):
        assert verdicts(await bank.answer(camt056(uetr))) == [("PDCR", None)]
    payment = await of_uetr(bank, uetr)

    async def accept(tx: Transaction) -> None:
        assert not isinstance(await answer_recall(tx, payment.id, None, today=TODAY), Refusal)

    await bank.database.run(accept)
    kinds = {each.kind: valid(each.content) for each in await written(bank)}
    assert texts(kinds["pacs.004.001.10"], "Cd") == ["FOCR"]
    assert await bank.posted(2) == START_MINOR


async def test_a_recall_that_is_refused_is_answered(bank: Bank) -> None:
    uetr = uuid4()
    await bank.answer(pacs008([Paid(uetr=uetr)]))
    await bank.answer(camt056(uetr))
    payment = await of_uetr(bank, uetr)

    async def refuse(tx: Transaction) -> None:
        assert not isinstance(await answer_recall(tx, payment.id, "CUST", today=TODAY), Refusal)

    await bank.database.run(refuse)
    [message] = await written(bank)
    assert (message.kind, verdicts(valid(message.content))) == ("camt.029.001.10", [("RJCR", "CUST")])


@pytest.mark.parametrize("accepted", [True, False])
async def test_our_own_recall_is_sent_and_its_answer_taken(bank: Bank, accepted: bool) -> None:
    uetr = await sent_out(bank)
    payment = await of_uetr(bank, uetr)
    await bank.database.run(lambda tx: recall(tx, payment.id, "DUPL", today=TODAY, by="a person", clock=lambda: NOW))
    [carrier] = await written(bank)
    assert carrier.kind.startswith("pacs.008"), "the recall does not overtake the payment"

    async def deliver(tx: Transaction) -> None:
        [claimed] = await store.claim(tx, "clearing", NOW, NOW, 10)
        assert await store.finish(tx, claimed, DeliveryStatus.DONE, NOW, 202)

    await bank.database.run(deliver)
    asked = await written(bank)
    assert [each.kind for each in asked] == ["camt.056.001.09"]
    assert texts(valid(asked[0].content), "OrgnlUETR") == [str(uetr)]
    await bank.send(camt029(uetr, "PDCR"))
    await bank.send(camt029(uetr, "ACCR") if accepted else camt029(uetr, "RJCR", reason="CUST"))
    async with bank.database.reading() as tx:
        found = await payments.recall_of(tx, payment.id)
    assert found is not None
    assert (found.status.value, found.answer) == (("accepted", None) if accepted else ("refused", "CUST"))
    if accepted:
        await bank.answer(pacs004(uetr, "10.00", reason="FOCR"))
        assert (await of_uetr(bank, uetr)).status is PaymentStatus.RECALLED


async def test_what_no_message_can_carry_is_given_back(bank: Bank) -> None:
    async def fill(tx: Transaction) -> None:
        await define_asset(tx, Asset("GOLD", 6))
        opened = [Account(21, "GOLD", Side.CREDIT, "liabilities:deposits", TODAY)]
        opened.append(Account(29, "GOLD", Side.DEBIT, "assets:gold", TODAY, None))
        await open_accounts(tx, opened)
        await post(tx, [Entry(new_id(), "x", TODAY, (Posting(29, "GOLD", -500), Posting(21, "GOLD", 500)))])
        asked = payments.Transfer(
            uuid4(), 21, payments.Endpoint("", "123", "0800"), 500, "GOLD", Channel.API, end_to_end_id="E1"
        )
        assert isinstance(await transfer(tx, asked, today=TODAY, by="x"), Payment)

    await bank.database.run(fill)
    assert await bank.posted(21) == 0
    assert await written(bank) == []
    assert await bank.posted(21) == 500


async def test_who_is_not_the_clearing_cannot_speak_for_it(bank: Bank) -> None:
    uetr = await sent_out(bank)
    for message in (pacs002(uetr, "RJCT", reason="AC01"), camt029(uetr, "ACCR")):
        assert isinstance(await bank.send(message, "company"), Unreadable)
    assert texts(await bank.answer(pacs004(uetr, "10.00"), "company"), "Cd") == ["AG08"]
    assert texts(await bank.answer(pain001([Paid()])), "Cd") == ["AG08"], "nor the clearing for a customer"
    assert (await of_uetr(bank, uetr)).status is PaymentStatus.SENT


async def test_every_message_is_kept_to_the_byte(bank: Bank) -> None:
    raw = pain001([Paid()])
    taken = await bank.send(raw, "company")
    assert isinstance(taken, Received)
    async with bank.database.reading() as tx:
        [received] = await store.messages(tx, direction=Direction.RECEIVED)
        [answer] = await store.messages(tx, direction=Direction.SENT)
        first, second = sorted((received.id, answer.id))
        assert [each.id for each in await store.messages(tx, after=first, limit=1)] == [second]
        assert await store.message(tx, received.id) == received
    assert (received.content, received.counterparty, received.message_id) == (raw.encode(), "company", "M1")
    assert (answer.content, answer.answers, answer.direction) == (taken.answer, received.id, Direction.SENT)
