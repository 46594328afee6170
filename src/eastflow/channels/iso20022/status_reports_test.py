"""A customer asks what has become of the payments of a message: a `pain.002` of this moment, valid by its schema."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

from eastflow.channels.iso20022.actions_test import TO_OTHERS, verdicts, written
from eastflow.channels.iso20022.conftest import NOW, Bank, Paid, pacs002, pacs008, pain001, texts, valid
from eastflow.channels.iso20022.model import Received
from eastflow.channels.iso20022.status_reports import status_report
from eastflow.payments.actions import cancel_order, run_standing_orders

DAY = date(2026, 2, 1)


async def taken(bank: Bank, paid: list[Paid], *, sender: str = "company", **told: str) -> UUID:
    """The id under which the message is kept."""
    sent = pain001(paid, **told)  # type: ignore[arg-type]
    received = await bank.send(sent, sender)
    assert isinstance(received, Received)
    assert received.id is not None
    return received.id


async def report(bank: Bank, id: UUID) -> list[tuple[str, str | None]]:
    async with bank.database.reading() as tx:
        content = await status_report(tx, id, clock=lambda: NOW)
    assert content is not None
    return verdicts(valid(content))


async def test_what_another_bank_refused_since_is_told_and_what_was_refused_at_once_stays(bank: Bank) -> None:
    abroad = uuid4()
    id = await taken(
        bank, [Paid(), Paid(creditor="3"), Paid(**TO_OTHERS.__dict__ | {"uetr": abroad}), Paid(amount="5")]
    )
    before = [("ACSC", None), ("RJCT", "AC04"), ("ACSP", None), ("ACSC", None)]
    assert await report(bank, id) == before
    await written(bank)
    await bank.send(pacs002(abroad, "RJCT", reason="AC01"))
    assert await report(bank, id) == [*before[:2], ("RJCT", "AC01"), before[3]]
    async with bank.database.reading() as tx:
        content = await status_report(tx, id, clock=lambda: NOW)
    assert content is not None
    document = valid(content)
    assert (texts(document, "OrgnlMsgId"), texts(document, "OrgnlPmtInfId")) == (["M1"], ["P1"])
    assert (texts(document, "GrpSts"), texts(document, "OrgnlUETR")) == (["PART"], [str(abroad)])
    assert texts(document, "OrgnlEndToEndId") == ["E1"] * 4


async def test_what_waited_for_its_day_is_told_as_paid_refused_or_cancelled(bank: Bank) -> None:
    cancelled = uuid4()
    paid = [Paid(), Paid(amount="100000"), Paid(uetr=cancelled), Paid(amount="2")]
    id = await taken(bank, paid, day=DAY.isoformat())
    assert await report(bank, id) == [("ACCP", "NARR")] * 4
    await bank.database.run(lambda tx: cancel_order(tx, cancelled))
    assert await report(bank, id) == [("ACCP", "NARR"), ("ACCP", "NARR"), ("RJCT", "NARR"), ("ACCP", "NARR")]
    await run_standing_orders(bank.database, DAY, clock=lambda: NOW)
    become = [("ACSC", None), ("RJCT", "AM04"), ("RJCT", "NARR"), ("ACSC", None)]
    assert await report(bank, id) == become
    # In another message with its own id, and by the same UETR, the answer is what became of it too.
    assert verdicts(await bank.answer(pain001([paid[2]], day=DAY.isoformat(), id="M2"), "company")) == become[2:3]


async def test_a_payment_of_the_same_uetr_in_another_message_changes_no_refusal(bank: Bank) -> None:
    uetr = uuid4()
    first = await taken(bank, [Paid(uetr=uetr)])
    second = await taken(bank, [Paid(uetr=uetr, amount="11.00")], id="M2")
    assert (await report(bank, first), await report(bank, second)) == ([("ACSC", None)], [("RJCT", "DU03")])


async def test_of_a_message_refused_whole_the_answer_is_told_again_and_of_others_nothing(bank: Bank) -> None:
    whole = await taken(bank, [Paid()], control_sum="1.00")
    assert await report(bank, whole) == []
    incoming = await bank.send(pacs008([Paid(uetr=uuid4())]))
    assert isinstance(incoming, Received)
    assert incoming.id is not None
    async with bank.database.reading() as tx:
        for id in (uuid4(), incoming.id):
            assert await status_report(tx, id, clock=lambda: NOW) is None
