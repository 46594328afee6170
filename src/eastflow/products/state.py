"""A contract's state as texts and whole numbers, to be kept beside the version it is under."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from .model import Accrual, AtMaturity, Charge, Contract, Lot, Notice, Period, Terms

_DATES = ("opened_on", "open_day", "acted_on")


def state_of(contract: Contract) -> dict[str, Any]:
    """All of it but the terms, as JSON can have it. Whole numbers may be larger than 64 bits, so those are texts."""
    state: dict[str, Any] = {name: getattr(contract, name).isoformat() for name in _DATES}
    state |= {"funded": contract.funded, "idle_numerator": str(contract.idle_numerator)}
    state |= {"instalment_minor": contract.instalment_minor, "partial_withdrawals": contract.partial_withdrawals}
    state["at_maturity"] = contract.at_maturity and contract.at_maturity.value
    state["closed_on"] = contract.closed_on and contract.closed_on.isoformat()
    if (accrual := contract.accrual) is not None:
        numerators = [accrual.numerator, *filter(None, (accrual.debit_numerator,))]
        state["accrual"] = [accrual.through.isoformat(), accrual.balance_minor, *map(str, numerators)]
    if contract.owed_minor:
        state["owed_minor"] = contract.owed_minor
    if contract.charges:
        state["charges"] = [[charge.name, charge.amount_minor] for charge in contract.charges]
    if (period := contract.period) is not None:
        state["period"] = [period.start.isoformat(), period.maturity.isoformat(), period.rate_units, period.number]
    state["lots"] = [[lot.amount_minor, lot.since.isoformat(), lot.kept] for lot in contract.lots]
    state["notices"] = [
        [notice.given_on.isoformat(), notice.due_on.isoformat(), notice.amount_minor] for notice in contract.notices
    ]
    return state


def contract_from(terms: Terms, state: Mapping[str, Any]) -> Contract:
    """What `state_of` was made of."""
    accrual, period = state.get("accrual"), state.get("period")
    return Contract(
        terms,
        _day(state["opened_on"]),
        _day(state["open_day"]),
        _day(state["acted_on"]),
        at_maturity=state["at_maturity"] and AtMaturity(state["at_maturity"]),
        funded=state["funded"],
        accrual=accrual and Accrual(_day(accrual[0]), accrual[1], *map(int, accrual[2:])),
        lots=tuple(Lot(amount, _day(since), kept) for amount, since, kept in state["lots"]),
        period=period and Period(_day(period[0]), _day(period[1]), period[2], period[3]),
        notices=tuple(Notice(_day(given), _day(due), amount) for given, due, amount in state["notices"]),
        idle_numerator=int(state["idle_numerator"]),
        instalment_minor=state["instalment_minor"],
        partial_withdrawals=state["partial_withdrawals"],
        closed_on=state["closed_on"] and _day(state["closed_on"]),
        owed_minor=state.get("owed_minor", 0),
        charges=tuple(Charge(name, amount) for name, amount in state.get("charges", ())),
    )


def _day(text: str) -> date:
    return date.fromisoformat(text)
