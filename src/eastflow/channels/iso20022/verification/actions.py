"""The verbs: ask the other banks that wait to be asked, take in what they tell, and answer what they ask."""

from __future__ import annotations

import logging
from datetime import date

from eastflow import customers, ledger
from eastflow.customers.actions import answer_verification, verification_sent, verify_elements
from eastflow.kernel import Refusal
from eastflow.ledger.actions import new_id
from eastflow.storage import Clock, Retry, Transaction, now

from ..decide import account_number
from ..model import Header, Kind, Question, Questions, Reason, VerificationReport, VerificationReports
from ..outgoing import keep
from ..settings import Iso20022Settings
from ..write import moment
from . import decide, write

AT_ONCE_MAX = 50
_LOG = logging.getLogger(__name__)


async def ask_waiting(tx: Transaction, *, settings: Iso20022Settings, today: date, clock: Clock = now) -> int:
    """Make a message of each of the first that wait to be sent, kept and marked in this one transaction; how many there
    were. What no message can carry is answered at once: nothing is known of it."""
    waiting = await customers.verifications_to_send(tx, today=today, limit=AT_ONCE_MAX)
    for each in waiting:
        if decide.fits(each.elements):
            await _ask(tx, each, settings, today, clock)
        else:
            _LOG.warning("the verification %s fits no message", each.id)
            await answer_verification(tx, each.id, {}, by=settings.bank, today=today)
    return len(waiting)


async def take_report(tx: Transaction, told: VerificationReports, *, by: str, today: date) -> None:
    """Another bank's word on what it was asked. Where it says yes and no of one question, no holds."""
    for line in sorted(told.lines, key=lambda line: line.verified):
        id = decide.asked_id(line)
        asked = None if id is None else await customers.verification(tx, id, today=today)
        if asked is None or asked.message_id is None or told.original_id not in (None, asked.message_id):
            _LOG.warning("a report on %r answers nothing that was asked", line.original_id)
            continue
        outcome = await answer_verification(tx, asked.id, decide.results(line), by=by, today=today)
        if isinstance(outcome, Refusal):
            _LOG.warning("the report on %s was not taken: %s", asked.id, outcome.code.value)


async def answer(tx: Transaction, asked: Questions, header: Header, *, settings: Iso20022Settings) -> bytes:
    """Yes or no to each that another bank asks of accounts here, and the first reason of a no; nothing else is told."""
    found = [(each.id, await _problem(tx, each, settings.bank)) for each in asked.lines]
    return write.report(
        header,
        [VerificationReport(id, reason is None, reason) for id, reason in found],
        original_id=asked.header.message_id,
        sender=settings.bank,
        receiver=settings.clearing_bank,
    )


async def _ask(
    tx: Transaction, asked: customers.Verification, settings: Iso20022Settings, today: date, clock: Clock
) -> None:
    at = clock()
    header = Header(new_id(at).hex, moment(at))
    content = write.request(header, asked, sender=settings.bank, receiver=settings.clearing_bank)
    if isinstance(await verification_sent(tx, asked.id, header.message_id, today=today), Refusal):
        raise Retry("another program sent it in the same moment")
    await keep(tx, Kind.VERIFICATION, header, content, settings, at)


async def _problem(tx: Transaction, asked: Question, bank: str) -> Reason | None:
    party, account = asked.party, account_number(asked.party)
    if party.agent not in (None, bank):
        return decide.ANOTHER_BANK
    held = {} if account is None else await ledger.accounts(tx, [account])
    if account is None or account not in held or held[account].status is ledger.Status.CLOSED:
        return decide.NO_ACCOUNT
    if not party.name or asked.document is None or asked.phone is None:
        return decide.INCOMPLETE
    found = await verify_elements(tx, account, name=party.name, document=asked.document, phone=asked.phone)
    return decide.INCOMPLETE if isinstance(found, Refusal) else decide.problem(found, of_class_one=asked.of_class_one)
