"""What may be sent, in which order, and what follows from an answer; pure."""

from __future__ import annotations

import heapq
import ipaddress
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import httpx

from eastflow.kernel import INT64_MAX, Refusal, is_text
from eastflow.ledger import BookedBlock

from .model import Answer, DeliveryStatus, Event, Waiting
from .refusals import WebhooksRefusal

URL_CHARACTERS_MAX = 2_000
KINDS_MAX, ACCOUNTS_MAX = 100, 1_000
KIND_CHARACTERS_MAX = 64
PAUSES_SECONDS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h: the example schedule of Standard Webhooks."""
JITTER_PERMILLE_MAX = 100
RETRY_AFTER_SECONDS_MAX = 86_400
GONE = 410
CLAIM_SECONDS = 60
"""Well beyond a send and the writing of its end: after it, another dispatcher takes the delivery for lost."""
DELIVERED_DAYS_KEPT = 30
"""What was delivered can be looked up for so long; what waits or has failed stays."""

Key = tuple[int, int]
"""A block as (chain, number), or a place in an account as (account, sequence)."""


def check_url(url: str, *, loopback_allowed: bool) -> Refusal | None:
    """A name that leads to a private address is not seen here: that takes a guarded way out of the bank's network."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        return Refusal(WebhooksRefusal.URL_MALFORMED)
    whole = parsed.scheme in ("http", "https") and parsed.host and not parsed.userinfo and not parsed.fragment
    if not whole or not is_text(url, URL_CHARACTERS_MAX):
        return Refusal(WebhooksRefusal.URL_MALFORMED)
    address = _address(parsed.host)
    loopback = parsed.host == "localhost" or (address is not None and address.is_loopback)
    if loopback and loopback_allowed:
        return None
    if parsed.scheme != "https":
        return Refusal(WebhooksRefusal.URL_NOT_HTTPS)
    if loopback or (address is not None and not address.is_global):
        return Refusal(WebhooksRefusal.URL_NOT_PUBLIC)
    return None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def check_filter(kinds: Collection[str] | None, accounts: Collection[int] | None) -> Refusal | None:
    if kinds is not None and not (
        1 <= len(kinds) <= KINDS_MAX and all(kind and is_text(kind, KIND_CHARACTERS_MAX) for kind in kinds)
    ):
        return Refusal(WebhooksRefusal.FILTER_MALFORMED, {"field": "kinds"})
    if accounts is not None and not (
        1 <= len(accounts) <= ACCOUNTS_MAX and all(1 <= account <= INT64_MAX for account in accounts)
    ):
        return Refusal(WebhooksRefusal.FILTER_MALFORMED, {"field": "accounts"})
    return None


def concerns(event: Event, kinds: Collection[str] | None, accounts: frozenset[int] | None) -> bool:
    return (kinds is None or event.kind in kinds) and (accounts is None or not accounts.isdisjoint(event.accounts))


def places_before(blocks: Sequence[BookedBlock]) -> list[Key]:
    """The places just before the blocks' first in each account, where no other of the blocks holds them."""
    spans = [_spans(block) for block in blocks]
    last = {(account, span[1]) for each in spans for account, span in each.items()}
    before = {(account, span[0] - 1) for each in spans for account, span in each.items() if span[0] > 1}
    return sorted(before - last)


def in_order(
    blocks: Sequence[BookedBlock], read: Mapping[int, int], before: Mapping[Key, Key], first: Key | None = None
) -> list[BookedBlock]:
    """Those of the blocks whose predecessors, in their chain and in each of their accounts, were read or come earlier
    in the answer.

    `before` says which block holds each of `places_before`. The order rests on the accounts' own sequences: it stands
    even where a clock went back, where a chain was read only in part, or where several nodes were read at moments that
    differ. Among blocks that do not depend on one another the earlier booked comes first, save `first`.
    """
    by_key = {(block.chain, block.number): block for block in blocks}
    holder = {(account, span[1]): key for key, block in by_key.items() for account, span in _spans(block).items()}
    followers: dict[Key, list[Key]] = {}
    awaited = dict.fromkeys(by_key, 0)
    for key, block in by_key.items():
        needed = {(block.chain, block.number - 1)}
        for account, (start, _) in _spans(block).items():
            if start > 1:
                place = account, start - 1
                # A predecessor that cannot be seen yet is one to wait for: no chain has been read that far.
                needed.add(holder.get(place) or before.get(place, (block.chain, INT64_MAX)))
        for each in needed:
            if each in by_key or each[1] > read.get(each[0], 0):
                awaited[key] += 1
                followers.setdefault(each, []).append(key)
    ready = [_rank(by_key[key], first) for key, count in awaited.items() if count == 0]
    heapq.heapify(ready)
    ordered = []
    while ready:
        *_, chain, number = heapq.heappop(ready)
        ordered.append(by_key[chain, number])
        for key in followers.get((chain, number), ()):
            awaited[key] -= 1
            if awaited[key] == 0:
                heapq.heappush(ready, _rank(by_key[key], first))
    return ordered


def _rank(block: BookedBlock, first: Key | None) -> tuple[bool, datetime, int, int]:
    return (block.chain, block.number) != first, block.booked_at, block.chain, block.number


def _spans(block: BookedBlock) -> dict[int, Key]:
    """The first and the last place the block took in each of its accounts; it took all in between."""
    spans: dict[int, Key] = {}
    for entry in block.entries:
        for account, sequence in zip(entry.accounts, entry.sequences, strict=True):
            low, high = spans.get(account, (sequence, sequence))
            spans[account] = min(low, sequence), max(high, sequence)
    return spans


def choose(
    pending: Iterable[Waiting], at: datetime, room: int, held: frozenset[int] = frozenset()
) -> tuple[list[int], frozenset[int]]:
    """Positions that may be sent now, at most `room`, and the accounts that hold up what follows.

    `pending` is in the order of positions and `held` is what an earlier part of it held up. Each account waits for its
    own earliest pending delivery, whether that is due, being sent or put off; the others go on.
    """
    chosen: list[int] = []
    blocked = set(held)
    for each in pending:
        if len(chosen) == room:
            break
        if each.next_attempt_at <= at and blocked.isdisjoint(each.accounts):
            chosen.append(each.position)
        blocked |= each.accounts
    return chosen, frozenset(blocked)


def verdict(answer: Answer, attempts: int, at: datetime, jitter_permille: int) -> tuple[DeliveryStatus, datetime]:
    """What becomes of a delivery after this many attempts, and when it is due again if it is still pending."""
    assert 0 <= jitter_permille <= JITTER_PERMILLE_MAX, "jitter adds a tenth at most"
    if answer.status is not None and 200 <= answer.status <= 299:
        return DeliveryStatus.DELIVERED, at
    if attempts > len(PAUSES_SECONDS):
        return DeliveryStatus.FAILED, at
    pause = PAUSES_SECONDS[attempts - 1] * 1_000
    pause += pause * jitter_permille // 1_000
    asked = min(max(answer.retry_after_seconds, 0), RETRY_AFTER_SECONDS_MAX) * 1_000
    return DeliveryStatus.PENDING, at + timedelta(milliseconds=max(pause, asked))
