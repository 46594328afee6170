"""`/v1/payment-batches`: files of payments, such as a payroll: handed in, run, and read line by line."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct, convert

from eastflow import payments
from eastflow.customers import Channel
from eastflow.kernel import Refusal
from eastflow.payments import (
    DEFAULT_SCHEME,
    LINES_MAX,
    BatchStatus,
    Endpoint,
    LineStatus,
    PaymentsRefusal,
    actions,
)

from . import wire
from .keys import Scope
from .operation import Answer, Call, Operation
from .refusals import ApiRefusal
from .routes_parties import may_see
from .routes_payments import PAYEE, PaymentEnd

ID = "019b8f2e-7c00-7000-8000-0000000000e5"
LINE_EXAMPLE = {"creditor": PAYEE, "amount_minor": 3500000, "remittance": "March", "end_to_end_id": None}
NEW_EXAMPLE = {
    "id": ID, "debtor": 1001, "asset": "CZK", "lines": [LINE_EXAMPLE], "whole": False, "one_debit": True,
}  # fmt: skip
EXAMPLE = {
    "id": ID, "status": "received", "debtor": 1001, "asset": "CZK", "channel": "api", "scheme": "clearing",
    "whole": False, "one_debit": True, "lines": 1, "total_minor": 3500000, "submitted_on": "2026-01-05",
    "by": "a key", "reason": None,
}  # fmt: skip
ANSWERED_EXAMPLE = LINE_EXAMPLE | {"number": 1, "status": "paid", "payment": ID, "reason": None}


class NewLine(Struct, frozen=True, forbid_unknown_fields=True):
    creditor: PaymentEnd
    amount_minor: wire.Minor
    remittance: str = ""
    end_to_end_id: str | None = None


class NewBatch(Struct, frozen=True, forbid_unknown_fields=True):
    """`id` makes handing in idempotent. `whole`: all lines or none; `one_debit`: the payer's account shows one amount.

    The lines are given as `lines`, or as the text of a CSV file with the columns creditor_name, creditor_account,
    creditor_bank, amount_minor, remittance and end_to_end_id.
    """

    id: UUID
    debtor: wire.AccountNumber
    asset: wire.AssetCode
    lines: list[NewLine] = []
    csv: str | None = None
    channel: Channel = Channel.API
    scheme: str = DEFAULT_SCHEME
    whole: bool = False
    one_debit: bool = False
    duplicate_confirmed: bool = False


class PaymentBatch(Struct, frozen=True):
    id: UUID
    status: BatchStatus
    debtor: int
    asset: str
    channel: Channel
    scheme: str
    whole: bool
    one_debit: bool
    lines: int
    total_minor: int
    submitted_on: date
    by: str
    reason: str | None


class BatchLine(Struct, frozen=True):
    """`payment` is the id of the payment that the line becomes; `reason` says why it was refused. The payee and the
    remittance are masked as a payment's are."""

    number: int
    creditor: PaymentEnd
    amount_minor: int
    remittance: str
    end_to_end_id: str | None
    status: LineStatus
    payment: UUID
    reason: str | None


class PaymentBatchPage(Struct, frozen=True):
    batches: list[PaymentBatch]
    cursor: str | None


class BatchLinePage(Struct, frozen=True):
    lines: list[BatchLine]
    cursor: str | None


class OneBatch(Struct, frozen=True, forbid_unknown_fields=True):
    batch: UUID


class PaymentBatchList(Struct, frozen=True, forbid_unknown_fields=True):
    """A cursor keeps the filter of its first page."""

    debtor: wire.PathAccount | None = None
    limit: wire.Limit = 100
    cursor: wire.Cursor | None = None


class BatchLineList(Struct, frozen=True, forbid_unknown_fields=True):
    batch: UUID
    limit: wire.Limit = 100
    cursor: wire.Cursor | None = None


class _Place(Struct, frozen=True):
    after: UUID
    debtor: wire.PathAccount | None


class _LinePlace(Struct, frozen=True):
    after: Annotated[int, Meta(ge=0, le=LINES_MAX)]


async def submit(call: Call) -> Answer | Refusal:
    new: NewBatch = call.body
    lines = _lines(new)
    if isinstance(lines, Refusal):
        return lines
    file = payments.BatchFile(
        new.id, new.debtor, new.asset, lines, new.channel, new.scheme, new.whole, new.one_debit, new.duplicate_confirmed
    )
    answer = await call.database.run(
        lambda tx: actions.submit_batch(tx, file, today=call.today, by=call.actor, clock=call.engine.clock)
    )
    return answer if isinstance(answer, Refusal) else Answer(_batch(answer))


async def run(call: Call) -> Answer | Refusal:
    answer = await actions.run_batch(call.database, call.parameters.batch, today=call.today, clock=call.engine.clock)
    return answer if isinstance(answer, Refusal) else Answer(_batch(answer))


