"""The verbs of verification: ask, send, answer, end. No network is spoken to here: what is asked waits until whoever
carries messages to other banks, or a person, fetches it and brings the answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID

from eastflow.kernel import Refusal
from eastflow.storage import Retry, Transaction, UniqueViolation

from .. import store as parties
from ..classes import store as classes
from ..personal_data import store as vault
from ..records.inquiries import records_of_party
from ..records.model import Document
from ..refusals import CustomersRefusal
from . import store
from .decide import (
    check_asked,
    check_elements,
    check_known,
    compared,
    decide_answer,
    decide_asked_again,
    decide_end,
    decide_request,
    decide_sent,
)
from .model import Results, Verification


async def ask_verification(
    tx: Transaction, id: UUID, account: int, *, bank: str, other_account: str, phone: str, by: str, today: date
) -> Verification | Refusal:
    """Ask another bank whether an account there is of class I and of the person whose account here has a class. The
    same id with the same content answers with the verification as it is now."""
    if refusal := check_asked(account, bank, other_account, phone):
        return refusal
    where = (bank, other_account, phone)
    known = await store.verification(tx, id, today=today)
    if known is not None:
        return decide_asked_again(known, account, where)
    classed = await classes.class_of_account(tx, account) and await classes.locked_class(tx, account)
    if classed is None:
        return Refusal(CustomersRefusal.CLASS_NOT_FOUND, {"account": account})
    data_key = await vault.locked_data_key(tx, classed.party)
    person = await parties.party(tx, classed.party)
    if data_key is None or person is None:
        return Refusal(CustomersRefusal.PARTY_ERASED, {"id": str(classed.party)})
    new = decide_request(id, classed, person, await records_of_party(tx, person.id), where, by, today)
    if isinstance(new, Refusal):
        return new
    try:
        await store.insert(tx, data_key, new)
    except UniqueViolation as rival:
        raise Retry("a verification was asked in the same moment") from rival
    return new


async def verification_sent(tx: Transaction, id: UUID, message_id: str, *, today: date) -> Verification | Refusal:
    """It went out in this message, and is not to be sent again. Saying so again changes nothing."""
    return await _change(tx, id, today, lambda found: decide_sent(found, message_id))


async def answer_verification(
    tx: Transaction, id: UUID, results: Results, *, by: str, today: date
) -> Verification | Refusal:
    """What the other bank says of each element: if all five match, its account is bound from now on. The same answer
    again changes nothing."""
    return await _change(tx, id, today, lambda found: decide_answer(found, results, by, today))


async def end_verification(tx: Transaction, id: UUID, *, today: date) -> Verification | Refusal:
    """The account there is bound no more, or is no longer to be. Ending it again changes nothing."""
    return await _change(tx, id, today, decide_end)


async def verify_elements(
    tx: Transaction, account: int, *, name: str, document: Document, phone: str
) -> Results | Refusal:
    """Our answer to another bank that is to bind an account here, element by element. Nothing is changed."""
    if refusal := check_elements(name, document, phone):
        return refusal
    classed = await classes.class_of_account(tx, account)
    owner = None if classed is None else await parties.party(tx, classed.party)
    records = await records_of_party(tx, owner.id) if owner else []
    return compared(classed, owner, records, (name, document, phone))


async def _change(
    tx: Transaction, id: UUID, today: date, change: Callable[[Verification], Verification | Refusal]
) -> Verification | Refusal:
    found = await store.locked(tx, id, today=today)
    if refusal := check_known(found, id):
        return refusal
    assert found is not None, "it is known"
    changed = change(found)
    if isinstance(changed, Verification) and changed != found:
        await store.update(tx, changed)
    return changed
