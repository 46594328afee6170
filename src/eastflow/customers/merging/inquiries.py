"""Who may be the same as a party: a read across this room, for the person who then merges."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from eastflow.storage import Transaction

from .. import store as parties
from ..model import Party
from ..records.decide import is_traced, key_of
from ..records.inquiries import parties_by_contact, records_of_party
from ..records.model import ContactPoint
from .model import Likeness, LikenessReason

NAMESAKES_PAGE, NAMESAKES_MAX = 1_000, 10_000


async def possible_duplicates(tx: Transaction, party: UUID) -> list[Likeness]:
    """Those who stand by themselves and share a name, with the day of birth if both are known, or a telephone or an
    e-mail address that is held now; the likeliest first. It reads all namesakes, the first 10,000 by id at most."""
    known = await parties.party(tx, party)
    if known is None or known.erased:
        return []
    found: dict[UUID, tuple[Party, set[LikenessReason]]] = {}
    async for other, reason in _alike(tx, known):
        if other.id != known.id and other.kind is known.kind:
            found.setdefault(other.id, (other, set()))[1].add(reason)
    likenesses = [Likeness(other, frozenset(reasons)) for other, reasons in found.values()]
    order = list(LikenessReason)
    return sorted(likenesses, key=lambda each: (-len(each.reasons), order.index(each.ranked[0]), each.party.id))


async def _alike(tx: Transaction, known: Party) -> AsyncIterator[tuple[Party, LikenessReason]]:
    async for other in _namesakes(tx, known.name):
        if None in (other.born_on, known.born_on):
            yield other, LikenessReason.NAME
        elif other.born_on == known.born_on:
            yield other, LikenessReason.NAME_AND_BIRTH
    for record in await records_of_party(tx, known.id):
        contact = record.content
        if record.ended_at is None and isinstance(contact, ContactPoint) and is_traced(contact):
            for other in await parties_by_contact(tx, contact.kind, contact.value):
                yield other, LikenessReason(key_of(contact)[0])


async def _namesakes(tx: Transaction, name: str) -> AsyncIterator[Party]:
    after, left = None, NAMESAKES_MAX
    while left > 0:
        page = await parties.parties_page(tx, after=after, limit=NAMESAKES_PAGE, name=name)
        for other in page:
            yield other
        if len(page) < NAMESAKES_PAGE:
            return
        after, left = page[-1].id, left - len(page)
