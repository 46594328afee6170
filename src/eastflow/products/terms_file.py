"""Terms as a file has them: read with every fault named by its place, and written so that equal terms look alike."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, TypeVar

from eastflow.customers import AccountClass, Channel, PartyKind
from eastflow.kernel import CURRENCY_SCALES, INT64_MAX, Asset, DayCount, Refusal, rate_units

from .model import (
    AtMaturity,
    Counting,
    Eligibility,
    Fee,
    FeeEvent,
    HookUse,
    Limits,
    Overdraft,
    ProductKind,
    RateChange,
    RateDay,
    RateTable,
    Settlement,
    Terms,
    Tier,
    TierMethod,
)
from .refusals import ProductsRefusal
from .terms_check import TermsMalformed, check

PERCENT = 100
_REQUIRED: Any = object()
_Kind = TypeVar("_Kind", bound=Enum)
_Item = TypeVar("_Item")


def terms_from(mapping: Mapping[str, Any]) -> Terms | Refusal:
    """The terms that a TOML or JSON file describes.

    TOML is to be read with `parse_float=Decimal`; in JSON a rate is written as text and a day as `2026-01-05`.
    Refusals: TERMS_MALFORMED, with the `path` of the first field that is wrong, unknown or missing, and the `reason`.
    """
    try:
        terms = _terms(Reader(mapping, ""))
        check(terms)
    except TermsMalformed as malformed:
        facts = {"path": malformed.path, "reason": malformed.reason}
        return Refusal(ProductsRefusal.TERMS_MALFORMED, facts)
    return terms


def terms_to(terms: Terms) -> dict[str, Any]:
    """What `terms_from` reads, in texts, whole numbers, lists and mappings only. What is None is left out."""
    rates = {name: _table_to(table) for name in ("rates", "demand_rates") if (table := getattr(terms, name))}
    return _without_none({
        "code": terms.code,
        "name": terms.name,
        "kind": terms.kind.value,
        "currency": terms.asset.code,
        "scale": terms.asset.scale,
        "day_count": terms.day_count.value,
        "counting": terms.counting.value,
        "rounding_minor": terms.rounding_minor,
        "settlement": _settlement_to(terms.settlement),
        "term_months": terms.term_months,
        "at_maturity": [choice.value for choice in terms.at_maturity],
        "renewals_max": terms.renewals_max,
        "notice_days": terms.notice_days,
        **rates,
        "limits": _without_none({name: getattr(terms.limits, name) for name in _LIMITS}),
        "fees": [
            _without_none({
                "name": fee.name,
                "event": fee.event.value,
                "amount_minor": fee.amount_minor,
                "schedule": _settlement_to(fee.schedule),
                "waived_from_minor": fee.waived_from_minor,
            })
            for fee in terms.fees
        ],
        "eligibility": _without_none({
            "party_kinds": sorted(kind.value for kind in terms.eligibility.party_kinds),
            "age_min": terms.eligibility.age_min,
            "age_max": terms.eligibility.age_max,
            "channels": sorted(channel.value for channel in terms.eligibility.channels),
            "account_classes": sorted(each.value for each in terms.eligibility.account_classes),
        }),
        "hooks": [{"name": use.name, "parameters": dict(use.parameters)} for use in terms.hooks],
        "overdraft": _overdraft_to(terms.overdraft),
        # Left out where it says nothing new, so that the hash of older terms stays.
        "rate_day": None if terms.rate_day is RateDay.EACH else terms.rate_day.value,
    })  # fmt: skip


def content_hash(terms: Terms) -> str:
    """SHA-256, in hexadecimal, of the terms as JSON with sorted names and no spaces."""
    text = json.dumps(terms_to(terms), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Reader:
    """One table of the file. What is taken is ticked off; `done` refuses what is left."""

    def __init__(self, content: object, path: str) -> None:
        if not isinstance(content, Mapping):
            raise TermsMalformed(path, "a table is wanted")
        self._left = dict(content)
        self._path = path

    def at(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

    def take(self, name: str, read: Callable[[object, str], _Item], default: Any = _REQUIRED) -> _Item:
        if name in self._left:
            return read(self._left.pop(name), self.at(name))
        if default is _REQUIRED:
            raise TermsMalformed(self.at(name), "is missing")
        return default  # type: ignore[no-any-return]

    def done(self) -> None:
        for name in self._left:
            raise TermsMalformed(self.at(ascii(name)[1:-1]), "no such field")


def text(content: object, path: str) -> str:
    if not isinstance(content, str):
        raise TermsMalformed(path, "a text is wanted")
    return content


def flag(content: object, path: str) -> bool:
    if not isinstance(content, bool):
        raise TermsMalformed(path, "true or false is wanted")
    return content


def whole(content: object, path: str) -> int:
    if not isinstance(content, int) or isinstance(content, bool) or not 0 <= content <= INT64_MAX:
        raise TermsMalformed(path, f"a whole number from 0 to {INT64_MAX} is wanted")
    return content


def day(content: object, path: str) -> date:
    if isinstance(content, date) and not isinstance(content, datetime):
        return content
    try:
        return date.fromisoformat(text(content, path))
    except ValueError:
        raise TermsMalformed(path, "a day is wanted, as 2026-01-05") from None


def units_of_percent(content: object, path: str) -> int:
    """`0.35` or `"0.35"`: exact, never by way of a binary fraction."""
    if isinstance(content, bool) or not isinstance(content, int | str | Decimal):
        raise TermsMalformed(path, 'a rate in percent is wanted, as "0.35"')
    try:
        return rate_units(Decimal(content).scaleb(-2))
    except (ValueError, InvalidOperation):
        raise TermsMalformed(path, "a rate in percent is wanted, of at most 6 decimals") from None


def one_of(kind: type[_Kind]) -> Callable[[object, str], _Kind]:
    def read(content: object, path: str) -> _Kind:
        try:
            return kind(content)
        except ValueError:
            choices = ", ".join(str(member.value) for member in kind)
            raise TermsMalformed(path, f"one of these is wanted: {choices}") from None

    return read


def list_of(read: Callable[[object, str], _Item]) -> Callable[[object, str], tuple[_Item, ...]]:
    def read_all(content: object, path: str) -> tuple[_Item, ...]:
        if not isinstance(content, Sequence) or isinstance(content, str | bytes):
            raise TermsMalformed(path, "a list is wanted")
        return tuple(read(item, f"{path}[{place}]") for place, item in enumerate(content))

    return read_all


def set_of(kind: type[_Kind]) -> Callable[[object, str], frozenset[_Kind]]:
    return lambda content, path: frozenset(list_of(one_of(kind))(content, path))


def _terms(reader: Reader) -> Terms:
    terms = Terms(
        reader.take("code", text),
        reader.take("name", text),
        reader.take("kind", one_of(ProductKind)),
        _asset(reader),
        reader.take("day_count", one_of(DayCount)),
        reader.take("rates", _table),
        reader.take("counting", one_of(Counting), Counting.DAYS),
        reader.take("demand_rates", _table, None),
        reader.take("rounding_minor", whole, 1),
        reader.take("settlement", _settlement, None),
        reader.take("term_months", whole, None),
        reader.take("at_maturity", list_of(one_of(AtMaturity)), ()),
        reader.take("renewals_max", whole, None),
        reader.take("notice_days", whole, None),
        reader.take("limits", _limits, Limits()),
        reader.take("fees", list_of(_fee), ()),
        reader.take("eligibility", _eligibility, Eligibility()),
        reader.take("hooks", list_of(_hook), ()),
        reader.take("overdraft", _overdraft, None),
        reader.take("rate_day", one_of(RateDay), RateDay.EACH),
    )
    reader.done()
    return terms


def _asset(reader: Reader) -> Asset:
    """A currency of ISO 4217 need not say its scale."""
    code = reader.take("currency", text)
    return Asset(code, reader.take("scale", whole, CURRENCY_SCALES.get(code, 0)))


def _table(content: object, path: str) -> RateTable:
    reader = Reader(content, path)
    table = RateTable(
        reader.take("method", one_of(TierMethod), TierMethod.WHOLE), reader.take("changes", list_of(_change))
    )
    reader.done()
    return table


def _change(content: object, path: str) -> RateChange:
    reader = Reader(content, path)
    change = RateChange(reader.take("since", day), reader.take("tiers", list_of(_tier)))
    reader.done()
    return change


def _tier(content: object, path: str) -> Tier:
    reader = Reader(content, path)
    tier = Tier(reader.take("from_minor", whole, 0), reader.take("percent", units_of_percent))
    reader.done()
    return tier


def _settlement(content: object, path: str) -> Settlement:
    reader = Reader(content, path)
    settlement = Settlement(reader.take("months", list_of(whole)), reader.take("day", whole))
    reader.done()
    return settlement


_LIMITS = (
    "opening_min_minor",
    "floor_minor",
    "balance_max_minor",
    "pay_in_min_minor",
    "withdrawal_min_minor",
    "partial_withdrawals_max",
)


def _limits(content: object, path: str) -> Limits:
    reader, usual = Reader(content, path), Limits()
    limits = Limits(*(reader.take(name, whole, getattr(usual, name)) for name in _LIMITS))
    reader.done()
    return limits


def _fee(content: object, path: str) -> Fee:
    reader = Reader(content, path)
    fee = Fee(
        reader.take("name", text),
        reader.take("event", one_of(FeeEvent)),
        reader.take("amount_minor", whole),
        reader.take("schedule", _settlement, None),
        reader.take("waived_from_minor", whole, None),
    )
    reader.done()
    return fee


def _eligibility(content: object, path: str) -> Eligibility:
    reader = Reader(content, path)
    found = Eligibility(
        reader.take("party_kinds", set_of(PartyKind), frozenset()),
        reader.take("age_min", whole, None),
        reader.take("age_max", whole, None),
        reader.take("channels", set_of(Channel), frozenset()),
        reader.take("account_classes", set_of(AccountClass), frozenset()),
    )
    reader.done()
    return found


def _hook(content: object, path: str) -> HookUse:
    reader = Reader(content, path)
    use = HookUse(reader.take("name", text), reader.take("parameters", _parameters, {}))
    reader.done()
    return use


def _parameters(content: object, path: str) -> dict[str, int]:
    reader = Reader(content, path)
    names = list(content) if isinstance(content, Mapping) else []
    return {name: reader.take(name, whole) for name in names}


def _overdraft(content: object, path: str) -> Overdraft:
    reader = Reader(content, path)
    overdraft = Overdraft(
        reader.take("limit_minor", whole), reader.take("rates", _table), reader.take("covers_fees", flag, False)
    )
    reader.done()
    return overdraft


def _overdraft_to(overdraft: Overdraft | None) -> dict[str, Any] | None:
    if overdraft is None:
        return None
    rates = _table_to(overdraft.rates)
    return {"limit_minor": overdraft.limit_minor, "rates": rates, "covers_fees": overdraft.covers_fees}


def _table_to(table: RateTable) -> dict[str, Any]:
    changes = [
        {
            "since": change.since.isoformat(),
            "tiers": [{"from_minor": tier.from_minor, "percent": _percent(tier.rate_units)} for tier in change.tiers],
        }
        for change in table.changes
    ]
    return {"method": table.method.value, "changes": changes}


def _percent(units: int) -> str:
    """`350000` is `0.35`: a rate has eight decimals, and six as percent."""
    whole_part, rest = divmod(units, 10**6)
    return f"{whole_part}.{rest:06}".rstrip("0").rstrip(".")


def _settlement_to(settlement: Settlement | None) -> dict[str, Any] | None:
    return None if settlement is None else {"months": list(settlement.months), "day": settlement.day}


def _without_none(content: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if value is not None}
