"""What deposits decide: ids of entries, legs of directives, corrections, what orders freeze, how heirs share. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from hashlib import blake2b
from typing import Any
from uuid import UUID

from eastflow.kernel import EXACT_JSON_INTEGER_MAX, INT64_MAX, Refusal, is_text, own_id
from eastflow.ledger import Entry, Posting, Status
from eastflow.products import (
    OVERDRAFT_INTEREST,
    AccountRole,
    Accrual,
    Contract,
    Directive,
    ProductKind,
    Terms,
    advance,
    counts_on,
    debit_interest_minor,
    interest_minor,
    next_due,
)

from .model import (
    AUTHORITY_CHARACTERS_MAX,
    CERTIFICATE_CHARACTERS_MAX,
    HEIRS_MAX,
    INTEREST_KIND,
    PLEDGE_CHARACTERS_MAX,
    Beneath,
    Claim,
    Correction,
    Deposit,
    DepositStatus,
    Held,
    Opening,
    Order,
    Pledge,
    Share,
)
from .refusals import DepositsRefusal

AMOUNT_MAX_MINOR = INT64_MAX >> 4
Changes = Sequence[tuple[date, int]]


def derived_id(key: bytes, kind: str, day: date) -> UUID:
    """The one id of what happens of a kind to a contract on a day, whoever books it."""
    return own_id(blake2b(key + f"{kind}:{day.toordinal()}".encode(), digest_size=16).digest())


def account_key(account: int) -> bytes:
    return account.to_bytes(8, "big")


def request_text(content: Mapping[str, Any]) -> str:
    """One text for one content."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def is_account(number: int) -> bool:
    return 0 < number <= EXACT_JSON_INTEGER_MAX


def check_account(*numbers: int | None) -> Refusal | None:
    bad = next((number for number in numbers if number is not None and not is_account(number)), None)
    return None if bad is None else Refusal(DepositsRefusal.ACCOUNT_MALFORMED, {"account": str(bad)})


def check_amount(amount_minor: int, *, least: int = 1) -> Refusal | None:
    if least <= amount_minor <= AMOUNT_MAX_MINOR:
        return None
    return Refusal(DepositsRefusal.AMOUNT_OUT_OF_RANGE, {"amount_minor": str(amount_minor)})


def check_text(field: str, text: str, characters_max: int) -> Refusal | None:
    if text.strip() and is_text(text, characters_max):
        return None
    return Refusal(DepositsRefusal.TEXT_MALFORMED, {"field": field})


def check_opening(opening: Opening) -> Refusal | None:
    if refusal := check_text("product", opening.product, 64) or check_amount(opening.amount_minor, least=0):
        return refusal
    if refusal := check_account(opening.account, opening.source, opening.nominated):
        return refusal
    if opening.amount_minor and opening.source is None:
        return Refusal(DepositsRefusal.SOURCE_MISSING)
    return None


def apart(openings: Sequence[Opening]) -> Iterator[list[int]]:
    """The places of the openings, in groups in which no two name one id or one account, one group after the other."""
    waiting = list(range(len(openings)))
    while waiting:
        ids, accounts = set[UUID](), set[int | None]()
        group, later = list[int](), list[int]()
        for place in waiting:
            one = openings[place]
            met = one.id in ids or (one.account is not None and one.account in accounts)
            (later if met else group).append(place)
            ids.add(one.id)
            accounts.add(one.account)
        yield group
        waiting = later


def check_order(order: Order, today: date) -> Refusal | None:
    refusal = check_text("authority", order.authority, AUTHORITY_CHARACTERS_MAX)
    if refusal is None and order.amount_minor is not None:
        refusal = check_amount(order.amount_minor)
    if refusal := refusal or check_account(order.account):
        return refusal
    if order.expires_on <= today:
        return Refusal(DepositsRefusal.EXPIRY_IN_PAST, {"expires_on": order.expires_on})
    return None


