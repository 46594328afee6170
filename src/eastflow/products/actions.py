"""The verbs of products. Each loads what it needs, decides, and writes, in the caller's one transaction."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from eastflow.kernel import Refusal
from eastflow.storage import Clock, Retry, Transaction, UniqueViolation, now

from . import store
from .decide import (
    decide_approval,
    decide_draft,
    decide_launch,
    decide_migration,
    decide_simulated,
    decide_withdrawal,
)
from .model import Migration, Terms, Version
from .refusals import ProductsRefusal
from .simulation import Plan, Simulation, simulate

__all__ = [
    "approve_version",
    "complete_migration",
    "draft_version",
    "launch_version",
    "plan_migration",
    "simulate_version",
    "withdraw_version",
]


async def draft_version(tx: Transaction, id: UUID, terms: Terms, *, by: str, clock: Clock = now) -> Version | Refusal:
    """A further version of the product that the terms name. The same again answers with it as it is now.

    Refusals: TEXT_MALFORMED, VERSION_ID_REUSED, KIND_CHANGED.
    """
    existing = await store.version_by_id(tx, id)
    siblings = await store.versions(tx, terms.code)
    drafted = decide_draft(id, terms, by, clock(), existing, siblings)
    if isinstance(drafted, Version) and existing is None:
        try:
            await store.insert_version(tx, drafted)
        except UniqueViolation as rival:
            raise Retry("a version was drafted in the same moment") from rival
    return drafted


async def simulate_version(
    tx: Transaction, code: str, number: int, plan: Plan, *, clock: Clock = now
) -> tuple[Version, Simulation] | Refusal:
    """Run the version over the plan's years, and record that it was. Refusals: VERSION_NOT_FOUND, STATUS_UNFIT, and
    those of the contract's own life where the plan does not fit the terms."""
    found = await store.version(tx, code, number)
    if found is None:
        return _not_found(code, number)
    simulated = simulate(found.terms, plan)
    if isinstance(simulated, Refusal):
        return simulated
    decided = await _written(tx, found, decide_simulated(found, clock()))
    return decided if isinstance(decided, Refusal) else (decided, simulated)


async def approve_version(tx: Transaction, code: str, number: int, *, by: str, clock: Clock = now) -> Version | Refusal:
    """By another person than the author. Refusals: TEXT_MALFORMED, VERSION_NOT_FOUND, STATUS_UNFIT,
    APPROVED_BY_AUTHOR."""
    found = await store.version(tx, code, number)
    if found is None:
        return _not_found(code, number)
    return await _written(tx, found, decide_approval(found, by, clock()))


async def launch_version(
    tx: Transaction, code: str, number: int, *, live_from: date, by: str, today: date
) -> Version | Refusal:
    """Refusals: TEXT_MALFORMED, VERSION_NOT_FOUND, STATUS_UNFIT, DAY_IN_PAST, DAY_TAKEN."""
    siblings = await store.versions(tx, code)
    found = next((each for each in siblings if each.number == number), None)
    if found is None:
        return _not_found(code, number)
    return await _written(tx, found, decide_launch(found, siblings, live_from, by, today))


async def withdraw_version(
    tx: Transaction, code: str, number: int, *, on: date, by: str, today: date
) -> Version | Refusal:
    """Refusals: TEXT_MALFORMED, VERSION_NOT_FOUND, STATUS_UNFIT, DAY_IN_PAST."""
    found = await store.version(tx, code, number)
    if found is None:
        return _not_found(code, number)
    return await _written(tx, found, decide_withdrawal(found, on, by, today))


async def plan_migration(tx: Transaction, plan: Migration, *, today: date, clock: Clock = now) -> Migration | Refusal:
    """The contracts of one version go on under another from a day. `migrations_due` tells when it is that day; whoever
    keeps the contracts carries it out, with `migrate`, and says so with `complete_migration`.

    Refusals: TEXT_MALFORMED, MIGRATION_ID_REUSED, VERSION_NOT_FOUND, DAY_IN_PAST, MIGRATION_UNFIT.
    """
    existing = await store.migration(tx, plan.id)
    source = await store.version(tx, plan.code, plan.source)
    target = await store.version(tx, plan.code, plan.target)
    others = await store.migrations(tx, plan.code)
    decided = decide_migration(plan, existing, source, target, others, today)
    if isinstance(decided, Migration) and existing is None:
        try:
            await store.insert_migration(tx, decided, clock())
        except UniqueViolation as rival:
            raise Retry("a migration was planned in the same moment") from rival
    return decided


async def complete_migration(tx: Transaction, id: UUID, *, clock: Clock = now) -> Migration | Refusal:
    """All contracts of the plan's source have gone over. Said again, it changes nothing. Refusals:
    MIGRATION_NOT_FOUND."""
    found = await store.migration(tx, id)
    if found is None:
        return Refusal(ProductsRefusal.MIGRATION_NOT_FOUND, {"id": str(id)})
    return found if found.completed_at is not None else await store.complete_migration(tx, found, clock())


async def _written(tx: Transaction, before: Version, decided: Version | Refusal) -> Version | Refusal:
    if isinstance(decided, Refusal) or decided == before:
        return decided
    try:
        written = await store.update_version(tx, before, decided)
    except UniqueViolation as rival:
        raise Retry("a version was launched in the same moment") from rival
    if not written:
        raise Retry("the version was changed in the same moment")
    return decided


def _not_found(code: str, number: int) -> Refusal:
    return Refusal(ProductsRefusal.VERSION_NOT_FOUND, {"code": code, "number": number})
