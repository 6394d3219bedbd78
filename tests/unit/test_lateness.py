from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from migrebot.reminders.lateness import BOUNDS, Lateness


@given(st.lists(st.floats(-100, 1e6)))
def test_each_firing_is_counted_once_in_the_class_it_belongs_to(seconds: list[float]) -> None:
    lateness = Lateness()
    for late in seconds:
        lateness.note(late)
    assert lateness.fired == len(seconds)
    for index, bound in enumerate(BOUNDS):
        assert sum(lateness.counts[: index + 1]) == sum(late <= bound for late in seconds)
    assert lateness.punctual == sum(late <= 1 for late in seconds)
    assert lateness.seconds >= 0
