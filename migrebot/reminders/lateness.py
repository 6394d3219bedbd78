"""How late reminders fire, counted in classes, so that however many fired cost no memory."""

from __future__ import annotations

from bisect import bisect_left

BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
"""Upper bounds of the classes, seconds; the last class has none."""


class Lateness:
    """Counts firings by how many seconds late they were stored; `counts` has one class more than `BOUNDS`."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    def note(self, seconds: float) -> None:
        """Count a firing; a clock that was set back makes nothing early."""
        late = max(0.0, seconds)
        self.counts[bisect_left(BOUNDS, late)] += 1
        self.seconds += late

    @property
    def fired(self) -> int:
        """How many firings were counted."""
        return sum(self.counts)

    @property
    def punctual(self) -> int:
        """How many of them were no more than a second late."""
        return sum(self.counts[: BOUNDS.index(1.0) + 1])
