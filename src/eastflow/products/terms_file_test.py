"""Terms from files: what is wrong is refused with its place, and what is right is read and written alike."""

from __future__ import annotations

import copy
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eastflow.kernel import INT64_MAX, Refusal

from .model import Terms
from .refusals import ProductsRefusal
from .shipped_terms import FILE_BYTES_MAX, read_terms, shipped
from .terms_file import content_hash, terms_from, terms_to

DEMAND = terms_to(shipped()["cny-corporate-current"])
TERM = terms_to(shipped()["cny-term-1y"])
CALL = terms_to(shipped()["cny-call-7d"])
OVERDRAFT = terms_to(shipped()["cny-corporate-overdraft"])
INSTALMENT = terms_to(shipped()["cny-instalment-1y"])
MONTHS = {"months": [1, 2], "day": 31}
HOOK = {"name": "loyalty_bonus", "parameters": {"bonus_minor": 1, "balance_min_minor": 0, "months_min": 0}}
FEE = {"name": "keeping", "event": "schedule", "amount_minor": 1, "schedule": MONTHS}
EARLY = {"name": "early", "event": "early", "amount_minor": 1}
TIERS = {"changes": [{"since": "2024-01-01", "tiers": [{"percent": "1"}]}]}


def tiers(*told: dict[str, object]) -> dict[str, Any]:
    return {"changes": [{"since": "2024-01-01", "tiers": list(told)}]}


