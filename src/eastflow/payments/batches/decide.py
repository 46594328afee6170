"""What does a file say, is it the same as another, and what is to be paid of it? Pure: no clock, no database."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import astuple
from datetime import date
from typing import Any
from uuid import UUID

from eastflow.kernel import EXACT_JSON_INTEGER_MAX, INT64_MAX, Refusal, is_text

from ..decide import check_accounts, check_amount, check_asset, check_text, check_texts, further_id
from ..model import BANK_CHARACTERS_MAX, Endpoint, Transfer
from ..refusals import PaymentsRefusal
from .model import LINES_MAX, Batch, BatchFile, BatchLine, BatchStatus, Line, LineStatus

COLUMNS = ("creditor_name", "creditor_account", "creditor_bank", "amount_minor", "remittance", "end_to_end_id")
REQUIRED_COLUMNS = ("creditor_name", "creditor_account", "amount_minor")
AMOUNT_DIGITS_MAX = 19


def read_csv(text: str) -> tuple[Line, ...] | Refusal:
    """The lines of a file with a header of `COLUMNS`, in any order; those not required may be left out."""
    try:
        rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True))
    except csv.Error as problem:
        return _malformed(str(problem))
    if not rows:
        return _malformed("no header")
    header, *rest = rows
    if len(set(header)) != len(header) or not set(REQUIRED_COLUMNS) <= set(header) <= set(COLUMNS):
        return _malformed("header")
    lines: list[Line] = []
    for row in filter(None, rest):
        if len(row) != len(header):
            return _malformed(f"line {len(lines) + 1}")
        lines.append(_line(dict(zip(header, row, strict=True))))
    return tuple(lines)


def read_json(text: str) -> tuple[Line, ...] | Refusal:
    """The lines of a list of objects with the names of `COLUMNS`."""
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as problem:
        return _malformed(str(problem))
    if not isinstance(rows, list):
        return _malformed("not a list")
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict) or not set(REQUIRED_COLUMNS) <= set(row) <= set(COLUMNS):
            return _malformed(f"line {number}")
    return tuple(_line(row) for row in rows)


def check_file(file: BatchFile) -> Refusal | None:
    """The first refusal that applies to the file as a whole, or None. Its lines are judged one by one, later."""
    if refusal := check_asset(file.asset):
        return refusal
    if not 0 < file.debtor <= EXACT_JSON_INTEGER_MAX:
        return Refusal(PaymentsRefusal.ACCOUNT_MALFORMED, {"account": str(file.debtor)})
    if not 0 < len(file.lines) <= LINES_MAX:
        return Refusal(PaymentsRefusal.LINES_OUT_OF_RANGE, {"lines": len(file.lines), "lines_max": LINES_MAX})
    return check_text("scheme", file.scheme, BANK_CHARACTERS_MAX)


def begun(file: BatchFile, keyed_hash: bytes, today: date, by: str) -> tuple[Batch, list[BatchLine]]:
    """The batch as it is kept. A line that cannot be paid at all is refused from the beginning."""
    lines = [_judged(file, number, line) for number, line in enumerate(file.lines, 1)]
    batch = Batch(
        id=file.id,
        status=BatchStatus.RECEIVED,
        debtor=file.debtor,
        asset=file.asset,
        channel=file.channel,
        scheme=file.scheme,
        whole=file.whole,
        one_debit=file.one_debit,
        lines=len(lines),
        total_minor=sum(each.line.amount_minor for each in lines if each.status is LineStatus.PENDING),
        keyed_hash=keyed_hash,
        submitted_on=today,
        by=by,
    )
    return batch, lines


def check_total(batch: Batch) -> Refusal | None:
    return check_amount(batch.total_minor) if batch.total_minor > INT64_MAX else None


def content_hash(file: BatchFile) -> bytes:
    """The same for two files that ask for the same, whatever their ids."""
    lines = [astuple(line) for line in file.lines]
    content = [file.debtor, file.asset, file.scheme, file.whole, file.one_debit, lines]
    return hashlib.sha256(json.dumps(content).encode()).digest()


def same_request(file: BatchFile, keyed_hash: bytes, known: Batch) -> bool:
    return (keyed_hash, file.channel) == (known.keyed_hash, known.channel)


def line_payment(batch: UUID, number: int) -> UUID:
    return further_id(batch, f"line {number}")


def transfer_of(batch: Batch, line: BatchLine) -> Transfer:
    told = line.line
    return Transfer(
        line.payment,
        batch.debtor,
        told.creditor,
        told.amount_minor,
        batch.asset,
        batch.channel,
        told.remittance,
        told.end_to_end_id,
        batch.scheme,
    )


def first_refused(lines: Sequence[BatchLine]) -> BatchLine | None:
    return next((line for line in lines if line.status is LineStatus.REFUSED), None)


def _judged(file: BatchFile, number: int, line: Line) -> BatchLine:
    refusal = (
        check_texts(line.creditor, remittance=line.remittance, end_to_end_id=line.end_to_end_id)
        or check_amount(line.amount_minor)
        or check_accounts(file.debtor, line.creditor)
    )
    payment = line_payment(file.id, number)
    if refusal is None:
        return BatchLine(file.id, number, line, LineStatus.PENDING, payment)
    return BatchLine(file.id, number, _kept(line), LineStatus.REFUSED, payment, str(refusal.code.value))


def _kept(line: Line) -> Line:
    """A refused line as far as it can be kept: no text that no database takes, and no number beyond 64 bits."""

    def plain(text: str) -> str:
        return "".join(sign if is_text(sign, 1) else "\N{REPLACEMENT CHARACTER}" for sign in text)

    end = line.creditor
    return Line(
        Endpoint(plain(end.name), plain(end.account), None if end.bank is None else plain(end.bank)),
        min(max(line.amount_minor, -INT64_MAX), INT64_MAX),
        plain(line.remittance),
        None if line.end_to_end_id is None else plain(line.end_to_end_id),
    )


def _line(told: dict[str, Any]) -> Line:
    def text(name: str) -> str:
        value = told.get(name)
        return "" if value is None else str(value)

    creditor = Endpoint(text("creditor_name"), text("creditor_account"), text("creditor_bank") or None)
    return Line(creditor, _amount(told["amount_minor"]), text("remittance"), text("end_to_end_id") or None)


def _amount(value: object) -> int:
    """0, which no payment has, where it is no whole number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= AMOUNT_DIGITS_MAX else 0


def _malformed(reason: str) -> Refusal:
    return Refusal(PaymentsRefusal.FILE_MALFORMED, {"reason": reason[:200]})
