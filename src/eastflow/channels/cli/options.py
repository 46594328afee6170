"""What options and arguments may be, so that nothing reaches the bank that its database could not read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

import typer

from eastflow.kernel import EXACT_JSON_INTEGER_MAX, INT64_MAX

from .messages import say

YEAR_MIN, YEAR_MAX = 1900, 2999
PAGE_MAX = 1_000


def _moment(text: str) -> datetime:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(say("not_a_moment", text=text)) from None
    _check_year(read.year)
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def _day(text: str) -> date:
    try:
        read = date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(say("not_a_day", text=text)) from None
    _check_year(read.year)
    return read


def _check_year(year: int) -> None:
    if not YEAR_MIN <= year <= YEAR_MAX:
        raise typer.BadParameter(say("years", first=YEAR_MIN, last=YEAR_MAX))


Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON value.")]
Number = Annotated[int, typer.Argument(min=1, max=EXACT_JSON_INTEGER_MAX, metavar="ACCOUNT", show_default=False)]
Amount = Annotated[int, typer.Argument(min=-INT64_MAX, max=INT64_MAX, help="In whole minor units.")]
AmountOption = Annotated[int | None, typer.Option(min=0, max=INT64_MAX, help="In whole minor units, without sign.")]
Limit = Annotated[int, typer.Option(min=1, max=PAGE_MAX, help="At most so many.")]
Moment = Annotated[datetime | None, typer.Option(parser=_moment, metavar="MOMENT", help="Without a zone: UTC.")]
Day = Annotated[date, typer.Option(parser=_day, metavar="DAY")]
DayArgument = Annotated[date | None, typer.Argument(parser=_day, metavar="[DAY]")]
DayToSet = Annotated[date | None, typer.Option("--set", parser=_day, metavar="DAY", help="Begin on this day.")]
DayOrNone = Annotated[date | None, typer.Option(parser=_day, metavar="DAY")]
