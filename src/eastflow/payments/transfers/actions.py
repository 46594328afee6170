"""The verbs of transfers: one or thousands at once are judged in order, counted and booked in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from eastflow import customers, ledger
from eastflow.customers import Channel, Movement, NameMatch, RoleKind
from eastflow.customers.actions import use_allowance
from eastflow.kernel import EXACT_JSON_INTEGER_MAX, INT64_MAX, Refusal
from eastflow.ledger import Entry, LedgerRefusal, Side
from eastflow.ledger.actions import INTERNAL_ACCOUNT_MIN, internal_account, post
from eastflow.storage import Clock, Retry, Transaction, UniqueViolation, now

from .. import store
from ..decide import (
    Day,
    Manner,
    as_asked,
    check_asset,
    check_limit,
    check_text,
    check_transfer,
    decide_payment,
    find_duplicate,
    limits_for,
    own_account,
    payment_entry,
    refused_for_good,
    with_default,
)
from ..model import (
    BANK_CHARACTERS_MAX,
    NAME_CHARACTERS_MAX,
    Direction,
    Endpoint,
    Limit,
    Origin,
    Outgoing,
    OutgoingKind,
    Payment,
    PaymentStatus,
    Scheme,
    Transfer,
)
from ..refusals import PaymentsRefusal
from ..store import UsageKey

CLEARING, SUSPENSE = "assets:clearing", "liabilities:suspense"
CHARTS_UNDER_CONTRACT = frozenset(f"liabilities:deposits:{kind}" for kind in ("term", "call", "instalment"))
UTC_OFFSET_MINUTES_MAX = 14 * 60
HOLIDAYS_MAX = 10_000
DUPLICATE_MINUTES = 10
"""How long the same payment of the same payer is taken for a slip of the hand, unless the caller says otherwise."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a booking uses of a payer's limits."""

    payer: str
    asset: str
    channel: Channel
    amount_minor: int

    def key(self, day: date, channel: str) -> UsageKey:
        return self.payer, day, self.asset, channel

    def keys(self, day: date) -> tuple[UsageKey, UsageKey]:
        """All channels together, and the one it came by."""
        return self.key(day, ""), self.key(day, self.channel.value)


@dataclass(frozen=True, slots=True)
class Booking:
    """An entry to be booked, what it uses of the payer's limits, and the customers' accounts that it moves."""

    entry: Entry
    movements: tuple[tuple[int, Movement], ...] = ()
    counted: Counted | None = None


class _Undo(Exception):
    """Some were refused: what was counted for them is undone, and the rest is begun anew."""

    def __init__(self, refused: Mapping[UUID, Refusal]) -> None:
        super().__init__(len(refused))
        self.refused = refused


async def transfer(
    tx: Transaction,
    asked: Transfer,
    *,
    today: date,
    by: str,
    clock: Clock = now,
    duplicate_minutes: int = DUPLICATE_MINUTES,
) -> Payment | Refusal:
    """Pay from an account of this bank to another of it, settled at once, or to another bank, accepted and queued.

    The same id with the same content answers with the payment as it is now.
    """
    manner = Manner(Origin.TRANSFER, by)
    [answer] = await transfers(
        tx, [asked], today=today, manner=manner, clock=clock, duplicate_minutes=duplicate_minutes
    )
    return answer


async def confirm_payee(tx: Transaction, account: int, name: str) -> NameMatch | Refusal:
    """Whether an account of this bank is that of someone called so, to be asked before it is paid."""
    if refusal := check_text("name", name, NAME_CHARACTERS_MAX):
        return refusal
    if not 0 < account <= EXACT_JSON_INTEGER_MAX:
        return Refusal(PaymentsRefusal.ACCOUNT_MALFORMED, {"account": str(account)})
    return await customers.name_match(tx, account, name)


async def set_limit(tx: Transaction, limit: Limit) -> Limit | Refusal:
    """Bind payers from now on; what was paid today counts."""
    if refusal := check_asset(limit.asset):
        return refusal
    for amount in (limit.per_payment_minor, limit.per_day_minor):
        if amount is not None and not 0 <= amount <= INT64_MAX:
            return Refusal(PaymentsRefusal.AMOUNT_OUT_OF_RANGE, {"amount_minor": str(amount)})
    if await ledger.asset(tx, limit.asset) is None:
        return Refusal(LedgerRefusal.ASSET_NOT_FOUND, {"asset": limit.asset})
    await store.write_limit(tx, limit)
    return limit


