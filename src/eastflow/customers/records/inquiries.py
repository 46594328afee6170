"""What is known of a party, and who is meant by a document, a telephone or a name: reads across this room."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from eastflow.storage import Transaction

from .. import store as parties
from ..merging import store as merges
from ..model import Channel, Party, RoleKind
from ..personal_data import store as vault
from . import store
from .decide import (
    NameMatch,
    check_content,
    consent_stands,
    is_claimed,
    is_traced,
    key_of,
    match_names,
    standing_of,
    worst_risk,
)
from .model import (
    ChannelIdentity,
    ContactKind,
    ContactPoint,
    Content,
    Document,
    DocumentKind,
    Identification,
    IdentificationLevel,
    Record,
    RiskClass,
)

FOUND_MAX = 1_000


async def records_of_party(tx: Transaction, party: UUID) -> list[Record]:
    """All that are held and were held, those of parties merged into it too, by the time they were added."""
    members = await merges.family(tx, party)
    held = await store.records(tx, members)
    return sorted((each for member in members for each in held.get(member, [])), key=lambda each: each.added_at)


async def party_by_document(tx: Transaction, kind: DocumentKind, number: str, country: str) -> Party | None:
    return await party_by_content(tx, Document(kind, number, country))


async def party_by_identity(tx: Transaction, channel: Channel, identifier: str) -> Party | None:
    return await party_by_content(tx, ChannelIdentity(channel, identifier))


async def party_by_content(tx: Transaction, content: Content) -> Party | None:
    """Who has what one party alone may have."""
    if check_content(content) is not None or not is_claimed(content):
        return None
    holder = (await store.claimants(tx, [content])).get(key_of(content))
    return None if holder is None else await parties.party(tx, holder)


async def parties_by_contact(tx: Transaction, kind: ContactKind, value: str) -> list[Party]:
    """Those who have the telephone or the e-mail address; addresses are not searched."""
    contact = ContactPoint(kind, value)
    if check_content(contact) is not None or not is_traced(contact):
        return []
    ids = await vault.traced(tx, store.digest(tx.keys, key_of(contact)), None, FOUND_MAX)
    found = await parties.parties(tx, ids)
    return list({party.id: party for party in found.values()}.values())


async def name_match(tx: Transaction, account: int, name: str, *, on: date | None = None) -> NameMatch:
    """Whether the account's owner has the name, for a payer who is about to pay them. The owner is who is that on a
    day; without one, who has not ceased to be it."""
    roles = await parties.roles_of_account(tx, account)
    owners = sorted(
        {
            role.party
            for role in roles
            if role.kind is RoleKind.OWNER and (role.until is None if on is None else role.stands_on(on))
        }
    )
    return match_names(name, [owner.name for owner in (await parties.parties(tx, owners)).values()])


async def has_consent(tx: Transaction, party: UUID, purpose: str, *, on: date) -> bool:
    return consent_stands(await records_of_party(tx, party), purpose, on)


async def identification_level(tx: Transaction, party: UUID) -> IdentificationLevel:
    nothing = Identification(IdentificationLevel.NONE)
    standing = standing_of(await records_of_party(tx, party), key_of(nothing))
    return standing.content.level if standing and isinstance(standing.content, Identification) else nothing.level


async def risk_class(tx: Transaction, party: UUID) -> RiskClass | None:
    """None where it has not been judged. Of merged parties each may have been: then the worst."""
    return worst_risk(await records_of_party(tx, party))
