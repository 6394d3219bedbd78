"""A feed of events for whoever listens over HTTP, with a memory, so that a listener who was away can go on."""

from __future__ import annotations

from collections import deque

import anyio
from msgspec import Struct

REMEMBERED = 1_000
"""Events that a listener who was away may have missed; beyond, it has to read everything anew."""


class Event(Struct, frozen=True):
    """Something that happened: a number that only grows, what kind it is, and its JSON."""

    number: int
    kind: str
    data: bytes


class Feed:
    """Events of several kinds, in order, numbered from 1. Listeners never hold up whoever tells."""

    def __init__(self) -> None:
        self.last = 0
        self._events: deque[Event] = deque(maxlen=REMEMBERED)
        self._told = anyio.Event()

    def tell(self, kind: str, data: bytes) -> None:
        """Add an event."""
        self.last += 1
        self._events.append(Event(self.last, kind, data))
        self._told.set()
        self._told = anyio.Event()

    def remembers(self, number: int) -> bool:
        """Tell whether all events after this one are still known."""
        return self.last - len(self._events) <= number <= self.last

    async def after(self, number: int) -> list[Event]:
        """Wait until there is something after this event, and give what is known of it."""
        while self.last <= number:
            await self._told.wait()
        return [event for event in self._events if event.number > number]
