"""The nouns of products: terms as data, the life of one contract under them, and the versions of a product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from uuid import UUID

from eastflow.customers import AccountClass, Channel, PartyKind
from eastflow.kernel import Asset, DayCount

CODE_CHARACTERS_MAX = 64
NAME_CHARACTERS_MAX = 200


class ProductKind(Enum):
    """How a contract runs.

    `demand` 活期: money comes and goes, interest by the day's closing balance, credited on settlement dates.
    `term` 定期 (整存整取): one sum, one term, the rate of the day the term began.
    `call` 通知存款: one sum, withdrawn after notice, the rate of the day it is withdrawn.
    `instalment` 零存整取: the same sum each month, the rate of the day the term began.
    """

    DEMAND = "demand"
    TERM = "term"
    CALL = "call"
    INSTALMENT = "instalment"


class TierMethod(Enum):
    """`slice`: each part of a balance earns its own tier's rate. `whole`: the whole earns the tier's it has reached."""

    SLICE = "slice"
    WHOLE = "whole"


class Counting(Enum):
    """How a sum's time is counted. `days`: by the day count. `months_and_days`: whole months as thirty days each, and
    odd days as they are, of a year of 360 (整月按月, 零头天数按日; day rate = year rate / 360, as the central bank's
    notice 银发〔2005〕129号 has it: recalled, not checked)."""

    DAYS = "days"
    MONTHS_AND_DAYS = "months_and_days"


class RateDay(Enum):
    """Which day's rate a balance that comes and goes earns. `each`: every day its own. `settlement`: all days of a
    period that of its last one (结息日挂牌利率), or of the day on which the contract is closed (清户日): the central
    bank's rule for 活期 since 2005, recalled, not checked."""

    EACH = "each"
    SETTLEMENT = "settlement"


class AtMaturity(Enum):
    """What happens to a term's principal and interest on the day it matures.

    `pay_out`: both to the nominated account. `hold`: nothing, until the customer comes; the overdue days earn the
    demand rate. `renew_principal`: interest to the nominated account, the rest for a further term.
    `renew_all`: interest is added, and all goes on for a further term.
    """

    PAY_OUT = "pay_out"
    HOLD = "hold"
    RENEW_PRINCIPAL = "renew_principal"
    RENEW_ALL = "renew_all"


@dataclass(frozen=True, slots=True)
class Tier:
    """From `from_minor` on, `rate_units` a year (see `kernel.RATE_UNITS`)."""

    from_minor: int
    rate_units: int


@dataclass(frozen=True, slots=True)
class RateChange:
    """The tiers from the day `since` on. The first begins at 0; they ascend."""

    since: date
    tiers: tuple[Tier, ...]


@dataclass(frozen=True, slots=True)
class RateTable:
    """Rates by day and balance. `changes` ascend; before the first of them the rate is 0."""

    method: TierMethod
    changes: tuple[RateChange, ...]


@dataclass(frozen=True, slots=True)
class Settlement:
    """Interest of all days before it is credited on `day` of each of the `months` of a year (1 to 12).

    The Chinese quarter, counted to the 20th (结息日), is `Settlement((3, 6, 9, 12), 21)`. A month without such a day
    settles on its last: `Settlement(tuple(range(1, 13)), 31)` is each month's end.
    """

    months: tuple[int, ...]
    day: int


@dataclass(frozen=True, slots=True)
class Overdraft:
    """How far below zero a balance may go, and what that costs: `rates` a year, by how much is overdrawn.

    `covers_fees`: scheduled fees may be taken out of it; otherwise they take the customer's own money only.
    """

    limit_minor: int
    rates: RateTable
    covers_fees: bool = False