def check_pledge(pledge: Pledge, today: date) -> Refusal | None:
    refusal = check_text("agreement", pledge.agreement, PLEDGE_CHARACTERS_MAX)
    if refusal is None and (pledge.pledgee is None) is (pledge.party is None):
        refusal = Refusal(DepositsRefusal.TEXT_MALFORMED, {"field": "pledgee"})
    if refusal is None and pledge.pledgee is not None:
        refusal = check_text("pledgee", pledge.pledgee, PLEDGE_CHARACTERS_MAX)
    if refusal := refusal or check_amount(pledge.amount_minor) or check_account(pledge.account):
        return refusal
    if pledge.expires_on is not None and pledge.expires_on <= today:
        return Refusal(DepositsRefusal.EXPIRY_IN_PAST, {"expires_on": pledge.expires_on})
    return None


def check_pledged(account: int, left_minor: int, pledged_minor: int) -> Refusal | None:
    """Whether so much may be left on the account. (Without a pledge it may be overdrawn.)"""
    if not pledged_minor or left_minor >= pledged_minor:
        return None
    return Refusal(DepositsRefusal.PLEDGED, {"account": account, "pledged_minor": pledged_minor})


def check_shares(certificate: str, shares: Sequence[Share]) -> Refusal | None:
    if refusal := check_text("certificate", certificate, CERTIFICATE_CHARACTERS_MAX):
        return refusal
    if refusal := check_account(*(share.account for share in shares)):
        return refusal
    distinct = len({share.account for share in shares}) == len(shares)
    weights = all(0 < share.weight <= 1_000_000 for share in shares)
    if not (1 <= len(shares) <= HEIRS_MAX and distinct and weights):
        return Refusal(DepositsRefusal.SHARES_MALFORMED, {"shares": len(shares)})
    return None


