"""A statement has the signs of each language, and says what the ledger says."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

import pytest
from pypdf import PdfReader

from eastflow.storage import Transaction

from ..conftest import DEMAND, START, World
from . import LANGUAGES, statement_pdf
from .pdf import amount_text
from .words import KINDS, WORDS

TERMS = {**DEMAND, "name": "活期储蓄 Demand savings"}


def text_of(made: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(made)).pages]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_statement_is_readable_in_each_language(world: World, language: str) -> None:
    await world.start(TERMS)
    account = (await world.open(amount_minor=123_456)).deposit.account
    world.day += timedelta(days=1)
    await world.move(account, -456)
    async with world.database.reading() as tx:
        made = await statement_pdf(tx, account, START, date(2026, 1, 31), language=language, printed_on=world.day)
        assert await statement_pdf(tx, 77, START, START, language=language, printed_on=world.day) is None
    assert made is not None
    [text] = text_of(made)
    words = WORDS[language]
    for name in ("title", "owner", "opening", "amount", "closing"):
        assert words[name] in text
    assert KINDS["transfer"][language] in text
    for said in (str(account), "Li Na", "2026-01-06", "1,234.56", "-4.56", "1,230.00", "1,230.00 CNY"):
        assert said in text
    if language != "ko":
        assert "活期储蓄" in text


async def test_a_long_statement_has_pages(world: World) -> None:
    await world.start(TERMS)
    account = (await world.open(amount_minor=100_000)).deposit.account
    for _ in range(60):
        await world.move(account, 1)
    async with world.database.reading() as tx:
        made = await statement_pdf(tx, account, START, START, language="zh-Hans", printed_on=START)
    assert made is not None
    pages = text_of(made)
    assert len(pages) == 2
    assert "".join(pages).count("转账") == 60


@pytest.mark.parametrize("masked", [True, False])
async def test_what_others_say_of_an_entry_is_printed_for_those_who_may_see_it(world: World, masked: bool) -> None:
    await world.start(TERMS)
    account = (await world.open(amount_minor=100_000)).deposit.account
    await world.move(account, 1)

    async def said(_: Transaction, entries: Sequence[UUID]) -> dict[UUID, str]:
        return dict.fromkeys(entries[1:], "rent of May")

    async with world.database.reading() as tx:
        made = await statement_pdf(
            tx, account, START, START, language="en", printed_on=START, masked=masked, texts=said
        )
    assert made is not None
    assert "".join(text_of(made)).count("rent of May") == (0 if masked else 1)


def test_amounts_have_their_decimals() -> None:
    assert [amount_text(-125_000, 2), amount_text(7, 0), amount_text(5, 3, "TND")] == ["-1,250.00", "7", "0.005 TND"]
