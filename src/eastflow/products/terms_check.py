"""What of terms must fit together, field by field in the order of the file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from eastflow.kernel import INT64_MAX, RATE_UNITS, is_asset, is_text

from .hooks import HOOKS
from .model import (
    CODE_CHARACTERS_MAX,
    NAME_CHARACTERS_MAX,
    AtMaturity,
    Counting,
    Fee,
    FeeEvent,
    Limits,
    Overdraft,
    ProductKind,
    RateDay,
    RateTable,
    Settlement,
    Terms,
    TierMethod,
)

OVERDRAFT_MAX_MINOR = INT64_MAX >> 4
TERM_MONTHS_MAX = 600
NOTICE_DAYS_MAX = 365
AGE_MAX = 150
ITEMS_MAX = 100
_CODE = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{CODE_CHARACTERS_MAX - 1}}}")
_FEE_NAME = re.compile(r"[a-z][a-z0-9_]{0,29}")
_WITH_TERM = frozenset({ProductKind.TERM, ProductKind.INSTALMENT})
_RENEWING = frozenset({AtMaturity.RENEW_ALL, AtMaturity.RENEW_PRINCIPAL})
_FEES_NOT_FOR = {
    (ProductKind.DEMAND, FeeEvent.OPENING): "a demand product's first money comes by any way; put the fee on schedule",
    (ProductKind.DEMAND, FeeEvent.EARLY): "a demand product has no term to leave early",
    (ProductKind.DEMAND, FeeEvent.MISSED): "a demand product has nothing to miss",
    (ProductKind.TERM, FeeEvent.MISSED): "a term has nothing to miss",
    (ProductKind.INSTALMENT, FeeEvent.WITHDRAWAL): "of instalments no part is withdrawn",
}
"""Why a kind of product has no use for a kind of fee."""
Fault = tuple[str, str]


class TermsMalformed(Exception):
    """A file does not say terms. Within the room only: callers are given a refusal."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def is_code(code: str) -> bool:
    return bool(_CODE.fullmatch(code))


def check(terms: Terms) -> None:
    """Errors: TermsMalformed for the first that does not fit."""
    for path, reason in _faults(terms):
        raise TermsMalformed(path, reason)


def _faults(terms: Terms) -> Iterator[Fault]:
    if not is_code(terms.code):
        yield "code", f"small letters, digits and hyphens are wanted, at most {CODE_CHARACTERS_MAX}"
    if not (terms.name.strip() and is_text(terms.name, NAME_CHARACTERS_MAX)):
        yield "name", f"a text of 1 to {NAME_CHARACTERS_MAX} characters is wanted"
    if not is_asset(terms.asset.code, terms.asset.scale):
        yield "currency", "not a currency with these decimals"
    if terms.rounding_minor < 1:
        yield "rounding_minor", "at least 1 is wanted"
    yield from _rates_faults("rates", terms.rates, terms.kind)
    if terms.demand_rates is not None:
        yield from _rates_faults("demand_rates", terms.demand_rates, terms.kind)
        if terms.kind is ProductKind.DEMAND:
            yield "demand_rates", "a demand product's rates are its `rates`"
    yield from _kind_faults(terms)
    yield from _limits_faults(terms.limits)
    for place, fee in enumerate(terms.fees):
        yield from _fee_faults(f"fees[{place}]", fee, terms.kind)
    yield from _opening_faults(terms)
    if len({fee.name for fee in terms.fees}) < len(terms.fees):
        yield "fees", "each has its own name"
    yield from _eligibility_faults(terms)
    if len({use.name for use in terms.hooks}) < len(terms.hooks):
        yield "hooks", "each is named once"
    for place, use in enumerate(terms.hooks):
        if use.name not in HOOKS:
            yield f"hooks[{place}].name", f"one of these is wanted: {', '.join(sorted(HOOKS))}"
        elif set(use.parameters) != HOOKS[use.name].parameters:
            yield f"hooks[{place}].parameters", f"these are wanted: {', '.join(sorted(HOOKS[use.name].parameters))}"
    if terms.overdraft is not None:
        yield from _overdraft_faults(terms, terms.overdraft)


def _rates_faults(path: str, table: RateTable, kind: ProductKind) -> Iterator[Fault]:
    if table.method is TierMethod.SLICE and kind is not ProductKind.DEMAND:
        yield f"{path}.method", "only a demand product earns by slices"
    if not 1 <= len(table.changes) <= ITEMS_MAX:
        yield f"{path}.changes", f"from 1 to {ITEMS_MAX} are wanted"
    if not _ascends([change.since.toordinal() for change in table.changes]):
        yield f"{path}.changes", "each begins after the one before it"
    for place, change in enumerate(table.changes):
        at = f"{path}.changes[{place}].tiers"
        bounds = [tier.from_minor for tier in change.tiers]
        if not 1 <= len(bounds) <= ITEMS_MAX:
            yield at, f"from 1 to {ITEMS_MAX} are wanted"
        elif bounds[0] != 0 or not _ascends(bounds):
            yield at, "the first begins at 0, each further one above the one before it"
        if any(not 0 <= tier.rate_units <= RATE_UNITS for tier in change.tiers):
            yield at, "a rate is from 0 to 100 percent"


