"""A batch laid out in columns for the quick way: all its entries plain, all of them expected to be accepted.

Most batches are so. Whatever needs judging one by one (holds, captures, reversals, linked groups, the same id twice)
makes a batch not `plain`, and `decide.judge` takes it instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from eastflow.kernel import Refusal

from .check import check_entry
from .encoding import content_bytes, days
from .model import Command, Entry
from .netting import Nets, net


@dataclass(slots=True)
class Prepared:
    """`places` says which command of the batch each entry is; `refused` holds those that fail by themselves."""

    commands: Sequence[Command]
    plain: bool = True
    refused: dict[int, Refusal] = field(default_factory=dict)
    places: list[int] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    leg_counts: list[int] = field(default_factory=list)
    accounts: list[int] = field(default_factory=list)
    amounts_minor: list[int] = field(default_factory=list)
    asset_numbers: list[int] = field(default_factory=list)
    entry_ids: list[bytes] = field(default_factory=list)
    value_days: list[int] = field(default_factory=list)
    nets: Nets | None = None


def extend(prepared: Prepared, start: int, stop: int, asset_numbers: Mapping[str, int], today: date) -> None:
    """Lay out commands[start:stop]; in slices, so that a large batch does not keep the event loop from its answers."""
    for place in range(start, stop):
        command = prepared.commands[place]
        if not isinstance(command, Entry) or command.linked or command.reverses or command.capture:
            prepared.plain = False
            return
        if (refusal := check_entry(command)) is not None:
            prepared.refused[place] = refusal
        elif command.value_date > today:
            # Judged, since an id that was used before comes first in precedence.
            prepared.plain = False
            return
        else:
            _lay_out(prepared, place, command, asset_numbers)


def finish(prepared: Prepared) -> Prepared:
    distinct = len({identifier[:16] for identifier in prepared.entry_ids}) == len(prepared.entry_ids)
    if not distinct or -1 in prepared.asset_numbers:
        prepared.plain = False
    if prepared.plain and prepared.accounts:
        prepared.nets = net(prepared.accounts, prepared.amounts_minor)
        prepared.plain = prepared.nets is not None
    return prepared


def _lay_out(prepared: Prepared, place: int, entry: Entry, asset_numbers: Mapping[str, int]) -> None:
    postings = entry.postings
    value_day = days(entry.value_date)
    prepared.places.append(place)
    prepared.contents.append(content_bytes(entry))
    prepared.leg_counts.append(len(postings))
    prepared.entry_ids.append(entry.id.bytes * len(postings))
    for posting in postings:
        prepared.accounts.append(posting.account)
        prepared.amounts_minor.append(posting.amount_minor)
        prepared.asset_numbers.append(asset_numbers.get(posting.asset, -1))
        prepared.value_days.append(value_day)
