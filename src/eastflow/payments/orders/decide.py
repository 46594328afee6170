"""When is an order due, and what follows from a try? Pure: no clock, no database."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from eastflow.kernel import Refusal, add_months
from eastflow.ledger import LedgerRefusal

from ..decide import check_accounts, check_amount, check_asset, check_texts, further_id
from ..model import Transfer
from ..refusals import PaymentsRefusal
from .model import (
    DAYS_AHEAD_MAX,
    RETRY_DAYS_MAX,
    SLOTS,
    Frequency,
    Occurrence,
    OccurrenceOutcome,
    OrderStatus,
    StandingOrder,
)

YEAR_MIN, YEAR_MAX = 1900, 2999
_DAYS = {Frequency.DAILY: 1, Frequency.WEEKLY: 7}
_MONTHS = {Frequency.MONTHLY: 1, Frequency.QUARTERLY: 3, Frequency.YEARLY: 12}


def check_order(order: StandingOrder) -> Refusal | None:
    """The first refusal that applies to the order by itself, or None."""
    return (
        check_asset(order.asset)
        or check_texts(
            order.creditor, remittance=order.remittance, end_to_end_id=order.end_to_end_id, scheme=order.scheme
        )
        or check_amount(order.amount_minor)
        or check_accounts(order.debtor, order.creditor)
        or check_schedule(order.first_on, order.until, order.retry_days, RETRY_DAYS_MAX)
    )


def check_schedule(first_on: date, until: date | None, days: int, days_max: int) -> Refusal | None:
    if until is not None and until < first_on:
        return Refusal(PaymentsRefusal.SCHEDULE_MALFORMED, {"field": "until"})
    if not all(YEAR_MIN <= day.year <= YEAR_MAX for day in (first_on, until or first_on)):
        return Refusal(PaymentsRefusal.SCHEDULE_MALFORMED, {"field": "first_on"})
    if not 0 <= days <= days_max:
        return Refusal(PaymentsRefusal.SCHEDULE_MALFORMED, {"field": "days"})
    return None


def slot_of(id: UUID) -> int:
    return id.int % SLOTS


def slots_of(partition: int, partitions: int) -> list[int]:
    """Every slot is in one partition."""
    assert 0 <= partition < partitions, "partitions are counted from 0"
    return list(range(partition, SLOTS, partitions))


def day_of(first_on: date, frequency: Frequency, number: int) -> date | None:
    """The day of the occurrence with this number, the first one having 0. None: there is none, or not in our years."""
    if frequency is Frequency.ONCE:
        return first_on if number == 0 else None
    try:
        if frequency in _DAYS:
            day = first_on + timedelta(days=number * _DAYS[frequency])
        else:
            day = add_months(first_on, number * _MONTHS[frequency])
    except OverflowError:
        return None
    return day if day.year <= YEAR_MAX else None


def period_of(first_on: date, frequency: Frequency, day: date) -> int:
    """The number of the occurrence that `day` is on or after; below 0 before the first."""
    if frequency is Frequency.ONCE or day < first_on:
        return 0 if day >= first_on else -1
    if frequency in _DAYS:
        return (day - first_on).days // _DAYS[frequency]
    months = (day.year - first_on.year) * 12 + day.month - first_on.month
    number = months // _MONTHS[frequency]
    return number if add_months(first_on, number * _MONTHS[frequency]) <= day else number - 1


def begun(order: StandingOrder) -> StandingOrder:
    return _at(order, 0)


def transfer_of(order: StandingOrder) -> Transfer:
    """What is to be paid next: its id is the same for the same order and day."""
    assert order.due_on is not None, "only what is due is paid"
    return Transfer(
        further_id(order.id, order.due_on.isoformat()),
        order.debtor,
        order.creditor,
        order.amount_minor,
        order.asset,
        order.channel,
        order.remittance,
        order.end_to_end_id,
        order.scheme,
        uetr=order.uetr,
    )


def order_of(asked: Transfer, on: date) -> StandingOrder:
    """The order of one time for a payment on a day to come."""
    return StandingOrder(
        asked.id,
        asked.debtor,
        asked.creditor,
        asked.amount_minor,
        asked.asset,
        on,
        Frequency.ONCE,
        remittance=asked.remittance,
        scheme=asked.scheme,
        channel=asked.channel,
        end_to_end_id=asked.end_to_end_id,
        uetr=asked.uetr,
    )


def check_day(on: date, today: date) -> Refusal | None:
    if 0 < (on - today).days <= DAYS_AHEAD_MAX:
        return None
    return Refusal(PaymentsRefusal.SCHEDULE_MALFORMED, {"field": "on"})


def paid(order: StandingOrder, today: date) -> tuple[StandingOrder, Occurrence]:
    assert order.due_on is not None, "only what is due is paid"
    done = Occurrence(order.id, order.due_on, OccurrenceOutcome.PAID, today, transfer_of(order).id)
    return _at(order, order.number + 1), done


def refused(order: StandingOrder, refusal: Refusal, today: date) -> tuple[StandingOrder, Occurrence | None]:
    """Tried again tomorrow where funds are missing and days are left; otherwise left out until the next time."""
    assert order.due_on is not None, "only what is due is tried"
    last_try = order.due_on + timedelta(days=order.retry_days)
    if refusal.code is LedgerRefusal.INSUFFICIENT_FUNDS and today < last_try:
        return replace(order, attempt_on=today + timedelta(days=1)), None
    reason = str(refusal.code.value)
    left_out = Occurrence(order.id, order.due_on, OccurrenceOutcome.SKIPPED, today, reason=reason)
    return _at(order, order.number + 1), left_out


def _at(order: StandingOrder, number: int) -> StandingOrder:
    due_on = day_of(order.first_on, order.frequency, number)
    over = due_on is None or (order.until is not None and due_on > order.until)
    if over:
        return replace(order, status=OrderStatus.ENDED, number=number, due_on=None, attempt_on=None)
    return replace(order, status=OrderStatus.ACTIVE, number=number, due_on=due_on, attempt_on=due_on)
