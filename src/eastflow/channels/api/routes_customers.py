"""`/v1/parties/…`: documents, contact points, consents and the like; finding, merging and erasing parties."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct, convert

from eastflow import customers
from eastflow.customers import Channel, CustomersRefusal, actions
from eastflow.kernel import EXACT_JSON_INTEGER_MAX, Refusal
from eastflow.storage import Transaction

from .keys import Scope
from .operation import Answer, Call, Operation
from .refusals import ApiRefusal
from .routes_parties import EXAMPLE, ID, SHOWN_EXAMPLE, NewParty, OneParty, Party, may_see, shown_party

CONTENTS = ("document", "contact", "identity", "consent", "identification", "risk")
FOUND_BY = ("document", "contact", "identity", "reference")
_Text = Annotated[str, Meta(min_length=1, max_length=500)]
_ENTERED = "2026-03-01T09:30:00Z"
_ENTERED_ID = "019b8f2e-7c00-7000-8000-0000000000bd"


class Document(Struct, frozen=True, forbid_unknown_fields=True):
    """`country` is of the issuer (ISO 3166-1 alpha-2); `expires_on` is the last day on which it is good."""

    kind: customers.DocumentKind
    number: Annotated[str, Meta(min_length=1, max_length=64)]
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")]
    expires_on: date | None = None
    verified: bool = False


class ContactPoint(Struct, frozen=True, forbid_unknown_fields=True):
    """`verified`: the party was reached there."""

    kind: customers.ContactKind
    value: _Text
    verified: bool = False


class ChannelIdentity(Struct, frozen=True, forbid_unknown_fields=True):
    """Who the party is in a channel: a login, a telephone number, a card."""

    channel: Channel
    identifier: _Text


class Consent(Struct, frozen=True, forbid_unknown_fields=True):
    """`until` is the first day on which it does not stand."""

    purpose: Annotated[str, Meta(min_length=1, max_length=100)]
    granted_on: date
    until: date | None = None


class Identification(Struct, frozen=True, forbid_unknown_fields=True):
    level: customers.IdentificationLevel


class Risk(Struct, frozen=True, forbid_unknown_fields=True):
    risk_class: customers.RiskClass
    reason: Annotated[str, Meta(max_length=500)] = ""


class Former(Struct, frozen=True):
    """What the party was called, and when born, until the correction of this id. It is recorded by that alone."""

    correction: UUID
    name: str
    born_on: date | None
    reason: str


class RecordContent(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Exactly one of these."""

    document: Document | None = None
    contact: ContactPoint | None = None
    identity: ChannelIdentity | None = None
    consent: Consent | None = None
    identification: Identification | None = None
    risk: Risk | None = None


