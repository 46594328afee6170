"""A cursor is read back as it was made; one that a caller made up is refused, whatever it says."""

from __future__ import annotations

import base64
import json
from datetime import date
from typing import Any

import pytest

from eastflow.kernel import Asset, Refusal
from eastflow.ledger import (
    Account,
    Basis,
    CursorMalformed,
    EntryFilter,
    Posting,
    Side,
    Statement,
    search,
    search_after,
    statement,
    statement_after,
)
from eastflow.ledger.actions import Engine, define_asset, new_id, open_accounts
from eastflow.ledger.model import Entry
from eastflow.storage import Database

DAY = date(2026, 1, 2)
ACCOUNT = Account(2, "EUR", Side.CREDIT, "test", DAY, None)
HUGE = [1 << 63, 1 << 70, 10**40, -1, -(1 << 63), -(1 << 70)]
NO_NUMBERS: list[Any] = [*HUGE, 1.5, "1", True, [], {}]
NO_DAYS = ["0001-01-01", "0001-12-31", "9999-01-01", "9999-12-31", "2026-02-30", "2026-01-02T00:00:00Z", 5, None, ""]
NO_MOMENTS = [
    "2026-01-02T00:00:00",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
    "9999-12-31T23:59:59.999999Z",
    "0000-01-01T00:00:00Z",
    "2026-01-02T00:00:00+99:00",
    "2026-01-02",
    5,
    "",
]
NO_CONTENTS: list[Any] = [None, [], "x", 5]
NO_TEXTS: list[Any] = ["a\0b", "\0", 5, [], {}]

STATEMENT: dict[str, Any] = {
    "account": 2, "basis": "valued", "since": "2026-01-01", "until": "2026-01-31", "sequence": 1,
    "value_date": "2026-01-02",
}  # fmt: skip
FILTER: dict[str, Any] = {
    "account": None, "kind": None, "booked_from": None, "booked_before": None, "valued_from": None,
    "valued_through": None, "amount_minor_min": None, "amount_minor_max": None, "details": {},
}  # fmt: skip
SEARCH: dict[str, Any] = {"wanted": FILTER, "sequence": None, "place": ["2026-01-02T12:00:00Z", 3, 4, 5]}

FORGED_STATEMENTS: list[dict[str, Any]] = [
    *(STATEMENT | {"account": number} for number in NO_NUMBERS),
    *(STATEMENT | {"sequence": number} for number in NO_NUMBERS),
    *(STATEMENT | {name: day} for name in ("since", "until", "value_date") for day in NO_DAYS),
    *(STATEMENT | {"basis": basis} for basis in ("BOOKED", "", None, 1)),
    *({name: value for name, value in STATEMENT.items() if name != left_out} for left_out in STATEMENT),
    STATEMENT | {"balance_minor": 5},
    SEARCH,
]
FORGED_FILTERS: list[dict[str, Any]] = [
    *({"account": number} for number in NO_NUMBERS),
    *({"kind": kind} for kind in NO_TEXTS),
    *({name: moment} for name in ("booked_from", "booked_before") for moment in NO_MOMENTS),
    *({name: day} for name in ("valued_from", "valued_through") for day in NO_DAYS if day is not None),
    *({name: number} for name in ("amount_minor_min", "amount_minor_max") for number in NO_NUMBERS),
    *({"details": {"till": value}} for value in [*NO_TEXTS, None]),
    *({"details": {key: "3"}} for key in NO_TEXTS[:2]),
    *({"details": details} for details in NO_CONTENTS),
    {"colour": "red"},
]
FORGED_SEARCHES: list[dict[str, Any]] = [
    *(SEARCH | {"wanted": FILTER | forged} for forged in FORGED_FILTERS),
    *(SEARCH | {"place": [moment, 3, 4, 5]} for moment in [*NO_MOMENTS, None]),
    *(SEARCH | {"place": ["2026-01-02T12:00:00Z", number, 4, 5]} for number in [*NO_NUMBERS, None]),
    *(SEARCH | {"place": ["2026-01-02T12:00:00Z", 3, number, 5]} for number in [*NO_NUMBERS, None]),
    *(SEARCH | {"place": ["2026-01-02T12:00:00Z", 3, 4, number]} for number in [*NO_NUMBERS, None]),
    *(SEARCH | {"place": ["2026-01-02T12:00:00Z", *rest]} for rest in ([], [3, 4], [3, 4, 5, 6])),
    *(SEARCH | {"place": place} for place in NO_CONTENTS[1:]),
    *(SEARCH | {"wanted": FILTER | {"account": 2}, "sequence": number} for number in NO_NUMBERS),
    *(SEARCH | {"wanted": wanted} for wanted in NO_CONTENTS),
    SEARCH | {"more": 1},
    {},
    STATEMENT,
]
NOT_EVEN_CONTENT = [
    "",
    "x",
    "=",
    "§",
    "\ud800",
    "a b",
    "bm90IGpzb24",
    base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    base64.urlsafe_b64encode(b"[" * 2_900).decode(),
    base64.urlsafe_b64encode(b'{"x":' + b"[" * 1_400 + b"]" * 1_400 + b"}").decode(),
    *(base64.urlsafe_b64encode(content).decode() for content in (b"null", b"[]", b"5", b'"x"', b"{}")),
]


