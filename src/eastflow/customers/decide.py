"""Who is registered, and what may they be to an account? Lists are judged in order. Pure: no clock, no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID

from eastflow.kernel import DETAILS_MAX, EXACT_JSON_INTEGER_MAX, Refusal, details_problem, is_text

from .model import NAME_CHARACTERS_MAX, REFERENCE_CHARACTERS_MAX, Party, Role, RoleKind
from .refusals import CustomersRefusal

RoleKey = tuple[int, UUID, RoleKind]


@dataclass(slots=True)
class Register:
    """The part of the register that a list touches, and what the list adds to it (`fresh`). `first` are parties as they
    were registered, if that was corrected since."""

    parties: dict[UUID, Party]
    holders: dict[str, UUID]
    first: dict[UUID, Party] = field(default_factory=dict)
    fresh: list[Party] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RoleRecord:
    """A role as it is now, its number among those of one kind that a party has had on an account, and what was asked
    when it was granted."""

    role: Role
    number: int
    until_granted: date | None

    @property
    def as_granted(self) -> Role:
        return replace(self.role, until=self.until_granted)


@dataclass(slots=True)
class Roles:
    """The roles that a list touches, the parties among its own that exist, and what the list adds (`fresh`)."""

    parties: frozenset[UUID]
    records: dict[RoleKey, list[RoleRecord]]
    fresh: list[RoleRecord] = field(default_factory=list)


def role_key(role: Role) -> RoleKey:
    return role.account, role.party, role.kind


def register(known: Register, parties: Sequence[Party], today: date) -> list[Party | Refusal]:
    """The answer to each, written into `known` as it is found: one refused does not keep the others out."""
    answers: list[Party | Refusal] = []
    for party in parties:
        holder = known.holders.get(party.reference) if party.reference is not None else None
        existing = known.parties.get(party.id)
        answer = decide_registration(party, existing, holder, today, first=known.first.get(party.id))
        if existing is None and isinstance(answer, Party):
            known.fresh.append(party)
            known.parties[party.id] = party
            if party.reference is not None:
                known.holders[party.reference] = party.id
        answers.append(answer)
    return answers


def grant(known: Roles, roles: Sequence[Role]) -> list[Role | Refusal]:
    """The answer to each, written into `known` as it is found: one refused does not keep the others out."""
    answers: list[Role | Refusal] = []
    for role in roles:
        records = known.records.setdefault(role_key(role), [])
        answer = decide_grant(role, records, party_exists=role.party in known.parties)
        if isinstance(answer, Role) and all(record.role.since != role.since for record in records):
            record = RoleRecord(role, len(records) + 1, role.until)
            records.append(record)
            known.fresh.append(record)
        answers.append(answer)
    return answers


def decide_registration(
    party: Party, existing: Party | None, holder: UUID | None, today: date, *, first: Party | None = None
) -> Party | Refusal:
    """`existing` has the id of `party`, and is what `first` has been corrected to; `holder` has its reference."""
    if refusal := check_party(party):
        return refusal
    if existing is not None:
        same = party in (existing, first)
        return existing if same else Refusal(CustomersRefusal.PARTY_ID_REUSED, {"id": str(party.id)})
    if holder is not None:
        return Refusal(CustomersRefusal.REFERENCE_TAKEN, {"reference": party.reference})
    if party.born_on is not None and party.born_on > today:
        return Refusal(CustomersRefusal.BORN_IN_FUTURE, {"born_on": party.born_on, "today": today})
    if party.opened_on > today:
        return Refusal(CustomersRefusal.OPENED_IN_FUTURE, {"opened_on": party.opened_on, "today": today})
    return party


def decide_grant(role: Role, records: Sequence[RoleRecord], *, party_exists: bool) -> Role | Refusal:
    """The role as it is now if it was granted before, or as it is to be granted."""
    if refusal := check_role(role.account, role.since, role.until):
        return refusal
    if not party_exists:
        return Refusal(CustomersRefusal.PARTY_NOT_FOUND, {"id": str(role.party)})
    # All are asked first, since a role that has been ended may by now have a successor in the time it once had.
    for record in records:
        if record.as_granted == role:
            return record.role
    for record in records:
        if record.role.since == role.since or _overlap(record.role, role):
            facts = {"account": role.account, "since": record.role.since, "until": record.role.until}
            return Refusal(CustomersRefusal.ROLE_EXISTS, facts)
    return role


def decide_end(records: Sequence[RoleRecord], account: int, since: date, until: date) -> RoleRecord | Refusal:
    """The record as it is to be. A role may be made shorter, not longer: a longer one is granted anew."""
    if refusal := check_role(account, since, until):
        return refusal
    record = next((record for record in records if record.role.since == since), None)
    if record is None:
        return Refusal(CustomersRefusal.ROLE_NOT_FOUND, {"account": account, "since": since})
    if record.role.until is not None and record.role.until < until:
        return Refusal(CustomersRefusal.ROLE_ENDED, {"until": record.role.until})
    return replace(record, role=replace(record.role, until=until))


def check_party(party: Party) -> Refusal | None:
    """The first refusal that applies to the party by itself, or None."""
    if not (party.name.strip() and is_text(party.name, NAME_CHARACTERS_MAX)):
        return Refusal(CustomersRefusal.TEXT_MALFORMED, {"field": "name"})
    if party.reference is not None and not is_reference(party.reference):
        return Refusal(CustomersRefusal.TEXT_MALFORMED, {"field": "reference"})
    problem = details_problem(party.details)
    if problem == "malformed":
        return Refusal(CustomersRefusal.TEXT_MALFORMED, {"field": "details"})
    if problem == "too_large":
        return Refusal(CustomersRefusal.DETAILS_TOO_LARGE, {"keys": len(party.details), "keys_max": DETAILS_MAX})
    return None


def check_role(account: int, since: date, until: date | None) -> Refusal | None:
    """The first refusal that applies to the role by itself, or None."""
    if not is_account(account):
        return Refusal(CustomersRefusal.ACCOUNT_MALFORMED, {"account": account})
    if until is not None and until < since:
        return Refusal(CustomersRefusal.PERIOD_REVERSED, {"since": since, "until": until})
    return None


def is_reference(reference: str) -> bool:
    return bool(reference.strip()) and is_text(reference, REFERENCE_CHARACTERS_MAX)


def is_account(account: int) -> bool:
    """A number that an account may have: whole, and kept exact by every reader of JSON. It need not have one."""
    return 0 < account <= EXACT_JSON_INTEGER_MAX


def _overlap(one: Role, other: Role) -> bool:
    """Whether both stand on some day. A role ended on the day it began stands on none."""
    until = min(one.until or date.max, other.until or date.max)
    return max(one.since, other.since) < until
