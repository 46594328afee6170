"""May this be paid, on which day, and which entry moves the money? Pure: no clock, no database."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID, uuid5

from eastflow.kernel import EXACT_JSON_INTEGER_MAX, INT64_MAX, BusinessCalendar, Refusal, is_text, own_id
from eastflow.ledger import Entry, LedgerRefusal, Posting

from .model import (
    ACCOUNT_CHARACTERS_MAX,
    ASSET_CHARACTERS_MAX,
    BANK_CHARACTERS_MAX,
    DEFAULT_SCHEME,
    END_TO_END_CHARACTERS_MAX,
    NAME_CHARACTERS_MAX,
    REASON_CHARACTERS_MAX,
    REMITTANCE_CHARACTERS_MAX,
    Direction,
    Endpoint,
    Incoming,
    Limit,
    Origin,
    Payment,
    PaymentStatus,
    Recall,
    RecallStatus,
    Scheme,
    Transfer,
)
from .refusals import PaymentsRefusal

# Codes of ISO 20022's external lists (ExternalStatusReason1Code, ExternalReturnReason1Code). Recalled, not checked
# against the published lists.
REASON_BY_CODE: Mapping[str, str] = {
    LedgerRefusal.ACCOUNT_NOT_FOUND.value: "AC01",
    LedgerRefusal.ACCOUNT_CLOSED.value: "AC04",
    LedgerRefusal.ACCOUNT_FROZEN.value: "AC06",
    LedgerRefusal.ASSET_NOT_FOUND.value: "AM03",
    LedgerRefusal.ASSET_DIFFERS.value: "AM03",
    LedgerRefusal.INSUFFICIENT_FUNDS.value: "AM04",
    PaymentsRefusal.ACCOUNT_MALFORMED.value: "AC01",
    PaymentsRefusal.SAME_ACCOUNT.value: "AC01",
    PaymentsRefusal.AMOUNT_OUT_OF_RANGE.value: "AM12",
    PaymentsRefusal.ID_REUSED.value: "DUPL",
    PaymentsRefusal.UETR_REUSED.value: "DUPL",
    PaymentsRefusal.MANDATE_NOT_FOUND.value: "MD01",
    PaymentsRefusal.MANDATE_CANCELLED.value: "MD01",
    PaymentsRefusal.COLLECTION_EXCEEDS_MANDATE.value: "AM02",
    PaymentsRefusal.COLLECTION_TOO_SOON.value: "MD05",
    PaymentsRefusal.SCHEDULE_MALFORMED.value: "DT01",
    PaymentsRefusal.DUPLICATE.value: "AM05",
    PaymentsRefusal.PAYEE_NAME_DIFFERS.value: "BE01",
    PaymentsRefusal.MOVES_BY_CONTRACT.value: "AG01",
    PaymentsRefusal.PAYMENT_LIMIT_EXCEEDED.value: "AM14",
    PaymentsRefusal.DAY_LIMIT_EXCEEDED.value: "AM14",
}
REASON_OF_A_CUSTOMERS_LIMIT = "AM14"
REASON_NOT_SPECIFIED = "MS03"
_CUSTOMERS = "customers."

_INCOMING = UUID("5d0a4f0e-9a53-4c0b-8c39-6f1d1f3a7b52")
"""Drawn once. With a UETR it makes the same payment id each time the payment comes in."""


@dataclass(frozen=True, slots=True)
class Day:
    """The business date, the moment, and whether the day was closed for other banks by hand."""

    today: date
    at: datetime
    is_cut_off: bool = False


@dataclass(frozen=True, slots=True)
class Manner:
    """How payments come about: what brings them, who asks. Not every origin is limited and asks the payer back."""

    origin: Origin
    by: str

    @property
    def is_limited(self) -> bool:
        """What runs by itself was limited when it was agreed upon."""
        return self.origin in (Origin.TRANSFER, Origin.BATCH)

    @property
    def asks_back(self) -> bool:
        """A single transfer is asked about: the name of its payee, and whether it is meant a second time."""
        return self.origin is Origin.TRANSFER


def own_account(end: Endpoint) -> int | None:
    """The number of the account, if it is at this bank and has the form of one."""
    text = end.account
    if end.bank is not None or not (text.isascii() and text.isdigit() and len(text) <= ACCOUNT_CHARACTERS_MAX):
        return None
    number = int(text)
    return number if 0 < number <= EXACT_JSON_INTEGER_MAX and str(number) == text else None


def uetr_of(id: UUID) -> UUID:
    """The end-to-end reference of a payment of ours, a version 4 UUID as ISO 20022 wants it, the same each time."""
    return UUID(bytes=hashlib.sha256(b"eastflow.payments.uetr" + id.bytes).digest()[:16], version=4)


def incoming_id(uetr: UUID) -> UUID:
    return uuid5(_INCOMING, uetr.hex)


def further_id(id: UUID, step: str) -> UUID:
    """The id of what follows from a payment, an order or a file: the same each time."""
    return own_id(uuid5(id, step).bytes)


def check_transfer(asked: Transfer) -> Refusal | None:
    """The first refusal that applies to the request by itself, or None."""
    return (
        check_asset(asked.asset)
        or check_texts(
            asked.creditor, remittance=asked.remittance, end_to_end_id=asked.end_to_end_id, scheme=asked.scheme
        )
        or check_amount(asked.amount_minor)
        or check_accounts(asked.debtor, asked.creditor)
    )


def check_incoming(incoming: Incoming) -> Refusal | None:
    return (
        check_asset(incoming.asset)
        or check_texts(
            incoming.debtor,
            remittance=incoming.remittance,
            end_to_end_id=incoming.end_to_end_id,
            scheme=incoming.scheme,
        )
        or check_texts(incoming.creditor)
        or check_amount(incoming.amount_minor)
    )


def check_texts(
    end: Endpoint, *, remittance: str = "", end_to_end_id: str | None = None, scheme: str = DEFAULT_SCHEME
) -> Refusal | None:
    named = (
        ("name", end.name, NAME_CHARACTERS_MAX, False),
        ("account", end.account, ACCOUNT_CHARACTERS_MAX, True),
        ("bank", end.bank, BANK_CHARACTERS_MAX, True),
        ("remittance", remittance, REMITTANCE_CHARACTERS_MAX, False),
        ("end_to_end_id", end_to_end_id, END_TO_END_CHARACTERS_MAX, True),
        ("scheme", scheme, BANK_CHARACTERS_MAX, True),
    )
    for field, text, characters_max, is_needed in named:
        if text is not None and (refusal := check_text(field, text, characters_max, is_needed=is_needed)):
            return refusal
    return None


def check_text(field: str, text: str, characters_max: int, *, is_needed: bool = True) -> Refusal | None:
    if is_text(text, characters_max) and (text.strip() or not is_needed):
        return None
    return Refusal(PaymentsRefusal.TEXT_MALFORMED, {"field": field})


def check_asset(asset: str) -> Refusal | None:
    return check_text("asset", asset, ASSET_CHARACTERS_MAX)


def check_reason(reason: str | None) -> Refusal | None:
    return None if reason is None else check_text("reason", reason, REASON_CHARACTERS_MAX)


def check_amount(amount_minor: int) -> Refusal | None:
    if 0 < amount_minor <= INT64_MAX:
        return None
    return Refusal(PaymentsRefusal.AMOUNT_OUT_OF_RANGE, {"amount_minor": str(amount_minor)})


def check_accounts(debtor: int, creditor: Endpoint) -> Refusal | None:
    if not 0 < debtor <= EXACT_JSON_INTEGER_MAX:
        return Refusal(PaymentsRefusal.ACCOUNT_MALFORMED, {"account": str(debtor)})
    if creditor.bank is None:
        number = own_account(creditor)
        if number is None:
            return Refusal(PaymentsRefusal.ACCOUNT_MALFORMED, {"account": creditor.account})
        if number == debtor:
            return Refusal(PaymentsRefusal.SAME_ACCOUNT, {"account": debtor})
    return None


def as_asked(payment: Payment) -> Transfer:
    """What was asked for when the payment was made, to compare with what is asked under its id again."""
    debtor = own_account(payment.debtor)
    assert debtor is not None, "the payer of what was asked for here is a customer of this bank"
    return Transfer(
        payment.id,
        debtor,
        payment.creditor,
        payment.amount_minor,
        payment.asset,
        payment.channel,
        payment.remittance,
        payment.end_to_end_id,
        payment.scheme,
    )


def as_sent(payment: Payment) -> Incoming:
    """What the other bank sent when an incoming payment was made."""
    return Incoming(
        payment.uetr,
        payment.debtor,
        payment.creditor,
        payment.amount_minor,
        payment.asset,
        payment.remittance,
        payment.end_to_end_id,
        payment.scheme,
    )


def decide_payment(asked: Transfer, schemes: Mapping[str, Scheme], day: Day, manner: Manner) -> Payment | Refusal:
    """The payment as it is to be once its entry is booked. What is asked for is sound by itself."""
    outgoing = asked.creditor.bank is not None
    # What a creditor elsewhere collects is settled by its collection: nothing is sent to pay it.
    is_sent = outgoing and manner.origin is not Origin.DIRECT_DEBIT
    settlement_date = day.today
    if is_sent:
        scheme = schemes.get(asked.scheme)
        if scheme is None:
            return Refusal(PaymentsRefusal.SCHEME_NOT_FOUND, {"scheme": asked.scheme})
        settlement_date = settlement_day(scheme, day)
    return Payment(
        id=asked.id,
        direction=Direction.OUTGOING if outgoing else Direction.INTERNAL,
        origin=manner.origin,
        status=PaymentStatus.ACCEPTED if is_sent else PaymentStatus.SETTLED,
        debtor=Endpoint("", str(asked.debtor)),
        creditor=asked.creditor,
        amount_minor=asked.amount_minor,
        asset=asked.asset,
        remittance=asked.remittance,
        end_to_end_id=asked.end_to_end_id,
        uetr=asked.uetr or uetr_of(asked.id),
        scheme=asked.scheme,
        channel=asked.channel,
        accepted_on=day.today,
        settlement_date=settlement_date,
        by=manner.by,
        accepted_at=day.at,
    )


def settlement_day(scheme: Scheme, day: Day) -> date:
    """Today, if it is a business day and not yet closed for this scheme; otherwise the next business day."""
    calendar = BusinessCalendar(scheme.holidays, scheme.working_weekends)
    closed = day.is_cut_off
    if scheme.cut_off is not None:
        local = (day.at + timedelta(minutes=scheme.utc_offset_minutes)).replace(tzinfo=None)
        closed = closed or local >= datetime.combine(day.today, scheme.cut_off)
    open_today = calendar.is_business_day(day.today) and not closed
    return day.today if open_today else calendar.next_business_day(day.today)


def with_default(schemes: Iterable[Scheme]) -> dict[str, Scheme]:
    return {DEFAULT_SCHEME: Scheme(DEFAULT_SCHEME), **{scheme.code: scheme for scheme in schemes}}


def find_duplicate(asked: Transfer, lately: Sequence[Payment]) -> Refusal | None:
    """Whether the same payer has lately paid the same payee the same amount for the same."""
    if asked.duplicate_confirmed:
        return None
    for payment in lately:
        if _told_apart_by(as_asked(payment)) == _told_apart_by(asked):
            return Refusal(PaymentsRefusal.DUPLICATE, {"id": payment.id, "accepted_at": payment.accepted_at})
    return None


def check_limit(limit: Limit, amount_minor: int, used_minor: int) -> Refusal | None:
    """`used_minor` is what the payer has paid away today in what the limit is for."""
    channel = limit.channel.value if limit.channel else None
    if limit.per_payment_minor is not None and amount_minor > limit.per_payment_minor:
        facts = {"amount_minor": amount_minor, "limit_minor": limit.per_payment_minor, "channel": channel}
        return Refusal(PaymentsRefusal.PAYMENT_LIMIT_EXCEEDED, facts)
    if limit.per_day_minor is not None and used_minor + amount_minor > limit.per_day_minor:
        facts = {"used_minor": used_minor, "limit_minor": limit.per_day_minor, "channel": channel}
        return Refusal(PaymentsRefusal.DAY_LIMIT_EXCEEDED, {"amount_minor": amount_minor, **facts})
    return None


def limits_for(limits: Sequence[Limit], payer: str, asset: str, channel: str) -> list[tuple[str, Limit]]:
    """The limits that bind a payer, each with the channel that is counted ("" for all together). A payer's own limit
    stands in the place of that for everyone."""
    found: dict[str, Limit] = {}
    for limit in limits:
        counted = limit.channel.value if limit.channel else ""
        binds = limit.asset == asset and counted in ("", channel) and str(limit.party or payer) == payer
        if binds and (limit.party is not None or counted not in found):
            found[counted] = limit
    return sorted(found.items())


def refused_for_good(
    order: Sequence[UUID], limited: Mapping[UUID, Refusal], declined: Mapping[UUID, Refusal]
) -> dict[UUID, Refusal]:
    """Of a list that was judged in order, those whose refusal stands once the others are judged again without them.

    What the ledger `declined` had used of the limits, so that one `limited` after it may yet pass; and what is after
    that one was booked without it. Never empty, unless both are.
    """
    certain: dict[UUID, Refusal] = {}
    for id in order:
        if id in declined:
            certain[id] = declined[id]
        elif id in limited:
            if certain.keys() & declined.keys():
                break
            certain[id] = limited[id]
    return certain


def payment_entry(payment: Payment, debited: int, credited: int, value_date: date, *, step: str = "") -> Entry:
    """The entry that moves the payment's money. `step` names what follows after the first one; of what came back, only
    that is moved."""
    return Entry(
        further_id(payment.id, step) if step else payment.id,
        f"payment.{step or payment.direction.value}",
        value_date,
        (
            Posting(debited, payment.asset, -payment.moved_minor),
            Posting(credited, payment.asset, payment.moved_minor),
        ),
        # No memo: the books keep no text about persons. Statements ask for it by the entry (`remittances`).
        details={"payment": str(payment.id), "uetr": str(payment.uetr)},
    )


def reason_for(refusal: Refusal) -> str:
    """The code by which another bank, or a line of a file, is told of a refusal."""
    return reason_of_code(str(refusal.code.value))


def reason_of_code(code: str) -> str:
    """The same, of a refusal of which its code alone was kept."""
    if code.startswith(_CUSTOMERS):
        return REASON_OF_A_CUSTOMERS_LIMIT
    return REASON_BY_CODE.get(code, REASON_NOT_SPECIFIED)


def decide_answer(asked: Recall | None, refused_for: str | None) -> Recall | Refusal:
    """The recall once it is answered; the same answer again leaves it as it is."""
    if asked is None:
        return Refusal(PaymentsRefusal.RECALL_NOT_FOUND)
    status = RecallStatus.ACCEPTED if refused_for is None else RecallStatus.REFUSED
    answered = replace(asked, status=status, answer=refused_for)
    if asked.status is RecallStatus.OPEN or answered == asked:
        return answered
    return Refusal(PaymentsRefusal.RECALL_ANSWERED, {"id": asked.payment, "status": asked.status.value})


def changed(payment: Payment, status: PaymentStatus, reason: str | None = None) -> Payment:
    return replace(payment, status=status, reason=reason)


def conflict(payment: Payment) -> Refusal:
    facts = {"id": payment.id, "status": payment.status.value, "direction": payment.direction.value}
    return Refusal(PaymentsRefusal.STATUS_CONFLICT, facts)


def _told_apart_by(asked: Transfer) -> tuple[object, ...]:
    """A payee is told apart by the account alone: a name may be written in many ways."""
    payee = asked.creditor
    return asked.debtor, payee.account, payee.bank, asked.amount_minor, asked.asset, asked.remittance
