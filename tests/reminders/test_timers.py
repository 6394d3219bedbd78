"""The heap of timers that are near."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from migrebot.reminders.timers import Timer, Timers

START = datetime(2026, 6, 15, 12, tzinfo=UTC)


def timer(minute: int, id_: int = 1, *, repeats: bool = False) -> Timer:
    return Timer(START + timedelta(minutes=minute), id_, repeats)


def test_before_anything_was_read_nothing_is_near() -> None:
    timers = Timers()
    assert not timers.add(timer(0))
    assert timers.next_at is None
    assert timers.ring(START, 10) == []


def test_they_ring_in_order_and_each_once() -> None:
    timers = Timers()
    timers.fill([timer(3), timer(1, 2), timer(1, 1), timer(1, 1), timer(1, 1, repeats=True)], timer(60).at)
    assert timers.ring(timer(0).at, 10) == []
    assert timers.ring(timer(1).at, 2) == [timer(1, 1), timer(1, 1, repeats=True)]
    assert timers.ring(timer(2).at, 10) == [timer(1, 2)]
    assert timers.next_at == timer(3).at


def test_one_more_is_held_if_it_is_near_and_told_if_it_is_the_first() -> None:
    timers = Timers()
    timers.fill([timer(30)], timer(60).at)
    assert not timers.add(timer(61))
    assert not timers.add(timer(31))
    assert timers.add(timer(29))
    assert len(timers) == 3


@given(
    held=st.lists(st.builds(timer, st.integers(0, 60), st.integers(1, 5))),
    added=st.lists(st.builds(timer, st.integers(0, 90), st.integers(1, 5))),
    most=st.integers(1, 5),
)
def test_whatever_is_put_in_comes_out_in_order(held: list[Timer], added: list[Timer], most: int) -> None:
    timers = Timers()
    timers.fill(held, timer(60).at)
    for one in added:
        timers.add(one)
    rung: list[Timer] = []
    while found := timers.ring(timer(60).at, most):
        assert len(found) <= most
        rung += found
    assert rung == sorted(rung)
    assert set(rung) == {one for one in held + added if one.at <= timer(60).at}
    assert len(timers) == 0
