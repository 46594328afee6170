"""The order of blocks, the choice of deliveries, the schedule and the addresses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from eastflow.kernel import Refusal
from eastflow.ledger import BookedBlock, BookedEntry
from eastflow.webhooks import WebhooksRefusal, cursor, decide
from eastflow.webhooks.model import Answer, DeliveryStatus, Place, Waiting

AT = datetime(2026, 1, 2, 12, tzinfo=UTC)


def block(chain: int, number: int, seconds: int, *legs: tuple[int, int]) -> BookedBlock:
    at = AT + timedelta(seconds=seconds)
    accounts, sequences = zip(*legs, strict=True)
    id, zeros = UUID(int=chain << 32 | number), (0,) * len(legs)
    entry = BookedEntry(id, "k", date(2026, 1, 2), at, accounts, zeros, sequences, None, {}, None, None)
    return BookedBlock(chain, number, at, (entry,))


def keys(blocks: list[BookedBlock]) -> list[tuple[int, int]]:
    return [(each.chain, each.number) for each in blocks]


def test_sequences_decide_even_where_the_clock_went_back() -> None:
    blocks = [block(1, 1, 9, (7, 1)), block(2, 1, 5, (7, 2)), block(3, 1, 1, (8, 1))]
    assert keys(decide.in_order(blocks, {}, {})) == [(3, 1), (1, 1), (2, 1)]


def test_a_block_waits_for_one_that_was_not_read() -> None:
    blocks = [block(2, 4, 1, (7, 6)), block(2, 5, 2, (9, 1)), block(3, 1, 3, (8, 1))]
    assert decide.places_before(blocks) == [(7, 5)]
    assert keys(decide.in_order(blocks, {2: 3}, {(7, 5): (1, 10)})) == [(3, 1)]
    assert keys(decide.in_order(blocks, {2: 3, 1: 10}, {(7, 5): (1, 10)})) == [(2, 4), (2, 5), (3, 1)]
    assert keys(decide.in_order(blocks, {2: 3}, {})) == [(3, 1)]


def test_reading_in_parts_keeps_every_account_in_order() -> None:
    random = Random(7)
    last = dict.fromkeys(range(1, 8), 0)
    chains: dict[int, list[BookedBlock]] = {chain: [] for chain in range(4)}
    for _ in range(400):
        chain, accounts = random.randrange(4), random.sample(range(1, 8), 2)
        for account in accounts:
            last[account] += 1
        legs = [(account, last[account]) for account in accounts]
        chains[chain].append(block(chain, len(chains[chain]) + 1, random.randrange(100), *legs))
    where = {leg: (b.chain, b.number) for c in chains.values() for b in c for leg in _legs(b)}
    read = dict.fromkeys(chains, 0)
    seen = dict.fromkeys(last, 0)
    while any(read[chain] < len(blocks) for chain, blocks in chains.items()):
        part = [b for chain, blocks in chains.items() for b in blocks[read[chain] : read[chain] + random.randint(1, 5)]]
        before = {place: where[place] for place in decide.places_before(part)}
        ordered = decide.in_order(part, dict(read), before)
        assert ordered, "there is always one to go on with"
        for each in ordered:
            assert each.number == read[each.chain] + 1
            read[each.chain] = each.number
            for account, sequence in _legs(each):
                assert sequence == seen[account] + 1
                seen[account] = sequence
    assert seen == last


def _legs(each: BookedBlock) -> list[tuple[int, int]]:
    return [leg for entry in each.entries for leg in zip(entry.accounts, entry.sequences, strict=True)]


def test_an_account_waits_for_its_earliest() -> None:
    later = AT + timedelta(seconds=1)
    pending = [
        Waiting(1, frozenset({7}), later),
        Waiting(2, frozenset({7, 8}), AT),
        Waiting(3, frozenset({8}), AT),
        Waiting(4, frozenset({9}), AT),
        Waiting(5, frozenset({9}), AT),
        Waiting(6, frozenset({10}), AT),
    ]
    chosen, held = decide.choose(pending, AT, 10)
    assert (chosen, held) == ([4, 6], frozenset({7, 8, 9, 10}))
    assert decide.choose(pending, later, 10)[0] == [1, 4, 6]
    assert decide.choose(pending, AT, 1)[0] == [4]
    assert decide.choose([Waiting(7, frozenset({9}), AT)], AT, 1, held)[0] == []


def test_the_schedule() -> None:
    total = timedelta()
    for attempt in range(1, 10):
        status, due = decide.verdict(Answer(500), attempt, AT, 0)
        assert status is DeliveryStatus.PENDING
        total += due - AT
    assert total == timedelta(hours=75, minutes=35, seconds=5)
    assert decide.verdict(Answer(None), 10, AT, 0) == (DeliveryStatus.FAILED, AT)
    assert decide.verdict(Answer(204), 10, AT, 0) == (DeliveryStatus.DELIVERED, AT)
    assert decide.verdict(Answer(302), 1, AT, 100)[1] == AT + timedelta(milliseconds=5_500)
    assert decide.verdict(Answer(503, 60), 1, AT, 0)[1] == AT + timedelta(seconds=60)
    assert decide.verdict(Answer(503, 1 << 80), 1, AT, 0)[1] == AT + timedelta(days=1)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", WebhooksRefusal.URL_MALFORMED),
        ("ftp://a.example/", WebhooksRefusal.URL_MALFORMED),
        ("https://", WebhooksRefusal.URL_MALFORMED),
        ("https://name:word@a.example/", WebhooksRefusal.URL_MALFORMED),
        ("https://a.example/#part", WebhooksRefusal.URL_MALFORMED),
        ("https://a.example:port/", WebhooksRefusal.URL_MALFORMED),
        ("https://a.example/" + "x" * 2_000, WebhooksRefusal.URL_MALFORMED),
        ("http://a.example/", WebhooksRefusal.URL_NOT_HTTPS),
        ("http://localhost/", WebhooksRefusal.URL_NOT_HTTPS),
        ("https://127.0.0.1/", WebhooksRefusal.URL_NOT_PUBLIC),
        ("https://[::1]/", WebhooksRefusal.URL_NOT_PUBLIC),
        ("https://10.0.0.1/", WebhooksRefusal.URL_NOT_PUBLIC),
        ("https://169.254.169.254/", WebhooksRefusal.URL_NOT_PUBLIC),
        ("https://a.example/hook?x=1", None),
    ],
)
def test_addresses(url: str, code: WebhooksRefusal | None) -> None:
    refusal = decide.check_url(url, loopback_allowed=False)
    assert (refusal and refusal.code) == code


def test_loopback_where_it_is_allowed() -> None:
    for url in ("http://localhost:1/", "http://127.0.0.1:1/", "http://[::1]:1/"):
        assert decide.check_url(url, loopback_allowed=True) is None
    assert decide.check_url("http://10.0.0.1/", loopback_allowed=True) is not None


def test_cursors() -> None:
    place = Place({1: 5, 2: 0}, (1, 6), 3)
    assert cursor.decode(cursor.encode(place)) == place
    for wrong in ("", "x", "é", "W10", "bnVsbA", cursor.encode(Place({1: -1})), cursor.encode(Place({1: 1 << 63}))):
        assert isinstance(cursor.decode(wrong), Refusal)
