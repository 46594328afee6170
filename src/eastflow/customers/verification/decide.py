"""May another bank be asked, what does its answer mean, and what do we answer another? Pure: no clock, no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from eastflow.kernel import Refusal, is_text
from eastflow.rules import AccountClass

from ..classes.model import ClassedAccount
from ..decide import is_account
from ..model import NAME_CHARACTERS_MAX, Party
from ..personal_data.normal import normal_name
from ..records.decide import check_content, has_expired, key_of
from ..records.model import ContactKind, ContactPoint, Content, Document, Record
from ..refusals import CustomersRefusal
from .model import (
    ACCOUNT_CHARACTERS_MAX,
    BANK_CHARACTERS_MAX,
    VERIFICATION_DAYS,
    Element,
    ElementResult,
    Elements,
    Results,
    Verification,
    VerificationStatus,
)


def check_asked(account: int, bank: str, other_account: str, phone: str) -> Refusal | None:
    """The first refusal that applies to the request by itself, or None."""
    if not (bank.strip() and is_text(bank, BANK_CHARACTERS_MAX)):
        return Refusal(CustomersRefusal.TEXT_MALFORMED, {"field": "bank"})
    if not (other_account.strip() and is_text(other_account, ACCOUNT_CHARACTERS_MAX)):
        return Refusal(CustomersRefusal.TEXT_MALFORMED, {"field": "account"})
    if check_content(ContactPoint(ContactKind.PHONE, phone)):
        return Refusal(CustomersRefusal.TEXT_MALFORMED, {"field": "phone"})
    if not is_account(account):
        return Refusal(CustomersRefusal.ACCOUNT_MALFORMED, {"account": account})
    return None


def decide_request(
    id: UUID,
    classed: ClassedAccount,
    person: Party,
    records: Sequence[Record],
    where: tuple[str, str, str],
    by: str,
    today: date,
) -> Verification | Refusal:
    """`where` is the other bank, the account there, and the telephone known there. The person is shown by the document
    they last showed here that is good today."""
    document = _good_document(records, today)
    if document is None:
        return Refusal(CustomersRefusal.DOCUMENT_MISSING, {"id": str(person.id)})
    bank, account, phone = where
    elements = Elements(person.name, document, phone, bank, account)
    last_day = date.fromordinal(min(today.toordinal() + VERIFICATION_DAYS, date.max.toordinal()))
    status = VerificationStatus.ASKED
    return Verification(id, classed.account, classed.party, elements, status, today, last_day, by)


def decide_asked_again(known: Verification, account: int, where: tuple[str, str, str]) -> Verification | Refusal:
    """The verification that has the id already."""
    asked = known.elements
    if (known.account, asked.bank, asked.account, asked.phone) == (account, *where):
        return known
    return Refusal(CustomersRefusal.VERIFICATION_ID_REUSED, {"id": str(known.id)})


def check_known(found: Verification | None, id: UUID) -> Refusal | None:
    return Refusal(CustomersRefusal.VERIFICATION_NOT_FOUND, {"id": str(id)}) if found is None else None


def as_of(found: Verification, today: date) -> Verification:
    """What nobody has answered in time has expired."""
    late = found.status is VerificationStatus.ASKED and today > found.expires_on
    return replace(found, status=VerificationStatus.EXPIRED) if late else found


def decide_answer(found: Verification, results: Results, by: str, today: date) -> Verification | Refusal:
    """What is not told of an element is unknown. Only five that match bind the account."""
    told = {each: results.get(each, ElementResult.UNKNOWN) for each in Element}
    if found.results == told:
        return found
    if found.status is not VerificationStatus.ASKED:
        return closed(found)
    sound = all(result is ElementResult.MATCHES for result in told.values())
    status = VerificationStatus.CONFIRMED if sound else VerificationStatus.DENIED
    return replace(found, status=status, results=told, answered_on=today, answered_by=by)


def decide_sent(found: Verification, message_id: str) -> Verification | Refusal:
    if not (message_id.strip() and is_text(message_id, BANK_CHARACTERS_MAX)):
        return Refusal(CustomersRefusal.TEXT_MALFORMED, {"field": "message_id"})
    if found.message_id == message_id:
        return found
    if found.message_id is not None or found.status is not VerificationStatus.ASKED:
        return closed(found)
    return replace(found, message_id=message_id)


def decide_end(found: Verification) -> Verification | Refusal:
    """What is bound, or was asked, is no more."""
    if found.status in (VerificationStatus.DENIED, VerificationStatus.EXPIRED):
        return closed(found)
    return replace(found, status=VerificationStatus.ENDED)


def closed(found: Verification) -> Refusal:
    return Refusal(CustomersRefusal.VERIFICATION_CLOSED, {"id": str(found.id), "status": found.status.value})


def compared(
    classed: ClassedAccount | None, owner: Party | None, records: Sequence[Record], asked: tuple[str, Document, str]
) -> Results:
    """What another bank asks of an account here: the name, the document and the telephone of its owner, each by its
    normal form. Of an account that has no class nothing is told but that."""
    name, document, phone = asked
    if classed is None or owner is None or owner.erased:
        unknown = dict.fromkeys(Element, ElementResult.UNKNOWN)
        return unknown | {Element.ACCOUNT: ElementResult.DIFFERS}
    return {
        Element.NAME: _result(normal_name(name) == normal_name(owner.name)),
        Element.DOCUMENT: _held(records, document),
        Element.PHONE: _held(records, ContactPoint(ContactKind.PHONE, phone)),
        Element.ACCOUNT: ElementResult.MATCHES,
        Element.CLASS_ONE: _result(classed.account_class is AccountClass.I),
    }


def check_elements(name: str, document: Document, phone: str) -> Refusal | None:
    if not (name.strip() and is_text(name, NAME_CHARACTERS_MAX)):
        return Refusal(CustomersRefusal.TEXT_MALFORMED, {"field": "name"})
    return check_content(document) or check_content(ContactPoint(ContactKind.PHONE, phone))


def _held(records: Sequence[Record], asked: Content) -> ElementResult:
    """Of one kind, what is held by the same key matches; where nothing of the kind is held, nobody knows."""
    keys = {key_of(each.content) for each in records if each.ended_at is None}
    if key_of(asked) in keys:
        return ElementResult.MATCHES
    held = any(key[0] == key_of(asked)[0] for key in keys)
    return ElementResult.DIFFERS if held else ElementResult.UNKNOWN


def _result(matches: bool) -> ElementResult:
    return ElementResult.MATCHES if matches else ElementResult.DIFFERS


def _good_document(records: Sequence[Record], today: date) -> Document | None:
    good = [
        each
        for each in records
        if each.ended_at is None and isinstance(each.content, Document) and not has_expired(each.content, today)
    ]
    last = max(good, key=lambda each: each.added_at, default=None)
    return last.content if last is not None and isinstance(last.content, Document) else None
