"""The queue of updates behind getUpdates: offsets confirm, long polls wait, a second poller ends the first."""

import asyncio
import json
import random
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from .errors import Refused

MAX_WAIT = 50
"""Seconds: the longest long poll Telegram grants."""

_ONLY_ON_REQUEST = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
_SHORT_LIVED = frozenset({"callback_query", "pre_checkout_query", "inline_query", "shipping_query"})
_KEPT_SHORT = 150.0
_KEPT_LONG = 24 * 3600.0
_FURTHEST_OFFSET = 10  # an offset further ahead than this is ignored: the numbers may have started anew

CONFLICT_POLLER = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
CONFLICT_WEBHOOK = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
CONFLICT_SET_WEBHOOK = "Conflict: terminated by setWebhook request"

_encode = msgspec.json.Encoder().encode


class Pending(msgspec.Struct, frozen=True):
    """An update that nobody has confirmed yet, ready to be sent."""

    update_id: int
    body: bytes
    expires: float


class UpdateQueue:
    """Everything that waits for the bot.

    Two habits of the real server are left out because they only slow tests down: it answers a repeated offset with
    one update at a time for half a second, and delays a second 409 for three seconds.

    Args:
        now: the clock updates grow old by; a press lives 150 s in the queue, anything else a day.
        first_id: where the rising ids start; random without it, as at Telegram.
    """

    def __init__(self, now: Callable[[], float], first_id: int | None = None) -> None:
        self._now = now
        self._pending: deque[Pending] = deque()
        self._next_id = random.randrange(100_000_000, 900_000_000) if first_id is None else first_id
        self._allowed: frozenset[str] = frozenset()
        self._waiter: asyncio.Future[None] | None = None
        self._listeners: list[Callable[[], None]] = []
        self._first_expiry = float("inf")
        self.made = 0
        self.conflicts = 0

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def next_id(self) -> int:
        """The id the next update will get."""
        return self._next_id

    @property
    def allowed(self) -> list[str]:
        """The kinds of update the bot asked for; empty means all but the three that must be asked for."""
        return sorted(self._allowed)

    def allow(self, kinds: object) -> None:
        """Follow an ``allowed_updates`` argument; None keeps the former one, updates already made stay."""
        if isinstance(kinds, list):
            self._allowed = frozenset(kind for kind in kinds if isinstance(kind, str))

    def wants(self, kind: str) -> bool:
        """Tell whether the bot asked for this kind of update."""
        return kind in self._allowed if self._allowed else kind not in _ONLY_ON_REQUEST

    def push(self, kind: str, content: dict[str, Any]) -> int:
        """Make an update of one kind and give its id; one that the bot did not ask for is lost but takes an id."""
        update_id = self._next_id
        self._next_id += 1
        if self.wants(kind):
            self._append(update_id, _written({"update_id": update_id, kind: content}), kind)
        return update_id

    def push_raw(self, crafted: object) -> int:
        """Make an update nobody checked.

        A dictionary without ``update_id`` gets one; one with an own id moves the count there. Bytes go out as they
        are, valid JSON or not, with ``UPDATE_ID`` in them replaced by the id.
        """
        update_id = self._next_id
        if isinstance(crafted, bytes):
            body = crafted.replace(b"UPDATE_ID", str(update_id).encode())
        elif isinstance(crafted, dict):
            own = crafted.get("update_id", update_id)
            update_id = own if isinstance(own, int) else update_id
            body = _written({"update_id": update_id, **crafted})
        else:
            body = _written(crafted)
        self._next_id = update_id + 1
        self._append(update_id, body, "")
        return update_id

    def restart_ids(self, first_id: int | None = None) -> None:
        """Go on from another number, as Telegram does after a week without updates; the queue must be empty."""
        assert not self._pending, "ids start anew only while no update waits"
        self._next_id = random.randrange(100_000_000, 900_000_000) if first_id is None else first_id

    async def poll(self, offset: int, limit: int, wait: int) -> list[Pending]:
        """Answer one getUpdates call, waiting up to ``wait`` seconds for the first update."""
        self.end_poll(CONFLICT_POLLER)
        batch = self.take(offset, limit)
        if batch or wait <= 0:
            return batch
        loop = asyncio.get_running_loop()
        waiter = self._waiter = loop.create_future()
        alarm = loop.call_later(min(wait, MAX_WAIT), _wake, waiter)
        try:
            await waiter
        finally:
            alarm.cancel()
            if self._waiter is waiter:
                self._waiter = None
        return self.take(max(offset, 0), limit)

    def take(self, offset: int, limit: int) -> list[Pending]:
        """Confirm what lies below ``offset`` and give the oldest of the rest, without taking them out."""
        self._expire()
        if offset < 0:
            while len(self._pending) > -offset:
                self._pending.popleft()
        elif offset <= self._next_id + _FURTHEST_OFFSET:
            while self._pending and self._pending[0].update_id < offset:
                self._pending.popleft()
        return [self._pending[place] for place in range(min(limit, len(self._pending)))]

    def end_poll(self, conflict: str) -> None:
        """Answer the waiting long poll, if there is one, with a 409."""
        if self._waiter is not None and not self._waiter.done():
            self.conflicts += 1
            self._waiter.set_exception(Refused(409, conflict))

    def drop(self) -> None:
        """Forget all that waits."""
        self._pending.clear()

    def listen(self, listener: Callable[[], None]) -> None:
        """Have a function called whenever an update arrives."""
        self._listeners.append(listener)

    def notify(self) -> None:
        """Call the listeners, as if an update had arrived."""
        for listener in self._listeners:
            listener()

    def _append(self, update_id: int, body: bytes, kind: str) -> None:
        self.made += 1
        expires = self._now() + (_KEPT_SHORT if kind in _SHORT_LIVED else _KEPT_LONG)
        self._first_expiry = min(self._first_expiry, expires)
        self._pending.append(Pending(update_id, body, expires))
        if self._waiter is not None:
            _wake(self._waiter)
        self.notify()

    def _expire(self) -> None:
        now = self._now()
        if self._first_expiry <= now:
            self._pending = deque(update for update in self._pending if update.expires > now)
            self._first_expiry = min((update.expires for update in self._pending), default=float("inf"))


def _written(update: object) -> bytes:
    try:
        return _encode(update)
    except UnicodeEncodeError:  # a lone surrogate, which plain JSON can carry as an escape
        return json.dumps(update).encode()


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
