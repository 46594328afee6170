"""An account is frozen here because its contract sleeps or an order stands; what others did to it outlives both.

The ledger has one status for an account, whoever set it. So while this room freezes an account, how others had left it
is kept, and is put back when nothing here freezes it any more.
"""

from __future__ import annotations

from eastflow import ledger
from eastflow.ledger.actions import change_status
from eastflow.storage import Clock, Transaction

from .. import store
from ..books.actions import must
from ..decide import account_status, contract_status, decide_beneath
from ..model import Beneath, Deposit, DepositStatus


async def beneath(tx: Transaction, deposit: Deposit) -> Beneath:
    """Whether the contract sleeps, and how others have left the account. The contract is locked."""
    known = (await ledger.accounts(tx, [deposit.account]))[deposit.account].status
    return decide_beneath(deposit.status, known, await store.beneath(tx, deposit.account))


async def freeze(tx: Transaction, account: int, under: Beneath, *, ordered: bool, clock: Clock) -> None:
    """Contract and account as they are to be with what is `under`, and with orders that freeze the whole (`ordered`).
    Errors: Refused."""
    status = contract_status(under, ordered=ordered)
    await must(change_status(tx, account, account_status(under, ordered=ordered), clock=clock))
    await store.change_status(tx, account, status)
    await store.keep_beneath(tx, account, None if status is DepositStatus.OPEN else under)