class HeldContent(RecordContent, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Exactly one of these."""

    former: Former | None = None


class PartyRecord(Struct, frozen=True):
    """Masked but for those with the scope `parties:personal`. What is no longer held has `ended_at`."""

    number: int
    content: HeldContent
    added_at: datetime
    added_by: str
    ended_at: datetime | None
    ended_by: str | None


class RecordList(Struct, frozen=True):
    """By the time they were added; those that have ended too."""

    records: list[PartyRecord]


class IdentifiedParty(Struct, frozen=True, forbid_unknown_fields=True):
    """Who shows which document where. `party.id` is used if nobody has the document yet."""

    party: NewParty
    document: Document
    channel: Channel


class PartySearch(Struct, frozen=True, forbid_unknown_fields=True):
    """By exactly one of these. In the body, so that it is in no log of addresses."""

    document: Document | None = None
    contact: ContactPoint | None = None
    identity: ChannelIdentity | None = None
    reference: _Text | None = None


class FoundParties(Struct, frozen=True):
    parties: list[Party]


class OneRecord(Struct, frozen=True, forbid_unknown_fields=True):
    party: UUID
    number: Annotated[int, Meta(ge=1, le=EXACT_JSON_INTEGER_MAX)]


class NewCorrection(Struct, frozen=True, forbid_unknown_fields=True):
    """`id` makes it idempotent. What is not given stays as it is."""

    id: UUID
    reason: _Text
    name: Annotated[str, Meta(min_length=1, max_length=customers.NAME_CHARACTERS_MAX)] | None = None
    born_on: date | None = None


class Likeness(Struct, frozen=True):
    """A party who may be the same, and why: the likeliest reason first."""

    party: Party
    reasons: list[customers.LikenessReason]


class LikenessList(Struct, frozen=True):
    """The likeliest first."""

    duplicates: list[Likeness]


class NewMerge(Struct, frozen=True, forbid_unknown_fields=True):
    into: UUID
    reason: _Text


class Merge(Struct, frozen=True):
    party: UUID
    into: UUID
    reason: str
    merged_at: datetime
    merged_by: str
    unmerged_at: datetime | None
    unmerged_by: str | None


class MergeList(Struct, frozen=True):
    """By time; those that were undone too."""

    merges: list[Merge]


async def identify(call: Call) -> Answer | Refusal:
    asked: IdentifiedParty = call.body
    party = convert(asked.party, customers.Party, from_attributes=True)
    document = convert(asked.document, customers.Document, from_attributes=True)
    answer = await call.database.run(
        lambda tx: actions.register_or_find(tx, party, document, asked.channel, by=call.actor, today=call.today)
    )
    return answer if isinstance(answer, Refusal) else Answer(shown_party(answer, call))


async def search(call: Call) -> Answer | Refusal:
    asked: PartySearch = call.body
    if refusal := _one_of(asked, FOUND_BY):
        return refusal
    async with call.database.reading() as tx:
        found = await _found(tx, asked)
    return Answer(FoundParties([shown_party(party, call) for party in found]))


async def _found(tx: Transaction, asked: PartySearch) -> list[customers.Party]:
    if asked.contact is not None:
        return await customers.parties_by_contact(tx, asked.contact.kind, asked.contact.value)
    one = None
    if asked.document is not None:
        document = asked.document
        one = await customers.party_by_document(tx, document.kind, document.number, document.country)
    elif asked.identity is not None:
        one = await customers.party_by_identity(tx, asked.identity.channel, asked.identity.identifier)
    elif asked.reference is not None:
        one = await customers.party_by_reference(tx, asked.reference)
    return [] if one is None else [one]


async def list_records(call: Call) -> Answer | Refusal:
    id: UUID = call.parameters.party
    async with call.database.reading() as tx:
        if await customers.party(tx, id) is None:
            return Refusal(CustomersRefusal.PARTY_NOT_FOUND, {"id": id})
        found = await customers.records_of_party(tx, id)
    return Answer(RecordList([_record(record, call) for record in found]))


async def add_record(call: Call) -> Answer | Refusal:
    if refusal := _one_of(call.body, CONTENTS):
        return refusal
    given = next(each for name in CONTENTS if (each := getattr(call.body, name)) is not None)
    content: customers.Content = convert(given, getattr(customers, type(given).__name__), from_attributes=True)
    return await _recorded(
        call,
        lambda tx: actions.add_record(tx, call.parameters.party, content, by=call.actor, today=call.today),
    )


async def end_record(call: Call) -> Answer | Refusal:
    asked: OneRecord = call.parameters
    return await _recorded(call, lambda tx: actions.end_record(tx, asked.party, asked.number, by=call.actor))


async def correct(call: Call) -> Answer | Refusal:
    asked: NewCorrection = call.body
    told = customers.Correction(asked.id, call.parameters.party, asked.reason, asked.name, asked.born_on)
    answer = await call.database.run(lambda tx: actions.correct_party(tx, told, by=call.actor, today=call.today))
    return answer if isinstance(answer, Refusal) else Answer(shown_party(answer, call))


async def list_duplicates(call: Call) -> Answer | Refusal:
    id: UUID = call.parameters.party
    async with call.database.reading() as tx:
        if await customers.party(tx, id) is None:
            return Refusal(CustomersRefusal.PARTY_NOT_FOUND, {"id": id})
        found = await customers.possible_duplicates(tx, id)
    return Answer(LikenessList([Likeness(shown_party(each.party, call), each.ranked) for each in found]))


async def merge(call: Call) -> Answer | Refusal:
    asked: NewMerge = call.body
    return await _merged(
        call,
        lambda tx: actions.merge_parties(tx, call.parameters.party, asked.into, reason=asked.reason, by=call.actor),
    )


async def unmerge(call: Call) -> Answer | Refusal:
    return await _merged(call, lambda tx: actions.unmerge_party(tx, call.parameters.party, by=call.actor))


async def list_merges(call: Call) -> Answer | Refusal:
    async with call.database.reading() as tx:
        found = await customers.merges_of_party(tx, call.parameters.party)
    return Answer(MergeList([convert(each, Merge, from_attributes=True) for each in found]))


async def erase(call: Call) -> Answer | Refusal:
    answer = await call.database.run(lambda tx: actions.erase_party(tx, call.parameters.party, today=call.today))
    return answer if isinstance(answer, Refusal) else Answer(shown_party(answer, call))


async def _recorded(
    call: Call, work: Callable[[Transaction], Awaitable[customers.Record | Refusal]]
) -> Answer | Refusal:
    answer = await call.database.run(work)
    return answer if isinstance(answer, Refusal) else Answer(_record(answer, call))


async def _merged(call: Call, work: Callable[[Transaction], Awaitable[customers.Merge | Refusal]]) -> Answer | Refusal:
    answer = await call.database.run(work)
    return answer if isinstance(answer, Refusal) else Answer(convert(answer, Merge, from_attributes=True))


def _record(record: customers.Record, call: Call) -> PartyRecord:
    """As who asks may see it."""
    shown = record if may_see(call) else customers.masked_record(record)
    return PartyRecord(
        shown.number, _content(shown.content), shown.added_at, shown.added_by, shown.ended_at, shown.ended_by
    )


def _content(content: customers.Content) -> HeldContent:
    match content:
        case customers.Document():
            return HeldContent(document=convert(content, Document, from_attributes=True))
        case customers.ContactPoint():
            return HeldContent(contact=convert(content, ContactPoint, from_attributes=True))
        case customers.ChannelIdentity():
            return HeldContent(identity=convert(content, ChannelIdentity, from_attributes=True))
        case customers.Consent():
            return HeldContent(consent=convert(content, Consent, from_attributes=True))
        case customers.Identification():
            return HeldContent(identification=convert(content, Identification, from_attributes=True))
        case customers.Risk():
            return HeldContent(risk=convert(content, Risk, from_attributes=True))
        case customers.Former():
            return HeldContent(former=convert(content, Former, from_attributes=True))


def _one_of(given: Struct, names: tuple[str, ...]) -> Refusal | None:
    if sum(getattr(given, name) is not None for name in names) == 1:
        return None
    return Refusal(ApiRefusal.BODY_MALFORMED, {"reason": f"give exactly one of {', '.join(names)}"})


_DOCUMENT_EXAMPLE = {
    "kind": "identity_card", "number": "110101199005011234", "country": "CN", "expires_on": "2036-05-01",
    "verified": True,
}  # fmt: skip
_RECORD_EXAMPLE = {
    "number": 1, "content": {"document": _DOCUMENT_EXAMPLE}, "added_at": _ENTERED, "added_by": "branch 7",
    "ended_at": None, "ended_by": None,
}  # fmt: skip
_MERGE_EXAMPLE = {
    "party": "019b8f2e-7c00-7000-8000-0000000000bc", "into": ID, "reason": "the same person, registered twice",
    "merged_at": _ENTERED, "merged_by": "branch 7", "unmerged_at": None, "unmerged_by": None,
}  # fmt: skip
_ERASED_EXAMPLE = SHOWN_EXAMPLE | {"name": "", "born_on": None, "reference": None, "erased": True}
OPERATIONS = (
    Operation(
        "POST", "/v1/parties/identified", "identify_party", "Parties", Scope.PARTIES_WRITE,
        "Find the party who has a document, or register it", identify, {200: Party}, body=IdentifiedParty,
        refusals=(
            CustomersRefusal.TEXT_MALFORMED, CustomersRefusal.DETAILS_TOO_LARGE, CustomersRefusal.PARTY_ID_REUSED,
            CustomersRefusal.REFERENCE_TAKEN, CustomersRefusal.BORN_IN_FUTURE, CustomersRefusal.OPENED_IN_FUTURE,
            CustomersRefusal.DOCUMENT_EXPIRED, CustomersRefusal.PARTY_MERGED, CustomersRefusal.DOCUMENT_NAME_DIFFERS,
        ),
        description="One document is one party, whatever the channel; its level of identification rises with how the "
        "document was shown.",
        body_example={"party": EXAMPLE, "document": _DOCUMENT_EXAMPLE, "channel": "branch"},
        answer_example=SHOWN_EXAMPLE,
    ),
    Operation(
        "POST", "/v1/parties/search", "search_parties", "Parties", Scope.PARTIES_READ,
        "Find parties by a document, a telephone, an e-mail address, a channel identity or a reference", search,
        {200: FoundParties}, body=PartySearch, description="At most 1,000; by name they are listed.",
        body_example={"document": _DOCUMENT_EXAMPLE}, answer_example={"parties": [SHOWN_EXAMPLE]},
    ),
    Operation(
        "GET", "/v1/parties/{party}/records", "list_records", "Parties", Scope.PARTIES_READ,
        "List what is held of a party: documents, contact points, consents and the like", list_records,
        {200: RecordList}, parameters=OneParty, refusals=(CustomersRefusal.PARTY_NOT_FOUND,),
        answer_example={"records": [_RECORD_EXAMPLE]}, path_example={"party": ID},
    ),
    Operation(
        "POST", "/v1/parties/{party}/records", "add_record", "Parties", Scope.PARTIES_WRITE,
        "Record something of a party", add_record, {200: PartyRecord}, parameters=OneParty, body=RecordContent,
        refusals=(
            CustomersRefusal.TEXT_MALFORMED, CustomersRefusal.PERIOD_REVERSED, CustomersRefusal.DOCUMENT_TAKEN,
            CustomersRefusal.IDENTITY_TAKEN, CustomersRefusal.GRANTED_IN_FUTURE, CustomersRefusal.DOCUMENT_EXPIRED,
            CustomersRefusal.PARTY_NOT_FOUND, CustomersRefusal.PARTY_ERASED, CustomersRefusal.PARTY_MERGED,
        ),
        description="What stood in its place ends and is kept. Recording what is held already changes nothing.",
        body_example={"document": _DOCUMENT_EXAMPLE}, answer_example=_RECORD_EXAMPLE, path_example={"party": ID},
    ),
    Operation(
        "POST", "/v1/parties/{party}/records/{number}/end", "end_record", "Parties", Scope.PARTIES_WRITE,
        "Withdraw a consent, take back a document or a contact point", end_record, {200: PartyRecord},
        parameters=OneRecord,
        refusals=(
            CustomersRefusal.PARTY_NOT_FOUND, CustomersRefusal.PARTY_ERASED, CustomersRefusal.RECORD_NOT_FOUND,
        ),
        description="Ending it again changes nothing.",
        answer_example=_RECORD_EXAMPLE | {"ended_at": _ENTERED, "ended_by": "branch 7"},
        path_example={"party": ID, "number": 1},
    ),
    Operation(
        "POST", "/v1/parties/{party}/corrections", "correct_party", "Parties", Scope.PARTIES_WRITE,
        "Correct a party's name or day of birth", correct, {200: Party}, parameters=OneParty, body=NewCorrection,
        refusals=(
            CustomersRefusal.TEXT_MALFORMED, CustomersRefusal.CORRECTION_ID_REUSED, CustomersRefusal.BORN_IN_FUTURE,
            CustomersRefusal.PARTY_NOT_FOUND, CustomersRefusal.PARTY_ERASED, CustomersRefusal.PARTY_MERGED,
            CustomersRefusal.CORRECTION_EMPTY,
        ),
        description="A mistake, a marriage. What was said before is kept among the party's records.",
        body_example={"id": _ENTERED_ID, "name": "Li Na", "reason": "misspelt when it was registered"},
        answer_example=SHOWN_EXAMPLE, path_example={"party": ID},
    ),
    Operation(
        "GET", "/v1/parties/{party}/duplicates", "list_duplicates", "Parties", Scope.PARTIES_READ,
        "List the parties who may be the same", list_duplicates, {200: LikenessList}, parameters=OneParty,
        refusals=(CustomersRefusal.PARTY_NOT_FOUND,),
        description="By name (and day of birth, where both are known), telephone and e-mail address, of the party and "
        "of those merged into it. Of namesakes the first 10,000 are looked at.",
        answer_example={"duplicates": [{"party": SHOWN_EXAMPLE, "reasons": ["name_and_birth", "phone"]}]},
        path_example={"party": _MERGE_EXAMPLE["party"]},
    ),
    Operation(
        "POST", "/v1/parties/{party}/merge", "merge_party", "Parties", Scope.PARTIES_WRITE,
        "Merge a duplicate into the party it turned out to be", merge, {200: Merge}, parameters=OneParty, body=NewMerge,
        refusals=(
            CustomersRefusal.TEXT_MALFORMED, CustomersRefusal.PARTY_NOT_FOUND, CustomersRefusal.PARTY_ERASED,
            CustomersRefusal.PARTY_MERGED, CustomersRefusal.MERGE_UNSUITABLE,
        ),
        description="Whoever asks for it is then answered with the other, and with what both have.",
        body_example={"into": ID, "reason": "the same person, registered twice"}, answer_example=_MERGE_EXAMPLE,
        path_example={"party": _MERGE_EXAMPLE["party"]},
    ),
    Operation(
        "POST", "/v1/parties/{party}/unmerge", "unmerge_party", "Parties", Scope.PARTIES_WRITE, "Undo a merge", unmerge,
        {200: Merge}, parameters=OneParty, refusals=(CustomersRefusal.MERGE_NOT_FOUND,),
        description="Both are as they were.", answer_example=_MERGE_EXAMPLE | {"unmerged_at": _ENTERED},
        path_example={"party": _MERGE_EXAMPLE["party"]},
    ),
    Operation(
        "GET", "/v1/parties/{party}/merges", "list_merges", "Parties", Scope.PARTIES_READ,
        "List the merges of a party, undone ones too", list_merges, {200: MergeList}, parameters=OneParty,
        answer_example={"merges": [_MERGE_EXAMPLE]}, path_example={"party": ID},
    ),
    Operation(
        "POST", "/v1/parties/{party}/erase", "erase_party", "Parties", Scope.PARTIES_ERASE,
        "Shred what is known of a party, where law allows", erase, {200: Party}, parameters=OneParty,
        refusals=(
            CustomersRefusal.PARTY_NOT_FOUND, CustomersRefusal.ROLE_STANDS, CustomersRefusal.RETENTION_RUNS,
        ),
        description="It cannot be undone. Erasing again changes nothing.",
        answer_example=_ERASED_EXAMPLE, path_example={"party": ID},
    ),
)  # fmt: skip
