"""Ids of rows."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

from migrebot.ids import RepeatableIds, id_source

if TYPE_CHECKING:
    from tests.clock import FakeClock


def test_ids_grow_with_time_and_fit_into_the_database(clock: FakeClock) -> None:
    new_id = id_source(clock)
    before = new_id()
    clock.set_wall(clock.now() + timedelta(milliseconds=2))
    assert 0 < before < new_id() < 2**63


def test_after_a_rewind_the_same_ids_come_again_and_then_new_ones() -> None:
    ids = RepeatableIds(count(1).__next__)
    assert [ids(), ids()] == [1, 2]
    ids.rewind()
    assert [ids(), ids(), ids()] == [1, 2, 3]


def test_ids_of_one_millisecond_are_all_different(clock: FakeClock) -> None:
    new_id = id_source(clock)
    assert len({new_id() for _ in range(20_000)}) == 20_000
