"""Records as they are shown to those who need not know them."""

from __future__ import annotations

from dataclasses import replace

from ..personal_data.masking import HIDDEN, masked_email, masked_name, masked_number
from .model import ChannelIdentity, ContactKind, ContactPoint, Content, Document, Former, Record, Risk


def masked_record(record: Record) -> Record:
    return replace(record, content=_masked(record.content))


def _masked(content: Content) -> Content:
    match content:
        case Document():
            return replace(content, number=masked_number(content.number))
        case ContactPoint(ContactKind.PHONE, value):
            return replace(content, value=masked_number(value))
        case ContactPoint(ContactKind.EMAIL, value):
            return replace(content, value=masked_email(value))
        case ContactPoint():
            return replace(content, value=HIDDEN)
        case ChannelIdentity():
            return replace(content, identifier=masked_number(content.identifier))
        case Risk():
            return replace(content, reason=HIDDEN if content.reason else "")
        case Former():
            return replace(content, name=masked_name(content.name), born_on=None, reason=HIDDEN)
        case _:
            return content