async def set_scheme(tx: Transaction, scheme: Scheme) -> Scheme | Refusal:
    """Make a way to other banks known, or change its cut-off time and holidays for payments from now on."""
    if refusal := check_text("scheme", scheme.code, BANK_CHARACTERS_MAX):
        return refusal
    if abs(scheme.utc_offset_minutes) > UTC_OFFSET_MINUTES_MAX or len(scheme.holidays) > HOLIDAYS_MAX:
        return Refusal(PaymentsRefusal.SCHEDULE_MALFORMED, {"field": "scheme"})
    await store.write_scheme(tx, scheme)
    return scheme


async def cut_off(tx: Transaction, business_date: date, *, clock: Clock = now) -> date:
    """Close the day for other banks, whatever the clock: what is paid from now on settles on a later day. Again, it
    changes nothing."""
    await store.write_cut_off(tx, business_date, clock())
    return business_date


async def transfers(
    tx: Transaction,
    asked: Sequence[Transfer],
    *,
    today: date,
    manner: Manner,
    clock: Clock = now,
    duplicate_minutes: int = DUPLICATE_MINUTES,
    paid_out_of: str | None = None,
) -> list[Payment | Refusal]:
    """Each by itself, in order; their ids differ. `paid_out_of` is the bank's own account that the money was put on
    before, with the payer debited and counted then; None: each is taken from the payer."""
    answers: dict[UUID, Payment | Refusal] = {}
    for each in asked:
        if refusal := check_transfer(each) or check_customers(each.debtor, own_account(each.creditor)):
            answers[each.id] = refusal
    sound = [each for each in asked if each.id not in answers]
    if not sound:
        return [answers[each.id] for each in asked]
    payers: Mapping[int, str] = {}
    if manner.is_limited and paid_out_of is None:
        # From here on, payments of one payer wait for each other, so that each sees the one before it.
        payers = await payers_of(tx, {each.debtor for each in sound}, today)
        await store.lock_usage(tx, [_counted(each, payers).key(today, "") for each in sound])
    known = await store.payments(tx, [each.id for each in sound])
    day = Day(today, clock(), await store.is_cut_off(tx, today))
    schemes = with_default(await store.schemes(tx))
    since = day.at - timedelta(minutes=duplicate_minutes)
    lately = await store.payments_lately(tx, sorted(payers), since) if manner.asks_back else []
    fresh: list[Payment] = []
    for each in sound:
        answer = _replayed(each, known.get(each.id)) or decide_payment(each, schemes, day, manner)
        if isinstance(answer, Payment) and each.id not in known:
            refusal = await taken_uetr(tx, each)
            if refusal is None and manner.asks_back:
                refusal = await _ask_back(tx, each, lately)
            if refusal is None:
                fresh.append(answer)
            answer = refusal or answer
        answers[each.id] = answer
    answers |= await _book_payments(tx, fresh, payers, day, clock, paid_out_of)
    return [answers[each.id] for each in asked]


async def book(tx: Transaction, bookings: Sequence[Booking], *, today: date, clock: Clock = now) -> dict[UUID, Refusal]:
    """Why entries were refused, by their ids; the others are booked, counted and allowed. Judged in order."""
    refused = await _under_contract(tx, bookings)
    limits = await store.limits(tx) if any(each.counted for each in bookings) else []
    while waiting := [each for each in bookings if each.entry.id not in refused]:
        try:
            async with tx.savepoint():
                await _book_all(tx, waiting, limits, today, clock)
                return refused
        except _Undo as undone:
            refused |= undone.refused
    return refused


async def _under_contract(tx: Transaction, bookings: Sequence[Booking]) -> dict[UUID, Refusal]:
    """Money in a term, call or instalment deposit moves by that contract, which counts its interest."""
    ends = {account for each in bookings for account, _ in each.movements}
    found = await ledger.accounts(tx, sorted(ends))
    held = {account.id for account in found.values() if account.chart in CHARTS_UNDER_CONTRACT}
    return {
        each.entry.id: Refusal(PaymentsRefusal.MOVES_BY_CONTRACT, {"account": account})
        for each in bookings
        for account, _ in each.movements
        if account in held
    }


async def own(tx: Transaction, chart: str, asset: str, today: date) -> int | Refusal:
    """The bank's own account at this place of the chart."""
    side = Side.DEBIT if chart.startswith("assets:") else Side.CREDIT
    return await internal_account(tx, chart, asset, side, today=lambda: today)


