"""`/v1/deposits/{account}/orders`: deposits frozen by order of a court."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from msgspec import Struct, convert

from eastflow import deposits
from eastflow.deposits import DepositsRefusal, actions
from eastflow.kernel import Refusal

from . import wire
from .keys import Scope
from .operation import Answer, Call, Operation
from .routes_deposits import ASKED, ID, ONE_EXAMPLE, OneDeposit, missing

ORDER_EXAMPLE = {
    "id": ID, "account": 1001, "authority": "Court of Pudong", "amount_minor": 60_000, "expires_on": "2026-07-05",
    "placed_on": "2026-01-05", "rank": 1, "held_minor": 60_000, "ended_on": None,
}  # fmt: skip


class NewOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """`amount_minor` null freezes the whole account. It no longer stands on the day `expires_on`."""

    id: UUID
    authority: str
    expires_on: date
    amount_minor: wire.Minor | None = None


class Order(Struct, frozen=True):
    id: UUID
    account: int
    authority: str
    amount_minor: int | None
    expires_on: date
    placed_on: date
    rank: int
    held_minor: int
    ended_on: date | None


class OrderList(Struct, frozen=True):
    orders: list[Order]


class OneOrder(Struct, frozen=True, forbid_unknown_fields=True):
    account: wire.PathAccount
    order: UUID


async def place_order(call: Call) -> Answer | Refusal:
    told: NewOrder = call.body
    new = deposits.Order(
        told.id, call.parameters.account, told.authority, told.amount_minor, told.expires_on, call.today
    )
    answer = await call.database.run(lambda tx: actions.place_order(tx, new, today=call.today))
    return answer if isinstance(answer, Refusal) else Answer(_order(answer))


async def end_order(call: Call) -> Answer | Refusal:
    asked: OneOrder = call.parameters
    answer = await call.database.run(lambda tx: actions.end_order(tx, asked.account, asked.order, today=call.today))
    return answer if isinstance(answer, Refusal) else Answer(_order(answer))


async def list_orders(call: Call) -> Answer | Refusal:
    account: int = call.parameters.account
    async with call.database.reading() as tx:
        if await deposits.deposit(tx, account) is None:
            return missing(account)
        found = await deposits.orders_of(tx, account)
    return Answer(OrderList([_order(each) for each in found]))


def _order(found: deposits.Order) -> Order:
    return convert(found, Order, from_attributes=True)


OPERATIONS = (
    Operation(
        "POST",
        "/v1/deposits/{account}/orders",
        "place_order",
        "Deposits",
        Scope.DEPOSITS_FREEZE,
        "Freeze by order of a court",
        place_order,
        {200: Order},
        parameters=OneDeposit,
        body=NewOrder,
        refusals=(DepositsRefusal.TEXT_MALFORMED, DepositsRefusal.EXPIRY_IN_PAST, *ASKED),
        description="An amount or the whole account, until a day. Orders stand in the order they came.",
        body_example={
            "id": ID,
            "authority": "Court of Pudong",
            "amount_minor": 60_000,
            "expires_on": "2026-07-05",
        },
        answer_example=ORDER_EXAMPLE,
        path_example=ONE_EXAMPLE,
    ),
    Operation(
        "GET",
        "/v1/deposits/{account}/orders",
        "list_orders",
        "Deposits",
        Scope.DEPOSITS_READ,
        "List a deposit's orders",
        list_orders,
        {200: OrderList},
        parameters=OneDeposit,
        refusals=(DepositsRefusal.CONTRACT_NOT_FOUND,),
        answer_example={"orders": [ORDER_EXAMPLE]},
        path_example=ONE_EXAMPLE,
    ),
    Operation(
        "POST",
        "/v1/deposits/{account}/orders/{order}/end",
        "end_order",
        "Deposits",
        Scope.DEPOSITS_FREEZE,
        "End an order before its day",
        end_order,
        {200: Order},
        parameters=OneOrder,
        refusals=(DepositsRefusal.ORDER_NOT_FOUND,),
        answer_example=ORDER_EXAMPLE,
        path_example={**ONE_EXAMPLE, "order": ID},
    ),
)