MALFORMED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (DEMAND, {"colour": "red"}, "colour"),
    (DEMAND, {"a\ud800b": 1}, r"a\ud800b"),
    (DEMAND, {"code": None}, "code"),
    (DEMAND, {"code": "No Such"}, "code"),
    (DEMAND, {"code": "a" * 65}, "code"),
    (DEMAND, {"name": "  "}, "name"),
    (DEMAND, {"name": "a\0"}, "name"),
    (DEMAND, {"name": "\ud800"}, "name"),
    (DEMAND, {"kind": "loan"}, "kind"),
    (DEMAND, {"kind": ["demand"]}, "kind"),
    (DEMAND, {"currency": "cny"}, "currency"),
    (DEMAND, {"scale": 3}, "currency"),
    (DEMAND, {"day_count": "ACT/364"}, "day_count"),
    (DEMAND, {"rounding_minor": 0}, "rounding_minor"),
    (DEMAND, {"rounding_minor": True}, "rounding_minor"),
    (DEMAND, {"rounding_minor": INT64_MAX + 1}, "rounding_minor"),
    (DEMAND, {"rates": 3}, "rates"),
    (DEMAND, {"rates": {"changes": []}}, "rates.changes"),
    (DEMAND, {"rates": {"changes": "all"}}, "rates.changes"),
    (DEMAND, {"rates": {"changes": [{"since": "2024-02-30", "tiers": []}]}}, "rates.changes[0].since"),
    (DEMAND, {"rates": {"changes": [{"since": datetime(2024, 1, 1), "tiers": []}]}}, "rates.changes[0].since"),
    (DEMAND, {"rates": {"changes": [{"since": "2024-01-01"}]}}, "rates.changes[0].tiers"),
    (DEMAND, {"rates": tiers()}, "rates.changes[0].tiers"),
    (DEMAND, {"rates": tiers({"percent": 0.35})}, "rates.changes[0].tiers[0].percent"),
    (DEMAND, {"rates": tiers({"percent": "much"})}, "rates.changes[0].tiers[0].percent"),
    (DEMAND, {"rates": tiers({"percent": "0.0000001"})}, "rates.changes[0].tiers[0].percent"),
    (DEMAND, {"rates": tiers({"percent": "1e999999"})}, "rates.changes[0].tiers[0].percent"),
    (DEMAND, {"rates": tiers({"percent": "-1"})}, "rates.changes[0].tiers"),
    (DEMAND, {"rates": tiers({"percent": "100.1"})}, "rates.changes[0].tiers"),
    (DEMAND, {"rates": tiers({"percent": 1, "from_minor": 1})}, "rates.changes[0].tiers"),
    (DEMAND, {"rates": tiers({"percent": 1}, {"percent": 2})}, "rates.changes[0].tiers"),
    (DEMAND, {"rates": {"changes": TIERS["changes"] * 2}}, "rates.changes"),
    (DEMAND, {"demand_rates": TIERS}, "demand_rates"),
    (TERM, {"rates": TIERS | {"method": "slice"}}, "rates.method"),
    (DEMAND, {"counting": "months_and_days"}, "counting"),
    (TERM, {"day_count": "ACT/365F"}, "counting"),
    (DEMAND, {"rate_day": "opening"}, "rate_day"),
    (TERM, {"rate_day": "settlement"}, "rate_day"),
    (DEMAND, {"rate_day": "settlement", "rates": tiers({"percent": 1}, {"from_minor": 5, "percent": 2})}, "rate_day"),
    (DEMAND, {"settlement": None}, "settlement"),
    (DEMAND, {"settlement": {"months": [], "day": 1}}, "settlement.months"),
    (DEMAND, {"settlement": {"months": [2, 1], "day": 1}}, "settlement.months"),
    (DEMAND, {"settlement": {"months": [13], "day": 1}}, "settlement.months"),
    (DEMAND, {"settlement": {"months": [1], "day": 0}}, "settlement.day"),
    (TERM, {"settlement": MONTHS}, "settlement"),
    (TERM, {"term_months": None}, "term_months"),
    (TERM, {"term_months": 0}, "term_months"),
    (CALL, {"term_months": 3}, "term_months"),
    (TERM, {"at_maturity": []}, "at_maturity"),
    (TERM, {"at_maturity": ["hold", "hold"]}, "at_maturity"),
    (TERM, {"at_maturity": ["keep"]}, "at_maturity[0]"),
    (DEMAND, {"at_maturity": ["hold"]}, "at_maturity"),
    (INSTALMENT, {"at_maturity": ["renew_all"]}, "at_maturity"),
    (INSTALMENT, {"renewals_max": 1}, "renewals_max"),
    (CALL, {"notice_days": None}, "notice_days"),
    (CALL, {"notice_days": 366}, "notice_days"),
    (TERM, {"notice_days": 1}, "notice_days"),
    (DEMAND, {"limits": {"floor_minor": 2, "opening_min_minor": 1}}, "limits.floor_minor"),
    (DEMAND, {"limits": {"balance_max_minor": 0}}, "limits.balance_max_minor"),
    (DEMAND, {"limits": {"partial_withdrawals_max": 1}}, "limits.partial_withdrawals_max"),
    (DEMAND, {"limits": {"floor_minor": -1}}, "limits.floor_minor"),
    (DEMAND, {"fees": [FEE, FEE]}, "fees"),
    (DEMAND, {"fees": [FEE | {"name": "A b"}]}, "fees[0].name"),
    (DEMAND, {"fees": [FEE | {"event": "withdrawal"}]}, "fees[0].schedule"),
    (DEMAND, {"fees": [{"name": "keeping", "event": "schedule", "amount_minor": 1}]}, "fees[0].schedule"),
    (DEMAND, {"fees": [FEE | {"schedule": {"months": [1], "day": 32}}]}, "fees[0].schedule.day"),
    (DEMAND, {"fees": [EARLY]}, "fees[0].event"),
    (DEMAND, {"fees": [EARLY | {"event": "opening"}]}, "fees[0].event"),
    (DEMAND, {"fees": [EARLY | {"event": "missed"}]}, "fees[0].event"),
    (TERM, {"fees": [EARLY | {"event": "missed"}]}, "fees[0].event"),
    (INSTALMENT, {"fees": [EARLY | {"event": "withdrawal"}]}, "fees[0].event"),
    (TERM, {"fees": [EARLY | {"event": "opening"}], "limits": {}}, "limits.opening_min_minor"),
    (CALL, {"fees": [EARLY | {"event": "opening"}]}, "limits.opening_min_minor"),
    (TERM, {"fees": [EARLY | {"schedule": MONTHS}]}, "fees[0].schedule"),
    (TERM, {"fees": [EARLY, EARLY]}, "fees"),
    (DEMAND, {"eligibility": {"age_min": 200}}, "eligibility.age_min"),
    (DEMAND, {"eligibility": {"age_min": 18, "age_max": 17}}, "eligibility.age_max"),
    (DEMAND, {"eligibility": {"channels": ["door"]}}, "eligibility.channels[0]"),
    (DEMAND, {"eligibility": {"account_classes": ["IV"]}}, "eligibility.account_classes[0]"),
    (DEMAND, {"hooks": [HOOK, HOOK]}, "hooks"),
    (CALL, {"hooks": [HOOK]}, "hooks"),
    (DEMAND, {"hooks": [{"name": "os.system"}]}, "hooks[0].name"),
    (DEMAND, {"hooks": [{"name": "loyalty_bonus", "parameters": {"bonus_minor": 1}}]}, "hooks[0].parameters"),
    (DEMAND, {"hooks": [{"name": "loyalty_bonus", "parameters": 5}]}, "hooks[0].parameters"),
    (DEMAND, {"hooks": [{"name": "loyalty_bonus", "parameters": {"x": "1"}}]}, "hooks[0].parameters.x"),
    (TERM, {"overdraft": {"limit_minor": 1, "rates": TIERS}}, "overdraft"),
    (DEMAND, {"overdraft": {"rates": TIERS}}, "overdraft.limit_minor"),
    (DEMAND, {"overdraft": {"limit_minor": 0, "rates": TIERS}}, "overdraft.limit_minor"),
    (DEMAND, {"overdraft": {"limit_minor": INT64_MAX, "rates": TIERS}}, "overdraft.limit_minor"),
    (DEMAND, {"overdraft": {"limit_minor": 1}}, "overdraft.rates"),
    (DEMAND, {"overdraft": {"limit_minor": 1, "rates": tiers()}}, "overdraft.rates.changes[0].tiers"),
    (DEMAND, {"overdraft": {"limit_minor": 1, "rates": TIERS, "covers_fees": 1}}, "overdraft.covers_fees"),
    (DEMAND, {"overdraft": {"limit_minor": 1, "rates": TIERS, "colour": 1}}, "overdraft.colour"),
    (OVERDRAFT, {"limits": {"floor_minor": 1, "opening_min_minor": 1}}, "limits.floor_minor"),
]


