"""Masked texts tell two apart and give nothing away; texts written alike are compared alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ..model import Party, PartyKind
from .masking import masked_details, masked_email, masked_name, masked_number, masked_party
from .normal import normal_name, normal_number


@pytest.mark.parametrize(
    ("masked", "expected"),
    [
        (masked_name("Li Na"), "L**"),
        (masked_name("李娜"), "李**"),
        (masked_name(""), ""),
        (masked_number("110101199001011234"), "****1234"),
        (masked_number("1234567"), "****"),
        (masked_email("lina@example.com"), "l**@example.com"),
        (masked_email("@example.com"), "****"),
        (masked_email("lina"), "****"),
        (masked_details({"sex": "female"}), {"sex": "****"}),
    ],
)
def test_masks(masked: object, expected: object) -> None:
    assert masked == expected


@given(st.text(), st.text())
def test_a_mask_does_not_tell_the_length(one: str, other: str) -> None:
    assert len(masked_name("A" + one)) == len(masked_name("A" + other))
    assert len(masked_number(one + "12345678")) == len(masked_number(other + "12345678"))


@given(st.text())
def test_what_is_alike_stays_alike(text: str) -> None:
    assert normal_name(f"  {text}\t") == normal_name(text) == normal_name(normal_name(text))
    assert normal_number(text) == normal_number(normal_number(text))


def test_a_masked_party_keeps_what_is_not_personal() -> None:
    ann = Party(
        UUID(int=1), PartyKind.PERSON, "Ann Lee", date(2026, 1, 5), date(1990, 5, 1), "crm:123456", {"sex": "f"}
    )
    assert masked_party(ann) == Party(ann.id, ann.kind, "A**", ann.opened_on, None, "****3456", {"sex": "****"})
    assert masked_party(replace(ann, reference=None)).reference is None


def test_ways_of_writing() -> None:
    assert normal_name(" Ｌｉ\u3000 NA ") == "li na"
    assert normal_number("１１０-101 19x") == normal_number("11010119X") == "11010119x"
