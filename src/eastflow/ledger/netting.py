"""A batch netted by account: each account is written once a batch, however hot it is. Pure arithmetic on columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .model import BOUND_MINOR

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Nets:
    """Per account, sorted by number: what credits it, what debits it (both ≥ 0, minor units), and by how many legs.

    `order` sorts the legs by account, keeping the order of the batch within each; `starts` is where each begins.
    """

    accounts: Int64s
    credits_minor: Int64s
    debits_minor: Int64s
    legs: Int64s
    order: Int64s
    starts: Int64s
    signed_minor: Int64s


def net(accounts: list[int], amounts_minor: list[int]) -> Nets | None:
    """None where the sums could pass the bound that the database's own arithmetic is safe within."""
    account, amount = _column(accounts), _column(amounts_minor)
    if int(np.abs(amount).max()) * len(amounts_minor) >= BOUND_MINOR:
        return None
    order = np.argsort(account, kind="stable")
    by_account, signed = account[order], amount[order]
    starts = np.flatnonzero(np.concatenate(([True], by_account[1:] != by_account[:-1])))
    return Nets(
        accounts=by_account[starts],
        credits_minor=np.add.reduceat(np.maximum(signed, 0), starts),
        debits_minor=np.add.reduceat(np.maximum(-signed, 0), starts),
        legs=np.diff(np.append(starts, len(account))),
        order=order,
        starts=starts,
        signed_minor=signed,
    )


def running(nets: Nets, posted_after_minor: Int64s, sequence_after: Int64s, signs: Int64s) -> tuple[Int64s, Int64s]:
    """Each leg's place in its account and the balance after it, in the order of the batch.

    The arguments are by account, as the database answered: the balance and sequence after the whole batch, and the
    sign with which a credit moves the balance.
    """
    group = np.repeat(np.arange(len(nets.accounts)), nets.legs)
    through = np.cumsum(nets.signed_minor)
    before = (through - nets.signed_minor)[nets.starts]
    sequence_before = sequence_after - nets.legs
    posted_before = posted_after_minor - signs * (nets.credits_minor - nets.debits_minor)
    place = np.arange(len(group)) - nets.starts[group]
    sequences, balances = np.empty_like(through), np.empty_like(through)
    sequences[nets.order] = sequence_before[group] + place + 1
    balances[nets.order] = posted_before[group] + signs[group] * (through - before[group])
    return sequences, balances


def _column(values: list[int]) -> Any:
    return np.array(values, dtype=np.int64)