async def posted_minor(tx: Transaction, account: int) -> int:
    found = await ledger.balance(tx, account)
    return 0 if found is None else found.posted_minor


async def movements(
    tx: Transaction,
    debited: int | None,
    credited: int | None,
    amount_minor: int,
    asset: str,
    channel: Channel,
    *,
    elsewhere: Endpoint | None = None,
) -> tuple[tuple[int, Movement], ...]:
    """What a payment is to the customers' accounts among its two ends. `elsewhere` is an end at another bank."""
    found = []
    for account, other, direction in (
        (debited, credited, customers.Direction.OUT),
        (credited, debited, customers.Direction.IN),
    ):
        if account is not None:
            bound = await _is_bound(tx, account, other, elsewhere)
            found.append((account, Movement(direction, amount_minor, asset, channel, counterparty_bound=bound)))
    return tuple(found)


async def _is_bound(tx: Transaction, account: int, other: int | None, elsewhere: Endpoint | None) -> bool:
    if other is None:
        if elsewhere is None or elsewhere.bank is None:
            return False
        return await customers.is_bound(tx, account, elsewhere.bank, elsewhere.account)
    classed = await customers.class_of_account(tx, account)
    return classed is not None and other in classed.bound


async def _book_all(
    tx: Transaction, waiting: Sequence[Booking], limits: Sequence[Limit], today: date, clock: Clock
) -> None:
    """All of them. Errors: _Undo, with those that are refused for good."""
    used = await store.lock_usage(tx, [key for each in waiting if each.counted for key in each.counted.keys(today)])
    limited: dict[UUID, Refusal] = {}
    for each in waiting:
        refusal = _check_limits(each.counted, limits, used, today) or await _use_allowances(tx, each, today)
        if refusal is not None:
            limited[each.entry.id] = refusal
        elif each.counted is not None:
            for key in each.counted.keys(today):
                used[key] += each.counted.amount_minor
    await store.write_usage(tx, used)
    entries = [each.entry for each in waiting if each.entry.id not in limited]
    outcomes = await post(tx, entries, clock=clock, today=lambda: today)
    declined = {
        entry.id: outcome for entry, outcome in zip(entries, outcomes, strict=True) if isinstance(outcome, Refusal)
    }
    if limited or declined:
        raise _Undo(refused_for_good([each.entry.id for each in waiting], limited, declined))


def _check_limits(
    counted: Counted | None, limits: Sequence[Limit], used: Mapping[UsageKey, int], today: date
) -> Refusal | None:
    if counted is None:
        return None
    if any(used[key] + counted.amount_minor > INT64_MAX for key in counted.keys(today)):
        return Refusal(PaymentsRefusal.AMOUNT_OUT_OF_RANGE, {"amount_minor": str(counted.amount_minor)})
    for channel, limit in limits_for(limits, counted.payer, counted.asset, counted.channel.value):
        if refusal := check_limit(limit, counted.amount_minor, used[counted.key(today, channel)]):
            return refusal
    return None


async def _use_allowances(tx: Transaction, booking: Booking, today: date) -> Refusal | None:
    """Those of both ends, or of none."""
    try:
        async with tx.savepoint():
            for account, movement in booking.movements:
                if refusal := await use_allowance(
                    tx, account, movement, today=today, balance=posted_minor, id=booking.entry.id
                ):
                    raise _Undo({booking.entry.id: refusal})
    except _Undo as undone:
        return undone.refused[booking.entry.id]
    return None


async def _book_payments(
    tx: Transaction,
    fresh: Sequence[Payment],
    payers: Mapping[int, str],
    day: Day,
    clock: Clock,
    paid_out_of: str | None,
) -> dict[UUID, Payment | Refusal]:
    bookings: list[Booking] = []
    answers: dict[UUID, Payment | Refusal] = {}
    own_numbers: dict[tuple[str, str], int | Refusal] = {}
    for payment in fresh:
        debited, credited = own_account(payment.debtor), own_account(payment.creditor)
        for chart in {CLEARING, paid_out_of or CLEARING}:
            if (chart, payment.asset) not in own_numbers:
                own_numbers[chart, payment.asset] = await own(tx, chart, payment.asset, day.today)
        clearing = own_numbers[CLEARING, payment.asset]
        source = own_numbers[paid_out_of, payment.asset] if paid_out_of else debited
        if isinstance(clearing, Refusal) or isinstance(source, Refusal):
            answers[payment.id] = clearing if isinstance(clearing, Refusal) else source  # type: ignore[assignment]
            continue
        assert source is not None, "the payer of what was asked for here is a customer of this bank"
        moved = await movements(
            tx,
            None if paid_out_of else debited,
            credited,
            payment.amount_minor,
            payment.asset,
            payment.channel,
            elsewhere=payment.creditor,
        )
        counted = None
        if debited is not None and debited in payers:
            counted = Counted(payers[debited], payment.asset, payment.channel, payment.amount_minor)
        entry = payment_entry(payment, source, credited or clearing, day.today)
        bookings.append(Booking(entry, moved, counted))
    refused = await book(tx, bookings, today=day.today, clock=clock)
    answers |= refused
    paid = [payment for payment in fresh if payment.id not in answers]
    try:
        await store.insert_payments(tx, paid)
        await store.queue(tx, [_queued(each) for each in paid if each.status is PaymentStatus.ACCEPTED], day.at)
    except UniqueViolation as rival:
        raise Retry("a payment was made in the same moment") from rival
    return answers


