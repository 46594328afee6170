"""What goes into a question to another bank, and what the answers mean. Pure: no clock, no database."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from eastflow.customers import Element, ElementResult, Elements, Results

from ..model import CLASS_ONE_SCHEME, Reason, VerificationReport
from ..write import NAME_CHARACTERS_MAX

IDENTIFICATION_CHARACTERS_MAX = 35
"""Of what a person is known by: a document's number, a telephone's."""
ANOTHER_BANK, NO_ACCOUNT, INCOMPLETE = Reason("AGNT"), Reason("AC01"), Reason("FF01")
_CODES: Mapping[Element, str] = {
    Element.ACCOUNT: "AC01",
    Element.NAME: "PN01",
    Element.DOCUMENT: "PI01",
    Element.PHONE: "PHONE",
    Element.CLASS_ONE: CLASS_ONE_SCHEME,
}
"""In the order of telling. Those of four signs are of ExternalVerificationReason1Code, compared with a public copy of
the standard's code sets; the others are our own."""
_ELEMENTS = {code: element for element, code in _CODES.items()}


def fits(asked: Elements) -> bool:
    """Whether a message can carry it whole. Shortened it would be another person's."""
    return len(asked.name) <= NAME_CHARACTERS_MAX and all(
        len(text) <= IDENTIFICATION_CHARACTERS_MAX for text in (asked.document.number, asked.phone)
    )


def problem(results: Results, *, of_class_one: bool) -> Reason | None:
    """The one thing that another bank is told: the first that does not match, of what it asked."""
    for element, code in _CODES.items():
        if element is Element.CLASS_ONE and not of_class_one:
            continue
        if results[element] is not ElementResult.MATCHES:
            return Reason(code)
    return None


def asked_id(told: VerificationReport) -> UUID | None:
    """The question that a report is of, if it has the form of one of ours."""
    try:
        return UUID(told.original_id)
    except ValueError:
        return None


def results(told: VerificationReport) -> Results:
    """A report is one word on all five elements: if it is yes, all of them match. If it is no, its reason may tell
    which one differs; of the others nothing is known."""
    if told.verified:
        return dict.fromkeys(Element, ElementResult.MATCHES)
    differs = None if told.reason is None else _ELEMENTS.get(told.reason.code)
    return {} if differs is None else {differs: ElementResult.DIFFERS}
