"""May a party be called otherwise? Pure: no clock, no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from eastflow.kernel import Refusal, is_text

from ..model import NAME_CHARACTERS_MAX, Party
from ..records.model import ADDRESS_CHARACTERS_MAX, Former
from ..refusals import CustomersRefusal
from .model import Correction


def check_correction(told: Correction) -> Refusal | None:
    """The first refusal that applies to the correction by itself, or None."""
    texts = (("reason", told.reason, ADDRESS_CHARACTERS_MAX), ("name", told.name, NAME_CHARACTERS_MAX))
    for field, text, characters_max in texts:
        if text is not None and not (text.strip() and is_text(text, characters_max)):
            return Refusal(CustomersRefusal.TEXT_MALFORMED, {"field": field})
    return None


def decide_correction(
    told: Correction, known: Party | None, former: Sequence[Former], today: date, *, is_merged: bool
) -> Party | Refusal:
    """The party as it is to be, or as it is if this was done before. `former` is what was said of it, in order."""
    if refusal := check_correction(told):
        return refusal
    facts = {"id": str(told.party)}
    if known is not None and (done := _done_before(told, known, former)):
        return done
    if told.born_on is not None and told.born_on > today:
        return Refusal(CustomersRefusal.BORN_IN_FUTURE, {"born_on": told.born_on, "today": today})
    if known is None:
        return Refusal(CustomersRefusal.PARTY_NOT_FOUND, facts)
    if known.erased:
        return Refusal(CustomersRefusal.PARTY_ERASED, facts)
    if is_merged:
        return Refusal(CustomersRefusal.PARTY_MERGED, facts)
    after = replace(known, name=told.name or known.name, born_on=told.born_on or known.born_on)
    return Refusal(CustomersRefusal.CORRECTION_EMPTY, facts) if after == known else after


def first_said(known: Party, former: Sequence[Former]) -> Party:
    """The party as it was registered, before anything of it was corrected."""
    return replace(known, name=former[0].name, born_on=former[0].born_on) if former else known


def _done_before(told: Correction, known: Party, former: Sequence[Former]) -> Party | Refusal | None:
    """None if its id is new."""
    said = [*((each.name, each.born_on) for each in former), (known.name, known.born_on)]
    place = next((place for place, each in enumerate(former) if each.correction == told.id), None)
    if place is None:
        return None
    name, born_on = said[place + 1]
    same = (told.name or name, told.born_on or born_on, told.reason) == (name, born_on, former[place].reason)
    return known if same else Refusal(CustomersRefusal.CORRECTION_ID_REUSED, {"id": str(told.id)})
