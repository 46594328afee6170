"""Contracts, accruals, requests, corrections and orders in their tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from eastflow.kernel import Refusal
from eastflow.ledger import Status
from eastflow.products import ProductKind, Terms, contract_from, state_of, version
from eastflow.storage import Transaction

from .decide import due_on, is_account
from .model import (
    AccrualRow,
    Beneath,
    Claim,
    Correction,
    Deposit,
    DepositStatus,
    Executed,
    Ground,
    Held,
    Order,
    Pledge,
)
from .refusals import DepositsRefusal

STATUSES = (DepositStatus.OPEN, DepositStatus.DORMANT, DepositStatus.FROZEN, DepositStatus.CLOSED)
STATUS_NUMBERS = {status: number for number, status in enumerate(STATUSES)}
_CONTRACT = (
    "account_id, id, party_id, product, version, asset, kind, status, opened_on, terms_since, "
    "nominated_account_id, state"
)
_ACCRUAL = (
    "account_id, terms_number, status, settled_on, open_day, through, moved_on, sequence, balance, numerator, "
    "debit_numerator"
)
_CORRECTION = "account_id, settled_on, number, kind, amount, booked"
_PLEDGE = (
    "account_id, rank, id, agreement, amount, placed_on, placed_by, pledgee, party_id, expires_on, held, holds, "
    "ended_on, ground, reason, released_by"
)
_ORDER = "account_id, rank, id, authority, amount, held, holds, placed_on, expires_on, ended_on"


async def deposit(tx: Transaction, account: int) -> Deposit | None:
    """The contract on an account, its interest counted as far as the day's work has come."""
    if not is_account(account):
        return None
    row = await tx.row(f"SELECT {_CONTRACT} FROM deposits_contract WHERE account_id = $1", account)
    return None if row is None else await _deposit(tx, row)


async def deposits_of_party(tx: Transaction, party: UUID, *, after: int = 0, limit: int = 100) -> list[Deposit]:
    """By account number, closed ones too."""
    found = await tx.rows(
        f"SELECT {_CONTRACT} FROM deposits_contract WHERE party_id = $1 AND account_id > $2 "
        "ORDER BY account_id LIMIT $3",
        party,
        after,
        limit,
    )
    return [await _deposit(tx, row) for row in found]


