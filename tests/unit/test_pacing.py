"""How fast a messenger may be written to."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.pacing import FIRST_BACKOFF, LONGEST_BACKOFF, LONGEST_PAUSE, Bucket, Window, backoff, pause

rates = st.one_of(st.integers(1, 100).map(float), st.floats(0.1, 50))
gaps = st.lists(st.floats(0, 3), min_size=1, max_size=120)


def sent_by_window(window: Window, steps: list[float]) -> list[float]:
    now, sent = 100.0, []
    for gap in steps:
        now += gap
        while window.reserve(now):
            window.use(now)
            sent.append(now)
    return sent


@given(rates, gaps)
def test_no_second_ever_sees_more_messages_than_the_limit(per_second: float, steps: list[float]) -> None:
    sent = sent_by_window(Window(per_second), steps)
    count = max(1, int(per_second))
    for first, later in zip(sent, sent[count:], strict=False):
        assert later - first >= count / per_second - 1e-9


@given(rates, gaps)
def test_the_window_gives_room_at_the_moment_it_promised(per_second: float, steps: list[float]) -> None:
    window, now = Window(per_second), 100.0
    for gap in steps:
        now += gap
        while window.reserve(now):
            window.use(now)
        promised = window.next_room(now)
        assert promised is not None
        assert promised > now
        assert not window.has_room(math.nextafter(promised, 0))
        assert window.has_room(promised)


@given(rates, gaps)
def test_a_fifth_of_the_window_is_for_the_urgent_and_the_others_have_room_when_promised(
    per_second: float, steps: list[float]
) -> None:
    window, now = Window(per_second), 100.0
    for gap in steps:
        now += gap
        while window.has_room(now, is_urgent=False):
            assert window.reserve(now)
            window.use(now)
        assert window.has_room(now) is (int(per_second) >= 5)
        promised = window.next_room(now, is_urgent=False)
        assert promised is not None
        assert promised > now
        assert not window.has_room(math.nextafter(promised, 0), is_urgent=False)
        assert window.has_room(promised, is_urgent=False)


@given(rates, st.integers(1, 5), gaps)
def test_no_span_of_a_chat_sees_more_than_the_burst_and_its_pace(
    per_second: float, burst: int, steps: list[float]
) -> None:
    bucket, full_at, now = Bucket(per_second, burst), 0.0, 100.0
    sent: list[float] = []
    for gap in steps:
        now += gap
        while bucket.ready_at(full_at) <= now:
            full_at = bucket.after_one(full_at, now)
            sent.append(now)
    for index, first in enumerate(sent):
        for number, later in enumerate(sent[index:], 1):
            assert number <= burst + (later - first) * per_second + 1e-6


def test_a_chat_at_rest_may_burst_and_then_keeps_its_pace() -> None:
    bucket, full_at, sent = Bucket(1, 3), 0.0, []
    for _ in range(5):
        at = max(10.0, bucket.ready_at(full_at))
        full_at = bucket.after_one(full_at, at)
        sent.append(at)
    assert sent == [10, 10, 10, 11, 12]


def test_a_reserved_place_is_taken_and_a_released_one_is_free() -> None:
    window = Window(2)
    assert window.reserve(0)
    assert window.reserve(0)
    assert not window.reserve(0)
    assert window.next_room(0) is None
    window.release()
    assert window.reserve(0)


def test_a_place_counts_from_when_the_message_left_not_from_when_it_was_chosen() -> None:
    window = Window(1)
    assert window.reserve(0)
    window.use(0.5)
    assert window.next_room(0.5) == 1.5


def test_a_limit_below_one_a_second_spaces_messages_out() -> None:
    window = Window(0.5)
    assert window.reserve(0)
    window.use(0)
    assert window.next_room(0) == 2


@pytest.mark.parametrize("per_second", [1_000.0, 1e9, math.inf])
def test_a_huge_limit_keeps_nothing(per_second: float) -> None:
    window = Window(per_second)
    for _ in range(5_000):
        assert window.reserve(0)
        window.use(0)
    assert window.next_room(0) == 0
    assert not window._sent
    bucket = Bucket(per_second, 3)
    assert bucket.after_one(0, 10) == 0


def test_the_backoff_doubles_from_one_second_to_a_minute() -> None:
    assert [backoff(failures) for failures in (1, 2, 3, 6, 7, 8, 10_000)] == [1, 2, 4, 32, 60, 60, 60]


@given(st.integers(1, 10_000), st.text(min_size=1))
def test_chats_come_back_a_little_apart_but_never_later(failures: int, chat: str) -> None:
    assert 0.75 * backoff(failures) <= backoff(failures, chat) <= backoff(failures) <= LONGEST_BACKOFF
    assert backoff(failures, chat) == backoff(failures, chat)
    assert backoff(1, chat) >= 0.75 * FIRST_BACKOFF


def test_two_chats_do_not_come_back_together() -> None:
    assert len({backoff(5, f"chat {number}") for number in range(20)}) > 15


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_whatever_a_messenger_asks_for_is_a_pause(retry_after: float) -> None:
    assert 0 < pause(retry_after) <= LONGEST_PAUSE


def test_a_sensible_pause_is_obeyed_to_the_second() -> None:
    assert pause(7) == 7
