"""What may be recorded of a party, and are two names the same? Pure: no clock, no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import Enum
from uuid import UUID

from eastflow.kernel import Refusal, is_text

from ..model import Channel, Party
from ..personal_data.normal import normal_name, normal_number
from ..refusals import CustomersRefusal
from .model import (
    ADDRESS_CHARACTERS_MAX,
    NUMBER_CHARACTERS_MAX,
    PURPOSE_CHARACTERS_MAX,
    ChannelIdentity,
    Consent,
    ContactKind,
    ContactPoint,
    Content,
    Document,
    Former,
    Identification,
    IdentificationLevel,
    Record,
    Risk,
    RiskClass,
)

Key = tuple[str, ...]


@dataclass(slots=True)
class Held:
    """What is held of a party and was held, and what a list of contents adds to it (`fresh`) and ends of it (`ended`).
    `claimants` are those who have what one party alone may have."""

    party: UUID
    records: list[Record]
    claimants: Mapping[Key, UUID]
    fresh: list[Record] = field(default_factory=list)
    ended: list[Record] = field(default_factory=list)


CLOSE_CHARACTERS_MIN = 6
"""Shorter names that differ in a sign are other names: 王伟 and 王芳."""


class NameMatch(Enum):
    """`close`: as one may mistype it. `unknown`: the account has no owner whose name is known."""

    MATCH = "match"
    CLOSE = "close"
    NO_MATCH = "no_match"
    UNKNOWN = "unknown"


def key_of(content: Content) -> Key:
    """Contents of one key take each other's place in a party's records."""
    match content:
        case Document(kind, number, country):
            return "document", kind.value, country, normal_number(number)
        case ContactPoint(ContactKind.PHONE, value):
            return "phone", normal_number(value)
        case ContactPoint(kind, value):
            return kind.value, normal_name(value)
        case ChannelIdentity(channel, identifier):
            return "identity", channel.value, identifier
        case Consent(purpose):
            return "consent", purpose
        case Identification():
            return ("identification",)
        case Risk():
            return ("risk",)
        case Former(correction):
            return "former", str(correction)


def is_claimed(content: Content) -> bool:
    """One party alone may have it."""
    return isinstance(content, Document | ChannelIdentity)


def is_traced(content: Content) -> bool:
    """Parties are found by it, and many may have it."""
    return isinstance(content, ContactPoint) and content.kind is not ContactKind.ADDRESS


def check_content(content: Content) -> Refusal | None:
    """The first refusal that applies to the content by itself, or None."""
    for name, text, characters_max in _texts(content):
        if not (text.strip() and is_text(text, characters_max)):
            return Refusal(CustomersRefusal.TEXT_MALFORMED, {"field": name})
    if isinstance(content, Document) and not _is_country(content.country):
        return Refusal(CustomersRefusal.TEXT_MALFORMED, {"field": "country"})
    if isinstance(content, Risk) and not is_text(content.reason, ADDRESS_CHARACTERS_MAX):
        return Refusal(CustomersRefusal.TEXT_MALFORMED, {"field": "reason"})
    if isinstance(content, Consent) and content.until is not None and content.until < content.granted_on:
        facts = {"since": content.granted_on, "until": content.until}
        return Refusal(CustomersRefusal.PERIOD_REVERSED, facts)
    return None


def add(held: Held, contents: Sequence[Content], today: date, *, by: str, at: datetime) -> list[Record | Refusal]:
    """The answer to each, written into `held` as it is found: one refused does not keep the others out."""
    answers: list[Record | Refusal] = []
    for content in contents:
        key = key_of(content)
        answer = check_content(content) or decide_record(
            content, held.party, held.records, held.claimants.get(key), today
        )
        if answer is None:
            if replaced := standing_of(held.records, key):
                ended = replace(replaced, ended_at=at, ended_by=by)
                held.records[replaced.number - 1] = ended
                held.ended.append(ended)
            answer = Record(len(held.records) + 1, content, at, by)
            held.records.append(answer)
            held.fresh.append(answer)
        answers.append(answer)
    return answers


def decide_record(
    content: Content, party: UUID, records: Sequence[Record], claimant: UUID | None, today: date
) -> Record | Refusal | None:
    """The record if it is held already, None if it is to be added. `claimant` is who has what one party alone may."""
    standing = standing_of(records, key_of(content))
    if standing is not None and standing.content == content:
        return standing
    if claimant is not None and claimant != party:
        code = CustomersRefusal.DOCUMENT_TAKEN if isinstance(content, Document) else CustomersRefusal.IDENTITY_TAKEN
        return Refusal(code, {"party": str(claimant)})
    if isinstance(content, Consent) and content.granted_on > today:
        return Refusal(CustomersRefusal.GRANTED_IN_FUTURE, {"granted_on": content.granted_on, "today": today})
    if isinstance(content, Document) and has_expired(content, today):
        return Refusal(CustomersRefusal.DOCUMENT_EXPIRED, {"expires_on": content.expires_on, "today": today})
    return None


def decide_end(records: Sequence[Record], number: int) -> Record | Refusal:
    """The record, ended already or to be ended. What the party was called stays for good."""
    fitting = (each for each in records if each.number == number and not isinstance(each.content, Former))
    return next(fitting, None) or Refusal(CustomersRefusal.RECORD_NOT_FOUND, {"number": number})


def decide_found(found: Party, asked: Party) -> Party | Refusal:
    """Whoever shows a document known here is its holder, if the name is the holder's too."""
    if normal_name(found.name) == normal_name(asked.name):
        return found
    return Refusal(CustomersRefusal.DOCUMENT_NAME_DIFFERS, {"party": str(found.id)})


