from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from migrebot.clock import Clock, SystemClock
from tests.clock import FakeClock


async def test_sleepers_wake_in_order_of_time_each_at_its_moment(clock: FakeClock) -> None:
    woken: list[tuple[str, float]] = []

    async def sleep(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.monotonic()))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sleep, "late", 3)
        tasks.start_soon(sleep, "early", 1)
        tasks.start_soon(sleep, "same time, later", 3)
        await clock.advance(2.9)
        assert woken == [("early", 1)]
        await clock.advance(0.1)
    assert woken == [("early", 1), ("late", 3), ("same time, later", 3)]


async def test_what_a_woken_task_plans_within_the_span_comes_true(clock: FakeClock) -> None:
    ticks: list[float] = []

    async def tick() -> None:
        while True:
            await clock.sleep(1)
            ticks.append(clock.monotonic())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tick)
        await clock.advance(3.5)
        tasks.cancel_scope.cancel()
    assert ticks == [1, 2, 3]
    assert clock.monotonic() == 3.5


async def test_tenths_add_up(clock: FakeClock) -> None:
    with anyio.fail_after(1):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(clock.sleep, 0.1 + 0.2)
            await clock.advance(0.3)


async def test_a_body_is_cancelled_when_its_time_has_come(clock: FakeClock) -> None:
    caught: list[bool] = []

    async def work(limit: float | None, needed: float) -> None:
        with clock.move_on_after(limit) as scope:
            await clock.sleep(needed)
        caught.append(scope.cancelled_caught)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work, 1, 2)
        await clock.advance(1)
        tasks.start_soon(work, 2, 1)
        await clock.advance(1)
        tasks.start_soon(work, None, 1_000)
        await clock.advance(1_000)
    assert caught == [True, False, False]


async def test_a_limit_that_has_passed_already_cancels_at_once(clock: FakeClock) -> None:
    with clock.move_on_after(0) as scope:
        await clock.sleep(1)
    assert scope.cancelled_caught


async def test_a_body_that_was_left_in_time_is_not_cancelled_later(clock: FakeClock) -> None:
    with clock.move_on_after(1) as scope:
        await clock.sleep(0)
    await clock.advance(2)
    assert not scope.cancel_called


async def test_a_cancelled_sleeper_is_forgotten(clock: FakeClock) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(clock.sleep, 1)
        await clock.settle()
        tasks.cancel_scope.cancel()
    await clock.advance(2)
    assert clock.monotonic() == 2


async def test_the_wall_clock_follows_and_jumps_alone(clock: FakeClock) -> None:
    before = clock.now()
    await clock.advance(90)
    assert clock.now() == before + timedelta(seconds=90)
    jump = datetime(2030, 1, 1, tzinfo=UTC)
    clock.set_wall(jump)
    assert (clock.now(), clock.monotonic()) == (jump, 90)
    await clock.advance(1)
    assert clock.now() == jump + timedelta(seconds=1)


async def test_settling_is_quick(clock: FakeClock) -> None:
    async def work() -> None:
        for _ in range(10):
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work)
        before = time.perf_counter()
        await clock.settle()
        # Asking anyio while a task still works costs a tenth of a second.
        assert time.perf_counter() - before < 0.09


def test_a_clock_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        FakeClock(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize("clock", [FakeClock(datetime(2026, 1, 1, tzinfo=UTC)), SystemClock()])
async def test_both_clocks_tell_aware_utc_and_wait_no_time_for_none(clock: Clock) -> None:
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()
    await clock.sleep(0)
    with clock.move_on_after(0) as scope:
        await anyio.sleep_forever()
    assert scope.cancelled_caught


async def test_a_step_that_holds_the_loop_is_noticed(no_stalls: list[str]) -> None:
    async def hold() -> None:
        time.sleep(0.08)  # noqa: ASYNC251 - that is the point

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hold)
    await anyio.lowlevel.checkpoint()
    assert len(no_stalls) == 1
    assert "hold" in no_stalls[0]
    no_stalls.clear()
