"""How fast a messenger may be written to: pure arithmetic on seconds of a monotonic clock, which the caller passes in.

Limits of `UNLIMITED` messages per second and more are no limits: nothing is kept and nothing is computed for them.
"""

from __future__ import annotations

from collections import deque
from zlib import crc32

UNLIMITED = 1_000.0
"""Messages per second that no messenger of ours is faster than, and neither are we."""

FIRST_BACKOFF = 1.0
"""Seconds before the first repetition; doubled with each failure in a row."""

LONGEST_BACKOFF = 60.0
"""Seconds between two repetitions at most: somebody waits for the message."""

SHORTEST_PAUSE = 0.1
"""Seconds to wait at least when a messenger asks for a pause: a zero must not make us spin."""

LONGEST_PAUSE = 86_400.0
"""Seconds to wait at most, whatever a messenger asks for: a slip of its pen must not silence a chat for ever."""


class Window:
    """At most `per_second` messages in any one second (below one: one in any `1 / per_second` seconds).

    A log of the last sends, not a token bucket: a bucket that keeps this promise must space out every two messages,
    this one lets the first ones of a quiet second go at once. A place is reserved when a message is chosen, and used
    when it really leaves, since the storage is asked in between. A fifth of the places is for urgent messages alone:
    while thousands wait that are not, somebody may ask something.
    """

    __slots__ = ("_limit", "_reserved", "_sent", "_span", "_spare")

    def __init__(self, per_second: float) -> None:
        self._limit = 0 if per_second >= UNLIMITED else max(1, int(per_second))
        self._span = self._limit / per_second
        self._spare = self._limit // 5
        self._sent: deque[float] = deque()
        self._reserved = 0

    def reserve(self, now: float) -> bool:
        """Reserve a place for one message, to be used or released; tell whether there was one."""
        if not self._limit:
            return True
        if not self.has_room(now):
            return False
        self._reserved += 1
        return True

    def release(self) -> None:
        """Give back a reserved place."""
        if self._limit:
            self._reserved -= 1

    def use(self, now: float) -> None:
        """Turn a reserved place into a message that leaves now."""
        if self._limit:
            self._reserved -= 1
            self._sent.append(now)

    def has_room(self, now: float, *, is_urgent: bool = True) -> bool:
        """Tell whether one more message fits in."""
        if not self._limit:
            return True
        while self._sent and self._sent[0] + self._span <= now:
            self._sent.popleft()
        return self._excess(is_urgent=is_urgent) < 0

    def next_room(self, now: float, *, is_urgent: bool = True) -> float | None:
        """Tell when there will be room; None while only the places reserved are in the way."""
        if self.has_room(now, is_urgent=is_urgent):
            return now
        excess = self._excess(is_urgent=is_urgent)
        return self._sent[excess] + self._span if excess < len(self._sent) else None

    def _excess(self, *, is_urgent: bool) -> int:
        """Tell how many places besides one have to come free; negative if there is room."""
        return len(self._sent) + self._reserved - (self._limit if is_urgent else self._limit - self._spare)


class Bucket:
    """The pace of one chat: `burst` messages at once, then `per_second`.

    Of the chat itself only one number is kept, the instant `full_at` at which it is as if nothing had ever been sent.
    """

    __slots__ = ("_interval", "_slack")

    def __init__(self, per_second: float, burst: int) -> None:
        self._interval = 0.0 if per_second >= UNLIMITED else 1.0 / per_second
        self._slack = self._interval * (max(1, burst) - 1)

    def ready_at(self, full_at: float) -> float:
        """Tell when the next message may go."""
        return full_at - self._slack

    def after_one(self, full_at: float, now: float) -> float:
        """Tell the chat's new `full_at` after a message that leaves now."""
        return max(full_at, now) + self._interval if self._interval else full_at


def backoff(failures: int, whom: str = "") -> float:
    """Tell how long to wait after that many failures in a row, in seconds.

    `whom` (a chat) sets a fixed part of up to a quarter off, so that chats which failed together do not come back
    together; without it the steps are even.
    """
    seconds = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2.0 ** min(max(0, failures - 1), 30))
    return seconds * (1 - 0.25 * (crc32(whom.encode("utf-8", "replace")) % 1_000) / 1_000) if whom else seconds


def pause(retry_after: float) -> float:
    """Tell how long to wait when the messenger asks for that many seconds."""
    # In this order a NaN becomes the shortest pause.
    return min(LONGEST_PAUSE, max(SHORTEST_PAUSE, retry_after))