class FeeEvent(Enum):
    """`schedule`: on the fee's dates. `withdrawal`: with each withdrawal that leaves something. `opening`: with the
    first money. `early`: with what leaves a term before it matures, or a call deposit without notice. `missed`: at the
    end of a month whose instalment has not come, until the plan is broken, or of a day for which notice was given and
    not used."""

    SCHEDULE = "schedule"
    WITHDRAWAL = "withdrawal"
    OPENING = "opening"
    EARLY = "early"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Fee:
    """`amount_minor` when `event` happens; not while the balance is at least `waived_from_minor`.

    Of a demand contract it takes what the balance has above its floor and no more: the rest is not owed. Of what has a
    term or notice, an opening fee comes out of the first money; every other one waits for what is paid next (`Charge`).
    `schedule` is given for those on schedule only.
    """

    name: str
    event: FeeEvent
    amount_minor: int
    schedule: Settlement | None = None
    waived_from_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """In minor units; None is no limit. `floor_minor`: what must stay until the contract is closed."""

    opening_min_minor: int = 0
    floor_minor: int = 0
    balance_max_minor: int | None = None
    pay_in_min_minor: int = 1
    withdrawal_min_minor: int = 1
    partial_withdrawals_max: int | None = None


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Who may open a contract, and by which way in; an empty set is every one. Ages are in whole years and bind persons
    only. With account classes, only an account that has one of them will do."""

    party_kinds: frozenset[PartyKind] = frozenset()
    age_min: int | None = None
    age_max: int | None = None
    channels: frozenset[Channel] = frozenset()
    account_classes: frozenset[AccountClass] = frozenset()


@dataclass(frozen=True, slots=True)
class HookUse:
    """A hook of `products.hooks` by name, with its whole-number parameters. Hooks are asked on settlement dates, and
    when a term that has matured is paid."""

    name: str
    parameters: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Terms:
    """All that is agreed, as data; `code` names the product. Made by `terms_from`, which refuses what does not fit.

    `rates` are the contract's; `demand_rates` are earned instead where a term is broken, overdue or without notice,
    always those of the day of withdrawal. `rounding_minor`: interest is a multiple of it, half up.
    `settlement` is of demand contracts, and so are `rate_day` and an `overdraft`; `term_months` and `at_maturity`
    (those a customer may choose from, the first unless chosen) of term and instalment; `notice_days` of call.
    """

    code: str
    name: str
    kind: ProductKind
    asset: Asset
    day_count: DayCount
    rates: RateTable
    counting: Counting = Counting.DAYS
    demand_rates: RateTable | None = None
    rounding_minor: int = 1
    settlement: Settlement | None = None
    term_months: int | None = None
    at_maturity: tuple[AtMaturity, ...] = ()
    renewals_max: int | None = None
    notice_days: int | None = None
    limits: Limits = Limits()
    fees: tuple[Fee, ...] = ()
    eligibility: Eligibility = Eligibility()
    hooks: tuple[HookUse, ...] = ()
    overdraft: Overdraft | None = None
    rate_day: RateDay = RateDay.EACH

    @property
    def floor_minor(self) -> int:
        """The lowest balance of a contract that is not closed."""
        return self.limits.floor_minor if self.overdraft is None else -self.overdraft.limit_minor


class AccountRole(Enum):
    """Whose account a leg is on.

    `customer`: the contract's own. `nominated`: the other side of a movement, which the caller knows: cash, clearing,
    or the account that a maturing deposit is paid to. The rest are the bank's.
    """

    CUSTOMER = "customer"
    NOMINATED = "nominated"
    INTEREST_EXPENSE = "interest_expense"
    INTEREST_PAYABLE = "interest_payable"
    FEE_INCOME = "fee_income"
    OVERDRAFT_INTEREST_INCOME = "overdraft_interest_income"


@dataclass(frozen=True, slots=True)
class Leg:
    """Positive credits, negative debits."""

    role: AccountRole
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Directive:
    """What is to be posted: legs that sum to zero. `kind`: `deposit`, `withdrawal`, `interest`, `overdraft_interest`,
    `fee:<name>`, `bonus:<hook>`. The sum of the customer's legs is what the contract's balance changes by."""

    kind: str
    value_date: date
    legs: tuple[Leg, ...]


@dataclass(frozen=True, slots=True)
class Accrual:
    """Interest of the current period of a demand contract, as far as it is counted.

    It covers the days before `through`. `balance_minor` is where the balance stands as `through` begins, or has come
    to since. `numerator` is the sum over the days of each slice's balance times its rate units times the day's weight:
    an exact whole number, over `RATE_UNITS * day_count.denominator`. Where the rate is known only at the settlement
    (`RateDay`), it is the sum of balances times weights alone. `debit_numerator` is that of the days on which the
    balance was overdrawn, always at their own rates.
    """

    through: date
    balance_minor: int = 0
    numerator: int = 0
    debit_numerator: int = 0


@dataclass(frozen=True, slots=True)
class Lot:
    """One sum paid in, and the day from which it counts. `kept` is False for an instalment after the plan was broken:
    it earns the demand rate."""

    amount_minor: int
    since: date
    kept: bool = True


@dataclass(frozen=True, slots=True)
class Period:
    """A term: from `start` to `maturity` (excluded), at the rate that was fixed when it began. `number` from 1."""

    start: date
    maturity: date
    rate_units: int
    number: int = 1


@dataclass(frozen=True, slots=True)
class Notice:
    """Notice of withdrawal: `amount_minor` will be taken on `due_on`, and not on another day."""

    given_on: date
    due_on: date
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Charge:
    """What has come due of the fee `name` of a term, a call deposit or instalments. It is taken out of the interest or
    the part that is paid next, never more than that; what the last payment has no room for is not owed."""

    name: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Contract:
    """One customer's contract at a moment. Everything in it but `terms` is its state (`state_of`, `contract_from`).

    `open_day`: the first day whose end has not been done. `acted_on`: the last day on which something moved.
    `funded`: the first money has come. A demand contract has an `accrual`; the others have `lots`, and those with a
    term, once funded, a `period`. `idle_numerator` of a call deposit: amounts times day weights under notice that was
    not used, for which the next interest is less. `owed_minor`: debit interest of settled periods that would have gone
    below the floor; it is taken as soon as there is money. `charges`: fees that wait, one for each name.
    """

    terms: Terms
    opened_on: date
    open_day: date
    acted_on: date
    at_maturity: AtMaturity | None = None
    funded: bool = False
    accrual: Accrual | None = None
    lots: tuple[Lot, ...] = ()
    period: Period | None = None
    notices: tuple[Notice, ...] = ()
    idle_numerator: int = 0
    instalment_minor: int | None = None
    partial_withdrawals: int = 0
    closed_on: date | None = None
    owed_minor: int = 0
    charges: tuple[Charge, ...] = ()

    @property
    def balance_minor(self) -> int:
        if self.accrual is not None:
            return self.accrual.balance_minor
        return sum(lot.amount_minor for lot in self.lots)


class VersionStatus(Enum):
    """`live`: it has a day from which it may be opened, until a later version's day. `withdrawn`: it no longer may from
    a day on, or never was live."""

    DRAFT = "draft"
    SIMULATED = "simulated"
    APPROVED = "approved"
    LIVE = "live"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a product's terms. Its content never changes; `content_hash` is the SHA-256 of its canonical JSON.

    `live_from` is the first day it may be opened, `withdrawn_from` the first day it no longer may: contracts opened
    before go on under it.
    """

    id: UUID
    number: int
    terms: Terms
    content_hash: str
    author: str
    drafted_at: datetime
    status: VersionStatus = VersionStatus.DRAFT
    simulated_at: datetime | None = None
    approved_by: str | None = None
    approved_at: datetime | None = None
    live_from: date | None = None
    launched_by: str | None = None
    withdrawn_from: date | None = None
    withdrawn_by: str | None = None

    @property
    def code(self) -> str:
        return self.terms.code


@dataclass(frozen=True, slots=True)
class Migration:
    """A plan: contracts under version `source` of `code` go on under `target` from the day `on`."""

    id: UUID
    code: str
    source: int
    target: int
    on: date
    planned_by: str
    completed_at: datetime | None = None