@pytest.mark.parametrize(("base", "changes", "path"), MALFORMED, ids=[path for _, _, path in MALFORMED])
def test_what_is_wrong_is_refused_with_its_place(base: dict[str, Any], changes: dict[str, Any], path: str) -> None:
    told = {name: value for name, value in (base | changes).items() if value is not None}
    refusal = terms_from(told)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.facts["path"]) == (ProductsRefusal.TERMS_MALFORMED, path)


def test_terms_are_no_list() -> None:
    assert isinstance(terms_from([1]), Refusal)  # type: ignore[arg-type]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.dates() | st.decimals(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from([DEMAND, TERM, CALL, INSTALMENT, OVERDRAFT]), st.data())
def test_whatever_stands_in_a_field_is_read_or_refused(base: dict[str, Any], data: st.DataObject) -> None:
    told = copy.deepcopy(base)
    told[data.draw(st.sampled_from(sorted(told)))] = data.draw(JSON)
    found = terms_from(told)
    if isinstance(found, Terms):
        assert terms_from(json.loads(json.dumps(terms_to(found)))) == found
        assert content_hash(found)


@pytest.mark.parametrize("percent", ["0.35", Decimal("0.35"), Decimal("0.3500")], ids=repr)
def test_a_rate_is_exact_however_it_is_written(percent: object) -> None:
    found = terms_from(DEMAND | {"rates": tiers({"percent": percent})})
    assert isinstance(found, Terms)
    assert found.rates.changes[0].tiers[0].rate_units == 350_000
    assert found.rates.changes[0].since == date(2024, 1, 1)


def test_the_hash_is_of_the_content_and_not_of_its_writing() -> None:
    shuffled = dict(reversed(DEMAND.items())) | {"counting": "days"}
    one, other = terms_from(DEMAND), terms_from(shuffled)
    assert isinstance(one, Terms)
    assert isinstance(other, Terms)
    assert content_hash(one) == content_hash(other)
    dearer = terms_from(DEMAND | {"name": "Other"})
    assert isinstance(dearer, Terms)
    assert content_hash(dearer) != content_hash(one)


def test_a_hash_never_changes() -> None:
    """It is in the books of banks: what fields are added later, terms that do not use them stay as they are."""
    assert content_hash(shipped()["cny-demand"]).startswith("5d87bd3379a5e2b2d5f5378cebe2dd8e")
    assert content_hash(shipped()["cny-term-1y"]).startswith("6e43cd293c5a0402bc0bc8092436484b")


FILES = [
    ("a.toml", b"code ="),
    ("a.toml", b"\xff"),
    ("a.json", b"[" * 100_000),
    ("a.json", b"[]"),
    ("a.json", b"{}"),
    ("a.toml", b"#" * (FILE_BYTES_MAX + 1)),
]


@pytest.mark.parametrize(("name", "content"), FILES, ids=str)
def test_a_file_that_cannot_be_read_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert isinstance(read_terms(tmp_path / name), Refusal)


def test_a_json_file_says_the_same_as_toml(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(DEMAND))
    assert read_terms(tmp_path / "a.json") == shipped()["cny-corporate-current"]