def parts_of(amount_minor: int, weights: Sequence[int]) -> list[int]:
    """The amount in parts by weight. What is left over by rounding down goes, one unit each, to the first."""
    whole = sum(weights)
    parts = [amount_minor * weight // whole for weight in weights]
    left = amount_minor - sum(parts)
    return [part + (place < left) for place, part in enumerate(parts)]


def check_standing(deposit: Deposit | None, account: int, *, leaves: bool) -> Refusal | None:
    """Whether money may come in, or (`leaves`) go out."""
    if deposit is None:
        return Refusal(DepositsRefusal.CONTRACT_NOT_FOUND, {"account": account})
    if deposit.status is DepositStatus.CLOSED:
        return Refusal(DepositsRefusal.CONTRACT_CLOSED, {"account": account})
    if leaves and deposit.status is DepositStatus.FROZEN:
        return Refusal(DepositsRefusal.CONTRACT_FROZEN, {"account": account})
    if leaves and deposit.status is DepositStatus.DORMANT:
        return Refusal(DepositsRefusal.CONTRACT_DORMANT, {"account": account})
    return None


def entries_of(
    directives: Sequence[Directive],
    accounts: Mapping[AccountRole, int],
    asset: str,
    ids: Sequence[UUID],
) -> list[Entry]:
    """The ledger's entries of what products have directed."""
    return [
        Entry(
            id,
            directive.kind.replace(":", "."),
            directive.value_date,
            tuple(Posting(accounts[leg.role], asset, leg.amount_minor) for leg in directive.legs),
        )
        for id, directive in zip(ids, directives, strict=True)
    ]


def settled_through(contract: Contract, day: date) -> date | None:
    """The last settlement date from the contract's open day up to `day`."""
    dates = settlement_dates(contract.terms, contract.open_day, day)
    return dates[-1] if dates else None


def due_on(contract: Contract) -> date | None:
    """Kept for contracts that are looked up by it; demand contracts come due with their product."""
    return None if contract.terms.kind is ProductKind.DEMAND else next_due(contract)


def moved(terms: Terms, accrual: Accrual, changes: Changes) -> Accrual:
    """The accrual with later changes of the balance in it; none is valued before `accrual.through`."""
    if not changes:
        return accrual
    last = changes[-1][0]
    before = [(day, net) for day, net in changes if day < last]
    there = advance(terms, accrual, last, before)
    return replace(there, balance_minor=there.balance_minor + sum(net for day, net in changes if day == last))


def settlement_dates(terms: Terms, since: date, until: date) -> list[date]:
    """Those from `since` to `until`, both included."""
    found = list[date]()
    contract = Contract(replace(terms, fees=(), hooks=()), since, since, since, accrual=Accrual(since))
    while (due := next_due(contract)) is not None and due <= until:
        found.append(due)
        contract = replace(contract, open_day=_after(due))
    return found


def settlements(held: Sequence[Held], until: date) -> list[tuple[date, Terms]]:
    """The dates up to `until` on which interest was settled, and the terms under which it was: on the day that others
    begin, it is settled under those before, unless it goes on being counted."""
    found = list[tuple[date, Terms]]()
    for one, following in zip(held, [*held[1:], None], strict=True):
        ends = None if following is None else following.since
        dates = settlement_dates(one.terms, _after(one.since), until if ends is None else ends)
        settles = following is not None and not counts_on(one.terms, following.terms)
        if ends is not None and settles and ends > one.since and ends not in dates:
            dates.append(ends)
        found += [(on, one.terms) for on in dates]
    return found


def corrections(
    settled: Sequence[tuple[date, Terms]], opening: Accrual, changes: Changes, paid: Mapping[tuple[date, str], int]
) -> list[tuple[date, str, int]]:
    """By how much what was booked on each settlement date, of each kind of interest, falls short of what it should have
    been by all `changes` known now, what was `paid` among them. What a correction adds earns from its date on."""
    accrual, known = opening, sorted(changes)
    found = []
    for due, terms in settled:
        within = [change for change in known if accrual.through <= change[0] < due]
        accrual = advance(terms, accrual, due, within)
        should = {INTEREST_KIND: interest_minor(terms, accrual)}
        should[OVERDRAFT_INTEREST] = -debit_interest_minor(terms, accrual)
        for kind, amount in should.items():
            short = amount - paid.get((due, kind), 0)
            if short:
                found.append((due, kind, short))
                known = sorted([*known, (due, short)])
        accrual = Accrual(due, accrual.balance_minor)
    return found


def correction_id(one: Correction) -> UUID:
    return derived_id(account_key(one.account), f"{correction_kind(one.kind)}:{one.number}", one.settled_on)


def correction_kind(kind: str) -> str:
    """The kind of the entries that correct those of `kind`."""
    return f"{kind}_correction"


def _after(day: date) -> date:
    return date.fromordinal(day.toordinal() + 1)


def to_hold(claims: Sequence[Claim], available_minor: int) -> list[tuple[Claim, int]]:
    """What is to be held in addition for each claim that has less than its amount: orders of a court in their rank,
    then pledges in theirs."""
    found = []
    for claim in sorted(claims, key=lambda claim: (isinstance(claim, Pledge), claim.rank)):
        more = min(claim.short_minor, max(0, available_minor))
        if more:
            found.append((claim, more))
            available_minor -= more
    return found


def decide_beneath(status: DepositStatus, known: Status, kept: Beneath | None) -> Beneath:
    """What stands beneath orders, by the contract's status, the ledger's status as it is now, and what was kept when
    this room froze the account last. What is there and was not put there by this room is the doing of others."""
    if kept is not None:
        return kept if known is _stricter(kept.others, Status.DEBITS_FROZEN) else replace(kept, others=known)
    # Frozen before this was kept: then the freeze of debits is taken for this room's.
    ours = status is not DepositStatus.OPEN and known is Status.DEBITS_FROZEN
    return Beneath(status is DepositStatus.DORMANT, Status.OPEN if ours else known)


def contract_status(under: Beneath, *, ordered: bool) -> DepositStatus:
    if ordered:
        return DepositStatus.FROZEN
    return DepositStatus.DORMANT if under.asleep else DepositStatus.OPEN


def account_status(under: Beneath, *, ordered: bool) -> Status:
    return _stricter(under.others, Status.DEBITS_FROZEN) if ordered or under.asleep else under.others


def _stricter(one: Status, other: Status) -> Status:
    return max(one, other, key=(Status.OPEN, Status.DEBITS_FROZEN, Status.FROZEN).index)


def freezes_whole(claims: Sequence[Claim]) -> bool:
    """Whether nothing may leave the account: the whole of it is frozen, or a claim has less than its amount."""
    return any(claim.amount_minor is None or claim.short_minor for claim in claims)