def forged(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


async def keep_books(database: Database) -> None:
    """Five entries on account 2, all of one value date."""
    await database.run(lambda tx: define_asset(tx, Asset("EUR", 2)))
    accounts = [Account(n, "EUR", Side.CREDIT, "test", DAY, None) for n in (1, 2)]
    await database.run(lambda tx: open_accounts(tx, accounts))
    made = [Entry(new_id(), "fee", DAY, (Posting(1, "EUR", -n), Posting(2, "EUR", n))) for n in range(1, 6)]
    async with Engine(database, lanes=1) as engine:
        assert not [said for said in await engine.post_batch(made) if isinstance(said, Refusal)]


async def test_what_is_forged_is_refused(database: Database) -> None:
    await keep_books(database)
    async with database.reading() as tx:
        # As they are, without the forged part, they are taken.
        assert await statement_after(tx, ACCOUNT, forged(STATEMENT)) is not None
        assert (await search_after(tx, forged(SEARCH))).entries == ()
        for content in FORGED_STATEMENTS:
            with pytest.raises(CursorMalformed):
                print(content, await statement_after(tx, ACCOUNT, forged(content)))
        for content in FORGED_SEARCHES:
            with pytest.raises(CursorMalformed):
                print(content, await search_after(tx, forged(content)))
        for cursor in NOT_EVEN_CONTENT:
            with pytest.raises(CursorMalformed):
                print(cursor, await statement_after(tx, ACCOUNT, cursor))
            with pytest.raises(CursorMalformed):
                print(cursor, await search_after(tx, cursor))


async def test_a_cursor_of_another_account_gives_nothing(database: Database) -> None:
    await keep_books(database)
    async with database.reading() as tx:
        page = await statement(tx, ACCOUNT, DAY, date(2999, 12, 31), limit=2)
        assert page.cursor is not None
        assert await statement_after(tx, Account(1, "EUR", Side.CREDIT, "test", DAY), page.cursor) is None


@pytest.mark.parametrize("basis", Basis)
async def test_a_forged_place_gives_no_balance_and_no_line_that_is_not_the_banks(
    database: Database, basis: Basis
) -> None:
    """Wherever a caller says that the page before ended, each line has the balance that the books have there."""
    await keep_books(database)
    until = date(2999, 12, 31)
    async with database.reading() as tx:
        whole = await statement(tx, ACCOUNT, DAY, until, basis=basis)
        assert [line.balance_minor for line in whole.lines] == [1, 3, 6, 10, 15]
        places = [(day, sequence) for day in ("2026-01-01", "2026-01-02", "2026-01-03") for sequence in (0, 1, 3, 5, 9)]
        for day, sequence in places:
            content = STATEMENT | {"basis": basis.value, "until": "2999-12-31", "value_date": day, "sequence": sequence}
            page = await statement_after(tx, ACCOUNT, forged(content))
            assert isinstance(page, Statement)
            known = {line.posting.sequence: line for line in whole.lines}
            assert [known[line.posting.sequence] for line in page.lines] == list(page.lines), (day, sequence)
            assert (page.opening_minor, page.closing_minor) == (0, 15)
        # Before the period there is no line of it, whatever is asked.
        empty = STATEMENT | {"basis": basis.value, "since": "2999-01-01", "until": "2999-12-31", "sequence": 0}
        page = await statement_after(tx, ACCOUNT, forged(empty))
        assert page is not None
        assert (page.opening_minor, page.closing_minor, page.lines) == (15, 15, ())


async def test_altered_filters_are_a_search_like_any_other(database: Database) -> None:
    await keep_books(database)
    async with database.reading() as tx:
        page = await search(tx, EntryFilter(kind="fee", amount_minor_max=4), limit=1)
        assert page.cursor is not None
        content = json.loads(base64.urlsafe_b64decode(page.cursor + "=="))
        assert len((await search_after(tx, page.cursor)).entries) == 3
        content["wanted"] |= {"kind": "other"}
        assert (await search_after(tx, forged(content))).entries == ()
        content["wanted"] |= {"kind": "fee", "amount_minor_max": 3}
        assert len((await search_after(tx, forged(content))).entries) == 3