async def read_one(call: Call) -> Answer | Refusal:
    id: UUID = call.parameters.batch
    async with call.database.reading() as tx:
        found = await payments.batch(tx, id)
    return Refusal(PaymentsRefusal.BATCH_NOT_FOUND, {"id": id}) if found is None else Answer(_batch(found))


async def list_page(call: Call) -> Answer | Refusal:
    asked: PaymentBatchList = call.parameters
    after, debtor = None, asked.debtor
    if asked.cursor is not None:
        place = wire.read_cursor(asked.cursor, _Place)
        after, debtor = place.after, place.debtor
    async with call.database.reading() as tx:
        found = await payments.batches_page(tx, debtor=debtor, after=after, limit=asked.limit + 1)
    shown = found[: asked.limit]
    following = wire.cursor_of(_Place(shown[-1].id, debtor)) if len(found) > asked.limit else None
    return Answer(PaymentBatchPage([_batch(each) for each in shown], following))


async def list_lines(call: Call) -> Answer | Refusal:
    asked: BatchLineList = call.parameters
    after = 0 if asked.cursor is None else wire.read_cursor(asked.cursor, _LinePlace).after
    async with call.database.reading() as tx:
        if await payments.batch(tx, asked.batch) is None:
            return Refusal(PaymentsRefusal.BATCH_NOT_FOUND, {"id": asked.batch})
        found = await payments.batch_lines(tx, asked.batch, after=after, limit=asked.limit + 1)
    shown = found[: asked.limit]
    following = wire.cursor_of(_LinePlace(shown[-1].number)) if len(found) > asked.limit else None
    return Answer(BatchLinePage([_line(each, call) for each in shown], following))


def _lines(new: NewBatch) -> tuple[payments.Line, ...] | Refusal:
    if new.csv is not None:
        return payments.read_csv(new.csv)
    return tuple(
        payments.Line(
            Endpoint(line.creditor.name, line.creditor.account, line.creditor.bank),
            line.amount_minor,
            line.remittance,
            line.end_to_end_id,
        )
        for line in new.lines
    )


def _batch(found: payments.Batch) -> PaymentBatch:
    return convert(found, PaymentBatch, from_attributes=True)


def _line(found: payments.BatchLine, call: Call) -> BatchLine:
    told = (found if may_see(call) else payments.masked_line(found)).line
    return BatchLine(
        found.number,
        convert(told.creditor, PaymentEnd, from_attributes=True),
        told.amount_minor,
        told.remittance,
        told.end_to_end_id,
        found.status,
        found.payment,
        found.reason,
    )


_READ, _WRITE, _TAG = Scope.PAYMENTS_READ, Scope.PAYMENTS_WRITE, "Payment batches"
OPERATIONS = (
    Operation(
        "POST", "/v1/payment-batches", "submit_payment_batch", _TAG, _WRITE, "Hand in a file of payments", submit,
        {200: PaymentBatch}, body=NewBatch,
        refusals=(
            PaymentsRefusal.TEXT_MALFORMED, PaymentsRefusal.AMOUNT_OUT_OF_RANGE, PaymentsRefusal.ACCOUNT_MALFORMED,
            PaymentsRefusal.LINES_OUT_OF_RANGE, PaymentsRefusal.FILE_MALFORMED, PaymentsRefusal.ID_REUSED,
            PaymentsRefusal.DUPLICATE,
        ),
        description="Nothing is paid until it is run.", body_example=NEW_EXAMPLE, answer_example=EXAMPLE,
    ),
    Operation(
        "GET", "/v1/payment-batches", "list_payment_batches", _TAG, _READ, "List the files", list_page,
        {200: PaymentBatchPage}, parameters=PaymentBatchList, refusals=(ApiRefusal.CURSOR_MALFORMED,),
        answer_example={"batches": [EXAMPLE], "cursor": None},
    ),
    Operation(
        "GET", "/v1/payment-batches/{batch}", "read_payment_batch", _TAG, _READ, "Read a file", read_one,
        {200: PaymentBatch}, parameters=OneBatch, refusals=(PaymentsRefusal.BATCH_NOT_FOUND,),
        answer_example=EXAMPLE, path_example={"batch": ID},
    ),
    Operation(
        "GET", "/v1/payment-batches/{batch}/lines", "list_payment_batch_lines", _TAG, _READ,
        "What became of each line", list_lines, {200: BatchLinePage}, parameters=BatchLineList,
        refusals=(ApiRefusal.CURSOR_MALFORMED, PaymentsRefusal.BATCH_NOT_FOUND),
        answer_example={"lines": [ANSWERED_EXAMPLE], "cursor": None}, path_example={"batch": ID},
    ),
    Operation(
        "POST", "/v1/payment-batches/{batch}/run", "run_payment_batch", _TAG, _WRITE, "Pay a file's lines", run,
        {200: PaymentBatch}, parameters=OneBatch, refusals=(PaymentsRefusal.BATCH_NOT_FOUND,),
        description="Running it again goes on where it was stopped; one that is done stays as it is.",
        answer_example=EXAMPLE | {"status": "done"}, path_example={"batch": ID},
    ),
)  # fmt: skip