def _kind_faults(terms: Terms) -> Iterator[Fault]:
    """What each kind has to say, and what it has no use for."""
    demand, with_term = terms.kind is ProductKind.DEMAND, terms.kind in _WITH_TERM
    if terms.counting is Counting.MONTHS_AND_DAYS:
        if not with_term:
            yield "counting", "months are counted where there is a term"
        if terms.day_count.denominator != 360:
            yield "counting", "months are counted in years of 360 days"
    if terms.rate_day is RateDay.SETTLEMENT:
        if not demand:
            yield "rate_day", "only a demand product settles"
        if any(len(change.tiers) > 1 for change in terms.rates.changes):
            yield "rate_day", "where the settlement's rate holds for all days, it is one for all balances"
    yield from _given_only_for("settlement", terms.settlement is not None, demand, "a demand product")
    if terms.settlement is not None:
        yield from _settlement_faults("settlement", terms.settlement)
    yield from _given_only_for("term_months", terms.term_months is not None, with_term, "a product with a term")
    if terms.term_months is not None and not 1 <= terms.term_months <= TERM_MONTHS_MAX:
        yield "term_months", f"from 1 to {TERM_MONTHS_MAX} are wanted"
    yield from _given_only_for("at_maturity", bool(terms.at_maturity), with_term, "a product with a term")
    renewing = _RENEWING & set(terms.at_maturity)
    if len(set(terms.at_maturity)) < len(terms.at_maturity):
        yield "at_maturity", "each choice is named once"
    if renewing and terms.kind is ProductKind.INSTALMENT:
        yield "at_maturity", "instalments are paid out or held"
    if terms.renewals_max is not None and not renewing:
        yield "renewals_max", "only where a term is renewed"
    call = terms.kind is ProductKind.CALL
    yield from _given_only_for("notice_days", terms.notice_days is not None, call, "a call deposit")
    if terms.notice_days is not None and not 1 <= terms.notice_days <= NOTICE_DAYS_MAX:
        yield "notice_days", f"from 1 to {NOTICE_DAYS_MAX} are wanted"
    if demand and terms.limits.partial_withdrawals_max is not None:
        yield "limits.partial_withdrawals_max", "a demand product does not count withdrawals"
    if terms.hooks and call:
        yield "hooks", "a call deposit has no dates on which they are asked"


def _given_only_for(path: str, given: bool, wanted: bool, whom: str) -> Iterator[Fault]:
    if wanted and not given:
        yield path, f"{whom} must have it"
    elif given and not wanted:
        yield path, f"only {whom} has it"


def _settlement_faults(path: str, settlement: Settlement) -> Iterator[Fault]:
    months = settlement.months
    if not months or not _ascends(months) or months[0] < 1 or months[-1] > 12:
        yield f"{path}.months", "months from 1 to 12 in their order are wanted, at least one"
    if not 1 <= settlement.day <= 31:
        yield f"{path}.day", "from 1 to 31 is wanted; a shorter month settles on its last"


def _limits_faults(limits: Limits) -> Iterator[Fault]:
    most = limits.balance_max_minor
    if most is not None and most < max(limits.opening_min_minor, limits.floor_minor, 1):
        yield "limits.balance_max_minor", "not below the floor or the least to open with"
    if limits.floor_minor > limits.opening_min_minor:
        yield "limits.floor_minor", "not above the least to open with"


def _overdraft_faults(terms: Terms, overdraft: Overdraft) -> Iterator[Fault]:
    if terms.kind is not ProductKind.DEMAND:
        yield "overdraft", "only a demand product has it"
    if not 1 <= overdraft.limit_minor <= OVERDRAFT_MAX_MINOR:
        yield "overdraft.limit_minor", f"from 1 to {OVERDRAFT_MAX_MINOR} is wanted"
    yield from _rates_faults("overdraft.rates", overdraft.rates, terms.kind)
    if terms.limits.floor_minor:
        yield "limits.floor_minor", "what may be overdrawn keeps nothing back"


def _fee_faults(path: str, fee: Fee, kind: ProductKind) -> Iterator[Fault]:
    if not _FEE_NAME.fullmatch(fee.name):
        yield f"{path}.name", "small letters, digits and underscores are wanted, at most 30"
    if reason := _FEES_NOT_FOR.get((kind, fee.event)):
        yield f"{path}.event", reason
    scheduled = fee.event is FeeEvent.SCHEDULE
    yield from _given_only_for(f"{path}.schedule", fee.schedule is not None, scheduled, "a fee on schedule")
    if fee.schedule is not None:
        yield from _settlement_faults(f"{path}.schedule", fee.schedule)


def _opening_faults(terms: Terms) -> Iterator[Fault]:
    """Whatever comes first, its fees leave the floor, and something."""
    fees_minor = sum(fee.amount_minor for fee in terms.fees if fee.event is FeeEvent.OPENING)
    least = fees_minor + max(1, terms.limits.floor_minor)
    if fees_minor and terms.limits.opening_min_minor < least:
        yield "limits.opening_min_minor", f"with the fees for opening and the floor, at least {least} is wanted"


def _eligibility_faults(terms: Terms) -> Iterator[Fault]:
    least, most = terms.eligibility.age_min, terms.eligibility.age_max
    if least is not None and least > AGE_MAX:
        yield "eligibility.age_min", f"at most {AGE_MAX}"
    if most is not None and not (least or 0) <= most <= AGE_MAX:
        yield "eligibility.age_max", f"not below `age_min`, and at most {AGE_MAX}"


def _ascends(numbers: Sequence[int]) -> bool:
    return all(lower < higher for lower, higher in pairwise(numbers))
