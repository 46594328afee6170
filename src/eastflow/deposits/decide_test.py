"""What deposits decide by themselves: ids, shares, what is held for orders, and what is refused at once."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from .decide import account_key, check_order, derived_id, freezes_whole, parts_of, request_text, to_hold
from .model import Order

DAY = date(2026, 1, 5)
accounts = st.integers(1, 2**53 - 1)
days = st.dates(date(1900, 1, 1), date(2999, 12, 31))


@given(accounts, days, accounts, days)
def test_one_id_for_one_thing(account: int, day: date, other: int, another: date) -> None:
    id = derived_id(account_key(account), "interest", day)
    assert (id.version, id.variant) == (8, "specified in RFC 4122")
    assert id != derived_id(account_key(account), "fee", day)
    same = (account, day) == (other, another)
    assert (id == derived_id(account_key(other), "interest", another)) is same


def test_an_id_never_changes() -> None:
    """It is in the books of banks: made in another way, interest would be paid twice."""
    assert derived_id(account_key(1001), "interest", DAY) == UUID("4bc2c4b1-9706-85fa-b78d-01a6c460afed")


@given(st.integers(0, 10**15), st.lists(st.integers(1, 1_000_000), min_size=1, max_size=50))
def test_parts_are_the_whole(amount_minor: int, weights: list[int]) -> None:
    parts = parts_of(amount_minor, weights)
    assert sum(parts) == amount_minor
    for part, weight in zip(parts, weights, strict=True):
        assert 0 <= part - amount_minor * weight // sum(weights) <= 1


@given(st.lists(st.integers(1, 1_000), max_size=6), st.integers(-100, 4_000))
def test_orders_are_held_in_their_rank(amounts: list[int], available_minor: int) -> None:
    orders = [Order(uuid4(), 1, "Court", amount, DAY, DAY, rank) for rank, amount in enumerate(amounts, 1)]
    held = to_hold(list(reversed(orders)), available_minor)
    assert sum(more for _, more in held) == min(sum(amounts), max(0, available_minor))
    # Only the last of those that have anything may have less than it asks for.
    assert [order.rank for order, _ in held] == list(range(1, len(held) + 1))
    assert all(more == order.amount_minor for order, more in held[:-1])
    assert freezes_whole(orders) is bool(orders)


def test_a_request_has_one_text() -> None:
    id = uuid4()
    assert request_text({"b": 1, "a": id}) == request_text({"a": str(id), "b": 1})


def test_an_order_that_is_over_is_no_order() -> None:
    order = Order(uuid4(), 1, "Court", None, DAY, DAY)
    refused = check_order(order, DAY)
    assert refused is not None
    assert refused.facts == {"expires_on": DAY}
    assert check_order(order, date(2026, 1, 4)) is None
