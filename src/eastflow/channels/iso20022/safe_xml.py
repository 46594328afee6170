"""XML from outside, read without following anything it points to, and written; both checked against the schemas."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from lxml import etree

from .model import ROOTS, Kind, Unreadable

MESSAGE_BYTES_MAX = 4 << 20
SCHEMAS = Path(__file__).parent / "schemas"
_BY_NAMESPACE = {kind.namespace: kind for kind in Kind}
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parse(raw: bytes) -> etree._Element | Unreadable:
    """The `Document`, in UTF-8, of a kind this bank knows: by itself, or beside its header in a wrapper of any name.

    A document type declaration is refused before anything is parsed: without one there are no entities to expand and
    nothing outside to fetch. That only UTF-8 is read keeps one from hiding in another encoding.
    """
    if len(raw) > MESSAGE_BYTES_MAX:
        return Unreadable(f"more than {MESSAGE_BYTES_MAX} bytes")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Unreadable("not UTF-8")
    if "<!DOCTYPE" in text:
        return Unreadable("a document type declaration is not taken")
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as problem:
        return Unreadable(f"not well-formed: {problem.msg}")
    document = _document(root)
    if document is None or _kind(document) is None:
        return Unreadable("not a message of a kind this bank takes")
    return document


def header_of(document: etree._Element) -> etree._Element | None:
    """The business application header that came with it: `parse` lets nothing else stand beside a document."""
    return document.getprevious()


def kind_of(document: etree._Element) -> Kind:
    found = _kind(document)
    assert found is not None, "parse lets no other in"
    return found


def schema_problem(document: etree._Element) -> str | None:
    """What the schema finds wrong first, or None."""
    try:
        _schema(kind_of(document)).assertValid(document)
    except etree.DocumentInvalid as problem:
        return str(problem)
    return None


def write(kind: Kind, *children: etree._Element | None) -> bytes:
    """The message around these children, valid by its schema: anything else is a bug of ours."""
    make = Maker(kind)
    document = make("Document", make(ROOTS[kind], *children))
    problem = schema_problem(document)
    assert problem is None, f"{kind.value}: {problem}"
    return etree.tostring(document, xml_declaration=True, encoding="UTF-8")


class Maker:
    """`make("GrpHdr", make("MsgId", "A1"))`: an element of one message's namespace. Children that are None are left
    out, and so is an element whose text is None (`make.maybe`). A sign that no XML can hold is shown as a blank, so
    that lengths stay."""

    def __init__(self, kind: Kind) -> None:
        self._namespace = kind.namespace

    def __call__(self, name: str, *children: etree._Element | str | None, **attributes: str) -> etree._Element:
        made = etree.Element(f"{{{self._namespace}}}{name}", attributes, nsmap={None: self._namespace})  # type: ignore[dict-item]
        for child in children:
            if isinstance(child, str):
                made.text = _NOT_IN_XML.sub(" ", child)
            elif child is not None:
                made.append(child)
        return made

    def maybe(self, name: str, text: str | None) -> etree._Element | None:
        return None if text is None else self(name, text)


def _document(root: etree._Element) -> etree._Element | None:
    if etree.QName(root).localname == "Document":
        return root
    if [etree.QName(each).localname for each in root] != ["AppHdr", "Document"] or _kind(root[0]) is not Kind.HEADER:
        return None
    return root[1]


def _kind(document: etree._Element) -> Kind | None:
    return _BY_NAMESPACE.get(etree.QName(document).namespace or "")


@cache
def _schema(kind: Kind) -> etree.XMLSchema:
    return etree.XMLSchema(file=str(SCHEMAS / f"{kind.value}.xsd"))
