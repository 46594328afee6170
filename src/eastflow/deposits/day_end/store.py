"""A day's blocks, how far its steps have come, and accruals in columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from eastflow.products import Migration
from eastflow.storage import Transaction

from ..model import Correction, CorrectionKey, StepDone

Int64s = npt.NDArray[np.int64]
UNKNOWN = -1
"""Stands for a numerator that may not be counted in 64 bits."""
_NUMERATORS = tuple(
    f"CASE WHEN {name} BETWEEN 0 AND 1152921504606846976 THEN {name}::bigint ELSE -1 END"
    for name in ("numerator", "debit_numerator")
)
_DAY_ZERO = date(2000, 1, 1).toordinal()
_COLUMNS = (
    "account_id", "terms_number", "status::bigint", "open_day - date '2000-01-01'", "through - date '2000-01-01'",
    "sequence", "balance", *_NUMERATORS,
)  # fmt: skip
_NAMES = (
    *("account_id", "terms_number", "status", "open_day", "through", "sequence", "balance", "numerator"),
    "debit_numerator",
)
FIRST_OWED: CorrectionKey = (0, date.min, 0)


@dataclass(frozen=True, slots=True)
class Accruals:
    """Rows of accruals in columns, by account; days as ordinals."""

    accounts: Int64s
    terms_numbers: Int64s
    statuses: Int64s
    open_days: Int64s
    through: Int64s
    sequences: Int64s
    balances_minor: Int64s
    numerators: Int64s
    debit_numerators: Int64s

    def __len__(self) -> int:
        return len(self.accounts)

    def where(self, chosen: npt.NDArray[np.generic]) -> Accruals:
        return Accruals(*(getattr(self, name)[chosen] for name in Accruals.__slots__))


async def accruals_of(tx: Transaction, accounts: Sequence[int]) -> Accruals:
    """Of those of the accounts that have one."""
    return await _columns(
        tx,
        f"SELECT {_selected()} FROM unnest($1::bigint[]) AS d (number) "
        "JOIN deposits_accrual ON account_id = d.number ORDER BY account_id",
        list(accounts),
    )


async def page_under(tx: Transaction, *, terms: int, after: int, part: int, parts: int, limit: int) -> Accruals:
    """Accruals under these terms, by account after `after`."""
    return await _columns(
        tx,
        f"SELECT {_selected()} FROM deposits_accrual WHERE account_id > $1 AND account_id % $2 = $3 "
        "AND terms_number = $4 AND status <> 3 ORDER BY account_id LIMIT $5",
        *(after, parts, part, terms, limit),
    )


async def due_page(
    tx: Transaction,
    *,
    terms: Sequence[int],
    day: date,
    statuses: Sequence[int],
    after: int,
    part: int,
    parts: int,
    limit: int,
) -> Accruals:
    """Accruals under these terms whose end of `day` has not been done, by account after `after`."""
    return await _columns(
        tx,
        f"SELECT {_selected()} FROM deposits_accrual WHERE account_id > $1 AND account_id % $2 = $3 "
        "AND terms_number = ANY($4::bigint[]) AND open_day <= $5 AND status = ANY($6::smallint[]) "
        "ORDER BY account_id LIMIT $7",
        *(after, parts, part, list(terms), day, list(statuses), limit),
    )


async def write_moved(
    tx: Transaction,
    rows: Accruals,
    through: Int64s,
    sequences: Int64s,
    balances: Int64s,
    numerators: Int64s,
    debit_numerators: Int64s,
) -> list[int]:
    """The accounts that were written: those whose accrual was still as in `rows`. What moved did so on `through`."""
    # Most banks' nights know of no overdraft, and most accounts of those that do.
    overdrawn = bool(np.any(debit_numerators != rows.debit_numerators))
    found = await tx.value(
        "WITH written AS (UPDATE deposits_accrual AS a SET through = date '2000-01-01' + d.through::int, "
        "moved_on = greatest(a.moved_on, date '2000-01-01' + d.through::int), "
        "sequence = d.sequence, balance = d.balance, numerator = d.numerator"
        f"{', debit_numerator = d.debit' * overdrawn} "
        "FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]"
        f"{', $7::bigint[]' * overdrawn}) "
        f"AS d (account_id, before, through, sequence, balance, numerator{', debit' * overdrawn}) "
        "WHERE a.account_id = d.account_id AND a.sequence = d.before RETURNING a.account_id) "
        "SELECT array_agg(account_id) FROM written",
        *(column.tolist() for column in (rows.accounts, rows.sequences, through - _DAY_ZERO)),
        *(column.tolist() for column in (sequences, balances, numerators, *[debit_numerators] * overdrawn)),
    )
    return found or []


async def write_ended(tx: Transaction, rows: Accruals, after: Accruals, settled_on: date | None) -> list[int]:
    """The accounts that were written: those whose accrual was still as in `rows`. A new period begins on `settled_on`,
    if that is given."""
    found = await tx.value(
        "WITH written AS (UPDATE deposits_accrual AS a SET terms_number = d.terms_number, "
        "settled_on = coalesce($11, a.settled_on), open_day = date '2000-01-01' + d.open_day::int, "
        "through = date '2000-01-01' + d.through::int, sequence = d.sequence, balance = d.balance, "
        "numerator = d.numerator, debit_numerator = d.debit "
        "FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], "
        "$8::bigint[], $9::bigint[], $10::bigint[]) AS d (account_id, sequence_before, open_before, terms_number, "
        "open_day, through, sequence, balance, numerator, debit) "
        "WHERE a.account_id = d.account_id AND a.sequence = d.sequence_before "
        "AND a.open_day = date '2000-01-01' + d.open_before::int RETURNING a.account_id) "
        "SELECT array_agg(account_id) FROM written",
        *(column.tolist() for column in (rows.accounts, rows.sequences, rows.open_days - _DAY_ZERO)),
        *(column.tolist() for column in (after.terms_numbers, after.open_days - _DAY_ZERO, after.through - _DAY_ZERO)),
        *(column.tolist() for column in (after.sequences, after.balances_minor)),
        *(column.tolist() for column in (after.numerators, after.debit_numerators)),
        settled_on,
    )
    return found or []


async def write_migrated(tx: Transaction, accounts: Sequence[int], *, plan: Migration, day: date) -> None:
    """The contracts on them go on under the plan's target from `day`."""
    await tx.execute(
        "INSERT INTO deposits_terms_held (account_id, since, version) SELECT account_id, terms_since, version "
        "FROM deposits_contract WHERE account_id = ANY($1::bigint[]) ON CONFLICT (account_id, since) DO NOTHING",
        list(accounts),
    )
    touched = await tx.execute(
        "UPDATE deposits_contract SET version = $3, terms_since = $4 "
        "WHERE account_id = ANY($1::bigint[]) AND version = $2",
        *(list(accounts), plan.source, plan.target, day),
    )
    assert touched == len(accounts), "an accrual is under its contract's version"