def check_customers(*accounts: int | None) -> Refusal | None:
    """The bank's own accounts pay nobody in this way, and are paid by nobody."""
    own = next((each for each in accounts if each is not None and each >= INTERNAL_ACCOUNT_MIN), None)
    return None if own is None else Refusal(LedgerRefusal.ACCOUNT_NOT_FOUND, {"account": own})


def _queued(payment: Payment) -> Outgoing:
    return Outgoing(payment.id, OutgoingKind.CREDIT_TRANSFER, payment, payment.settlement_date)


def _replayed(asked: Transfer, known: Payment | None) -> Payment | Refusal | None:
    if known is None:
        return None
    same = known.direction is not Direction.INCOMING and as_asked(known) == asked
    return known if same else Refusal(PaymentsRefusal.ID_REUSED, {"id": asked.id})


async def taken_uetr(tx: Transaction, asked: Transfer) -> Refusal | None:
    """A payment has its UETR for itself, on its whole way."""
    if asked.uetr is None or not await store.payments_of_uetr(tx, asked.uetr):
        return None
    return Refusal(PaymentsRefusal.UETR_REUSED, {"uetr": asked.uetr})


async def _ask_back(tx: Transaction, asked: Transfer, lately: Sequence[Payment]) -> Refusal | None:
    """What the payer is to be asked before the money goes."""
    refusal = None if asked.payee_confirmed else await check_payee(tx, asked.creditor)
    return refusal or find_duplicate(asked, lately)


async def check_payee(tx: Transaction, creditor: Endpoint) -> Refusal | None:
    """Whether an account here, that is named, is someone else's."""
    account = own_account(creditor)
    if account is not None and creditor.name:
        match = await customers.name_match(tx, account, creditor.name)
        if match in (NameMatch.CLOSE, NameMatch.NO_MATCH):
            return Refusal(PaymentsRefusal.PAYEE_NAME_DIFFERS, {"account": account, "match": match.value})
    return None


async def check_payer(tx: Transaction, asked: Transfer) -> Refusal | None:
    """Whether the account could pay this at all, money apart."""
    found = (await ledger.accounts(tx, [asked.debtor])).get(asked.debtor)
    if found is None or found.id >= INTERNAL_ACCOUNT_MIN:
        return Refusal(LedgerRefusal.ACCOUNT_NOT_FOUND, {"account": asked.debtor})
    if found.status is ledger.Status.CLOSED:
        return Refusal(LedgerRefusal.ACCOUNT_CLOSED, {"account": asked.debtor})
    if found.asset != asked.asset:
        return Refusal(LedgerRefusal.ASSET_DIFFERS, {"account": asked.debtor, "asset": found.asset})
    if found.chart in CHARTS_UNDER_CONTRACT:
        return Refusal(PaymentsRefusal.MOVES_BY_CONTRACT, {"account": asked.debtor})
    return None


async def payers_of(tx: Transaction, accounts: set[int], today: date) -> dict[int, str]:
    """Whose limits count for each account: its owner's, of several the first's; without one, the account's own."""
    found = {}
    for account in sorted(accounts):
        roles = await customers.roles_of_account(tx, account)
        owners = [str(role.party) for role in roles if role.kind is RoleKind.OWNER and role.stands_on(today)]
        found[account] = min(owners, default=f"account:{account}")
    return found


def _counted(asked: Transfer, payers: Mapping[int, str]) -> Counted:
    return Counted(payers[asked.debtor], asked.asset, asked.channel, asked.amount_minor)
