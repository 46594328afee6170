"""May an application take this step? Pure: no clock, no database."""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple, fields, replace
from datetime import date, timedelta
from uuid import UUID

from eastflow.kernel import INT64_MAX, Refusal, is_text

from .model import (
    APPLICATION_DAYS,
    BRANCH_CHARACTERS_MAX,
    PRODUCT_CHARACTERS_MAX,
    Application,
    ApplicationStatus,
    Parts,
)
from .refusals import FlowsRefusal as Why


def check_parts(parts: Parts) -> Refusal | None:
    """The first refusal that applies to the parts by themselves, or None."""
    texts = (("product", parts.product, PRODUCT_CHARACTERS_MAX), ("branch", parts.branch, BRANCH_CHARACTERS_MAX))
    for field, text, characters_max in texts:
        if text is not None and not (text.strip() and is_text(text, characters_max)):
            return Refusal(Why.TEXT_MALFORMED, {"field": field})
    if parts.amount_minor is not None and not 0 <= parts.amount_minor <= INT64_MAX:
        return Refusal(Why.AMOUNT_MALFORMED, {"amount_minor": parts.amount_minor})
    return None


def check_known(parts: Parts, *, party_known: bool, product_known: bool, branch_known: bool) -> Refusal | None:
    """What is named must exist; what is not named is known."""
    if not party_known:
        return Refusal(Why.CUSTOMER_NOT_FOUND, {"party": parts.party})
    if not product_known:
        return Refusal(Why.PRODUCT_NOT_FOUND, {"product": parts.product})
    if not branch_known:
        return Refusal(Why.BRANCH_NOT_FOUND, {"branch": parts.branch})
    return None


def decide_step(found: Application | None, id: UUID, today: date) -> Application | Refusal:
    """The application, if it is open."""
    if found is None:
        return Refusal(Why.APPLICATION_NOT_FOUND, {"application": id})
    status = found.status_on(today)
    if status is ApplicationStatus.EXPIRED:
        return Refusal(Why.APPLICATION_EXPIRED, {"application": id, "expires_on": found.expires_on})
    if status is not ApplicationStatus.OPEN:
        return Refusal(Why.APPLICATION_ENDED, {"application": id, "status": status.value})
    return found


def supplied(application: Application, given: Parts, today: date) -> Application | Refusal:
    """With what was given in place of what it had; unchanged if that is the same. Whose it is stays."""
    before = application.parts
    if before.party is not None and given.party not in (None, before.party):
        return Refusal(Why.CUSTOMER_DIFFERS, {"application": application.id})
    parts = replace(before, **{name: getattr(given, name) for name in named(given)})
    return application if parts == before else replace(application, parts=parts, expires_on=expiry(today))


def decide_completion(found: Application | None, id: UUID, today: date) -> Application | Refusal:
    """The application, if it may be completed or was completed before."""
    if found is not None and found.status is ApplicationStatus.COMPLETED:
        return found
    decided = decide_step(found, id, today)
    if isinstance(decided, Application) and decided.missing:
        return Refusal(Why.PARTS_MISSING, {"application": id, "missing": ", ".join(decided.missing)})
    return decided


def named(parts: Parts) -> tuple[str, ...]:
    """Which parts are given."""
    return tuple(each.name for each in fields(parts) if getattr(parts, each.name) is not None)


def content_hash(parts: Parts) -> bytes:
    """The same for parts that say the same."""
    return hashlib.sha256(json.dumps(astuple(parts), default=str).encode()).digest()


def expiry(today: date) -> date:
    return today + min(timedelta(days=APPLICATION_DAYS), date.max - today)