async def blocks_of_day(tx: Transaction, day: date) -> tuple[dict[int, int], dict[int, int]] | None:
    """After which and up to which block of each chain; None if that is not fixed yet."""
    found = await tx.rows("SELECT chain_id, after, through FROM deposits_day_blocks WHERE business_date = $1", day)
    if not found:
        return None
    return {row["chain_id"]: row["after"] for row in found}, {row["chain_id"]: row["through"] for row in found}


async def blocks_before(tx: Transaction, day: date) -> dict[int, int]:
    """Where the day before left off."""
    found = await tx.rows(
        "SELECT chain_id, resume FROM deposits_day_blocks WHERE business_date = "
        "(SELECT max(business_date) FROM deposits_day_blocks WHERE business_date < $1)",
        day,
    )
    return {row["chain_id"]: row["resume"] for row in found}


async def insert_blocks(tx: Transaction, day: date, after: Mapping[int, int], through: Mapping[int, int]) -> None:
    """Errors: UniqueViolation when another has fixed them in the same moment."""
    await tx.records_in(
        "deposits_day_blocks",
        ("business_date", "chain_id", "after", "through", "resume"),
        [(day, chain, after.get(chain, 0), number, number) for chain, number in sorted(through.items())],
    )


async def read_again(tx: Transaction, day: date) -> None:
    """The next day reads this day's blocks once more: they hold what is valued later. Earlier ones cannot."""
    await tx.execute(
        "UPDATE deposits_day_blocks AS b SET resume = coalesce((SELECT through FROM deposits_day_blocks AS p "
        "WHERE p.chain_id = b.chain_id AND p.business_date < $1 ORDER BY p.business_date DESC LIMIT 1), 0) "
        "WHERE b.business_date = $1",
        day,
    )


