"""An application begun elsewhere is finished at the counter: the account is opened and the first cash paid in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from eastflow.branch import Cash, Voucher
from eastflow.branch.actions import customer_cash
from eastflow.customers import Channel
from eastflow.kernel import Refusal
from eastflow.storage import Clock, Transaction, now

from .applications import complete_application
from .model import Application


@dataclass(frozen=True, slots=True)
class FinishedAtCounter:
    application: Application
    voucher: Voucher


class _Undone(Exception):
    """Ends a savepoint: the account must not be opened if the cash is not taken."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code.value)
        self.refusal = refusal


async def finish_at_counter(
    tx: Transaction,
    application: UUID,
    *,
    voucher: UUID,
    session: UUID,
    cash: Cash,
    identification_seen: bool,
    today: date,
    by: str,
    clock: Clock = now,
) -> FinishedAtCounter | Refusal:
    """Both or neither. Cash above the branch's limit is a pending voucher: the account is open, and gets the cash when
    a supervisor has confirmed it. The same again answers as before."""
    try:
        async with tx.savepoint():
            completed = await complete_application(
                tx, application, channel=Channel.BRANCH, by=by, today=today, clock=clock
            )
            if isinstance(completed, Refusal):
                raise _Undone(completed)
            assert completed.account is not None, "a completed application has its account"
            paid = await customer_cash(
                tx, voucher, session, completed.account, cash, out=False, identification_seen=identification_seen,
                today=today, by=by, clock=clock,
            )  # fmt: skip
            if isinstance(paid, Refusal):
                raise _Undone(paid)
    except _Undone as undone:
        return undone.refusal
    return FinishedAtCounter(completed, paid)
