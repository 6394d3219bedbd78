"""How many messages one sender may send: a bucket for each, which everybody fills again by waiting.

What counts is when a message was written, so that nobody pays for a spell in which the program was down.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Hashable
    from datetime import datetime

BURST = 100
"""Messages at once: far above any person, about what a long offline spell delivers together."""

PER_SECOND = 10.0
"""Messages per second in the long run."""

_SENDERS = 10_000

Verdict = Literal["fine", "tell", "drop"]


class FloodGate:
    """Tells of each message whether it may be handled; a flood is told once, then dropped until it ebbs away."""

    def __init__(self, *, burst: int = BURST, per_second: float = PER_SECOND) -> None:
        self._burst = float(burst)
        self._per_second = per_second
        self._levels: OrderedDict[Hashable, tuple[float, datetime, bool]] = OrderedDict()

    def judge(self, sender: Hashable, written_at: datetime) -> Verdict:
        """Count a message of `sender`; one that was written before the last one finds the bucket as that left it."""
        level, since, told = self._levels.pop(sender, (self._burst, written_at, False))
        waited = max(0.0, (written_at - since).total_seconds())
        level = min(self._burst, level + waited * self._per_second)
        verdict: Verdict = "fine"
        if level >= 1:
            told = told and level < self._burst
            level -= 1
        else:
            verdict, told = "drop" if told else "tell", True
        self._levels[sender] = (level, max(since, written_at), told)
        if len(self._levels) > _SENDERS:
            self._levels.popitem(last=False)
        return verdict
