"""Questions to other banks, and our answers to theirs, into messages valid by their schemas."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lxml import etree

from eastflow.customers import Document, Verification

from .. import safe_xml
from ..model import (
    CLASS_ONE_SCHEME,
    DOCUMENT_SCHEMES,
    PHONE_SCHEME,
    Header,
    Kind,
    Reason,
    VerificationReport,
)
from ..safe_xml import Maker

_BIC = re.compile("[A-Z]{6}[A-Z2-9][A-NP-Z0-9](?:[A-Z0-9]{3})?")
"""As the release of 2013 has it: narrower than that of the payments."""


def request(header: Header, asked: Verification, *, sender: str, receiver: str) -> bytes:
    """The message has no place for an account's class: it is asked for by the name of the number's scheme."""
    make = Maker(Kind.VERIFICATION)
    elements = asked.elements
    person = make(
        "PrvtId",
        make("Othr", *_document(make, elements.document)),
        make("Othr", make("Id", elements.phone), make("SchmeNm", make("Cd", PHONE_SCHEME))),
    )
    account = make("Othr", make("Id", elements.account), make("SchmeNm", make("Prtry", CLASS_ONE_SCHEME)))
    return safe_xml.write(
        Kind.VERIFICATION,
        _assignment(make, header, sender, receiver),
        make(
            "Vrfctn",
            make("Id", asked.id.hex),
            make(
                "PtyAndAcctId",
                make("Pty", make("Nm", elements.name), make("Id", person)),
                make("Acct", account),
                make("Agt", _agent(make, elements.bank)),
            ),
        ),
    )


def report(
    header: Header, told: Sequence[VerificationReport], *, original_id: str, sender: str, receiver: str
) -> bytes:
    make = Maker(Kind.VERIFICATION_REPORT)
    return safe_xml.write(
        Kind.VERIFICATION_REPORT,
        _assignment(make, header, sender, receiver),
        make("OrgnlAssgnmt", make("MsgId", original_id)),
        *(
            make(
                "Rpt",
                make("OrgnlId", each.original_id),
                make("Vrfctn", "true" if each.verified else "false"),
                _reason(make, each.reason),
            )
            for each in told
        ),
    )


def _assignment(make: Maker, header: Header, sender: str, receiver: str) -> etree._Element:
    return make(
        "Assgnmt",
        make("MsgId", header.message_id),
        make("CreDtTm", header.created_at),
        make("Assgnr", make("Agt", _agent(make, sender))),
        make("Assgne", make("Agt", _agent(make, receiver))),
    )


def _agent(make: Maker, code: str) -> etree._Element:
    if _BIC.fullmatch(code):
        return make("FinInstnId", make("BICFI", code))
    return make("FinInstnId", make("ClrSysMmbId", make("MmbId", code)))


def _document(make: Maker, shown: Document) -> tuple[etree._Element, ...]:
    code = DOCUMENT_SCHEMES.get(shown.kind)
    scheme = make("Prtry", shown.kind.value) if code is None else make("Cd", code)
    return make("Id", shown.number), make("SchmeNm", scheme), make("Issr", shown.country)


def _reason(make: Maker, reason: Reason | None) -> etree._Element | None:
    if reason is None:
        return None
    return make("Rsn", make("Cd" if len(reason.code) == 4 else "Prtry", reason.code))
