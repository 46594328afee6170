"""The verbs of customers. Each loads what it needs, decides, and writes, in the caller's one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from uuid import UUID

from eastflow.kernel import Refusal
from eastflow.storage import Clock, Retry, Transaction, UniqueViolation, now

from . import store
from .classes.actions import (
    assign_class,
    bind_account,
    confirm_face_to_face,
    end_class,
    give_back_allowance,
    use_allowance,
)
from .corrections.actions import correct_party, said_at_first
from .decide import Register, Roles, check_party, check_role, decide_end, grant, register, role_key
from .merging.actions import merge_parties, unmerge_party
from .model import Channel, Party, Role, RoleKind
from .personal_data import store as vault
from .personal_data.actions import check_keys, erase_party, reseal_parties, rewrap_data_keys, seal_plain_parties
from .records.actions import add_record, add_records, end_record
from .records.decide import check_content, decide_found, decide_record, level_reached, shown_again
from .records.inquiries import party_by_content, records_of_party
from .records.model import Document, Identification
from .refusals import CustomersRefusal
from .verification.actions import (
    answer_verification,
    ask_verification,
    end_verification,
    verification_sent,
    verify_elements,
)

Calendar = Callable[[], date]

__all__ = [
    "add_record",
    "add_records",
    "answer_verification",
    "ask_verification",
    "assign_class",
    "bind_account",
    "check_keys",
    "confirm_face_to_face",
    "correct_party",
    "end_class",
    "end_record",
    "end_role",
    "end_verification",
    "erase_party",
    "give_back_allowance",
    "grant_role",
    "grant_roles",
    "merge_parties",
    "register_or_find",
    "register_parties",
    "register_party",
    "reseal_parties",
    "rewrap_data_keys",
    "seal_plain_parties",
    "unmerge_party",
    "use_allowance",
    "verification_sent",
    "verify_elements",
]


async def register_party(
    tx: Transaction, party: Party, *, clock: Clock = now, today: Calendar | None = None
) -> Party | Refusal:
    """Make a party known. Registering the same again answers with it."""
    [answer] = await register_parties(tx, [party], clock=clock, today=today)
    return answer


async def register_parties(
    tx: Transaction, parties: Sequence[Party], *, clock: Clock = now, today: Calendar | None = None
) -> list[Party | Refusal]:
    """Thousands at once, each by itself: one that is refused does not keep the others from being registered."""
    at = clock()
    # What is not sound is refused before anything is looked up, and could not be looked up.
    sound = [party for party in parties if check_party(party) is None]
    known = Register({}, {})
    if sound:
        # References first: each statement sees what was committed before it, so whoever holds a reference is then
        # found as a party too, and a replay is never taken for a rival.
        known.holders = await store.holders(tx, [p.reference for p in sound if p.reference is not None])
        known.parties = await store.registered(tx, [party.id for party in sound])
        # Whoever is called otherwise than is asked may have been corrected since.
        others = [known.parties[p.id] for p in sound if known.parties.get(p.id, p) != p]
        known.first = await said_at_first(tx, others) if others else {}
    answers = register(known, parties, today() if today else at.date())
    if known.fresh:
        try:
            await store.insert_parties(tx, known.fresh, at)
        except UniqueViolation as rival:
            raise Retry("a party was registered in the same moment") from rival
    return answers


async def register_or_find(
    tx: Transaction, party: Party, document: Document, channel: Channel, *, by: str, today: date, clock: Clock = now
) -> Party | Refusal:
    """The party who has the document, or `party` registered with it: whatever the way in, one document is one party.

    The level of identification is raised by how the document was shown. Of rivals with one document, one is
    registered and the others find it.
    """
    if refusal := check_party(party) or check_content(document):
        return refusal
    holder = await party_by_content(tx, document)
    if holder is None:
        if isinstance(unfit := decide_record(document, party.id, [], None, today), Refusal):
            return unfit
        answer = await register_party(tx, party, clock=clock, today=lambda: today)
    else:
        answer = decide_found(holder, party)
    if isinstance(answer, Refusal):
        return answer
    held = await records_of_party(tx, answer.id)
    shown = shown_again(held, document)
    level = Identification(level_reached(held, channel, shown, today))
    added, _ = await add_records(tx, answer.id, [shown, level], by=by, today=today, clock=clock)
    if isinstance(added, Refusal) and holder is None:
        if added.code is CustomersRefusal.DOCUMENT_TAKEN:
            raise Retry("another was registered with the document in the same moment")
        return added
    # Otherwise what is held stays as it is: it was shown to a party merged since, or is out of date.
    return answer


async def grant_role(tx: Transaction, role: Role, *, clock: Clock = now) -> Role | Refusal:
    """Give a party a role on an account. Granting the same again answers with the role as it is now."""
    [answer] = await grant_roles(tx, [role], clock=clock)
    return answer


async def grant_roles(tx: Transaction, roles: Sequence[Role], *, clock: Clock = now) -> list[Role | Refusal]:
    """Thousands at once, each by itself: one that is refused does not keep the others from being granted."""
    sound = [role for role in roles if check_role(role.account, role.since, role.until) is None]
    known = Roles(frozenset(), {})
    if sound:
        # A data key that is held is not erased meanwhile, and a party that was erased has none.
        known.parties = await vault.held_parties(tx, sorted({role.party for role in sound}))
        known.records = await store.role_records(tx, [role_key(role) for role in sound])
    answers = grant(known, roles)
    if known.fresh:
        try:
            await store.insert_roles(tx, known.fresh, clock())
        except UniqueViolation as rival:
            raise Retry("a role was granted in the same moment") from rival
    return answers


async def end_role(
    tx: Transaction, party: UUID, account: int, kind: RoleKind, *, since: date, until: date, clock: Clock = now
) -> Role | Refusal:
    """Take the role that began on `since` away from the day `until` on. Ending it again on that day changes nothing."""
    if refusal := check_role(account, since, until):
        return refusal
    key = (account, party, kind)
    records = (await store.role_records(tx, [key])).get(key, [])
    decided = decide_end(records, account, since, until)
    if isinstance(decided, Refusal):
        return decided
    before = next(record for record in records if record.number == decided.number)
    if decided != before and not await store.end_role(tx, before, decided, clock()):
        raise Retry("the role was ended in the same moment")
    return decided.role
