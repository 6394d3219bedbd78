"""What has to happen next, as far as it is near: a heap of timers.

Only those up to a horizon are held, however many there are in all. A timer that was called off or moved stays where it
is until its time comes: whoever rings looks whether it still holds. So nothing has to be found in the heap, and
adding costs the logarithm of what is near.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

HORIZON = timedelta(hours=1)
"""How far ahead timers are held in memory."""

MOST = 10_000
"""How many are read at once: about a megabyte."""

NEVER = datetime.min.replace(tzinfo=UTC)


class Timer(Struct, frozen=True, order=True, gc=False):
    """At `at` (UTC) the reminder `id` is due; or, if it `repeats`, the firing `id` of one is to be repeated."""

    at: datetime
    id: int
    repeats: bool = False


class RemindersMoved(Struct, frozen=True):
    """Reminders were set or moved, or firings put off: these are their timers now, if they have any."""

    timers: tuple[Timer, ...]


class Timers:
    """The timers up to `known_until`; what lies behind it has to be read anew by then.

    Those at that very instant may be incomplete.
    """

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self.known_until = NEVER

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def next_at(self) -> datetime | None:
        """Tell when the first one rings; None if there is none near."""
        return self._heap[0].at if self._heap else None

    def fill(self, timers: Iterable[Timer], until: datetime) -> None:
        """Forget all and hold these, which are all there are up to an instant."""
        self._heap = list(timers)
        heapify(self._heap)
        self.known_until = until

    def add(self, timer: Timer) -> bool:
        """Hold one more, if it is near; tell whether it is the first to ring."""
        if timer.at > self.known_until:
            return False
        heappush(self._heap, timer)
        return self._heap[0] is timer

    def ring(self, now: datetime, most: int) -> list[Timer]:
        """Take out those that are due, the earliest first, each once."""
        rung: dict[Timer, None] = {}
        while self._heap and self._heap[0].at <= now and len(rung) < most:
            rung[heappop(self._heap)] = None
        return list(rung)
