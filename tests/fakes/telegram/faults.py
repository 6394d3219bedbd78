"""What goes wrong on purpose: faults for chosen calls, and Telegram's own limits."""

import asyncio
import math
import time
from collections import deque
from typing import Literal

import msgspec

FaultKind = Literal[
    "refusal",
    "bad_gateway",
    "reset_before",
    "reset_after",
    "hang",
    "hang_after",
    "slow",
    "slow_before",
    "truncated",
    "answer",
]


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One way to go wrong; made by the class methods.

    ``…_after`` kinds, ``slow``, ``truncated`` and ``answer`` do what the call asks before they fail: the message exists
    though the caller cannot know. The other kinds have no effect.
    """

    kind: FaultKind
    code: int = 0
    description: str = ""
    retry_after: int | None = None
    seconds: float = 0.0

    @classmethod
    def refusal(cls, code: int, description: str) -> "Fault":
        """Any refusal in the Bot API's own form."""
        return cls(kind="refusal", code=code, description=description)

    @classmethod
    def too_many_requests(cls, retry_after: int = 1) -> "Fault":
        """429 with ``retry_after``."""
        words = f"Too Many Requests: retry after {retry_after}"
        return cls(kind="refusal", code=429, description=words, retry_after=retry_after)

    @classmethod
    def unauthorized(cls) -> "Fault":
        """401, as after the token was revoked."""
        return cls.refusal(401, "Unauthorized")

    @classmethod
    def server_error(cls) -> "Fault":
        """500 in the Bot API's own form."""
        return cls.refusal(500, "Internal Server Error")

    @classmethod
    def bad_gateway(cls) -> "Fault":
        """502 with a page of HTML, from a proxy before the Bot API."""
        return cls(kind="bad_gateway", code=502)

    @classmethod
    def reset_before(cls) -> "Fault":
        """The connection is reset before anything happened."""
        return cls(kind="reset_before")

    @classmethod
    def reset_after(cls) -> "Fault":
        """The connection is reset after the call took effect."""
        return cls(kind="reset_after")

    @classmethod
    def hang(cls, *, after_effect: bool = False) -> "Fault":
        """No answer ever comes; the connection is reset when the fault is cleared."""
        return cls(kind="hang_after" if after_effect else "hang")

    @classmethod
    def slow(cls, seconds: float, *, before_effect: bool = False) -> "Fault":
        """The answer comes late; the effect at once, unless told otherwise."""
        return cls(kind="slow_before" if before_effect else "slow", seconds=seconds)

    @classmethod
    def truncated(cls) -> "Fault":
        """200 with only the first half of the JSON, after the call took effect."""
        return cls(kind="truncated")

    @classmethod
    def answer(cls, body: str) -> "Fault":
        """200 with this body, after the call took effect."""
        return cls(kind="answer", description=body)

    @property
    def has_effect(self) -> bool:
        """Whether the call does its work before this goes wrong."""
        return self.kind in {"reset_after", "hang_after", "slow", "slow_before", "truncated", "answer"}


class Rule(msgspec.Struct, eq=False):
    """Which calls meet a fault, and how many did.

    Attributes:
        fault: what happens to them.
        method: a method's name, or ``*`` for all.
        chat_id: only calls about this chat; None is any call.
        times: how many more calls meet it; None is no limit.
        until: the monotonic time it ends by itself; None is never.
        hits: how many calls met it.
    """

    fault: Fault
    method: str = "*"
    chat_id: int | None = None
    times: int | None = None
    until: float | None = None
    hits: int = 0

    def meets(self, method: str, chat_id: int | None, now: float) -> bool:
        """Tell whether a call is one of those."""
        if self.times == 0 or (self.until is not None and now >= self.until):
            return False
        return self.method in {"*", method} and self.chat_id in {None, chat_id}


class FaultBook:
    """All rules in force, the oldest first; a call meets the first that fits it."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self._hung: set[asyncio.Future[None]] = set()

    def add(self, rule: Rule) -> Rule:
        """Put a rule in force."""
        self.rules.append(rule)
        return rule

    def take(self, method: str, chat_id: int | None) -> Fault | None:
        """Find what goes wrong with a call, and count it."""
        if not self.rules:
            return None
        now = time.monotonic()
        self.rules = [rule for rule in self.rules if rule.times != 0 and (rule.until is None or now < rule.until)]
        rule = next((rule for rule in self.rules if rule.meets(method, chat_id, now)), None)
        if rule is None:
            return None
        rule.hits += 1
        if rule.times is not None:
            rule.times -= 1
        return rule.fault

    def clear(self, rule: Rule | None = None) -> None:
        """End one rule, or all; calls that hang break off."""
        self.rules = [other for other in self.rules if rule is not None and other is not rule]
        for hung in self._hung:
            if not hung.done():
                hung.set_result(None)

    async def hang(self) -> None:
        """Wait until the next clearing."""
        released: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._hung.add(released)
        try:
            await released
        finally:
            self._hung.discard(released)


class Bucket:
    """A token bucket on the monotonic clock: so many at once, so many a second after that."""

    __slots__ = ("_at", "_left", "burst", "rate")

    def __init__(self, rate: float, burst: float) -> None:
        self.rate = rate
        self.burst = burst
        self._left = burst
        self._at = -math.inf

    def wait(self, now: float) -> float:
        """Tell how many seconds must pass before one more fits; 0 if it fits now."""
        self._left = min(self.burst, self._left + (now - self._at) * self.rate)
        self._at = now
        return 0.0 if self._left >= 1 else (1 - self._left) / self.rate

    def spend(self) -> None:
        """Take one out."""
        self._left -= 1


class FloodControl:
    """Telegram's limits, enforced to the letter: over all, per chat, and per minute in a group.

    Args:
        per_second: messages a second to all chats together, and as many in one burst.
        chat_per_second: messages a second to one chat.
        chat_burst: messages to one chat that may come at once.
        group_per_minute: messages a minute to one group.
    """

    def __init__(
        self, *, per_second: float = 30, chat_per_second: float = 1, chat_burst: int = 3, group_per_minute: int = 20
    ) -> None:
        self.refusals = 0
        self._all = Bucket(per_second, per_second)
        self._chat = (chat_per_second, float(chat_burst))
        self._group_per_minute = group_per_minute
        self._chats: dict[int, Bucket] = {}
        self._groups: dict[int, deque[float]] = {}

    def retry_after(self, chat_id: int) -> int | None:
        """Count a message, or tell how many seconds its sender must wait."""
        now = time.monotonic()
        chat = self._chats.setdefault(chat_id, Bucket(*self._chat))
        wait = max(self._all.wait(now), chat.wait(now), self._group_wait(chat_id, now))
        if wait > 0:
            self.refusals += 1
            return max(1, math.ceil(wait))
        self._all.spend()
        chat.spend()
        if chat_id < 0:
            self._groups[chat_id].append(now)
        return None

    def _group_wait(self, chat_id: int, now: float) -> float:
        if chat_id > 0:
            return 0.0
        sent = self._groups.setdefault(chat_id, deque())
        while sent and sent[0] <= now - 60:
            sent.popleft()
        return sent[0] + 60 - now if len(sent) >= self._group_per_minute else 0.0
