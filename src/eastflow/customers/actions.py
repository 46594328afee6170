"""The verbs of customers. Each loads what it needs, decides, and writes, in the caller's one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from uuid import UUID

from eastflow.kernel import Refusal
from eastflow.storage import Retry, Transaction, UniqueViolation

from . import store
from .decide import Register, Roles, check_party, check_role, decide_end, grant, register, role_key
from .model import Party, Role, RoleKind

Clock = Callable[[], datetime]
Calendar = Callable[[], date]

__all__ = ["end_role", "grant_role", "grant_roles", "register_parties", "register_party"]


def now() -> datetime:
    return datetime.now(UTC)


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
        known.parties = await store.parties(tx, [party.id for party in sound])
    answers = register(known, parties, today() if today else at.date())
    if known.fresh:
        try:
            await store.insert_parties(tx, known.fresh, at)
        except UniqueViolation as rival:
            raise Retry("a party was registered in the same moment") from rival
    return answers


async def grant_role(tx: Transaction, role: Role, *, clock: Clock = now) -> Role | Refusal:
    """Give a party a role on an account. Granting the same again answers with the role as it is now."""
    [answer] = await grant_roles(tx, [role], clock=clock)
    return answer


async def grant_roles(tx: Transaction, roles: Sequence[Role], *, clock: Clock = now) -> list[Role | Refusal]:
    """Thousands at once, each by itself: one that is refused does not keep the others from being granted."""
    sound = [role for role in roles if check_role(role.account, role.since, role.until) is None]
    known = Roles(frozenset(), {})
    if sound:
        known.parties = frozenset(await store.parties(tx, sorted({role.party for role in sound})))
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
