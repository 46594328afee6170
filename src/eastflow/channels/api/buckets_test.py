"""Token buckets against a slow oracle that remembers every token, and their bounded memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eastflow.channels.api.buckets import NANOSECONDS_PER_SECOND, Buckets

INTERVAL, DEPTH = 3 * NANOSECONDS_PER_SECOND, 4


@given(st.lists(st.integers(0, 5 * NANOSECONDS_PER_SECOND), max_size=60))
def test_no_more_is_taken_than_has_come_back(pauses: list[int]) -> None:
    now, tokens, level_at = 10**15, DEPTH * INTERVAL, 10**15
    kept = Buckets(INTERVAL, DEPTH)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.monotonic_ns", lambda: now)
        for pause in pauses:
            now += pause
            tokens, level_at = min(DEPTH * INTERVAL, tokens + now - level_at), now
            wait = kept.take("x")
            assert (wait == 0) is (tokens >= INTERVAL)
            if wait == 0:
                tokens -= INTERVAL
            else:
                assert (wait - 1) * NANOSECONDS_PER_SECOND < INTERVAL - tokens <= wait * NANOSECONDS_PER_SECOND


def test_what_is_remembered_is_bounded() -> None:
    kept = Buckets(INTERVAL, 1, holders_max=3)
    assert [kept.take(holder) == 0 for holder in "aabc"] == [True, False, True, True]
    assert kept.take("a") > 0, "a known holder makes nobody be forgotten"
    assert kept.take("d") == 0
    assert kept.take("a") == 0, "with a fourth holder all begin anew"
