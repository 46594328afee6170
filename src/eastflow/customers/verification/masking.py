"""A verification as it is shown to those who need not know whom it is about."""

from __future__ import annotations

from dataclasses import replace

from ..personal_data.masking import masked_name, masked_number
from .model import Verification


def masked_verification(found: Verification) -> Verification:
    asked = found.elements
    masked = replace(
        asked,
        name=masked_name(asked.name),
        document=replace(asked.document, number=masked_number(asked.document.number), expires_on=None),
        phone=masked_number(asked.phone),
        account=masked_number(asked.account),
    )
    return replace(found, elements=masked)
