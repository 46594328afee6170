"""One table walks every refusal of an application in its order of precedence, then what is accepted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from eastflow.kernel import INT64_MAX, Refusal

from .decide import check_known, check_parts, decide_completion, decide_step, expiry, named, supplied
from .model import APPLICATION_DAYS, Application, ApplicationStatus, Parts
from .refusals import FlowsRefusal as Why

TODAY = date(2026, 3, 2)
ID, ANN, BOB = UUID(int=1), UUID(int=2), UUID(int=3)
WHOLE = Parts(ANN, "cny-demand", "north", 5)
OPEN = Application(ID, 1_234_567_897, WHOLE, datetime(2026, 3, 2, tzinfo=UTC), TODAY + timedelta(days=30))
DONE = replace(OPEN, status=ApplicationStatus.COMPLETED, account=7)
WITHDRAWN = replace(OPEN, status=ApplicationStatus.WITHDRAWN, parts=Parts())
LATE = replace(OPEN, expires_on=TODAY, parts=Parts())

Decision = Callable[[], object]


def knowing(**known: bool) -> Decision:
    everything = {"party_known": True, "product_known": True, "branch_known": True}
    return lambda: check_known(WHOLE, **(everything | known))


TABLE: list[tuple[Decision, object]] = [
    (lambda: check_parts(Parts(product=" ", amount_minor=-1)), Why.TEXT_MALFORMED),
    (lambda: check_parts(Parts(product="\0")), Why.TEXT_MALFORMED),
    (lambda: check_parts(Parts(product="x" * 65)), Why.TEXT_MALFORMED),
    (lambda: check_parts(Parts(branch="\ud800")), Why.TEXT_MALFORMED),
    (lambda: check_parts(Parts(amount_minor=-1)), Why.AMOUNT_MALFORMED),
    (lambda: check_parts(Parts(amount_minor=INT64_MAX + 1)), Why.AMOUNT_MALFORMED),
    (lambda: Refusal(Why.ONBOARDING_ID_REUSED), Why.ONBOARDING_ID_REUSED),
    (lambda: Refusal(Why.APPLICATION_ID_REUSED), Why.APPLICATION_ID_REUSED),
    (lambda: decide_step(None, ID, TODAY), Why.APPLICATION_NOT_FOUND),
    (lambda: decide_completion(None, ID, TODAY), Why.APPLICATION_NOT_FOUND),
    (lambda: decide_step(DONE, ID, date.max), Why.APPLICATION_ENDED),
    (lambda: decide_completion(WITHDRAWN, ID, date.max), Why.APPLICATION_ENDED),
    (lambda: decide_step(LATE, ID, TODAY), Why.APPLICATION_EXPIRED),
    (lambda: decide_completion(LATE, ID, TODAY), Why.APPLICATION_EXPIRED),
    (knowing(party_known=False, product_known=False, branch_known=False), Why.CUSTOMER_NOT_FOUND),
    (lambda: supplied(OPEN, Parts(party=BOB), TODAY), Why.CUSTOMER_DIFFERS),
    (knowing(product_known=False, branch_known=False), Why.PRODUCT_NOT_FOUND),
    (knowing(branch_known=False), Why.BRANCH_NOT_FOUND),
    (lambda: decide_completion(replace(OPEN, parts=Parts(ANN)), ID, TODAY), Why.PARTS_MISSING),
    (knowing(), None),
    (lambda: check_parts(WHOLE), None),
    (lambda: decide_step(OPEN, ID, TODAY), OPEN),
    (lambda: decide_completion(OPEN, ID, TODAY), OPEN),
    (lambda: decide_completion(DONE, ID, date.max), DONE),
    (lambda: supplied(OPEN, WHOLE, date.max), OPEN),
    (lambda: supplied(OPEN, Parts(), date.max), OPEN),
    (
        lambda: supplied(OPEN, Parts(product="other"), TODAY + timedelta(days=1)),
        replace(OPEN, parts=replace(WHOLE, product="other"), expires_on=OPEN.expires_on + timedelta(days=1)),
    ),
]


@pytest.mark.parametrize(("decision", "expected"), TABLE)
def test_decisions(decision: Decision, expected: object) -> None:
    got = decision()
    assert (got.code if isinstance(got, Refusal) else got) == expected


def test_the_table_walks_every_refusal_in_order() -> None:
    assert list(dict.fromkeys(expected for _, expected in TABLE if isinstance(expected, Why))) == list(Why)


def test_what_is_missing_and_what_is_given() -> None:
    assert replace(OPEN, parts=Parts(branch="north")).missing == ("party", "product")
    assert named(Parts(product="a", amount_minor=0)) == ("product", "amount_minor")


def test_an_application_expires_and_the_last_day_of_all_is_no_bug() -> None:
    assert expiry(TODAY) - TODAY == timedelta(days=APPLICATION_DAYS)
    assert expiry(date.max) == date.max
    assert OPEN.status_on(OPEN.expires_on - timedelta(days=1)) is ApplicationStatus.OPEN
    assert OPEN.status_on(OPEN.expires_on) is ApplicationStatus.EXPIRED
    assert DONE.status_on(date.max) is ApplicationStatus.COMPLETED