async def step(tx: Transaction, day: date, name: str, part: int, parts: int) -> StepDone:
    row = await tx.row(
        "SELECT last_account, accounts, done FROM deposits_day_step "
        "WHERE business_date = $1 AND step = $2 AND part = $3 AND parts = $4",
        *(day, name, part, parts),
    )
    come = () if row is None else (row["last_account"], row["accounts"], row["done"])
    return StepDone(day, name, part, parts, *come)


async def write_step(tx: Transaction, step: StepDone) -> None:
    await tx.execute(
        "INSERT INTO deposits_day_step AS s (business_date, step, part, parts, last_account, accounts, done) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (business_date, step, part, parts) "
        "DO UPDATE SET last_account = excluded.last_account, accounts = excluded.accounts, done = excluded.done",
        *(step.business_date, step.step, step.part, step.parts, step.last_account, step.accounts, step.done),
    )


async def steps_of(tx: Transaction, day: date) -> list[StepDone]:
    found = await tx.rows(
        "SELECT business_date, step, part, parts, last_account, accounts, done FROM deposits_day_step "
        "WHERE business_date = $1 ORDER BY step, parts, part",
        day,
    )
    return [StepDone(*row) for row in found]


async def contracts_due(tx: Transaction, day: date, *, after: int, part: int, parts: int, limit: int) -> list[int]:
    """Accounts of contracts that come due by themselves, on `day` or before."""
    found = await tx.rows(
        "SELECT account_id FROM deposits_contract WHERE due_on <= $1 AND account_id > $2 AND account_id % $3 = $4 "
        "AND status <> 'closed' ORDER BY account_id LIMIT $5",
        *(day, after, parts, part, limit),
    )
    return [row["account_id"] for row in found]


async def contracts_under(
    tx: Transaction, product: str, version: int, *, after: int, part: int, parts: int, limit: int
) -> list[int]:
    found = await tx.rows(
        "SELECT account_id FROM deposits_contract WHERE product = $1 AND version = $2 AND account_id > $3 "
        "AND account_id % $4 = $5 AND status <> 'closed' ORDER BY account_id LIMIT $6",
        *(product, version, after, parts, part, limit),
    )
    return [row["account_id"] for row in found]


async def resting_since(tx: Transaction, day: date, *, after: int, part: int, parts: int, limit: int) -> list[int]:
    """Open contracts in which nothing has moved since `day`."""
    found = await tx.rows(
        "SELECT account_id FROM deposits_accrual WHERE moved_on <= $1 AND status = 0 AND account_id > $2 "
        "AND account_id % $3 = $4 ORDER BY account_id LIMIT $5",
        *(day, after, parts, part, limit),
    )
    return [row["account_id"] for row in found]


async def corrections_owed(
    tx: Transaction, part: int, parts: int, *, after: CorrectionKey = FIRST_OWED, limit: int
) -> list[Correction]:
    """Those not booked yet, by account, settlement date and number after `after`."""
    found = await tx.rows(
        "SELECT account_id, settled_on, number, kind, amount FROM deposits_correction WHERE NOT booked "
        "AND (account_id, settled_on, number) > ($3, $4, $5) AND account_id % $1 = $2 "
        "ORDER BY account_id, settled_on, number LIMIT $6",
        *(parts, part, *after, limit),
    )
    return [Correction(*row) for row in found]


def _selected() -> str:
    return ", ".join(f"{column} AS {name}" for column, name in zip(_COLUMNS, _NAMES, strict=True))


async def _columns(tx: Transaction, query: str, *arguments: object) -> Accruals:
    row = await tx.row(f"SELECT {', '.join(f'array_agg({name})' for name in _NAMES)} FROM ({query}) AS q", *arguments)
    columns = [np.array(column or (), dtype=np.int64) for column in row]
    columns[3] += _DAY_ZERO
    columns[4] += _DAY_ZERO
    return Accruals(*columns)