async def states_of(tx: Transaction, accounts: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    """Of those of the accounts that have a contract, what products keep of it (`contract_from`)."""
    found = await tx.rows(
        "SELECT account_id, state FROM deposits_contract WHERE account_id = ANY($1::bigint[])", list(accounts)
    )
    return {row["account_id"]: json.loads(row["state"]) for row in found}


async def orders_of(tx: Transaction, account: int) -> list[Order]:
    """In the order of their rank, ended ones too."""
    if not is_account(account):
        return []
    found = await tx.rows(f"SELECT {_ORDER} FROM deposits_order WHERE account_id = $1 ORDER BY rank", account)
    return [_order(row) for row in found]


async def locked(tx: Transaction, account: int) -> Deposit | None:
    """The same as `deposit`; others who ask for it so wait until this transaction ends."""
    await tx.execute("UPDATE deposits_contract SET status = status WHERE account_id = $1", account)
    return await deposit(tx, account)


async def terms_of(tx: Transaction, product: str, number: int) -> Terms:
    found = await version(tx, product, number)
    assert found is not None, "a contract's version is never removed"
    return found.terms


async def terms_number(tx: Transaction, product: str, number: int) -> int:
    """The small number of a version's terms, given when it is first asked for. Errors: UniqueViolation."""
    found: int | None = await tx.value(
        "SELECT number FROM deposits_terms WHERE product = $1 AND version = $2", product, number
    )
    if found is not None:
        return found
    fresh: int = await tx.value("SELECT coalesce(max(number), 0) + 1 FROM deposits_terms")
    await tx.execute(
        "INSERT INTO deposits_terms (product, version, number) VALUES ($1, $2, $3)", product, number, fresh
    )
    return fresh


async def all_terms(tx: Transaction) -> dict[int, tuple[str, int]]:
    """Product and version by their small number."""
    found = await tx.rows("SELECT number, product, version FROM deposits_terms")
    return {row["number"]: (row["product"], row["version"]) for row in found}


async def with_contract(tx: Transaction, accounts: Sequence[int]) -> set[int]:
    """Those of the accounts that have a contract."""
    if not accounts:
        return set()
    found = await tx.rows(
        "SELECT account_id FROM deposits_contract WHERE account_id = ANY($1::bigint[])", list(accounts)
    )
    return {row["account_id"] for row in found}


async def takes_money(tx: Transaction, account: int) -> bool:
    """Whether money may come in by the ledger alone. What has a term or notice is paid into by its own verbs."""
    kind = await tx.value("SELECT kind FROM deposits_contract WHERE account_id = $1", account)
    return kind in (None, ProductKind.DEMAND.value)


async def insert_deposits(tx: Transaction, new: Sequence[Deposit]) -> None:
    """Errors: UniqueViolation when an account has a contract already."""
    await tx.records_in(
        "deposits_contract",
        (*_CONTRACT.split(", "), "due_on"),
        [
            (
                *(each.account, each.id, each.party, each.product, each.version, each.asset, each.kind.value),
                *(each.status.value, each.opened_on, each.terms_since, each.nominated),
                *(json.dumps(state_of(each.contract)), due_on(each.contract)),
            )
            for each in sorted(new, key=lambda each: each.account)
        ],
    )


async def update_deposit(tx: Transaction, changed: Deposit) -> None:
    """The contract is locked."""
    touched = await tx.execute(
        "UPDATE deposits_contract SET party_id = $2, version = $3, status = $4, terms_since = $5, "
        "nominated_account_id = $6, state = $7, due_on = $8 WHERE account_id = $1",
        *(changed.account, changed.party, changed.version, changed.status.value, changed.terms_since),
        *(changed.nominated, json.dumps(state_of(changed.contract)), due_on(changed.contract)),
    )
    assert touched == 1, "a contract is never removed"


async def change_status(tx: Transaction, account: int, status: DepositStatus) -> None:
    await tx.execute("UPDATE deposits_contract SET status = $2 WHERE account_id = $1", account, status.value)
    await tx.execute("UPDATE deposits_accrual SET status = $2 WHERE account_id = $1", account, STATUS_NUMBERS[status])


async def beneath(tx: Transaction, account: int) -> Beneath | None:
    """What was kept when this room froze the account; None where it does not."""
    row = await tx.row("SELECT asleep, others FROM deposits_beneath WHERE account_id = $1", account)
    return None if row is None else Beneath(row["asleep"], Status(row["others"]))


async def keep_beneath(tx: Transaction, account: int, under: Beneath | None) -> None:
    """None: this room does not freeze the account any more."""
    await tx.execute("DELETE FROM deposits_beneath WHERE account_id = $1", account)
    if under is not None:
        await tx.execute(
            "INSERT INTO deposits_beneath (account_id, asleep, others) VALUES ($1, $2, $3)",
            *(account, under.asleep, under.others.value),
        )


async def accrual(tx: Transaction, account: int) -> AccrualRow | None:
    row = await tx.row(f"SELECT {_ACCRUAL} FROM deposits_accrual WHERE account_id = $1", account)
    return None if row is None else _accrual(row)


async def locked_accrual(tx: Transaction, account: int) -> AccrualRow | None:
    """The same as `accrual`, and the day's work waits with it until this transaction ends."""
    row = await tx.row(
        f"UPDATE deposits_accrual SET status = status WHERE account_id = $1 RETURNING {_ACCRUAL}", account
    )
    return None if row is None else _accrual(row)


async def insert_accruals(tx: Transaction, new: Sequence[AccrualRow]) -> None:
    if new:
        await tx.records_in("deposits_accrual", _ACCRUAL.split(", "), [_accrual_values(each) for each in new])


async def update_accrual(tx: Transaction, changed: AccrualRow) -> None:
    touched = await tx.execute(
        "UPDATE deposits_accrual SET terms_number = $2, status = $3, settled_on = $4, open_day = $5, through = $6, "
        "moved_on = $7, sequence = $8, balance = $9, numerator = $10, debit_numerator = $11 WHERE account_id = $1",
        *_accrual_values(changed),
    )
    assert touched == 1, "an accrual is never removed"


async def request(tx: Transaction, id: UUID, verb: str, content: str) -> tuple[int, tuple[UUID, ...]] | Refusal | None:
    """The account and entries of the request if it was done before; None if the id is new.

    Refusals: REQUEST_ID_REUSED.
    """
    return (await requests(tx, verb, {id: content})).get(id)


async def requests(
    tx: Transaction, verb: str, asked: Mapping[UUID, str]
) -> dict[UUID, tuple[int, tuple[UUID, ...]] | Refusal]:
    """What `request` says of each id and its content; those that are new are left out."""
    if not asked:
        return {}
    found = await tx.rows(
        "SELECT id, verb, content, account_id, entries FROM deposits_request WHERE id = ANY($1::uuid[])", list(asked)
    )
    return {
        row["id"]: (row["account_id"], tuple(row["entries"]))
        if (row["verb"], row["content"]) == (verb, asked[row["id"]])
        else Refusal(DepositsRefusal.REQUEST_ID_REUSED, {"id": row["id"]})
        for row in found
    }


async def insert_requests(
    tx: Transaction, verb: str, done: Sequence[tuple[UUID, str, Executed]], by: str, at: datetime
) -> None:
    """Each with its id, content and what it came to. Errors: UniqueViolation when one is done by another in the same
    moment."""
    await tx.records_in(
        "deposits_request",
        ("id", "verb", "content", "account_id", "entries", "asked_by", "done_at"),
        [
            (id, verb, content, one.deposit.account, list(one.entries), by, at)
            for id, content, one in sorted(done, key=lambda each: each[0])
        ],
    )


async def corrections(tx: Transaction, account: int) -> list[Correction]:
    """Those so far, booked or still owed, by settlement date and number."""
    found = await tx.rows(
        f"SELECT {_CORRECTION} FROM deposits_correction WHERE account_id = $1 ORDER BY settled_on, number", account
    )
    return [Correction(*row) for row in found]


async def insert_correction(tx: Transaction, new: Correction) -> None:
    await tx.execute(
        f"INSERT INTO deposits_correction ({_CORRECTION}) VALUES ($1, $2, $3, $4, $5, $6)",
        *(new.account, new.settled_on, new.number, new.kind, new.amount_minor, new.booked),
    )


async def correction_booked(tx: Transaction, account: int, settled_on: date, number: int) -> None:
    await tx.execute(
        "UPDATE deposits_correction SET booked = true WHERE account_id = $1 AND settled_on = $2 AND number = $3",
        *(account, settled_on, number),
    )


async def held(tx: Transaction, deposit: Deposit) -> list[Held]:
    """The terms that the contract has stood under, in their order: as far back as that was kept, and the present."""
    found = await tx.rows(
        "SELECT since, version FROM deposits_terms_held WHERE account_id = $1 ORDER BY since", deposit.account
    )
    before = [Held(row["since"], await terms_of(tx, deposit.product, row["version"])) for row in found]
    return [*before, Held(deposit.terms_since, deposit.contract.terms)]


async def keep_held(tx: Transaction, left: Deposit) -> None:
    """That the contract stood under the version it had since it had it. Of two that came on one day the first is kept:
    no day was under either."""
    await tx.execute(
        "INSERT INTO deposits_terms_held (account_id, since, version) VALUES ($1, $2, $3) "
        "ON CONFLICT (account_id, since) DO NOTHING",
        *(left.account, left.terms_since, left.version),
    )


async def insert_order(tx: Transaction, new: Order) -> None:
    """Errors: UniqueViolation when another order took the rank in the same moment."""
    await tx.execute(
        f"INSERT INTO deposits_order ({_ORDER}) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)",
        *(new.account, new.rank, new.id, new.authority, new.amount_minor, new.held_minor, list(new.holds)),
        *(new.placed_on, new.expires_on, new.ended_on),
    )


async def update_order(tx: Transaction, changed: Order) -> None:
    await tx.execute(
        "UPDATE deposits_order SET held = $3, holds = $4, ended_on = $5 WHERE account_id = $1 AND rank = $2",
        *(changed.account, changed.rank, changed.held_minor, list(changed.holds), changed.ended_on),
    )


async def claims_to_see_to(tx: Transaction, day: date, *, after: int, limit: int) -> list[int]:
    """Accounts after `after` with an order or a pledge that no longer stands on `day`, or has less than it asks for."""
    wanted = "ended_on IS NULL AND (expires_on <= $1 OR held < amount) AND account_id > $2 ORDER BY account_id LIMIT $3"
    found = set[int]()
    for table in ("deposits_order", "deposits_pledge"):
        rows = await tx.rows(f"SELECT DISTINCT account_id FROM {table} WHERE {wanted}", day, after, limit)
        found |= {row["account_id"] for row in rows}
    return sorted(found)[:limit]


async def pledges_of(tx: Transaction, account: int) -> list[Pledge]:
    """In the order of their rank, ended ones too."""
    if not is_account(account):
        return []
    found = await tx.rows(f"SELECT {_PLEDGE} FROM deposits_pledge WHERE account_id = $1 ORDER BY rank", account)
    return [_pledge(row) for row in found]


async def pledged_minor(tx: Transaction, account: int) -> int:
    """The sum of the pledges that stand."""
    found: int = await tx.value(
        "SELECT coalesce(sum(amount), 0)::bigint FROM deposits_pledge WHERE account_id = $1 AND ended_on IS NULL",
        account,
    )
    return found


async def insert_pledge(tx: Transaction, new: Pledge) -> None:
    """Errors: UniqueViolation when another pledge took the rank in the same moment."""
    await tx.execute(
        f"INSERT INTO deposits_pledge ({_PLEDGE}) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16)",
        *(new.account, new.rank, new.id, new.agreement, new.amount_minor, new.placed_on, new.placed_by, new.pledgee),
        *(new.party, new.expires_on, new.held_minor, list(new.holds), new.ended_on, new.ground and new.ground.value),
        *(new.reason, new.released_by),
    )


async def update_claim(tx: Transaction, changed: Claim) -> None:
    if isinstance(changed, Order):
        await update_order(tx, changed)
        return
    await tx.execute(
        "UPDATE deposits_pledge SET held = $3, holds = $4, ended_on = $5, ground = $6, reason = $7, released_by = $8 "
        "WHERE account_id = $1 AND rank = $2",
        *(changed.account, changed.rank, changed.held_minor, list(changed.holds), changed.ended_on),
        *(changed.ground and changed.ground.value, changed.reason, changed.released_by),
    )


async def _deposit(tx: Transaction, row: Any) -> Deposit:
    contract = contract_from(await terms_of(tx, row["product"], row["version"]), json.loads(row["state"]))
    counted = None if contract.accrual is None else await accrual(tx, row["account_id"])
    if counted is not None:
        contract = replace(contract, open_day=counted.open_day, accrual=counted.accrual)
    return Deposit(
        id=row["id"],
        account=row["account_id"],
        party=row["party_id"],
        product=row["product"],
        version=row["version"],
        asset=row["asset"],
        kind=ProductKind(row["kind"]),
        status=DepositStatus(row["status"]),
        opened_on=row["opened_on"],
        terms_since=row["terms_since"],
        nominated=row["nominated_account_id"],
        contract=contract,
    )


def _accrual(row: Any) -> AccrualRow:
    return AccrualRow(
        account=row["account_id"],
        terms_number=row["terms_number"],
        status=STATUSES[row["status"]],
        settled_on=row["settled_on"],
        open_day=row["open_day"],
        through=row["through"],
        moved_on=row["moved_on"],
        sequence=row["sequence"],
        balance_minor=row["balance"],
        numerator=int(row["numerator"]),
        debit_numerator=int(row["debit_numerator"]),
    )


def _accrual_values(row: AccrualRow) -> tuple[object, ...]:
    dates = (row.settled_on, row.open_day, row.through, row.moved_on)
    numbers = (row.sequence, row.balance_minor, Decimal(row.numerator), Decimal(row.debit_numerator))
    return row.account, row.terms_number, STATUS_NUMBERS[row.status], *dates, *numbers


def _order(row: Any) -> Order:
    return Order(
        id=row["id"],
        account=row["account_id"],
        authority=row["authority"],
        amount_minor=row["amount"],
        expires_on=row["expires_on"],
        placed_on=row["placed_on"],
        rank=row["rank"],
        held_minor=row["held"],
        holds=tuple(row["holds"]),
        ended_on=row["ended_on"],
    )


def _pledge(row: Any) -> Pledge:
    return Pledge(
        id=row["id"],
        account=row["account_id"],
        agreement=row["agreement"],
        amount_minor=row["amount"],
        placed_on=row["placed_on"],
        placed_by=row["placed_by"],
        pledgee=row["pledgee"],
        party=row["party_id"],
        expires_on=row["expires_on"],
        rank=row["rank"],
        held_minor=row["held"],
        holds=tuple(row["holds"]),
        ended_on=row["ended_on"],
        ground=row["ground"] and Ground(row["ground"]),
        reason=row["reason"],
        released_by=row["released_by"],
    )
