"""Hooks are pure: asked with the world out of reach they answer the same, and what they answer balances."""

from __future__ import annotations

import builtins
import os
import random
import socket
import subprocess
import time
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from eastflow.kernel import Refusal

from .contract import begin, end_of_day
from .hooks import HOOKS
from .model import AccountRole, Directive, HookUse, Leg, Terms
from .movements import pay_in
from .shipped_terms import shipped

BONUS = "bonus:loyalty_bonus"
DAY = date(2026, 12, 21)
WORLD = [
    *((builtins, "open"), (socket, "socket"), (socket, "create_connection"), (subprocess, "Popen"), (os, "urandom")),
    *((time, "time"), (time, "sleep"), (time, "monotonic"), (random, "random")),
]


def hooked(name: str, parameters: dict[str, int]) -> Terms:
    return replace(shipped()["cny-demand"], hooks=(HookUse(name, parameters),))


def ended(terms: Terms) -> tuple[Directive, ...]:
    begun = begin(terms, date(2026, 1, 5))
    assert not isinstance(begun, Refusal)
    paid = pay_in(begun, 100_000, date(2026, 1, 5))
    assert not isinstance(paid, Refusal)
    return end_of_day(paid[0], DAY)[1]


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_a_hook_touches_nothing_outside_and_its_directives_balance(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    terms = hooked(name, dict.fromkeys(HOOKS[name].parameters, 1))
    expected = ended(terms)

    def forbidden(*_: Any, **__: Any) -> None:
        raise AssertionError("a hook reaches for the world")

    for module, function in WORLD:
        monkeypatch.setattr(module, function, forbidden)
    found = ended(terms)
    monkeypatch.undo()
    assert found == expected
    assert any(directive.kind == f"bonus:{name}" for directive in found)
    assert all(sum(leg.amount_minor for leg in directive.legs) == 0 for directive in found)


@pytest.mark.parametrize(
    ("balance_min", "months_min", "bonuses"), [(1, 0, 4), (1, 3, 3), (1, 12, 0), (10**9, 0, 0)], ids=str
)
def test_the_loyalty_bonus(balance_min: int, months_min: int, bonuses: int) -> None:
    parameters = {"bonus_minor": 700, "balance_min_minor": balance_min, "months_min": months_min}
    posted = [each for each in ended(hooked("loyalty_bonus", parameters)) if each.kind == BONUS]
    assert [each.legs for each in posted] == [
        (Leg(AccountRole.INTEREST_EXPENSE, -700), Leg(AccountRole.CUSTOMER, 700))
    ] * bonuses


@pytest.mark.parametrize(
    ("kind", "legs", "problem"),
    [
        (BONUS, (Leg(AccountRole.CUSTOMER, 5),), "balance"),
        (BONUS, (Leg(AccountRole.CUSTOMER, -(10**9)), Leg(AccountRole.FEE_INCOME, 10**9)), "leaves the floor"),
        ("bonus:other", (), "one thing, named after it"),
    ],
)
def test_a_hook_that_answers_wrongly_is_a_bug(
    kind: str, legs: tuple[Leg, ...], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = replace(HOOKS["loyalty_bonus"], answer=lambda *_: (Directive(kind, date(2026, 3, 21), legs),))
    monkeypatch.setitem(HOOKS, "loyalty_bonus", hook)
    with pytest.raises(AssertionError, match=problem):
        ended(hooked("loyalty_bonus", {"bonus_minor": 1, "balance_min_minor": 0, "months_min": 0}))
