"""Texts about persons in the tables of payments: sealed together, one text a row, and bound to the row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from eastflow.storage import Transaction, month_sealer, month_unsealed

PURPOSE_OF_PAYMENTS, PURPOSE_OF_AGREEMENTS = "payments", "payment agreements"
"""Purposes of data keys. What has happened is shredded by months; what goes on, orders and mandates, is not."""
Text = str | None


@dataclass(frozen=True, slots=True)
class SealedTable:
    """`texts` are the columns in which rows had their texts before they were sealed, in the order in which they are
    sealed; `day` is the column by which a row belongs to a month, None where it has none."""

    name: str
    key: tuple[str, ...]
    texts: tuple[str, ...]
    purpose: str
    day: str | None = None

    def place(self, *key: object) -> bytes:
        return " ".join((self.name, *map(str, key))).encode()


PAYMENT = SealedTable(
    "payments_payment",
    ("id",),
    ("debtor_name", "debtor_account", "creditor_name", "creditor_account", "remittance", "end_to_end_id"),
    PURPOSE_OF_PAYMENTS,
    "accepted_on",
)
ORDER = SealedTable(
    "payments_order",
    ("id",),
    ("creditor_name", "creditor_account", "remittance", "end_to_end_id"),
    PURPOSE_OF_AGREEMENTS,
)
MANDATE = SealedTable("payments_mandate", ("id",), ("creditor_name", "reference"), PURPOSE_OF_AGREEMENTS)
COLLECTION = SealedTable("payments_collection", ("mandate_id", "id"), ("remittance",), PURPOSE_OF_PAYMENTS, "due_on")
LINE = SealedTable(
    "payments_line",
    ("batch_id", "number"),
    ("creditor_name", "creditor_account", "remittance", "end_to_end_id"),
    PURPOSE_OF_PAYMENTS,
)
TABLES = (PAYMENT, ORDER, MANDATE, COLLECTION, LINE)


async def seal_texts(
    tx: Transaction, table: SealedTable, day: date, rows: Sequence[tuple[tuple[object, ...], Sequence[Text]]]
) -> list[bytes]:
    """Of each row its key and its texts; they can be shredded with the month of the day. Errors: KeyFault."""
    if not rows:
        return []
    sealer = await month_sealer(tx, table.purpose, day)
    return [sealer.seal(json.dumps(list(texts)).encode(), table.place(*key)) for key, texts in rows]


async def open_texts(tx: Transaction, table: SealedTable, rows: Sequence[Any]) -> list[list[Text]]:
    """Of rows with their key and `sealed`; empty texts where the month was shredded. Errors: KeyFault."""
    sealed = [(row["sealed"], table.place(*(row[column] for column in table.key))) for row in rows]
    opened = await month_unsealed(tx, table.purpose, sealed)
    return [[""] * len(table.texts) if plain is None else json.loads(plain) for plain in opened]


async def seal_plain(tx: Transaction, table: SealedTable, today: date, limit: int) -> int:
    """Seal rows that were written before texts were sealed; the answer is how many."""
    columns = ", ".join((*table.key, *table.texts, *filter(None, [table.day])))
    found = await tx.rows(
        f"SELECT {columns} FROM {table.name} WHERE sealed IS NULL ORDER BY {', '.join(table.key)} LIMIT $1", limit
    )
    sealed = []
    for row in found:
        key = tuple(row[column] for column in table.key)
        day = today if table.day is None else row[table.day]
        sealed += await seal_texts(tx, table, day, [(key, [row[column] for column in table.texts])])
    emptied = ", ".join(f"{column} = NULL" for column in table.texts)
    matched = " AND ".join(f"{column} = ${number}" for number, column in enumerate(table.key, 2))
    await tx.execute_many(
        f"UPDATE {table.name} SET sealed = $1, {emptied} WHERE {matched} AND sealed IS NULL",
        [(each, *(row[column] for column in table.key)) for each, row in zip(sealed, found, strict=True)],
    )
    return len(found)


def keyed(tx: Transaction, content_hash: bytes) -> bytes:
    """The hash of a file as it is kept: it tells nothing to whoever guesses at the file. Errors: KeyFault."""
    return tx.keys.digest("payment file", content_hash.hex())


async def key_plain_hashes(tx: Transaction, limit: int) -> int:
    """Key the hashes of files that were handed in before; the answer is how many."""
    found = await tx.rows(
        "SELECT id, content_hash FROM payments_batch WHERE keyed_hash IS NULL ORDER BY id LIMIT $1", limit
    )
    await tx.execute_many(
        "UPDATE payments_batch SET keyed_hash = $2, content_hash = NULL WHERE id = $1 AND keyed_hash IS NULL",
        [(row["id"], keyed(tx, row["content_hash"])) for row in found],
    )
    return len(found)
