"""What comes from outside is bounded, names nothing outside of itself, and is valid or told to be otherwise."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from uuid import uuid4

import pytest

from eastflow.channels.iso20022 import safe_xml
from eastflow.channels.iso20022.conftest import Paid, document, pacs002, pain001, valid
from eastflow.channels.iso20022.model import Amount, Header, Initiation, Kind, Malformed, Party, Transfer, Unreadable
from eastflow.channels.iso20022.read import read
from eastflow.channels.iso20022.write import transfers

LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
BODY = pain001([Paid()]).partition("?>")[2]


@pytest.mark.parametrize(
    "hostile",
    [
        f'<!DOCTYPE Document [<!ENTITY a0 "ha">{LAUGHS}]>' + BODY.replace(">M1<", ">&a11;<"),
        '<!DOCTYPE Document [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + BODY.replace(">M1<", ">&x;<"),
        '<!DOCTYPE Document SYSTEM "http://127.0.0.1:9/x.dtd">' + BODY,
        '<!DOCTYPE Document [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]>' + BODY,
    ],
    ids=["billion laughs", "external entity", "external subset", "parameter entity"],
)
def test_a_document_type_is_refused(hostile: str) -> None:
    assert read(hostile.encode()) == Unreadable("a document type declaration is not taken")
    for encoding in ("utf-16", "utf-32", "utf-7"):
        assert isinstance(read(hostile.encode(encoding)), Unreadable)


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\0", b"{}", b"<a/>", b"<Document/>", b"\xff\xfe", "<Document>\ud800".encode("utf-8", "surrogatepass"),
        b"<Document", BODY.replace("M1", "&x;").encode(), b"<a>" * 100_000, b"x" * (safe_xml.MESSAGE_BYTES_MAX + 1),
        document("pacs.008.001.08", "<FIToFICstmrCdtTrf/>").encode(),
        document("camt.053.001.08", "<BkToCstmrStmt/>").encode(),
        document("pain.001.001.10", "<CstmrCdtTrfInitn/>").encode(),
        pacs002("no uuid", "ACSC").encode(),
        BODY.replace("pain.001.001.10", "pain.001.001.10" + "x" * 10_000).encode(),
    ],
)  # fmt: skip
def test_what_is_no_message_is_told_so(raw: bytes) -> None:
    assert isinstance(read(raw), Unreadable)


def test_a_message_in_another_encoding_is_not_guessed_at() -> None:
    named = pain001([Paid()]).replace('encoding="UTF-8"', 'encoding="ISO-8859-1"')
    found = read(named.encode())
    assert isinstance(found, tuple), "what it says of itself does not matter: it is read as UTF-8"


def test_xinclude_and_schema_locations_are_not_followed(tmp_path: Path) -> None:
    hint = 'xsi:schemaLocation="urn:x http://127.0.0.1:9/x.xsd" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    assert isinstance(read(BODY.replace("<Document", f"<Document {hint}").encode()), tuple)
    (tmp_path / "secret").write_text("s")
    include = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{tmp_path / "secret"}" parse="text"/>'
    assert isinstance(read(BODY.replace("M1", include).encode()), Unreadable)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        (BODY.replace("<NbOfTxs>1", "<NbOfTxs>one"), "FF01"),
        (BODY.replace("10.00", "-10.00"), "FF01"),
        (BODY.replace("10.00", "10.000001"), "FF01"),
        (BODY.replace("E1", "E" * 36), "FF01"),
        (BODY.replace("2026-01-05</Dt>", "12026-01-05</Dt>"), "DT01"),
        (BODY.replace("2026-01-05</Dt>", "-0001-01-05</Dt>"), "DT01"),
        (BODY.replace("2026-01-05</Dt>", "2026-02-30</Dt>"), "FF01"),
    ],
)
def test_what_is_not_valid_is_answered_to_by_its_id(changed: str, code: str) -> None:
    found = read(changed.encode())
    assert isinstance(found, Malformed)
    assert (found.kind, found.message_id, found.reason.code) == (Kind.INITIATION, "M1", code)


def test_a_zone_behind_a_day_says_nothing() -> None:
    found = read(BODY.replace("2026-01-05</Dt>", "2026-01-05+14:00</Dt>").encode())
    assert isinstance(found, tuple)
    assert isinstance(found[1], Initiation)
    assert found[1].blocks[0].transfers[0].day.isoformat() == "2026-01-05"


def test_signs_that_xml_cannot_hold_become_blanks() -> None:
    ends = Party("A\x01B & <C> 张三 김", "123\x0b", "no BIC"), Party("x" * 140, "CZ6508000000192000145399", "GIBACZPX")
    sent = Transfer("E\x01", uuid4(), Amount("CZK", "1.00"), *ends, date(2026, 1, 5), "a\ufffeb")
    found = valid(transfers(Header("M", "2026-01-05T09:00:00Z"), [sent], sender="EASTFLOW", receiver="CLEARING"))
    assert found.findtext(".//{*}Dbtr/{*}Nm") == "A B & <C> 张三 김"
    assert found.findtext(".//{*}Ustrd") == "a b"
    assert found.findtext(".//{*}EndToEndId") == "E "


def test_every_kind_has_the_schema_it_names() -> None:
    for kind in Kind:
        assert f'targetNamespace="{kind.namespace}"' in (safe_xml.SCHEMAS / f"{kind.value}.xsd").read_text()
