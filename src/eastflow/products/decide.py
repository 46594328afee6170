"""How a version comes to be live, whose contracts go on under another, and who may open one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from eastflow.customers import AccountClass, Channel, PartyKind
from eastflow.kernel import Refusal, is_text

from .model import NAME_CHARACTERS_MAX, Migration, Terms, Version, VersionStatus
from .refusals import ProductsRefusal
from .terms_file import content_hash

NUMBER_MAX = 1_000_000


def decide_draft(
    id: UUID, terms: Terms, by: str, at: datetime, existing: Version | None, siblings: Sequence[Version]
) -> Version | Refusal:
    """`existing` has that id; `siblings` are the versions of the product so far."""
    if refusal := check_actor(by):
        return refusal
    if existing is not None:
        same = existing.terms == terms and existing.author == by
        return existing if same else Refusal(ProductsRefusal.VERSION_ID_REUSED, {"id": str(id)})
    if any((each.terms.kind, each.terms.asset) != (terms.kind, terms.asset) for each in siblings):
        return Refusal(ProductsRefusal.KIND_CHANGED, {"code": terms.code})
    number = max((each.number for each in siblings), default=0) + 1
    return Version(id, number, terms, content_hash(terms), by, at)


def decide_simulated(version: Version, at: datetime) -> Version | Refusal:
    """Simulating again changes nothing."""
    if version.status is VersionStatus.DRAFT:
        return replace(version, status=VersionStatus.SIMULATED, simulated_at=at)
    return version if version.simulated_at is not None else _unfit(version)


def decide_approval(version: Version, by: str, at: datetime) -> Version | Refusal:
    if refusal := check_actor(by):
        return refusal
    if by == version.author:
        return Refusal(ProductsRefusal.APPROVED_BY_AUTHOR, {"author": by})
    if version.approved_by == by:
        return version
    if version.status is not VersionStatus.SIMULATED:
        return _unfit(version)
    return replace(version, status=VersionStatus.APPROVED, approved_by=by, approved_at=at)


def decide_launch(
    version: Version, siblings: Sequence[Version], live_from: date, by: str, today: date
) -> Version | Refusal:
    """Live from a day that has not passed. The version that was live before is superseded on that day."""
    if refusal := check_actor(by):
        return refusal
    if version.status is VersionStatus.LIVE and version.live_from == live_from:
        return version
    if version.status is not VersionStatus.APPROVED:
        return _unfit(version)
    if live_from < today:
        return Refusal(ProductsRefusal.DAY_IN_PAST, {"day": live_from, "today": today})
    if any(each.live_from == live_from for each in siblings):
        return Refusal(ProductsRefusal.DAY_TAKEN, {"day": live_from})
    return replace(version, status=VersionStatus.LIVE, live_from=live_from, launched_by=by)


def decide_withdrawal(version: Version, on: date, by: str, today: date) -> Version | Refusal:
    """No contract is opened under it from `on`; those there are go on. What is not live yet never will be."""
    if refusal := check_actor(by):
        return refusal
    if version.status is VersionStatus.WITHDRAWN:
        return version if version.withdrawn_from == on else _unfit(version)
    if on < today:
        return Refusal(ProductsRefusal.DAY_IN_PAST, {"day": on, "today": today})
    return replace(version, status=VersionStatus.WITHDRAWN, withdrawn_from=on, withdrawn_by=by)


def decide_migration(
    plan: Migration,
    existing: Migration | None,
    source: Version | None,
    target: Version | None,
    others: Sequence[Migration],
    today: date,
) -> Migration | Refusal:
    """`others` are the plans there are for the product. From one version there is one way."""
    if refusal := check_actor(plan.planned_by):
        return refusal
    if existing is not None:
        same = replace(existing, completed_at=None) == plan
        return existing if same else Refusal(ProductsRefusal.MIGRATION_ID_REUSED, {"id": str(plan.id)})
    if source is None or target is None:
        missing = plan.source if source is None else plan.target
        return Refusal(ProductsRefusal.VERSION_NOT_FOUND, {"code": plan.code, "number": missing})
    if plan.on < today:
        return Refusal(ProductsRefusal.DAY_IN_PAST, {"day": plan.on, "today": today})
    if reason := _migration_fault(plan, source, target, others):
        return Refusal(ProductsRefusal.MIGRATION_UNFIT, {"reason": reason})
    return plan


def _migration_fault(plan: Migration, source: Version, target: Version, others: Sequence[Migration]) -> str | None:
    if plan.source == plan.target:
        return "the versions are the same"
    if source.live_from is None:
        return "the source was never live"
    if target.status is not VersionStatus.LIVE or target.live_from is None or target.live_from > plan.on:
        return "the target is not live on that day"
    if any(other.source == plan.source for other in others):
        return "there is a plan for the source already"
    if any(other.source == plan.target for other in others):
        return "the target is itself left by a plan"
    return None


def live_on(versions: Sequence[Version], day: date) -> Version | None:
    """The version of one product that may be opened on `day`: the latest that has come, if it is not withdrawn."""
    come = [version for version in versions if version.live_from is not None and version.live_from <= day]
    latest = max(come, key=lambda version: version.live_from or day, default=None)
    if latest is None or (latest.withdrawn_from is not None and latest.withdrawn_from <= day):
        return None
    return latest


def eligibility_refusal(
    terms: Terms,
    party: PartyKind,
    age_years: int | None,
    channel: Channel,
    account_class: AccountClass | None,
) -> Refusal | None:
    """Whether such a party may open a contract by this channel. An unknown age does not do where an age is asked for.

    Refusals: PARTY_NOT_ELIGIBLE, CHANNEL_NOT_ELIGIBLE.
    """
    rule = terms.eligibility
    if reason := _party_fault(terms, party, age_years, account_class):
        return Refusal(ProductsRefusal.PARTY_NOT_ELIGIBLE, {"reason": reason})
    if rule.channels and channel not in rule.channels:
        return Refusal(ProductsRefusal.CHANNEL_NOT_ELIGIBLE, {"channel": channel.value})
    return None


def _party_fault(
    terms: Terms, party: PartyKind, age_years: int | None, account_class: AccountClass | None
) -> str | None:
    rule = terms.eligibility
    if rule.party_kinds and party not in rule.party_kinds:
        return "party_kind"
    if party is PartyKind.PERSON and (rule.age_min is not None or rule.age_max is not None):
        if age_years is None:
            return "age_unknown"
        if rule.age_min is not None and age_years < rule.age_min:
            return "age_min"
        if rule.age_max is not None and age_years > rule.age_max:
            return "age_max"
    if rule.account_classes and account_class not in rule.account_classes:
        return "account_class"
    return None


def check_actor(by: str) -> Refusal | None:
    if by.strip() and is_text(by, NAME_CHARACTERS_MAX):
        return None
    return Refusal(ProductsRefusal.TEXT_MALFORMED, {"field": "by"})


def _unfit(version: Version) -> Refusal:
    return Refusal(ProductsRefusal.STATUS_UNFIT, {"status": version.status.value, "number": version.number})
