"""The statement of one contract's account: what the ledger has of a period, on paper."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from uuid import UUID

from eastflow import customers, ledger
from eastflow.ledger import Basis, StatementLine
from eastflow.storage import Transaction

from ..store import deposit, pledged_minor
from .pdf import Line, Page, amount_text, render
from .words import WORDS, kind_word

LANGUAGES = tuple(WORDS)
LINES_MAX = 20_000
LINES_PER_READ = 1_000
Texts = Callable[[Transaction, Sequence[UUID]], Awaitable[Mapping[UUID, str]]]
"""What is to be said of entries, by their ids, where the books keep no memo."""


async def statement_pdf(
    tx: Transaction,
    account: int,
    since: date,
    until: date,
    *,
    language: str,
    printed_on: date,
    masked: bool = False,
    texts: Texts | None = None,
) -> bytes | None:
    """PDF, both days included, by value date, of at most the first `LINES_MAX` lines; None if there is no contract.
    `masked` is for eyes that may not see whose it is; `texts` are what others have to say of an entry."""
    found = await deposit(tx, account)
    if found is None:
        return None
    [known] = (await ledger.accounts(tx, [account])).values()
    page = await ledger.statement(tx, known, since, until, basis=Basis.VALUED, limit=LINES_PER_READ)
    lines, following = list(page.lines), page.cursor
    while following is not None and len(lines) < LINES_MAX:
        further = await ledger.statement_after(tx, known, following, limit=LINES_PER_READ)
        assert further is not None, "a cursor of this account"
        lines, following = [*lines, *further.lines], further.cursor
    owner = await customers.party(tx, found.party)
    if owner is not None and masked:
        owner = customers.masked_party(owner)
    said = {} if texts is None or masked else await texts(tx, [line.posting.entry for line in lines])
    asset = found.contract.terms.asset
    pledged = await pledged_minor(tx, account)
    return render(
        Page(
            account=account,
            owner="" if owner is None else owner.name,
            product=found.contract.terms.name,
            since=since,
            until=until,
            opening=amount_text(page.opening_minor, asset.scale, asset.code),
            closing=amount_text(page.closing_minor, asset.scale, asset.code),
            printed_on=printed_on,
            pledged=amount_text(pledged, asset.scale, asset.code) if pledged else "",
            lines=[_line(line, said.get(line.posting.entry), asset.scale, language) for line in lines],
        ),
        language,
    )


def _line(line: StatementLine, said: str | None, scale: int, language: str) -> Line:
    word, memo = kind_word(line.kind, language), line.memo or said
    return Line(
        line.posting.value_date,
        f"{word} {memo}" if memo else word,
        amount_text(line.posting.amount_minor, scale),
        amount_text(line.balance_minor, scale),
    )
