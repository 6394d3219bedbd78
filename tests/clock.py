"""A clock that stands still until a test moves it."""

from __future__ import annotations

import heapq
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TURNS = 25
"""Turns of the loop given to the tasks before asking whether all wait: asking too early costs a tenth of a second."""

_ROUNDING = 1e-9
"""Seconds; three tenths added up are not quite what was meant."""


class _Alarm:
    """What is to happen at one moment, unless it was called off."""

    __slots__ = ("at", "number", "ring")

    def __init__(self, at: float, number: int, ring: Callable[[], None]) -> None:
        self.at = at
        self.number = number
        self.ring: Callable[[], None] | None = ring

    def __lt__(self, other: _Alarm) -> bool:
        return (self.at, self.number) < (other.at, other.number)


class FakeClock:
    """A `migrebot.clock.Clock` whose time passes in `advance` only; the monotonic time starts at zero."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock tells aware times")
        self._start = start
        self._elapsed = 0.0
        self._alarms: list[_Alarm] = []
        self._numbers = count()

    def now(self) -> datetime:
        """Tell the fake wall time."""
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        """Tell the seconds advanced so far."""
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        """Wait until the time has been advanced by that much."""
        if seconds <= 0:
            await anyio.lowlevel.checkpoint()
            return
        woken = anyio.Event()
        with self._alarm(seconds, woken.set):
            await woken.wait()

    @contextmanager
    def move_on_after(self, seconds: float | None) -> Iterator[anyio.CancelScope]:
        """Give a cancel scope that is cancelled once the time has been advanced by that much."""
        with anyio.CancelScope() as scope:
            if seconds is None:
                yield scope
                return
            if seconds <= 0:
                scope.cancel()
            with self._alarm(seconds, scope.cancel):
                yield scope

    async def advance(self, seconds: float) -> None:
        """Let time pass: wake whatever is due, in order of time, and let the tasks work at each moment.

        What a woken task plans within the span comes true as well. Returns when all other tasks wait.
        """
        end = self._elapsed + seconds
        await self.settle()
        while self._alarms and self._alarms[0].at <= end + _ROUNDING:
            alarm = heapq.heappop(self._alarms)
            if alarm.ring is not None:
                self._elapsed = max(self._elapsed, alarm.at)
                alarm.ring()
                await self.settle()
        self._elapsed = max(self._elapsed, end)

    async def settle(self) -> None:
        """Let all other tasks work until they wait; no time passes."""
        for _ in range(_TURNS):
            await anyio.lowlevel.checkpoint()
        await anyio.wait_all_tasks_blocked()

    def set_wall(self, now: datetime) -> None:
        """Set the wall clock alone, as an operator or a time server does; nobody wakes."""
        self._start = now - timedelta(seconds=self._elapsed)

    @contextmanager
    def _alarm(self, seconds: float, ring: Callable[[], None]) -> Iterator[None]:
        alarm = _Alarm(self._elapsed + seconds, next(self._numbers), ring)
        heapq.heappush(self._alarms, alarm)
        try:
            yield
        finally:
            alarm.ring = None