def shown_again(records: Sequence[Record], document: Document) -> Document:
    """The document as it is shown now: that it was verified once, and what of it is not said this time, is not lost."""
    standing = standing_of(records, key_of(document))
    if standing is None or not isinstance(standing.content, Document):
        return document
    held = standing.content
    expires_on = document.expires_on or held.expires_on
    return replace(held, expires_on=expires_on, verified=document.verified or held.verified)


def standing_of(records: Sequence[Record], key: Key) -> Record | None:
    """The one recorded last: of merged parties several may stand."""
    fitting = [each for each in records if each.ended_at is None and key_of(each.content) == key]
    return max(fitting, key=lambda each: each.added_at, default=None)


def level_reached(records: Sequence[Record], channel: Channel, document: Document, today: date) -> IdentificationLevel:
    """By what is shown now and what was reached before: a level is never lost by coming another way, and an expired
    document reaches none."""
    shown = IdentificationLevel.NONE
    if not has_expired(document, today):
        if channel is Channel.BRANCH:
            shown = IdentificationLevel.FACE_TO_FACE
        elif document.verified:
            shown = IdentificationLevel.REMOTE
    standing = standing_of(records, key_of(Identification(shown)))
    before = standing.content.level if standing and isinstance(standing.content, Identification) else shown
    order = list(IdentificationLevel)
    return max(shown, before, key=order.index)


def consent_stands(records: Sequence[Record], purpose: str, day: date) -> bool:
    """Of merged parties, what one withdrew after the other's was recorded is withdrawn."""
    key = ("consent", purpose)
    standing = standing_of(records, key)
    if standing is None or not isinstance(standing.content, Consent):
        return False
    if any(each.ended_at and each.ended_at > standing.added_at for each in records if key_of(each.content) == key):
        return False
    consent = standing.content
    return consent.granted_on <= day and (consent.until is None or day < consent.until)


def worst_risk(records: Sequence[Record]) -> RiskClass | None:
    order = list(RiskClass)
    judged = [each.content.risk_class for each in records if each.ended_at is None and isinstance(each.content, Risk)]
    return max(judged, key=order.index, default=None)


def match_names(asked: str, names: Sequence[str]) -> NameMatch:
    """The best match among the names of an account's owners."""
    matches = [_match(normal_name(asked), normal_name(name)) for name in names if name]
    order = list(NameMatch)
    return min(matches, key=order.index, default=NameMatch.UNKNOWN)


def _match(asked: str, name: str) -> NameMatch:
    if asked == name:
        return NameMatch.MATCH
    if sorted(asked.split()) == sorted(name.split()):
        return NameMatch.CLOSE
    mistyped = min(len(asked), len(name)) >= CLOSE_CHARACTERS_MIN and _is_one_sign_apart(asked, name)
    return NameMatch.CLOSE if mistyped else NameMatch.NO_MATCH


def _is_one_sign_apart(one: str, other: str) -> bool:
    """One sign more, less or other, or two neighbours exchanged."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rest, rest_other = one[start:], other[start:]
    exchanged = rest[:2] == rest_other[1::-1] and rest[2:] == rest_other[2:]
    return exchanged or rest[1:] == rest_other[1:] or rest[1:] == rest_other or rest == rest_other[1:]


def _texts(content: Content) -> list[tuple[str, str, int]]:
    match content:
        case Document(_, number):
            return [("number", number, NUMBER_CHARACTERS_MAX)]
        case ContactPoint(_, value):
            return [("value", value, ADDRESS_CHARACTERS_MAX)]
        case ChannelIdentity(_, identifier):
            return [("identifier", identifier, ADDRESS_CHARACTERS_MAX)]
        case Consent(purpose):
            return [("purpose", purpose, PURPOSE_CHARACTERS_MAX)]
        case Former(_, _, _, reason):
            return [("reason", reason, ADDRESS_CHARACTERS_MAX)]
        case _:
            return []


def has_expired(document: Document, today: date) -> bool:
    return document.expires_on is not None and document.expires_on < today


def _is_country(code: str) -> bool:
    return len(code) == 2 and code.isascii() and code.isalpha() and code.isupper()
