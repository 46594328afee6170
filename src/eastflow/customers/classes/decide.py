"""May this account have this class, and may this money move? Pure: no clock, no database."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from eastflow.kernel import INT64_MAX, Refusal
from eastflow.rules import LIMITED_ASSET, AccountClass, Limits, account_count_on, limits_on

from ..decide import is_account
from ..model import Channel, Party, PartyKind
from ..refusals import CustomersRefusal
from .model import ClassedAccount, Direction, Movement, Usage


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a class is decided by: the person, whether they own the account, its class now, how many accounts of this
    class the person has (those of merged parties too), the seats they take, the classes of the accounts to be bound."""

    party: Party | None
    owns: bool
    current: ClassedAccount | None
    accounts: int
    seats: Collection[int]
    bound: Mapping[int, ClassedAccount]


def check_classed(new: ClassedAccount) -> Refusal | None:
    """The first refusal that applies to the request by itself, or None."""
    for account in (new.account, *sorted(new.bound)):
        if not is_account(account):
            return Refusal(CustomersRefusal.ACCOUNT_MALFORMED, {"account": account})
    return None


def decide_class(new: ClassedAccount, around: Surroundings, today: date) -> int | ClassedAccount | Refusal:
    """The seat it takes among the person's accounts of this class, or the account as it is classed already."""
    current = around.current
    if current is not None:
        same = (current.party, current.account_class, current.since, current.opened_by)
        if same == (new.party, new.account_class, new.since, new.opened_by):
            return current
        return Refusal(CustomersRefusal.CLASS_ASSIGNED, {"class": current.account_class.value})
    if new.since > today:
        return Refusal(CustomersRefusal.OPENED_IN_FUTURE, {"opened_on": new.since, "today": today})
    if around.party is None:
        return Refusal(CustomersRefusal.PARTY_NOT_FOUND, {"id": str(new.party)})
    if around.party.kind is not PartyKind.PERSON:
        return Refusal(CustomersRefusal.CLASS_NEEDS_PERSON, {"id": str(new.party)})
    if not around.owns:
        return Refusal(CustomersRefusal.NOT_OWNER, {"account": new.account})
    if new.account_class is AccountClass.I and not new.face_to_face:
        return Refusal(CustomersRefusal.FACE_TO_FACE_MISSING, {"class": new.account_class.value})
    count = account_count_on(new.account_class, today)
    if count is not None and around.accounts >= count.accounts_max:
        facts = {"class": new.account_class.value, "accounts_max": count.accounts_max}
        return Refusal(CustomersRefusal.CLASS_FULL, facts)
    for account in sorted(new.bound):
        if refusal := check_bound(new, around.bound.get(account), account):
            return refusal
    return min(set(range(1, len(around.seats) + 2)) - set(around.seats))


def check_bound(account: ClassedAccount, other: ClassedAccount | None, number: int) -> Refusal | None:
    """Only an account of class I of the same person may be bound, and not to itself."""
    sound = other is not None and other.account_class is AccountClass.I and other.party == account.party
    if sound and number != account.account:
        return None
    return Refusal(CustomersRefusal.BOUND_ACCOUNT_UNSUITABLE, {"account": number})


def needs_binding(classed: ClassedAccount) -> bool:
    """Of class II, opened remotely, whose owner staff have not seen since, with no account of class I here bound to it:
    nothing moves until one at another bank is."""
    seen = classed.opened_by is Channel.BRANCH or classed.face_to_face
    return classed.account_class is AccountClass.II and not seen and not classed.bound


def check_binding(classed: ClassedAccount, *, bound_elsewhere: bool) -> Refusal | None:
    if not needs_binding(classed) or bound_elsewhere:
        return None
    return Refusal(CustomersRefusal.BOUND_ACCOUNT_MISSING, {"account": classed.account})


def check_standing(classed: ClassedAccount | None, account: int) -> Refusal | None:
    return Refusal(CustomersRefusal.CLASS_NOT_FOUND, {"account": account}) if classed is None else None


def check_movement(account: int, movement: Movement) -> Refusal | None:
    """The first refusal that applies to the request by itself, or None."""
    if not is_account(account):
        return Refusal(CustomersRefusal.ACCOUNT_MALFORMED, {"account": account})
    if not 0 < movement.amount_minor <= INT64_MAX:
        return Refusal(CustomersRefusal.AMOUNT_MALFORMED, {"amount_minor": movement.amount_minor})
    return None


def limits_of(classed: ClassedAccount, day: date) -> Limits | None:
    return limits_on(classed.account_class, day)


def decide_movement(
    classed: ClassedAccount, limits: Limits, movement: Movement, used: Usage, balance_minor: int | None
) -> int | Refusal:
    """How much of the movement counts against the limits. `balance_minor` is the balance before it, None if unknown."""
    if refusal := _check_function(classed, movement):
        return refusal
    amount = movement.amount_minor
    # Cash comes from no account, so from none that is bound.
    counted = amount if movement.cash or not movement.counterparty_bound else 0
    if counted and used.day_minor + counted > limits.day_minor_max:
        facts = {"account": classed.account, "used_minor": used.day_minor, "limit_minor": limits.day_minor_max}
        return Refusal(CustomersRefusal.DAY_LIMIT_EXCEEDED, facts)
    if counted and used.year_minor + counted > limits.year_minor_max:
        facts = {"account": classed.account, "used_minor": used.year_minor, "limit_minor": limits.year_minor_max}
        return Refusal(CustomersRefusal.YEAR_LIMIT_EXCEEDED, facts)
    if limits.balance_minor_max is not None and movement.direction is Direction.IN:
        if balance_minor is None:
            return Refusal(CustomersRefusal.BALANCE_UNKNOWN, {"account": classed.account})
        if balance_minor + amount > limits.balance_minor_max:
            facts = {"account": classed.account, "balance_minor": balance_minor}
            return Refusal(CustomersRefusal.BALANCE_LIMIT_EXCEEDED, facts | {"limit_minor": limits.balance_minor_max})
    return counted


def _check_function(classed: ClassedAccount, movement: Movement) -> Refusal | None:
    """What the class may not do at all, whatever the amount."""
    if movement.asset != LIMITED_ASSET:
        return Refusal(CustomersRefusal.ASSET_NOT_ALLOWED, {"account": classed.account, "asset": movement.asset})
    if movement.cash and (classed.account_class is AccountClass.III or not classed.face_to_face):
        return Refusal(CustomersRefusal.CASH_NOT_ALLOWED, {"account": classed.account})
    needs_face = classed.account_class is AccountClass.II and movement.direction is Direction.IN
    if needs_face and not movement.counterparty_bound and not classed.face_to_face:
        return Refusal(CustomersRefusal.UNBOUND_NOT_ALLOWED, {"account": classed.account})
    return None
