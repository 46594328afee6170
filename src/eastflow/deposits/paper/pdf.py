"""A statement laid out on pages of A4. Lengths are whole points."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from .words import WORDS

WIDTH, HEIGHT = int(A4[0]), int(A4[1])
LEFT, RIGHT, TOP, BOTTOM, LINE = 50, WIDTH - 50, HEIGHT - 60, 60, 16
WHAT, AMOUNT = LEFT + 80, RIGHT - 110
SIZE, TITLE_SIZE = 9, 16
WHAT_CHARACTERS_MAX = 36


@dataclass(frozen=True, slots=True)
class Line:
    """`amount` and `balance` are texts, such as `-1,250.00`."""

    day: date
    what: str
    amount: str
    balance: str


@dataclass(frozen=True, slots=True)
class Page:
    """What the head of a statement says, its lines, and what of the money is pledged as it is printed, if any is."""

    account: int
    owner: str
    product: str
    since: date
    until: date
    opening: str
    closing: str
    printed_on: date
    lines: Sequence[Line]
    pledged: str = ""


def amount_text(minor: int, scale: int, asset: str = "") -> str:
    """`-1,250.00` of -125000 with two decimals."""
    whole, rest = divmod(abs(minor), 10**scale)
    decimals = f".{rest:0{scale}}" if scale else ""
    return f"{'-' if minor < 0 else ''}{whole:,}{decimals}{asset and ' ' + asset}"


def render(page: Page, language: str) -> bytes:
    """The same statement gives the same bytes."""
    return _Sheet(page, language).render()


class _Sheet:
    def __init__(self, page: Page, language: str) -> None:
        self._page = page
        self._words = WORDS[language]
        self._out = io.BytesIO()
        self._canvas = Canvas(self._out, pagesize=(WIDTH, HEIGHT), invariant=True)
        self._number = 0
        self._at = 0

    def render(self) -> bytes:
        self._canvas.setTitle(f"{self._words['title']} {self._page.account}")
        self._begin()
        self._head()
        for line in self._page.lines:
            if self._at < BOTTOM + LINE:
                self._canvas.showPage()
                self._begin()
                self._columns()
            self._line(line)
        self._pair(LEFT, "closing", self._page.closing)
        if self._page.pledged:
            self._pair(LEFT, "pledged", self._page.pledged)
        self._canvas.save()
        return self._out.getvalue()

    def _begin(self) -> None:
        self._number += 1
        self._at = TOP
        self._font(SIZE)
        self._canvas.drawRightString(RIGHT, BOTTOM - LINE, f"{self._words['page']} {self._number}")

    def _head(self) -> None:
        page = self._page
        self._font(TITLE_SIZE)
        self._canvas.drawString(LEFT, self._at, self._words["title"])
        self._font(SIZE)
        self._at -= 2 * LINE
        told = (("account", str(page.account)), ("owner", page.owner), ("product", page.product))
        period = f"{page.since} - {page.until}"
        for name, text in (*told, ("period", period), ("printed", str(page.printed_on)), ("opening", page.opening)):
            self._pair(LEFT, name, text)
        self._at -= LINE
        self._columns()

    def _columns(self) -> None:
        words = self._words
        self._row(words["date"], words["what"], words["amount"], words["balance"])
        self._canvas.line(LEFT, self._at + LINE - 4, RIGHT, self._at + LINE - 4)

    def _line(self, line: Line) -> None:
        self._row(str(line.day), line.what[:WHAT_CHARACTERS_MAX], line.amount, line.balance)

    def _row(self, day: str, what: str, amount: str, balance: str) -> None:
        self._canvas.drawString(LEFT, self._at, day)
        self._canvas.drawString(WHAT, self._at, what)
        self._canvas.drawRightString(AMOUNT, self._at, amount)
        self._canvas.drawRightString(RIGHT, self._at, balance)
        self._at -= LINE

    def _pair(self, left: int, name: str, text: str) -> None:
        self._canvas.drawString(left, self._at, f"{self._words[name]}: {text}")
        self._at -= LINE

    def _font(self, size: int) -> None:
        self._canvas.setFont(_registered(self._words["font"]), size)


@cache
def _registered(name: str) -> str:
    pdfmetrics.registerFont(UnicodeCIDFont(name))
    return name
