"""Where the program takes the time from: one small interface, so that tests can bring their own."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import anyio

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


class Clock(Protocol):
    """Wall time for what people see, monotonic time for waiting."""

    def now(self) -> datetime:
        """Tell the wall time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Tell the seconds since some fixed moment; never runs backwards."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds of the monotonic time."""
        ...

    def move_on_after(self, seconds: float | None) -> AbstractContextManager[anyio.CancelScope]:
        """Bound the body to that many seconds (None: unbounded), as `anyio.move_on_after` does."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Tell the wall time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Tell the seconds since some fixed moment; never runs backwards."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""
        await anyio.sleep(seconds)

    def move_on_after(self, seconds: float | None) -> AbstractContextManager[anyio.CancelScope]:
        """Bound the body to that many seconds (None: unbounded)."""
        return anyio.move_on_after(seconds)
